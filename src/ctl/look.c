/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>

#include "ctl/call.h"
#include "ctl/describe.h"
#include "ctl/draft.h"
#include "ctl/exit.h"
#include "ctl/instances.h"
#include "ctl/member.h"
#include "ctl/pager.h"
#include "ctl/prometheus.h"
#include "ctl/status.h"
#include "ctl/table.h"
#include "ctl/verb.h"

typedef int (*Shower)(Ctl *ctl, struct json_object *result, Buffer *text);

static int show_pong(Ctl *ctl, struct json_object *result, Buffer *text);

/** \brief Asks a call, and shows its result by \p show, or as JSON. \p ret_result may be NULL. */
static int look(Ctl *ctl, const Call *call, Shower show, struct json_object **ret_result)
{
	_cleanup_json_ struct json_object *result = NULL;
	_cleanup_buffer_ Buffer text = {};
	int r;

	r = call_ask(ctl, call, &result);
	if (r != 0)
		return r;
	if (ctl->options.json != JSON_STYLE_NONE)
		output_json(result, ctl->options.json, &text);
	else
		r = show(ctl, result, &text);
	if (r >= 0)
		r = buffer_error(&text);
	if (r < 0)
		return ctl_complain_errno(ctl, r);
	if (show != status_show && show != show_pong)
		pager_open(ctl);
	ctl_put(ctl, &text);
	if (ret_result)
		*ret_result = take_ptr(result);
	return EXIT_SUCCEEDED;
}

static int show_list(Ctl *ctl, struct json_object *result, Buffer *text)
{
	static const Column columns[] = { { "PROGRAM", COLUMN_PLAIN }, { "DESCRIPTION", COLUMN_WRAP } };
	struct json_object *programs = member_list(result, "programs");
	size_t n = member_length(programs);
	_cleanup_table_ Table table = {};
	int r;

	table_init(ctl, columns, ELEMENTSOF(columns), &table);
	for (size_t i = 0; i < n; i++) {
		struct json_object *program = json_object_array_get_idx(programs, i);
		struct libscols_line *line = table_line(&table, NULL);

		table_cell(&table, line, 0, member_text(program, "name"));
		table_cell(&table, line, 1, member_text(program, "description"));
	}
	r = table_write(&table, 0, text);
	if (r >= 0 && ctl->options.legend)
		buffer_format(text, "%s%zu program%s.\n", n ? "\n" : "", n, n == 1 ? "" : "s");
	return r;
}

static int verb_list(Ctl *ctl, char *const *arguments, size_t n)
{
	(void)arguments;
	(void)n;
	return look(ctl, &(Call){ .name = "list" }, show_list, NULL);
}

static int verb_describe(Ctl *ctl, char *const *arguments, size_t n)
{
	_cleanup_call_ Call call = { .name = "describe", .program = arguments[0] };
	_cleanup_draft_ Draft draft = {};
	int r;

	(void)n;
	draft_text(&draft, "program", arguments[0]);
	r = draft_take(&draft, &call.parameters);
	return r < 0 ? ctl_complain_errno(ctl, r) : look(ctl, &call, describe_show, NULL);
}

static int verb_status(Ctl *ctl, char *const *arguments, size_t n)
{
	_cleanup_json_ struct json_object *result = NULL;
	int r;

	(void)arguments;
	(void)n;
	r = look(ctl, &(Call){ .name = "status" }, status_show, &result);
	return r == EXIT_SUCCEEDED && (member_int(result, "parked") > 0 || !status_knows_parked(result)) ? EXIT_PARKED
													 : r;
}

static int show_pong(Ctl *ctl, struct json_object *result, Buffer *text)
{
	const char *version = member_text(result, "version");

	buffer_text(text, "ryusod ");
	output_escape(version ? version : "of an unknown version", text);
	buffer_text(text, " answers at ");
	output_escape(ctl->options.socket, text);
	buffer_text(text, "\n");
	return 0;
}

static int verb_ping(Ctl *ctl, char *const *arguments, size_t n)
{
	(void)arguments;
	(void)n;
	return look(ctl, &(Call){ .name = "ping" }, show_pong, NULL);
}

static int show_metrics(Ctl *ctl, struct json_object *result, Buffer *text)
{
	(void)ctl;
	prometheus_write(member_list(result, "metrics"), text);
	return 0;
}

static int verb_metrics(Ctl *ctl, char *const *arguments, size_t n)
{
	(void)arguments;
	(void)n;
	return look(ctl, &(Call){ .name = "metrics" }, show_metrics, NULL);
}

static const Verb verbs[] = {
	{ "list", 0, 0, 0, verb_list, "", "List the programs that you may run", NULL },
	{ "describe", 1, 1, 0, verb_describe, "PROGRAM", "Show a program's arguments, outputs and steps", NULL },
	{ "status", 0, 0, OPTION_VERBOSE, verb_status, "", "Show what the daemon is doing",
	  "  -v --verbose            also what it has written and synced\n" },
	{ "metrics", 0, 0, 0, verb_metrics, "", "Show counters, for Prometheus", NULL },
	{ "instances", 0, 0, OPTION_WAKE, verb_instances, "", "List the daemons of this host",
	  "     --wake               also ask those that sleep, which starts them\n" },
	{ "ping", 0, 0, 0, verb_ping, "", "Ask whether the daemon answers", NULL },
};

const VerbGroup look_verbs = { "Looking", verbs, ELEMENTSOF(verbs) };
