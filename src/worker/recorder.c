/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/point.h"
#include "worker/worker.h"

#define FAULT_SIZE (128U << 10)
#define FAULT_MARGIN RECORD_PAGE_SIZE

void worker_unmap(RecordFile *file)
{
	if (file->base)
		munmap(file->base, file->size);
	*file = (RecordFile){ 0 };
}

static int map_recorder(int fd, size_t size, RecordFile *ret)
{
	RecordFile file = { .size = size };
	int r;

	file.base = mmap(NULL, file.size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
	if (file.base == MAP_FAILED)
		return -errno;
	/* A child that a hook forked, and that comes back, cannot write. */
	r = madvise(file.base, file.size, MADV_DONTFORK) < 0 ? -errno : record_page_check(&file);
	if (r < 0) {
		worker_unmap(&file);
		return r;
	}
	*ret = file;
	return 0;
}

/* Whether \p fd is what `left` maps: its page says which inode it has, and no other can have that while it is mapped. */
static bool is_left(const Worker *worker, const struct stat *status)
{
	const RecordFile *left = &worker->left;

	return left->base && left->size == (size_t)status->st_size && record_page_check(left) == 0 &&
	       record_page(left)->inode == status->st_ino;
}

static int take_recorder(Worker *worker, int fd, RecordFile *ret)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return -errno;
	if (status.st_size < (off_t)RECORD_PAGE_SIZE)
		return -EBADMSG;
	if (is_left(worker, &status)) {
		*ret = TAKE(worker->left, (RecordFile){ 0 });
		return 0;
	}
	worker_unmap(&worker->left);
	return map_recorder(fd, (size_t)status.st_size, ret);
}

int worker_adopt(Worker *worker, int fd)
{
	RecordFile file;
	int r;

	r = take_recorder(worker, fd, &file);
	fd_close(fd);
	if (r < 0)
		return r;
	if (worker->keeps_left)
		worker->left = worker->recorder;
	else
		worker_unmap(&worker->recorder);
	worker->recorder = file;
	worker->faulted = 0;
	return 0;
}

/* What the daemon sees of a call in hand moves on with it. */
static void page_move(const RecordPage *from, RecordPage *to)
{
	memcpy(to->run, from->run, sizeof(to->run));
	to->op = from->op;
	to->step = from->step;
	to->attempt = from->attempt;
	to->rectifying = from->rectifying;
	to->since_usec = from->since_usec;
	to->deadline_is_program = from->deadline_is_program;
	memcpy(to->deadline_program, from->deadline_program, sizeof(to->deadline_program));
	atomic_store(&to->turn, atomic_load(&from->turn));
	atomic_store(&to->state, RECORD_RUNNING);
}

static int wait_for_recorder(Worker *worker)
{
	RecordPage before;
	int r;

	r = channel_ring(&worker->channel);
	while (r >= 0 && worker->channel.recorder < 0) {
		r = channel_receive(&worker->channel, true);
		if (r == 0)
			r = -ECONNRESET;
	}
	if (r < 0)
		return r;
	before = *record_page(&worker->recorder);
	r = worker_adopt(worker, take_fd(worker->channel.recorder));
	if (r < 0)
		return r;
	page_move(&before, record_page(&worker->recorder));
	POINT("after-recorder");
	return 0;
}

int worker_make_room(Worker *worker, size_t wanted)
{
	RecordPage *page = record_page(&worker->recorder);
	/* The time that it takes is no hook's. */
	uint64_t deadline = atomic_exchange(&page->deadline_usec, 0), since = clock_monotonic();
	int r;

	atomic_store(&page->wanted, wanted);
	atomic_store(&page->state, RECORD_FULL);
	r = wait_for_recorder(worker);
	if (r < 0) {
		worker->lost = r;
		return r;
	}
	page = record_page(&worker->recorder);
	if (deadline != 0 && !page->deadline_is_program)
		deadline += clock_monotonic() - since;
	atomic_store(&page->deadline_usec, deadline);
	return record_room(&worker->recorder) < wanted ? -ENOSPC : 0;
}

/* The first store to each page is a fault; many at once cost a tenth. Few at a time: what is dirty, a sync writes. */
static void fault_ahead(Worker *worker)
{
#ifdef MADV_POPULATE_WRITE
	const RecordFile *file = &worker->recorder;
	size_t tail = atomic_load_explicit(&record_page(file)->tail, memory_order_relaxed);
	size_t from = tail & ~(size_t)(RECORD_PAGE_SIZE - 1);

	if (tail + FAULT_MARGIN <= worker->faulted || from >= file->size)
		return;
	worker->faulted = from + MIN(file->size - from, (size_t)FAULT_SIZE);
	/* Where the kernel cannot (before 5.14), the stores fault one by one. */
	(void)madvise(file->base + from, worker->faulted - from, MADV_POPULATE_WRITE);
#endif
}

#define RECORD_POINTS(kind) [RECORD_##kind] = { "before-record-" #kind, "after-record-" #kind }
static const struct {
	const char *before, *after;
} record_points[RECORD_KIND_MAX] = {
	RECORD_POINTS(START), RECORD_POINTS(BEGIN),   RECORD_POINTS(NOTE),    RECORD_POINTS(END),
	RECORD_POINTS(STOP),  RECORD_POINTS(FINISH),  RECORD_POINTS(UNBEGUN), RECORD_POINTS(RETRY),
	RECORD_POINTS(SKIP),  RECORD_POINTS(CONFIRM), RECORD_POINTS(PARK),    RECORD_POINTS(TAKEN),
};

static int append(Worker *worker, RecordKind kind)
{
	const Buffer *content = &worker->content;
	int r;

	r = record_append(&worker->recorder, kind, content->data, content->size);
	if (r != -ENOSPC)
		return r;
	r = worker_make_room(worker, record_size(content->size));
	return r < 0 ? r : record_append(&worker->recorder, kind, content->data, content->size);
}

int worker_record(Worker *worker, RecordKind kind)
{
	int r;

	r = worker->lost ? worker->lost : buffer_error(&worker->content);
	if (r < 0)
		return r;
	fault_ahead(worker);
	POINT(record_points[kind].before);
	r = append(worker, kind);
	if (r >= 0)
		POINT(record_points[kind].after);
	return r;
}
