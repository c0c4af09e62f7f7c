/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "ctl/exchange.h"
#include "ctl/exit.h"
#include "ctl/hint.h"
#include "ctl/member.h"
#include "ctl/program.h"
#include "ctl/report.h"
#include "ctl/verb.h"
#include "ctl/wait.h"

/** \brief Asks for what the words say, and waits for the answer. 0, or what to exit with; said already. */
static int ask(Ctl *ctl, const ProgramRequest *request, const char *verb, Follow *follow, struct json_object **ret)
{
	Patience patience = { .ctl = ctl, .program = request->program, .follow = follow };
	_cleanup_exchange_ Exchange exchange = { .ctl = ctl,
						 .request = request->body,
						 .follow = follow,
						 .patience = &patience,
						 .patient = true,
						 .repeatable = request->request_id != NULL };
	int r;

	r = exchange_ask(&exchange, ret);
	follow_settle(follow);
	if (r < 0)
		return program_request_explain(ctl, request, verb, follow->run, exchange.unsettled, r);
	return r;
}

static int run_program(Ctl *ctl, char *const *arguments, size_t n)
{
	_cleanup_program_request_ ProgramRequest request = {};
	_cleanup_json_ struct json_object *reply = NULL;
	_cleanup_follow_ Follow follow = { .ctl = ctl };
	int r;

	r = program_request_make(ctl, arguments, n, true, &request);
	if (r == 0)
		r = ask(ctl, &request, "run", &follow, &reply);
	if (r != 0)
		return r;
	r = report_run(ctl, reply);
	return r < 0 ? program_request_explain(ctl, &request, "run", follow.run, true, r) : r;
}

/** \brief The id of a run that was taken, also where it has ended by now. -EBADMSG: that is no reply. */
static int show_submitted(Ctl *ctl, struct json_object *reply)
{
	const char *run = member_text(reply, "run"), *status = member_text(reply, "status");
	_cleanup_buffer_ Buffer text = {};

	if (!run || !status)
		return -EBADMSG;
	if (ctl->options.json != JSON_STYLE_NONE) {
		output_json(reply, ctl->options.json, &text);
	} else {
		output_escape(run, &text);
		buffer_text(&text, "\n");
	}
	if (buffer_error(&text) < 0)
		return -ENOMEM;
	ctl_put(ctl, &text);
	if (strcmp(status, "queued") == 0)
		return EXIT_SUCCEEDED;
	buffer_clear(&text);
	buffer_text(&text, "that request was made before, and its run is ");
	output_escape(status, &text);
	buffer_text(&text, ":  ");
	hint_write_command(ctl, "wait", run, &text);
	return ctl_complain_text(ctl, EXIT_SUCCEEDED, &text);
}

static int submit_program(Ctl *ctl, char *const *arguments, size_t n)
{
	_cleanup_program_request_ ProgramRequest request = {};
	_cleanup_json_ struct json_object *reply = NULL;
	_cleanup_follow_ Follow follow = { .ctl = ctl };
	const char *status;
	int r;

	r = program_request_make(ctl, arguments, n, false, &request);
	if (r == 0)
		r = ask(ctl, &request, "submit", &follow, &reply);
	if (r != 0)
		return r;
	status = member_text(reply, "status");
	r = status && strcmp(status, "refused") == 0 ? report_run(ctl, reply) : show_submitted(ctl, reply);
	return r < 0 ? program_request_explain(ctl, &request, "submit", NULL, true, r) : r;
}

#define ARGUMENTS_USAGE "PROGRAM [NAME=VALUE | NAME:=JSON | NAME=@FILE]…"
#define ARGUMENTS_DETAILS                                                                          \
	"  NAME=VALUE              an argument, converted to the type that the program declares\n" \
	"  NAME:=JSON              the same, as JSON\n"                                            \
	"  NAME=@FILE              the same, read from a file (-: from standard input)\n"          \
	"     --data=OBJECT        all arguments as one JSON object; @FILE or - to read it\n"      \
	"     --request-id=ID      the id by which the same request can be asked for again\n"      \
	"     --no-request-id      none, instead of a random one: a broken connection is the end\n"

static const Verb verbs[] = {
	{ "run", 1, VERB_ARGUMENTS_ANY, OPTION_FOLLOW | OPTION_DATA | OPTION_REQUEST_ID | OPTION_NO_REQUEST_ID,
	  run_program, ARGUMENTS_USAGE, "Run a program and show how it ended",
	  ARGUMENTS_DETAILS "  -f --follow             a line for each hook and rectifier as it ends\n" },
	{ "submit", 1, VERB_ARGUMENTS_ANY, OPTION_DATA | OPTION_REQUEST_ID | OPTION_NO_REQUEST_ID, submit_program,
	  ARGUMENTS_USAGE, "Have a program run later or now, and show its run's id", ARGUMENTS_DETAILS },
	{ "wait", 1, VERB_ARGUMENTS_ANY, 0, verb_wait, "RUN…", "Wait for runs and show how they ended", NULL },
	{ "cancel", 1, 1, OPTION_NOW, verb_cancel, "RUN", "Stop a run, and have undone what it has done",
	  "     --now                kill the hook that runs, instead of waiting for its end\n" },
};

const VerbGroup run_verbs = { "Running programs", verbs, ELEMENTSOF(verbs) };
