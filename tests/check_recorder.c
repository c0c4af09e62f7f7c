/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check_main.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "daemon/recorder.h"
#include "scratch.h"

#define SIZE (64U << 10)

static Recorder recorder;
static char *directory;

static void open_recorder(void)
{
	scratch_reset();
	free(directory);
	directory = strdup(scratch_path("state"));
	ck_assert_ptr_nonnull(directory);
	ck_assert_int_eq(make_directories(directory, 0700), 0);
	recorder_init(&recorder);
	ck_assert_int_eq(recorder_open(&recorder, directory, SIZE), 0);
}

static const char *file(const char *name)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static void append_start(uint8_t id)
{
	_cleanup_buffer_ Buffer content = { 0 };
	const RecordStart start = { .run = { .bytes = { id } }, .program = "program", .program_size = 7 };

	record_encode_start(&start, &content);
	ck_assert_int_eq(record_append(&recorder.file, RECORD_START, content.data, content.size), 0);
}

static void append_finish(uint8_t id)
{
	_cleanup_buffer_ Buffer content = { 0 };
	const RecordFinish finish = {
		.run = { .bytes = { id } }, .status = WALK_SUCCEEDED, .reply = "}", .reply_size = 1
	};

	record_encode_finish(&finish, &content);
	ck_assert_int_eq(record_append(&recorder.file, RECORD_FINISH, content.data, content.size), 0);
}

static void append_note(uint32_t step)
{
	_cleanup_buffer_ Buffer content = { 0 };
	const RecordNote note = { .step = step, .key = "k", .key_size = 1, .data = "data", .data_size = 4 };

	record_encode_note(&note, &content);
	ck_assert_int_eq(record_append(&recorder.file, RECORD_NOTE, content.data, content.size), 0);
}

/* The kinds of all records that are there to be read, as digits. */
static const char *read_kinds(void)
{
	static char kinds[64];
	size_t n = 0, offset;
	Record record;

	while (recorder_read(&recorder, &record, &offset) > 0)
		kinds[n++] = (char)('0' + record.kind);
	kinds[n] = '\0';
	return kinds;
}

START_TEST(a_new_recorder_is_zero_but_for_its_first_page_and_is_ours_alone)
{
	struct stat status;

	open_recorder();
	ck_assert_int_eq(stat(file("recorder"), &status), 0);
	ck_assert_uint_eq((unsigned)status.st_mode & 07777, 0600);
	ck_assert_uint_eq((size_t)status.st_size, SIZE);
	ck_assert_uint_ge((size_t)status.st_blocks * 512, SIZE);
	for (size_t i = RECORD_PAGE_SIZE; i < SIZE; i++)
		ck_assert_uint_eq(recorder.file.base[i], 0);
	ck_assert_int_eq(record_page_check(&recorder.file), 0);
	recorder_done(&recorder);
}
END_TEST

START_TEST(records_are_read_once_in_their_order)
{
	open_recorder();
	ck_assert_str_eq(read_kinds(), "");
	append_start(1);
	append_note(1);
	ck_assert_str_eq(read_kinds(), "13");
	ck_assert_str_eq(read_kinds(), "");
	append_finish(1);
	ck_assert_str_eq(read_kinds(), "6");
	recorder_done(&recorder);
}
END_TEST

START_TEST(what_is_no_record_before_the_tail_is_damage)
{
	size_t offset;
	Record record;

	open_recorder();
	append_start(1);
	recorder.file.base[RECORD_PAGE_SIZE + RECORD_HEADER_SIZE + 3] ^= 1;
	ck_assert_int_eq(recorder_read(&recorder, &record, &offset), -EBADMSG);
	recorder_done(&recorder);
	open_recorder();
	atomic_store(&recorder_page(&recorder)->tail, SIZE + 8);
	ck_assert_int_eq(recorder_read(&recorder, &record, &offset), -EBADMSG);
	atomic_store(&recorder_page(&recorder)->tail, 8);
	ck_assert_int_eq(recorder_read(&recorder, &record, &offset), -EBADMSG);
	recorder_done(&recorder);
}
END_TEST

START_TEST(a_new_file_begins_with_the_records_of_the_run_in_hand)
{
	size_t begin, offset = 0;
	RecordStart start;
	Record record;
	uint32_t number;

	open_recorder();
	number = recorder.number;
	append_start(1);
	append_finish(1);
	read_kinds();
	begin = recorder.position;
	append_start(2);
	append_note(7);
	read_kinds();
	ck_assert_int_eq(recorder_renew(&recorder, begin, 100, &offset), 0);
	ck_assert_uint_ne(recorder.number, number);
	ck_assert_uint_eq(offset, RECORD_PAGE_SIZE);
	ck_assert_str_eq(read_kinds(), ""); /* they were read already */
	ck_assert_int_eq(record_read(recorder.file.base, recorder.position, offset, recorder.number, 1, &record), 0);
	ck_assert_int_eq(record_decode_start(&record, &start), 0);
	ck_assert_uint_eq(start.run.bytes[0], 2);
	append_finish(2);
	ck_assert_str_eq(read_kinds(), "6");
	recorder_done(&recorder);
}
END_TEST

START_TEST(files_take_turns_and_each_is_zero_when_it_is_new)
{
	size_t offset;

	open_recorder();
	for (unsigned turn = 0; turn < 5; turn++) {
		for (unsigned i = 0; i < 50; i++)
			append_note(i);
		read_kinds();
		ck_assert_int_eq(recorder_renew(&recorder, 0, 0, &offset), 0);
		ck_assert_uint_eq(recorder.position, RECORD_PAGE_SIZE);
		for (size_t i = RECORD_PAGE_SIZE; i < SIZE; i++)
			ck_assert_uint_eq(recorder.file.base[i], 0);
		ck_assert(!recorder_wants_cleaning(&recorder)); /* the worker may still look at the old one */
		append_note(1);
		ck_assert(recorder_wants_cleaning(&recorder));
		while (turn % 2 && recorder_wants_cleaning(&recorder))
			recorder_clean(&recorder);
	}
	recorder_remove(&recorder);
	ck_assert_int_lt(access(file("recorder"), F_OK), 0);
	ck_assert_int_lt(access(file("recorder.new"), F_OK), 0);
	recorder_done(&recorder);
}
END_TEST

START_TEST(a_run_that_is_too_large_for_the_usual_file_gets_a_larger_one)
{
	size_t offset;

	open_recorder();
	append_start(1);
	read_kinds();
	ck_assert_int_eq(recorder_renew(&recorder, RECORD_PAGE_SIZE, 10 * SIZE, &offset), 0);
	ck_assert_uint_ge(record_room(&recorder.file), 10 * SIZE);
	ck_assert_int_eq(recorder_renew(&recorder, offset, 100, &offset), 0);
	recorder_done(&recorder);
}
END_TEST

START_TEST(a_new_file_that_cannot_be_made_leaves_the_old_one_in_use)
{
	size_t offset;

	open_recorder();
	append_start(1);
	ck_assert_str_eq(read_kinds(), "1");
	ck_assert_int_eq(unlink(file("recorder.new")), 0);
	ck_assert_int_eq(mkdir(file("recorder.new"), 0700), 0);
	/* larger than what was made ahead */
	ck_assert_int_lt(recorder_renew(&recorder, RECORD_PAGE_SIZE, 2 * SIZE, &offset), 0);
	append_finish(1);
	ck_assert_str_eq(read_kinds(), "6");
	recorder_done(&recorder);
}
END_TEST

START_TEST(what_an_old_file_says_is_whether_a_run_has_not_ended)
{
	RecorderRemains remains;

	open_recorder();
	ck_assert_int_eq(recorder_inspect(file("none"), &remains), -ENOENT);
	ck_assert_int_eq(recorder_inspect(file("recorder"), &remains), 0);
	ck_assert(!remains.unfinished && !remains.damaged);
	append_start(1);
	append_finish(1);
	append_start(2);
	append_note(1);
	ck_assert_int_eq(recorder_inspect(file("recorder"), &remains), 0);
	ck_assert(remains.unfinished && !remains.damaged);
	ck_assert_uint_eq(remains.run.bytes[0], 2);
	ck_assert_str_eq(remains.program, "program");
	append_finish(2);
	ck_assert_int_eq(recorder_inspect(file("recorder"), &remains), 0);
	ck_assert(!remains.unfinished && !remains.damaged);
	recorder_done(&recorder);
}
END_TEST

START_TEST(what_is_no_recorder_is_damaged)
{
	RecorderRemains remains;

	open_recorder();
	recorder_page(&recorder)->magic[0] = 'X';
	ck_assert_int_eq(recorder_inspect(file("recorder"), &remains), 0);
	ck_assert(remains.damaged);
	ck_assert_int_ge(write_file_atomic(file("short"), "RYUSOREC", 8, 0600), 0);
	ck_assert_int_eq(recorder_inspect(file("short"), &remains), 0);
	ck_assert(remains.damaged);
	recorder_done(&recorder);
}
END_TEST

START_TEST(what_is_kept_aside_never_takes_anothers_place)
{
	open_recorder();
	ck_assert_int_eq(recorder_keep_aside(directory, "unfinished"), 1);
	ck_assert_int_eq(access(file("recorder.unfinished-1"), F_OK), 0);
	ck_assert_int_eq(recorder_keep_aside(directory, "unfinished"), 0);
	recorder_done(&recorder);
	recorder_init(&recorder);
	ck_assert_int_eq(recorder_open(&recorder, directory, SIZE), 0);
	ck_assert_int_eq(recorder_keep_aside(directory, "unfinished"), 1);
	ck_assert_int_eq(access(file("recorder.unfinished-2"), F_OK), 0);
	recorder_done(&recorder);
}
END_TEST

CHECK_MAIN(recorder, a_new_recorder_is_zero_but_for_its_first_page_and_is_ours_alone,
	   records_are_read_once_in_their_order, what_is_no_record_before_the_tail_is_damage,
	   a_new_file_begins_with_the_records_of_the_run_in_hand, files_take_turns_and_each_is_zero_when_it_is_new,
	   a_run_that_is_too_large_for_the_usual_file_gets_a_larger_one,
	   a_new_file_that_cannot_be_made_leaves_the_old_one_in_use,
	   what_an_old_file_says_is_whether_a_run_has_not_ended, what_is_no_recorder_is_damaged,
	   what_is_kept_aside_never_takes_anothers_place)
