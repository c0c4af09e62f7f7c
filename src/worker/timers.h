/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a hook has left a timer whose signal would come in a later hook, or in another run. This program's timer_create() stands
 * before libc's for everything that is loaded; alarm() and setitimer() are asked for. */
#pragma once

#include <stdbool.h>

/** \brief Timers made until now are none of a hook's. */
void timers_mark(void);
/** \brief Disarms what alarm() and setitimer() have set; whether there was any, or one was made since. */
bool timers_left(void);
