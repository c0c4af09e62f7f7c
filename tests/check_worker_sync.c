/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What ryuso-worker makes durable, and when (rule 28). */
#include "worker_double.h"

#include "run/replay.h"

static void play_run(Host *host, Story *story, uint32_t flags, const char *program, const char *first,
		     const char *second, const char *third)
{
	*story = (Story){ 0 };
	double_init(host);
	begin(host);
	send_run(host, flags, program, first, second, third);
	follow(host, story);
}

/* Where the record ends that \p event follows: the BEGIN of its call, or its last NOTE. 0: there is none. */
static uint64_t end_of(const Host *host, const DoubleEvent *event)
{
	uint64_t tail = atomic_load(&record_page(&host->file)->tail), found = 0;
	bool in_hand = false;
	RecordBegin begin;
	Record record;

	for (size_t at = host->start; at < tail; at += record.size) {
		ck_assert_int_eq(record_read(host->file.base, tail, at, HOST_NUMBER, RECORD_SEQUENCE_ANY, &record), 0);
		if (record.kind == RECORD_BEGIN) {
			ck_assert_int_eq(record_decode_begin(&record, &begin), 0);
			in_hand = begin.step == event->step && begin.attempt == event->attempt &&
				  begin.rectifying == event->rectifying;
		}
		if (in_hand && record.kind == (event->kind == DOUBLE_CALL ? RECORD_BEGIN : RECORD_NOTE))
			found = at + record.size;
	}
	return found;
}

/* Each call and note of the log had its record on the disk; as many syncs as \p n_syncs. */
static void all_durable(const Host *host, size_t n_syncs)
{
	size_t n = 0;

	for (size_t i = 0; i < double_log->n; i++) {
		const DoubleEvent *event = &double_log->events[i];
		uint64_t at;

		if (event->kind == DOUBLE_SYNC)
			continue;
		at = end_of(host, event);
		ck_assert_msg(at != 0 && event->durable >= at,
			      "event %zu, step %u: expected %llu bytes to be durable, got %llu", i, event->step,
			      (unsigned long long)at, (unsigned long long)event->durable);
		n++;
	}
	ck_assert_uint_gt(n, 0);
	ck_assert_uint_eq(double_log->n_syncs, n_syncs);
}

START_TEST(the_begin_of_a_step_with_rectifiers_is_durable_before_its_function_is_called)
{
	Story story;
	Host host;

	play_run(&host, &story, 0, "three", "ok", "ok", "ok");
	ck_assert_int_eq(story.status, WALK_SUCCEEDED);
	all_durable(&host, 3);
	ck_assert_uint_eq(story.told_syncs, 3);
	ck_assert_uint_eq(story.told_records, story.records);
	double_end(&host);
}
END_TEST

START_TEST(the_begin_of_a_rectifying_call_is_durable_before_its_function_is_called)
{
	Story story;
	Host host;

	play_run(&host, &story, 0, "three", "ok", "ok", "fail");
	ck_assert_str_eq(story.trace, "1 2 3f -2 -1");
	all_durable(&host, 5);
	ck_assert_uint_eq(story.told_syncs, 5);
	ck_assert_uint_eq(story.told_records, story.records);
	double_end(&host);
}
END_TEST

START_TEST(the_begin_of_an_irreversible_step_is_durable_before_its_function_is_called)
{
	Story story;
	Host host;

	play_run(&host, &story, 0, "final", "ok", "ok", "ok");
	ck_assert_int_eq(story.status, WALK_SUCCEEDED);
	all_durable(&host, 3);
	double_end(&host);
}
END_TEST

START_TEST(each_attempt_of_a_rectifier_is_durable_before_it)
{
	Story story = { 0 };
	Host host;

	double_init(&host);
	host.undo = "fail";
	begin(&host);
	send_three(&host, "ok", "fail", "ok");
	follow(&host, &story);
	ck_assert_str_eq(story.trace, "1 2f -1f -1f -1f");
	ck_assert_int_eq(story.status, WALK_PARKED);
	all_durable(&host, 5);
	double_end(&host);
}
END_TEST

START_TEST(steps_that_have_nothing_to_reverse_cost_no_sync)
{
	Story story;
	Host host;

	play_run(&host, &story, 0, "plain", "ok", "ok", NULL);
	ck_assert_str_eq(story.trace, "1 2 3 4 5");
	ck_assert_uint_eq(double_log->n_syncs, 0);
	ck_assert_uint_eq(story.told_syncs, 0);
	ck_assert_uint_eq(story.told_records, 12);
	double_end(&host);
}
END_TEST

START_TEST(a_note_is_durable_when_it_returns)
{
	Story story;
	Host host;

	play_run(&host, &story, 0, "patient", "ok", "mark", NULL);
	ck_assert_int_eq(story.status, WALK_SUCCEEDED);
	ck_assert_uint_eq(story.notes, 1);
	/* The first step's begin, and the note; nothing for the second step's begin. */
	ck_assert_uint_eq(double_log->n, 5);
	ck_assert_int_eq(double_log->events[3].kind, DOUBLE_SYNC);
	ck_assert_int_eq(double_log->events[4].kind, DOUBLE_NOTE);
	ck_assert_uint_ge(double_log->events[4].durable, end_of(&host, &double_log->events[4]));
	ck_assert_uint_eq(story.told_syncs, 2);
	double_end(&host);
}
END_TEST

START_TEST(with_durability_process_nothing_is_synced)
{
	Story story;
	Host host;

	play_run(&host, &story, RECORD_FLAG_PROCESS, "three", "mark", "ok", "fail");
	ck_assert_str_eq(story.trace, "1 2 3f -2 -1");
	ck_assert_uint_eq(story.notes, 1);
	ck_assert_uint_eq(double_log->n_syncs, 0);
	ck_assert_uint_eq(story.told_syncs, 0);
	ck_assert_uint_eq(story.told_records, story.records);
	double_end(&host);
}
END_TEST

START_TEST(a_sync_writes_no_more_than_what_is_new)
{
	uint64_t synced = 0;
	Story story;
	Host host;

	play_run(&host, &story, 0, "three", "ok", "note", "fail");
	for (size_t i = 0; i < double_log->n; i++) {
		const DoubleEvent *event = &double_log->events[i];

		if (event->kind != DOUBLE_SYNC)
			continue;
		ck_assert_uint_eq(event->from, synced / RECORD_PAGE_SIZE * RECORD_PAGE_SIZE);
		ck_assert_uint_gt(event->to, synced);
		synced = event->to;
	}
	ck_assert_uint_eq(synced, atomic_load(&record_page(&host.file)->synced));
	double_end(&host);
}
END_TEST

START_TEST(what_is_durable_already_is_not_synced_again)
{
	Story story = { 0 };
	Host host;

	double_init(&host);
	atomic_store(&record_page(&host.file)->synced, HOST_RECORDER_SIZE);
	begin(&host);
	send_three(&host, "ok", "mark", "fail");
	follow(&host, &story);
	ck_assert_str_eq(story.trace, "1 2 3f -2 -1");
	ck_assert_uint_eq(double_log->n_syncs, 0);
	double_end(&host);
}
END_TEST

START_TEST(the_mark_of_what_is_durable_is_never_lowered)
{
	Story story = { 0 };
	Host host;

	double_init(&host);
	double_log->raise_to = HOST_RECORDER_SIZE;
	begin(&host);
	send_three(&host, "ok", "mark", "fail");
	follow(&host, &story);
	ck_assert_str_eq(story.trace, "1 2 3f -2 -1");
	/* The first one's; all others find that the daemon has come further. */
	ck_assert_uint_eq(double_log->n_syncs, 1);
	ck_assert_uint_eq(atomic_load(&record_page(&host.file)->synced), HOST_RECORDER_SIZE);
	double_end(&host);
}
END_TEST

START_TEST(a_parked_run_that_is_taken_up_is_durable_before_anything_acts)
{
	_cleanup_buffer_ Buffer records = { 0 }, orders = { 0 };
	OrderUnpark unpark = {
		.run = { .bytes = { 7, 1, 2, 3 } },
		.verb = RECORD_RETRY,
		.decision = { .step = 1, .usec = 7 },
	};
	Story story = { 0 };
	Record record;
	Host host;

	double_init(&host);
	host.undo = "fail";
	begin(&host);
	send_three(&host, "ok", "fail", "ok");
	follow(&host, &story);
	ck_assert_int_eq(story.status, WALK_PARKED);
	for (size_t at = host.start; at < host.offset; at += record.size) {
		ck_assert_int_eq(
			record_read(host.file.base, host.offset, at, HOST_NUMBER, RECORD_SEQUENCE_ANY, &record), 0);
		record_pack(record.kind, record.content, record.content_size, &records);
	}
	unpark.records = records.data;
	unpark.records_size = records.size;
	order_encode_unpark(&unpark, &orders);
	double_end(&host);

	double_init(&host);
	begin(&host);
	host_send(&host, &orders);
	do
		ck_assert(host_next(&host, &record));
	while (record.kind != RECORD_RETRY);
	follow(&host, &story);
	ck_assert_int_eq(story.status, WALK_RECTIFIED);
	/* Once for what was written anew, once for the rectifying call. */
	ck_assert_uint_eq(double_log->n, 3);
	ck_assert_int_eq(double_log->events[0].kind, DOUBLE_SYNC);
	ck_assert_uint_ge(double_log->events[0].to, host.start + records.size);
	ck_assert_int_eq(double_log->events[1].kind, DOUBLE_SYNC);
	ck_assert_uint_gt(double_log->events[1].to, double_log->events[0].to);
	ck_assert_int_eq(double_log->events[2].kind, DOUBLE_CALL);
	ck_assert_uint_eq(story.told_syncs, 2);
	double_end(&host);
}
END_TEST

DOUBLE_MAIN(worker_sync, the_begin_of_a_step_with_rectifiers_is_durable_before_its_function_is_called,
	    the_begin_of_a_rectifying_call_is_durable_before_its_function_is_called,
	    the_begin_of_an_irreversible_step_is_durable_before_its_function_is_called,
	    each_attempt_of_a_rectifier_is_durable_before_it, steps_that_have_nothing_to_reverse_cost_no_sync,
	    a_note_is_durable_when_it_returns, with_durability_process_nothing_is_synced,
	    a_sync_writes_no_more_than_what_is_new, what_is_durable_already_is_not_synced_again,
	    the_mark_of_what_is_durable_is_never_lowered, a_parked_run_that_is_taken_up_is_durable_before_anything_acts)
