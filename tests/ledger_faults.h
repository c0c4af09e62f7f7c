/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A disk under the ledger that fails once, or from then on: the n-th operation that changes a file. It stands in as
 * SQLite's default file system, for all connections of this process. */
#pragma once

#include <check.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

typedef enum FaultKind {
	FAULT_WRITE,
	FAULT_SYNC,
	FAULT_KINDS,
} FaultKind;

#define FAULT_METHODS 4 /* of a database, of its log … */

static struct {
	sqlite3_vfs vfs, *below;
	sqlite3_io_methods methods[FAULT_METHODS];
	const sqlite3_io_methods *below_methods[FAULT_METHODS];
	_Atomic unsigned n[FAULT_KINDS];  /* operations so far */
	_Atomic unsigned at[FAULT_KINDS]; /* the one that fails; 0: none */
	_Atomic bool for_good;            /* and all that follow it */
	_Atomic int code[FAULT_KINDS];    /* what it fails with */
	_Atomic unsigned n_failed;
} faults;

static inline int fault_now(FaultKind kind)
{
	unsigned n = ++faults.n[kind], at = faults.at[kind];

	if (at == 0 || (faults.for_good ? n < at : n != at))
		return SQLITE_OK;
	faults.n_failed++;
	return faults.code[kind];
}

static inline const sqlite3_io_methods *fault_below(sqlite3_file *file)
{
	return faults.below_methods[file->pMethods - faults.methods];
}

static inline int fault_write(sqlite3_file *file, const void *data, int size, sqlite3_int64 offset)
{
	int code = fault_now(FAULT_WRITE);

	if (code != SQLITE_OK) { /* a part of it gets there */
		(void)fault_below(file)->xWrite(file, data, size / 2, offset);
		return code;
	}
	return fault_below(file)->xWrite(file, data, size, offset);
}

static inline int fault_sync(sqlite3_file *file, int flags)
{
	int code = fault_now(FAULT_SYNC);

	return code != SQLITE_OK ? code : fault_below(file)->xSync(file, flags);
}

static inline const sqlite3_io_methods *fault_above(const sqlite3_io_methods *below)
{
	unsigned i = 0;

	while (faults.below_methods[i] && faults.below_methods[i] != below)
		ck_assert_uint_lt(++i, FAULT_METHODS);
	faults.methods[i] = *below;
	faults.methods[i].xWrite = fault_write;
	faults.methods[i].xSync = fault_sync;
	faults.below_methods[i] = below;
	return &faults.methods[i];
}

static inline int fault_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret_flags)
{
	int code = faults.below->xOpen(vfs, name, file, flags, ret_flags);

	if (code == SQLITE_OK && file->pMethods)
		file->pMethods = fault_above(file->pMethods);
	return code;
}

static inline void faults_install(void)
{
	if (faults.below)
		return;
	faults.below = sqlite3_vfs_find(NULL);
	ck_assert_ptr_nonnull(faults.below);
	faults.vfs = *faults.below;
	faults.vfs.zName = "faults";
	faults.vfs.pNext = NULL;
	faults.vfs.xOpen = fault_open;
	ck_assert_int_eq(sqlite3_vfs_register(&faults.vfs, 1), SQLITE_OK);
}

static inline void faults_clear(void)
{
	for (unsigned kind = 0; kind < FAULT_KINDS; kind++)
		faults.n[kind] = faults.at[kind] = 0;
	faults.n_failed = 0;
	faults.for_good = false;
}

static inline void faults_set(FaultKind kind, unsigned at, int code, bool for_good)
{
	faults_clear();
	faults.code[kind] = code;
	faults.for_good = for_good;
	faults.at[kind] = at;
}
