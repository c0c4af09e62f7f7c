/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What waits for the disk. Syncs go first, then the renewal, then the cleaning of what was a recorder before, in pieces
 * for which a sync does not wait long. That it is clean need not be on the disk before it is used again: what stands
 * there meanwhile are records of another file's number. It is, when nothing else has been wanted for a second. */
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/point.h"
#include "daemon/disk.h"
#include "daemon/recorder_private.h"

#define QUIET_USEC USEC_PER_SEC

/* The worker may have come further meanwhile. */
static void raise_synced(RecordPage *page, uint64_t to)
{
	uint64_t synced = atomic_load(&page->synced);

	while (synced < to && !atomic_compare_exchange_weak(&page->synced, &synced, to))
		;
}

static int sync_to(const RecordFile *file, size_t to)
{
	RecordPage *page = record_page(file);
	size_t synced = MIN(atomic_load(&page->synced), to), from = synced - synced % (size_t)sysconf(_SC_PAGESIZE);
	int r;

	if (synced == to)
		return 0;
	POINT("before-sync");
	r = disk_sync_mapped(file->base + from, to - from);
	if (r < 0)
		return r;
	raise_synced(page, to);
	POINT("after-sync");
	return 0;
}

/* Whoever wakes by it finds the mutex free. */
static void tell(RecorderThread *thread)
{
	pthread_mutex_unlock(&thread->mutex);
	(void)eventfd_write(thread->event_fd, 1); /* fails only if it is readable already */
	pthread_mutex_lock(&thread->mutex);
}

/* The turns: each comes with the mutex held, and leaves with it. */

static void turn_sync(RecorderThread *thread)
{
	size_t to = TAKE(thread->wish, 0);
	int r;

	pthread_mutex_unlock(&thread->mutex);
	r = sync_to(&thread->file, to);
	pthread_mutex_lock(&thread->mutex);
	thread->n_synced++;
	if (r < 0) {
		thread->failed = true;
		thread->wish = 0;
		thread->sync_result = r;
	}
	tell(thread);
}

/* What can become the next recorder, where it is large enough. */
static Blank *take_spare(RecorderThread *thread, size_t size)
{
	Blank *blank;

	TAILQ_FOREACH(blank, &thread->blanks, entry)
	{
		if (!blank->lent && !blank->bad && blank->size >= size && blank_is_at(blank, thread->path)) {
			TAILQ_REMOVE(&thread->blanks, blank, entry);
			return blank;
		}
	}
	return NULL;
}

/* What stands there now has no name any more; it is cleaned when its time comes, and let go. */
static int make_blank(const RecorderThread *thread, size_t size, Blank **ret)
{
	if (unlink(thread->path) < 0 && errno != ENOENT)
		return -errno;
	return blank_make(thread->path, size, ret);
}

static int renew(RecorderThread *thread, Blank *blank, size_t size)
{
	int r = 0;

	if (!blank)
		r = make_blank(thread, size, &blank);
	if (r >= 0)
		r = recorder_file_make(&thread->order, blank, &thread->made, &thread->replaced);
	/* the worker is to do nothing more in a file that may be gone after a power loss */
	if (r < 0 && thread->replaced)
		atomic_store(&record_page(&thread->order.old)->renew, 1);
	return r;
}

static void turn_renew(RecorderThread *thread)
{
	Blank *spare = NULL;
	size_t size = 0;
	int r;

	thread->replaced = false;
	r = recorder_file_size(&thread->order, &size);
	if (r >= 0)
		spare = take_spare(thread, size);
	pthread_mutex_unlock(&thread->mutex);
	if (r >= 0)
		r = renew(thread, spare, size);
	pthread_mutex_lock(&thread->mutex);
	thread->renewal = RENEWAL_DONE;
	thread->renewal_result = r;
	tell(thread);
}

static bool is_dirty(const Blank *blank)
{
	return !blank_is_clean(blank);
}

static bool is_not_erased(const Blank *blank)
{
	return !blank->erased;
}

/* The first that no worker may have. */
static Blank *find_blank(const RecorderThread *thread, bool (*wanted)(const Blank *blank))
{
	Blank *blank;

	TAILQ_FOREACH(blank, &thread->blanks, entry)
	{
		if (!blank->lent && wanted(blank))
			return blank;
	}
	return NULL;
}

/* It stays if it is still good for something: it is to be cleaned, or can be the next recorder. */
static bool is_useful(const RecorderThread *thread, const Blank *blank)
{
	return !blank->erased || (!blank->bad && blank->size >= thread->size_min && blank_is_at(blank, thread->path));
}

static void turn_blank(RecorderThread *thread, Blank *blank, int (*work)(Blank *blank))
{
	bool useful;

	TAILQ_REMOVE(&thread->blanks, blank, entry);
	pthread_mutex_unlock(&thread->mutex);
	useful = work(blank) >= 0 && is_useful(thread, blank);
	if (!useful && blank_is_at(blank, thread->path))
		unlink(thread->path); /* a new one is made when one is needed */
	if (!useful)
		blank_free(blank);
	pthread_mutex_lock(&thread->mutex);
	if (useful)
		TAILQ_INSERT_HEAD(&thread->blanks, blank, entry);
}

/* Or will have one, when the worker has left it. */
static bool has_spare(const RecorderThread *thread)
{
	const Blank *blank;

	TAILQ_FOREACH(blank, &thread->blanks, entry)
	{
		if (!blank->bad && blank_is_at(blank, thread->path))
			return true;
	}
	return false;
}

/* Where that fails, one is made when it is needed. */
static void turn_spare(RecorderThread *thread)
{
	Blank *blank = NULL;
	int r;

	thread->spare_wanted = false;
	if (has_spare(thread))
		return;
	pthread_mutex_unlock(&thread->mutex);
	r = make_blank(thread, thread->size_min, &blank);
	pthread_mutex_lock(&thread->mutex);
	if (r >= 0)
		TAILQ_INSERT_HEAD(&thread->blanks, blank, entry);
}

/* What is new is on the disk before it is needed. */
static int clean(Blank *blank)
{
	int r = blank_clean(blank);

	return r >= 0 && blank_is_clean(blank) ? blank_fill(blank) : r;
}

static void turn_wait(RecorderThread *thread)
{
	uint64_t until = clock_monotonic() + QUIET_USEC;
	const struct timespec time = { .tv_sec = (time_t)(until / USEC_PER_SEC),
				       .tv_nsec = (long)(until % USEC_PER_SEC * 1000) };
	Blank *blank = find_blank(thread, is_not_erased);

	if (!blank)
		pthread_cond_wait(&thread->wake, &thread->mutex);
	else if (pthread_cond_timedwait(&thread->wake, &thread->mutex, &time) == ETIMEDOUT && !thread->stop &&
		 thread->wish == 0 && thread->renewal != RENEWAL_WANTED)
		turn_blank(thread, blank, blank_erase);
}

static void turn(RecorderThread *thread)
{
	Blank *dirty;

	if (thread->wish > 0)
		turn_sync(thread);
	else if (thread->renewal == RENEWAL_WANTED)
		turn_renew(thread);
	else if ((dirty = find_blank(thread, is_dirty)))
		turn_blank(thread, dirty, clean);
	else if (thread->spare_wanted)
		turn_spare(thread);
	else
		turn_wait(thread);
}

void *recorder_work(void *userdata)
{
	RecorderThread *thread = userdata;

	pthread_mutex_lock(&thread->mutex);
	while (!thread->stop)
		turn(thread);
	pthread_mutex_unlock(&thread->mutex);
	return NULL;
}
