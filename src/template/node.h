/*
 * A parsed template: nodes, in arena memory.
 *
 *   kind       first        second         third           name, op
 *   CONST                                                  value
 *   NAME                                                   name
 *   LIST       items                                       LIST, TUPLE: chains by next
 *   DICT       key, value, key, value ... by next
 *   MEMBER     of                                          name
 *   ITEM       of           index
 *   SLICE      of           start          stop; its next: step; each may be EMPTY
 *   CALL       callee       arguments, ARGUMENT for named ones
 *   ARGUMENT   value                                       name
 *   FILTER     of           arguments                      name; number: its place in the table
 *   TEST       of           arguments                      name, number, negated
 *   NOT MINUS PLUS first;   AND OR first, second;   BINARY first, second, op
 *   COMPARE    of           COMPARED by next: op, first
 *   CHOICE     then         condition      else or NULL
 *
 *   TEXT                                                   value
 *   OUTPUT     expression
 *   IF         condition    body           else: IF or body's first node, in an ELSE
 *   FOR        target       iterable       condition or NULL; body, or_else
 *   SET        target       value
 *   SET_BLOCK  target       body           filter: FILTER nodes around EMPTY, or NULL
 *   MACRO      parameters: ARGUMENT with default or EMPTY; body; name
 *   WITH       SET by next  body
 *   FILTERED   filters      body
 *   GROUP      body         (generation)
 *   BREAK, CONTINUE
 */
#ifndef MG_TEMPLATE_NODE_H
#define MG_TEMPLATE_NODE_H

#include "template/value.h"

typedef enum MgNodeKind
{
	MG_NODE_EMPTY,
	MG_NODE_CONST,
	MG_NODE_NAME,
	MG_NODE_LIST,
	MG_NODE_TUPLE,
	MG_NODE_DICT,
	MG_NODE_MEMBER,
	MG_NODE_ITEM,
	MG_NODE_SLICE,
	MG_NODE_CALL,
	MG_NODE_ARGUMENT,
	MG_NODE_FILTER,
	MG_NODE_TEST,
	MG_NODE_NOT,
	MG_NODE_MINUS,
	MG_NODE_PLUS,
	MG_NODE_AND,
	MG_NODE_OR,
	MG_NODE_BINARY,
	MG_NODE_COMPARE,
	MG_NODE_COMPARED,
	MG_NODE_CHOICE,
	MG_NODE_TEXT,
	MG_NODE_OUTPUT,
	MG_NODE_IF,
	MG_NODE_FOR,
	MG_NODE_SET,
	MG_NODE_SET_BLOCK,
	MG_NODE_MACRO,
	MG_NODE_WITH,
	MG_NODE_FILTERED,
	MG_NODE_GROUP,
	MG_NODE_BREAK,
	MG_NODE_CONTINUE
} MgNodeKind;

typedef enum MgOp
{
	MG_OP_ADD,
	MG_OP_SUBTRACT,
	MG_OP_MULTIPLY,
	MG_OP_DIVIDE,
	MG_OP_FLOOR,
	MG_OP_MODULO,
	MG_OP_POWER,
	MG_OP_JOIN,
	MG_OP_EQ,
	MG_OP_NE,
	MG_OP_LT,
	MG_OP_LE,
	MG_OP_GT,
	MG_OP_GE,
	MG_OP_IN,
	MG_OP_NOT_IN
} MgOp;

typedef struct MgNode
{
	uint8_t kind; /* MgNodeKind */
	uint8_t op;	  /* MgOp */
	bool negated;
	uint16_t number;
	unsigned line;
	MgSpan name;
	MgMarked text; /* of a constant string */
	MgValue value;
	struct MgNode *first, *second, *third, *next;
	struct MgNode *body, *or_else;
} MgNode;

struct MgTemplate
{
	MgNode *body;
};

#endif
