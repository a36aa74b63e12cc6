#!/usr/bin/perl
# An index of an earlier format is refused by all that would read or write it, with a hint, and REINDEX mends it.
#
# golden/index/format_2.pages are the pages of an index as commit a798cc2 made it (version 0.1.0), on a little-endian machine, of this table:
#   CREATE TABLE item (id int PRIMARY KEY, v vector(8));
#   INSERT INTO item SELECT i, ARRAY[i%7, i%11, i%13, i%17, i%19, i%23, i%29, 1]::real[]::vector FROM generate_series(1, 60) i;
#   CREATE INDEX item_v ON item USING maskgen_hnsw (v vector_l2_ops) WITH (m = 4, ef_construction = 16);
use strict;
use warnings;
use Cwd qw(getcwd);
use File::Copy qw(copy);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $pages = getcwd() . '/test/golden/index/format_2.pages';
my $node = PostgreSQL::Test::Cluster->new('format');
$node->init;
$node->append_conf('postgresql.conf', "autovacuum = off\nmaskgen.result_cache_size = 0");
$node->start;
$node->safe_psql('postgres', q(
	CREATE EXTENSION maskgen;
	ALTER DATABASE postgres SET search_path = public, maskgen;));
$node->safe_psql('postgres', q(
	CREATE TABLE item (id int PRIMARY KEY, v vector(8));
	INSERT INTO item SELECT i, ARRAY[i%7, i%11, i%13, i%17, i%19, i%23, i%29, 1]::real[]::vector FROM generate_series(1, 60) i;
	CREATE INDEX item_v ON item USING maskgen_hnsw (v vector_l2_ops) WITH (m = 4, ef_construction = 16);));
my $file = $node->data_dir . '/' . $node->safe_psql('postgres', q(SELECT pg_relation_filepath('item_v')));
my $nearest = 'SET enable_seqscan = off; SELECT array_agg(id ORDER BY id) FROM (SELECT id FROM item ORDER BY v <-> (SELECT v FROM item WHERE id = 30) LIMIT 3) x';
my $before = $node->safe_psql('postgres', $nearest);

$node->stop;
copy($pages, $file) or die "$pages: $!";
chmod 0600, $file;
$node->start;

my %statements = (
	'a scan' => $nearest,
	'INSERT' => q(INSERT INTO item VALUES (100, '[1,2,3,4,5,6,7,8]')),
	'UPDATE' => q(UPDATE item SET v = '[1,2,3,4,5,6,7,8]' WHERE id = 5),
	'VACUUM' => 'DELETE FROM item WHERE id = 7; VACUUM (INDEX_CLEANUP on) item',
	'index_check' => q(SELECT * FROM index_check('item_v')),
	'index_info' => q(SELECT * FROM index_info('item_v')),
	'index_recall' => q(SELECT index_recall('item_v')));
for my $what (sort keys %statements)
{
	my @commands = map { ('-c', $_) } split /; /, $statements{$what};
	my ($out, $err) = ('', '');
	IPC::Run::run([ 'psql', '-X', '-d', $node->connstr('postgres'), @commands ], '>', \$out, '2>', \$err);
	like($err, qr/ERROR:  index "item_v" has format version 2\n.*HINT:  REINDEX INDEX makes it anew/s, "$what refuses it, with a hint");
}
$node->safe_psql('postgres', q(SET enable_indexscan = off; SELECT count(*) FROM item));
$node->safe_psql('postgres', 'REINDEX INDEX item_v');
is($node->safe_psql('postgres', $nearest), $before, 'REINDEX mends it');
$node->safe_psql('postgres', $statements{INSERT});
$node->safe_psql('postgres', 'VACUUM (INDEX_CLEANUP on) item');
is($node->safe_psql('postgres', q(SELECT * FROM index_check('item_v', true))), '', 'and it is sound, and works');
done_testing();
