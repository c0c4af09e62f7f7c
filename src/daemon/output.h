/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a worker prints, from its pipe, line by line. "<N>" before a line is its priority. Lines longer than
 * OUTPUT_LINE_MAX come in pieces. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define OUTPUT_LINE_MAX 2048U

typedef void (*OutputLine)(void *context, int priority, const char *text, size_t size);

typedef struct Output {
	char line[OUTPUT_LINE_MAX];
	size_t n;
	bool ended; /* the pipe's other ends are all closed */
} Output;

/** \brief Reads what is in the pipe (at most 64 KiB at a time): true where there may be more. */
bool output_drain(Output *output, int fd, OutputLine on_line, void *context);
/** \brief Hands on a last line without newline. */
void output_finish(Output *output, OutputLine on_line, void *context);
