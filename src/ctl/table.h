/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A table or tree of text by libsmartcols, collected in a Buffer. Cells are escaped here. An error sticks, and
 * table_write() returns it. */
#pragma once

#include "ctl/ctl.h"

struct libscols_table;
struct libscols_line;

typedef struct Table {
	struct libscols_table *table; /* owned */
	int error;
} Table;

typedef enum ColumnKind {
	COLUMN_PLAIN,
	COLUMN_RIGHT, /* numbers */
	COLUMN_WRAP,  /* the text that gives way where the terminal is narrow */
	COLUMN_TREE,  /* children hang below their parents here */
} ColumnKind;

typedef struct Column {
	const char *heading;
	ColumnKind kind;
} Column;

void table_init(const Ctl *ctl, const Column *columns, size_t n, Table *ret);
void table_done(Table *table);
#define _cleanup_table_ _cleanup_(table_done)

/** \brief A new line below \p parent (or NULL); borrowed, NULL after an error. */
struct libscols_line *table_line(Table *table, struct libscols_line *parent);
/** \brief NULL and "" leave the cell empty. A NULL line is passed over. */
void table_cell(Table *table, struct libscols_line *line, size_t column, const char *text);
/** \brief The same of what was collected in \p text. */
void table_text(Table *table, struct libscols_line *line, size_t column, const Buffer *text);
/** \brief Colours a cell that has a text. */
void table_colour(Table *table, struct libscols_line *line, size_t column, Colour colour);
/** \brief Appends the table, \p indent spaces before each line. Negative errno. */
int table_write(Table *table, unsigned indent, Buffer *buffer);
