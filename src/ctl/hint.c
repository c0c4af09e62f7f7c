/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/hint.h"

#include <string.h>

#include "base/error.h"
#include "ctl/member.h"

typedef struct Hint {
	ErrorCode code;
	const char *sentence;
	const char *verb; /* of a command that helps, or NULL */
	bool program;     /* the verb takes the program */
} Hint;

static const Hint hints[] = {
	{ ERROR_UNKNOWN_PROGRAM, "see what you may run:", "list", false },
	{ ERROR_MISSING_ARGUMENT, "see what it takes:", "describe", true },
	{ ERROR_WRONG_TYPE, "see what it takes:", "describe", true },
	{ ERROR_UNKNOWN_ARGUMENT, "see what it takes:", "describe", true },
	{ ERROR_NO_MODULE, "see what is wrong with the module:", "status", false },
	{ ERROR_TOO_LARGE, "send less, or raise MaxRequestSize= in ryuso.conf", NULL, false },
	{ ERROR_TOO_DEEP, "nest less, or raise MaxDepth= in ryuso.conf", NULL, false },
	{ ERROR_QUEUE_FULL, "try again when the queue is shorter:", "status", false },
	{ ERROR_TOO_MANY_CONNECTIONS, "close connections, or raise MaxConnections= or MaxConnectionsPerUser=", NULL,
	  false },
	{ ERROR_NOT_ALLOWED, "ask whoever administers this service", NULL, false },
};

static void write_sentence(Ctl *ctl, const Hint *hint, const char *program, Buffer *text)
{
	_cleanup_buffer_ Buffer words = {};
	_cleanup_free_ char *command = NULL;

	buffer_format(text, "  %-8s %s", "next", hint->sentence);
	if (hint->verb) {
		buffer_text(&words, hint->verb);
		if (hint->program)
			buffer_format(&words, " %s", program ? program : "PROGRAM");
		command = buffer_take_text(&words);
		buffer_text(text, "  ");
		ctl_command(ctl, command ? command : hint->verb, text);
	}
	buffer_text(text, "\n");
}

static void write_closest(Ctl *ctl, const char *program, Buffer *text)
{
	_cleanup_free_ char *close = program ? ctl_closest_program(ctl, program) : NULL;

	if (!close)
		return;
	buffer_format(text, "  %-8s did you mean ", "");
	output_escape(close, text);
	buffer_text(text, "?\n");
}

void hint_write_refused(Ctl *ctl, struct json_object *error, const char *program, Buffer *text)
{
	const char *name = member_text(error, "name");
	ErrorCode code = name ? error_from_name(name) : ERROR_NONE;

	if (code == ERROR_UNKNOWN_PROGRAM)
		write_closest(ctl, program, text);
	for (size_t i = 0; i < ELEMENTSOF(hints); i++)
		if (code != ERROR_NONE && hints[i].code == code) {
			write_sentence(ctl, &hints[i], program, text);
			return;
		}
	if (member_bool(error, "retry"))
		buffer_format(text, "  %-8s try again in a moment\n", "next");
}

void hint_write_trace(const char *run, const char *program, Buffer *text)
{
	buffer_text(text, "journalctl ");
	if (run) {
		buffer_text(text, "RYUSO_RUN=");
		output_escape(run, text);
	} else {
		buffer_text(text, "RYUSO_PROGRAM=");
		output_escape(program, text);
	}
}

void hint_write(Ctl *ctl, struct json_object *reply, Buffer *text)
{
	const char *status = member_text(reply, "status");
	const char *run = member_text(reply, "run");
	const char *program = member_text(reply, "program");
	struct json_object *error = member(reply, "error");
	bool parked = strcmp(status, "parked") == 0;

	if (strcmp(status, "refused") == 0) {
		hint_write_refused(ctl, error, program, text);
		return;
	}
	if (parked)
		buffer_format(text, "  %-8s see what stopped it, and put right by hand what remains\n", "next");
	else if (member_bool(error, "retry"))
		buffer_format(text, "  %-8s the same request may succeed if it is made again\n", "next");
	else
		buffer_format(text, "  %-8s remove the cause, then ask again\n", "next");
	buffer_format(text, "  %-8s ", "trace");
	hint_write_trace(run, program ? program : "", text);
	buffer_text(text, "\n");
}
