/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Syncs, with a disk of the test's own: msync() is held up until the test lets it end, and says what the test wants. */
#include "recorder_desk.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>

#define PAGE 4096U

static struct Disk {
	pthread_mutex_t mutex;
	pthread_cond_t change;
	bool closed; /* syncs wait */
	unsigned n_begun, n_ended;
	int error; /* of the next one; 0: none */
	size_t from, to;
	bool whole; /* the signals of whoever syncs are all blocked */
	int flags;
} disk = { .mutex = PTHREAD_MUTEX_INITIALIZER, .change = PTHREAD_COND_INITIALIZER };

static bool signals_are_blocked(void)
{
	sigset_t blocked;

	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	return sigismember(&blocked, SIGTERM) && sigismember(&blocked, SIGCHLD) && sigismember(&blocked, SIGINT) &&
	       sigismember(&blocked, SIGALRM);
}

int msync(void *address, size_t size, int flags)
{
	int error;

	pthread_mutex_lock(&disk.mutex);
	disk.from = (size_t)((uint8_t *)address - desk.recorder.file.base);
	disk.to = disk.from + size;
	disk.flags = flags;
	disk.whole = signals_are_blocked();
	disk.n_begun++;
	pthread_cond_broadcast(&disk.change);
	while (disk.closed)
		pthread_cond_wait(&disk.change, &disk.mutex);
	disk.n_ended++;
	error = TAKE(disk.error, 0);
	pthread_mutex_unlock(&disk.mutex);
	errno = error;
	return error ? -1 : 0;
}

static void disk_close(bool closed)
{
	pthread_mutex_lock(&disk.mutex);
	disk.closed = closed;
	pthread_cond_broadcast(&disk.change);
	pthread_mutex_unlock(&disk.mutex);
}

static void disk_wait_begun(unsigned n)
{
	pthread_mutex_lock(&disk.mutex);
	while (disk.n_begun < n)
		pthread_cond_wait(&disk.change, &disk.mutex);
	pthread_mutex_unlock(&disk.mutex);
}

static unsigned disk_begun(void)
{
	unsigned n;

	pthread_mutex_lock(&disk.mutex);
	n = disk.n_begun;
	pthread_mutex_unlock(&disk.mutex);
	return n;
}

static void open_quiet(void)
{
	desk_open();
	disk.n_begun = disk.n_ended = 0;
}

static void write_and_read(size_t size)
{
	desk_note_of(size);
	ck_assert_str_eq(desk_read(), "3");
}

START_TEST(a_sync_covers_whole_pages_from_what_is_synced_to_what_was_read)
{
	size_t first;

	open_quiet();
	ck_assert_int_eq(disk_begun(), 0);
	write_and_read(100);
	first = desk.recorder.position;
	desk_note_of(100); /* written, not read */
	ck_assert_uint_lt(recorder_synced(&desk.recorder), first);
	ck_assert_int_eq(desk_sync(), 0);
	ck_assert_uint_eq(disk.from, PAGE);
	ck_assert_uint_eq(disk.to, first);
	ck_assert_int_eq(disk.flags, MS_SYNC);
	ck_assert(disk.whole);
	ck_assert_uint_eq(recorder_synced(&desk.recorder), first);
	ck_assert_str_eq(desk_read(), "3");
	write_and_read(3 * PAGE);
	ck_assert_int_eq(desk_sync(), 0);
	ck_assert_uint_eq(disk.from, PAGE);
	ck_assert_uint_eq(disk.to, desk.recorder.position);
	write_and_read(10);
	ck_assert_int_eq(desk_sync(), 0);
	ck_assert_uint_eq(disk.from, 4 * PAGE);
	ck_assert_uint_eq(desk.recorder.n_syncs, 3);
	desk_done();
}
END_TEST

START_TEST(what_is_synced_is_not_synced_again)
{
	open_quiet();
	recorder_sync(&desk.recorder);
	write_and_read(10);
	ck_assert_int_eq(desk_sync(), 0);
	recorder_sync(&desk.recorder);
	write_and_read(10);
	/* by the worker, meanwhile */
	atomic_store(&recorder_page(&desk.recorder)->synced, desk.recorder.position);
	recorder_sync(&desk.recorder);
	write_and_read(10);
	ck_assert_int_eq(desk_sync(), 0);
	ck_assert_uint_eq(disk_begun(), 2);
	desk_done();
}
END_TEST

START_TEST(all_wishes_during_one_sync_are_one_more)
{
	open_quiet();
	write_and_read(10);
	disk_close(true);
	recorder_sync(&desk.recorder);
	disk_wait_begun(1);
	for (unsigned i = 0; i < 100; i++) {
		write_and_read(10);
		recorder_sync(&desk.recorder);
	}
	ck_assert_uint_eq(disk_begun(), 1);
	disk_close(false);
	while (recorder_synced(&desk.recorder) < desk.recorder.position)
		desk_wait();
	ck_assert_uint_eq(disk_begun(), 2);
	ck_assert_uint_eq(disk.to, desk.recorder.position);
	while (desk.recorder.n_syncs < 2)
		desk_wait();
	desk_done();
}
END_TEST

START_TEST(what_the_worker_has_synced_further_is_not_taken_back)
{
	size_t further;

	open_quiet();
	write_and_read(10);
	disk_close(true);
	recorder_sync(&desk.recorder);
	disk_wait_begun(1);
	write_and_read(1000);
	further = desk.recorder.position;
	atomic_store(&recorder_page(&desk.recorder)->synced, further);
	disk_close(false);
	while (desk.n_synced == 0)
		desk_wait();
	ck_assert_uint_eq(recorder_synced(&desk.recorder), further);
	desk_done();
}
END_TEST

START_TEST(nobody_is_believed_to_have_synced_what_was_not_read)
{
	open_quiet();
	write_and_read(10);
	atomic_store(&recorder_page(&desk.recorder)->synced, UINT64_MAX);
	ck_assert_uint_eq(recorder_synced(&desk.recorder), desk.recorder.position);
	desk_done();
}
END_TEST

START_TEST(after_a_failed_sync_the_file_is_synced_no_more_and_nothing_behind_it_is_believed)
{
	size_t believed;

	open_quiet();
	write_and_read(10);
	ck_assert_int_eq(desk_sync(), 0);
	believed = desk.recorder.position;
	write_and_read(10);
	disk.error = EIO;
	ck_assert_int_eq(desk_sync(), -EIO);
	ck_assert_uint_eq(recorder_synced(&desk.recorder), believed);
	write_and_read(10);
	recorder_sync(&desk.recorder);
	/* a worker whose sync said nothing of it */
	atomic_store(&recorder_page(&desk.recorder)->synced, desk.recorder.position);
	ck_assert_uint_eq(recorder_synced(&desk.recorder), believed);
	ck_assert_int_eq(desk_renew(NULL, 0, 0), 0);
	ck_assert_uint_eq(disk_begun(), 3); /* the last one was the new file's */
	write_and_read(10);
	ck_assert_int_eq(desk_sync(), 0);
	ck_assert_uint_eq(recorder_synced(&desk.recorder), desk.recorder.position);
	desk_done();
}
END_TEST

START_TEST(wishes_during_a_sync_that_fails_are_dropped)
{
	open_quiet();
	write_and_read(10);
	disk_close(true);
	recorder_sync(&desk.recorder);
	disk_wait_begun(1);
	write_and_read(10);
	recorder_sync(&desk.recorder);
	disk.error = ENOSPC;
	disk_close(false);
	ck_assert_int_eq(poll(&(struct pollfd){ .fd = recorder_event_fd(&desk.recorder), .events = POLLIN }, 1, -1), 1);
	write_and_read(10);
	recorder_sync(&desk.recorder); /* it is not known here yet */
	while (desk.n_synced == 0)
		desk_wait();
	ck_assert_int_eq(desk.synced, -ENOSPC);
	ck_assert_int_eq(desk_renew(NULL, 0, 0), 0);
	ck_assert_uint_eq(disk_begun(), 2);
	ck_assert_uint_eq(desk.n_synced, 1);
	desk_done();
}
END_TEST

START_TEST(where_the_worker_says_that_a_sync_failed_none_is_tried)
{
	open_quiet();
	write_and_read(10);
	atomic_store(&recorder_page(&desk.recorder)->failed, EIO);
	recorder_sync(&desk.recorder);
	ck_assert_int_eq(desk_renew(NULL, 0, 0), 0);
	ck_assert_uint_eq(disk_begun(), 1); /* the new file's */
	desk_done();
}
END_TEST

START_TEST(a_sync_that_was_interrupted_is_begun_anew)
{
	open_quiet();
	write_and_read(10);
	disk.error = EINTR;
	ck_assert_int_eq(desk_sync(), 0);
	ck_assert_uint_eq(disk_begun(), 2);
	ck_assert_uint_eq(desk.n_synced, 1);
	desk_done();
}
END_TEST

START_TEST(a_renewal_waits_for_the_sync_and_nothing_is_synced_until_it_has_ended)
{
	open_quiet();
	write_and_read(10);
	disk_close(true);
	recorder_sync(&desk.recorder);
	disk_wait_begun(1);
	ck_assert_int_eq(recorder_renew(&desk.recorder, NULL, 0, 0), 0);
	recorder_sync(&desk.recorder);
	disk_close(false);
	while (desk.n_renewed == 0)
		desk_wait();
	ck_assert_uint_eq(desk.n_synced, 1);
	ck_assert_int_eq(desk.synced, 0);
	ck_assert_int_eq(desk.renewed, 0);
	ck_assert_uint_eq(disk_begun(), 2);
	desk_done();
}
END_TEST

START_TEST(what_a_failed_sync_left_is_not_used_again)
{
	struct stat failed, status;
	int fd;

	open_quiet();
	fd = open(desk_file("recorder"), O_RDONLY | O_CLOEXEC); /* so that nobody gets its inode */
	ck_assert_int_eq(fstat(fd, &failed), 0);
	write_and_read(10);
	disk.error = EIO;
	ck_assert_int_eq(desk_sync(), -EIO);
	for (unsigned i = 0; i < 4; i++) {
		ck_assert_int_eq(desk_renew(NULL, 0, 0), 0);
		ck_assert_int_eq(stat(desk_file("recorder"), &status), 0);
		ck_assert_uint_ne(status.st_ino, failed.st_ino);
		recorder_recycle(&desk.recorder);
	}
	close(fd);
	desk_done();
}
END_TEST

START_TEST(the_end_does_not_wait_for_wishes)
{
	open_quiet();
	write_and_read(10);
	disk_close(true);
	recorder_sync(&desk.recorder);
	disk_wait_begun(1);
	write_and_read(10);
	recorder_sync(&desk.recorder);
	disk_close(false);
	desk_done();
	ck_assert_uint_ge(disk_begun(), 1);
}
END_TEST

CHECK_MAIN(recorder_sync, a_sync_covers_whole_pages_from_what_is_synced_to_what_was_read,
	   what_is_synced_is_not_synced_again, all_wishes_during_one_sync_are_one_more,
	   what_the_worker_has_synced_further_is_not_taken_back, nobody_is_believed_to_have_synced_what_was_not_read,
	   after_a_failed_sync_the_file_is_synced_no_more_and_nothing_behind_it_is_believed,
	   wishes_during_a_sync_that_fails_are_dropped, where_the_worker_says_that_a_sync_failed_none_is_tried,
	   a_sync_that_was_interrupted_is_begun_anew,
	   a_renewal_waits_for_the_sync_and_nothing_is_synced_until_it_has_ended,
	   what_a_failed_sync_left_is_not_used_again, the_end_does_not_wait_for_wishes)
