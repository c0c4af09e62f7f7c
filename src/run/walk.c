/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "run/walk_private.h"

static int set_all(Pool *pool, const PoolWrite *writes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int r = pool_set(pool, writes[i].key, &writes[i].value);

		if (r < 0)
			return r;
	}
	return 0;
}

int walk_new(const Plan *plan, const PoolWrite *arguments, size_t n_arguments, uint64_t now_usec, Walk **ret)
{
	_cleanup_walk_ Walk *walk = zalloc(sizeof(*walk) + plan->n_steps * sizeof(walk->states[0]));
	int r;

	if (!walk)
		return -ENOMEM;
	walk->plan = plan;
	walk->begun_usec = now_usec;
	r = pool_new(plan->keys, plan->n_keys, &walk->pool);
	if (r < 0)
		return r;
	r = set_all(walk->pool, arguments, n_arguments);
	if (r < 0)
		return r;
	*ret = take_ptr(walk);
	return 0;
}

int walk_start(const Plan *plan, Reader *arguments, uint64_t now_usec, Walk **ret)
{
	_cleanup_walk_ Walk *walk = NULL;
	int r;

	r = walk_new(plan, NULL, 0, now_usec, &walk);
	if (r < 0)
		return r;
	r = pool_decode(walk->pool, arguments);
	if (r < 0)
		return r;
	*ret = take_ptr(walk);
	return 0;
}

Walk *walk_free(Walk *walk)
{
	if (!walk)
		return NULL;
	pool_free(walk->pool);
	fault_done(&walk->error);
	fault_done(&walk->parked);
	fault_done(&walk->stop);
	free(walk->timers);
	free(walk);
	return NULL;
}

void walk_ready(Walk *walk)
{
	walk->stage = STAGE_CALL;
	walk->attempt = 1;
	walk->spent = 0;
	walk->doubt = false;
}

static void complete(Walk *walk, uint32_t step)
{
	WalkState *state = &walk->states[step - 1];

	state->done = true;
	state->mark = pool_mark(walk->pool);
}

void walk_fail(Walk *walk, Fault *fault)
{
	fault_done(&walk->error);
	fault_done(&walk->stop);
	walk->error = TAKE(*fault, (Fault){});
	walk_turn(walk);
}

static int pass(Walk *walk, const PlanOp *op)
{
	int r;

	switch (op->kind) {
	case PLAN_ENTER:
		r = walk_timer_push(walk, op);
		if (r < 0)
			return r;
		break;
	case PLAN_CALL:
		walk_ready(walk);
		return 0;
	case PLAN_LEAVE:
		walk_timer_pop(walk, op);
		break;
	case PLAN_STAND:
		walk_timer_pop(walk, op);
		complete(walk, op->step);
		break;
	}
	if (++walk->op == walk->plan->n_forward)
		walk->status = walk->settled ? WALK_SETTLED : WALK_SUCCEEDED;
	return 0;
}

static int seek_forward(Walk *walk)
{
	const PlanOp *op = &walk->plan->ops[walk->op];
	_cleanup_fault_ Fault fault = {};
	int r;

	r = walk_check(walk, op, &fault);
	if (walk->op == 0)
		walk->start = pool_mark(walk->pool);
	if (r == -EBADMSG) {
		walk_fail(walk, &fault);
		return 0;
	}
	return r < 0 ? r : pass(walk, op);
}

int walk_seek(Walk *walk)
{
	while (walk->status == WALK_RUNNING && walk->stage == STAGE_SEEK) {
		int r = walk->back ? walk_seek_back(walk) : seek_forward(walk);

		if (r < 0)
			return r;
	}
	return 0;
}

int walk_apply(Walk *walk, const Outcome *outcome)
{
	size_t mark = pool_mark(walk->pool);
	int r;

	r = set_all(walk->pool, outcome->writes, outcome->n_writes);
	if (r < 0)
		pool_rewind(walk->pool, mark);
	return r;
}

/* Rules 8 and 9. */
static bool may_repeat(const Walk *walk, const SpecHook *hook, const Outcome *outcome)
{
	if (outcome->error == ERROR_PROGRAM_TIMEOUT || outcome->error == ERROR_CANCELLED)
		return false;
	if (outcome->kind == OUTCOME_UNKNOWN && !hook->idempotent)
		return false;
	return walk_has_attempts(walk, hook);
}

void walk_leave_call(Walk *walk, uint32_t step)
{
	if (!walk->doubt)
		return;
	walk->states[step - 1].doubt = true;
	walk->states[step - 1].mark = pool_mark(walk->pool);
}

static int ended_forward(Walk *walk, const Outcome *outcome)
{
	const PlanOp *op = &walk->plan->ops[walk->op];
	_cleanup_fault_ Fault fault = {};
	int r;

	if (outcome->kind == OUTCOME_OK) {
		r = walk_apply(walk, outcome);
		if (r < 0)
			return r;
		complete(walk, op->step);
		walk->op++;
		walk->stage = STAGE_SEEK;
		return 0;
	}

	r = fault_from_outcome(&fault, walk, op, outcome);
	if (r < 0)
		return r;
	walk->doubt = walk->doubt || outcome->kind == OUTCOME_UNKNOWN;
	if (may_repeat(walk, op->hook, outcome)) {
		walk->attempt++;
		walk->stage = STAGE_WAIT;
		return 0;
	}
	walk_leave_call(walk, op->step);
	walk_fail(walk, &fault);
	return 0;
}

static WalkAction action_of(Walk *walk, uint64_t now_usec)
{
	const PlanOp *op = &walk->plan->ops[walk->op];
	WalkAction action = {
		.kind = walk->stage == STAGE_WAIT ? WALK_WAIT : WALK_CALL,
		.op = walk->op,
		.step = op->step,
		.attempt = walk->attempt,
		.rectifying = walk->back,
		.in_doubt = walk->back && walk->states[op->step - 1].doubt,
	};

	if (action.kind == WALK_WAIT)
		action.wait_usec = walk_wait_usec(walk, op->hook);
	walk_deadline(walk, op, now_usec, &action);
	return action;
}

int walk_next(Walk *walk, uint64_t now_usec, WalkAction *ret)
{
	int r;

	walk->in_hand = false;
	r = walk_stop_then(walk);
	if (r < 0)
		return r;
	r = walk_seek(walk);
	if (r < 0)
		return r;
	if (walk->status != WALK_RUNNING) {
		*ret = (WalkAction){ .kind = WALK_END };
		return 0;
	}

	walk_timers_begin(walk, now_usec);
	*ret = action_of(walk, now_usec);
	walk->in_hand = ret->kind == WALK_CALL;
	walk->stage = STAGE_CALL;
	return 0;
}

int walk_ended(Walk *walk, const Outcome *outcome)
{
	int r;

	if (!walk->in_hand || outcome->kind >= OUTCOME_KIND_MAX)
		return -EINVAL;
	r = walk->back ? walk_ended_back(walk, outcome) : ended_forward(walk, outcome);
	if (r < 0)
		return r;
	walk->in_hand = false;
	return 0;
}
