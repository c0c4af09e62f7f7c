/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/loader.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

#define SHOWN_MAX 60U /* bytes of a value that a message shows */

void loader_done(Loader *loader)
{
	loader->spec = spec_free(loader->spec);
	buffer_done(&loader->path);
	issues_done(&loader->issues);
	free(loader->programs_broken);
	free(loader->hooks_broken);
}

static void loader_end_path(Loader *loader)
{
	buffer_u8(&loader->path, '\0');
	if (buffer_error(&loader->path) < 0)
		loader->error = -ENOMEM;
	else
		loader->path.size--;
}

size_t loader_enter(Loader *loader, const char *name)
{
	size_t where = loader->path.size;

	buffer_text(&loader->path, "/");
	for (; *name; name++) {
		if (*name == '~')
			buffer_text(&loader->path, "~0");
		else if (*name == '/')
			buffer_text(&loader->path, "~1");
		else
			buffer_u8(&loader->path, (uint8_t)*name);
	}
	loader_end_path(loader);
	return where;
}

size_t loader_enter_index(Loader *loader, size_t index)
{
	size_t where = loader->path.size;

	buffer_format(&loader->path, "/%zu", index);
	loader_end_path(loader);
	return where;
}

void loader_leave(Loader *loader, size_t where)
{
	if (loader->error < 0)
		return;
	loader->path.size = where;
	loader_end_path(loader);
}

void loader_go(Loader *loader, ...)
{
	const char *name;
	va_list list;

	loader->broken = NULL;
	loader_leave(loader, 0);
	va_start(list, loader);
	while ((name = va_arg(list, const char *)))
		loader_enter(loader, name);
	va_end(list);
}

void loader_go_hook(Loader *loader, const SpecHook *hook)
{
	loader_go(loader, "hooks", hook->name, NULL);
	loader->broken = &loader->hooks_broken[hook - loader->spec->hooks];
}

void loader_go_program(Loader *loader, const SpecProgram *program)
{
	loader_go(loader, "programs", program->name, NULL);
	loader->broken = &loader->programs_broken[program - loader->spec->programs];
}

static void loader_add(Loader *loader, bool warning, IssuePlace place, const char *format, va_list list)
{
	if (loader->error < 0)
		return;
	if (loader->broken && !warning)
		*loader->broken = true;
	issues_add(&loader->issues, warning, place, (const char *)loader->path.data, format, list);
	if (loader->issues.failed)
		loader->error = -ENOMEM;
}

void loader_error(Loader *loader, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	loader_add(loader, false, ISSUE_AT_VALUE, format, list);
	va_end(list);
}

void loader_error_at_name(Loader *loader, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	loader_add(loader, false, ISSUE_AT_NAME, format, list);
	va_end(list);
}

void loader_warning(Loader *loader, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	loader_add(loader, true, ISSUE_AT_VALUE, format, list);
	va_end(list);
}

static char *loader_take(Loader *loader, Buffer *buffer)
{
	char *text = buffer_take_text(buffer);

	if (!text)
		loader->error = -ENOMEM;
	return text;
}

char *loader_show_text(Loader *loader, const char *text)
{
	_cleanup_buffer_ Buffer buffer = { 0 };

	buffer_text(&buffer, "\"");
	text_escape(text, strlen(text), SHOWN_MAX, &buffer);
	buffer_text(&buffer, "\"");
	return loader_take(loader, &buffer);
}

char *loader_show(Loader *loader, struct json_object *value)
{
	_cleanup_buffer_ Buffer buffer = { 0 };

	if (json_object_is_type(value, json_type_string))
		return loader_show_text(loader, json_object_get_string(value));
	if (json_object_is_type(value, json_type_object))
		buffer_text(&buffer, "an object");
	else if (json_object_is_type(value, json_type_array))
		buffer_text(&buffer, "an array");
	else
		json_write(value, &buffer);
	return loader_take(loader, &buffer);
}

char *loader_suggest(Loader *loader, const char *word, const char *prefix, const char *const *candidates, size_t n)
{
	_cleanup_buffer_ Buffer buffer = { 0 };
	const char *closest = NULL;

	if (n <= loader->suggestions) {
		loader->suggestions -= (unsigned)n;
		closest = text_closest(word, candidates, n);
	}
	if (closest)
		buffer_format(&buffer, " (did you mean \"%s%s\"?)", prefix, closest);
	return loader_take(loader, &buffer);
}

bool loader_is_object(Loader *loader, struct json_object *value, size_t max)
{
	_cleanup_free_ char *shown = NULL;

	if (json_object_is_type(value, json_type_object)) {
		if ((size_t)json_object_object_length(value) <= max)
			return true;
		loader_error(loader, "expected at most %zu members; got %d", max, json_object_object_length(value));
		return false;
	}
	shown = loader_show(loader, value);
	if (shown)
		loader_error(loader, "expected an object; got %s", shown);
	return false;
}

bool loader_is_array(Loader *loader, struct json_object *value, size_t max)
{
	_cleanup_free_ char *shown = NULL;

	if (json_object_is_type(value, json_type_array)) {
		if (json_object_array_length(value) <= max)
			return true;
		loader_error(loader, "expected at most %zu entries; got %zu", max, json_object_array_length(value));
		return false;
	}
	shown = loader_show(loader, value);
	if (shown)
		loader_error(loader, "expected an array; got %s", shown);
	return false;
}

const char *loader_text(Loader *loader, struct json_object *value)
{
	_cleanup_free_ char *shown = NULL;

	if (json_object_is_type(value, json_type_string))
		return json_object_get_string(value);
	shown = loader_show(loader, value);
	if (shown)
		loader_error(loader, "expected a string; got %s", shown);
	return NULL;
}

void *loader_array(Loader *loader, size_t n, size_t size)
{
	void *items = n > 0 ? calloc(n, size) : NULL;

	if (n > 0 && !items)
		loader->error = -ENOMEM;
	return items;
}

char *loader_copy(Loader *loader, const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		loader->error = -ENOMEM;
	return copy;
}
