/*
 * The four verbs of a backend, and library errors as SQL errors.
 *
 * Messages can carry bytes of foreign files and are in UTF-8, while errors
 * have to be in the encoding of the database, and be valid there. In a UTF-8
 * database well-formed characters stay as they are; everything else that is
 * not printable ASCII turns into a question mark.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "pg/host.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#define HOST_ALIGNMENT 16

void (*host_polled)(void);

/* Memory contexts align to 8: what is handed out lies behind a pointer to what they gave. */
static void *
host_alloc(void *user, size_t size)
{
	size_t room;
	char *given;
	char *aligned;

	if (__builtin_add_overflow(size, HOST_ALIGNMENT + sizeof(void *), &room) || !AllocHugeSizeIsValid(room))
		return NULL;
	given = MemoryContextAllocExtended(user, room, MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);
	if (given == NULL)
		return NULL;
	aligned = (char *) TYPEALIGN(HOST_ALIGNMENT, given + sizeof(void *));
	((void **) aligned)[-1] = given;
	return aligned;
}

static void
host_release(void *user, void *memory, size_t size)
{
	pfree(((void **) memory)[-1]);
}

static bool
host_poll(void *user)
{
	CHECK_FOR_INTERRUPTS();
	/* Where nobody holds a snapshot, in a worker between its statements, what was looked up must not hold up vacuum for as long as this computes. */
	InvalidateCatalogSnapshotConditionally();
	if (host_polled != NULL)
		host_polled();
	return true;
}

static void
make_printable(char printable[MG_MESSAGE_SIZE], const char *text)
{
	bool is_utf8 = GetDatabaseEncoding() == PG_UTF8;
	size_t n = 0;

	while (*text != '\0' && n < MG_MESSAGE_SIZE - 1)
	{
		size_t length = 1;

		if (is_utf8 && IS_HIGHBIT_SET(*text))
		{
			length = (size_t) pg_utf_mblen((const unsigned char *) text);
			if (strnlen(text, length) < length || !pg_utf8_islegal((const unsigned char *) text, (int) length))
				length = 1;
		}
		if (n + length > MG_MESSAGE_SIZE - 1)
			break;
		if (length > 1 || ((unsigned char) *text >= 0x20 && (unsigned char) *text < 0x7F))
			memcpy(printable + n, text, length);
		else
			printable[n] = '?';
		n += length;
		text += length;
	}
	printable[n] = '\0';
}

static void
host_note(void *user, const char *text)
{
	char printable[MG_MESSAGE_SIZE];

	make_printable(printable, text);
	ereport(NOTICE, (errmsg_internal("%s", printable)));
}

void
host_show(const char *text, char *shown, size_t size)
{
	char printable[MG_MESSAGE_SIZE];
	size_t n;

	make_printable(printable, text);
	n = strlen(printable);
	n = n < size ? n : (size_t) pg_mbcliplen(printable, (int) n, (int) size - 1);
	memcpy(shown, printable, n);
	shown[n] = '\0';
}

MgHost
host_in(MemoryContext memory)
{
	return (MgHost){memory, host_alloc, host_release, host_poll, host_note};
}

static int
sqlstate_of(MgCode code)
{
	switch (code)
	{
		case MG_BAD_ARGUMENT:
			return ERRCODE_INVALID_PARAMETER_VALUE;
		case MG_BAD_TEXT:
			return ERRCODE_CHARACTER_NOT_IN_REPERTOIRE;
		case MG_BAD_FILE:
			/* Not data_corrupted: its class, XX, wakes people up, and most bad files are a user's. */
			return ERRCODE_INVALID_BINARY_REPRESENTATION;
		case MG_UNSUPPORTED:
			return ERRCODE_FEATURE_NOT_SUPPORTED;
		case MG_TOO_LARGE:
			return ERRCODE_PROGRAM_LIMIT_EXCEEDED;
		case MG_NO_MEMORY:
			return ERRCODE_OUT_OF_MEMORY;
		case MG_STOPPED:
			return ERRCODE_QUERY_CANCELED;
		case MG_IO:
			return ERRCODE_IO_ERROR;
		case MG_OK:
			break;
	}
	return ERRCODE_INTERNAL_ERROR;
}

void
host_throw(const MgCtx *cx)
{
	host_throw_error(&cx->error);
}

void
host_throw_error(const MgError *error)
{
	char message[MG_MESSAGE_SIZE];
	char detail[MG_MESSAGE_SIZE];
	char hint[MG_MESSAGE_SIZE];

	make_printable(message, error->message);
	make_printable(detail, error->detail);
	make_printable(hint, error->hint);
	ereport(ERROR, (errcode(sqlstate_of(error->code)),
					errmsg("%s", message[0] != '\0' ? message : "a library function failed without saying why"),
					detail[0] != '\0' ? errdetail("%s", detail) : 0, hint[0] != '\0' ? errhint("%s", hint) : 0));
	pg_unreachable();
}
