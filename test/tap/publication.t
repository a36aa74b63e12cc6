#!/usr/bin/perl
# A publication FOR ALL TABLES, and a subscriber with models of its own.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $tiny = "$ENV{PG_ABS_SRCDIR}/golden/tiny";
my ($publisher, $subscriber) = map { PostgreSQL::Test::Cluster->new($_) } qw(publisher subscriber);
$publisher->init(allows_streaming => 'logical');
$subscriber->init(allows_streaming => 'logical');
for my $node ($publisher, $subscriber)
{
	$node->append_conf('postgresql.conf', 'fsync = off');
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION maskgen; CREATE TABLE doc (id int PRIMARY KEY, body text, embedding maskgen.vector(32))');
}
# The same name and the same numbers, other models
$publisher->safe_psql(
	'postgres', qq(
	SELECT maskgen.create_model('m', '$tiny/bert-embed-mean');
	SELECT maskgen.create_model('theirs', '$tiny/bert-embed-mean');
	SELECT maskgen.create_embed_trigger('doc', 'm', 'body', 'embedding');
	INSERT INTO doc VALUES (1, 'first');
	CREATE PUBLICATION p FOR ALL TABLES));
$subscriber->safe_psql(
	'postgres', qq(
	SELECT maskgen.create_model('m', '$tiny/bert-embed-cls');
	ALTER TABLE doc ADD own maskgen.vector(32) GENERATED ALWAYS AS (maskgen.embed('m', body)) STORED;));
my $models = 'SELECT name, version FROM maskgen.maskgen_models ORDER BY 1';
my ($of_publisher, $of_subscriber) = map { $_->safe_psql('postgres', $models) } $publisher, $subscriber;
isnt($of_subscriber, $of_publisher, 'models differ');

my $connection = $publisher->connstr . ' dbname=postgres';
$subscriber->safe_psql('postgres', "CREATE SUBSCRIPTION s CONNECTION '$connection' PUBLICATION p");
$subscriber->wait_for_subscription_sync($publisher, 's');
is($subscriber->safe_psql('postgres', $models), $of_subscriber, 'the first copy leaves the subscriber its models');
my $same = q(SELECT id, body, embedding FROM doc ORDER BY id);
is($subscriber->safe_psql('postgres', $same), $publisher->safe_psql('postgres', $same), 'and brings rows with their vectors');

$publisher->safe_psql(
	'postgres', qq(
	SELECT maskgen.create_model('third', '$tiny/bert-mlm');
	SELECT maskgen.grant_model('m', 'public');
	SELECT maskgen.drop_model('theirs');
	SELECT maskgen.drop_model('m', cascade => true);
	INSERT INTO doc VALUES (2, 'second')));
$publisher->wait_for_catchup('s');
is($subscriber->safe_psql('postgres', $models), $of_subscriber, 'nor do changes, grants and drops of models reach it');
is($subscriber->safe_psql('postgres', q(SELECT count(*) FROM "+maskgen".model WHERE part >= 0)), '1', 'no piece of one is left there');
is($subscriber->safe_psql('postgres', q(SELECT count(*) FROM doc WHERE own OPERATOR(maskgen.=) maskgen.embed('m', body))), '2',
	'rows go on, and what its own models compute is of these');
$subscriber->safe_psql('postgres', q(SELECT maskgen.drop_model('m', cascade => true)));
is($subscriber->safe_psql('postgres', $models), '', 'its models are its to drop');
unlike(slurp_file($subscriber->logfile), qr/ERROR/, 'no error was met');

# A restore in the same role is none of that
my ($other) = map { PostgreSQL::Test::Utils::tempdir() . "/$_" } 'models.sql';
$publisher->command_ok([ 'pg_dump', '--data-only', '--exclude-table-data=public.*', '-f', $other, $connection ], 'models are dumped');
my $text = slurp_file($other);
open my $file, '>', $other or die $!;
print $file "SET session_replication_role = replica;\n$text";
close $file;
$subscriber->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $other, $subscriber->connstr('postgres') ], 'and restored as a replica');
is($subscriber->safe_psql('postgres', $models), $publisher->safe_psql('postgres', $models), 'they are all there');
$subscriber->stop;
$publisher->stop;
done_testing();
