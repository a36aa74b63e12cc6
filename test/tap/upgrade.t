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

# With models, and things of a user's that depend on all of it
$node->safe_psql('postgres', 'CREATE DATABASE used');
$node->safe_psql(
	'used', qq(
	CREATE EXTENSION maskgen VERSION '0.1.0';
	SET ROLE owner;
	SELECT maskgen.create_model('m', '$tiny/bert-embed-mean', '{"max_tokens": 12}');
	SELECT maskgen.create_model('mlm', '$tiny/bert-mlm');
	SELECT maskgen.grant_model('m', 'friend'), maskgen.grant_model('mlm', 'public');
	RESET ROLE;
	GRANT CREATE ON SCHEMA public TO friend;
	CREATE TABLE note (id int PRIMARY KEY, body text, v maskgen.vector(32) GENERATED ALWAYS AS (maskgen.embed('m', body)) STORED,
		w maskgen.vector(32), h maskgen.halfvec(32));
	CREATE INDEX ON note USING maskgen_hnsw (v maskgen.vector_cosine_ops);
	CREATE INDEX ON note (v);
	CREATE INDEX ON note ((maskgen.classify('mlm', body, '{world,sports}')));
	SELECT maskgen.create_embed_trigger('note', 'm', 'body', 'w');
	CREATE TABLE alone (id int PRIMARY KEY, body text, w maskgen.vector(32));
	CREATE TABLE shared (LIKE alone INCLUDING ALL);
	GRANT TRIGGER ON shared TO friend;
	GRANT INSERT ON alone, shared TO stranger;
	-- As create_embed_trigger of 0.1.0 made them
	CREATE TRIGGER w_embed_insert AFTER INSERT ON alone REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT
		EXECUTE FUNCTION maskgen.embed_statement_trigger('m', 'body', 'w');
	CREATE TRIGGER w_embed_insert AFTER INSERT ON shared REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT
		EXECUTE FUNCTION maskgen.embed_statement_trigger('m', 'body', 'w');
	CREATE VIEW mine AS SELECT name, owner, loaded FROM maskgen.models;
	CREATE VIEW same AS SELECT a.id FROM note a JOIN note b ON a.v OPERATOR(maskgen.=) b.v AND maskgen.vector_cmp(a.v, b.v) = 0;
	CREATE VIEW means AS SELECT maskgen.avg(v) AS mean FROM note;
	SELECT maskgen.enable_pgvector_names();
	CREATE INDEX note_named ON note USING hnsw (v maskgen.vector_l2_ops);
	INSERT INTO note (id, body, h) SELECT i, 'note ' || i, array_fill(i, '{32}') FROM generate_series(1, 50) i;
));

my $answers = q(
	SELECT name, owner FROM mine ORDER BY name;
	SELECT count(*) FROM same;
	SELECT mean FROM means;
	SELECT md5(string_agg(v::text || w::text || h::text, ' ' ORDER BY id)) FROM note;
	SET enable_seqscan = off;
	SELECT array_agg(id) FROM (SELECT id FROM note ORDER BY v OPERATOR(maskgen.<=>) maskgen.embed('m', 'note 7') LIMIT 3) x;
	SELECT array_agg(id) FROM (SELECT id FROM note ORDER BY v OPERATOR(maskgen.<->) maskgen.embed('m', 'note 7') LIMIT 3) x;
	SELECT count(*) FROM note WHERE maskgen.classify('mlm', body, '{world,sports}') = 'sports';
	SELECT id FROM note WHERE v OPERATOR(maskgen.=) maskgen.embed('m', 'note 9'););
my $before = $node->safe_psql('used', $answers);
my $session = $node->background_psql('used');
my $keeps = q(SELECT maskgen.embed('m', 'note 7'), (SELECT owner FROM mine WHERE name = 'm'););
my $kept = $session->query_safe($keeps);

$node->safe_psql('used', 'ALTER EXTENSION maskgen UPDATE');
is($node->safe_psql('used', $answers), $before, 'tables, indexes and views give the same');
is($session->query_safe($keeps), $kept, 'in a session that was there before as well');
$session->quit;
is($node->safe_psql('used', q(INSERT INTO note (id, body) VALUES (51, 'a new one'); SELECT maskgen.embed_document('m', body)::text = w::text FROM note WHERE id = 51)), 't', 'triggers embed');
is($node->safe_psql('used', q(SET ROLE stranger; INSERT INTO alone (id, body) VALUES (1, 'by a writer'); RESET ROLE; SELECT w IS NOT NULL FROM alone)), 't',
	'for all who write, where the owner alone could have made them');
my ($status_shared, $out_shared, $error_shared) = $node->psql('used', q(SET ROLE stranger; INSERT INTO shared (id, body) VALUES (1, 'by a writer')));
like($error_shared, qr/permission denied for model "m".*with the rights of who writes, for the owner of table "shared" has not consented/s, 'elsewhere the owner is asked');
like($node->safe_psql('used', q(SELECT maskgen.embed('m', 'a')), extra_params => [ '-U', 'friend' ]), qr/^\[/, 'grants hold');
is($node->safe_psql('used', qq(SELECT maskgen.create_model('new', '$tiny/bert-mlm') IS NOT NULL; SELECT maskgen.drop_model('m', cascade => true); SELECT string_agg(name, ' ' ORDER BY name) FROM maskgen.maskgen_models)),
	"t\n\nmlm new", 'models are made and dropped');

# Whom an update does not trust
$node->safe_psql('postgres', 'CREATE DATABASE owned');
$node->safe_psql('owned', q(CREATE SCHEMA maskgen AUTHORIZATION friend; CREATE EXTENSION maskgen VERSION '0.1.0'));
my ($status, $out, $error) = $node->psql('owned', 'ALTER EXTENSION maskgen UPDATE');
like($error, qr/schema "maskgen" belongs to role "friend"/, 'a schema that another role owns is refused');
$node->safe_psql('owned', 'ALTER SCHEMA maskgen OWNER TO CURRENT_USER; ALTER EXTENSION maskgen UPDATE');
is($node->safe_psql('owned', q(SELECT extversion FROM pg_extension WHERE extname = 'maskgen')), '0.2.0', 'until it is not');
$node->stop;
done_testing();
