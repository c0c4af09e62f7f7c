/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between manager.c (one turn of the loop, time), manager_start.c (start and end), manager_stop.c, manager_rest.c (the
 * end for want of anything to do), manager_reload.c (settings anew) and manager_tell.c (what the service manager reads).
 */
#pragma once

#include "daemon/manager.h"

/* manager.c */
/** \brief What follows everything that happens: runs go out, replies go out, the clock is set. */
void manager_turn(void *context);
int manager_watch(Manager *manager);
const char *manager_state(void *context, const char **ret_message);

static inline uint64_t manager_waiting(const Manager *manager)
{
	return manager->queue.n + manager->crew.n_ordered - (manager->crew.current ? 1 : 0);
}

/* manager_reload.c */
/** \brief Of the parts that are set up already. */
void manager_set_up_reload(Manager *manager);
int on_reload_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata);

/* manager_rest.c */
int manager_watch_rest(Manager *manager);
/** \brief Notes whether the daemon is needed. Once per turn of the loop. */
void manager_rest(Manager *manager);
/** \brief The settings have changed. */
void manager_rest_anew(Manager *manager);

/* manager_tell.c */
/** \brief Notes whether there is something to be told. Once per turn of the loop. */
void manager_tell(Manager *manager);
/** \brief Tells it, where it is time. Once per pulse while tell_due. */
void manager_tell_again(Manager *manager, uint64_t now_usec);

/* manager_stop.c */
/** \brief No run begins any more; the daemon ends when all is done and said. \p why: a clause, for the log. */
void manager_stop(Manager *manager, const char *why);
int on_stop_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata);
/** \brief Where the daemon is stopping: ends it, if it is time. */
void manager_wind_down(Manager *manager, uint64_t now_usec);

/* manager_start.c */
/** \brief Tries to make the state directory ours. */
void manager_open(Manager *manager);
