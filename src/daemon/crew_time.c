/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/crew_private.h"

void crew_set_timeout_cause(Crew *crew)
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
		program = spec_program(run->catalog->spec, cause->program);
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
bool crew_deadline_has_passed(const Crew *crew)
{
	const RecordPage *page = recorder_page(&crew->recorder);
	uint64_t deadline = atomic_load(&page->deadline_usec);

	return crew->current && atomic_load(&page->turn) % 2 == 1 && deadline != 0 && deadline <= clock_monotonic() &&
	       memcmp(page->run, crew->current->id.bytes, sizeof(page->run)) == 0;
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
	uint64_t limit = crew->setup.config->module_timeout;

	if (now_usec - hand->state_since_usec <= limit)
		return;
	if (hand->state == HAND_STARTING) {
		hand_kill(hand);
		crew_fail(crew, crew_sentence("module %s: was not ready after %g s (ModuleTimeout=)",
					      crew_spare_path(crew), (double)limit / USEC_PER_SEC));
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
	crew_check_turns(crew, now_usec);
	crew_clear(crew);
	crew_look(crew);
}
