/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/json_look.h"

#include <string.h>

#include "base/json_flat.h"
#include "base/json_number.h"
#include "base/text.h"

static int string_byte(JsonLook *look, uint8_t byte)
{
	JsonScan *scan = look->scan;

	if (byte == '"') {
		scan->at++;
		if (scan->name)
			scan->state = JSON_STATE_COLON;
		else
			json_look_ended(scan);
		return 0;
	}
	if (byte == '\\') {
		scan->token = scan->at++;
		scan->state = JSON_STATE_ESCAPE;
		return 0;
	}
	if (byte < 0x20)
		return json_look_fault(look, JSON_FAULT_TEXT, scan->at,
				       "control character 0x%02x in a string: it must be escaped", byte);
	scan->left = (uint8_t)text_utf8_lead(byte, &scan->low, &scan->high);
	if (scan->left == 0)
		return json_look_fault(look, JSON_FAULT_TEXT, scan->at, "byte 0x%02x in a string is not UTF-8", byte);
	scan->at++;
	scan->state = JSON_STATE_UTF8;
	return 0;
}

int json_on_string(JsonLook *look, uint8_t byte)
{
	size_t at = look->scan->at, plain = json_plain_size(look->text + at, look->size - at);

	if (plain == 0)
		return string_byte(look, byte);
	look->scan->at += plain;
	return 0;
}

int json_on_utf8(JsonLook *look, uint8_t byte)
{
	JsonScan *scan = look->scan;

	if (byte < scan->low || byte > scan->high)
		return json_look_unexpected(look, JSON_FAULT_TEXT);
	scan->low = 0x80;
	scan->high = 0xbf;
	scan->at++;
	if (--scan->left == 0)
		scan->state = JSON_STATE_STRING;
	return 0;
}

int json_on_escape(JsonLook *look, uint8_t byte)
{
	JsonScan *scan = look->scan;

	if (byte == '\0' || !strchr("\"\\/bfnrtu", byte))
		return json_look_unexpected(look, JSON_FAULT_SYNTAX);
	scan->at++;
	scan->left = 4;
	scan->code = 0;
	scan->lead = 0;
	scan->state = byte == 'u' ? JSON_STATE_HEX : JSON_STATE_STRING;
	return 0;
}

/* The four digits of an escape are there. */
static int code_ended(JsonLook *look)
{
	JsonScan *scan = look->scan;
	bool is_high = scan->code >= 0xd800 && scan->code <= 0xdbff;
	bool is_low = scan->code >= 0xdc00 && scan->code <= 0xdfff;

	if (scan->code == 0)
		return json_look_fault(look, JSON_FAULT_TEXT, scan->token, "U+0000 in a string");
	if (is_low != (scan->lead != 0) || (is_high && scan->lead))
		return json_look_fault(look, JSON_FAULT_TEXT, scan->token, "lone surrogate \\u%04x in a string",
				       scan->lead ? scan->lead : scan->code);
	scan->lead = is_high ? scan->code : 0;
	scan->state = is_high ? JSON_STATE_LOW : JSON_STATE_STRING;
	return 0;
}

int json_on_hex(JsonLook *look, uint8_t byte)
{
	JsonScan *scan = look->scan;
	unsigned digit;

	if (byte >= '0' && byte <= '9')
		digit = byte - '0';
	else if ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'f')
		digit = (byte | 0x20) - 'a' + 10U;
	else
		return json_look_unexpected(look, JSON_FAULT_SYNTAX);
	scan->code = (uint16_t)(scan->code << 4 | digit);
	scan->at++;
	return --scan->left == 0 ? code_ended(look) : 0;
}

int json_on_low(JsonLook *look, uint8_t byte)
{
	JsonScan *scan = look->scan;

	if (byte != (scan->state == JSON_STATE_LOW ? '\\' : 'u'))
		return json_look_fault(look, JSON_FAULT_TEXT, scan->token, "lone surrogate \\u%04x in a string",
				       scan->lead);
	scan->at++;
	scan->left = 4;
	scan->code = 0;
	scan->state = scan->state == JSON_STATE_LOW ? JSON_STATE_LOW_U : JSON_STATE_HEX;
	return 0;
}

int json_on_word(JsonLook *look, uint8_t byte)
{
	JsonScan *scan = look->scan;

	if (byte != (uint8_t)scan->word[scan->at - scan->token])
		return json_look_unexpected(look, JSON_FAULT_SYNTAX);
	scan->at++;
	if (scan->word[scan->at - scan->token] == '\0')
		json_look_ended(scan);
	return 0;
}

int json_number_ended(JsonLook *look)
{
	JsonScan *scan = look->scan;
	const char *number = look->text + scan->token;
	size_t size = scan->at - scan->token;

	if (json_number_check(number, size) < 0)
		return json_look_fault(look, JSON_FAULT_NUMBER, scan->token, "number beyond the range of %s: %.*s%s",
				       json_number_is_real(number, size) ? "a double" : "int64",
				       (int)MIN(size, (size_t)40), number, size > 40 ? "…" : "");
	json_look_ended(scan);
	return 0;
}

int json_on_number(JsonLook *look, uint8_t byte)
{
	JsonScan *scan = look->scan;
	JsonNumber next = json_number_step((JsonNumber)scan->number, byte);

	if (next != JSON_NUMBER_END) {
		if (scan->at - scan->token >= JSON_NUMBER_MAX)
			return json_look_fault(look, JSON_FAULT_NUMBER, scan->token,
					       "number of more than %d characters", JSON_NUMBER_MAX);
		scan->number = (uint8_t)next;
		scan->at++;
		return 0;
	}
	if (scan->number == JSON_NUMBER_ZERO && byte >= '0' && byte <= '9')
		return json_look_fault(look, JSON_FAULT_SYNTAX, scan->at, "a number must not begin with 0");
	if (json_number_is_whole((JsonNumber)scan->number))
		return json_number_ended(look);
	if (scan->number == JSON_NUMBER_MINUS && (byte == 'I' || byte == 'N'))
		return json_look_fault(look, JSON_FAULT_NUMBER, scan->token,
				       "expected a value, got %s, which JSON does not have",
				       byte == 'N' ? "-NaN" : "-Infinity");
	return json_look_unexpected(look, JSON_FAULT_SYNTAX);
}
