/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/plan.h"

#include <errno.h>
#include <string.h>

#include "base/buffer.h"
#include "base/ids.h"

Plan *plan_free(Plan *plan)
{
	if (!plan)
		return NULL;
	for (uint32_t i = 0; i < plan->n_ops; i++) {
		free(plan->ops[i].args);
		free(plan->ops[i].outputs);
	}
	for (size_t i = 0; i < plan->n_scopes; i++)
		free(plan->scopes[i]);
	free(plan->ops);
	free(plan->steps);
	free(plan->scopes);
	free(plan->secrets);
	names_done(&plan->names);
	free(plan);
	return NULL;
}

void plan_error_done(PlanError *error)
{
	free(error->trail);
	*error = (PlanError){ 0 };
}

const char *plan_bind(const SpecHook *hook, const char *name)
{
	for (size_t i = 0; i < hook->n_binds; i++)
		if (strcmp(hook->binds[i].name, name) == 0)
			return hook->binds[i].key;
	return name;
}

const char *plan_resolve(const PlanOp *op, const char *name)
{
	for (const PlanScope *scope = op->scope; scope; scope = scope->outer)
		name = plan_bind(scope->hook, name);
	return name;
}

uint32_t plan_key(const Plan *plan, const char *key)
{
	return names_find(&plan->names, key);
}

bool plan_key_secret(const Plan *plan, const char *key)
{
	uint32_t number = plan_key(plan, key);

	return number != NAMES_NONE && plan->secrets[number];
}

static void fingerprint_args(Buffer *buffer, const PlanArg *args, size_t n)
{
	buffer_u32(buffer, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		const SpecArg *arg = args[i].arg;

		buffer_string(buffer, arg->name);
		buffer_u32(buffer, args[i].key);
		buffer_u8(buffer, (uint8_t)arg->type);
		buffer_u8(buffer, (uint8_t)(arg->required | arg->has_default << 1));
		if (arg->has_default)
			value_encode(&arg->fallback, buffer);
	}
}

static void fingerprint_hook(Buffer *buffer, const SpecHook *hook)
{
	buffer_string(buffer, hook->name);
	buffer_string(buffer, hook->reference);
	buffer_u8(buffer, (uint8_t)(hook->outputs.declared | hook->retry.declared << 1 | hook->idempotent << 2 |
				    hook->irreversible << 3));
	buffer_u32(buffer, hook->retry.attempts);
	buffer_u64(buffer, hook->retry.backoff_usec);
	buffer_u64(buffer, hook->retry.max_backoff_usec);
	buffer_u64(buffer, hook->timeout_usec);
}

/* The names that an untyped setter may be given go through these. */
static void fingerprint_scope(Buffer *buffer, const PlanScope *scope)
{
	for (; scope; scope = scope->outer)
		for (size_t i = 0; i < scope->hook->n_binds; i++) {
			buffer_string(buffer, scope->hook->binds[i].name);
			buffer_string(buffer, scope->hook->binds[i].key);
		}
}

static void fingerprint_op(Buffer *buffer, const PlanOp *op)
{
	buffer_u8(buffer, (uint8_t)op->kind);
	buffer_u32(buffer, op->step);
	if (op->hook)
		fingerprint_hook(buffer, op->hook);
	if (op->program) {
		buffer_string(buffer, op->program->name);
		buffer_u64(buffer, op->program->timeout_usec);
	}
	fingerprint_scope(buffer, op->scope);
	fingerprint_args(buffer, op->args, op->n_args);
	fingerprint_args(buffer, op->outputs, op->n_outputs);
}

int plan_fingerprint(const Plan *plan, uint8_t ret[static 16])
{
	_cleanup_buffer_ Buffer buffer = { 0 };
	Id id;

	buffer_string(&buffer, plan->program->name);
	buffer_u32(&buffer, plan->n_forward);
	for (uint32_t i = 0; i < plan->n_ops; i++)
		fingerprint_op(&buffer, &plan->ops[i]);
	for (uint32_t i = 0; i < plan->n_steps; i++) {
		buffer_u32(&buffer, plan->steps[i].op);
		buffer_u32(&buffer, plan->steps[i].rectifiers);
		buffer_u32(&buffer, plan->steps[i].n_rectifiers);
	}
	for (uint32_t i = 0; i < plan->n_keys; i++)
		buffer_string(&buffer, plan->keys[i]);
	if (buffer_error(&buffer) < 0)
		return -ENOMEM;
	id_fingerprint(buffer.data, buffer.size, &id);
	memcpy(ret, id.bytes, sizeof(id.bytes));
	return 0;
}
