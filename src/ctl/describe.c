/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/describe.h"

#include <errno.h>
#include <inttypes.h>

#include "ctl/member.h"
#include "ctl/table.h"

static void write_title(Ctl *ctl, struct json_object *result, Buffer *text)
{
	const char *description = member_text(result, "description");

	buffer_text(text, output_colour(ctl->output.colour, COLOUR_BOLD));
	output_escape(member_text(result, "name"), text);
	buffer_text(text, output_colour(ctl->output.colour, COLOUR_NONE));
	if (description) {
		buffer_text(text, ": ");
		output_escape(description, text);
	}
	buffer_text(text, "\n");
}

static char *fallback_text(struct json_object *arg)
{
	_cleanup_buffer_ Buffer text = {};

	if (!json_object_object_get_ex(arg, "default", NULL))
		return NULL;
	json_write(member(arg, "default"), &text);
	return buffer_take_text(&text);
}

static void add_arg(Table *table, struct json_object *arg)
{
	struct libscols_line *line = table_line(table, NULL);
	_cleanup_free_ char *fallback = fallback_text(arg);

	table_cell(table, line, 0, member_text(arg, "name"));
	table_cell(table, line, 1, member_text(arg, "type"));
	table_cell(table, line, 2, fallback ? "default" : member_bool(arg, "required") ? "required" : "optional");
	table_cell(table, line, 3, fallback ? fallback : member_bool(arg, "secret") ? "(secret)" : NULL);
	table_cell(table, line, 4, member_text(arg, "description"));
}

static int write_args(Ctl *ctl, const char *title, struct json_object *args, Buffer *text)
{
	static const Column columns[] = { { "NAME", COLUMN_PLAIN },
					  { "TYPE", COLUMN_PLAIN },
					  { "PRESENCE", COLUMN_PLAIN },
					  { "VALUE", COLUMN_PLAIN },
					  { "DESCRIPTION", COLUMN_WRAP } };
	_cleanup_table_ Table table = {};
	size_t n = member_length(args);

	buffer_format(text, "\n%s%s\n", title, n ? ":" : ": none");
	table_init(ctl, columns, ELEMENTSOF(columns), &table);
	for (size_t i = 0; i < n; i++)
		add_arg(&table, json_object_array_get_idx(args, i));
	return table_write(&table, 2, text);
}

static void add_rectifier(Ctl *ctl, Table *table, struct libscols_line *parent, const char *name)
{
	struct libscols_line *line = table_line(table, parent);
	_cleanup_buffer_ Buffer label = {};
	_cleanup_free_ char *cell = NULL;

	buffer_text(&label, ctl->output.utf8 ? "↩ " : " undone by ");
	buffer_text(&label, name ? name : "?");
	cell = buffer_take_text(&label);
	if (!cell)
		table->error = -ENOMEM;
	table_cell(table, line, 1, cell);
}

static void add_step(Ctl *ctl, Table *table, struct json_object *step)
{
	struct json_object *rectifiers = member_list(step, "rectifiers");
	struct libscols_line *line = table_line(table, NULL);
	char number[24];

	snprintf(number, sizeof(number), "%" PRIi64, member_int(step, "step"));
	table_cell(table, line, 0, number);
	table_cell(table, line, 1, member_text(step, "hook"));
	table_cell(table, line, 2, member_bool(step, "irreversible") ? "irreversible" : NULL);
	for (size_t i = 0; i < member_length(rectifiers); i++)
		add_rectifier(ctl, table, line, json_object_get_string(json_object_array_get_idx(rectifiers, i)));
}

static int write_steps(Ctl *ctl, struct json_object *steps, Buffer *text)
{
	static const Column columns[] = { { "STEP", COLUMN_RIGHT }, { "HOOK", COLUMN_TREE }, { "NOTE", COLUMN_PLAIN } };
	_cleanup_table_ Table table = {};
	size_t n = member_length(steps);

	buffer_format(text, "\nSteps%s\n", n ? ":" : ": none");
	table_init(ctl, columns, ELEMENTSOF(columns), &table);
	for (size_t i = 0; i < n; i++)
		add_step(ctl, &table, json_object_array_get_idx(steps, i));
	return table_write(&table, 2, text);
}

static void write_timeout(struct json_object *result, Buffer *text)
{
	struct json_object *timeout = member(result, "timeout");

	if (!timeout)
		return;
	buffer_text(text, "\nTimeout: ");
	output_duration((uint64_t)(json_object_get_double(timeout) * (double)USEC_PER_SEC), text);
	buffer_text(text, "\n");
}

static void write_example(Ctl *ctl, struct json_object *result, Buffer *text)
{
	struct json_object *args = member_list(result, "args");
	_cleanup_buffer_ Buffer words = {};
	_cleanup_free_ char *command = NULL;

	buffer_format(&words, "run %s", member_text(result, "name") ? member_text(result, "name") : "PROGRAM");
	for (size_t i = 0; i < member_length(args); i++) {
		struct json_object *arg = json_object_array_get_idx(args, i);

		if (member_bool(arg, "required") && !json_object_object_get_ex(arg, "default", NULL))
			buffer_format(&words, " %s=%s", member_text(arg, "name") ? member_text(arg, "name") : "?",
				      member_text(arg, "type") ? member_text(arg, "type") : "?");
	}
	command = buffer_take_text(&words);
	buffer_text(text, "\nRun it:  ");
	ctl_command(ctl, command ? command : "run", text);
	buffer_text(text, "\n");
}

int describe_show(Ctl *ctl, struct json_object *result, Buffer *text)
{
	int r;

	write_title(ctl, result, text);
	r = write_args(ctl, "Arguments", member_list(result, "args"), text);
	if (r >= 0)
		r = write_args(ctl, "Outputs", member_list(result, "outputs"), text);
	if (r >= 0)
		r = write_steps(ctl, member_list(result, "steps"), text);
	if (r < 0)
		return r;
	write_timeout(result, text);
	if (ctl->options.legend)
		write_example(ctl, result, text);
	return 0;
}
