/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The module: a shared object, loaded from the descriptor that the daemon opened, and what was made of the spec in it.
 * A module that was loaded is usable: its tables agree with the plans that its spec compiles to. */
#pragma once

#include <ryuso/module.h>

#include "base/build_id.h"
#include "base/error.h"
#include "base/ids.h"
#include "spec/plan.h"

typedef struct Module {
	void *handle; /* of dlopen() */
	const struct ryuso_module *table;
	Spec *spec;
	Plan **plans; /* by program; compiled when it is first asked for */
	Id fingerprint;
	char build_id[BUILD_ID_MAX + 1];
	bool opened;
} Module;

/** \brief Loads the module behind \p fd and opens it. -EBADMSG with a sentence in \p error->message. */
int module_load(int fd, Module **ret, Error *error);
/** \brief Closes it in good order: the module's own ryuso_module_close() is called. */
Module *module_free(Module *module);
DEFINE_CLEANUP(Module *, module_free)
#define _cleanup_module_ _cleanup_(module_freep)

/** \brief The plan of the program of that name. -ENOENT, -ENOMEM. Borrowed. */
int module_plan(Module *module, const char *name, size_t name_size, const Plan **ret);
/** \brief What \p op calls. */
const struct ryuso_module_function *module_function(const Module *module, const PlanOp *op);

/* The parts of module_load(). */

/** \brief Whether \p fd can be handed to the loader, which does not survive a file that is cut off. */
int module_check_file(int fd, Error *error);
/** \brief The header, of a symbol that is \p size bytes long; then what the header allows to be looked at. */
int module_check_table(const struct ryuso_module *table, size_t size, Error *error);
/** \brief Functions and programs against those of the spec. */
int module_check_spec(const struct ryuso_module *table, const Spec *spec, Error *error);
/** \brief The linker's build id of the object that \p address is in, in hexadecimal; empty where there is none. */
void module_build_id(const void *address, char text[static BUILD_ID_MAX + 1]);
