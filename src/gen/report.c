/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gen/report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"

void report_done(Report *report)
{
	buffer_done(&report->lines);
	buffer_done(&report->output);
}

static void add_line(Report *report, const char *format, va_list arguments)
{
	_cleanup_free_ char *text = NULL;

	if (vasprintf(&text, format, arguments) < 0) {
		text = NULL;
		report->lines.failed = true;
		return;
	}
	buffer_text(&report->lines, text);
	buffer_text(&report->lines, "\n");
}

void report_line(Report *report, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	add_line(report, format, arguments);
	va_end(arguments);
}

int report_error(Report *report, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	add_line(report, format, arguments);
	va_end(arguments);
	report->n_errors++;
	return -EBADMSG;
}

int report_errno(Report *report, const char *doing, const char *path, int error)
{
	return report_error(report, "ryuso-gen: cannot %s %s: %s", doing, path, strerror(-error));
}

int report_print(const Report *report)
{
	int r = 0, s = 0;

	if (report->lines.size > 0)
		r = write_all(STDERR_FILENO, report->lines.data, report->lines.size);
	if (report->output.size > 0)
		s = write_all(STDOUT_FILENO, report->output.data, report->output.size);
	if (buffer_error(&report->lines) < 0 || buffer_error(&report->output) < 0)
		return -ENOMEM;
	return r < 0 ? r : s;
}
