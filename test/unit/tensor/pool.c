#include "tensor/pool.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "unit/tensor/numbers.h"

enum
{
	PIECES = 1000
};

typedef struct Tally
{
	_Atomic int done[PIECES];
	_Atomic int foreign; /* pieces that ran with a worker out of range */
	_Atomic int unblocked;
	size_t threads;
	pthread_t caller;
} Tally;

static void
count(void *arg, size_t piece, size_t worker)
{
	Tally *tally = arg;

	/* The caller is slow enough for the others to wake up, and through before they are, so that it has to wait. */
	for (volatile int i = 0; i < (worker > 0 ? 100000 : 1000); i++)
		;
	atomic_fetch_add(&tally->done[piece], 1);
	if (worker >= tally->threads || (worker == 0) != (pthread_equal(pthread_self(), tally->caller) != 0))
		atomic_fetch_add(&tally->foreign, 1);
	if (worker > 0)
	{
		sigset_t blocked;

		pthread_sigmask(SIG_SETMASK, NULL, &blocked);
		if (!sigismember(&blocked, SIGINT) || !sigismember(&blocked, SIGALRM) || !sigismember(&blocked, SIGUSR1))
			atomic_fetch_add(&tally->unblocked, 1);
	}
}

/* Regions of every size, one after another as fast as they go: each piece runs once in each. */
static void
test_regions(MgCtx *cx, int threads)
{
	MgPool *pool = mg_pool_create(cx, threads);
	static Tally tally;
	int regions[PIECES] = {0};
	size_t bad = 0;

	memset(&tally, 0, sizeof tally);
	tally.threads = (size_t) threads;
	tally.caller = pthread_self();
	if (!ok(pool != NULL, "a pool of %d", threads))
		return;
	is_int(mg_pool_threads(pool), threads, "has %d threads", threads);
	for (size_t round = 0; round < 3000; round++)
	{
		size_t n = round < 30 ? PIECES : round % 8;

		mg_pool_run(pool, n, count, &tally);
		for (size_t i = 0; i < n; i++)
			bad += tally.done[i] != ++regions[i];
	}
	ok(bad == 0, "each piece ran once in each region, and had run when the region ended");
	ok(tally.foreign == 0, "workers have numbers below the number of threads, the caller is 0");
	ok(tally.unblocked == 0, "workers block signals");
	mg_pool_destroy(pool);
}

static void
test_caller_mask(MgCtx *cx)
{
	sigset_t before, after;
	MgPool *pool;

	pthread_sigmask(SIG_SETMASK, NULL, &before);
	pool = mg_pool_create(cx, 2);
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	ok(sigismember(&before, SIGINT) == sigismember(&after, SIGINT) && sigismember(&after, SIGTERM) == 0,
	   "the caller's signals are as before");
	mg_pool_destroy(pool);
}

static void
test_arguments(MgCtx *cx)
{
	static const int bad[] = {0, -1, MG_POOL_MAX_THREADS + 1};

	for (size_t i = 0; i < 3; i++)
	{
		ok(mg_pool_create(cx, bad[i]) == NULL && cx->error.code == MG_BAD_ARGUMENT, "%d threads are refused", bad[i]);
		mg_ctx_reset(cx);
	}
	mg_pool_destroy(NULL);
	is_int(mg_pool_threads(NULL), 1, "no pool is one thread");
}

static bool
sweep_body(MgCtx *cx, void *user)
{
	MgPool *pool = mg_pool_create(cx, 2);

	(void) user;
	if (pool == NULL)
		return false;
	mg_pool_destroy(pool);
	return true;
}

int
main(void)
{
	TestHost test;
	MgCtx cx;

	test_host_init(&test);
	mg_ctx_init(&cx, &test.host);
	for (int threads = 1; threads <= 5; threads += 2)
		test_regions(&cx, threads);
	test_caller_mask(&cx);
	test_arguments(&cx);
	mg_ctx_free(&cx);
	is_int(test.live, 0, "nothing is left");
	sweep("create", sweep_body, NULL, 1);
	return done();
}
