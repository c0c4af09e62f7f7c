/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The functions that the author's files below hooks/ define, found by reading them as a C compiler's eye would skim
 * them: comments, literals and preprocessor lines skipped, a name with parameters and a body taken for a definition.
 * Files are only ever read. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "gen/report.h"

typedef struct Definition {
	char *symbol;
	char *file; /* "hooks/ledger/accounts.c" */
	unsigned line;
	bool hook; /* it takes a `struct SYMBOL_args`: it is, or once was, a hook's function */
} Definition;

typedef struct Sources {
	Definition *items; /* sorted by symbol */
	size_t n;
	size_t capacity;
} Sources;

void sources_done(Sources *sources);
#define _cleanup_sources_ _cleanup_(sources_done)

/** \brief Appends the definitions of one file's text. -ENOMEM. */
int sources_scan_text(Sources *sources, const char *file, const char *text, size_t size);
/** \brief Reads all *.c below \p directory/hooks. -EBADMSG (reported), -ENOMEM. */
int sources_scan(const char *directory, Sources *ret, Report *report);
/** \brief Or NULL. */
const Definition *sources_find(const Sources *sources, const char *symbol);
