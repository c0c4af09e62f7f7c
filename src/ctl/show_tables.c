/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "ctl/member.h"
#include "ctl/show.h"
#include "ctl/table.h"

static void add_number(Table *table, struct libscols_line *line, size_t column, int64_t number)
{
	char text[24];

	if (number <= 0)
		return;
	snprintf(text, sizeof(text), "%" PRIi64, number);
	table_cell(table, line, column, text);
}

/** \brief The names of a list, with commas between them. */
static void add_names(Table *table, struct libscols_line *line, size_t column, struct json_object *names)
{
	_cleanup_buffer_ Buffer text = {};

	for (size_t i = 0; i < member_length(names); i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(names, i));

		buffer_format(&text, "%s%s", i ? ", " : "", name ? name : "?");
	}
	table_text(table, line, column, &text);
}

static void add_step(Table *table, struct json_object *step, int64_t stands_at)
{
	struct libscols_line *line = table_line(table, NULL);
	int64_t number = member_int(step, "step");
	_cleanup_buffer_ Buffer note = {};

	if (member_bool(step, "irreversible"))
		buffer_text(&note, "irreversible");
	if (number > 0 && number == stands_at)
		buffer_format(&note, "%sthe run stands here", note.size ? ", " : "");
	add_number(table, line, 0, number);
	table_cell(table, line, 1, member_text(step, "hook"));
	table_cell(table, line, 2, member_text(step, "state"));
	add_number(table, line, 3, member_int(step, "attempts"));
	add_names(table, line, 4, member_list(step, "rectifiers"));
	table_text(table, line, 5, &note);
}

int show_write_steps(const Ctl *ctl, struct json_object *result, Buffer *text)
{
	static const Column columns[] = { { "STEP", COLUMN_RIGHT },     { "HOOK", COLUMN_PLAIN },
					  { "STATE", COLUMN_PLAIN },    { "ATTEMPTS", COLUMN_RIGHT },
					  { "UNDONE BY", COLUMN_WRAP }, { "NOTE", COLUMN_PLAIN } };
	struct json_object *steps = member_list(result, "steps");
	int64_t stands_at = member_int(member(result, "parked"), "step");
	_cleanup_table_ Table table = {};
	size_t n = member_length(steps);

	if (n == 0)
		return 0;
	buffer_text(text, "\nSteps:\n");
	table_init(ctl, columns, ELEMENTSOF(columns), &table);
	for (size_t i = 0; i < n; i++)
		add_step(&table, json_object_array_get_idx(steps, i), stands_at);
	return table_write(&table, 2, text);
}

int show_write_next(const Ctl *ctl, struct json_object *result, Buffer *text)
{
	struct json_object *next = member_list(result, "next");
	size_t n = member_length(next);

	(void)ctl;
	if (n == 0)
		return 0;
	buffer_text(text, "\nA retry calls, in this order:\n");
	for (size_t i = 0; i < n; i++) {
		struct json_object *call = json_object_array_get_idx(next, i);

		buffer_text(text, "  ");
		output_escape(member_text(call, "hook"), text);
		buffer_format(text,
			      member_bool(call, "rectifying") ? " to undo step %" PRIi64 "\n"
							      : " as step %" PRIi64 "\n",
			      member_int(call, "step"));
	}
	return buffer_error(text);
}

/** \brief "skip --undone-by-hand" */
static void add_verb(Table *table, struct libscols_line *line, size_t column, struct json_object *decision)
{
	struct json_object *flags = member_typed(decision, "flags", json_type_object);
	const char *verb = member_text(decision, "verb");
	_cleanup_buffer_ Buffer text = {};

	buffer_text(&text, verb ? verb : "?");
	if (member_bool(flags, "undone_by_hand"))
		buffer_text(&text, " --undone-by-hand");
	if (member_bool(flags, "current_module"))
		buffer_text(&text, " --current-module");
	table_text(table, line, column, &text);
}

static void add_decision(Table *table, struct json_object *decision)
{
	struct libscols_line *line = table_line(table, NULL);
	_cleanup_buffer_ Buffer moment = {}, user = {};

	output_moment((uint64_t)member_int(decision, "usec"), &moment);
	output_user(member_int(decision, "uid"), &user);
	table_text(table, line, 0, &moment);
	add_verb(table, line, 1, decision);
	add_number(table, line, 2, member_int(decision, "step"));
	table_text(table, line, 3, &user);
	table_cell(table, line, 4, member_bool(decision, "done") ? NULL : "to be done");
	table_cell(table, line, 5, member_text(decision, "reason"));
}

int show_write_decisions(const Ctl *ctl, struct json_object *result, Buffer *text)
{
	static const Column columns[] = { { "WHEN", COLUMN_PLAIN },  { "DECISION", COLUMN_PLAIN },
					  { "STEP", COLUMN_RIGHT },  { "BY", COLUMN_PLAIN },
					  { "STATE", COLUMN_PLAIN }, { "REASON", COLUMN_WRAP } };
	struct json_object *decisions = member_list(result, "decisions");
	_cleanup_table_ Table table = {};
	size_t n = member_length(decisions);

	if (n == 0)
		return 0;
	buffer_text(text, "\nDecided by operators:\n");
	table_init(ctl, columns, ELEMENTSOF(columns), &table);
	for (size_t i = 0; i < n; i++)
		add_decision(&table, json_object_array_get_idx(decisions, i));
	return table_write(&table, 2, text);
}
