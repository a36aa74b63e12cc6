#!/usr/bin/perl
# A second compiler reads every source with warnings as errors, and generates code, for some errors come only then.
use strict;
use warnings;
use Test::More;

my @common = qw(-O0 -c -o /dev/null -Wall -Wextra -Werror -Wmissing-prototypes -Wno-declaration-after-statement
  -ffp-contract=off -Isrc);
my @hosted = qw(-std=gnu11 -D_GNU_SOURCE -Itest);

# -isystem: the server's headers are written for the compiler that built the server.
my @server = (qw(-std=gnu11 -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers),
	split(' ', `$ENV{PG_CONFIG} --cppflags`), '-isystem', split(' ', `$ENV{PG_CONFIG} --includedir-server`));

system('make -s src/arch/list.gen.h') == 0 or die 'could not make src/arch/list.gen.h';
for my $file (sort glob('src/*/*.c src/pg/*/*.c test/unit/*/*.c test/fuzz/*.c'))
{
	my @flags = (@common, $file =~ m{^src/pg/} ? @server : @hosted);
	my $output = `clang @flags $file 2>&1`;
	is($?, 0, $file) or diag($output);
}
done_testing();
