/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which run is meant by a word of the command line: its whole id, or the beginning of one that no other run of those that
 * are meant has. */
#pragma once

#include "ctl/ctl.h"

#define LOOKUP_MIN 4U /* characters of an abbreviation */

struct json_object;

typedef enum LookupKind {
	LOOKUP_ANY,
	LOOKUP_UNFINISHED, /* running, queued, parked */
	LOOKUP_PARKED,
	LOOKUP_KIND_MAX,
} LookupKind;

/** \brief 0 with a string that the caller frees, or what to exit with; said already. Asks the daemon only where the word
 * is no whole id. */
int lookup_run(Ctl *ctl, const char *word, LookupKind kind, char **ret);
/** \brief How many characters tell \p run from the others in \p runs (of the calls `runs` and `parked`), 8 at least. */
size_t lookup_length(struct json_object *runs, const char *run);
