/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A parked run is given to ryuso-worker again, with what an operator decided. */
#include "check_main.h"
#include "run/replay.h"
#include "worker_room.h"

static const Id module = { .bytes = { 9, 9, 9 } };

/* All records of the run that the host has read last, as the ledger keeps them. */
static void pack(const Host *host, Buffer *ret)
{
	uint64_t tail = atomic_load(&record_page(&host->file)->tail);
	Record record;

	for (size_t at = host->start; at < tail; at += record.size) {
		ck_assert_int_eq(record_read(host->file.base, tail, at, HOST_NUMBER, RECORD_SEQUENCE_ANY, &record), 0);
		record_pack(record.kind, record.content, record.content_size, ret);
	}
	ck_assert_int_eq(buffer_error(ret), 0);
}

static OrderUnpark order_unpark(RecordKind verb, uint32_t step, const Buffer *records)
{
	return (OrderUnpark){
		.run = { .bytes = { 7, 1, 2, 3 } },
		.module = module,
		.verb = verb,
		.decision = { .step = step, .uid = 1, .usec = 77, .reason = "why not", .reason_size = 7 },
		.records = records->data,
		.records_size = records->size,
	};
}

static void send_unpark(Host *host, const OrderUnpark *unpark)
{
	_cleanup_buffer_ Buffer orders = { 0 };

	order_encode_unpark(unpark, &orders);
	host_send(host, &orders);
}

/* The run parks at the rectifier of step 2. */
static void play_parked(Buffer *ret)
{
	Story story = { 0 };
	Host host;

	host_init(&host, "play");
	host.undo = "fail";
	begin(&host);
	send_three(&host, "mark", "ok", "fail");
	follow(&host, &story);
	ck_assert_str_eq(story.trace, "1 2 3f -2f -2f -2f");
	ck_assert_int_eq(story.status, WALK_PARKED);
	pack(&host, ret);
	ck_assert_int_eq(host_end(&host), 0);
	host_done(&host);
}

/* It parks as Irreversible, with step 2 in doubt. */
static void play_irreversible(Buffer *ret)
{
	Story story = { 0 };
	Host host;

	host_init(&host, "play");
	begin(&host);
	send_run(&host, 0, "final", "ok", "unknown", "ok");
	follow(&host, &story);
	ck_assert_str_eq(story.trace, "1 2?");
	if (!story.finished)
		go_on(&host, &story, ERROR_HOOK_UNKNOWN, "");
	ck_assert_int_eq(story.status, WALK_PARKED);
	pack(&host, ret);
	host_done(&host);
}

/* Reads what was written anew, up to the decision: the old records, one by one. */
static void rewritten(Host *host, const Buffer *records, RecordKind verb)
{
	RecordDecision decision;
	RecordStart start;
	size_t offset = 0;
	Record old, record;

	while (record_unpack(records->data, records->size, &offset, &old) > 0) {
		ck_assert(host_next(host, &record));
		ck_assert_int_eq(record.kind, old.kind);
		ck_assert_uint_eq(record.content_size, old.content_size);
		if (old.kind != RECORD_START) {
			ck_assert(memcmp(record.content, old.content, old.content_size) == 0);
			continue;
		}
		ck_assert_int_eq(record_decode_start(&record, &start), 0);
		ck_assert(id_equal(&start.module, &module));
		ck_assert_uint_eq(start.uid, 4711);
	}
	ck_assert(host_next(host, &record));
	ck_assert_int_eq(record.kind, verb);
	ck_assert_int_eq(record_decode_decision(&record, &decision), 0);
	ck_assert_uint_eq(decision.usec, 77);
	ck_assert_uint_eq(decision.reason_size, 7);
}

typedef struct Verb {
	void (*park)(Buffer *ret);
	RecordKind kind;
	WalkStatus status;
	const char *trace;
} Verb;

START_TEST(a_parked_run_goes_on_as_the_operator_decided)
{
	static const Verb verbs[] = {
		{ play_parked, RECORD_RETRY, WALK_RECTIFIED, "-2 -1" },
		{ play_parked, RECORD_SKIP, WALK_SETTLED, "-1" },
		{ play_irreversible, RECORD_SKIP, WALK_SETTLED, "-1" },
		{ play_irreversible, RECORD_CONFIRM, WALK_SETTLED, "3" },
	};

	for (size_t i = 0; i < ELEMENTSOF(verbs); i++) {
		_cleanup_buffer_ Buffer records = { 0 };
		OrderUnpark unpark;
		Story story = { 0 };
		Host host;

		verbs[i].park(&records);
		unpark = order_unpark(verbs[i].kind, 2, &records);
		host_init(&host, "play");
		begin(&host);
		send_unpark(&host, &unpark);
		rewritten(&host, &records, verbs[i].kind);
		follow(&host, &story);
		ck_assert_str_eq(story.trace, verbs[i].trace);
		ck_assert_int_eq(story.status, verbs[i].status);
		ck_assert_uint_eq(story.told_records, (uint32_t)host.sequence - 1);
		ck_assert_int_eq(host_end(&host), 0);
		if (verbs[i].park == play_parked)
			printed(&host, "undo 1.1 done noted mark token 1");
		host_done(&host);
	}
}
END_TEST

START_TEST(a_worker_that_dies_after_the_decision_is_followed_by_one_that_goes_on)
{
	_cleanup_buffer_ Buffer records = { 0 };
	OrderUnpark unpark;
	Story story = { 0 };
	Host host;

	play_parked(&records);
	unpark = order_unpark(RECORD_RETRY, 2, &records);
	host_init(&host, "play");
	host.undo = "stop";
	begin(&host);
	send_unpark(&host, &unpark);
	until_stopped(&host);
	rewritten(&host, &records, RECORD_RETRY);
	kill(host.pid, SIGKILL);
	follow(&host, &story);
	host.undo = NULL;
	go_on(&host, &story, ERROR_HOOK_UNKNOWN, "killed");
	ck_assert_str_eq(story.trace, "-2? -2 -1");
	ck_assert_int_eq(story.status, WALK_RECTIFIED);
	ck_assert_int_eq(host_end(&host), 0);
	host_done(&host);
}
END_TEST

START_TEST(a_run_may_park_again_and_be_taken_up_again)
{
	_cleanup_buffer_ Buffer records = { 0 }, more = { 0 };
	OrderUnpark unpark;
	Story story = { 0 };
	Host host;

	play_parked(&records);
	unpark = order_unpark(RECORD_RETRY, 2, &records);
	host_init(&host, "play");
	host.undo = "fail";
	begin(&host);
	send_unpark(&host, &unpark);
	rewritten(&host, &records, RECORD_RETRY);
	follow(&host, &story);
	ck_assert_int_eq(story.status, WALK_PARKED);
	pack(&host, &more);
	ck_assert_int_eq(host_end(&host), 0);
	host_done(&host);

	unpark = order_unpark(RECORD_SKIP, 2, &more);
	host_init(&host, "play");
	begin(&host);
	send_unpark(&host, &unpark);
	rewritten(&host, &more, RECORD_SKIP);
	story = (Story){ 0 };
	follow(&host, &story);
	ck_assert_str_eq(story.trace, "-1");
	ck_assert_int_eq(story.status, WALK_SETTLED);
	ck_assert_int_eq(host_end(&host), 0);
	host_done(&host);
}
END_TEST

/* Nothing but UNBEGUN is written. */
static void is_refused(const OrderUnpark *unpark, ErrorCode cause)
{
	Story story = { 0 };
	Record record;
	Host host;

	host_init(&host, "play");
	begin(&host);
	send_unpark(&host, unpark);
	ck_assert(host_next(&host, &record));
	tell(&story, &record);
	ck_assert_int_eq(story.unbegun, cause);
	/* The worker is none the worse for it. */
	send_three(&host, "ok", "ok", "ok");
	follow(&host, &story);
	ck_assert_int_eq(story.status, WALK_SUCCEEDED);
	ck_assert_int_eq(host_end(&host), 0);
	not_printed(&host, "undo");
	host_done(&host);
}

/* Of \p records, with the START of another program. */
static void of_program(const Buffer *records, const char *program, Buffer *ret)
{
	_cleanup_buffer_ Buffer content = { 0 };
	RecordStart start;
	size_t offset = 0;
	Record record;

	while (record_unpack(records->data, records->size, &offset, &record) > 0) {
		buffer_clear(&content);
		if (record.kind == RECORD_START) {
			ck_assert_int_eq(record_decode_start(&record, &start), 0);
			start.program = program;
			start.program_size = strlen(program);
			record_encode_start(&start, &content);
		} else {
			buffer_append(&content, record.content, record.content_size);
		}
		record_pack(record.kind, content.data, content.size, ret);
	}
}

START_TEST(a_run_that_does_not_fit_the_module_leaves_nothing_half_done)
{
	static const char *const programs[] = { "no-such-program", "plain", "typed" };
	_cleanup_buffer_ Buffer records = { 0 };
	OrderUnpark unpark;

	play_parked(&records);
	for (size_t i = 0; i < ELEMENTSOF(programs); i++) {
		_cleanup_buffer_ Buffer other = { 0 };

		of_program(&records, programs[i], &other);
		unpark = order_unpark(RECORD_RETRY, 2, &other);
		is_refused(&unpark, ERROR_MODULE_CHANGED);
	}
	/* It stands at step 2, and not as Irreversible. */
	unpark = order_unpark(RECORD_RETRY, 1, &records);
	is_refused(&unpark, ERROR_MODULE_CHANGED);
	unpark = order_unpark(RECORD_CONFIRM, 2, &records);
	is_refused(&unpark, ERROR_MODULE_CHANGED);
	/* Records that are cut off. */
	unpark = order_unpark(RECORD_RETRY, 2, &records);
	unpark.records_size -= 8;
	is_refused(&unpark, ERROR_MODULE_CHANGED);
	unpark.records_size = 0;
	is_refused(&unpark, ERROR_MODULE_CHANGED);
}
END_TEST

START_TEST(a_worker_that_is_held_takes_up_no_parked_run)
{
	_cleanup_buffer_ Buffer records = { 0 };
	OrderUnpark unpark;
	Record record;
	Host host;

	play_parked(&records);
	unpark = order_unpark(RECORD_RETRY, 2, &records);
	host_init(&host, "play");
	atomic_store(&record_page(&host.file)->hold, 1);
	begin(&host);
	send_unpark(&host, &unpark);
	ck_assert(!host_next(&host, &record));
	ck_assert_uint_eq(atomic_load(&record_page(&host.file)->state), RECORD_LEAVING);
	ck_assert_int_eq(host_reap(&host), 0);
	host_done(&host);
}
END_TEST

static void goes_on(Host *host, const Buffer *records)
{
	Story story = { 0 };

	rewritten(host, records, RECORD_RETRY);
	follow(host, &story);
	ck_assert_int_eq(story.status, WALK_RECTIFIED);
}

static void is_too_large(Host *host, const Buffer *records)
{
	Story story = { 0 };
	Record record;

	(void)records;
	ck_assert(host_next(host, &record));
	tell(&story, &record);
	ck_assert_int_eq(story.unbegun, ERROR_TOO_LARGE);
}

START_TEST(the_room_is_made_before_the_first_record_is_written_anew)
{
	static const size_t sizes[] = { HOST_RECORDER_SIZE, 32768 };
	static void (*const check_moved[])(Host * host, const Buffer *records) = { goes_on, is_too_large };

	for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
		_cleanup_buffer_ Buffer records = { 0 };
		OrderUnpark unpark;
		Story story = { 0 };
		Host host;

		play_parked(&records);
		unpark = order_unpark(RECORD_RETRY, 2, &records);
		host_init(&host, "play");
		/* The first few of them would fit. */
		atomic_store(&record_page(&host.file)->tail, HOST_RECORDER_SIZE - records.size / 2 / 8 * 8);
		host.offset = atomic_load(&record_page(&host.file)->tail);
		begin(&host);
		send_unpark(&host, &unpark);
		until_full(&host, &story);
		ck_assert_uint_eq(story.records, 0);
		ck_assert_uint_gt(atomic_load(&record_page(&host.file)->wanted), records.size);
		move_recorder(&host, sizes[i]);
		check_moved[i](&host, &records);
		ck_assert_int_eq(host_end(&host), 0);
		host_done(&host);
	}
}
END_TEST

CHECK_MAIN(worker_unpark, a_parked_run_goes_on_as_the_operator_decided,
	   a_worker_that_dies_after_the_decision_is_followed_by_one_that_goes_on,
	   a_run_may_park_again_and_be_taken_up_again, a_run_that_does_not_fit_the_module_leaves_nothing_half_done,
	   a_worker_that_is_held_takes_up_no_parked_run, the_room_is_made_before_the_first_record_is_written_anew)
