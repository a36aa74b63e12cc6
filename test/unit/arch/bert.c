/*
 * BERT against transformers: tiny random checkpoints on every CPU level and
 * layout; the real models, when MASKGEN_TEST_MINILM and MASKGEN_TEST_BERT name
 * their directories, as ./check does.
 */
#include "tensor/kernels.h"
#include "unit/golden.h"

#define GOLDEN "test/golden/"

static const char *const tiny[] = {"bert-mlm",	   "bert-mlm-f16",	  "bert-mlm-bf16", "bert-sharded",
								   "bert-embed-mean", "bert-embed-cls", "bert-relu-odd",	 "bert-torch"};

static void
check_tiny(const char *name, MgCpuLevel level, MgForm form)
{
	MgCompute compute = {.kernels = mg_kernels(level), .provider = MG_NATIVE, .pool = NULL};
	char what[100], directory[100], values[100];

	snprintf(what, sizeof what, "%s, %s, %s", name, mg_cpu_level_name(level),
			 form == MG_FORM_PANELS ? "panels" : form == MG_FORM_BF16X2 ? "bf16x2" : "rows");
	snprintf(directory, sizeof directory, GOLDEN "tiny/%s", name);
	/* The same weights in another kind of file. */
	snprintf(values, sizeof values, GOLDEN "tiny/%s.txt", strcmp(name, "bert-torch") == 0 ? "bert-mlm-f16" : name);
	golden_check(what, directory, values, "{}", &compute, form);
}

static void
check_real(const char *directory, const char *name, MgForm form)
{
	MgCompute compute = {.kernels = mg_kernels(mg_cpu_level()), .provider = MG_NATIVE, .pool = NULL};
	char what[100], values[100];

	snprintf(what, sizeof what, "%s%s", name, form == MG_FORM_BF16X2 ? ", bf16x2" : "");
	if (directory == NULL || (form == MG_FORM_BF16X2 && !compute.kernels->prefers_bf16x2))
	{
		ok(true, "%s # SKIP %s", what, directory == NULL ? "its directory is not set" : "this CPU has no tiles of bfloat16");
		return;
	}
	snprintf(values, sizeof values, GOLDEN "real/%s.txt", name);
	golden_check(what, directory, values, "{}", &compute, form);
}

int
main(void)
{
	for (size_t i = 0; i < sizeof tiny / sizeof *tiny; i++)
		for (int level = MG_CPU_SCALAR; level <= (int) mg_cpu_level(); level++)
		{
			check_tiny(tiny[i], (MgCpuLevel) level, MG_FORM_PANELS);
			check_tiny(tiny[i], (MgCpuLevel) level, MG_FORM_ROWS);
			check_tiny(tiny[i], (MgCpuLevel) level, MG_FORM_BF16X2);
		}
	check_real(getenv("MASKGEN_TEST_MINILM"), "minilm", MG_FORM_PANELS);
	check_real(getenv("MASKGEN_TEST_MINILM"), "minilm", MG_FORM_BF16X2);
#ifdef __SANITIZE_ADDRESS__
	/* Sanitized kernels take minutes for it and see nothing that MiniLM does not show. */
	ok(true, "bert # SKIP in a sanitizer build");
#else
	check_real(getenv("MASKGEN_TEST_BERT"), "bert", MG_FORM_PANELS);
	check_real(getenv("MASKGEN_TEST_BERT"), "bert", MG_FORM_BF16X2);
#endif
	return done();
}
