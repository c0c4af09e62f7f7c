/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/flow_private.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

#define SUGGESTED_MAX 256U /* keys beyond which none is suggested */

/* "before step 2, hooks.credit, of programs.transfer" */
static void write_place(const Flow *flow, const PlanOp *op, Buffer *buffer)
{
	bool ends = op->kind == PLAN_LEAVE || op->kind == PLAN_STAND;
	const char *kind = op->hook ? "hooks" : "programs", *name = op->hook ? op->hook->name : op->program->name;

	if (flow->reversed) {
		buffer_format(buffer, "%s %s.%s, as a rectifier of step %u, hooks.%s, of programs.%s",
			      ends ? "at the end of" : "before", kind, name, op->step, flow->reversed->name,
			      flow->plan->program->name);
		return;
	}
	buffer_text(buffer, ends ? "at the end of " : "before ");
	if (op->step > 0)
		buffer_format(buffer, "step %u, ", op->step);
	buffer_format(buffer, "%s.%s", kind, name);
	if (op->program != flow->plan->program)
		buffer_format(buffer, ", %s programs.%s", op->step > 0 ? "of" : "in", flow->plan->program->name);
}

/* "\"to\"", or "\"to\" (bound to \"account\")" */
static void write_key(const Flow *flow, const PlanArg *arg, Buffer *buffer)
{
	const char *key = flow->plan->keys[arg->key];

	buffer_format(buffer, "\"%s\"", key);
	if (strcmp(key, arg->arg->name) != 0)
		buffer_format(buffer, " (its \"%s\")", arg->arg->name);
}

static int write_suggestion(const Flow *flow, const PlanArg *arg, Buffer *buffer)
{
	const Plan *plan = flow->plan;
	_cleanup_free_ const char **present = NULL;
	const char *closest;
	size_t n = 0;

	if (plan->n_keys > SUGGESTED_MAX)
		return 0;
	present = calloc(plan->n_keys, sizeof(*present));
	if (!present)
		return -ENOMEM;
	for (uint32_t i = 0; i < plan->n_keys; i++)
		if (flow->views[LEFT][i].types != 0 && *plan->keys[i] != '_')
			present[n++] = plan->keys[i];
	closest = text_closest(plan->keys[arg->key], present, n);
	if (closest)
		buffer_format(buffer, " (did you mean \"%s\"?)", closest);
	return 0;
}

static int write_never(const Flow *flow, const PlanOp *op, const PlanArg *arg, Buffer *buffer)
{
	const ViewKey *key = &flow->views[LEFT][arg->key];

	if (key->types == 0) {
		buffer_text(buffer, "expected something that provides ");
		write_key(flow, arg, buffer);
		buffer_text(buffer, " ");
		write_place(flow, op, buffer);
		buffer_text(buffer, "; got nothing");
		return write_suggestion(flow, arg, buffer);
	}
	buffer_format(buffer, "expected type %s of ", value_type_name(arg->arg->type));
	write_key(flow, arg, buffer);
	buffer_text(buffer, " ");
	write_place(flow, op, buffer);
	buffer_text(buffer, "; got ");
	view_types(key, buffer);
	buffer_text(buffer, " in every run");
	return 0;
}

/* Says which of the pools it is that does not always pass. */
static void write_some(const Flow *flow, const PlanOp *op, const PlanArg *arg, Buffer *buffer)
{
	unsigned view = LEFT;
	const ViewKey *key;

	while (view + 1 < flow->n_views && view_judge(&flow->views[view][arg->key], arg->arg) == VIEW_FINE)
		view++;
	key = &flow->views[view][arg->key];
	if (key->sure)
		buffer_format(buffer, "expected type %s of ", value_type_name(arg->arg->type));
	else
		buffer_text(buffer, "expected something that provides ");
	write_key(flow, arg, buffer);
	buffer_text(buffer, key->sure ? " " : " in every run, ");
	write_place(flow, op, buffer);
	if (view == DOUBT)
		buffer_text(buffer, ", also where that step is in doubt");
	buffer_text(buffer, "; got ");
	if (key->sure)
		view_types(key, buffer);
	else
		buffer_text(buffer, "it only in some");
}

static void write_own(const Flow *flow, const PlanArg *arg, Buffer *buffer)
{
	buffer_text(buffer, "expected ");
	write_key(flow, arg, buffer);
	buffer_format(
		buffer,
		" to be there before hooks.%s, whose rectifier requires it also when that step is in doubt; got it "
		"only from hooks.%s itself (take it as optional, or from ryuso_noted() or ryuso_token())",
		flow->reversed->name, flow->reversed->name);
}

int flow_message(const Flow *flow, Fault fault, const PlanOp *op, const PlanArg *arg, char **ret)
{
	_cleanup_buffer_ Buffer buffer = { 0 };
	char *message;
	int r = 0;

	if (fault == FAULT_OWN)
		write_own(flow, arg, &buffer);
	else if (fault == FAULT_NEVER)
		r = write_never(flow, op, arg, &buffer);
	else
		write_some(flow, op, arg, &buffer);
	if (r < 0)
		return r;
	message = buffer_take_text(&buffer);
	if (!message)
		return -ENOMEM;
	*ret = message;
	return 0;
}
