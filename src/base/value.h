/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One value of the data pool: one of the six types that a spec can name. A value owns what it holds. Lists and dicts
 * are json-c trees, shared by reference count and never changed once they are in a value. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/macro.h"

struct json_object;

typedef enum ValueType {
	VALUE_NONE, /* no value; no key holds it */
	VALUE_STRING,
	VALUE_INT,
	VALUE_FLOAT,
	VALUE_LIST,
	VALUE_DICT,
	VALUE_BOOL,
	VALUE_TYPE_MAX,
} ValueType;

typedef struct Value {
	ValueType type;
	union {
		struct {
			char *data; /* UTF-8, no U+0000, NUL-terminated */
			size_t size;
		} string;
		int64_t integer;
		double real; /* finite */
		bool boolean;
		struct json_object *json;
	};
} Value;

/** \brief "string", "int", "float", "list", "dict", "bool"; "none" for VALUE_NONE. */
const char *value_type_name(ValueType type);
/** \brief VALUE_NONE where \p name is none of the six. */
ValueType value_type_from_name(const char *name);
/** \brief Whether a value of type \p got may stand where \p asked is declared: the same, or an int for a float. */
bool value_type_fits(ValueType asked, ValueType got);

/** \brief Of a string, a list or a dict. */
void value_free_parts(Value *value);
static inline void value_done(Value *value)
{
	if (value->type == VALUE_STRING || value->type == VALUE_LIST || value->type == VALUE_DICT)
		value_free_parts(value);
	*value = (Value){ 0 };
}
#define _cleanup_value_ _cleanup_(value_done)

int value_copy(const Value *value, Value *ret);
bool value_equal(const Value *a, const Value *b);
/** \brief \p text is copied. -EINVAL where it is not UTF-8 or holds U+0000. */
int value_from_text(const char *text, size_t size, Value *ret);
/** \brief From a json-c value, which stays the caller's (lists and dicts are referenced). -EINVAL for null, and for
 * what json_is_strict() does not let pass. */
int value_from_json(struct json_object *json, Value *ret);
/** \brief A new reference; NULL where memory is short. */
struct json_object *value_to_json(const Value *value);
/** \brief Appends JSON text, as json_write() writes it. */
void value_write(const Value *value, Buffer *buffer);

/** \brief Appends type and content. */
void value_encode(const Value *value, Buffer *buffer);
/** \brief How many bytes value_encode() appends, exactly. Costs as much as that for lists and dicts. */
size_t value_size(const Value *value);
/** \brief -EBADMSG where the bytes are no value, -ENOMEM. */
int value_decode(Reader *reader, Value *ret);
