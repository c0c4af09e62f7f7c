/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/patience.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "ctl/hint.h"
#include "ctl/member.h"
#include "ctl/peek.h"

#define LOOK_FIRST_USEC USEC_PER_SEC
#define LOOK_AGAIN_USEC (3 * USEC_PER_SEC)
#define LOOK_LIMIT_USEC (500 * USEC_PER_MSEC)

enum {
	REASON_HELD = 1U << 0,
	REASON_STATE = 1U << 1,
	REASON_OTHER = 1U << 2,
};

static bool is_same(const char *asked, const char *got)
{
	return asked && got && strcmp(asked, got) == 0;
}

/** \brief Whether \p running is what is waited for, as far as can be told: then there is nothing to say. */
static bool is_ours(const Patience *patience, struct json_object *running)
{
	if (patience->run)
		return is_same(patience->run, member_text(running, "run"));
	return is_same(patience->program, member_text(running, "program")) &&
	       member_int(running, "peer_pid") == (int64_t)getpid();
}

static void write_held(const Patience *patience, struct json_object *status, Buffer *text)
{
	struct json_object *hold = member_typed(status, "hold", json_type_object);
	const char *reason = member_text(hold, "reason");

	buffer_text(text, "the queue is held");
	if (hold) {
		buffer_text(text, " since ");
		output_moment((uint64_t)member_int(hold, "usec"), text);
		buffer_text(text, " by ");
		output_user(member_int(hold, "uid"), text);
		buffer_text(text, reason ? ": " : "");
		output_escape(reason, text);
	}
	buffer_text(text, "; it goes on with:  ");
	hint_write_command(patience->ctl, "resume", NULL, text);
}

static void write_state(struct json_object *status, Buffer *text)
{
	const char *message = member_text(status, "message");

	buffer_text(text, "the daemon is not running yet, but ");
	output_escape(member_text(status, "state"), text);
	buffer_text(text, message ? ": " : "");
	output_escape(message, text);
}

static void write_other(struct json_object *running, int64_t queued, Buffer *text)
{
	const char *hook = member_text(running, "hook"), *program = member_text(running, "program");

	if (program) {
		output_escape(program, text);
		buffer_format(text, " is running, step %" PRIi64 " of %" PRIi64, member_int(running, "step"),
			      member_int(running, "steps"));
		buffer_text(text, hook ? ", " : "");
		output_escape(hook, text);
		buffer_text(text, ", for ");
		output_duration((uint64_t)member_int(running, "since_usec"), text);
	} else {
		buffer_text(text, "others come first");
	}
	buffer_format(text, "; %" PRIi64 " run%s waiting", queued, queued == 1 ? " is" : "s are");
}

/** \brief Why nothing of the run happens, by what the daemon says of itself; 0: there is no reason to be seen. */
static unsigned find_reason(const Patience *patience, struct json_object *status, Buffer *text)
{
	struct json_object *running = member_typed(status, "running", json_type_object);
	const char *state = member_text(status, "state");
	int64_t queued = member_int(status, "queued");

	if (running && is_ours(patience, running))
		return 0;
	if (member_bool(status, "held")) {
		write_held(patience, status, text);
		return REASON_HELD;
	}
	if (state && strcmp(state, "running") != 0) {
		write_state(status, text);
		return REASON_STATE;
	}
	if (queued == 0)
		return 0;
	write_other(running, queued, text);
	return REASON_OTHER;
}

static void say_why(Patience *patience)
{
	_cleanup_json_ struct json_object *status =
		peek(patience->ctl->options.socket, "status", NULL, LOOK_LIMIT_USEC);
	_cleanup_buffer_ Buffer message = {}, reason = {};
	unsigned found;

	if (!status)
		return;
	found = find_reason(patience, status, &reason);
	if (found == 0 || patience->said & found || buffer_error(&reason) < 0)
		return;
	patience->said |= found;
	output_escape(patience->program ? patience->program : "the run", &message);
	buffer_text(&message, " waits: ");
	buffer_append(&message, reason.data, reason.size);
	ctl_complain_text(patience->ctl, 0, &message);
}

/* Ticker */
static uint64_t on_tick(void *context)
{
	Patience *patience = context;
	const Follow *follow = patience->follow;

	if (follow && follow->run)
		return follow_tick(patience->follow);
	if (patience->ctl->output.terminal_errors)
		say_why(patience);
	return clock_monotonic() + LOOK_AGAIN_USEC;
}

void patience_begin(Patience *patience)
{
	const Output *output = &patience->ctl->output;
	bool seen = output->terminal_errors || (patience->follow && follow_is_live(patience->follow));

	patience->ticker = (Ticker){
		.next_usec = seen ? clock_monotonic() + LOOK_FIRST_USEC : USEC_INFINITY,
		.on_tick = on_tick,
		.context = patience,
	};
}

void patience_heard(Patience *patience)
{
	if (patience->follow && follow_is_live(patience->follow))
		patience->ticker.next_usec = follow_next_tick(patience->follow);
}
