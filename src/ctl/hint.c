/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/hint.h"

#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "ctl/call.h"
#include "ctl/member.h"

#define ADMINISTRATORS "ryuso-admin"

typedef enum Argument {
	ARGUMENT_NONE,
	ARGUMENT_PROGRAM,
	ARGUMENT_RUN,
} Argument;

typedef struct Hint {
	ErrorCode code;
	const char *sentence;
	const char *verb; /* of a command that helps, or NULL */
	Argument argument;
} Hint;

static const Hint hints[] = {
	{ ERROR_UNKNOWN_PROGRAM, "see what you may run:", "list", ARGUMENT_NONE },
	{ ERROR_MISSING_ARGUMENT, "see what it takes:", "describe", ARGUMENT_PROGRAM },
	{ ERROR_WRONG_TYPE, "see what it takes:", "describe", ARGUMENT_PROGRAM },
	{ ERROR_UNKNOWN_ARGUMENT, "see what it takes:", "describe", ARGUMENT_PROGRAM },
	{ ERROR_NO_MODULE, "see what is wrong with the module:", "status", ARGUMENT_NONE },
	{ ERROR_STORE_DAMAGED, "see what is wrong with the store:", "status", ARGUMENT_NONE },
	{ ERROR_TOO_LARGE, "send less, or raise MaxRequestSize= in ryuso.conf", NULL, ARGUMENT_NONE },
	{ ERROR_TOO_DEEP, "nest less, or raise MaxDepth= in ryuso.conf", NULL, ARGUMENT_NONE },
	{ ERROR_QUEUE_FULL, "try again when the queue is shorter:", "status", ARGUMENT_NONE },
	{ ERROR_TOO_MANY_CONNECTIONS, "close connections, or raise MaxConnections= or MaxConnectionsPerUser=", NULL,
	  ARGUMENT_NONE },
	{ ERROR_REQUEST_ID_REUSED, "leave --request-id out, or take one that no other request has had", NULL,
	  ARGUMENT_NONE },
	{ ERROR_BAD_CONFIG, "see all that is wrong:  ryusod --check-config  (with --instance=NAME for an instance)",
	  NULL, ARGUMENT_NONE },
	{ ERROR_WRONG_STATE, "see where it stands:", "show", ARGUMENT_RUN },
};

void hint_write_command(const Ctl *ctl, const char *verb, const char *argument, Buffer *text)
{
	_cleanup_buffer_ Buffer words = {};
	_cleanup_free_ char *command = NULL;

	buffer_text(&words, verb);
	if (argument) {
		buffer_text(&words, " ");
		output_quote(argument, &words);
	}
	command = buffer_take_text(&words);
	ctl_command(ctl, command ? command : verb, text);
}

static void write_sentence(Ctl *ctl, const Hint *hint, const char *program, const char *run, Buffer *text)
{
	const char *arguments[] = { [ARGUMENT_NONE] = NULL,
				    [ARGUMENT_PROGRAM] = program ? program : "PROGRAM",
				    [ARGUMENT_RUN] = run ? run : "RUN" };

	buffer_format(text, "  %-8s %s", "next", hint->sentence);
	if (hint->verb) {
		buffer_text(text, "  ");
		hint_write_command(ctl, hint->verb, arguments[hint->argument], text);
	}
	buffer_text(text, "\n");
}

static void write_group(Buffer *text)
{
	const struct passwd *user = getpwuid(geteuid());

	buffer_format(text, "  %-8s add yourself to the group:  usermod -aG " ADMINISTRATORS " ", "next");
	output_escape(user ? user->pw_name : "USER", text);
	buffer_text(text, "  (as root; then log in again)\n");
}

static void write_closest(Ctl *ctl, const char *program, Buffer *text)
{
	_cleanup_free_ char *close = program ? call_closest_program(ctl, program) : NULL;

	if (!close)
		return;
	buffer_format(text, "  %-8s did you mean ", "");
	output_escape(close, text);
	buffer_text(text, "?\n");
}

void hint_write_refused(Ctl *ctl, struct json_object *error, const char *program, const char *run, Buffer *text)
{
	const char *name = member_text(error, "name");
	ErrorCode code = name ? error_from_name(name) : ERROR_NONE;

	if (code == ERROR_UNKNOWN_PROGRAM)
		write_closest(ctl, program, text);
	if (code == ERROR_NOT_ALLOWED) {
		write_group(text);
		return;
	}
	if (code == ERROR_NO_SUCH_RUN && run) {
		buffer_format(text, "  %-8s ", "trace");
		hint_write_trace(ctl, run, "", text);
		buffer_text(text, "\n");
		return;
	}
	for (size_t i = 0; i < ELEMENTSOF(hints); i++)
		if (code != ERROR_NONE && hints[i].code == code) {
			write_sentence(ctl, &hints[i], program, run, text);
			return;
		}
	if (member_bool(error, "retry"))
		buffer_format(text, "  %-8s try again in a moment\n", "next");
}

void hint_write_trace(const Ctl *ctl, const char *run, const char *program, Buffer *text)
{
	if (run) {
		hint_write_command(ctl, "log", run, text);
		return;
	}
	buffer_text(text, "journalctl RYUSO_PROGRAM=");
	output_escape(program, text);
}

static const char *how_to_ask_again(struct json_object *error)
{
	const char *name = member_text(error, "name");

	if (name && error_from_name(name) == ERROR_CANCELLED)
		return "ask again, if it is to run after all";
	return member_bool(error, "retry") ? "the same may succeed if it is asked again"
					   : "remove the cause, then ask again";
}

static void write_next(Ctl *ctl, const char *status, struct json_object *reply, Buffer *text)
{
	const char *run = member_text(reply, "run");

	buffer_format(text, "  %-8s ", "next");
	if (strcmp(status, "parked") == 0) {
		buffer_text(text, "see where it stands, and what you can do:  ");
		hint_write_command(ctl, "show", run ? run : "RUN", text);
	} else if (strcmp(status, "settled") == 0) {
		buffer_text(text, "see what was decided, and what remains:  ");
		hint_write_command(ctl, "show", run ? run : "RUN", text);
	} else {
		buffer_text(text, how_to_ask_again(member(reply, "error")));
		buffer_text(text, ctl->options.request_id ? ", with another --request-id" : "");
	}
	buffer_text(text, "\n");
}

void hint_write(Ctl *ctl, struct json_object *reply, Buffer *text)
{
	const char *status = member_text(reply, "status");
	const char *run = member_text(reply, "run");
	const char *program = member_text(reply, "program");

	if (strcmp(status, "refused") == 0) {
		hint_write_refused(ctl, member(reply, "error"), program, run, text);
		return;
	}
	write_next(ctl, status, reply, text);
	buffer_format(text, "  %-8s ", "trace");
	hint_write_trace(ctl, run, program ? program : "", text);
	buffer_text(text, "\n");
}
