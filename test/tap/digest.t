#!/usr/bin/perl
# A resident copy serves all databases of a server. Who owns one of them may write rows of models, for dumps; with another database's digest in such a
# row they neither use what it stores nor hand it something else.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $tiny = "$ENV{PG_ABS_SRCDIR}/golden/tiny";
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'maskgen'");
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE eve LOGIN; CREATE DATABASE hers; CREATE DATABASE eves OWNER eve');
for my $database (qw(hers eves))
{
	$node->safe_psql($database, 'CREATE EXTENSION maskgen; GRANT USAGE ON SCHEMA maskgen TO PUBLIC');
}
$node->safe_psql('hers', qq(SELECT maskgen.create_model('secret', '$tiny/bert-embed-mean'); SELECT maskgen.create_model('other', '$tiny/bert-embed-mean', '{"max_tokens": 9}')));
my $embed = q(SELECT maskgen.embed('secret', 'red shoes'));
my $vector = $node->safe_psql('hers', $embed);
my ($digest, $size) = split /\|/, $node->safe_psql('hers', q(SELECT version, stored_bytes FROM maskgen.maskgen_models WHERE name = 'secret'));
my $other = $node->safe_psql('hers', q(SELECT encode(data, 'hex') FROM "+maskgen".model WHERE part = 0 AND id = (SELECT id FROM "+maskgen".model WHERE name = 'other')));

sub as_eve
{
	my ($sql) = @_;
	my ($status, $out, $error) = $node->psql('eves', $sql, extra_params => [ '-U', 'eve' ]);

	return $out . $error;
}

sub loaded
{
	return $node->safe_psql('hers', q(SELECT loaded FROM maskgen.maskgen_models WHERE name = 'secret'));
}

my $row = q(INSERT INTO "+maskgen".model (id, part, name, version, owner, grants, architecture, tasks, dims, max_tokens, parameters, dtype, stored_bytes, options, created)
	VALUES (%d, -1, '%s', '%s', 'eve', '{}', 'bert', 'embed', 32, 16, 1, 'f32', %d, '{}', now()););
my $part = q(INSERT INTO "+maskgen".model (id, part, data) VALUES (%d, 0, decode('%s', 'hex'));); 

# While the copy is resident
is(loaded(), 't', 'the model is resident');
as_eve(sprintf($row, 101, 'empty', $digest, $size));
like(as_eve(q(SELECT maskgen.embed('empty', 'x'))), qr/part 0 of stored model "empty" is missing/, 'a digest alone does not give its model');
as_eve(sprintf($row . $part, 102, 'fake', $digest, $size, 102, $other));
like(as_eve(q(SELECT maskgen.embed('fake', 'x'))), qr/stored model "fake" is not what its version says/, 'nor with another image');
like(as_eve(q(SELECT maskgen.load_model('fake'))), qr/is not what its version says/, 'nor by loading it');
like(as_eve(q(SELECT maskgen.create_model('x', '/'))), qr/permission denied/, 'files are read by whom they were read before');

# While it is not
$node->safe_psql('hers', q(SELECT maskgen.unload_model('secret')));
like(as_eve(q(SELECT maskgen.embed('fake', 'x'))), qr/is not what its version says/, 'nothing else becomes resident under the digest');
is(loaded(), 'f', 'nothing did');
is($node->safe_psql('hers', $embed), $vector, 'the model is what it was');

# Across a restart the copy stays, and has to be shown again
$node->restart;
like(as_eve(q(SELECT maskgen.embed('fake', 'x'))), qr/is not what its version says/, 'after a restart as well');
is($node->safe_psql('hers', $embed), $vector, 'with the copy of before');
like(as_eve(q(SELECT maskgen.embed('empty', 'x'))), qr/part 0 of stored model "empty" is missing/, 'a digest alone is still not enough');

# Who has the image may use the copy
$node->safe_psql('eves', qq(SELECT maskgen.create_model('own', '$tiny/bert-embed-mean')));
is($node->safe_psql('eves', q(SELECT maskgen.embed('own', 'red shoes'))), $vector, 'a database that stores it uses the same copy');
is(as_eve(q(SELECT maskgen.embed('own', 'red shoes'))), $vector, 'so does its owner, who may read and write all of it');
is(as_eve(q(UPDATE "+maskgen".model SET owner = 'eve')) =~ /permission denied/ ? 1 : 0, 1, 'what is there is not changed by them');
$node->stop;
done_testing();
