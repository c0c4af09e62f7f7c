/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `IdleExit=`: a daemon that nobody needs ends, and is started again by the next connection. No connection is lost on
 * the way: one that is accepted keeps the daemon, and one that is not stays with the socket, which is systemd's. */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/point.h"
#include "daemon/calls_private.h"
#include "daemon/manager_private.h"

/* What parked runs wait for, an operator's decision, comes by a connection. */
static bool store_is_at_rest(const Manager *manager)
{
	return !outcomes_pending(&manager->outcomes) && manager->promises.n_submitted == 0 &&
	       !promises_waits(&manager->promises) && !manager->parking.again && !manager->promises.problem;
}

static bool crew_is_at_rest(const Crew *crew)
{
	return crew->n_ordered == 0 && !crew->clearing && !crew->damaged && !crew->renew_wanted &&
	       !crew->recorder.renewing && !crew->store_problem && TAILQ_EMPTY(&crew->refusals) && !crew->next;
}

/* Whoever would start it again must be there: a socket of our own ends with us. */
static bool may_rest(const Manager *manager)
{
	return manager->config.idle_exit > 0 && !manager->stopping && !manager->listener.path;
}

static bool is_at_rest(const Manager *manager)
{
	return manager->clients.n == 0 && manager->queue.n == 0 && manager->opened && manager->listener.enabled &&
	       !manager->listener.paused_since_usec && manager->intake.store_code == ERROR_NONE &&
	       TAILQ_EMPTY(&manager->calls.deferred) && store_is_at_rest(manager) && crew_is_at_rest(&manager->crew);
}

static void rest_from(Manager *manager, uint64_t since_usec)
{
	Rest *rest = &manager->rest;
	int r;

	rest->since_usec = since_usec;
	rest->n_admitted = manager->clients.n_admitted;
	if (rest->armed)
		return; /* it looks again when it is due */
	r = sd_event_source_set_time(rest->source, since_usec + manager->config.idle_exit);
	if (r >= 0)
		r = sd_event_source_set_enabled(rest->source, SD_EVENT_ONESHOT);
	if (r < 0)
		log_warning("IdleExit=: cannot set the time: %s; the daemon stays", strerror(-r));
	rest->armed = r >= 0;
}

void manager_rest(Manager *manager)
{
	Rest *rest = &manager->rest;

	if (!may_rest(manager) || !is_at_rest(manager))
		rest->since_usec = 0;
	else if (rest->since_usec == 0 || rest->n_admitted != manager->clients.n_admitted)
		rest_from(manager, clock_monotonic());
}

/* `IdleExit=` may be another time now. */
void manager_rest_anew(Manager *manager)
{
	Rest *rest = &manager->rest;

	if (rest->source)
		sd_event_source_set_enabled(rest->source, SD_EVENT_OFF);
	rest->armed = false;
	rest->since_usec = 0;
}

static int on_rest(sd_event_source *source, uint64_t usec, void *userdata)
{
	Manager *manager = userdata;
	Rest *rest = &manager->rest;

	(void)source;
	(void)usec;
	rest->armed = false;
	manager_rest(manager);
	if (rest->since_usec == 0 || rest->armed)
		return 0;
	if (clock_monotonic() - rest->since_usec < manager->config.idle_exit) {
		rest_from(manager, rest->since_usec);
		return 0;
	}
	POINT("before-idle-exit");
	if (listener_waiting(&manager->listener)) { /* it is accepted next */
		rest_from(manager, clock_monotonic());
		return 0;
	}
	POINT("idle-exit");
	manager_stop(manager, "nobody needs it (IdleExit=)");
	return 0;
}

int manager_watch_rest(Manager *manager)
{
	int r;

	/* behind all that is ready */
	r = sd_event_add_time(manager->event, &manager->rest.source, CLOCK_MONOTONIC, 0, 0, on_rest, manager);
	if (r >= 0)
		r = sd_event_source_set_priority(manager->rest.source, SD_EVENT_PRIORITY_IDLE);
	return r < 0 ? r : sd_event_source_set_enabled(manager->rest.source, SD_EVENT_OFF);
}
