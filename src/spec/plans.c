/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What shows only when programs are expanded: caps, where binds lead to, and the flow of data. */
#include "spec/parts.h"

#include <errno.h>
#include <string.h>

#include "spec/flow.h"
#include "spec/plan.h"

/* Goes to the bind that makes `key` of an operation's `name`, where one does. */
static void go_bind(Loader *loader, const PlanOp *op, const char *name, const char *key)
{
	for (const PlanScope *scope = op->scope; scope; scope = scope->outer) {
		const char *bound = plan_bind(scope->hook, name);

		if (strcmp(bound, name) != 0 && strcmp(bound, key) == 0) {
			loader_go_hook(loader, scope->hook);
			loader_enter(loader, "bind");
			loader_enter(loader, name);
		}
		name = bound;
	}
}

static const char *op_name(const PlanOp *op)
{
	return op->hook ? op->hook->name : op->program->name;
}

/* Rule 6: metadata can be read by hooks, and nothing writes it. */
static void check_metadata(Loader *loader, const Plan *plan, const PlanOp *op, const PlanArg *args, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *name = args[i].arg->name, *key = plan->keys[args[i].key];

		if (*key != '_')
			continue;
		go_bind(loader, op, name, key);
		loader_error(loader,
			     "expected a key that does not begin with '_' (those are the request's metadata) for the "
			     "%s \"%s\" of %s.%s; got \"%s\"",
			     args == op->args ? "argument" : "output", name, op->hook ? "hooks" : "programs",
			     op_name(op), key);
	}
}

/* Goes to the bind that brings two names of an operation, which differ, under one key: at the innermost place where they
 * meet, to that of \p name where it has one there. */
static void go_meeting(Loader *loader, const PlanOp *op, const char *other, const char *name)
{
	for (const PlanScope *scope = op->scope; scope; scope = scope->outer) {
		const char *bound = plan_bind(scope->hook, name), *other_bound = plan_bind(scope->hook, other);

		if (strcmp(bound, other_bound) == 0) {
			loader_go_hook(loader, scope->hook);
			loader_enter(loader, "bind");
			loader_enter(loader, strcmp(bound, name) != 0 ? name : other);
			return;
		}
		name = bound;
		other = other_bound;
	}
}

static void output_meets(Loader *loader, const Plan *plan, const PlanOp *op, size_t output)
{
	const char *name = op->outputs[output].arg->name, *key = plan->keys[op->outputs[output].key], *other;
	size_t first = 0;

	while (op->outputs[first].key != op->outputs[output].key)
		first++;
	other = op->outputs[first].arg->name;
	go_meeting(loader, op, other, name);
	loader_error(loader,
		     "expected a key of its own for each output of hooks.%s; got \"%s\" for both \"%s\" and \"%s\"",
		     op->hook->name, key, other, name);
}

/* Rule 4: each output of a hook has a key of its own, whatever lies around the hook. `owners`: by key, the operation
 * that was seen to write it last, plus one. */
static void check_outputs(Loader *loader, const Plan *plan, uint32_t number, uint32_t *owners)
{
	const PlanOp *op = &plan->ops[number];

	for (size_t i = 0; i < op->n_outputs; i++) {
		if (owners[op->outputs[i].key] == number + 1)
			output_meets(loader, plan, op, i);
		owners[op->outputs[i].key] = number + 1;
	}
}

static void check_keys(Loader *loader, const Plan *plan)
{
	_cleanup_free_ uint32_t *owners = loader_array(loader, MAX(plan->n_keys, 1U), sizeof(*owners));

	for (uint32_t i = 0; owners && i < plan->n_ops; i++) {
		const PlanOp *op = &plan->ops[i];

		check_metadata(loader, plan, op, op->outputs, op->n_outputs);
		if (op->program)
			check_metadata(loader, plan, op, op->args, op->n_args);
		if (op->hook)
			check_outputs(loader, plan, i, owners);
	}
}

static void report_finding(Loader *loader, const FlowFinding *finding)
{
	if (finding->hook)
		loader_go_hook(loader, finding->hook);
	else
		loader_go_program(loader, finding->program);
	loader_enter(loader, finding->output ? "outputs" : "args");
	loader_enter(loader, finding->arg->name);
	if (finding->warning)
		loader_warning(loader, "%s", finding->message);
	else
		loader_error(loader, "%s", finding->message);
}

static void check_flow(Loader *loader, const Plan *plan)
{
	FlowFindings findings = { 0 };
	int r = flow_check(plan, &findings);

	if (r < 0)
		loader->error = r;
	for (size_t i = 0; i < findings.n; i++)
		report_finding(loader, &findings.items[i]);
	flow_findings_done(&findings);
}

static void check_plan(Loader *loader, const SpecProgram *program)
{
	_cleanup_plan_ Plan *plan = NULL;
	PlanError error = { 0 };
	size_t errors = loader->issues.n_errors;
	int r = plan_compile(loader->spec, program, &plan, &error);

	if (r == -ELOOP || r == -E2BIG) {
		loader_go_program(loader, program);
		loader_enter(loader, "hooks");
		if (error.cycle)
			loader_error(loader, "expected no cycle; got %s", error.trail);
		else
			loader_error(loader,
				     "expected at most %u calls, %u operations, %u keys and %u levels in the plan of a "
				     "program; got more at %s",
				     PLAN_CALLS_MAX, PLAN_OPS_MAX, PLAN_KEYS_MAX, PLAN_DEPTH_MAX, error.trail);
		plan_error_done(&error);
		return;
	}
	if (r < 0) {
		loader->error = r;
		return;
	}
	check_keys(loader, plan);
	if (loader->error == 0 && loader->issues.n_errors == errors)
		check_flow(loader, plan);
}

void check_plans(Loader *loader)
{
	const Spec *spec = loader->spec;
	/* What the check of one plan finds does not make the others' parts worse. */
	_cleanup_free_ bool *broken = loader_array(loader, spec->n_programs, sizeof(*broken));

	if (broken)
		memcpy(broken, loader->programs_broken, spec->n_programs * sizeof(*broken));
	for (size_t i = 0; i < spec->n_programs && loader->error == 0; i++)
		if (!broken[i])
			check_plan(loader, &spec->programs[i]);
}
