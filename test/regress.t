#!/usr/bin/perl
# pg_regress as TAP: test/sql/*.sql against expected/*.out, each script one test.
use strict;
use warnings;
use File::Basename;
use lib dirname(__FILE__) . '/lib';
use Regress;

regress(program => 'regress/pg_regress',
	tests => [ map { basename($_, '.sql') } sort glob 'test/sql/*.sql' ],
	options => [qw(--inputdir=test --outputdir=. --dbname=maskgen_regress --load-extension=maskgen)]);
