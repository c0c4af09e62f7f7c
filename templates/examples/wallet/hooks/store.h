/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The SQLite file: one connection per worker, opened when the module is. A hook changes it in one transaction, so that
 * it has taken effect as a whole when it says so, and has left nothing behind when it fails. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

#include <ryuso/hook.h>

typedef ryuso_status store_function(ryuso_run *run, void *userdata);

/** \brief Runs \p function in a transaction: committed if it returns RYUSO_OK, else rolled back. */
ryuso_status store_write(ryuso_run *run, store_function *function, void *userdata);
/** \brief The same for a function that only reads: everything it sees is of one moment. */
ryuso_status store_read(ryuso_run *run, store_function *function, void *userdata);

/* Statements take their parameters by \p types, a letter each: 't' a text, 'i' an int64_t. */

/** \brief Executes a statement that returns no rows. */
ryuso_status store_change(ryuso_run *run, const char *sql, const char *types, ...);
/** \brief The first column of the first row, if there is one. */
ryuso_status store_number(ryuso_run *run, int64_t *ret, bool *ret_found, const char *sql, const char *types, ...);
/** \brief A statement to be stepped through and finalized; NULL on failure: see store_failed(). */
sqlite3_stmt *store_prepare(const char *sql, const char *types, ...);
/** \brief What a hook returns when SQLite has failed and the transaction will be rolled back. */
ryuso_status store_failed(ryuso_run *run);
