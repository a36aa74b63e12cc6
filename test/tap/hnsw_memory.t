#!/usr/bin/perl
# A build that does not fit maintenance_work_mem says so once, with what would do; and that much does.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('memory');
$node->init;
$node->append_conf('postgresql.conf', "autovacuum = off\nmaskgen.result_cache_size = 0");
$node->start;
$node->safe_psql('postgres', q(
	CREATE EXTENSION maskgen;
	ALTER DATABASE postgres SET search_path = public, maskgen;));
$node->safe_psql('postgres', q(
	CREATE TABLE item (v vector(32));
	INSERT INTO item SELECT (SELECT array_agg(random()) FROM generate_series(1, 32) WHERE i > 0)::vector FROM generate_series(1, 12000) i;));

# What a build with so many megabytes complains of.
sub build
{
	my ($memory, $workers) = @_;
	my $err;

	$node->psql('postgres', "SET maintenance_work_mem = '${memory}MB'; SET max_parallel_maintenance_workers = $workers;
		SET min_parallel_table_scan_size = 0; DROP INDEX IF EXISTS item_v; CREATE INDEX item_v ON item USING maskgen_hnsw (v vector_l2_ops);", stderr => \$err);
	return $err =~ s/^.*NOTICE:  index "item_v" does not exist, skipping\n?//rm;
}

for my $workers (0, 2)
{
	my $said = build(2, $workers);
	my @said = $said =~ /NOTICE:  index "item_v" does not fit maintenance_work_mem/g;
	my ($did, $rows) = $said =~ /DETAIL:  (\d+) of about (\d+) rows did; the others are inserted one by one/;
	my ($needed) = $said =~ /HINT:  Set maintenance_work_mem to (\d+) MB for these rows/;

	is(scalar @said, 1, "said once, $workers workers") or diag($said);
	cmp_ok($did // 0, '>', 1000, 'some rows did');
	cmp_ok($did // 99999, '<', 11000, 'and some did not');
	cmp_ok(abs(($rows // 0) - 12000), '<', 1200, 'the table is known by then');
	is(build($needed // 0, $workers), '', ($needed // 'no') . ' MB are enough');
	cmp_ok($needed // 99, '<', 10, 'and not many too much');
}
$node->stop;
done_testing();
