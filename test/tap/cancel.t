#!/usr/bin/perl
# A cancel comes through while a model is created, loaded and used, and leaves the session and the model as good as
# new. How fast it comes through is measured in bench/, not here.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $minilm = $ENV{MASKGEN_TEST_MINILM};
plan(skip_all => 'MASKGEN_TEST_MINILM is not set') if !$minilm;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', 'maskgen.result_cache_size = 0');
$node->start;
$node->safe_psql('postgres', "CREATE EXTENSION maskgen; SELECT maskgen.create_model('m', '$minilm')");
my $right = $node->safe_psql('postgres', q(SELECT maskgen.embed('m', 'red shoes')));

# Each runs far longer than its timeout, on any machine.
my $long = q(SELECT count(maskgen.embed('m', repeat('one two three ', 100) || i)) FROM generate_series(1, 1000000) i);
my %cases = (
	embed => $long,
	batch => q(SELECT maskgen.embed_batch('m', array_agg(repeat('word ', 200) || i)) FROM generate_series(1, 100000) i),
	merge => 'CREATE TEMP TABLE t (id int, v maskgen.vector); MERGE INTO t USING (SELECT i, repeat(\'one two three \', 100) || i AS x FROM generate_series(1, 1000000) i) s'
	  . q( ON t.id = s.i WHEN NOT MATCHED THEN INSERT VALUES (i, maskgen.embed('m', x))),
	tokenize => q(SELECT maskgen.count_tokens('m', repeat('antidisestablishmentarianism ', 2000000))),
	threads => "SET maskgen.threads = 2; $long",
	scalar => "SET maskgen.cpu = scalar; $long",
	create => "DO \$\$ BEGIN FOR i IN 1..100000 LOOP PERFORM maskgen.create_model('n' || i, '$minilm');"
	  . " PERFORM maskgen.drop_model('n' || i); END LOOP; END \$\$",
	load => q(DO $$ BEGIN FOR i IN 1..100000 LOOP PERFORM maskgen.unload_model('m');)
	  . q( PERFORM maskgen.load_model('m'); END LOOP; END $$));

for my $name (sort keys %cases)
{
	my ($status, $out, $error) = $node->psql('postgres',
		"SET statement_timeout = 300;\n$cases{$name};\n", on_error_stop => 0);
	like($error, qr/canceling statement due to statement timeout/, "$name: is cancelled");

	# The same session goes on.
	($status, $out, $error) = $node->psql('postgres',
		"SET statement_timeout = 300;\n$cases{$name};\nRESET ALL;\nSELECT maskgen.embed('m', 'red shoes');\n",
		on_error_stop => 0);
	is($out, $right, "$name: the session is as good as before");
}
is($node->safe_psql('postgres', 'SELECT count(*) FROM "+maskgen".model WHERE part = -1'), 1, 'no cancelled model is left');
is($node->safe_psql('postgres', 'SELECT count(DISTINCT id) FROM "+maskgen".model'), 1, 'nor its chunks');
$node->stop;
done_testing();
