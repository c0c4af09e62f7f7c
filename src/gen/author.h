/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The author's side of a project: which hooks have a function already, wherever below hooks/ it stands, and which files
 * are to be begun. What exists is read and never written. */
#pragma once

#include "gen/files.h"
#include "gen/templates.h"
#include "spec/spec.h"

/** \brief Adds a file of stubs for every hook file that is not there; where one is there and lacks a function, its stub
 * is the report's output; a function that is no hook's any more is reported. -EBADMSG (reported), -ENOMEM. */
int author_add_hooks(const Spec *spec, Fields *model, const Templates *templates, Files *files, Report *report);
