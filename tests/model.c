/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/model.h"

#include <string.h>

#include "tests/model_private.h"

const char *model_resolve(const Scope *scope, const char *name)
{
	for (; scope; scope = scope->outer)
		for (size_t i = 0; i < scope->hook->n_binds; i++)
			if (strcmp(scope->hook->binds[i].name, name) == 0) {
				name = scope->hook->binds[i].key;
				break;
			}
	return name;
}

const Scope *model_scope(Model *model, const SpecHook *hook, const Scope *outer)
{
	Scope *scope = malloc(sizeof(*scope));

	if (!scope)
		abort();
	*scope = (Scope){ .hook = hook, .outer = outer, .older = model->scopes };
	model->scopes = scope;
	return scope;
}

const Value *dict_get(const StoryPool *dict, const char *name)
{
	for (size_t i = 0; i < dict->n; i++)
		if (strcmp(dict->entries[i].name, name) == 0)
			return dict->entries[i].value;
	return NULL;
}

void dict_set(StoryPool *dict, const char *name, const Value *value)
{
	for (size_t i = 0; i < dict->n; i++)
		if (strcmp(dict->entries[i].name, name) == 0) {
			dict->entries[i].value = value;
			return;
		}
	if (dict->n == STORY_POOL_MAX)
		abort();
	dict->entries[dict->n++] = (StoryEntry){ name, value };
}

StoryPool dict_over(StoryPool under, const StoryPool *over)
{
	for (size_t i = 0; i < over->n; i++)
		dict_set(&under, over->entries[i].name, over->entries[i].value);
	return under;
}

/* Rule 20, for the pool \p seen; what is added goes to \p to. */
void model_defaults(const SpecArgs *args, const Scope *scope, const StoryPool *seen, StoryPool *to)
{
	for (size_t i = 0; i < args->n; i++) {
		const char *key = model_resolve(scope, args->items[i].name);

		if (args->items[i].has_default && !dict_get(seen, key) && !dict_get(to, key))
			dict_set(to, key, &args->items[i].fallback);
	}
}

static bool right_type(ValueType asked, ValueType got)
{
	return asked == got || (asked == VALUE_FLOAT && got == VALUE_INT);
}

bool model_check(Model *model, const SpecArgs *args, bool outputs, const Scope *scope, const StoryPool *pool,
		 WalkError *error)
{
	for (size_t i = 0; i < args->n; i++) {
		const SpecArg *arg = &args->items[i];
		const char *key = model_resolve(scope, arg->name);
		const Value *value = dict_get(pool, key);

		if (!value && (!arg->required || arg->has_default))
			continue;
		if (value && right_type(arg->type, value->type))
			continue;
		*error = (WalkError){ .code = value ? ERROR_WRONG_TYPE : ERROR_MISSING_ARGUMENT, .path = model->path };
		if (outputs)
			error->code = ERROR_MISSING_OUTPUT;
		model->path[0] = '/';
		strcpy(model->path + 1, key);
		return false;
	}
	return true;
}

/* Rule 7. */
static void judge(const SpecHook *hook, OracleOutcome *outcome)
{
	for (size_t i = 0; i < hook->outputs.n && outcome->kind == OUTCOME_OK; i++) {
		const SpecArg *output = &hook->outputs.items[i];
		const Value *value = NULL;

		for (size_t k = 0; k < outcome->n_writes; k++)
			if (strcmp(outcome->writes[k].name, output->name) == 0)
				value = outcome->writes[k].value;
		if (value ? right_type(output->type, value->type) : !output->required)
			continue;
		*outcome =
			(OracleOutcome){ .kind = OUTCOME_UNKNOWN, .error = ERROR_HOOK_UNKNOWN, .usec = outcome->usec };
	}
}

void model_call(Model *model, StoryCall *call, const SpecHook *hook, const StoryPool *pool, OracleOutcome *ret)
{
	call->hook = hook->name;
	call->deadline_usec = 0;
	call->deadline_program = NULL;
	if (hook->timeout_usec)
		call->deadline_usec = model->now_usec + hook->timeout_usec;
	model_deadline(model, call);
	story_call(model->story, call, pool);
	oracle_outcome(model->oracle, model->n_ended++, hook, ret);
	judge(hook, ret);
	story_outcome(model->story, ret->kind, ret->error);
	model->now_usec += ret->usec;
}

void model_deadline(const Model *model, StoryCall *call)
{
	for (size_t i = 0; i < model->n_timers && !call->rectifying; i++)
		if (call->deadline_usec == 0 || model->timers[i].deadline_usec < call->deadline_usec) {
			call->deadline_usec = model->timers[i].deadline_usec;
			call->deadline_program = model->timers[i].program;
		}
}

/* backoff · 2^(n-1), n being the attempt that was made, at most max_backoff. */
void model_wait(Model *model, StoryCall *call, const SpecHook *hook, SpecRetry retry)
{
	call->hook = hook->name;
	call->deadline_usec = 0;
	call->deadline_program = NULL;
	call->wait_usec = retry.backoff_usec << (call->attempt - 2);
	if (call->wait_usec > retry.max_backoff_usec)
		call->wait_usec = retry.max_backoff_usec;
	model_deadline(model, call);
	story_wait(model->story, call);
	model->now_usec += call->wait_usec / 2;
}

static bool is_listed(const Done *done, bool rectified)
{
	if (rectified)
		return done->reversed;
	return !done->reversed && (done->hook->rectifiers.n > 0 || done->hook->irreversible);
}

static size_t list(const Model *model, bool rectified, WalkStep *steps)
{
	size_t n = 0;

	for (size_t i = model->n_done; i > 0 && model->failed; i--) {
		const Done *done = &model->done[i - 1];

		if (is_listed(done, rectified))
			steps[n++] = (WalkStep){ done->step, done->hook->name, done->in_doubt };
	}
	return n;
}

void model_report(Model *model, WalkStatus status, const WalkError *parked, const StoryPool *pool)
{
	WalkStep rectified[MODEL_STEPS_MAX], remaining[MODEL_STEPS_MAX];
	StoryEnd end = { .status = status, .error = model->error, .rectified = rectified, .remaining = remaining };

	if (parked)
		end.parked = *parked;
	end.pool = *pool;
	end.n_rectified = list(model, true, rectified);
	end.n_remaining = list(model, false, remaining);
	for (size_t i = 0; i < model->program->outputs.n; i++) {
		const char *name = model->program->outputs.items[i].name;

		if (dict_get(pool, name))
			dict_set(&end.outputs, name, dict_get(pool, name));
	}
	story_end(model->story, &end);
}

void model_tell(const Oracle *oracle, const SpecProgram *program, Buffer *story)
{
	Model *model = calloc(1, sizeof(*model));
	OracleWrite writes[ORACLE_WRITES_MAX];
	size_t n;

	if (!model)
		abort();
	*model = (Model){ .oracle = oracle, .program = program, .story = story, .now_usec = MODEL_START_USEC };
	n = oracle_arguments(oracle, program, writes);
	for (size_t i = 0; i < n; i++)
		dict_set(&model->pool, writes[i].name, writes[i].value);
	if (model_forward_program(model, program, NULL))
		model_report(model, model->settled ? WALK_SETTLED : WALK_SUCCEEDED, NULL, &model->pool);
	while (model->scopes) {
		Scope *scope = model->scopes;

		model->scopes = scope->older;
		free(scope);
	}
	free(model);
}
