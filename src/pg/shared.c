/*
 * Pieces of shared memory, made on first use.
 *
 * AddinShmemInitLock is held while a piece is made, and nothing else is taken
 * under it except what ShmemInitStruct takes itself. Since init cannot throw,
 * a piece that exists is complete.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "pg/shared.h"
#include "storage/ipc.h"
#include "storage/shmem.h"

static shmem_request_hook_type previous_request_hook;
static Size reserved_size;

void *
shared_piece(const char *name, Size size, void (*init)(void *piece))
{
	bool found;
	SharedHead *head;

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	head = ShmemInitStruct(name, size, &found);
	if (!found)
	{
		memset(head, 0, size);
		head->tranche = LWLockNewTrancheId();
		LWLockInitialize(&head->lock, head->tranche);
		init(head);
	}
	LWLockRelease(AddinShmemInitLock);
	LWLockRegisterTranche(head->tranche, name);
	return head;
}

static void
request_room(void)
{
	if (previous_request_hook != NULL)
		previous_request_hook();
	RequestAddinShmemSpace(reserved_size);
}

void
shared_reserve(Size size)
{
	if (!process_shared_preload_libraries_in_progress)
		return;
	reserved_size = size;
	previous_request_hook = shmem_request_hook;
	shmem_request_hook = request_room;
}
