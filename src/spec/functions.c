/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* References to functions: "wallet.ledger.accounts.debit" is ledger_accounts_debit() in ledger/accounts.c. */
#include "spec/parts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "spec/naming.h"

#define PARTS_MIN 3U

/* What `part`, a piece of a reference, should have been, or NULL. */
static const char *part_fault(const char *part)
{
	if (!text_is_identifier(part))
		return "C identifiers between the dots";
	if (strlen(part) > SPEC_NAME_MAX)
		return "parts of at most 64 bytes";
	if (naming_is_keyword(part))
		return "no keyword of C or C++ between the dots";
	return NULL;
}

static size_t parts_count(const char *reference)
{
	size_t n = 1;

	for (; *reference; reference++)
		n += *reference == '.';
	return n;
}

/* Complains about the reference's form; the path is at it. */
static bool reference_is_fine(Loader *loader, const char *reference)
{
	_cleanup_free_ char *copy = loader_copy(loader, reference), *shown = loader_show_text(loader, reference);
	const char *module = loader->spec->module;
	char *rest = copy, *part;

	if (!copy || !shown)
		return false;
	if (strlen(reference) > SPEC_REFERENCE_MAX) {
		loader_error(loader, "expected at most %u bytes; got %zu", SPEC_REFERENCE_MAX, strlen(reference));
		return false;
	}
	if (parts_count(reference) < PARTS_MIN) {
		loader_error(loader,
			     "expected \"%s.FILE.FUNCTION\", at least three parts between dots, or \"programs.NAME\"; "
			     "got %s",
			     module ? module : "MODULE", shown);
		return false;
	}
	for (bool first = true; (part = strsep(&rest, ".")); first = false) {
		const char *expected = part_fault(part);

		if (expected) {
			loader_error(loader, "expected %s; got %s", expected, shown);
			return false;
		}
		if (first && module && strcmp(part, module) != 0) {
			loader_error(loader, "expected the module's name, \"%s\", as the first part; got %s", module,
				     shown);
			return false;
		}
	}
	return true;
}

/* "wallet.ledger.accounts.debit" → "ledger_accounts_debit" and "ledger/accounts.c". */
static void function_name(Loader *loader, const char *reference, SpecFunction *function)
{
	const char *path = strchr(reference, '.') + 1;
	char *last;

	function->reference = loader_copy(loader, reference);
	function->symbol = loader_copy(loader, path);
	function->file = loader_copy(loader, path);
	if (loader->error < 0)
		return;
	for (char *at = function->symbol; *at; at++)
		if (*at == '.')
			*at = '_';
	for (char *at = function->file; *at; at++)
		if (*at == '.')
			*at = '/';
	last = strrchr(function->file, '/');
	strcpy(last, ".c"); /* at least one letter stood behind the '/' */
}

static void agree_on_arg(Loader *loader, const SpecHook *first, const SpecArg *wanted, const SpecArg *arg)
{
	const char *same = "which has the same function";

	if (arg->type != wanted->type)
		loader_error(loader, "expected type %s, as in hooks.%s, %s; got %s", value_type_name(wanted->type),
			     first->name, same, value_type_name(arg->type));
	if (arg->required != wanted->required)
		loader_error(loader, "expected \"required\": %s, as in hooks.%s, %s; got %s",
			     wanted->required ? "true" : "false", first->name, same, arg->required ? "true" : "false");
	if (arg->has_default != wanted->has_default)
		loader_error(loader, "expected %s, as in hooks.%s, %s; got %s",
			     wanted->has_default ? "a default" : "no default", first->name, same,
			     arg->has_default ? "one" : "none");
}

static void agree_on_args(Loader *loader, const SpecHook *first, const char *kind, const SpecArgs *wanted,
			  const SpecArgs *args)
{
	size_t outer;

	if (args->declared != wanted->declared) {
		loader_error(loader, "expected %s \"%s\", as in hooks.%s, which has the same function; got %s",
			     wanted->declared ? "the key" : "no key", kind, first->name,
			     args->declared ? "the key" : "none");
		return;
	}
	outer = loader_enter(loader, kind);
	for (size_t i = 0; i < MAX(args->n, wanted->n); i++) {
		const char *name = i < args->n ? args->items[i].name : NULL;
		const char *expected = i < wanted->n ? wanted->items[i].name : NULL;
		size_t where;

		if (!name || !expected || strcmp(name, expected) != 0) {
			loader_error(
				loader,
				"expected %s%s%s as number %zu, as in hooks.%s, which has the same function; got %s%s%s",
				expected ? "\"" : "", expected ? expected : "nothing", expected ? "\"" : "", i + 1,
				first->name, name ? "\"" : "", name ? name : "nothing", name ? "\"" : "");
			break;
		}
		where = loader_enter(loader, name);
		agree_on_arg(loader, first, &wanted->items[i], &args->items[i]);
		loader_leave(loader, where);
	}
	loader_leave(loader, outer);
}

static void hook_agree(Loader *loader, const SpecHook *hook, const SpecHook *first)
{
	const SpecHook *hooks = loader->spec->hooks;

	if (loader->hooks_broken[hook - hooks] || loader->hooks_broken[first - hooks])
		return;
	loader_go_hook(loader, hook);
	agree_on_args(loader, first, "args", &first->args, &hook->args);
	agree_on_args(loader, first, "outputs", &first->outputs, &hook->outputs);
}

typedef struct Functions {
	Names references; /* number = index in Spec.functions */
	Names symbols;
	uint32_t *owners; /* by number in `symbols`: index in Spec.functions */
	Names generated;  /* owned strings */
	uint32_t *makers; /* by number in `generated`: the function for which it is generated */
} Functions;

static void functions_done(Functions *functions)
{
	for (uint32_t i = 0; i < functions->generated.n; i++)
		free((char *)functions->generated.items[i]);
	names_done(&functions->references);
	names_done(&functions->symbols);
	names_done(&functions->generated);
	free(functions->owners);
	free(functions->makers);
}

/* A new function of `hook`, whose path the loader is at. */
static void functions_push(Loader *loader, Functions *functions, const SpecHook *hook)
{
	Spec *spec = loader->spec;
	SpecFunction *function = &spec->functions[spec->n_functions];
	const char *expected;
	uint32_t number;
	int r;

	function_name(loader, hook->reference, function);
	function->hook = hook;
	spec->n_functions++;
	if (loader->error < 0)
		return;
	expected = naming_symbol_fault(function->symbol);
	if (expected)
		loader_error(loader, "expected %s; got %s()", expected, function->symbol);
	r = names_add(&functions->symbols, function->symbol, &number);
	if (r < 0)
		loader->error = r;
	if (r > 0)
		functions->owners[number] = (uint32_t)(function - spec->functions);
	if (r == 0)
		loader_error(loader, "expected a function of its own name in C; got %s() again, as of \"%s\"",
			     function->symbol, spec->functions[functions->owners[number]].reference);
}

static void functions_take(Loader *loader, Functions *functions, SpecHook *hook)
{
	uint32_t number;
	int r;

	loader_go_hook(loader, hook);
	loader_enter(loader, "reference");
	if (!reference_is_fine(loader, hook->reference))
		return;
	r = names_add(&functions->references, hook->reference, &number);
	if (r < 0) {
		loader->error = r;
		return;
	}
	hook->function = number;
	if (r > 0)
		functions_push(loader, functions, hook);
	else
		hook_agree(loader, hook, loader->spec->functions[number].hook);
}

static void generated_add(Loader *loader, Functions *functions, uint32_t maker, char *name)
{
	_cleanup_free_ char *owned = name;
	const Spec *spec = loader->spec;
	uint32_t number;
	int r;

	if (!name)
		loader->error = -ENOMEM;
	if (loader->error < 0)
		return;
	r = names_add(&functions->generated, name, &number);
	if (r < 0)
		loader->error = r;
	if (r == 0)
		loader_error(loader, "expected a function whose generated names are its own; got %s, as for \"%s\"",
			     name, spec->functions[functions->makers[number]].reference);
	if (r <= 0)
		return;
	owned = NULL;
	functions->makers[number] = maker;
}

static char *generated_name(const char *symbol, const char *middle, const char *end)
{
	char *name;

	return asprintf(&name, "%s%s%s", symbol, middle, end) < 0 ? NULL : name;
}

/* What the generator defines beside each function: its structs and setters. */
static void functions_generate(Loader *loader, Functions *functions)
{
	const Spec *spec = loader->spec;
	size_t n = 0;

	for (size_t i = 0; i < spec->n_functions; i++)
		n += 2 + spec->functions[i].hook->outputs.n;
	functions->makers = loader_array(loader, n, sizeof(*functions->makers));
	for (uint32_t i = 0; i < spec->n_functions && loader->error == 0; i++) {
		const SpecFunction *function = &spec->functions[i];

		if (functions->owners[names_find(&functions->symbols, function->symbol)] != i)
			continue; /* another's symbol, which was said */
		loader_go_hook(loader, function->hook);
		loader_enter(loader, "reference");
		generated_add(loader, functions, i, generated_name(function->symbol, "_args", ""));
		generated_add(loader, functions, i, generated_name(function->symbol, "_outputs", ""));
		for (size_t k = 0; k < function->hook->outputs.n && loader->error == 0; k++)
			generated_add(loader, functions, i,
				      generated_name(function->symbol, "_set_", function->hook->outputs.items[k].name));
	}
}

static void functions_collide(Loader *loader, const Functions *functions)
{
	const Spec *spec = loader->spec;

	for (size_t i = 0; i < spec->n_functions; i++) {
		const SpecFunction *function = &spec->functions[i];
		uint32_t number = names_find(&functions->generated, function->symbol);

		if (number == NAMES_NONE)
			continue;
		loader_go_hook(loader, function->hook);
		loader_enter(loader, "reference");
		loader_error(loader, "expected a function of its own name in C; got %s, which is generated for \"%s\"",
			     function->symbol, spec->functions[functions->makers[number]].reference);
	}
}

void load_functions(Loader *loader)
{
	Spec *spec = loader->spec;
	Functions functions = { 0 };

	spec->functions = loader_array(loader, spec->n_hooks, sizeof(*spec->functions));
	functions.owners = loader_array(loader, spec->n_hooks, sizeof(*functions.owners));
	for (size_t i = 0; i < spec->n_hooks && loader->error == 0; i++) {
		SpecHook *hook = &spec->hooks[i];

		if (hook->reference && strncmp(hook->reference, "programs.", strlen("programs.")) != 0)
			functions_take(loader, &functions, hook);
	}
	if (loader->error == 0)
		functions_generate(loader, &functions);
	if (loader->error == 0)
		functions_collide(loader, &functions);
	functions_done(&functions);
}
