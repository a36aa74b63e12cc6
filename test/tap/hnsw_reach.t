#!/usr/bin/perl
# Nothing that is indexed is out of reach: random tables of all kinds of data, types, distances, built, inserted, updated, deleted
# and vacuumed. Afterwards ways lead to every entry, each row is in the index, counts within a radius are those of the table, and
# the nearest ten are found.
#
# MASKGEN_REACH_CASES: how many cases (40); MASKGEN_REACH_ROWS: rows of each (600); MASKGEN_REACH_SEED: of all random choices.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $n_cases = $ENV{MASKGEN_REACH_CASES} // 40;
my $n_rows = $ENV{MASKGEN_REACH_ROWS} // 600;
my $seed = $ENV{MASKGEN_REACH_SEED} // 1;
srand($seed);

my $node = PostgreSQL::Test::Cluster->new('reach');
$node->init;
$node->append_conf('postgresql.conf', join "\n", 'autovacuum = off', 'fsync = off', 'maskgen.result_cache_size = 0');
$node->start;
$node->safe_psql('postgres', q(
	CREATE EXTENSION maskgen;
	ALTER DATABASE postgres SET search_path = public, maskgen;
	CREATE FUNCTION uniform(dims int) RETURNS real[] LANGUAGE sql VOLATILE AS
		'SELECT array_agg(random() - 0.5)::real[] FROM generate_series(1, dims)';
	CREATE FUNCTION add(a real[], b real[], factor float8) RETURNS real[] LANGUAGE sql IMMUTABLE AS
		'SELECT array_agg(x + factor * y ORDER BY n)::real[] FROM unnest(a, b) WITH ORDINALITY u(x, y, n)';
	CREATE TABLE centre (id int PRIMARY KEY, v real[]);
	CREATE FUNCTION centre_of(which int) RETURNS real[] LANGUAGE sql STABLE AS 'SELECT v FROM centre WHERE id = which';
	-- Rows as far as the tenth count as found; so do copies, whose distances differ by how float32 rounds.
	CREATE FUNCTION recall(value text, op text, queries int DEFAULT 30) RETURNS numeric LANGUAGE plpgsql AS $$
	DECLARE one text; exact float8[]; near float8[]; found bigint := 0; wanted bigint := 0; search text;
	BEGIN
		search := format('SELECT array_agg(d ORDER BY d) FROM (SELECT v %s $1::%s AS d FROM item ORDER BY v %1$s $1::%2$s LIMIT 10) x', op, value);
		FOR one IN SELECT v::text FROM item ORDER BY random() LIMIT queries LOOP
			SET LOCAL enable_seqscan = on; SET LOCAL enable_indexscan = off;
			EXECUTE search INTO exact USING one;
			SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = on;
			EXECUTE search INTO near USING one;
			wanted := wanted + (SELECT count(*) FROM unnest(exact) d WHERE d = d);
			found := found + (SELECT count(*) FROM unnest(near) d WHERE d <= exact[10] + 1e-6 * greatest(1, abs(exact[10])));
		END LOOP;
		RETURN round(coalesce(found::numeric / nullif(wanted, 0), 1), 3);
	END $$;
	CREATE FUNCTION lost_within(value text, op text, inner_op text) RETURNS bigint LANGUAGE plpgsql AS $$
	DECLARE one text; far float8; exact bigint; near bigint; lost bigint := 0;
	BEGIN
		FOR one IN SELECT v::text FROM item ORDER BY random() LIMIT 5 LOOP
			EXECUTE format('SELECT percentile_disc(%s) WITHIN GROUP (ORDER BY v %s %L::%s) FROM item', random() * 0.1, op, one, value) INTO far;
			SET LOCAL enable_seqscan = on; SET LOCAL enable_indexscan = off;
			EXECUTE format('SELECT count(*) FROM item WHERE v %s sphere(%L::%s, %L)', inner_op, one, value, far) INTO exact;
			SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = on;
			EXECUTE format('SELECT count(*) FROM item WHERE v %s sphere(%L::%s, %L)', inner_op, one, value, far) INTO near;
			lost := lost + abs(exact - near);
		END LOOP;
		RETURN lost;
	END $$;));

# Values in SQL: real[] from the row's number i.
my $dims;
my %kinds = (
	distinct => sub { "uniform($dims)" },
	equal => sub { 'centre_of(i % 7)' },
	skewed => sub { 'centre_of(floor(exp(random() * 4.5))::int)' },
	clusters => sub { "add(centre_of(i % 10), uniform($dims), 0.01)" },
	loose => sub { "add(centre_of(i % 10), uniform($dims), 0.05)" },
	lengths => sub { "add(array_fill(0::real, ARRAY[$dims]), uniform($dims), exp(6 * random() - 3))" },
	multiples => sub { "add(array_fill(0::real, ARRAY[$dims]), centre_of(i % 3), 1 + i % 50)" },
	zeros => sub { "CASE WHEN i % 3 = 0 THEN array_fill(0::real, ARRAY[$dims]) ELSE uniform($dims) END" });
my %casts = (
	vector => sub { "($_[0])::vector($dims)" },
	halfvec => sub { "($_[0])::vector($dims)::halfvec($dims)" },
	sparsevec => sub { "($_[0])::vector($dims)::sparsevec($dims)" },
	bit => sub { "binary_quantize(($_[0])::vector($dims))::bit($dims)" });
my %operators = (l2 => '<->', cosine => '<=>', ip => '<#>', l1 => '<+>', hamming => '<~>', jaccard => '<%>');

sub one_of { return $_[ int(rand(@_)) ] }

my %least = (l2 => 0.95, cosine => 0.95, ip => 0.95, hamming => 0.95);
# src/hnsw/README.md, Few links under inner product: one of the ten may hang on a way alone
sub least_recall
{
	my ($metric, $m) = @_;
	return $metric eq 'ip' && $m == 4 ? 0.9 : $least{$metric} // 0.9;
}
my ($n_indexes, $n_all, $n_lost) = (0, 0, 0);

for my $case (1 .. $n_cases)
{
	my $type = one_of(qw(vector vector vector halfvec sparsevec bit));
	my $metric = one_of($type eq 'bit' ? qw(hamming hamming jaccard) : qw(l2 cosine ip l2 cosine ip l1));
	my $kind = one_of(sort keys %kinds);
	my $way = one_of(qw(bulk inserted mixed vacuumed vacuumed));
	my $m = one_of(4, 16);
	my $quantizer = $type =~ /^(vector|halfvec)$/ ? one_of('auto', 'auto', 'none') : 'auto';
	my $memory = one_of('64MB', '1MB');
	$dims = one_of(1, 3, 32, 64);
	$dims = 64 if $type eq 'bit';
	my $value = $casts{$type}->($kinds{$kind}->());
	my $declared = $type eq 'bit' ? "bit($dims)" : "$type($dims)";
	my ($op, $inner) = ($operators{$metric}, '<' . $operators{$metric} . '>');
	my $name = "$kind, $declared $metric, m = $m, $quantizer, $way, $memory";
	my $index = "CREATE INDEX item_v ON item USING maskgen_hnsw (v ${type}_${metric}_ops) WITH (m = $m, quantizer = $quantizer);";
	my $insert = sub { my ($from, $to) = @_; "INSERT INTO item SELECT i, $value FROM generate_series($from, $to) i;" };
	my $half = int($n_rows / 2);
	my %steps = (
		bulk => [ $insert->(1, $n_rows), $index ],
		inserted => [ $index, $insert->(1, $n_rows) ],
		mixed => [ $insert->(1, $half), $index, $insert->($half + 1, $n_rows), "UPDATE item SET v = $value FROM generate_series(1, 50) i WHERE id = i;" ],
		vacuumed => [
			$insert->(1, $half), $index, $insert->($half + 1, $n_rows), "DELETE FROM item WHERE id % 3 <> 0 OR id < $half / 2;", 'VACUUM item;',
			$insert->($n_rows + 1, $n_rows + $half), 'DELETE FROM item WHERE random() < 0.3;', 'VACUUM item;' ]);

	$node->safe_psql('postgres', join "\n", 'SELECT setseed(' . rand() . ');', "SET maintenance_work_mem = '$memory';", 'DROP TABLE IF EXISTS item;',
		"TRUNCATE centre; INSERT INTO centre SELECT i, uniform($dims) FROM generate_series(0, 90) i;",
		"CREATE TABLE item (id int, v $declared);", @{ $steps{$way} }, 'ANALYZE item;');
	my ($problems, $info, $lost, $recall, $rows) = split /\n/, $node->safe_psql('postgres', qq(
		SELECT coalesce(string_agg(block || '/' || slot || ': ' || problem, '; '), '') FROM (SELECT * FROM index_check('item_v', true) LIMIT 5) x;
		SELECT unreachable || '|' || dead_links || '|' || deleted FROM index_info('item_v');
		SELECT lost_within('$declared', '$op', '$inner');
		SELECT recall('$declared', '$op');
		SELECT count(*) FROM item));
	# Three hundred neighbours are a small sample: what seems to be too few of them is counted again among ten times as many.
	$recall = $node->safe_psql('postgres', qq(SELECT recall('$declared', '$op', 300))) if $recall < least_recall($metric, $m);
	my $fine = $problems eq '' && $info eq '0|0|0' && $lost == 0 && $recall >= least_recall($metric, $m);

	ok($fine, $name);
	diag("check: '$problems'; unreachable, dead links, deleted: $info; lost within a radius: $lost; recall: $recall") unless $fine;
	$n_indexes++;
	$n_all += $rows;
	$n_lost += $lost + (split /\|/, $info)[0];
}
note("seed $seed: $n_indexes indexes built, $n_all rows, lost rows: $n_lost");
is($n_lost, 0, "$n_indexes indexes, $n_all rows, no row is lost");
done_testing();
