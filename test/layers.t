#!/usr/bin/perl
# Holds the picture of the layers: reads the #include lines of src/ and what each layer may call.
#
#   cli   pg
#     \   /
#     task
#      |
#   arch -> model
#      /   |       \
#     /  template   \
#    /    /    \     \
#  tensor text <- format    hnsw -> vector <- learn
#         \   |   /            /
#             core -----------
#
# and of the rooms of src/pg, which its README draws: what a room may include beside the hall (src/pg/*.h) and itself.
use strict;
use warnings;
use File::Find;
use Test::More;

my %may_include = (
	core => [],
	tensor => ['core'],
	text => ['core'],
	format => ['core'],
	template => [qw(core text format)],
	vector => ['core'],
	hnsw => [qw(core vector)],
	learn => [qw(core vector)],
	model => [qw(core tensor text format template)],
	arch => [qw(core tensor text format template model)],
	task => [qw(core tensor text format template model arch)],
	cli => [qw(core tensor text format template model arch task vector hnsw)],
	pg => [qw(core tensor text format template model arch task vector hnsw learn)]);

my %room_may_include = (
	vector => [],
	resident => [],
	hnsw => ['vector'],
	classifier => ['vector'],
	model => ['resident'],
	task => [qw(model resident vector classifier)],
	planner => [qw(model task)],
	batch => [qw(model planner task)],
	trigger => [qw(model task)],
	column => [qw(model task trigger)]);

# The one file of the hall that knows every room, for _PG_init.
my $module = 'src/pg/module.c';

# The reader of tokenizer.json fills in the tokenizer's own description of itself.
my %exception = ('format text/spec.h' => 1, 'format text/utf8.h' => 1);

# Each belongs to one layer, so that it can be replaced there.
my %only_in = ('utf8proc.h' => 'text');

my @forbidden = qw(abort exit _exit quick_exit assert longjmp siglongjmp raise kill
  printf vprintf fprintf vfprintf puts fputs putchar perror
  fopen fdopen open openat getenv secure_getenv time clock clock_gettime gettimeofday rand random srand);
my $forbidden = join '|', @forbidden;

my $n_lines_max = 600;
my (@files, %problems);

sub problem
{
	my ($rule, $text) = @_;
	push @{ $problems{$rule} }, $text;
}

# Without comments and the contents of literals, with the lines as they were.
sub code_of
{
	my ($text) = @_;
	$text =~ s{ (/\*.*?\*/ | //[^\n]*) | "((?:[^"\\\n]|\\.)*)" | '((?:[^'\\\n]|\\.)*)' }
		{ my $all = $&; my $lines = () = $all =~ /\n/g;
		  (defined $1 ? ' ' : defined $2 ? '""' : "''") . "\n" x $lines }gsex;
	return $text;
}

sub check_include
{
	my ($path, $layer, $name) = @_;
	my ($target) = $name =~ m{^([a-z]+)/.*[^/]\.h$};

	problem('the server is known in src/pg only', "$path includes $name")
	  if $layer ne 'pg' && $name =~ m{^(postgres(_fe)?|c|fmgr|miscadmin|libpq-fe)\.h$|^(utils|access|executor|storage|catalog|nodes)/};
	problem('a library belongs to one layer', "$path includes $name")
	  if $only_in{$name} && $only_in{$name} ne $layer;
	return if !defined $target || !$may_include{$target};
	return if $target eq $layer || $exception{"$layer $name"};
	problem('layers look only downward', "$path includes $name")
	  if !grep { $_ eq $target } @{ $may_include{$layer} };
}

sub check_room
{
	my ($path, $name) = @_;
	my ($room) = $path =~ m{^src/pg/([a-z]+)/};
	my ($target) = $name =~ m{^pg/([a-z]+)/};

	return if !defined $target || $path eq $module || ($room // '') eq $target;
	problem('rooms of src/pg include only what is below them', "$path includes $name")
	  if !defined $room || !$room_may_include{$room} || !grep { $_ eq $target } @{ $room_may_include{$room} };
}

sub check_file
{
	my ($path) = @_;
	my ($layer, $base) = $path =~ m{^src/([a-z]+)/(?:.*/)?([^/]+)$} or return problem('each file is in a layer', $path);
	open my $handle, '<', $path or die "$path: $!";
	my $text = do { local $/; <$handle> };
	my $code = code_of($text);
	my $n_lines = () = $text =~ /\n/g;

	return problem('each file is in a layer', $path) if !$may_include{$layer};
	problem("no file is longer than $n_lines_max lines", "$path has $n_lines lines")
	  if $n_lines > $n_lines_max && $base !~ /\.gen\.[ch]$|_table\.[ch]$/;
	problem('a file is a noun', $path) if $base =~ /^(utils?|misc|common|helpers?)\.[ch]$/;
	check_include($path, $layer, $1) while $text =~ m{^[ \t]*#[ \t]*include[ \t]*[<"]([^>"]+)[>"]}mg;
	if ($layer eq 'pg')
	{
		check_room($path, $1) while $text =~ m{^[ \t]*#[ \t]*include[ \t]*"([^"]+)"}mg;
	}
	problem('the version of the server is known in src/pg/compat.h only', $path)
	  if $code =~ /\bPG_VERSION_NUM\b/ && $path ne 'src/pg/compat.h';
	return if $layer eq 'pg' || $layer eq 'cli';
	while ($code =~ /(?<![\w.>])($forbidden)[ \t]*\(/g)
	{
		my $line = 1 + (() = substr($code, 0, $-[0]) =~ /\n/g);
		problem('the library never ends, prints or looks around', "$path:$line calls $1");
	}
}

find({ no_chdir => 1, wanted => sub { push @files, $_ if /\.[ch]$/ } }, 'src');
check_file($_) for sort @files;
cmp_ok(scalar @files, '>', 10, 'there are files to look at');

for my $rule ('each file is in a layer', 'layers look only downward', 'the server is known in src/pg only',
	'the version of the server is known in src/pg/compat.h only', 'a library belongs to one layer',
	'rooms of src/pg include only what is below them', 'the library never ends, prints or looks around', "no file is longer than $n_lines_max lines", 'a file is a noun')
{
	ok(!$problems{$rule}, $rule) or diag(join "\n", @{ $problems{$rule} });
	delete $problems{$rule};
}
is_deeply([ keys %problems ], [], 'each rule was reported');
done_testing();
