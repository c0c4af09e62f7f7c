/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a template is filled in with: a scope of named texts, flags and lists of inner scopes. A name is looked up in
 * the innermost scope first, then outwards. Names are borrowed (literals), texts are copied. A failure to allocate
 * sticks, as with Buffer: the filling calls return nothing, and fields_error() is asked once at the end. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/macro.h"

typedef enum FieldKind {
	FIELD_TEXT,
	FIELD_FLAG,
	FIELD_LIST,
} FieldKind;

typedef struct Fields Fields;

typedef struct Field {
	const char *name;
	FieldKind kind;
	char *text;     /* TEXT */
	bool flag;      /* FLAG */
	Fields **items; /* LIST */
	size_t n_items;
	size_t capacity;
} Field;

/** \brief An outermost scope, or NULL. */
Fields *fields_new(void);
Fields *fields_free(Fields *fields);
DEFINE_CLEANUP(Fields *, fields_free)
#define _cleanup_fields_ _cleanup_(fields_freep)

/** \brief Sets a text; one that the scope has already is replaced. NULL says that memory was short for it. */
void fields_text(Fields *fields, const char *name, const char *text);
void fields_format(Fields *fields, const char *name, const char *format, ...) _printf_(3, 4);
void fields_flag(Fields *fields, const char *name, bool flag);
/** \brief Makes a list that has no items so far. */
void fields_list(Fields *fields, const char *name);
/** \brief Appends an inner scope to a list (made if it is new) and returns it; never NULL. */
Fields *fields_add(Fields *fields, const char *name);
/** \brief 0, or -ENOMEM where anything above has failed in this scope's tree. */
int fields_error(const Fields *fields);

/** \brief The field that \p name means in this scope, or NULL. */
const Field *fields_find(const Fields *fields, const char *name);
