/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a worker prints, from its pipe, line by line. "<N>" before a line is its priority. Lines longer than
 * OUTPUT_LINE_MAX come in pieces, torn between characters, which all have the line's priority. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/log.h"

#define OUTPUT_LINE_MAX LOG_FIELD_MAX

typedef void (*OutputLine)(void *context, int priority, const char *text, size_t size);

typedef struct Output {
	char line[OUTPUT_LINE_MAX];
	size_t n;
	bool within;  /* what comes next continues a line of which a piece was handed on */
	int priority; /* of that line */
	bool ended;   /* the pipe's other ends are all closed */
} Output;

/** \brief Reads once, at most as much as a pipe holds: true where there may be more. */
bool output_drain(Output *output, int fd, OutputLine on_line, void *context);
/** \brief Hands on a last line without newline: what comes next is another's. */
void output_finish(Output *output, OutputLine on_line, void *context);
