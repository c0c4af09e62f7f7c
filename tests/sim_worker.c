/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "tell/result.h"
#include "tests/sim.h"

void sim_worker_done(Sim *sim)
{
	replay_done(&sim->replay);
	sim->current = NULL;
	sim->taken = false;
}

SimFate sim_worker_record(Sim *sim, RecordKind kind)
{
	size_t before = sim_file_tail(sim->file);
	SimFate fate = sim_point(sim, "before a record");

	if (fate != SIM_FINE)
		return fate;
	before = sim_file_tail(sim->file);
	sim_file_append(sim, sim->file, kind, sim->content.data, sim->content.size);
	fate = sim_dies(sim, "in a record");
	if (fate != SIM_FINE) {
		sim_file_tear(sim, sim->file, before);
		return fate;
	}
	sim->replay.n_records++;
	return sim_point(sim, "after a record");
}

SimFate sim_worker_sync(Sim *sim)
{
	RecordPage *page = record_page(&sim->file->live);
	SimFate fate;

	if (!sim_durable(sim->current) || atomic_load(&page->synced) >= sim_file_tail(sim->file))
		return SIM_FINE;
	fate = sim_point(sim, "before a sync");
	if (fate != SIM_FINE)
		return fate;
	/* Where a sync of the daemon's has failed, one here may succeed and mean nothing. */
	if (sim->renew_wanted || sim_file_sync(sim, sim->file, 1) < 0)
		return sim_daemon_renew(sim, sim->reserve);
	atomic_store(&page->synced, sim_file_tail(sim->file));
	return sim_point(sim, "after a sync");
}

SimFate sim_worker_record_end(Sim *sim, RecordEnd *end)
{
	bool texts = !end->rectifying || record_room(&sim->file->live) >= sim->reserve;

	end->reason_size = texts ? end->reason_size : 0;
	end->message_size = texts ? end->message_size : 0;
	sim_tell(sim, "END %u#%u %s %s", end->op, end->attempt, outcome_name(end->outcome),
		 end->error ? error_name(end->error) : "");
	buffer_clear(&sim->content);
	record_encode_end(end, &sim->content);
	return sim_worker_record(sim, RECORD_END);
}

/* Between calls */

/* 1: it was stopped. */
static SimFate stop(Sim *sim, ErrorCode cause, const char *program, bool *ret_stopped)
{
	const RecordStop content = {
		.cause = cause,
		.program = program,
		.program_size = program ? strlen(program) : 0,
	};
	int r = walk_stop(sim->replay.walk, cause, program, NULL);

	*ret_stopped = false;
	if (r == -EALREADY || r == -EPERM)
		return SIM_FINE;
	sim_must(sim, r == 0, "walk_stop() gives %d", r);
	sim_tell(sim, "STOP %s", error_name(cause));
	sim->tally->stops++;
	*ret_stopped = true;
	buffer_clear(&sim->content);
	record_encode_stop(&content, &sim->content);
	return sim_worker_record(sim, RECORD_STOP);
}

/* Rule 38: whatever took the run up, its timeouts have all their time before them. */
static void check_time(Sim *sim, const WalkAction *action)
{
	if (!action->deadline_program || !sim->taken)
		return;
	sim_must(sim, action->deadline_usec > sim->now_usec,
		 "it is taken up, and the time of %s was over %ju microseconds ago", action->deadline_program->name,
		 (uintmax_t)(sim->now_usec - action->deadline_usec));
	sim_must(sim, action->deadline_usec - sim->now_usec <= 21 * USEC_PER_SEC,
		 "it is taken up, and %s has %ju microseconds", action->deadline_program->name,
		 (uintmax_t)(action->deadline_usec - sim->now_usec));
}

static SimFate act(Sim *sim, const WalkAction *action)
{
	bool stopped = false;
	SimFate fate = SIM_FINE;

	if (sim->renew_wanted || (!action->rectifying && record_room(&sim->file->live) < sim->reserve))
		fate = sim_daemon_renew(sim, sim->reserve);
	if (fate != SIM_FINE)
		return fate;
	if (action->deadline_program && sim_is_late(sim, action))
		fate = stop(sim, ERROR_PROGRAM_TIMEOUT, action->deadline_program->name, &stopped);
	else if (sim_chance(sim, sim->cancel))
		fate = stop(sim, ERROR_CANCELLED, NULL, &stopped);
	if (fate != SIM_FINE || stopped)
		return fate;
	if (action->kind == WALK_WAIT) {
		sim->now_usec += sim_below(sim, action->wait_usec + 1);
		return sim_point(sim, "in a wait");
	}
	return sim_call(sim, action);
}

static SimFate finish(Sim *sim)
{
	_cleanup_buffer_ Buffer reply = { 0 };
	RecordFinish content = {
		.run = sim->current->id,
		.status = walk_status(sim->replay.walk),
		.usec = sim->now_usec,
		.n_records = sim->replay.n_records + 1,
	};
	WalkError error;
	SimFate fate;

	sim_must(sim, result_write(sim->replay.walk, sim->plan, &reply, &error) == 0, "no result");
	content.error = error.code;
	content.error_step = error.step;
	content.reply = (const char *)reply.data;
	content.reply_size = reply.size;
	sim_tell(sim, "FINISH %u: %.*s", sim_number(sim, sim->current), (int)reply.size, (const char *)reply.data);
	buffer_clear(&sim->content);
	record_encode_finish(&content, &sim->content);
	fate = sim_worker_record(sim, RECORD_FINISH);
	if (fate == SIM_FINE)
		sim_worker_done(sim);
	return fate;
}

static SimFate go_on(Sim *sim)
{
	SimFate fate = SIM_FINE;
	WalkAction action;

	while (fate == SIM_FINE) {
		int r = walk_next(sim->replay.walk, sim->now_usec, &action);

		sim_must(sim, r == 0, "walk_next() gives %d", r);
		if (action.kind == WALK_END)
			return finish(sim);
		check_time(sim, &action);
		sim->taken = false;
		fate = act(sim, &action);
	}
	return fate;
}

/* Orders */

static RecordStart start_of(Sim *sim, const SimRun *run)
{
	const SpecProgram *program = sim->plan->program;

	return (RecordStart){
		.run = run->id,
		.flags = run->flags,
		.begun_usec = sim->now_usec,
		.begun_realtime_usec = sim->wall_usec,
		.program = program->name,
		.program_size = strlen(program->name),
		.arguments = run->arguments.data,
		.arguments_size = run->arguments.size,
	};
}

static SimFate make_room(Sim *sim, size_t wanted)
{
	if (record_room(&sim->file->live) >= wanted && !sim->renew_wanted)
		return SIM_FINE;
	return sim_daemon_renew(sim, wanted);
}

SimFate sim_worker_order(Sim *sim, SimRun *run)
{
	RecordStart start = start_of(sim, run);
	SimFate fate;

	buffer_clear(&sim->content);
	record_encode_start(&start, &sim->content);
	fate = make_room(sim, record_size(sim->content.size) + sim->reserve);
	if (fate != SIM_FINE)
		return fate;
	sim_must(sim, replay_init(&sim->replay, sim->plan, &start) == 0, "a run cannot begin");
	sim->current = run;
	sim_tell(sim, "START %u%s", sim_number(sim, run), sim_durable(run) ? "" : " (process)");
	buffer_clear(&sim->content);
	record_encode_start(&start, &sim->content);
	fate = sim_worker_record(sim, RECORD_START);
	return fate == SIM_FINE ? go_on(sim) : fate;
}

static void decide(Sim *sim, const SimRun *run, Buffer *content)
{
	Record decision = { .kind = run->verb };
	int r;

	buffer_clear(content);
	record_encode_decision(&run->decision, content);
	decision.content = content->data;
	decision.content_size = content->size;
	r = replay_packed(&sim->replay, sim->plan, run->records.data, run->records.size);
	sim_must(sim, r == 0, "what the ledger holds of a parked run does not replay: %d", r);
	r = replay_feed(&sim->replay, &decision);
	sim_must(sim, r == 0, "a decision that was taken cannot be: %d", r);
}

static SimFate write_records(Sim *sim, const SimRun *run)
{
	SimFate fate = SIM_FINE;
	size_t offset = 0;
	Record found;

	while (fate == SIM_FINE && record_unpack(run->records.data, run->records.size, &offset, &found) > 0) {
		buffer_clear(&sim->content);
		buffer_append(&sim->content, found.content, found.content_size);
		fate = sim_worker_record(sim, found.kind);
	}
	if (fate != SIM_FINE)
		return fate;
	buffer_clear(&sim->content);
	record_encode_decision(&run->decision, &sim->content);
	return sim_worker_record(sim, run->verb);
}

SimFate sim_worker_unpark(Sim *sim, SimRun *run)
{
	size_t wanted = sim->reserve + run->records.size * 5;
	_cleanup_buffer_ Buffer decision = { 0 };
	SimFate fate;

	fate = make_room(sim, wanted);
	if (fate != SIM_FINE)
		return fate;
	sim_tell(sim, "UNPARK %u", sim_number(sim, run));
	decide(sim, run, &decision);
	sim->current = run;
	fate = write_records(sim, run);
	if (fate == SIM_FINE)
		fate = sim_worker_sync(sim);
	sim->taken = true;
	return fate == SIM_FINE ? go_on(sim) : fate;
}

static void replay_file(Sim *sim, const SimRun *run)
{
	_cleanup_buffer_ Buffer packed = { 0 };
	int r;

	sim_file_pack(sim, sim->file, run->offset, sim_file_tail(sim->file), &packed);
	r = replay_packed(&sim->replay, sim->plan, packed.data, packed.size);
	sim_must(sim, r == 0, "what was recorded of run %u does not replay: %d", sim_number(sim, run), r);
}

/* The attempt that was in hand. */
static SimFate settle(Sim *sim)
{
	const ReplayCause cause = { .code = sim->cause, .program = sim->cause_program, .message = "it is gone" };
	RecordEnd content;
	int r;

	if (!sim->replay.begun)
		return SIM_FINE;
	r = replay_break(&sim->replay, &cause, sim->now_usec, &content);
	sim_must(sim, r == 0, "replay_break() gives %d", r);
	return sim_worker_record_end(sim, &content);
}

SimFate sim_worker_resume(Sim *sim, SimRun *run, bool taken)
{
	SimFate fate;

	sim_tell(sim, "RESUME %u", sim_number(sim, run));
	sim_worker_done(sim);
	sim->current = run;
	replay_file(sim, run);
	if (sim->replay.finished) {
		sim_worker_done(sim);
		return SIM_FINE;
	}
	sim->taken = taken;
	fate = settle(sim);
	/* Nothing is called before a decision that lets it go on is on the disk. */
	if (fate == SIM_FINE && sim->replay.decided_usec != 0)
		fate = sim_worker_sync(sim);
	return fate == SIM_FINE ? go_on(sim) : fate;
}
