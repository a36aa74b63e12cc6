#!/usr/bin/perl
# make install-vector-stub: the extension "vector" where pgvector is not, in an installation of its own.
use strict;
use warnings;
use File::Basename;
use File::Copy;
use File::Path qw(make_path);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $pg_config = $ENV{PG_CONFIG};
my ($bin, $lib, $share) = map { chomp(my $dir = `$pg_config --$_`); $dir } qw(bindir pkglibdir sharedir);
plan skip_all => 'pgvector is installed' if -e "$lib/vector.so";

# A server finds its files from where its program is: programs are copied, the rest is linked.
my $root = PostgreSQL::Test::Utils::tempdir;
make_path(dirname("$root$bin"), "$root$share/extension");
system_or_bail('cp', '-r', $bin, "$root$bin");
symlink $lib, "$root$lib" or die "$root$lib: $!";
for my $file (glob("$share/*"), grep { !m{/vector(--.*\.sql|\.control)$} } glob("$share/extension/*"))
{
	my $to = "$root$file";
	symlink $file, $to or die "$to: $!" unless -e $to;
}
my @make = ('make', '--silent', "PG_CONFIG=$pg_config", "DESTDIR=$root");
my $control = "$root$share/extension/vector.control";

# pgvector's files stay
append_to_file($control, "comment = 'vector data type'\n");
command_fails_like([ @make, 'install-vector-stub' ], qr/vector\.control" is pgvector's: nothing is changed/, 'where pgvector is, nothing is installed');
is(slurp_file($control), "comment = 'vector data type'\n", 'its file is as it was');
is_deeply([ glob("$root$share/extension/vector--*") ], [], 'there is no other');
command_fails_like([ @make, 'uninstall-vector-stub' ], qr/is pgvector's/, 'nor is anything removed');
unlink $control;
command_ok([ @make, 'install-vector-stub' ], 'else it is installed');
command_ok([ @make, 'install-vector-stub' ], 'again as well');

my $node = PostgreSQL::Test::Cluster->new('stub', install_path => dirname("$root$bin"));
$node->init;
$node->append_conf('postgresql.conf', 'fsync = off');
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE source');

my ($status, $out, $error) = $node->psql('source', 'CREATE EXTENSION IF NOT EXISTS vector');
like($error, qr/required extension "maskgen" is not installed\nHINT:  Use CREATE EXTENSION \.\.\. CASCADE/, 'it needs maskgen, and says so');
$node->safe_psql('source', 'CREATE EXTENSION maskgen; CREATE EXTENSION IF NOT EXISTS vector; CREATE EXTENSION IF NOT EXISTS vector; CREATE ROLE app;
	GRANT ALL ON SCHEMA public TO app');
is($node->safe_psql('source', 'SET ROLE app; CREATE EXTENSION IF NOT EXISTS vector'), '', 'an application may ask for it, too');
is($node->safe_psql('source', q(SELECT string_to_array(extversion, '.')::int[] >= '{0,8,0}' FROM pg_extension WHERE extname = 'vector')), 't',
	'clients that look at its version find one that has all that they look for');

# What pgvector's clients do
my $tiny = "$ENV{PG_ABS_SRCDIR}/golden/tiny";
$node->safe_psql('source', qq(SELECT maskgen.create_model('m', '$tiny/bert-embed-mean')));
$node->safe_psql(
	'source', q(
	SET ROLE app;
	CREATE TABLE items (id bigserial PRIMARY KEY, body text, embedding vector(3), half halfvec(3), sparse sparsevec(3), bits bit(3));
	INSERT INTO items (embedding, half, sparse, bits) SELECT v, v, v, binary_quantize(v)
	FROM (SELECT ARRAY[i, i % 10, -1]::vector AS v FROM generate_series(1, 200) i) x;
	CREATE INDEX near ON items USING hnsw (embedding vector_cosine_ops) WITH (m = 16, ef_construction = 64);
	CREATE INDEX lists ON items USING ivfflat (embedding vector_l2_ops) WITH (lists = 10);
	CREATE INDEX near_half ON items USING hnsw (half halfvec_ip_ops);
	CREATE INDEX near_sparse ON items USING hnsw (sparse sparsevec_l1_ops);
	CREATE INDEX near_bits ON items USING hnsw (bits bit_jaccard_ops);
	CREATE INDEX near_part ON items USING hnsw ((subvector(embedding, 1, 2)::vector(2)) vector_l2_ops);));
$node->safe_psql(
	'source', q(
	SELECT maskgen.grant_model('m', 'app');
	SET ROLE app;
	CREATE TABLE doc (id int PRIMARY KEY, body text, v vector(32) GENERATED ALWAYS AS (maskgen.embed('m', body)) STORED,
		h halfvec(32) GENERATED ALWAYS AS (maskgen.embed('m', body)) STORED);
	INSERT INTO doc VALUES (1, 'one'), (2, 'two');
	CREATE INDEX near_h ON doc USING hnsw (h halfvec_cosine_ops);));
my @answers = (
	q(SELECT id, embedding <-> '[7,7,7]' AS d FROM items ORDER BY d, id LIMIT 3),
	q(SELECT avg(embedding), sum(half), l2_distance(avg(embedding), '[1,1,1]'), vector_dims(sum(embedding)) FROM items),
	q(SELECT id FROM doc ORDER BY v <=> maskgen.embed('m', 'two') LIMIT 1),
	q(SET enable_seqscan = off; SELECT id FROM doc ORDER BY h <=> maskgen.embed('m', 'two') LIMIT 1),
	q(SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1));
like($node->safe_psql('source', "SET enable_seqscan = off; EXPLAIN SELECT id FROM items ORDER BY $_->[0] LIMIT 5"), qr/using $_->[1] /, "$_->[1] is used")
	for [ q(embedding <=> '[1,2,3]'), 'near' ], [ q(embedding <-> '[1,2,3]'), 'lists' ], [ q(half <#> '[1,2,3]'), 'near_half' ],
	[ q(sparse <+> '{1:1}/3'), 'near_sparse' ], [ q(bits <%> '101'), 'near_bits' ], [ q(subvector(embedding, 1, 2)::vector(2) <-> '[1,2]'), 'near_part' ];
like($node->safe_psql('source', "SET enable_seqscan = off; EXPLAIN SELECT id FROM items WHERE $_->[0]"), qr/using $_->[1] /, "$_->[1] is used for a radius")
	for [ q(bits <<%>> sphere(B'101', 0.5)), 'near_bits' ], [ q(bits <%> B'101' <= 0.5), 'near_bits' ], [ q(embedding <<=>> sphere('[1,2,3]'::vector, 0.1)), 'near' ];
like($node->safe_psql('source', q(SET enable_seqscan = off; EXPLAIN SELECT id FROM doc ORDER BY h <=> maskgen.embed('m', 'two') LIMIT 1)), qr/using near_h /,
	'embed() meets an index of halfvec');

# Dumps: nothing of the stub's is in them, so that they suit pgvector as well
my $dump = $node->basedir . '/dump';
$node->command_ok([ 'pg_dump', '-f', $dump, $node->connstr('source') ], 'dumped');
my $text = slurp_file($dump);
unlike($text, qr/CREATE (?:TYPE|CAST|OPERATOR|ACCESS METHOD|AGGREGATE)/, 'without its types, operators and access methods');
like($text, qr/CREATE EXTENSION IF NOT EXISTS vector WITH SCHEMA public;/, 'but for the extension');
like($text, qr/USING hnsw \(embedding public\.vector_cosine_ops\)/, 'an index names its class');
$node->safe_psql('postgres', 'CREATE DATABASE target');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $dump, $node->connstr('target') ], 'restored');
is($node->safe_psql('target', $_), $node->safe_psql('source', $_), $_) for @answers;

# As an extension
($status, $out, $error) = $node->psql('target', q(ALTER EXTENSION vector UPDATE TO '0.8.1'));
like($error, qr/no update path from version "0\.8\.99" to version "0\.8\.1"/, 'it never becomes pgvector by an update');
($status, $out, $error) = $node->psql('target', 'DROP EXTENSION vector');
like($error, qr/column embedding of table items depends on type vector/, 'what needs it is told');
($status, $out, $error) = $node->psql('target', 'DROP EXTENSION maskgen');
like($error, qr/extension vector depends on extension maskgen/, 'it is told itself');
($status, $out, $error) = $node->psql('target', 'SELECT maskgen.enable_pgvector_names()');
like($error, qr/access method "hnsw" is that of extension "vector"/, 'the names are taken');
is($node->safe_psql('target', q(CREATE SCHEMA other; ALTER EXTENSION vector SET SCHEMA other; SET search_path = other; SET enable_seqscan = off;
	SELECT id FROM public.items ORDER BY embedding <-> '[50,0,-1]' LIMIT 1)), '50', 'it moves to another schema');
$node->safe_psql('target', 'DROP EXTENSION vector CASCADE; CREATE SCHEMA third; CREATE EXTENSION vector SCHEMA third');
is($node->safe_psql('target', q(SELECT '[1,2,3]'::third.vector)), '[1,2,3]', 'it goes, and comes again, into any schema');
$node->safe_psql('postgres', 'CREATE DATABASE named');
is($node->safe_psql('named', q(CREATE EXTENSION maskgen; SELECT maskgen.enable_pgvector_names(); CREATE EXTENSION vector; CREATE TABLE t (v vector(2), w maskgen.vector(2));
	CREATE INDEX ON t USING hnsw (v vector_l2_ops); CREATE INDEX ON t USING hnsw (w maskgen.vector_l2_ops); DROP EXTENSION vector CASCADE;
	SELECT count(*) FROM pg_am WHERE amname = 'hnsw')), "\n1", 'it comes beside the names, and leaves them');
$node->safe_psql('postgres', 'CREATE DATABASE renamed');
is($node->safe_psql('renamed', q(CREATE EXTENSION maskgen; ALTER EVENT TRIGGER maskgen_schema_renamed DISABLE; ALTER SCHEMA maskgen RENAME TO models; CREATE EXTENSION vector; SELECT '[1,2]'::vector <-> '[1,4]'::models.vector)),
	'2', 'it comes to a schema of maskgen with another name');
$node->stop;
command_ok([ @make, 'uninstall-vector-stub' ], 'it is uninstalled');
is_deeply([ glob("$root$share/extension/vector*") ], [], 'whole');
done_testing();
