/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/literal.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

#define SHOWN_MAX 64U /* bytes of a refused value that a message shows */

static int refuse(const char *expected, const char *text, size_t size, Buffer *message)
{
	buffer_format(message, "expected %s, got \"", expected);
	text_escape(text, size, SHOWN_MAX, message);
	buffer_text(message, "\"");
	return -EBADMSG;
}

static int hand_over(struct json_object *json, struct json_object **ret)
{
	if (!json)
		return -ENOMEM;
	*ret = json;
	return 0;
}

static int convert_string(const char *text, size_t size, struct json_object **ret, Buffer *message)
{
	if (!text_is_utf8(text, size))
		return refuse("string (UTF-8 without U+0000)", text, size, message);
	if (size > INT32_MAX)
		return -ENOMEM;
	return hand_over(json_object_new_string_len(text, (int)size), ret);
}

static int convert_int(const char *text, size_t size, struct json_object **ret, Buffer *message)
{
	_cleanup_free_ char *copy = strndup(text, size);
	size_t digits;
	long long value;

	if (!copy)
		return -ENOMEM;
	digits = strspn(copy + (copy[0] == '-' || copy[0] == '+'), "0123456789");
	if (digits == 0 || digits + (copy[0] == '-' || copy[0] == '+') != size)
		return refuse("int", text, size, message);
	errno = 0;
	value = strtoll(copy, NULL, 10);
	if (errno == ERANGE)
		return refuse("int (64 bits, signed)", text, size, message);
	return hand_over(json_object_new_int64(value), ret);
}

/** \brief A number of JSON, as a double whatever it looks like. */
static int convert_float(const char *text, size_t size, struct json_object **ret, Buffer *message)
{
	_cleanup_json_ struct json_object *json = NULL;
	JsonError fault;
	int r;

	r = json_parse(text, size, 1, &json, &fault);
	if (r == -ENOMEM)
		return r;
	if (r < 0 || (!json_object_is_type(json, json_type_int) && !json_object_is_type(json, json_type_double)))
		return refuse("float", text, size, message);
	return hand_over(json_object_new_double(json_object_get_double(json)), ret);
}

static int convert_bool(const char *text, size_t size, struct json_object **ret, Buffer *message)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = { { "true", true }, { "yes", true }, { "false", false }, { "no", false } };

	for (size_t i = 0; i < ELEMENTSOF(words); i++)
		if (strlen(words[i].word) == size && memcmp(words[i].word, text, size) == 0)
			return hand_over(json_object_new_boolean(words[i].value), ret);
	return refuse("bool (true or false)", text, size, message);
}

int literal_json(const char *text, size_t size, struct json_object **ret, Buffer *message)
{
	JsonError fault;
	int r;

	r = json_parse(text, size, JSON_DEPTH_MAX, ret, &fault);
	if (r == -EBADMSG) {
		unsigned line, column;

		json_position(text, fault.offset, &line, &column);
		buffer_format(message, "expected JSON; line %u, column %u: %s", line, column, fault.message);
	}
	return r;
}

static int convert_tree(ValueType type, const char *text, size_t size, struct json_object **ret, Buffer *message)
{
	_cleanup_json_ struct json_object *json = NULL;
	bool list = type == VALUE_LIST;
	int r;

	r = literal_json(text, size, &json, message);
	if (r < 0)
		return r;
	if (!json_object_is_type(json, list ? json_type_array : json_type_object))
		return refuse(list ? "list (a JSON array)" : "dict (a JSON object)", text, size, message);
	*ret = take_ptr(json);
	return 0;
}

int literal_convert(ValueType type, const char *text, size_t size, struct json_object **ret, Buffer *message)
{
	switch (type) {
	case VALUE_STRING:
		return convert_string(text, size, ret, message);
	case VALUE_INT:
		return convert_int(text, size, ret, message);
	case VALUE_FLOAT:
		return convert_float(text, size, ret, message);
	case VALUE_BOOL:
		return convert_bool(text, size, ret, message);
	case VALUE_LIST:
	case VALUE_DICT:
		return convert_tree(type, text, size, ret, message);
	default:
		buffer_text(message, "is of a type that this ryusoctl does not know; give it as NAME:=JSON");
		return -EBADMSG;
	}
}
