/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tree → text, and what else there is to say about a tree. */
#include "base/json.h"

#include <math.h>
#include <string.h>

#include "base/json_number.h"
#include "base/text.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

static bool is_plain(uint8_t byte)
{
	return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

static void write_control(uint8_t code, Buffer *buffer)
{
	static const char letters[] = "btn fr"; /* U+0008 to U+000D */
	static const char digits[] = "0123456789abcdef";
	char escape[] = { '\\', 'u', '0', '0', digits[code >> 4], digits[code & 15] };

	if (code >= 8 && code <= 13 && code != 11) {
		escape[1] = letters[code - 8];
		buffer_append(buffer, escape, 2);
	} else
		buffer_append(buffer, escape, sizeof(escape));
}

/* One character that is not plain; returns how many bytes it was. */
static size_t write_special(const char *text, size_t size, Buffer *buffer)
{
	uint8_t first = (uint8_t)text[0];
	size_t length = text_utf8_length(text, size);

	if (first == '"' || first == '\\') {
		buffer_u8(buffer, '\\');
		buffer_u8(buffer, first);
	} else if (length == 0 || first == '\0')
		buffer_text(buffer, REPLACEMENT);
	else if (length == 1)
		write_control(first, buffer);
	else if (length == 2 && first == 0xc2 && (uint8_t)text[1] < 0xa0)
		write_control((uint8_t)text[1], buffer);
	else
		buffer_append(buffer, text, length);
	return MAX(length, (size_t)1);
}

void json_write_string(const char *text, size_t size, Buffer *buffer)
{
	size_t at = 0;

	buffer_u8(buffer, '"');
	while (at < size) {
		size_t begin = at;

		while (at < size && is_plain((uint8_t)text[at]))
			at++;
		buffer_append(buffer, text + begin, at - begin);
		if (at < size)
			at += write_special(text + at, size - at, buffer);
	}
	buffer_u8(buffer, '"');
}

void json_write_int(int64_t value, Buffer *buffer)
{
	char digits[20];
	size_t at = sizeof(digits);
	uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;

	do
		digits[--at] = (char)('0' + rest % 10);
	while (rest /= 10);
	if (value < 0)
		digits[--at] = '-';
	buffer_append(buffer, digits + at, sizeof(digits) - at);
}

void json_write_double(double value, Buffer *buffer)
{
	char text[JSON_REAL_TEXT_SIZE];

	if (isfinite(value))
		buffer_append(buffer, text, json_number_format(value, text));
	else
		buffer_text(buffer, "null");
}

static void write_array(struct json_object *array, Buffer *buffer)
{
	size_t n = json_object_array_length(array);

	buffer_u8(buffer, '[');
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buffer_u8(buffer, ',');
		json_write(json_object_array_get_idx(array, i), buffer);
	}
	buffer_u8(buffer, ']');
}

static void write_object(struct json_object *object, Buffer *buffer)
{
	struct json_object_iterator at = json_object_iter_begin(object), end = json_object_iter_end(object);
	char before = '{';

	while (!json_object_iter_equal(&at, &end)) {
		const char *name = json_object_iter_peek_name(&at);

		buffer_u8(buffer, (uint8_t)before);
		json_write_string(name, strlen(name), buffer);
		buffer_u8(buffer, ':');
		json_write(json_object_iter_peek_value(&at), buffer);
		json_object_iter_next(&at);
		before = ',';
	}
	buffer_text(buffer, before == '{' ? "{}" : "}");
}

void json_write(struct json_object *json, Buffer *buffer)
{
	switch (json_object_get_type(json)) {
	case json_type_object:
		write_object(json, buffer);
		break;
	case json_type_array:
		write_array(json, buffer);
		break;
	case json_type_string:
		json_write_string(json_object_get_string(json), (size_t)json_object_get_string_len(json), buffer);
		break;
	case json_type_int:
		json_write_int(json_object_get_int64(json), buffer);
		break;
	case json_type_double:
		json_write_double(json_object_get_double(json), buffer);
		break;
	case json_type_boolean:
		buffer_text(buffer, json_object_get_boolean(json) ? "true" : "false");
		break;
	default:
		buffer_text(buffer, "null");
	}
}

static bool tree_is_strict(struct json_object *json, unsigned depth);

static bool array_is_strict(struct json_object *array, unsigned depth)
{
	size_t n = json_object_array_length(array);

	for (size_t i = 0; i < n; i++)
		if (!tree_is_strict(json_object_array_get_idx(array, i), depth))
			return false;
	return true;
}

static bool object_is_strict(struct json_object *object, unsigned depth)
{
	json_object_object_foreach(object, name, value)
	{
		if (!text_is_utf8(name, strlen(name)) || !tree_is_strict(value, depth))
			return false;
	}
	return true;
}

static bool tree_is_strict(struct json_object *json, unsigned depth)
{
	switch (json_object_get_type(json)) {
	case json_type_object:
		return depth > 0 && object_is_strict(json, depth - 1);
	case json_type_array:
		return depth > 0 && array_is_strict(json, depth - 1);
	case json_type_string:
		return text_is_utf8(json_object_get_string(json), (size_t)json_object_get_string_len(json));
	case json_type_int:
		return json_object_get_uint64(json) <= INT64_MAX;
	case json_type_double:
		return isfinite(json_object_get_double(json));
	default:
		return true;
	}
}

bool json_is_strict(struct json_object *json)
{
	return tree_is_strict(json, JSON_DEPTH_MAX);
}

const char *json_kind(struct json_object *json)
{
	static const char *const kinds[] = {
		[json_type_null] = "null",     [json_type_boolean] = "bool",  [json_type_double] = "float",
		[json_type_int] = "int",       [json_type_object] = "object", [json_type_array] = "array",
		[json_type_string] = "string",
	};

	return kinds[json_object_get_type(json)];
}

void json_position(const char *text, size_t offset, unsigned *ret_line, unsigned *ret_column)
{
	const char *at = text, *end = text + offset, *newline;
	unsigned line = 1;

	while ((newline = memchr(at, '\n', (size_t)(end - at)))) {
		at = newline + 1;
		line++;
	}
	*ret_line = line;
	*ret_column = (unsigned)(end - at) + 1;
}
