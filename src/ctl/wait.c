/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/wait.h"

#include <errno.h>
#include <string.h>

#include "ctl/call.h"
#include "ctl/draft.h"
#include "ctl/exit.h"
#include "ctl/follow.h"
#include "ctl/hint.h"
#include "ctl/interrupt.h"
#include "ctl/lookup.h"
#include "ctl/member.h"
#include "ctl/report.h"

/** \brief No answer: the run goes on, and can be waited for again. */
static int explain_wait(const Ctl *ctl, const Call *call, int error)
{
	_cleanup_buffer_ Buffer message = {};

	buffer_text(&message, error == -EINTR ? "interrupted" : "no answer came within the time of --timeout");
	buffer_format(&message, ": the outcome is not known yet, and what goes on goes on\n  %-8s %s again:  ", "next",
		      call->name);
	hint_write_command(ctl, call->name, call->run, &message);
	buffer_format(&message, "\n  %-8s ", "trace");
	hint_write_trace(ctl, call->run, NULL, &message);
	return ctl_complain_text(ctl, EXIT_UNKNOWN, &message);
}

static int report(Ctl *ctl, const Call *call, struct json_object *answer)
{
	int r;

	if (member_typed(answer, "error", json_type_object))
		return report_refusal(ctl, answer, call);
	r = report_run(ctl, member(answer, "result"));
	if (r == -EBADMSG)
		return ctl_complain(ctl, EXIT_UNKNOWN, "what answered '%s' at %s is no outcome of a run", call->name,
				    ctl->options.socket);
	return r < 0 ? ctl_complain_errno(ctl, r) : r;
}

int wait_run(Ctl *ctl, const char *run, Follow *follow)
{
	_cleanup_call_ Call call = { .name = follow ? "watch" : "wait",
				     .patient = true,
				     .repeatable = true,
				     .lasting = true,
				     .follow = follow,
				     .run = run };
	_cleanup_json_ struct json_object *answer = NULL;
	_cleanup_draft_ Draft draft = {};
	bool unsettled;
	int r;

	draft_text(&draft, "run", run);
	r = draft_take(&draft, &call.parameters);
	if (r < 0)
		return ctl_complain_errno(ctl, r);
	r = call_answer(ctl, &call, &answer, &unsettled);
	if (follow)
		follow_settle(follow);
	if (r == -ETIME || r == -EINTR)
		return explain_wait(ctl, &call, r);
	if (r < 0)
		return call_explain(ctl, &call, r, unsettled);
	return r > 0 ? r : report(ctl, &call, answer);
}

int verb_wait(Ctl *ctl, char *const *arguments, size_t n)
{
	int first = EXIT_SUCCEEDED;

	for (size_t i = 0; i < n && !interrupt_pending(); i++) {
		_cleanup_free_ char *run = NULL;
		int r;

		r = lookup_run(ctl, arguments[i], LOOKUP_ANY, &run);
		if (r == 0)
			r = wait_run(ctl, run, NULL);
		first = first == EXIT_SUCCEEDED ? r : first;
	}
	return first;
}

static void write_cancelled(Ctl *ctl, const char *run, struct json_object *result, Buffer *text)
{
	output_escape(run, text);
	if (!member_bool(result, "begun")) {
		buffer_text(text, " is cancelled: it had not begun, and nothing ran\n");
		return;
	}
	buffer_text(text, " is cancelled: it stops, and what it has done is undone\n");
	if (!ctl->options.legend)
		return;
	buffer_format(text, "  %-8s see how that ends:  ", "next");
	hint_write_command(ctl, "wait", run, text);
	buffer_text(text, "\n");
}

static int show_cancelled(Ctl *ctl, const char *run, struct json_object *result)
{
	_cleanup_buffer_ Buffer text = {};

	if (ctl->options.json != JSON_STYLE_NONE)
		output_json(result, ctl->options.json, &text);
	else
		write_cancelled(ctl, run, result, &text);
	if (buffer_error(&text) < 0)
		return ctl_complain_errno(ctl, -ENOMEM);
	ctl_put(ctl, &text);
	return EXIT_SUCCEEDED;
}

/** \brief The first of two cancels may have been the one that counted: the second then comes too late. */
static int refuse_cancel(Ctl *ctl, const Call *call, struct json_object *answer, bool unsettled)
{
	const char *name = member_text(member(answer, "error"), "name");
	int r;

	r = report_refusal(ctl, answer, call);
	if (!unsettled || !name || strcmp(name, "WrongState") != 0)
		return r;
	return ctl_complain(ctl, EXIT_UNKNOWN,
			    "the connection broke, and it was asked twice: it may have been cancelled the first time");
}

int verb_cancel(Ctl *ctl, char *const *arguments, size_t n)
{
	_cleanup_call_ Call call = { .name = "cancel", .patient = true, .repeatable = true, .changes = true };
	_cleanup_json_ struct json_object *answer = NULL;
	_cleanup_draft_ Draft draft = {};
	_cleanup_free_ char *run = NULL;
	bool unsettled;
	int r;

	(void)n;
	r = lookup_run(ctl, arguments[0], LOOKUP_UNFINISHED, &run);
	if (r != 0)
		return r;
	call.run = run;
	draft_text(&draft, "run", run);
	draft_flag(&draft, "now", ctl->options.given & OPTION_NOW);
	r = draft_take(&draft, &call.parameters);
	if (r < 0)
		return ctl_complain_errno(ctl, r);
	r = call_answer(ctl, &call, &answer, &unsettled);
	if (r < 0)
		return call_explain(ctl, &call, r, unsettled);
	if (r > 0)
		return r;
	if (member_typed(answer, "error", json_type_object))
		return refuse_cancel(ctl, &call, answer, unsettled);
	return show_cancelled(ctl, run, member(answer, "result"));
}
