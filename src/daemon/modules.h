/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which modules this store's runs were, or are, pinned to. Each has a file in the state directory, modules/IDENTITY,
 * with its name, build id, where it was, and its spec: written, synced, before the first run that is pinned to it is
 * recorded; so that a run can be shown, and its build looked for, when another one is installed. */
#pragma once

#include "daemon/catalog.h"

#define MODULES_NAME "modules"

/** \brief What a run is pinned to: spec and build. */
Id module_identity(const Id *fingerprint, const char *build_id, size_t build_id_size);

/** \brief Writes the file of \p catalog, unless there is one. \p path: of the module, may be NULL. 0 or negative errno.
 */
int modules_save(const char *directory, const Catalog *catalog, const char *path);

typedef struct ModuleNote {
	Catalog *catalog; /* owned: spec and plans as they were; nobody is admitted by it */
	char *path;       /* owned; or NULL */
} ModuleNote;

/** \brief -ENOENT: there is none; -EBADMSG: it is not what it was, and \p ret_problem (to be freed) says why. */
int modules_load(const char *directory, const Id *identity, const RecordCaps *caps, ModuleNote *ret,
		 char **ret_problem);
void module_note_done(ModuleNote *note);
#define _cleanup_module_note_ _cleanup_(module_note_done)
/** \brief Opens the file of that very build: the path it had, NAME-BUILDID.so or NAME.so beside it or where modules are
 * installed; each is looked into for its build id. A descriptor, \p ret_path to be freed; -ENOENT. */
int modules_find(const ModuleNote *note, char **ret_path);
/** \brief Removes the files of modules that \p wanted does not ask for. */
void modules_prune(const char *directory, bool (*wanted)(const Id *identity, void *context), void *context);
