/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/io.h"
#include "daemon/recorder_thread.h"

#define PREPARE_PART 4U /* of a file that is filled: then the next one is made ahead */

void recorder_init(Recorder *recorder)
{
	*recorder = (Recorder){ .fd = -EBADF, .spent = { .fd = -EBADF } };
}

void recorder_done(Recorder *recorder)
{
	RecorderFile file = { .fd = recorder->fd, .file = recorder->file };

	recorder->thread = recorder_thread_free(recorder->thread);
	if (recorder->renewal) {
		recorder_file_done(&recorder->renewal->spare);
		recorder_file_done(&recorder->renewal->made);
	}
	free(recorder->renewal);
	recorder_file_done(&file);
	recorder_file_done(&recorder->spent);
	free(recorder->directory);
	recorder_init(recorder);
}

static void recorder_use(Recorder *recorder, RecorderFile *file, uint32_t number)
{
	recorder->fd = file->fd;
	recorder->file = file->file;
	*file = (RecorderFile){ .fd = -EBADF };
	recorder->number = number;
	recorder->begin = recorder->position = record_page(&recorder->file)->tail;
	recorder->sequence = record_page(&recorder->file)->sequence;
	recorder->failed = false;
}

int recorder_open(Recorder *recorder, const RecorderSetup *setup, RecorderKept *kept, size_t n_kept)
{
	RecorderRenewal renewal = {
		.machine = setup->machine,
		.boot = setup->boot,
		.size_min = (setup->size + RECORD_PAGE_SIZE - 1) & ~(size_t)(RECORD_PAGE_SIZE - 1),
		.kept = kept,
		.n_kept = n_kept,
		.spare.fd = -EBADF,
		.made.fd = -EBADF,
	};
	int r;

	recorder_done(recorder);
	recorder->directory = strdup(setup->directory);
	if (!recorder->directory)
		return -ENOMEM;
	recorder->size_min = renewal.size_min;
	recorder->machine = setup->machine;
	recorder->boot = setup->boot;
	recorder->events = setup->events;
	renewal.directory = recorder->directory;
	r = recorder_renewal_make(&renewal);
	if (r < 0)
		return r;
	recorder_use(recorder, &renewal.made, renewal.number);
	return recorder_thread_new(&recorder->thread);
}

int recorder_event_fd(const Recorder *recorder)
{
	return recorder->thread ? recorder_thread_fd(recorder->thread) : -EBADF;
}

/* The worker raises it, too. */
static void raise_synced(const Recorder *recorder, uint64_t to)
{
	_Atomic uint64_t *synced = &recorder_page(recorder)->synced;
	uint64_t found = atomic_load(synced);

	while (found < to && !atomic_compare_exchange_weak(synced, &found, to))
		;
}

size_t recorder_synced(const Recorder *recorder)
{
	/* nobody can have synced what was not written */
	return MIN(atomic_load(&recorder_page(recorder)->synced), recorder->position);
}

void recorder_sync(Recorder *recorder)
{
	size_t synced = recorder_synced(recorder);

	if (!recorder->thread || recorder->renewing || recorder->failed || synced >= recorder->position)
		return;
	if (recorder->syncing) {
		recorder->sync_again = true;
		return;
	}
	recorder->syncing = true;
	recorder_thread_sync(recorder->thread, &recorder->file, synced, recorder->position);
}

static void on_synced(Recorder *recorder, int r, size_t to)
{
	recorder->syncing = false;
	if (r < 0)
		recorder->failed = true;
	else
		raise_synced(recorder, to);
	recorder->n_syncs++;
	recorder->events.on_synced(r, recorder->events.context);
	if (TAKE(recorder->sync_again, false))
		recorder_sync(recorder);
}

static void on_renewed(Recorder *recorder)
{
	RecorderRenewal *renewal = take_ptr(recorder->renewal);
	int r = renewal->r;

	recorder->renewing = false;
	if (r >= 0) {
		recorder_file_done(&recorder->spent);
		recorder->spent = (RecorderFile){
			.fd = recorder->fd,
			.file = recorder->file,
			.dirty = recorder->file.size,
		};
		/* one that has no name any more cannot be renamed into place */
		if (!renewal->exchanged)
			recorder_file_done(&recorder->spent);
		recorder_use(recorder, &renewal->made, renewal->number);
		recorder->n_renewals++;
	}
	recorder_file_done(&renewal->spare);
	free(renewal);
	recorder->events.on_renewed(r, recorder->events.context);
}

void recorder_dispatch(Recorder *recorder)
{
	RecorderResult result = recorder_thread_take(recorder->thread);

	if (result.synced)
		on_synced(recorder, result.sync_r, result.synced_to);
	if (result.renewed)
		on_renewed(recorder);
}

int recorder_renew(Recorder *recorder, RecorderKept *kept, size_t n_kept, size_t wanted)
{
	RecorderRenewal *renewal;

	if (!recorder->thread)
		return -EBADF;
	if (recorder->renewing)
		return -EBUSY;
	renewal = malloc(sizeof(*renewal));
	if (!renewal)
		return -ENOMEM;
	*renewal = (RecorderRenewal){
		.directory = recorder->directory,
		.machine = recorder->machine,
		.boot = recorder->boot,
		.size_min = recorder->size_min,
		.wanted = wanted,
		.old = recorder->file,
		.old_number = recorder->number,
		.kept = kept,
		.n_kept = n_kept,
		.spare = recorder_thread_spare(recorder->thread),
		.made.fd = -EBADF,
	};
	recorder->renewal = renewal;
	recorder->renewing = true;
	recorder_thread_renew(recorder->thread, renewal);
	return 0;
}

void recorder_recycle(Recorder *recorder)
{
	if (recorder->thread && recorder->spent.fd >= 0)
		recorder_thread_clean(recorder->thread, &recorder->spent);
}

/* The first file's successor is made ahead, when there will be need for one. */
static void recorder_prepare(Recorder *recorder)
{
	recorder->prepared = true;
	recorder_thread_prepare(recorder->thread, recorder->directory, recorder->size_min);
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
	if (!recorder->prepared && recorder->thread && recorder->position > recorder->file.size / PREPARE_PART)
		recorder_prepare(recorder);
	return 1;
}

void recorder_remove(Recorder *recorder)
{
	_cleanup_free_ char *path = NULL, *fresh = NULL;

	if (recorder->fd < 0)
		return;
	if (asprintf(&path, "%s/" RECORDER_NAME, recorder->directory) >= 0)
		unlink(path);
	if (asprintf(&fresh, "%s/" RECORDER_FRESH_NAME, recorder->directory) >= 0)
		unlink(fresh);
}

int recorder_map(const char *directory, const Id *machine, const Id *boot, RecordFile *ret, RecordPlace *ret_place)
{
	_cleanup_close_ int fd = -EBADF;
	_cleanup_free_ char *path = NULL;
	struct stat status;
	RecordPlace place;
	void *base;
	int r;

	if (asprintf(&path, "%s/" RECORDER_NAME, directory) < 0)
		return -ENOMEM;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return errno == ELOOP ? -EINVAL : -errno;
	if (fstat(fd, &status) < 0)
		return -errno;
	if (!S_ISREG(status.st_mode))
		return -EINVAL;
	r = recorder_file_place(fd, machine, boot, &place);
	if (r < 0)
		return r;
	if (status.st_size == 0) {
		*ret = (RecordFile){ 0 };
		*ret_place = place;
		return 0;
	}
	base = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (base == MAP_FAILED)
		return -errno;
	*ret = (RecordFile){ .base = base, .size = (size_t)status.st_size };
	*ret_place = place;
	return 0;
}

void recorder_unmap(RecordFile *file)
{
	if (file->base)
		munmap(file->base, file->size);
	*file = (RecordFile){ 0 };
}
