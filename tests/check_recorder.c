/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recorder_desk.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>

#define SIZE DESK_SIZE

START_TEST(a_new_recorder_is_zero_but_for_its_first_page_and_is_ours_alone)
{
	struct stat status;

	desk_open();
	ck_assert_int_eq(stat(desk_file("recorder"), &status), 0);
	ck_assert_uint_eq((unsigned)status.st_mode & 07777, 0600);
	ck_assert_uint_eq((size_t)status.st_size, SIZE);
	ck_assert_uint_ge((size_t)status.st_blocks * 512, SIZE);
	ck_assert(desk_is_zero_behind(RECORD_PAGE_SIZE));
	ck_assert_int_eq(record_page_check(&desk.recorder.file), 0);
	ck_assert_uint_eq(recorder_synced(&desk.recorder), RECORD_PAGE_SIZE);
	ck_assert(!desk_has("recorder.new"));
	desk_done();
}
END_TEST

START_TEST(records_are_read_once_in_their_order)
{
	desk_open();
	ck_assert_str_eq(desk_read(), "");
	desk_start(1);
	desk_note();
	ck_assert_str_eq(desk_read(), "13");
	ck_assert_str_eq(desk_read(), "");
	desk_finish(1);
	ck_assert_str_eq(desk_read(), "6");
	desk_done();
}
END_TEST

static int read_one(void)
{
	size_t offset;
	Record record;

	return recorder_read(&desk.recorder, &record, &offset);
}

START_TEST(what_is_no_record_before_the_tail_is_damage)
{
	desk_open();
	desk_start(1);
	desk.recorder.file.base[RECORD_PAGE_SIZE + RECORD_HEADER_SIZE + 3] ^= 1;
	ck_assert_int_eq(read_one(), -EBADMSG);
	desk_close();
	desk_open();
	atomic_store(&recorder_page(&desk.recorder)->tail, SIZE + 8);
	ck_assert_int_eq(read_one(), -EBADMSG);
	atomic_store(&recorder_page(&desk.recorder)->tail, 8);
	ck_assert_int_eq(read_one(), -EBADMSG);
	desk_done();
}
END_TEST

START_TEST(a_first_file_begins_with_what_was_packed)
{
	_cleanup_buffer_ Buffer first = { 0 }, second = { 0 };
	RecorderKept kept[2];
	Recovered found;
	RecordFile file;

	desk_clear();
	desk_pack_run(&first, 7);
	desk_pack_run(&second, 9);
	kept[0] = (RecorderKept){ .packed = first.data, .packed_size = first.size };
	kept[1] = (RecorderKept){ .packed = second.data, .packed_size = second.size };
	ck_assert_int_eq(desk_open_with(kept, 2), 0);
	ck_assert_uint_eq(kept[0].ret_offset, RECORD_PAGE_SIZE);
	ck_assert_str_eq(desk_kinds(kept[0].ret_offset, kept[1].ret_offset), "16");
	ck_assert_str_eq(desk_kinds(kept[1].ret_offset, desk.recorder.position), "16");
	desk_recover(&file, &found);
	ck_assert_uint_eq(found.n, 2);
	ck_assert(!found.damaged && !found.moved && found.same_boot);
	ck_assert_uint_eq(found.runs[1].start.run.bytes[0], 9);
	ck_assert_uint_eq(found.runs[1].offset, kept[1].ret_offset);
	ck_assert(found.runs[1].finished);
	recovered_done(&found);
	recorder_unmap(&file);
	desk_done();
}
END_TEST

/* It is made when what was to be cleaned is clean. */
static void wait_for_spare(void)
{
	while (desk.recorder.position <= SIZE / 2) {
		desk_note_of(1000);
		desk_read();
	}
	while (!desk_has("recorder.new"))
		sched_yield();
}

START_TEST(the_next_file_is_made_ahead_when_it_can_be_seen_that_it_will_be_needed)
{
	desk_open();
	wait_for_spare();
	desk_done();
}
END_TEST

static bool holds_text(const char *name, const char *text)
{
	_cleanup_buffer_ Buffer content = { 0 };

	if (read_file(desk_file(name), 100U << 20, &content) < 0)
		return false;
	return memmem(content.data, content.size, text, strlen(text));
}

START_TEST(a_start_replaces_and_erases_what_was_there)
{
	struct stat before, after;
	int fd;

	desk_open();
	desk_note_of(200);
	desk_read();
	desk_renew_empty(); /* recorder.new is full of it */
	desk_note_of(200);
	desk_close();
	ck_assert(holds_text("recorder.new", "xxxxxxxx"));
	ck_assert_int_eq(stat(desk_file("recorder"), &before), 0);
	fd = open(desk_file("recorder"), O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	recorder_init(&desk.recorder);
	ck_assert_int_eq(desk_open_with(NULL, 0), 0);
	ck_assert_int_eq(stat(desk_file("recorder"), &after), 0);
	ck_assert_uint_ne(before.st_ino, after.st_ino);
	ck_assert(!holds_text("recorder", "xxxxxxxx"));
	ck_assert(!desk_has("recorder.new"));
	for (bool found = true; found; sched_yield()) {
		_cleanup_buffer_ Buffer content = { 0 };

		ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
		ck_assert_int_eq(read_fd(fd, 2 * SIZE, &content), 0);
		found = memmem(content.data, content.size, "xxxxxxxx", 8);
	}
	close(fd);
	desk_done();
}
END_TEST

START_TEST(what_is_kept_under_another_name_is_not_erased)
{
	_cleanup_free_ char *kept = NULL;

	desk_open();
	desk_note_of(200);
	desk_close();
	kept = strdup(desk_file("recorder.damaged-1"));
	ck_assert_int_eq(link(desk_file("recorder"), kept), 0);
	recorder_init(&desk.recorder);
	ck_assert_int_eq(desk_open_with(NULL, 0), 0);
	wait_for_spare();
	ck_assert(holds_text("recorder.damaged-1", "xxxxxxxx"));
	ck_assert_int_eq(unlink(kept), 0);
	ck_assert_int_eq(link(desk_file("recorder"), kept), 0);
	recorder_remove(&desk.recorder);
	ck_assert(holds_text("recorder.damaged-1", "xxxxxxxx"));
	desk_done();
}
END_TEST

START_TEST(a_clean_end_leaves_nothing_to_be_read)
{
	_cleanup_buffer_ Buffer content = { 0 };
	int fd;

	desk_open();
	desk_note_of(200);
	desk_read();
	desk_renew_empty();
	recorder_remove(&desk.recorder);
	ck_assert(!desk_has("recorder"));
	ck_assert(!desk_has("recorder.new"));
	desk_close();
	desk_open();
	desk_note_of(200);
	desk_read();
	fd = open(desk_file("recorder"), O_RDONLY | O_CLOEXEC);
	recorder_remove(&desk.recorder);
	ck_assert(!desk_has("recorder"));
	ck_assert_int_eq(read_fd(fd, 2 * SIZE, &content), 0);
	ck_assert_ptr_null(memmem(content.data, content.size, "xxxxxxxx", 8));
	close(fd);
	desk_done();
}
END_TEST

START_TEST(what_is_kept_aside_never_takes_anothers_place)
{
	desk_open();
	ck_assert_int_eq(recorder_keep_aside(desk.directory, "unfinished"), 1);
	ck_assert(desk_has("recorder.unfinished-1"));
	ck_assert_int_eq(recorder_keep_aside(desk.directory, "unfinished"), 0);
	desk_close();
	recorder_init(&desk.recorder);
	ck_assert_int_eq(desk_open_with(NULL, 0), 0);
	ck_assert_int_eq(recorder_keep_aside(desk.directory, "unfinished"), 1);
	ck_assert(desk_has("recorder.unfinished-2"));
	desk_done();
}
END_TEST

static int map_size(size_t size)
{
	_cleanup_free_ char *zeros = calloc(1, size + 1);
	RecordPlace place;
	RecordFile file;
	Recovered found;
	int r;

	ck_assert_ptr_nonnull(zeros);
	ck_assert_int_ge(write_file_atomic(desk_file("recorder"), zeros, size, 0600), 0);
	r = recorder_map(desk.directory, &desk_machine, &desk_boot, &file, &place);
	if (r < 0)
		return r;
	ck_assert_uint_eq(file.size, size);
	ck_assert_int_eq(recover_read(&file, &place, &found), 0);
	ck_assert(found.damaged);
	recovered_done(&found);
	recorder_unmap(&file);
	return r;
}

START_TEST(whatever_is_there_can_be_looked_at)
{
	RecordPlace place;
	RecordFile file;

	desk_clear();
	ck_assert_int_eq(recorder_map(desk.directory, &desk_machine, &desk_boot, &file, &place), -ENOENT);
	for (size_t size = 0; size < 3 * 4096; size += 1000)
		ck_assert_int_eq(map_size(size), 0);
	ck_assert_int_eq(unlink(desk_file("recorder")), 0);
	ck_assert_int_eq(mkdir(desk_file("recorder"), 0700), 0);
	ck_assert_int_eq(recorder_map(desk.directory, &desk_machine, &desk_boot, &file, &place), -EINVAL);
	ck_assert_int_eq(rmdir(desk_file("recorder")), 0);
	ck_assert_int_eq(symlink("/dev/zero", desk_file("recorder")), 0);
	ck_assert_int_eq(recorder_map(desk.directory, &desk_machine, &desk_boot, &file, &place), -EINVAL);
	ck_assert_int_eq(unlink(desk_file("recorder")), 0);
	ck_assert_int_eq(mkfifo(desk_file("recorder"), 0600), 0);
	ck_assert_int_eq(recorder_map(desk.directory, &desk_machine, &desk_boot, &file, &place), -EINVAL);
	desk_done();
}
END_TEST

START_TEST(what_was_looked_at_stays_whatever_becomes_of_the_file)
{
	RecordFile file;
	Recovered found;

	desk_open();
	desk_start(5);
	desk_close();
	desk_recover(&file, &found);
	recorder_init(&desk.recorder);
	ck_assert_int_eq(desk_open_with(NULL, 0), 0);
	recorder_remove(&desk.recorder);
	ck_assert_uint_eq(found.n, 1);
	ck_assert_mem_eq(found.runs[0].start.program, "program", 7);
	recovered_done(&found);
	recorder_unmap(&file);
	desk_done();
}
END_TEST

/* A copy takes the place of the file: what `cp` leaves, or a backup. */
static void copy_over(void)
{
	_cleanup_free_ char *copy = strdup(desk_file("copy"));
	_cleanup_buffer_ Buffer content = { 0 };

	ck_assert_int_eq(read_file(desk_file("recorder"), 2 * SIZE, &content), 0);
	ck_assert_int_ge(write_file_atomic(copy, content.data, content.size, 0600), 0);
	ck_assert_int_eq(rename(copy, desk_file("recorder")), 0);
}

START_TEST(a_copy_and_another_machine_are_seen)
{
	const Id elsewhere = { .bytes = { 3 } };
	RecordPlace place;
	RecordFile file;
	Recovered found;

	desk_open();
	desk_start(5);
	desk_close();
	desk_recover(&file, &found);
	ck_assert(!found.moved && found.same_boot && !found.damaged);
	recovered_done(&found);
	recorder_unmap(&file);
	ck_assert_int_eq(recorder_map(desk.directory, &elsewhere, &elsewhere, &file, &place), 0);
	ck_assert_int_eq(recover_read(&file, &place, &found), 0);
	ck_assert(found.moved && !found.same_boot);
	recovered_done(&found);
	recorder_unmap(&file);
	copy_over();
	desk_recover(&file, &found);
	ck_assert(found.moved && found.same_boot && !found.damaged);
	recovered_done(&found);
	recorder_unmap(&file);
	desk_done();
}
END_TEST

CHECK_MAIN(recorder, a_new_recorder_is_zero_but_for_its_first_page_and_is_ours_alone,
	   records_are_read_once_in_their_order, what_is_no_record_before_the_tail_is_damage,
	   a_first_file_begins_with_what_was_packed,
	   the_next_file_is_made_ahead_when_it_can_be_seen_that_it_will_be_needed,
	   a_start_replaces_and_erases_what_was_there, what_is_kept_under_another_name_is_not_erased,
	   a_clean_end_leaves_nothing_to_be_read, what_is_kept_aside_never_takes_anothers_place,
	   whatever_is_there_can_be_looked_at, what_was_looked_at_stays_whatever_becomes_of_the_file,
	   a_copy_and_another_machine_are_seen)
