/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The database's bytes as they were at one moment, without SQLite and its locks: the file, and over it what its
 * write-ahead log has committed. The log's format: https://www.sqlite.org/fileformat2.html#walformat. */
#include "daemon/ledger_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/io.h"

#define IMAGE_MAX (2047U << 20)
#define IMAGE_TRIES 20
#define WAL_HEADER_SIZE 32U
#define WAL_FRAME_SIZE 24U
#define WAL_MAGIC 0x377f0682U /* its last bit: checksums are of big-endian words */
#define WAL_FORMAT 3007000U
#define INDEX_MOVED 128U /* nBackfillAttempted */

typedef struct Log {
	const uint8_t *data;
	size_t size;
	size_t page_size;
	bool big;
	uint32_t sum[2];
} Log;

static uint32_t read_big(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static uint32_t log_word(const Log *log, const uint8_t *at)
{
	uint32_t word = read_big(at);

	return log->big ? word : __builtin_bswap32(word);
}

static void log_sum(Log *log, const uint8_t *data, size_t size)
{
	for (size_t at = 0; at + 8 <= size; at += 8) {
		log->sum[0] += log_word(log, data + at) + log->sum[1];
		log->sum[1] += log_word(log, data + at + 4) + log->sum[0];
	}
}

static bool log_begin(Log *log)
{
	uint32_t magic;

	if (log->size < WAL_HEADER_SIZE)
		return false;
	magic = read_big(log->data);
	log->page_size = read_big(log->data + 8);
	log->big = magic & 1;
	log_sum(log, log->data, 24);
	return (magic & ~1U) == WAL_MAGIC && read_big(log->data + 4) == WAL_FORMAT && log->page_size >= 512 &&
	       log->page_size <= 65536 && (log->page_size & (log->page_size - 1)) == 0 &&
	       read_big(log->data + 24) == log->sum[0] && read_big(log->data + 28) == log->sum[1];
}

/* The frame at \p offset: its page's number, or 0 where none holds there. */
static uint32_t log_frame(Log *log, size_t offset, uint32_t *ret_commit)
{
	const uint8_t *frame = log->data + offset;

	if (offset + WAL_FRAME_SIZE + log->page_size > log->size || memcmp(frame + 8, log->data + 16, 8) != 0)
		return 0;
	log_sum(log, frame, 8);
	log_sum(log, frame + WAL_FRAME_SIZE, log->page_size);
	if (read_big(frame + 16) != log->sum[0] || read_big(frame + 20) != log->sum[1])
		return 0;
	*ret_commit = read_big(frame + 4);
	return read_big(frame);
}

/* Where the last transaction ends that is whole, and how many pages the database has then. */
static size_t log_end(Log log, uint32_t *ret_pages)
{
	size_t end = WAL_HEADER_SIZE;
	uint32_t commit;

	for (size_t at = end; log_frame(&log, at, &commit) > 0; at += WAL_FRAME_SIZE + log.page_size)
		if (commit > 0) {
			end = at + WAL_FRAME_SIZE + log.page_size;
			*ret_pages = commit;
		}
	return end;
}

static int image_resize(Buffer *image, size_t size)
{
	if (size > IMAGE_MAX)
		return -EFBIG;
	if (size > image->size) {
		uint8_t *at = buffer_reserve(image, size - image->size);

		if (!at)
			return -ENOMEM;
		memset(at, 0, size - image->size);
	}
	image->size = size;
	return 0;
}

static int image_add_log(Buffer *image, const Buffer *data)
{
	Log log = { .data = data->data, .size = data->size };
	uint32_t pages = 0;
	size_t end;
	int r;

	if (!log_begin(&log))
		return 0;
	end = log_end(log, &pages);
	if (pages == 0)
		return 0;
	r = image_resize(image, pages * log.page_size);
	if (r < 0)
		return r;
	for (size_t at = WAL_HEADER_SIZE; at < end; at += WAL_FRAME_SIZE + log.page_size) {
		uint32_t page = read_big(log.data + at);

		if (page > 0 && page <= pages)
			memcpy(image->data + (page - 1) * log.page_size, log.data + at + WAL_FRAME_SIZE, log.page_size);
	}
	return 0;
}

/* -ENOENT is no file, and no error. */
static int part_read(const char *path, const char *part, Buffer *buffer)
{
	_cleanup_free_ char *name = NULL;
	int r;

	if (asprintf(&name, "%s-%s", path, part) < 0) {
		name = NULL;
		return -ENOMEM;
	}
	buffer_clear(buffer);
	r = read_file(name, IMAGE_MAX, buffer);
	return r == -ENOENT ? 0 : r;
}

/* How far those who have the database open have begun to move the log to the file; 0 where nobody has it open. See
 * "struct WalCkptInfo" in https://www.sqlite.org/walformat.html. */
static int moved_read(const char *path, uint32_t *ret)
{
	_cleanup_buffer_ Buffer index = { 0 };
	int r = part_read(path, "shm", &index);

	if (r < 0)
		return r;
	*ret = 0;
	if (index.size >= INDEX_MOVED + sizeof(*ret))
		memcpy(ret, index.data + INDEX_MOVED, sizeof(*ret));
	return 0;
}

/* What was whole in it is as it was; behind that stands what is left of before. */
static bool log_has_grown(const Buffer *before, const Buffer *after)
{
	Log log = { .data = before->data, .size = before->size };
	uint32_t pages = 0;
	size_t end = MIN(before->size, (size_t)WAL_HEADER_SIZE);

	if (log_begin(&log))
		end = log_end(log, &pages);
	return after->size >= end && (end == 0 || memcmp(before->data, after->data, end) == 0);
}

/* Only what the log holds is ever written to the file. So both belong together where what was moved before the file was
 * read is in the log as it was read, and nothing else was moved by the time it had been. */
static int image_try(const char *path, Buffer *image, Buffer *log, bool *ret_steady)
{
	_cleanup_buffer_ Buffer after = { 0 };
	uint32_t before = 0, moved = 0;
	int r;

	buffer_clear(image);
	r = moved_read(path, &before);
	if (r == 0)
		r = part_read(path, "wal", log);
	if (r == 0)
		r = read_file(path, IMAGE_MAX, image);
	if (r == 0)
		r = part_read(path, "wal", &after);
	if (r == 0)
		r = moved_read(path, &moved);
	*ret_steady = r == 0 && before == moved && log_has_grown(log, &after);
	return r;
}

int image_read(const char *path, Buffer *image, char **ret_problem)
{
	_cleanup_buffer_ Buffer log = { 0 };
	bool steady = false;
	int r = 0;

	for (unsigned i = 0; i < IMAGE_TRIES && r == 0 && !steady; i++)
		r = image_try(path, image, &log, &steady);
	if (r == 0)
		r = image_add_log(image, &log);
	if (r < 0)
		return r;
	if (image->size >= 20) /* written to by way of a log: not this copy */
		image->data[18] = image->data[19] = 1;
	if (!steady &&
	    asprintf(ret_problem, "%s is being written to all the time: what follows is of several moments.", path) < 0)
		*ret_problem = NULL;
	return 0;
}
