/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Nothing half-done survives: random programs, faults, deaths, power losses, clocks and operators, one seed each.
 * SIMULATION_FIRST= and SIMULATION_SEEDS= repeat a seed or make a campaign of it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "spec/load.h"
#include "tests/check_main.h"
#include "tests/sim.h"

#define SEEDS_DEFAULT 20000U
#define SEEDS_PER_SPEC 8U
#define STEPS_MAX 24U
#define BUDGET_USEC (20 * USEC_PER_SEC)

#if defined(__SANITIZE_ADDRESS__)
static const bool is_slow = true;
#else
static const bool is_slow;
#endif

typedef struct Draft {
	char *text;
	Spec *spec;
	Plan *plan;
} Draft;

static void draft_done(Draft *draft)
{
	plan_free(draft->plan);
	spec_free(draft->spec);
	free(draft->text);
	*draft = (Draft){ 0 };
}

/* Two outputs of one hook under one key: what the hook set can then not be told apart. */
static bool is_ambiguous(const PlanOp *op)
{
	for (size_t i = 0; i < op->n_outputs; i++)
		for (size_t k = 0; k < i; k++)
			if (op->outputs[i].key == op->outputs[k].key)
				return true;
	return false;
}

static bool is_usable(const Plan *plan)
{
	for (uint32_t i = 0; i < plan->n_ops; i++)
		if (plan->ops[i].kind == PLAN_CALL && is_ambiguous(&plan->ops[i]))
			return false;
	return plan->n_steps <= STEPS_MAX;
}

static bool draft_make(uint64_t seed, Draft *draft)
{
	_cleanup_spec_issues_ SpecIssues issues = { 0 };
	PlanError error;

	draft->text = oracle_spec(seed);
	ck_assert_ptr_nonnull(draft->text);
	if (spec_load(draft->text, strlen(draft->text), &draft->spec, &issues) < 0)
		return false;
	ck_assert_int_eq(plan_compile(draft->spec, spec_program(draft->spec, "p0"), &draft->plan, &error), 0);
	return is_usable(draft->plan);
}

/* The valid spec number \p number; most drafts have faults. */
static void draft_find(uint64_t number, Draft *draft)
{
	Dice dice = { .state = number };

	draft_done(draft);
	while (!draft_make(dice_roll(&dice), draft))
		draft_done(draft);
}

static uint64_t setting(const char *name, uint64_t fallback)
{
	const char *text = getenv(name);

	return text && *text ? strtoull(text, NULL, 10) : fallback;
}

static uint64_t fresh_seed(void)
{
	uint32_t seed;
	Id id;

	ck_assert_int_eq(id_random(&id), 0);
	memcpy(&seed, id.bytes, sizeof(seed));
	return seed;
}

static void tell_violation(uint64_t seed, const Draft *draft)
{
	SimTally tally = { 0 };
	Sim sim = { .tracing = true };
	_cleanup_free_ char *trace = NULL;

	sim_play(&sim, seed, draft->spec, draft->plan, &tally);
	trace = buffer_take_text(&sim.trace);
	/* libcheck takes only so much at once */
	printf("# %s\n%s# violated: %s\n", draft->text, trace, sim.violation);
	fflush(stdout);
	ck_abort_msg("SIMULATION_FIRST=%" PRIu64 " SIMULATION_SEEDS=1: %s", seed, sim.violation);
}

static void report(uint64_t first, const SimTally *tally)
{
	printf("# SIMULATION_FIRST=%" PRIu64 " SIMULATION_SEEDS=%" PRIu64 ": %" PRIu64 " runs, %" PRIu64
	       " calls (%" PRIu64 " rectifying), %" PRIu64 " notes; dead: %" PRIu64 " workers, %" PRIu64
	       " daemons; %" PRIu64 " power losses, %" PRIu64 " sectors torn, %" PRIu64 " written early; %" PRIu64
	       " syncs (%" PRIu64 " failed), %" PRIu64 " new recorders\n",
	       first, tally->seeds, tally->runs, tally->calls, tally->rectifying, tally->notes,
	       tally->fates[SIM_WORKER_DIES], tally->fates[SIM_DAEMON_DIES], tally->fates[SIM_POWER_FAILS], tally->torn,
	       tally->written_back, tally->syncs, tally->failed_syncs, tally->renewals);
	printf("# recoveries: %" PRIu64 " carried on, %" PRIu64 " rectified, %" PRIu64 " parked (%" PRIu64
	       " Damaged), %" PRIu64 " in hand, %" PRIu64 " vanished; %" PRIu64 " stops, %" PRIu64 " too late, %" PRIu64
	       " operator's verbs; answered: %" PRIu64 " succeeded, %" PRIu64 " rectified, %" PRIu64 " parked, %" PRIu64
	       " settled; %" PRIu64 " points\n",
	       tally->verdicts[RECOVER_CARRY_ON], tally->verdicts[RECOVER_RECTIFY], tally->verdicts[RECOVER_PARK],
	       tally->damaged, tally->in_hand, tally->vanished, tally->stops, tally->late, tally->verbs,
	       tally->ends[WALK_SUCCEEDED], tally->ends[WALK_RECTIFIED], tally->ends[WALK_PARKED],
	       tally->ends[WALK_SETTLED], tally->points);
}

/* So that the simulation cannot quietly stop to meet what it is for. */
static void check_coverage(const SimTally *tally)
{
	for (WalkStatus status = WALK_SUCCEEDED; status < WALK_STATUS_MAX; status++)
		ck_assert_uint_gt(tally->ends[status] * 200, tally->seeds);
	for (SimFate fate = SIM_WORKER_DIES; fate < SIM_FATE_MAX; fate++)
		ck_assert_uint_gt(tally->fates[fate] * 5, tally->seeds);
	for (size_t i = 0; i < ELEMENTSOF(tally->verdicts); i++)
		ck_assert_uint_gt(tally->verdicts[i] * 50, tally->seeds);
	ck_assert_uint_gt(tally->torn * 20, tally->seeds);
	ck_assert_uint_gt(tally->in_hand * 20, tally->seeds);
	ck_assert_uint_gt(tally->failed_syncs * 20, tally->seeds);
	ck_assert_uint_gt(tally->renewals * 20, tally->seeds);
	ck_assert_uint_gt(tally->vanished * 20, tally->seeds);
	ck_assert_uint_gt(tally->damaged * 200, tally->seeds);
	ck_assert_uint_gt(tally->late * 200, tally->seeds);
}

START_TEST(a_status_is_true_whatever_dies)
{
	uint64_t first = setting("SIMULATION_FIRST", fresh_seed()), seeds = setting("SIMULATION_SEEDS", SEEDS_DEFAULT);
	uint64_t until = is_slow && !getenv("SIMULATION_SEEDS") ? clock_monotonic() + BUDGET_USEC : USEC_INFINITY;
	SimTally tally = { 0 };
	Draft draft = { 0 };

	printf("# SIMULATION_FIRST=%" PRIu64 " SIMULATION_SEEDS=%" PRIu64 "\n", first, seeds);
	fflush(stdout);
	for (uint64_t seed = first; seed - first < seeds && clock_monotonic() < until; seed++) {
		Sim sim = { 0 };

		if (!draft.plan || seed % SEEDS_PER_SPEC == 0)
			draft_find(seed / SEEDS_PER_SPEC, &draft);
		if (!sim_play(&sim, seed, draft.spec, draft.plan, &tally))
			tell_violation(seed, &draft);
		sim_done(&sim);
	}
	draft_done(&draft);
	report(first, &tally);
	if (seeds >= SEEDS_DEFAULT && tally.seeds == seeds)
		check_coverage(&tally);
}
END_TEST

CHECK_MAIN(simulation, a_status_is_true_whatever_dies)
