/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The form of the ledger's database: making it, bringing an older one to this version's form, looking for damage, and
 * where it lies. A new ledger is made whole under another name and then renamed, so that an empty file is never taken
 * for one. Used by the ledger's own files only. */
#pragma once

#include "daemon/ledger.h"
#include "daemon/ledger_sql.h"

#define SCHEMA_APPLICATION 0x5279754cU /* "RyuL" */
#define SCHEMA_VERSION 3
#define SCHEMA_SMALL (1U << 20)   /* bytes; up to there the whole file is looked through at each start */
#define SCHEMA_MEDIUM (64U << 20) /* up to there, at each start, all but the ended runs */

/** \brief What identifies the place of a file. */
typedef struct SchemaPlace {
	Id machine;
	uint64_t inode, born_usec; /* 0: the file system does not say */
	uint64_t moved_usec;       /* wall clock: when it was last found to have been elsewhere before; 0: never */
} SchemaPlace;

/** \brief The file is looked at by its name: it is not opened. */
int schema_find_place(const char *path, const Id *machine, SchemaPlace *ret);
int schema_read_place(Sql *sql, SchemaPlace *ret);
int schema_write_place(Sql *sql, const SchemaPlace *place);
bool schema_same_place(const SchemaPlace *a, const SchemaPlace *b);

/** \brief Makes a new ledger of version \p version (SCHEMA_VERSION, but for tests) at \p path. */
int schema_make(const char *path, const Id *machine, unsigned version);
/** \brief Looks who the file says it is: its version, at most SCHEMA_VERSION. -EUCLEAN, -EPROTONOSUPPORT with a clause
 * in \p ret_what (to be freed). */
int schema_identify(Sql *sql, unsigned *ret_version, char **ret_what);
/** \brief Brings a database of \p version to SCHEMA_VERSION, in one transaction. */
int schema_migrate(Sql *sql, unsigned version);
/** \brief Looks for damage, in a time that is bounded whatever the size. 1 where ended runs were left out; -EUCLEAN with
 * a clause in \p ret_what. */
int schema_check(Sql *sql, char **ret_what);
/** \brief Looks through what schema_check() left out. -EINTR where sqlite3_interrupt() was called. */
int schema_check_rest(Sql *sql, char **ret_what);
