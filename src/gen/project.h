/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A project, as its spec says it should be: gen/ (written anew), and a Makefile and hooks/ (the author's, written where
 * they are not there). Everything is read, checked and rendered in memory before anything is written. */
#pragma once

#include "gen/options.h"
#include "gen/report.h"

/* All return 0; -EBADMSG where the report says what is wrong; -ENOMEM. */

/** \brief Writes what has changed; stubs of hooks whose file exists without them are the report's output. */
int project_generate(const Options *options, Report *report);
/** \brief Names the files of gen/ that are not what the spec says. Writes nothing. */
int project_check(const Options *options, Report *report);
/** \brief The stub of the hook options->name as output. */
int project_stub(const Options *options, Report *report);
