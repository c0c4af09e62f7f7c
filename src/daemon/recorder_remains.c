/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an earlier daemon left. It is read, not mapped: a disk that cannot read a part of it then says so, instead of
 * killing whoever looks there. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/io.h"
#include "daemon/disk.h"
#include "daemon/recorder_private.h"

#define KEPT_ASIDE_MAX 1000U
#define READ_PIECE (64U << 10)

static bool is_zero(const uint8_t *data, size_t size)
{
	return data[0] == 0 && memcmp(data, data + 1, size - 1) == 0;
}

/* What is zero is so already, and takes no memory. */
static int read_into(int fd, const RecordFile *file)
{
	uint8_t piece[READ_PIECE];
	ssize_t n;

	for (size_t at = 0; at < file->size; at += (size_t)n) {
		n = disk_read(fd, piece, MIN(sizeof(piece), file->size - at), (off_t)at);
		if (n < 0)
			return (int)n;
		if (n == 0)
			break;
		if (!is_zero(piece, (size_t)n))
			memcpy(file->base + at, piece, (size_t)n);
	}
	return 0;
}

static int read_copy(int fd, size_t size, RecordFile *ret)
{
	RecordFile file = { 0 };
	int r;

	r = recorder_file_map_zeros(MAX(size, (size_t)RECORD_PAGE_SIZE), &file);
	if (r < 0)
		return r;
	file.size = size;
	r = read_into(fd, &file);
	if (r >= 0 && mprotect(file.base, MAX(size, (size_t)RECORD_PAGE_SIZE), PROT_READ) < 0)
		r = -errno;
	if (r < 0) {
		recorder_unmap(&file);
		return r;
	}
	*ret = file;
	return 0;
}

int recorder_map(const char *directory, const Id *machine, const Id *boot, RecordFile *ret, RecordPlace *ret_place)
{
	_cleanup_free_ char *path = recorder_path(directory, false);
	RecordPlace place = { .machine = *machine, .boot = *boot };
	_cleanup_close_ int fd = -EBADF;
	struct stat found;
	int r;

	if (!path)
		return -ENOMEM;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return errno == ELOOP || errno == ENXIO ? -EINVAL : -errno;
	if (fstat(fd, &found) < 0)
		return -errno;
	if (!S_ISREG(found.st_mode))
		return -EINVAL;
	r = recorder_file_place(fd, &place);
	if (r >= 0)
		r = read_copy(fd, (size_t)found.st_size, ret);
	if (r >= 0)
		*ret_place = place;
	return r;
}

void recorder_unmap(RecordFile *file)
{
	if (file->base)
		munmap(file->base, MAX(file->size, (size_t)RECORD_PAGE_SIZE));
	*file = (RecordFile){ 0 };
}

int recorder_keep_aside(const char *directory, const char *word)
{
	_cleanup_free_ char *path = recorder_path(directory, false);

	if (!path)
		return -ENOMEM;
	for (unsigned i = 1; i <= KEPT_ASIDE_MAX; i++) {
		_cleanup_free_ char *kept = NULL;

		if (asprintf(&kept, "%s.%s-%u", path, word, i) < 0)
			return -ENOMEM;
		if (renameat2(AT_FDCWD, path, AT_FDCWD, kept, RENAME_NOREPLACE) == 0)
			return 1;
		if (errno == ENOENT)
			return 0;
		if (errno != EEXIST)
			return -errno;
	}
	return -EEXIST;
}
