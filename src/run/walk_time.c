/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "run/walk_private.h"

static uint64_t op_timeout(const PlanOp *op)
{
	return op->hook ? op->hook->timeout_usec : op->program->timeout_usec;
}

int walk_timer_push(Walk *walk, const PlanOp *op)
{
	if (op_timeout(op) == 0)
		return 0;
	if (walk->n_timers == walk->timers_capacity) {
		size_t capacity = walk->timers_capacity ? walk->timers_capacity * 2 : 4;
		WalkTimer *timers = realloc(walk->timers, capacity * sizeof(*timers));

		if (!timers)
			return -ENOMEM;
		walk->timers = timers;
		walk->timers_capacity = capacity;
	}
	walk->timers[walk->n_timers++] = (WalkTimer){
		.program = op->hook ? op->hook->program : op->program,
		.timeout_usec = op_timeout(op),
		.deadline_usec = walk->op == 0 ? walk->begun_usec + op_timeout(op) : 0,
	};
	return 0;
}

void walk_timer_pop(Walk *walk, const PlanOp *op)
{
	if (op_timeout(op) != 0)
		walk->n_timers--;
}

void walk_timers_renew(Walk *walk)
{
	for (size_t i = 0; i < walk->n_timers; i++)
		walk->timers[i].deadline_usec = 0;
}

int walk_taken(Walk *walk)
{
	int r = walk_seek(walk);

	if (r >= 0)
		walk_timers_renew(walk);
	return r;
}

void walk_timers_begin(Walk *walk, uint64_t now_usec)
{
	for (size_t i = walk->n_timers; i > 0 && walk->timers[i - 1].deadline_usec == 0; i--)
		walk->timers[i - 1].deadline_usec = now_usec + walk->timers[i - 1].timeout_usec;
}

/* Rules 9 and 14. */
SpecRetry walk_budget(const Walk *walk, const SpecHook *hook)
{
	if (!walk->back || hook->retry.declared)
		return hook->retry;
	return (SpecRetry){
		.attempts = SPEC_RECTIFIER_ATTEMPTS,
		.backoff_usec = SPEC_RECTIFIER_BACKOFF_USEC,
		.max_backoff_usec = SPEC_RECTIFIER_MAX_BACKOFF_USEC,
	};
}

bool walk_has_attempts(const Walk *walk, const SpecHook *hook)
{
	return walk->attempt - walk->spent < walk_budget(walk, hook).attempts;
}

uint64_t walk_wait_usec(const Walk *walk, const SpecHook *hook)
{
	SpecRetry retry = walk_budget(walk, hook);
	uint64_t usec = retry.backoff_usec;

	for (uint32_t n = walk->spent + 2; n < walk->attempt && usec < retry.max_backoff_usec; n++)
		usec *= 2;
	return MIN(usec, retry.max_backoff_usec);
}

static void take_deadline(uint64_t deadline_usec, const SpecProgram *program, WalkAction *action)
{
	if (action->deadline_usec != 0 && action->deadline_usec <= deadline_usec)
		return;
	action->deadline_usec = deadline_usec;
	action->deadline_program = program;
}

void walk_deadline(const Walk *walk, const PlanOp *op, uint64_t now_usec, WalkAction *action)
{
	if (action->kind == WALK_CALL && op->hook->timeout_usec != 0)
		take_deadline(now_usec + op->hook->timeout_usec, NULL, action);
	for (size_t i = 0; i < walk->n_timers && !walk->back; i++)
		take_deadline(walk->timers[i].deadline_usec, walk->timers[i].program, action);
}
