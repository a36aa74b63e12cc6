#!/usr/bin/perl
# vector, halfvec, sparsevec and bit in a dump: values, definitions and indexes come back, by text and by binary COPY.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE source');
$node->safe_psql(
	'source', q(
	CREATE EXTENSION maskgen;
	SET search_path = public, maskgen;
	CREATE TABLE item (id int PRIMARY KEY, v vector(3) DEFAULT '[0,0,1]' CHECK (v <> '[9,9,9]'), h halfvec(3), s sparsevec(100), list vector[],
		b bit(3) GENERATED ALWAYS AS (binary_quantize(v)::bit(3)) STORED, length float8 GENERATED ALWAYS AS (l2_norm(h)) STORED);
	INSERT INTO item SELECT i, ARRAY[i / 3.0, -i, 1e-3 * i], ARRAY[i / 3.0, -i, 1e-3 * i], format('{%s:%s,100:0.1}/100', i, i / 7.0)::sparsevec,
		ARRAY[NULL, '[1]'::vector] FROM generate_series(1, 99) i;
	INSERT INTO item (id) VALUES (100);
	CREATE UNIQUE INDEX item_v ON item (v);
	CREATE INDEX item_h ON item (h, s);
	CREATE INDEX item_unit ON item (l2_normalize(s));
	SELECT enable_pgvector_names();
	CREATE INDEX item_near ON item USING maskgen_hnsw (v vector_l2_ops) WITH (m = 8);
	CREATE INDEX item_near_half ON item USING hnsw (h halfvec_l2_ops) WITH (ef_construction = 50);
	CREATE INDEX item_near_named ON item USING hnsw (v vector_cosine_ops);
	CREATE INDEX item_lists ON item USING ivfflat (v vector_ip_ops) WITH (lists = 10);
	CREATE TABLE part (v vector) PARTITION BY RANGE (v);
	CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM ('[0]') TO ('[5]');
	INSERT INTO part VALUES ('[4,9]');
	CREATE VIEW nearest AS SELECT id, v <=> '[1,2,3]'::vector AS distance, h <-> '[1,2,3]'::halfvec AS other, s <+> '{1:1}/100'::sparsevec AS third, b <~> B'101' AS bits
		FROM item ORDER BY v <=> '[1,2,3]'::vector LIMIT 5;
	CREATE MATERIALIZED VIEW mean AS SELECT avg(v), sum(h) FROM item;));

my @same = (
	'SELECT * FROM item ORDER BY id', 'SELECT * FROM public.nearest', 'SELECT * FROM public.mean', 'SELECT * FROM part_1',
	q(SELECT md5(string_agg("+maskgen".vector_send(v)::text || "+maskgen".halfvec_send(h) || "+maskgen".sparsevec_send(s), ' ' ORDER BY id)) FROM item),
	q(SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1));
my $file = $node->basedir . '/dump';

for my $format (qw(custom plain))
{
	my $to = "target_$format";
	$node->safe_psql('postgres', "CREATE DATABASE $to");
	$node->command_ok([ 'pg_dump', "--format=$format", '-f', $file, $node->connstr('source') ], "$format: dumped");
	if ($format eq 'plain')
	{
		my $dump = slurp_file($file);
		like($dump, qr/USING $_/, "a dump says: $_") for 'hnsw \(v maskgen\.vector_cosine_ops\)', 'ivfflat \(v maskgen\.vector_ip_ops\) WITH \(lists=';
		$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $file, $node->connstr($to) ], 'plain: restored');
	}
	else
	{
		$node->command_ok([ 'pg_restore', '--exit-on-error', '-d', $node->connstr($to), $file ], 'custom: restored');
	}
	is($node->safe_psql($to, $_), $node->safe_psql('source', $_), "$format: $_") for @same;
	is($node->safe_psql($to, q(SET enable_seqscan = off; SELECT id FROM item WHERE v OPERATOR(maskgen.=) (SELECT v FROM item WHERE id = 7))), '7', "$format: by index");
	is($node->safe_psql($to, qq(SET enable_seqscan = off; SET search_path = public, maskgen; SELECT id FROM item ORDER BY $_ LIMIT 1)), '42', "$format: by $_")
		for q(v <-> '[14,-42,0.042]'), q(h <-> '[14,-42,0.042]');
	is($node->safe_psql($to, q(SELECT * FROM maskgen.index_check('item_near', true) UNION ALL SELECT * FROM maskgen.index_check('item_near_half', true))), '',
		"$format: from sound graphs");
}

$node->safe_psql('source', "COPY (SELECT id, v, h, s, list FROM item) TO '$file.bin' (FORMAT binary)");
$node->safe_psql('target_plain', "TRUNCATE item; COPY item (id, v, h, s, list) FROM '$file.bin' (FORMAT binary)");
is($node->safe_psql('target_plain', $same[0]), $node->safe_psql('source', $same[0]), 'binary COPY');
$node->stop;
done_testing();
