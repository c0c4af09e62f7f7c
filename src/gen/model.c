/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gen/model.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "gen/escape.h"

#define HOOKS_NAMED_MAX 8U

void model_take(Fields *fields, const char *name, Buffer *buffer)
{
	_cleanup_free_ char *text = buffer_take_text(buffer);

	fields_text(fields, name, text);
}

bool model_has_json(const SpecArgs *args)
{
	for (size_t i = 0; i < args->n; i++)
		if (args->items[i].type == VALUE_LIST || args->items[i].type == VALUE_DICT)
			return true;
	return false;
}

static void add_literal(Fields *model, const char *name, const char *text)
{
	_cleanup_buffer_ Buffer buffer = { 0 };

	if (text)
		escape_string(text, strlen(text), &buffer);
	else
		buffer_text(&buffer, "NULL");
	model_take(model, name, &buffer);
}

static void add_guard(Fields *model, const char *module)
{
	_cleanup_buffer_ Buffer buffer = { 0 };

	for (; *module; module++)
		buffer_u8(&buffer, (uint8_t)toupper((unsigned char)*module));
	model_take(model, "guard", &buffer);
}

static int add_functions(Fields *model, const Spec *spec)
{
	_cleanup_free_ Buffer *hooks = calloc(spec->n_functions + 1, sizeof(Buffer));
	_cleanup_free_ unsigned *counts = calloc(spec->n_functions + 1, sizeof(unsigned));

	if (!hooks || !counts)
		return -ENOMEM;
	for (size_t i = 0; i < spec->n_hooks; i++) {
		const SpecHook *hook = &spec->hooks[i];
		unsigned count;

		if (hook->program)
			continue;
		count = counts[hook->function]++;
		if (count < HOOKS_NAMED_MAX)
			buffer_format(&hooks[hook->function], "%s%s", count ? ", " : "", hook->name);
		else if (count == HOOKS_NAMED_MAX)
			buffer_text(&hooks[hook->function], ", …");
	}
	for (size_t i = 0; i < spec->n_functions; i++) {
		_cleanup_free_ char *text = buffer_take_text(&hooks[i]);

		model_add_function(model, spec, i, text ? text : "");
		buffer_done(&hooks[i]);
	}
	return 0;
}

static void add_module(Fields *model, const Spec *spec, const char *text, size_t size)
{
	_cleanup_buffer_ Buffer buffer = { 0 };

	fields_text(model, "module", spec->module);
	add_guard(model, spec->module);
	add_literal(model, "version", spec->version);
	add_literal(model, "generator", "ryuso-gen " PACKAGE_VERSION);
	escape_inline(spec->name, SIZE_MAX, &buffer);
	model_take(model, "title", &buffer);
	escape_lines(text, size, &buffer);
	model_take(model, "spec", &buffer);
	fields_format(model, "spec_size", "%zu", size);
}

int model_new(const Spec *spec, const char *text, size_t size, Fields **ret)
{
	_cleanup_fields_ Fields *model = fields_new();
	bool has_json = false;
	int r;

	if (!model)
		return -ENOMEM;
	add_module(model, spec, text, size);
	fields_list(model, "functions");
	r = add_functions(model, spec);
	if (r < 0)
		return r;
	fields_list(model, "programs");
	for (size_t i = 0; i < spec->n_programs; i++) {
		r = model_add_program(model, spec, i);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < spec->n_functions; i++)
		has_json |= model_has_json(&spec->functions[i].hook->args);
	fields_flag(model, "has_json", has_json);
	fields_flag(model, "has_functions", spec->n_functions > 0);
	fields_flag(model, "has_programs", spec->n_programs > 0);
	fields_format(model, "n_functions", "%zu", spec->n_functions);
	fields_format(model, "n_programs", "%zu", spec->n_programs);
	r = fields_error(model);
	if (r < 0)
		return r;
	*ret = take_ptr(model);
	return 0;
}

const Fields *model_function(const Fields *model, size_t function)
{
	return fields_find(model, "functions")->items[function];
}
