/* What generate() and its kin read of their arguments, which stand at the same places in all of them. */
#ifndef MASKGEN_PG_TASK_GENERATE_H
#define MASKGEN_PG_TASK_GENERATE_H

#include "postgres.h"
#include "task/chat.h"

/* Positions of arguments. */
enum
{
	GENERATE_MODEL,
	GENERATE_PROMPT,
	GENERATE_MAX_TOKENS,
	GENERATE_TEMPERATURE,
	GENERATE_TOP_K,
	GENERATE_TOP_P,
	GENERATE_MIN_P,
	GENERATE_STOP,
	GENERATE_SEED,
	GENERATE_OPTIONS,
	GENERATE_ARGS
};

/* Before a model is in use: stop strings, memory, and the options as text, which live as long as the arguments and the memory context. */
MgSpan generate_begin(const Datum *args, MgGenerateOptions *options);

/*
 * Then: the model's defaults, and what arguments and options say beyond them. chat NULL: options of chats are refused. Arena memory. False
 * after an error.
 */
bool generate_settings(const MgRun *run, const Datum *args, MgSpan json, MgGenerateOptions *options, MgChatOptions *chat);

#endif
