/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "run/walk_private.h"

static bool is_left(const Walk *walk, uint32_t step)
{
	const WalkState *state = &walk->states[step - 1];

	return (state->done || state->doubt) && !state->reversed && !state->skipped;
}

static void park(Walk *walk, Fault *fault)
{
	fault_done(&walk->parked);
	walk->parked = TAKE(*fault, (Fault){});
	walk->status = WALK_PARKED;
	walk->stage = STAGE_SEEK;
}

static void park_irreversible(Walk *walk, uint32_t step)
{
	const SpecHook *hook = walk->plan->ops[walk->plan->steps[step - 1].op].hook;
	_cleanup_buffer_ Buffer text = {};
	Fault fault = {
		.code = ERROR_IRREVERSIBLE,
		.step = step,
		.hook = hook,
	};

	buffer_format(&text, "step %u (\"%s\") %s and cannot be reversed; nothing was reversed; skip it or confirm it",
		      step, hook->name, walk->states[step - 1].doubt ? "is in doubt" : "is done");
	fault.message = buffer_take_text(&text);
	park(walk, &fault);
}

/* What stopped a rectifier is told within the message: the name is always RectifierFailed. */
static void park_rectifier(Walk *walk, Fault *fault)
{
	const char *what = fault->hook ? fault->hook->name : fault->program->name;
	const char *kind = fault->hook ? "rectifier" : "rectifying program";
	_cleanup_buffer_ Buffer text = {};

	buffer_format(&text, "%s \"%s\" of step %u (\"%s\"): %s", kind, what, walk->reversing,
		      walk->plan->ops[walk->plan->steps[walk->reversing - 1].op].hook->name, error_name(fault->code));
	if (fault->reason)
		buffer_format(&text, " (%s)", fault->reason);
	if (fault->message)
		buffer_format(&text, ": %s", fault->message);
	buffer_text(&text, "; retry or skip the step");
	free(fault->message);
	fault->message = buffer_take_text(&text);
	fault->code = ERROR_RECTIFIER_FAILED;
	fault->step = walk->reversing;
	park(walk, fault);
}

static uint32_t rectifiers_end(const Walk *walk)
{
	const PlanStep *step = &walk->plan->steps[walk->reversing - 1];

	return step->rectifiers + step->n_rectifiers;
}

/* Turns to the newest step below the one that was reversed last, or ends the run. */
static void reverse_next(Walk *walk)
{
	walk->stage = STAGE_SEEK;
	while (--walk->reversing > 0) {
		const PlanStep *step = &walk->plan->steps[walk->reversing - 1];

		if (step->n_rectifiers == 0 || !is_left(walk, walk->reversing))
			continue;
		walk->op = step->rectifiers;
		pool_rewind(walk->pool, walk->states[walk->reversing - 1].mark);
		return;
	}
	pool_rewind(walk->pool, walk->start);
	walk->status = walk->settled ? WALK_SETTLED : WALK_RECTIFIED;
}

void walk_turn(Walk *walk)
{
	walk->back = true;
	walk->status = WALK_RUNNING;
	for (uint32_t step = walk->plan->n_steps; step > 0; step--)
		if (walk->plan->steps[step - 1].irreversible && is_left(walk, step)) {
			park_irreversible(walk, step);
			return;
		}

	pool_open_overlay(walk->pool);
	walk->reversing = walk->plan->n_steps + 1;
	reverse_next(walk);
}

int walk_seek_back(Walk *walk)
{
	const PlanOp *op = &walk->plan->ops[walk->op];
	_cleanup_fault_ Fault fault = {};
	int r;

	if (walk->op == rectifiers_end(walk)) {
		walk->states[walk->reversing - 1].reversed = true;
		reverse_next(walk);
		return 0;
	}

	r = walk_check(walk, op, &fault);
	if (r == -EBADMSG) {
		park_rectifier(walk, &fault);
		return 0;
	}
	if (r < 0)
		return r;
	if (op->kind == PLAN_CALL)
		walk_ready(walk);
	else
		walk->op++;
	return 0;
}

int walk_ended_back(Walk *walk, const Outcome *outcome)
{
	const PlanOp *op = &walk->plan->ops[walk->op];
	_cleanup_fault_ Fault fault = {};
	int r;

	if (outcome->kind == OUTCOME_OK) {
		r = walk_apply(walk, outcome);
		if (r < 0)
			return r;
		walk->op++;
		walk->stage = STAGE_SEEK;
		return 0;
	}
	if (walk->attempt < walk_budget(walk, op->hook).attempts) {
		walk->attempt++;
		walk->stage = STAGE_WAIT;
		return 0;
	}
	r = fault_from_outcome(&fault, walk, op, outcome);
	if (r < 0)
		return r;
	park_rectifier(walk, &fault);
	return 0;
}

static int parked_at(const Walk *walk, uint32_t step)
{
	if (walk->status != WALK_PARKED)
		return -EBUSY;
	return walk->parked.step == step ? 0 : -ESTALE;
}

static void go_on(Walk *walk)
{
	fault_done(&walk->parked);
	walk->status = WALK_RUNNING;
	walk->stage = STAGE_SEEK;
}

int walk_retry(Walk *walk, uint32_t step)
{
	int r = parked_at(walk, step);

	if (r < 0)
		return r;
	if (walk->parked.code == ERROR_IRREVERSIBLE)
		walk_turn(walk);
	else
		go_on(walk);
	return 0;
}

int walk_skip(Walk *walk, uint32_t step)
{
	int r = parked_at(walk, step);
	bool irreversible;

	if (r < 0)
		return r;
	irreversible = walk->parked.code == ERROR_IRREVERSIBLE;
	walk->settled = true;
	walk->states[step - 1].skipped = true;
	go_on(walk);
	if (irreversible)
		walk_turn(walk);
	else
		reverse_next(walk);
	return 0;
}

int walk_confirm(Walk *walk, uint32_t step)
{
	WalkState *state;
	int r = parked_at(walk, step);

	if (r < 0)
		return r;
	if (walk->parked.code != ERROR_IRREVERSIBLE)
		return -EPERM;
	for (uint32_t other = 1; other <= walk->plan->n_steps; other++)
		if (other != step && walk->states[other - 1].doubt)
			return -EPERM;

	state = &walk->states[step - 1];
	if (state->doubt) {
		state->doubt = false;
		state->done = true;
		walk->op++;
	}
	walk->settled = true;
	walk->back = false;
	for (size_t i = 0; i < walk->n_timers; i++)
		walk->timers[i].deadline_usec = 0;
	fault_done(&walk->error);
	go_on(walk);
	return 0;
}
