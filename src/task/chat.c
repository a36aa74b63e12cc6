/* Messages to prompts to answers. */
#include "task/chat.h"

#define MOST_VARIABLES 32

const MgTemplate *
mg_chat_template(const MgRun *run)
{
	if (run->model->chat_template.size > 0)
		return mg_template_parse(run->cx, run->model->chat_template);
	mg_fail(run->cx, MG_UNSUPPORTED, "model \"%s\" has no chat template", run->name);
	mg_hint(run->cx, "Use generate(), or create the model with the option \"chat_template\".");
	return NULL;
}

bool
mg_chat_knows(MgSpan key)
{
	static const char *const keys[] = {"add_generation_prompt", "tools", "documents", "variables"};

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		if (mg_span_is(key, keys[i]))
			return true;
	return false;
}

static bool
read_member(MgCtx *cx, const MgJson *object, const char *key, MgJsonKind kind, const MgJson **member)
{
	*member = mg_json_get(object, key);
	if (*member == NULL || (*member)->kind == kind)
		return true;
	return mg_fail(cx, MG_BAD_ARGUMENT, "option \"%s\" is not a JSON %s", key, kind == MG_JSON_ARRAY ? "array" : "object");
}

bool
mg_chat_options_read(MgCtx *cx, const MgJson *object, MgChatOptions *options)
{
	return mg_json_get_bool(cx, NULL, object, "add_generation_prompt", &options->add_generation_prompt) &&
		read_member(cx, object, "tools", MG_JSON_ARRAY, &options->tools) &&
		read_member(cx, object, "documents", MG_JSON_ARRAY, &options->documents) &&
		read_member(cx, object, "variables", MG_JSON_OBJECT, &options->variables);
}

/* Whether a message says null. Who calls tools may have nothing to say. */
static bool
lacks_content(const MgJson *message)
{
	for (size_t i = 0; message->kind == MG_JSON_OBJECT && i < message->n; i++)
		if (mg_span_is(message->keys[i], "content") && message->items[i].kind == MG_JSON_NULL)
			return mg_json_get(message, "tool_calls") == NULL;
	return false;
}

static const MgJson *
read_messages(const MgRun *run, MgSpan text)
{
	const MgJson *messages = mg_json_parse(run->cx, "messages", text);

	if (messages == NULL)
		return NULL;
	for (size_t i = 0; messages->kind == MG_JSON_ARRAY && i < messages->n; i++)
	{
		const MgJson *message = &messages->items[i], *role = mg_json_get(message, "role");

		if (lacks_content(message))
		{
			mg_fail(run->cx, MG_BAD_ARGUMENT, "message %zu has no content", i + 1);
			mg_hint(run->cx, "A NULL makes it null: leave such rows out, put another text there with coalesce(), or set maskgen.on_row_error to null.");
			return NULL;
		}
		if (role != NULL && role->kind == MG_JSON_STRING)
			continue;
		mg_fail(run->cx, MG_BAD_ARGUMENT, "message %zu has no \"role\"", i + 1);
		mg_hint(run->cx, "Messages look like [{\"role\": \"user\", \"content\": \"Hello\"}].");
		return NULL;
	}
	if (messages->kind == MG_JSON_ARRAY && messages->n > 0)
		return messages;
	mg_fail(run->cx, MG_BAD_ARGUMENT, messages->kind == MG_JSON_ARRAY ? "there are no messages" : "messages are not a JSON array");
	mg_hint(run->cx, "Messages look like [{\"role\": \"user\", \"content\": \"Hello\"}].");
	return NULL;
}

bool
mg_chat_prompt(const MgRun *run, const MgTemplate *template, const MgChatOptions *options, MgSpan messages, MgRendered *rendered)
{
	static const MgJson none = {.kind = MG_JSON_NULL}, yes = {.kind = MG_JSON_TRUE}, no = {.kind = MG_JSON_FALSE};
	const MgJson *variables = options->variables, *read = read_messages(run, messages);
	MgTemplateVariable all[MOST_VARIABLES + 4] = {{.name = "messages", .json = read},
												  {.name = "tools", .json = options->tools != NULL ? options->tools : &none},
												  {.name = "documents", .json = options->documents != NULL ? options->documents : &none},
												  {.name = "add_generation_prompt", .json = options->add_generation_prompt ? &yes : &no}};
	size_t n = 4;

	if (read == NULL)
		return false;
	if (variables != NULL && variables->n > MOST_VARIABLES)
		return mg_fail(run->cx, MG_TOO_LARGE, "there are %u variables, at most %d are possible", variables->n, MOST_VARIABLES);
	for (size_t i = 0; variables != NULL && i < variables->n; i++)
	{
		for (size_t k = 0; k < 4; k++)
			if (mg_span_is(variables->keys[i], all[k].name))
				return mg_fail(run->cx, MG_BAD_ARGUMENT, "variable \"%s\" is no option of the template's own", all[k].name);
		all[n++] = (MgTemplateVariable){.name = (const char *) variables->keys[i].data, .json = &variables->items[i]};
	}
	return mg_template_render(run->cx, template, all, n, rendered);
}

typedef struct ChatReader
{
	MgPromptReader reader;
	const MgTemplate *template;
	const MgChatOptions *options;
} ChatReader;

static bool
read_chat(const MgRun *run, const MgPromptReader *reader, MgSpan input, MgIds *ids)
{
	const ChatReader *chat = (const ChatReader *) reader;
	MgRendered rendered;
	MgTokens tokens;

	if (!mg_chat_prompt(run, chat->template, chat->options, input, &rendered) ||
		!mg_tokenize(run->cx, run->model->tokenizer, rendered.text, (MgData){rendered.n_data, rendered.data}, &tokens))
		return false;
	*ids = (MgIds){tokens.n, tokens.ids};
	return mg_generate_fits(run, *ids);
}

bool
mg_chat(const MgRun *run, const MgGenerateOptions *generate, const MgChatOptions *options, const MgSpan *messages, size_t n, MgAnswer *answers)
{
	ChatReader reader = {{read_chat}, mg_chat_template(run), options};

	return reader.template != NULL && mg_generate_read(run, generate, &reader.reader, messages, n, answers);
}
