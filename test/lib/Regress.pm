package Regress;

# Runs pg_regress or its sibling for isolation tests and says as TAP what became of each test. Before version 16
# they print lines like "test vector ... ok 12 ms" and "... FAILED", since then TAP of their own; both are read
# here, for a test that neither form mentions must be a failure.
use strict;
use warnings;
use Exporter 'import';
use Test::More;

our @EXPORT = qw(regress);

sub slurp
{
	my ($path) = @_;
	open my $handle, '<', $path or return '';
	local $/;
	return <$handle>;
}

sub regress
{
	my %arg = @_;
	my @tests = @{ $arg{tests} };

	plan(skip_all => 'there are no such tests') if !@tests;
	chomp(my $pgxs = `$ENV{PG_CONFIG} --pgxs`);
	chomp(my $bindir = `$ENV{PG_CONFIG} --bindir`);
	$pgxs =~ s{/makefiles/[^/]*$}{/test};

	# PostgreSQL 16 looks for expected/ in the current directory unless it is told.
	my @options = (@{ $arg{options} }, "--bindir=$bindir");
	chomp(my $version = `$ENV{PG_CONFIG} --version`);
	push @options, "--expecteddir=$arg{output}" if $arg{output} && $version =~ /^PostgreSQL (\d+)/ && $1 >= 16;

	my $pid = open(my $output, '-|') // die "could not fork: $!";
	if (!$pid)
	{
		open STDERR, '>&', \*STDOUT;
		exec "$pgxs/$arg{program}", @options, @tests or exit 127;
	}
	my (%passed, $all);
	while (<$output>)
	{
		$all .= $_;
		$passed{$1} = 1 if /^(?:test\s+|\s+)?(\S+)\s+\.\.\. ok\b/ || /^ok \d+\s+[-+] (\S+)/;
		delete $passed{$1} if /^(?:test\s+|\s+)?(\S+)\s+\.\.\. FAILED/ || /^not ok \d+\s+[-+] (\S+)/;
	}
	close $output;
	my $status = $?;

	ok($passed{$_}, $_) for @tests;
	is($status, 0, "$arg{program} ended well")
	  or diag($all, slurp(($arg{output} // '.') . '/regression.diffs'));
	done_testing();
}

1;
