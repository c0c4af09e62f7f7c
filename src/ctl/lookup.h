/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which run is meant by a word of the command line: its whole id, or the beginning of a parked run's. */
#pragma once

#include "ctl/ctl.h"

#define LOOKUP_MIN 4U /* characters of an abbreviation */

struct json_object;

/** \brief 0 with a string that the caller frees, or what to exit with; said already. Asks the daemon only where the word
 * is no whole id. */
int lookup_run(Ctl *ctl, const char *word, char **ret);
/** \brief Where only a whole id will do: 0, or what to exit with; said already. */
int lookup_whole(const Ctl *ctl, const char *word);
/** \brief How many characters tell \p run from the others in \p runs (of the call `parked`), 8 at least. */
size_t lookup_length(struct json_object *runs, const char *run);
