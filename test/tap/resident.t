#!/usr/bin/perl
# The resident copies of models: one load for all sessions, and nothing left behind by whatever ends one.
#
# A load is held without waiting for any time to pass: its partial file, whose name is known once a model was
# loaded, is a named pipe that takes one page and that nobody reads from.
use strict;
use warnings;
use Fcntl qw(F_SETPIPE_SZ O_RDONLY O_NONBLOCK);
use File::Copy qw(copy);
use File::Path qw(make_path);
use IO::Select;
use POSIX qw(mkfifo);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $tiny = "$ENV{PG_ABS_SRCDIR}/golden/tiny";
my $embed = q(SELECT maskgen.embed('m', 'red shoes'));

my $node = PostgreSQL::Test::Cluster->new('primary');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', "log_min_messages = debug1\nrestart_after_crash = on\nmaskgen.result_cache_size = 0");
$node->start;
$node->safe_psql('postgres',
	"CREATE EXTENSION maskgen; SELECT maskgen.create_model('m', '$tiny/bert-embed-mean')");

sub directory { return $_[0]->data_dir . '/pgsql_tmp_maskgen' }

# Names of the files, partial ones included.
sub files
{
	opendir my $handle, directory(shift) or return ();
	my @names = sort grep { !/^\.\.?$/ } readdir $handle;
	return @names;
}

sub is_loaded
{
	my ($model) = @_;
	return $node->safe_psql('postgres', "SELECT loaded FROM maskgen.maskgen_models WHERE name = '$model'") eq 't';
}

# How often a file was built since the log had that size.
sub builds
{
	my ($offset) = @_;
	my @lines = slurp_file($node->logfile, $offset) =~ /building file "/g;
	return scalar @lines;
}

sub session { return $node->background_psql('postgres', on_error_stop => 0) }

sub start
{
	my ($session, $sql) = @_;
	$session->query_until(qr/started/, "\\echo started\n$sql;\n");
}

# What the statement that was started printed.
sub finish
{
	my ($session) = @_;
	my $output = $session->query_until(qr/finished/, "\\echo finished\n");
	return $output =~ s/\s*finished\s*//r;
}

my $expected = $node->safe_psql('postgres', $embed);
my @names = files($node);
is(scalar @names, 1, 'a model that was used has one file');
my $file = $names[0];
like($file, qr/^pgsql_tmp\./, 'which base backups skip');

# Begins a load of m in the session, and returns once it is under way.
sub hold_load
{
	my ($session) = @_;
	my $path = directory($node) . "/$file." . $session->query('SELECT pg_backend_pid()');

	$node->safe_psql('postgres', "SELECT maskgen.unload_model('m')");
	mkfifo($path, 0666) or die "could not make $path: $!";
	chmod 0666, $path;
	sysopen my $pipe, $path, O_RDONLY | O_NONBLOCK or die "could not open $path: $!";
	fcntl $pipe, F_SETPIPE_SZ, 4096 or die "could not shrink a pipe: $!";
	start($session, $embed);
	# A pipe that nobody has opened for writing yet is at its end, which is readable, too.
	my $byte;
	until (IO::Select->new($pipe)->can_read && sysread($pipe, $byte, 1)) { }
	return $pipe;
}

sub wait_for_waiters
{
	my ($n) = @_;
	$node->poll_query_until('postgres',
		"SELECT count(*) = $n FROM pg_stat_activity WHERE wait_event_type = 'Extension' AND query LIKE '%embed%'")
	  or die 'nobody waits for the load';
}

subtest 'a loader that is cancelled or terminated' => sub {
	for my $how (qw(pg_cancel_backend pg_terminate_backend))
	{
		my $loader = session();
		my @others = map { session() } 1 .. 7;
		my $pid = $loader->query('SELECT pg_backend_pid()');
		my $pipe = hold_load($loader);
		my $offset = -s $node->logfile;

		start($_, $embed) for @others;
		wait_for_waiters(7);
		ok(!is_loaded('m'), 'a model that is loading is not loaded');
		$node->safe_psql('postgres', "SELECT $how($pid)");
		is_deeply([ map { finish($_) } @others ], [ ($expected) x 7 ], "$how: seven sessions that waited go on");
		is(builds($offset), 1, 'after a single load');
		is_deeply([ files($node) ], [$file], 'and nothing else is left');
		is($node->safe_psql('postgres', q(SELECT users FROM maskgen.maskgen_models WHERE name = 'm')), 7, 'seven users');
		$_->quit for @others;
		$node->poll_query_until('postgres', q(SELECT users = 0 FROM maskgen.maskgen_models WHERE name = 'm'));
		is($node->safe_psql('postgres', q(SELECT users FROM maskgen.maskgen_models WHERE name = 'm')), 0, 'none when they left');
		close $pipe;
		$how eq 'pg_cancel_backend' ? $loader->quit : $loader->{run}->kill_kill;
	}
};

subtest 'a waiter is cancelled' => sub {
	my ($loader, $waiter) = (session(), session());
	my $loading = $loader->query('SELECT pg_backend_pid()');
	my $pid = $waiter->query('SELECT pg_backend_pid()');
	my $pipe = hold_load($loader);

	start($waiter, $embed);
	wait_for_waiters(1);
	$node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
	is(finish($waiter), '', 'it has no result');
	like($waiter->{stderr}, qr/canceling statement due to user request/, 'but the error');
	$node->safe_psql('postgres', "SELECT pg_cancel_backend($loading)");
	finish($loader);
	is($loader->query($embed), $expected, 'the cancelled loader can load');
	$_->quit for $loader, $waiter;
};

subtest 'a loader that is killed' => sub {
	my $loader = session();
	my $pid = $loader->query('SELECT pg_backend_pid()');
	my $pipe = hold_load($loader);
	my $offset = -s $node->logfile;

	is(kill('KILL', $pid), 1, 'killed');
	$loader->{run}->kill_kill;
	$node->wait_for_log(qr/all server processes terminated; reinitializing/, $offset);
	$node->poll_query_until('postgres', 'SELECT true') or die 'the server did not come back';
	is_deeply([ files($node) ], ["$file.$pid"], 'its partial file is left');
	is($node->safe_psql('postgres', $embed), $expected, 'the next session loads');
	is_deeply([ files($node) ], [$file], 'and sweeps');
};

subtest 'a full disk' => sub {
	my $session = session();
	my $path = directory($node) . "/$file." . $session->query('SELECT pg_backend_pid()');

	$node->safe_psql('postgres', q(SELECT maskgen.unload_model('m')));
	symlink '/dev/full', $path or die "could not make $path: $!";
	$session->query("\\set VERBOSITY verbose\n$embed");
	like($session->{stderr}, qr/ERROR:  53100: could not write file .*No space left on device/, 'is an error');
	like($session->{stderr}, qr/HINT:  Make room/, 'with a hint');
	is_deeply([ files($node) ], [], 'that leaves nothing');
	is($session->query($embed), $expected, 'and the next attempt succeeds');
	$session->quit;
};

subtest 'restart' => sub {
	my $path = directory($node) . "/$file";
	my $start = -s $node->logfile;

	$node->restart;
	ok(!is_loaded('m'), 'nothing is loaded after a restart');
	is($node->safe_psql('postgres', $embed), $expected, 'same result');
	is(builds($start), 0, 'from the same file');

	for my $place (0, 5000, -60, -1)
	{
		my $offset = -s $node->logfile;

		$node->stop;
		open my $handle, '+<:raw', $path or die "could not open $path: $!";
		seek $handle, $place, $place < 0 ? 2 : 0;
		read $handle, my $byte, 1;
		seek $handle, $place, $place < 0 ? 2 : 0;
		print $handle chr(ord($byte) ^ 1);
		close $handle;
		$node->start;
		is($node->safe_psql('postgres', $embed), $expected, "a bit that flipped at $place changes nothing");
		like(slurp_file($node->logfile, $offset), qr/file "[^"]*" is damaged/, 'but is noticed');
		is(builds($offset), 1, 'and the file is built anew');
	}

	$node->stop;
	truncate $path, 1000;
	$node->start;
	is($node->safe_psql('postgres', $embed), $expected, 'a file that was cut changes nothing');
	$node->safe_psql('postgres', $embed);
};

subtest 'rollback and drop' => sub {
	$node->safe_psql('postgres', qq(
		BEGIN;
		SELECT maskgen.create_model('gone', '$tiny/bert-embed-cls');
		SELECT maskgen.embed('gone', 'x');
		ROLLBACK));
	is_deeply([ files($node) ], [$file], 'a model that was rolled back leaves no file');
	$node->safe_psql('postgres', qq(
		SELECT maskgen.create_model('gone', '$tiny/bert-embed-cls');
		SELECT maskgen.embed('gone', 'x')));
	is(scalar(files($node)), 2, 'one that was committed has one');
	$node->safe_psql('postgres', q(SELECT maskgen.drop_model('gone')));
	is_deeply([ files($node) ], [$file], 'until it is dropped');
};

subtest 'the extension or the database is dropped' => sub {
	my $setup = qq(
		CREATE EXTENSION maskgen;
		SELECT maskgen.create_model('m', '$tiny/bert-embed-mean'), maskgen.create_model('gone', '$tiny/bert-embed-cls');
		SELECT maskgen.embed('m', 'x'), maskgen.embed('gone', 'x'));
	$node->safe_psql('postgres', $embed);
	$node->safe_psql('postgres', 'CREATE DATABASE other');
	$node->safe_psql('other', $setup);
	is(scalar(files($node)), 2, 'two models, one of which another database has as well');
	$node->safe_psql('other', q(LOAD 'maskgen'; BEGIN; DROP EXTENSION maskgen; ROLLBACK));
	is(scalar(files($node)), 2, 'both stay when DROP EXTENSION is rolled back');
	$node->safe_psql('other', q(LOAD 'maskgen'; DROP EXTENSION maskgen));
	is_deeply([ files($node) ], [$file], 'what is its own goes with it, what another database has stays');
	$node->safe_psql('other', $setup);
	is(scalar(files($node)), 2, 'two again');
	$node->psql('postgres', "LOAD 'maskgen';\nDROP DATABASE other");
	is_deeply([ files($node) ], [$file], 'DROP DATABASE likewise');
	my $before = -s $node->logfile;
	$node->safe_psql('postgres', $embed);
	is(builds($before), 0, 'the one that is left serves on');
};

subtest 'standby' => sub {
	$node->backup('base');
	my $standby = PostgreSQL::Test::Cluster->new('standby');

	$standby->init_from_backup($node, 'base', has_streaming => 1);
	ok(!-e directory($standby), 'base backups leave the files out');
	$standby->start;
	$node->wait_for_catchup($standby);
	is($standby->safe_psql('postgres', $embed), $expected, 'a standby makes its own');
	is_deeply([ files($standby) ], [$file], 'under the same name');
	$standby->stop;
};

# Eight models that differ in one weight, more than 1 MB together.
sub make_models
{
	my $from = "$tiny/bert-relu-odd";
	for my $i (1 .. 8)
	{
		my $to = "$ENV{TESTDATADIR}/model_$i";
		make_path($to);
		copy($_, $to) for grep { -f } glob "$from/*";
		open my $handle, '+<:raw', "$to/model.safetensors" or die "could not open a model: $!";
		seek $handle, -4, 2;
		print $handle chr($i);
		close $handle;
		$node->safe_psql('postgres', qq(SELECT maskgen.create_model('m$i', '$to', '{"pooling": "mean"}')));
	}
}

subtest 'limit' => sub {
	make_models();
	$node->append_conf('postgresql.conf', 'maskgen.max_model_memory = 1MB');
	$node->restart;
	$node->safe_psql('postgres', q(SELECT maskgen.load_model('m1', true)));
	$node->safe_psql('postgres', "SELECT maskgen.load_model('m$_')") for 2 .. 8;
	is($node->safe_psql('postgres', 'SELECT sum(resident_bytes) <= 1024 * 1024 FROM maskgen.maskgen_models'), 't', 'is kept');
	ok(is_loaded('m1'), 'a pinned model stays');
	ok(!is_loaded('m2'), 'the least recently used goes');
	ok(is_loaded('m8'), 'the last one is there');
	ok(!is_loaded('m'), 'what an earlier run of the server left counts, too');
	my @loaded = split /\n/, $node->safe_psql('postgres', 'SELECT name FROM maskgen.maskgen_models WHERE loaded');
	is(scalar(files($node)), scalar @loaded, 'each loaded model has a file, and no other');

	my $session = session();
	my $before = $session->query(q(SELECT maskgen.embed('m8', 'red shoes')));
	like($before, qr/^\[.*\]$/, 'a session uses a model');
	$node->safe_psql('postgres', "SELECT maskgen.load_model('m$_')") for 2 .. 7;
	ok(!is_loaded('m8'), 'a model is evicted while a session maps it');
	is($session->query(q(SELECT maskgen.embed('m8', 'red shoes'))), $before, 'which then loads it again');
	$session->quit;

	$node->safe_psql('postgres', q(SELECT maskgen.unload_model('m1')));
	ok(!is_loaded('m1'), 'a pin does not protect from unloading');

  SKIP:
	{
		skip 'no large model', 1 if !$ENV{MASKGEN_TEST_MINILM};
		$node->safe_psql('postgres', "SELECT maskgen.create_model('large', '$ENV{MASKGEN_TEST_MINILM}')");
		my ($code, $output, $error) = $node->psql('postgres', q(SELECT maskgen.load_model('large')));
		like($error, qr/model does not fit into maskgen\.max_model_memory.*the limit is 1 MB/s, 'too large alone');
	}
};

$node->stop;
done_testing();
