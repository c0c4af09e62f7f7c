/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a program becomes a flat list: hooks and programs are expanded where they are named, first the whole way forward,
 * then the rectifiers of each step. */
#include "spec/plan.h"

#include <errno.h>
#include <string.h>

#include "base/buffer.h"

/* The hooks and programs that are being expanded, innermost first. */
typedef struct Trail {
	const void *node; /* SpecHook or SpecProgram */
	const char *kind;
	const char *name;
	const struct Trail *outer;
	uint32_t depth;
	bool reversed; /* the step whose rectifier is expanded: what lies outside of it makes no cycle */
} Trail;

typedef struct Expansion {
	Plan *plan;
	PlanError *error;
	size_t ops_capacity;
	size_t steps_capacity;
	size_t scopes_capacity;
	bool reversing;
	uint32_t reversed_step;
} Expansion;

static int expand_reference(Expansion *expansion, const SpecReference *reference, const PlanScope *scope,
			    const Trail *trail);

static void *grow(void *items, size_t n, size_t *capacity, size_t size)
{
	size_t wanted = *capacity ? *capacity * 2 : 16;
	void *grown;

	if (n < *capacity)
		return items;
	grown = reallocarray(items, wanted, size);
	if (grown)
		*capacity = wanted;
	return grown;
}

static void trail_write(const Trail *trail, Buffer *buffer)
{
	if (trail->outer) {
		trail_write(trail->outer, buffer);
		buffer_text(buffer, " → ");
	}
	buffer_format(buffer, "%s.%s", trail->kind, trail->name);
}

static int expansion_stop(Expansion *expansion, const Trail *trail, bool cycle)
{
	_cleanup_buffer_ Buffer buffer = { 0 };
	char *text;

	trail_write(trail, &buffer);
	text = buffer_take_text(&buffer);
	if (!text)
		return -ENOMEM;
	*expansion->error = (PlanError){ .trail = text, .cycle = cycle };
	return cycle ? -ELOOP : -E2BIG;
}

static int trail_check(Expansion *expansion, const Trail *trail)
{
	if (trail->depth > PLAN_DEPTH_MAX)
		return expansion_stop(expansion, trail, false);
	for (const Trail *outer = trail->outer; outer && !outer->reversed; outer = outer->outer)
		if (outer->node == trail->node)
			return expansion_stop(expansion, trail, true);
	return 0;
}

static int expand_args(Expansion *expansion, const PlanOp *op, const SpecArgs *args, const Trail *trail, PlanArg **ret,
		       size_t *ret_n)
{
	_cleanup_free_ PlanArg *items = calloc(MAX(args->n, 1U), sizeof(*items));
	int r;

	if (!items)
		return -ENOMEM;
	for (size_t i = 0; i < args->n; i++) {
		items[i].arg = &args->items[i];
		r = names_add(&expansion->plan->names, plan_resolve(op, args->items[i].name), &items[i].key);
		if (r < 0)
			return r;
	}
	if (expansion->plan->names.n > PLAN_KEYS_MAX)
		return expansion_stop(expansion, trail, false);
	*ret = take_ptr(items);
	*ret_n = args->n;
	return 0;
}

/* Appends an operation; `args` and `outputs` are NULL where it has none. */
static int expand_op(Expansion *expansion, const PlanOp *template, const SpecArgs *args, const SpecArgs *outputs,
		     const Trail *trail)
{
	Plan *plan = expansion->plan;
	PlanOp *ops, *op;
	int r;

	if (plan->n_ops == PLAN_OPS_MAX || (template->kind == PLAN_CALL && plan->n_calls == PLAN_CALLS_MAX))
		return expansion_stop(expansion, trail, false);
	ops = grow(plan->ops, plan->n_ops, &expansion->ops_capacity, sizeof(*ops));
	if (!ops)
		return -ENOMEM;
	plan->ops = ops;
	op = &ops[plan->n_ops];
	*op = *template;
	plan->n_ops++;
	if (op->kind == PLAN_CALL)
		plan->n_calls++;
	if (expansion->reversing)
		op->step = expansion->reversed_step;
	if (args) {
		r = expand_args(expansion, op, args, trail, &op->args, &op->n_args);
		if (r < 0)
			return r;
	}
	return outputs ? expand_args(expansion, op, outputs, trail, &op->outputs, &op->n_outputs) : 0;
}

/* Appends the CALL or STAND that completes a hook, which is a step on the way forward. */
static int expand_completion(Expansion *expansion, const PlanOp *template, const SpecArgs *args, const Trail *trail)
{
	Plan *plan = expansion->plan;
	PlanOp op = *template;
	PlanStep *steps;

	if (expansion->reversing)
		return expand_op(expansion, &op, args, &op.hook->outputs, trail);
	steps = grow(plan->steps, plan->n_steps, &expansion->steps_capacity, sizeof(*steps));
	if (!steps)
		return -ENOMEM;
	plan->steps = steps;
	steps[plan->n_steps++] = (PlanStep){ .op = plan->n_ops, .irreversible = op.hook->irreversible };
	op.step = plan->n_steps;
	return expand_op(expansion, &op, args, &op.hook->outputs, trail);
}

static int expand_scope(Expansion *expansion, const SpecHook *hook, const PlanScope *outer, const PlanScope **ret)
{
	Plan *plan = expansion->plan;
	PlanScope **scopes, *scope;

	if (hook->n_binds == 0) {
		*ret = outer;
		return 0;
	}
	scopes = grow(plan->scopes, plan->n_scopes, &expansion->scopes_capacity, sizeof(*scopes));
	if (!scopes)
		return -ENOMEM;
	plan->scopes = scopes;
	scope = malloc(sizeof(*scope));
	if (!scope)
		return -ENOMEM;
	*scope = (PlanScope){ .hook = hook, .outer = outer };
	scopes[plan->n_scopes++] = scope;
	*ret = scope;
	return 0;
}

static int expand_references(Expansion *expansion, const SpecReferences *references, const PlanScope *scope,
			     const Trail *trail)
{
	for (size_t i = 0; i < references->n; i++) {
		int r = expand_reference(expansion, &references->items[i], scope, trail);

		if (r < 0)
			return r;
	}
	return 0;
}

static int expand_program(Expansion *expansion, const SpecProgram *program, const PlanScope *scope, const Trail *outer)
{
	const Trail trail = { .node = program,
			      .kind = "programs",
			      .name = program->name,
			      .outer = outer,
			      .depth = outer ? outer->depth + 1 : 1 };
	const PlanOp enter = { .kind = PLAN_ENTER, .program = program, .scope = scope };
	const PlanOp leave = { .kind = PLAN_LEAVE, .program = program, .scope = scope };
	int r;

	r = trail_check(expansion, &trail);
	if (r < 0)
		return r;
	r = expand_op(expansion, &enter, &program->args, NULL, &trail);
	if (r < 0)
		return r;
	r = expand_references(expansion, &program->hooks, scope, &trail);
	if (r < 0)
		return r;
	return expand_op(expansion, &leave, NULL, &program->outputs, &trail);
}

static int expand_hook(Expansion *expansion, const SpecHook *hook, const PlanScope *outer_scope, const Trail *outer)
{
	const Trail trail = {
		.node = hook, .kind = "hooks", .name = hook->name, .outer = outer, .depth = outer->depth + 1
	};
	PlanOp op = { .hook = hook };
	int r;

	r = trail_check(expansion, &trail);
	if (r < 0)
		return r;
	r = expand_scope(expansion, hook, outer_scope, &op.scope);
	if (r < 0)
		return r;
	r = expand_references(expansion, &hook->dependencies, op.scope, &trail);
	if (r < 0)
		return r;
	if (!hook->program) {
		op.kind = PLAN_CALL;
		return expand_completion(expansion, &op, &hook->args, &trail);
	}
	op.kind = PLAN_ENTER;
	r = expand_op(expansion, &op, &hook->args, NULL, &trail);
	if (r < 0)
		return r;
	r = expand_program(expansion, hook->program, op.scope, &trail);
	if (r < 0)
		return r;
	op.kind = PLAN_STAND;
	return expand_completion(expansion, &op, NULL, &trail);
}

static int expand_reference(Expansion *expansion, const SpecReference *reference, const PlanScope *scope,
			    const Trail *trail)
{
	return reference->hook ? expand_hook(expansion, reference->hook, scope, trail)
			       : expand_program(expansion, reference->program, scope, trail);
}

static int expand_rectifiers(Expansion *expansion, uint32_t number)
{
	Plan *plan = expansion->plan;
	PlanStep *step = &plan->steps[number - 1];
	const PlanOp *op = &plan->ops[step->op];
	const SpecHook *hook = op->hook;
	const PlanScope *scope = op->scope;
	const Trail root = { .kind = "programs", .name = plan->program->name, .depth = 1 };
	const Trail trail = { .kind = "hooks", .name = hook->name, .outer = &root, .depth = 2, .reversed = true };
	int r;

	expansion->reversed_step = number;
	step->rectifiers = plan->n_ops;
	r = expand_references(expansion, &hook->rectifiers, scope, &trail);
	if (r < 0)
		return r;
	step->n_rectifiers = plan->n_ops - step->rectifiers;
	return 0;
}

static int expand_secrets(Plan *plan)
{
	plan->secrets = calloc(MAX(plan->n_keys, 1U), sizeof(*plan->secrets));
	if (!plan->secrets)
		return -ENOMEM;
	for (uint32_t i = 0; i < plan->n_ops; i++) {
		const PlanOp *op = &plan->ops[i];

		for (size_t k = 0; k < op->n_args; k++)
			plan->secrets[op->args[k].key] |= op->args[k].arg->secret;
		for (size_t k = 0; k < op->n_outputs; k++)
			plan->secrets[op->outputs[k].key] |= op->outputs[k].arg->secret;
	}
	return 0;
}

int plan_compile(const Spec *spec, const SpecProgram *program, Plan **ret, PlanError *error)
{
	_cleanup_plan_ Plan *plan = calloc(1, sizeof(*plan));
	Expansion expansion = { .plan = plan, .error = error };
	int r;

	if (!plan)
		return -ENOMEM;
	plan->spec = spec;
	plan->program = program;
	r = expand_program(&expansion, program, NULL, NULL);
	if (r < 0)
		return r;
	plan->n_forward = plan->n_ops;
	expansion.reversing = true;
	for (uint32_t i = 1; i <= plan->n_steps; i++) {
		r = expand_rectifiers(&expansion, i);
		if (r < 0)
			return r;
	}
	plan->keys = plan->names.items;
	plan->n_keys = plan->names.n;
	r = expand_secrets(plan);
	if (r < 0)
		return r;
	*ret = take_ptr(plan);
	return 0;
}
