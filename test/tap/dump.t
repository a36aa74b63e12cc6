#!/usr/bin/perl
# Models in a dump: bytes, owner and grants come back, and the restored model gives the same vectors; and so do all rows of tables that need a model
# while they are loaded.
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
	is($node->safe_psql($to, q(SELECT count(DISTINCT id) FROM "+maskgen".model)), 3, "$format: and leaves no chunks");
}

# Roles that are missing where a dump is restored
$node->safe_psql('postgres', 'CREATE DATABASE roles; CREATE DATABASE without; CREATE ROLE gone; CREATE ROLE "Gone, too"; GRANT pg_read_server_files TO gone');
$node->safe_psql(
	'roles', qq(
	CREATE EXTENSION maskgen;
	SET ROLE gone;
	SELECT maskgen.create_model('m', '$tiny/bert-embed-mean');
	SELECT maskgen.grant_model('m', role) FROM unnest(ARRAY['friend', 'Gone, too', 'owner']) role;
	RESET ROLE;
	SELECT maskgen.create_model('n', '$tiny/bert-mlm');
	SELECT maskgen.grant_model('n', role) FROM unnest(ARRAY['gone', 'public']) role;));
$node->command_ok([ 'pg_dump', '-f', $file, $node->connstr('roles') ], 'roles: dumped');
$node->safe_psql('postgres', 'DROP ROLE gone; DROP ROLE "Gone, too"');
my ($said, $warned) = run_command([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $file, $node->connstr('without') ]);
like($warned, qr/WARNING:  role "gone" of a model does not exist/, 'a missing role is a warning');
my $grants = q(SELECT name, owner, grants FROM "+maskgen".model WHERE part < 0 ORDER BY name);
is($node->safe_psql('without', $grants), "m|postgres|{friend,owner}\nn|postgres|{-}", 'the model is of who restores, other grants survive');
# Dropped after all, roles are numbers in a dump, which somebody else may have where it is restored.
$node->command_ok([ 'pg_dump', '-f', $file, $node->connstr('roles') ], 'roles: dumped without them');
$node->safe_psql('postgres', 'DROP DATABASE without');
$node->safe_psql('postgres', 'CREATE DATABASE without');
run_command([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $file, $node->connstr('without') ]);
is($node->safe_psql('without', $grants), "m|postgres|{friend,owner}\nn|postgres|{-}", 'numbers of roles are nobody');

# Tables that need a model while they are loaded, in schemas of all kinds of names. Three of each kind are larger than the models, so that
# pg_restore begins with them. The owner of the database is no superuser, and not the models'.
my @schemas = qw(a public zz "App" "2024");
my %kind = (
	generated => "v maskgen.vector(32) GENERATED ALWAYS AS (maskgen.embed('m', body)) STORED NOT NULL",
	check => "CHECK (maskgen.count_tokens('m', body) > 2), CHECK (maskgen.embed('m', body) OPERATOR(maskgen.<->) maskgen.embed('m', 'a') < 9)",
	domain => 'toned public.toned',
	index => '');
$node->safe_psql('postgres', 'CREATE ROLE dbo LOGIN; CREATE ROLE modeller; GRANT pg_read_server_files TO modeller');

sub psql_as
{
	my ($role, $database, $sql) = @_;

	return $node->safe_psql($database, $sql, extra_params => [ '-U', $role ]);
}

sub make_source
{
	my ($kind) = @_;

	$node->safe_psql('postgres', "CREATE DATABASE of_$kind OWNER dbo");
	$node->safe_psql(
		"of_$kind", qq(
		CREATE EXTENSION maskgen;
		SET ROLE modeller;
		SELECT maskgen.create_model('m', '$tiny/bert-embed-mean', '{"max_tokens": 12}');
		SELECT maskgen.create_model('mlm', '$tiny/bert-mlm')));
	psql_as('dbo', "of_$kind", q(CREATE DOMAIN public.toned AS text CHECK (maskgen.classify('mlm', VALUE, '{world,sports}') IN ('world', 'sports'))));
	for my $schema (@schemas)
	{
		my $rows = $schema =~ /"/ ? 20 : 600;

		psql_as('dbo', "of_$kind", "CREATE SCHEMA IF NOT EXISTS $schema;" . "CREATE TABLE $schema.t (" . join(', ', 'id int PRIMARY KEY', 'body text', 'pad text', grep { length } $kind{$kind}) . ');' .
			"INSERT INTO $schema.t (id, body, pad" . ($kind eq 'domain' ? ', toned' : '') . ") SELECT i, 'note ' || i % 40, string_agg(md5(i::text || j), '')" . ($kind eq 'domain' ? ", 'tone ' || i % 40" : '') .
			" FROM generate_series(1, $rows) i, generate_series(1, 40) j GROUP BY i;" . ($kind eq 'index' ? "CREATE INDEX ON $schema.t ((maskgen.classify('mlm', body, '{world,sports}')));" .
				"CREATE INDEX ON $schema.t USING maskgen_hnsw ((maskgen.embed('m', body)::maskgen.vector(32)) maskgen.vector_cosine_ops);" : ''));
	}
}

# Number and contents of all rows, read by an index too where there is one.
sub rows_of
{
	my ($database) = @_;

	return join "\n", map { $node->safe_psql($database, "SELECT count(*), md5(string_agg(t::text, ' ' ORDER BY id)) FROM $_.t") } @schemas;
}

sub restore_into
{
	my ($kind, $role, @command) = @_;
	my $to = "to_$kind";

	$node->safe_psql('postgres', "DROP DATABASE IF EXISTS $to");
	$node->safe_psql('postgres', "CREATE DATABASE $to OWNER dbo");
	$node->safe_psql($to, 'CREATE EXTENSION maskgen') if $role eq 'dbo';
	my ($out, $error) = run_command([ @command[ 0 .. $#command - 1 ], '-U', $role, '-d', $to, $command[-1] ]);
	# Who is no superuser finds the extension there, and may not make or change it.
	my @unexpected = grep { /ERROR/ && !($role eq 'dbo' && /schema "maskgen" already exists|must be owner of (schema|extension)|must be able to SET ROLE|must be member of role|permission denied/) } split /\n/, $error;
	my $indexes = $node->safe_psql($to, q(SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE relname = 't' AND indisvalid));

	return join("\n", @unexpected, rows_of($to), $indexes);
}

$ENV{PGHOST} = $node->host;
$ENV{PGPORT} = $node->port;
for my $kind (sort keys %kind)
{
	make_source($kind);
	my $want = rows_of("of_$kind") . "\n" . ($kind eq 'index' ? 15 : 5);

	for my $format (qw(plain custom directory))
	{
		run_command([ 'rm', '-rf', "$file.$format" ]);
		$node->command_ok([ 'pg_dump', '-U', 'dbo', "--format=$format", '-f', "$file.$format", "of_$kind" ], "$kind, $format: dumped by the database's owner");
	}
	my ($list) = run_command([ 'pg_restore', '-l', "$file.directory" ]);
	my ($models) = map { -s "$file.directory/$_.dat.gz" } $list =~ /^(\d+);.* TABLE DATA \+maskgen model /m;
	is(scalar(grep { -s "$file.directory/$_.dat.gz" > $models } $list =~ /^(\d+);.* TABLE DATA \S+ t /mg), 3, "$kind: three tables are larger than the models");
	for my $role (qw(postgres dbo))
	{
		is(restore_into($kind, $role, 'psql', '-X', '-q', "--file=$file.plain"), $want, "$kind, plain, $role: all rows");
		is(restore_into($kind, $role, 'pg_restore', $role eq 'dbo' ? () : '-j4', "$file.custom"), $want, "$kind, custom, in parallel by a superuser, $role: all rows");
		is(restore_into($kind, $role, 'pg_restore', '-j4', "$file.directory"), $want, "$kind, directory in parallel, $role: all rows");
	}
}

# With fewer workers than such tables somebody has to give up, and says what to do.
my $want = rows_of('of_generated');
run_command([ 'rm', '-rf', "$file.directory" ]);
run_command([ 'pg_dump', '-U', 'dbo', '--format=directory', '-f', "$file.directory", 'of_generated' ]);
like(restore_into('generated', 'postgres', 'pg_restore', '-j2', "$file.directory"), qr/model "m" does not exist/, 'not enough workers: an error');
$node->safe_psql('postgres', 'DROP DATABASE to_generated');
$node->safe_psql('postgres', 'CREATE DATABASE to_generated OWNER dbo');
for my $step ([ '--section=pre-data' ], [ '--section=data', '--schema=+maskgen' ], [ '-j2', '--section=data', '--exclude-schema=+maskgen' ], [ '-j2', '--section=post-data' ])
{
	$node->command_ok([ 'pg_restore', '--exit-on-error', '-U', 'postgres', '-d', 'to_generated', @$step, "$file.directory" ], "in steps: @$step");
}
is(rows_of('to_generated'), $want, 'in steps: all rows');

# Who waits is woken by the model, and only in a session that restores.
my $waiting = $node->background_psql('target_plain');
$waiting->query_safe(q(SELECT set_config('search_path', '', false); SET check_function_bodies = false; SET row_security = off));
$waiting->query_until(qr/waits/, qq(\\echo waits\nSELECT maskgen.count_tokens('late', 'a');\n\\echo done\n));
$node->poll_query_until('target_plain', q(SELECT count(*) = 1 FROM pg_stat_activity WHERE query ~ 'late' AND wait_event_type = 'Extension')) or die 'nobody waits';
$node->safe_psql('target_plain', qq(SELECT maskgen.create_model('late', '$tiny/bert-mlm')));
like($waiting->query_until(qr/done/, ''), qr/^3\ndone/m, 'a model that comes is found');
$waiting->quit;
$node->stop;
done_testing();
