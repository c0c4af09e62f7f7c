/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every write and sync of a start and of a renewal fails once, and the daemon is killed at every point of both: what
 * was recorded is there, in one whole file. */
#include "recorder_desk.h"

#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#include "points_file.h"

#define FAULTS_MAX 1000U /* more than there are places */
#define WRITES_KEPT 3U   /* of the first page, and of what record_two() records */
#define WRITES_ALL (DESK_SIZE / 4096U + WRITES_KEPT)

static const int errors[] = { EIO, ENOSPC, EINTR };

/* Runs 1 (ended), 2 (begun), as a worker left them, all of them needed; and one that was packed. */
static void record_two(void)
{
	desk_start(1);
	desk_finish(1);
	desk_start(2);
	desk_note_of(5000);
	desk_read();
}

static void keep_two(RecorderKept *kept)
{
	*kept = (RecorderKept){ .offset = RECORD_PAGE_SIZE, .size = desk.recorder.position - RECORD_PAGE_SIZE };
}

/* What is in the directory: run 1, which ended, and run 2, which did not. */
static void expect_two(void)
{
	Recovered found;
	RecordFile file;

	desk_recover(&file, &found);
	ck_assert(!found.damaged && !found.moved);
	ck_assert_uint_eq(found.n, 2);
	ck_assert(found.runs[0].finished && !found.runs[1].finished && !found.runs[1].broken);
	ck_assert_uint_eq(found.runs[0].start.run.bytes[0], 1);
	ck_assert_uint_eq(found.runs[1].start.run.bytes[0], 2);
	recovered_done(&found);
	recorder_unmap(&file);
}

static void arm(void)
{
	points_make(scratch_path("points"));
}

/* The old one is in use, whole, and what comes next is recorded there; then, what failed once works. */
static void expect_old(uint32_t number, RecorderKept *kept)
{
	ck_assert_uint_eq(desk.recorder.number, number);
	ck_assert(!desk.recorder.renewing);
	ck_assert(!desk_has("recorder.new"));
	expect_two();
	points_fail(POINTS_SYNC, 0, 0);
	points_fail(POINTS_WRITE, 0, 0);
	desk_note();
	ck_assert_str_eq(desk_read(), "3");
	kept->size = desk.recorder.position - RECORD_PAGE_SIZE;
	ck_assert_int_eq(desk_renew(kept, 1, 0), 0);
	ck_assert_str_eq(desk_kinds(RECORD_PAGE_SIZE, desk.recorder.position), "16133");
}

/* Whether there was such a place. */
static bool renew_failing(PointsFault what, uint64_t number, int error, bool recycled)
{
	RecorderKept kept;
	uint32_t before;
	int r;

	desk_open();
	arm();
	if (recycled) {
		ck_assert_int_eq(desk_renew(NULL, 0, 0), 0);
		recorder_recycle(&desk.recorder);
	}
	record_two();
	keep_two(&kept);
	before = desk.recorder.number;
	points_fail(what, number, error);
	r = desk_renew(&kept, 1, 100);
	if (points_failed(what) == 0) {
		ck_assert_int_eq(r, 0);
		points_fail(what, 0, 0);
	} else if (error == EINTR) {
		ck_assert_int_eq(r, 0);
	} else if (r < 0) {
		ck_assert_int_eq(r, -error);
		expect_old(before, &kept);
		desk_close();
		return true;
	}
	ck_assert_uint_ne(desk.recorder.number, before);
	expect_two();
	desk_close();
	return points_failed(what) > 0;
}

static void fail_renewals(PointsFault what, unsigned expected, bool recycled)
{
	for (size_t i = 0; i < ELEMENTSOF(errors); i++) {
		unsigned n = 0;

		while (renew_failing(what, n + 1, errors[i], recycled))
			ck_assert_uint_lt(++n, FAULTS_MAX);
		ck_assert_uint_ge(n, expected);
	}
	desk_done();
}

START_TEST(whichever_write_of_a_renewal_fails_the_old_file_is_in_use)
{
	fail_renewals(POINTS_WRITE, WRITES_ALL, false);
}
END_TEST

START_TEST(whichever_sync_of_a_renewal_fails_the_old_file_is_in_use)
{
	fail_renewals(POINTS_SYNC, 3, false); /* its blocks, its records, its name */
}
END_TEST

START_TEST(whichever_write_of_a_renewal_with_a_used_file_fails_the_old_one_is_in_use)
{
	fail_renewals(POINTS_WRITE, WRITES_KEPT, true);
}
END_TEST

START_TEST(whichever_sync_of_a_renewal_with_a_used_file_fails_the_old_one_is_in_use)
{
	fail_renewals(POINTS_SYNC, 2, true);
}
END_TEST

/* The next start of a daemon, with what it found in the recorder. */
static int start_again(void)
{
	_cleanup_buffer_ Buffer packed = { 0 };
	RecorderKept kept;
	Recovered found;
	RecordFile file;
	Record record;
	size_t offset = RECORD_PAGE_SIZE;

	desk_recover(&file, &found);
	while (offset < found.end) {
		ck_assert_int_eq(record_read(file.base, file.size, offset, found.number, RECORD_SEQUENCE_ANY, &record),
				 0);
		record_pack(record.kind, record.content, record.content_size, &packed);
		offset += record.size;
	}
	kept = (RecorderKept){ .packed = packed.data, .packed_size = packed.size };
	recovered_done(&found);
	recorder_unmap(&file);
	recorder_init(&desk.recorder);
	return desk_open_with(&kept, 1);
}

/* \p own: so many belong to the start itself; more of them to what is erased afterwards, which nobody waits for. */
static bool start_failing(PointsFault what, uint64_t number, int error, unsigned own)
{
	bool failed;
	int r;

	desk_open();
	arm();
	record_two();
	desk_close();
	points_fail(what, number, error);
	r = start_again();
	failed = points_failed(what) > 0;
	points_fail(what, 0, 0);
	if (number <= own)
		ck_assert_int_eq(r, error == EINTR ? 0 : -error);
	else
		ck_assert_int_eq(r, 0);
	expect_two();
	if (r < 0) {
		ck_assert_int_lt(recorder_event_fd(&desk.recorder), 0);
		ck_assert_int_eq(start_again(), 0);
		expect_two();
	}
	desk_close();
	return failed;
}

static void fail_starts(PointsFault what, unsigned own)
{
	for (size_t i = 0; i < ELEMENTSOF(errors); i++) {
		unsigned n = 0;

		while (start_failing(what, n + 1, errors[i], own))
			ck_assert_uint_lt(++n, FAULTS_MAX);
		ck_assert_uint_ge(n, own);
	}
	desk_done();
}

START_TEST(whichever_write_of_a_start_fails_what_was_recorded_stays)
{
	fail_starts(POINTS_WRITE, WRITES_ALL);
}
END_TEST

START_TEST(whichever_sync_of_a_start_fails_what_was_recorded_stays)
{
	fail_starts(POINTS_SYNC, 3);
}
END_TEST

START_TEST(what_was_in_use_is_cleaned_without_a_write)
{
	desk_open();
	arm();
	for (unsigned n = 0; n < 20; n++) {
		desk_note_of(30000);
		desk_read();
		ck_assert_int_eq(desk_renew(NULL, 0, 0), 0);
		ck_assert_uint_eq(points_failed(POINTS_WRITE), 0);
		if (n > 0) /* what was made ahead is written by now; a renewal writes its first page */
			points_fail(POINTS_WRITE, 2, EIO);
		recorder_recycle(&desk.recorder);
	}
	desk_done();
}
END_TEST

START_TEST(a_worker_is_not_left_at_work_in_a_file_whose_name_may_be_lost)
{
	RecorderKept kept;

	desk_open();
	arm();
	record_two();
	keep_two(&kept);
	points_fail(POINTS_SYNC, 2, EIO); /* the records' */
	ck_assert_int_eq(desk_renew(&kept, 1, 100), -EIO);
	ck_assert_uint_eq(atomic_load(&recorder_page(&desk.recorder)->renew), 0);
	points_fail(POINTS_SYNC, 3, EIO); /* the directory's */
	ck_assert_int_eq(desk_renew(&kept, 1, 100), -EIO);
	ck_assert_uint_eq(atomic_load(&recorder_page(&desk.recorder)->renew), 1);
	points_fail(POINTS_SYNC, 0, 0);
	ck_assert_int_eq(desk_renew(&kept, 1, 100), 0);
	ck_assert_uint_eq(atomic_load(&recorder_page(&desk.recorder)->renew), 0);
	desk_done();
}
END_TEST

/* What the one does who is killed. */
static void renew_and_end(uint64_t number)
{
	RecorderKept kept;

	arm();
	recorder_init(&desk.recorder);
	if (start_again() < 0)
		_exit(2);
	keep_two(&kept);
	points_kill(number);
	if (desk_renew(&kept, 1, 100) < 0)
		_exit(3);
	recorder_recycle(&desk.recorder);
	keep_two(&kept);
	if (desk_renew(&kept, 1, 100) < 0)
		_exit(4);
	desk_close();
	_exit(0);
}

static void start_and_end(uint64_t number)
{
	arm();
	points_kill(number);
	if (start_again() < 0)
		_exit(2);
	desk_close();
	_exit(0);
}

/* Whether it came that far. */
static bool killed_at(void (*life)(uint64_t number), uint64_t number)
{
	int status;
	pid_t pid;

	desk_open();
	record_two();
	desk_close();
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		life(number);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	expect_two();
	if (WIFEXITED(status)) {
		ck_assert_int_eq(WEXITSTATUS(status), 0);
		return false;
	}
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), SIGKILL);
	ck_assert_int_eq(start_again(), 0);
	expect_two();
	ck_assert(!desk_has("recorder.new"));
	desk_close();
	return true;
}

static void kill_everywhere(void (*life)(uint64_t number), unsigned expected)
{
	unsigned n = 0;

	while (killed_at(life, n + 1))
		ck_assert_uint_lt(++n, FAULTS_MAX);
	ck_assert_uint_ge(n, expected);
	desk_done();
}

START_TEST(wherever_a_start_is_cut_off_the_directory_holds_one_whole_recorder)
{
	kill_everywhere(start_and_end, 4 + 8);
}
END_TEST

START_TEST(wherever_renewals_are_cut_off_the_directory_holds_one_whole_recorder)
{
	kill_everywhere(renew_and_end, 2 * (4 + 6));
}
END_TEST

CHECK_MAIN(recorder_faults, whichever_write_of_a_renewal_fails_the_old_file_is_in_use,
	   whichever_sync_of_a_renewal_fails_the_old_file_is_in_use,
	   whichever_write_of_a_renewal_with_a_used_file_fails_the_old_one_is_in_use,
	   whichever_sync_of_a_renewal_with_a_used_file_fails_the_old_one_is_in_use,
	   whichever_write_of_a_start_fails_what_was_recorded_stays,
	   whichever_sync_of_a_start_fails_what_was_recorded_stays,
	   what_was_in_use_is_cleaned_without_a_write,
	   a_worker_is_not_left_at_work_in_a_file_whose_name_may_be_lost,
	   wherever_a_start_is_cut_off_the_directory_holds_one_whole_recorder,
	   wherever_renewals_are_cut_off_the_directory_holds_one_whole_recorder)
