/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The states of JsonScan, shared by its two halves: what stands between tokens (json_scan.c) and what is within them
 * (json_token.c). A handler looks at the byte at scan->at, consumes it (or a run of bytes) by moving scan->at, and may
 * change the state. Private to base's JSON. */
#pragma once

#include "base/json.h"

typedef enum JsonState {
	/* between tokens: white space is skipped here */
	JSON_STATE_VALUE,
	JSON_STATE_VALUE_OR_END, /* behind '[' */
	JSON_STATE_NAME_OR_END,  /* behind '{' */
	JSON_STATE_NAME,
	JSON_STATE_COLON,
	JSON_STATE_NEXT, /* behind a value in an object or array */
	/* within tokens */
	JSON_STATE_STRING,
	JSON_STATE_UTF8,
	JSON_STATE_ESCAPE,
	JSON_STATE_HEX,
	JSON_STATE_LOW,   /* behind a high surrogate: the backslash of the low one */
	JSON_STATE_LOW_U, /* and its 'u' */
	JSON_STATE_NUMBER,
	JSON_STATE_WORD,
	JSON_STATE_DONE,
} JsonState;

typedef struct JsonLook {
	JsonScan *scan;
	const char *text;
	size_t size;
	JsonError *error;
} JsonLook;

/** \brief Fills the error, returns -EBADMSG. */
int json_look_fault(const JsonLook *look, JsonFault fault, size_t offset, const char *format, ...) _printf_(4, 5);
/** \brief The same for the byte at hand: "expected …, got …". */
int json_look_unexpected(const JsonLook *look, JsonFault fault);

static inline bool json_look_in_object(const JsonScan *scan)
{
	return scan->objects[(scan->depth - 1) / 8] >> (scan->depth - 1) % 8 & 1;
}

static inline void json_look_ended(JsonScan *scan)
{
	scan->state = scan->depth > 0 ? JSON_STATE_NEXT : JSON_STATE_DONE;
}

int json_on_string(JsonLook *look, uint8_t byte);
int json_on_utf8(JsonLook *look, uint8_t byte);
int json_on_escape(JsonLook *look, uint8_t byte);
int json_on_hex(JsonLook *look, uint8_t byte);
int json_on_low(JsonLook *look, uint8_t byte);
int json_on_word(JsonLook *look, uint8_t byte);
int json_on_number(JsonLook *look, uint8_t byte);
/** \brief A whole number ends before the byte at hand. */
int json_number_ended(JsonLook *look);
