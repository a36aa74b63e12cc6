#!/usr/bin/perl
# Damaged indexes: index_check names each kind of damage, another format is refused with a hint, and whatever bytes stand on
# the pages, every statement ends, in an answer or an error, and the server lives.
use strict;
use warnings;
use Fcntl qw(SEEK_SET);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('damage');
$node->init;
$node->append_conf('postgresql.conf', join "\n", 'autovacuum = off', 'maskgen.result_cache_size = 0', 'restart_after_crash = off',
	'enable_seqscan = off', "statement_timeout = '60s'");
$node->start;

# Where things stand in the file (src/pg/hnsw/meta.h and page.h, src/hnsw/layout.h).
my $block_size = $node->safe_psql('postgres', 'SHOW block_size');
my ($magic, $version, $entry_point, $free_nodes) = (24, 28, 76, 84);
my ($form, $level, $n_links, $below) = map { $block_size + 24 + $_ } (0, 1, 4, 8);
my $page_id = 2 * $block_size - 2;

# Each index has a table of its own, for the planner shall have no choice.
sub make_index
{
	my ($name, $class) = (@_, 'maskgen.vector_cosine_ops');
	$node->safe_psql('postgres', qq(
		CREATE EXTENSION IF NOT EXISTS maskgen;
		CREATE TABLE $name (id serial, v maskgen.vector(24));
		SELECT setseed(0.5);
		INSERT INTO $name (v) SELECT (SELECT array_agg(random() - 0.5) FROM generate_series(1, 24) WHERE i > 0)::real[]::maskgen.vector
		FROM generate_series(1, 1500) i;
		-- Heap tuples of one vector in chunks
		INSERT INTO $name (v) SELECT v FROM $name, generate_series(1, 200) WHERE id = 11;
		CREATE INDEX ${name}_v ON $name USING maskgen_hnsw (v $class);
		CHECKPOINT;));
	return $node->data_dir . '/' . $node->safe_psql('postgres', "SELECT pg_relation_filepath('${name}_v')");
}

sub overwrite
{
	my ($path, $at, $bytes) = @_;
	open my $file, '+<:raw', $path or die "$path: $!";
	seek $file, $at, SEEK_SET;
	print $file $bytes;
	close $file or die "$path: $!";
}

# What a user would do with it, the error of each or ''.
sub use_index
{
	my ($name) = @_;
	my @statements = (
		"SELECT id FROM $name ORDER BY v OPERATOR(maskgen.<=>) (SELECT v FROM $name WHERE id = 7) LIMIT 20",
		"SELECT id FROM $name WHERE id < 0 ORDER BY v OPERATOR(maskgen.<=>) (SELECT v FROM $name WHERE id = 9) LIMIT 1",
		"INSERT INTO $name (v) SELECT v OPERATOR(maskgen.+) v FROM $name WHERE id <= 20",
		"DELETE FROM $name WHERE id % 40 = 3",
		"VACUUM $name",
		"SELECT count(*) FROM maskgen.index_check('${name}_v', true)",
		"SELECT nodes FROM maskgen.index_info('${name}_v')");
	my @errors;
	for my $statement (@statements)
	{
		my ($stdout, $stderr) = ('', '');
		$node->psql('postgres', $statement, stdout => \$stdout, stderr => \$stderr, extra_params => ['--set=VERBOSITY=verbose']);
		push @errors, $stderr;
	}
	return @errors;
}

sub violations
{
	my ($name) = @_;
	my ($stdout, $stderr) = ('', '');
	$node->psql('postgres', "SELECT problem FROM maskgen.index_check('${name}_v')", stdout => \$stdout, stderr => \$stderr);
	return $stdout . $stderr;
}

my %damage = (
	'a page of another kind' => sub { overwrite($_[0], $page_id, "\x12\x34") },
	'a slot that links lead to is free' => sub { overwrite($_[0], $form, "\0") },
	'more links than slots' => sub { overwrite($_[0], $n_links, pack('S', 60000)) },
	'another level' => sub { overwrite($_[0], $level, "\x05") },
	'an entry point that is none' => sub { overwrite($_[0], $entry_point, pack('L', 0x00FFFFF0)) },
	'a list of free slots that leads nowhere' => sub { overwrite($_[0], $free_nodes, pack('L', 4000000)) },
	'half of a page is gone' => sub { overwrite($_[0], $block_size + $block_size / 2, "\0" x ($block_size / 2)) },
);
my @kinds = sort keys %damage;
my %path = map { ("known_$_" => make_index("known_$_")) } 0 .. $#kinds;
$path{$_} = make_index($_) for qw(sound other_version other_magic);
my @random = map { "random_$_" } 1 .. 6;
$path{$_} = make_index($_) for @random;

is(violations('sound'), '', 'nothing is wrong with an index that is sound');
$node->stop;
$damage{$kinds[$_]}->($path{"known_$_"}) for 0 .. $#kinds;
overwrite($path{other_version}, $version, pack('L', 4711));
overwrite($path{other_magic}, $magic, 'none');
$node->start;

for my $i (0 .. $#kinds)
{
	my $found = violations("known_$i");
	isnt($found, '', "index_check finds: $kinds[$i]") and note((split /\n/, $found)[0]);
	use_index("known_$i");
}
my $n = 0;
for my $error (use_index('other_version'))
{
	# DELETE does not touch indexes
	next if $n++ == 3;
	like($error, qr/ERROR:\s+0A000:.*other_version_v" has format version 4711.*HINT:.*REINDEX/s, "another format: refused with a hint ($n)");
}
like((use_index('other_magic'))[0], qr/XX002:.*is not a maskgen_hnsw index.*HINT:.*REINDEX/s, 'no metapage of ours: the same');
$node->safe_psql('postgres', 'REINDEX INDEX other_version_v');
is(violations('other_version'), '', 'REINDEX helps');

# Fields of the first slots of all pages, in each with values that a plan takes for something else: links that lead to no node, counts, levels.
my %field = (
	form => [0, 1], level => [1, 1], flags => [2, 1], n_items => [3, 1], n_links => [4, 1], n_ways => [5, 1], value_size => [6, 2], below => [8, 4],
	code => [12, 48], items_and_links => [60, 160], links => [72, 300], kind_of_page => [-4, 4], lower => [-12, 2]);
my @value = map { chr } (0xFF, 0);
my @fields = map { my $field = $_; map { [$field, $_] } 0 .. $#value } sort keys %field;
my %class = (rabitq => 'maskgen.vector_cosine_ops', plain => 'maskgen.vector_l1_ops');
for my $form (sort keys %class)
{
	my $sound = make_index("fields_$form", $class{$form});
	$node->stop;
	my $bytes = slurp_file($sound);
	my (%ends, %corrupted);
	for my $case (@fields)
	{
		my ($name, $which) = @$case;
		my ($at, $length) = @{ $field{$name} };
		my $damaged = $bytes;
		# Another page is left as it is, so that all is not lost.
		for (my $page = $block_size; $page < length $damaged; $page += 2 * $block_size)
		{
			substr($damaged, $page + 24 + $at, $length) = $value[$which] x $length;
		}
		overwrite($sound, 0, $damaged);
		$node->start;
		my @errors = use_index("fields_$form");
		$node->safe_psql('postgres', "REINDEX INDEX fields_${form}_v; CHECKPOINT");
		$sound = $node->data_dir . '/' . $node->safe_psql('postgres', "SELECT pg_relation_filepath('fields_${form}_v')");
		$node->stop;
		$bytes = slurp_file($sound);
		my $all = join "\n", @errors;
		ok($all !~ /statement timeout|server closed|terminated|connection to server/, "$form, $name, value $which: all statements end")
			or diag($all);
		$corrupted{$name} += $all =~ /XX002:.*HINT:.*REINDEX/s ? 1 : 0;
	}
	cmp_ok($corrupted{$_}, '>', 0, "$form, $_: index_corrupted, with a hint") for qw(form level n_links links value_size kind_of_page);
	$node->start;
}

# Any byte may be any other.
srand(20261126);
for my $round (1 .. 3)
{
	$node->stop;
	for my $name (@random)
	{
		my $size = -s $path{$name};
		overwrite($path{$name}, int(rand($size)), chr(int(rand(256)))) for 1 .. 25 * $round;
		# More often where structure stands than in codes: headers of pages and of entries
		overwrite($path{$name}, $block_size * int(rand($size / $block_size)) + int(rand(40)), chr(int(rand(256)))) for 1 .. 5;
	}
	$node->start;
	for my $name (@random)
	{
		my @errors = use_index($name);
		unlike(join("\n", @errors), qr/statement timeout|server closed|terminated|connection to server/, "round $round, $name: all statements end");
	}
}
is($node->safe_psql('postgres', 'SELECT 1'), '1', 'the server lives');
unlike(slurp_file($node->logfile), qr/terminated by signal|PANIC|TRAP/, 'no process died');
done_testing();
