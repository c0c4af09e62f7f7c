/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "worker/sync.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/point.h"

static int sync_range(void *from, size_t size)
{
	int error;

	do {
		error = POINT_FAULT("sync");
		if (error == 0 && msync(from, size, MS_SYNC) < 0)
			error = errno;
	} while (error == EINTR);
	return -error;
}

/* The daemon may have come further meanwhile. */
static void raise_synced(RecordPage *page, uint64_t to)
{
	uint64_t synced = atomic_load(&page->synced);

	while (synced < to && !atomic_compare_exchange_weak(&page->synced, &synced, to))
		;
}

/* A sync of the daemon's has failed. */
static bool is_distrusted(const RecordPage *page)
{
	return atomic_load(&page->renew) != 0;
}

int sync_records(const RecordFile *file)
{
	RecordPage *page = record_page(file);
	size_t synced = atomic_load_explicit(&page->synced, memory_order_acquire);
	size_t tail = atomic_load_explicit(&page->tail, memory_order_relaxed), from;
	int r;

	if (synced >= tail)
		return 0;
	from = synced - synced % (size_t)sysconf(_SC_PAGESIZE);
	POINT("before-sync");
	r = is_distrusted(page) ? -EIO : sync_range(file->base + from, tail - from);
	/* what failed for the other side is told to it alone: here it looks like a success */
	if (r >= 0 && is_distrusted(page))
		r = -EIO;
	if (r < 0)
		return r;
	raise_synced(page, tail);
	POINT("after-sync");
	return 1;
}

int worker_sync(Worker *worker, size_t wanted, uint32_t *n_syncs)
{
	int short_of = 0;

	for (;;) {
		int r = sync_records(&worker->recorder);

		if (r >= 0) {
			*n_syncs += (uint32_t)r;
			return short_of;
		}
		atomic_store(&record_page(&worker->recorder)->failed, (uint32_t)-r);
		r = worker_make_room(worker, wanted);
		if (r < 0 && r != -ENOSPC)
			return r;
		short_of = r;
	}
}
