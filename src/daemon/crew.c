/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/crew.h"

#include <string.h>

#include "base/clock.h"
#include "base/io.h"
#include "daemon/crew_private.h"

void crew_init(Crew *crew, const CrewSetup *setup)
{
	*crew = (Crew){
		.poller = setup->poller,
		.config = setup->config,
		.instance = setup->instance,
		.trace = setup->trace,
		.queue = setup->queue,
		.worker = setup->worker,
		.module_fd = -EBADF,
	};
	recorder_init(&crew->recorder);
	TAILQ_INIT(&crew->ordered);
}

void crew_done(Crew *crew)
{
	Run *run;

	while ((run = TAILQ_FIRST(&crew->ordered))) {
		TAILQ_REMOVE(&crew->ordered, run, entry);
		run_free(run);
	}
	hand_free(crew->active);
	hand_free(crew->spare);
	recorder_done(&crew->recorder);
	catalog_free(crew->catalog);
	fd_close(crew->module_fd);
	free(crew->module_path);
	free(crew->problem);
	free(crew->store_problem);
}

int crew_open(Crew *crew, const char *directory)
{
	return recorder_open(&crew->recorder, directory, crew->config->recorder_size);
}

RecordCaps crew_caps(const Config *config)
{
	return (RecordCaps){
		.pool = config->max_pool_size,
		.notes = config->max_notes_size,
		.rectified = config->max_rectified_size,
	};
}

void crew_tire(Crew *crew)
{
	crew->tired = true;
	atomic_store(&recorder_page(&crew->recorder)->hold, 1);
}

static void crew_resume(Crew *crew)
{
	const CrewCause *cause = &crew->cause;
	const OrderResume resume = {
		.offset = crew->current->offset,
		.cause = cause->code == ERROR_NONE ? ERROR_HOOK_UNKNOWN : cause->code,
		.program = cause->program,
		.program_size = strlen(cause->program),
		.message = cause->message,
		.message_size = strlen(cause->message),
	};
	_cleanup_buffer_ Buffer order = { 0 };

	order_encode_resume(&resume, &order);
	if (buffer_error(&order) < 0) {
		hand_kill(crew->active);
		return;
	}
	hand_order(crew->active, order.data, order.size);
	crew->active->given++;
	crew->cause = (CrewCause){ 0 };
	hand_flush(crew->active);
}

static void crew_take_over(Crew *crew)
{
	RecordPage *page = recorder_page(&crew->recorder);

	crew->active = take_ptr(crew->spare);
	crew->tired = false;
	crew->barren = true;
	record_take_over(&crew->recorder.file);
	atomic_store(&page->state, RECORD_IDLE);
	atomic_store(&page->hold, crew->stopping ? 1 : 0);
	if (crew->current)
		crew_resume(crew);
}

static void crew_succeed(Crew *crew)
{
	if (crew->clearing || crew->damaged || crew->cut_off || (crew->stopping && !crew->current))
		return;
	if (crew->spare && crew->spare->state == HAND_READY && clock_monotonic() >= crew->retry_at_usec)
		crew_take_over(crew);
	else if (!crew->spare)
		crew_start_spare(crew);
}

static bool crew_may_order(const Crew *crew, const Run *run)
{
	const Hand *hand = crew->active;

	if (crew->n_ordered >= ORDER_BATCH_MAX || hand_unsent(hand) > CREW_UNSENT_MAX)
		return false;
	if (crew->config->runs_per_worker && hand->given >= crew->config->runs_per_worker)
		return false;
	/* one that must begin soon is refused by us in time, while it waits here */
	return run->start_by_usec == 0 || crew->n_ordered == 0;
}

static void crew_dispatch(Crew *crew)
{
	Hand *hand = crew->active;
	Run *run;

	queue_expire(crew->queue, crew->queue->n_limited ? clock_monotonic() : 0);
	while ((run = queue_first(crew->queue)) && crew_may_order(crew, run)) {
		queue_pop(crew->queue);
		hand_order(hand, run->order.data, run->order.size);
		hand->given++;
		TAILQ_INSERT_TAIL(&crew->ordered, run, entry);
		crew->n_ordered++;
	}
	if (hand_unsent(hand) > 0)
		hand_flush(hand);
}

static void crew_retire(Crew *crew)
{
	Hand *hand = crew->active;

	if (hand->broken && !crew->current)
		hand_expect_end(hand); /* it is dying, or will notice */
	else if (crew->n_ordered == 0 && hand->state == HAND_READY &&
		 (crew->tired || crew->stopping ||
		  (crew->config->runs_per_worker && hand->given >= crew->config->runs_per_worker)))
		hand_leave(hand);
}

void crew_step(Crew *crew)
{
	if (crew->recorder.fd < 0)
		return;
	if (crew->stopping && crew->spare && crew->n_ordered == 0)
		hand_kill(crew->spare); /* it has done nothing yet, and never will */
	if (crew->active)
		crew_read(crew);
	else
		crew_succeed(crew);
	if (!crew->active)
		return;
	if (crew->active->state == HAND_READY && !crew->tired && !crew->stopping && !crew->store_problem)
		crew_dispatch(crew);
	crew_retire(crew);
}

void crew_look(Crew *crew)
{
	if (crew->active)
		crew_read(crew);
}

bool crew_settled(const Crew *crew)
{
	return crew->catalog || crew->problem;
}

bool crew_wants_idle(const Crew *crew)
{
	return recorder_wants_cleaning(&crew->recorder) ||
	       (crew->active && !crew->spare && !crew->stopping && clock_monotonic() >= crew->retry_at_usec);
}

void crew_use_idle(Crew *crew)
{
	if (recorder_wants_cleaning(&crew->recorder))
		recorder_clean(&crew->recorder);
	else if (crew->active && !crew->stopping)
		crew_start_spare(crew);
}

bool crew_busy(const Crew *crew)
{
	return crew->n_ordered > 0;
}

bool crew_waits(const Crew *crew)
{
	return crew->n_ordered > 0 || crew->clearing || crew->store_problem || !crew->active || !crew->spare ||
	       crew->active->state != HAND_READY || crew->spare->state != HAND_READY;
}

void crew_stop(Crew *crew)
{
	crew->stopping = true;
	if (crew->active)
		atomic_store(&recorder_page(&crew->recorder)->hold, 1);
}

void crew_cut_off(Crew *crew)
{
	crew->cut_off = true;
	if (crew->active)
		hand_kill(crew->active);
	if (crew->spare)
		hand_kill(crew->spare);
}

bool crew_ended(const Crew *crew)
{
	return (crew->n_ordered == 0 || crew->cut_off) && !crew->active && !crew->spare && !crew->clearing;
}

size_t crew_waiting(const Crew *crew)
{
	return crew->queue->n + (crew->n_ordered > 0 ? crew->n_ordered - 1 : 0);
}
