#!/usr/bin/perl
# What the library shows to others: the server opens extensions with RTLD_GLOBAL, so any other name may be another library's.
use strict;
use warnings;
use Test::More;

my $library = 'maskgen.so';

# Symbols that a library defines for others.
sub exported
{
	my %names;

	for (`nm -D --defined-only $library`)
	{
		$names{$1} = 1 if /^[0-9a-f]+ \w ([^\s@]+)/;
	}
	die "nm $library: $?" if $? != 0 || !%names;
	return %names;
}

# C functions that a script of the extension names.
sub named_in
{
	my ($path) = @_;
	open my $handle, '<', $path or die "$path: $!";
	my $text = do { local $/; <$handle> };
	my %names;

	$text =~ s/--[^\n]*//g;
	while ($text =~ /'MODULE_PATHNAME'(\s*,\s*'(\w+)')?/g)
	{
		$names{ $2 // "a function of $path without a name in C" } = 1;
	}
	return keys %names;
}

my %exported = exported();
my %named;

for my $script (sort glob 'sql/*.sql')
{
	my @names = named_in($script);

	$named{$_} = 1 for @names;
	is_deeply([ grep { !$exported{$_} || !$exported{"pg_finfo_$_"} } sort @names ], [], "$script: each C function can be found");
}
my @workers = map { /(\w+)\(/ } grep { /^PGDLLEXPORT/ } map { open my $handle, '<', $_ or die "$_: $!"; <$handle> } glob 'src/pg/*.c src/pg/*/*.c';
is_deeply([ grep { !$exported{$_} } @workers ], [], 'a worker finds what it begins with');
cmp_ok(scalar @workers, '>', 0, 'there are some');
my %wanted = map { $_ => 1 } qw(Pg_magic_func _PG_init), @workers, keys %named, map { "pg_finfo_$_" } keys %named;
is_deeply([ grep { !$wanted{$_} } sort keys %exported ], [], 'nothing is exported but what the server looks up');
is_deeply([ grep { !$exported{$_} } qw(Pg_magic_func _PG_init) ], [], 'the server finds the module');
cmp_ok(scalar keys %named, '>', 100, 'the scripts were read');

# What is left to the loader to bind is found in the first library that has it.
my @loose = grep { /\s(?:pg_finfo_)?maskgen_/ } `readelf --relocs --wide $library`;
is($?, 0, 'relocations were read');
is_deeply(\@loose, [], 'references of its own are bound to its own');
done_testing();
