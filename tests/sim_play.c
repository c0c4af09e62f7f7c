/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tests/sim.h"

#define START_USEC 1000000000ULL

void sim_fail(Sim *sim, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(sim->violation, sizeof(sim->violation), format, arguments);
	va_end(arguments);
	longjmp(sim->failed, 1);
}

void sim_write(Sim *sim, const char *format, ...)
{
	char line[4096];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	buffer_format(&sim->trace, "%s\n", line);
}

bool sim_chance(Sim *sim, unsigned per_mille)
{
	return dice_below(&sim->dice, 1000) < per_mille;
}

size_t sim_below(Sim *sim, size_t n)
{
	return n > 0 ? dice_below(&sim->dice, n) : 0;
}

unsigned sim_number(const Sim *sim, const SimRun *run)
{
	return (unsigned)(run - sim->runs) + 1;
}

bool sim_durable(const SimRun *run)
{
	return (run->flags & RECORD_FLAG_PROCESS) == 0;
}

SimFate sim_dies(Sim *sim, const char *name)
{
	static const char *const names[SIM_FATE_MAX] = {
		[SIM_WORKER_DIES] = "the worker dies",
		[SIM_DAEMON_DIES] = "the daemon dies",
		[SIM_POWER_FAILS] = "the power fails",
	};
	SimFate fate;

	sim->tally->points++;
	if (sim->crashes_left == 0 || !sim_chance(sim, sim->crash))
		return SIM_FINE;
	sim->crashes_left--;
	do
		fate = (SimFate)(SIM_WORKER_DIES + sim_below(sim, 3));
	while (fate == SIM_WORKER_DIES && sim->daemon_acts);
	sim->tally->fates[fate]++;
	sim->cause = ERROR_HOOK_UNKNOWN;
	sim->cause_program = NULL;
	sim_tell(sim, "%s: %s", name, names[fate]);
	return fate;
}

SimFate sim_point(Sim *sim, const char *name)
{
	SimFate fate;

	if (sim_chance(sim, sim->write_back))
		sim_file_write_back(sim, sim->file);
	if (!sim->daemon_acts && sim_chance(sim, sim->daemon_turn)) {
		fate = sim_daemon_step(sim, false);
		if (fate != SIM_FINE)
			return fate;
	}
	return sim_dies(sim, name);
}

static unsigned pick(Sim *sim, const unsigned *from, size_t n)
{
	return from[sim_below(sim, n)];
}
#define PICK(sim, ...) pick(sim, (const unsigned[]){ __VA_ARGS__ }, ELEMENTSOF(((const unsigned[]){ __VA_ARGS__ })))

static void set_up_run(Sim *sim, SimRun *run, const Spec *spec)
{
	OracleWrite writes[ORACLE_WRITES_MAX];
	size_t n;

	run->oracle = (Oracle){ .seed = dice_roll(&sim->dice), .spec = spec };
	for (size_t i = 0; i < sizeof(run->id.bytes); i++)
		run->id.bytes[i] = (uint8_t)dice_roll(&sim->dice);
	if (sim_chance(sim, 250))
		run->flags |= RECORD_FLAG_PROCESS;
	if (sim_chance(sim, 600))
		run->flags |= RECORD_FLAG_PROMISED;
	if ((run->flags & RECORD_FLAG_PROMISED) && sim_chance(sim, 500))
		run->ledger = LEDGER_QUEUED;
	n = oracle_arguments(&run->oracle, sim->plan->program, writes);
	buffer_u32(&run->arguments, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		buffer_string(&run->arguments, writes[i].name);
		value_encode(writes[i].value, &run->arguments);
	}
	sim_world_init(sim, run);
}

static void set_up(Sim *sim, const Spec *spec)
{
	sim->caps = (RecordCaps){ .pool = 4096, .notes = 512, .rectified = 4096 };
	sim->reserve = record_reserve(sim->plan, &sim->caps);
	sim->crash = PICK(sim, 0, 5, 20, 60, 150);
	sim->crashes_left = (unsigned)sim_below(sim, 10);
	sim->write_back = PICK(sim, 0, 20, 200);
	sim->sync_fails = PICK(sim, 0, 0, 30, 200);
	sim->cancel = PICK(sim, 0, 10, 50);
	sim->daemon_turn = PICK(sim, 20, 200, 500);
	sim->now_usec = START_USEC;
	sim->wall_usec = START_USEC;
	sim->n_runs = 1 + sim_below(sim, SIM_RUNS_MAX);
	for (size_t i = 0; i < sim->n_runs; i++)
		set_up_run(sim, &sim->runs[i], spec);
	sim->file = sim_file_new(sim, RECORD_PAGE_SIZE + sim->reserve + sim_below(sim, 2 * sim->reserve));
	sim->position = RECORD_PAGE_SIZE;
	sim->sequence = RECORD_SEQUENCE_ANY;
	sim->tally->seeds++;
	sim->tally->runs += sim->n_runs;
}

static bool is_queued(const SimRun *run)
{
	return !run->gone && !run->answered && !run->begun && !run->finished &&
	       (run->ledger == LEDGER_NONE || run->ledger == LEDGER_QUEUED);
}

/* The queue; what an operator has decided goes first. */
static SimFate work(Sim *sim)
{
	SimFate fate = SIM_FINE;

	for (size_t i = 0; i < sim->n_runs && fate == SIM_FINE; i++)
		if (sim->runs[i].ledger == LEDGER_DECIDED && !sim->runs[i].decision_read)
			fate = sim_worker_unpark(sim, &sim->runs[i]);
	for (size_t i = 0; i < sim->n_runs && fate == SIM_FINE; i++)
		if (is_queued(&sim->runs[i]))
			fate = sim_worker_order(sim, &sim->runs[i]);
	if (fate == SIM_FINE)
		fate = sim_daemon_step(sim, true);
	return fate;
}

static void check_end(Sim *sim)
{
	for (size_t i = 0; i < sim->n_runs; i++) {
		const SimRun *run = &sim->runs[i];
		bool stored = run->ledger == LEDGER_PARKED || run->ledger == LEDGER_ENDED;

		sim_must(sim, run->gone || stored || (run->answered && !sim_ledger_wants(run)),
			 "run %u is left, neither answered nor stored", sim_number(sim, run));
	}
}

static void play(Sim *sim)
{
	SimFate fate = SIM_FINE;
	bool decided = true;

	while (fate != SIM_FINE || decided) {
		if (fate == SIM_WORKER_DIES)
			fate = sim_daemon_reap(sim);
		else if (fate != SIM_FINE)
			fate = sim_recover(sim, fate);
		if (fate == SIM_FINE)
			fate = work(sim);
		if (fate == SIM_FINE)
			fate = sim_ledger_decide(sim, &decided);
	}
	check_end(sim);
}

bool sim_play(Sim *sim, uint64_t seed, const Spec *spec, const Plan *plan, SimTally *tally)
{
	bool tracing = sim->tracing;

	*sim = (Sim){ .seed = seed, .dice = { .state = seed }, .plan = plan, .tally = tally, .tracing = tracing };
	if (setjmp(sim->failed) != 0)
		return false;
	set_up(sim, spec);
	play(sim);
	return true;
}

void sim_done(Sim *sim)
{
	for (size_t i = 0; i < sim->n_runs; i++) {
		SimRun *run = &sim->runs[i];

		sim_world_done(&run->world);
		buffer_done(&run->arguments);
		buffer_done(&run->records);
		buffer_done(&run->reply);
		buffer_done(&run->answer);
		buffer_done(&run->said);
	}
	sim_worker_done(sim);
	sim_file_free(sim->file);
	sim_file_free(sim->renamed);
	buffer_done(&sim->content);
	buffer_done(&sim->trace);
	*sim = (Sim){ 0 };
}
