/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/json_look.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json_number.h"

#define STATE_IS_BETWEEN(state) ((state) <= JSON_STATE_NEXT)

static const char *const expectations[] = {
	[JSON_STATE_VALUE] = "a value",
	[JSON_STATE_VALUE_OR_END] = "a value or ']'",
	[JSON_STATE_NAME_OR_END] = "a name in quotes or '}'",
	[JSON_STATE_NAME] = "a name in quotes",
	[JSON_STATE_COLON] = "':'",
	[JSON_STATE_STRING] = "the end of the string",
	[JSON_STATE_UTF8] = "a continuation byte of UTF-8",
	[JSON_STATE_ESCAPE] = "one of \"\\/bfnrtu behind the backslash",
	[JSON_STATE_HEX] = "four hexadecimal digits",
	[JSON_STATE_LOW] = "the \\u of a low surrogate",
	[JSON_STATE_LOW_U] = "the \\u of a low surrogate",
	[JSON_STATE_NUMBER] = "a digit",
};

int json_look_fault(const JsonLook *look, JsonFault fault, size_t offset, const char *format, ...)
{
	va_list list;

	look->error->fault = fault;
	look->error->offset = offset;
	va_start(list, format);
	vsnprintf(look->error->message, sizeof(look->error->message), format, list);
	va_end(list);
	return -EBADMSG;
}

static const char *expected(const JsonScan *scan)
{
	if (scan->state == JSON_STATE_WORD)
		return scan->word;
	if (scan->state == JSON_STATE_NEXT)
		return json_look_in_object(scan) ? "',' or '}'" : "',' or ']'";
	return expectations[scan->state];
}

int json_look_unexpected(const JsonLook *look, JsonFault kind)
{
	size_t at = look->scan->at;
	uint8_t byte = (uint8_t)look->text[at];

	if (byte > 0x20 && byte < 0x7f)
		return json_look_fault(look, kind, at, "expected %s, got '%c'", expected(look->scan), byte);
	return json_look_fault(look, kind, at, "expected %s, got byte 0x%02x", expected(look->scan), byte);
}

static int open_level(const JsonLook *look, bool object)
{
	JsonScan *scan = look->scan;
	uint8_t bit = (uint8_t)(1U << scan->depth % 8);

	if (scan->depth >= scan->depth_max)
		return json_look_fault(look, JSON_FAULT_DEPTH, scan->at, "nested deeper than %u", scan->depth_max);
	if (object)
		scan->objects[scan->depth / 8] |= bit;
	else
		scan->objects[scan->depth / 8] &= (uint8_t)~bit;
	scan->depth++;
	scan->at++;
	scan->state = object ? JSON_STATE_NAME_OR_END : JSON_STATE_VALUE_OR_END;
	return 0;
}

static int close_level(JsonScan *scan)
{
	scan->depth--;
	scan->at++;
	json_look_ended(scan);
	return 0;
}

static int open_string(JsonScan *scan, bool name)
{
	scan->name = name;
	scan->members += name;
	scan->at++;
	scan->state = JSON_STATE_STRING;
	return 0;
}

static int open_word(JsonScan *scan, const char *word)
{
	scan->token = scan->at;
	scan->word = word;
	scan->state = JSON_STATE_WORD;
	return 0;
}

static int open_number(JsonScan *scan, uint8_t byte)
{
	scan->token = scan->at++;
	scan->number = byte == '-' ? JSON_NUMBER_MINUS : byte == '0' ? JSON_NUMBER_ZERO : JSON_NUMBER_INTEGER;
	scan->state = JSON_STATE_NUMBER;
	return 0;
}

static int on_value(JsonLook *look, uint8_t byte)
{
	switch (byte) {
	case '{':
	case '[':
		return open_level(look, byte == '{');
	case '"':
		return open_string(look->scan, false);
	case 't':
		return open_word(look->scan, "true");
	case 'f':
		return open_word(look->scan, "false");
	case 'n':
		return open_word(look->scan, "null");
	case '-':
	case '0' ... '9':
		return open_number(look->scan, byte);
	case 'N':
	case 'I':
		return json_look_fault(look, JSON_FAULT_NUMBER, look->scan->at,
				       "expected a value, got %s, which JSON does not have",
				       byte == 'N' ? "NaN" : "Infinity");
	default:
		return json_look_unexpected(look, JSON_FAULT_SYNTAX);
	}
}

static int on_value_or_end(JsonLook *look, uint8_t byte)
{
	return byte == ']' ? close_level(look->scan) : on_value(look, byte);
}

static int on_name(JsonLook *look, uint8_t byte)
{
	return byte == '"' ? open_string(look->scan, true) : json_look_unexpected(look, JSON_FAULT_SYNTAX);
}

static int on_name_or_end(JsonLook *look, uint8_t byte)
{
	return byte == '}' ? close_level(look->scan) : on_name(look, byte);
}

static int on_colon(JsonLook *look, uint8_t byte)
{
	if (byte != ':')
		return json_look_unexpected(look, JSON_FAULT_SYNTAX);
	look->scan->at++;
	look->scan->state = JSON_STATE_VALUE;
	return 0;
}

static int on_next(JsonLook *look, uint8_t byte)
{
	JsonScan *scan = look->scan;
	bool object = json_look_in_object(scan);

	if (byte == (object ? '}' : ']'))
		return close_level(scan);
	if (byte != ',')
		return json_look_unexpected(look, JSON_FAULT_SYNTAX);
	scan->at++;
	scan->state = object ? JSON_STATE_NAME : JSON_STATE_VALUE;
	return 0;
}

static int (*const handlers[])(JsonLook *look, uint8_t byte) = {
	[JSON_STATE_VALUE] = on_value,
	[JSON_STATE_VALUE_OR_END] = on_value_or_end,
	[JSON_STATE_NAME_OR_END] = on_name_or_end,
	[JSON_STATE_NAME] = on_name,
	[JSON_STATE_COLON] = on_colon,
	[JSON_STATE_NEXT] = on_next,
	[JSON_STATE_STRING] = json_on_string,
	[JSON_STATE_UTF8] = json_on_utf8,
	[JSON_STATE_ESCAPE] = json_on_escape,
	[JSON_STATE_HEX] = json_on_hex,
	[JSON_STATE_LOW] = json_on_low,
	[JSON_STATE_LOW_U] = json_on_low,
	[JSON_STATE_NUMBER] = json_on_number,
	[JSON_STATE_WORD] = json_on_word,
};

void json_scan_init(JsonScan *scan, uint32_t depth_max)
{
	*scan = (JsonScan){ .depth_max = MIN(depth_max, (uint32_t)JSON_DEPTH_MAX), .state = JSON_STATE_VALUE };
}

static bool is_space(uint8_t byte)
{
	return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

/* Nothing more has come: what may end here, and what is missing. */
static int text_ended(JsonLook *look)
{
	JsonScan *scan = look->scan;

	if (scan->state == JSON_STATE_NUMBER && scan->depth == 0 && json_number_is_whole((JsonNumber)scan->number)) {
		int r = json_number_ended(look);

		scan->state = JSON_STATE_NUMBER;
		return r;
	}
	return -EAGAIN;
}

int json_scan(JsonScan *scan, const char *text, size_t size, JsonError *error)
{
	JsonLook look = { .scan = scan, .text = text, .size = size, .error = error };

	while (scan->state != JSON_STATE_DONE && scan->at < size) {
		uint8_t byte = (uint8_t)text[scan->at];
		int r;

		if (STATE_IS_BETWEEN(scan->state) && is_space(byte)) {
			scan->at++;
			continue;
		}
		r = handlers[scan->state](&look, byte);
		if (r < 0)
			return r;
	}
	return scan->state == JSON_STATE_DONE ? 0 : text_ended(&look);
}

void json_scan_missing(const JsonScan *scan, JsonError *error)
{
	error->fault = JSON_FAULT_TRUNCATED;
	error->offset = scan->at;
	snprintf(error->message, sizeof(error->message), "expected %s, got the end of the text", expected(scan));
}
