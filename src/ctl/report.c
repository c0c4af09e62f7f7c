/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/report.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "ctl/exit.h"
#include "ctl/hint.h"
#include "ctl/member.h"

typedef struct Verdict {
	const char *status;
	int exit;
	Colour colour;
	const char *sentence; /* after the program's name */
} Verdict;

static const Verdict verdicts[] = {
	{ "succeeded", EXIT_SUCCEEDED, COLOUR_GOOD, "succeeded" },
	{ "rectified", EXIT_RECTIFIED, COLOUR_WARN, "was rectified: it failed, and all that it had done is undone" },
	{ "parked", EXIT_PARKED, COLOUR_BAD, "is PARKED: it failed, and not all that it had done could be undone" },
	{ "refused", EXIT_REFUSED, COLOUR_BAD, "was refused: nothing ran" },
	{ "settled", EXIT_SETTLED, COLOUR_WARN, "was settled by an operator" },
};

static const Verdict *find_verdict(struct json_object *reply)
{
	const char *status = member_text(reply, "status");

	for (size_t i = 0; status && i < ELEMENTSOF(verdicts); i++)
		if (strcmp(verdicts[i].status, status) == 0)
			return &verdicts[i];
	return NULL;
}

static void write_verdict(const Verdict *verdict, struct json_object *reply, bool colour, Buffer *text)
{
	const char *program = member_text(reply, "program");
	const char *run = member_text(reply, "run");

	buffer_text(text, output_colour(colour, verdict->colour));
	output_escape(program ? program : "the request", text);
	buffer_format(text, " %s%s", verdict->sentence, output_colour(colour, COLOUR_NONE));
	if (run) {
		buffer_text(text, "  (run ");
		output_escape(run, text);
		buffer_text(text, ")");
	}
	buffer_text(text, "\n");
}

static void write_outputs(struct json_object *reply, Buffer *text)
{
	struct json_object *pool = member_typed(reply, "data_pool", json_type_object);

	if (!pool)
		return;
	json_object_object_foreach(pool, name, value)
	{
		output_escape(name, text);
		buffer_text(text, " = ");
		output_value(value, text);
		buffer_text(text, "\n");
	}
}

/** \brief Not that of a call's parameter: that was a word of the command line. */
static const char *error_path(struct json_object *error)
{
	const char *path = member_text(error, "path");

	return path && strncmp(path, "/parameters", strlen("/parameters")) == 0 ? NULL : path;
}

void report_write_error(struct json_object *error, Buffer *text)
{
	static const char *const words[] = { "name", "reason", "message" };
	const char *hook = member_text(error, "hook");
	const char *program = member_text(error, "program");
	const char *path = error_path(error);
	int64_t step = member_int(error, "step");
	const char *separator = "";

	if (step > 0)
		buffer_format(text, "step %" PRIi64 "%s", step, hook || program ? ", " : "");
	output_escape(hook ? hook : program, text);
	if (step > 0 || hook || program)
		separator = ": ";
	for (size_t i = 0; i < ELEMENTSOF(words); i++) {
		const char *word = member_text(error, words[i]);

		if (!word)
			continue;
		buffer_text(text, separator);
		output_escape(word, text);
		separator = ": ";
		if (i == 0 && path) {
			buffer_text(text, " at ");
			output_escape(path, text);
		}
	}
	buffer_text(text, "\n");
}

void report_write_steps(struct json_object *steps, Buffer *text)
{
	size_t n = member_length(steps);

	for (size_t i = 0; i < n; i++) {
		struct json_object *step = json_object_array_get_idx(steps, i);

		buffer_format(text, "%sstep %" PRIi64, i ? "; " : "", member_int(step, "step"));
		buffer_text(text, member_text(step, "hook") ? ", " : "");
		output_escape(member_text(step, "hook"), text);
		if (member_bool(step, "in_doubt"))
			buffer_text(text, " (in doubt)");
	}
	buffer_text(text, n ? "\n" : "nothing\n");
}

static void write_line(const char *label, struct json_object *what,
		       void (*write)(struct json_object *what, Buffer *text), Buffer *text)
{
	if (!what)
		return;
	buffer_format(text, "  %-8s ", label);
	write(what, text);
}

static void write_failure(Ctl *ctl, struct json_object *reply, Buffer *text)
{
	struct json_object *error = member_typed(reply, "error", json_type_object);
	struct json_object *parked = member_typed(reply, "parked", json_type_object);

	write_line("failed", error, report_write_error, text);
	write_line("stopped", parked, report_write_error, text);
	write_line("undone", member_list(reply, "rectified"), report_write_steps, text);
	write_line("remains", member_list(reply, "remaining"), report_write_steps, text);
	hint_write(ctl, reply, text);
}

static int report_json(Ctl *ctl, struct json_object *reply, int status)
{
	_cleanup_buffer_ Buffer text = {};

	output_json(reply, ctl->options.json, &text);
	if (buffer_error(&text) < 0)
		return -ENOMEM;
	ctl_put(ctl, &text);
	return status;
}

static int exit_status(const Verdict *verdict, struct json_object *reply)
{
	const char *name = member_text(member(reply, "error"), "name");

	return verdict->exit == EXIT_REFUSED && name && strcmp(name, "NotAllowed") == 0 ? EXIT_DENIED : verdict->exit;
}

int report_run(Ctl *ctl, struct json_object *reply)
{
	_cleanup_buffer_ Buffer text = {}, outputs = {};
	const Verdict *verdict = find_verdict(reply);
	bool good;

	if (!verdict)
		return -EBADMSG;
	if (ctl->options.json != JSON_STYLE_NONE)
		return report_json(ctl, reply, exit_status(verdict, reply));
	good = verdict->exit == EXIT_SUCCEEDED;
	write_verdict(verdict, reply, good ? ctl->output.colour : ctl->output.colour_errors, &text);
	write_outputs(reply, &outputs);
	if (!good)
		write_failure(ctl, reply, &text);
	if (buffer_error(&text) < 0 || buffer_error(&outputs) < 0)
		return -ENOMEM;
	fflush(stdout);
	if (good)
		ctl_put(ctl, &text);
	else
		output_put(&text, stderr);
	ctl_put(ctl, &outputs);
	return exit_status(verdict, reply);
}

/** \brief Whether the call was about a run that is there, and it is the call that was refused, not the run. */
static bool is_operators(const Call *call, ErrorCode code)
{
	if (code == ERROR_NOT_ALLOWED || code == ERROR_NO_SUCH_RUN || code == ERROR_WRONG_STATE)
		return true;
	return call->run && !call->lasting;
}

int report_refusal(Ctl *ctl, struct json_object *answer, const Call *call)
{
	struct json_object *error = member(answer, "error");
	const char *name = member_text(error, "name");
	ErrorCode code = name ? error_from_name(name) : ERROR_NONE;
	int status = code == ERROR_NOT_ALLOWED ? EXIT_DENIED : EXIT_REFUSED;
	_cleanup_buffer_ Buffer text = {};

	if (ctl->options.json != JSON_STYLE_NONE) {
		status = report_json(ctl, answer, status);
		return status < 0 ? ctl_complain_errno(ctl, status) : status;
	}
	buffer_text(&text, output_colour(ctl->output.colour_errors, COLOUR_BAD));
	if (is_operators(call, code))
		buffer_format(&text, "'%s' was refused%s", call->name, call->changes ? ": nothing was changed" : "");
	else
		buffer_text(&text, "the request was refused: nothing ran");
	buffer_format(&text, "%s\n", output_colour(ctl->output.colour_errors, COLOUR_NONE));
	write_line("failed", error, report_write_error, &text);
	hint_write_refused(ctl, error, call->program, call->run, &text);
	if (buffer_error(&text) < 0)
		return ctl_complain_errno(ctl, -ENOMEM);
	fflush(stdout);
	output_put(&text, stderr);
	return status;
}
