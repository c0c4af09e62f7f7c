/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "worker/worker.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/io.h"
#include "base/point.h"
#include "worker/descendants.h"
#include "worker/perform.h"
#include "worker/process.h"
#include "worker/threads.h"
#include "worker/timers.h"

static void worker_done(Worker *worker)
{
	module_free(worker->module);
	channel_done(&worker->channel);
	buffer_done(&worker->content);
	buffer_done(&worker->writes);
	buffer_done(&worker->reply);
	worker_unmap(&worker->recorder);
	worker_unmap(&worker->left);
}

static int perform_run_order(Worker *worker, const Order *order)
{
	RecordStart start;
	int r;

	r = order_decode_run(order, &start);
	return r < 0 ? r : perform_run(worker, &start);
}

static int perform_resume_order(Worker *worker, const Order *order)
{
	OrderResume resume;
	int r;

	r = order_decode_resume(order, &resume);
	return r < 0 ? r : perform_resume(worker, &resume);
}

static int perform_unpark_order(Worker *worker, const Order *order)
{
	OrderUnpark unpark;
	int r;

	r = order_decode_unpark(order, &unpark);
	return r < 0 ? r : perform_unpark(worker, &unpark);
}

static int (*const performers[ORDER_KIND_MAX])(Worker *worker, const Order *order) = {
	[ORDER_RUN] = perform_run_order,
	[ORDER_RESUME] = perform_resume_order,
	[ORDER_UNPARK] = perform_unpark_order,
};

static int perform(Worker *worker, const Order *order)
{
	POINT("after-order");
	if (order->kind == ORDER_RECORDER)
		return worker->channel.recorder < 0 ? 0 : worker_adopt(worker, take_fd(worker->channel.recorder));
	if (!performers[order->kind])
		return -EBADMSG;
	if (!worker->taken_over)
		record_take_over(&worker->recorder);
	worker->taken_over = true;
	worker->performed++;
	atomic_store(&record_page(&worker->recorder)->state, RECORD_RUNNING);
	return performers[order->kind](worker, order);
}

int worker_ring(Worker *worker)
{
	worker->unheard = worker->performed = 0;
	return channel_ring(&worker->channel);
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

/* The daemon hears of what is done before nothing is done. Where it is but answers that would not have been told of
 * within a batch either (see tell_meanwhile()), orders that are here already go first. */
static int receive(Worker *worker)
{
	int r = -EAGAIN;

	if (worker->performed > 0 && worker->performed == worker->unheard)
		r = channel_receive(&worker->channel, false);
	if (r != -EAGAIN)
		return r;
	if (worker->taken_over) {
		atomic_store(&record_page(&worker->recorder)->state, RECORD_IDLE);
		r = worker_ring(worker);
		if (r < 0)
			return r;
	}
	return channel_receive(&worker->channel, true);
}

/* 0 at the channel's end; PERFORM_LEAVE, PERFORM_RETIRE; a negative errno. Before the first order the recorder is another's. */
static int work(Worker *worker)
{
	int r;

	for (;;) {
		r = receive(worker);
		if (r <= 0)
			return r;
		r = work_off(worker);
		if (r != 0)
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
	worker->keeps_left = options->memory == 0;
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
