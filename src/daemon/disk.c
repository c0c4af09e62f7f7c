/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/disk.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/io.h"
#include "base/point.h"

int disk_write(int fd, const void *data, size_t size, off_t offset)
{
	const uint8_t *at = data;
	ssize_t n;

	while (size > 0) {
		errno = POINT_FAULT("write");
		n = errno == 0 ? pwrite(fd, at, size, offset) : -1;
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -ENOSPC;
		at += n;
		size -= (size_t)n;
		offset += n;
	}
	return 0;
}

ssize_t disk_read(int fd, void *data, size_t size, off_t offset)
{
	size_t found = 0;
	ssize_t n;

	while (found < size) {
		n = pread(fd, (uint8_t *)data + found, size - found, offset + (off_t)found);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		found += (size_t)n;
	}
	return (ssize_t)found;
}

/* Only EINTR says that nothing was decided; whatever else a sync says is said once. */
#define SYNC(call)                                     \
	({                                             \
		int error_;                            \
                                                       \
		do {                                   \
			error_ = POINT_FAULT("sync");  \
			if (error_ == 0 && (call) < 0) \
				error_ = errno;        \
		} while (error_ == EINTR);             \
		-error_;                               \
	})

int disk_sync(int fd)
{
	return SYNC(fsync(fd));
}

int disk_sync_data(int fd)
{
	return SYNC(fdatasync(fd));
}

int disk_sync_mapped(void *from, size_t size)
{
	return SYNC(msync(from, size, MS_SYNC));
}

int disk_sync_directory(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	POINT("before-directory-sync");
	return SYNC(fsync(fd));
}

static int fill(const char *path, const void *data, size_t size, mode_t mode)
{
	_cleanup_close_ int fd = -EBADF;
	int r;

	if (unlink(path) < 0 && errno != ENOENT)
		return -errno;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return -errno;
	r = disk_write(fd, data, size, 0);
	return r < 0 ? r : disk_sync(fd);
}

int disk_replace(const char *path, const void *data, size_t size, mode_t mode)
{
	const char *slash = strrchr(path, '/');
	char directory[PATH_MAX], temporary[PATH_MAX];
	int r;

	if (!slash || snprintf(temporary, sizeof(temporary), "%s.new", path) >= (int)sizeof(temporary))
		return -EINVAL;
	snprintf(directory, sizeof(directory), "%.*s", (int)(slash - path), path);
	r = fill(temporary, data, size, mode);
	if (r >= 0) {
		POINT("before-rename");
		r = rename(temporary, path) < 0 ? -errno : 0;
	}
	if (r < 0) {
		unlink(temporary);
		return r;
	}
	POINT("after-rename");
	return disk_sync_directory(directory);
}
