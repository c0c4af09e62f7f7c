/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/output.h"

#include <errno.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/text.h"

#define READ_SIZE 65536U /* what a pipe holds */

static bool has_priority(const Output *output)
{
	return output->n >= 3 && output->line[0] == '<' && output->line[1] >= '0' && output->line[1] <= '7' &&
	       output->line[2] == '>';
}

/* Hands on the first \p size bytes. */
static void hand_on(Output *output, size_t size, OutputLine on_line, void *context)
{
	size_t skipped = 0;

	if (!output->within) {
		skipped = has_priority(output) ? 3 : 0;
		output->priority = skipped > 0 ? output->line[1] - '0' : LOG_INFO;
	}
	if (size > skipped)
		on_line(context, output->priority, output->line + skipped, size - skipped);
	output->n -= size;
	memmove(output->line, output->line + size, output->n);
}

static void end_line(Output *output, OutputLine on_line, void *context)
{
	hand_on(output, output->n, on_line, context);
	output->within = false;
}

/* Bytes of a full line that can be handed on without tearing its last character, if it is one. */
static size_t untorn(const Output *output)
{
	uint8_t low, high;

	for (size_t back = 1; back <= 3; back++) {
		uint8_t byte = (uint8_t)output->line[output->n - back];

		if (byte < 0x80 || byte >= 0xc0)
			return text_utf8_lead(byte, &low, &high) >= back ? output->n - back : output->n;
	}
	return output->n;
}

static void take(Output *output, const char *data, size_t size, OutputLine on_line, void *context)
{
	while (size > 0) {
		const char *newline = memchr(data, '\n', size);
		size_t whole = newline ? (size_t)(newline - data) : size;
		size_t taken = MIN(whole, OUTPUT_LINE_MAX - output->n);

		memcpy(output->line + output->n, data, taken);
		output->n += taken;
		data += taken;
		size -= taken;
		if (newline && taken == whole) {
			data++;
			size--;
			end_line(output, on_line, context);
		} else if (output->n == OUTPUT_LINE_MAX) {
			hand_on(output, untorn(output), on_line, context);
			output->within = true;
		}
	}
}

bool output_drain(Output *output, int fd, OutputLine on_line, void *context)
{
	char data[READ_SIZE];
	ssize_t n;

	n = read(fd, data, sizeof(data));
	if (n > 0)
		take(output, data, (size_t)n, on_line, context);
	output->ended = n == 0;
	return n > 0 || (n < 0 && errno == EINTR);
}

void output_finish(Output *output, OutputLine on_line, void *context)
{
	if (output->n > 0 || output->within)
		end_line(output, on_line, context);
}
