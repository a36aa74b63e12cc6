/*
 * The links of one node, present ones and offered ones, and which of them are
 * worth keeping: the heuristic of select.h over what the node's entry holds.
 *
 * Coded: nothing else is read. With r, t the residuals of two links and s_r, s_t
 * their signs, cos(r, t) ~ cos(pi d), d being the part of the signs that differ
 * (Goemans and Williamson, 1995), and |r|^2 follows from offset and factor.
 * Plain: the neighbours' entries are read for their values.
 */
#ifndef MG_HNSW_LINKS_H
#define MG_HNSW_LINKS_H

#include "hnsw/graph.h"

typedef struct MgLink
{
	uint32_t id;
	uint32_t slot;		  /* of the entry; MG_NO_SLOT: offered */
	float distance;		  /* from the node */
	uint8_t *bytes; /* [link_size] */
	float square, length; /* coded: |r|^2, |r| */
	float along;		  /* coded, for ip: <u^, r> */
	const uint8_t *value; /* plain: the neighbour's, a copy */
	uint32_t value_size;
} MgLink;

#define MG_NO_SLOT UINT32_MAX

typedef struct MgLinks
{
	MgCtx *cx;
	const MgGraph *graph;
	const uint8_t *entry; /* the node's */
	MgQuery centre;		  /* coded: its decoded own code, planes only; plain: its value */
	float *decoded;		  /* coded: [padded] */
	float own_square;	  /* coded: |u^|^2 */
	MgLink *items;		  /* [room] */
	uint32_t n, room;
	uint8_t *scratch;	  /* plain: an entry */
	MgCounts *counts;
} MgLinks;

/* entry is kept by reference; room for that many links. */
bool mg_links_init(MgCtx *cx, MgLinks *links, const MgGraph *graph, const uint8_t *entry, uint32_t room,
				   MgCounts *counts);

/* A link that the entry has. *alive is false, and it was not added, when it is plain and its neighbour is gone or deleted. */
bool mg_links_add_slot(MgLinks *links, uint32_t slot, bool *alive);

/* A link to offer. value: coded: float [padded], rotated; plain: bytes. */
bool mg_links_add(MgLinks *links, uint32_t id, const void *value, uint32_t value_size);

/* Whether a link to id is among them. */
bool mg_links_have(const MgLinks *links, uint32_t id);

/* Sorts them by distance; the best `most` of them, as mg_select: places in items. n at most MG_SELECT_MOST. */
uint32_t mg_links_select(MgLinks *links, uint32_t most, uint32_t *chosen);

/* A link from target to source. */
typedef struct MgOffer
{
	uint32_t target;
	int level;
	uint32_t source;   /* MG_NO_NODE: not known yet, the caller will write it into the edge's link */
	const void *value; /* of source, as for mg_links_add */
	uint32_t value_size;
	uint32_t most_ways; /* above 0: the link is to be a way, unless target has that many */
	bool deleted_too;	/* target may be deleted */
} MgOffer;

/*
 * Wanted if there is room or it is better than one of target's; a way, if target may have one more. Edges take no way's
 * place. Reads target.
 */
bool mg_links_offer(MgCtx *cx, const MgGraph *graph, const MgOffer *offer, MgEdge *edge, bool *wanted, MgCounts *counts);

#endif
