/* Options of an index: m, ef_construction, quantizer; and the shape of entries that follows from them. */
#include "pg/hnsw/options.h"

#include <limits.h>

#include "access/reloptions.h"
#include "commands/defrem.h"
#include "common/pg_prng.h"
#include "pg/hnsw/scratch.h"
#include "pg/host.h"
#include "storage/itemptr.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

/* Heap tuples with equal vectors that a node has room for: at least; what is left on a page is used for more. */
#define MIN_ITEMS 4
#define MAX_ITEMS 32

/* Alignment of a slot. */
#define SLOT_OVERHEAD 3

/* Of pgvector's ivfflat. */
#define DEFAULT_LISTS 100
#define MOST_LISTS 32768

typedef struct HnswOptions
{
	int32 vl_len_; /* varlena header (do not touch directly) */
	int m;
	int ef_construction;
	int quantizer; /* HnswQuantizer */
	int lists;	   /* of an index named ivfflat */
} HnswOptions;

int maskgen_ef_search = HNSW_DEFAULT_EF_SEARCH;
int maskgen_iterative_scan = HNSW_ITERATION_FULL;
int maskgen_max_scan_tuples = HNSW_DEFAULT_MAX_SCAN_TUPLES;
double maskgen_scan_mem_multiplier = HNSW_DEFAULT_SCAN_MEM_MULTIPLIER;
bool maskgen_exact_radius = true;
bool maskgen_distance_filter = true;

static relopt_kind options_kind, ivfflat_kind;

static relopt_enum_elt_def quantizers[] = {{"auto", HNSW_QUANTIZER_AUTO},
										   {"rabitq", HNSW_QUANTIZER_RABITQ},
										   {"none", HNSW_QUANTIZER_NONE},
										   {NULL}};

static const struct config_enum_entry iterations[] = {{"off", HNSW_ITERATION_OFF, false},
													  {"relaxed_order", HNSW_ITERATION_RELAXED, false},
													  {"strict_order", HNSW_ITERATION_STRICT, false},
													  {"full_order", HNSW_ITERATION_FULL, false},
													  {NULL, 0, false}};

void
hnsw_options_init(void)
{
	relopt_kind kinds;

	options_kind = add_reloption_kind();
	ivfflat_kind = add_reloption_kind();
	kinds = options_kind | ivfflat_kind;
	add_int_reloption(kinds, "m", "Links of a node to each side of it.", HNSW_DEFAULT_M, 2, MG_MAX_M,
					  ShareUpdateExclusiveLock);
	add_int_reloption(kinds, "ef_construction", "How many nodes an insert looks at to choose its links from.",
					  HNSW_DEFAULT_EF_CONSTRUCTION, 4, 1000, ShareUpdateExclusiveLock);
	add_enum_reloption(kinds, "quantizer", "Codes of vectors that the index keeps.", quantizers,
					   HNSW_QUANTIZER_AUTO, "Valid values are \"auto\", \"rabitq\" and \"none\".",
					   ShareUpdateExclusiveLock);
	add_int_reloption(ivfflat_kind, "lists", "Lists that pgvector would make; a graph has none.", DEFAULT_LISTS, 1, MOST_LISTS,
					  ShareUpdateExclusiveLock);

	DefineCustomIntVariable("maskgen.ef_search", "Rows that a scan of a maskgen_hnsw index looks for at a time.",
							"More find more of the nearest rows and take longer.", &maskgen_ef_search,
							HNSW_DEFAULT_EF_SEARCH, 1, HNSW_MOST_EF_SEARCH, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomEnumVariable("maskgen.iterative_scan", "Whether a scan goes on when more rows are asked for.",
							 "\"full_order\" gives as many rows as are asked for, in order; \"strict_order\" leaves out rows that are found too late.",
							 &maskgen_iterative_scan, HNSW_ITERATION_FULL, iterations, PGC_USERSET, 0, NULL, NULL,
							 NULL);
	DefineCustomIntVariable("maskgen.max_scan_tuples", "Entries of an index that one scan may read by links.",
							"Then it reads all pages in \"full_order\" and within a radius; else it stops and says so in a notice. 0 means no limit.",
							&maskgen_max_scan_tuples, HNSW_DEFAULT_MAX_SCAN_TUPLES, 0, INT_MAX, PGC_USERSET, 0, NULL,
							NULL, NULL);
	DefineCustomRealVariable("maskgen.scan_mem_multiplier", "Multiple of work_mem that one scan of an index may use.",
							 "A search by links that needs more ends as by maskgen.max_scan_tuples.", &maskgen_scan_mem_multiplier,
							 HNSW_DEFAULT_SCAN_MEM_MULTIPLIER, 1, 1000, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("maskgen.exact_radius", "Finds all rows within a radius.",
							 "Without it only those that a search by links finds, which is faster and may miss some.",
							 &maskgen_exact_radius, true, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("maskgen.distance_filter", "Lets a comparison of a distance with a number use an index.",
							 "Always for all rows, as a sequential scan finds them.", &maskgen_distance_filter, true, PGC_USERSET, GUC_EXPLAIN,
							 NULL, NULL, NULL);
}

static const relopt_parse_elt fields[] = {
	{"m", RELOPT_TYPE_INT, offsetof(HnswOptions, m)},
	{"ef_construction", RELOPT_TYPE_INT, offsetof(HnswOptions, ef_construction)},
	{"quantizer", RELOPT_TYPE_ENUM, offsetof(HnswOptions, quantizer)},
	{"lists", RELOPT_TYPE_INT, offsetof(HnswOptions, lists)},
};

bytea *
hnsw_options(Datum options, bool validate)
{
	/* All but the last. */
	return (bytea *) build_reloptions(options, validate, options_kind, sizeof(HnswOptions), fields, lengthof(fields) - 1);
}

bytea *
hnsw_options_ivfflat(Datum options, bool validate)
{
	return (bytea *) build_reloptions(options, validate, ivfflat_kind, sizeof(HnswOptions), fields, lengthof(fields));
}

int
hnsw_options_lists(Relation index)
{
	const HnswOptions *options = (const HnswOptions *) index->rd_options;

	return options != NULL ? options->lists : DEFAULT_LISTS;
}

static int
typmod_dims(Relation index, const HnswKind *kind)
{
	int32 dims = TupleDescAttr(RelationGetDescr(index), 0)->atttypmod;

	/* A domain has the dimensions of the type below it. */
	getBaseTypeAndTypmod(TupleDescAttr(RelationGetDescr(index), 0)->atttypid, &dims);

	if (dims < 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("column does not have dimensions"),
						errhint("Give it some, as in %s(384), or index an expression: ((embedding::%s(384))).",
								kind->type, kind->type)));
	return dims;
}

/* How entries of a shape lie; false when it is none, or an entry does not fit a page. */
static bool
find_places(const MgShape *shape, HnswPlaces *places)
{
	MgHost host = host_in(CurrentMemoryContext);
	MgEntryLayout layout;
	MgCtx cx;

	mg_ctx_init(&cx, &host);
	return mg_layout_init(&cx, &layout, shape) && hnsw_places_init(places, &layout);
}

/* MIN_ITEMS, fewer where no entry would fit, more where a page has room for them that no entry could use. */
static void
choose_items(MgShape *shape)
{
	HnswPlaces places, other;

	while (!find_places(shape, &places) && shape->max_items > 1)
		shape->max_items--;
	for (; shape->max_items < MAX_ITEMS; shape->max_items++)
	{
		MgShape roomier = *shape;

		roomier.max_items++;
		if (!find_places(&roomier, &other) || other.n_nodes < places.n_nodes || other.n_slots[0] < places.n_slots[0])
			return;
	}
}

void
hnsw_options_coded(MgShape *shape)
{
	shape->max_items = MIN_ITEMS;
	shape->code_bits = mg_layout_code_bits(shape, HNSW_PAGE_ROOM, SLOT_OVERHEAD);
	if (shape->code_bits > 0)
		choose_items(shape);
}

static void
choose_shape(const HnswKind *kind, HnswQuantizer quantizer, int dims, MgShape *shape)
{
	bool has_codes = hnsw_kind_has_codes(kind, &shape->metric);

	if (!has_codes && quantizer == HNSW_QUANTIZER_RABITQ)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("this operator class cannot be quantized with \"rabitq\""),
						errhint("Use the default, quantizer = auto.")));
	shape->dims = (uint32) dims;
	shape->max_items = MIN_ITEMS;
	if (!has_codes || quantizer == HNSW_QUANTIZER_NONE)
	{
		shape->metric = MG_GRAPH_PLAIN;
		shape->value_size = (uint32) Min(hnsw_kind_room(kind, dims, quantizer == HNSW_QUANTIZER_NONE), BLCKSZ);
		choose_items(shape);
	}
	else if (dims <= MG_MAX_DIMS)
		hnsw_options_coded(shape);
}

/* Throws unless an entry of this shape fits a page. */
static void
check_shape(const HnswKind *kind, const MgShape *shape)
{
	MgGraphMetric metric;
	HnswPlaces places;

	if ((shape->metric == MG_GRAPH_PLAIN || shape->code_bits > 0) && find_places(shape, &places))
		return;
	ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					errmsg("%s of %u dimensions is too large for a maskgen_hnsw index with m = %u", kind->type, shape->dims,
						   shape->m),
					errdetail("An entry must fit a page of %d bytes.", BLCKSZ),
					shape->metric == MG_GRAPH_PLAIN && hnsw_kind_has_codes(kind, &metric)
						? errhint("Use the default, quantizer = auto, or a smaller m.")
						: errhint("Use a smaller m, or index fewer dimensions of it, as in subvector().")));
}

void
hnsw_options_meta(Relation index, const HnswKind *kind, HnswMeta *meta)
{
	const HnswOptions *options = (const HnswOptions *) index->rd_options;

	memset(meta, 0, sizeof *meta);
	meta->magic = HNSW_MAGIC;
	meta->version = HNSW_FORMAT_VERSION;
	meta->seed = pg_prng_uint64(&pg_global_prng_state);
	meta->kind = kind->id;
	meta->ef_construction = options != NULL ? options->ef_construction : HNSW_DEFAULT_EF_CONSTRUCTION;
	meta->shape.m = options != NULL ? options->m : HNSW_DEFAULT_M;
	meta->shape.item_size = hnsw_cover_item_size(hnsw_cover_of(index));
	meta->entry_point = MG_NO_NODE;
	meta->free_pages[0] = meta->free_pages[1] = InvalidBlockNumber;
	meta->complete = HNSW_NEEDS_NULLS | HNSW_NEEDS_NUMBERS;
	if (meta->ef_construction < 2 * meta->shape.m)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("ef_construction must be at least 2 * m, which is %u", 2 * meta->shape.m)));
	choose_shape(kind, options != NULL ? options->quantizer : HNSW_QUANTIZER_AUTO, typmod_dims(index, kind),
				 &meta->shape);
	check_shape(kind, &meta->shape);
}
