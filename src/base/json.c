/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text → tree. The text was scanned before: what is looked at here is well-formed, and only repeated names are still to
 * be found. Should it not be the text that was scanned, nothing is read beyond its end. */
#include "base/json.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/json_flat.h"
#include "base/json_number.h"
#include "base/text.h"

#define NAME_SHOWN_MAX 24U /* bytes of a name that a message repeats: each may become four */

typedef struct Builder {
	const char *text;
	const char *at;
	const char *end;
	uint32_t depth;
	size_t members;
	Buffer scratch; /* a string without its escapes */
	JsonError *error;
} Builder;

static int build_fault(Builder *builder, JsonFault fault, const char *at, const char *message)
{
	builder->error->fault = fault;
	builder->error->offset = (size_t)(at - builder->text);
	snprintf(builder->error->message, sizeof(builder->error->message), "%s", message);
	return -EBADMSG;
}

static int not_scanned(Builder *builder)
{
	return build_fault(builder, JSON_FAULT_SYNTAX, builder->at, "this is not the text that was scanned");
}

/* The next byte that is no white space, or NUL at the end. */
static char peek(Builder *builder)
{
	while (builder->at < builder->end) {
		char c = *builder->at;

		if (c != ' ' && c != '\n' && c != '\r' && c != '\t')
			return c;
		builder->at++;
	}
	return '\0';
}

static bool skip(Builder *builder, char c)
{
	if (peek(builder) != c)
		return false;
	builder->at++;
	return true;
}

static unsigned hex_code(const char *digits)
{
	unsigned code = 0;

	for (int i = 0; i < 4; i++)
		code = code << 4 |
		       (digits[i] <= '9' ? (unsigned)digits[i] - '0' : ((unsigned)digits[i] | 0x20) - 'a' + 10);
	return code;
}

static void append_character(Buffer *buffer, unsigned code)
{
	char text[4];
	size_t size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

	for (size_t i = size - 1; i > 0; i--, code >>= 6)
		text[i] = (char)(0x80 | (code & 0x3f));
	text[0] = (char)(size == 1 ? code : (0xf00U >> size & 0xff) | code);
	buffer_append(buffer, text, size);
}

/* Behind the backslash; all of what belongs to it is there. */
static const char *append_escape(Buffer *buffer, const char *at, const char *end)
{
	static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
	const char *letter = strchr(letters, *at);
	unsigned code;

	if (*at != 'u' || end - at < 5) {
		buffer_u8(buffer, letter ? (uint8_t)meanings[letter - letters] : (uint8_t)*at);
		return at + 1;
	}
	code = hex_code(at + 1) & 0xffff;
	at += 5;
	if (code >= 0xd800 && code <= 0xdbff && end - at >= 6) {
		code = 0x10000 + ((code & 0x3ff) << 10 | (hex_code(at + 2) & 0x3ff));
		at += 6;
	}
	append_character(buffer, code);
	return at;
}

/* The string's content: in the text itself, or without its escapes in `scratch`. */
static int build_text(Builder *builder, const char **ret, size_t *ret_size)
{
	const char *begin = ++builder->at, *at = begin;
	Buffer *scratch = &builder->scratch;

	scratch->size = 0;
	for (;;) {
		at += json_plain_size(at, (size_t)(builder->end - at));
		if (at == builder->end || *at == '"')
			break;
		if (*at++ != '\\')
			continue;
		if (at == builder->end)
			return not_scanned(builder);
		buffer_append(scratch, begin, (size_t)(at - 1 - begin));
		begin = at = append_escape(scratch, at, builder->end);
	}
	if (at >= builder->end)
		return not_scanned(builder);
	builder->at = at + 1;
	*ret = begin;
	*ret_size = (size_t)(at - begin);
	if (scratch->size > 0) {
		buffer_append(scratch, begin, (size_t)(at - begin));
		*ret = (const char *)scratch->data;
		*ret_size = scratch->size;
	}
	return buffer_error(scratch);
}

/* json-c's constructors answer NULL where memory is short. */
static int built(struct json_object *json, struct json_object **ret)
{
	if (!json)
		return -ENOMEM;
	*ret = json;
	return 0;
}

static int build_string(Builder *builder, struct json_object **ret)
{
	const char *text;
	size_t size;
	int r = build_text(builder, &text, &size);

	if (r < 0)
		return r;
	return size > INT_MAX ? -ENOMEM : built(json_object_new_string_len(text, (int)size), ret);
}

static int build_number(Builder *builder, struct json_object **ret)
{
	const char *begin = builder->at;
	JsonNumber number = JSON_NUMBER_MINUS;
	int64_t integer;
	double real;
	size_t size;

	if (*begin == '-')
		builder->at++;
	while (builder->at < builder->end && number != JSON_NUMBER_END) {
		number = json_number_step(number, (uint8_t)*builder->at);
		builder->at += number != JSON_NUMBER_END;
	}
	size = (size_t)(builder->at - begin);
	if (json_number_is_real(begin, size))
		return json_number_real(begin, size, &real) < 0 ? not_scanned(builder)
								: built(json_object_new_double(real), ret);
	return json_number_integer(begin, size, &integer) < 0 ? not_scanned(builder)
							      : built(json_object_new_int64(integer), ret);
}

static int build_word(Builder *builder, struct json_object **ret)
{
	size_t size = *builder->at == 'f' ? 5 : 4;
	bool truth = *builder->at == 't';

	if ((size_t)(builder->end - builder->at) < size)
		return not_scanned(builder);
	if (*builder->at == 'n')
		*ret = NULL;
	builder->at += size;
	return builder->at[-1] == 'l' ? 0 : built(json_object_new_boolean(truth), ret);
}

static int repeated(Builder *builder, const char *at, const char *name)
{
	_cleanup_buffer_ Buffer message = { 0 };

	buffer_text(&message, "the name \"");
	text_escape(name, strlen(name), NAME_SHOWN_MAX, &message);
	buffer_text(&message, "\" is there already in the same object");
	buffer_u8(&message, '\0');
	if (message.failed)
		return -ENOMEM;
	return build_fault(builder, JSON_FAULT_REPEATED, at, (const char *)message.data);
}

static int build_value(Builder *builder, struct json_object **ret);

static int build_element(Builder *builder, struct json_object *array)
{
	_cleanup_json_ struct json_object *element = NULL;
	int r = build_value(builder, &element);

	if (r < 0)
		return r;
	if (json_object_array_add(array, element) < 0)
		return -ENOMEM;
	element = NULL;
	return 0;
}

static int build_member(Builder *builder, struct json_object *object)
{
	_cleanup_json_ struct json_object *value = NULL;
	_cleanup_free_ char *long_name = NULL;
	const char *begin = builder->at, *text;
	char short_name[64], *name = short_name;
	int length = json_object_object_length(object);
	size_t size;
	int r;

	r = build_text(builder, &text, &size);
	if (r < 0)
		return r;
	if (size >= sizeof(short_name))
		name = long_name = malloc(size + 1);
	if (!name)
		return -ENOMEM;
	memcpy(name, text, size);
	name[size] = '\0';
	if (!skip(builder, ':'))
		return not_scanned(builder);
	r = build_value(builder, &value);
	if (r < 0)
		return r;
	if (json_object_object_add(object, name, value) < 0)
		return -ENOMEM;
	value = NULL;
	if (json_object_object_length(object) == length)
		return repeated(builder, begin, name);
	builder->members++;
	return 0;
}

static int build_container(Builder *builder, struct json_object **ret)
{
	bool is_object = *builder->at == '{';
	_cleanup_json_ struct json_object *container =
		is_object ? json_object_new_object() : json_object_new_array_ext(4);
	char close = is_object ? '}' : ']';
	int r = 0;

	if (!container)
		return -ENOMEM;
	if (builder->depth >= JSON_DEPTH_MAX)
		return not_scanned(builder);
	builder->depth++;
	builder->at++;
	if (!skip(builder, close)) {
		do
			r = is_object && peek(builder) != '"' ? not_scanned(builder)
			    : is_object                       ? build_member(builder, container)
							      : build_element(builder, container);
		while (r == 0 && skip(builder, ','));
		if (r == 0 && !skip(builder, close))
			r = not_scanned(builder);
	}
	builder->depth--;
	if (r < 0)
		return r;
	*ret = take_ptr(container);
	return 0;
}

static int build_value(Builder *builder, struct json_object **ret)
{
	switch (peek(builder)) {
	case '{':
	case '[':
		return build_container(builder, ret);
	case '"':
		return build_string(builder, ret);
	case 't':
	case 'f':
	case 'n':
		return build_word(builder, ret);
	case '-':
	case '0' ... '9':
		return build_number(builder, ret);
	default:
		return not_scanned(builder);
	}
}

int json_build(const char *text, size_t size, size_t members, struct json_object **ret, JsonError *error)
{
	_cleanup_json_ struct json_object *json = NULL;
	Builder builder = { .text = text, .at = text, .end = text + size, .error = error };
	int r = build_value(&builder, &json);

	buffer_done(&builder.scratch);
	if (r == 0 && (peek(&builder) != '\0' || builder.at != builder.end || builder.members != members))
		r = not_scanned(&builder);
	if (r < 0)
		return r;
	*ret = take_ptr(json);
	return 0;
}

int json_parse(const char *text, size_t size, uint32_t depth_max, struct json_object **ret, JsonError *error)
{
	JsonScan scan;
	size_t end;
	int r;

	json_scan_init(&scan, depth_max);
	r = json_scan(&scan, text, size, error);
	if (r == -EAGAIN) {
		json_scan_missing(&scan, error);
		return -EBADMSG;
	}
	if (r < 0)
		return r;
	for (end = scan.at; end < size; end++)
		if (!memchr(" \n\r\t", text[end], 4)) {
			*error = (JsonError){ .fault = JSON_FAULT_TRAILING, .offset = end };
			snprintf(error->message, sizeof(error->message), "something behind the end of the value");
			return -EBADMSG;
		}
	return json_build(text, size, scan.members, ret, error);
}
