/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"

int store_init(Store *store, const char *directory)
{
	*store = (Store){ .directory = strdup(directory), .lock = -EBADF, .tree = -EBADF };
	return store->directory ? 0 : -ENOMEM;
}

void store_done(Store *store)
{
	fd_close(store->tree);
	fd_close(store->lock);
	free(store->directory);
	*store = (Store){ .lock = -EBADF, .tree = -EBADF };
}

char *store_path(const Store *store, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", store->directory, name) < 0 ? NULL : path;
}

static pid_t holder_of(int fd)
{
	char text[24];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	if (n <= 0)
		return 0;
	text[n] = '\0';
	return (pid_t)strtol(text, NULL, 10);
}

static int write_holder(int fd)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%d\n", (int)getpid());

	if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)n, 0) != n)
		return -errno;
	return 0;
}

static int close_directory(const char *path)
{
	struct stat status;

	if (stat(path, &status) < 0)
		return -errno;
	if ((status.st_mode & 0077) == 0)
		return 0;
	return chmod(path, 0700) < 0 ? -errno : 0;
}

int store_acquire(Store *store, pid_t *ret_holder)
{
	_cleanup_close_ int fd = -EBADF;
	_cleanup_free_ char *path = store_path(store, "lock");
	int r;

	if (!path)
		return -ENOMEM;
	r = make_directories(store->directory, 0700);
	if (r < 0)
		return r;
	/* secrets stand in it: what somebody else may look into is closed, where it is ours */
	r = close_directory(store->directory);
	if (r < 0)
		return r;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return -errno;
		*ret_holder = holder_of(fd);
		return -EBUSY;
	}
	r = write_holder(fd);
	if (r < 0)
		return r;
	store->lock = take_fd(fd);
	return 0;
}

int store_acquire_tree(Store *store)
{
	_cleanup_close_ int fd = -EBADF;
	_cleanup_free_ char *path = store_path(store, "tree");

	if (!path)
		return -ENOMEM;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	store->tree = take_fd(fd);
	return 0;
}
