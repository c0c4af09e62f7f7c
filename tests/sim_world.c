/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "base/json.h"
#include "tests/sim.h"

void sim_world_init(Sim *sim, SimRun *run)
{
	SimWorld *world = &run->world;

	sim_world_done(world);
	world->calls = calloc(sim->plan->n_ops, sizeof(*world->calls));
	world->notes = calloc(sim->plan->n_steps + 1, sizeof(*world->notes));
	world->maybe = calloc(sim->plan->n_steps + 1, sizeof(*world->maybe));
	world->skipped = calloc(sim->plan->n_steps + 1, sizeof(*world->skipped));
	world->budgets = 1;
	if (!world->calls || !world->notes || !world->maybe || !world->skipped)
		abort();
}

void sim_world_done(SimWorld *world)
{
	free(world->calls);
	free(world->notes);
	free(world->maybe);
	free(world->skipped);
	*world = (SimWorld){ 0 };
}

static const PlanStep *step_of(const Sim *sim, uint32_t step)
{
	return &sim->plan->steps[step - 1];
}

/* What a step did, and its rectifiers have not undone. */
static bool is_left(const Sim *sim, const SimRun *run, uint32_t step)
{
	const PlanStep *planned = step_of(sim, step);
	bool left = planned->irreversible && run->world.calls[planned->op].effects > 0;

	for (uint32_t i = 0; i < planned->n_rectifiers; i++)
		left = left || run->world.calls[planned->rectifiers + i].left;
	return left;
}

static void set_left(const Sim *sim, SimRun *run, uint32_t step, bool left)
{
	const PlanStep *planned = step_of(sim, step);

	for (uint32_t i = 0; i < planned->n_rectifiers; i++)
		if (sim->plan->ops[planned->rectifiers + i].kind == PLAN_CALL)
			run->world.calls[planned->rectifiers + i].left = left;
}

/* Exactly once; what an operator has skipped is as he left it. */
static bool is_done(const Sim *sim, const SimRun *run, uint32_t op)
{
	const PlanOp *planned = &sim->plan->ops[op];

	return planned->kind != PLAN_CALL || run->world.calls[op].effects == 1 || run->world.skipped[planned->step - 1];
}

/* A function is called again only where its last attempt failed cleanly, or may be repeated. */
static void check_forward(Sim *sim, SimRun *run, const WalkAction *action)
{
	const SpecHook *hook = sim->plan->ops[action->op].hook;
	const SimCall *call = &run->world.calls[action->op];
	uint32_t budget = hook->retry.attempts * run->world.budgets;

	sim_must(sim, call->calls == 0 || call->last == OUTCOME_FAILED || hook->idempotent,
		 "step %u (%s) is called again, though its last attempt ended %s", action->step, hook->name,
		 outcome_name(call->last));
	sim_must(sim, call->calls < budget, "step %u (%s) is called %u times, and has %u attempts", action->step,
		 hook->name, call->calls + 1, budget);
	for (uint32_t op = 0; op < action->op; op++)
		sim_must(sim, is_done(sim, run, op),
			 "step %u (%s) is called, and step %u before it took effect %u times", action->step, hook->name,
			 sim->plan->ops[op].step, run->world.calls[op].effects);
}

void sim_world_note(SimRun *run, uint32_t step, uint64_t value)
{
	SimNotes *maybe = &run->world.maybe[step - 1];

	maybe->values[maybe->n++ % SIM_NOTES_MAX] = value;
}

void sim_world_noted(SimRun *run, uint32_t step, uint64_t value)
{
	run->world.notes[step - 1] = value;
	run->world.maybe[step - 1].n = 0;
}

/* What was noted last; what was about to be noted then may be there, too. */
static bool is_noted(const SimRun *run, uint32_t step, uint64_t value)
{
	const SimNotes *maybe = &run->world.maybe[step - 1];

	for (size_t i = 0; i < MIN(maybe->n, (size_t)SIM_NOTES_MAX); i++)
		if (maybe->values[i] == value)
			return true;
	return value == run->world.notes[step - 1] || run->world.lossy;
}

static void check_back(Sim *sim, SimRun *run, const WalkAction *action)
{
	const PlanStep *planned = step_of(sim, action->step);
	const SimCall *done = &run->world.calls[planned->op];
	const char *name = sim->plan->ops[action->op].hook->name;
	const Note *note = notes_find(&sim->replay.notes, action->step, "n");
	uint64_t noted = 0;

	if (note && note->size == sizeof(noted))
		memcpy(&noted, note->data, sizeof(noted));
	sim_must(sim, is_noted(run, action->step, noted), "-%s of step %u finds note %ju, and %ju was noted", name,
		 action->step, (uintmax_t)noted, (uintmax_t)run->world.notes[action->step - 1]);
	sim_must(sim, action->in_doubt || done->effects > 0 || sim->plan->ops[planned->op].kind != PLAN_CALL,
		 "-%s is told that step %u was done, and it did not take effect", name, action->step);
	for (uint32_t step = action->step + 1; step <= sim->plan->n_steps; step++)
		sim_must(sim, !is_left(sim, run, step) || run->world.skipped[step - 1] || run->world.lossy,
			 "-%s of step %u is called, and step %u behind it is not reversed", name, action->step, step);
	for (uint32_t op = planned->rectifiers; op < action->op; op++)
		sim_must(sim, !run->world.calls[op].left,
			 "-%s of step %u is called, and what comes before it was not done", name, action->step);
}

void sim_world_call(Sim *sim, SimRun *run, const WalkAction *action)
{
	SimCall *call = &run->world.calls[action->op];

	if (action->rectifying)
		check_back(sim, run, action);
	else
		check_forward(sim, run, action);
	call->calls++;
	run->world.boot = sim->boot;
	call->last = OUTCOME_UNKNOWN;
	sim->tally->calls++;
	sim->tally->rectifying += action->rectifying;
}

void sim_world_act(Sim *sim, SimRun *run, const WalkAction *action)
{
	SimCall *call = &run->world.calls[action->op];

	sim_tell(sim, "it takes effect");
	if (action->rectifying) {
		call->left = false;
		return;
	}
	/* a token tells a hook that may be repeated that it was done already */
	if (call->effects == 0 || !sim->plan->ops[action->op].hook->idempotent)
		call->effects++;
	set_left(sim, run, action->step, true);
}

void sim_world_end(SimRun *run, const WalkAction *action, OutcomeKind kind)
{
	run->world.calls[action->op].last = kind;
}

/* Of "remaining": by step. */
static bool *listed(Sim *sim, const char *reply, size_t size)
{
	_cleanup_json_ struct json_object *object = NULL;
	_cleanup_buffer_ Buffer text = { 0 };
	bool *steps = calloc(sim->plan->n_steps + 1, sizeof(*steps));
	struct json_object *list, *number;
	JsonError error;

	buffer_u8(&text, '{');
	buffer_append(&text, reply, size);
	if (!steps || json_parse((const char *)text.data, text.size, JSON_DEPTH_DEFAULT, &object, &error) < 0 ||
	    !json_object_object_get_ex(object, "remaining", &list))
		sim_fail(sim, "a reply that cannot be read: %.*s", (int)size, reply);
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		uint64_t step = 0;

		if (json_object_object_get_ex(json_object_array_get_idx(list, i), "step", &number))
			step = (uint64_t)json_object_get_int64(number);
		sim_must(sim, step > 0 && step <= sim->plan->n_steps, "step %ju is told to remain", (uintmax_t)step);
		steps[step - 1] = true;
	}
	return steps;
}

static void check_remaining(Sim *sim, SimRun *run, const char *reply, size_t size)
{
	_cleanup_free_ bool *steps = listed(sim, reply, size);

	for (uint32_t step = 1; step <= sim->plan->n_steps; step++) {
		const PlanOp *op = &sim->plan->ops[step_of(sim, step)->op];

		sim_must(sim, !is_left(sim, run, step) || steps[step - 1] || run->world.blind,
			 "parked, and step %u (%s) is not told to remain", step, op->hook->name);
		sim_must(sim,
			 !steps[step - 1] || op->kind != PLAN_CALL || run->world.lossy ||
				 run->world.calls[step_of(sim, step)->op].begun,
			 "parked, and step %u (%s) is told to remain, which was never begun", step, op->hook->name);
	}
}

static void check_reversed(Sim *sim, SimRun *run, const bool *told)
{
	for (uint32_t step = 1; step <= sim->plan->n_steps; step++)
		sim_must(sim, !is_left(sim, run, step) || told[step - 1],
			 "what step %u (%s) did is left, and not told to remain", step,
			 sim->plan->ops[step_of(sim, step)->op].hook->name);
}

static void check_ended(Sim *sim, SimRun *run, WalkStatus status, const char *reply, size_t size)
{
	_cleanup_free_ bool *told = listed(sim, reply, size);

	for (uint32_t step = 1; step <= sim->plan->n_steps; step++)
		sim_must(sim, status == WALK_SETTLED || !told[step - 1], "rectified, and step %u is told to remain",
			 step);
	check_reversed(sim, run, told);
}

static void check_done(Sim *sim, SimRun *run)
{
	for (uint32_t op = 0; op < sim->plan->n_forward; op++)
		sim_must(sim, is_done(sim, run, op), "it has succeeded, and step %u (%s) took effect %u times",
			 sim->plan->ops[op].step, sim->plan->ops[op].hook->name, run->world.calls[op].effects);
}

static bool has(const char *text, size_t size, const char *part)
{
	return memmem(text, size, part, strlen(part)) != NULL;
}

void sim_world_check(Sim *sim, SimRun *run, WalkStatus status, const char *reply, size_t reply_size)
{
	sim_must(sim, has(reply, reply_size, walk_status_name(status)), "status %s with the reply %.*s",
		 walk_status_name(status), (int)reply_size, reply);
	if (status == WALK_PARKED)
		check_remaining(sim, run, reply, reply_size);
	else if (status == WALK_SUCCEEDED || (status == WALK_SETTLED && has(reply, reply_size, "\"error\":null")))
		check_done(sim, run);
	else if (status == WALK_RECTIFIED || status == WALK_SETTLED)
		check_ended(sim, run, status, reply, reply_size);
	else
		sim_fail(sim, "a run has ended with status %u", status);
}

void sim_world_check_vanished(Sim *sim, SimRun *run)
{
	for (uint32_t op = 0; op < sim->plan->n_forward; op++) {
		const PlanOp *planned = &sim->plan->ops[op];

		if (planned->kind != PLAN_CALL || run->world.calls[op].calls == 0)
			continue;
		sim_must(sim, !id_equal(&run->world.boot, &sim->boot),
			 "no power was lost, and nothing is known of step %u (%s)", planned->step, planned->hook->name);
		sim_must(sim, run->world.lossy || !is_left(sim, run, planned->step),
			 "nothing is known of step %u (%s), which is to be reversed", planned->step,
			 planned->hook->name);
	}
	sim_must(sim, !run->answered, "it was answered, and nothing is known of it");
}

void sim_world_decide(Sim *sim, SimRun *run, RecordKind verb, uint32_t step, bool by_hand)
{
	const PlanOp *op;
	SimCall *call;

	run->world.budgets += verb != RECORD_SKIP;
	if (step == 0)
		return;
	op = &sim->plan->ops[step_of(sim, step)->op];
	call = &run->world.calls[step_of(sim, step)->op];
	if (verb == RECORD_CONFIRM && call->effects == 0 && op->kind == PLAN_CALL)
		call->effects = 1;
	if (verb != RECORD_SKIP)
		return;
	run->world.skipped[step - 1] = true;
	if (by_hand) {
		set_left(sim, run, step, false);
		call->effects = 0;
	}
}
