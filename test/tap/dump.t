#!/usr/bin/perl
# Models in a dump: bytes, owner and grants come back, and the restored model gives the same vectors.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $tiny = "$ENV{PG_ABS_SRCDIR}/golden/tiny";
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;

# Roles are the cluster's, so that a dump into another database of it needs no pg_dumpall.
$node->safe_psql(
	'postgres', qq(
	CREATE ROLE owner LOGIN; CREATE ROLE friend LOGIN; CREATE ROLE stranger LOGIN;
	GRANT pg_read_server_files TO owner;
	CREATE DATABASE source;));
$node->safe_psql(
	'source', qq(
	CREATE EXTENSION maskgen;
	GRANT USAGE ON SCHEMA maskgen TO owner, friend, stranger;
	SET ROLE owner;
	SELECT maskgen.create_model('m', '$tiny/bert-embed-mean', '{"max_tokens": 12}');
	SELECT maskgen.create_model('mlm', '$tiny/bert-mlm');
	SELECT maskgen.create_model('m8', '$tiny/bert-embed-mean', '{"dtype": "int8", "max_tokens": 12}');
	SELECT maskgen.grant_model('m', 'friend');
	SELECT maskgen.grant_model('mlm', 'public');
	RESET ROLE;
	CREATE TABLE note (body text, v maskgen.vector(32)
		GENERATED ALWAYS AS (maskgen.embed('m', body)) STORED);
	CREATE INDEX ON note (maskgen.classify('mlm', body, '{world,sports}'));
	INSERT INTO note VALUES ('red shoes'), ('the capital of france');
	CREATE TABLE written (id int PRIMARY KEY, body text, v maskgen.vector(32));
	ALTER TABLE written OWNER TO owner;
	GRANT INSERT ON written TO stranger;
	SELECT maskgen.create_embed_trigger('written', 'm', 'body', 'v');));

my $what = q(SELECT name, version, owner, tasks, dims, max_tokens, parameters, dtype, stored_bytes FROM maskgen.maskgen_models ORDER BY name);
my $vector = q(SELECT maskgen.embed('m', 'red shoes'));
my $vector8 = q(SELECT maskgen.embed('m8', 'red shoes'));
my $notes = q(SELECT body, v FROM note ORDER BY body);
my $file = $node->basedir . '/dump';

for my $format (qw(custom plain))
{
	my $to = "target_$format";
	$node->safe_psql('postgres', "CREATE DATABASE $to");
	$node->command_ok([ 'pg_dump', "--format=$format", '-f', $file, $node->connstr('source') ], "$format: dumped");
	if ($format eq 'plain')
	{
		$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $file, $node->connstr($to) ], 'plain: restored');
	}
	else
	{
		$node->command_ok([ 'pg_restore', '--exit-on-error', '-d', $node->connstr($to), $file ], 'custom: restored');
	}
	is($node->safe_psql($to, $what), $node->safe_psql('source', $what), "$format: the models are the same");
	is($node->safe_psql($to, $vector), $node->safe_psql('source', $vector), "$format: so is a vector, bit for bit");
	is($node->safe_psql($to, $vector8), $node->safe_psql('source', $vector8), "$format: in 8 bits too");
	isnt($node->safe_psql($to, $vector8), $node->safe_psql($to, $vector), "$format: which is another vector");
	is($node->safe_psql($to, $notes), $node->safe_psql('source', $notes), "$format: and a generated column");
	is($node->safe_psql($to, "SET ROLE stranger; INSERT INTO written VALUES (1, 'red shoes'); RESET ROLE; SELECT v OPERATOR(maskgen.=) maskgen.embed_document('m', body) FROM written"), 't',
		"$format: and an embedding trigger, to which the owner has consented");

	like($node->safe_psql($to, $vector, extra_params => [ '-U', 'friend' ]), qr/^\[/, "$format: a grant still holds");
	my ($status, $out, $error) = $node->psql($to, $vector, extra_params => [ '-U', 'stranger' ]);
	like($error, qr/permission denied for model "m"/, "$format: who had none has none");
	is($node->safe_psql($to, q(SELECT count(*) FROM maskgen.fill_mask('mlm', 'a [MASK]')), extra_params => [ '-U', 'stranger' ]),
		5, "$format: a grant to public holds");

	# The sequence goes on behind the restored models.
	$node->safe_psql($to, qq(SELECT maskgen.create_model('new', '$tiny/bert-mlm')));
	is($node->safe_psql($to, q(SELECT count(DISTINCT id) FROM "+maskgen".model)), 4, "$format: a new model gets a new number");
	$node->safe_psql($to, q(SELECT maskgen.drop_model('new')));
	is($node->safe_psql($to, q(SELECT count(DISTINCT model) FROM "+maskgen".model_chunk)), 3, "$format: and leaves no chunks");
}
$node->stop;
done_testing();
