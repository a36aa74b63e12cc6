/*
 * Chats: messages to a prompt, by the model's own template.
 *
 *   [{"role": "user", "content": "..."}, ...] -> template -> text, and which of its bytes are messages' -> tokens
 *
 * Special tokens are read in what the template itself says, and not in messages: none of these ends its turn. No token is put around the whole,
 * since a template says where a chat begins.
 */
#ifndef MG_TASK_CHAT_H
#define MG_TASK_CHAT_H

#include "format/json.h"
#include "task/generate.h"
#include "template/template.h"

typedef struct MgChatOptions
{
	bool add_generation_prompt; /* the beginning of the answer comes behind the messages */
	const MgJson *tools, *documents; /* NULL: none */
	const MgJson *variables; /* an object of what else the template may ask for, such as enable_thinking; NULL: none */
} MgChatOptions;

/* The model's template; NULL after the error of a model without one. */
const MgTemplate *mg_chat_template(const MgRun *run);

/* What an object says of a chat; *n counts its members that are known. Others are the caller's. */
bool mg_chat_options_read(MgCtx *cx, const MgJson *object, MgChatOptions *options);
/* The options that concern a chat, for hints. */
#define MG_CHAT_OPTIONS "add_generation_prompt, tools, documents, variables"

bool mg_chat_knows(MgSpan key);

/* The prompt of messages, a JSON array of objects with a "role". Arena memory. */
bool mg_chat_prompt(const MgRun *run, const MgTemplate *template, const MgChatOptions *options, MgSpan messages, MgRendered *rendered);

/* Answers [n] to chats, messages [n]. As mg_generate. */
bool mg_chat(const MgRun *run, const MgGenerateOptions *generate, const MgChatOptions *options, const MgSpan *messages, size_t n, MgAnswer *answers);

#endif
