/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The author's Makefile, read for one thing alone: that it builds the module which the spec names. A spec that was
 * renamed would else go on being built under its old name, from what was generated then. */
#pragma once

#include "gen/report.h"

/** \brief 0, also where there is no Makefile or it sets no MODULE; -EBADMSG (reported) where it sets another; -ENOMEM.
 * To be called after files_compare(), which sees that it is a file. */
int makefile_check(const char *directory, const char *module, Report *report);
