/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/story.h"

#include <string.h>

#include "base/json.h"

static int by_name(const void *a, const void *b)
{
	const StoryEntry *first = a, *second = b;

	return strcmp(first->name, second->name);
}

static void write_pool(Buffer *story, const char *what, const StoryPool *pool)
{
	StoryPool sorted = *pool;

	qsort(sorted.entries, sorted.n, sizeof(sorted.entries[0]), by_name);
	buffer_format(story, " %s={", what);
	for (size_t i = 0; i < sorted.n; i++) {
		_cleanup_json_ struct json_object *json = value_to_json(sorted.entries[i].value);

		buffer_format(story, "%s%s:", i ? "," : "", sorted.entries[i].name);
		json_write(json, story);
	}
	buffer_text(story, "}");
}

static void write_place(Buffer *story, const char *what, const StoryCall *call)
{
	buffer_format(story, "%s %s%s%s step %u attempt %u", what, call->rectifying ? "-" : "", call->hook,
		      call->in_doubt ? "?" : "", call->step, call->attempt);
	if (call->deadline_usec != 0)
		buffer_format(story, " until %ju (%s)", (uintmax_t)call->deadline_usec,
			      call->deadline_program ? call->deadline_program->name : "its own");
}

void story_call(Buffer *story, const StoryCall *call, const StoryPool *pool)
{
	write_place(story, "call", call);
	write_pool(story, "pool", pool);
	buffer_text(story, "\n");
}

void story_outcome(Buffer *story, OutcomeKind kind, ErrorCode error)
{
	buffer_format(story, "  %s %s\n", outcome_name(kind), error == ERROR_NONE ? "" : error_name(error));
}

void story_wait(Buffer *story, const StoryCall *call)
{
	write_place(story, "wait", call);
	buffer_format(story, " at most %ju\n", (uintmax_t)call->wait_usec);
}

static const char *or_none(const char *text)
{
	return text ? text : "-";
}

static void write_error(Buffer *story, const char *what, const WalkError *error)
{
	if (error->code == ERROR_NONE)
		return;
	buffer_format(story, " %s=%s(step %u hook %s program %s path %s reason %s)", what, error_name(error->code),
		      error->step, or_none(error->hook), or_none(error->program), or_none(error->path),
		      or_none(error->reason));
}

static void write_steps(Buffer *story, const char *what, const WalkStep *steps, size_t n)
{
	buffer_format(story, " %s=[", what);
	for (size_t i = 0; i < n; i++)
		buffer_format(story, "%s%u:%s%s", i ? " " : "", steps[i].step, steps[i].hook,
			      steps[i].in_doubt ? "?" : "");
	buffer_text(story, "]");
}

void story_end(Buffer *story, const StoryEnd *end)
{
	buffer_text(story, walk_status_name(end->status));
	write_error(story, "error", &end->error);
	write_error(story, "parked", &end->parked);
	write_steps(story, "rectified", end->rectified, end->n_rectified);
	write_steps(story, "remaining", end->remaining, end->n_remaining);
	write_pool(story, "outputs", &end->outputs);
	write_pool(story, "pool", &end->pool);
	buffer_text(story, "\n");
}

void story_verb(Buffer *story, unsigned verb, bool done)
{
	static const char *const verbs[] = { "leaves it", "retry", "skip", "confirm" };

	buffer_format(story, "operator: %s%s\n", verbs[verb], done ? "" : " (refused)");
}
