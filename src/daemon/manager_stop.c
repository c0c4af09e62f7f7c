/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/manager_private.h"
#include "daemon/notify.h"

int on_stop_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	Manager *manager = userdata;

	(void)source;
	if (manager->stopping)
		return 0;
	log_info("%s: stopping: no run begins any more%s", strsignal((int)info->ssi_signo),
		 manager->crew.current ? ", the one in hand ends first" : "");
	manager->stopping = true;
	manager->stop_usec = clock_monotonic();
	manager->intake.stopping = true;
	notify_stopping();
	listener_disable(&manager->listener);
	crew_stop(&manager->crew);
	manager_turn(manager);
	return 0;
}

static void cut_off(Manager *manager)
{
	const Run *run = manager->crew.current;

	if (run)
		log_warning("run %s of %s: had not ended when StopTimeout= had passed; it is cut off, and recovered at "
			    "the next start",
			    run->id_text, run->program->spec->name);
	crew_cut_off(&manager->crew);
}

/* Between two steps nothing is in doubt: that is the better place to be stopped at. */
static void pause_run(Manager *manager)
{
	if (manager->crew.current)
		log_info(
			"run %s of %s: StopTimeout= runs short: it stops before its next step, and goes on at the next "
			"start",
			manager->crew.current->id_text, manager->crew.current->program->spec->name);
	manager->pausing = true;
	crew_pause(&manager->crew);
}

/* What waits for a disk is waited for; what a failing disk does not take stays in the recorder. */
static bool is_stored(const Manager *manager)
{
	return !outcomes_pending(&manager->outcomes);
}

void manager_wind_down(Manager *manager, uint64_t now_usec)
{
	uint64_t spent = now_usec - manager->stop_usec;

	if (!crew_ended(&manager->crew)) {
		uint64_t limit = manager->config.stop_timeout;

		if (!manager->pausing && spent + MIN(MANAGER_PAUSE_USEC, limit / 2) > limit)
			pause_run(manager);
		if (spent > limit && !manager->crew.cut_off)
			cut_off(manager);
		return;
	}
	if ((clients_pending(&manager->clients) || !is_stored(manager)) && !manager->crew.cut_off &&
	    spent < manager->config.stop_timeout + MANAGER_FLUSH_USEC) {
		if (manager->ended_usec == 0)
			manager->ended_usec = now_usec;
		if (now_usec - manager->ended_usec < MANAGER_FLUSH_USEC)
			return;
	}
	sd_event_exit(manager->event, 0);
}
