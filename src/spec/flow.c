/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/flow_private.h"

#include <errno.h>
#include <string.h>

void flow_findings_done(FlowFindings *findings)
{
	for (size_t i = 0; i < findings->n; i++)
		free(findings->items[i].message);
	free(findings->items);
	*findings = (FlowFindings){ 0 };
}

static int flow_push(Flow *flow, bool warning, const PlanOp *op, const PlanArg *arg, char *message)
{
	FlowFindings *findings = &flow->findings;
	FlowFinding *items;

	if (findings->n == flow->capacity) {
		size_t capacity = MAX(flow->capacity * 2, (size_t)16);

		items = reallocarray(findings->items, capacity, sizeof(*items));
		if (!items) {
			free(message);
			return -ENOMEM;
		}
		findings->items = items;
		flow->capacity = capacity;
	}
	findings->items[findings->n++] = (FlowFinding){
		.warning = warning,
		.output = op->kind == PLAN_LEAVE || op->kind == PLAN_STAND,
		.hook = op->hook,
		.program = op->program,
		.arg = arg->arg,
		.message = message,
	};
	return 0;
}

static Fault flow_fault(const Flow *flow, const PlanArg *arg)
{
	ViewVerdict verdicts[VIEWS_MAX] = { VIEW_FINE };
	bool fine = true;

	for (unsigned i = 0; i < flow->n_views; i++) {
		verdicts[i] = view_judge(&flow->views[i][arg->key], arg->arg);
		fine = fine && verdicts[i] == VIEW_FINE;
	}
	if (fine)
		return FAULT_NONE;
	if (verdicts[LEFT] == VIEW_NEVER && (flow->n_views == 1 || verdicts[OVERLAID] == VIEW_NEVER))
		return FAULT_NEVER;
	if (flow->n_views > DOUBT && verdicts[DOUBT] == VIEW_NEVER &&
	    view_provides(&flow->views[LEFT][arg->key], arg->arg))
		return FAULT_OWN;
	return FAULT_SOME;
}

static int flow_check_arg(Flow *flow, const PlanOp *op, const PlanArg *arg)
{
	Fault fault = flow_fault(flow, arg);
	char *message;
	int r;

	if (fault == FAULT_NONE)
		return 0;
	r = flow_message(flow, fault, op, arg, &message);
	return r < 0 ? r : flow_push(flow, fault == FAULT_SOME, op, arg, message);
}

static int flow_check_args(Flow *flow, const PlanOp *op, const PlanArg *args, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool adds = op->kind == PLAN_ENTER && args[i].arg->has_default;
		int r;

		for (unsigned k = 0; adds && k < flow->n_views; k++)
			view_default(&flow->views[k][args[i].key], args[i].arg);
		r = flow_check_arg(flow, op, &args[i]);
		if (r < 0)
			return r;
		for (unsigned k = 0; k < flow->n_views; k++)
			view_pass(&flow->views[k][args[i].key], args[i].arg);
	}
	return 0;
}

static void flow_write(Flow *flow, const PlanOp *op)
{
	for (unsigned k = 0; k < flow->n_views; k++) {
		if (!op->hook->outputs.declared)
			view_write_any(flow->views[k], flow->plan);
		for (size_t i = 0; i < op->n_outputs; i++)
			view_write(&flow->views[k][op->outputs[i].key], op->outputs[i].arg);
	}
}

static void flow_copy(const Flow *flow, ViewKey *to, const ViewKey *from)
{
	memcpy(to, from, flow->plan->n_keys * sizeof(*to));
}

/* One operation, on the way forward or in a rectifier. */
static int flow_op(Flow *flow, const PlanOp *op)
{
	int r;

	r = flow_check_args(flow, op, op->args, op->n_args);
	if (r < 0)
		return r;
	if (op->kind != PLAN_CALL)
		return flow_check_args(flow, op, op->outputs, op->n_outputs);
	if (!flow->reversed)
		flow_copy(flow, flow->found, flow->forward);
	flow_write(flow, op);
	return 0;
}

static void later_note(Flow *flow, uint32_t key, ValueType type, uint32_t step)
{
	flow->later[key * VALUE_TYPE_MAX + type] = MAX(flow->later[key * VALUE_TYPE_MAX + type], step);
}

static void flow_note_later(Flow *flow)
{
	const Plan *plan = flow->plan;

	for (uint32_t i = plan->n_forward; i < plan->n_ops; i++) {
		const PlanOp *op = &plan->ops[i];

		if (op->kind == PLAN_CALL && !op->hook->outputs.declared)
			flow->later_any = MAX(flow->later_any, op->step);
		for (size_t k = 0; op->kind == PLAN_CALL && k < op->n_outputs; k++)
			later_note(flow, op->outputs[k].key, op->outputs[k].arg->type, op->step);
		for (size_t k = 0; op->kind == PLAN_ENTER && k < op->n_args; k++)
			if (op->args[k].arg->has_default)
				later_note(flow, op->args[k].key, op->args[k].arg->fallback.type, op->step);
	}
}

static void flow_overlay(Flow *flow, uint32_t step)
{
	ViewKey *keys = flow->views[OVERLAID];

	flow_copy(flow, keys, flow->forward);
	if (flow->later_any > step)
		view_write_any(keys, flow->plan);
	for (uint32_t key = 0; key < flow->plan->n_keys; key++)
		for (ValueType type = VALUE_STRING; type < VALUE_TYPE_MAX; type++)
			if (flow->later[key * VALUE_TYPE_MAX + type] > step)
				view_write(&keys[key], &(const SpecArg){ .type = type });
}

/* The step in hand has completed: its rectifiers, for every pool that they may find. */
static int flow_rectifiers(Flow *flow, const PlanOp *completion)
{
	const Plan *plan = flow->plan;
	const PlanStep *step = &plan->steps[completion->step - 1];
	int r = 0;

	if (step->n_rectifiers == 0)
		return 0;
	flow_copy(flow, flow->views[LEFT], flow->forward);
	flow_overlay(flow, completion->step);
	flow_copy(flow, flow->views[DOUBT], flow->found);
	flow->n_views =
		completion->kind == PLAN_CALL ? VIEWS_MAX : DOUBT; /* what stands for a program is never in doubt */
	flow->reversed = completion->hook;
	for (uint32_t i = 0; i < step->n_rectifiers && r == 0; i++)
		r = flow_op(flow, &plan->ops[step->rectifiers + i]);
	flow->reversed = NULL;
	return r;
}

static int flow_walk(Flow *flow)
{
	const Plan *plan = flow->plan;
	ViewKey *left = flow->views[LEFT];

	view_begin(flow->forward, plan);
	for (uint32_t i = 0; i < plan->n_forward; i++) {
		const PlanOp *op = &plan->ops[i];
		int r;

		flow->views[LEFT] = flow->forward;
		flow->n_views = 1;
		r = flow_op(flow, op);
		flow->views[LEFT] = left;
		if (r == 0 && op->step > 0)
			r = flow_rectifiers(flow, op);
		if (r < 0)
			return r;
	}
	return 0;
}

static int flow_init(Flow *flow, const Plan *plan)
{
	size_t n = MAX(plan->n_keys, 1U);

	flow->plan = plan;
	flow->forward = calloc(n, sizeof(ViewKey));
	flow->found = calloc(n, sizeof(ViewKey));
	flow->later = calloc(n * VALUE_TYPE_MAX, sizeof(*flow->later));
	if (!flow->forward || !flow->found || !flow->later)
		return -ENOMEM;
	for (unsigned i = 0; i < VIEWS_MAX; i++) {
		flow->views[i] = calloc(n, sizeof(ViewKey));
		if (!flow->views[i])
			return -ENOMEM;
	}
	return 0;
}

static void flow_done(Flow *flow)
{
	for (unsigned i = 0; i < VIEWS_MAX; i++)
		free(flow->views[i]);
	free(flow->forward);
	free(flow->found);
	free(flow->later);
	flow_findings_done(&flow->findings);
}

int flow_check(const Plan *plan, FlowFindings *ret)
{
	Flow flow = { 0 };
	int r;

	r = flow_init(&flow, plan);
	if (r == 0) {
		flow_note_later(&flow);
		r = flow_walk(&flow);
	}
	if (r == 0) {
		*ret = flow.findings;
		flow.findings = (FlowFindings){ 0 };
	}
	flow_done(&flow);
	return r;
}
