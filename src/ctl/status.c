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

static void write_counts(Ctl *ctl, struct json_object *result, Buffer *text)
{
	static const char *const statuses[] = { "succeeded", "rectified", "parked", "refused" };
	struct json_object *runs = member(result, "runs");
	int64_t parked = member_int(result, "parked");

	begin("Queued", text);
	buffer_format(text, "%" PRIi64 "\n", member_int(result, "queued"));
	begin("Connections", text);
	buffer_format(text, "%" PRIi64 "\n", member_int(result, "connections"));
	begin("Parked", text);
	buffer_format(text, "%s%" PRIi64 "%s\n", output_colour(ctl->output.colour && parked > 0, COLOUR_BAD), parked,
		      output_colour(ctl->output.colour && parked > 0, COLOUR_NONE));
	begin("Runs", text);
	for (size_t i = 0; i < ELEMENTSOF(statuses); i++)
		buffer_format(text, "%s%" PRIi64 " %s", i ? ", " : "", member_int(runs, statuses[i]), statuses[i]);
	buffer_text(text, "\n");
	begin("Workers", text);
	buffer_format(text, "%" PRIi64 " started\n", member_int(result, "workers_started"));
}

int status_show(Ctl *ctl, struct json_object *result, Buffer *text)
{
	write_state(ctl, result, text);
	write_module(member_typed(result, "module", json_type_object), text);
	write_running(member_typed(result, "running", json_type_object), text);
	write_counts(ctl, result, text);
	return 0;
}
