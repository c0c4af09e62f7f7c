/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/recorder_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/point.h"
#include "run/replay.h"

#define CLEAN_SIZE (256U << 10)
#define FILL_SIZE 4096U /* larger writes would get larger folios, which cost more to sync */

void recorder_file_done(RecorderFile *file)
{
	if (file->file.base)
		munmap(file->file.base, file->file.size);
	fd_close(file->fd);
	*file = (RecorderFile){ .fd = -EBADF };
}

static int fault(const char *what)
{
	return -POINT_FAULT(what);
}

static int fill_zeroes(int fd, size_t size)
{
	static const uint8_t zeroes[FILL_SIZE];
	ssize_t n;
	int r;

	r = fault("write");
	if (r < 0)
		return r;
	for (size_t at = 0; at < size; at += (size_t)n) {
		n = pwrite(fd, zeroes, MIN(size - at, (size_t)FILL_SIZE), (off_t)at);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n < 0)
			return -errno;
		else if (n == 0)
			return -ENOSPC;
	}
	return 0;
}

static int sync_fd(int fd)
{
	int r;

	POINT("before-file-sync");
	r = fault("sync");
	if (r < 0)
		return r;
	if (fsync(fd) < 0)
		return -errno;
	POINT("after-file-sync");
	return 0;
}

int recorder_file_create(const char *directory, size_t size, RecorderFile *ret)
{
	_cleanup_(recorder_file_done) RecorderFile file = { .fd = -EBADF };
	_cleanup_free_ char *path = NULL;
	void *base;
	int r;

	if (asprintf(&path, "%s/" RECORDER_FRESH_NAME, directory) < 0)
		return -ENOMEM;
	if (unlink(path) < 0 && errno != ENOENT)
		return -errno;
	file.fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (file.fd < 0)
		return -errno;
	r = fill_zeroes(file.fd, size);
	if (r < 0) {
		unlink(path);
		return r;
	}
	base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, file.fd, 0);
	if (base == MAP_FAILED) {
		r = -errno;
		unlink(path);
		return r;
	}
	file.file = (RecordFile){ .base = base, .size = size };
	r = sync_fd(file.fd);
	if (r < 0) {
		unlink(path);
		return r;
	}
	*ret = TAKE(file, (RecorderFile){ .fd = -EBADF });
	return 0;
}

/* Backwards: what is dirty is always a whole beginning. Not synced: what stands on the disk meanwhile are records of
 * another file's number, which nobody takes for ours. */
void recorder_file_clean_piece(RecorderFile *file)
{
	size_t from = (file->dirty - 1) & ~(size_t)(CLEAN_SIZE - 1);

	memset(file->file.base + from, 0, file->dirty - from);
	file->dirty = from;
}

void recorder_file_clean(RecorderFile *file)
{
	while (file->dirty > 0)
		recorder_file_clean_piece(file);
}

int recorder_file_place(int fd, const Id *machine, const Id *boot, RecordPlace *ret)
{
	struct statx status;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &status) < 0)
		return -errno;
	*ret = (RecordPlace){ .machine = *machine, .boot = *boot, .inode = status.stx_ino };
	if (status.stx_mask & STATX_BTIME)
		ret->born_usec =
			(uint64_t)status.stx_btime.tv_sec * 1000000U + (uint64_t)status.stx_btime.tv_nsec / 1000U;
	return 0;
}

/* The records of one kept range, one after another. */
typedef struct Walker {
	const RecordFile *old;
	const RecorderKept *kept;
	uint32_t number;
	size_t at;
	uint64_t sequence;
} Walker;

static Walker walker_make(const RecordFile *old, uint32_t number, const RecorderKept *kept)
{
	return (Walker){
		.old = old,
		.kept = kept,
		.number = number,
		.at = kept->packed ? 0 : kept->offset,
		.sequence = RECORD_SEQUENCE_ANY,
	};
}

static int walker_next(Walker *walker, Record *ret)
{
	const RecorderKept *kept = walker->kept;
	size_t end = kept->offset + kept->size;

	if (kept->packed)
		return record_unpack(kept->packed, kept->packed_size, &walker->at, ret);
	if (walker->at >= end)
		return 0;
	if (record_read(walker->old->base, end, walker->at, walker->number, walker->sequence, ret) < 0)
		return -EBADMSG;
	walker->at += ret->size;
	walker->sequence = ret->sequence + 1;
	return 1;
}

int recorder_kept_size(const RecordFile *old, uint32_t number, const RecorderKept *kept, size_t n, size_t *ret)
{
	size_t size = 0;
	Record record;
	int r;

	for (size_t i = 0; i < n; i++) {
		Walker walker = walker_make(old, number, &kept[i]);

		while ((r = walker_next(&walker, &record)) > 0)
			size += record_size(record.content_size);
		if (r < 0)
			return r;
	}
	*ret = size;
	return 0;
}

static int append_kept(const RecordFile *file, const RecordFile *old, uint32_t number, RecorderKept *kept)
{
	Walker walker = walker_make(old, number, kept);
	Record record;
	int r;

	kept->ret_offset = record_page(file)->tail;
	while ((r = walker_next(&walker, &record)) > 0) {
		r = record_append(file, record.kind, record.content, record.content_size);
		if (r < 0)
			return r;
		POINT("after-record-kept");
	}
	return r;
}

/* The file's size and place on the disk are there since it was made. */
static int sync_beginning(const RecorderFile *file)
{
	int r;

	POINT("before-file-sync");
	r = fault("sync");
	if (r < 0)
		return r;
	if (msync(file->file.base, file->dirty, MS_SYNC) < 0)
		return -errno;
	POINT("after-file-sync");
	return 0;
}

int recorder_file_fill(RecorderFile *file, const RecordPlace *place, const RecordFile *old, uint32_t old_number,
		       RecorderKept *kept, size_t n, uint32_t *ret_number)
{
	uint32_t number;
	int r = 0;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return -EIO;
	record_page_init(&file->file, number, place);
	for (size_t i = 0; i < n && r >= 0; i++)
		r = append_kept(&file->file, old, old_number, &kept[i]);
	file->dirty = record_page(&file->file)->tail;
	if (r >= 0)
		r = sync_beginning(file);
	if (r < 0)
		return r;
	atomic_store(&record_page(&file->file)->synced, file->dirty);
	*ret_number = number;
	return 0;
}

static int sync_directory(const char *directory)
{
	_cleanup_close_ int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : sync_fd(fd);
}

int recorder_file_publish(const char *directory, bool exchange)
{
	_cleanup_free_ char *path = NULL, *fresh = NULL;
	bool exchanged;
	int r;

	if (asprintf(&path, "%s/" RECORDER_NAME, directory) < 0 || asprintf(&fresh, "%s.new", path) < 0)
		return -ENOMEM;
	POINT("before-rename");
	r = fault("write");
	if (r < 0)
		return r;
	exchanged = exchange && renameat2(AT_FDCWD, fresh, AT_FDCWD, path, RENAME_EXCHANGE) == 0;
	if (!exchanged && rename(fresh, path) < 0)
		return -errno;
	POINT("after-rename");
	r = sync_directory(directory);
	if (r < 0 && exchanged)
		(void)renameat2(AT_FDCWD, fresh, AT_FDCWD, path, RENAME_EXCHANGE); /* the old one stays in use */
	return r < 0 ? r : exchanged;
}
