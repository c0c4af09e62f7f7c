/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gen/fields.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct Fields {
	Fields *outer;
	Field *items;
	size_t n;
	size_t capacity;
	bool failed; /* of the outermost scope: of the whole tree */
};

static void field_done(Field *field)
{
	free(field->text);
	for (size_t i = 0; i < field->n_items; i++)
		fields_free(field->items[i]);
	free(field->items);
}

Fields *fields_new(void)
{
	return calloc(1, sizeof(Fields));
}

Fields *fields_free(Fields *fields)
{
	if (!fields)
		return NULL;
	for (size_t i = 0; i < fields->n; i++)
		field_done(&fields->items[i]);
	free(fields->items);
	free(fields);
	return NULL;
}

static Fields *outermost(const Fields *fields)
{
	while (fields->outer)
		fields = fields->outer;
	return (Fields *)fields;
}

static void fail(Fields *fields)
{
	outermost(fields)->failed = true;
}

int fields_error(const Fields *fields)
{
	return outermost(fields)->failed ? -ENOMEM : 0;
}

static Field *find_here(const Fields *fields, const char *name)
{
	for (size_t i = 0; i < fields->n; i++)
		if (strcmp(fields->items[i].name, name) == 0)
			return &fields->items[i];
	return NULL;
}

const Field *fields_find(const Fields *fields, const char *name)
{
	for (; fields; fields = fields->outer) {
		const Field *field = find_here(fields, name);

		if (field)
			return field;
	}
	return NULL;
}

/* Room for one element more in an array, or NULL. */
static void *grow(void *items, size_t n, size_t *capacity, size_t size)
{
	size_t wanted = *capacity ? 2 * *capacity : 8;
	void *grown;

	if (n < *capacity)
		return items;
	grown = reallocarray(items, wanted, size);
	if (grown)
		*capacity = wanted;
	return grown;
}

static Field *field_make(Fields *fields, const char *name, FieldKind kind)
{
	Field *field = find_here(fields, name);
	Field *grown;

	if (field) {
		field->kind = kind;
		return field;
	}
	grown = grow(fields->items, fields->n, &fields->capacity, sizeof(Field));
	if (!grown) {
		fail(fields);
		return NULL;
	}
	fields->items = grown;
	field = &fields->items[fields->n++];
	*field = (Field){ .name = name, .kind = kind };
	return field;
}

static void set_text(Fields *fields, const char *name, char *text)
{
	Field *field = text ? field_make(fields, name, FIELD_TEXT) : NULL;

	if (!field) {
		free(text);
		fail(fields);
		return;
	}
	free(field->text);
	field->text = text;
}

void fields_text(Fields *fields, const char *name, const char *text)
{
	set_text(fields, name, text ? strdup(text) : NULL);
}

void fields_format(Fields *fields, const char *name, const char *format, ...)
{
	char *text = NULL;
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vasprintf(&text, format, arguments);
	va_end(arguments);
	set_text(fields, name, n < 0 ? NULL : text);
}

void fields_flag(Fields *fields, const char *name, bool flag)
{
	Field *field = field_make(fields, name, FIELD_FLAG);

	if (field)
		field->flag = flag;
}

void fields_list(Fields *fields, const char *name)
{
	field_make(fields, name, FIELD_LIST);
}

/* Where memory is short the scope itself is returned: what is filled in there is never rendered. */
Fields *fields_add(Fields *fields, const char *name)
{
	Field *list = field_make(fields, name, FIELD_LIST);
	Fields **grown;
	Fields *inner;

	if (!list)
		return fields;
	grown = grow(list->items, list->n_items, &list->capacity, sizeof(Fields *));
	if (!grown) {
		fail(fields);
		return fields;
	}
	list->items = grown;
	inner = fields_new();
	if (!inner) {
		fail(fields);
		return fields;
	}
	inner->outer = fields;
	list->items[list->n_items++] = inner;
	return inner;
}
