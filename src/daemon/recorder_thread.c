/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/recorder_thread.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "base/io.h"
#include "base/point.h"

struct RecorderThread {
	pthread_t id;
	pthread_mutex_t mutex; /* guards what follows */
	pthread_cond_t wanted, done;
	int fd;
	bool stop;
	bool sync_wanted, sync_busy, spare_busy;
	const char *directory;
	size_t prepare_size; /* of a file that is to be made; 0: none is */
	RecordFile file;
	size_t from, to;
	RecorderRenewal *renewal; /* to be made, or being made */
	RecorderFile spare;
	RecorderResult result;
};

static int sync_range(const RecordFile *file, size_t from, size_t to)
{
	size_t begin = from & ~(size_t)(RECORD_PAGE_SIZE - 1);
	int r;

	POINT("before-sync");
	r = -POINT_FAULT("sync");
	if (r == 0 && msync(file->base + begin, to - begin, MS_SYNC) < 0)
		r = -errno;
	POINT("after-sync");
	return r;
}

int recorder_renewal_make(RecorderRenewal *renewal)
{
	RecordPlace place;
	size_t kept, size;
	int r;

	r = recorder_kept_size(&renewal->old, renewal->old_number, renewal->kept, renewal->n_kept, &kept);
	if (r < 0)
		return r;
	if (__builtin_add_overflow(RECORD_PAGE_SIZE + 2 * kept, renewal->wanted, &size) || size > SIZE_MAX / 4)
		return -EFBIG;
	/* what has grown larger than the usual file gets one with as much room again */
	size = MAX(renewal->size_min, (size + RECORD_PAGE_SIZE - 1) & ~(size_t)(RECORD_PAGE_SIZE - 1));
	renewal->made = TAKE(renewal->spare, (RecorderFile){ .fd = -EBADF });
	recorder_file_clean(&renewal->made);
	if (renewal->made.fd < 0 || renewal->made.file.size < size) {
		recorder_file_done(&renewal->made);
		r = recorder_file_create(renewal->directory, size, &renewal->made);
	}
	if (r >= 0)
		r = recorder_file_place(renewal->made.fd, &renewal->machine, &renewal->boot, &place);
	if (r >= 0)
		r = recorder_file_fill(&renewal->made, &place, &renewal->old, renewal->old_number, renewal->kept,
				       renewal->n_kept, &renewal->number);
	if (r >= 0)
		r = recorder_file_publish(renewal->directory, renewal->old.base != NULL);
	if (r < 0)
		recorder_file_done(&renewal->made);
	else
		renewal->exchanged = r > 0;
	return MIN(r, 0);
}

static void ring(const RecorderThread *thread)
{
	const uint64_t one = 1;

	/* a counter that is full rings as well */
	if (write(thread->fd, &one, sizeof(one)) < 0)
		return;
}

/* With the mutex; let go while the disk is waited for. */
static void do_sync(RecorderThread *thread)
{
	RecordFile file = thread->file;
	size_t from = thread->from, to = thread->to;
	int r;

	thread->sync_wanted = false;
	thread->sync_busy = true;
	pthread_mutex_unlock(&thread->mutex);
	r = sync_range(&file, from, to);
	pthread_mutex_lock(&thread->mutex);
	thread->sync_busy = false;
	thread->result.synced = true;
	thread->result.sync_r = r;
	thread->result.synced_to = to;
	ring(thread);
}

static void do_renew(RecorderThread *thread)
{
	RecorderRenewal *renewal = thread->renewal;

	pthread_mutex_unlock(&thread->mutex);
	renewal->r = recorder_renewal_make(renewal);
	pthread_mutex_lock(&thread->mutex);
	thread->renewal = NULL;
	thread->result.renewed = true;
	ring(thread);
}

/* A piece at a time: a sync never waits long for it. */
static void do_clean(RecorderThread *thread)
{
	RecorderFile file = TAKE(thread->spare, (RecorderFile){ .fd = -EBADF });

	thread->spare_busy = true;
	pthread_mutex_unlock(&thread->mutex);
	recorder_file_clean_piece(&file);
	pthread_mutex_lock(&thread->mutex);
	thread->spare_busy = false;
	thread->spare = file;
}

/* Where it cannot be made ahead, it is tried again when it is needed. */
static void do_prepare(RecorderThread *thread)
{
	RecorderFile file = { .fd = -EBADF };
	size_t size = thread->prepare_size;

	thread->prepare_size = 0;
	if (thread->spare.fd >= 0)
		return;
	thread->spare_busy = true;
	pthread_mutex_unlock(&thread->mutex);
	if (recorder_file_create(thread->directory, size, &file) < 0)
		file = (RecorderFile){ .fd = -EBADF };
	pthread_mutex_lock(&thread->mutex);
	thread->spare_busy = false;
	thread->spare = file;
}

static bool has_to_end(const RecorderThread *thread)
{
	return thread->stop && !thread->sync_wanted && !thread->renewal;
}

static void *work(void *context)
{
	RecorderThread *thread = context;

	prctl(PR_SET_NAME, "recorder", 0L, 0L, 0L);
	pthread_mutex_lock(&thread->mutex);
	while (!has_to_end(thread)) {
		if (thread->sync_wanted)
			do_sync(thread);
		else if (thread->renewal)
			do_renew(thread);
		else if (thread->spare.dirty > 0)
			do_clean(thread);
		else if (thread->prepare_size > 0)
			do_prepare(thread);
		else
			pthread_cond_wait(&thread->wanted, &thread->mutex);
		pthread_cond_broadcast(&thread->done);
	}
	pthread_mutex_unlock(&thread->mutex);
	return NULL;
}

static int start(RecorderThread *thread)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&thread->id, NULL, work, thread);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -r;
}

int recorder_thread_new(RecorderThread **ret)
{
	RecorderThread *thread = calloc(1, sizeof(*thread));
	int r;

	if (!thread)
		return -ENOMEM;
	thread->spare.fd = -EBADF;
	thread->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (thread->fd < 0) {
		r = -errno;
		free(thread);
		return r;
	}
	pthread_mutex_init(&thread->mutex, NULL);
	pthread_cond_init(&thread->wanted, NULL);
	pthread_cond_init(&thread->done, NULL);
	r = start(thread);
	if (r < 0) {
		fd_close(thread->fd);
		free(thread);
		return r;
	}
	*ret = thread;
	return 0;
}

RecorderThread *recorder_thread_free(RecorderThread *thread)
{
	if (!thread)
		return NULL;
	pthread_mutex_lock(&thread->mutex);
	thread->stop = true;
	pthread_cond_signal(&thread->wanted);
	pthread_mutex_unlock(&thread->mutex);
	pthread_join(thread->id, NULL);
	recorder_file_done(&thread->spare);
	pthread_mutex_destroy(&thread->mutex);
	pthread_cond_destroy(&thread->wanted);
	pthread_cond_destroy(&thread->done);
	fd_close(thread->fd);
	free(thread);
	return NULL;
}

int recorder_thread_fd(const RecorderThread *thread)
{
	return thread->fd;
}

void recorder_thread_sync(RecorderThread *thread, const RecordFile *file, size_t from, size_t to)
{
	pthread_mutex_lock(&thread->mutex);
	thread->file = *file;
	thread->from = from;
	thread->to = to;
	thread->sync_wanted = true;
	pthread_cond_signal(&thread->wanted);
	pthread_mutex_unlock(&thread->mutex);
}

void recorder_thread_renew(RecorderThread *thread, RecorderRenewal *renewal)
{
	pthread_mutex_lock(&thread->mutex);
	thread->renewal = renewal;
	pthread_cond_signal(&thread->wanted);
	pthread_mutex_unlock(&thread->mutex);
}

void recorder_thread_clean(RecorderThread *thread, RecorderFile *file)
{
	pthread_mutex_lock(&thread->mutex);
	while (thread->spare_busy)
		pthread_cond_wait(&thread->done, &thread->mutex);
	recorder_file_done(&thread->spare);
	thread->spare = TAKE(*file, (RecorderFile){ .fd = -EBADF });
	pthread_cond_signal(&thread->wanted);
	pthread_mutex_unlock(&thread->mutex);
}

void recorder_thread_prepare(RecorderThread *thread, const char *directory, size_t size)
{
	pthread_mutex_lock(&thread->mutex);
	thread->directory = directory;
	thread->prepare_size = size;
	pthread_cond_signal(&thread->wanted);
	pthread_mutex_unlock(&thread->mutex);
}

RecorderFile recorder_thread_spare(RecorderThread *thread)
{
	RecorderFile file;

	pthread_mutex_lock(&thread->mutex);
	while (thread->spare_busy)
		pthread_cond_wait(&thread->done, &thread->mutex);
	file = TAKE(thread->spare, (RecorderFile){ .fd = -EBADF });
	pthread_mutex_unlock(&thread->mutex);
	return file;
}

RecorderResult recorder_thread_take(RecorderThread *thread)
{
	RecorderResult result;
	uint64_t count;

	/* nothing to be read: it was not rung, and there may be a result all the same */
	if (read(thread->fd, &count, sizeof(count)) < 0)
		count = 0;
	pthread_mutex_lock(&thread->mutex);
	result = TAKE(thread->result, (RecorderResult){ 0 });
	pthread_mutex_unlock(&thread->mutex);
	return result;
}

void recorder_thread_wait(RecorderThread *thread)
{
	pthread_mutex_lock(&thread->mutex);
	while (thread->sync_wanted || thread->sync_busy)
		pthread_cond_wait(&thread->done, &thread->mutex);
	pthread_mutex_unlock(&thread->mutex);
}
