/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/table.h"

#include <errno.h>
#include <string.h>

#include <libsmartcols.h>

static const int column_flags[] = {
	[COLUMN_PLAIN] = 0,
	[COLUMN_RIGHT] = SCOLS_FL_RIGHT,
	[COLUMN_WRAP] = SCOLS_FL_WRAP,
	[COLUMN_TREE] = SCOLS_FL_TREE,
};

static void keep_error(Table *table, int r)
{
	if (r < 0 && table->error == 0)
		table->error = r;
}

void table_init(const Ctl *ctl, const Column *columns, size_t n, Table *ret)
{
	*ret = (Table){ .table = scols_new_table() };
	if (!ret->table) {
		ret->error = -ENOMEM;
		return;
	}
	scols_table_enable_noheadings(ret->table, !ctl->options.legend);
	scols_table_enable_colors(ret->table, ctl->output.colour);
	scols_table_enable_ascii(ret->table, !ctl->output.utf8);
	if (!ctl->output.terminal)
		scols_table_set_termforce(ret->table, SCOLS_TERMFORCE_NEVER);
	for (size_t i = 0; i < n; i++) {
		struct libscols_column *column =
			scols_table_new_column(ret->table, columns[i].heading, 0, column_flags[columns[i].kind]);

		/* cells are escaped already: libsmartcols is not to escape their backslashes once more */
		keep_error(ret, column ? scols_column_set_safechars(column, "\\") : -ENOMEM);
	}
}

void table_done(Table *table)
{
	if (table->table)
		scols_unref_table(table->table);
	table->table = NULL;
}

struct libscols_line *table_line(Table *table, struct libscols_line *parent)
{
	struct libscols_line *line;

	if (table->error < 0)
		return NULL;
	line = scols_table_new_line(table->table, parent);
	if (!line)
		keep_error(table, -ENOMEM);
	return line;
}

void table_cell(Table *table, struct libscols_line *line, size_t column, const char *text)
{
	_cleanup_free_ char *escaped = NULL;

	if (!line || !text || text[0] == '\0')
		return;
	escaped = output_escaped(text);
	if (!escaped) {
		keep_error(table, -ENOMEM);
		return;
	}
	keep_error(table, scols_line_set_data(line, column, escaped));
}

void table_text(Table *table, struct libscols_line *line, size_t column, const Buffer *text)
{
	_cleanup_free_ char *copy = NULL;

	if (text->size == 0)
		return;
	copy = strndup((const char *)text->data, text->size);
	keep_error(table, copy && buffer_error(text) >= 0 ? 0 : -ENOMEM);
	table_cell(table, line, column, copy);
}

void table_colour(Table *table, struct libscols_line *line, size_t column, Colour colour)
{
	struct libscols_cell *cell = line ? scols_line_get_cell(line, column) : NULL;

	if (cell && output_colour_name(colour))
		keep_error(table, scols_cell_set_color(cell, output_colour_name(colour)));
}

static void indent_lines(const char *text, unsigned indent, Buffer *buffer)
{
	while (*text) {
		size_t size = strcspn(text, "\n");

		while (size > 0 && text[size - 1] == ' ')
			size--;
		buffer_format(buffer, "%*s", (int)indent, "");
		buffer_append(buffer, text, size);
		buffer_text(buffer, "\n");
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
}

int table_write(Table *table, unsigned indent, Buffer *buffer)
{
	_cleanup_free_ char *text = NULL;
	int r = table->error;

	if (r >= 0 && scols_table_is_empty(table->table))
		return 0;
	if (r >= 0)
		r = scols_print_table_to_string(table->table, &text);
	if (r < 0)
		return r;
	indent_lines(text, indent, buffer);
	return buffer_error(buffer);
}
