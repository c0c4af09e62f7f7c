/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a hook has made a system call at all. One that has made none has left nothing but memory: no process, no
 * output, no descriptor closed. So most calls need no look at what was left, and that look costs more than they do.
 * The kernel tells of a call's first system call (syscall user dispatch, Linux 5.11); where it cannot, every call counts
 * as one that has made some. */
#pragma once

#include <stdbool.h>

/** \brief To be called right before a hook's function. */
void touch_watch(void);
/** \brief Right after it: whether there was a system call since, or may have been. */
bool touch_made(void);
