/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The walk against a naive model of the rules: random specs, random outcomes, stops and operators; the same story.
 * RYUSO_SEED= and RYUSO_CASES= repeat or lengthen it. */
#include <stdio.h>
#include <string.h>

#include "base/ids.h"
#include "spec/load.h"
#include "tests/check_main.h"
#include "tests/model.h"

#define CASES_DEFAULT 20000U
#define RUNS_PER_SPEC 8U
#define STEPS_MAX 400U
#define START_USEC 1000000000ULL

/* Unlike libcheck's assertions, it costs nothing where it holds. */
#define must(condition)                                   \
	do {                                              \
		if (!(condition))                         \
			ck_abort_msg("not: " #condition); \
	} while (0)

/* How often things happened, so that the generator cannot quietly stop to produce them. */
typedef struct Tally {
	uint64_t cases, specs, drafts, ends[WALK_STATUS_MAX];
	uint64_t calls, waits, rectifying, in_doubt, stops, verbs;
} Tally;

typedef struct Telling {
	const Oracle *oracle;
	const Plan *plan;
	Walk *walk;
	Buffer *story;
	Tally *tally;
	uint64_t now_usec;
	uint32_t n_ended, n_verbs;
	uint32_t asked; /* stops before this many calls (less one) are dealt with */
} Telling;

static void begin(Telling *telling)
{
	_cleanup_buffer_ Buffer buffer = {};
	OracleWrite writes[ORACLE_WRITES_MAX];
	Reader reader;
	size_t n;

	n = oracle_arguments(telling->oracle, telling->plan->program, writes);
	buffer_u32(&buffer, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		buffer_string(&buffer, writes[i].name);
		value_encode(writes[i].value, &buffer);
	}
	reader = reader_make(buffer.data, buffer.size);
	must(walk_start(telling->plan, &reader, telling->now_usec, &telling->walk) == 0);
}

static StoryPool see(Pool *pool)
{
	StoryPool seen = {};

	for (uint32_t key = 0; key < pool_n_keys(pool); key++)
		if (pool_get(pool, key))
			seen.entries[seen.n++] = (StoryEntry){ pool_key_name(pool, key), pool_get(pool, key) };
	return seen;
}

static void stop(Telling *telling, const OracleStop *stop)
{
	int r = walk_stop(telling->walk, stop->cause, stop->program, NULL);

	telling->tally->stops += r == 0;
}

/* Whether a stop was asked for. */
static bool stop_at(Telling *telling, uint32_t n, OracleMoment moment)
{
	OracleStop asked = oracle_stop(telling->oracle, n);

	if (telling->asked > n || asked.cause == ERROR_NONE || asked.moment != moment)
		return false;
	telling->asked = n + 1;
	stop(telling, &asked);
	return true;
}

static StoryCall describe(const Telling *telling, const WalkAction *action)
{
	return (StoryCall){
		.hook = telling->plan->ops[action->op].hook->name,
		.step = action->step,
		.attempt = action->attempt,
		.rectifying = action->rectifying,
		.in_doubt = action->in_doubt,
		.deadline_usec = action->deadline_usec,
		.deadline_program = action->deadline_program,
		.wait_usec = action->wait_usec,
	};
}

static void on_wait(Telling *telling, const WalkAction *action)
{
	StoryCall call = describe(telling, action);

	story_wait(telling->story, &call);
	telling->now_usec += action->wait_usec / 2;
	telling->tally->waits++;
}

static void on_outcome(Telling *telling, const PlanOp *op, const OracleOutcome *said)
{
	PoolWrite writes[ORACLE_WRITES_MAX];
	char message[256];
	Outcome outcome = {
		.kind = said->kind,
		.error = said->error,
		.reason = said->reason,
		.program = said->program,
		.writes = writes,
		.n_writes = said->n_writes,
	};

	for (size_t i = 0; i < said->n_writes; i++) {
		const char *key = plan_resolve(op, said->writes[i].name);

		must(pool_intern(walk_pool(telling->walk), key, &writes[i].key) == 0);
		writes[i].value = *said->writes[i].value;
	}
	walk_judge(telling->walk, &outcome, message, sizeof(message));
	story_outcome(telling->story, outcome.kind, outcome.error);
	must(walk_ended(telling->walk, &outcome) == 0);
}

static void on_call(Telling *telling, const WalkAction *action)
{
	const PlanOp *op = &telling->plan->ops[action->op];
	StoryCall call = describe(telling, action);
	StoryPool seen = see(walk_pool(telling->walk));
	OracleOutcome outcome;

	story_call(telling->story, &call, &seen);
	telling->tally->calls++;
	telling->tally->rectifying += action->rectifying;
	telling->tally->in_doubt += action->in_doubt;
	stop_at(telling, telling->n_ended + 1, MOMENT_IN_HAND);
	oracle_outcome(telling->oracle, telling->n_ended++, op->hook, &outcome);
	on_outcome(telling, op, &outcome);
	telling->now_usec += outcome.usec;
}

static void on_end(Telling *telling)
{
	_cleanup_free_ WalkStep *rectified = NULL, *remaining = NULL;
	_cleanup_free_ WalkOutput *outputs = NULL;
	StoryEnd end = { .status = walk_status(telling->walk), .pool = see(walk_pool(telling->walk)) };
	size_t n;

	walk_error(telling->walk, &end.error);
	walk_parked(telling->walk, &end.parked);
	must(walk_rectified(telling->walk, &rectified, &end.n_rectified) == 0);
	must(walk_remaining(telling->walk, &remaining, &end.n_remaining) == 0);
	must(walk_outputs(telling->walk, &outputs, &n) == 0);
	for (size_t i = 0; i < n; i++)
		end.outputs.entries[end.outputs.n++] = (StoryEntry){ outputs[i].arg->name, outputs[i].value };
	end.rectified = rectified;
	end.remaining = remaining;
	story_end(telling->story, &end);
	telling->tally->ends[end.status]++;
}

/* Whether the run goes on. */
static bool on_parked(Telling *telling)
{
	WalkError parked;

	walk_parked(telling->walk, &parked);
	for (;;) {
		OracleVerb verb = oracle_verb(telling->oracle, telling->n_verbs++);
		int r = 0;

		if (verb == VERB_RETRY)
			r = walk_retry(telling->walk, parked.step);
		else if (verb == VERB_SKIP)
			r = walk_skip(telling->walk, parked.step);
		else if (verb == VERB_CONFIRM)
			r = walk_confirm(telling->walk, parked.step);
		story_verb(telling->story, verb, r == 0);
		telling->tally->verbs++;
		if (r == 0)
			return verb != VERB_NONE;
	}
}

static void tell(Telling *telling)
{
	WalkAction action;

	begin(telling);
	for (;;) {
		stop_at(telling, telling->n_ended, MOMENT_BEFORE);
		must(walk_next(telling->walk, telling->now_usec, &action) == 0);
		if (action.kind == WALK_END) {
			telling->asked = telling->n_ended + 1;
			on_end(telling);
			if (walk_status(telling->walk) != WALK_PARKED || !on_parked(telling))
				break;
			continue;
		}
		if (action.kind == WALK_WAIT)
			on_wait(telling, &action);
		if (!stop_at(telling, telling->n_ended, MOMENT_NAMED) && action.kind == WALK_CALL)
			on_call(telling, &action);
	}
	walk_free(telling->walk);
}

/* Rule 4: the model is told what a hook set by keys, as the recorder is, and one key has one value. */
static bool outputs_are_apart(const PlanOp *op)
{
	for (size_t i = 0; i < op->n_outputs; i++)
		for (size_t k = 0; k < i; k++)
			if (op->outputs[i].key == op->outputs[k].key)
				return false;
	return true;
}

static void check_outputs(const Plan *plan)
{
	for (uint32_t i = 0; i < plan->n_ops; i++)
		must(plan->ops[i].kind != PLAN_CALL || outputs_are_apart(&plan->ops[i]));
}

static uint64_t mix(uint64_t seed, uint64_t a, uint64_t b)
{
	Id id;
	uint64_t words[3] = { seed, a, b }, mixed;

	id_fingerprint(words, sizeof(words), &id);
	memcpy(&mixed, id.bytes, sizeof(mixed));
	return mixed;
}

/* The valid spec number \p number; most drafts have faults. */
static char *make_spec(uint64_t seed, uint64_t number, Spec **ret_spec, Plan **ret_plan, Tally *tally)
{
	for (uint64_t draft = 0;; draft++) {
		_cleanup_free_ char *text = oracle_spec(mix(seed, number, draft));
		_cleanup_spec_issues_ SpecIssues issues = {};
		_cleanup_spec_ Spec *spec = NULL;
		_cleanup_plan_ Plan *plan = NULL;
		PlanError error;

		must(text);
		tally->drafts++;
		if (spec_load(text, strlen(text), &spec, &issues) < 0)
			continue;
		must(plan_compile(spec, spec_program(spec, "p0"), &plan, &error) == 0);
		check_outputs(plan);
		if (plan->n_steps > STEPS_MAX)
			continue;
		tally->specs++;
		*ret_spec = take_ptr(spec);
		*ret_plan = take_ptr(plan);
		return take_ptr(text);
	}
}

static void compare(const Oracle *oracle, const Plan *plan, const char *spec_text, Tally *tally)
{
	_cleanup_buffer_ Buffer walked = {}, expected = {};
	_cleanup_free_ char *walked_text = NULL, *expected_text = NULL;
	Telling telling = {
		.oracle = oracle,
		.plan = plan,
		.story = &walked,
		.tally = tally,
		.now_usec = START_USEC,
	};

	tell(&telling);
	model_tell(oracle, plan->program, &expected);
	walked_text = buffer_take_text(&walked);
	expected_text = buffer_take_text(&expected);
	if (strcmp(walked_text, expected_text) != 0)
		ck_abort_msg("run seed %ju\n%s\nthe walk:\n%s\nthe model:\n%s", (uintmax_t)oracle->seed, spec_text,
			     walked_text, expected_text);
	tally->cases++;
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

	must(id_random(&id) == 0);
	memcpy(&seed, id.bytes, sizeof(seed));
	return seed;
}

static void report(uint64_t seed, const Tally *tally)
{
	printf("# RYUSO_SEED=%ju RYUSO_CASES=%ju: %ju specs (of %ju drafts), %ju calls (%ju rectifying, %ju in doubt), "
	       "%ju waits, %ju stops, %ju operator's verbs; ends:",
	       (uintmax_t)seed, (uintmax_t)tally->cases, (uintmax_t)tally->specs, (uintmax_t)tally->drafts,
	       (uintmax_t)tally->calls, (uintmax_t)tally->rectifying, (uintmax_t)tally->in_doubt,
	       (uintmax_t)tally->waits, (uintmax_t)tally->stops, (uintmax_t)tally->verbs);
	for (WalkStatus status = WALK_SUCCEEDED; status < WALK_STATUS_MAX; status++)
		printf(" %ju %s", (uintmax_t)tally->ends[status], walk_status_name(status));
	printf("\n");
}

static void check_coverage(const Tally *tally)
{
	for (WalkStatus status = WALK_SUCCEEDED; status < WALK_STATUS_MAX; status++)
		ck_assert_msg(tally->ends[status] * 100 >= tally->cases, "hardly any run ended %s",
			      walk_status_name(status));
	ck_assert_uint_gt(tally->calls, 2 * tally->cases);
	ck_assert_uint_gt(tally->rectifying * 10, tally->cases);
	ck_assert_uint_gt(tally->in_doubt * 100, tally->cases);
	ck_assert_uint_gt(tally->waits * 10, tally->cases);
	ck_assert_uint_gt(tally->stops * 100, tally->cases);
}

START_TEST(the_walk_does_what_the_rules_say_in_random_runs_of_random_specs)
{
	uint64_t seed = setting("RYUSO_SEED", fresh_seed()), cases = setting("RYUSO_CASES", CASES_DEFAULT);
	Tally tally = {};

	printf("# RYUSO_SEED=%ju RYUSO_CASES=%ju\n", (uintmax_t)seed, (uintmax_t)cases);
	fflush(stdout);
	for (uint64_t number = 0; tally.cases < cases; number++) {
		_cleanup_spec_ Spec *spec = NULL;
		_cleanup_plan_ Plan *plan = NULL;
		_cleanup_free_ char *text = make_spec(seed, number, &spec, &plan, &tally);

		for (uint64_t run = 0; run < RUNS_PER_SPEC && tally.cases < cases; run++) {
			Oracle oracle = { .seed = mix(seed, ~number, run), .spec = spec };

			compare(&oracle, plan, text, &tally);
		}
	}
	report(seed, &tally);
	if (cases >= CASES_DEFAULT)
		check_coverage(&tally);
}
END_TEST

CHECK_MAIN(model, the_walk_does_what_the_rules_say_in_random_runs_of_random_specs)
