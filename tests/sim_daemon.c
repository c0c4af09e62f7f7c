/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "tests/sim.h"

static RecordPage *page_of(const Sim *sim)
{
	return record_page(&sim->file->live);
}

SimRun *sim_find(Sim *sim, const Id *id)
{
	for (size_t i = 0; i < sim->n_runs; i++)
		if (id_equal(&sim->runs[i].id, id))
			return &sim->runs[i];
	sim_fail(sim, "a run that nobody has asked for");
}

/* Reading */

static void on_start(Sim *sim, const Record *record)
{
	RecordStart start;

	sim_must(sim, record_decode_start(record, &start) == 0, "a START that does not hold");
	sim->reading = sim_find(sim, &start.run);
	sim->reading->offset = sim->position;
	sim->reading->begun = true;
	sim->reading->finished = sim->reading->decision_read = false;
}

/* The old end of one that was parked stands before its decision. */
static void on_finish(Sim *sim, const Record *record)
{
	SimRun *run = sim->reading;
	RecordFinish finish;

	sim_must(sim, record_decode_finish(record, &finish) == 0 && run && id_equal(&finish.run, &run->id),
		 "a FINISH that does not hold");
	if (run->ledger == LEDGER_DECIDED && !run->decision_read)
		return;
	run->begun = false;
	run->finished = true;
	run->end = sim->position + record->size;
	run->status = finish.status;
	buffer_clear(&run->said);
	buffer_append(&run->said, finish.reply, finish.reply_size);
}

static void on_decision(Sim *sim, const Record *record)
{
	SimRun *run = sim->reading;
	RecordDecision decision;

	sim_must(sim, record_decode_decision(record, &decision) == 0 && run, "a decision that does not hold");
	if (run->ledger != LEDGER_DECIDED || decision.usec != run->decision.usec)
		return;
	run->decision_read = true;
	run->resumed_at = sim->position + record->size;
}

static void (*const ons[RECORD_KIND_MAX])(Sim *sim, const Record *record) = {
	[RECORD_START] = on_start,   [RECORD_FINISH] = on_finish,    [RECORD_RETRY] = on_decision,
	[RECORD_SKIP] = on_decision, [RECORD_CONFIRM] = on_decision,
};

void sim_daemon_read(Sim *sim)
{
	const RecordFile *file = &sim->file->live;
	size_t tail = sim_file_tail(sim->file);
	Record record;

	while (sim->position < tail) {
		sim_must(sim,
			 record_read(file->base, tail, sim->position, page_of(sim)->number, sim->sequence, &record) ==
				 0,
			 "no record at %zu, below the tail at %zu", sim->position, tail);
		if (ons[record.kind])
			ons[record.kind](sim, &record);
		sim->position += record.size;
		sim->sequence = record.sequence + 1;
	}
}

/* Answers */

void sim_daemon_check(Sim *sim, SimRun *run)
{
	sim_world_check(sim, run, run->status, (const char *)run->said.data, run->said.size);
	if (!run->answered)
		return;
	sim_must(sim,
		 run->answer.size == run->said.size && memcmp(run->answer.data, run->said.data, run->said.size) == 0,
		 "it was answered %.*s, and now %.*s", (int)run->answer.size, (const char *)run->answer.data,
		 (int)run->said.size, (const char *)run->said.data);
}

static bool may_answer(const Sim *sim, const SimRun *run)
{
	return run->finished && !run->answered && (!sim_durable(run) || run->end <= atomic_load(&page_of(sim)->synced));
}

static SimFate answer_all(Sim *sim)
{
	for (size_t i = 0; i < sim->n_runs; i++) {
		SimRun *run = &sim->runs[i];
		SimFate fate;

		if (!may_answer(sim, run))
			continue;
		fate = sim_point(sim, "before an answer");
		if (fate != SIM_FINE)
			return fate;
		sim_tell(sim, "ANSWER %u", sim_number(sim, run));
		sim_daemon_check(sim, run);
		run->answered = true;
		buffer_clear(&run->answer);
		buffer_append(&run->answer, run->said.data, run->said.size);
		sim->tally->answers++;
		sim->tally->ends[run->status]++;
	}
	return SIM_FINE;
}

static bool awaits_sync(const Sim *sim)
{
	uint64_t synced = atomic_load(&page_of(sim)->synced);

	for (size_t i = 0; i < sim->n_runs; i++) {
		const SimRun *run = &sim->runs[i];
		size_t end = run->decision_read && run->ledger == LEDGER_DECIDED ? run->resumed_at : 0;

		if (run->finished && !run->answered)
			end = run->end;
		if (sim_durable(run) && end > synced)
			return true;
	}
	return false;
}

static SimFate sync_read(Sim *sim)
{
	SimFate fate = sim_point(sim, "before the daemon's sync");

	if (fate != SIM_FINE)
		return fate;
	if (sim_file_sync(sim, sim->file, 0) < 0) {
		sim->renew_wanted = true;
		return SIM_FINE;
	}
	if (atomic_load(&page_of(sim)->synced) < sim->position)
		atomic_store(&page_of(sim)->synced, sim->position);
	return sim_point(sim, "after the daemon's sync");
}

/* The ledger */

static bool may_resume(const Sim *sim, const SimRun *run)
{
	return run->ledger == LEDGER_DECIDED && run->decision_read &&
	       (!sim_durable(run) || run->resumed_at <= atomic_load(&page_of(sim)->synced));
}

static SimFate store(Sim *sim, SimRun *run)
{
	_cleanup_buffer_ Buffer records = { 0 };

	if (run->status == WALK_PARKED)
		sim_file_pack(sim, sim->file, run->offset, run->end, &records);
	return sim_ledger_store(sim, run, &records);
}

static SimFate store_all(Sim *sim, bool all)
{
	SimFate fate = SIM_FINE;

	for (size_t i = 0; i < sim->n_runs && fate == SIM_FINE; i++) {
		SimRun *run = &sim->runs[i];

		if (may_resume(sim, run) && (all || sim_chance(sim, 500)))
			fate = sim_ledger_resume(sim, run);
		if (fate == SIM_FINE && run->finished && run->answered && run->ledger != LEDGER_DECIDED &&
		    sim_ledger_wants(run) && (all || sim_chance(sim, 500)))
			fate = store(sim, run);
	}
	return fate;
}

static SimFate step(Sim *sim, bool all)
{
	SimFate fate;

	sim_daemon_read(sim);
	fate = answer_all(sim);
	if (fate == SIM_FINE && awaits_sync(sim) && !sim->renew_wanted && (all || sim_chance(sim, 500)))
		fate = sync_read(sim);
	if (fate == SIM_FINE && all && sim->renew_wanted)
		fate = sim_daemon_renew(sim, sim->reserve);
	if (fate == SIM_FINE)
		fate = answer_all(sim);
	return fate == SIM_FINE ? store_all(sim, all) : fate;
}

SimFate sim_daemon_step(Sim *sim, bool all)
{
	SimFate fate;

	sim->daemon_acts = true;
	fate = step(sim, all);
	sim->daemon_acts = false;
	return fate;
}

/* A new recorder */

static bool is_needed(const SimRun *run)
{
	return run->begun || (run->finished && (!run->answered || sim_ledger_wants(run)));
}

static SimRun *next_needed(Sim *sim, size_t from)
{
	SimRun *next = NULL;

	for (size_t i = 0; i < sim->n_runs; i++) {
		SimRun *run = &sim->runs[i];

		if (is_needed(run) && run->offset >= from && (!next || run->offset < next->offset))
			next = run;
	}
	return next;
}

/* Where things are in the new one. */
typedef struct Moved {
	SimRun *run;
	size_t offset, end, resumed_at;
} Moved;

static Moved keep(Sim *sim, SimFile *file, SimRun *run)
{
	size_t end = run->finished ? run->end : sim_file_tail(sim->file), offset = 0, shift;
	_cleanup_buffer_ Buffer packed = { 0 };
	Moved moved = { .run = run, .offset = sim_file_tail(file) };
	Record record;

	sim_file_pack(sim, sim->file, run->offset, end, &packed);
	while (record_unpack(packed.data, packed.size, &offset, &record) > 0)
		sim_file_append(sim, file, record.kind, record.content, record.content_size);
	shift = run->offset - moved.offset;
	moved.end = sim_file_tail(file);
	moved.resumed_at = run->resumed_at - shift;
	return moved;
}

static SimFate renew(Sim *sim, size_t wanted)
{
	Moved moved[SIM_RUNS_MAX];
	size_t n = 0, used = sim_file_tail(sim->file);
	SimFile *file;
	SimFate fate;

	sim_daemon_read(sim);
	file = sim_file_new(sim, used + wanted + sim_below(sim, sim->reserve));
	for (SimRun *run = next_needed(sim, 0); run; run = next_needed(sim, run->offset + 1))
		moved[n++] = keep(sim, file, run);
	fate = sim_daemon_move(sim, file);
	if (fate != SIM_FINE)
		return fate;
	for (size_t i = 0; i < sim->n_runs; i++)
		sim->runs[i].offset = sim->runs[i].end = sim->runs[i].resumed_at = 0;
	for (size_t i = 0; i < n; i++) {
		moved[i].run->offset = moved[i].offset;
		moved[i].run->end = moved[i].end;
		moved[i].run->resumed_at = moved[i].resumed_at;
	}
	sim->renew_wanted = false;
	sim->tally->renewals++;
	return SIM_FINE;
}

SimFate sim_daemon_renew(Sim *sim, size_t wanted)
{
	bool acts = sim->daemon_acts;
	SimFate fate;

	sim_tell(sim, "a new recorder, with %zu bytes of room", wanted);
	sim->daemon_acts = true;
	fate = renew(sim, wanted);
	sim->daemon_acts = acts;
	return fate;
}

SimFate sim_daemon_move(Sim *sim, SimFile *file)
{
	unsigned sync_fails = sim->sync_fails;
	SimFate fate;

	sim->sync_fails = 0;
	sim_file_sync(sim, file, 0);
	sim->sync_fails = sync_fails;
	atomic_store(&record_page(&file->live)->synced, sim_file_tail(file));
	fate = sim_point(sim, "before the rename");
	if (fate != SIM_FINE) {
		sim_file_free(file);
		return fate;
	}
	sim->renamed = file;
	fate = sim_point(sim, "before the directory's sync");
	if (fate != SIM_FINE)
		return fate;
	sim->renamed = NULL;
	sim_file_free(sim->file);
	sim->file = file;
	sim->position = sim_file_tail(file);
	sim->sequence = atomic_load(&page_of(sim)->sequence);
	return sim_point(sim, "after the directory's sync");
}

/* The end of a worker, and its own */

SimFate sim_daemon_reap(Sim *sim)
{
	SimRun *run = sim->current;

	sim_worker_done(sim);
	sim->file->failing[1] = false; /* the next one has only just opened it */
	record_take_over(&sim->file->live);
	sim_daemon_read(sim);
	if (!run || !run->begun)
		return SIM_FINE;
	/* What is not wholly written anew is not taken up from there. */
	if (run->ledger == LEDGER_DECIDED && !run->decision_read) {
		run->begun = false;
		return SIM_FINE;
	}
	return sim_worker_resume(sim, run, false);
}

void sim_daemon_forget(Sim *sim)
{
	for (size_t i = 0; i < sim->n_runs; i++) {
		SimRun *run = &sim->runs[i];

		run->begun = run->finished = run->decision_read = false;
		run->offset = run->end = run->resumed_at = 0;
	}
	sim->reading = NULL;
	sim->renew_wanted = sim->daemon_acts = false;
	sim->cause = ERROR_INTERRUPTED;
	sim->cause_program = NULL;
}
