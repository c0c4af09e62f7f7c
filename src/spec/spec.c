/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/spec.h"

#include <string.h>

static void args_done(SpecArgs *args)
{
	for (size_t i = 0; i < args->n; i++) {
		free(args->items[i].name);
		free(args->items[i].description);
		value_done(&args->items[i].fallback);
	}
	free(args->items);
}

static void texts_free(char **texts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(texts[i]);
	free(texts);
}

static void hook_done(SpecHook *hook)
{
	for (size_t i = 0; i < hook->n_binds; i++) {
		free(hook->binds[i].name);
		free(hook->binds[i].key);
	}
	free(hook->binds);
	args_done(&hook->args);
	args_done(&hook->outputs);
	free(hook->dependencies.items);
	free(hook->rectifiers.items);
	free(hook->name);
	free(hook->reference);
	free(hook->description);
}

static void program_done(SpecProgram *program)
{
	texts_free(program->allow.users, program->allow.n_users);
	texts_free(program->allow.groups, program->allow.n_groups);
	args_done(&program->args);
	args_done(&program->outputs);
	free(program->hooks.items);
	free(program->name);
	free(program->probe);
	free(program->description);
}

static void function_done(SpecFunction *function)
{
	free(function->reference);
	free(function->symbol);
	free(function->file);
}

Spec *spec_free(Spec *spec)
{
	if (!spec)
		return NULL;
	for (size_t i = 0; i < spec->n_hooks; i++)
		hook_done(&spec->hooks[i]);
	for (size_t i = 0; i < spec->n_programs; i++)
		program_done(&spec->programs[i]);
	for (size_t i = 0; i < spec->n_functions; i++)
		function_done(&spec->functions[i]);
	free(spec->hooks);
	free(spec->programs);
	free(spec->functions);
	names_done(&spec->program_names);
	names_done(&spec->hook_names);
	free(spec->name);
	free(spec->module);
	free(spec->version);
	free(spec);
	return NULL;
}

const SpecProgram *spec_program(const Spec *spec, const char *name)
{
	uint32_t number = names_find(&spec->program_names, name);

	return number == NAMES_NONE ? NULL : &spec->programs[number];
}

const SpecHook *spec_hook(const Spec *spec, const char *name)
{
	uint32_t number = names_find(&spec->hook_names, name);

	return number == NAMES_NONE ? NULL : &spec->hooks[number];
}

const SpecArg *spec_arg(const SpecArgs *args, const char *name)
{
	for (size_t i = 0; i < args->n; i++)
		if (strcmp(args->items[i].name, name) == 0)
			return &args->items[i];
	return NULL;
}
