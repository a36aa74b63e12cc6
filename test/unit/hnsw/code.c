/* Kernels against plain loops; codes against what they stand for. */
#include "hnsw/code.h"

#include <stdlib.h>

#include "cli/host.h"
#include "unit/tap.h"

#define MOST 1024

static uint64_t state = 3;

static uint32_t
next(void)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t) (state >> 33);
}

static float
normal(void)
{
	double u = (next() + 0.5) / 2147483648.0, v = (next() + 0.5) / 2147483648.0;

	return (float) (sqrt(-2 * log(u)) * cos(6.283185307179586 * v));
}

static int
bit_of(const uint8_t *bits, uint32_t i)
{
	return bits[i / 8] >> (i % 8) & 1;
}

static void
test_kernels(MgCpuLevel level)
{
	const MgCodeKernels *kernels = mg_code_kernels(level), *plain = mg_code_kernels(MG_CPU_SCALAR);
	static uint8_t signs[8 * 200], got_signs[MOST / 8], want_signs[MOST / 8];
	static uint64_t planes[MG_QUERY_PLANES * MOST / 64];
	static int8_t bytes[MOST], mirrored[MOST];
	static float a[MOST], b[MOST], c[MOST];
	bool same[7] = {true, true, true, true, true, true, true};

	for (int round = 0; round < 200; round++)
	{
		uint32_t bits = 64 + 16 * (next() % 61), stride = bits / 8 + 4 * (next() % 4), n = 1 + next() % 3;
		uint32_t words = (bits + 63) / 64, padded = 64 * (1 + next() % 16), different = 0;
		int32_t sums[8];
		float got[3], want[3];

		for (size_t i = 0; i < sizeof signs; i++)
			signs[i] = (uint8_t) next();
		memset(planes, 0, sizeof planes);
		for (uint32_t p = 0; p < MG_QUERY_PLANES; p++)
			for (uint32_t i = 0; i < bits; i++)
				planes[p * words + i / 64] |= (uint64_t) (next() & 1) << (i % 64);
		kernels->sign_sums(planes, bits, signs, stride, n, sums);
		for (uint32_t link = 0; link < n; link++)
		{
			int32_t sum = 0;

			for (uint32_t p = 0; p < MG_QUERY_PLANES; p++)
				for (uint32_t i = 0; i < bits; i++)
					sum += (p == 3 ? -8 : 1 << p) * (int32_t) (planes[p * words + i / 64] >> (i % 64) & 1) *
						bit_of(signs + link * stride, i);
			same[0] = same[0] && sum == sums[link];
		}
		for (uint32_t i = 0; i < bits; i++)
			different += bit_of(signs, i) != bit_of(signs + stride, i);
		same[1] = same[1] && kernels->different(signs, signs + stride, bits) == different;

		for (uint32_t i = 0; i < padded; i++)
		{
			bytes[i] = (int8_t) (round == 0 ? -128 : (int) (next() % 256) - 128);
			a[i] = normal();
			b[i] = normal();
		}
		if (round == 0)
			memset(signs, 0xFF, sizeof signs);
		{
			int32_t sum = 0;

			for (uint32_t i = 0; i < padded; i++)
				sum += (signs[i / 64 * 32 + i % 32] >> (i % 64 < 32 ? 0 : 4) & 15) * bytes[i];
			same[2] = same[2] && kernels->nibble_sum(signs, bytes, padded) == sum;
		}
		for (uint32_t i = 0; i < padded; i++)
			bytes[i] = bytes[i] == -128 ? -127 : bytes[i];
		if (kernels->byte_sum != NULL)
		{
			int32_t sum = 0;

			for (uint32_t i = 0; i < padded; i++)
				sum += bytes[i] * bytes[padded - 1 - i];
			for (uint32_t i = 0; i < padded; i++)
				mirrored[i] = bytes[padded - 1 - i];
			same[6] = same[6] && kernels->byte_sum(bytes, mirrored, padded) == sum;
		}
		kernels->widen(bytes, 0.37f, c, padded);
		for (uint32_t i = 0; i < padded; i++)
			same[3] = same[3] && c[i] == 0.37f * (float) bytes[i];
		bits = 64 + 16 * (next() % ((padded - 64) / 16 + 1));
		kernels->residual(a, b, padded, bits, got_signs, got);
		plain->residual(a, b, padded, bits, want_signs, want);
		same[4] = same[4] && memcmp(got, want, sizeof got) == 0 && memcmp(got_signs, want_signs, bits / 8) == 0;
		{
			double sums_[3] = {0};

			for (uint32_t i = 0; i < padded; i++)
			{
				double r = (double) b[i] - a[i];

				sums_[0] += r * r;
				if (i >= bits)
					continue;
				sums_[1] += fabs(r);
				sums_[2] += r < 0 ? -a[i] : a[i];
				same[5] = same[5] && bit_of(got_signs, i) == (b[i] - a[i] >= 0);
			}
			for (int k = 0; k < 3; k++)
				same[5] = same[5] && fabs(sums_[k] - got[k]) <= 1e-5 * (sums_[0] + sums_[1]);
		}
	}
	ok((kernels == plain) == (level == MG_CPU_SCALAR), "level %d: kernels of its own, unless it is the lowest", level);
	ok(same[0], "level %d: sums over signs", level);
	ok(same[1], "level %d: signs that differ", level);
	ok(same[2], "level %d: sums over halves of bytes", level);
	ok(same[6], "level %d: sums of products of bytes", level);
	ok(same[3], "level %d: bytes to floats", level);
	ok(same[4], "level %d: residuals, the same bits as the plain level", level);
	ok(same[5], "level %d: residuals, as a loop in double", level);
}

static bool
layout_of(MgCtx *cx, MgEntryLayout *layout, MgGraphMetric metric, uint32_t dims, uint32_t bits)
{
	MgShape shape = {.metric = metric, .dims = dims, .code_bits = bits, .m = 4, .item_size = 4, .max_items = 2};

	return mg_layout_init(cx, layout, &shape);
}

static double
distance(const MgEntryLayout *layout, const float *a, const float *b)
{
	double l2 = 0, ip = 0;

	for (uint32_t i = 0; i < layout->padded; i++)
	{
		l2 += ((double) a[i] - b[i]) * ((double) a[i] - b[i]);
		ip += (double) a[i] * b[i];
	}
	return layout->shape.metric == MG_GRAPH_IP ? -ip : l2;
}

/* Errors of both kinds of codes over random pairs, in units of the formulas' standard errors. */
static void
test_errors(MgCtx *cx, const char *name, MgGraphMetric metric, uint32_t bits)
{
	const MgCodeKernels *kernels = mg_code_kernels(mg_cpu_level());
	static float u[384], v[384], q[384], decoded[384];
	static uint8_t value[8 + 192], entry[4096], link[64];
	double squares = 0, total = 0, own_worst = 0, part = bits / 384.0;
	MgEntryLayout layout;
	int n = 400;

	ok(layout_of(cx, &layout, metric, 384, bits), "%s: layout", name);
	for (int round = 0; round < n; round++)
	{
		MgMark mark = mg_mark(cx);
		float own, estimate;
		double exact, error, r = 0, d = 0, square = 0;
		MgQuery query;

		for (int i = 0; i < 384; i++)
		{
			u[i] = normal();
			v[i] = u[i] + 0.8f * normal();
			q[i] = u[i] + 0.8f * normal();
		}
		mg_query_init(cx, &layout, q, &query);
		mg_code_encode(&layout, u, value);
		mg_code_decode(&layout, value, decoded);
		own = mg_code_distance(&layout, kernels, &query, value);
		exact = distance(&layout, q, decoded);
		for (int i = 0; i < 384; i++)
		{
			r += ((double) v[i] - decoded[i]) * ((double) v[i] - decoded[i]);
			d += ((double) q[i] - decoded[i]) * ((double) q[i] - decoded[i]);
			square += (double) q[i] * q[i];
		}
		own_worst = fmax(own_worst, fabs(own - exact) / 384);
		mg_entry_start(&layout, entry, 0, value, sizeof value);
		mg_code_link(&layout, kernels, decoded, v, 9, link);
		mg_entry_append_link(&layout, entry, link);
		mg_code_estimate(&layout, kernels, &query, entry, own, 0, 1, &estimate);
		/* l2 estimates <r, q - u^> and doubles it, ip <r, q>. */
		error = (estimate - distance(&layout, q, v)) /
			(sqrt((1 - 0.637 * part) / bits) / 0.798 * sqrt(r) *
			 (metric == MG_GRAPH_IP ? sqrt(square) : 2 * sqrt(d)));
		squares += error * error;
		total += error;
		mg_rewind(cx, mark);
	}
	printf("# own code %.4f; estimates: mean %.3f, deviation %.3f\n", own_worst, total / n, sqrt(squares / n));
	/* 8 bits of a query: half a step of 3.3 / 127 deviations at worst for every dimension is far above what happens. */
	ok(own_worst < 0.02, "%s: distances from own codes", name);
	/* 400 of them: the mean has a standard error of 0.05, the deviation one of 0.035; rounding adds some per cent. */
	ok(fabs(total / n) < 0.25, "%s: estimates are not biased", name);
	ok(sqrt(squares / n) < 1.2 && sqrt(squares / n) > 0.7, "%s: estimates err as the formula says", name);
}

static void
test_own_code(MgCtx *cx)
{
	static float x[384], decoded[384];
	static uint8_t value[8 + 192];
	double error = 0, square = 0;
	MgEntryLayout layout;
	float stored;

	layout_of(cx, &layout, MG_GRAPH_L2, 384, 384);
	for (int round = 0; round < 20; round++)
	{
		double own = 0;

		for (int i = 0; i < 384; i++)
			x[i] = 3 * normal();
		mg_code_encode(&layout, x, value);
		mg_code_decode(&layout, value, decoded);
		for (int i = 0; i < 384; i++)
		{
			error += ((double) x[i] - decoded[i]) * ((double) x[i] - decoded[i]);
			square += (double) x[i] * x[i];
			own += (double) decoded[i] * decoded[i];
		}
		memcpy(&stored, value + 4, sizeof stored);
		if (fabs(stored - own) > 1e-4 * own)
			ok(false, "the stored square is that of the decoded code");
	}
	/* Sixteen levels for a normal variable: 0.01154 of its variance (Max, 1960). */
	ok(error / square < 0.013, "4 bits a dimension lose 1.2 %% of the square");
	printf("# %.5f\n", error / square);
}

static void
test_odd_vectors(MgCtx *cx)
{
	static const float odd[] = {0, 1e-30f, 1e-44f, 1e18f, 3e38f, INFINITY, NAN};
	const MgCodeKernels *kernels = mg_code_kernels(mg_cpu_level());
	static float x[64], y[64], decoded[64];
	static uint8_t value[8 + 32], entry[1024], link[64];
	MgEntryLayout layout;
	MgQuery query;
	float distance_, estimate;

	layout_of(cx, &layout, MG_GRAPH_L2, 64, 64);
	for (size_t k = 0; k < sizeof odd / sizeof *odd; k++)
	{
		for (int i = 0; i < 64; i++)
		{
			x[i] = i % 3 == 0 ? odd[k] : 0;
			y[i] = normal();
		}
		mg_code_encode(&layout, x, value);
		mg_code_decode(&layout, value, decoded);
		mg_query_init(cx, &layout, y, &query);
		distance_ = mg_code_distance(&layout, kernels, &query, value);
		mg_code_link(&layout, kernels, decoded, y, 1, link);
		mg_entry_start(&layout, entry, 0, value, sizeof value);
		mg_entry_append_link(&layout, entry, link);
		mg_code_estimate(&layout, kernels, &query, entry, distance_, 0, 1, &estimate);
		mg_query_init(cx, &layout, x, &query);
		ok(isfinite(distance_) && isfinite(estimate) && mg_code_link_finite(link), "%g: gives finite numbers",
		   (double) odd[k]);
		if (odd[k] == 1e18f)
			is_near(decoded[0] / odd[k], 1, 0.05, "and is taken as it is");
		else
			ok(odd[k] < 1e-20f ? decoded[0] < 1e-20f : decoded[0] == 0, "and is as good as zero, or too large for a code");
	}
	for (int i = 0; i < 64; i++)
		x[i] = y[i];
	mg_code_link(&layout, kernels, x, x, 1, link);
	ok(mg_code_link_finite(link), "a link to an equal vector has finite factors");
}

int
main(void)
{
	MgCtx cx;

	mg_ctx_init(&cx, &cli_host);
	for (int level = MG_CPU_SCALAR; level <= (int) mg_cpu_level(); level++)
		test_kernels((MgCpuLevel) level);
	test_errors(&cx, "l2, all signs", MG_GRAPH_L2, 384);
	test_errors(&cx, "l2, 208 signs", MG_GRAPH_L2, 208);
	test_errors(&cx, "ip, all signs", MG_GRAPH_IP, 384);
	test_own_code(&cx);
	test_odd_vectors(&cx);
	mg_ctx_free(&cx);
	return done();
}
