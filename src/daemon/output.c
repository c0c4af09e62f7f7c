/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/output.h"

#include <errno.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#define DRAIN_ROUNDS 16

static void hand_on(Output *output, OutputLine on_line, void *context)
{
	const char *text = output->line;
	size_t size = output->n;
	int priority = LOG_INFO;

	if (size >= 3 && text[0] == '<' && text[1] >= '0' && text[1] <= '7' && text[2] == '>') {
		priority = text[1] - '0';
		text += 3;
		size -= 3;
	}
	output->n = 0;
	if (size > 0)
		on_line(context, priority, text, size);
}

static void take(Output *output, const char *data, size_t size, OutputLine on_line, void *context)
{
	while (size > 0) {
		const char *newline = memchr(data, '\n', size);
		size_t whole = newline ? (size_t)(newline - data) : size;
		size_t room = OUTPUT_LINE_MAX - output->n;
		size_t taken = whole < room ? whole : room;

		memcpy(output->line + output->n, data, taken);
		output->n += taken;
		data += taken;
		size -= taken;
		if (newline && taken == whole) {
			data++;
			size--;
			hand_on(output, on_line, context);
		} else if (output->n == OUTPUT_LINE_MAX) {
			hand_on(output, on_line, context);
		}
	}
}

bool output_drain(Output *output, int fd, OutputLine on_line, void *context)
{
	char data[4096];
	ssize_t n;

	for (unsigned i = 0; i < DRAIN_ROUNDS; i++) {
		n = read(fd, data, sizeof(data));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			output->ended = n == 0;
			return false;
		}
		take(output, data, (size_t)n, on_line, context);
	}
	return true;
}

void output_finish(Output *output, OutputLine on_line, void *context)
{
	if (output->n > 0)
		hand_on(output, on_line, context);
}
