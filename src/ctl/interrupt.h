/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SIGINT, SIGTERM and SIGHUP while an answer is waited for: the wait ends, the operator is told how to ask again, and
 * then the process ends by the signal, as whoever sent it expects. Until interrupt_watch() they do what they always do.
 * There is one of this per process. */
#pragma once

#include <stdbool.h>

/** \brief From now on the signals are caught. May be called again. */
int interrupt_watch(void);
/** \brief Readable once a signal has come; -EBADF: they are not caught. */
int interrupt_fd(void);
/** \brief Whether one has come. */
bool interrupt_pending(void);
/** \brief Ends the process by the signal that has come; returns where there is none. */
void interrupt_pass_on(void);
