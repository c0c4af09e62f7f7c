/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/point.h"
#include "daemon/disk.h"
#include "daemon/recorder_private.h"

char *recorder_path(const char *directory, bool fresh)
{
	char *path;

	return asprintf(&path, "%s/" RECORDER_NAME "%s", directory, fresh ? ".new" : "") < 0 ? NULL : path;
}

void recorder_file_unmap(RecordFile *file)
{
	if (file->base)
		munmap(file->base, file->size);
	*file = (RecordFile){ 0 };
}

static int file_map(int fd, size_t size, int flags, RecordFile *ret)
{
	void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (base == MAP_FAILED)
		return -errno;
	*ret = (RecordFile){ .base = base, .size = size };
	return 0;
}

int recorder_file_map_zeros(size_t size, RecordFile *ret)
{
	return file_map(-1, size, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, ret);
}

int recorder_file_size(const RecorderOrder *order, size_t *ret)
{
	size_t taken;
	int r;

	r = kept_size(order, &taken);
	if (r < 0)
		return r;
	if (order->wanted > RECORDER_WANTED_MAX || taken > SIZE_MAX / 4 - RECORDER_WANTED_MAX)
		return -EFBIG;
	/* a run that has grown larger than the usual file gets one with as much room again */
	*ret = MAX(order->size_min, RECORD_PAGE_SIZE + 2 * taken + order->wanted);
	return 0;
}

int recorder_file_place(int fd, RecordPlace *ret)
{
	struct statx found;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &found) < 0)
		return -errno;
	ret->inode = found.stx_ino;
	ret->born_usec = 0;
	if (found.stx_mask & STATX_BTIME)
		ret->born_usec = (uint64_t)found.stx_btime.tv_sec * USEC_PER_SEC + found.stx_btime.tv_nsec / 1000;
	return 0;
}

static int new_number(uint32_t before, uint32_t *ret)
{
	uint32_t number = before;

	while (number == before)
		if (getrandom(&number, sizeof(number), 0) != sizeof(number))
			return -EIO;
	*ret = number;
	return 0;
}

static int fill_page(const RecorderOrder *order, const Blank *blank, const RecordFile *image)
{
	const RecordFile whole = { .base = image->base, .size = blank->size };
	RecordPlace place = order->place;
	uint32_t number;
	int r;

	r = recorder_file_place(blank->fd, &place);
	if (r >= 0)
		r = new_number(order->old_number, &number);
	if (r >= 0)
		record_page_init(&whole, number, &place);
	return r;
}

/* What the file begins with: its first page, and the records that it takes along. */
static int image_make(const RecorderOrder *order, const Blank *blank, RecordFile *ret)
{
	RecordFile image = { 0 };
	size_t taken;
	int r;

	r = kept_size(order, &taken);
	if (r >= 0)
		r = recorder_file_map_zeros(RECORD_PAGE_SIZE + taken, &image);
	if (r >= 0)
		r = fill_page(order, blank, &image);
	if (r >= 0)
		r = kept_append(order, &image);
	if (r < 0) {
		recorder_file_unmap(&image);
		return r;
	}
	/* nobody looks at it before it is */
	atomic_store(&record_page(&image)->synced, atomic_load(&record_page(&image)->tail));
	*ret = image;
	return 0;
}

/* Written, not stored into the mapping: a file system that has no room for it then says so. */
static int image_write(const RecordFile *image, int fd)
{
	size_t end = atomic_load(&record_page(image)->tail);
	int r = 0;

	for (size_t at = 0; r >= 0 && at < end; at += BLANK_BLOCK)
		r = disk_write(fd, image->base + at, MIN((size_t)BLANK_BLOCK, end - at), (off_t)at);
	return r;
}

/* What lies behind the records is zero, and on the disk, or of another file's number there. */
static int sync_beginning(const RecordFile *file)
{
	int r;

	POINT("before-file-sync");
	r = disk_sync_mapped(file->base, atomic_load(&record_page(file)->tail));
	POINT("after-file-sync");
	return r;
}

/* What was a recorder before is mapped still. */
static int blank_map(Blank *blank)
{
	RecordFile file = { 0 };
	int r;

	if (blank->base)
		return 0;
	r = file_map(blank->fd, blank->size, MAP_SHARED | MAP_POPULATE, &file);
	if (r >= 0)
		blank->base = file.base;
	return r;
}

static int fill_file(const RecorderOrder *order, const Blank *blank)
{
	const RecordFile file = { .base = blank->base, .size = blank->size };
	RecordFile image = { 0 };
	int r;

	r = image_make(order, blank, &image);
	if (r >= 0)
		r = image_write(&image, blank->fd);
	if (r >= 0)
		r = sync_beginning(&file);
	recorder_file_unmap(&image);
	return r;
}

static bool exchange(const char *a, const char *b)
{
	return renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE) == 0;
}

/* The name, and that it lasts. */
static int put(const RecorderOrder *order, const char *fresh, const char *path, bool *replaced)
{
	bool exchanged;
	int r;

	POINT("before-rename");
	exchanged = order->exchange && exchange(fresh, path);
	if (!exchanged && rename(fresh, path) < 0)
		return -errno;
	*replaced = true;
	POINT("after-rename");
	r = disk_sync_directory(order->directory);
	POINT("after-directory-sync");
	if (r < 0 && exchanged)
		(void)exchange(fresh, path); /* where that fails, too, the old one has no name, and is in use */
	return r;
}

int recorder_file_make(const RecorderOrder *order, Blank *blank, RecorderMade *ret, bool *ret_replaced)
{
	_cleanup_free_ char *fresh = recorder_path(order->directory, true);
	_cleanup_free_ char *path = recorder_path(order->directory, false);
	int r;

	*ret_replaced = false;
	r = fresh && path ? blank_fill(blank) : -ENOMEM;
	if (r >= 0)
		r = blank_map(blank);
	if (r >= 0)
		r = fill_file(order, blank);
	if (r >= 0)
		r = put(order, fresh, path, ret_replaced);
	if (r >= 0) {
		*ret = (RecorderMade){
			.fd = take_fd(blank->fd),
			.file = { .base = take_ptr(blank->base), .size = blank->size },
		};
	} else if (fresh) {
		unlink(fresh);
	}
	blank_free(blank);
	return r;
}
