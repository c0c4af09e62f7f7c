/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a dead worker's hooks have left behind falls to us, its subreaper: it must be dead before anything else begins.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/** \brief Kills and reaps every child of this process that is not among \p keep. How many were not dead yet: their
 * SIGCHLD is the time to ask again. */
int orphans_clear(const pid_t *keep, size_t n_keep);
