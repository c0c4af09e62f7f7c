/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the service manager is told, if there is one (NOTIFY_SOCKET; sd_notify(3)). It never keeps the daemon from its
 * work: a word that cannot be passed on is reported once, and the daemon goes on without. */
#pragma once

#include <stdint.h>

#define NOTIFY_STATUS_MAX 512 /* bytes of a status, with its end */

/** \brief READY=1: the daemon has started, or a reload that was announced has ended, well or not. */
void notify_ready(void);
/** \brief RELOADING=1 with MONOTONIC_USEC. notify_ready() is owed, whatever comes of it. */
void notify_reloading(void);
/** \brief STOPPING=1: whoever wants the service started from now on means the next one. */
void notify_stopping(void);
/** \brief EXTEND_TIMEOUT_USEC: the daemon is not to be killed within \p usec from now, and says so again if need be. */
void notify_extend(uint64_t usec);
/** \brief WATCHDOG=1, a sign of life: it also ends what notify_extend() has asked for. The rest of them is sent by the
 * event loop. */
void notify_alive(void);
/** \brief STATUS: one line for people, shorter than NOTIFY_STATUS_MAX. */
void notify_status(const char *text);
