#!/usr/bin/perl
# The prompt cache as memory of the server: sizes, many sessions at once, parallel workers, a crash, no room.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $tiny = "$ENV{PG_ABS_SRCDIR}/golden/decoder/llama";
my $node = PostgreSQL::Test::Cluster->new('primary');

$node->init;
$node->append_conf('postgresql.conf', "restart_after_crash = on\nmaskgen.result_cache_size = 0\nmaskgen.prompt_cache_size = 0");
$node->start;
$node->safe_psql('postgres', qq(
	CREATE EXTENSION maskgen;
	SELECT maskgen.create_model('m', '$tiny', '{"max_tokens": 96, "dtype": "int8"}');
	CREATE TABLE said AS SELECT i AS id, t, maskgen.generate('m', t, 10, 0.8, seed => i) AS v
	FROM (SELECT i, repeat(chr(97 + i % 8), 70) || i AS t FROM generate_series(1, 80) i) x;
	ALTER TABLE said ADD PRIMARY KEY (id)));

my $wrong = q(SELECT count(*) FROM said WHERE maskgen.generate('m', t, 10, 0.8, seed => id) IS DISTINCT FROM v);

sub state_of { return $node->safe_psql('postgres', "SELECT $_[0] FROM maskgen.maskgen_prompt_cache") }

sub resize
{
	my ($size) = @_;
	$node->safe_psql('postgres', "ALTER SYSTEM SET maskgen.prompt_cache_size = '$size'");
	$node->reload;
	$node->poll_query_until('postgres', "SELECT current_setting('maskgen.prompt_cache_size') = '$size'") or die 'the server does not read its settings';
	state_of('size');
}

is(state_of('size, entries, hits, misses'), '0|0|0|0', 'with a size of 0 there is no cache');
resize('1MB');
is($node->safe_psql('postgres', $wrong), 0, 'computed');
is($node->safe_psql('postgres', $wrong), 0, 'found');
is(state_of('entries, hits >= 120, evictions'), '16|t|0', 'two blocks of each of eight beginnings');
resize('64kB');
is($node->safe_psql('postgres', $wrong), 0, 'in too little memory');
is(state_of('size <= 65536, entries BETWEEN 1 AND 12'), 't|t', 'some of them');
resize('1TB');
is($node->safe_psql('postgres', $wrong), 0, 'without room for a cache');
is(state_of('size'), '0', 'there is none');
resize('1MB');

subtest 'parallel workers' => sub {
	my $settings = q(SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;);

	$node->safe_psql('postgres', 'ALTER TABLE said SET (parallel_workers = 2)');
	like($node->safe_psql('postgres', "$settings EXPLAIN $wrong"), qr/Workers Planned/, 'take part');
	is($node->safe_psql('postgres', "$settings $wrong"), 0, 'compute');
	is($node->safe_psql('postgres', "$settings $wrong"), 0, 'and find');
	is(state_of('hits > 100'), 't', 'what others have kept');
};

append_to_file("$node->{_basedir}/one.sql", q(\set id random(1, 80)
SELECT 1 / (maskgen.generate('m', t, 10, 0.8, seed => id) = v)::int FROM said WHERE id = :id;));
my @pgbench = ('pgbench', '--no-vacuum', '--client=6', '--jobs=2', "--file=$node->{_basedir}/one.sql", '--host', $node->host, '--port', $node->port, 'postgres');

resize('128kB');
command_ok([ @pgbench, '--transactions=60' ], 'six sessions and a cache that is too small get what is right');
resize('1MB');

subtest 'a crash' => sub {
	my $offset = -s $node->logfile;
	my ($out, $error) = ('', '');
	my $run = IPC::Run::start([ @pgbench, '--transactions=1000000' ], '>', \$out, '2>', \$error);
	my $who = q(FROM pg_stat_activity WHERE query LIKE '%said WHERE id%' AND pid <> pg_backend_pid());

	$node->poll_query_until('postgres', "SELECT count(*) >= 6 $who") or die 'pgbench does not run';
	is(kill('KILL', $node->safe_psql('postgres', "SELECT min(pid) $who")), 1, 'one of six sessions is killed');
	$run->finish;
	$node->wait_for_log(qr/all server processes terminated; reinitializing/, $offset);
	$node->poll_query_until('postgres', 'SELECT true') or die 'the server did not come back';
	unlike($error, qr/division by zero/, 'no session got what is wrong');
	is(state_of('hits, misses, entries'), '0|0|0', 'the cache begins anew');
	is($node->safe_psql('postgres', $wrong), 0, 'computed') for 1 .. 2;
	is(state_of('hits > 0'), 't', 'and found again');
};

$node->stop;
done_testing();
