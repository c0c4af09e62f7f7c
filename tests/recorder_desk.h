/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A recorder in a scratch directory for tests in C: opened, written to in the worker's place, waited for. One at a
 * time; to be included by one file of a test program. */
#pragma once

#include "check_main.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "daemon/recorder.h"
#include "run/recover.h"
#include "run/replay.h"
#include "scratch.h"

#define DESK_SIZE (64U << 10)

static const Id desk_machine = { .bytes = { 1 } }, desk_boot = { .bytes = { 2 } };

static struct Desk {
	Recorder recorder;
	char *directory;
	unsigned n_synced, n_renewed;
	int synced, renewed; /* of the last */
} desk;

static inline void desk_on_synced(int r, void *context)
{
	(void)context;
	desk.n_synced++;
	desk.synced = r;
}

static inline void desk_on_renewed(int r, void *context)
{
	(void)context;
	desk.n_renewed++;
	desk.renewed = r;
}

static inline RecorderSetup desk_setup(size_t size)
{
	return (RecorderSetup){
		.directory = desk.directory,
		.size = size,
		.machine = desk_machine,
		.boot = desk_boot,
		.events = { .on_synced = desk_on_synced, .on_renewed = desk_on_renewed },
	};
}

static inline const char *desk_file(const char *name)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/%s", desk.directory, name);
	return path;
}

static inline bool desk_has(const char *name)
{
	return access(desk_file(name), F_OK) == 0;
}

/* An empty directory; what was there is gone. */
static inline void desk_clear(void)
{
	scratch_reset();
	free(desk.directory);
	desk = (struct Desk){ .directory = strdup(scratch_path("state")) };
	ck_assert_ptr_nonnull(desk.directory);
	ck_assert_int_eq(make_directories(desk.directory, 0700), 0);
	recorder_init(&desk.recorder);
}

static inline int desk_open_with(RecorderKept *kept, size_t n_kept)
{
	RecorderSetup setup = desk_setup(DESK_SIZE);

	return recorder_open(&desk.recorder, &setup, kept, n_kept);
}

static inline void desk_open(void)
{
	desk_clear();
	ck_assert_int_eq(desk_open_with(NULL, 0), 0);
}

static inline void desk_close(void)
{
	recorder_done(&desk.recorder);
}

/* A test's end. */
static inline void desk_done(void)
{
	desk_close();
	free(take_ptr(desk.directory));
}

static inline void desk_append(RecordKind kind, const Buffer *content)
{
	ck_assert_int_eq(record_append(&desk.recorder.file, kind, content->data, content->size), 0);
}

static inline void desk_start(uint8_t id)
{
	_cleanup_buffer_ Buffer content = { 0 };
	const RecordStart start = { .run = { .bytes = { id } }, .program = "program", .program_size = 7 };

	record_encode_start(&start, &content);
	desk_append(RECORD_START, &content);
}

static inline void desk_finish(uint8_t id)
{
	_cleanup_buffer_ Buffer content = { 0 };
	const RecordFinish finish = {
		.run = { .bytes = { id } }, .status = WALK_SUCCEEDED, .reply = "}", .reply_size = 1
	};

	record_encode_finish(&finish, &content);
	desk_append(RECORD_FINISH, &content);
}

static inline void desk_note_of(size_t size)
{
	_cleanup_buffer_ Buffer content = { 0 };
	_cleanup_free_ char *data = malloc(size + 1);
	const RecordNote note = { .step = 1, .key = "k", .key_size = 1, .data = data, .data_size = size };

	ck_assert_ptr_nonnull(data);
	memset(data, 'x', size + 1);
	record_encode_note(&note, &content);
	desk_append(RECORD_NOTE, &content);
}

static inline void desk_note(void)
{
	desk_note_of(4);
}

/* The kinds of all records that are there to be read, as digits. */
static inline const char *desk_read(void)
{
	static char kinds[4096];
	size_t n = 0, offset;
	Record record;
	int r;

	while ((r = recorder_read(&desk.recorder, &record, &offset)) > 0 && n + 1 < sizeof(kinds))
		kinds[n++] = (char)('0' + record.kind);
	ck_assert_int_eq(r, 0);
	kinds[n] = '\0';
	return kinds;
}

/* The kinds from \p offset to where the daemon has read. */
static inline const char *desk_kinds(size_t offset, size_t end)
{
	static char kinds[4096];
	uint64_t sequence = RECORD_SEQUENCE_ANY;
	size_t n = 0;
	Record record;

	while (offset < end) {
		ck_assert_int_eq(
			record_read(desk.recorder.file.base, end, offset, desk.recorder.number, sequence, &record), 0);
		ck_assert_uint_lt(n + 1, sizeof(kinds));
		kinds[n++] = (char)('0' + record.kind);
		offset += record.size;
		sequence = record.sequence + 1;
	}
	kinds[n] = '\0';
	return kinds;
}

static inline void desk_wait(void)
{
	struct pollfd ready = { .fd = recorder_event_fd(&desk.recorder), .events = POLLIN };

	ck_assert_int_eq(poll(&ready, 1, -1), 1);
	recorder_dispatch(&desk.recorder);
}

/* Syncs what was read: what on_synced() said. */
static inline int desk_sync(void)
{
	unsigned before = desk.n_synced;

	recorder_sync(&desk.recorder);
	while (desk.n_synced == before)
		desk_wait();
	return desk.synced;
}

/* What is in use is what the directory holds. */
static inline void desk_check_place(void)
{
	struct stat used, found;

	ck_assert_int_eq(fstat(desk.recorder.fd, &used), 0);
	ck_assert_int_eq(stat(desk_file("recorder"), &found), 0);
	ck_assert_uint_eq(found.st_ino, used.st_ino);
}

/* What on_renewed() said. */
static inline int desk_renew(RecorderKept *kept, size_t n_kept, size_t wanted)
{
	unsigned before = desk.n_renewed;
	int r = recorder_renew(&desk.recorder, kept, n_kept, wanted);

	while (r >= 0 && desk.n_renewed == before)
		desk_wait();
	desk_check_place();
	return r < 0 ? r : desk.renewed;
}

/* What a next daemon would find. */
static inline void desk_recover(RecordFile *ret_file, Recovered *ret)
{
	RecordPlace place;

	ck_assert_int_eq(recorder_map(desk.directory, &desk_machine, &desk_boot, ret_file, &place), 0);
	ck_assert_int_eq(recover_read(ret_file, &place, ret), 0);
}

static inline bool desk_is_zero_behind(size_t offset)
{
	for (size_t i = offset; i < desk.recorder.file.size; i++)
		if (desk.recorder.file.base[i] != 0)
			return false;
	return true;
}

/* An ended run, as record_pack() packs it. */
static inline void desk_pack_run(Buffer *packed, uint8_t id)
{
	_cleanup_buffer_ Buffer content = { 0 };
	const RecordStart start = { .run = { .bytes = { id } }, .program = "packed", .program_size = 6 };
	const RecordFinish finish = { .run = start.run, .status = WALK_PARKED, .reply = "}", .reply_size = 1 };

	record_encode_start(&start, &content);
	record_pack(RECORD_START, content.data, content.size, packed);
	buffer_clear(&content);
	record_encode_finish(&finish, &content);
	record_pack(RECORD_FINISH, content.data, content.size, packed);
}

/* A new file that takes nothing along. */
static inline void desk_renew_empty(void)
{
	ck_assert_int_eq(desk_renew(NULL, 0, 0), 0);
	ck_assert_uint_eq(desk.recorder.position, RECORD_PAGE_SIZE);
	ck_assert(desk_is_zero_behind(RECORD_PAGE_SIZE));
}
