#!/usr/bin/perl
# Runs the SQL of README.md and docs/*.md on the real models and compares what it gives with what stands there.
#
# A page is one session in a database with the tour's models and tickets. Each block marked "sql" is run; lines that begin with "--  "
# after a statement are the rows it has to give, columns between " | ", and "..." in them is anything. A statement without such lines has to
# succeed. A block marked otherwise ("sql not run") is not run.
# MASKGEN_DOCS_SHOW=1 prints what each statement gave, to be copied into the page.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $tree = "$ENV{PG_ABS_SRCDIR}/..";
my $mark = '@@@@ statement';

# The statements of a page: { line, text, rows }.
sub statements
{
	my ($path) = @_;
	my (@statements, $inside, $text, $quoted, $number);

	for my $line (split /\n/, slurp_file($path))
	{
		$number++;
		if ($line =~ /^```/)
		{
			$inside = $line =~ /^```sql\s*$/;
			next;
		}
		next unless $inside;
		if ($line =~ /^--  (.*)/ && !defined $text)
		{
			die "$path:$number: rows without a statement" unless @statements;
			push @{ $statements[-1]{rows} }, $1;
			next;
		}
		next if $line =~ /^\s*(--.*)?$/ && !defined $text;
		push @statements, { line => $number, text => '', rows => [] } unless defined $text;
		$text .= "$line\n";
		$quoted = !$quoted for $line =~ /\$\$/g;
		(my $code = $line) =~ s/\s+--.*//;
		next unless !$quoted && ($code =~ /;\s*$/ || $text =~ /^\\/);
		$statements[-1]{text} = $text;
		undef $text;
	}
	die "$path: a statement without an end" if defined $text;
	return @statements;
}

# One psql for the page; stdout and stderr are cut at the marks.
sub run
{
	my ($node, $database, @statements) = @_;
	my ($out, $err);
	my $script = join '', map { "$_->{text}\\echo $mark\n\\warn $mark\n" } @statements;

	local $ENV{PGOPTIONS} = '-c client_min_messages=notice';
	IPC::Run::run([ 'psql', '-X', '-q', '-A', '-t', '-F', ' | ', '-d', $node->connstr($database), '-f', '-' ], '<', \$script, '>', \$out, '2>', \$err);
	my @out = split /^\Q$mark\E\n/m, $out, -1;
	my @err = split /^(?:psql:\S+ )?\Q$mark\E\n/m, $err, -1;
	return map { { rows => [ grep { length } split /\n/, $out[$_] // '' ], complaints => $err[$_] // '' } } 0 .. $#statements;
}

sub pattern
{
	my ($row) = @_;
	$row =~ s/\s*\|\s*/ | /g;
	$row =~ s/^\s+|\s+$//g;
	$row = quotemeta $row;
	$row =~ s/\\\.\\\.\\\./.*/g;
	return qr/^$row$/;
}

sub check
{
	my ($page, $statement, $got) = @_;
	my @rows = @{ $got->{rows} };
	my $name = "$page:$statement->{line}";

	push @rows, map { s/^psql:\S+ //r } grep { /^(psql:\S+ )?(ERROR|NOTICE|WARNING|HINT|DETAIL)/ } split /\n/, $got->{complaints};
	s/\s*\|\s*/ | /g, s/^\s+|\s+$//g for @rows;
	note("$name\n$statement->{text}", map { "--  $_\n" } @rows) if $ENV{MASKGEN_DOCS_SHOW};
	if (!@{ $statement->{rows} })
	{
		is(join("\n", grep { /ERROR/ } split /\n/, $got->{complaints}), '', $name);
		return;
	}
	my @patterns = map { pattern($_) } @{ $statement->{rows} };
	my $right = @rows == @patterns && !grep { $rows[$_] !~ $patterns[$_] } 0 .. $#rows;
	ok($right, $name) or diag($statement->{text}, map { "--  $_\n" } @rows);
	return;
}

my $node = PostgreSQL::Test::Cluster->new('docs');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'maskgen'\njit = off\nmaskgen.cpu = 'avx512vnni'\n");
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE page');
$node->safe_psql('page', qq(
	ALTER DATABASE page SET search_path = "\$user", public, maskgen;
	CREATE EXTENSION maskgen;
	SELECT maskgen.create_model('minilm', '$ENV{MASKGEN_TEST_MINILM}');
	SELECT maskgen.create_model('bert', '$ENV{MASKGEN_TEST_BERT}');
	SELECT maskgen.create_model('smollm2', '$ENV{MASKGEN_TEST_SMOLLM2}');
	SELECT maskgen.create_model('rampart', '$ENV{MASKGEN_TEST_RAMPART}');
	CREATE TABLE ticket (id int PRIMARY KEY, customer text NOT NULL, created_at timestamp NOT NULL DEFAULT now(), subject text NOT NULL,
		body text NOT NULL, topic text);
	COPY ticket (id, customer, created_at, subject, body, topic) FROM '$tree/examples/tour/tickets.csv' (FORMAT csv, HEADER);));

for my $path ("$tree/README.md", sort glob "$tree/docs/*.md")
{
	my @statements = statements($path);
	next unless @statements;
	(my $page = $path) =~ s{^\Q$tree\E/}{};
	$node->safe_psql('postgres', 'CREATE DATABASE copy TEMPLATE page STRATEGY file_copy');
	$node->safe_psql('postgres', q(ALTER DATABASE copy SET search_path = "$user", public, maskgen));
	my @results = run($node, 'copy', @statements);
	check($page, $statements[$_], $results[$_]) for 0 .. $#statements;
	$node->safe_psql('postgres', 'DROP DATABASE copy WITH (FORCE)');
}

# What is public stands in the reference, as code.
my $code = join "\n", slurp_file("$tree/docs/reference.md") =~ /`([^`\n]+)`/g;
my @public = split /\n/, $node->safe_psql('page', q(
	LOAD 'maskgen';
	SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'maskgen'::regnamespace
	UNION SELECT typname FROM pg_type WHERE typnamespace = 'maskgen'::regnamespace AND typelem = 0 AND typrelid = 0 AND typname !~ 'sphere$'
	UNION SELECT relname FROM pg_class WHERE relnamespace = 'maskgen'::regnamespace AND relkind = 'v'
	UNION SELECT name FROM pg_settings WHERE name LIKE 'maskgen.%'));
cmp_ok(scalar @public, '>', 100, 'names are public');
is(join(' ', grep { $code !~ /(?<![\w.])(maskgen\.)?\Q$_\E(?!\w)/ } @public), '', 'the reference has all functions, types, views and settings');
$node->stop;
done_testing();
