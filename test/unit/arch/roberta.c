/* RoBERTa with its masked head against transformers: a tiny random checkpoint on every CPU level and layout. */
#include "tensor/kernels.h"
#include "unit/golden.h"

#define DIRECTORY "test/golden/tiny/roberta-mlm"

int
main(void)
{
	static const MgForm forms[] = {MG_FORM_PANELS, MG_FORM_ROWS, MG_FORM_BF16X2};
	char what[100];
	MgCtx cx;
	const MgModel *model;

	for (int level = MG_CPU_SCALAR; level <= (int) mg_cpu_level(); level++)
		for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
		{
			MgCompute compute = {.kernels = mg_kernels((MgCpuLevel) level)};

			snprintf(what, sizeof what, "roberta, %s, form %d", mg_cpu_level_name((MgCpuLevel) level), forms[i]);
			golden_check(what, DIRECTORY, DIRECTORY ".txt", "{}", &compute, forms[i]);
		}
	mg_ctx_init(&cx, &cli_host);
	model = cli_load(&cx, DIRECTORY, "{}", mg_kernels(MG_CPU_SCALAR), MG_FORM_PANELS, NULL);
	is_int(model == NULL ? 0 : model->sizes->longest, 38, "40 rows of positions are 38 tokens");
	mg_ctx_free(&cx);
	return done();
}
