/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "run/walk_private.h"

void fault_free_texts(Fault *fault)
{
	free(fault->reason);
	free(fault->message);
	free(fault->path);
}

static int copy_text(const char *text, char **ret)
{
	char *copy;

	if (!text)
		return 0;
	copy = strdup(text);
	if (!copy)
		return -ENOMEM;
	*ret = copy;
	return 0;
}

int fault_from_outcome(Fault *fault, const Walk *walk, const PlanOp *op, const Outcome *outcome)
{
	fault->code = outcome->error;
	if (fault->code == ERROR_NONE)
		fault->code = outcome->kind == OUTCOME_FAILED ? ERROR_HOOK_FAILED : ERROR_HOOK_UNKNOWN;
	fault->step = op->step;
	fault->hook = op->hook;
	if (outcome->program)
		fault->program = spec_program(walk->plan->spec, outcome->program);
	if (copy_text(outcome->reason, &fault->reason) < 0 || copy_text(outcome->message, &fault->message) < 0)
		return -ENOMEM;
	return 0;
}

/* An operation that begins a hook bears no step of its own: that is at the STAND where the hook ends. */
static uint32_t step_of(const Plan *plan, const PlanOp *op)
{
	uint32_t depth = 0;

	if (op->kind != PLAN_ENTER || !op->hook)
		return op->step;
	for (; op < plan->ops + plan->n_ops; op++) {
		if (op->kind == PLAN_ENTER && op->hook)
			depth++;
		else if (op->kind == PLAN_STAND && --depth == 0)
			return op->step;
	}
	return 0;
}

static bool passes(const SpecArg *arg, const Value *value)
{
	return value ? value_type_fits(arg->type, value->type) : !arg->required || arg->has_default;
}

static int fault_from_value(Fault *fault, const Walk *walk, const PlanOp *op, const PlanArg *arg, bool output)
{
	const Value *value = pool_get(walk->pool, arg->key);
	const char *key = pool_key_name(walk->pool, arg->key);
	_cleanup_buffer_ Buffer text = {};
	_cleanup_buffer_ Buffer path = {};

	buffer_format(&text, "%s \"%s\"", output ? "output" : "argument", arg->arg->name);
	if (strcmp(arg->arg->name, key) != 0)
		buffer_format(&text, " (\"%s\" in the data pool)", key);
	buffer_format(&text, ": expected %s, %s", value_type_name(arg->arg->type),
		      value ? "got " : "but there is none");
	if (value)
		buffer_text(&text, value_type_name(value->type));
	buffer_format(&path, "/%s", key);
	fault->message = buffer_take_text(&text);
	fault->path = buffer_take_text(&path);
	if (!fault->message || !fault->path)
		return -ENOMEM;

	if (output)
		fault->code = ERROR_MISSING_OUTPUT;
	else
		fault->code = value ? ERROR_WRONG_TYPE : ERROR_MISSING_ARGUMENT;
	fault->step = step_of(walk->plan, op);
	fault->hook = op->hook;
	fault->program = op->hook ? NULL : op->program;
	return -EBADMSG;
}

static int check_values(Walk *walk, const PlanOp *op, const PlanArg *args, size_t n, bool output, Fault *fault)
{
	for (size_t i = 0; i < n; i++)
		if (!passes(args[i].arg, pool_get(walk->pool, args[i].key)))
			return fault_from_value(fault, walk, op, &args[i], output);
	return 0;
}

/* Rule 20. */
static int add_defaults(Walk *walk, const PlanOp *op)
{
	for (size_t i = 0; i < op->n_args; i++) {
		const SpecArg *arg = op->args[i].arg;
		int r;

		if (!arg->has_default || pool_get(walk->pool, op->args[i].key))
			continue;
		r = pool_set(walk->pool, op->args[i].key, &arg->fallback);
		if (r < 0)
			return r;
	}
	return 0;
}

int walk_check(Walk *walk, const PlanOp *op, Fault *fault)
{
	int r;

	if (op->kind == PLAN_LEAVE || op->kind == PLAN_STAND)
		return check_values(walk, op, op->outputs, op->n_outputs, true, fault);
	if (op->kind == PLAN_ENTER) {
		r = add_defaults(walk, op);
		if (r < 0)
			return r;
	}
	return check_values(walk, op, op->args, op->n_args, false, fault);
}

static const Value *written(const Outcome *outcome, uint32_t key)
{
	for (size_t i = outcome->n_writes; i > 0; i--)
		if (outcome->writes[i - 1].key == key)
			return &outcome->writes[i - 1].value;
	return NULL;
}

/* Rule 7. */
void walk_judge(const Walk *walk, Outcome *outcome, char *message, size_t message_size)
{
	const PlanOp *op = &walk->plan->ops[walk->op];

	if (outcome->kind != OUTCOME_OK)
		return;
	for (size_t i = 0; i < op->n_outputs; i++) {
		const SpecArg *arg = op->outputs[i].arg;
		const Value *value = written(outcome, op->outputs[i].key);

		if (passes(arg, value))
			continue;
		snprintf(message, message_size, "it ended RYUSO_OK, but output \"%s\" is %s, expected %s", arg->name,
			 value ? value_type_name(value->type) : "not set", value_type_name(arg->type));
		*outcome = (Outcome){
			.kind = OUTCOME_UNKNOWN,
			.error = ERROR_HOOK_UNKNOWN,
			.message = message,
		};
		return;
	}
}
