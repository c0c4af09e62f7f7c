/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gen/model.h"

#include <errno.h>

#include "spec/plan.h"

static void add_fingerprint(Fields *fields, const Plan *plan)
{
	_cleanup_buffer_ Buffer buffer = { 0 };
	uint8_t fingerprint[16];

	plan_fingerprint(plan, fingerprint);
	for (size_t i = 0; i < sizeof(fingerprint); i++)
		buffer_format(&buffer, "%s0x%02x", i ? ", " : "", fingerprint[i]);
	model_take(fields, "fingerprint", &buffer);
}

static void add_steps(Fields *fields, const Plan *plan)
{
	fields_list(fields, "steps");
	for (uint32_t i = 0; i < plan->n_ops; i++) {
		const PlanOp *op = &plan->ops[i];
		Fields *step;

		if (op->kind != PLAN_CALL)
			continue;
		step = fields_add(fields, "steps");
		fields_format(step, "op", "%u", i);
		fields_format(step, "step", "%u", op->step);
		fields_format(step, "function", "%u", op->hook->function);
		fields_text(step, "hook", op->hook->name);
	}
}

int model_add_program(Fields *model, const Spec *spec, size_t number)
{
	const SpecProgram *program = &spec->programs[number];
	_cleanup_(plan_error_done) PlanError error = { 0 };
	_cleanup_plan_ Plan *plan = NULL;
	Fields *fields;
	int r;

	r = plan_compile(spec, program, &plan, &error);
	if (r < 0)
		return r;
	fields = fields_add(model, "programs");
	fields_text(fields, "program", program->name);
	fields_format(fields, "number", "%zu", number);
	fields_format(fields, "n_steps", "%u", plan->n_calls);
	fields_flag(fields, "has_steps", plan->n_calls > 0);
	add_fingerprint(fields, plan);
	add_steps(fields, plan);
	return 0;
}
