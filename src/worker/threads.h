/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a hook has begun a thread. This program's pthread_create() and thrd_create() stand before those of libc for
 * everything that is loaded; what libc begins by itself is seen by its own flag. */
#pragma once

#include <stdbool.h>

/** \brief Threads that live now are none of a hook's. */
void threads_mark(void);
/** \brief Whether one was begun since. */
bool threads_begun(void);
