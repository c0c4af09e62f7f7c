/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the module in use can do: its spec and the compiled plan of each program, from the first worker's hello. Never
 * changed once it is made, save who is admitted; runs borrow from it. */
#pragma once

#include "daemon/access.h"
#include "daemon/metrics.h"
#include "run/order.h"

typedef struct CatalogProgram {
	const SpecProgram *spec;
	Plan *plan;
	Access access;
	MetricsProgram *tally; /* borrowed; NULL: it is not counted */
	size_t reserve;        /* bytes of a recorder that a run of it may need at least, behind its START */
} CatalogProgram;

typedef struct Catalog {
	Spec *spec;
	CatalogProgram *programs; /* by name, for the search */
	size_t n_programs;
	MetricsHook **tallies; /* owned; by the number of the hook in the spec; NULL: they are not counted */
	Id fingerprint;
	Id identity;     /* module_identity(): what runs are pinned to */
	char *spec_text; /* as the module says it */
	size_t spec_size;
	char *build_id; /* "" where the module has none */
	uint32_t abi_major, abi_minor;
} Catalog;

/** \brief -EBADMSG with a sentence in \p ret_problem (owned by the caller) where the spec cannot be used. */
int catalog_new(const OrderHello *hello, const RecordCaps *caps, Catalog **ret, char **ret_problem);
/** \brief The same of a module that was in use once: nobody is looked up, and nobody admitted. */
int catalog_recall(const OrderHello *hello, const RecordCaps *caps, Catalog **ret, char **ret_problem);
/** \brief What runs of it do is counted in \p metrics from now on, which outlives it. -ENOMEM. */
int catalog_count(Catalog *catalog, Metrics *metrics);
/** \brief Looks users and groups up anew, and says so of those that there are not. What could not be looked up for want of
 * memory stays as it was: -ENOMEM. */
int catalog_admit(Catalog *catalog);
Catalog *catalog_free(Catalog *catalog);
DEFINE_CLEANUP(Catalog *, catalog_free)
#define _cleanup_catalog_ _cleanup_(catalog_freep)

/** \brief NULL: there is none of that name. */
const CatalogProgram *catalog_program(const Catalog *catalog, const char *name);
/** \brief Where calls of \p hook, which is of the catalog's spec, are counted; or NULL. */
static inline MetricsHook *catalog_tally(const Catalog *catalog, const SpecHook *hook)
{
	return catalog->tallies ? catalog->tallies[hook - catalog->spec->hooks] : NULL;
}
/** \brief Whether \p hello is of the same build of the same spec. */
bool catalog_matches(const Catalog *catalog, const OrderHello *hello);
