/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "run/walk_private.h"

/* Rule 18. A boundary lies in front of a call, so something is always left to run there. */
static int may_stop(const Walk *walk, ErrorCode cause)
{
	if (walk->back)
		return -EALREADY;
	if (walk->status != WALK_RUNNING)
		return cause == ERROR_CANCELLED ? -EPERM : -EALREADY;
	if (cause != ERROR_CANCELLED)
		return 0;
	for (uint32_t i = 0; i < walk->plan->n_steps; i++)
		if (walk->plan->steps[i].irreversible && walk->states[i].done)
			return -EPERM;
	return 0;
}

static void stop_now(Walk *walk, Fault *fault)
{
	const PlanOp *op = &walk->plan->ops[walk->op];

	if (walk->attempt > 1) {
		fault->step = op->step;
		fault->hook = op->hook;
	}
	walk_leave_call(walk, op->step);
	walk_fail(walk, fault);
}

/* What was asked while a call was in hand takes effect now, unless the call's end has made it void. */
int walk_stop_then(Walk *walk)
{
	_cleanup_fault_ Fault fault = {};
	int r;

	if (walk->stop.code == ERROR_NONE)
		return 0;
	r = walk_seek(walk);
	if (r < 0)
		return r;
	fault = TAKE(walk->stop, (Fault){});
	if (may_stop(walk, fault.code) == 0)
		stop_now(walk, &fault);
	return 0;
}

static const struct {
	ErrorCode cause;
	const char *message;
} stop_messages[] = {
	{ ERROR_CANCELLED, "the run was cancelled" },
	{ ERROR_PROGRAM_TIMEOUT, "the program's time was up before its next call" },
	{ ERROR_INTERRUPTED, "the run was interrupted" },
};

static int fault_from_stop(Fault *fault, const Walk *walk, ErrorCode cause, const char *program, const char *message)
{
	for (size_t i = 0; i < ELEMENTSOF(stop_messages) && !message; i++)
		if (stop_messages[i].cause == cause)
			message = stop_messages[i].message;
	if (!message)
		return -EINVAL;
	fault->message = strdup(message);
	if (!fault->message)
		return -ENOMEM;
	fault->code = cause;
	if (program && *program)
		fault->program = spec_program(walk->plan->spec, program);
	return 0;
}

int walk_stop(Walk *walk, ErrorCode cause, const char *program, const char *message)
{
	_cleanup_fault_ Fault fault = {};
	int r;

	if (walk->stop.code != ERROR_NONE)
		return -EALREADY;
	r = fault_from_stop(&fault, walk, cause, program, message);
	if (r < 0)
		return r;
	r = walk_seek(walk);
	if (r < 0)
		return r;
	r = may_stop(walk, cause);
	if (r < 0)
		return r;

	if (walk->in_hand)
		walk->stop = TAKE(fault, (Fault){});
	else
		stop_now(walk, &fault);
	return 0;
}

int walk_bar(Walk *walk, const char *message)
{
	int r;

	walk->barred = true;
	r = walk_stop(walk, ERROR_INTERRUPTED, NULL, message);
	return r == -EALREADY ? 0 : r;
}
