/* Counts work and polls the host when enough of it is done: a unit is a byte read or a lookup, 2 to 50 ns. */
#ifndef MG_TEXT_PACE_H
#define MG_TEXT_PACE_H

#include "core/ctx.h"

/* At 50 ns a unit this is 3 ms, well below the 20 ms that a host may have to wait. */
#define MG_PACE_UNITS ((size_t) 64 * 1024)

typedef struct MgPace
{
	size_t done; /* since the last poll */
} MgPace;

static inline bool
mg_pace(MgCtx *cx, MgPace *pace, size_t units)
{
	pace->done += units;
	if (pace->done < MG_PACE_UNITS)
		return true;
	pace->done = 0;
	return mg_poll(cx);
}

#endif
