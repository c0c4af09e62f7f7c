/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "run/walk_private.h"

static bool is_left(const Walk *walk, uint32_t step)
{
	const WalkState *state = &walk->states[step - 1];

	return (state->done || state->doubt) && !state->reversed && !state->skipped;
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
	walk_stand_parked(walk, &fault);
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
	walk_stand_parked(walk, fault);
}

static uint32_t rectifiers_end(const Walk *walk)
{
	const PlanStep *step = &walk->plan->steps[walk->reversing - 1];

	return step->rectifiers + step->n_rectifiers;
}

void walk_reverse_next(Walk *walk)
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
	walk_reverse_next(walk);
}

int walk_seek_back(Walk *walk)
{
	const PlanOp *op = &walk->plan->ops[walk->op];
	_cleanup_fault_ Fault fault = {};
	int r;

	if (walk->op == rectifiers_end(walk)) {
		walk->states[walk->reversing - 1].reversed = true;
		walk_reverse_next(walk);
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
	if (walk_has_attempts(walk, op->hook)) {
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
