/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "tests/sim.h"

#define BEATS_MAX 3000000U /* microseconds that a call may take beyond what it says */

bool sim_is_late(const Sim *sim, const WalkAction *action)
{
	return action->deadline_usec != 0 && action->deadline_usec <= sim->now_usec;
}

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
	fate = sim_worker_record(sim, RECORD_BEGIN);
	if (fate != SIM_FINE || !record_begin_synced(sim->plan, action))
		return fate;
	return sim_worker_sync(sim);
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
	sim_world_note(sim->current, action->step, value);
	buffer_clear(&sim->content);
	record_encode_note(&content, &sim->content);
	fate = sim_worker_record(sim, RECORD_NOTE);
	if (fate == SIM_FINE)
		fate = sim_worker_sync(sim);
	if (fate != SIM_FINE)
		return fate;
	if (notes_add(&sim->replay.notes, &content) < 0)
		abort();
	sim_world_noted(sim->current, action->step, value);
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
	fate = sim_worker_record_end(sim, &content);
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
	if (sim_is_late(sim, action) && sim_chance(sim, 700)) {
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

SimFate sim_call(Sim *sim, const WalkAction *action)
{
	SimFate fate = begin(sim, action);

	return fate == SIM_FINE ? call(sim, action) : fate;
}
