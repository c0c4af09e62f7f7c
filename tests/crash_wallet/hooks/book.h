/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The book that tests of crashes read: calls, entries under their tokens, postings, and mistakes, which are what a hook
 * finds and never should. One SQLite file per daemon, $CRASH_DB, whose tables the test has made. A failure of the file
 * itself aborts: no test would mean anything then. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

/** \brief Everything up to the end is one transaction. */
void book_begin(void);
void book_end(void);
/** \brief Executes a statement that returns no rows; \p types: a letter for each parameter, 't' a text (or NULL), 'i' an
 * int64_t. False where a rule of the file forbids it. */
bool book_write(const char *sql, const char *types, ...);
/** \brief The first column of the first row; \p fallback where there is none. */
int64_t book_number(int64_t fallback, const char *sql, const char *types, ...);
