/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "tests/model_private.h"

static void timer_push(Model *model, const SpecProgram *program, uint64_t timeout_usec)
{
	if (model->n_timers == MODEL_DEPTH_MAX)
		abort();
	if (timeout_usec)
		model->timers[model->n_timers++] =
			(ModelTimer){ program, timeout_usec, model->now_usec + timeout_usec };
}

static void timer_pop(Model *model, uint64_t timeout_usec)
{
	if (timeout_usec)
		model->n_timers--;
}

static void complete(Model *model, uint32_t step, const SpecHook *hook, const Scope *scope)
{
	if (model->n_done == MODEL_STEPS_MAX)
		abort();
	model->done[model->n_done++] = (Done){ .step = step, .hook = hook, .scope = scope, .pool = model->pool };
}

/* Rule 18, at the boundary before a call. */
static bool is_stopped(Model *model, OracleStop *ret)
{
	if (model->stop_answered > model->n_ended)
		return false;
	model->stop_answered = model->n_ended + 1;
	*ret = oracle_stop(model->oracle, model->n_ended);
	for (size_t i = 0; i < model->n_done && ret->cause == ERROR_CANCELLED; i++)
		if (model->done[i].hook->irreversible && !model->done[i].in_doubt)
			return false;
	return ret->cause != ERROR_NONE;
}

/* Rules 8 and 9. */
static bool is_repeated(const SpecHook *hook, const OracleOutcome *outcome, uint32_t attempt)
{
	if (outcome->error == ERROR_CANCELLED || outcome->error == ERROR_PROGRAM_TIMEOUT)
		return false;
	return attempt < hook->retry.attempts && (outcome->kind == OUTCOME_FAILED || hook->idempotent);
}

/* All attempts of one step; true where the last of them ended ok, else why not. */
static bool try_step(Model *model, const SpecHook *hook, const Scope *scope, uint32_t step, bool *in_doubt,
		     WalkError *error)
{
	StoryCall call = { .step = step, .attempt = 1 };
	OracleOutcome outcome;
	OracleStop stop;

	for (;; call.attempt++) {
		bool stopped = is_stopped(model, &stop);

		if (call.attempt > 1 && (!stopped || stop.moment == MOMENT_NAMED))
			model_wait(model, &call, hook, hook->retry);
		if (stopped) {
			*error = (WalkError){ .code = stop.cause, .program = stop.program };
			if (call.attempt > 1) {
				error->step = step;
				error->hook = hook->name;
			}
			return false;
		}
		model_call(model, &call, hook, &model->pool, &outcome);
		if (outcome.kind == OUTCOME_OK)
			break;
		*in_doubt = *in_doubt || outcome.kind == OUTCOME_UNKNOWN;
		*error = (WalkError){ .code = outcome.error,
				      .step = step,
				      .hook = hook->name,
				      .reason = outcome.reason,
				      .program = outcome.program };
		if (!is_repeated(hook, &outcome, call.attempt))
			return false;
	}
	for (size_t i = 0; i < outcome.n_writes; i++)
		dict_set(&model->pool, model_resolve(scope, outcome.writes[i].name), outcome.writes[i].value);
	return true;
}

static bool forward_function(Model *model, const SpecHook *hook, const Scope *scope)
{
	uint32_t step = ++model->n_steps;
	Answer answer = ANSWER_AGAIN;

	while (answer == ANSWER_AGAIN) {
		Done doubtful = { .step = step, .hook = hook, .scope = scope, .in_doubt = true };
		bool in_doubt = false;
		WalkError error;

		if (!model_check(model, &hook->args, false, scope, &model->pool, &error)) {
			error.step = step;
			error.hook = hook->name;
		} else if (try_step(model, hook, scope, step, &in_doubt, &error)) {
			complete(model, step, hook, scope);
			return true;
		}
		doubtful.pool = model->pool;
		answer = model_fail(model, error, in_doubt ? &doubtful : NULL);
	}
	return answer == ANSWER_AS_DONE;
}

static uint32_t count_steps(const SpecReferences *references)
{
	uint32_t n = 0;

	for (size_t i = 0; i < references->n; i++) {
		const SpecHook *hook = references->items[i].hook;
		const SpecProgram *program = hook ? hook->program : references->items[i].program;

		n += hook ? 1 + count_steps(&hook->dependencies) : 0;
		n += program ? count_steps(&program->hooks) : 0;
	}
	return n;
}

/* A check that is no call's: with defaults added before it where arguments are meant. */
static bool forward_check(Model *model, const SpecArgs *args, bool outputs, const Scope *scope, WalkError place)
{
	WalkError error;

	if (!outputs)
		model_defaults(args, scope, &model->pool, &model->pool);
	if (!place.hook && place.program == model->program->name && !outputs)
		model->begun = model->pool;
	while (!model_check(model, args, outputs, scope, &model->pool, &error)) {
		error.step = place.step;
		error.hook = place.hook;
		error.program = place.program;
		if (model_fail(model, error, NULL) == ANSWER_OVER)
			return false;
	}
	return true;
}

static bool forward_references(Model *model, const SpecReferences *references, const Scope *scope);

static bool forward_stand(Model *model, const SpecHook *hook, const Scope *scope)
{
	uint32_t step = model->n_steps + count_steps(&hook->program->hooks) + 1;
	WalkError place = { .step = step, .hook = hook->name };

	if (!forward_check(model, &hook->args, false, scope, place))
		return false;
	timer_push(model, hook->program, hook->timeout_usec);
	if (!model_forward_program(model, hook->program, scope))
		return false;
	if (!forward_check(model, &hook->outputs, true, scope, place))
		return false;
	timer_pop(model, hook->timeout_usec);
	model->n_steps++;
	complete(model, step, hook, scope);
	return true;
}

static bool forward_references(Model *model, const SpecReferences *references, const Scope *outer)
{
	for (size_t i = 0; i < references->n; i++) {
		const SpecHook *hook = references->items[i].hook;
		const Scope *scope;

		if (!hook) {
			if (!model_forward_program(model, references->items[i].program, outer))
				return false;
			continue;
		}
		scope = model_scope(model, hook, outer);
		if (!forward_references(model, &hook->dependencies, scope))
			return false;
		if (!(hook->program ? forward_stand : forward_function)(model, hook, scope))
			return false;
	}
	return true;
}

bool model_forward_program(Model *model, const SpecProgram *program, const Scope *scope)
{
	WalkError place = { .program = program->name };

	if (!forward_check(model, &program->args, false, scope, place))
		return false;
	timer_push(model, program, program->timeout_usec);
	if (!forward_references(model, &program->hooks, scope))
		return false;
	if (!forward_check(model, &program->outputs, true, scope, place))
		return false;
	timer_pop(model, program->timeout_usec);
	return true;
}
