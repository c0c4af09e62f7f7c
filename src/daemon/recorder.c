/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/io.h"

#define CLEAN_SIZE (256U << 10)
#define FILL_SIZE 4096U /* larger writes would get larger folios, which cost more to sync */

void recorder_init(Recorder *recorder)
{
	*recorder = (Recorder){ .fd = -EBADF, .spent_fd = -EBADF };
}

static void file_unmap(RecordFile *file)
{
	if (file->base)
		munmap(file->base, file->size);
	*file = (RecordFile){ 0 };
}

static void recorder_drop_spent(Recorder *recorder)
{
	file_unmap(&recorder->spent);
	recorder->spent_fd = fd_close(recorder->spent_fd);
	recorder->spent_dirty = 0;
}

void recorder_done(Recorder *recorder)
{
	file_unmap(&recorder->file);
	fd_close(recorder->fd);
	recorder_drop_spent(recorder);
	free(recorder->directory);
	recorder_init(recorder);
}

static int fill(int fd, size_t size)
{
	static const uint8_t zeroes[FILL_SIZE];
	ssize_t n;

	for (size_t at = 0; at < size; at += FILL_SIZE) {
		n = pwrite(fd, zeroes, FILL_SIZE, (off_t)at);
		if (n != FILL_SIZE)
			return n < 0 ? -errno : -ENOSPC;
	}
	return 0;
}

static int file_map(int fd, size_t size, RecordFile *ret)
{
	void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);

	if (base == MAP_FAILED)
		return -errno;
	*ret = (RecordFile){ .base = base, .size = size };
	return 0;
}

static int file_create(const char *path, size_t size, RecordFile *ret)
{
	_cleanup_close_ int fd = -EBADF;
	int r;

	if (unlink(path) < 0 && errno != ENOENT)
		return -errno;
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	r = fill(fd, size);
	if (r >= 0)
		r = file_map(fd, size, ret);
	return r < 0 ? r : take_fd(fd);
}

bool recorder_wants_cleaning(const Recorder *recorder)
{
	return recorder->spent_dirty > 0 && atomic_load(&recorder_page(recorder)->tail) > recorder->begin;
}

void recorder_clean(Recorder *recorder)
{
	size_t size = MIN(recorder->spent_dirty, CLEAN_SIZE);

	/* backwards: what is dirty is always a whole beginning */
	recorder->spent_dirty -= size;
	memset(recorder->spent.base + recorder->spent_dirty, 0, size);
}

/* A whole new file at \p path: a descriptor. The file before last is one, once it is zero. */
static int file_make(Recorder *recorder, const char *path, size_t size, RecordFile *ret, uint32_t *ret_number)
{
	_cleanup_close_ int fd = -EBADF;
	RecordFile file = { 0 };
	uint32_t number;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return -EIO;
	if (recorder->spent_fd >= 0 && recorder->spent.size >= size) {
		while (recorder->spent_dirty > 0)
			recorder_clean(recorder);
		file = TAKE(recorder->spent, (RecordFile){ 0 });
		fd = take_fd(recorder->spent_fd);
	} else {
		recorder_drop_spent(recorder);
		fd = file_create(path, size, &file);
		if (fd < 0)
			return fd;
	}
	record_page_init(&file, number);
	*ret = file;
	*ret_number = number;
	return take_fd(fd);
}

/* The records of \p old from \p offset on are written anew: they get the new file's number and sequence. */
static int copy_records(const Recorder *old, size_t offset, const RecordFile *file)
{
	uint64_t sequence = RECORD_SEQUENCE_ANY;
	Record record;
	int r;

	while (offset < old->position) {
		r = record_read(old->file.base, old->position, offset, old->number, sequence, &record);
		if (r < 0)
			return -EBADMSG;
		r = record_append(file, record.kind, record.content, record.content_size);
		if (r < 0)
			return r;
		offset += record.size;
		sequence = record.sequence + 1;
	}
	return 0;
}

static size_t round_up(size_t size)
{
	return (size + FILL_SIZE - 1) / FILL_SIZE * FILL_SIZE;
}

/* The new file takes the name; where that can be done in one, the old one takes the other name, and is kept. */
static int recorder_put(Recorder *recorder, const char *fresh, const char *path)
{
	if (recorder->fd >= 0 && renameat2(AT_FDCWD, fresh, AT_FDCWD, path, RENAME_EXCHANGE) == 0) {
		recorder->spent = TAKE(recorder->file, (RecordFile){ 0 });
		recorder->spent_fd = take_fd(recorder->fd);
		recorder->spent_dirty =
			MIN(atomic_load(&record_page(&recorder->spent)->tail) + CLEAN_SIZE, recorder->spent.size);
		return 0;
	}
	if (rename(fresh, path) < 0)
		return -errno;
	file_unmap(&recorder->file);
	recorder->fd = fd_close(recorder->fd);
	return 0;
}

/* Makes the file, and puts it where \p path says; \p offset 0: nothing of the old one is taken along. */
static int recorder_replace(Recorder *recorder, const char *path, size_t size, size_t offset)
{
	_cleanup_close_ int fd = -EBADF;
	_cleanup_free_ char *fresh = NULL;
	RecordFile file = { 0 };
	uint32_t number = 0;
	int r;

	if (asprintf(&fresh, "%s.new", path) < 0)
		return -ENOMEM;
	fd = file_make(recorder, fresh, size, &file, &number);
	r = fd < 0 ? fd : 0;
	if (r == 0 && offset > 0)
		r = copy_records(recorder, offset, &file);
	if (r == 0)
		r = recorder_put(recorder, fresh, path);
	if (r < 0) {
		file_unmap(&file);
		unlink(fresh);
		return r;
	}
	recorder->fd = take_fd(fd);
	recorder->file = file;
	recorder->number = number;
	recorder->begin = recorder->position = record_page(&file)->tail;
	recorder->sequence = record_page(&file)->sequence;
	return 0;
}

static char *recorder_path(const Recorder *recorder)
{
	char *path;

	return asprintf(&path, "%s/" RECORDER_NAME, recorder->directory) < 0 ? NULL : path;
}

int recorder_open(Recorder *recorder, const char *directory, size_t size)
{
	_cleanup_free_ char *path = NULL, *fresh = NULL;
	int r;

	recorder->size_min = round_up(size);
	recorder->directory = strdup(directory);
	path = recorder->directory ? recorder_path(recorder) : NULL;
	if (!path || asprintf(&fresh, "%s.new", path) < 0)
		return -ENOMEM;
	r = recorder_replace(recorder, path, recorder->size_min, 0);
	if (r < 0)
		return r;
	/* the next one is made ahead, while nobody waits; where that fails it is tried again when it is needed */
	r = file_create(fresh, recorder->size_min, &recorder->spent);
	recorder->spent_fd = r < 0 ? -EBADF : r;
	return 0;
}

int recorder_renew(Recorder *recorder, size_t offset, size_t wanted, size_t *ret_offset)
{
	_cleanup_free_ char *path = recorder_path(recorder);
	size_t taken = offset > 0 ? recorder->position - offset : 0;
	size_t needed;
	int r;

	if (!path)
		return -ENOMEM;
	if (__builtin_add_overflow(RECORD_PAGE_SIZE + taken, wanted, &needed) || needed > SIZE_MAX / 4)
		return -EFBIG;
	/* a run that has grown larger than the usual file gets one with as much room again */
	r = recorder_replace(recorder, path, MAX(recorder->size_min, round_up(2 * taken + wanted + RECORD_PAGE_SIZE)),
			     offset);
	if (r < 0)
		return r;
	*ret_offset = offset > 0 ? RECORD_PAGE_SIZE : 0;
	return 0;
}

int recorder_read(Recorder *recorder, Record *ret, size_t *ret_offset)
{
	uint64_t tail = atomic_load_explicit(&recorder_page(recorder)->tail, memory_order_acquire);

	if (tail == recorder->position)
		return 0;
	if (tail < recorder->position || tail > recorder->file.size)
		return -EBADMSG;
	if (record_read(recorder->file.base, tail, recorder->position, recorder->number, recorder->sequence, ret) < 0)
		return -EBADMSG;
	*ret_offset = recorder->position;
	recorder->position += ret->size;
	recorder->sequence = ret->sequence + 1;
	return 1;
}

void recorder_remove(Recorder *recorder)
{
	_cleanup_free_ char *path = NULL, *spent = NULL;

	if (recorder->fd < 0)
		return;
	path = recorder_path(recorder);
	if (path)
		unlink(path);
	if (recorder->spent_fd >= 0 && asprintf(&spent, "%s.new", path) >= 0)
		unlink(spent);
}
