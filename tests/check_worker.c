/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The real worker, with a test in the daemon's place. */
#include "base/json.h"
#include "base/value.h"
#include "check_main.h"
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
	ErrorCode error;
	uint32_t stops, notes, unbegun;
	bool finished;
} Story;

static void add_value(Buffer *buffer, const Pair *pair)
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

static void order_of(const char *program, uint8_t id, const Pair *pairs, size_t n, Buffer *orders)
{
	_cleanup_buffer_ Buffer arguments = { 0 };
	RecordStart start = {
		.run = { .bytes = { id, 1, 2, 3 } },
		.uid = 4711,
		.gid = 4712,
		.pid = 4713,
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

static void send_three(Host *host, const char *first, const char *second, const char *third)
{
	_cleanup_buffer_ Buffer orders = { 0 };
	const Pair pairs[] = {
		{ .name = "first", .text = first },
		{ .name = "second", .text = second },
		{ .name = "third", .text = third },
	};

	order_of("three", 7, pairs, ELEMENTSOF(pairs), &orders);
	host_send(host, &orders);
}

static void send_two(Host *host, const char *program, const char *first, const char *second)
{
	_cleanup_buffer_ Buffer orders = { 0 };
	const Pair pairs[] = { { .name = "first", .text = first }, { .name = "second", .text = second } };

	order_of(program, 7, pairs, ELEMENTSOF(pairs), &orders);
	host_send(host, &orders);
}

static void tell_end(Story *story, const Record *record)
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

static void tell_finish(Story *story, const Record *record)
{
	RecordFinish finish;

	ck_assert_int_eq(record_decode_finish(record, &finish), 0);
	ck_assert_uint_eq(finish.run.bytes[1], 1);
	snprintf(story->reply, sizeof(story->reply), "%.*s", (int)finish.reply_size, finish.reply);
	story->status = finish.status;
	story->error = finish.error;
	story->finished = true;
}

/* Follows the run to its end, or to the worker's. */
static void follow(Host *host, Story *story)
{
	Record record;

	story->finished = false;
	while (!story->finished && host_next(host, &record)) {
		story->stops += record.kind == RECORD_STOP;
		story->notes += record.kind == RECORD_NOTE;
		story->unbegun += record.kind == RECORD_UNBEGUN;
		if (record.kind == RECORD_END)
			tell_end(story, &record);
		else if (record.kind == RECORD_FINISH)
			tell_finish(story, &record);
	}
}

/* A worker that has said hello. */
static void begin(Host *host)
{
	_cleanup_buffer_ Buffer frame = { 0 };
	OrderHello hello;

	host_start(host);
	ck_assert_msg(host_hello(host, &frame, &hello) == 0, "no hello; it printed: %s", host_printed(host));
	ck_assert_msg(hello.error_size == 0, "%.*s", (int)hello.error_size, hello.error);
}

static void resume(Host *host, ErrorCode cause, const char *message)
{
	_cleanup_buffer_ Buffer orders = { 0 };
	OrderResume order = {
		.offset = host->start,
		.cause = cause,
		.message = message,
		.message_size = strlen(message),
	};

	begin(host);
	order_encode_resume(&order, &orders);
	host_send(host, &orders);
}

static void play(Host *host, Story *story, const char *first, const char *second, const char *third)
{
	host_init(host, "play");
	begin(host);
	*story = (Story){ 0 };
	send_three(host, first, second, third);
	follow(host, story);
}

/* The worker has died or left in the middle: a fresh one takes the run up. */
static void go_on(Host *host, Story *story, ErrorCode cause, const char *message)
{
	ck_assert(!story->finished);
	host_reap(host);
	resume(host, cause, message);
	follow(host, story);
	ck_assert(story->finished);
}

static void printed(Host *host, const char *text)
{
	ck_assert_msg(strstr(host_printed(host), text), "expected \"%s\" in:\n%s", text, host_printed(host));
}

static void not_printed(Host *host, const char *text)
{
	ck_assert_msg(!strstr(host_printed(host), text), "expected no \"%s\" in:\n%s", text, host_printed(host));
}

static void replied(const Story *story, const char *text)
{
	ck_assert_msg(strstr(story->reply, text), "expected '%s' in:\n%s", text, story->reply);
}

START_TEST(a_hello_carries_the_spec_and_the_build_id)
{
	_cleanup_buffer_ Buffer frame = { 0 };
	OrderHello hello;
	Id fingerprint;
	Host host;
	char byte;

	host_init(&host, "play");
	host_start(&host);
	ck_assert_int_eq(host_hello(&host, &frame, &hello), 0);
	ck_assert_uint_eq(hello.error_size, 0);
	ck_assert_uint_eq(hello.abi_major, 1);
	ck_assert(memcmp(hello.spec, "{\"name\":\"wk\"", 12) == 0);
	id_fingerprint(hello.spec, hello.spec_size, &fingerprint);
	ck_assert(id_equal(&fingerprint, &hello.fingerprint));
	ck_assert_uint_eq(hello.build_id_size, 40);
	/* The way back is shut. */
	ck_assert_int_eq(recv(host.channel, &byte, 1, 0), 0);
	ck_assert_int_eq(host_end(&host), 0);
	host_done(&host);
}
END_TEST

START_TEST(a_run_goes_to_its_end)
{
	Story story;
	Host host;

	play(&host, &story, "ok", "ok", "ok");
	ck_assert_str_eq(story.trace, "1 2 3");
	ck_assert_int_eq(story.status, WALK_SUCCEEDED);
	replied(&story, "\"program\":\"three\",\"success\":true,\"status\":\"succeeded\"");
	while (host.rings == 0)
		host_round(&host);
	ck_assert_uint_eq(atomic_load(&record_page(&host.file)->state), RECORD_IDLE);
	ck_assert_uint_eq(atomic_load(&record_page(&host.file)->turn) % 2, 0);
	ck_assert_int_eq(host_end(&host), 0);
	printed(&host, "h2 2.1 ok by 4711 of 07010203000000000000000000000000\n");
	printed(&host, "closed in good order");
	host_done(&host);
}
END_TEST

START_TEST(a_failed_run_is_rectified_from_the_step_before)
{
	Story story;
	Host host;

	play(&host, &story, "note", "ok", "fail");
	ck_assert_str_eq(story.trace, "1 2 3f -2 -1");
	ck_assert_int_eq(story.status, WALK_RECTIFIED);
	ck_assert_int_eq(story.error, ERROR_HOOK_FAILED);
	replied(&story, "\"status\":\"rectified\"");
	replied(&story, "\"reason\":\"Refused\"");
	replied(&story, "no cake for you");
	replied(&story, "\"rectified\":[{\"step\":2,\"hook\":\"h2\"},{\"step\":1,\"hook\":\"h1\"}],\"remaining\":[]");
	printed(&host, "undo 1.1 done noted there token 1");
	printed(&host, "undo 2.1 done noted nothing token 1");
	ck_assert_int_eq(host_end(&host), 0);
	host_done(&host);
}
END_TEST

START_TEST(a_crashed_hook_is_in_doubt_and_the_run_goes_on_in_a_fresh_worker)
{
	static const char *const ways[] = { "crash", "exit", "_exit" };

	for (size_t i = 0; i < ELEMENTSOF(ways); i++) {
		Story story;
		Host host;

		play(&host, &story, "note", ways[i], "ok");
		ck_assert_str_eq(story.trace, "1");
		ck_assert_uint_eq(atomic_load(&record_page(&host.file)->turn) % 2, 1);
		go_on(&host, &story, ERROR_HOOK_UNKNOWN, "killed by signal 9 (Killed)");
		ck_assert_str_eq(story.trace, "1 2? -2 -1");
		ck_assert_int_eq(story.status, WALK_RECTIFIED);
		replied(&story, "\"name\":\"HookUnknown\"");
		replied(&story, "killed by signal 9 (Killed)");
		replied(&story, "{\"step\":2,\"hook\":\"h2\",\"in_doubt\":true}");
		printed(&host, "undo 2.1 in doubt noted nothing token 1");
		printed(&host, "undo 1.1 done noted there token 1");
		ck_assert_int_eq(host_end(&host), 0);
		host_done(&host);
	}
}
END_TEST

START_TEST(a_hook_that_does_not_know_gets_a_fresh_worker)
{
	static const char *const ways[] = { "unknown", "odd", "close" };
	static const char *const messages[] = { "the answer was lost", "returned 17", "descriptors" };

	for (size_t i = 0; i < ELEMENTSOF(ways); i++) {
		Story story;
		Host host;

		play(&host, &story, "ok", ways[i], "ok");
		ck_assert_str_eq(story.trace, "1 2?");
		ck_assert_uint_eq(atomic_load(&record_page(&host.file)->turn) % 2, 0);
		ck_assert_uint_eq(atomic_load(&record_page(&host.file)->state), RECORD_LEAVING);
		go_on(&host, &story, ERROR_HOOK_UNKNOWN, "never said");
		ck_assert_str_eq(story.trace, "1 2? -2 -1");
		replied(&story, messages[i]);
		not_printed(&host, "closed in good order");
		host_done(&host);
	}
}
END_TEST

START_TEST(rubbish_in_the_descriptors_harms_nobody)
{
	Story story;
	Host host;

	play(&host, &story, "rubbish", "ok", "ok");
	ck_assert_str_eq(story.trace, "1 2 3");
	send_three(&host, "ok", "rubbish", "ok");
	story = (Story){ 0 };
	follow(&host, &story);
	ck_assert_str_eq(story.trace, "1 2 3");
	ck_assert_int_eq(host_end(&host), 0);
	host_done(&host);
}
END_TEST

START_TEST(a_child_that_was_left_is_dead_before_the_next_step_begins)
{
	const char *killed;
	int pid = 0;
	Story story;
	Host host;

	play(&host, &story, "daemon", "ask", "ok");
	ck_assert_str_eq(story.trace, "1 2 3");
	ck_assert_ptr_nonnull(strstr(host_printed(&host), "left "));
	ck_assert_int_eq(sscanf(strstr(host_printed(&host), "left "), "left %d", &pid), 1);
	ck_assert_int_eq(kill(pid, 0), -1);
	ck_assert_int_eq(errno, ESRCH);
	killed = strstr(host_printed(&host), "they were killed");
	ck_assert(killed && killed < strstr(host_printed(&host), "h2 2.1"));
	ck_assert_int_eq(host_end(&host), 0);
	host_done(&host);
}
END_TEST

START_TEST(a_forked_copy_that_returns_writes_nothing)
{
	Story story;
	Host host;

	play(&host, &story, "fork", "fork", "fork");
	ck_assert_str_eq(story.trace, "1 2 3");
	ck_assert_int_eq(story.status, WALK_SUCCEEDED);
	ck_assert_int_eq(host_end(&host), 0);
	ck_assert_uint_eq(host.offset, atomic_load(&record_page(&host.file)->tail));
	host_done(&host);
}
END_TEST

START_TEST(another_process_or_thread_is_told_nothing)
{
	Story story;
	Host host;

	play(&host, &story, "ask", "ok", "thread");
	printed(&host, "the copy says 7\n");
	ck_assert_str_eq(story.trace, "1 2 3");
	ck_assert_uint_eq(story.notes, 0);
	host_reap(&host);
	if (strstr(host_printed(&host), "from a thread"))
		printed(&host, "from a thread: note -1, token none");
	host_done(&host);
}
END_TEST

START_TEST(a_thread_that_was_begun_makes_the_worker_leave_and_the_run_goes_on)
{
	static const char *const ways[] = { "thread", "joined" };

	for (size_t i = 0; i < ELEMENTSOF(ways); i++) {
		Story story;
		Host host;

		play(&host, &story, "ok", ways[i], "ok");
		ck_assert_str_eq(story.trace, "1 2");
		ck_assert_uint_eq(atomic_load(&record_page(&host.file)->state), RECORD_LEAVING);
		go_on(&host, &story, ERROR_HOOK_UNKNOWN, "");
		ck_assert_str_eq(story.trace, "1 2 3");
		ck_assert_int_eq(story.status, WALK_SUCCEEDED);
		ck_assert_int_eq(host_end(&host), 0);
		host_done(&host);
	}
}
END_TEST

START_TEST(notes_and_values_are_capped)
{
	Story story;
	Host host;

	host_init(&host, "play");
	host.options[0] = "--notes-max=20000";
	host.options[1] = "--pool-max=20000";
	begin(&host);
	story = (Story){ 0 };
	send_three(&host, "note", "set", "ok");
	follow(&host, &story);
	ck_assert_str_eq(story.trace, "1 2 3");
	ck_assert_uint_eq(story.notes, 6);
	printed(&host, "4 big notes, then -7; 1\n");
	printed(&host, "4 big values, then -7; again the first: 0; seen: 0\n");
	host_done(&host);
}
END_TEST

START_TEST(values_of_every_type_reach_the_hook_and_come_back)
{
	static const Pair pairs[] = {
		{ .name = "i", .json = "-2" },        { .name = "f", .json = "3" },
		{ .name = "s", .text = "text" },      { .name = "l", .json = "[1,[2]]" },
		{ .name = "d", .json = "{\"a\":1}" },
	};
	_cleanup_buffer_ Buffer orders = { 0 };
	Story story = { 0 };
	Host host;

	host_init(&host, "play");
	begin(&host);
	order_of("typed", 7, pairs, ELEMENTSOF(pairs), &orders);
	host_send(&host, &orders);
	follow(&host, &story);
	ck_assert_str_eq(story.trace, "1 2");
	printed(&host, "1 of two, 1 text, 3 entries, {\"a\":1}, default 42\n");
	printed(&host, "no such argument: -22; untyped: 0, undeclared key: -22, declared: 0, not finite: -22\n");
	replied(&story, "\"data_pool\":{\"sum\":40");
	replied(&story, "\"tree\":{\"a\":1}");
	replied(&story, "\"pair\":\"-2 and 40\"");
	host_done(&host);
}
END_TEST

START_TEST(a_flaky_hook_is_called_again_after_a_wait)
{
	Story story = { 0 };
	Host host;

	host_init(&host, "play");
	begin(&host);
	send_two(&host, "limited", "ok", "ok");
	follow(&host, &story);
	ck_assert_str_eq(story.trace, "1 2");
	story = (Story){ 0 };
	send_two(&host, "hurried", "ok", "fail");
	follow(&host, &story);
	/* Its time ends it, long before its attempts do. */
	ck_assert_uint_eq(story.stops, 1);
	ck_assert(strncmp(story.trace, "1 2f 2f", 7) == 0);
	ck_assert_int_eq(story.status, WALK_RECTIFIED);
	ck_assert_int_eq(story.error, ERROR_PROGRAM_TIMEOUT);
	host_done(&host);
}
END_TEST

/* Waits until the call in hand is the one that prints \p line. */
static void until_printed(Host *host, const char *line)
{
	while (!strstr(host_printed(host), line))
		host_round(host);
}

START_TEST(the_page_shows_the_call_in_hand_and_its_deadline)
{
	const RecordPage *page;
	Story story = { 0 };
	Host host;

	host_init(&host, "play");
	begin(&host);
	page = record_page(&host.file);
	send_two(&host, "limited", "ok", "hang");
	until_printed(&host, "h");
	until_printed(&host, "slow 2.1 hang");
	ck_assert_uint_eq(atomic_load(&page->turn) % 2, 1);
	ck_assert_uint_eq(atomic_load(&page->state), RECORD_RUNNING);
	ck_assert_uint_eq(page->step, 2);
	ck_assert_uint_eq(page->attempt, 1);
	ck_assert_uint_eq(page->run[0], 7);
	ck_assert_uint_eq(page->rectifying, 0);
	ck_assert_uint_eq(page->deadline_is_program, 0);
	ck_assert(atomic_load(&page->deadline_usec) == page->since_usec + 3600 * USEC_PER_SEC);
	kill(host.pid, SIGKILL);
	follow(&host, &story);
	go_on(&host, &story, ERROR_HOOK_TIMEOUT, "not done within 3600 s");
	ck_assert_str_eq(story.trace, "1 2? -2 -1");
	ck_assert_int_eq(story.error, ERROR_HOOK_TIMEOUT);
	replied(&story, "not done within 3600 s");
	ck_assert_uint_eq(atomic_load(&page->deadline_usec), 0);
	host_done(&host);
}
END_TEST

START_TEST(a_wish_to_cancel_takes_effect_at_the_next_boundary)
{
	RecordPage *page;
	Story story = { 0 };
	Host host;

	host_init(&host, "play");
	page = record_page(&host.file);
	memcpy(page->wish_run, (const uint8_t[16]){ 7, 1, 2, 3 }, sizeof(page->wish_run));
	atomic_store(&page->wish, ERROR_CANCELLED);
	begin(&host);
	send_three(&host, "ok", "ok", "ok");
	follow(&host, &story);
	ck_assert_uint_eq(story.stops, 1);
	ck_assert_str_eq(story.trace, "");
	ck_assert_int_eq(story.status, WALK_RECTIFIED);
	ck_assert_int_eq(story.error, ERROR_CANCELLED);
	/* Another run's wish is none of this one's. */
	page->wish_run[0] = 8;
	story = (Story){ 0 };
	send_three(&host, "ok", "ok", "ok");
	follow(&host, &story);
	ck_assert_int_eq(story.status, WALK_SUCCEEDED);
	host_done(&host);
}
END_TEST

START_TEST(a_wish_ends_a_wait_and_survives_the_worker)
{
	RecordPage *page;
	Story story = { 0 };
	Host host;

	host_init(&host, "play");
	page = record_page(&host.file);
	begin(&host);
	send_two(&host, "patient", "ok", "fail");
	while (atomic_load(&page->state) != RECORD_WAITING)
		host_round(&host);
	memcpy(page->wish_run, (const uint8_t[16]){ 7, 1, 2, 3 }, sizeof(page->wish_run));
	atomic_store(&page->wish, ERROR_CANCELLED);
	follow(&host, &story);
	ck_assert_uint_eq(story.stops, 1);
	ck_assert_int_eq(story.status, WALK_RECTIFIED);
	ck_assert_int_eq(story.error, ERROR_CANCELLED);
	host_done(&host);
}
END_TEST

START_TEST(a_run_that_was_stopped_is_taken_up_as_stopped)
{
	RecordPage *page;
	Story story = { 0 };
	Host host;

	host_init(&host, "play");
	page = record_page(&host.file);
	memcpy(page->wish_run, (const uint8_t[16]){ 7, 1, 2, 3 }, sizeof(page->wish_run));
	begin(&host);
	send_three(&host, "stop", "ok", "ok");
	until_printed(&host, "h1 1.1 stop");
	atomic_store(&page->wish, ERROR_CANCELLED);
	kill(host.pid, SIGCONT);
	while (story.stops == 0) {
		Record record;

		kill(host.pid, SIGCONT);
		ck_assert(host_next(&host, &record));
		story.stops += record.kind == RECORD_STOP;
	}
	kill(host.pid, SIGKILL);
	follow(&host, &story);
	if (!story.finished)
		go_on(&host, &story, ERROR_HOOK_UNKNOWN, "killed");
	ck_assert_int_eq(story.status, WALK_RECTIFIED);
	ck_assert_int_eq(story.error, ERROR_CANCELLED);
	host_done(&host);
}
END_TEST

START_TEST(a_batch_is_performed_in_order_with_one_ring)
{
	static const Pair pairs[] = {
		{ .name = "first", .text = "ok" },
		{ .name = "second", .text = "ok" },
		{ .name = "third", .text = "ok" },
	};
	_cleanup_buffer_ Buffer orders = { 0 };
	Record record;
	Host host;

	host_init(&host, "play");
	begin(&host);
	for (uint8_t i = 0; i < ORDER_BATCH_MAX; i++)
		order_of("three", i, pairs, ELEMENTSOF(pairs), &orders);
	host_send(&host, &orders);
	for (unsigned i = 0; i < ORDER_BATCH_MAX;) {
		RecordFinish finish;

		ck_assert(host_next(&host, &record));
		if (record.kind != RECORD_FINISH)
			continue;
		ck_assert_int_eq(record_decode_finish(&record, &finish), 0);
		ck_assert_uint_eq(finish.run.bytes[0], i++);
	}
	ck_assert_int_eq(host_end(&host), 0);
	host_done(&host);
}
END_TEST

START_TEST(a_run_whose_time_to_begin_has_passed_is_not_begun)
{
	_cleanup_buffer_ Buffer orders = { 0 };
	RecordStart start = {
		.run = { .bytes = { 7, 1 } },
		.program = "three",
		.program_size = 5,
		.start_by_usec = 1,
	};
	Record record;
	Host host;
	Id id;

	host_init(&host, "play");
	begin(&host);
	order_encode_run(&start, &orders);
	host_send(&host, &orders);
	ck_assert(host_next(&host, &record));
	ck_assert_int_eq(record_decode_unbegun(&record, &id), 0);
	ck_assert(id_equal(&id, &start.run));
	host_done(&host);
}
END_TEST

START_TEST(what_is_logged_comes_as_lines_with_their_level)
{
	Story story;
	Host host;

	play(&host, &story, "log", "ok", "ok");
	printed(&host, "<4>one\n<4>two ?[31m\n");
	host_done(&host);
}
END_TEST

CHECK_MAIN(worker, a_hello_carries_the_spec_and_the_build_id, a_run_goes_to_its_end,
	   a_failed_run_is_rectified_from_the_step_before,
	   a_crashed_hook_is_in_doubt_and_the_run_goes_on_in_a_fresh_worker,
	   a_hook_that_does_not_know_gets_a_fresh_worker, rubbish_in_the_descriptors_harms_nobody,
	   a_child_that_was_left_is_dead_before_the_next_step_begins, a_forked_copy_that_returns_writes_nothing,
	   another_process_or_thread_is_told_nothing,
	   a_thread_that_was_begun_makes_the_worker_leave_and_the_run_goes_on, notes_and_values_are_capped,
	   values_of_every_type_reach_the_hook_and_come_back, a_flaky_hook_is_called_again_after_a_wait,
	   the_page_shows_the_call_in_hand_and_its_deadline, a_wish_to_cancel_takes_effect_at_the_next_boundary,
	   a_wish_ends_a_wait_and_survives_the_worker, a_run_that_was_stopped_is_taken_up_as_stopped,
	   a_batch_is_performed_in_order_with_one_ring, a_run_whose_time_to_begin_has_passed_is_not_begun,
	   what_is_logged_comes_as_lines_with_their_level)
