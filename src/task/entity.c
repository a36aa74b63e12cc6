/* Entities out of the classes of tokens. */
#include "task/tag.h"

/* A class's name, taken apart. */
typedef struct Mark
{
	MgSpan label;
	bool begins, outside;
} Mark;

/* B- begins and I- goes on; some say S- or U- of one word alone, E- or L- of the last. A name without a mark goes on. */
static Mark
read_mark(MgSpan name)
{
	bool marked = name.size > 2 && name.data[1] == '-' && memchr("BISUEL", name.data[0], 6) != NULL;

	return (Mark){marked ? mg_span(name.data + 2, name.size - 2) : name, marked && memchr("BSU", name.data[0], 3) != NULL,
				  mg_span_is(name, "O")};
}

static bool
read_marks(const MgRun *run, Mark **marks, size_t *n)
{
	MgSpan *names;

	*n = run->model->arch->token_head(run->model).out->rows;
	names = mg_alloc_array(run->cx, *n, sizeof *names);
	*marks = mg_alloc_array(run->cx, *n, sizeof **marks);
	if (names == NULL || *marks == NULL || !mg_class_names(run->cx, run->model, *n, names))
		return false;
	for (size_t i = 0; i < *n; i++)
		(*marks)[i] = read_mark(names[i]);
	return true;
}

static bool
is_space(uint8_t byte)
{
	return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/* What ends a word of byte-level tokens, as WordPiece ends one by itself: ASCII's punctuation. */
static bool
is_break(uint8_t byte)
{
	return byte < 0x80 && !(byte >= '0' && byte <= '9') && !(byte >= 'a' && byte <= 'z') && !(byte >= 'A' && byte <= 'Z');
}

/* Whether a token goes on with the word of the one before it. */
static bool
continues(const MgRun *run, MgSpan text, const MgTag *tag, uint32_t stop_before)
{
	if (mg_token_has_prefix(run->model->tokenizer))
		return mg_token_continues(run->model->tokenizer, tag->id);
	/* A piece may end, and the next begin, inside of a character: both have all of it for their place. */
	if (tag->start < stop_before)
		return true;
	return tag->start == stop_before && tag->start > 0 && tag->start < text.size && !is_break(text.data[tag->start - 1]) &&
		!is_break(text.data[tag->start]);
}

/* An entity in the making. */
typedef struct Open
{
	MgEntity entity;
	double sum;
	size_t n_words;
} Open;

/* Without the blanks that a byte-level token has in front. */
static void
close_entity(MgSpan text, Open *open, MgEntity *entities, size_t *n)
{
	MgEntity *entity = &open->entity;

	if (open->n_words == 0)
		return;
	while (entity->start < entity->stop && is_space(text.data[entity->start]))
		entity->start++;
	entity->score = (float) (open->sum / (double) open->n_words);
	if (entity->start < entity->stop)
		entities[(*n)++] = *entity;
	open->n_words = 0;
}

bool
mg_entities(const MgRun *run, MgSpan text, const MgTags *tags, MgEntity **entities, size_t *n)
{
	Open open = {.n_words = 0};
	uint32_t stop_before = 0;
	Mark *marks;
	size_t n_marks;

	*n = 0;
	*entities = mg_alloc_array(run->cx, tags->n, sizeof **entities);
	if (*entities == NULL || !read_marks(run, &marks, &n_marks))
		return false;
	for (size_t t = 0; t < tags->n; t++)
	{
		const MgTag *tag = &tags->tags[t];
		const Mark *mark = &marks[tag->class];

		if (t % 4096 == 0 && !mg_poll(run->cx))
			return false;
		if (t > 0 && continues(run, text, tag, stop_before))
		{
			if (open.n_words > 0)
				open.entity.stop = tag->stop;
			stop_before = tag->stop;
			continue;
		}
		stop_before = tag->stop;
		if (mark->outside || mark->begins || (open.n_words > 0 && !mg_span_equal(open.entity.label, mark->label)))
			close_entity(text, &open, *entities, n);
		if (mark->outside)
			continue;
		if (open.n_words == 0)
			open = (Open){.entity = {.start = tag->start, .label = mark->label}};
		open.entity.stop = tag->stop;
		open.sum += tag->score;
		open.n_words++;
	}
	close_entity(text, &open, *entities, n);
	return true;
}

bool
mg_entity_labels(const MgRun *run, MgSpan **labels, size_t *n)
{
	Mark *marks;
	size_t n_marks;

	*n = 0;
	if (!read_marks(run, &marks, &n_marks) || (*labels = mg_alloc_array(run->cx, n_marks, sizeof **labels)) == NULL)
		return false;
	for (size_t i = 0; i < n_marks; i++)
	{
		size_t same = 0;

		while (same < *n && !mg_span_equal((*labels)[same], marks[i].label))
			same++;
		if (same == *n && !marks[i].outside)
			(*labels)[(*n)++] = marks[i].label;
	}
	return true;
}

bool
mg_entity_is_label(const MgRun *run, MgSpan label, bool *is)
{
	Mark *marks;
	size_t n;

	*is = false;
	if (!read_marks(run, &marks, &n))
		return false;
	for (size_t i = 0; i < n; i++)
		*is = *is || (!marks[i].outside && mg_span_equal(marks[i].label, label));
	return true;
}
