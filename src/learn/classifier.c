/* What a classifier says of a vector. */
#include "learn/classifier.h"

#include <math.h>

static const char *const names[MG_N_METHODS] = {"zero_shot", "centres", "ridge", "mixture"};

const char *
mg_method_name(MgMethod method)
{
	return names[method];
}

MgMethod
mg_method_of_name(MgSpan name)
{
	int method = 0;

	while (method < MG_N_METHODS && !mg_span_is(name, names[method]))
		method++;
	return (MgMethod) method;
}

void
mg_classifier_scores(const MgClassifier *classifier, MgPairDistance inner, const float *x, double *scores)
{
	size_t dims = classifier->dims;
	double length = sqrt(-inner(x, x, dims));

	/* Squares of float32 overflow and underflow where the length is fine. */
	if (!(length > 1e-15 && length < 1e15))
		length = mg_norm(x, dims);
	for (size_t k = 0; k < classifier->n_labels; k++)
	{
		double product = length > 0 ? -inner(x, classifier->weights + k * dims, dims) / length : 0;

		scores[k] = product + classifier->biases[k];
	}
}

size_t
mg_best_score(const double *scores, size_t n)
{
	size_t best = 0;

	for (size_t k = 1; k < n; k++)
		if (scores[k] > scores[best])
			best = k;
	return best;
}

void
mg_log_softmax(double *scores, size_t n)
{
	double largest = scores[mg_best_score(scores, n)], sum = 0;

	for (size_t k = 0; k < n; k++)
		sum += exp(scores[k] - largest);
	for (size_t k = 0; k < n; k++)
		scores[k] -= largest + log(sum);
}
