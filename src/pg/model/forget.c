/* A list of digests with what becomes of them, kept per subtransaction until the transaction ends. */
#include "pg/model/forget.h"

#include "access/xact.h"
#include "pg/resident/resident.h"
#include "utils/memutils.h"

typedef struct Pending
{
	uint8 digest[DIGEST_SIZE];
	bool on_commit; /* else on abort */
	SubTransactionId subtransaction;
	struct Pending *next;
} Pending;

static Pending *pending; /* in TopTransactionContext */

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
			resident_forget(one->digest);
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
				resident_forget(one->digest);
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

static void
add(const uint8 *digest, bool on_commit)
{
	Pending *one = MemoryContextAlloc(TopTransactionContext, sizeof *one);

	memcpy(one->digest, digest, DIGEST_SIZE);
	one->on_commit = on_commit;
	one->subtransaction = GetCurrentSubTransactionId();
	one->next = pending;
	pending = one;
}

void
forget_on_abort(const uint8 *digest)
{
	add(digest, false);
}

void
forget_on_commit(const uint8 *digest)
{
	add(digest, true);
}
