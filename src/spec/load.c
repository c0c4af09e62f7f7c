/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/load.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "spec/locate.h"
#include "spec/naming.h"
#include "spec/parts.h"
#include "base/text.h"

#define SUGGESTIONS_MAX 1000000U

/* "My transaction processing" → "my_transaction_processing". */
static char *module_name(Loader *loader, const char *name)
{
	char *module = loader_copy(loader, name);

	for (char *at = module; at && *at; at++)
		*at = *at == ' ' || *at == '-' ? '_' : (char)tolower((unsigned char)*at);
	return module;
}

static void read_name(Loader *loader, struct json_object *value, void *target)
{
	Spec *spec = target;
	const char *text = loader_text(loader, value);
	_cleanup_free_ char *module = NULL, *shown = NULL;

	if (!text)
		return;
	shown = loader_show_text(loader, text);
	module = module_name(loader, text);
	if (!shown || !module)
		return;
	if (!naming_is_title(text))
		loader_error(loader, "expected letters, digits, spaces, '_' and '-', 1 to %u bytes; got %s",
			     SPEC_NAME_MAX, shown);
	else if (!text_is_identifier(module) || naming_is_keyword(module))
		loader_error(loader,
			     "expected a name that makes a module's name, a C identifier that is no keyword; got %s",
			     shown);
	else
		spec->module = take_ptr(module);
	spec->name = loader_copy(loader, text);
}

static void read_programs(Loader *loader, struct json_object *value, void *target)
{
	(void)target;
	if (loader_is_object(loader, value, SPEC_HOOKS_MAX))
		loader->programs = value;
}

static void read_hooks(Loader *loader, struct json_object *value, void *target)
{
	(void)target;
	if (loader_is_object(loader, value, SPEC_HOOKS_MAX))
		loader->hooks = value;
}

static const Field spec_fields[] = {
	{ "name", true, read_name, 0 },
	{ "version", false, read_text, offsetof(Spec, version) },
	{ "programs", true, read_programs, 0 },
	{ "hooks", true, read_hooks, 0 },
};

static void load_name(Loader *loader, const char *name, char **ret, Names *names)
{
	_cleanup_free_ char *shown = NULL;
	uint32_t number;

	*ret = loader_copy(loader, name);
	if (!*ret)
		return;
	if (names_add(names, *ret, &number) < 0)
		loader->error = -ENOMEM;
	if (naming_is_plain(name))
		return;
	shown = loader_show_text(loader, name);
	if (shown)
		loader_error_at_name(loader,
				     "expected letters, digits, '_' and '-', a letter or digit first, 1 to %u bytes; "
				     "got %s",
				     SPEC_NAME_MAX, shown);
}

/* All names first, so that what is read next can be resolved at once. */
static void load_names(Loader *loader)
{
	Spec *spec = loader->spec;
	size_t n_programs = loader->programs ? (size_t)json_object_object_length(loader->programs) : 0;
	size_t n_hooks = loader->hooks ? (size_t)json_object_object_length(loader->hooks) : 0;

	spec->programs = loader_array(loader, n_programs, sizeof(*spec->programs));
	spec->hooks = loader_array(loader, n_hooks, sizeof(*spec->hooks));
	loader->programs_broken = loader_array(loader, n_programs, sizeof(bool));
	loader->hooks_broken = loader_array(loader, n_hooks, sizeof(bool));
	if (loader->error < 0)
		return;
	if (loader->programs) {
		json_object_object_foreach(loader->programs, name, value)
		{
			(void)value;
			loader_go(loader, "programs", name, NULL);
			loader->broken = &loader->programs_broken[spec->n_programs];
			load_name(loader, name, &spec->programs[spec->n_programs++].name, &spec->program_names);
		}
	}
	if (loader->hooks) {
		json_object_object_foreach(loader->hooks, name, value)
		{
			(void)value;
			loader_go(loader, "hooks", name, NULL);
			loader->broken = &loader->hooks_broken[spec->n_hooks];
			load_name(loader, name, &spec->hooks[spec->n_hooks++].name, &spec->hook_names);
		}
	}
}

static void load_contents(Loader *loader)
{
	Spec *spec = loader->spec;

	for (size_t i = 0; i < spec->n_programs && loader->error == 0; i++) {
		struct json_object *value = json_object_object_get(loader->programs, spec->programs[i].name);

		loader_go_program(loader, &spec->programs[i]);
		load_program(loader, &spec->programs[i], value);
	}
	for (size_t i = 0; i < spec->n_hooks && loader->error == 0; i++) {
		struct json_object *value = json_object_object_get(loader->hooks, spec->hooks[i].name);

		loader_go_hook(loader, &spec->hooks[i]);
		load_hook(loader, &spec->hooks[i], value);
	}
}

static int load_tree(Loader *loader, struct json_object *root)
{
	static void (*const parts[])(Loader *) = { load_names,     load_contents, check_hooks,
						   load_functions, check_graph,   check_plans };

	loader->spec = calloc(1, sizeof(*loader->spec));
	if (!loader->spec)
		return -ENOMEM;
	loader_leave(loader, 0);
	loader_object(loader, root, spec_fields, ELEMENTSOF(spec_fields), loader->spec);
	for (size_t i = 0; i < ELEMENTSOF(parts) && loader->error == 0; i++)
		parts[i](loader);
	return loader->error;
}

static int on_repeat(const char *path, const LocatePlace *place, void *userdata)
{
	issues_add_at(userdata, place->name, path, "expected each name once in an object; got it again");
	return 0;
}

static int load_fault(Issues *issues, const char *text, size_t size, const JsonError *error)
{
	int r = 0;

	if (error->fault == JSON_FAULT_REPEATED)
		r = locate_repeats(text, size, on_repeat, issues);
	if (issues->n_errors == 0)
		issues_add_at(issues, MIN(error->offset, size), "", "%s", error->message);
	return r == -ENOMEM || issues->failed ? -ENOMEM : 0;
}

static int load_text(Loader *loader, const char *text, size_t size)
{
	_cleanup_json_ struct json_object *root = NULL;
	JsonError error = { 0 };
	int r;

	if (size > SPEC_SIZE_MAX) {
		issues_add_at(&loader->issues, 0, "", "expected at most %u bytes; got %zu", SPEC_SIZE_MAX, size);
		return loader->issues.failed ? -ENOMEM : 0;
	}
	r = json_parse(text, size, SPEC_DEPTH_MAX, &root, &error);
	if (r == -EBADMSG)
		return load_fault(&loader->issues, text, size, &error);
	return r < 0 ? r : load_tree(loader, root);
}

int spec_load(const char *text, size_t size, Spec **ret, SpecIssues *ret_issues)
{
	Loader loader = { .suggestions = SUGGESTIONS_MAX };
	SpecIssues issues;
	int r;

	r = load_text(&loader, text, size);
	if (r == 0)
		r = issues_locate(&loader.issues, text, size, &issues);
	if (r == 0) {
		if (issues.n_errors > 0)
			r = -EBADMSG;
		else
			*ret = take_ptr(loader.spec);
		*ret_issues = issues;
	}
	loader_done(&loader);
	return r;
}
