/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The end of a run that was asked for before. */
#pragma once

#include "ctl/ctl.h"

struct Follow;

/** \brief Waits for the end of \p run, however often the connection breaks, and shows it like `run` does; with \p follow
 * what happens until then, too. Returns what to exit with. */
int wait_run(Ctl *ctl, const char *run, struct Follow *follow);

int verb_wait(Ctl *ctl, char *const *arguments, size_t n);
int verb_cancel(Ctl *ctl, char *const *arguments, size_t n);
