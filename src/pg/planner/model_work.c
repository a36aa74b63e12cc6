/* From the head of a stored image to seconds. */
#include "pg/planner/model_work.h"

#include "miscadmin.h"
#include "model/image.h"
#include "pg/guc.h"
#include "pg/host.h"
#include "pg/model/catalog.h"
#include "pg/model/stats.h"
#include "task/decoder.h"
#include "task/generate.h"
#include "text/tokenizer.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#define RATE_FLOAT 64e9
#define RATE_INT8 112e9

/* One call from SQL: tokeniser, frame, result. */
#define CALL_SECONDS 50e-6

/* What reading the weights costs, in tokens. */
#define WEIGHTS_TOKENS 10

/* The same for tokens that are drawn, which read them packed. SmolLM2 on Zen 4: 1.1 ms a token of a prompt, 6.2 ms one that is drawn alone, 1.3 of 64 in step. */
#define WEIGHTS_DRAWN 4

/* Tokens of a model that statistics have seen before they say how fast it is. */
#define SEEN_TOKENS 500

/* Keys are counted for so many tokens, since they lie in groups. */
#define KEYS_OF 1024

/* By content, which never changes: an entry is good for as long as the backend lives. */
typedef struct KnownWork
{
	uint8 digest[DIGEST_SIZE]; /* hash key */
	bool known;
	ModelWork work;
} KnownWork;

static HTAB *known_work;

static bool
read_start(MgCtx *cx, void *user, uint64_t offset, void *into, size_t size)
{
	const ModelEntry *entry = user;

	return catalog_read_start(entry->id, (Size) offset, into, size) ||
		mg_fail(cx, MG_BAD_FILE, "stored model ends before its directory does");
}

/* Elements of these parts' matrices for products. */
static double
count_weights(const MgImage *image, uint32_t parts)
{
	MgWeight weight = {0};
	double n = 0;

	while (mg_weights_next(image->arch, image->config, parts, &weight))
		if (weight.spec->role == MG_LINEAR)
			n += (double) weight.rows * (double) weight.cols;
	return n;
}

/* Tokens around a text; what cannot be read leaves none. */
static double
read_extra(MgCtx *cx, const MgSource *source, const MgImage *image)
{
	const MgSection *section = mg_image_find(image, "tokenizer");
	uint8 head[MG_TOKENIZER_HEAD];
	size_t size = section == NULL ? 0 : Min((size_t) section->size, sizeof head);

	if (size == 0 || !source->read(cx, source->user, section->offset, head, size))
		return 0;
	return (double) mg_tokenizer_extra(mg_span(head, size));
}

/* Bytes of a token's keys and values. */
static double
count_keys(const MgImage *image)
{
	MgModel model = {.arch = image->arch, .config = image->config, .sizes = mg_image_sizes(image)};
	size_t size;

	if ((image->can & MG_CAN_GENERATE) == 0 || !mg_decoder_slot_size(&model, KEYS_OF, &size))
		return 0;
	return (double) size / KEYS_OF;
}

static bool
read_work(const ModelEntry *entry, ModelWork *work)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "maskgen model work", ALLOCSET_DEFAULT_SIZES);
	MgHost host = host_in(context);
	MgSource source = {(void *) entry, (uint64) entry->stored_bytes, read_start};
	MgImage image;
	MgCtx cx;
	bool known;

	mg_ctx_init(&cx, &host);
	known = mg_image_open(&cx, &source, &image);
	if (known)
	{
		const MgSizes *sizes = mg_image_sizes(&image);

		double depth = sizes->depth > 0 ? sizes->depth : sizes->layers;

		work->weights = count_weights(&image, 1) * depth / sizes->layers;
		work->attention = 4.0 * sizes->width * depth;
		work->mask = 2 * (count_weights(&image, image.parts & ~1u) + (double) sizes->vocab * sizes->width);
		work->max_tokens = image.meta.max_tokens;
		work->keys = count_keys(&image);
		work->extra = read_extra(&cx, &source, &image);
		work->rate = entry->codes != NULL ? RATE_INT8 : RATE_FLOAT;
		work->masked = (image.can & MG_CAN_FILL_MASK) != 0;
		work->pass_a_label = !work->masked && (image.can & (MG_CAN_SCORE | MG_CAN_FIND_REPLACED)) != 0;
	}
	MemoryContextDelete(context);
	return known;
}

const ModelWork *
model_work_find(const char *name)
{
	const ModelEntry *entry = catalog_look(name);
	KnownWork *known;
	ModelWork work;
	bool found, is_known;

	if (entry == NULL)
		return NULL;
	if (known_work == NULL)
	{
		HASHCTL control = {.keysize = DIGEST_SIZE, .entrysize = sizeof(KnownWork)};

		known_work = hash_create("maskgen model work", 16, &control, HASH_ELEM | HASH_BLOBS);
	}
	known = hash_search(known_work, entry->digest, HASH_FIND, NULL);
	if (known == NULL)
	{
		/* May throw, for instance on a cancel: nothing is entered before. */
		is_known = read_work(entry, &work);
		known = hash_search(known_work, entry->digest, HASH_ENTER, &found);
		known->known = is_known;
		known->work = work;
	}
	return known->known ? &known->work : NULL;
}

double
model_work_seconds(const ModelWork *work, double n, double tokens)
{
	double length = n > 0 ? tokens / n : 0;

	return n * CALL_SECONDS +
		(tokens + WEIGHTS_TOKENS * n) * (2 * work->weights + work->attention * length) / work->rate;
}

double
model_work_new_seconds(const ModelWork *work, double n, double prompt, double rows)
{
	double pass = 2 * work->weights + work->mask;

	return n > 0 ? n * ((1 + WEIGHTS_DRAWN / rows) * pass + work->attention * (prompt + n / 2)) / work->rate : 0;
}

/* Time that was taken, by what would have been expected; 1 where nearly nothing is known. Sequences of that length. */
static double
seen_rate(const ModelEntry *entry, const ModelWork *work, double length)
{
	StatsRow *rows = palloc(STATS_ENTRIES * sizeof *rows);
	int n = stats_snapshot(false, rows);
	double scale = 1, weights = work->keys > 0 ? WEIGHTS_DRAWN : WEIGHTS_TOKENS;

	for (int i = 0; i < n; i++)
	{
		const uint64 *counts = rows[i].counts.values;
		double tokens = (double) counts[STATS_TOKENS], passes = (double) counts[STATS_BATCHES];

		if (rows[i].database != MyDatabaseId || memcmp(rows[i].digest, entry->digest, DIGEST_SIZE) != 0 || tokens < SEEN_TOKENS)
			continue;
		scale = (double) counts[STATS_MICROSECONDS] / 1e6 * work->rate /
			((tokens + weights * passes) * (2 * work->weights + work->attention * length) + (double) counts[STATS_NEW_TOKENS] * work->mask);
	}
	pfree(rows);
	return scale;
}

ModelEstimate
model_work_estimate(const char *name, double rows, double prompt, double drawn)
{
	const ModelWork *work = model_work_find(name);
	double step = Max(Min(rows, MG_GENERATE_SLOTS), 1);
	ModelEstimate estimate = {-1, -1};

	if (work == NULL)
		return estimate;
	estimate.memory = Min(step * (prompt + drawn) * work->keys, (double) maskgen_kv_memory * 1024);
	/* Prompts are read together, so reading the weights is shared by many. */
	estimate.seconds = rows * prompt * (2 * work->weights + work->attention * prompt) / work->rate +
		rows * model_work_new_seconds(work, drawn, prompt, step);
	estimate.seconds *= seen_rate(catalog_look(name), work, prompt + drawn / 2);
	return estimate;
}

double
model_work_mask_seconds(const ModelWork *work, double n)
{
	return n > 0 ? (n + WEIGHTS_TOKENS) * work->mask / work->rate : 0;
}
