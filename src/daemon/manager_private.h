/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between manager.c (one turn of the loop, time), manager_start.c (start and end). */
#pragma once

#include "daemon/manager.h"

/* manager.c */
/** \brief What follows everything that happens: runs go out, replies go out, the clock is set. */
void manager_turn(void *context);
int manager_watch(Manager *manager);
const char *manager_state(void *context, const char **ret_message);

/* manager_stop.c */
int on_stop_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata);
/** \brief Where the daemon is stopping: ends it, if it is time. */
void manager_wind_down(Manager *manager, uint64_t now_usec);

/* manager_start.c */
/** \brief Tries to make the state directory ours. */
void manager_open(Manager *manager);
