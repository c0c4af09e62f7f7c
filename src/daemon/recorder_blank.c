/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/recorder_blank.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/point.h"
#include "daemon/disk.h"

static const uint8_t zeros[BLANK_BLOCK];

static size_t whole_blocks(size_t size)
{
	return (size + BLANK_BLOCK - 1) / BLANK_BLOCK * BLANK_BLOCK;
}

int blank_new(int fd, size_t dirty, Blank **ret)
{
	struct stat found;
	Blank *blank;

	if (fstat(fd, &found) < 0)
		return -errno;
	if (!S_ISREG(found.st_mode) || found.st_nlink > 1)
		return -EINVAL;
	blank = calloc(1, sizeof(*blank));
	if (!blank)
		return -ENOMEM;
	blank->fd = fd;
	blank->size = whole_blocks((size_t)found.st_size);
	blank->dirty = dirty;
	blank->solid = true;
	*ret = blank;
	return 0;
}

Blank *blank_free(Blank *blank)
{
	if (!blank)
		return NULL;
	if (blank->base)
		munmap(blank->base, blank->size);
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
	r = fchmod(fd, 0600) < 0 ? -errno : blank_new(fd, 0, ret);
	if (r >= 0)
		take_fd(fd);
	return r;
}

int blank_make(const char *path, size_t size, Blank **ret)
{
	Blank *blank = NULL;
	int r;

	r = blank_open(path, 0, &blank);
	if (r < 0) {
		if (unlink(path) < 0 && errno != ENOENT)
			return -errno;
		r = blank_open(path, O_CREAT | O_EXCL, &blank);
	}
	if (r < 0)
		return r;
	blank->size = whole_blocks(MAX(blank->size, size));
	blank->dirty = blank->size;
	blank->solid = false;
	*ret = blank;
	return 0;
}

static int write_block(Blank *blank, size_t at)
{
	return disk_write(blank->fd, zeros, BLANK_BLOCK, (off_t)at);
}

static void clean_mapped(Blank *blank, size_t at)
{
	uint8_t *block = blank->base + at;

	if (at < blank->dirty || memcmp(block, zeros, BLANK_BLOCK) != 0)
		memset(block, 0, BLANK_BLOCK);
}

/* What nobody is known to have written may be zero still. */
static int clean_block(Blank *blank, size_t at)
{
	uint8_t block[BLANK_BLOCK];
	ssize_t n;

	if (blank->base) {
		clean_mapped(blank, at);
		return 0;
	}
	if (at < blank->dirty)
		return write_block(blank, at);
	n = disk_read(blank->fd, block, sizeof(block), (off_t)at);
	if (n < 0)
		return (int)n;
	return n == sizeof(block) && memcmp(block, zeros, sizeof(block)) == 0 ? 0 : write_block(blank, at);
}

int blank_clean(Blank *blank)
{
	size_t end = MIN(blank->clean + BLANK_PIECE, blank->size);
	int r;

	for (; blank->clean < end; blank->clean += BLANK_BLOCK) {
		r = clean_block(blank, blank->clean);
		if (r < 0)
			return r;
	}
	return 0;
}

static int make_solid(Blank *blank)
{
	int r;

	if (blank->solid)
		return 0;
	POINT("before-blank-sync");
	r = disk_sync(blank->fd);
	POINT("after-blank-sync");
	blank->solid = blank->erased = r >= 0;
	return r;
}

int blank_fill(Blank *blank)
{
	int r = 0;

	while (r >= 0 && !blank_is_clean(blank))
		r = blank_clean(blank);
	return r < 0 ? r : make_solid(blank);
}

int blank_erase(Blank *blank)
{
	int r = blank_fill(blank);

	if (r < 0 || blank->erased)
		return r;
	r = disk_sync_data(blank->fd);
	blank->erased = r >= 0;
	return r;
}

bool blank_is_at(const Blank *blank, const char *path)
{
	struct stat own, found;

	return fstat(blank->fd, &own) == 0 && lstat(path, &found) == 0 && own.st_dev == found.st_dev &&
	       own.st_ino == found.st_ino;
}
