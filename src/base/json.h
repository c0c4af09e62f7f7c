/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one wrapper of json-c. json_parse() is strict where json-c is not: it takes exactly one value of RFC 8259 and
 * names the place of what is wrong; integers must fit int64, text must be UTF-8 without U+0000, names must not repeat.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>

#include "base/buffer.h"
#include "base/macro.h"

static inline void json_putp(struct json_object **json)
{
	json_object_put(*json);
}
#define _cleanup_json_ _cleanup_(json_putp)

#define JSON_DEPTH_DEFAULT 32

typedef enum JsonFault {
	JSON_FAULT_NONE,
	JSON_FAULT_SYNTAX,    /* what is there, what was expected: see `message` */
	JSON_FAULT_TRUNCATED, /* the text ends within the value */
	JSON_FAULT_DEPTH,
	JSON_FAULT_NUMBER,   /* NaN, Infinity, beyond int64 or double */
	JSON_FAULT_TEXT,     /* invalid UTF-8, U+0000, lone surrogate, raw control character */
	JSON_FAULT_REPEATED, /* a name twice in one object */
	JSON_FAULT_TRAILING, /* something after the value */
} JsonFault;

typedef struct JsonError {
	JsonFault fault;
	size_t offset;     /* of the byte that is wrong */
	char message[160]; /* one clause for people: "expected ',' or '}', got 'x'" */
} JsonError;

#define JSON_DEPTH_MAX 512
#define JSON_NUMBER_MAX 1100 /* characters of one number: enough for every double written out */

/** \brief A strict look at one JSON value, fed piecemeal: the framing of the wire, and the check under json_parse(). */
typedef struct JsonScan {
	size_t at; /* bytes looked at so far */
	uint32_t depth;
	uint32_t depth_max; /* at most JSON_DEPTH_MAX */
	size_t members;     /* names seen in all objects so far */
	/* private */
	size_t token; /* where the number, word or escape began that the scan is in */
	uint8_t state;
	uint8_t number;
	uint8_t left;      /* hexadecimal digits or continuation bytes still to come */
	uint8_t low, high; /* bounds of the next continuation byte */
	bool name;         /* the string is a member's name */
	uint16_t code;     /* of a \\u escape */
	uint16_t lead;     /* the high surrogate before it, or 0 */
	const char *word;
	uint8_t objects[JSON_DEPTH_MAX / 8]; /* a bit for each level: object, else array */
} JsonScan;

void json_scan_init(JsonScan *scan, uint32_t depth_max);
/** \brief Goes on from scan->at; \p text is the whole text so far, from the value's first byte or white space before
 * it.
 *
 * 0 where the value is complete (scan->at is where it ends; a number at the top level ends with the text, and goes on
 * if more comes), -EAGAIN where the text ends inside it, -EBADMSG (with \p error) where it can no longer become JSON.
 * Names that repeat are for json_build() to find. */
int json_scan(JsonScan *scan, const char *text, size_t size, JsonError *error);
/** \brief Fills \p error for a scan that said -EAGAIN and gets no more: what is missing. */
void json_scan_missing(const JsonScan *scan, JsonError *error);

/** \brief Parses one value that is all of \p text. -EBADMSG (with \p error), -ENOMEM. \p ret is NULL for null. */
int json_parse(const char *text, size_t size, uint32_t depth_max, struct json_object **ret, JsonError *error);
/** \brief The tree of a text that json_scan() has accepted, with \p members names: json_parse() without a second look.
 * -EBADMSG (with \p error) where a name is repeated, or where it is noticed that this is not the text that was scanned
 * (then the tree may be anything, but nothing beyond the text is read); -ENOMEM. */
int json_build(const char *text, size_t size, size_t members, struct json_object **ret, JsonError *error);
/** \brief Whether a tree that somebody else made is one that json_parse() could have made: not deeper than
 * JSON_DEPTH_MAX, integers in int64, doubles finite, all text UTF-8 without U+0000. */
bool json_is_strict(struct json_object *json);
/** \brief Compact text of \p json appended, doubles in the shortest form that reads back as the same double ("5.0",
 * "1e+300"). */
void json_write(struct json_object *json, Buffer *buffer);
/** \brief A string with its quotes and escapes; control characters and U+007F to U+009F are escaped. Bytes that are
 * not UTF-8, and U+0000, become U+FFFD: what is written can always be read. */
void json_write_string(const char *text, size_t size, Buffer *buffer);
void json_write_int(int64_t value, Buffer *buffer);
/** \brief null where \p value is not finite. */
void json_write_double(double value, Buffer *buffer);
/** \brief "object", "array", "string", "int", "float", "bool", "null": what a message says that it got. */
const char *json_kind(struct json_object *json);
/** \brief Line and column (both from 1; columns count bytes) of an offset. */
void json_position(const char *text, size_t offset, unsigned *ret_line, unsigned *ret_column);
