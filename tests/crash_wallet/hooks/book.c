/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "book.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <ryuso/hook.h>

#define BUSY_MILLISECONDS 60000

static sqlite3 *db;

static void give_up(const char *what)
{
	fprintf(stderr, "the book: %s: %s; this worker ends\n", what, sqlite3_errmsg(db));
	abort();
}

static void execute(const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		give_up(sql);
}

/* Where only processes die, nothing needs to reach a disk; where power fails, $CRASH_DURABLE is set. */
int ryuso_module_open(char *message, size_t message_size)
{
	const char *path = getenv("CRASH_DB");

	if (!path || sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
		snprintf(message, message_size, "CRASH_DB: expected the path of a file, got %s",
			 path ? path : "nothing");
		return -1;
	}
	sqlite3_busy_timeout(db, BUSY_MILLISECONDS);
	execute(getenv("CRASH_DURABLE") ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = OFF");
	return 0;
}

void ryuso_module_close(void)
{
	sqlite3_close(db);
	db = NULL;
}

void book_begin(void)
{
	execute("BEGIN IMMEDIATE");
}

void book_end(void)
{
	execute("COMMIT");
}

static sqlite3_stmt *prepare(const char *sql, const char *types, va_list values)
{
	sqlite3_stmt *statement;
	int r;

	r = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
	for (int i = 0; types[i] && r == SQLITE_OK; i++) {
		if (types[i] == 't')
			r = sqlite3_bind_text(statement, i + 1, va_arg(values, const char *), -1, SQLITE_TRANSIENT);
		else
			r = sqlite3_bind_int64(statement, i + 1, va_arg(values, int64_t));
	}
	if (r != SQLITE_OK)
		give_up(sql);
	return statement;
}

bool book_write(const char *sql, const char *types, ...)
{
	sqlite3_stmt *statement;
	va_list values;
	int r;

	va_start(values, types);
	statement = prepare(sql, types, values);
	va_end(values);
	r = sqlite3_step(statement);
	if (r != SQLITE_DONE && r != SQLITE_CONSTRAINT)
		give_up(sql);
	sqlite3_finalize(statement);
	return r == SQLITE_DONE;
}

int64_t book_number(int64_t fallback, const char *sql, const char *types, ...)
{
	sqlite3_stmt *statement;
	int64_t found = fallback;
	va_list values;
	int r;

	va_start(values, types);
	statement = prepare(sql, types, values);
	va_end(values);
	r = sqlite3_step(statement);
	if (r != SQLITE_ROW && r != SQLITE_DONE)
		give_up(sql);
	if (r == SQLITE_ROW)
		found = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return found;
}
