/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rule 4 and the last part of rule 6, so far as one hook alone can break them. */
#include "spec/parts.h"

#include <errno.h>
#include <string.h>

static const SpecBind *bind_find(const SpecHook *hook, const char *name)
{
	for (size_t i = 0; i < hook->n_binds; i++)
		if (strcmp(hook->binds[i].name, name) == 0)
			return &hook->binds[i];
	return NULL;
}

static void check_irreversible(Loader *loader, const SpecHook *hook)
{
	size_t where;

	if (!hook->irreversible || hook->rectifiers.n == 0)
		return;
	where = loader_enter(loader, "irreversible");
	loader_error(loader, "expected either \"irreversible\" or \"rectifiers\"; got both");
	loader_leave(loader, where);
}

static void undeclared_bind(Loader *loader, const SpecHook *hook, const SpecBind *bind)
{
	_cleanup_free_ const char **names = loader_array(loader, hook->args.n + hook->outputs.n, sizeof(*names));
	_cleanup_free_ char *suggestion = NULL;
	size_t n = 0;

	for (size_t i = 0; names && i < hook->args.n; i++)
		names[n++] = hook->args.items[i].name;
	for (size_t i = 0; names && i < hook->outputs.n; i++)
		names[n++] = hook->outputs.items[i].name;
	suggestion = loader_suggest(loader, bind->name, "", names, n);
	if (suggestion)
		loader_error_at_name(loader, "expected an argument or output of this hook; got \"%s\"%s", bind->name,
				     suggestion);
}

static void check_bind(Loader *loader, const SpecHook *hook, const SpecBind *bind)
{
	bool arg = spec_arg(&hook->args, bind->name) != NULL, output = spec_arg(&hook->outputs, bind->name) != NULL;

	if (hook->outputs.declared && !arg && !output)
		undeclared_bind(loader, hook, bind);
	else if (*bind->key == '_' && output)
		loader_error(loader,
			     "expected a key that does not begin with '_' (those are the request's metadata, which no "
			     "output can be); got \"%s\"",
			     bind->key);
	else if (*bind->key == '_' && !arg)
		loader_error(loader,
			     "expected a key that does not begin with '_' (those are the request's metadata, for "
			     "declared arguments); got \"%s\"",
			     bind->key);
}

static const char *output_key(const SpecHook *hook, size_t output)
{
	const SpecBind *bind = bind_find(hook, hook->outputs.items[output].name);

	return bind ? bind->key : hook->outputs.items[output].name;
}

static void check_outputs(Loader *loader, const SpecHook *hook)
{
	_cleanup_names_ Names keys = { 0 };

	for (size_t i = 0; i < hook->outputs.n; i++) {
		const char *name = hook->outputs.items[i].name, *other;
		uint32_t number;
		size_t outer, where;
		int r;

		r = names_add(&keys, output_key(hook, i), &number);
		if (r < 0)
			loader->error = r;
		if (r != 0)
			continue;
		for (number = 0; strcmp(output_key(hook, number), output_key(hook, i)) != 0;)
			number++;
		other = hook->outputs.items[number].name;
		outer = loader_enter(loader, "bind");
		where = loader_enter(loader, bind_find(hook, name) ? name : other);
		loader_error(loader, "expected a key of its own for each output; got \"%s\" for both \"%s\" and \"%s\"",
			     output_key(hook, i), other, name);
		loader_leave(loader, where);
		loader_leave(loader, outer);
	}
}

void check_hooks(Loader *loader)
{
	for (size_t i = 0; i < loader->spec->n_hooks && loader->error == 0; i++) {
		const SpecHook *hook = &loader->spec->hooks[i];
		bool whole = !loader->hooks_broken[i];
		size_t outer;

		loader_go_hook(loader, hook);
		check_irreversible(loader, hook);
		outer = loader_enter(loader, "bind");
		for (size_t k = 0; whole && k < hook->n_binds; k++) {
			size_t where = loader_enter(loader, hook->binds[k].name);

			check_bind(loader, hook, &hook->binds[k]);
			loader_leave(loader, where);
		}
		loader_leave(loader, outer);
		if (whole)
			check_outputs(loader, hook);
	}
}
