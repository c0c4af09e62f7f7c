/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rules of a run, read literally: recursive over the spec, without a plan, every pool a copied dictionary. It
 * exists so that the walk has something to be compared with, and shares nothing with it. */
#pragma once

#include "tests/oracle.h"
#include "tests/story.h"

/** \brief Lives through a run of \p program and appends its story. */
void model_tell(const Oracle *oracle, const SpecProgram *program, Buffer *story);
