#!/usr/bin/perl
# The index through crashes and on a standby: whatever ends a backend or the server, each invariant holds afterwards,
# every committed row is found, and a standby's pages are the primary's.
#
# A statement is met while it is under way without waiting for any time to pass: its progress view says how far it is.
use strict;
use warnings;
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $dims = 32;
my $node = PostgreSQL::Test::Cluster->new('primary');
$node->init(allows_streaming => 1);
# A page that replays to other bytes than it had on the primary stops the standby.
$node->append_conf('postgresql.conf', join "\n", 'restart_after_crash = on', 'wal_consistency_checking = generic',
	'autovacuum = off', 'maskgen.result_cache_size = 0', 'max_wal_size = 1GB');
$node->start;

# Vectors around 30 centres.
$node->safe_psql('postgres', qq(
	CREATE EXTENSION maskgen;
	SELECT setseed(0.5);
	CREATE FUNCTION noise(width float8) RETURNS maskgen.vector LANGUAGE sql VOLATILE AS
		'SELECT array_agg((random() + random() - 1) * width)::real[]::maskgen.vector FROM generate_series(1, $dims)';
	CREATE TABLE centre AS SELECT i AS id, noise(1) AS v FROM generate_series(0, 29) i;
	CREATE FUNCTION clustered() RETURNS maskgen.vector LANGUAGE sql VOLATILE AS
		'SELECT v OPERATOR(maskgen.+) noise(0.5) FROM centre WHERE id = (SELECT floor(random() * 30))';
	CREATE TABLE item (id serial PRIMARY KEY, v maskgen.vector($dims), tenant int NOT NULL DEFAULT floor(random() * random() * 40));
	INSERT INTO item (v) SELECT clustered() FROM generate_series(1, 4000);
	CREATE INDEX item_v ON item USING maskgen_hnsw (v) INCLUDE (tenant);));
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;

my $violations = q(SELECT block || '/' || slot || ': ' || problem FROM maskgen.index_check('item_v', true) LIMIT 5);
my $nearest = q(SET enable_seqscan = off; SELECT array_agg(id) FROM
	(SELECT id FROM item ORDER BY v OPERATOR(maskgen.<=>) (SELECT v FROM centre WHERE id = 7) LIMIT 20) x);

# Of each tenant all rows, by its list
my $of_tenants = q(SET enable_seqscan = off; SELECT string_agg(n::text, ' ' ORDER BY tenant) FROM generate_series(0, 39) tenant,
	LATERAL (SELECT count(*) AS n FROM (SELECT FROM item WHERE item.tenant = tenant.tenant ORDER BY v OPERATOR(maskgen.<=>) (SELECT v FROM centre WHERE id = 7) LIMIT 100000) x) y);

sub is_sound
{
	my ($where, $what) = @_;
	is($where->safe_psql('postgres', $violations), '', "$what: every invariant holds, every row is there");
	is($where->safe_psql('postgres', $of_tenants), $where->safe_psql('postgres', "SET enable_indexscan = off; $of_tenants"), "$what: tenants have their rows");
	cmp_ok($where->safe_psql('postgres', "SELECT maskgen.index_recall('item_v', 50)"), '>=', 0.9, "$what: and rows are found");
}

sub is_same_on_standby
{
	my ($what) = @_;
	$node->wait_for_catchup($standby, 'replay');
	is($standby->safe_psql('postgres', $violations), '', "$what: the standby's index is sound");
	is($standby->safe_psql('postgres', $nearest), $node->safe_psql('postgres', $nearest), "$what: and gives the same answer");
}

# Starts a program beside this one. It ends with the server.
sub start_program
{
	my @command = @_;
	my ($in, $out, $err) = ('', '', '');
	local $ENV{PGAPPNAME} = $command[0];
	return IPC::Run::start(\@command, \$in, \$out, \$err);
}

sub start_psql
{
	my @statements = @_;    # one by one: VACUUM may not share a transaction
	return start_program('psql', '--no-psqlrc', '--quiet', '--dbname=' . $node->connstr('postgres'), map { ('--command', $_) } @statements);
}

sub start_bench
{
	my ($transactions, %scripts) = @_;
	my @files;
	foreach my $name (sort keys %scripts)
	{
		my $file = $node->basedir . "/$name.sql";
		append_to_file($file, $scripts{$name}) unless -e $file;
		push @files, "--file=$file";
	}
	return start_program('pgbench', '--no-vacuum', '--client=4', "--transactions=$transactions", @files,
		'--host=' . $node->host, '--port=' . $node->port, 'postgres');
}

# Kills one backend of the query's pids as the kernel would for lack of memory: the server restarts.
sub kill_one
{
	my ($query) = @_;
	my $started = $node->safe_psql('postgres', 'SELECT pg_postmaster_start_time(), pg_conf_load_time()');
	my ($pid) = split /\n/, $node->safe_psql('postgres', $query);
	my $offset = -s $node->logfile;
	kill('KILL', $pid) == 1 or die "there is no process $pid";
	$node->wait_for_log(qr/all server processes terminated; reinitializing/, $offset);
	$node->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()') or die 'the server does not come back';
}

sub finish
{
	my ($program) = @_;
	eval { $program->finish };    # that it failed is what was to be
}

sub poll { $node->poll_query_until('postgres', $_[0]) or die "never true: $_[0]" }

is_sound($node, 'a build');
is_same_on_standby('a build');

subtest 'a backend is killed between inserts' => sub {
	my $before = $node->safe_psql('postgres', 'SELECT count(*) FROM item');
	my $bench = start_bench(100000, insert => 'INSERT INTO item (v) VALUES (clustered());');

	poll("SELECT count(*) > $before + 300 FROM item");
	kill_one(q(SELECT pid FROM pg_stat_activity WHERE application_name = 'pgbench'));
	finish($bench);
	is_sound($node, 'afterwards');
	is_same_on_standby('afterwards');
};

subtest 'the server is stopped at once between writes of all kinds' => sub {
	my $before = $node->safe_psql('postgres', 'SELECT max(id) FROM item');
	my $bench = start_bench(100000, insert => 'INSERT INTO item (v) VALUES (clustered());',
		equal => 'INSERT INTO item (v) SELECT v FROM centre, generate_series(1, 20) WHERE id < 3;',
		update => "UPDATE item SET v = clustered() WHERE id = (SELECT 1 + floor(random() * 4000));",
		tenant => "UPDATE item SET tenant = floor(random() * 40) WHERE id = (SELECT 1 + floor(random() * 4000));",
		same => "UPDATE item SET v = v WHERE id = (SELECT 1 + floor(random() * 4000));",
		delete => "DELETE FROM item WHERE id = (SELECT 1 + floor(random() * 4000));");

	poll("SELECT max(id) > $before + 150 FROM item");
	$node->stop('immediate');
	finish($bench);
	$node->start;
	is_sound($node, 'afterwards');
	is_same_on_standby('afterwards');
};

subtest 'vacuum is killed, then runs' => sub {
	$node->safe_psql('postgres', 'DELETE FROM item WHERE id % 2 = 0');
	my $vacuum = start_psql("SET vacuum_cost_delay = '20ms'", 'SET vacuum_cost_limit = 20', 'VACUUM (INDEX_CLEANUP on) item');

	poll(q(SELECT count(*) = 1 FROM pg_stat_progress_vacuum WHERE phase = 'vacuuming indexes'));
	kill_one(q(SELECT pid FROM pg_stat_progress_vacuum));
	finish($vacuum);
	is_sound($node, 'after half of a vacuum');
	is_same_on_standby('after half of a vacuum');
	$node->safe_psql('postgres', 'VACUUM (INDEX_CLEANUP on) item');
	is($node->safe_psql('postgres', q(SELECT deleted, dead_links FROM maskgen.index_info('item_v'))), '0|0', 'nothing dead is left');
	is_sound($node, 'after a whole one');
	is_same_on_standby('after a whole one');
};

subtest 'a build is killed, then done in little memory' => sub {
	# The build waits for a lock in the middle of the table: however fast it is, it is met there.
	my ($in, $out) = ("SELECT pg_advisory_lock(7);\n", '');
	my $holder = IPC::Run::start([ 'psql', '--no-psqlrc', '--no-align', '--tuples-only', '--dbname=' . $node->connstr('postgres') ], \$in, \$out);
	$holder->pump until $out ne '';
	$node->safe_psql('postgres', q(CREATE FUNCTION held(v maskgen.vector, id int) RETURNS maskgen.vector LANGUAGE plpgsql IMMUTABLE AS $$
		BEGIN IF id > 3000 THEN PERFORM pg_advisory_xact_lock_shared(7); END IF; RETURN v; END $$));
	my $build = start_psql("SET maintenance_work_mem = '1MB'", 'SET max_parallel_maintenance_workers = 0', 'DROP INDEX item_v',
		'CREATE INDEX item_v ON item USING maskgen_hnsw ((held(v, id)::maskgen.vector(32)))');
	my $waiting = q(FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND wait_event = 'advisory');

	poll("SELECT count(*) = 1 $waiting");
	kill_one("SELECT pid $waiting");
	finish($holder);
	finish($build);
	$node->safe_psql('postgres', q(DROP INDEX IF EXISTS item_v; SET maintenance_work_mem = '1MB';
		CREATE INDEX item_v ON item USING maskgen_hnsw (v) INCLUDE (tenant)));
	is_sound($node, 'built on pages');
	is_same_on_standby('built on pages');
	$node->safe_psql('postgres', q(SET maintenance_work_mem = '64MB'; SET min_parallel_table_scan_size = 0;
		ALTER TABLE item SET (parallel_workers = 2); REINDEX INDEX CONCURRENTLY item_v));
	is_sound($node, 'rebuilt by three processes');
	is_same_on_standby('rebuilt by three processes');
};

subtest 'inserts, updates, deletes, scans and vacuum at once' => sub {
	my $bench = start_bench(300, insert => 'INSERT INTO item (v) VALUES (clustered());',
		update => "UPDATE item SET v = clustered() WHERE id = (SELECT 1 + floor(random() * 4000));",
		same => "UPDATE item SET v = v WHERE id = (SELECT 1 + floor(random() * 4000));",
		delete => "DELETE FROM item WHERE id = (SELECT 1 + floor(random() * 4000));",
		equal => 'INSERT INTO item (v) SELECT v FROM centre, generate_series(1, 20) WHERE id < 3;',
		fewer => "DELETE FROM item WHERE id > 4000 AND id % 3 = 0 AND v OPERATOR(maskgen.=) (SELECT v FROM centre WHERE id = 1);",
		scan => "SELECT id FROM item ORDER BY v OPERATOR(maskgen.<=>) (SELECT v FROM centre WHERE id = 3) LIMIT 10;");

	while ($bench->pumpable)
	{
		$node->safe_psql('postgres', 'VACUUM (INDEX_CLEANUP on) item');
		last if $node->safe_psql('postgres', q(SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgbench')) eq '0';
	}
	ok($bench->finish, 'all of them end well');
	is_sound($node, 'afterwards');
	is_same_on_standby('afterwards');
	$node->safe_psql('postgres', 'VACUUM (INDEX_CLEANUP on) item');
	is($node->safe_psql('postgres', q(SELECT deleted, dead_links FROM maskgen.index_info('item_v'))), '0|0', 'nothing dead is left');
	is($node->safe_psql('postgres', q(SELECT (SELECT count(*) FROM item WHERE v OPERATOR(maskgen.=) (SELECT v FROM centre WHERE id = 2))
		= (SELECT count(*) FROM item WHERE v OPERATOR(maskgen.<<=>>) maskgen.sphere((SELECT v FROM centre WHERE id = 2), 1e-6)))), 't',
		'equal rows are all there');
};

subtest 'an unlogged table' => sub {
	$node->safe_psql('postgres', q(CREATE UNLOGGED TABLE fleeting (v maskgen.vector, tenant int DEFAULT 3); INSERT INTO fleeting SELECT v FROM centre;
		CREATE INDEX fleeting_v ON fleeting USING maskgen_hnsw ((v::maskgen.vector(32))) INCLUDE (tenant)));
	$node->stop('immediate');
	$node->start;
	$node->safe_psql('postgres', 'INSERT INTO fleeting SELECT v FROM centre WHERE id < 5');
	is($node->safe_psql('postgres', q(SET enable_seqscan = off; SELECT count(*) FROM (SELECT FROM fleeting WHERE tenant = 3
		ORDER BY v::maskgen.vector(32) OPERATOR(maskgen.<=>) (SELECT v FROM centre WHERE id = 2) LIMIT 10) x)), '5', 'is empty after a crash, and works');
};

subtest 'the standby takes over' => sub {
	$node->wait_for_catchup($standby, 'replay');
	$node->stop('fast');
	$standby->promote;
	$standby->safe_psql('postgres', 'INSERT INTO item (v) SELECT clustered() FROM generate_series(1, 200); VACUUM item');
	is_sound($standby, 'with rows of its own');
};

done_testing();
