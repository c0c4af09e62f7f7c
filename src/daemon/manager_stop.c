/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/manager_private.h"

void manager_stop(Manager *manager, const char *why)
{
	if (manager->stopping)
		return;
	log_info("%s: stopping: no run begins any more%s", why,
		 manager->crew.current ? ", the one in hand ends first" : "");
	manager->stopping = true;
	manager->stop_usec = clock_monotonic();
	manager->intake.stopping = true;
	notify_stopping();
	listener_disable(&manager->listener);
	crew_stop(&manager->crew);
	manager_turn(manager);
}

int on_stop_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	(void)source;
	manager_stop(userdata, strsignal((int)info->ssi_signo));
	return 0;
}

static bool is_rectifying(const Manager *manager)
{
	return manager->crew.current && manager->crew.current->call.rectifying;
}

/* A reversal that is under way is worth waiting for. */
static uint64_t stop_limit(const Manager *manager)
{
	const Config *config = &manager->config;

	return is_rectifying(manager) ? MAX(config->stop_timeout, config->stop_timeout_rectifying)
				      : config->stop_timeout;
}

static const char *stop_setting(const Manager *manager)
{
	return is_rectifying(manager) ? "StopTimeoutRectifying=" : "StopTimeout=";
}

static void cut_off(Manager *manager)
{
	const Run *run = manager->crew.current;

	if (run)
		log_warning("run %s of %s: had not ended when %s had passed; it is cut off, and recovered at the next "
			    "start",
			    run->id_text, run->program->spec->name, stop_setting(manager));
	crew_cut_off(&manager->crew);
}

/* Between two steps nothing is in doubt: that is the better place to be stopped at. */
static void pause_run(Manager *manager)
{
	const Run *run = manager->crew.current;

	if (run)
		log_info("run %s of %s: %s runs short: it stops before its next step, and goes on at the next start",
			 run->id_text, run->program->spec->name, stop_setting(manager));
	manager->pausing = true;
	crew_pause(&manager->crew);
}

/* What waits for a disk is waited for; what a failing disk does not take stays in the recorder. */
static bool is_stored(const Manager *manager)
{
	return !outcomes_pending(&manager->outcomes);
}

/* Asked for piecemeal: where the daemon hangs, that is all it gets. */
static void extend(Manager *manager, uint64_t now_usec, uint64_t left_usec)
{
	if (!is_rectifying(manager) || left_usec == 0 ||
	    (manager->extended_usec != 0 && now_usec - manager->extended_usec < MANAGER_EXTEND_AGAIN_USEC))
		return;
	manager->extended_usec = now_usec;
	notify_extend(MANAGER_EXTEND_USEC);
}

static void wait_for_run(Manager *manager, uint64_t now_usec)
{
	uint64_t spent = now_usec - manager->stop_usec, limit = stop_limit(manager);

	extend(manager, now_usec, limit - MIN(limit, spent));
	if (!manager->pausing && spent + MIN(MANAGER_PAUSE_USEC, limit / 2) > limit)
		pause_run(manager);
	if (spent > limit && !manager->crew.cut_off)
		cut_off(manager);
}

/* For what remains to be done when nothing runs any more: however much of the time to stop in is left. */
static bool is_late(Manager *manager, uint64_t now_usec)
{
	if (manager->ended_usec == 0)
		manager->ended_usec = now_usec;
	return now_usec - manager->ended_usec >= MANAGER_FLUSH_USEC;
}

void manager_wind_down(Manager *manager, uint64_t now_usec)
{
	if (!crew_ended(&manager->crew)) {
		if (crew_busy(&manager->crew))
			wait_for_run(manager, now_usec);
		else if (is_late(manager, now_usec) && !manager->crew.cut_off)
			cut_off(manager);
		return;
	}
	if ((clients_pending(&manager->clients) || !is_stored(manager)) && !manager->crew.cut_off &&
	    !is_late(manager, now_usec))
		return;
	sd_event_exit(manager->event, 0);
}
