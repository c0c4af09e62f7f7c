/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gen/model.h"

#include <string.h>

#include "base/json.h"
#include "gen/escape.h"

#define DEFAULT_SHOWN_MAX 80U

/* How a type of the spec is written in C. */
typedef struct TypeName {
	const char *value;    /* of a member or parameter, with what stands before its name */
	const char *optional; /* the same where it may be absent */
	const char *getter;   /* of ryuso_module_arg_… */
	const char *setter;   /* of ryuso_module_set_… */
	bool scalar;          /* an optional one points to a place of its own */
	bool json;
} TypeName;

static const TypeName type_names[VALUE_TYPE_MAX] = {
	[VALUE_STRING] = { "const char *", "const char *", "string", "string", false, false },
	[VALUE_INT] = { "int64_t ", "const int64_t *", "int", "int", true, false },
	[VALUE_FLOAT] = { "double ", "const double *", "float", "float", true, false },
	[VALUE_LIST] = { "struct json_object *", "struct json_object *", "json", "json", false, true },
	[VALUE_DICT] = { "struct json_object *", "struct json_object *", "json", "json", false, true },
	[VALUE_BOOL] = { "bool ", "const bool *", "bool", "bool", true, false },
};

static bool may_be_absent(const SpecArg *arg)
{
	return !arg->required && !arg->has_default;
}

static void add_comment(Fields *fields, const char *name, const char *indent, Buffer *text)
{
	_cleanup_free_ char *words = buffer_take_text(text);
	_cleanup_buffer_ Buffer comment = { 0 };

	if (words)
		escape_comment(words, indent, &comment);
	model_take(fields, name, &comment);
}

static void describe_default(const SpecArg *arg, Buffer *text)
{
	_cleanup_json_ struct json_object *json = value_to_json(&arg->fallback);
	_cleanup_buffer_ Buffer value = { 0 };
	_cleanup_free_ char *shown = NULL;

	if (!json)
		return;
	json_write(json, &value);
	shown = buffer_take_text(&value);
	if (!shown)
		return;
	buffer_text(text, " Default: ");
	escape_inline(shown, DEFAULT_SHOWN_MAX, text);
	buffer_text(text, ".");
}

/* "A dict." is said because C has one type for both. */
static void describe(const SpecArg *arg, bool output, Buffer *text)
{
	buffer_text(text, arg->description ? arg->description : "");
	if (arg->type == VALUE_LIST || arg->type == VALUE_DICT)
		buffer_format(text, " A %s.", value_type_name(arg->type));
	if (arg->secret)
		buffer_text(text, " Secret: not to be logged.");
	if (output)
		buffer_text(text, arg->required ? "" : " Optional: may be left unset.");
	else if (arg->has_default)
		describe_default(arg, text);
	else if (!arg->required)
		buffer_text(text, " Optional: NULL where it is absent.");
}

static void add_arg(Fields *function, const SpecArg *arg, size_t number)
{
	const TypeName *type = &type_names[arg->type];
	Fields *fields = fields_add(function, "args");
	_cleanup_buffer_ Buffer text = { 0 };
	bool optional = may_be_absent(arg);

	fields_text(fields, "name", arg->name);
	fields_format(fields, "number", "%zu", number);
	fields_text(fields, "type", optional ? type->optional : type->value);
	fields_text(fields, "value_type", type->value);
	fields_text(fields, "getter", type->getter);
	fields_flag(fields, "needed", !optional);
	fields_flag(fields, "pointed_to", optional && type->scalar);
	fields_flag(fields, "may_be_null", optional && !type->scalar);
	describe(arg, false, &text);
	add_comment(fields, "comment", "\t", &text);
	if (optional && type->scalar) {
		fields = fields_add(function, "values");
		fields_text(fields, "name", arg->name);
		fields_text(fields, "value_type", type->value);
	}
	if (type->json)
		fields_text(fields_add(function, "trees"), "name", arg->name);
}

static void add_output(Fields *function, const SpecArg *output, size_t number)
{
	const TypeName *type = &type_names[output->type];
	Fields *fields = fields_add(function, "outputs");
	_cleanup_buffer_ Buffer text = { 0 };

	fields_text(fields, "name", output->name);
	fields_format(fields, "number", "%zu", number);
	fields_text(fields, "type", type->value);
	fields_text(fields, "setter", type->setter);
	describe(output, true, &text);
	add_comment(fields, "comment", "", &text);
}

/* Blank space as wide as what stands before a function's first parameter, in tabs of eight. */
static void add_alignment(Fields *fields, const char *symbol)
{
	size_t width = strlen("ryuso_status ") + strlen(symbol) + strlen("(");
	_cleanup_buffer_ Buffer buffer = { 0 };

	for (; width >= 8; width -= 8)
		buffer_text(&buffer, "\t");
	for (; width > 0; width--)
		buffer_text(&buffer, " ");
	model_take(fields, "align", &buffer);
}

void model_add_function(Fields *model, const Spec *spec, size_t number, const char *hooks)
{
	const SpecFunction *function = &spec->functions[number];
	const SpecHook *hook = function->hook;
	Fields *fields = fields_add(model, "functions");
	_cleanup_buffer_ Buffer text = { 0 };

	fields_text(fields, "reference", function->reference);
	fields_text(fields, "symbol", function->symbol);
	fields_text(fields, "hooks", hooks);
	fields_format(fields, "n_args", "%zu", hook->args.n);
	fields_format(fields, "n_outputs", "%zu", hook->outputs.n);
	buffer_format(&text, "Hook %s%s%s", hooks, hook->description ? ": " : ".",
		      hook->description ? hook->description : "");
	add_comment(fields, "comment", "", &text);
	add_alignment(fields, function->symbol);
	fields_flag(fields, "has_args", hook->args.n > 0);
	fields_flag(fields, "has_outputs", hook->outputs.n > 0);
	fields_list(fields, "args");
	fields_list(fields, "values");
	fields_list(fields, "trees");
	for (size_t i = 0; i < hook->args.n; i++)
		add_arg(fields, &hook->args.items[i], i);
	fields_flag(fields, "has_values", fields_find(fields, "values")->n_items > 0);
	fields_list(fields, "outputs");
	for (size_t i = 0; i < hook->outputs.n; i++)
		add_output(fields, &hook->outputs.items[i], i);
}
