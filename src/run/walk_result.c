/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "run/walk_private.h"

const char *walk_status_name(WalkStatus status)
{
	static const char *const names[WALK_STATUS_MAX] = {
		[WALK_RUNNING] = "running", [WALK_SUCCEEDED] = "succeeded", [WALK_RECTIFIED] = "rectified",
		[WALK_PARKED] = "parked",   [WALK_SETTLED] = "settled",
	};

	return status < WALK_STATUS_MAX ? names[status] : NULL;
}

const char *outcome_name(OutcomeKind kind)
{
	static const char *const names[OUTCOME_KIND_MAX] = {
		[OUTCOME_OK] = "ok",
		[OUTCOME_FAILED] = "failed",
		[OUTCOME_UNKNOWN] = "unknown",
	};

	return kind < OUTCOME_KIND_MAX ? names[kind] : NULL;
}

Pool *walk_pool(Walk *walk)
{
	return walk->pool;
}

WalkStatus walk_status(const Walk *walk)
{
	return walk->status;
}

bool walk_rectifying(const Walk *walk)
{
	return walk->back;
}

const char *walk_stand_name(WalkStand stand)
{
	static const char *const names[WALK_STAND_MAX] = {
		[WALK_STAND_AHEAD] = "ahead",       [WALK_STAND_DONE] = "done",       [WALK_STAND_DOUBT] = "in-doubt",
		[WALK_STAND_REVERSED] = "reversed", [WALK_STAND_SKIPPED] = "skipped", [WALK_STAND_FAILED] = "failed",
	};

	return stand < WALK_STAND_MAX ? names[stand] : NULL;
}

WalkStand walk_stand(const Walk *walk, uint32_t step)
{
	const WalkState *state = &walk->states[step - 1];

	if (state->reversed)
		return WALK_STAND_REVERSED;
	if (state->skipped)
		return WALK_STAND_SKIPPED;
	if (state->doubt || state->untold)
		return WALK_STAND_DOUBT;
	if (state->done)
		return WALK_STAND_DONE;
	return walk->error.step == step ? WALK_STAND_FAILED : WALK_STAND_AHEAD;
}

static WalkError show(const Fault *fault)
{
	return (WalkError){
		.code = fault->code,
		.reason = fault->reason,
		.message = fault->message,
		.path = fault->path,
		.step = fault->step,
		.hook = fault->hook ? fault->hook->name : NULL,
		.program = fault->program ? fault->program->name : NULL,
	};
}

void walk_error(const Walk *walk, WalkError *ret)
{
	*ret = show(&walk->error);
}

void walk_parked(const Walk *walk, WalkError *ret)
{
	*ret = show(&walk->parked);
}

static bool is_rectified(const Walk *walk, uint32_t step)
{
	return walk->states[step - 1].reversed;
}

static bool is_remaining(const Walk *walk, uint32_t step)
{
	const WalkState *state = &walk->states[step - 1];
	const PlanStep *planned = &walk->plan->steps[step - 1];

	return (state->done || state->doubt || state->untold) && !state->reversed && !state->by_hand &&
	       (planned->n_rectifiers > 0 || planned->irreversible);
}

/* Rule 45: a run that goes forwards, or went to its end, lists nothing; one that stands shows what it has done. */
static bool lists(const Walk *walk)
{
	return walk->back || walk->status == WALK_PARKED;
}

static int list(const Walk *walk, bool (*is_listed)(const Walk *, uint32_t), WalkStep **ret, size_t *ret_n)
{
	WalkStep *steps;
	size_t n = 0;

	if (!lists(walk)) {
		*ret = NULL;
		*ret_n = 0;
		return 0;
	}
	steps = calloc(walk->plan->n_steps + 1, sizeof(*steps));
	if (!steps)
		return -ENOMEM;
	for (uint32_t step = walk->plan->n_steps; step > 0; step--)
		if (is_listed(walk, step))
			steps[n++] = (WalkStep){
				.step = step,
				.hook = walk->plan->ops[walk->plan->steps[step - 1].op].hook->name,
				.in_doubt = walk->states[step - 1].doubt || walk->states[step - 1].untold,
			};
	*ret = steps;
	*ret_n = n;
	return 0;
}

int walk_rectified(const Walk *walk, WalkStep **ret, size_t *ret_n)
{
	return list(walk, is_rectified, ret, ret_n);
}

int walk_remaining(const Walk *walk, WalkStep **ret, size_t *ret_n)
{
	return list(walk, is_remaining, ret, ret_n);
}

int walk_outputs(Walk *walk, WalkOutput **ret, size_t *ret_n)
{
	const PlanOp *leave = &walk->plan->ops[walk->plan->n_forward - 1];
	WalkOutput *outputs;
	size_t n = 0;

	outputs = zalloc((leave->n_outputs + 1) * sizeof(*outputs));
	if (!outputs)
		return -ENOMEM;
	for (size_t i = 0; i < leave->n_outputs; i++) {
		const Value *value = pool_get(walk->pool, leave->outputs[i].key);

		if (value)
			outputs[n++] = (WalkOutput){ .arg = leave->outputs[i].arg, .value = value };
	}
	*ret = outputs;
	*ret_n = n;
	return 0;
}
