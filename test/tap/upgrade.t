#!/usr/bin/perl
# ALTER EXTENSION UPDATE: what was made with 0.1.0 goes on working, and the extension becomes what a new one is.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $tiny = "$ENV{PG_ABS_SRCDIR}/golden/tiny";
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "max_prepared_transactions = 2");
$node->start;

# Each member with its definition, owner, privileges and comment, without OIDs: as pg_upgrade would make it.
sub members
{
	my ($database) = @_;
	my ($dump, $error) = run_command([ 'pg_dump', '--schema-only', '--binary-upgrade', $node->connstr($database) ]);

	return join "\n", grep { !/binary_upgrade|^\\(un)?restrict|^SET |relfrozenxid|^UPDATE pg_catalog|^WHERE oid|^-- For binary/ } split /\n/, $dump;
}

$node->safe_psql('postgres', 'CREATE DATABASE fresh; CREATE DATABASE old; CREATE ROLE owner; CREATE ROLE friend LOGIN; CREATE ROLE stranger; GRANT pg_read_server_files TO owner');
$node->safe_psql('fresh', 'CREATE EXTENSION maskgen');
$node->safe_psql('old', q(CREATE EXTENSION maskgen VERSION '0.1.0'));
$node->safe_psql('old', 'ALTER EXTENSION maskgen UPDATE');
is(members('old'), members('fresh'), 'an update makes the members that a new extension has');
is($node->safe_psql('old', q(SELECT extversion, extrelocatable, array_length(extconfig, 1) FROM pg_extension WHERE extname = 'maskgen')),
	$node->safe_psql('fresh', q(SELECT extversion, extrelocatable, array_length(extconfig, 1) FROM pg_extension WHERE extname = 'maskgen')), 'and its row');

# With models, and things of a user's that depend on all of it. This library does not read the tables of 0.1.0, so models are put there by hand, and
# rows of a generated column come later.
my $columns = 'id, name, version, owner, architecture, tasks, dims, max_tokens, parameters, dtype, stored_bytes, options, created';
my $file = $node->basedir . '/models';
$node->safe_psql('postgres', 'CREATE DATABASE made; CREATE DATABASE used');
$node->safe_psql(
	'made', qq(
	CREATE EXTENSION maskgen;
	SET ROLE owner;
	SELECT maskgen.create_model('m', '$tiny/bert-embed-mean', '{"max_tokens": 12}');
	SELECT maskgen.create_model('mlm', '$tiny/bert-mlm');
	RESET ROLE;
	COPY (SELECT $columns FROM "+maskgen".model WHERE part < 0) TO '$file';
	COPY (SELECT id, part, data FROM "+maskgen".model WHERE part >= 0) TO '$file.parts'));
$node->safe_psql(
	'used', qq(
	CREATE EXTENSION maskgen VERSION '0.1.0';
	COPY maskgen.model ($columns) FROM '$file';
	COPY maskgen.model_chunk FROM '$file.parts';
	INSERT INTO maskgen.model_grant SELECT id, CASE name WHEN 'm' THEN 'friend'::regrole ELSE 0::oid END FROM maskgen.model;
	SELECT setval('maskgen.model_id_seq', 2);
	CREATE TABLE note (id int PRIMARY KEY, body text, v maskgen.vector(32) GENERATED ALWAYS AS (maskgen.embed('m', body)) STORED,
		w maskgen.vector(32));
	CREATE INDEX ON note USING maskgen_hnsw (v maskgen.vector_cosine_ops);
	CREATE INDEX ON note ((maskgen.classify('mlm', body, '{world,sports}')));
	CREATE TABLE alone (id int PRIMARY KEY, body text, w maskgen.vector(32));
	CREATE TABLE shared (LIKE alone INCLUDING ALL);
	GRANT TRIGGER ON shared TO friend;
	GRANT INSERT ON alone, shared TO stranger;
	-- As create_embed_trigger of 0.1.0 made them
	CREATE TRIGGER w_embed_insert AFTER INSERT ON alone REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT
		EXECUTE FUNCTION maskgen.embed_statement_trigger('m', 'body', 'w');
	CREATE TRIGGER w_embed_insert AFTER INSERT ON shared REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT
		EXECUTE FUNCTION maskgen.embed_statement_trigger('m', 'body', 'w');
	CREATE TRIGGER w_embed_insert AFTER INSERT ON note REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT
		EXECUTE FUNCTION maskgen.embed_statement_trigger('m', 'body', 'w');
	CREATE TABLE item (id int, v maskgen.vector(3), h maskgen.halfvec(3));
	INSERT INTO item SELECT i, ARRAY[i, i % 7, 1]::real[]::maskgen.vector(3), ARRAY[i, i % 7, 1]::real[]::maskgen.halfvec(3) FROM generate_series(1, 300) i;
	CREATE INDEX ON item USING maskgen_hnsw (v maskgen.vector_l2_ops);
	CREATE INDEX ON item (v);
	CREATE VIEW mine AS SELECT name, owner, loaded FROM maskgen.models;
	CREATE VIEW same AS SELECT a.id FROM item a JOIN item b ON a.v OPERATOR(maskgen.=) b.v AND maskgen.vector_cmp(a.v, b.v) = 0;
	CREATE VIEW means AS SELECT maskgen.avg(v) AS mean FROM item;
	SELECT maskgen.enable_pgvector_names();
	CREATE INDEX named ON item USING hnsw (h maskgen.halfvec_l2_ops);
));
my ($status, $out, $error) = $node->psql('used', q(SELECT maskgen.embed('m', 'a')));
like($error, qr/is of another version than its library.*\n.*ALTER EXTENSION maskgen UPDATE/, 'who does not update is told to');
($status, $out, $error) = $node->psql('used', qq(SELECT maskgen.create_model('n', '$tiny/bert-mlm')));
like($error, qr/is of another version than its library/, 'also who makes a model');

my $answers = q(
	SELECT count(*) FROM same;
	SELECT mean FROM means;
	SET enable_seqscan = off;
	SELECT array_agg(id) FROM (SELECT id FROM item ORDER BY v OPERATOR(maskgen.<->) '[77,0,1]' LIMIT 3) x;
	SELECT array_agg(id) FROM (SELECT id FROM item ORDER BY h OPERATOR(maskgen.<->) '[77,0,1]' LIMIT 3) x;
	SELECT id FROM item WHERE v OPERATOR(maskgen.=) '[9,2,1]';);
my $before = $node->safe_psql('used', $answers);
my $session = $node->background_psql('used');
$session->query_safe(q(SELECT id FROM item ORDER BY v OPERATOR(maskgen.<->) '[77,0,1]' LIMIT 3));

$node->safe_psql('used', 'ALTER EXTENSION maskgen UPDATE');
is($node->safe_psql('used', $answers), $before, 'tables, indexes and views give the same');
is($node->safe_psql('used', 'SELECT name, owner FROM mine ORDER BY name'), "m|owner\nmlm|owner", 'models are there, and have their owner');
is($session->query_safe(q(SELECT owner FROM mine WHERE name = 'm' AND maskgen.embed('m', 'a') IS NOT NULL)), 'owner', 'in a session that was there before as well');
$session->quit;
is($node->safe_psql('used', q(INSERT INTO note (id, body) SELECT i, 'note ' || i FROM generate_series(1, 50) i;
	SELECT count(*) FROM note WHERE maskgen.embed('m', body)::text = v::text AND maskgen.embed_document('m', body)::text = w::text)), '50',
	'generated columns and triggers embed');
is($node->safe_psql('used', q(SET ROLE stranger; INSERT INTO alone (id, body) VALUES (1, 'by a writer'); RESET ROLE; SELECT w IS NOT NULL FROM alone)), 't',
	'for all who write, where the owner alone could have made them');
my ($status_shared, $out_shared, $error_shared) = $node->psql('used', q(SET ROLE stranger; INSERT INTO shared (id, body) VALUES (1, 'by a writer')));
like($error_shared, qr/permission denied for model "m".*with the rights of who writes, for the owner of table "shared" has not consented/s, 'elsewhere the owner is asked');
like($node->safe_psql('used', q(SELECT maskgen.embed('m', 'a')), extra_params => [ '-U', 'friend' ]), qr/^\[/, 'grants hold');
($status, $out, $error) = $node->psql('used', q(SELECT maskgen.revoke_model('m', 'friend'); SET ROLE friend; SELECT maskgen.embed('m', 'a')));
like($error, qr/permission denied for model "m"/, 'and can be revoked');
is($node->safe_psql('used', qq(SELECT maskgen.create_model('new', '$tiny/bert-mlm') IS NOT NULL; SELECT maskgen.drop_model('m', cascade => true);
	SELECT string_agg(name, ' ' ORDER BY name) FROM maskgen.maskgen_models)), "t\n\nmlm new", 'models are made and dropped');

# Whom an update does not trust
$node->safe_psql('postgres', 'CREATE DATABASE owned');
$node->safe_psql('owned', q(CREATE SCHEMA maskgen AUTHORIZATION friend; CREATE EXTENSION maskgen VERSION '0.1.0'));
($status, $out, $error) = $node->psql('owned', 'ALTER EXTENSION maskgen UPDATE');
like($error, qr/schema "maskgen" belongs to role "friend"/, 'a schema that another role owns is refused');
$node->safe_psql('owned', 'ALTER SCHEMA maskgen OWNER TO CURRENT_USER; ALTER EXTENSION maskgen UPDATE');
is($node->safe_psql('owned', q(SELECT extversion FROM pg_extension WHERE extname = 'maskgen')), '0.2.0', 'until it is not');
$node->stop;
done_testing();
