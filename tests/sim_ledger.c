/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "tests/sim.h"

#define VERBS_MAX 4U

bool sim_ledger_wants(const SimRun *run)
{
	if (run->ledger == LEDGER_ENDED || run->ledger == LEDGER_PARKED)
		return false;
	return run->status == WALK_PARKED || run->ledger != LEDGER_NONE || (run->flags & RECORD_FLAG_PROMISED) != 0;
}

SimFate sim_ledger_store(Sim *sim, SimRun *run, const Buffer *records)
{
	SimFate fate = sim_point(sim, "before an outcome is committed");

	if (fate != SIM_FINE)
		return fate;
	sim_tell(sim, "COMMIT %u %s", sim_number(sim, run), walk_status_name(run->status));
	run->ledger = run->status == WALK_PARKED ? LEDGER_PARKED : LEDGER_ENDED;
	buffer_clear(&run->reply);
	buffer_append(&run->reply, run->said.data, run->said.size);
	buffer_clear(&run->records);
	buffer_append(&run->records, records->data, records->size);
	run->finished = false;
	return sim_point(sim, "after an outcome is committed");
}

SimFate sim_ledger_resume(Sim *sim, SimRun *run)
{
	SimFate fate = sim_point(sim, "before a resumption is committed");

	if (fate != SIM_FINE)
		return fate;
	sim_tell(sim, "COMMIT %u resumed", sim_number(sim, run));
	run->ledger = LEDGER_RESUMED;
	return sim_point(sim, "after a resumption is committed");
}

static int try_verb(Sim *sim, const SimRun *run, RecordKind verb, RecordDecision *decision)
{
	_cleanup_replay_ Replay replay = { 0 };
	_cleanup_buffer_ Buffer content = { 0 };
	Record record = { .kind = verb };
	WalkError parked;
	int r;

	r = replay_packed(&replay, sim->plan, run->records.data, run->records.size);
	sim_must(sim, r == 0, "what the ledger holds of run %u does not replay: %d", sim_number(sim, run), r);
	walk_parked(replay.walk, &parked);
	decision->step = parked.step;
	record_encode_decision(decision, &content);
	record.content = content.data;
	record.content_size = content.size;
	return replay_feed(&replay, &record);
}

static RecordKind choose(Sim *sim, const SimRun *run, RecordDecision *decision)
{
	static const RecordKind verbs[] = { RECORD_RETRY, RECORD_SKIP, RECORD_CONFIRM };
	RecordKind verb = verbs[sim_below(sim, ELEMENTSOF(verbs))];

	if (try_verb(sim, run, verb, decision) == 0)
		return verb;
	sim_must(sim, try_verb(sim, run, RECORD_RETRY, decision) == 0, "run %u is parked, and cannot be retried",
		 sim_number(sim, run));
	return RECORD_RETRY;
}

static SimFate decide(Sim *sim, SimRun *run)
{
	RecordDecision decision = { .usec = ++sim->wall_usec, .reason = "so", .reason_size = 2 };
	RecordKind verb = choose(sim, run, &decision);
	bool by_hand = verb == RECORD_SKIP && sim_chance(sim, 400);
	SimFate fate = sim_point(sim, "before a decision is committed");

	if (fate != SIM_FINE)
		return fate;
	sim_tell(sim, "COMMIT %u verb %u at step %u%s", sim_number(sim, run), verb, decision.step,
		 by_hand ? ", by hand" : "");
	run->ledger = LEDGER_DECIDED;
	run->decision_read = false;
	if (by_hand)
		decision.flags |= RECORD_DECISION_UNDONE_BY_HAND;
	run->verb = verb;
	run->decision = decision;
	run->decided = sim->boot;
	run->n_verbs++;
	run->answered = false;
	sim_world_decide(sim, run, verb, decision.step, by_hand);
	sim->tally->verbs++;
	return sim_point(sim, "after a decision is committed");
}

SimFate sim_ledger_decide(Sim *sim, bool *ret_decided)
{
	SimFate fate = SIM_FINE;

	*ret_decided = false;
	sim->daemon_acts = true;
	for (size_t i = 0; i < sim->n_runs && fate == SIM_FINE; i++) {
		SimRun *run = &sim->runs[i];

		if (run->ledger != LEDGER_PARKED || run->n_verbs >= VERBS_MAX || !sim_chance(sim, 800))
			continue;
		*ret_decided = true;
		fate = decide(sim, run);
	}
	sim->daemon_acts = false;
	return fate;
}
