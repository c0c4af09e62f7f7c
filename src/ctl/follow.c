/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/follow.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "ctl/member.h"
#include "ctl/peek.h"

#define SIGN_UNKNOWN "?"
#define TERMINAL_ERASE "\r\033[K"
#define WIDTH_USUAL 80U
#define QUIET_USEC (200 * USEC_PER_MSEC) /* what ends sooner needs no line of progress */
#define REDRAW_USEC (100 * USEC_PER_MSEC)
#define LOOK_USEC USEC_PER_SEC
#define LOOK_LIMIT_USEC (300 * USEC_PER_MSEC)

typedef struct Mark {
	const char *event, *outcome; /* NULL: of any */
	const char *sign;
	Colour colour;
} Mark;

static const Mark marks[] = {
	{ "hook", "ok", "✓", COLOUR_GOOD },
	{ "rectifier", "ok", "↩", COLOUR_WARN },
	{ NULL, "failed", "✗", COLOUR_BAD },
};

void follow_done(Follow *follow)
{
	free(take_ptr(follow->run));
	progress_done(&follow->progress);
	json_object_put(take_ptr(follow->shown));
}

static bool same(const char *asked, const char *got)
{
	return got && strcmp(asked, got) == 0;
}

static const Mark *find_mark(const char *event, const char *outcome)
{
	static const Mark unknown = { NULL, "unknown", SIGN_UNKNOWN, COLOUR_BAD };

	for (size_t i = 0; i < ELEMENTSOF(marks); i++)
		if ((!marks[i].event || same(marks[i].event, event)) && same(marks[i].outcome, outcome))
			return &marks[i];
	return &unknown;
}

static bool shows_signs(const Ctl *ctl)
{
	return ctl->output.terminal && ctl->output.utf8;
}

/** \brief "2/5 debit" */
static void write_place(struct json_object *event, Buffer *text)
{
	buffer_format(text, "%" PRIi64 "/%" PRIi64 " ", member_int(event, "step"), member_int(event, "steps"));
	output_escape(member_text(event, "hook"), text);
	if (member_int(event, "attempt") > 1)
		buffer_format(text, " (attempt %" PRIi64 ")", member_int(event, "attempt"));
}

static void write_cause(struct json_object *event, Buffer *text)
{
	const char *reason = member_text(event, "reason");
	const char *message = member_text(event, "message");

	buffer_text(text, reason || message ? ": " : "");
	output_escape(reason, text);
	buffer_text(text, reason && message ? ": " : "");
	output_escape(message, text);
}

static void write_signed(const Ctl *ctl, struct json_object *event, Buffer *text)
{
	const char *outcome = member_text(event, "outcome");
	const Mark *mark = find_mark(member_text(event, "event"), outcome);

	buffer_format(text, "%s%s%s ", output_colour(ctl->output.colour, mark->colour), mark->sign,
		      output_colour(ctl->output.colour, COLOUR_NONE));
	write_place(event, text);
	buffer_format(text, "  %s", output_colour(ctl->output.colour, COLOUR_FAINT));
	output_duration((uint64_t)member_int(event, "usec"), text);
	buffer_text(text, output_colour(ctl->output.colour, COLOUR_NONE));
	write_cause(event, text);
	buffer_text(text, "\n");
}

static void write_words(struct json_object *event, Buffer *text)
{
	output_escape(member_text(event, "event"), text);
	buffer_text(text, " ");
	write_place(event, text);
	buffer_text(text, ": ");
	output_escape(member_text(event, "outcome"), text);
	write_cause(event, text);
	buffer_text(text, " (");
	output_duration((uint64_t)member_int(event, "usec"), text);
	buffer_text(text, ")\n");
}

static void write_begun(struct json_object *event, Buffer *text)
{
	output_escape(member_text(event, "program"), text);
	buffer_text(text, " has begun");
	if (member_int(event, "steps") > 0)
		buffer_format(text, ", %" PRIi64 " steps", member_int(event, "steps"));
	buffer_text(text, "  (run ");
	output_escape(member_text(event, "run"), text);
	buffer_text(text, ")\n");
}

/** \brief Of a run that is parked or has ended the answer tells. */
static bool is_under_way(const char *state)
{
	return state &&
	       (strcmp(state, "queued") == 0 || strcmp(state, "running") == 0 || strcmp(state, "rectifying") == 0);
}

/** \brief What a watch begins with: "transfer is running". */
static void write_state(struct json_object *event, Buffer *text)
{
	const char *state = member_text(event, "state"), *program = member_text(event, "program");

	output_escape(program ? program : "the run", text);
	buffer_text(text, " is ");
	output_escape(state, text);
	buffer_text(text, "  (run ");
	output_escape(member_text(event, "run"), text);
	buffer_text(text, ")\n");
}

static void write_event(Follow *follow, struct json_object *event, Buffer *text)
{
	const char *name = member_text(event, "event");
	bool ended = member_text(event, "outcome");
	int64_t dropped = member_int(event, "dropped");

	if (dropped > 0)
		buffer_format(text, "(%" PRIi64 " line%s left out, not read in time)\n", dropped,
			      dropped == 1 ? "" : "s");
	if (same("begun", name)) {
		write_begun(event, text);
		return;
	}
	if (same("state", name) && is_under_way(member_text(event, "state")))
		write_state(event, text);
	if (!same("hook", name) && !same("rectifier", name))
		return; /* of a newer daemon */
	if (!ended)
		return; /* the line of progress shows it */
	if (shows_signs(follow->ctl))
		write_signed(follow->ctl, event, text);
	else
		write_words(event, text);
}

bool follow_is_live(const Follow *follow)
{
	return follow->ctl->output.terminal && follow->ctl->options.json == JSON_STYLE_NONE &&
	       !follow->ctl->options.quiet;
}

static size_t terminal_width(void)
{
	struct winsize size = {};

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : WIDTH_USUAL;
}

static void draw(Follow *follow)
{
	const Output *output = &follow->ctl->output;
	_cleanup_buffer_ Buffer text = {};

	follow_settle(follow);
	buffer_text(&text, output_colour(output->colour, COLOUR_FAINT));
	progress_write(&follow->progress, clock_monotonic(), terminal_width() - 1, output->utf8, &text);
	buffer_text(&text, output_colour(output->colour, COLOUR_NONE));
	if (!follow->progress.known || buffer_error(&text) < 0)
		return;
	output_put(&text, stdout);
	fflush(stdout);
	follow->pending = true;
}

static void look(Follow *follow)
{
	_cleanup_json_ struct json_object *result =
		peek(follow->ctl->options.socket, "show", follow->run, LOOK_LIMIT_USEC);

	follow->looked_usec = clock_monotonic();
	if (result && progress_running(&follow->progress, member_typed(result, "running", json_type_object)) < 0)
		follow->progress.known = false;
}

uint64_t follow_tick(Follow *follow)
{
	uint64_t now = clock_monotonic();

	if (!follow_is_live(follow))
		return USEC_INFINITY;
	if (!follow->progress.hook && now >= follow->looked_usec + LOOK_USEC)
		look(follow);
	draw(follow);
	return clock_monotonic() + REDRAW_USEC;
}

uint64_t follow_next_tick(const Follow *follow)
{
	return clock_monotonic() + (follow->pending ? REDRAW_USEC : QUIET_USEC);
}

/** \brief What is in hand from now on. */
static int note_progress(Follow *follow, struct json_object *event)
{
	progress_begin(&follow->progress, clock_monotonic());
	follow->looked_usec = follow->progress.since_usec;
	if (!member(event, "hook") || member(event, "outcome"))
		return 0;
	return progress_event(&follow->progress, event, clock_monotonic());
}

static int keep_run(Follow *follow, struct json_object *event)
{
	const char *run = member_text(event, "run");

	if (follow->run || !run)
		return 0;
	follow->run = strdup(run);
	return follow->run ? 0 : -ENOMEM;
}

/** \brief "hook 2 credit 1 failed": what tells an event of a run from all others. */
static void write_key(struct json_object *event, Buffer *text)
{
	static const char *const words[] = { "event", "hook", "outcome" };

	buffer_format(text, "%" PRIi64 " %" PRIi64, member_int(event, "step"), member_int(event, "attempt"));
	for (size_t i = 0; i < ELEMENTSOF(words); i++) {
		buffer_text(text, " ");
		buffer_text(text, member_text(event, words[i]) ? member_text(event, words[i]) : "-");
	}
}

/** \brief 1 where it is to be shown; 0 where it was, over an earlier connection; -ENOMEM. */
static int check_new(Follow *follow, struct json_object *event)
{
	bool hand = follow->ctl->options.json == JSON_STYLE_NONE && member(event, "hook") && !member(event, "outcome");
	_cleanup_buffer_ Buffer text = {};
	_cleanup_free_ char *key = NULL;

	if (hand)
		return 1; /* shown until it ends, and never for good */
	write_key(event, &text);
	key = buffer_take_text(&text);
	if (!follow->shown)
		follow->shown = json_object_new_object();
	if (!key || !follow->shown)
		return -ENOMEM;
	if (follow->rejoined && json_object_object_get_ex(follow->shown, key, NULL))
		return 0;
	return json_object_object_add(follow->shown, key, NULL) < 0 ? -ENOMEM : 1;
}

void follow_rejoin(Follow *follow)
{
	follow->rejoined = true;
}

int follow_event(Follow *follow, struct json_object *event)
{
	_cleanup_buffer_ Buffer text = {};
	int r;

	r = keep_run(follow, event);
	if (r >= 0)
		r = check_new(follow, event);
	if (r <= 0)
		return r;
	if (follow->ctl->options.json != JSON_STYLE_NONE) {
		output_json(event, follow->ctl->options.json, &text);
	} else {
		follow_settle(follow);
		write_event(follow, event, &text);
		r = note_progress(follow, event);
	}
	if (r >= 0)
		r = buffer_error(&text);
	if (r < 0)
		return r;
	ctl_put(follow->ctl, &text);
	fflush(stdout);
	if (follow_is_live(follow))
		draw(follow);
	return 0;
}

void follow_settle(Follow *follow)
{
	if (follow->pending && !follow->ctl->options.quiet)
		fputs(TERMINAL_ERASE, stdout);
	follow->pending = false;
}
