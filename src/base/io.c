/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/io.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/ids.h"

#define READ_STEP 16384

int fd_close(int fd)
{
	int saved = errno;

	if (fd >= 0)
		close(fd); /* never repeated: on Linux the descriptor is gone even where it says EINTR */
	errno = saved;
	return -EBADF;
}

static int fd_flag(int fd, int get, int set, int flag, bool on)
{
	int flags = fcntl(fd, get);

	if (flags < 0)
		return -errno;
	if (!!(flags & flag) == on)
		return 0;
	return fcntl(fd, set, on ? flags | flag : flags & ~flag) < 0 ? -errno : 0;
}

int fd_nonblock(int fd, bool on)
{
	return fd_flag(fd, F_GETFL, F_SETFL, O_NONBLOCK, on);
}

int fd_cloexec(int fd, bool on)
{
	return fd_flag(fd, F_GETFD, F_SETFD, FD_CLOEXEC, on);
}

static int wait_writable(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };

	return poll(&poll_fd, 1, -1) < 0 && errno != EINTR ? -errno : 0;
}

int write_all(int fd, const void *data, size_t size)
{
	const char *at = data;

	while (size > 0) {
		ssize_t n = write(fd, at, size);

		if (n >= 0) {
			at += n;
			size -= (size_t)n;
		} else if (errno == EAGAIN) {
			int r = wait_writable(fd);

			if (r < 0)
				return r;
		} else if (errno != EINTR)
			return -errno;
	}
	return 0;
}

int read_fd(int fd, size_t max, Buffer *buffer)
{
	size_t begin = buffer->size;

	for (;;) {
		size_t room = MIN(max - (buffer->size - begin), (size_t)READ_STEP);
		uint8_t *at = buffer_reserve(buffer, room + 1);
		ssize_t n;

		if (!at)
			return -ENOMEM;
		n = read(fd, at, room + 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		if (buffer->size - begin + (size_t)n > max)
			return -EFBIG;
		buffer->size += (size_t)n;
	}
}

static int open_retry(const char *path, int flags, mode_t mode)
{
	int fd;

	do
		fd = open(path, flags | O_CLOEXEC, mode);
	while (fd < 0 && errno == EINTR);
	return fd < 0 ? -errno : fd;
}

int read_file(const char *path, size_t max, Buffer *buffer)
{
	_cleanup_close_ int fd = open_retry(path, O_RDONLY, 0);

	return fd < 0 ? fd : read_fd(fd, max, buffer);
}

/* Whether the file at `path` holds these very bytes; 0 also where there is no such file. */
static int file_holds(const char *path, const void *data, size_t size)
{
	_cleanup_buffer_ Buffer found = { 0 };
	int r = read_file(path, size, &found);

	if (r == -ENOENT || r == -EFBIG)
		return 0;
	if (r < 0)
		return r;
	return found.size == size && (size == 0 || memcmp(found.data, data, size) == 0);
}

static int temporary_name(const char *path, char ret[static PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	int directory = slash ? (int)(slash + 1 - path) : 0;
	char text[ID_TEXT_SIZE];
	Id id;
	int r = id_random(&id);

	if (r < 0)
		return r;
	id_format(&id, text);
	r = snprintf(ret, PATH_MAX, "%.*s.%s.%.8s", directory, path, path + directory, text);
	return r < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int fill_file(const char *path, const void *data, size_t size, int mode)
{
	_cleanup_close_ int fd = open_retry(path, O_WRONLY | O_CREAT | O_EXCL, (mode_t)mode);
	int r;

	if (fd < 0)
		return fd;
	r = write_all(fd, data, size);
	/* Some file systems say only here that the bytes did not fit. */
	if (close(take_fd(fd)) < 0 && errno != EINTR && r == 0)
		r = -errno;
	if (r < 0)
		unlink(path);
	return r;
}

int write_file_atomic(const char *path, const void *data, size_t size, int mode)
{
	char temporary[PATH_MAX];
	int r = file_holds(path, data, size);

	if (r != 0)
		return r < 0 ? r : 0;
	r = temporary_name(path, temporary);
	if (r < 0)
		return r;
	r = fill_file(temporary, data, size, mode);
	if (r < 0)
		return r;
	if (rename(temporary, path) < 0) {
		r = -errno;
		unlink(temporary);
		return r;
	}
	return 1;
}

int write_file_once(const char *path, const void *data, size_t size, int mode)
{
	char temporary[PATH_MAX];
	struct stat found;
	int r;

	if (lstat(path, &found) == 0)
		return -EEXIST;
	r = temporary_name(path, temporary);
	if (r < 0)
		return r;
	r = fill_file(temporary, data, size, mode);
	if (r < 0)
		return r;
	/* Unlike rename(), link() never replaces a file that came meanwhile. */
	r = link(temporary, path) < 0 ? -errno : 0;
	unlink(temporary);
	return r;
}

static int make_directory(const char *path, int mode)
{
	struct stat found;

	if (mkdir(path, (mode_t)mode) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	if (stat(path, &found) < 0)
		return -errno;
	return S_ISDIR(found.st_mode) ? 0 : -ENOTDIR;
}

int make_directories(const char *path, int mode)
{
	char part[PATH_MAX];
	size_t size = strlen(path);

	if (size == 0)
		return -ENOENT;
	if (size >= sizeof(part))
		return -ENAMETOOLONG;
	for (size_t i = 1; i <= size; i++) {
		int r;

		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		r = make_directory(part, mode);
		if (r < 0)
			return r;
	}
	return 0;
}
