/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recorder_desk.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>

#define SIZE DESK_SIZE

START_TEST(a_new_file_begins_with_what_is_kept_of_the_old_one)
{
	RecorderKept kept[2] = { 0 };
	RecordStart start;
	uint32_t number;
	Record record;

	desk_open();
	number = desk.recorder.number;
	desk_start(1);
	desk_finish(1);
	desk_read();
	kept[0] = (RecorderKept){ .offset = RECORD_PAGE_SIZE, .size = desk.recorder.position - RECORD_PAGE_SIZE };
	desk_start(2);
	desk_finish(2);
	desk_read();
	kept[1].offset = desk.recorder.position;
	desk_start(3);
	desk_note();
	desk_read();
	kept[1].size = desk.recorder.position - kept[1].offset;
	ck_assert_int_eq(desk_renew(kept, 2, 100), 0);
	ck_assert_uint_ne(desk.recorder.number, number);
	ck_assert_uint_eq(kept[0].ret_offset, RECORD_PAGE_SIZE);
	ck_assert_uint_eq(kept[1].ret_offset, kept[0].ret_offset + kept[0].size);
	ck_assert_uint_eq(desk.recorder.begin, kept[1].ret_offset + kept[1].size);
	ck_assert_str_eq(desk_kinds(RECORD_PAGE_SIZE, desk.recorder.position), "1613");
	ck_assert_int_eq(record_read(desk.recorder.file.base, desk.recorder.position, kept[1].ret_offset,
				     desk.recorder.number, RECORD_SEQUENCE_ANY, &record),
			 0);
	ck_assert_int_eq(record_decode_start(&record, &start), 0);
	ck_assert_uint_eq(start.run.bytes[0], 3);
	ck_assert_str_eq(desk_read(), ""); /* they were read already */
	ck_assert_uint_eq(recorder_synced(&desk.recorder), desk.recorder.position);
	desk_finish(3);
	ck_assert_str_eq(desk_read(), "6");
	ck_assert_uint_eq(desk.recorder.n_renewals, 1);
	desk_done();
}
END_TEST

START_TEST(what_is_packed_and_what_is_not_are_kept_together)
{
	_cleanup_buffer_ Buffer packed = { 0 };
	RecorderKept kept[3] = { 0 };

	desk_open();
	desk_pack_run(&packed, 7);
	desk_start(1);
	desk_read();
	kept[0] = (RecorderKept){ .packed = packed.data, .packed_size = packed.size };
	kept[2] = (RecorderKept){ .offset = RECORD_PAGE_SIZE, .size = desk.recorder.position - RECORD_PAGE_SIZE };
	ck_assert_int_eq(desk_renew(kept, 3, 0), 0);
	ck_assert_uint_eq(kept[2].ret_offset, kept[1].ret_offset); /* of nothing, there is nothing */
	ck_assert_str_eq(desk_kinds(kept[0].ret_offset, kept[1].ret_offset), "16");
	ck_assert_str_eq(desk_kinds(kept[2].ret_offset, desk.recorder.position), "1");
	desk_done();
}
END_TEST

START_TEST(what_does_not_hold_is_not_carried_over)
{
	_cleanup_buffer_ Buffer packed = { 0 };
	RecorderKept kept;

	desk_open();
	desk_start(1);
	desk_note();
	desk_read();
	kept = (RecorderKept){ .offset = RECORD_PAGE_SIZE, .size = desk.recorder.position - RECORD_PAGE_SIZE - 8 };
	ck_assert_int_eq(desk_renew(&kept, 1, 0), -EBADMSG);
	kept = (RecorderKept){ .offset = RECORD_PAGE_SIZE, .size = desk.recorder.position };
	ck_assert_int_eq(desk_renew(&kept, 1, 0), -EBADMSG);
	kept = (RecorderKept){ .offset = 0, .size = desk.recorder.position };
	ck_assert_int_eq(desk_renew(&kept, 1, 0), -EBADMSG);
	desk_pack_run(&packed, 7);
	kept = (RecorderKept){ .packed = packed.data, .packed_size = packed.size - 8 };
	ck_assert_int_eq(desk_renew(&kept, 1, 0), -EBADMSG);
	desk.recorder.file.base[RECORD_PAGE_SIZE + RECORD_HEADER_SIZE] ^= 1;
	kept = (RecorderKept){ .offset = RECORD_PAGE_SIZE, .size = desk.recorder.position - RECORD_PAGE_SIZE };
	ck_assert_int_eq(desk_renew(&kept, 1, 0), -EBADMSG);
	ck_assert(!desk.recorder.renewing);
	desk_done();
}
END_TEST

START_TEST(nothing_is_read_beyond_the_end_of_a_file)
{
	RecorderKept kept = { .offset = RECORD_PAGE_SIZE };

	desk_open();
	desk_note_of(record_room(&desk.recorder.file) - record_note_size(1, 0));
	desk_read();
	ck_assert_uint_eq(desk.recorder.position, SIZE);
	for (kept.size = 4 * SIZE; kept.size > SIZE - RECORD_PAGE_SIZE; kept.size -= RECORD_PAGE_SIZE)
		ck_assert_int_eq(desk_renew(&kept, 1, 0), -EBADMSG);
	ck_assert_int_eq(desk_renew(&kept, 1, 0), 0);
	desk_done();
}
END_TEST

START_TEST(files_take_turns_and_each_is_zero_when_it_is_new)
{
	desk_open();
	for (unsigned turn = 0; turn < 6; turn++) {
		for (unsigned i = 0; i < 50 + 200 * turn; i++)
			desk_note();
		desk_read();
		/* a record that its writer did not come to publish */
		memset(desk.recorder.file.base + SIZE - 100, 'x', 50);
		desk_renew_empty();
		if (turn % 3 != 0)
			recorder_recycle(&desk.recorder);
	}
	desk_done();
}
END_TEST

START_TEST(two_files_are_enough_where_the_worker_follows)
{
	ino_t inodes[2] = { 0 };
	struct stat status;

	desk_open();
	for (unsigned turn = 0; turn < 6; turn++) {
		desk_note();
		desk_read();
		desk_renew_empty();
		recorder_recycle(&desk.recorder);
		ck_assert_int_eq(stat(desk_file("recorder"), &status), 0);
		if (turn >= 2)
			ck_assert_uint_eq(status.st_ino, inodes[turn % 2]);
		inodes[turn % 2] = status.st_ino;
	}
	ck_assert_uint_ne(inodes[0], inodes[1]);
	desk_done();
}
END_TEST

START_TEST(what_the_worker_may_still_have_is_not_touched)
{
	RecordFile old;
	int fd;

	desk_open();
	desk_note();
	desk_read();
	fd = open(desk_file("recorder"), O_RDWR | O_CLOEXEC);
	old = (RecordFile){ .base = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), .size = SIZE };
	ck_assert(fd >= 0 && old.base != MAP_FAILED);
	close(fd);
	desk_renew_empty();
	desk_renew_empty(); /* and not made a new one of, either */
	ck_assert_int_eq(record_page_check(&old), 0);
	ck_assert_uint_gt(atomic_load(&record_page(&old)->tail), RECORD_PAGE_SIZE);
	recorder_recycle(&desk.recorder);
	desk_renew_empty();
	recorder_recycle(&desk.recorder);
	while (memcmp(record_page(&old)->magic, RECORD_MAGIC, strlen(RECORD_MAGIC)) == 0)
		sched_yield(); /* the thread cleans it, although it has no name any more */
	munmap(old.base, old.size);
	desk_done();
}
END_TEST

START_TEST(a_run_that_is_too_large_for_the_usual_file_gets_a_larger_one)
{
	RecorderKept kept;

	desk_open();
	desk_start(1);
	desk_read();
	kept = (RecorderKept){ .offset = RECORD_PAGE_SIZE, .size = desk.recorder.position - RECORD_PAGE_SIZE };
	ck_assert_int_eq(desk_renew(&kept, 1, 10 * SIZE), 0);
	ck_assert_uint_ge(record_room(&desk.recorder.file), 10 * SIZE);
	recorder_recycle(&desk.recorder);
	kept.offset = kept.ret_offset;
	ck_assert_int_eq(desk_renew(&kept, 1, 100), 0);
	ck_assert_uint_ge(record_room(&desk.recorder.file), 100);
	recorder_recycle(&desk.recorder);
	ck_assert_int_eq(desk_renew(&kept, 1, 10 * SIZE), 0); /* of the large one, which is there still */
	ck_assert_uint_ge(record_room(&desk.recorder.file), 10 * SIZE);
	ck_assert_int_eq(desk_renew(&kept, 1, SIZE_MAX - 100), -EFBIG);
	ck_assert_int_eq(desk_renew(&kept, 1, (size_t)1 << 40), -EFBIG);
	desk_done();
}
END_TEST

START_TEST(one_renewal_is_made_at_a_time)
{
	desk_open();
	ck_assert_int_eq(recorder_renew(&desk.recorder, NULL, 0, 0), 0);
	ck_assert_int_eq(recorder_renew(&desk.recorder, NULL, 0, 0), -EBUSY);
	while (desk.n_renewed == 0)
		desk_wait();
	ck_assert_int_eq(desk.renewed, 0);
	desk_done();
}
END_TEST

START_TEST(a_new_file_that_cannot_be_made_leaves_the_old_one_in_use)
{
	RecordFile file;
	Recovered found;

	desk_open();
	desk_start(1);
	ck_assert_str_eq(desk_read(), "1");
	ck_assert_int_eq(mkdir(desk_file("recorder.new"), 0700), 0);
	ck_assert_int_eq(desk_renew(NULL, 0, 0), -EISDIR);
	desk_finish(1);
	ck_assert_str_eq(desk_read(), "6");
	ck_assert_int_eq(desk_sync(), 0);
	desk_recover(&file, &found);
	ck_assert_uint_eq(found.n, 1);
	ck_assert(found.runs[0].finished);
	recovered_done(&found);
	recorder_unmap(&file);
	ck_assert_int_eq(rmdir(desk_file("recorder.new")), 0);
	desk_renew_empty();
	desk_done();
}
END_TEST

CHECK_MAIN(recorder_renewal, a_new_file_begins_with_what_is_kept_of_the_old_one,
	   what_is_packed_and_what_is_not_are_kept_together, what_does_not_hold_is_not_carried_over,
	   nothing_is_read_beyond_the_end_of_a_file, files_take_turns_and_each_is_zero_when_it_is_new,
	   two_files_are_enough_where_the_worker_follows, what_the_worker_may_still_have_is_not_touched,
	   a_run_that_is_too_large_for_the_usual_file_gets_a_larger_one, one_renewal_is_made_at_a_time,
	   a_new_file_that_cannot_be_made_leaves_the_old_one_in_use)
