#!/usr/bin/perl
# Without shared_preload_libraries the library comes into a session while its first statement is planned. That statement has
# batches too, if it can have any.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "jit = off\nmax_parallel_workers_per_gather = 0\n");
$node->start;
$node->safe_psql('postgres', "CREATE EXTENSION maskgen; SELECT maskgen.create_model('m', '$ENV{PG_ABS_SRCDIR}/golden/tiny/bert-mlm');"
	. "CREATE TABLE t AS SELECT i AS id, 'wine ' || i AS x FROM generate_series(1, 50) i; ANALYZE t");
my $call = q(maskgen.classify('m', x, '{world,sports}'));
my $right = $node->safe_psql('postgres', "SET maskgen.enable_batching = off; SELECT id, $call FROM t ORDER BY id");

# Each is a session of its own.
like($node->safe_psql('postgres', "EXPLAIN SELECT $call FROM t"), qr/MaskgenBatch/, 'the first statement has batches');
is($node->safe_psql('postgres', "SELECT id, $call FROM t ORDER BY id"), $right, 'and the right rows');
like($node->safe_psql('postgres', "EXPLAIN (ANALYZE) UPDATE t SET x = $call || x WHERE id < 0"), qr/MaskgenBatch/, 'UPDATE');
like($node->safe_psql('postgres', "PREPARE p AS SELECT $call FROM t; EXPLAIN EXECUTE p; EXPLAIN EXECUTE p"), qr/MaskgenBatch.*MaskgenBatch/s,
	'a prepared one');
is($node->safe_psql('postgres', "BEGIN; DECLARE c SCROLL CURSOR FOR SELECT id, $call FROM t ORDER BY id; MOVE LAST FROM c; FETCH ABSOLUTE 1 FROM c; FETCH ALL FROM c"),
	$right, 'a cursor that scrolls');
is($node->safe_psql('postgres', "SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0; SET min_parallel_table_scan_size = 0;"
		. "SET parallel_leader_participation = off; SELECT id, $call FROM t ORDER BY id") , $right, 'parallel workers');
unlike($node->safe_psql('postgres', "SET maskgen.enable_batching = off; EXPLAIN SELECT $call FROM t"), qr/MaskgenBatch/, 'switched off');

# A plan that was being made when the library came knows nothing of models. It is not used again.
my $constant = q(maskgen.classify('m', 'wine', '{world,sports}'));
$node->safe_psql('postgres', "CREATE ROLE stranger; CREATE FUNCTION says() RETURNS text LANGUAGE plpgsql AS \$body\$BEGIN RETURN $constant; END\$body\$");
for my $again ("PREPARE p AS SELECT $constant; EXECUTE p; SET ROLE stranger; EXECUTE p", 'SELECT says(); SET ROLE stranger; SELECT says()')
{
	my ($status, $out, $complaint) = $node->psql('postgres', $again);
	like($complaint, qr/permission denied for model "m"/, 'the plan of a first statement, used by another role');
}
$node->stop;
done_testing();
