/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/log.h"
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
	log_line(LOG_CRIT, "the recorder in %s is damaged: %s; the worker is killed, the file kept aside",
		 crew->recorder.directory, what);
	crew->damaged = true;
	if (crew->active)
		hand_kill(crew->active);
}

/* Which of the runs that were with the worker have begun, and what has become of them, cannot be known. Their clients
 * learn that by the end of the connection. */
static void crew_drop_ordered(Crew *crew)
{
	Run *run;

	while ((run = TAILQ_FIRST(&crew->ordered))) {
		TAILQ_REMOVE(&crew->ordered, run, entry);
		crew->n_ordered--;
		log_line(LOG_CRIT, "run %s of %s: its outcome is unknown: the recorder is damaged", run->id_text,
			 run->program->spec->name);
		run_abandon(run);
	}
	crew->current = NULL;
}

static void crew_replace_recorder(Crew *crew)
{
	_cleanup_free_ char *directory = strdup(crew->recorder.directory);
	int r = directory ? recorder_keep_aside(directory, "damaged") : -ENOMEM;

	recorder_done(&crew->recorder);
	if (r >= 0)
		r = crew_open(crew, directory);
	if (r < 0) {
		free(crew->store_problem);
		crew->store_problem = crew_sentence("cannot make a new recorder: %s", strerror(-r));
		log_line(LOG_CRIT, "%s; nothing runs any more until the daemon is started again",
			 crew->store_problem ? crew->store_problem : "out of memory");
	}
	crew->damaged = false;
}

/* What was ordered and not begun goes back. Whether the first of it was what the worker died of cannot be known; a run
 * is not given to worker after worker for ever. */
static void crew_return_unbegun(Crew *crew, bool in_good_order)
{
	_cleanup_error_ Error error = { 0 };
	struct RunList unbegun = TAILQ_HEAD_INITIALIZER(unbegun);
	Run *run, *next;

	for (run = TAILQ_FIRST(&crew->ordered); run; run = next) {
		next = TAILQ_NEXT(run, entry);
		if (run == crew->current)
			continue;
		TAILQ_REMOVE(&crew->ordered, run, entry);
		crew->n_ordered--;
		TAILQ_INSERT_TAIL(&unbegun, run, entry);
	}
	run = TAILQ_FIRST(&unbegun);
	if (run && !in_good_order && !crew->current && ++run->losses >= CREW_LOSSES_MAX) {
		TAILQ_REMOVE(&unbegun, run, entry);
		error_set(&error, ERROR_NO_MODULE, NULL, "%u workers died before the run had begun; nothing ran",
			  run->losses);
		run_refuse(run, &error);
	}
	queue_return(crew->queue, &unbegun);
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
	crew->tired = false;
	crew->clearing = true;
	if (crew->damaged) {
		crew_drop_ordered(crew);
		crew_replace_recorder(crew);
		return;
	}
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
		crew_fail(crew, crew_sentence("module %s: %s before it was ready", crew->module_path, how));
	else if (state == HAND_READY)
		log_warning("a worker has ended before it had anything to do: %s; another takes its place", how);
}

static void set_timeout_cause(Crew *crew)
{
	const RecordPage *page = recorder_page(&crew->recorder);
	const Run *run = crew->current;
	const Plan *plan = run->program->plan;
	CrewCause *cause = &crew->cause;
	uint64_t limit = 0;

	*cause = (CrewCause){ .code = page->deadline_is_program ? ERROR_PROGRAM_TIMEOUT : ERROR_HOOK_TIMEOUT };
	if (page->deadline_is_program) {
		const SpecProgram *program;

		memcpy(cause->program, page->deadline_program, sizeof(cause->program) - 1);
		program = spec_program(crew->catalog->spec, cause->program);
		limit = program ? program->timeout_usec : 0;
		snprintf(cause->message, sizeof(cause->message), "program %s had not ended after %g s", cause->program,
			 (double)limit / USEC_PER_SEC);
	} else {
		if (run->call.op < plan->n_ops && plan->ops[run->call.op].hook)
			limit = plan->ops[run->call.op].hook->timeout_usec;
		snprintf(cause->message, sizeof(cause->message), "had not ended after %g s",
			 (double)limit / USEC_PER_SEC);
	}
}

/* The worker stands still: what the page says holds. */
static bool deadline_has_passed(Crew *crew)
{
	const RecordPage *page = recorder_page(&crew->recorder);
	uint64_t deadline = atomic_load(&page->deadline_usec);

	return crew->current && atomic_load(&page->turn) % 2 == 1 && deadline != 0 && deadline <= clock_monotonic() &&
	       memcmp(page->run, crew->current->id.bytes, sizeof(page->run)) == 0;
}

static void crew_on_stopped(Crew *crew, Hand *hand)
{
	if (hand != crew->active) {
		hand_kill(hand);
		crew_fail(crew, crew_sentence("module %s: its worker stopped itself", crew->module_path));
		return;
	}
	crew_read(crew);
	if (!hand->probed) {
		if (crew->current && crew->cause.code == ERROR_NONE) {
			crew->cause.code = ERROR_HOOK_UNKNOWN;
			snprintf(crew->cause.message, sizeof(crew->cause.message),
				 "the worker was stopped by a signal, and killed");
		}
		hand_kill(hand);
		return;
	}
	hand->probed = false;
	if (deadline_has_passed(crew)) {
		set_timeout_cause(crew);
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

static void crew_clear(Crew *crew)
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

/* The attempt may be ending at this moment: it is stopped first, and looked at. */
static void crew_check_deadline(Crew *crew, uint64_t now_usec)
{
	const RecordPage *page = recorder_page(&crew->recorder);
	uint64_t deadline = atomic_load(&page->deadline_usec);

	if (deadline == 0 || deadline > now_usec || atomic_load(&page->turn) % 2 == 0)
		return;
	if (crew->active->probed || crew->active->state == HAND_KILLED)
		return;
	if (kill(crew->active->pid, SIGSTOP) == 0)
		crew->active->probed = true;
}

static void crew_check_hand(Crew *crew, Hand *hand, uint64_t now_usec)
{
	uint64_t limit = crew->config->module_timeout;

	if (now_usec - hand->state_since_usec <= limit)
		return;
	if (hand->state == HAND_STARTING) {
		hand_kill(hand);
		crew_fail(crew, crew_sentence("module %s: was not ready after %g s (ModuleTimeout=)", crew->module_path,
					      (double)limit / USEC_PER_SEC));
	} else if (hand->state == HAND_LEAVING) {
		log_warning("worker %d: had not ended after %g s (ModuleTimeout=); it is killed", (int)hand->pid,
			    (double)limit / USEC_PER_SEC);
		hand_kill(hand);
	}
}

void crew_tick(Crew *crew, uint64_t now_usec)
{
	if (crew->active && crew->recorder.fd >= 0) {
		if (atomic_load(&recorder_page(&crew->recorder)->state) == RECORD_LEAVING &&
		    crew->active->state == HAND_READY)
			hand_expect_end(crew->active);
		crew_check_deadline(crew, now_usec);
		crew_check_hand(crew, crew->active, now_usec);
	}
	if (crew->spare)
		crew_check_hand(crew, crew->spare, now_usec);
	crew_clear(crew);
}
