/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/recorder_blank.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "daemon/disk.h"

static const uint8_t zeros[BLANK_BLOCK];

static size_t whole_blocks(size_t size)
{
	return (size + BLANK_BLOCK - 1) / BLANK_BLOCK * BLANK_BLOCK;
}

int blank_new(int fd, Blank **ret)
{
	struct stat found;
	Blank *blank;

	if (fstat(fd, &found) < 0)
		return -errno;
	if (!S_ISREG(found.st_mode) || found.st_nlink != 1)
		return -EINVAL;
	blank = calloc(1, sizeof(*blank));
	if (!blank)
		return -ENOMEM;
	blank->fd = fd;
	blank->size = whole_blocks((size_t)found.st_size);
	*ret = blank;
	return 0;
}

Blank *blank_free(Blank *blank)
{
	if (!blank)
		return NULL;
	fd_close(blank->fd);
	free(blank);
	return NULL;
}

static int blank_open(const char *path, int flags, Blank **ret)
{
	_cleanup_close_ int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | flags, 0600);
	int r;

	if (fd < 0)
		return -errno;
	r = fchmod(fd, 0600) < 0 ? -errno : blank_new(fd, ret);
	if (r >= 0)
		take_fd(fd);
	return r;
}

int blank_make(const char *path, size_t size, Blank **ret)
{
	Blank *blank;
	int r;

	r = blank_open(path, 0, &blank);
	if (r < 0) {
		if (unlink(path) < 0 && errno != ENOENT)
			return -errno;
		r = blank_open(path, O_CREAT | O_EXCL, &blank);
	}
	if (r < 0)
		return r;
	blank->whole = true;
	blank->size = whole_blocks(MAX(blank->size, size));
	*ret = blank;
	return 0;
}

/* One piece, from where it is clean: whether anything was written. */
static int clean_piece(Blank *blank)
{
	size_t end = MIN(blank->clean + BLANK_PIECE, blank->size), found = 0;
	uint8_t piece[BLANK_PIECE];
	ssize_t n = 0;
	int r = 0, written = 0;

	if (!blank->whole)
		n = disk_read(blank->fd, piece, end - blank->clean, (off_t)blank->clean);
	if (n < 0)
		return (int)n;
	for (size_t at = 0; r >= 0 && blank->clean + at < end; at += BLANK_BLOCK) {
		found = (size_t)n >= at + BLANK_BLOCK;
		if (found && memcmp(piece + at, zeros, BLANK_BLOCK) == 0)
			continue;
		r = disk_write(blank->fd, zeros, BLANK_BLOCK, (off_t)(blank->clean + at));
		written = 1;
	}
	if (r < 0)
		return r;
	blank->clean = end;
	return written;
}

int blank_clean(Blank *blank)
{
	int r = clean_piece(blank);

	return r > 0 ? disk_sync_data(blank->fd) : r;
}

int blank_fill(Blank *blank)
{
	int r = 0;

	while (r >= 0 && !blank_is_clean(blank))
		r = clean_piece(blank);
	return r < 0 ? r : 0;
}

bool blank_is_at(const Blank *blank, const char *path)
{
	struct stat own, found;

	return fstat(blank->fd, &own) == 0 && lstat(path, &found) == 0 && own.st_dev == found.st_dev &&
	       own.st_ino == found.st_ino;
}
