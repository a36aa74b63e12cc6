/* Rotations keep lengths and products, mix all coordinates, and are the same everywhere. */
#include "hnsw/rotation.h"

#include "cli/host.h"
#include "unit/tap.h"

static float
product(const float *a, const float *b, uint32_t n)
{
	double sum = 0;

	for (uint32_t i = 0; i < n; i++)
		sum += (double) a[i] * b[i];
	return (float) sum;
}

static void
test_dims(MgCtx *cx, uint32_t dims)
{
	static float a[5000], b[5000], x[5056], y[5056], largest;
	MgRotation rotation;
	uint32_t padded;

	mg_ctx_reset(cx);
	ok(mg_rotation_init(cx, &rotation, dims, 77), "%u dimensions: a rotation", dims);
	padded = rotation.padded;
	is_int(padded % 64 + (padded < dims) + (padded >= dims + 64), 0, "%u dimensions: padded to a multiple of 64", dims);
	for (uint32_t i = 0; i < dims; i++)
	{
		a[i] = sinf((float) i * 0.7f + 1);
		b[i] = cosf((float) i * 1.3f) + 0.5f;
	}
	mg_rotate(&rotation, a, x);
	mg_rotate(&rotation, b, y);
	is_near(product(x, y, padded), product(a, b, dims), 2e-5 * sqrt(product(a, a, dims) * product(b, b, dims)),
			"%u dimensions: products stay", dims);
	is_near(product(x, x, padded), product(a, a, dims), 2e-5 * product(a, a, dims), "%u dimensions: lengths stay", dims);

	/* A unit vector is spread: of n normal variables with deviation 1 / sqrt(n) none is beyond 6 of them. */
	memset(a, 0, sizeof a);
	a[dims - 1] = 1;
	mg_rotate(&rotation, a, x);
	largest = 0;
	for (uint32_t i = 0; i < padded; i++)
		largest = fmaxf(largest, fabsf(x[i]));
	ok(largest < 6 / sqrtf((float) padded), "%u dimensions: the last one is spread over all", dims);
}

int
main(void)
{
	static const uint32_t dims[] = {1, 3, 64, 65, 100, 384, 768, 1536, 3072, 5000};
	static const float vector[3] = {1, 2, 3};
	MgCtx cx;
	MgRotation rotation, other;
	float x[64], y[64];

	mg_ctx_init(&cx, &cli_host);
	for (size_t i = 0; i < sizeof dims / sizeof *dims; i++)
		test_dims(&cx, dims[i]);

	mg_rotation_init(&cx, &rotation, 3, 1);
	mg_rotation_init(&cx, &other, 3, 2);
	mg_rotate(&rotation, vector, x);
	mg_rotate(&other, vector, y);
	ok(memcmp(x, y, sizeof x) != 0, "another seed is another rotation");
	mg_rotation_init(&cx, &other, 3, 1);
	mg_rotate(&other, vector, y);
	ok(memcmp(x, y, sizeof x) == 0, "the same seed is the same rotation");
	/* An index keeps its seed, not its signs: these numbers are part of the format. */
	is_near(x[0], -0.20703125, 0, "the first coordinate is what it always was");
	is_near(x[63], -0.65234375, 0, "so is the last");
	mg_ctx_free(&cx);
	return done();
}
