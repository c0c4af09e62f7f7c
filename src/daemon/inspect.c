/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/inspect.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/log.h"
#include "base/text.h"
#include "daemon/inspect_private.h"

#define TEXT_MAX 512U

void inspect_problem(Inspection *inspection, InspectStatus status, const char *format, ...)
{
	_cleanup_free_ char *sentence = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&sentence, format, arguments) < 0)
		sentence = NULL;
	va_end(arguments);
	buffer_text(&inspection->problems, "  ");
	if (sentence)
		text_escape(sentence, strlen(sentence), LOG_MESSAGE_MAX, &inspection->problems);
	buffer_text(&inspection->problems, "\n");
	inspection->status = MAX(inspection->status, status);
}

void inspect_text(Inspection *inspection, const char *text, size_t size)
{
	text_escape(text, size, TEXT_MAX, &inspection->text);
}

void inspect_time(Inspection *inspection, uint64_t usec)
{
	time_t seconds = (time_t)(usec / USEC_PER_SEC);
	struct tm parts;
	char text[64];

	if (localtime_r(&seconds, &parts) && strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts) > 0)
		buffer_text(&inspection->text, text);
}

static void print(Inspection *inspection)
{
	if (inspection->problems.size > 0) {
		buffer_text(&inspection->text, "\nproblems:\n");
		buffer_append(&inspection->text, inspection->problems.data, inspection->problems.size);
	}
	if (buffer_error(&inspection->text) < 0 || buffer_error(&inspection->problems) < 0 ||
	    fwrite(inspection->text.data, 1, inspection->text.size, stdout) != inspection->text.size ||
	    fflush(stdout) != 0) {
		fprintf(stderr, "ryusod: what the state directory %s holds could not be written: %s\n",
			inspection->directory, buffer_error(&inspection->text) < 0 ? "out of memory" : strerror(errno));
		inspection->status = INSPECT_UNREADABLE;
	}
}

int inspect_print(const char *directory)
{
	Inspection inspection = { .directory = directory };
	struct stat status;

	if (stat(directory, &status) < 0 || (!S_ISDIR(status.st_mode) && (errno = ENOTDIR))) {
		fprintf(stderr, "ryusod: cannot look into the state directory %s: %s\n", directory, strerror(errno));
		return INSPECT_UNREADABLE;
	}
	log_open("ryusod", false);
	buffer_text(&inspection.text, "state directory ");
	inspect_text(&inspection, directory, strlen(directory));
	buffer_text(&inspection.text, "\n\n");
	inspect_recorder(&inspection);
	buffer_text(&inspection.text, "\n");
	inspect_ledger(&inspection);
	print(&inspection);
	buffer_done(&inspection.text);
	buffer_done(&inspection.problems);
	return (int)inspection.status;
}
