/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "daemon/disk.h"
#include "daemon/recorder_private.h"

#define PREPARE_PART 4U /* of a file that is filled: then the next one is made ahead */

void recorder_init(Recorder *recorder)
{
	*recorder = (Recorder){ .fd = -EBADF };
}

void recorder_done(Recorder *recorder)
{
	recorder->thread = recorder_thread_free(recorder->thread);
	recorder_file_unmap(&recorder->file);
	fd_close(recorder->fd);
	free(recorder->directory);
	recorder_init(recorder);
}

static void recorder_use(Recorder *recorder, RecorderMade *made)
{
	const RecordPage *page = record_page(&made->file);

	recorder->fd = take_fd(made->fd);
	recorder->file = TAKE(made->file, (RecordFile){ 0 });
	recorder->number = page->number;
	recorder->begin = recorder->position = recorder->seen = atomic_load(&page->tail);
	recorder->sequence = atomic_load(&page->sequence);
	recorder->wished = 0;
	recorder->failed = false;
}

static RecorderOrder recorder_order(const Recorder *recorder, RecorderKept *kept, size_t n_kept, size_t wanted)
{
	return (RecorderOrder){
		.directory = recorder->directory,
		.place = recorder->place,
		.size_min = recorder->size_min,
		.old = recorder->file,
		.old_number = recorder->number,
		.old_end = recorder->position,
		.kept = kept,
		.n_kept = n_kept,
		.wanted = wanted,
		.exchange = recorder->fd >= 0,
	};
}

/* What an earlier daemon left, to be erased once it is replaced: nobody uses it any more. NULL: there is none, or it is
 * kept under another name. */
static Blank *find_remains(const char *directory)
{
	_cleanup_free_ char *path = recorder_path(directory, false);
	_cleanup_close_ int fd = -EBADF;
	Blank *remains = NULL;

	if (path)
		fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd >= 0 && blank_new(fd, 0, &remains) >= 0)
		take_fd(fd);
	return remains;
}

static int make_first(Recorder *recorder, RecorderKept *kept, size_t n_kept)
{
	_cleanup_free_ char *fresh = recorder_path(recorder->directory, true);
	RecorderOrder order = recorder_order(recorder, kept, n_kept, 0);
	RecorderMade made;
	Blank *blank;
	size_t size;
	bool replaced;
	int r;

	if (!fresh)
		return -ENOMEM;
	r = recorder_file_size(&order, &size);
	if (r >= 0)
		r = blank_make(fresh, size, &blank);
	if (r >= 0)
		r = recorder_file_make(&order, blank, &made, &replaced);
	if (r >= 0)
		recorder_use(recorder, &made);
	return r;
}

static int recorder_set_up(Recorder *recorder, const RecorderSetup *setup)
{
	recorder->directory = strdup(setup->directory);
	recorder->size_min = (setup->size + BLANK_BLOCK - 1) / BLANK_BLOCK * BLANK_BLOCK;
	recorder->place = (RecordPlace){ .machine = setup->machine, .boot = setup->boot };
	recorder->events = setup->events;
	return recorder->directory ? 0 : -ENOMEM;
}

int recorder_open(Recorder *recorder, const RecorderSetup *setup, RecorderKept *kept, size_t n_kept)
{
	_cleanup_blank_ Blank *remains = NULL;
	int r;

	r = recorder_set_up(recorder, setup);
	if (r >= 0) {
		remains = find_remains(recorder->directory);
		r = make_first(recorder, kept, n_kept);
	}
	if (r >= 0)
		r = recorder_thread_start(recorder->directory, recorder->size_min, &recorder->file, &recorder->thread);
	if (r < 0) {
		recorder_done(recorder);
		return r;
	}
	recorder_thread_move(recorder->thread, &recorder->file, take_ptr(remains));
	return 0;
}

int recorder_event_fd(const Recorder *recorder)
{
	return recorder->thread ? recorder->thread->event_fd : -EBADF;
}

size_t recorder_synced(const Recorder *recorder)
{
	/* nobody can have synced what was not written */
	size_t synced = MIN(atomic_load(&recorder_page(recorder)->synced), recorder->position);

	return recorder->failed ? MIN(synced, recorder->trusted) : synced;
}

void recorder_sync(Recorder *recorder)
{
	if (recorder->renewing || recorder->failed || recorder->wished >= recorder->position ||
	    recorder_synced(recorder) >= recorder->position || atomic_load(&recorder_page(recorder)->failed) != 0)
		return;
	recorder->wished = recorder->position;
	recorder_thread_sync(recorder->thread, recorder->position);
}

static void on_synced(Recorder *recorder, unsigned n, int r)
{
	recorder->n_syncs += n;
	if (r < 0 && !recorder->failed) {
		recorder->trusted = recorder_synced(recorder);
		recorder->failed = true;
	}
	recorder->events.on_synced(r, recorder->events.context);
}

/* What was in use: the worker may have it still. Where it cannot be used again it is let go. */
static Blank *recorder_spend(Recorder *recorder)
{
	size_t tail = atomic_load(&recorder_page(recorder)->tail);
	Blank *spent = NULL;

	if (blank_new(recorder->fd, MIN(tail, recorder->file.size), &spent) >= 0) {
		take_fd(recorder->fd);
		spent->lent = true;
		spent->bad = recorder->failed || atomic_load(&recorder_page(recorder)->failed) != 0;
		if (!spent->bad && spent->size == recorder->file.size)
			spent->base = TAKE(recorder->file, (RecordFile){ 0 }).base;
	}
	recorder_file_unmap(&recorder->file);
	recorder->fd = fd_close(recorder->fd);
	return spent;
}

static void on_renewed(Recorder *recorder, RecorderMade *made, int r)
{
	Blank *spent;

	recorder->renewing = false;
	if (r >= 0) {
		spent = recorder_spend(recorder);
		recorder_use(recorder, made);
		recorder_thread_move(recorder->thread, &recorder->file, spent);
		recorder->n_renewals++;
	}
	recorder->events.on_renewed(r, recorder->events.context);
}

void recorder_dispatch(Recorder *recorder)
{
	RecorderResult result = recorder_thread_take(recorder->thread);

	if (result.n_synced > 0)
		on_synced(recorder, result.n_synced, result.sync_result);
	if (result.renewed)
		on_renewed(recorder, &result.made, result.renewal_result);
}

int recorder_renew(Recorder *recorder, RecorderKept *kept, size_t n_kept, size_t wanted)
{
	RecorderOrder order = recorder_order(recorder, kept, n_kept, wanted);

	if (recorder->renewing)
		return -EBUSY;
	recorder->renewing = true;
	recorder_thread_renew(recorder->thread, &order);
	return 0;
}

void recorder_recycle(Recorder *recorder)
{
	recorder_thread_recycle(recorder->thread);
}

/* The first file's successor is made when it can be seen that there will be one. */
static void recorder_prepare(Recorder *recorder)
{
	if (recorder->prepared || !recorder->thread || recorder->position <= recorder->file.size / PREPARE_PART)
		return;
	recorder->prepared = true;
	recorder_thread_prepare(recorder->thread);
}

int recorder_read(Recorder *recorder, Record *ret, size_t *ret_offset)
{
	/* each look at the page takes its line away from the worker */
	if (recorder->position == recorder->seen)
		recorder->seen = atomic_load_explicit(&recorder_page(recorder)->tail, memory_order_acquire);
	if (recorder->position == recorder->seen)
		return 0;
	if (recorder->seen < recorder->position || recorder->seen > recorder->file.size)
		return -EBADMSG;
	if (record_read(recorder->file.base, recorder->seen, recorder->position, recorder->number, recorder->sequence,
			ret) < 0)
		return -EBADMSG;
	*ret_offset = recorder->position;
	recorder->position += ret->size;
	recorder->sequence = ret->sequence + 1;
	recorder_prepare(recorder);
	return 1;
}

/* Where the name might come back after a power loss, what it names stays whole. */
static void erase(const Recorder *recorder, int fd)
{
	_cleanup_blank_ Blank *blank = NULL;
	struct stat found;

	if (fstat(fd, &found) < 0 || found.st_nlink > 0 || disk_sync_directory(recorder->directory) < 0)
		return;
	if (blank_new(fd, 0, &blank) >= 0)
		(void)blank_erase(blank);
}

void recorder_remove(Recorder *recorder)
{
	_cleanup_free_ char *path = NULL, *fresh = NULL;

	if (recorder->fd < 0)
		return;
	recorder->thread = recorder_thread_free(recorder->thread);
	path = recorder_path(recorder->directory, false);
	fresh = recorder_path(recorder->directory, true);
	if (path && unlink(path) == 0)
		erase(recorder, take_fd(recorder->fd));
	if (fresh)
		unlink(fresh);
}
