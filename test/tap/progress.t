#!/usr/bin/perl
# maskgen_stat_progress: what runs in other sessions, who may see it, and that nothing stays behind, however a statement ends.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $golden = "$ENV{PG_ABS_SRCDIR}/golden";
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "maskgen.result_cache_size = 0\nrestart_after_crash = on\nmax_parallel_workers_per_gather = 0");
$node->start;
$node->safe_psql('postgres', "CREATE EXTENSION maskgen; SELECT maskgen.create_model('tiny', '$golden/decoder/llama');
	SELECT maskgen.create_model('encoder', '$golden/tiny/bert-embed-mean');
	CREATE ROLE watcher LOGIN; CREATE ROLE monitor LOGIN; GRANT pg_read_all_stats TO monitor;
	CREATE TABLE prompt AS SELECT i, 'prompt ' || i AS text FROM generate_series(1, 30000) i; ANALYZE prompt;
	ALTER TABLE prompt SET (parallel_workers = 1)");

# Longer than any machine needs to look at them.
my $long = q(SELECT count(maskgen.generate('tiny', text, 60, 1, options => '{"min_tokens": 60}')) FROM prompt);

sub begin
{
	my ($statement) = @_;
	my %run = (out => '', error => '');

	$run{handle} = IPC::Run::start([ 'psql', '-X', '-q', '-A', '-t', '-d', $node->connstr('postgres'), '-c', $statement ], '<', \undef, '>', \$run{out}, '2>', \$run{error});
	return \%run;
}

sub finish
{
	my ($run) = @_;

	eval { IPC::Run::finish($run->{handle}) };
	return $run->{error};
}

sub shown
{
	my ($condition) = @_;

	return $node->poll_query_until('postgres', "SELECT count(*) > 0 FROM maskgen.maskgen_stat_progress WHERE $condition");
}

sub cancel
{
	$node->safe_psql('postgres', q(SELECT pg_cancel_backend(pid) FROM maskgen.maskgen_stat_progress WHERE leader_pid IS NULL));
}

is($node->safe_psql('postgres', 'SELECT count(*) FROM maskgen.maskgen_stat_progress'), 0, 'nothing runs');
my $run = begin($long);
ok(shown(q(verb = 'generate' AND model = 'tiny' AND rows_done > 0 AND rows_done < 30000 AND new_tokens > 60 AND tokens > new_tokens AND tokens_per_second > 0)),
	'rows and tokens are shown while they are computed');
my $first = $node->safe_psql('postgres', 'SELECT rows_done FROM maskgen.maskgen_stat_progress');
ok(shown("rows_done > $first"), 'and grow');
is($node->safe_psql('postgres', q(SELECT rows_expected, p.datname, p.usename = current_user, p.leader_pid IS NULL, since < clock_timestamp(), a.query LIKE '%maskgen.generate%'
	FROM maskgen.maskgen_stat_progress p JOIN pg_stat_activity a USING (pid))), '30000|postgres|t|t|t|t', 'what the plan expects, where, who, since when');
is($node->safe_psql('postgres', 'SELECT model, verb, rows_done, tokens, since, usename IS NOT NULL, pid > 0 FROM maskgen.maskgen_stat_progress',
	extra_params => [ '-U', 'watcher' ]), '|||||t|t', 'another role sees that something runs');
is($node->safe_psql('postgres', 'SELECT model, verb FROM maskgen.maskgen_stat_progress', extra_params => [ '-U', 'monitor' ]), 'tiny|generate', 'who may see all sees all');
my $other = begin(q(SELECT count(maskgen.embed('encoder', text || g)) FROM prompt, generate_series(1, 1000) g));
ok(shown(q(verb = 'embed' AND model = 'encoder' AND rows_done > 0 AND new_tokens = 0)), 'another verb in another session');
is($node->safe_psql('postgres', 'SELECT count(DISTINCT pid) FROM maskgen.maskgen_stat_progress'), 2, 'beside the first');
cancel();
like(finish($run), qr/canceling statement/, 'one is cancelled');
like(finish($other), qr/canceling statement/, 'the other as well');
is($node->safe_psql('postgres', 'SELECT count(*) FROM maskgen.maskgen_stat_progress'), 0, 'and nothing is left');

# Who asks for this lock waits until it is told to go on, or cancelled.
my $gate = $node->background_psql('postgres');
$gate->query_safe('SELECT pg_advisory_lock(1)');

# An error that is caught leaves the statement running; one work for each verb and model. A library that came in the middle would not know where it began.
$run = begin(q(LOAD 'maskgen'; DO $$ BEGIN
	BEGIN PERFORM maskgen.generate('tiny', '', 4); EXCEPTION WHEN invalid_parameter_value THEN NULL; END;
	PERFORM maskgen.embed('encoder', 'a'), maskgen.embed('encoder', 'b');
	PERFORM pg_advisory_lock_shared(1);
	END $$));
ok(shown(q(verb = 'embed' AND rows_done >= 2)), 'a statement is the outermost one');
is($node->safe_psql('postgres', q(SELECT string_agg(verb, ' ' ORDER BY verb) FROM maskgen.maskgen_stat_progress)), 'embed generate', 'with a row for each verb');
cancel();
finish($run);

# A session that goes on
my $session = $node->background_psql('postgres', on_error_stop => 0);
$session->query(q(SELECT maskgen.embed('encoder', 'x')));
is($node->safe_psql('postgres', 'SELECT count(*) FROM maskgen.maskgen_stat_progress'), 0, 'a session that idles after a statement is not shown');
$session->query(q(SELECT maskgen.embed('encoder', 'x'), maskgen.generate('tiny', '')));
is($node->safe_psql('postgres', 'SELECT count(*) FROM maskgen.maskgen_stat_progress'), 0, 'nor after an error');
$session->query(q(BEGIN; SELECT maskgen.embed('encoder', 'y')));
is($node->safe_psql('postgres', 'SELECT count(*) FROM maskgen.maskgen_stat_progress'), 0, 'nor in a transaction');
$session->quit;

# Parallel workers
$run = begin("SET max_parallel_workers_per_gather = 1; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; $long");
ok(shown(q(leader_pid IN (SELECT pid FROM maskgen.maskgen_stat_progress) AND rows_done > 0)), 'a worker has a row of its own');
cancel();
finish($run);
is($node->safe_psql('postgres', 'SELECT count(*) FROM maskgen.maskgen_stat_progress'), 0, 'which is gone with its leader');

# More sessions than anybody has seen leave: slots are free again
for my $i (1 .. 3)
{
	my @many = map { begin(q(SELECT maskgen.embed('encoder', 'x'), pg_advisory_lock_shared(1))) } 1 .. 25;

	$node->poll_query_until('postgres', q(SELECT count(*) = 25 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)) or die 'sessions do not wait';
	$gate->query_safe('SELECT pg_advisory_unlock(1)');
	finish($_) for @many;
	$gate->query_safe('SELECT pg_advisory_lock(1)');
}
$gate->quit;
$run = begin($long);
ok(shown(q(verb = 'generate' AND rows_done > 0)), 'slots of ended sessions are used again');
my $pid = $node->safe_psql('postgres', 'SELECT pid FROM maskgen.maskgen_stat_progress');
$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid, 10000)");
like(finish($run), qr/terminating connection/, 'a session is ended');
is($node->safe_psql('postgres', 'SELECT count(*) FROM maskgen.maskgen_stat_progress'), 0, 'its row is gone');

# Killed
my $text = $node->safe_psql('postgres', q(SELECT md5(string_agg(maskgen.generate('tiny', text, 30, 1), '|' ORDER BY i)) FROM prompt WHERE i < 50));
$run = begin($long);
ok(shown(q(rows_done > 0)), 'generating');
kill 'KILL', $node->safe_psql('postgres', 'SELECT pid FROM maskgen.maskgen_stat_progress');
finish($run);
ok($node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM maskgen.maskgen_stat_progress'), 'kill -9 of a backend: the server restarts, and nothing is left');
is($node->safe_psql('postgres', q(SELECT md5(string_agg(maskgen.generate('tiny', text, 30, 1), '|' ORDER BY i)) FROM prompt WHERE i < 50)), $text, 'and generates the same');
$run = begin($long);
ok(shown(q(rows_done > 0)), 'generating again');
# A backend that computes outlives its postmaster: nobody tells it.
$pid = $node->safe_psql('postgres', 'SELECT pid FROM maskgen.maskgen_stat_progress');
$node->kill9;
kill 'KILL', $pid;
finish($run);
# Until the last process of the old server is gone.
my $started = 0;
for my $try (1 .. 100)
{
	last if $started = $node->start(fail_ok => 1);
	sleep 1;
	$node->stop('fast', fail_ok => 1);
}
ok($started, 'starts again');
is($node->safe_psql('postgres', 'SELECT count(*) FROM maskgen.maskgen_stat_progress'), 0, 'kill -9 of the server: nothing is left');
is($node->safe_psql('postgres', q(SELECT md5(string_agg(maskgen.generate('tiny', text, 30, 1), '|' ORDER BY i)) FROM prompt WHERE i < 50)), $text, 'and generates the same');
$node->stop;
done_testing();
