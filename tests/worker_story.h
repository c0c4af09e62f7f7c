/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs of the test module "play", told as short texts: what the tests of ryuso-worker share. */
#pragma once

#include "base/json.h"
#include "base/value.h"
#include "worker_host.h"

#define TRACE_SIZE 512

typedef struct Pair {
	const char *name;
	const char *text; /* the JSON of it, or a string where json is NULL */
	const char *json;
} Pair;

/* How a run went: "1 2f -1" is step 1, step 2 failing, step 1's rectifier; '?' marks unknown. */
typedef struct Story {
	char trace[TRACE_SIZE];
	char reply[4096];
	WalkStatus status;
	ErrorCode error, unbegun; /* of UNBEGUN: why */
	uint32_t stops, notes, records;
	uint32_t told_records, told_syncs; /* by FINISH */
	bool finished;
} Story;

static inline void add_value(Buffer *buffer, const Pair *pair)
{
	_cleanup_json_ struct json_object *json = NULL;
	_cleanup_value_ Value value = { 0 };
	JsonError error;

	if (pair->json) {
		ck_assert_int_eq(json_parse(pair->json, strlen(pair->json), 32, &json, &error), 0);
		ck_assert_int_eq(value_from_json(json, &value), 0);
	} else {
		ck_assert_int_eq(value_from_text(pair->text, strlen(pair->text), &value), 0);
	}
	buffer_string(buffer, pair->name);
	value_encode(&value, buffer);
}

static inline void order_with(uint32_t flags, const char *program, uint8_t id, const Pair *pairs, size_t n,
			      Buffer *orders)
{
	_cleanup_buffer_ Buffer arguments = { 0 };
	RecordStart start = {
		.run = { .bytes = { id, 1, 2, 3 } },
		.uid = 4711,
		.gid = 4712,
		.pid = 4713,
		.flags = flags,
		.program = program,
		.program_size = strlen(program),
	};

	buffer_u32(&arguments, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		add_value(&arguments, &pairs[i]);
	start.arguments = arguments.data;
	start.arguments_size = arguments.size;
	order_encode_run(&start, orders);
}

static inline void order_of(const char *program, uint8_t id, const Pair *pairs, size_t n, Buffer *orders)
{
	order_with(0, program, id, pairs, n, orders);
}

/** \brief A run of \p program, id 7; "third" is left out where it is NULL. */
static inline void send_run(Host *host, uint32_t flags, const char *program, const char *first, const char *second,
			    const char *third)
{
	_cleanup_buffer_ Buffer orders = { 0 };
	const Pair pairs[] = {
		{ .name = "first", .text = first },
		{ .name = "second", .text = second },
		{ .name = "third", .text = third },
	};

	order_with(flags, program, 7, pairs, third ? 3 : 2, &orders);
	host_send(host, &orders);
}

static inline void send_three(Host *host, const char *first, const char *second, const char *third)
{
	send_run(host, 0, "three", first, second, third);
}

static inline void send_two(Host *host, const char *program, const char *first, const char *second)
{
	send_run(host, 0, program, first, second, NULL);
}

static inline void tell_end(Story *story, const Record *record)
{
	size_t size = strlen(story->trace);
	RecordEnd end;

	ck_assert_int_eq(record_decode_end(record, &end), 0);
	snprintf(story->trace + size, sizeof(story->trace) - size, "%s%s%u%s", size ? " " : "",
		 end.rectifying ? "-" : "", end.step,
		 end.outcome == OUTCOME_OK       ? ""
		 : end.outcome == OUTCOME_FAILED ? "f"
						 : "?");
}

static inline void tell_finish(Story *story, const Record *record)
{
	RecordFinish finish;

	ck_assert_int_eq(record_decode_finish(record, &finish), 0);
	ck_assert_uint_eq(finish.run.bytes[1], 1);
	snprintf(story->reply, sizeof(story->reply), "%.*s", (int)finish.reply_size, finish.reply);
	story->status = finish.status;
	story->error = finish.error;
	story->told_records = finish.n_records;
	story->told_syncs = finish.n_syncs;
	story->finished = true;
}

static inline void tell_unbegun(Story *story, const Record *record)
{
	RecordUnbegun unbegun;

	ck_assert_int_eq(record_decode_unbegun(record, &unbegun), 0);
	ck_assert_uint_eq(unbegun.run.bytes[0], 7);
	story->unbegun = unbegun.cause;
}

static inline void tell(Story *story, const Record *record)
{
	story->records++;
	story->stops += record->kind == RECORD_STOP;
	story->notes += record->kind == RECORD_NOTE;
	if (record->kind == RECORD_UNBEGUN)
		tell_unbegun(story, record);
	else if (record->kind == RECORD_END)
		tell_end(story, record);
	else if (record->kind == RECORD_FINISH)
		tell_finish(story, record);
}

/* Follows the run to its end, or to the worker's. */
static inline void follow(Host *host, Story *story)
{
	Record record;

	story->finished = false;
	while (!story->finished && host_next(host, &record))
		tell(story, &record);
}

/* A worker that has said hello. */
static inline void begin(Host *host)
{
	_cleanup_buffer_ Buffer frame = { 0 };
	OrderHello hello;

	host_start(host);
	ck_assert_msg(host_hello(host, &frame, &hello) == 0, "no hello; it printed: %s", host_printed(host));
	ck_assert_msg(hello.error_size == 0, "%.*s", (int)hello.error_size, hello.error);
}

static inline void resume_with(Host *host, ErrorCode cause, ErrorCode stop, const char *message)
{
	_cleanup_buffer_ Buffer orders = { 0 };
	OrderResume order = {
		.offset = host->start,
		.cause = cause,
		.stop = stop,
		.message = message,
		.message_size = strlen(message),
	};

	begin(host);
	order_encode_resume(&order, &orders);
	host_send(host, &orders);
}

static inline void resume(Host *host, ErrorCode cause, const char *message)
{
	resume_with(host, cause, ERROR_NONE, message);
}

static inline void play(Host *host, Story *story, const char *first, const char *second, const char *third)
{
	host_init(host, "play");
	begin(host);
	*story = (Story){ 0 };
	send_three(host, first, second, third);
	follow(host, story);
}

/* The worker has died or left in the middle: a fresh one takes the run up. */
static inline void go_on(Host *host, Story *story, ErrorCode cause, const char *message)
{
	ck_assert(!story->finished);
	host_reap(host);
	resume(host, cause, message);
	follow(host, story);
	ck_assert(story->finished);
}

/* Waits until a hook has stopped the worker. */
static inline void until_stopped(const Host *host)
{
	siginfo_t info = { 0 };

	ck_assert_int_eq(waitid(P_PID, (id_t)host->pid, &info, WSTOPPED), 0);
	ck_assert_int_eq(info.si_code, CLD_STOPPED);
}

/* A run of \p program whose step \p at stops the worker. */
static inline void play_until(Host *host, Story *story, const char *program, unsigned at)
{
	static const char *const stops[3][3] = {
		{ "stop", "ok", "ok" },
		{ "ok", "stop", "ok" },
		{ "ok", "ok", "stop" },
	};
	const char *const *acts = stops[at - 1];

	*story = (Story){ 0 };
	host_init(host, "play");
	begin(host);
	send_run(host, 0, program, acts[0], acts[1], acts[2]);
	until_stopped(host);
}

/* The same on the way back: step 3 fails, the first rectifier stops the worker. */
static inline void play_back(Host *host, Story *story, bool silent)
{
	*story = (Story){ 0 };
	host_init(host, "play");
	host->undo = "stop";
	host->silent = silent;
	begin(host);
	send_three(host, "ok", "ok", "fail");
	until_stopped(host);
	host->undo = NULL;
}

/* What the daemon does to cancel run 7. */
static inline void wish(Host *host, ErrorCode cause)
{
	RecordPage *page = record_page(&host->file);

	memcpy(page->wish_run, (const uint8_t[16]){ 7, 1, 2, 3 }, sizeof(page->wish_run));
	atomic_store(&page->declined, 0);
	atomic_store(&page->wish, cause);
}

static inline void printed(Host *host, const char *text)
{
	ck_assert_msg(strstr(host_printed(host), text), "expected \"%s\" in:\n%s", text, host_printed(host));
}

static inline void not_printed(Host *host, const char *text)
{
	ck_assert_msg(!strstr(host_printed(host), text), "expected no \"%s\" in:\n%s", text, host_printed(host));
}

static inline void replied(const Story *story, const char *text)
{
	ck_assert_msg(strstr(story->reply, text), "expected '%s' in:\n%s", text, story->reply);
}
