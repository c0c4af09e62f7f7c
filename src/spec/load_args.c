/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/parts.h"

#include <errno.h>
#include <string.h>

#include "spec/naming.h"

#define TYPES "one of string, int, float, list, dict, bool"

/* What people write who come from elsewhere. */
static const struct {
	const char *word;
	ValueType type;
} foreign_types[] = {
	{ "integer", VALUE_INT },  { "str", VALUE_STRING },  { "text", VALUE_STRING },
	{ "boolean", VALUE_BOOL }, { "object", VALUE_DICT }, { "array", VALUE_LIST },
	{ "double", VALUE_FLOAT }, { "map", VALUE_DICT },    { "decimal", VALUE_FLOAT },
};

static char *type_suggestion(Loader *loader, const char *word)
{
	const char *names[VALUE_TYPE_MAX - 1];

	for (size_t i = 0; i < ELEMENTSOF(foreign_types); i++)
		if (strcmp(foreign_types[i].word, word) == 0) {
			names[0] = value_type_name(foreign_types[i].type);
			return loader_suggest(loader, names[0], "", names, 1);
		}
	for (ValueType type = VALUE_NONE + 1; type < VALUE_TYPE_MAX; type++)
		names[type - 1] = value_type_name(type);
	return loader_suggest(loader, word, "", names, ELEMENTSOF(names));
}

static void read_type(Loader *loader, struct json_object *value, void *target)
{
	ValueType *type = target;
	_cleanup_free_ char *shown = NULL, *suggestion = NULL;

	if (json_object_is_type(value, json_type_string)) {
		*type = value_type_from_name(json_object_get_string(value));
		if (*type != VALUE_NONE)
			return;
		suggestion = type_suggestion(loader, json_object_get_string(value));
	}
	shown = loader_show(loader, value);
	if (shown)
		loader_error(loader, "expected " TYPES "; got %s%s", shown, suggestion ? suggestion : "");
}

static const Field arg_fields[] = {
	{ "type", true, read_type, offsetof(SpecArg, type) },
	{ "required", true, read_bool, offsetof(SpecArg, required) },
	{ "description", false, read_text, offsetof(SpecArg, description) },
	{ "default", false, read_nothing, 0 },
	{ "secret", false, read_bool, offsetof(SpecArg, secret) },
};

static const char *type_phrase(ValueType type)
{
	static const char *const phrases[VALUE_TYPE_MAX] = {
		[VALUE_STRING] = "a string", [VALUE_INT] = "an int",  [VALUE_FLOAT] = "a float",
		[VALUE_LIST] = "a list",     [VALUE_DICT] = "a dict", [VALUE_BOOL] = "a bool",
	};

	return phrases[type];
}

/* The default is read when the argument's type is known, wherever it stands in the file. */
static void arg_default(Loader *loader, SpecArg *arg, struct json_object *value)
{
	_cleanup_free_ char *shown = NULL;
	_cleanup_value_ Value fallback = { 0 };
	int r;

	r = value_from_json(value, &fallback);
	if (r == -ENOMEM) {
		loader->error = r;
		return;
	}
	if (r < 0 || !value_type_fits(arg->type, fallback.type)) {
		shown = loader_show(loader, value);
		if (shown)
			loader_error(loader, "expected %s, the argument's type; got %s", type_phrase(arg->type), shown);
		return;
	}
	if (arg->type == VALUE_FLOAT && fallback.type == VALUE_INT)
		fallback = (Value){ .type = VALUE_FLOAT, .real = (double)fallback.integer };
	arg->fallback = fallback;
	fallback = (Value){ 0 };
	arg->has_default = true;
}

static void load_arg(Loader *loader, SpecArg *arg, struct json_object *value, bool output)
{
	struct json_object *fallback;
	size_t where;

	loader_object(loader, value, arg_fields, ELEMENTSOF(arg_fields), arg);
	if (!json_object_is_type(value, json_type_object) || !json_object_object_get_ex(value, "default", &fallback))
		return;
	where = loader_enter(loader, "default");
	if (output)
		loader_error_at_name(loader, "expected no default of an output: a hook sets it or it is not there; got "
					     "the key \"default\"");
	else if (arg->type != VALUE_NONE)
		arg_default(loader, arg, fallback);
	loader_leave(loader, where);
}

static void arg_name(Loader *loader, const char *name, bool metadata)
{
	const char *expected = naming_fault(name, metadata);
	_cleanup_free_ char *shown = NULL;

	if (!expected)
		return;
	shown = loader_show_text(loader, name);
	if (shown)
		loader_error_at_name(loader, "expected %s; got %s", expected, shown);
}

static void load_args(Loader *loader, struct json_object *value, SpecArgs *args, bool metadata, bool output)
{
	args->declared = true;
	if (!loader_is_object(loader, value, SPEC_ARGS_MAX))
		return;
	args->items = loader_array(loader, (size_t)json_object_object_length(value), sizeof(*args->items));
	if (!args->items)
		return;
	json_object_object_foreach(value, name, member)
	{
		SpecArg *arg = &args->items[args->n++];
		size_t where = loader_enter(loader, name);

		arg->name = loader_copy(loader, name);
		arg_name(loader, name, metadata);
		load_arg(loader, arg, member, output);
		loader_leave(loader, where);
	}
}

void read_hook_args(Loader *loader, struct json_object *value, void *target)
{
	load_args(loader, value, target, true, false);
}

void read_program_args(Loader *loader, struct json_object *value, void *target)
{
	load_args(loader, value, target, false, false);
}

void read_outputs(Loader *loader, struct json_object *value, void *target)
{
	load_args(loader, value, target, false, true);
}
