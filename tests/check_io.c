/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/check_main.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/io.h"
#include "tests/scratch.h"

static void expect_file(const char *name, const char *text)
{
	_cleanup_buffer_ Buffer buffer = { 0 };

	ck_assert_int_eq(read_file(scratch_path(name), 1 << 20, &buffer), 0);
	ck_assert_uint_eq(buffer.size, strlen(text));
	ck_assert(buffer.size == 0 || memcmp(buffer.data, text, buffer.size) == 0);
}

static unsigned count_entries(void)
{
	DIR *directory = opendir(scratch_path("."));
	unsigned n = 0;

	ck_assert_ptr_nonnull(directory);
	for (struct dirent *entry = readdir(directory); entry; entry = readdir(directory))
		n += entry->d_name[0] != '.' || (entry->d_name[1] && entry->d_name[1] != '.');
	closedir(directory);
	return n;
}

static int put(const char *name, const char *text, int mode)
{
	return write_file_atomic(scratch_path(name), text, strlen(text), mode);
}

static int put_once(const char *name, const char *text)
{
	return write_file_once(scratch_path(name), text, strlen(text), 0644);
}

START_TEST(closing_keeps_errno_and_bears_no_descriptor)
{
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	errno = EXDEV;
	ck_assert_int_eq(fd_close(ends[0]), -EBADF);
	ck_assert_int_eq(fd_close(-EBADF), -EBADF);
	ck_assert_int_eq(errno, EXDEV);
	ck_assert_int_eq(fcntl(ends[0], F_GETFD), -1);
	fd_close(ends[1]);
}
END_TEST

START_TEST(flags_of_a_descriptor_are_set_and_cleared)
{
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	for (int on = 1; on >= 0; on--)
		for (int twice = 0; twice < 2; twice++) {
			ck_assert_int_eq(fd_nonblock(ends[0], on), 0);
			ck_assert_int_eq(!!(fcntl(ends[0], F_GETFL) & O_NONBLOCK), on);
			ck_assert_int_eq(fd_cloexec(ends[0], on), 0);
			ck_assert_int_eq(!!(fcntl(ends[0], F_GETFD) & FD_CLOEXEC), on);
		}
	fd_close(ends[0]);
	fd_close(ends[1]);
	ck_assert_int_eq(fd_nonblock(ends[0], true), -EBADF);
	ck_assert_int_eq(fd_cloexec(ends[0], true), -EBADF);
}
END_TEST

static void *drain(void *fd)
{
	static char data[1 << 16];
	size_t *total = calloc(1, sizeof(*total));
	ssize_t n;

	while ((n = read(*(int *)fd, data, sizeof(data))) > 0)
		*total += (size_t)n;
	return total;
}

START_TEST(write_all_waits_where_a_descriptor_is_full)
{
	size_t size = 4 << 20;
	_cleanup_free_ char *data = calloc(1, size);
	int ends[2];
	pthread_t reader;
	void *total;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	ck_assert_int_eq(fd_nonblock(ends[1], true), 0);
	ck_assert_int_eq(pthread_create(&reader, NULL, drain, &ends[0]), 0);
	ck_assert_int_eq(write_all(ends[1], data, size), 0);
	fd_close(ends[1]);
	pthread_join(reader, &total);
	ck_assert_uint_eq(*(size_t *)total, size);
	free(total);
	fd_close(ends[0]);
}
END_TEST

START_TEST(write_all_says_that_nobody_reads)
{
	int ends[2];

	signal(SIGPIPE, SIG_IGN);
	ck_assert_int_eq(pipe(ends), 0);
	fd_close(ends[0]);
	ck_assert_int_eq(write_all(ends[1], "x", 1), -EPIPE);
	ck_assert_int_eq(write_all(ends[1], "", 0), 0);
	fd_close(ends[1]);
}
END_TEST

START_TEST(a_file_is_read_up_to_the_limit)
{
	_cleanup_buffer_ Buffer buffer = { 0 };
	_cleanup_free_ char *text = calloc(1, 100001);

	scratch_reset();
	memset(text, 'x', 100000);
	ck_assert_int_eq(put("file", text, 0644), 1);
	ck_assert_int_eq(read_file(scratch_path("file"), 99999, &buffer), -EFBIG);
	buffer_clear(&buffer);
	buffer_text(&buffer, "before");
	ck_assert_int_eq(read_file(scratch_path("file"), 100000, &buffer), 0);
	ck_assert_uint_eq(buffer.size, 100006);
	ck_assert_mem_eq(buffer.data, "beforexxx", 9);
	ck_assert_int_eq(read_file(scratch_path("missing"), 10, &buffer), -ENOENT);
	ck_assert_int_eq(read_file(scratch_path("."), 10, &buffer), -EISDIR);
}
END_TEST

START_TEST(an_endless_source_is_cut_off)
{
	_cleanup_buffer_ Buffer buffer = { 0 };

	ck_assert_int_eq(read_file("/dev/zero", 1 << 20, &buffer), -EFBIG);
	ck_assert_uint_le(buffer.size, 1 << 20);
}
END_TEST

START_TEST(a_file_is_written_only_if_its_bytes_differ)
{
	struct stat before, after;

	scratch_reset();
	ck_assert_int_eq(put("a", "one", 0644), 1);
	ck_assert_int_eq(stat(scratch_path("a"), &before), 0);
	ck_assert_int_eq(put("a", "one", 0644), 0);
	ck_assert_int_eq(stat(scratch_path("a"), &after), 0);
	ck_assert_uint_eq(before.st_ino, after.st_ino);
	ck_assert_int_eq(put("a", "two", 0644), 1);
	expect_file("a", "two");
	ck_assert_int_eq(put("a", "longer", 0644), 1);
	expect_file("a", "longer");
	ck_assert_int_eq(put("a", "", 0644), 1);
	expect_file("a", "");
	ck_assert_int_eq(put("a", "", 0644), 0);
	ck_assert_uint_eq(count_entries(), 1);
}
END_TEST

START_TEST(an_empty_file_is_written_where_there_is_none)
{
	scratch_reset();
	ck_assert_int_eq(put("empty", "", 0644), 1);
	expect_file("empty", "");
}
END_TEST

START_TEST(a_written_file_has_the_mode_that_was_asked_for)
{
	struct stat found;

	scratch_reset();
	umask(022);
	ck_assert_int_eq(put("private", "x", 0600), 1);
	ck_assert_int_eq(put("program", "x", 0777), 1);
	ck_assert_int_eq(stat(scratch_path("private"), &found), 0);
	ck_assert_uint_eq(found.st_mode & 0777, 0600);
	ck_assert_int_eq(stat(scratch_path("program"), &found), 0);
	ck_assert_uint_eq(found.st_mode & 0777, 0755);
}
END_TEST

START_TEST(who_has_the_old_file_open_keeps_the_old_bytes)
{
	_cleanup_buffer_ Buffer buffer = { 0 };
	int fd;

	scratch_reset();
	ck_assert_int_eq(put("a", "old", 0644), 1);
	fd = open(scratch_path("a"), O_RDONLY);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(put("a", "new", 0644), 1);
	ck_assert_int_eq(read_fd(fd, 10, &buffer), 0);
	ck_assert_mem_eq(buffer.data, "old", 3);
	expect_file("a", "new");
	fd_close(fd);
}
END_TEST

START_TEST(a_write_that_fails_leaves_nothing_behind)
{
	scratch_reset();
	ck_assert_int_eq(put("none/a", "x", 0644), -ENOENT);
	ck_assert_int_eq(mkdir(scratch_path("directory"), 0755), 0);
	ck_assert_int_eq(put("directory", "x", 0644), -EISDIR);
	ck_assert_int_eq(put_once("directory", "x"), -EEXIST);
	ck_assert_uint_eq(count_entries(), 1);
}
END_TEST

START_TEST(a_full_disk_is_reported_and_the_old_file_stays)
{
	_cleanup_buffer_ Buffer big = { 0 };

	scratch_reset();
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(put("a", "old", 0644), 1);
	ck_assert_ptr_nonnull(buffer_reserve(&big, 1 << 20));
	memset(big.data, 'x', 1 << 20);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 4096, RLIM_INFINITY }), 0);
	ck_assert_int_eq(write_file_atomic(scratch_path("a"), big.data, 1 << 20, 0644), -EFBIG);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){ RLIM_INFINITY, RLIM_INFINITY }), 0);
	expect_file("a", "old");
	ck_assert_uint_eq(count_entries(), 1);
}
END_TEST

START_TEST(a_file_that_exists_is_never_written_once_more)
{
	scratch_reset();
	ck_assert_int_eq(put_once("hook.c", "mine"), 0);
	ck_assert_int_eq(put_once("hook.c", "other"), -EEXIST);
	expect_file("hook.c", "mine");
	ck_assert_int_eq(symlink("nowhere", scratch_path("link")), 0);
	ck_assert_int_eq(put_once("link", "x"), -EEXIST);
	ck_assert_int_eq(access(scratch_path("nowhere"), F_OK), -1);
	ck_assert_uint_eq(count_entries(), 2);
}
END_TEST

START_TEST(directories_are_made_as_far_as_they_are_missing)
{
	struct stat found;

	scratch_reset();
	ck_assert_int_eq(make_directories(scratch_path("a/b/c"), 0750), 0);
	ck_assert_int_eq(stat(scratch_path("a/b/c"), &found), 0);
	ck_assert(S_ISDIR(found.st_mode));
	ck_assert_uint_eq(found.st_mode & 0777, 0750);
	ck_assert_int_eq(make_directories(scratch_path("a/b/c"), 0750), 0);
	ck_assert_int_eq(make_directories(scratch_path("a//d/"), 0750), 0);
	ck_assert_int_eq(stat(scratch_path("a/d"), &found), 0);
	ck_assert_int_eq(make_directories("/", 0755), 0);
	ck_assert_int_eq(make_directories("", 0755), -ENOENT);
}
END_TEST

START_TEST(a_file_in_the_way_of_a_directory_is_reported)
{
	scratch_reset();
	ck_assert_int_eq(put("file", "x", 0644), 1);
	ck_assert_int_eq(make_directories(scratch_path("file"), 0755), -ENOTDIR);
	ck_assert_int_eq(make_directories(scratch_path("file/a"), 0755), -ENOTDIR);
}
END_TEST

CHECK_MAIN(io, closing_keeps_errno_and_bears_no_descriptor, flags_of_a_descriptor_are_set_and_cleared,
	   write_all_waits_where_a_descriptor_is_full, write_all_says_that_nobody_reads, a_file_is_read_up_to_the_limit,
	   an_endless_source_is_cut_off, a_file_is_written_only_if_its_bytes_differ,
	   an_empty_file_is_written_where_there_is_none, a_written_file_has_the_mode_that_was_asked_for,
	   who_has_the_old_file_open_keeps_the_old_bytes, a_write_that_fails_leaves_nothing_behind,
	   a_full_disk_is_reported_and_the_old_file_stays, a_file_that_exists_is_never_written_once_more,
	   directories_are_made_as_far_as_they_are_missing, a_file_in_the_way_of_a_directory_is_reported)
