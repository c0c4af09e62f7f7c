/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/point.h"
#include "daemon/crew_private.h"
#include "daemon/orphans.h"

static void describe_end(const siginfo_t *info, char *text, size_t size)
{
	if (info->si_code == CLD_EXITED)
		snprintf(text, size, "the worker exited with status %d", info->si_status);
	else
		snprintf(text, size, "killed by signal %d (%s)", info->si_status, strsignal(info->si_status));
}

void crew_damage(Crew *crew, const char *what)
{
	log_line(
		LOG_CRIT,
		"the recorder in %s is damaged: %s; the worker is killed, what was with it is parked, a new recorder is "
		"made",
		crew->recorder.directory, what);
	crew->damaged = true;
	if (crew->active)
		hand_kill(crew->active);
}

/* Which of the runs that were with the worker have begun, and what has become of them, cannot be known. */
static void crew_give_up_ordered(Crew *crew)
{
	Run *run;

	while ((run = TAILQ_FIRST(&crew->ordered))) {
		size_t end = run == crew->current ? crew->recorder.position : 0;

		crew_cancels_end(crew, &run->id, -EALREADY, end > 0);
		crew_remove(crew, run);
		if (run->taken_up && run->state == RUN_ORDERED)
			crew->setup.events.on_unfit(run, crew->setup.events.context);
		else
			crew->setup.events.on_damaged(run, end, crew->setup.events.context);
	}
	crew->damaged = false;
	crew->spoilt = true;
	crew->renew_wanted = true;
}

/* All but the current one, in their order. */
static void take_unbegun(Crew *crew, struct RunList *ret)
{
	Run *run, *next;

	TAILQ_INIT(ret);
	for (run = TAILQ_FIRST(&crew->ordered); run; run = next) {
		next = TAILQ_NEXT(run, entry);
		if (run == crew->current)
			continue;
		TAILQ_REMOVE(&crew->ordered, run, entry);
		crew->n_ordered--;
		run->state = RUN_QUEUED;
		TAILQ_INSERT_TAIL(ret, run, entry);
	}
}

/* Whoever's run has begun has had a turn. */
static void give_back(Crew *crew, struct RunList *unbegun)
{
	queue_return(crew->setup.queue, unbegun);
	if (crew->current)
		queue_pass(crew->setup.queue, crew->current->peer.uid);
}

void crew_recall(Crew *crew)
{
	struct RunList unbegun;

	take_unbegun(crew, &unbegun);
	give_back(crew, &unbegun);
}

/* Whether the first of what was not begun was what the worker died of cannot be known; a run is not given to worker
 * after worker for ever. */
static void crew_return_unbegun(Crew *crew, bool in_good_order)
{
	_cleanup_error_ Error error = { 0 };
	struct RunList unbegun;
	Run *run;

	take_unbegun(crew, &unbegun);
	run = TAILQ_FIRST(&unbegun);
	if (run && !in_good_order && !crew->current && ++run->losses >= CREW_LOSSES_MAX) {
		TAILQ_REMOVE(&unbegun, run, entry);
		if (run->taken_up) {
			crew->setup.events.on_unfit(run, crew->setup.events.context);
		} else {
			error_set(&error, ERROR_NO_MODULE, NULL,
				  "%u workers died before the run had begun; nothing ran", run->losses);
			crew_refuse(crew, run, &error);
		}
	}
	give_back(crew, &unbegun);
}

/* Its old records were being written anew, and do not count before the decision among them: it is taken up again from
 * what the ledger has. */
static void crew_return_replaying(Crew *crew)
{
	Run *run = crew->current;

	if (!run || !run->replaying)
		return;
	crew_remove(crew, run);
	TAILQ_INSERT_HEAD(&crew->ordered, run, entry);
	crew->n_ordered++;
	run->state = RUN_ORDERED;
	run->begun_usec = 0;
	run->call = (RunCall){ 0 };
}

static bool in_good_order(const siginfo_t *info)
{
	return info->si_code == CLD_EXITED && info->si_status == 0;
}

static void crew_end_active(Crew *crew, const siginfo_t *info)
{
	char how[sizeof(crew->cause.message)];

	describe_end(info, how, sizeof(how));
	crew_read_records(crew);
	hand_drain(crew->active);
	crew->active = hand_free(crew->active);
	point_worker(0);
	crew->tired = false;
	crew->clearing = true;
	if (crew->damaged) {
		crew_give_up_ordered(crew);
		return;
	}
	crew_return_replaying(crew);
	if (crew->current && crew->cause.code == ERROR_NONE) {
		crew->cause.code = ERROR_HOOK_UNKNOWN;
		strcpy(crew->cause.message, how);
	} else if (!crew->current) {
		crew->cause = (CrewCause){ 0 };
	}
	if (!in_good_order(info) && !crew->current)
		log_warning("a worker has ended between runs: %s; another takes its place", how);
	crew_return_unbegun(crew, in_good_order(info));
	if (crew->barren)
		crew_back_off(crew);
}

static void crew_end_starting(Crew *crew, const char *how)
{
	CrewGuest *guest = crew_guest_of(crew, &crew->spare_identity);

	if (guest)
		crew_guest_died(crew, guest, how);
	else
		crew_fail(crew, crew_sentence("module %s: %s before it was ready", crew_spare_path(crew), how));
}

static void crew_end_spare(Crew *crew, const siginfo_t *info)
{
	HandState state;
	char how[256];

	describe_end(info, how, sizeof(how));
	hand_hear(crew->spare);
	hand_drain(crew->spare);
	state = crew->spare->state;
	crew->spare = hand_free(crew->spare);
	crew->clearing = true;
	if (state == HAND_STARTING)
		crew_end_starting(crew, how);
	else if (state == HAND_READY)
		log_warning("a worker has ended before it had anything to do: %s; another takes its place", how);
}

static void crew_on_stopped(Crew *crew, Hand *hand)
{
	if (hand != crew->active) {
		hand_kill(hand);
		crew_fail(crew, crew_sentence("module %s: its worker stopped itself", crew_spare_path(crew)));
		return;
	}
	crew_read(crew);
	if (!hand->probed) {
		crew_return_replaying(crew);
		if (crew->current && crew->cause.code == ERROR_NONE) {
			crew->cause.code = ERROR_HOOK_UNKNOWN;
			snprintf(crew->cause.message, sizeof(crew->cause.message),
				 "the worker was stopped by a signal, and killed");
		}
		hand_kill(hand);
		return;
	}
	hand->probed = false;
	if (crew_deadline_has_passed(crew)) {
		crew_set_timeout_cause(crew);
		hand_kill(hand);
	} else if (crew_cancel_stopped(crew)) {
		crew->cause = (CrewCause){ .code = ERROR_CANCELLED };
		strcpy(crew->cause.message, "the run was cancelled, and the hook killed");
		hand_kill(hand);
	} else {
		kill(hand->pid, SIGCONT);
	}
}

static void crew_look_after(Crew *crew, Hand *hand)
{
	siginfo_t info = { 0 };

	while (waitid(P_PID, (id_t)hand->pid, &info, WEXITED | WSTOPPED | WNOHANG) == 0 && info.si_pid == hand->pid) {
		if (info.si_code == CLD_STOPPED) {
			crew_on_stopped(crew, hand);
			info.si_pid = 0;
			continue;
		}
		if (hand == crew->active)
			crew_end_active(crew, &info);
		else
			crew_end_spare(crew, &info);
		return;
	}
}

void crew_clear(Crew *crew)
{
	pid_t keep[2];
	size_t n = 0;
	int r;

	if (!crew->clearing)
		return;
	if (crew->active)
		keep[n++] = crew->active->pid;
	if (crew->spare)
		keep[n++] = crew->spare->pid;
	r = orphans_clear(keep, n);
	if (r < 0)
		log_error("cannot look for what a worker left behind: %s; trying again", strerror(-r));
	crew->clearing = r != 0;
}

void crew_reap(Crew *crew)
{
	if (crew->active)
		crew_look_after(crew, crew->active);
	if (crew->spare)
		crew_look_after(crew, crew->spare);
	crew_clear(crew);
}
