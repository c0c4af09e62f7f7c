/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/status.h"

#include <inttypes.h>
#include <string.h>

#include "ctl/member.h"

static void begin(const char *label, Buffer *text)
{
	buffer_format(text, "%12s: ", label);
}

static Colour state_colour(const char *state)
{
	if (!state || strcmp(state, "no-module") == 0)
		return COLOUR_BAD;
	return strcmp(state, "running") == 0 ? COLOUR_GOOD : COLOUR_WARN;
}

static void write_state(Ctl *ctl, struct json_object *result, Buffer *text)
{
	const char *state = member_text(result, "state");
	const char *message = member_text(result, "message");

	buffer_text(text, "ryusod ");
	output_escape(member_text(result, "version"), text);
	buffer_text(text, ", instance ");
	output_escape(member_text(result, "instance"), text);
	buffer_text(text, "\n");
	begin("State", text);
	buffer_text(text, output_colour(ctl->output.colour, state_colour(state)));
	output_escape(state ? state : "unknown", text);
	buffer_text(text, output_colour(ctl->output.colour, COLOUR_NONE));
	if (message) {
		buffer_text(text, ": ");
		output_escape(message, text);
	}
	buffer_text(text, "\n");
}

static void write_member(struct json_object *json, const char *label, const char *name, Buffer *text)
{
	const char *value = member_text(json, name);

	if (!value || value[0] == '\0')
		return;
	begin(label, text);
	output_escape(value, text);
	buffer_text(text, "\n");
}

static void write_module(struct json_object *module, Buffer *text)
{
	const char *version = member_text(module, "version");
	const char *path = member_text(module, "path");

	if (!module)
		return;
	begin("Module", text);
	output_escape(member_text(module, "name"), text);
	buffer_text(text, version ? " " : "");
	output_escape(version, text);
	if (path) {
		buffer_text(text, " (");
		output_escape(path, text);
		buffer_text(text, ")");
	}
	buffer_text(text, "\n");
	write_member(module, "Build", "build_id", text);
	write_member(module, "Spec", "fingerprint", text);
}

static void write_running(struct json_object *running, Buffer *text)
{
	const char *hook = member_text(running, "hook");

	begin("Running", text);
	if (!running) {
		buffer_text(text, "nothing\n");
		return;
	}
	if (!member_text(running, "program")) {
		buffer_text(text, "another user's run, for ");
		output_duration((uint64_t)member_int(running, "since_usec"), text);
		buffer_text(text, "\n");
		return;
	}
	output_escape(member_text(running, "program"), text);
	buffer_format(text, ", step %" PRIi64 " of %" PRIi64, member_int(running, "step"),
		      member_int(running, "steps"));
	if (hook) {
		buffer_text(text, ", ");
		output_escape(member_text(running, "phase"), text);
		buffer_text(text, " ");
		output_escape(hook, text);
		buffer_format(text, ", attempt %" PRIi64, member_int(running, "attempt"));
	}
	buffer_text(text, ", for ");
	output_duration((uint64_t)member_int(running, "since_usec"), text);
	buffer_text(text, "\n");
	write_member(running, "Run", "run", text);
}

static void write_count(struct json_object *json, const char *label, const char *name, Buffer *text)
{
	begin(label, text);
	buffer_format(text, "%" PRIi64 "\n", member_int(json, name));
}

bool status_knows_parked(struct json_object *result)
{
	return member_typed(result, "parked", json_type_int);
}

static void write_parked(Ctl *ctl, struct json_object *result, Buffer *text)
{
	int64_t parked = member_int(result, "parked");
	bool colour = ctl->output.colour && parked > 0;

	begin("Parked", text);
	if (!status_knows_parked(result)) {
		buffer_format(text, "%snot known%s: the state directory is not open, or cannot be read\n",
			      output_colour(ctl->output.colour, COLOUR_BAD),
			      output_colour(ctl->output.colour, COLOUR_NONE));
		return;
	}
	buffer_format(text, "%s%" PRIi64 "%s", output_colour(colour, COLOUR_BAD), parked,
		      output_colour(colour, COLOUR_NONE));
	if (parked > 0) {
		buffer_text(text, "; see them:  ");
		ctl_command(ctl, "parked", text);
	}
	buffer_text(text, "\n");
}

/** \brief By whom and why the queue is held, and how it goes on. */
static void write_hold(Ctl *ctl, struct json_object *result, Buffer *text)
{
	struct json_object *hold = member_typed(result, "hold", json_type_object);
	const char *reason = member_text(hold, "reason");

	if (!member_bool(result, "held"))
		return;
	begin("Held", text);
	if (hold) {
		buffer_text(text, "since ");
		output_moment((uint64_t)member_int(hold, "usec"), text);
		buffer_text(text, ", by ");
		output_user(member_int(hold, "uid"), text);
		buffer_text(text, reason ? ": " : "");
		output_escape(reason, text);
		buffer_text(text, "; ");
	}
	buffer_text(text, "no run begins until:  ");
	ctl_command(ctl, "resume", text);
	buffer_text(text, "\n");
}

static void write_runs(struct json_object *result, Buffer *text)
{
	static const char *const statuses[] = { "succeeded", "rectified", "parked", "settled", "refused" };
	struct json_object *runs = member(result, "runs");

	begin("Runs", text);
	for (size_t i = 0; i < ELEMENTSOF(statuses); i++)
		buffer_format(text, "%s%" PRIi64 " %s", i ? ", " : "", member_int(runs, statuses[i]), statuses[i]);
	buffer_text(text, "\n");
}

static void write_counters(struct json_object *json, const char *label, const char *const names[][2], size_t n,
			   Buffer *text)
{
	if (!json)
		return;
	begin(label, text);
	for (size_t i = 0; i < n; i++)
		buffer_format(text, "%s%" PRIi64 " %s", i ? ", " : "", member_int(json, names[i][0]), names[i][1]);
	buffer_text(text, "\n");
}

/** \brief What was written and synced: see how much of it a run costs. */
static void write_stores(struct json_object *result, Buffer *text)
{
	static const char *const recorder[][2] = { { "records", "records" },
						   { "worker_syncs", "syncs by workers" },
						   { "syncs", "syncs by the daemon" },
						   { "renewals", "new files" } };
	static const char *const last_run[][2] = { { "records", "records" }, { "syncs", "syncs" } };
	static const char *const ledger[][2] = { { "commits", "commits" },
						 { "works", "changes" },
						 { "under_way", "under way" } };
	struct json_object *json = member_typed(result, "recorder", json_type_object);

	write_counters(json, "Recorder", recorder, ELEMENTSOF(recorder), text);
	write_counters(member_typed(json, "last_run", json_type_object), "Last run", last_run, ELEMENTSOF(last_run),
		       text);
	write_counters(member_typed(result, "ledger", json_type_object), "Ledger", ledger, ELEMENTSOF(ledger), text);
}

int status_show(Ctl *ctl, struct json_object *result, Buffer *text)
{
	write_state(ctl, result, text);
	write_module(member_typed(result, "module", json_type_object), text);
	write_hold(ctl, result, text);
	write_parked(ctl, result, text);
	write_running(member_typed(result, "running", json_type_object), text);
	write_count(result, "Queued", "queued", text);
	if (member_int(result, "submitted") > 0)
		write_count(result, "Submitted", "submitted", text);
	write_count(result, "Connections", "connections", text);
	write_runs(result, text);
	begin("Workers", text);
	buffer_format(text, "%" PRIi64 " started\n", member_int(result, "workers_started"));
	if (ctl->options.given & OPTION_VERBOSE)
		write_stores(result, text);
	return 0;
}
