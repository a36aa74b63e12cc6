/* Sentences about labels, for the ways that compare a text with them. */
#include "task/classify_way.h"

/* The template around {label} with a label in it, checked to have tokens. */
static bool
make_sentence(const MgRun *run, MgSpan template, size_t at, MgSpan label, MgSpan *sentence, MgTokens *tokens)
{
	size_t mark = sizeof "{label}" - 1, after = template.size - at - mark;
	uint8_t *bytes = label.size > MG_TEXT_LIMIT ? NULL : mg_alloc(run->cx, template.size - mark + label.size);

	if (bytes == NULL)
		return mg_fail(run->cx, MG_TOO_LARGE, "label is too long");
	if (!mg_tokenize(run->cx, run->model->tokenizer, label, MG_ALL_DATA, tokens))
		return false;
	if (tokens->n == 0)
		return mg_fail(run->cx, MG_BAD_ARGUMENT, "label \"%.*s\" has no tokens", MG_SPAN_ARGS(label));
	memcpy(bytes, template.data, at);
	memcpy(bytes + at, label.data, label.size);
	memcpy(bytes + at + label.size, template.data + at + mark, after);
	*sentence = mg_span(bytes, at + label.size + after);
	return true;
}

const MgSpan *
mg_label_sentences(const MgRun *run, const MgSpan *labels, size_t n, MgSpan template, const char *example)
{
	MgSpan *sentences = mg_alloc_array(run->cx, n, sizeof *sentences);
	MgTokens *tokens = mg_alloc_array(run->cx, n, sizeof *tokens);
	size_t at;

	if (sentences == NULL || tokens == NULL || !mg_template_find(run->cx, template, mg_span_of("{label}"), &at))
		return NULL;
	if (at == SIZE_MAX || mg_template_has(template, "{text}"))
	{
		mg_fail(run->cx, MG_BAD_ARGUMENT, at == SIZE_MAX ? "template lacks {label}" : "template holds {text}");
		mg_detail(run->cx, "The template is \"%.*s\". Model \"%s\" compares texts with a sentence about each label.",
				  MG_SPAN_ARGS(template), run->name);
		mg_hint(run->cx, "A template looks like \"%s\".", example);
		return NULL;
	}
	for (size_t i = 0; i < n; i++)
		if (!mg_poll(run->cx) || !make_sentence(run, template, at, labels[i], &sentences[i], &tokens[i]))
			return NULL;
	return mg_labels_check_distinct(run->cx, labels, tokens, n) ? sentences : NULL;
}
