/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Objects read by the table of their keys, and the values that are the same everywhere. */
#include "spec/loader.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/text.h"

#define FIELDS_MAX 16U

static const Field *field_find(const Field *fields, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(fields[i].name, name) == 0)
			return &fields[i];
	return NULL;
}

/* Returns the key that was perhaps meant, or NULL. */
static const char *object_unknown(Loader *loader, const Field *fields, size_t n, const char *name)
{
	_cleanup_buffer_ Buffer known = { 0 };
	_cleanup_free_ char *text = NULL, *shown = NULL, *suggestion = NULL;
	const char *names[FIELDS_MAX];
	size_t where;

	for (size_t i = 0; i < n; i++) {
		names[i] = fields[i].name;
		buffer_format(&known, "%s%s", i > 0 ? ", " : "", names[i]);
	}
	text = buffer_take_text(&known);
	shown = loader_show_text(loader, name);
	suggestion = loader_suggest(loader, name, "", names, n);
	if (!text || !shown || !suggestion) {
		loader->error = -ENOMEM;
		return NULL;
	}
	where = loader_enter(loader, name);
	loader_error_at_name(loader, "expected one of the keys %s; got %s%s", text, shown, suggestion);
	loader_leave(loader, where);
	return *suggestion ? text_closest(name, names, n) : NULL;
}

void loader_object(Loader *loader, struct json_object *value, const Field *fields, size_t n_fields, void *target)
{
	bool seen[FIELDS_MAX] = { false };

	if (!loader_is_object(loader, value, SIZE_MAX))
		return;
	json_object_object_foreach(value, name, member)
	{
		const Field *field = field_find(fields, n_fields, name);
		size_t where;

		if (strncmp(name, "x-", 2) == 0)
			continue;
		if (!field) {
			/* One mistake is one error: the key that was meant is not called missing as well. */
			const char *meant = object_unknown(loader, fields, n_fields, name);

			if (meant)
				seen[field_find(fields, n_fields, meant) - fields] = true;
			continue;
		}
		seen[field - fields] = true;
		where = loader_enter(loader, name);
		field->read(loader, member, (char *)target + field->offset);
		loader_leave(loader, where);
	}
	for (size_t i = 0; i < n_fields; i++)
		if (fields[i].required && !seen[i])
			loader_error(loader, "expected the key \"%s\"; got an object without it", fields[i].name);
}

void read_text(Loader *loader, struct json_object *value, void *target)
{
	const char *text = loader_text(loader, value);

	if (text)
		*(char **)target = loader_copy(loader, text);
}

void read_bool(Loader *loader, struct json_object *value, void *target)
{
	_cleanup_free_ char *shown = NULL;

	if (json_object_is_type(value, json_type_boolean)) {
		*(bool *)target = json_object_get_boolean(value);
		return;
	}
	shown = loader_show(loader, value);
	if (shown)
		loader_error(loader, "expected true or false; got %s", shown);
}

void read_nothing(Loader *loader, struct json_object *value, void *target)
{
	(void)loader;
	(void)value;
	(void)target;
}

bool loader_seconds(Loader *loader, struct json_object *value, uint64_t min_usec, uint64_t max_usec, uint64_t *ret)
{
	_cleanup_free_ char *shown = NULL;
	double usec;

	if (json_object_is_type(value, json_type_int) || json_object_is_type(value, json_type_double)) {
		usec = round(json_object_get_double(value) * (double)USEC_PER_SEC);
		if (usec >= (double)min_usec && usec <= (double)max_usec) {
			*ret = (uint64_t)usec;
			return true;
		}
	}
	shown = loader_show(loader, value);
	if (shown)
		loader_error(loader, "expected seconds, %s 0 and at most %llu; got %s",
			     min_usec > 0 ? "more than" : "at least", (unsigned long long)(max_usec / USEC_PER_SEC),
			     shown);
	return false;
}

void read_timeout(Loader *loader, struct json_object *value, void *target)
{
	loader_seconds(loader, value, 1, SPEC_TIMEOUT_MAX_USEC, target);
}
