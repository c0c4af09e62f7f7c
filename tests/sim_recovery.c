/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "tell/park.h"
#include "tests/sim.h"

/* What a recovery comes to. */
typedef struct Recovery {
	Sim *sim;
	Recovered found;
	SimRun *run; /* the unfinished one that goes on; NULL */
	Buffer kept; /* its records, TAKEN behind them */
	bool known[SIM_RUNS_MAX];
} Recovery;

static void recovery_done(Recovery *recovery)
{
	recovered_done(&recovery->found);
	buffer_done(&recovery->kept);
}

/* Runs of durability `process` that are under way may lose what they did. */
static void lose_power(Sim *sim)
{
	sim_file_lose_power(sim, sim->file);
	sim->boot.bytes[0]++;
	sim->now_usec = USEC_PER_SEC + sim_below(sim, 4000 * USEC_PER_SEC);
	for (size_t i = 0; i < sim->n_runs; i++) {
		SimRun *run = &sim->runs[i];

		if (!sim_durable(run) && run->ledger != LEDGER_PARKED && run->ledger != LEDGER_ENDED)
			run->world.lossy = true;
	}
}

static void find_file(Sim *sim, SimFate fate)
{
	if (!sim->renamed)
		return;
	if (fate == SIM_POWER_FAILS && sim_chance(sim, 500)) {
		sim_file_free(sim->renamed);
	} else {
		sim_file_free(sim->file);
		sim->file = sim->renamed;
	}
	sim->renamed = NULL;
}

static void read_file(Recovery *recovery)
{
	Sim *sim = recovery->sim;
	RecordPlace place = sim->file->place;
	bool moves = sim_chance(sim, 20);

	place.boot = sim->boot;
	if (moves)
		place.inode = ++sim->inode;
	sim_must(sim, recover_read(&sim->file->live, &place, &recovery->found) == 0, "the file cannot be read");
	sim_must(sim, !recovery->found.damaged, "what is not damaged is taken for damaged, behind %zu",
		 recovery->found.end);
	sim_must(sim, recovery->found.same_boot == id_equal(&sim->boot, &sim->file->place.boot),
		 "the boot is mistaken");
	sim_must(sim, recovery->found.moved == moves, "the place is mistaken");
	sim_tell(sim, "%zu runs are found, up to %zu", recovery->found.n, recovery->found.end);
}

static void pack(Recovery *recovery, const RecoverRun *found, Buffer *packed)
{
	sim_file_pack(recovery->sim, recovery->sim->file, found->offset, found->offset + found->size, packed);
}

static SimFate on_finished(Recovery *recovery, SimRun *run, const RecoverRun *found)
{
	_cleanup_buffer_ Buffer packed = { 0 };
	Sim *sim = recovery->sim;

	run->status = found->finish.status;
	buffer_clear(&run->said);
	buffer_append(&run->said, found->finish.reply, found->finish.reply_size);
	sim_daemon_check(sim, run);
	if (!sim_ledger_wants(run)) {
		run->gone = true;
		return SIM_FINE;
	}
	pack(recovery, found, &packed);
	return sim_ledger_store(sim, run, &packed);
}

static SimFate park(Sim *sim, SimRun *run, const Buffer *packed, const RecoverVerdict *verdict)
{
	const Plan *plan = sim_chance(sim, 700) ? sim->plan : NULL;
	_cleanup_parked_ Parked parked = { 0 };
	int r;

	r = park_make(packed->data, packed->size, plan, verdict->code, verdict->message, sim->now_usec, &parked);
	sim_must(sim, r == 0, "park_make() gives %d", r);
	run->world.blind = !plan;
	sim_tell(sim, "PARKED %u%s: %.*s", sim_number(sim, run), plan ? "" : " blindly", (int)parked.reply.size,
		 (const char *)parked.reply.data);
	run->status = WALK_PARKED;
	buffer_clear(&run->said);
	buffer_append(&run->said, parked.reply.data, parked.reply.size);
	sim_daemon_check(sim, run);
	sim->tally->damaged += verdict->code == ERROR_DAMAGED;
	return sim_ledger_store(sim, run, &parked.records);
}

static void add_taken(const Sim *sim, const RecoverVerdict *verdict, Buffer *packed)
{
	_cleanup_buffer_ Buffer content = { 0 };
	const RecordTaken taken = {
		.interruptions = verdict->interruptions,
		.barred = verdict->barred,
		.usec = sim->wall_usec,
	};

	record_encode_taken(&taken, &content);
	record_pack(RECORD_TAKEN, content.data, content.size, packed);
}

static uint32_t count_taken(const Buffer *packed)
{
	size_t offset = 0;
	uint32_t n = 0;
	Record record;

	while (record_unpack(packed->data, packed->size, &offset, &record) > 0)
		n += record.kind == RECORD_TAKEN;
	return n;
}

/* Rule 27. */
static void check_verdict(Sim *sim, const Replay *replay, const RecoverVerdict *verdict, uint32_t n_taken)
{
	sim_must(sim, verdict->interruptions == n_taken + 1, "interrupted %u times, and %u are told", n_taken + 1,
		 verdict->interruptions);
	sim_must(sim,
		 verdict->interruptions <= RECOVER_INTERRUPTIONS_MAX || verdict->act != RECOVER_CARRY_ON ||
			 replay->begun || walk_rectifying(replay->walk) || walk_status(replay->walk) != WALK_RUNNING,
		 "interrupted %u times, and carried on", verdict->interruptions);
}

static SimFate on_unfinished(Recovery *recovery, SimRun *run, const RecoverRun *found)
{
	Sim *sim = recovery->sim;
	_cleanup_buffer_ Buffer packed = { 0 };
	_cleanup_replay_ Replay replay = { 0 };
	bool has_module = !sim_chance(sim, 100);
	RecoverVerdict verdict;
	int r;

	sim_must(sim, !run->answered || run->world.lossy, "it was answered, and is found unfinished");
	sim_must(sim, !recovery->run, "two runs are unfinished");
	run->answered = false;
	pack(recovery, found, &packed);
	r = replay_packed(&replay, sim->plan, packed.data, packed.size);
	sim_must(sim, r == 0, "what is found of run %u does not replay: %d", sim_number(sim, run), r);
	recover_decide(&recovery->found, found, has_module ? &replay : NULL, &verdict);
	sim_tell(sim, "run %u: %s (%s)", sim_number(sim, run),
		 (const char *const[]){ "carry on", "rectify", "park" }[verdict.act], verdict.message);
	check_verdict(sim, &replay, &verdict, count_taken(&packed));
	sim->tally->verdicts[verdict.act]++;
	sim->tally->in_hand += replay.begun;
	add_taken(sim, &verdict, &packed);
	if (verdict.act == RECOVER_PARK)
		return park(sim, run, &packed, &verdict);
	recovery->run = run;
	recovery->kept = TAKE(packed, (Buffer){ 0 });
	return SIM_FINE;
}

/* Of a run that was being written anew, and is not wholly, what stands in the ledger counts. */
static bool is_ledgers(const SimRun *run, const RecoverRun *found)
{
	if (run->ledger == LEDGER_DECIDED || run->ledger == LEDGER_RESUMED)
		return found->decided_usec != run->decision.usec;
	return run->ledger == LEDGER_PARKED || run->ledger == LEDGER_ENDED;
}

static bool is_last(const Recovered *found, size_t n)
{
	for (size_t i = n + 1; i < found->n; i++)
		if (id_equal(&found->runs[i].start.run, &found->runs[n].start.run))
			return false;
	return true;
}

static SimFate settle_found(Recovery *recovery)
{
	Sim *sim = recovery->sim;
	SimFate fate = SIM_FINE;

	for (size_t i = 0; i < recovery->found.n && fate == SIM_FINE; i++) {
		const RecoverRun *found = &recovery->found.runs[i];
		SimRun *run = sim_find(sim, &found->start.run);

		if (is_ledgers(run, found) || !is_last(&recovery->found, i))
			continue;
		recovery->known[run - sim->runs] = true;
		if (found->finished)
			fate = on_finished(recovery, run, found);
		else
			fate = on_unfinished(recovery, run, found);
	}
	return fate;
}

/* What an operator decided may have been done, and its records may be lost: what is known is parked with that. */
static SimFate park_again(Sim *sim, SimRun *run)
{
	static const RecoverVerdict verdict = { .code = ERROR_DAMAGED, .message = "the power failed" };
	_cleanup_buffer_ Buffer packed = { 0 }, decision = { 0 };

	sim_must(sim, run->world.lossy, "run %u was taken up again, and is lost", sim_number(sim, run));
	buffer_append(&packed, run->records.data, run->records.size);
	record_encode_decision(&run->decision, &decision);
	record_pack(run->verb, decision.data, decision.size, &packed);
	return park(sim, run, &packed, &verdict);
}

/* What the recorder does not know. A client with a request id asks again. */
static SimFate settle_lost(Sim *sim, SimRun *run)
{
	bool promised = run->ledger == LEDGER_QUEUED || (run->flags & RECORD_FLAG_PROMISED) != 0;

	if (run->ledger == LEDGER_NONE && !promised && run->answered) {
		sim_must(sim, run->status != WALK_PARKED || run->world.lossy, "run %u was parked, and is lost",
			 sim_number(sim, run));
		run->gone = true;
		return SIM_FINE;
	}
	run->answered = run->answered && !run->world.lossy;
	if (run->ledger == LEDGER_RESUMED || run->ledger == LEDGER_DECIDED)
		return park_again(sim, run);
	sim_world_check_vanished(sim, run);
	sim_tell(sim, "nothing is known of run %u", sim_number(sim, run));
	sim->tally->vanished++;
	sim_world_init(sim, run);
	run->gone = !promised;
	return SIM_FINE;
}

/* What is decided and was not taken up yet, is taken up; unless records of that could be lost. */
static bool is_open(const Sim *sim, const SimRun *run)
{
	if (run->ledger == LEDGER_DECIDED)
		return !sim_durable(run) && !id_equal(&sim->boot, &run->decided);
	return !run->gone &&
	       (run->ledger == LEDGER_NONE || run->ledger == LEDGER_QUEUED || run->ledger == LEDGER_RESUMED);
}

static SimFate settle_unknown(Recovery *recovery)
{
	Sim *sim = recovery->sim;
	SimFate fate = SIM_FINE;

	for (size_t i = 0; i < sim->n_runs && fate == SIM_FINE; i++)
		if (!recovery->known[i] && is_open(sim, &sim->runs[i]))
			fate = settle_lost(sim, &sim->runs[i]);
	return fate;
}

static SimFate make_file(Recovery *recovery)
{
	size_t wanted = recovery->kept.size * 5 + recovery->sim->reserve, offset = 0;
	Sim *sim = recovery->sim;
	SimFile *file = sim_file_new(sim, wanted + sim_below(sim, sim->reserve));
	Record record;

	while (record_unpack(recovery->kept.data, recovery->kept.size, &offset, &record) > 0)
		sim_file_append(sim, file, record.kind, record.content, record.content_size);
	return sim_daemon_move(sim, file);
}

static SimFate recover(Recovery *recovery)
{
	Sim *sim = recovery->sim;
	SimRun *run;
	SimFate fate;

	read_file(recovery);
	fate = settle_found(recovery);
	if (fate == SIM_FINE)
		fate = settle_unknown(recovery);
	if (fate != SIM_FINE)
		return fate;
	fate = make_file(recovery);
	run = recovery->run;
	if (fate != SIM_FINE || !run)
		return fate;
	run->begun = true;
	run->offset = RECORD_PAGE_SIZE;
	run->decision_read = run->ledger == LEDGER_DECIDED;
	run->resumed_at = sim->position;
	sim->reading = run;
	return run->decision_read ? sim_ledger_resume(sim, run) : SIM_FINE;
}

SimFate sim_recover(Sim *sim, SimFate fate)
{
	_cleanup_(recovery_done) Recovery recovery = { .sim = sim };

	sim->tally->recoveries++;
	sim_worker_done(sim);
	sim_daemon_forget(sim);
	find_file(sim, fate);
	if (fate == SIM_POWER_FAILS)
		lose_power(sim);
	sim->daemon_acts = true;
	fate = recover(&recovery);
	sim->daemon_acts = false;
	if (fate != SIM_FINE || !recovery.run)
		return fate;
	return sim_worker_resume(sim, recovery.run, true);
}
