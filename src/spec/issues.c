/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/issues.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "spec/locate.h"

#define ISSUE_TEXT_MAX 4096U /* bytes of a path or message that are shown */

typedef struct IssueDraft {
	bool warning;
	bool located;
	IssuePlace place;
	size_t offset;
	char *path;    /* owned */
	char *message; /* owned */
} IssueDraft;

void spec_issues_done(SpecIssues *issues)
{
	for (size_t i = 0; i < issues->n; i++) {
		free(issues->items[i].path);
		free(issues->items[i].message);
	}
	free(issues->items);
	*issues = (SpecIssues){ 0 };
}

void spec_issue_format(const SpecIssue *issue, const char *file, Buffer *buffer)
{
	buffer_format(buffer, "%s:%u:%u: %s", file, issue->line, issue->column, issue->warning ? "warning: " : "");
	if (*issue->path) {
		text_escape(issue->path, strlen(issue->path), ISSUE_TEXT_MAX, buffer);
		buffer_text(buffer, ": ");
	}
	text_escape(issue->message, strlen(issue->message), ISSUE_TEXT_MAX, buffer);
}

void issues_done(Issues *issues)
{
	for (size_t i = 0; i < issues->n; i++) {
		free(issues->items[i].path);
		free(issues->items[i].message);
	}
	free(issues->items);
	*issues = (Issues){ 0 };
}

static bool issues_hold(const Issues *issues, const IssueDraft *draft)
{
	for (size_t i = 0; i < issues->n; i++) {
		const IssueDraft *item = &issues->items[i];

		if (item->warning == draft->warning && item->offset == draft->offset &&
		    strcmp(item->path, draft->path) == 0 && strcmp(item->message, draft->message) == 0)
			return true;
	}
	return false;
}

static void issues_push(Issues *issues, const IssueDraft *draft)
{
	if (issues->n == issues->capacity) {
		size_t capacity = MAX(issues->capacity * 2, (size_t)16);
		IssueDraft *items = reallocarray(issues->items, capacity, sizeof(*items));

		if (!items) {
			issues->failed = true;
			return;
		}
		issues->items = items;
		issues->capacity = capacity;
	}
	issues->items[issues->n++] = *draft;
}

/* Takes path and message, which may be NULL. */
static void issues_take(Issues *issues, IssueDraft draft)
{
	_cleanup_free_ char *path = draft.path, *message = draft.message;
	size_t before = issues->n;

	if (!path || !message) {
		issues->failed = true;
		return;
	}
	if (issues_hold(issues, &draft))
		return;
	if (issues->n >= (draft.warning ? SPEC_ISSUES_MAX / 2 : SPEC_ISSUES_MAX)) {
		issues->dropped++;
		return;
	}
	issues_push(issues, &draft);
	if (issues->n == before)
		return;
	issues->n_errors += !draft.warning;
	path = message = NULL;
}

void issues_add(Issues *issues, bool warning, IssuePlace place, const char *path, const char *format, va_list list)
{
	char *message = NULL;

	if (vasprintf(&message, format, list) < 0)
		message = NULL;
	issues_take(issues,
		    (IssueDraft){ .warning = warning, .place = place, .path = strdup(path), .message = message });
}

void issues_add_at(Issues *issues, size_t offset, const char *path, const char *format, ...)
{
	char *message = NULL;
	va_list list;

	va_start(list, format);
	if (vasprintf(&message, format, list) < 0)
		message = NULL;
	va_end(list);
	issues_take(issues,
		    (IssueDraft){ .located = true, .offset = offset, .path = strdup(path), .message = message });
}

typedef struct Locating {
	Names paths;
	LocatePlace *places; /* by number of path */
	size_t left;
	bool *found;
} Locating;

static int on_place(const char *path, const LocatePlace *place, void *userdata)
{
	Locating *locating = userdata;
	uint32_t number = names_find(&locating->paths, path);

	if (number == NAMES_NONE || locating->found[number])
		return 0;
	locating->found[number] = true;
	locating->places[number] = *place;
	return --locating->left == 0 ? -EEXIST : 0; /* nothing more to be sought */
}

static int locating_init(Locating *locating, const Issues *issues)
{
	locating->places = calloc(MAX(issues->n, 1U), sizeof(*locating->places));
	locating->found = calloc(MAX(issues->n, 1U), sizeof(*locating->found));
	if (!locating->places || !locating->found)
		return -ENOMEM;
	for (size_t i = 0; i < issues->n; i++) {
		uint32_t number;
		int r;

		if (issues->items[i].located)
			continue;
		r = names_add(&locating->paths, issues->items[i].path, &number);
		if (r < 0)
			return r;
	}
	locating->left = locating->paths.n;
	return 0;
}

static void locating_done(Locating *locating)
{
	names_done(&locating->paths);
	free(locating->places);
	free(locating->found);
}

static int issues_find(Issues *issues, Locating *locating, const char *text, size_t size)
{
	int r;

	r = locating_init(locating, issues);
	if (r < 0)
		return r;
	if (locating->left > 0) {
		r = locate_each(text, size, on_place, locating);
		if (r == -ENOMEM)
			return r;
	}
	for (size_t i = 0; i < issues->n; i++) {
		IssueDraft *draft = &issues->items[i];
		const LocatePlace *place;

		if (draft->located)
			continue;
		place = &locating->places[names_find(&locating->paths, draft->path)];
		draft->offset = draft->place == ISSUE_AT_NAME ? place->name : place->value;
	}
	return 0;
}

static int draft_compare(const void *a, const void *b)
{
	const IssueDraft *x = a, *y = b;
	int order = (x->offset > y->offset) - (x->offset < y->offset);

	if (order == 0)
		order = x->warning - y->warning;
	if (order == 0)
		order = strcmp(x->path, y->path);
	return order != 0 ? order : strcmp(x->message, y->message);
}

/* The line is counted on from that of the issue before, so that the text is gone through once. */
static void draft_finish(IssueDraft *draft, const char *text, size_t *line_begin, unsigned *lines, SpecIssue *ret)
{
	unsigned line, column;

	json_position(text + *line_begin, draft->offset - *line_begin, &line, &column);
	*lines += line - 1;
	*line_begin = draft->offset - (column - 1);
	*ret = (SpecIssue){ .warning = draft->warning,
			    .line = *lines + 1,
			    .column = column,
			    .path = take_ptr(draft->path),
			    .message = take_ptr(draft->message) };
}

int issues_locate(Issues *issues, const char *text, size_t size, SpecIssues *ret)
{
	size_t line_begin = 0;
	unsigned lines = 0;
	SpecIssue *items;
	Locating locating = { 0 };
	int r;

	r = issues->failed ? -ENOMEM : issues_find(issues, &locating, text, size);
	locating_done(&locating);
	if (r < 0)
		return r;
	items = calloc(MAX(issues->n, 1U), sizeof(*items));
	if (!items)
		return -ENOMEM;
	if (issues->n > 0)
		qsort(issues->items, issues->n, sizeof(*issues->items), draft_compare);
	for (size_t i = 0; i < issues->n; i++)
		draft_finish(&issues->items[i], text, &line_begin, &lines, &items[i]);
	*ret = (SpecIssues){ .items = items, .n = issues->n, .n_errors = issues->n_errors, .dropped = issues->dropped };
	return 0;
}
