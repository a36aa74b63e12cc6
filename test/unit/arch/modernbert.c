/*
 * ModernBERT against transformers: a tiny random checkpoint of five layers, two of
 * them global, on every CPU level and layout; and keys of its configuration that
 * must matter.
 */
#include "tensor/kernels.h"
#include "unit/golden.h"
#include "unit/memory_files.h"

#define DIRECTORY "test/golden/tiny/modernbert"

static void
check(MgCpuLevel level, MgForm form)
{
	MgCompute compute = {.kernels = mg_kernels(level), .provider = MG_NATIVE, .pool = NULL};
	char what[100];

	snprintf(what, sizeof what, "modernbert, %s, %s", mg_cpu_level_name(level),
			 form == MG_FORM_PANELS ? "panels" : form == MG_FORM_BF16X2 ? "bf16x2" : "rows");
	/* 16 bits of each factor, five layers of wide weights: 1.9e-4 of states that reach 3. */
	golden_tolerance = form == MG_FORM_BF16X2 ? 5e-4 : GOLDEN_TOLERANCE;
	golden_check(what, DIRECTORY, DIRECTORY ".txt", "{}", &compute, form);
}

#define CONFIG(more) \
	"{\"architectures\": [\"ModernBertForMaskedLM\"], \"vocab_size\": 320, \"hidden_size\": 32, \"num_hidden_layers\": 5, " \
	"\"num_attention_heads\": 2, \"intermediate_size\": 48, \"max_position_embeddings\": 64" more "}"
#define OLD_KEYS \
	", \"global_attn_every_n_layers\": 3, \"local_attention\": 8, \"global_rope_theta\": 160000.0, \"local_rope_theta\": 10000.0"
#define NEW_KEYS \
	", \"layer_types\": [\"full_attention\", \"sliding_attention\", \"sliding_attention\", \"full_attention\", " \
	"\"sliding_attention\"], \"local_attention\": 8, \"rope_parameters\": {\"full_attention\": {\"rope_theta\": 160000.0}, " \
	"\"sliding_attention\": {\"rope_theta\": 10000.0}}"

/* The vector of a long text, by a model of that configuration. */
static bool
embed(MgCtx *cx, const char *config, float vector[32])
{
	ChangedFiles changed = {cli_directory(DIRECTORY), "config.json", mg_span_of(config)};
	MgFiles files = CHANGED_FILES(&changed);
	MgCompute compute = {.kernels = mg_kernels(MG_CPU_SCALAR)};
	MgEmbedOptions options = {.normalize = true};
	MgSpan text = mg_span_of("The team lost the last match on a big day for shoes, wine and unbelievable sports. Paris and Rome.");
	const MgModel *model = cli_load_files(cx, &files, "{\"pooling\": \"mean\"}", compute.kernels, MG_FORM_PANELS, NULL);

	return model != NULL && mg_embed(RUN(cx, model, &compute, &(MgUsage){0}), &options, &text, 1, vector);
}

static void
test_keys(void)
{
	static const struct
	{
		const char *config, *what;
	} others[] = {
		{CONFIG(""), "keys that are left out have the defaults"},
		{CONFIG(", \"global_attn_every_n_layers\": 2, \"local_attention\": 8"), "which layers are global"},
		{CONFIG(", \"local_attention\": 10"), "the window"},
		{CONFIG(", \"local_attention\": 8, \"global_rope_theta\": 10000.0, \"local_rope_theta\": 160000.0"), "which theta is whose"},
		{CONFIG(OLD_KEYS ", \"norm_eps\": 0.1"), "norm_eps"},
		{CONFIG(OLD_KEYS ", \"hidden_activation\": \"relu\""), "the activation"},
	};
	float old[32], new[32], other[32];
	MgCtx cx;

	mg_ctx_init(&cx, &cli_host);
	ok(embed(&cx, CONFIG(OLD_KEYS ", \"layer_norm_eps\": 0.5, \"position_embedding_type\": \"relative\""), old),
	   "a configuration with left-overs (%s)", cx.error.message);
	mg_ctx_reset(&cx);
	ok(embed(&cx, CONFIG(NEW_KEYS), new) && memcmp(old, new, sizeof old) == 0, "the newer keys say the same (%s)",
	   cx.error.message);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
	{
		double off = 0;

		mg_ctx_reset(&cx);
		ok(embed(&cx, others[i].config, other), "loaded (%s)", cx.error.message);
		for (size_t d = 0; d < 32; d++)
			off = fmax(off, fabs(old[d] - other[d]));
		ok(off > 1e-3, "%s: changes %.2g", others[i].what, off);
	}
	mg_ctx_reset(&cx);
	ok(!embed(&cx, CONFIG(", \"num_attention_heads\": 32") , other), "heads of one number are refused");
	mg_ctx_free(&cx);
}

int
main(void)
{
	for (int level = MG_CPU_SCALAR; level <= (int) mg_cpu_level(); level++)
	{
		check((MgCpuLevel) level, MG_FORM_PANELS);
		check((MgCpuLevel) level, MG_FORM_ROWS);
		check((MgCpuLevel) level, MG_FORM_BF16X2);
	}
	test_keys();
	return done();
}
