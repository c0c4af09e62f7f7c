/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The main thread's side: nothing here waits for the disk but the end. */
#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>

#include "base/io.h"
#include "daemon/recorder_private.h"

static int init_wake(RecorderThread *thread)
{
	pthread_condattr_t attributes;
	int r;

	r = pthread_condattr_init(&attributes);
	if (r != 0)
		return -r;
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	r = pthread_cond_init(&thread->wake, &attributes);
	pthread_condattr_destroy(&attributes);
	return -r;
}

/* Signals are the main thread's. */
static int begin(RecorderThread *thread)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&thread->id, NULL, recorder_work, thread);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r == 0)
		pthread_setname_np(thread->id, "recorder");
	return -r;
}

static RecorderThread *thread_release(RecorderThread *thread)
{
	Blank *blank;

	while ((blank = TAILQ_FIRST(&thread->blanks))) {
		TAILQ_REMOVE(&thread->blanks, blank, entry);
		blank_free(blank);
	}
	pthread_cond_destroy(&thread->wake);
	pthread_mutex_destroy(&thread->mutex);
	recorder_file_unmap(&thread->made.file);
	fd_close(thread->made.fd);
	fd_close(thread->event_fd);
	free(thread->path);
	free(thread);
	return NULL;
}

int recorder_thread_start(const char *directory, size_t size_min, const RecordFile *file, RecorderThread **ret)
{
	RecorderThread *thread = calloc(1, sizeof(*thread));
	int r;

	if (!thread)
		return -ENOMEM;
	r = init_wake(thread);
	if (r < 0) {
		free(thread);
		return r;
	}
	pthread_mutex_init(&thread->mutex, NULL);
	TAILQ_INIT(&thread->blanks);
	thread->made.fd = -EBADF;
	thread->size_min = size_min;
	thread->file = *file;
	thread->path = recorder_path(directory, true);
	thread->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = thread->event_fd < 0 ? -errno : 0;
	if (!thread->path)
		r = -ENOMEM;
	if (r >= 0)
		r = begin(thread);
	if (r < 0) {
		thread_release(thread);
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
	pthread_mutex_unlock(&thread->mutex);
	pthread_cond_signal(&thread->wake);
	pthread_join(thread->id, NULL);
	return thread_release(thread);
}

void recorder_thread_sync(RecorderThread *thread, size_t to)
{
	pthread_mutex_lock(&thread->mutex);
	if (!thread->failed) {
		thread->wish = to;
	}
	pthread_mutex_unlock(&thread->mutex);
	pthread_cond_signal(&thread->wake);
}

void recorder_thread_renew(RecorderThread *thread, const RecorderOrder *order)
{
	pthread_mutex_lock(&thread->mutex);
	thread->order = *order;
	thread->renewal = RENEWAL_WANTED;
	pthread_mutex_unlock(&thread->mutex);
	pthread_cond_signal(&thread->wake);
}

RecorderResult recorder_thread_take(RecorderThread *thread)
{
	RecorderResult result;
	eventfd_t rung;

	(void)eventfd_read(thread->event_fd, &rung); /* nothing there: it was asked without being rung */
	pthread_mutex_lock(&thread->mutex);
	result = (RecorderResult){
		.n_synced = TAKE(thread->n_synced, 0),
		.sync_result = TAKE(thread->sync_result, 0),
		.renewed = thread->renewal == RENEWAL_DONE,
		.renewal_result = thread->renewal_result,
	};
	if (result.renewed) {
		result.made = TAKE(thread->made, (RecorderMade){ .fd = -EBADF });
		thread->renewal = RENEWAL_NONE;
	}
	pthread_mutex_unlock(&thread->mutex);
	return result;
}

void recorder_thread_move(RecorderThread *thread, const RecordFile *file, Blank *spent)
{
	pthread_mutex_lock(&thread->mutex);
	thread->file = *file;
	thread->failed = false;
	if (spent)
		TAILQ_INSERT_TAIL(&thread->blanks, spent, entry);
	pthread_mutex_unlock(&thread->mutex);
	pthread_cond_signal(&thread->wake);
}

void recorder_thread_recycle(RecorderThread *thread)
{
	Blank *blank;

	pthread_mutex_lock(&thread->mutex);
	TAILQ_FOREACH(blank, &thread->blanks, entry)
	blank->lent = false;
	pthread_mutex_unlock(&thread->mutex);
	pthread_cond_signal(&thread->wake);
}

void recorder_thread_prepare(RecorderThread *thread)
{
	pthread_mutex_lock(&thread->mutex);
	thread->spare_wanted = true;
	pthread_mutex_unlock(&thread->mutex);
	pthread_cond_signal(&thread->wake);
}
