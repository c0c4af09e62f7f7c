/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A module's descriptor without the generator: a test module writes down its spec and its functions, and the rest is
 * compiled from the spec when the module is loaded. RYUSO_TEST_BREAK names a field that is then spoilt. */
#pragma once

#include <ryuso/module.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec/load.h"
#include "spec/plan.h"

typedef struct TableFunction {
	const char *reference;
	ryuso_status (*call)(ryuso_run *run);
} TableFunction;

extern struct ryuso_module ryuso_module;

static inline void table_check(bool right, const char *what)
{
	if (right)
		return;
	fprintf(stderr, "the test module's %s is not as expected; the test cannot go on\n", what);
	abort();
}

static inline void table_functions(const Spec *spec, const TableFunction *functions, size_t n_functions)
{
	struct ryuso_module_function *table = calloc(spec->n_functions, sizeof(*table));

	table_check(table != NULL, "memory");
	for (size_t i = 0; i < spec->n_functions; i++) {
		table[i].reference = strdup(spec->functions[i].reference);
		table[i].n_args = (uint32_t)spec->functions[i].hook->args.n;
		table[i].n_outputs = (uint32_t)spec->functions[i].hook->outputs.n;
		for (size_t k = 0; k < n_functions; k++)
			if (strcmp(functions[k].reference, table[i].reference) == 0)
				table[i].call = functions[k].call;
	}
	ryuso_module.functions = table;
	ryuso_module.n_functions = (uint32_t)spec->n_functions;
}

static inline void table_steps(const Plan *plan, struct ryuso_module_program *program)
{
	struct ryuso_module_step *steps = calloc(plan->n_calls, sizeof(*steps));

	table_check(steps != NULL || plan->n_calls == 0, "memory");
	for (uint32_t op = 0; op < plan->n_ops; op++)
		if (plan->ops[op].kind == PLAN_CALL)
			steps[program->n_steps++] = (struct ryuso_module_step){
				.op = op,
				.step = plan->ops[op].step,
				.function = plan->ops[op].hook->function,
				.hook = strdup(plan->ops[op].hook->name),
			};
	program->steps = steps;
}

static inline void table_programs(const Spec *spec)
{
	struct ryuso_module_program *table = calloc(spec->n_programs, sizeof(*table));

	table_check(table != NULL, "memory");
	for (size_t i = 0; i < spec->n_programs; i++) {
		PlanError error = { 0 };
		Plan *plan = NULL;

		table_check(plan_compile(spec, &spec->programs[i], &plan, &error) == 0, "plan");
		table[i].name = strdup(spec->programs[i].name);
		table_check(plan_fingerprint(plan, table[i].fingerprint) == 0, "fingerprint");
		table_steps(plan, &table[i]);
		plan_free(plan);
	}
	ryuso_module.programs = table;
	ryuso_module.n_programs = (uint32_t)spec->n_programs;
}

static inline bool table_breaks(const char *what)
{
	const char *asked = getenv("RYUSO_TEST_BREAK");

	return asked && strcmp(asked, what) == 0;
}

static inline void table_break(void)
{
	struct ryuso_module_header *header = &ryuso_module.header;
	struct ryuso_module_program *program = (struct ryuso_module_program *)ryuso_module.programs;
	struct ryuso_module_function *function = (struct ryuso_module_function *)ryuso_module.functions;
	struct ryuso_module_step *step = (struct ryuso_module_step *)program->steps;

	header->magic[0] = table_breaks("magic") ? 'X' : header->magic[0];
	header->abi_major += table_breaks("abi_major");
	header->abi_minor += table_breaks("abi_minor");
	header->module_size -= table_breaks("module_size") ? 8 : 0;
	header->function_size -= table_breaks("function_size") ? 8 : 0;
	header->program_size -= table_breaks("program_size") ? 8 : 0;
	header->step_size -= table_breaks("step_size") ? 8 : 0;
	header->reserved += table_breaks("reserved");
	ryuso_module.name = table_breaks("name") ? "other" : ryuso_module.name;
	ryuso_module.spec = table_breaks("spec pointer") ? NULL : ryuso_module.spec;
	ryuso_module.spec_size -= table_breaks("spec") ? 1 : 0;
	ryuso_module.n_functions -= table_breaks("n_functions");
	ryuso_module.n_programs -= table_breaks("n_programs");
	ryuso_module.programs = table_breaks("programs pointer") ? NULL : ryuso_module.programs;
	function->reference = table_breaks("reference") ? "wk.play.other" : function->reference;
	function->call = table_breaks("call") ? NULL : function->call;
	function->n_args += table_breaks("n_args");
	function->n_outputs += table_breaks("n_outputs");
	program->name = table_breaks("program name") ? "other" : program->name;
	program->fingerprint[7] ^= table_breaks("fingerprint") ? 1 : 0;
	program->n_steps -= table_breaks("n_steps");
	step->op += table_breaks("step");
	if (table_breaks("constructor"))
		abort();
}

/** \brief Completes the descriptor. */
static inline void table_fill(const TableFunction *functions, size_t n_functions)
{
	SpecIssues issues = { 0 };
	Spec *spec = NULL;
	int r = spec_load(ryuso_module.spec, ryuso_module.spec_size, &spec, &issues);

	for (size_t i = 0; i < issues.n; i++)
		fprintf(stderr, "spec:%u: %s: %s\n", issues.items[i].line, issues.items[i].path,
			issues.items[i].message);
	table_check(r == 0, "spec");
	spec_issues_done(&issues);
	ryuso_module.name = strdup(spec->module);
	table_functions(spec, functions, n_functions);
	table_programs(spec);
	spec_free(spec);
	table_break();
}

#define TABLE_MODULE(spec_text, open_function, close_function)                     \
	struct ryuso_module ryuso_module = {                                       \
		.header = { .magic = { 'R', 'Y', 'U', 'S', 'O', 'M', 'O', 'D' },   \
			    .abi_major = RYUSO_MODULE_MAJOR,                       \
			    .abi_minor = RYUSO_MODULE_MINOR,                       \
			    .module_size = sizeof(struct ryuso_module),            \
			    .function_size = sizeof(struct ryuso_module_function), \
			    .program_size = sizeof(struct ryuso_module_program),   \
			    .step_size = sizeof(struct ryuso_module_step) },       \
		.generator = "by hand",                                            \
		.spec = spec_text,                                                 \
		.spec_size = sizeof(spec_text) - 1,                                \
		.open = open_function,                                             \
		.close = close_function,                                           \
	}
