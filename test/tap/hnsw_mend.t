#!/usr/bin/perl
# Ways that a disk has broken (src/hnsw/README.md, Ways): the next vacuum that removes rows joins all entries to one tree again, and says so.
use strict;
use warnings;
use Fcntl qw(SEEK_SET);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('mend');
$node->init;
$node->append_conf('postgresql.conf', join "\n", 'autovacuum = off', 'fsync = off', 'jit = off', 'maskgen.result_cache_size = 0', 'enable_seqscan = off');
$node->start;

my $block_size = $node->safe_psql('postgres', 'SHOW block_size');
my $n_ways = 24 + 5;    # of the first slot of a page (src/hnsw/layout.h)
my @tables = map { my $m = $_; map { { name => "m${m}_every_$_", m => $m, every => $_ } } 1, 2, 5 } 2, 4, 16;

$node->safe_psql('postgres', 'CREATE EXTENSION maskgen; SELECT setseed(0.5);');
for my $table (@tables, { name => 'sound', m => 4 })
{
	$node->safe_psql('postgres', qq(
		CREATE TABLE $table->{name} (id serial, v maskgen.vector(12));
		INSERT INTO $table->{name} (v) SELECT (SELECT array_agg(random() - 0.5) FROM generate_series(1, 12) WHERE i > 0)::real[]::maskgen.vector
		FROM generate_series(1, 1500) i;
		CREATE INDEX $table->{name}_v ON $table->{name} USING maskgen_hnsw (v maskgen.vector_l2_ops) WITH (m = $table->{m});));
	$table->{path} = $node->data_dir . '/' . $node->safe_psql('postgres', "SELECT pg_relation_filepath('$table->{name}_v')");
}
$node->stop;
for my $table (@tables)
{
	open my $file, '+<:raw', $table->{path} or die "$table->{path}: $!";
	for (my $page = 1; $page < (-s $table->{path}) / $block_size; $page += $table->{every})
	{
		seek $file, $page * $block_size + $n_ways, SEEK_SET;
		print $file "\0";
	}
	close $file or die "$table->{path}: $!";
}
$node->start;

sub vacuum
{
	my ($name, $digit) = @_;
	my $complaints;
	$node->psql('postgres', "DELETE FROM $name WHERE id % 10 = $digit", on_error_die => 1);
	$node->psql('postgres', "VACUUM (INDEX_CLEANUP on) $name", stderr => \$complaints, on_error_die => 1);
	return $complaints;
}

sub violations { return $node->safe_psql('postgres', "SELECT count(*) FROM maskgen.index_check('$_[0]_v', true)") }

for my $table (@tables)
{
	my $name = $table->{name};
	cmp_ok(violations($name), '>', 0, "$name: ways are broken");
	like(vacuum($name, 3), qr/WARNING:  index "${name}_v" was damaged: ways between its entries were broken/, "$name: vacuum says so");
	is(violations($name), 0, "$name: and mends them");
	is(vacuum($name, 4), '', "$name: the next one has nothing to say");
	is(violations($name), 0, "$name: all is well");
	is($node->safe_psql('postgres', "SELECT count(*) FROM (SELECT FROM $name ORDER BY v OPERATOR(maskgen.<->) (SELECT v FROM $name WHERE id = 1)) x"), 1200,
		"$name: all rows are found");
}
is(vacuum('sound', 3), '', 'of an index that is sound there is nothing to say');
done_testing();
