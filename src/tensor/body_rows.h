/* What runs over single rows: softmax, norm, dot, add, multiply, scale, turn, conversion. Part of kernels_body.h. */

static void
epilogue(float *rows, size_t stride, size_t n, size_t columns, const float *bias, MgActivation activation)
{
	for (size_t i = 0; bias != NULL && i < n; i++)
	{
		float *row = rows + i * stride;
		size_t j = 0;

		for (; j + VW <= columns; j += VW)
			v_store(row + j, v_load(row + j) + v_load(bias + j));
		for (; j < columns; j++)
			row[j] += bias[j];
	}
	activate(rows, stride, n, columns, activation);
}

/* The vector at from, of which only left floats belong to the row when left < VW. */
static inline vf
load_some(const float *from, size_t left)
{
	return left >= VW ? v_load(from) : v_load_n(from, left);
}

static inline void
store_some(float *to, vf v, size_t left)
{
	if (left >= VW)
		v_store(to, v);
	else
		v_store_n(to, v, left);
}

static float
softmax(float *row, size_t n, float scale)
{
	const vf factor = v_set1(scale);
	vf most = v_set1(-INFINITY);
	vf sum = v_set1(0.0f);
	size_t whole = n - n % VW;
	float largest;

	for (size_t i = 0; i < whole; i += VW)
		most = v_max(v_load(row + i) * factor, most);
	largest = v_largest(most);
	for (size_t i = whole; i < n; i++)
		largest = row[i] * scale > largest ? row[i] * scale : largest;

	for (size_t i = 0; i < n; i += VW)
	{
		vf e = v_exp(v_fma(load_some(row + i, n - i), factor, v_set1(-largest)));

		store_some(row + i, e, n - i);
		if (n - i < VW)
			e = v_load_n(row + i, n - i); /* what stands past the end does not count */
		sum += e;
	}
	return v_sum(sum);
}

/* out = from factor weight + bias; out may be from. */
static inline void
apply_norm(const float *from, vf factor, const MgNorm *how, float *out)
{
	for (size_t i = 0; i < how->d; i += VW)
	{
		size_t left = how->d - i;
		vf x = load_some(from + i, left) * factor;
		vf bias = how->bias != NULL ? load_some(how->bias + i, left) : v_set1(0.0f);

		store_some(out + i, v_fma(x, load_some(how->weight + i, left), bias), left);
	}
}

static void
rms_norm(float *row, const float *residual, float *out, const MgNorm *how)
{
	size_t d = how->d;
	vf sum = v_set1(0.0f);

	for (size_t i = 0; i < d; i += VW)
	{
		vf x = load_some(row + i, d - i);

		if (residual != NULL)
		{
			x += load_some(residual + i, d - i);
			store_some(row + i, x, d - i);
			if (d - i < VW)
				x = v_load_n(row + i, d - i); /* what stands past the end does not count */
		}
		sum = v_fma(x, x, sum);
	}
	apply_norm(row, v_set1(1.0f / sqrtf(v_sum(sum) / (float) d + how->eps)), how, out);
}

/* Two passes for mean and variance: the one-pass formula loses all digits when the mean is large. */
static void
layer_norm(float *row, const float *residual, float *out, const MgNorm *how)
{
	size_t d = how->d;
	vf sum = v_set1(0.0f);
	vf mean;

	for (size_t i = 0; i < d; i += VW)
	{
		vf x = load_some(row + i, d - i);

		if (residual != NULL)
		{
			x += load_some(residual + i, d - i);
			store_some(row + i, x, d - i);
		}
		sum += x;
	}
	mean = v_set1(v_sum(sum) / (float) d);

	sum = v_set1(0.0f);
	for (size_t i = 0; i < d; i += VW)
	{
		vf x = load_some(row + i, d - i) - mean;

		store_some(out + i, x, d - i);
		if (d - i < VW)
			x = v_load_n(out + i, d - i); /* what stands past the end does not count */
		sum = v_fma(x, x, sum);
	}
	apply_norm(out, v_set1(1.0f / sqrtf(v_sum(sum) / (float) d + how->eps)), how, out);
}

static void
norm(float *row, const float *residual, float *out, const MgNorm *how)
{
	if (how->kind == MG_NORM_RMS)
		rms_norm(row, residual, out, how);
	else
		layer_norm(row, residual, out, how);
}

/* Four chains of partial sums, to keep the multiplier busy. */
static float
dot(const float *a, const float *b, size_t n)
{
	vf sum[4] = {v_set1(0.0f), v_set1(0.0f), v_set1(0.0f), v_set1(0.0f)};
	size_t i = 0;

	for (; i + 4 * VW <= n; i += 4 * VW)
		for (size_t j = 0; j < 4; j++)
			sum[j] = v_fma(v_load(a + i + j * VW), v_load(b + i + j * VW), sum[j]);
	for (; i + VW <= n; i += VW)
		sum[0] = v_fma(v_load(a + i), v_load(b + i), sum[0]);
	if (i < n)
		sum[1] = v_fma(v_load_n(a + i, n - i), v_load_n(b + i, n - i), sum[1]);
	return v_sum((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

static void
add(float *to, const float *from, size_t n)
{
	size_t i = 0;

	for (; i + VW <= n; i += VW)
		v_store(to + i, v_load(to + i) + v_load(from + i));
	for (; i < n; i++)
		to[i] += from[i];
}

static void
scale(float *row, size_t n, float factor)
{
	size_t i = 0;

	for (; i + VW <= n; i += VW)
		v_store(row + i, v_load(row + i) * v_set1(factor));
	for (; i < n; i++)
		row[i] *= factor;
}

/* Pairs (x[i], x[half + i]); products are rounded by themselves, so all levels give the same bits. */
static void
turn(float *x, size_t half, const float *cosines, const float *sines)
{
	size_t i = 0;

	for (; i + VW <= half; i += VW)
	{
		vf a = v_load(x + i), b = v_load(x + half + i), c = v_load(cosines + i), s = v_load(sines + i);

		v_store(x + i, a * c - b * s);
		v_store(x + half + i, b * c + a * s);
	}
	for (; i < half; i++)
	{
		float a = x[i], b = x[half + i];

		x[i] = a * cosines[i] - b * sines[i];
		x[half + i] = b * cosines[i] + a * sines[i];
	}
}

/* x[i] *= by[i] */
static void
multiply(float *x, const float *by, size_t n)
{
	size_t i = 0;

	for (; i + VW <= n; i += VW)
		v_store(x + i, v_load(x + i) * v_load(by + i));
	for (; i < n; i++)
		x[i] *= by[i];
}

/* A last vector that from fills only in part is read from a copy, for no byte past the end may be touched. */
#define CONVERT(name, load) \
	static void name(const void *from, size_t n, float *to) \
	{ \
		const uint8_t *bytes = from; \
		uint8_t tail[2 * VW] = {0}; \
		size_t i = 0; \
		for (; i + VW <= n; i += VW) \
			v_store(to + i, load(bytes + 2 * i)); \
		if (i < n) \
		{ \
			memcpy(tail, bytes + 2 * i, 2 * (n - i)); \
			v_store_n(to + i, load(tail), n - i); \
		} \
	}

CONVERT(from_f16, v_load_f16)
CONVERT(from_bf16, v_load_bf16)
