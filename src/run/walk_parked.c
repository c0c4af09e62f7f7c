/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "run/walk_private.h"

void walk_stand_parked(Walk *walk, Fault *fault)
{
	fault_done(&walk->parked);
	walk->parked = TAKE(*fault, (Fault){});
	walk->status = WALK_PARKED;
	walk->stage = STAGE_SEEK;
}

static bool sets_aside(ErrorCode code)
{
	return code == ERROR_MODULE_CHANGED || code == ERROR_STORE_MOVED || code == ERROR_DAMAGED;
}

/* The first step of which the records would not say that it was called. A run that was interrupted turned back because
 * nobody knew more of it. */
static uint32_t first_untold(const Walk *walk)
{
	const uint32_t none = walk->plan->n_steps + 1;

	if (walk->back)
		return walk->error.code == ERROR_INTERRUPTED ? walk->error.step + 1 : none;
	return walk->status == WALK_RUNNING ? walk->plan->ops[walk->op].step : none;
}

/* More may have been called than is known: nothing is called forwards any more, and that all of it was reversed is not
 * for the run to say: what lay ahead remains, in doubt. */
static void doubt_all(Walk *walk)
{
	walk->barred = walk->settled = true;
	for (uint32_t step = first_untold(walk); step <= walk->plan->n_steps; step++)
		walk->states[step - 1].untold = true;
	if (walk->status == WALK_RECTIFIED)
		walk->status = WALK_SETTLED;
}

int walk_park(Walk *walk, ErrorCode code, const char *message)
{
	_cleanup_fault_ Fault fault = {};
	const PlanOp *op;
	int r;

	if (!sets_aside(code))
		return -EINVAL;
	walk->in_hand = false;
	r = walk_stop_then(walk);
	if (r < 0)
		return r;
	r = walk_seek(walk);
	if (r < 0)
		return r;
	if (code == ERROR_DAMAGED)
		doubt_all(walk);
	if (walk->status != WALK_RUNNING)
		return -EALREADY;
	if (message) {
		fault.message = strdup(message);
		if (!fault.message)
			return -ENOMEM;
	}
	op = &walk->plan->ops[walk->op];
	fault.code = code;
	fault.step = op->step;
	fault.hook = op->hook;
	/* On the way forward an attempt that was unknown shows while the run stands here; a further one may still end it. */
	if (!walk->back)
		walk_leave_call(walk, op->step);
	walk_stand_parked(walk, &fault);
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

/* The call that would have come next does so now, with a fresh budget; what its attempts left in doubt stays so. On the
 * way forward they go on being numbered, so that none seems to be the first that is not; a rectifier bears that. */
static void go_on_here(Walk *walk)
{
	fault_done(&walk->parked);
	walk->status = WALK_RUNNING;
	walk->stage = STAGE_CALL;
	if (walk->back)
		walk->attempt = 1;
	walk->spent = walk->attempt - 1;
	walk_timers_renew(walk);
	if (!walk->back)
		walk->states[walk->plan->ops[walk->op].step - 1].doubt = false;
}

static void turn_damaged(Walk *walk)
{
	_cleanup_fault_ Fault fault = { .code = ERROR_INTERRUPTED, .message = take_ptr(walk->parked.message) };

	go_on_here(walk);
	walk_leave_call(walk, walk->plan->ops[walk->op].step);
	walk_fail(walk, &fault);
}

int walk_retry(Walk *walk, uint32_t step)
{
	int r = parked_at(walk, step);

	if (r < 0)
		return r;
	if (walk->parked.code == ERROR_IRREVERSIBLE)
		walk_turn(walk);
	else if (walk->parked.code == ERROR_DAMAGED && !walk->back)
		turn_damaged(walk);
	else if (sets_aside(walk->parked.code))
		go_on_here(walk);
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
	if (!walk->back)
		return -EPERM;
	irreversible = walk->parked.code == ERROR_IRREVERSIBLE;
	walk->settled = true;
	walk->states[step - 1].skipped = true;
	go_on(walk);
	if (irreversible)
		walk_turn(walk);
	else
		walk_reverse_next(walk);
	return 0;
}

void walk_undone_by_hand(Walk *walk, uint32_t step)
{
	if (step >= 1 && step <= walk->plan->n_steps && walk->states[step - 1].skipped)
		walk->states[step - 1].by_hand = true;
}

int walk_confirm(Walk *walk, uint32_t step)
{
	WalkState *state;
	int r = parked_at(walk, step);

	if (r < 0)
		return r;
	if (walk->parked.code != ERROR_IRREVERSIBLE || walk->barred)
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
	walk_timers_renew(walk);
	fault_done(&walk->error);
	go_on(walk);
	return 0;
}
