/*
 * The fork-join pool.
 *
 * Locking. `lock` guards everything but `next`, `region` and `active`, which
 * are atomic so that pieces are claimed and a short spin watches without it.
 * A worker joins a region under the lock while it is open, and the caller
 * closes it under the lock before it waits: after that nobody can join, so the
 * caller waits for nobody who is still asleep, and the next region cannot be
 * mistaken for this one.
 */
#include "tensor/pool.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

/* Looks at a flag before sleeping, about 10 microseconds: less than a wake-up costs. */
#define SPINS 200

/* Kernels keep no more than a few KiB on the stack. */
#define STACK_SIZE ((size_t) 512 * 1024)

typedef struct Worker
{
	MgPool *pool;
	size_t index;
	pthread_t thread;
} Worker;

struct MgPool
{
	const MgHost *host;
	size_t size; /* bytes of this struct with its workers */
	pthread_mutex_t lock;
	pthread_cond_t wanted;		/* a region is open, or stopping */
	pthread_cond_t idle;		/* active fell to zero */
	_Atomic unsigned region;	/* counts regions */
	_Atomic unsigned active;	/* workers inside the region; changed under lock */
	_Atomic size_t next;		/* the next piece to claim */
	bool open;
	bool stopping;
	MgPoolWork work;
	void *arg;
	size_t n_pieces;
	size_t n_workers; /* beside the caller */
	Worker workers[];
};

static inline void
pause_briefly(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#endif
}

static void
take_pieces(MgPool *pool, size_t worker)
{
	MgPoolWork work = pool->work;
	void *arg = pool->arg;
	size_t n_pieces = pool->n_pieces;
	size_t piece;

	while ((piece = atomic_fetch_add(&pool->next, 1)) < n_pieces)
		work(arg, piece, worker);
}

static void *
worker_main(void *user)
{
	Worker *worker = user;
	MgPool *pool = worker->pool;
	unsigned seen = 0;

	pthread_mutex_lock(&pool->lock);
	while (!pool->stopping)
	{
		if (!pool->open || atomic_load(&pool->region) == seen)
		{
			pthread_cond_wait(&pool->wanted, &pool->lock);
			continue;
		}
		seen = atomic_load(&pool->region);
		atomic_fetch_add(&pool->active, 1);
		pthread_mutex_unlock(&pool->lock);

		take_pieces(pool, worker->index);

		pthread_mutex_lock(&pool->lock);
		if (atomic_fetch_sub(&pool->active, 1) == 1)
			pthread_cond_signal(&pool->idle);
		pthread_mutex_unlock(&pool->lock);

		for (int i = 0; i < SPINS && atomic_load(&pool->region) == seen; i++)
			pause_briefly();
		pthread_mutex_lock(&pool->lock);
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

/* Starts workers until n_workers run; false when the system refuses one. */
static bool
start_workers(MgPool *pool, size_t n_workers)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	bool fine = true;

	if (pthread_attr_init(&attributes) != 0)
		return false;
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (fine && pool->n_workers < n_workers)
	{
		Worker *worker = &pool->workers[pool->n_workers];

		worker->pool = pool;
		worker->index = pool->n_workers + 1;
		fine = pthread_create(&worker->thread, &attributes, worker_main, worker) == 0;
		if (fine)
			pool->n_workers++;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return fine;
}

MgPool *
mg_pool_create(MgCtx *cx, int n_threads)
{
	size_t size;
	MgPool *pool;

	if (n_threads < 1 || n_threads > MG_POOL_MAX_THREADS)
	{
		mg_fail(cx, MG_BAD_ARGUMENT, "number of threads must be between 1 and %d, not %d", MG_POOL_MAX_THREADS,
				n_threads);
		return NULL;
	}
	size = sizeof *pool + (size_t) (n_threads - 1) * sizeof(Worker);
	pool = cx->host->alloc(cx->host->user, size);
	if (pool == NULL)
	{
		mg_fail(cx, MG_NO_MEMORY, "out of memory");
		return NULL;
	}
	memset(pool, 0, size);
	pool->host = cx->host;
	pool->size = size;
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->wanted, NULL);
	pthread_cond_init(&pool->idle, NULL);
	if (!start_workers(pool, (size_t) n_threads - 1))
	{
		mg_fail(cx, MG_NO_MEMORY, "could not start thread %zu of %d", pool->n_workers + 2, n_threads);
		mg_pool_destroy(pool);
		return NULL;
	}
	return pool;
}

void
mg_pool_destroy(MgPool *pool)
{
	if (pool == NULL)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->stopping = true;
	pthread_cond_broadcast(&pool->wanted);
	pthread_mutex_unlock(&pool->lock);
	for (size_t i = 0; i < pool->n_workers; i++)
		pthread_join(pool->workers[i].thread, NULL);
	pthread_cond_destroy(&pool->idle);
	pthread_cond_destroy(&pool->wanted);
	pthread_mutex_destroy(&pool->lock);
	pool->host->release(pool->host->user, pool, pool->size);
}

size_t
mg_pool_threads(const MgPool *pool)
{
	return pool == NULL ? 1 : pool->n_workers + 1;
}

void
mg_pool_run(MgPool *pool, size_t n_pieces, MgPoolWork work, void *arg)
{
	if (pool == NULL || pool->n_workers == 0 || n_pieces < 2)
	{
		for (size_t piece = 0; piece < n_pieces; piece++)
			work(arg, piece, 0);
		return;
	}
	pthread_mutex_lock(&pool->lock);
	pool->work = work;
	pool->arg = arg;
	pool->n_pieces = n_pieces;
	atomic_store(&pool->next, 0);
	pool->open = true;
	atomic_fetch_add(&pool->region, 1);
	pthread_cond_broadcast(&pool->wanted);
	pthread_mutex_unlock(&pool->lock);

	take_pieces(pool, 0);

	for (int i = 0; i < SPINS && atomic_load(&pool->active) > 0; i++)
		pause_briefly();
	pthread_mutex_lock(&pool->lock);
	pool->open = false;
	while (atomic_load(&pool->active) > 0)
		pthread_cond_wait(&pool->idle, &pool->lock);
	pthread_mutex_unlock(&pool->lock);
}
