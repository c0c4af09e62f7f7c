/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A connection to the ledger's database, and statements on it: values are bound, and columns read, one after another.
 * What goes wrong while binding is told by sql_step(). All errors are negative errno: -EUCLEAN for damage, -ENOSPC,
 * -EIO, -EBUSY, -ENOMEM … Used by the ledger's own files only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "base/ids.h"
#include "base/macro.h"

#define SQL_KEPT_MAX 32

typedef struct Sql {
	sqlite3 *db;
	struct {
		const char *text; /* a literal: told by its address */
		sqlite3_stmt *stmt;
	} kept[SQL_KEPT_MAX];
	size_t n_kept;
} Sql;

typedef enum SqlMode {
	SQL_READ,  /* never writes; looks at what another connection has committed */
	SQL_WRITE, /* the file must be there */
	SQL_CREATE,
	SQL_IMAGE, /* in memory, empty: see sql_load() */
} SqlMode;

/** \brief A connection of its own to the file at \p path (not for SQL_IMAGE). It does no checkpoint when it is closed,
 * until sql_tidy_at_close() says so. */
int sql_open(Sql *sql, const char *path, SqlMode mode);
void sql_close(Sql *sql);
void sql_tidy_at_close(Sql *sql);
/** \brief Fills an image with a copy of a database's bytes. */
int sql_load(Sql *sql, const void *data, size_t size);
/** \brief The errno of what SQLite returned last, for a result code that is an error. */
int sql_errno(const Sql *sql, int code);
const char *sql_message(const Sql *sql);
/** \brief Statements without values or rows. */
int sql_run(Sql *sql, const char *text);
/** \brief The single integer that a statement returns. */
int sql_number(Sql *sql, const char *text, int64_t *ret);

typedef struct Statement {
	Sql *sql;
	sqlite3_stmt *stmt;
	bool kept;
	int bound, column;
	int code; /* of what went wrong so far */
} Statement;

/** \brief Kept for the next time, for a literal that is used often. */
Statement sql_use(Sql *sql, const char *text);
/** \brief Prepared for this once: its callback may use the connection for anything else. */
Statement sql_prepare(Sql *sql, const char *text);
void statement_done(Statement *statement);
#define _cleanup_statement_ _cleanup_(statement_done)

void bind_int(Statement *statement, int64_t value);
void bind_time(Statement *statement, uint64_t usec);
void bind_id(Statement *statement, const Id *id);
void bind_text(Statement *statement, const char *text);              /* NULL: null. Not copied */
void bind_blob(Statement *statement, const void *data, size_t size); /* not copied */
/** \brief 1: a row; 0: the end. The columns are read from the first on again. */
int statement_step(Statement *statement);
/** \brief Steps a statement that returns no row, and is done with it. */
int statement_finish(Statement *statement);

int64_t column_int(Statement *statement);
Id column_id(Statement *statement);
/** \brief Borrowed until the next step; NULL where it is null. */
const char *column_text(Statement *statement);
const void *column_blob(Statement *statement, size_t *ret_size);
/** \brief What went wrong while columns were read. */
int statement_error(const Statement *statement);
void column_skip(Statement *statement, int n);
