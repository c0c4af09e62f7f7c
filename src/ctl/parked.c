/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>

#include "ctl/call.h"
#include "ctl/draft.h"
#include "ctl/exit.h"
#include "ctl/hint.h"
#include "ctl/lookup.h"
#include "ctl/member.h"
#include "ctl/pager.h"
#include "ctl/show.h"
#include "ctl/table.h"
#include "ctl/verb.h"

/** \brief On a terminal no more of the id than is needed to name it. */
static void write_run(const Ctl *ctl, struct json_object *runs, struct json_object *run, Buffer *text)
{
	const char *id = member_text(run, "run");

	if (!id)
		return;
	if (ctl->output.terminal)
		buffer_format(text, "%.*s", (int)lookup_length(runs, id), id);
	else
		buffer_text(text, id);
}

static void write_since(struct json_object *run, Buffer *text)
{
	int64_t usec = member_int(run, "parked_usec");

	if (usec > 0)
		output_moment((uint64_t)usec, text);
}

static void write_step(struct json_object *run, Buffer *text)
{
	int64_t step = member_int(run, "step");

	if (step > 0)
		buffer_format(text, "%" PRIi64, step);
}

static void write_why(struct json_object *run, Buffer *text)
{
	const char *name = member_text(run, "name"), *message = member_text(run, "message");

	buffer_text(text, name ? name : "");
	buffer_text(text, name && message ? ": " : "");
	buffer_text(text, message ? message : "");
}

static void add_run(const Ctl *ctl, Table *table, struct json_object *runs, struct json_object *run)
{
	struct libscols_line *line = table_line(table, NULL);
	_cleanup_buffer_ Buffer id = {}, since = {}, step = {}, why = {};

	write_run(ctl, runs, run, &id);
	write_since(run, &since);
	write_step(run, &step);
	write_why(run, &why);
	table_text(table, line, 0, &id);
	table_cell(table, line, 1, member_text(run, "program"));
	table_text(table, line, 2, &since);
	table_text(table, line, 3, &step);
	table_cell(table, line, 4, member_text(run, "hook"));
	table_text(table, line, 5, &why);
}

static void write_footer(const Ctl *ctl, size_t n, Buffer *text)
{
	buffer_format(text, "%s%zu parked run%s.", n ? "\n" : "", n, n == 1 ? "" : "s");
	if (n > 0) {
		buffer_text(text, " See where one stands, and what you can do:  ");
		ctl_command(ctl, "show RUN", text);
	}
	buffer_text(text, "\n");
}

static int write_runs(const Ctl *ctl, struct json_object *result, Buffer *text)
{
	static const Column columns[] = { { "RUN", COLUMN_PLAIN },   { "PROGRAM", COLUMN_PLAIN },
					  { "SINCE", COLUMN_PLAIN }, { "STEP", COLUMN_RIGHT },
					  { "HOOK", COLUMN_PLAIN },  { "WHY", COLUMN_WRAP } };
	struct json_object *runs = member_list(result, "runs");
	_cleanup_table_ Table table = {};
	size_t n = member_length(runs);
	int r;

	table_init(ctl, columns, ELEMENTSOF(columns), &table);
	for (size_t i = 0; i < n; i++)
		add_run(ctl, &table, runs, json_object_array_get_idx(runs, i));
	r = table_write(&table, 0, text);
	if (r >= 0 && ctl->options.legend)
		write_footer(ctl, n, text);
	return r;
}

static int verb_parked(Ctl *ctl, char *const *arguments, size_t n)
{
	static const Call call = { .name = "parked", .patient = true, .repeatable = true };
	_cleanup_json_ struct json_object *result = NULL;
	int r;

	(void)arguments;
	(void)n;
	r = call_ask(ctl, &call, &result);
	return r != 0 ? r : pager_show(ctl, result, write_runs);
}

static int verb_show(Ctl *ctl, char *const *arguments, size_t n)
{
	_cleanup_json_ struct json_object *result = NULL;
	_cleanup_free_ char *run = NULL;
	int r;

	(void)n;
	r = lookup_run(ctl, arguments[0], LOOKUP_ANY, &run);
	if (r == 0)
		r = show_ask(ctl, run, &result);
	return r != 0 ? r : pager_show(ctl, result, show_write);
}

static const Verb verbs[] = {
	{ "parked", 0, 0, 0, verb_parked, "", "List the runs that are parked", NULL },
	{ "show", 1, 1, 0, verb_show, "RUN", "Show where a run stands, and what you can do about it", NULL },
};

const VerbGroup parked_verbs = { "Parked runs", verbs, ELEMENTSOF(verbs) };
