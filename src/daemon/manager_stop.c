/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <systemd/sd-daemon.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/manager_private.h"

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
	sd_notify(0, "STOPPING=1");
	listener_disable(&manager->listener);
	crew_stop(&manager->crew);
	manager_turn(manager);
	return 0;
}

static void cut_off(Manager *manager)
{
	const Run *run = manager->crew.current;

	if (run)
		log_line(LOG_CRIT,
			 "run %s of %s: had not ended when StopTimeout= had passed; it is cut off, and stays in the "
			 "recorder in %s",
			 run->id_text, run->program->spec->name, manager->store.directory);
	crew_cut_off(&manager->crew);
}

void manager_wind_down(Manager *manager, uint64_t now_usec)
{
	uint64_t spent = now_usec - manager->stop_usec;

	if (!crew_ended(&manager->crew)) {
		if (spent > manager->config.stop_timeout && !manager->crew.cut_off)
			cut_off(manager);
		return;
	}
	if (clients_pending(&manager->clients) && !manager->crew.cut_off &&
	    spent < manager->config.stop_timeout + MANAGER_FLUSH_USEC) {
		if (manager->ended_usec == 0)
			manager->ended_usec = now_usec;
		if (now_usec - manager->ended_usec < MANAGER_FLUSH_USEC)
			return;
	}
	sd_event_exit(manager->event, 0);
}
