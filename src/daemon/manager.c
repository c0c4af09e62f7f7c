/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/manager.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/manager_private.h"

#define TURN_ROUNDS 4

const char *manager_state(void *context, const char **ret_message)
{
	const Manager *manager = context;
	const Crew *crew = &manager->crew;

	*ret_message = NULL;
	if (manager->stopping)
		return "stopping";
	if (manager->intake.store_code != ERROR_NONE) {
		*ret_message = manager->intake.store_message;
		return manager->intake.store_code == ERROR_STORE_BUSY   ? "store-busy"
		       : manager->intake.store_code == ERROR_RECOVERING ? "recovering"
									: "store-damaged";
	}
	if (crew->store_problem) {
		*ret_message = crew->store_problem;
		return "store-damaged";
	}
	if (manager->promises.problem) {
		*ret_message = manager->promises.problem;
		return "store-damaged";
	}
	if (crew->problem) {
		*ret_message = crew->problem;
		return "no-module";
	}
	if (crew->held)
		return "held";
	return crew->catalog ? "running" : "starting";
}

static int clock_set(Manager *manager, uint64_t period_usec)
{
	uint64_t now;
	int r;

	manager->period_usec = period_usec;
	if (period_usec == 0)
		return sd_event_source_set_enabled(manager->clock, SD_EVENT_OFF);
	now = clock_monotonic();
	r = sd_event_source_set_time(manager->clock, now + period_usec);
	if (r < 0)
		return r;
	return sd_event_source_set_enabled(manager->clock, SD_EVENT_ONESHOT);
}

static bool wants_pulse(const Manager *manager)
{
	return manager->intake.heavy || manager->clients.n_timed > 0 || manager->queue.n > 0 ||
	       manager->listener.paused_since_usec || manager->stopping || !manager->opened ||
	       outcomes_pending(&manager->outcomes) || promises_waits(&manager->promises) || manager->parking.again ||
	       manager->tell_due || crew_waits(&manager->crew);
}

/* Usually the clock is running already. */
static void manager_set_clock(Manager *manager)
{
	if (manager->period_usec == MANAGER_TICK_USEC)
		return;
	if (crew_busy(&manager->crew)) {
		manager->lingered = 0;
		clock_set(manager, MANAGER_TICK_USEC);
	} else if (manager->period_usec == 0 && wants_pulse(manager)) {
		clock_set(manager, MANAGER_PULSE_USEC);
	}
}

static void manager_listen(Manager *manager)
{
	int r;

	if (manager->listener.enabled || manager->stopping || manager->listener.paused_since_usec)
		return;
	if (manager->intake.store_code == ERROR_NONE && !crew_settled(&manager->crew))
		return;
	r = listener_enable(&manager->listener);
	if (r < 0)
		log_error("cannot watch the sockets: %s; trying again", strerror(-r));
}

static bool has_work(const Manager *manager)
{
	return !TAILQ_EMPTY(&manager->clients.dirty);
}

/* Submissions stay: they are the next daemon's. */
static void refuse_queued(Manager *manager)
{
	queue_refuse_plain(&manager->queue, ERROR_SHUTTING_DOWN, "the daemon is stopping; nothing ran");
}

static void manager_recover(Manager *manager)
{
	if (!manager->opened || manager->stopping)
		return;
	recovery_restore(&manager->recovery);
	recovery_settle(&manager->recovery);
	if (manager->intake.store_code != ERROR_NONE && crew_settled(&manager->crew))
		intake_set_store(&manager->intake, ERROR_NONE, NULL);
}

void manager_turn(void *context)
{
	Manager *manager = context;
	size_t waiting;

	manager_recover(manager);
	for (unsigned i = 0; i < TURN_ROUNDS; i++) {
		crew_hold(&manager->crew, manager->promises.held || parking_holds(&manager->parking));
		if (manager->queue.stale)
			intake_refit(&manager->intake);
		crew_step(&manager->crew);
		if (manager->opened)
			outcomes_step(&manager->outcomes, clock_monotonic());
		if (manager->stopping)
			refuse_queued(manager);
		waiting = manager->queue.n;
		manager->clients.gathers = !manager->ticked && !manager->stopping && crew_is_quick(&manager->crew);
		clients_flush(&manager->clients);
		if (manager->queue.n == waiting && !has_work(manager))
			break;
	}
	if (has_work(manager))
		sd_event_source_set_enabled(manager->later, SD_EVENT_ONESHOT);
	manager_listen(manager);
	if (crew_wants_idle(&manager->crew))
		sd_event_source_set_enabled(manager->idle, SD_EVENT_ONESHOT);
	manager_rest(manager);
	manager_tell(manager);
	manager_set_clock(manager);
	if (manager->stopping)
		manager_wind_down(manager, clock_monotonic());
}

/* What was taken in passing goes back to the system. */
static void trim_memory(Manager *manager)
{
	if (!manager->intake.heavy)
		return;
	manager->intake.heavy = false;
	malloc_trim(MANAGER_TRIM_KEEP);
}

static void manager_pulse(Manager *manager, uint64_t now_usec)
{
	trim_memory(manager);
	manager->pulsed_usec = now_usec;
	clients_check(&manager->clients, now_usec);
	listener_check(&manager->listener, now_usec);
	queue_expire(&manager->queue, now_usec);
	manager_tell_again(manager, now_usec);
	if (manager->opened) {
		promises_check(&manager->promises, now_usec);
		parking_retry(&manager->parking);
	}
	if (!manager->opened && !manager->stopping && now_usec >= manager->open_again_usec)
		manager_open(manager);
}

static int on_clock(sd_event_source *source, uint64_t usec, void *userdata)
{
	Manager *manager = userdata;
	uint64_t now = clock_monotonic();

	(void)source;
	(void)usec;
	crew_tick(&manager->crew, now);
	if (now - manager->pulsed_usec >= MANAGER_PULSE_USEC)
		manager_pulse(manager, now);
	manager->lingered = crew_busy(&manager->crew) ? 0 : manager->lingered + 1;
	if (manager->period_usec == MANAGER_TICK_USEC && manager->lingered < MANAGER_LINGER_TICKS)
		clock_set(manager, MANAGER_TICK_USEC);
	else
		clock_set(manager, wants_pulse(manager) ? MANAGER_PULSE_USEC : 0);
	manager->ticked = true;
	manager_turn(manager);
	manager->ticked = false;
	return 0;
}

static int on_later(sd_event_source *source, void *userdata)
{
	(void)source;
	manager_turn(userdata);
	return 0;
}

static int on_idle(sd_event_source *source, void *userdata)
{
	Manager *manager = userdata;

	(void)source;
	if (crew_wants_idle(&manager->crew))
		crew_use_idle(&manager->crew);
	manager_turn(manager);
	return 0;
}

static int on_child(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	Manager *manager = userdata;

	(void)source;
	(void)info;
	crew_reap(&manager->crew);
	manager_turn(manager);
	return 0;
}

/* One that is off until it is wanted. */
static int add_defer(Manager *manager, sd_event_source **ret, sd_event_handler_t handler, int64_t priority)
{
	int r;

	r = sd_event_add_defer(manager->event, ret, handler, manager);
	if (r >= 0)
		r = sd_event_source_set_priority(*ret, priority);
	return r < 0 ? r : sd_event_source_set_enabled(*ret, SD_EVENT_OFF);
}

int manager_watch(Manager *manager)
{
	static const struct {
		int number;
		sd_event_signal_handler_t handler;
	} signals[] = { { SIGTERM, on_stop_signal },
			{ SIGINT, on_stop_signal },
			{ SIGHUP, on_reload_signal },
			{ SIGCHLD, on_child } };
	sigset_t set;
	int r;

	sigemptyset(&set);
	for (size_t i = 0; i < ELEMENTSOF(signals); i++)
		sigaddset(&set, signals[i].number);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return -errno;
	for (size_t i = 0; i < ELEMENTSOF(signals); i++) {
		r = sd_event_add_signal(manager->event, NULL, signals[i].number, signals[i].handler, manager);
		if (r < 0)
			return r;
	}
	r = sd_event_add_time(manager->event, &manager->clock, CLOCK_MONOTONIC, 0, 500, on_clock, manager);
	if (r >= 0)
		r = clock_set(manager, 0);
	if (r >= 0)
		r = add_defer(manager, &manager->later, on_later, SD_EVENT_PRIORITY_NORMAL);
	if (r >= 0)
		r = add_defer(manager, &manager->idle, on_idle, SD_EVENT_PRIORITY_IDLE);
	if (r >= 0)
		r = manager_watch_rest(manager);
	/* half its interval, if there is one: a loop that stands still is noticed */
	if (r >= 0)
		r = sd_event_set_watchdog(manager->event, true);
	return r < 0 ? r : 0;
}

int manager_run(Manager *manager)
{
	manager_turn(manager);
	return sd_event_loop(manager->event);
}
