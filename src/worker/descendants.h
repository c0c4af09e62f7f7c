/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The processes that a hook left. The worker is a child subreaper, so whatever a hook began is below it for as long as
 * it lives. */
#pragma once

#include <stdbool.h>

/** \brief Makes this process the one that orphans below it fall to. */
int descendants_init(void);
/** \brief Whether there is any child; one system call. */
bool descendants_left(void);
/** \brief Kills and reaps until there is none. A negative errno where it could not look (a hook has taken all
 * descriptors or memory): then this process is to end, and what is left falls to the daemon, which kills it. */
int descendants_end(void);
