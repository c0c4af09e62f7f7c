/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "ctl/call.h"
#include "ctl/draft.h"
#include "ctl/exit.h"
#include "ctl/follow.h"
#include "ctl/log.h"
#include "ctl/lookup.h"
#include "ctl/member.h"
#include "ctl/moment.h"
#include "ctl/pager.h"
#include "ctl/table.h"
#include "ctl/verb.h"
#include "ctl/wait.h"

#define SHORT_USEC (12 * 3600 * USEC_PER_SEC)

/* ---- what is asked for ---- */

/** \brief The uid of a name or number; -1: there is no such user, and it is said. */
static int64_t parse_user(const Ctl *ctl, const char *word)
{
	_cleanup_buffer_ Buffer message = {};
	const struct passwd *user;
	char *end;
	unsigned long long uid;

	uid = strtoull(word, &end, 10);
	if (word[0] >= '0' && word[0] <= '9' && *end == '\0' && uid < UINT32_MAX)
		return (int64_t)uid;
	user = getpwnam(word);
	if (user)
		return user->pw_uid;
	buffer_text(&message, "expected --user=NAME, a user's name or number; there is no user ");
	output_quote(word, &message);
	ctl_complain_text(ctl, EXIT_USAGE, &message);
	return -1;
}

static int parse_since(const Ctl *ctl, const char *word, uint64_t *ret)
{
	_cleanup_buffer_ Buffer message = {};

	if (moment_parse(word, clock_realtime(), ret) >= 0)
		return 0;
	buffer_text(&message, "expected --since=TIME, such as 2h, \"2h ago\", today, \"2026-11-24 10:00\" or @SECONDS "
			      "(see systemd.time(7)); got ");
	output_quote(word, &message);
	return ctl_complain_text(ctl, EXIT_USAGE, &message);
}

static int make_parameters(const Ctl *ctl, struct json_object **ret)
{
	const Options *options = &ctl->options;
	_cleanup_draft_ Draft draft = {};
	uint64_t since = 0;
	int64_t uid = 0;
	int r;

	if (options->of_user && (uid = parse_user(ctl, options->of_user)) < 0)
		return EXIT_USAGE;
	r = options->since ? parse_since(ctl, options->since, &since) : 0;
	if (r != 0)
		return r;
	draft_text(&draft, "program", options->program);
	draft_text(&draft, "status", options->status);
	if (options->of_user)
		draft_int(&draft, "uid", uid);
	if (options->since)
		draft_int(&draft, "since", (int64_t)(since / USEC_PER_SEC));
	if (options->lines > 0)
		draft_int(&draft, "limit", options->lines);
	r = draft_take(&draft, ret);
	return r < 0 ? ctl_complain_errno(ctl, r) : 0;
}

/* ---- the table ---- */

/** \brief Seconds of the epoch → microseconds; 0: it is not known. */
static uint64_t moment_of(struct json_object *run, const char *name)
{
	struct json_object *value = member(run, name);
	double seconds = value ? json_object_get_double(value) : 0;

	return seconds > 0 && seconds < (double)UINT32_MAX * 16 ? (uint64_t)(seconds * (double)USEC_PER_SEC) : 0;
}

/** \brief Of a moment within the day the time alone, of others no seconds: a terminal is narrow. */
static void write_short(uint64_t usec, uint64_t now, Buffer *text)
{
	bool near = now >= usec && now - usec < SHORT_USEC;
	time_t seconds = (time_t)(usec / USEC_PER_SEC);
	char moment[32];
	struct tm parts;

	if (localtime_r(&seconds, &parts) &&
	    strftime(moment, sizeof(moment), near ? "%H:%M:%S" : "%Y-%m-%d %H:%M", &parts) > 0)
		buffer_text(text, moment);
}

static void write_when(struct json_object *run, uint64_t now, bool short_form, Buffer *text)
{
	uint64_t began = moment_of(run, "began"), submitted = moment_of(run, "submitted");

	began = began ? began : submitted;
	if (began > 0 && short_form)
		write_short(began, now, text);
	else if (began > 0)
		output_moment(began, text);
}

static void write_took(struct json_object *run, uint64_t now, Buffer *text)
{
	uint64_t began = moment_of(run, "began"), ended = moment_of(run, "ended");

	ended = ended ? ended : now;
	if (began > 0 && ended >= began)
		output_duration(ended - began, text);
}

static void write_user(struct json_object *run, Buffer *text)
{
	int64_t uid = member_int(run, "uid");
	const struct passwd *user = getpwuid((uid_t)uid);

	if (user)
		buffer_text(text, user->pw_name);
	else
		buffer_format(text, "%" PRIi64, uid);
}

/** \brief "2/5 credit" */
static void write_step(struct json_object *run, Buffer *text)
{
	int64_t step = member_int(run, "step"), steps = member_int(run, "steps");
	const char *hook = member_text(run, "hook");

	if (step > 0)
		buffer_format(text, "%" PRIi64, step);
	if (step > 0 && steps > 0)
		buffer_format(text, "/%" PRIi64, steps);
	buffer_text(text, step > 0 && hook ? " " : "");
	buffer_text(text, hook ? hook : "");
}

static void write_error(struct json_object *run, Buffer *text)
{
	static const char *const words[] = { "name", "reason", "message" };
	struct json_object *error = member_typed(run, "error", json_type_object);
	const char *separator = "";

	for (size_t i = 0; i < ELEMENTSOF(words); i++) {
		const char *word = member_text(error, words[i]);

		if (!word)
			continue;
		buffer_text(text, separator);
		buffer_text(text, word);
		separator = ": ";
	}
}

static void write_id(const Ctl *ctl, struct json_object *runs, struct json_object *run, Buffer *text)
{
	const char *id = member_text(run, "run");

	if (id && ctl->output.terminal)
		buffer_format(text, "%.*s", (int)lookup_length(runs, id), id);
	else
		buffer_text(text, id ? id : "?");
}

static void add_run(const Ctl *ctl, Table *table, struct json_object *runs, struct json_object *run, uint64_t now)
{
	struct libscols_line *line = table_line(table, NULL);
	_cleanup_buffer_ Buffer id = {}, user = {}, when = {}, took = {}, step = {}, error = {};

	write_id(ctl, runs, run, &id);
	write_user(run, &user);
	write_when(run, now, ctl->output.terminal, &when);
	write_took(run, now, &took);
	write_step(run, &step);
	write_error(run, &error);
	table_text(table, line, 0, &id);
	table_cell(table, line, 1, member_text(run, "program"));
	table_cell(table, line, 2, member_text(run, "status"));
	table_text(table, line, 3, &user);
	table_text(table, line, 4, &when);
	table_text(table, line, 5, &took);
	table_text(table, line, 6, &step);
	table_text(table, line, 7, &error);
}

static void write_footer(const Ctl *ctl, struct json_object *result, size_t n, Buffer *text)
{
	buffer_format(text, "%s%zu run%s.", n ? "\n" : "", n, n == 1 ? "" : "s");
	if (member_bool(result, "more"))
		buffer_text(text, " There are more: see --lines, --since, --program, --status.");
	if (n > 0) {
		buffer_text(text, " See one whole:  ");
		ctl_command(ctl, "show RUN", text);
	}
	buffer_text(text, "\n");
}

static int write_runs(const Ctl *ctl, struct json_object *result, Buffer *text)
{
	static const Column columns[] = { { "RUN", COLUMN_PLAIN },    { "PROGRAM", COLUMN_PLAIN },
					  { "STATUS", COLUMN_PLAIN }, { "USER", COLUMN_PLAIN },
					  { "BEGAN", COLUMN_PLAIN },  { "TOOK", COLUMN_RIGHT },
					  { "STEP", COLUMN_PLAIN },   { "ERROR", COLUMN_WRAP } };
	struct json_object *runs = member_list(result, "runs");
	_cleanup_table_ Table table = {};
	size_t n = member_length(runs);
	uint64_t now = clock_realtime();
	int r;

	table_init(ctl, columns, ELEMENTSOF(columns), &table);
	for (size_t i = 0; i < n; i++)
		add_run(ctl, &table, runs, json_object_array_get_idx(runs, i), now);
	r = table_write(&table, 0, text);
	if (r >= 0 && ctl->options.legend)
		write_footer(ctl, result, n, text);
	return r;
}

static int verb_runs(Ctl *ctl, char *const *arguments, size_t n)
{
	_cleanup_call_ Call call = { .name = "runs", .patient = true, .repeatable = true };
	_cleanup_json_ struct json_object *result = NULL;
	int r;

	(void)arguments;
	(void)n;
	r = make_parameters(ctl, &call.parameters);
	if (r == 0)
		r = call_ask(ctl, &call, &result);
	return r != 0 ? r : pager_show(ctl, result, write_runs);
}

static int verb_watch(Ctl *ctl, char *const *arguments, size_t n)
{
	_cleanup_follow_ Follow follow = { .ctl = ctl };
	_cleanup_free_ char *run = NULL;
	int r;

	(void)n;
	r = lookup_run(ctl, arguments[0], LOOKUP_ANY, &run);
	return r != 0 ? r : wait_run(ctl, run, &follow);
}

static const Verb verbs[] = {
	{ "runs", 0, 0, OPTION_PROGRAM | OPTION_STATUS | OPTION_OF_USER | OPTION_SINCE | OPTION_LINES, verb_runs, "",
	  "List runs: running, queued, parked and recent ones",
	  "     --program=NAME       those of this program\n"
	  "     --status=STATUS      running, rectifying, queued, parked, succeeded, rectified, settled,\n"
	  "                          refused; unfinished, recent\n"
	  "     --user=NAME          those that this user, a name or number, has asked for\n"
	  "     --since=TIME         those of this time or later: 2h, today, \"2026-11-24 10:00\", @SECONDS\n"
	  "  -n --lines=NUMBER       how many at most (default: 100)\n" },
	{ "watch", 1, 1, 0, verb_watch, "RUN", "Show a run's hooks as they end, and how it ends", NULL },
	{ "log", 1, 1, OPTION_FOLLOW | OPTION_VERBOSE, verb_log, "RUN", "Show what the journal says of a run",
	  "  -f --follow             go on until the run has ended\n"
	  "  -v --verbose            all fields of each entry\n" },
};

const VerbGroup runs_verbs = { "Runs", verbs, ELEMENTSOF(verbs) };
