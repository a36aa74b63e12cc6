/* Switching to a table's owner and back. */
#include "pg/restricted.h"

#include "miscadmin.h"
#include "utils/guc.h"

void
restricted_enter(Restricted *restricted, Relation table)
{
	GetUserIdAndSecContext(&restricted->user, &restricted->context);
	SetUserIdAndSecContext(table->rd_rel->relowner, restricted->context | SECURITY_RESTRICTED_OPERATION);
	restricted->nest_level = NewGUCNestLevel();
	set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

void
restricted_leave(const Restricted *restricted)
{
	AtEOXact_GUC(false, restricted->nest_level);
	SetUserIdAndSecContext(restricted->user, restricted->context);
}
