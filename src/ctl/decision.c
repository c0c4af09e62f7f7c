/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/decision.h"

#include <errno.h>
#include <string.h>

#include "ctl/call.h"
#include "ctl/draft.h"
#include "ctl/exit.h"
#include "ctl/hint.h"
#include "ctl/member.h"
#include "ctl/report.h"
#include "ctl/show.h"

void decision_done(Decision *decision)
{
	free(take_ptr(decision->run));
	json_object_put(take_ptr(decision->before));
}

static int refuse_state(Ctl *ctl, const Decision *decision, const char *status)
{
	_cleanup_buffer_ Buffer message = {};

	buffer_format(&message, "%s is not parked: it is ", decision->run);
	output_escape(status ? status : "in an unknown state", &message);
	buffer_format(&message, "; nothing was changed\n  %-8s see where it stands:  ", "next");
	hint_write_command(ctl, "show", decision->run, &message);
	return ctl_complain_text(ctl, EXIT_REFUSED, &message);
}

int decision_look(Ctl *ctl, Decision *decision)
{
	_cleanup_json_ struct json_object *result = NULL;
	const char *status;
	int r;

	r = show_ask(ctl, decision->run, &result);
	if (r != 0)
		return r;
	status = member_text(result, "status");
	if (!status || strcmp(status, "parked") != 0)
		return refuse_state(ctl, decision, status);
	if (member_int(result, "store_moved_usec") > 0)
		ctl_complain(
			ctl, 0,
			"the state directory has been elsewhere since %s parked, or is a copy: make sure that nobody "
			"has decided about the run there",
			decision->run);
	decision->step = member_int(member(result, "parked"), "step");
	decision->before = json_object_get(member_list(result, "decisions"));
	return 0;
}

static int make_call(const Ctl *ctl, const Decision *decision, bool dry_run, Call *ret)
{
	_cleanup_draft_ Draft draft = {};

	*ret = (Call){ .name = decision->verb,
		       .patient = true,
		       .repeatable = dry_run,
		       .changes = !dry_run,
		       .run = decision->run };
	draft_text(&draft, "run", decision->run);
	draft_int(&draft, "step", decision->step);
	draft_flag(&draft, "dry_run", dry_run);
	draft_flag(&draft, "current_module", ctl->options.given & OPTION_CURRENT_MODULE);
	draft_flag(&draft, "undone_by_hand", ctl->options.given & OPTION_UNDONE_BY_HAND);
	draft_text(&draft, "reason", ctl->options.reason);
	return draft_take(&draft, &ret->parameters);
}

/** \brief What the daemon would have answered. */
static int make_result(const Decision *decision, struct json_object **ret)
{
	_cleanup_draft_ Draft draft = {};

	draft_text(&draft, "run", decision->run);
	draft_text(&draft, "verb", decision->verb);
	draft_int(&draft, "step", decision->step);
	return draft_take(&draft, ret);
}

/** \brief How many of \p decisions are like this one. */
static size_t count_like(const Decision *decision, struct json_object *decisions)
{
	size_t n = 0;

	for (size_t i = 0; i < member_length(decisions); i++) {
		struct json_object *one = json_object_array_get_idx(decisions, i);
		const char *verb = member_text(one, "verb");

		n += verb && strcmp(verb, decision->verb) == 0 && member_int(one, "step") == decision->step;
	}
	return n;
}

/** \brief After the connection broke: 0 with the result where it was taken, -EAGAIN where it was not; > 0: what to exit
 * with. */
static int look_again(Ctl *ctl, const Decision *decision, struct json_object **ret_result)
{
	_cleanup_json_ struct json_object *result = NULL;
	int r;

	connection_done(&ctl->connection);
	ctl_complain(ctl, 0, "the connection broke before the answer came; looking whether '%s' was taken",
		     decision->verb);
	r = show_ask(ctl, decision->run, &result);
	if (r != 0)
		return r;
	if (count_like(decision, member_list(result, "decisions")) <= count_like(decision, decision->before))
		return -EAGAIN;
	r = make_result(decision, ret_result);
	return r < 0 ? ctl_complain_errno(ctl, r) : 0;
}

static bool is_broken(int error)
{
	return error == -ENODATA || error == -ECONNRESET || error == -EPIPE;
}

int decision_take(Ctl *ctl, const Decision *decision, struct json_object **ret_result)
{
	_cleanup_json_ struct json_object *answer = NULL;
	_cleanup_call_ Call call = {};
	bool unsettled;
	int r;

	r = make_call(ctl, decision, false, &call);
	if (r < 0)
		return ctl_complain_errno(ctl, r);
	do {
		r = call_answer(ctl, &call, &answer, &unsettled);
		if (r < 0 && !(unsettled && is_broken(r)))
			return call_explain(ctl, &call, r, unsettled);
		if (r < 0)
			r = look_again(ctl, decision, ret_result);
		else if (r == 0 && member_typed(answer, "error", json_type_object))
			r = report_refusal(ctl, answer, &call);
		else if (r == 0)
			*ret_result = json_object_get(member(answer, "result"));
	} while (r == -EAGAIN);
	return r;
}

int decision_try(Ctl *ctl, const Decision *decision, struct json_object **ret_result)
{
	_cleanup_call_ Call call = {};
	int r;

	r = make_call(ctl, decision, true, &call);
	return r < 0 ? ctl_complain_errno(ctl, r) : call_ask(ctl, &call, ret_result);
}
