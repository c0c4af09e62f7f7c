/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/crew_private.h"
#include "daemon/follow.h"

/* Runs are begun in the order in which they were ordered: what begins, or will never begin, is the first. */
static Run *crew_expected(Crew *crew, const Id *id)
{
	Run *run = TAILQ_FIRST(&crew->ordered);

	return run && id_equal(&run->id, id) ? run : NULL;
}

static int on_start(Crew *crew, const Record *record, size_t offset)
{
	RecordStart start;
	Run *run;

	if (crew->current || record_decode_start(record, &start) < 0)
		return -EBADMSG;
	run = crew_expected(crew, &start.run);
	if (!run)
		return -EBADMSG;
	if (crew->active)
		hand_end_line(crew->active);
	run->state = RUN_BEGUN;
	run_waits_no_more(run);
	run->begun_usec = start.begun_usec;
	run->begun_realtime_usec = start.begun_realtime_usec;
	run->offset = offset;
	crew->current = run;
	if (!run->replaying)
		trace_begun(crew->setup.trace, run);
	return 0;
}

static int on_begin(Crew *crew, const Record *record, size_t offset)
{
	RecordBegin begin;

	(void)offset;
	if (!crew->current || record_decode_begin(record, &begin) < 0)
		return -EBADMSG;
	crew->current->call = (RunCall){
		.op = begin.op,
		.step = begin.step,
		.attempt = begin.attempt,
		.rectifying = begin.rectifying,
		.in_hand = true,
		.since_usec = begin.usec,
		.worker = crew->active ? crew->active->pid : 0,
	};
	return 0;
}

static bool end_is_irreversible(const Run *run, const RecordEnd *end)
{
	const Plan *plan = run->program->plan;

	return end->outcome == OUTCOME_OK && !end->rectifying && end->step >= 1 && end->step <= plan->n_steps &&
	       plan->steps[end->step - 1].irreversible;
}

/* A check that did not pass has no beginning. */
static void count_call(const Run *run, const RecordEnd *end, bool called)
{
	const Plan *plan = run->program->plan;
	const SpecHook *hook = end->op < plan->n_ops ? plan->ops[end->op].hook : NULL;
	uint64_t since = run->call.since_usec;

	if (hook)
		metrics_called(catalog_tally(run->catalog, hook), end->rectifying ? METRICS_RECTIFIER : METRICS_HOOK,
			       end->outcome, called && end->usec > since ? end->usec - since : 0);
}

static int on_end(Crew *crew, const Record *record, size_t offset)
{
	Run *run = crew->current;
	RecordEnd end;
	bool called;

	(void)offset;
	if (!run || record_decode_end(record, &end) < 0 || end.outcome >= OUTCOME_KIND_MAX)
		return -EBADMSG;
	/* a line without newline is the hook's that has ended */
	if (crew->active && !run->replaying)
		hand_end_line(crew->active);
	called = run->call.in_hand;
	run->call.in_hand = false;
	if (end_is_irreversible(run, &end))
		run->irreversible = true;
	if (run->replaying)
		return 0;
	trace_call(crew->setup.trace, run, &end);
	count_call(run, &end, called);
	if (end.error == ERROR_CANCELLED)
		crew_cancels_end(crew, &run->id, 0, true);
	/* an attempt that died with its worker says nothing against the one that took the run up */
	if (end.outcome == OUTCOME_UNKNOWN && crew->active && run->call.worker == crew->active->pid)
		crew_tire(crew);
	return 0;
}

static int on_stop(Crew *crew, const Record *record, size_t offset)
{
	RecordStop stop;

	(void)offset;
	if (!crew->current || record_decode_stop(record, &stop) < 0)
		return -EBADMSG;
	if (!crew->current->replaying && stop.cause == ERROR_CANCELLED)
		crew_cancels_end(crew, &crew->current->id, 0, true);
	return 0;
}

static int on_finish(Crew *crew, const Record *record, size_t offset)
{
	RecordFinish finish;
	Run *run = crew->current;

	if (!run || record_decode_finish(record, &finish) < 0 || finish.status >= WALK_STATUS_MAX ||
	    !id_equal(&finish.run, &run->id))
		return -EBADMSG;
	if (run->replaying)
		return 0;
	crew_pace(crew, finish.usec - run->begun_usec);
	if (!TAILQ_EMPTY(&crew->cancels))
		crew_cancels_end(crew, &run->id, -EALREADY, true);
	if (crew->resumed_at != 0)
		crew->setup.events.on_resumed(run, crew->setup.events.context);
	outcomes_add(crew->setup.outcomes, crew_remove(crew, run), &finish, offset + record->size);
	return 0;
}

/* A run that an operator decided about: what was read of it so far is old. */
static int on_decision(Crew *crew, const Record *record, size_t offset)
{
	Run *run = crew->current;
	RecordDecision decision;

	if (!run || record_decode_decision(record, &decision) < 0)
		return -EBADMSG;
	if (!run->replaying)
		return -EBADMSG;
	if (decision.usec != run->decided_usec)
		return 0; /* an earlier one, which is among the old records */
	run->replaying = false;
	crew->resumed_at = offset + record->size;
	trace_begun(crew->setup.trace, run);
	return 0;
}

static int on_unbegun(Crew *crew, const Record *record, size_t offset)
{
	RecordUnbegun unbegun;
	Run *run;

	(void)offset;
	if (crew->current || record_decode_unbegun(record, &unbegun) < 0)
		return -EBADMSG;
	run = crew_expected(crew, &unbegun.run);
	if (!run)
		return -EBADMSG;
	crew_remove(crew, run);
	if (run->taken_up) {
		crew->setup.events.on_unfit(run, crew->setup.events.context);
		return 0;
	}
	crew_refuse_unbegun(crew, run, unbegun.cause);
	return 0;
}

static int on_inner(Crew *crew, const Record *record, size_t offset)
{
	(void)record;
	(void)offset;
	return crew->current ? 0 : -EBADMSG;
}

static int (*const handlers[RECORD_KIND_MAX])(Crew *crew, const Record *record, size_t offset) = {
	[RECORD_START] = on_start,      [RECORD_BEGIN] = on_begin,    [RECORD_NOTE] = on_inner,
	[RECORD_END] = on_end,          [RECORD_STOP] = on_stop,      [RECORD_FINISH] = on_finish,
	[RECORD_UNBEGUN] = on_unbegun,  [RECORD_RETRY] = on_decision, [RECORD_SKIP] = on_decision,
	[RECORD_CONFIRM] = on_decision, [RECORD_PARK] = on_inner,     [RECORD_TAKEN] = on_inner,
};

void crew_read_records(Crew *crew)
{
	size_t offset;
	Record record;
	int r;

	while (!crew->damaged && !crew->spoilt && (r = recorder_read(&crew->recorder, &record, &offset)) != 0) {
		if (r > 0)
			r = handlers[record.kind] ? handlers[record.kind](crew, &record, offset) : -EBADMSG;
		if (r < 0) {
			crew_damage(crew, "its records are not what a worker writes");
			return;
		}
		crew->barren = false;
		crew->failures = 0;
	}
}

/* Whether nobody writes: the worker waits for a new recorder, or for an order, or is dead. */
static bool crew_is_still(const Crew *crew, uint32_t state)
{
	return !crew->active || state == RECORD_FULL || crew->n_ordered == 0;
}

/* A worker that was stopped for good, or is dead, has nothing in hand: its END comes from whoever takes the run up. */
static void crew_tell_hand(Crew *crew)
{
	Run *run = crew->current;

	if (run && run->call.in_hand && !run->call.told && !run->replaying && crew->active && run_followed(run))
		follow_hand(run, clock_monotonic());
}

void crew_read(Crew *crew)
{
	RecordPage *page = recorder_page(&crew->recorder);
	uint32_t state;

	crew_read_records(crew);
	crew_tell_hand(crew);
	if (crew->damaged || crew->recorder.renewing)
		return;
	if (crew->recycle_wanted && atomic_load(&page->tail) > crew->recorder.begin) {
		crew->recycle_wanted = false;
		recorder_recycle(&crew->recorder);
	}
	state = atomic_load_explicit(&page->state, memory_order_acquire);
	if (crew->active && state == RECORD_FULL && atomic_load(&page->failed) != 0)
		crew_on_synced(-(int)atomic_load(&page->failed), crew);
	if (!(crew->active && state == RECORD_FULL) && !crew->renew_wanted)
		return;
	if (!crew_is_still(crew, state))
		return;
	crew_read_records(crew); /* up to where the worker stands */
	if (!crew->damaged)
		crew_renew(crew, crew->active && state == RECORD_FULL ? atomic_load(&page->wanted) : 0);
}
