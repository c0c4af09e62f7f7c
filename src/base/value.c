/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/value.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"

static const char *const names[VALUE_TYPE_MAX] = {
	[VALUE_NONE] = "none", [VALUE_STRING] = "string", [VALUE_INT] = "int",   [VALUE_FLOAT] = "float",
	[VALUE_LIST] = "list", [VALUE_DICT] = "dict",     [VALUE_BOOL] = "bool",
};

const char *value_type_name(ValueType type)
{
	return names[type < VALUE_TYPE_MAX ? type : VALUE_NONE];
}

ValueType value_type_from_name(const char *name)
{
	for (unsigned i = VALUE_NONE + 1; i < VALUE_TYPE_MAX; i++)
		if (strcmp(names[i], name) == 0)
			return (ValueType)i;
	return VALUE_NONE;
}

bool value_type_fits(ValueType asked, ValueType got)
{
	return got != VALUE_NONE && (asked == got || (asked == VALUE_FLOAT && got == VALUE_INT));
}

static bool holds_json(ValueType type)
{
	return type == VALUE_LIST || type == VALUE_DICT;
}

void value_free_parts(Value *value)
{
	if (value->type == VALUE_STRING)
		free(value->string.data);
	else
		json_object_put(value->json);
}

static int value_from_checked_text(const char *text, size_t size, Value *ret)
{
	char *data = malloc(size + 1);

	if (!data)
		return -ENOMEM;
	memcpy(data, text, size);
	data[size] = '\0';
	*ret = (Value){ .type = VALUE_STRING, .string = { .data = data, .size = size } };
	return 0;
}

int value_copy(const Value *value, Value *ret)
{
	if (value->type == VALUE_STRING)
		return value_from_checked_text(value->string.data, value->string.size, ret);
	*ret = *value;
	if (holds_json(value->type))
		json_object_get(value->json);
	return 0;
}

bool value_equal(const Value *a, const Value *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case VALUE_STRING:
		return a->string.size == b->string.size && memcmp(a->string.data, b->string.data, a->string.size) == 0;
	case VALUE_INT:
		return a->integer == b->integer;
	case VALUE_FLOAT:
		return a->real == b->real;
	case VALUE_BOOL:
		return a->boolean == b->boolean;
	case VALUE_LIST:
	case VALUE_DICT:
		return json_object_equal(a->json, b->json);
	default:
		return true;
	}
}

int value_from_text(const char *text, size_t size, Value *ret)
{
	if (!text_is_utf8(text, size))
		return -EINVAL;
	return value_from_checked_text(text, size, ret);
}

static int value_from_tree(struct json_object *json, ValueType type, Value *ret)
{
	if (!json_is_strict(json))
		return -EINVAL;
	*ret = (Value){ .type = type, .json = json_object_get(json) };
	return 0;
}

int value_from_json(struct json_object *json, Value *ret)
{
	switch (json_object_get_type(json)) {
	case json_type_string:
		return value_from_text(json_object_get_string(json), (size_t)json_object_get_string_len(json), ret);
	case json_type_int:
		if (json_object_get_uint64(json) > INT64_MAX)
			return -EINVAL;
		*ret = (Value){ .type = VALUE_INT, .integer = json_object_get_int64(json) };
		return 0;
	case json_type_double:
		if (!isfinite(json_object_get_double(json)))
			return -EINVAL;
		*ret = (Value){ .type = VALUE_FLOAT, .real = json_object_get_double(json) };
		return 0;
	case json_type_boolean:
		*ret = (Value){ .type = VALUE_BOOL, .boolean = json_object_get_boolean(json) };
		return 0;
	case json_type_array:
		return value_from_tree(json, VALUE_LIST, ret);
	case json_type_object:
		return value_from_tree(json, VALUE_DICT, ret);
	default:
		return -EINVAL;
	}
}

struct json_object *value_to_json(const Value *value)
{
	switch (value->type) {
	case VALUE_STRING:
		if (value->string.size > INT_MAX)
			return NULL;
		return json_object_new_string_len(value->string.data, (int)value->string.size);
	case VALUE_INT:
		return json_object_new_int64(value->integer);
	case VALUE_FLOAT:
		return json_object_new_double(value->real);
	case VALUE_BOOL:
		return json_object_new_boolean(value->boolean);
	case VALUE_LIST:
	case VALUE_DICT:
		return json_object_get(value->json);
	default:
		return NULL;
	}
}

void value_write(const Value *value, Buffer *buffer)
{
	switch (value->type) {
	case VALUE_STRING:
		json_write_string(value->string.data, value->string.size, buffer);
		break;
	case VALUE_INT:
		json_write_int(value->integer, buffer);
		break;
	case VALUE_FLOAT:
		json_write_double(value->real, buffer);
		break;
	case VALUE_BOOL:
		buffer_text(buffer, value->boolean ? "true" : "false");
		break;
	case VALUE_LIST:
	case VALUE_DICT:
		json_write(value->json, buffer);
		break;
	default:
		buffer_text(buffer, "null");
	}
}

static void encode_tree(const Value *value, Buffer *buffer)
{
	size_t at = buffer->size;

	buffer_u32(buffer, 0);
	json_write(value->json, buffer);
	if (buffer->size - at > UINT32_MAX)
		buffer->failed = true;
	buffer_patch_u32(buffer, at, (uint32_t)(buffer->size - at - sizeof(uint32_t)));
}

void value_encode(const Value *value, Buffer *buffer)
{
	uint64_t bits;

	buffer_u8(buffer, (uint8_t)value->type);
	switch (value->type) {
	case VALUE_STRING:
		buffer_block(buffer, value->string.data, value->string.size);
		break;
	case VALUE_INT:
		buffer_u64(buffer, (uint64_t)value->integer);
		break;
	case VALUE_FLOAT:
		memcpy(&bits, &value->real, sizeof(bits));
		buffer_u64(buffer, bits);
		break;
	case VALUE_BOOL:
		buffer_u8(buffer, value->boolean);
		break;
	case VALUE_LIST:
	case VALUE_DICT:
		encode_tree(value, buffer);
		break;
	default:
		break;
	}
}

size_t value_size(const Value *value)
{
	_cleanup_buffer_ Buffer text = { 0 };

	switch (value->type) {
	case VALUE_STRING:
		return 1 + sizeof(uint32_t) + value->string.size;
	case VALUE_INT:
	case VALUE_FLOAT:
		return 1 + sizeof(uint64_t);
	case VALUE_BOOL:
		return 1 + 1;
	case VALUE_LIST:
	case VALUE_DICT:
		value_encode(value, &text);
		return text.failed ? SIZE_MAX / 2 : text.size;
	default:
		return 1;
	}
}

static int decode_text(Reader *reader, Value *ret)
{
	size_t size;
	const char *text = reader_block(reader, &size);
	int r = text ? value_from_text(text, size, ret) : -EBADMSG;

	return r == -EINVAL ? -EBADMSG : r;
}

static int decode_tree(Reader *reader, ValueType type, Value *ret)
{
	_cleanup_json_ struct json_object *json = NULL;
	JsonError error;
	size_t size;
	const char *text = reader_block(reader, &size);
	int r = text ? json_parse(text, size, JSON_DEPTH_MAX, &json, &error) : -EBADMSG;

	if (r < 0)
		return r;
	if (json_object_get_type(json) != (type == VALUE_LIST ? json_type_array : json_type_object))
		return -EBADMSG;
	*ret = (Value){ .type = type, .json = take_ptr(json) };
	return 0;
}

static int decode_real(Reader *reader, Value *ret)
{
	uint64_t bits = reader_u64(reader);
	double real;

	memcpy(&real, &bits, sizeof(real));
	if (reader_error(reader) < 0 || !isfinite(real))
		return -EBADMSG;
	*ret = (Value){ .type = VALUE_FLOAT, .real = real };
	return 0;
}

static int decode_bool(Reader *reader, Value *ret)
{
	uint8_t byte = reader_u8(reader);

	if (reader_error(reader) < 0 || byte > 1)
		return -EBADMSG;
	*ret = (Value){ .type = VALUE_BOOL, .boolean = byte };
	return 0;
}

static int decode_int(Reader *reader, Value *ret)
{
	int64_t integer = (int64_t)reader_u64(reader);

	if (reader_error(reader) < 0)
		return -EBADMSG;
	*ret = (Value){ .type = VALUE_INT, .integer = integer };
	return 0;
}

int value_decode(Reader *reader, Value *ret)
{
	uint8_t type = reader_u8(reader);

	switch (type) {
	case VALUE_STRING:
		return decode_text(reader, ret);
	case VALUE_INT:
		return decode_int(reader, ret);
	case VALUE_FLOAT:
		return decode_real(reader, ret);
	case VALUE_BOOL:
		return decode_bool(reader, ret);
	case VALUE_LIST:
	case VALUE_DICT:
		return decode_tree(reader, (ValueType)type, ret);
	default:
		return -EBADMSG;
	}
}
