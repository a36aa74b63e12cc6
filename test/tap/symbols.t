#!/usr/bin/perl
# Beside a library whose globals have our names: the server opens both with RTLD_GLOBAL, and the first of two symbols of one
# name would be what both get. pgvector is such a library; a module that is built here has all names that it could have.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# What pgvector's globals are called, and what others would be.
my @likely = qw(hnsw_ef_search hnsw_iterative_scan hnsw_max_scan_tuples hnsw_scan_mem_multiplier hnsw_lock_tranche_id ivfflat_probes
  ivfflat_iterative_scan ivfflat_max_probes vector_in vector_out vector_recv vector_l2_squared_distance l2_distance cosine_distance
  halfvec_in sparsevec_in HalfvecInit BitvecInit BitHammingDistance HnswInit HnswGetM hnswbuild hnswinsert hnsw_build hnsw_insert hnsw_scan
  stats_add stats_reset registry_find registry_lock resident_find shared_preload guc_define embed classify tokenize cache config depth
  mg_fail mg_alloc task_call catalog_find result_cache_find);

# Names of a library's symbols; of those that it shows to others, if only they count.
sub symbols
{
	my ($file, @options) = @_;
	return map { /\s([A-Za-z]\w*)(?:@\S+)?$/ ? $1 : () } grep { !/ [Uw] / } `nm @options $file 2>/dev/null`;
}

# A module of that kind in a directory of its own; returns its path without the suffix.
sub build
{
	my ($kind, $names, $directory) = @_;
	my $module = "clash_$kind";
	my @symbols = map { { c => "c_$_", name => $names->[$_] } } 0 .. $#$names;
	my $line = $kind eq 'variables'
	  ? 'EXPORT int %s[8] __asm__("%s") = {0};' : 'EXPORT int %s(void) __asm__("%s"); int %1$s(void) { return ++calls; }';
	my $source = qq{#include "postgres.h"\n#include "fmgr.h"\nPG_MODULE_MAGIC;\n#define EXPORT __attribute__((visibility("default")))\n}
	  . qq{static int calls;\nEXPORT void _PG_init(void);\nPG_FUNCTION_INFO_V1(${module}_touched);\nEXPORT Datum ${module}_touched(PG_FUNCTION_ARGS);\n};

	$source .= sprintf("$line\n", $_->{c}, $_->{name}) for @symbols;
	# By the names, as the module's own code would: what they are bound to is the loader's choice.
	$source .= $kind eq 'variables' ? 'static int *const all[] = {' . join(', ', map { $_->{c} } @symbols) . "};\n"
	  . "void _PG_init(void) { for (int i = 0; i < (int) lengthof(all); i++) for (int k = 0; k < 8; k++) all[i][k] = 0x55555555; }\n"
	  . "Datum ${module}_touched(PG_FUNCTION_ARGS) { for (int i = 0; i < (int) lengthof(all); i++) for (int k = 0; k < 8; k++) calls += all[i][k] != 0x55555555;"
	  : "void _PG_init(void) {}\nDatum ${module}_touched(PG_FUNCTION_ARGS) {";
	$source .= " PG_RETURN_INT32(calls); }\n";
	mkdir $directory or die "$directory: $!";
	append_to_file("$directory/$module.c", $source);
	append_to_file("$directory/Makefile", "MODULES = $module\noverride with_llvm := no\nPG_CFLAGS = -w\nPGXS := \$(shell \$(PG_CONFIG) --pgxs)\ninclude \$(PGXS)\n");
	is(system("make -s -C $directory PG_CONFIG=$ENV{PG_CONFIG} > $directory/log 2>&1"), 0, "a module of $kind is built")
	  or diag(slurp_file("$directory/log"));
	return "$directory/$module";
}

my $library = `$ENV{PG_CONFIG} --pkglibdir` =~ s/\n//r . '/maskgen.so';
my $postgres = `$ENV{PG_CONFIG} --bindir` =~ s/\n//r . '/postgres';
# What the server and the libraries of the system show stands before all modules, and is nobody's to take.
my %taken = map { $_ => 1 } map { symbols($_, '-D', '--defined-only') } $postgres, map { m{(/\S+)} ? $1 : () } `ldd $postgres $library`;
my %names = map { $_ => 1 } grep { !$taken{$_} } @likely, symbols($library);
delete @names{qw(Pg_magic_func frame_dummy register_tm_clones deregister_tm_clones)};
my @names = sort keys %names;
cmp_ok(scalar @names, '>', 1000, 'all names of the library that it was built with');
# Somebody else's variable of a name that the server looks up in ours cannot be told from that; nothing has such a name by accident.
my %exported = map { $_ => 1 } symbols($library, '-D', '--defined-only');
my $directory = PostgreSQL::Test::Utils::tempdir();
my %path = (
	functions => build('functions', \@names, "$directory/functions"),
	variables => build('variables', [ grep { !$exported{$_} } @names ], "$directory/variables"));

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "max_parallel_workers_per_gather = 0\n");
$node->start;
$node->safe_psql('postgres', "CREATE EXTENSION maskgen;"
	. "SELECT maskgen.create_model('m', '$ENV{PG_ABS_SRCDIR}/golden/tiny/bert-mlm'), maskgen.create_model('e', '$ENV{PG_ABS_SRCDIR}/golden/tiny/bert-embed-mean');"
	. "CREATE FUNCTION ${_}_touched() RETURNS int AS '$path{$_}', 'clash_${_}_touched' LANGUAGE C;") for 'variables';
$node->safe_psql('postgres', "CREATE FUNCTION functions_touched() RETURNS int AS '$path{functions}', 'clash_functions_touched' LANGUAGE C");

# Something of everything, in a session of its own; what comes out is the same with and without company.
my $work = q{SET search_path = public, maskgen; SET maskgen.ef_search = 33; SET maskgen.enable_result_cache = off;
	CREATE TEMP TABLE t AS SELECT i, embed('e', 'text ' || i) AS v FROM generate_series(1, 200) i;
	CREATE INDEX ON t USING maskgen_hnsw ((v::vector(32)) vector_cosine_ops);
	SET enable_seqscan = off;
	SELECT i FROM t ORDER BY v::vector(32) <=> embed('e', 'text 7') LIMIT 3;
	INSERT INTO t SELECT i, embed('e', 'more ' || i) FROM generate_series(201, 210) i;
	DELETE FROM t WHERE i % 3 = 0;
	SELECT count(*) FROM index_check('t_v_idx', true);
	SELECT count(*) FROM t WHERE v::vector(32) <<=>> sphere(embed('e', 'text 7'), 0.05);
	SELECT classify('m', 'wine ' || i, '{world,sports}') FROM generate_series(1, 3) i;
	SELECT token FROM fill_mask('m', 'a [MASK] day', 2);
	SELECT '[1,2]'::vector <-> '[3,4]', '{1:2}/3'::sparsevec, '[1,2]'::halfvec, avg(v) FROM t WHERE i < 3 GROUP BY ();
	SELECT current_setting('maskgen.ef_search'), calls > 0 FROM maskgen.maskgen_stat_models WHERE name = 'e'};
my $right = $node->safe_psql('postgres', $work);
isnt($right, '', 'the work is done without company');

for my $kind (qw(variables functions))
{
	is($node->safe_psql('postgres', "LOAD '$path{$kind}'; $work; SELECT ${kind}_touched()"), "$right\n0", "$kind, loaded before");
	is($node->safe_psql('postgres', "LOAD 'maskgen'; $work; LOAD '$path{$kind}'; SELECT ${kind}_touched()"), "$right\n0", "$kind, loaded after");
	is($node->safe_psql('postgres', "LOAD 'maskgen'; LOAD '$path{$kind}'; $work; SELECT ${kind}_touched()"), "$right\n0", "$kind, loaded in between");
	for my $preload ("maskgen, $path{$kind}", "$path{$kind}, maskgen")
	{
		$node->append_conf('postgresql.conf', "shared_preload_libraries = '$preload'\n");
		$node->restart;
		is($node->safe_psql('postgres', "$work; SELECT ${kind}_touched()"), "$right\n0", "$kind, preloaded " . ($preload =~ /^maskgen/ ? 'after' : 'before'));
	}
	$node->append_conf('postgresql.conf', "shared_preload_libraries = ''\n");
	$node->restart;
}
$node->stop;
done_testing();
