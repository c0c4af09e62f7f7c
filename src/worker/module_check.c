/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "worker/module.h"

#define REBUILD "; generate and build the module again with this version of ryuso"

/* What differs is named with the value found and the value expected. */
static int differs(Error *error, const char *field, uint64_t found, uint64_t expected)
{
	return error_set(error, ERROR_NO_MODULE, NULL, "%s of the module is %llu, expected %llu" REBUILD, field,
			 (unsigned long long)found, (unsigned long long)expected);
}

typedef struct HeaderField {
	const char *name;
	uint64_t found, expected;
} HeaderField;

static int check_sizes(const struct ryuso_module_header *header, Error *error)
{
	const HeaderField fields[] = {
		{ "module_size", header->module_size, sizeof(struct ryuso_module) },
		{ "function_size", header->function_size, sizeof(struct ryuso_module_function) },
		{ "program_size", header->program_size, sizeof(struct ryuso_module_program) },
		{ "step_size", header->step_size, sizeof(struct ryuso_module_step) },
		{ "reserved", header->reserved, 0 },
	};

	for (size_t i = 0; i < ELEMENTSOF(fields); i++)
		if (fields[i].found != fields[i].expected)
			return differs(error, fields[i].name, fields[i].found, fields[i].expected);
	return 0;
}

static int check_magic(const struct ryuso_module_header *header, Error *error)
{
	char found[2 * sizeof(header->magic) + 1];

	if (memcmp(header->magic, RYUSO_MODULE_MAGIC, sizeof(header->magic)) == 0)
		return 0;
	for (size_t i = 0; i < sizeof(header->magic); i++)
		snprintf(found + 2 * i, 3, "%02x", (unsigned char)header->magic[i]);
	return error_set(error, ERROR_NO_MODULE, NULL,
			 "magic of the module is 0x%s, expected \"%s\"; it is no module of ryuso", found,
			 RYUSO_MODULE_MAGIC);
}

static int check_header(const struct ryuso_module_header *header, Error *error)
{
	int r;

	r = check_magic(header, error);
	if (r < 0)
		return r;
	if (header->abi_major != RYUSO_MODULE_MAJOR)
		return differs(error, "abi_major", header->abi_major, RYUSO_MODULE_MAJOR);
	if (header->abi_minor > RYUSO_MODULE_MINOR)
		return error_set(error, ERROR_NO_MODULE, NULL,
				 "abi_minor of the module is %u, expected at most %u: it needs a newer ryuso",
				 header->abi_minor, RYUSO_MODULE_MINOR);
	return check_sizes(header, error);
}

int module_check_table(const struct ryuso_module *table, size_t size, Error *error)
{
	const char *missing = NULL;
	int r;

	if (size < sizeof(table->header))
		return differs(error, "the size of the symbol \"" RYUSO_MODULE_SYMBOL "\"", size, sizeof(*table));
	r = check_header(&table->header, error);
	if (r < 0)
		return r;
	if (size < sizeof(*table))
		return differs(error, "the size of the symbol \"" RYUSO_MODULE_SYMBOL "\"", size, sizeof(*table));
	if (!table->name)
		missing = "name";
	else if (!table->spec)
		missing = "spec";
	else if (!table->functions && table->n_functions > 0)
		missing = "functions";
	else if (!table->programs && table->n_programs > 0)
		missing = "programs";
	if (missing)
		return error_set(error, ERROR_NO_MODULE, NULL, "%s of the module is NULL, expected a pointer" REBUILD,
				 missing);
	if (table->spec_size > SPEC_SIZE_MAX)
		return error_set(error, ERROR_NO_MODULE, NULL, "spec_size of the module is %zu, expected at most %u",
				 table->spec_size, SPEC_SIZE_MAX);
	return 0;
}

static int text_differs(Error *error, const char *what, size_t index, const char *found, const char *expected)
{
	return error_set(error, ERROR_NO_MODULE, NULL,
			 "%s %zu of the module is \"%s\", expected \"%s\" as in its spec" REBUILD, what, index + 1,
			 found ? found : "(none)", expected);
}

static int check_function(const struct ryuso_module_function *function, const SpecFunction *expected, size_t index,
			  Error *error)
{
	if (!function->reference || strcmp(function->reference, expected->reference) != 0)
		return text_differs(error, "function", index, function->reference, expected->reference);
	if (!function->call)
		return error_set(error, ERROR_NO_MODULE, NULL,
				 "call of function \"%s\" of the module is NULL, expected a pointer" REBUILD,
				 function->reference);
	if (function->n_args != expected->hook->args.n)
		return error_set(error, ERROR_NO_MODULE, NULL,
				 "function \"%s\" of the module takes %u arguments, expected %zu" REBUILD,
				 function->reference, function->n_args, expected->hook->args.n);
	if (function->n_outputs != expected->hook->outputs.n)
		return error_set(error, ERROR_NO_MODULE, NULL,
				 "function \"%s\" of the module has %u outputs, expected %zu" REBUILD,
				 function->reference, function->n_outputs, expected->hook->outputs.n);
	return 0;
}

static int check_steps(const struct ryuso_module_program *program, const Plan *plan, Error *error)
{
	uint32_t n = 0;

	for (uint32_t op = 0; op < plan->n_ops; op++) {
		const struct ryuso_module_step *step = &program->steps[n];

		if (plan->ops[op].kind != PLAN_CALL)
			continue;
		if (n++ < program->n_steps && step->op == op && step->step == plan->ops[op].step &&
		    step->function == plan->ops[op].hook->function && step->hook &&
		    strcmp(step->hook, plan->ops[op].hook->name) == 0)
			continue;
		return error_set(error, ERROR_NO_MODULE, NULL,
				 "step %u of program \"%s\" of the module differs from what its spec compiles to here "
				 "(hook \"%s\")" REBUILD,
				 n, program->name, plan->ops[op].hook->name);
	}
	return n == program->n_steps ? 0 : differs(error, "n_steps of a program", program->n_steps, n);
}

static int check_plan(const struct ryuso_module_program *program, const Spec *spec, const SpecProgram *expected,
		      Error *error)
{
	_cleanup_plan_ Plan *plan = NULL;
	PlanError plan_error = { 0 };
	uint8_t fingerprint[16];
	int r;

	r = plan_compile(spec, expected, &plan, &plan_error);
	plan_error_done(&plan_error);
	if (r < 0)
		return r;
	r = plan_fingerprint(plan, fingerprint);
	if (r < 0)
		return r;
	if (memcmp(program->fingerprint, fingerprint, sizeof(fingerprint)) != 0)
		return error_set(error, ERROR_NO_MODULE, NULL,
				 "the plan of program \"%s\" of the module is another one than its spec compiles to "
				 "here" REBUILD,
				 program->name);
	if (!program->steps && program->n_steps > 0)
		return error_set(error, ERROR_NO_MODULE, NULL,
				 "steps of program \"%s\" of the module is NULL, expected a pointer" REBUILD,
				 program->name);
	return check_steps(program, plan, error);
}

int module_check_spec(const struct ryuso_module *table, const Spec *spec, Error *error)
{
	int r;

	if (strcmp(table->name, spec->module) != 0)
		return error_set(error, ERROR_NO_MODULE, NULL,
				 "name of the module is \"%s\", expected \"%s\" as in its spec" REBUILD, table->name,
				 spec->module);
	if (table->n_functions != spec->n_functions)
		return differs(error, "n_functions", table->n_functions, spec->n_functions);
	if (table->n_programs != spec->n_programs)
		return differs(error, "n_programs", table->n_programs, spec->n_programs);
	for (size_t i = 0; i < spec->n_functions; i++) {
		r = check_function(&table->functions[i], &spec->functions[i], i, error);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < spec->n_programs; i++) {
		if (!table->programs[i].name || strcmp(table->programs[i].name, spec->programs[i].name) != 0)
			return text_differs(error, "program", i, table->programs[i].name, spec->programs[i].name);
		r = check_plan(&table->programs[i], spec, &spec->programs[i], error);
		if (r < 0)
			return r;
	}
	return 0;
}
