#!/usr/bin/perl
# Columns that stay embedded while workers and servers die: no row is lost, stale, or different from what embed_document gives; a dump, a standby.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $tiny = "$ENV{PG_ABS_SRCDIR}/golden/tiny";
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'maskgen'\nrestart_after_crash = on\nmaskgen.embed_workers = 2\nmaskgen.embed_worker_nice = 0\nsearch_path = 'public, maskgen'\nmax_prepared_transactions = 2");
$node->start;
$node->safe_psql('postgres', qq(
	CREATE EXTENSION maskgen;
	SELECT maskgen.create_model('e', '$tiny/bert-embed-mean');
	SELECT maskgen.create_model('f', '$tiny/bert-embed-cls');
	CREATE TABLE doc (id int PRIMARY KEY, body text, n int DEFAULT 0);
	SELECT maskgen.embed_column('doc', 'body', model => 'e');));

my $wrong = q(SELECT count(*) FROM doc WHERE embedding IS DISTINCT FROM maskgen.embed_document(maskgen.column_model('doc', 'embedding'), body));

# Until nothing is left to do, on a server that may be starting again.
sub wait_for_columns
{
	my ($server, $database) = @_;
	for (1 .. 1200)
	{
		my ($result, $out) = $server->psql($database // 'postgres', q(SELECT count(*) FROM maskgen.maskgen_embedding_status WHERE state <> 'done'));
		return 1 if $result == 0 && $out eq '0';
		usleep(100_000);
	}
	diag($server->safe_psql($database // 'postgres', 'SELECT * FROM maskgen.maskgen_embedding_status'));
	return 0;
}

sub workers
{
	my ($result, $out) = $node->psql('postgres', q(SELECT pid FROM pg_stat_activity WHERE backend_type = 'maskgen embedding worker'));
	return $result == 0 ? split(/\n/, $out) : ();
}

# Writers beside workers that are terminated at random
my $script = $node->basedir . '/write.sql';
append_to_file($script, q(\set id random(1, 3000)
INSERT INTO doc (id, body) VALUES (:id, 'text ' || :id) ON CONFLICT (id) DO UPDATE SET body = 'text ' || :id || ' ' || doc.n, n = doc.n + 1;
));
my ($in, $out, $err) = ('', '', '');
my $bench = IPC::Run::start([ 'pgbench', '-n', '-c', '4', '-T', '8', '-f', $script, $node->connstr('postgres') ], \$in, \$out, \$err);
my $n_terminated = 0;
for (1 .. 16)
{
	usleep(400_000);
	for my $pid (workers())
	{
		$node->psql('postgres', "SELECT pg_terminate_backend($pid)");
		$n_terminated++;
	}
}
$bench->finish;
like($out, qr/number of failed transactions: 0|number of transactions actually processed/, 'writers went on');
cmp_ok($n_terminated, '>', 0, "workers were terminated, $n_terminated times");
$node->safe_psql('postgres', 'SELECT pg_reload_conf()');
ok(wait_for_columns($node), 'all is embedded');
is($node->safe_psql('postgres', $wrong), '0', 'rightly');

# kill -9 of a worker, and of the server
for my $round (1 .. 3)
{
	$node->safe_psql('postgres', "UPDATE doc SET body = body || ' round $round'");
	my $pid;
	for (1 .. 200)
	{
		($pid) = workers();
		last if $pid;
		usleep(5_000);
	}
	if ($round < 3)
	{
		ok($pid, "round $round: a worker is there") and kill 'KILL', $pid;
		$node->poll_query_until('postgres', 'SELECT true');
	}
	else
	{
		$node->stop('immediate');
		$node->start;
	}
	ok(wait_for_columns($node), "round $round: all is embedded afterwards");
	is($node->safe_psql('postgres', $wrong), '0', "round $round: rightly");
	is($node->safe_psql('postgres', 'SELECT count(*) FROM "+maskgen".embed_failure'), '0', "round $round: no row is taken for a bad one");
}

# Rows of a prepared transaction
$node->safe_psql('postgres', q(BEGIN; INSERT INTO doc VALUES (9001, 'prepared'); PREPARE TRANSACTION 'p';));
$node->safe_psql('postgres', q(COMMIT PREPARED 'p'; INSERT INTO doc VALUES (9002, 'wakes');));
ok(wait_for_columns($node), 'rows of a prepared transaction are embedded with the next');
is($node->safe_psql('postgres', $wrong), '0', 'rightly');

# A row that somebody has locked holds up none of the others
my $session = $node->background_psql('postgres');
$session->query_safe(q(BEGIN; SELECT FROM doc WHERE id = 9001 FOR UPDATE;));
$node->safe_psql('postgres', q(INSERT INTO doc SELECT i, 'beside ' || i FROM generate_series(9100, 9200) i));
$session->query_safe(q(UPDATE doc SET body = 'locked' WHERE id = 9001;));
$node->poll_query_until('postgres', q(SELECT count(*) = 101 FROM doc WHERE id BETWEEN 9100 AND 9200 AND embedding IS NOT NULL));
$session->query_safe('COMMIT;');
$session->quit;
ok(wait_for_columns($node), 'the locked one comes afterwards');
is($node->safe_psql('postgres', $wrong), '0', 'rightly');

# Nor does a transaction that has changed the column, and is still open
$session = $node->background_psql('postgres');
$session->query_safe(q(BEGIN; SELECT maskgen.pause_embed_column('doc');));
$node->safe_psql('postgres', q(INSERT INTO doc SELECT i, 'meanwhile ' || i FROM generate_series(9300, 9400) i));
ok($node->poll_query_until('postgres', q(SELECT count(*) = 101 FROM doc WHERE id BETWEEN 9300 AND 9400 AND embedding IS NOT NULL)), 'a pause that is not committed holds up nothing');
$session->query_safe('ROLLBACK;');
$session->quit;

# Vacuum is not held up by a queue that is worked on
is($node->safe_psql('postgres', q(SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'maskgen embedding worker' AND backend_xmin IS NOT NULL AND state = 'idle')), '0',
	'a worker without work has no snapshot');

# Another model while rows are written and read
$in = $out = $err = '';
my $readers = $node->basedir . '/read.sql';
append_to_file($readers, q(SELECT count(*) FROM (SELECT id FROM doc ORDER BY embedding <=> maskgen.embed_for('doc', 'embedding', 'text 7') LIMIT 5) s;
));
$bench = IPC::Run::start([ 'pgbench', '-n', '-c', '4', '-T', '10', '-f', "$script\@1", '-f', "$readers\@1", $node->connstr('postgres') ], \$in, \$out, \$err);
usleep(1_000_000);
$node->safe_psql('postgres', q(CALL maskgen.reembed('doc', 'embedding', 'f')));
is($node->safe_psql('postgres', q(SELECT maskgen.column_model('doc', 'embedding'))), 'f', 'reembed ends beside writers');
ok($bench->finish, 'who had no error') or diag($err);
unlike($err, qr/aborted|ERROR/, 'and no client has given up');
ok(wait_for_columns($node), 'all is embedded');
is($node->safe_psql('postgres', $wrong), '0', 'by the new model');

# A standby does nothing by itself, and all when it is promoted
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->safe_psql('postgres', q(SELECT maskgen.pause_embed_column('doc'); UPDATE doc SET body = 'standby ' || id WHERE id % 10 = 0; ));
$node->wait_for_catchup($standby);
cmp_ok($standby->safe_psql('postgres', 'SELECT pending FROM maskgen.maskgen_embedding_status'), '>', 0, 'a standby has the queue');
is($standby->safe_psql('postgres', q(SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'maskgen%')), '0', 'and no workers');
$standby->promote;
$standby->safe_psql('postgres', q(SELECT maskgen.resume_embed_column('doc')));
ok(wait_for_columns($standby), 'after a promotion it goes on');
is($standby->safe_psql('postgres', $wrong), '0', 'rightly');
$standby->stop;

# A dump with a queue
my $dump = $node->basedir . '/dump';
for my $format (qw(custom plain))
{
	my $to = "to_$format";
	$node->safe_psql('postgres', "CREATE DATABASE $to");
	$node->command_ok([ 'pg_dump', "--format=$format", '-f', $dump, $node->connstr('postgres') ], "$format: dumped");
	$node->command_ok($format eq 'plain' ? [ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $dump, $node->connstr($to) ]
		: [ 'pg_restore', '--exit-on-error', '-d', $node->connstr($to), $dump ], "$format: restored");
	is($node->safe_psql($to, 'SELECT state FROM maskgen.maskgen_embedding_status'), 'paused', "$format: the pause too");
	$node->safe_psql($to, q(SELECT maskgen.resume_embed_column('doc'); INSERT INTO doc VALUES (10001, 'after');));
	ok(wait_for_columns($node, $to), "$format: what was queued is embedded");
	is($node->safe_psql($to, $wrong), '0', "$format: rightly");
	$node->safe_psql('postgres', "DROP DATABASE $to");
}

# The extension goes with all of it
$node->safe_psql('postgres', 'DROP EXTENSION maskgen CASCADE');
is($node->safe_psql('postgres', q(SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal)), '0', 'DROP EXTENSION takes the triggers along');
$node->safe_psql('postgres', q(INSERT INTO doc (id, body) VALUES (20001, 'without')));
$node->stop;
done_testing();
