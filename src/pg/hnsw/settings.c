/*
 * Settings of scans, under maskgen's names and under pgvector's.
 *
 * hnsw.* and ivfflat.* are never defined here: pgvector does that, and whoever comes second to define a setting ends the session. Until it
 * comes they are placeholders, texts without a check; when it comes it takes over what they were set to.
 */
#include "pg/hnsw/settings.h"

#include <limits.h>

#include "commands/defrem.h"
#include "pg/compat.h"
#include "utils/guc.h"

/* Rows that a search looks for, for each list that pgvector would read: its advice of 10 lists for 100 000 rows makes it 100. */
#define EF_A_PROBE 10

#define MOST_LISTS 32768
#define MOST_MEMORY 1000

static const char *const iteration_names[] = {[HNSW_ITERATION_OFF] = "off",
											  [HNSW_ITERATION_RELAXED] = "relaxed_order",
											  [HNSW_ITERATION_STRICT] = "strict_order",
											  [HNSW_ITERATION_FULL] = "full_order"};

/* NULL if nobody has set it. A placeholder that was set in a transaction only is an empty text afterwards. */
static const char *
value_of(const char *name)
{
	const char *value = GetConfigOption(name, true, false);

	return value == NULL || *value == '\0' || !compat_setting_is_set(name) ? NULL : value;
}

static void
refuse(const char *name, const char *value, const char *hint)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid value for parameter \"%s\": \"%s\"", name, value),
					errhint("%s", hint)));
}

static void
find_number(const char *name, int least, int most, int *number)
{
	const char *value = value_of(name), *ignored;

	if (value != NULL && (!parse_int(value, number, 0, &ignored) || *number < least || *number > most))
		refuse(name, value, psprintf("It is a number from %d to %d.", least, most));
}

static void
find_multiple(const char *name, double most, double *multiple)
{
	const char *value = value_of(name), *ignored;

	if (value != NULL && (!parse_real(value, multiple, 0, &ignored) || !(*multiple >= 1 && *multiple <= most)))
		refuse(name, value, psprintf("It is a number from 1 to %g.", most));
}

static void
find_iteration(const char *name, int *iteration)
{
	const char *value = value_of(name);

	if (value == NULL)
		return;
	for (int i = 0; i < lengthof(iteration_names); i++)
		if (pg_strcasecmp(value, iteration_names[i]) == 0)
		{
			*iteration = i;
			return;
		}
	refuse(name, value, "It is \"off\", \"relaxed_order\", \"strict_order\" or \"full_order\".");
}

void
hnsw_settings_of(Oid access_method, HnswSettings *settings)
{
	char *name = get_am_name(access_method);

	settings->ef_search = maskgen_ef_search;
	settings->iteration = maskgen_iterative_scan;
	settings->max_scan_tuples = maskgen_max_scan_tuples;
	settings->scan_mem_multiplier = maskgen_scan_mem_multiplier;
	settings->first_is_whole = false;
	settings->probes = 0;
	if (name == NULL)
		return;
	if (strcmp(name, "hnsw") == 0)
	{
		find_number("hnsw.ef_search", 1, HNSW_MOST_EF_SEARCH, &settings->ef_search);
		find_iteration("hnsw.iterative_scan", &settings->iteration);
		find_number("hnsw.max_scan_tuples", 1, INT_MAX, &settings->max_scan_tuples);
		settings->first_is_whole = true;
		find_multiple("hnsw.scan_mem_multiplier", MOST_MEMORY, &settings->scan_mem_multiplier);
	}
	else if (strcmp(name, "ivfflat") == 0)
	{
		find_number("ivfflat.probes", 1, MOST_LISTS, &settings->probes);
		find_iteration("ivfflat.iterative_scan", &settings->iteration);
		settings->ef_search = Max(settings->ef_search, Min(settings->probes * EF_A_PROBE, HNSW_MOST_EF_SEARCH));
	}
	pfree(name);
}
