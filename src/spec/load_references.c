/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* "hooks.NAME" and "programs.NAME". */
#include "spec/parts.h"

#include <string.h>

static const char *after_prefix(const char *text, const char *prefix)
{
	size_t length = strlen(prefix);

	return strncmp(text, prefix, length) == 0 ? text + length : NULL;
}

/* A suggestion by what the name is exactly, else by what comes close among those of its kind, else of the others. */
static char *reference_suggestion(Loader *loader, const char *text)
{
	const Spec *spec = loader->spec;
	const char *dot = strchr(text, '.');
	const char *name = dot ? dot + 1 : text;
	bool program_meant = after_prefix(text, "programs.") != NULL;
	const Names *first = program_meant ? &spec->program_names : &spec->hook_names;
	const Names *second = program_meant ? &spec->hook_names : &spec->program_names;
	const Names *order[] = { first, second };
	char *suggestion = NULL;

	for (size_t i = 0; i < ELEMENTSOF(order); i++) {
		const char *prefix = order[i] == &spec->hook_names ? "hooks." : "programs.";

		if (names_find(order[i], name) != NAMES_NONE)
			return loader_suggest(loader, name, prefix, &name, 1);
	}
	for (size_t i = 0; i < ELEMENTSOF(order); i++) {
		const char *prefix = order[i] == &spec->hook_names ? "hooks." : "programs.";

		free(suggestion);
		suggestion = loader_suggest(loader, name, prefix, order[i]->items, order[i]->n);
		if (!suggestion || *suggestion)
			return suggestion;
	}
	return suggestion;
}

static void reference_error(Loader *loader, const char *text, const char *expected)
{
	_cleanup_free_ char *shown = loader_show_text(loader, text), *suggestion = NULL;

	if (!shown)
		return;
	suggestion = reference_suggestion(loader, text);
	if (suggestion)
		loader_error(loader, "expected %s; got %s%s", expected, shown, suggestion);
}

bool load_reference(Loader *loader, const char *text, SpecReference *ret)
{
	const char *hook = after_prefix(text, "hooks."), *program = after_prefix(text, "programs.");
	SpecReference reference = { 0 };

	if (!hook && !program) {
		reference_error(loader, text, "\"hooks.NAME\" or \"programs.NAME\"");
		return false;
	}
	if (hook)
		reference.hook = spec_hook(loader->spec, hook);
	else
		reference.program = spec_program(loader->spec, program);
	if (reference.hook || reference.program) {
		*ret = reference;
		return true;
	}
	/* Where all of them are missing, that is the mistake. */
	if (hook ? loader->hooks != NULL : loader->programs != NULL)
		reference_error(loader, text, hook ? "a hook of this spec" : "a program of this spec");
	else if (loader->broken)
		*loader->broken = true;
	return false;
}

void read_references(Loader *loader, struct json_object *value, void *target)
{
	SpecReferences *references = target;
	size_t n;

	if (!loader_is_array(loader, value, SPEC_REFERENCES_MAX))
		return;
	n = json_object_array_length(value);
	references->items = loader_array(loader, n, sizeof(*references->items));
	if (!references->items)
		return;
	references->n = n; /* what is not resolved stays empty, and its holder is broken */
	for (size_t i = 0; i < n; i++) {
		size_t where = loader_enter_index(loader, i);
		const char *text = loader_text(loader, json_object_array_get_idx(value, i));

		if (text)
			load_reference(loader, text, &references->items[i]);
		loader_leave(loader, where);
	}
}
