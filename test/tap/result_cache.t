#!/usr/bin/perl
# The result cache as memory of the server: sizes, eviction, many sessions at once, crashes, standbys, no room.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $tiny = "$ENV{PG_ABS_SRCDIR}/golden/tiny";
my $node = PostgreSQL::Test::Cluster->new('primary');

$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', "restart_after_crash = on\nmaskgen.result_cache_size = 0");
$node->start;

# 400 texts with what the model says about them, computed without a cache.
$node->safe_psql('postgres', qq(
	CREATE EXTENSION maskgen;
	SELECT maskgen.create_model('m', '$tiny/bert-embed-mean');
	CREATE TABLE said AS SELECT i AS id, t, maskgen.embed('m', t) AS v FROM (SELECT i, 'wine ' || i AS t FROM generate_series(1, 400) i) x;
	ALTER TABLE said ADD PRIMARY KEY (id)));

my $wrong = q(SELECT count(*) FROM said WHERE "+maskgen".vector_send(maskgen.embed('m', t)) <> "+maskgen".vector_send(v));

sub state_of
{
	my ($columns, $where) = @_;
	return ($where // $node)->safe_psql('postgres', "SELECT $columns FROM maskgen.maskgen_result_cache");
}

sub session { return $node->background_psql('postgres', on_error_stop => 0) }

# Makes a server's cache: who asks while another session makes it computes without one.
sub make { return state_of('size', @_) }

# Sets the size, and returns once new sessions have it.
sub resize
{
	my ($size) = @_;
	$node->safe_psql('postgres', "ALTER SYSTEM SET maskgen.result_cache_size = '$size'");
	$node->reload;
	$node->poll_query_until('postgres', "SELECT current_setting('maskgen.result_cache_size') = '$size'")
	  or die 'the server does not read its settings';
	make();
}

is(state_of('size, entries, hits, misses'), '0|0|0|0', 'with a size of 0 there is no cache');

subtest 'sizes' => sub {
	my $session = session();

	is($session->query($wrong), 0, 'a session that stays');
	resize('1MB');
	is($session->query($wrong), 0, 'which computes');
	is(state_of('size > 1000000 AND size <= 1024 * 1024, entries, hits, misses'), 't|400|0|400', 'results are kept from then on');
	is($node->safe_psql('postgres', $wrong), 0, 'another session');
	is(state_of('entries, hits, misses, evictions'), '400|400|400|0', 'finds them');

	resize('64kB');
	is($node->safe_psql('postgres', $wrong), 0, 'a new session finds a cache of another size');
	is($session->query($wrong), 0, 'which the old one follows');
	is(state_of('size <= 65536 AND bytes > 60000 AND bytes <= size AND entries BETWEEN 100 AND 399, evictions > 100'), 't|t',
		'it is full, and what is new drives out what is old');
	$node->safe_psql('postgres', 'SELECT maskgen.result_cache_reset()');
	is(state_of('entries, bytes, hits, misses, evictions'), '0|0|0|0|0', 'reset');

	resize('0');
	is($session->query($wrong), 0, 'without a cache');
	is(state_of('size, entries, hits, misses'), '0|0|0|0', 'nothing is kept');
	$session->quit;

	my ($status, undef, $error) = $node->psql('postgres', q(LOAD 'maskgen'; ALTER SYSTEM SET maskgen.result_cache_size = '63kB'));
	like($error, qr/invalid value for parameter.*at least 64 kB/s, 'a cache that could hold nothing is refused');
	($status, undef, $error) = $node->psql('postgres', q(LOAD 'maskgen'; SET maskgen.result_cache_size = 0));
	like($error, qr/cannot be changed now/, 'the size is the server\'s');
};

subtest 'no room' => sub {
	my $offset = -s $node->logfile;

	resize('1TB');
	is($node->safe_psql('postgres', $wrong), 0, 'results are computed');
	is($node->safe_psql('postgres', $wrong), 0, 'again and again');
	is(state_of('size, entries'), '0|0', 'there is no cache');
	my @lines = slurp_file($node->logfile, $offset) =~ /could not create result cache of 1073741824 kB/g;
	is(scalar @lines, 1, 'the log says so once');
	resize('64kB');
	is($node->safe_psql('postgres', $wrong), 0, 'a smaller one');
	is(state_of('size > 0, entries > 100'), 't|t', 'is made');
};

# Sessions that ask in any order, for single texts and for batches; what is not right divides by zero.
my %scripts = (
	'one' => q(\set id random_exponential(1, 400, 5)
SELECT 1 / (maskgen.embed('m', t) OPERATOR(maskgen.=) v)::int FROM said WHERE id = :id;),
	'batch' => q(\set id random(1, 390)
SELECT 1 / (array_agg(v ORDER BY id)::text = maskgen.embed_batch('m', array_agg(t ORDER BY id))::text)::int FROM said WHERE id BETWEEN :id AND :id + 10;));
my @files;
for my $name (sort keys %scripts)
{
	append_to_file("$node->{_basedir}/$name.sql", $scripts{$name});
	push @files, "--file=$node->{_basedir}/$name.sql";
}
my @pgbench = ('pgbench', '--no-vacuum', '--client=8', '--jobs=2', @files, '--host', $node->host, '--port', $node->port, 'postgres');

subtest 'many sessions' => sub {
	command_ok([ @pgbench, '--transactions=300' ], 'eight sessions and a cache that is too small get what is right');
	is(state_of('hits > 1000, misses > 400, evictions > 400'), 't|t|t', 'some of it from the cache');
	is($node->safe_psql('postgres', $wrong), 0, 'which holds nothing wrong afterwards');
};

subtest 'a crash' => sub {
	my $offset = -s $node->logfile;
	my ($out, $error) = ('', '');
	my $run = IPC::Run::start([ @pgbench, '--transactions=1000000' ], '>', \$out, '2>', \$error);
	$node->poll_query_until('postgres', q(SELECT count(*) >= 8 FROM pg_stat_activity WHERE query LIKE '%said WHERE id%' AND pid <> pg_backend_pid()))
	  or die 'pgbench does not run';
	my $pid = $node->safe_psql('postgres',
		q(SELECT min(pid) FROM pg_stat_activity WHERE query LIKE '%said WHERE id%' AND pid <> pg_backend_pid()));

	is(kill('KILL', $pid), 1, 'one of eight sessions is killed');
	$run->finish;
	$node->wait_for_log(qr/all server processes terminated; reinitializing/, $offset);
	$node->poll_query_until('postgres', 'SELECT true') or die 'the server did not come back';
	unlike($error, qr/division by zero/, 'no session got what is wrong');
	is(state_of('hits, misses, stats_reset IS NULL'), '0|0|t', 'the cache begins anew');
	is($node->safe_psql('postgres', $wrong), 0, 'computed');
	is($node->safe_psql('postgres', "$wrong AND id > 300"), 0, 'and found');
	is(state_of('hits > 0'), 't', 'again');
};

subtest 'preloaded, and a standby' => sub {
	resize('1MB');
	$node->append_conf('postgresql.conf', "shared_preload_libraries = 'maskgen'");
	$node->restart;
	make();
	is($node->safe_psql('postgres', $wrong), 0, 'computed') for 1 .. 2;
	is(state_of('hits, misses, entries'), '400|400|400', 'the same with shared_preload_libraries');

	$node->backup('base');
	my $standby = PostgreSQL::Test::Cluster->new('standby');
	$standby->init_from_backup($node, 'base', has_streaming => 1);
	$standby->start;
	$node->wait_for_catchup($standby);
	make($standby);
	is($standby->safe_psql('postgres', $wrong), 0, 'computed on a standby') for 1 .. 2;
	is(state_of('hits, misses, entries', $standby), '400|400|400', 'which has a cache of its own');
	$standby->stop;
};

# What one database asks cannot be found out in another one: neither texts nor labels.
subtest 'another database' => sub {
	my $ask = q(SELECT maskgen.classify('mlm', 'wine and cheese', '{world,sports}'), maskgen.embed('m', 'wine and cheese') IS NOT NULL;
		SELECT tokens, cache_hits FROM maskgen.maskgen_stat_models ORDER BY name);
	my %asked;

	$node->safe_psql('postgres', 'CREATE DATABASE neighbour');
	$node->safe_psql('neighbour', "CREATE EXTENSION maskgen; SELECT maskgen.create_model('m', '$tiny/bert-embed-mean')");
	$node->safe_psql($_, "SELECT maskgen.create_model('mlm', '$tiny/bert-mlm')") for qw(postgres neighbour);
	for my $database (qw(postgres neighbour))
	{
		$node->safe_psql($database, 'SELECT maskgen.stat_models_reset()');
		$asked{$database} = $node->safe_psql($database, $ask);
	}
	is($asked{neighbour}, $asked{postgres}, 'nothing is left out there for having been computed here');
	$node->safe_psql('postgres', 'SELECT maskgen.stat_models_reset()');
	isnt($node->safe_psql('postgres', $ask), $asked{postgres}, 'as it is here');
};

$node->stop;
done_testing();
