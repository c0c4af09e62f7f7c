/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The examples that lie beside the templates, in examples/NAME/: each has a file MANIFEST, one path a line, that says
 * what belongs to it. */
#pragma once

#include "gen/options.h"
#include "gen/report.h"

/** \brief Copies the example options->name. Nothing is written where anything of it exists already or is missing from
 * the example. 0; -EBADMSG (reported), -ENOMEM. */
int example_copy(const Options *options, Report *report);
