/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "tell/result.h"
#include "tests/sim.h"

#define BEATS_MAX 3000000U /* microseconds that a call may take beyond what it says */

static bool is_late(const Sim *sim, const WalkAction *action)
{
	return action->deadline_usec != 0 && action->deadline_usec <= sim->now_usec;
}

void sim_worker_done(Sim *sim)
{
	replay_done(&sim->replay);
	sim->current = NULL;
	sim->resumed = false;
}

/* A record of the run in hand; its content is in sim->content. */
static SimFate record(Sim *sim, RecordKind kind)
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

static SimFate sync_all(Sim *sim)
{
	RecordPage *page = record_page(&sim->file->live);
	SimFate fate;

	if (!sim_durable(sim->current) || atomic_load(&page->synced) >= sim_file_tail(sim->file))
		return SIM_FINE;
	fate = sim_point(sim, "before a sync");
	if (fate != SIM_FINE)
		return fate;
	if (sim_file_sync(sim, sim->file) < 0)
		return sim_daemon_renew(sim, sim->reserve);
	atomic_store(&page->synced, sim_file_tail(sim->file));
	return sim_point(sim, "after a sync");
}

static SimFate record_end(Sim *sim, RecordEnd *end)
{
	bool texts = !end->rectifying || record_room(&sim->file->live) >= sim->reserve;

	end->reason_size = texts ? end->reason_size : 0;
	end->message_size = texts ? end->message_size : 0;
	sim_tell(sim, "END %u#%u %s %s", end->op, end->attempt, outcome_name(end->outcome),
		 end->error ? error_name(end->error) : "");
	buffer_clear(&sim->content);
	record_encode_end(end, &sim->content);
	return record(sim, RECORD_END);
}

/* Calls */

static SimFate begin(Sim *sim, const WalkAction *action)
{
	const RecordBegin content = {
		.op = action->op,
		.step = action->step,
		.attempt = action->attempt,
		.rectifying = action->rectifying,
		.in_doubt = action->in_doubt,
		.usec = sim->now_usec,
	};
	SimFate fate;

	sim_tell(sim, "BEGIN %u%s%s#%u (step %u, %s)", action->op, action->rectifying ? "-" : "",
		 action->in_doubt ? "?" : "", action->attempt, action->step, sim->plan->ops[action->op].hook->name);
	sim->current->world.calls[action->op].begun = true;
	buffer_clear(&sim->content);
	record_encode_begin(&content, &sim->content);
	fate = record(sim, RECORD_BEGIN);
	if (fate != SIM_FINE || !record_begin_synced(sim->plan, action))
		return fate;
	return sync_all(sim);
}

static SimFate note(Sim *sim, const WalkAction *action)
{
	uint64_t value = dice_roll(&sim->dice) | 1;
	const RecordNote content = {
		.step = action->step,
		.key = "n",
		.key_size = 1,
		.data = &value,
		.data_size = sizeof(value),
	};
	SimFate fate;

	if (action->rectifying || !sim_chance(sim, 150) ||
	    sim->replay.notes.size + record_note_size(1, sizeof(value)) > sim->caps.notes)
		return SIM_FINE;
	sim_tell(sim, "NOTE");
	sim->current->world.maybe[action->step - 1] = value;
	buffer_clear(&sim->content);
	record_encode_note(&content, &sim->content);
	fate = record(sim, RECORD_NOTE);
	if (fate == SIM_FINE)
		fate = sync_all(sim);
	if (fate != SIM_FINE)
		return fate;
	if (notes_add(&sim->replay.notes, &content) < 0)
		abort();
	sim->current->world.notes[action->step - 1] = value;
	sim->tally->notes++;
	return SIM_FINE;
}

/* What the hook says, judged; its writes are in \p writes. */
static Outcome judged(Sim *sim, const WalkAction *action, const OracleOutcome *said, PoolWrite *writes, char *message,
		      size_t message_size)
{
	Outcome outcome = {
		.kind = said->kind,
		.error = said->error,
		.reason = said->reason,
		.program = said->program,
		.writes = writes,
		.n_writes = said->n_writes,
	};

	for (size_t i = 0; i < said->n_writes; i++) {
		const char *key = plan_resolve(&sim->plan->ops[action->op], said->writes[i].name);

		sim_must(sim, pool_intern(walk_pool(sim->replay.walk), key, &writes[i].key) == 0, "no key %s", key);
		writes[i].value = *said->writes[i].value;
	}
	walk_judge(sim->replay.walk, &outcome, message, message_size);
	return outcome;
}

static SimFate end(Sim *sim, const WalkAction *action, const Outcome *outcome)
{
	_cleanup_buffer_ Buffer writes = { 0 };
	RecordEnd content = {
		.op = action->op,
		.step = action->step,
		.attempt = action->attempt,
		.rectifying = action->rectifying,
		.outcome = outcome->kind,
		.error = outcome->error,
		.usec = sim->now_usec,
		.reason = outcome->reason,
		.reason_size = outcome->reason ? strlen(outcome->reason) : 0,
		.message = outcome->message,
		.message_size = outcome->message ? strlen(outcome->message) : 0,
	};
	SimFate fate;

	pool_encode_writes(walk_pool(sim->replay.walk), outcome->writes, outcome->n_writes, &writes);
	content.writes = writes.data;
	content.writes_size = writes.size;
	if (action->rectifying)
		sim->replay.rectified += writes.size;
	fate = record_end(sim, &content);
	if (fate != SIM_FINE)
		return fate;
	sim_must(sim, walk_ended(sim->replay.walk, outcome) == 0, "the walk does not take an end");
	sim->replay.now_usec = sim->now_usec;
	return SIM_FINE;
}

/* What a hook did not live to say. */
static bool dies(Sim *sim, const WalkAction *action, const OracleOutcome *said)
{
	sim->cause = said->error;
	sim->cause_program = said->program;
	if (is_late(sim, action) && sim_chance(sim, 700)) {
		const SpecProgram *program = action->deadline_program;

		sim->cause = program ? ERROR_PROGRAM_TIMEOUT : ERROR_HOOK_TIMEOUT;
		sim->cause_program = program ? program->name : NULL;
		sim->tally->late++;
		return true;
	}
	return said->kind == OUTCOME_UNKNOWN && (said->error != ERROR_HOOK_UNKNOWN || sim_chance(sim, 500));
}

static SimFate call(Sim *sim, const WalkAction *action)
{
	OracleOutcome said;
	PoolWrite writes[ORACLE_WRITES_MAX];
	char message[256];
	Outcome outcome;
	bool acts, dying;
	SimFate fate;

	sim_world_call(sim, sim->current, action);
	oracle_outcome(&sim->current->oracle, sim->current->n_calls++, sim->plan->ops[action->op].hook, &said);
	if (action->rectifying && sim->replay.rectified + 64 * said.n_writes > sim->caps.rectified)
		said.n_writes = 0;
	outcome = judged(sim, action, &said, writes, message, sizeof(message));
	fate = note(sim, action);
	if (fate == SIM_FINE)
		fate = sim_point(sim, "in a call, before its effect");
	if (fate != SIM_FINE)
		return fate;
	sim->now_usec += said.usec + (sim_chance(sim, 100) ? sim_below(sim, BEATS_MAX) : 0);
	dying = dies(sim, action, &said);
	acts = outcome.kind == OUTCOME_OK || ((dying || outcome.kind == OUTCOME_UNKNOWN) && sim_chance(sim, 500));
	if (dying && outcome.kind == OUTCOME_OK)
		acts = sim_chance(sim, 500);
	if (acts)
		sim_world_act(sim, sim->current, action);
	fate = sim_point(sim, "in a call, after its effect");
	if (fate != SIM_FINE)
		return fate;
	if (dying) {
		sim_tell(sim, "the hook dies");
		return SIM_WORKER_DIES;
	}
	sim_world_end(sim->current, action, outcome.kind);
	return end(sim, action, &outcome);
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
	return record(sim, RECORD_STOP);
}

/* Rule 38: whatever took the run up, its timeouts have all their time before them. */
static void check_time(Sim *sim, const WalkAction *action)
{
	if (!action->deadline_program || !sim->resumed)
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
	if (action->deadline_program && is_late(sim, action))
		fate = stop(sim, ERROR_PROGRAM_TIMEOUT, action->deadline_program->name, &stopped);
	else if (sim_chance(sim, sim->cancel))
		fate = stop(sim, ERROR_CANCELLED, NULL, &stopped);
	if (fate != SIM_FINE || stopped)
		return fate;
	if (action->kind == WALK_WAIT) {
		sim->now_usec += sim_below(sim, action->wait_usec + 1);
		return sim_point(sim, "in a wait");
	}
	fate = begin(sim, action);
	return fate == SIM_FINE ? call(sim, action) : fate;
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
	fate = record(sim, RECORD_FINISH);
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
		sim->resumed = false;
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
	fate = record(sim, RECORD_START);
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
		fate = record(sim, found.kind);
	}
	if (fate != SIM_FINE)
		return fate;
	buffer_clear(&sim->content);
	record_encode_decision(&run->decision, &sim->content);
	return record(sim, run->verb);
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
		fate = sync_all(sim);
	sim->resumed = true;
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

/* The attempt that was in hand, then the wish to stop. */
static SimFate settle(Sim *sim, ErrorCode wish)
{
	const ReplayCause cause = { .code = sim->cause, .program = sim->cause_program, .message = "it is gone" };
	SimFate fate = SIM_FINE;
	RecordEnd content;
	bool stopped;
	int r;

	if (sim->replay.begun) {
		r = replay_break(&sim->replay, &cause, sim->now_usec, &content);
		sim_must(sim, r == 0, "replay_break() gives %d", r);
		fate = record_end(sim, &content);
	}
	return fate != SIM_FINE || wish == ERROR_NONE ? fate : stop(sim, wish, NULL, &stopped);
}

SimFate sim_worker_resume(Sim *sim, SimRun *run, ErrorCode wish)
{
	SimFate fate;

	sim_tell(sim, "RESUME %u%s", sim_number(sim, run), wish != ERROR_NONE ? ", to be stopped" : "");
	sim_worker_done(sim);
	sim->current = run;
	replay_file(sim, run);
	if (sim->replay.finished) {
		sim_worker_done(sim);
		return SIM_FINE;
	}
	fate = settle(sim, wish);
	return fate == SIM_FINE ? go_on(sim) : fate;
}
