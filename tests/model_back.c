/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "tests/model_private.h"

/* What becomes of the step that is being reversed. */
typedef enum Fate {
	FATE_ON,
	FATE_AGAIN, /* the operator wants what stopped it tried again */
	FATE_SKIPPED,
	FATE_OVER, /* the run stands */
} Fate;

static OracleVerb ask(Model *model, bool refuse_confirm)
{
	for (;;) {
		OracleVerb verb = oracle_verb(model->oracle, model->n_verbs++);
		bool refused = verb == VERB_CONFIRM && refuse_confirm;

		story_verb(model->story, verb, !refused);
		if (!refused)
			return verb;
	}
}

static StoryPool seen(const Model *model, const Done *done)
{
	return dict_over(done->pool, &model->written);
}

static Fate park(Model *model, Done *done, WalkError error)
{
	StoryPool pool = seen(model, done);

	error.code = ERROR_RECTIFIER_FAILED;
	error.step = done->step;
	model_report(model, WALK_PARKED, &error, &pool);
	switch (ask(model, true)) {
	case VERB_RETRY:
		return FATE_AGAIN;
	case VERB_SKIP:
		done->skipped = true;
		model->settled = true;
		return FATE_SKIPPED;
	default:
		return FATE_OVER;
	}
}

static Fate back_check(Model *model, Done *done, const SpecArgs *args, bool outputs, bool defaults, const Scope *scope,
		       WalkError place)
{
	Fate fate = FATE_AGAIN;

	while (fate == FATE_AGAIN) {
		StoryPool pool = seen(model, done);
		WalkError error;

		if (defaults) {
			model_defaults(args, scope, &pool, &model->written);
			pool = seen(model, done);
		}
		if (model_check(model, args, outputs, scope, &pool, &error))
			return FATE_ON;
		error.hook = place.hook;
		error.program = place.program;
		fate = park(model, done, error);
	}
	return fate;
}

/* Rule 14. */
static SpecRetry budget(const SpecHook *hook)
{
	if (hook->retry.declared)
		return hook->retry;
	return (SpecRetry){ .attempts = 3, .backoff_usec = 100000, .max_backoff_usec = 5000000 };
}

static bool try_rectifier(Model *model, const Done *done, const SpecHook *hook, const Scope *scope, WalkError *error)
{
	StoryCall call = { .step = done->step, .attempt = 1, .rectifying = true, .in_doubt = done->in_doubt };
	StoryPool pool = seen(model, done);
	OracleOutcome outcome;

	for (; call.attempt <= budget(hook).attempts; call.attempt++) {
		if (call.attempt > 1)
			model_wait(model, &call, hook, budget(hook));
		model_call(model, &call, hook, &pool, &outcome);
		if (outcome.kind != OUTCOME_OK)
			continue;
		for (size_t i = 0; i < outcome.n_writes; i++)
			dict_set(&model->written, model_resolve(scope, outcome.writes[i].name),
				 outcome.writes[i].value);
		return true;
	}
	*error = (WalkError){ .hook = hook->name, .reason = outcome.reason, .program = outcome.program };
	return false;
}

static Fate back_function(Model *model, Done *done, const SpecHook *hook, const Scope *scope)
{
	WalkError place = { .hook = hook->name }, error;
	Fate fate = FATE_AGAIN;

	while (fate == FATE_AGAIN) {
		fate = back_check(model, done, &hook->args, false, false, scope, place);
		if (fate != FATE_ON || try_rectifier(model, done, hook, scope, &error))
			break;
		fate = park(model, done, error);
	}
	return fate;
}

static Fate back_references(Model *model, Done *done, const SpecReferences *references, const Scope *scope);

static Fate back_program(Model *model, Done *done, const SpecProgram *program, const Scope *scope)
{
	WalkError place = { .program = program->name };
	Fate fate;

	fate = back_check(model, done, &program->args, false, true, scope, place);
	if (fate == FATE_ON)
		fate = back_references(model, done, &program->hooks, scope);
	if (fate == FATE_ON)
		fate = back_check(model, done, &program->outputs, true, false, scope, place);
	return fate;
}

static Fate back_hook(Model *model, Done *done, const SpecHook *hook, const Scope *outer)
{
	const Scope *scope = model_scope(model, hook, outer);
	WalkError place = { .hook = hook->name };
	Fate fate;

	fate = back_references(model, done, &hook->dependencies, scope);
	if (fate != FATE_ON)
		return fate;
	if (!hook->program)
		return back_function(model, done, hook, scope);
	fate = back_check(model, done, &hook->args, false, true, scope, place);
	if (fate == FATE_ON)
		fate = back_program(model, done, hook->program, scope);
	if (fate == FATE_ON)
		fate = back_check(model, done, &hook->outputs, true, false, scope, place);
	return fate;
}

static Fate back_references(Model *model, Done *done, const SpecReferences *references, const Scope *scope)
{
	Fate fate = FATE_ON;

	for (size_t i = 0; i < references->n && fate == FATE_ON; i++) {
		const SpecReference *reference = &references->items[i];

		fate = reference->hook ? back_hook(model, done, reference->hook, scope)
				       : back_program(model, done, reference->program, scope);
	}
	return fate;
}

static void reverse(Model *model)
{
	StoryPool pool;

	for (size_t i = model->n_done; i > 0; i--) {
		Done *done = &model->done[i - 1];
		Fate fate;

		if (done->skipped || done->hook->rectifiers.n == 0)
			continue;
		fate = back_references(model, done, &done->hook->rectifiers, done->scope);
		if (fate == FATE_OVER)
			return;
		done->reversed = fate == FATE_ON;
	}
	pool = dict_over(model->begun, &model->written);
	model_report(model, model->settled ? WALK_SETTLED : WALK_RECTIFIED, NULL, &pool);
}

static Done *irreversible(Model *model)
{
	for (size_t i = model->n_done; i > 0; i--)
		if (model->done[i - 1].hook->irreversible && !model->done[i - 1].skipped)
			return &model->done[i - 1];
	return NULL;
}

static bool other_doubts(const Model *model, const Done *done)
{
	for (size_t i = 0; i < model->n_done; i++)
		if (&model->done[i] != done && model->done[i].in_doubt)
			return true;
	return false;
}

static Answer confirm(Model *model, Done *done)
{
	Answer answer = done->in_doubt ? ANSWER_AS_DONE : ANSWER_AGAIN;

	done->in_doubt = false;
	model->settled = true;
	model->failed = false;
	model->error = (WalkError){};
	for (size_t i = 0; i < model->n_timers; i++)
		model->timers[i].deadline_usec = model->now_usec + model->timers[i].timeout_usec;
	return answer;
}

Answer model_fail(Model *model, WalkError error, const Done *doubtful)
{
	Done *done;

	model->failed = true;
	model->error = error;
	if (error.path)
		model->error.path = strcpy(model->error_path, error.path);
	model->stop_answered = model->n_ended + 1;
	if (doubtful)
		model->done[model->n_done++] = *doubtful;

	while ((done = irreversible(model))) {
		WalkError parked = { .code = ERROR_IRREVERSIBLE, .step = done->step, .hook = done->hook->name };

		model_report(model, WALK_PARKED, &parked, &model->pool);
		switch (ask(model, other_doubts(model, done))) {
		case VERB_RETRY:
			continue;
		case VERB_SKIP:
			done->skipped = true;
			model->settled = true;
			continue;
		case VERB_CONFIRM:
			return confirm(model, done);
		default:
			return ANSWER_OVER;
		}
	}
	reverse(model);
	return ANSWER_OVER;
}
