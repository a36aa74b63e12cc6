/*
 * oneDNN and OpenBLAS, opened at run time.
 *
 * Only three symbols of each matter, so their prototypes stand here and no
 * header of theirs is needed to build. Signals are blocked around each call and
 * not only while loading: OpenMP starts threads when a region first wants them.
 */
#include "tensor/blas.h"

#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>

#include "tensor/pool.h"

/* A provider can be half as fast as our kernels: Debian's OpenBLAS without its variables is. */
#define SLOWNESS 2.0

/* Rows of x in one call; more do not make it faster. */
#define CALL_ROWS 512

typedef int (*DnnlSgemm)(char trans_a, char trans_b, int64_t m, int64_t n, int64_t k, float alpha, const float *a,
						 int64_t lda, const float *b, int64_t ldb, float beta, float *c, int64_t ldc);
typedef void (*CblasSgemm)(int order, int trans_a, int trans_b, int m, int n, int k, float alpha, const float *a,
						   int lda, const float *b, int ldb, float beta, float *c, int ldc);
typedef void (*SetThreads)(int threads);

enum
{
	CBLAS_ROW_MAJOR = 101,
	CBLAS_NO_TRANS = 111,
	CBLAS_TRANS = 112
};

typedef struct Library
{
	const char *name;
	const char *files[2];
	const char *product;	 /* the symbol that multiplies */
	const char *set_threads; /* the symbol that takes a number of threads; may be absent */
} Library;

static const Library libraries[] = {
	[MG_ONEDNN] = {"onednn", {"libdnnl.so.3", "libdnnl.so.2"}, "dnnl_sgemm", "omp_set_num_threads"},
	[MG_OPENBLAS] = {"openblas", {"libopenblas.so.0", NULL}, "cblas_sgemm", "openblas_set_num_threads"},
};

/* Process state: handles, and the functions that are published once they can be called. */
static pthread_mutex_t opening = PTHREAD_MUTEX_INITIALIZER;
static void *handles[2 + 1];
static void *_Atomic products[2 + 1];

const char *
mg_provider_name(MgProvider provider)
{
	static const char *const names[] = {"native", "onednn", "openblas"};

	return (unsigned) provider < sizeof names / sizeof names[0] ? names[provider] : "unknown";
}

size_t
mg_blas_environment(MgProvider provider, MgCpuLevel level, int threads, MgVariable variables[MG_BLAS_MAX_VARIABLES])
{
	size_t n = 0;

	if (provider == MG_ONEDNN)
	{
		variables[n].name = "OMP_NUM_THREADS";
		snprintf(variables[n++].value, sizeof variables[0].value, "%d", threads);
		/* Threads that wait must not take the other backends' cores. */
		variables[n].name = "OMP_WAIT_POLICY";
		snprintf(variables[n++].value, sizeof variables[0].value, "passive");
	}
	if (provider == MG_OPENBLAS)
	{
		variables[n].name = "OPENBLAS_NUM_THREADS";
		snprintf(variables[n++].value, sizeof variables[0].value, "%d", threads);
		/* Idle threads sleep after 2^4 cycles rather than 2^26. */
		variables[n].name = "OPENBLAS_THREAD_TIMEOUT";
		snprintf(variables[n++].value, sizeof variables[0].value, "4");
#if defined(__x86_64__)
		/* Versions older than the CPU do not know it and fall back to SSE3. */
		if (level != MG_CPU_SCALAR)
		{
			variables[n].name = "OPENBLAS_CORETYPE";
			snprintf(variables[n++].value, sizeof variables[0].value, "%s",
					 level >= MG_CPU_AVX512 ? "SkylakeX" : "Haswell");
		}
#else
		(void) level;
#endif
	}
	return n;
}

/* Loads and sets up under `opening`, with signals blocked; false leaves dlerror's words in why. */
static bool
load(MgProvider provider, int threads, char why[MG_MESSAGE_SIZE])
{
	const Library *library = &libraries[provider];
	void *product;
	SetThreads set_threads;

	for (size_t i = 0; i < 2 && handles[provider] == NULL && library->files[i] != NULL; i++)
		handles[provider] = dlopen(library->files[i], RTLD_NOW | RTLD_LOCAL);
	product = handles[provider] != NULL ? dlsym(handles[provider], library->product) : NULL;
	if (product == NULL)
	{
		const char *words = dlerror();

		snprintf(why, MG_MESSAGE_SIZE, "%s", words != NULL ? words : "");
		return false;
	}
	*(void **) &set_threads = dlsym(handles[provider], library->set_threads);
	if (set_threads != NULL)
		set_threads(threads);
	atomic_store(&products[provider], product);
	return true;
}

bool
mg_blas_open(MgCtx *cx, MgProvider provider, int threads)
{
	char why[MG_MESSAGE_SIZE];
	sigset_t all, before;
	bool fine;

	if (provider != MG_ONEDNN && provider != MG_OPENBLAS)
		return mg_fail(cx, MG_BAD_ARGUMENT, "matrix provider %d is not a library", (int) provider);
	if (threads < 1 || threads > MG_POOL_MAX_THREADS)
		return mg_fail(cx, MG_BAD_ARGUMENT, "number of threads must be between 1 and %d, not %d", MG_POOL_MAX_THREADS,
					   threads);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_mutex_lock(&opening);
	fine = load(provider, threads, why);
	pthread_mutex_unlock(&opening);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (fine)
		return true;
	mg_fail(cx, MG_UNSUPPORTED, "could not load matrix library \"%s\"", libraries[provider].name);
	mg_detail(cx, "%s.", why);
	return mg_hint(cx, "Install the library, or use the provider \"native\", which needs none.");
}

/* One call; bias and activation follow. False when the library refuses. */
static bool
call(MgProvider provider, void *function, const MgProduct *p)
{
	sigset_t all, before;
	bool fine = true;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (provider == MG_ONEDNN)
	{
		DnnlSgemm sgemm;

		*(void **) &sgemm = function;
		fine = sgemm('N', 'T', (int64_t) p->rows, (int64_t) p->columns, (int64_t) p->depth, 1.0f, p->x,
					 (int64_t) p->x_stride, p->w, (int64_t) p->w_stride, 0.0f, p->out, (int64_t) p->out_stride) == 0;
	}
	else
	{
		CblasSgemm sgemm;

		*(void **) &sgemm = function;
		sgemm(CBLAS_ROW_MAJOR, CBLAS_NO_TRANS, CBLAS_TRANS, (int) p->rows, (int) p->columns, (int) p->depth, 1.0f,
			  p->x, (int) p->x_stride, p->w, (int) p->w_stride, 0.0f, p->out, (int) p->out_stride);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return fine;
}

/* The block of product that starts at (row, column), at most rows by columns. */
static MgProduct
block(const MgProduct *product, size_t row, size_t column, size_t rows, size_t columns)
{
	MgProduct p = *product;

	p.rows = p.rows - row < rows ? p.rows - row : rows;
	p.columns = p.columns - column < columns ? p.columns - column : columns;
	p.x += row * p.x_stride;
	p.w += column * p.w_stride;
	p.out += row * p.out_stride + column;
	if (p.bias != NULL)
		p.bias += column;
	return p;
}

bool
mg_blas_product(MgCtx *cx, const MgCompute *compute, const MgProduct *product)
{
	const MgKernels *kernels = compute->kernels;
	MgProvider provider = compute->provider;
	bool known = provider == MG_ONEDNN || provider == MG_OPENBLAS;
	void *function = known ? atomic_load(&products[provider]) : NULL;
	size_t rows = product->rows < CALL_ROWS ? product->rows : CALL_ROWS;
	size_t columns = product->columns;
	double most;

	if (function == NULL)
		return mg_fail(cx, MG_BAD_ARGUMENT, "matrix library \"%s\" is not open", mg_provider_name(provider));
	if (product->depth > INT_MAX || product->x_stride > INT_MAX || product->out_stride > INT_MAX)
		return mg_fail(cx, MG_TOO_LARGE, "matrix library \"%s\" takes rows of at most %d elements",
					   libraries[provider].name, INT_MAX);
	most = kernels->piece_flops / SLOWNESS / (2.0 * (double) rows * (double) (product->depth + 1));
	if (most < (double) columns)
		columns = most < MG_PANEL ? MG_PANEL : (size_t) most;
	if (columns > INT_MAX)
		columns = INT_MAX;

	for (size_t row = 0; row < product->rows; row += rows)
		for (size_t column = 0; column < product->columns; column += columns)
		{
			MgProduct p = block(product, row, column, rows, columns);

			if (!mg_poll(cx))
				return false;
			if (p.depth == 0)
				kernels->row_product(&p); /* the libraries disagree on what an empty sum is */
			else if (!call(provider, function, &p))
				return mg_fail(cx, MG_NO_MEMORY, "matrix library \"%s\" could not multiply", libraries[provider].name);
			else
				kernels->epilogue(p.out, p.out_stride, p.rows, p.columns, p.bias, p.activation);
		}
	return true;
}
