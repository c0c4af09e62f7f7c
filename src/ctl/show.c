/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/show.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "ctl/advice.h"
#include "ctl/call.h"
#include "ctl/draft.h"
#include "ctl/exit.h"
#include "ctl/member.h"
#include "ctl/report.h"
#include "ctl/table.h"

int show_ask(Ctl *ctl, const char *run, struct json_object **ret_result)
{
	/* WrongState: a run that was parked this moment is not in the ledger yet */
	_cleanup_call_ Call call = {
		.name = "show", .patient = true, .repeatable = true, .passing = ERROR_WRONG_STATE, .run = run
	};
	_cleanup_draft_ Draft draft = {};
	int r;

	draft_text(&draft, "run", run);
	r = draft_take(&draft, &call.parameters);
	return r < 0 ? ctl_complain_errno(ctl, r) : call_ask(ctl, &call, ret_result);
}

static void begin(const char *label, Buffer *text)
{
	buffer_format(text, "%12s: ", label);
}

static const Colour *status_colour(const char *status)
{
	static const struct {
		const char *status;
		Colour colour;
	} colours[] = { { "succeeded", COLOUR_GOOD },
			{ "rectified", COLOUR_WARN },
			{ "settled", COLOUR_WARN },
			{ "parked", COLOUR_BAD } };

	for (size_t i = 0; status && i < ELEMENTSOF(colours); i++)
		if (strcmp(colours[i].status, status) == 0)
			return &colours[i].colour;
	return NULL;
}

static void write_title(const Ctl *ctl, struct json_object *result, Buffer *text)
{
	const char *status = member_text(result, "status");
	const Colour *colour = status_colour(status);

	buffer_text(text, output_colour(ctl->output.colour, COLOUR_BOLD));
	output_escape(member_text(result, "program"), text);
	buffer_text(text, output_colour(ctl->output.colour, COLOUR_NONE));
	buffer_text(text, ", run ");
	output_escape(member_text(result, "run"), text);
	buffer_text(text, "\n");
	begin("Status", text);
	buffer_text(text, output_colour(ctl->output.colour && colour, colour ? *colour : COLOUR_NONE));
	output_escape(status ? status : "unknown", text);
	buffer_text(text, output_colour(ctl->output.colour && colour, COLOUR_NONE));
	buffer_text(text, "\n");
}

static void write_moments(struct json_object *result, Buffer *text)
{
	static const char *const moments[][2] = { { "Submitted", "submitted_usec" },
						  { "Begun", "begun_usec" },
						  { "Parked", "parked_usec" },
						  { "Ended", "ended_usec" } };
	int64_t begun = member_int(result, "begun_usec"), ended = member_int(result, "ended_usec");

	for (size_t i = 0; i < ELEMENTSOF(moments); i++) {
		int64_t usec = member_int(result, moments[i][1]);

		if (usec <= 0)
			continue;
		begin(moments[i][0], text);
		output_moment((uint64_t)usec, text);
		buffer_text(text, "\n");
	}
	if (ended <= begun || begun <= 0)
		return;
	begin("Took", text);
	output_duration((uint64_t)(ended - begun), text);
	buffer_text(text, "\n");
}

void show_write_module(struct json_object *module, Buffer *text)
{
	const char *build = member_text(module, "build_id");

	output_escape(member_text(module, "name"), text);
	if (build && build[0] != '\0') {
		buffer_text(text, ", build ");
		output_escape(build, text);
	}
	if (!member_bool(module, "available"))
		buffer_text(text, ", which is not here any more");
	else
		buffer_text(text, member_bool(module, "current") ? ", the current one"
								 : ", not the current one, but still here");
	buffer_text(text, "\n");
}

static void write_origin(struct json_object *result, Buffer *text)
{
	struct json_object *module = member_typed(result, "module", json_type_object);
	const char *request = member_text(result, "request_id");

	if (member_typed(result, "peer_uid", json_type_int)) {
		begin("Asked by", text);
		output_user(member_int(result, "peer_uid"), text);
		buffer_text(text, "\n");
	}
	if (request) {
		begin("Request id", text);
		output_escape(request, text);
		buffer_text(text, "\n");
	}
	write_moments(result, text);
	if (member_int(result, "store_moved_usec") > 0) {
		begin("Moved", text);
		output_moment((uint64_t)member_int(result, "store_moved_usec"), text);
		buffer_text(text,
			    ": the state directory was found to have been elsewhere, or to be a copy; somebody may "
			    "have decided about this run there\n");
	}
	if (module) {
		begin("Module", text);
		show_write_module(module, text);
	}
}

static void write_line(const char *label, struct json_object *what,
		       void (*write)(struct json_object *what, Buffer *text), Buffer *text)
{
	if (!what)
		return;
	begin(label, text);
	write(what, text);
}

/** \brief What a parked run says of itself, or an ended run's reply. */
static void write_outcome(struct json_object *account, Buffer *text)
{
	write_line("Failed", member_typed(account, "error", json_type_object), report_write_error, text);
	write_line("Stopped", member_typed(account, "parked", json_type_object), report_write_error, text);
	write_line("Undone", member_list(account, "rectified"), report_write_steps, text);
	write_line("Remains", member_list(account, "remaining"), report_write_steps, text);
}

static void write_running(struct json_object *running, Buffer *text)
{
	const char *hook = member_text(running, "hook");

	if (!running)
		return;
	begin("Now", text);
	buffer_format(text, "step %" PRIi64 " of %" PRIi64, member_int(running, "step"), member_int(running, "steps"));
	if (hook) {
		buffer_text(text, ", ");
		output_escape(member_text(running, "phase"), text);
		buffer_text(text, " ");
		output_escape(hook, text);
		buffer_format(text, ", attempt %" PRIi64, member_int(running, "attempt"));
	}
	buffer_text(text, "\n");
}

static bool is_secret(struct json_object *secrets, const char *name)
{
	for (size_t i = 0; i < member_length(secrets); i++) {
		const char *secret = json_object_get_string(json_object_array_get_idx(secrets, i));

		if (secret && strcmp(secret, name) == 0)
			return true;
	}
	return false;
}

static void write_values(const char *title, struct json_object *values, struct json_object *secrets, Buffer *text)
{
	if (!values || json_object_object_length(values) == 0)
		return;
	buffer_format(text, "\n%s:\n", title);
	json_object_object_foreach(values, name, value)
	{
		buffer_text(text, "  ");
		output_escape(name, text);
		buffer_text(text, " = ");
		if (is_secret(secrets, name))
			buffer_text(text, "(secret)");
		else
			output_value(value, text);
		buffer_text(text, "\n");
	}
}

int show_write(const Ctl *ctl, struct json_object *result, Buffer *text)
{
	struct json_object *reply = member_typed(result, "reply", json_type_object);
	int r;

	write_title(ctl, result, text);
	write_origin(result, text);
	write_running(member_typed(result, "running", json_type_object), text);
	write_outcome(reply ? reply : result, text);
	write_values("Arguments", member_typed(result, "arguments", json_type_object), member_list(result, "secrets"),
		     text);
	write_values("Outputs", member_typed(reply, "data_pool", json_type_object), NULL, text);
	r = show_write_steps(ctl, result, text);
	if (r >= 0)
		r = show_write_next(ctl, result, text);
	if (r >= 0)
		r = show_write_decisions(ctl, result, text);
	if (r >= 0 && ctl->options.legend)
		advice_write(ctl, result, text);
	return r;
}
