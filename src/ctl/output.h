/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How ryusoctl writes: what standard output is able to show, colours, JSON, and text that came from elsewhere, in which
 * control characters are always escaped. Colours and signs only on a terminal, and no colours where NO_COLOR is set. */
#pragma once

#include <stdio.h>

#include "ctl/options.h"

struct json_object;

typedef enum Colour {
	COLOUR_NONE,
	COLOUR_GOOD,
	COLOUR_WARN,
	COLOUR_BAD,
	COLOUR_BOLD,
	COLOUR_FAINT,
	COLOUR_MAX,
} Colour;

typedef struct Output {
	bool terminal; /* standard output is one that understands escape sequences */
	bool utf8;
	bool colour;
	bool colour_errors;   /* the same of standard error */
	bool terminal_errors; /* standard error is a terminal of whatever kind */
} Output;

/** \brief Looks at standard output and the environment. The locale is set already. */
void output_init(Output *ret);
/** \brief The sequence that begins a colour; "" where there are none. COLOUR_NONE ends it. */
const char *output_colour(bool colour, Colour which);
/** \brief The name for scols_line_set_color(), or NULL. */
const char *output_colour_name(Colour which);

/** \brief Appends \p text, control characters escaped; nothing for NULL. */
void output_escape(const char *text, Buffer *buffer);
/** \brief The same into a string that the caller frees; NULL where memory is short or \p text is NULL. */
char *output_escaped(const char *text);
/** \brief Appends \p text as one word for a shell, control characters escaped. */
void output_quote(const char *text, Buffer *buffer);
/** \brief Appends a value for people: strings without quotes, all else as JSON on one line. */
void output_value(struct json_object *value, Buffer *buffer);
/** \brief Appends microseconds for people: "350 us", "1.2 ms", "3.4 s", "2 min 5 s". */
void output_duration(uint64_t usec, Buffer *buffer);
/** \brief Appends a moment of the wall clock in local time: "2025-11-24 14:03:11". */
void output_moment(uint64_t usec, Buffer *buffer);
/** \brief Appends "alice (1000)", or "uid 1000" where nobody has that name. */
void output_user(int64_t uid, Buffer *buffer);
/** \brief Appends \p json as text with a newline. */
void output_json(struct json_object *json, JsonStyle style, Buffer *buffer);
/** \brief Writes the content to \p stream, whole. What cannot be written shows in ferror(). */
void output_put(const Buffer *buffer, FILE *stream);
