#!/usr/bin/perl
# Replays the corpus of each fuzz target through its sanitizer build: every file a bug or a format ever gave.
use strict;
use warnings;
use Test::More;

my @targets = grep { $_ ne 'replay' } map { m{([^/]+)\.c$} } sort glob 'test/fuzz/*.c';

for my $target (@targets)
{
	my $program = "build-sanitize/fuzz/$target";
	my @corpus = grep { -f } glob "test/fuzz/corpus/$target/*";

	subtest $target => sub {
		ok(@corpus > 0, 'has a corpus') or return;
		ok(-x $program, 'was built') or return;
		my $output = `$program test/fuzz/corpus/$target 2>&1`;
		is($?, 0, 'no finding') or diag($output);
		like($output, qr/^replayed ${\scalar @corpus} inputs$/m, 'each file was read');
		done_testing();
	};
}
plan(skip_all => 'there are no fuzz targets') if !@targets;
done_testing();
