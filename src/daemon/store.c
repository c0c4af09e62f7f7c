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
#include "daemon/disk.h"

#define LOCK_NAME "lock"
#define TREE_NAME "tree"

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

	return ftruncate(fd, 0) < 0 ? -errno : disk_write(fd, text, (size_t)n, 0);
}

/* Secrets stand in it: nobody else may look into it, or put anything else in its place. */
static int own_directory(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat found;

	if (fd < 0 || fstat(fd, &found) < 0)
		return -errno;
	if (found.st_uid != geteuid())
		return -EPERM;
	return (found.st_mode & 0077) != 0 && fchmod(fd, 0700) < 0 ? -errno : 0;
}

/* That the directory is there must last as long as what is promised in it, whoever made it. */
static int sync_parent(const char *path)
{
	_cleanup_free_ char *parent = NULL;
	int r;

	if (asprintf(&parent, "%s/..", path) < 0)
		return -ENOMEM;
	r = disk_sync_directory(parent);
	/* what we may not open, we have not made: it was there before us */
	return r == -EACCES ? 0 : r;
}

static int lock(const Store *store, const char *name, int *ret)
{
	_cleanup_free_ char *path = store_path(store, name);
	_cleanup_close_ int fd = -EBADF;

	if (!path)
		return -ENOMEM;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return -errno;
	*ret = take_fd(fd);
	return 0;
}

/* Of the daemon that has the lock. */
static pid_t find_holder(const Store *store)
{
	_cleanup_free_ char *path = store_path(store, LOCK_NAME);
	_cleanup_close_ int fd = -EBADF;

	if (path)
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? 0 : holder_of(fd);
}

int store_acquire(Store *store, pid_t *ret_holder)
{
	_cleanup_close_ int fd = -EBADF;
	int r;

	r = make_directories(store->directory, 0700);
	if (r >= 0)
		r = sync_parent(store->directory);
	if (r >= 0)
		r = own_directory(store->directory);
	if (r >= 0)
		r = lock(store, LOCK_NAME, &fd);
	if (r == -EWOULDBLOCK) {
		*ret_holder = find_holder(store);
		return -EBUSY;
	}
	if (r >= 0)
		r = write_holder(fd);
	if (r < 0)
		return r;
	store->lock = take_fd(fd);
	return 0;
}

int store_acquire_tree(Store *store)
{
	return lock(store, TREE_NAME, &store->tree);
}
