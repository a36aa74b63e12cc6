/* A list of what becomes of copies, kept per subtransaction until the transaction ends. */
#include "pg/model/forget.h"

#include "access/xact.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_database.h"
#include "catalog/pg_extension.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "pg/resident/resident.h"
#include "utils/memutils.h"

typedef struct Pending
{
	uint8 digest[DIGEST_SIZE];
	Oid database;	/* not a digest, but all that this database alone has shown; InvalidOid: a digest */
	bool on_commit; /* else on abort */
	SubTransactionId subtransaction;
	struct Pending *next;
} Pending;

static Pending *pending; /* in TopTransactionContext */
static object_access_hook_type next_access;

static void
settle(const Pending *one)
{
	if (OidIsValid(one->database))
		resident_leave(one->database);
	else
		resident_forget(one->digest);
}

static void
end_transaction(XactEvent event, void *arg)
{
	bool committed = event == XACT_EVENT_COMMIT;

	/* What a prepared transaction becomes is not known here: its copies fall to eviction. */
	if (event == XACT_EVENT_PREPARE)
		pending = NULL;
	if (!committed && event != XACT_EVENT_ABORT)
		return;
	for (Pending *one = pending; one != NULL; one = one->next)
		if (one->on_commit == committed)
			settle(one);
	pending = NULL;
}

/* A subtransaction that ends well leaves its list to its parent; one that fails is settled at once. */
static void
end_subtransaction(SubXactEvent event, SubTransactionId subtransaction, SubTransactionId parent, void *arg)
{
	Pending **link = &pending;

	if (event != SUBXACT_EVENT_COMMIT_SUB && event != SUBXACT_EVENT_ABORT_SUB)
		return;
	while (*link != NULL)
	{
		Pending *one = *link;

		if (one->subtransaction != subtransaction)
			link = &one->next;
		else if (event == SUBXACT_EVENT_COMMIT_SUB)
		{
			one->subtransaction = parent;
			link = &one->next;
		}
		else
		{
			if (!one->on_commit)
				settle(one);
			*link = one->next;
		}
	}
}

void
forget_prepare(void)
{
	static bool registered;

	resident_attach();
	if (registered)
		return;
	RegisterXactCallback(end_transaction, NULL);
	RegisterSubXactCallback(end_subtransaction, NULL);
	registered = true;
}

static Pending *
add(bool on_commit)
{
	Pending *one = MemoryContextAllocZero(TopTransactionContext, sizeof *one);

	one->on_commit = on_commit;
	one->subtransaction = GetCurrentSubTransactionId();
	one->next = pending;
	pending = one;
	return one;
}

void
forget_on_abort(const uint8 *digest)
{
	memcpy(add(false)->digest, digest, DIGEST_SIZE);
}

void
forget_on_commit(const uint8 *digest)
{
	memcpy(add(true)->digest, digest, DIGEST_SIZE);
}

/* DROP EXTENSION and DROP DATABASE call no function of ours. */
static void
dropped(ObjectAccessType access, Oid class, Oid object, int part, void *arg)
{
	if (next_access != NULL)
		next_access(access, class, object, part, arg);
	if (access != OAT_DROP ||
		(class != DatabaseRelationId && (class != ExtensionRelationId || object != get_extension_oid("maskgen", true))))
		return;
	forget_prepare();
	add(true)->database = class == DatabaseRelationId ? object : MyDatabaseId;
}

void
forget_install(void)
{
	next_access = object_access_hook;
	object_access_hook = dropped;
}
