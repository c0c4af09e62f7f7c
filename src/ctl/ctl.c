/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/ctl.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ctl/exit.h"

void ctl_done(Ctl *ctl)
{
	connection_done(&ctl->connection);
	options_done(&ctl->options);
}

int ctl_complain_text(const Ctl *ctl, int status, Buffer *message)
{
	bool colour = ctl->output.colour_errors && status != EXIT_SUCCEEDED;

	fflush(stdout);
	fprintf(stderr, "%sryusoctl: ", output_colour(colour, COLOUR_BAD));
	output_put(message, stderr);
	fprintf(stderr, "%s\n", output_colour(colour, COLOUR_NONE));
	buffer_clear(message);
	return status;
}

int ctl_complain(const Ctl *ctl, int status, const char *format, ...)
{
	_cleanup_buffer_ Buffer message = {};
	_cleanup_free_ char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	buffer_text(&message, text ? text : format);
	return ctl_complain_text(ctl, status, &message);
}

int ctl_complain_errno(const Ctl *ctl, int error)
{
	return ctl_complain(ctl, EXIT_BROKEN, "%s; nothing was asked of the daemon", strerror(-error));
}

void ctl_command(const Ctl *ctl, const char *words, Buffer *buffer)
{
	buffer_text(buffer, ctl->options.user ? "ryusoctl --user " : "ryusoctl ");
	if (ctl->options.instance)
		buffer_format(buffer, "-I %s ", ctl->options.instance);
	else if (ctl->options.socket_option) {
		buffer_text(buffer, "--socket ");
		output_escape(ctl->options.socket, buffer);
		buffer_text(buffer, " ");
	}
	output_escape(words, buffer);
}

void ctl_put(const Ctl *ctl, const Buffer *buffer)
{
	if (!ctl->options.quiet)
		output_put(buffer, stdout);
}

uint64_t ctl_deadline(Ctl *ctl)
{
	uint64_t timeout = ctl->options.timeout_usec;

	if (ctl->deadline_usec == 0)
		ctl->deadline_usec = timeout ? clock_monotonic() + timeout : USEC_INFINITY;
	return ctl->deadline_usec;
}

int ctl_connect(Ctl *ctl)
{
	_cleanup_buffer_ Buffer message = {};
	int r;

	if (ctl->connection.fd >= 0)
		return 0;
	r = connection_open(ctl->options.socket, ctl_deadline(ctl), &ctl->connection);
	if (r >= 0) {
		ctl->reached = true;
		return 0;
	}
	r = connection_explain(&ctl->options, r, &message);
	return ctl_complain_text(ctl, r, &message);
}
