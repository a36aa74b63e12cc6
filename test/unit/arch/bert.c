/*
 * BERT against transformers: tiny random checkpoints on every CPU level and
 * layout; the real models, when MASKGEN_TEST_MINILM and MASKGEN_TEST_BERT name
 * their directories, as ./check does.
 */
#include "unit/golden.h"

#define GOLDEN "test/golden/"

static const char *const tiny[] = {"bert-mlm",	   "bert-mlm-f16",	  "bert-mlm-bf16", "bert-sharded",
								   "bert-embed-mean", "bert-embed-cls", "bert-relu-odd"};

static void
check_tiny(const char *name, MgCpuLevel level, MgForm form)
{
	MgCompute compute = {.kernels = mg_kernels(level), .provider = MG_NATIVE, .pool = NULL};
	char what[100], directory[100], values[100];

	snprintf(what, sizeof what, "%s, %s, %s", name, mg_cpu_level_name(level),
			 form == MG_FORM_PANELS ? "panels" : "rows");
	snprintf(directory, sizeof directory, GOLDEN "tiny/%s", name);
	snprintf(values, sizeof values, GOLDEN "tiny/%s.txt", name);
	golden_check(what, directory, values, "{}", &compute, form);
}

static void
check_real(const char *directory, const char *name)
{
	MgCompute compute = {.kernels = mg_kernels(mg_cpu_level()), .provider = MG_NATIVE, .pool = NULL};
	char values[100];

	if (directory == NULL)
	{
		ok(true, "%s # SKIP its directory is not set", name);
		return;
	}
	snprintf(values, sizeof values, GOLDEN "real/%s.txt", name);
	golden_check(name, directory, values, "{}", &compute, MG_FORM_PANELS);
}

int
main(void)
{
	for (size_t i = 0; i < sizeof tiny / sizeof *tiny; i++)
		for (int level = MG_CPU_SCALAR; level <= (int) mg_cpu_level(); level++)
		{
			check_tiny(tiny[i], (MgCpuLevel) level, MG_FORM_PANELS);
			check_tiny(tiny[i], (MgCpuLevel) level, MG_FORM_ROWS);
		}
	check_real(getenv("MASKGEN_TEST_MINILM"), "minilm");
#ifdef __SANITIZE_ADDRESS__
	/* Sanitized kernels take minutes for it and see nothing that MiniLM does not show. */
	ok(true, "bert # SKIP in a sanitizer build");
#else
	check_real(getenv("MASKGEN_TEST_BERT"), "bert");
#endif
	return done();
}
