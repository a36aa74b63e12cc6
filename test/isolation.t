#!/usr/bin/perl
# pg_isolation_regress as TAP: two sessions at once, test/isolation/specs/*.spec against test/isolation/expected/*.out.
use strict;
use warnings;
use File::Basename;
use lib dirname(__FILE__) . '/lib';
use Regress;

# A specification has no variables; a setting carries the directory of the models.
$ENV{PGOPTIONS} = "-c test.models=$ENV{PG_ABS_SRCDIR}/golden/tiny";

regress(program => 'isolation/pg_isolation_regress',
	tests => [ map { basename($_, '.spec') } sort glob 'test/isolation/specs/*.spec' ],
	options => [qw(--inputdir=test/isolation --outputdir=test/isolation --dbname=maskgen_isolation
		--load-extension=maskgen)],
	output => 'test/isolation');
