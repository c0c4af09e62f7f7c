/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "worker/worker.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "base/io.h"
#include "worker/descendants.h"
#include "worker/perform.h"
#include "worker/process.h"
#include "worker/threads.h"
#include "worker/timers.h"

#define FAULT_SIZE (128U << 10)
#define FAULT_MARGIN RECORD_PAGE_SIZE

static void worker_done(Worker *worker)
{
	module_free(worker->module);
	channel_done(&worker->channel);
	buffer_done(&worker->content);
	buffer_done(&worker->reply);
	if (worker->recorder.base)
		munmap(worker->recorder.base, worker->recorder.size);
}

static int map_recorder(int fd, RecordFile *ret)
{
	RecordFile file = { 0 };
	struct stat status;
	int r;

	if (fstat(fd, &status) < 0)
		return -errno;
	if (status.st_size < (off_t)RECORD_PAGE_SIZE)
		return -EBADMSG;
	file.size = (size_t)status.st_size;
	file.base = mmap(NULL, file.size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
	if (file.base == MAP_FAILED)
		return -errno;
	/* A child that a hook forked, and that comes back, cannot write. */
	r = madvise(file.base, file.size, MADV_DONTFORK) < 0 ? -errno : record_page_check(&file);
	if (r < 0) {
		munmap(file.base, file.size);
		return r;
	}
	*ret = file;
	return 0;
}

int worker_adopt(Worker *worker, int fd)
{
	RecordFile file, old = worker->recorder;
	int r;

	r = map_recorder(fd, &file);
	fd_close(fd);
	if (r < 0)
		return r;
	worker->recorder = file;
	worker->faulted = 0;
	if (old.base)
		munmap(old.base, old.size);
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
	atomic_store(&to->deadline_usec, atomic_load(&from->deadline_usec));
	atomic_store(&to->turn, atomic_load(&from->turn));
	atomic_store(&to->state, RECORD_RUNNING);
}

int worker_make_room(Worker *worker, size_t wanted)
{
	RecordPage *page = record_page(&worker->recorder), before;
	int r;

	atomic_store(&page->wanted, wanted);
	atomic_store(&page->state, RECORD_FULL);
	r = channel_ring(&worker->channel);
	while (r >= 0 && worker->channel.recorder < 0) {
		r = channel_receive(&worker->channel);
		if (r == 0)
			r = -ECONNRESET;
	}
	if (r < 0)
		return r;
	before = *page;
	r = worker_adopt(worker, take_fd(worker->channel.recorder));
	if (r < 0)
		return r;
	page_move(&before, record_page(&worker->recorder));
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

int worker_record(Worker *worker, RecordKind kind)
{
	const Buffer *content = &worker->content;
	int r;

	r = buffer_error(content);
	if (r < 0)
		return r;
	fault_ahead(worker);
	r = record_append(&worker->recorder, kind, content->data, content->size);
	if (r != -ENOSPC)
		return r;
	r = worker_make_room(worker, record_size(content->size));
	return r < 0 ? r : record_append(&worker->recorder, kind, content->data, content->size);
}

static int perform(Worker *worker, const Order *order)
{
	RecordPage *page = record_page(&worker->recorder);
	OrderResume resume;
	RecordStart start;
	int r;

	if (order->kind == ORDER_RECORDER)
		return worker->channel.recorder < 0 ? 0 : worker_adopt(worker, take_fd(worker->channel.recorder));
	if (!worker->taken_over)
		record_take_over(&worker->recorder);
	worker->taken_over = true;
	atomic_store(&page->state, RECORD_RUNNING);
	if (order->kind == ORDER_RUN) {
		r = order_decode_run(order, &start);
		return r < 0 ? r : perform_run(worker, &start);
	}
	r = order_decode_resume(order, &resume);
	return r < 0 ? r : perform_resume(worker, &resume);
}

/* All orders that are here. */
static int work_off(Worker *worker)
{
	Order order;
	int r;

	while ((r = channel_next(&worker->channel, &order)) > 0) {
		r = perform(worker, &order);
		if (r != 0)
			return r;
	}
	return r;
}

/* 0 at the channel's end; PERFORM_LEAVE, PERFORM_RETIRE; a negative errno. Before the first order the recorder is another's. */
static int work(Worker *worker)
{
	int r;

	for (;;) {
		r = channel_receive(&worker->channel);
		if (r <= 0)
			return r;
		r = work_off(worker);
		if (r != 0)
			return r;
		if (!worker->taken_over)
			continue;
		atomic_store(&record_page(&worker->recorder)->state, RECORD_IDLE);
		r = channel_ring(&worker->channel);
		if (r < 0)
			return r;
	}
}

static int hello(const Worker *worker, const Error *error)
{
	const Module *module = worker->module;
	OrderHello hello = { .abi_major = RYUSO_MODULE_MAJOR, .abi_minor = RYUSO_MODULE_MINOR };

	if (module) {
		hello.abi_minor = module->table->header.abi_minor;
		hello.fingerprint = module->fingerprint;
		hello.build_id = module->build_id;
		hello.build_id_size = strlen(module->build_id);
		hello.spec = module->table->spec;
		hello.spec_size = module->table->spec_size;
	} else {
		hello.error = error->message ? error->message : "the module cannot be loaded: memory is short";
		hello.error_size = strlen(hello.error);
	}
	return channel_hello(&hello);
}

/* 1 where the module cannot be used, which the daemon has been told. */
static int worker_open(Worker *worker, const WorkerOptions *options)
{
	_cleanup_error_ Error error = { 0 };
	int r;

	worker->caps = options->caps;
	worker->channel.recorder = -EBADF;
	r = process_init(options->memory);
	if (r >= 0)
		r = channel_init(&worker->channel);
	if (r >= 0)
		r = worker_adopt(worker, ORDER_FD_RECORDER);
	if (r < 0)
		return r;
	output_init(&worker->output);
	r = module_load(ORDER_FD_MODULE, &worker->module, &error);
	if (r < 0 && r != -EBADMSG && r != -ENOMEM)
		return r;
	fd_close(ORDER_FD_MODULE);
	/* What it began before its first hook is no hook's; processes are not for keeps all the same. */
	r = descendants_left() ? descendants_end() : 0;
	if (r < 0)
		return r;
	threads_mark();
	timers_mark();
	r = hello(worker, &error);
	return r < 0 ? r : !worker->module;
}

static void take_leave(Worker *worker)
{
	atomic_store(&record_page(&worker->recorder)->state, RECORD_LEAVING);
	/* Where the doorbell is gone, the daemon hears of the end itself. */
	(void)channel_ring(&worker->channel);
}

static _Noreturn void fail(const char *what, int error)
{
	dprintf(STDERR_FILENO, "<%d>ryuso-worker: %s: %s; a fresh worker takes over\n", LOG_ERR, what,
		strerror(-error));
	_exit(EXIT_FAILURE);
}

int worker_main(const WorkerOptions *options)
{
	_cleanup_(worker_done) Worker worker = { 0 };
	int r;

	r = worker_open(&worker, options);
	if (r < 0)
		fail("it cannot begin", r);
	if (r > 0)
		return EXIT_FAILURE;
	r = work(&worker);
	if (r < 0)
		fail("it cannot go on", r);
	if (r > 0)
		take_leave(&worker);
	/* No code of the module runs any more: what a hook has left there could act on what comes after. */
	if (r == PERFORM_LEAVE)
		_exit(EXIT_SUCCESS);
	return EXIT_SUCCESS;
}
