/*
 * The section "meta" of images of versions 1 and 2, which the development
 * versions of 0.1.0 wrote: a struct of 104 bytes, and all of them BERT.
 *
 *   char arch[32], u32 vocab_size, hidden, layers, heads, intermediate,
 *   positions, types, activation, f32 norm_eps, u32 tied;
 *   u32 parts, pooling, normalize, max_tokens, calibrate, dtype; u64 parameters
 *
 * What it says becomes keys and values, as config.json has them.
 */
#include "core/reader.h"
#include "model/meta.h"

#define OLD_META 104

typedef struct Old
{
	uint32_t vocab, hidden, layers, heads, intermediate, positions, types, activation;
	float eps;
	bool tied;
} Old;

static const MgKey keys[] = {
	{"vocab_size", MG_KEY_SIZE, offsetof(Old, vocab), 1, MG_MAX_VOCAB},
	{"hidden_size", MG_KEY_SIZE, offsetof(Old, hidden), 1, MG_MAX_WIDTH},
	{"num_hidden_layers", MG_KEY_SIZE, offsetof(Old, layers), 1, MG_MAX_LAYERS},
	{"num_attention_heads", MG_KEY_SIZE, offsetof(Old, heads), 1, MG_MAX_WIDTH},
	{"intermediate_size", MG_KEY_SIZE, offsetof(Old, intermediate), 1, MG_MAX_WIDTH},
	{"max_position_embeddings", MG_KEY_SIZE, offsetof(Old, positions), 3, MG_MAX_POSITIONS},
	{"type_vocab_size", MG_KEY_SIZE, offsetof(Old, types), 1, MG_MAX_WIDTH},
	{"hidden_act", MG_KEY_ACTIVATION, offsetof(Old, activation), 0, 0},
	{"layer_norm_eps", MG_KEY_REAL, offsetof(Old, eps), 0, 1},
	{"tie_word_embeddings", MG_KEY_FLAG, offsetof(Old, tied), 0, 0},
};

#define N_KEYS (sizeof keys / sizeof *keys)

bool
mg_meta_read_old(MgCtx *cx, MgSpan bytes, MgImage *image)
{
	MgReader reader = mg_reader(bytes);
	MgSpan name = mg_read_span(&reader, 32);
	uint32_t pooling, normalize, calibrate, dtype, tied;
	Old old;

	if (bytes.size != OLD_META || memchr(name.data, '\0', name.size) == NULL)
		return mg_image_damaged(cx, "It has no description of the model.");
	name.size = strlen((const char *) name.data);
	old.vocab = mg_read_u32(&reader);
	old.hidden = mg_read_u32(&reader);
	old.layers = mg_read_u32(&reader);
	old.heads = mg_read_u32(&reader);
	old.intermediate = mg_read_u32(&reader);
	old.positions = mg_read_u32(&reader);
	old.types = mg_read_u32(&reader);
	old.activation = mg_read_u32(&reader);
	old.eps = mg_read_f32(&reader);
	tied = mg_read_u32(&reader);
	old.tied = tied != 0;
	mg_read_u32(&reader); /* parts: known by the weights that are there */
	pooling = mg_read_u32(&reader);
	normalize = mg_read_u32(&reader);
	image->meta.max_tokens = mg_read_u32(&reader);
	calibrate = mg_read_u32(&reader);
	dtype = mg_read_u32(&reader);
	image->meta.parameters = mg_read_u64(&reader);
	if (tied > 1 || pooling > MG_POOL_LAST || normalize > 1 || calibrate > 1 || dtype >= MG_N_DTYPES ||
		image->meta.max_tokens < 3)
		return mg_image_damaged(cx, "A field of its description is out of range.");
	image->meta.pooling = (MgPooling) pooling;
	image->meta.normalize = normalize;
	image->meta.calibrate = calibrate;
	image->meta.dtype = (MgDtype) dtype;
	return mg_meta_find_arch(cx, name, image) && mg_config_of_fields(cx, keys, N_KEYS, &old, NULL, &image->keys) &&
		(image->keys.n == N_KEYS || mg_image_damaged(cx, "A field of its description is out of range."));
}
