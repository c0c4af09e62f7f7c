/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/crew.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/point.h"
#include "daemon/crew_private.h"

void crew_init(Crew *crew, const CrewSetup *setup)
{
	*crew = (Crew){ .setup = *setup, .module.fd = -EBADF, .tree_fd = -EBADF };
	recorder_init(&crew->recorder);
	TAILQ_INIT(&crew->ordered);
	TAILQ_INIT(&crew->cancels);
	TAILQ_INIT(&crew->refusals);
}

void crew_done(Crew *crew)
{
	Run *run;

	while ((run = TAILQ_FIRST(&crew->ordered)))
		run_free(crew_remove(crew, run));
	crew_refusals_free(crew);
	crew_cancels_free(crew);
	hand_free(crew->active);
	hand_free(crew->spare);
	recorder_done(&crew->recorder);
	catalog_free(crew->catalog);
	crew_guests_free(crew);
	crew_next_free(crew);
	crew_module_done(&crew->module);
	free(crew->problem);
	free(crew->store_problem);
	free(crew->kept);
}

int crew_open(Crew *crew, const RecorderSetup *given, int tree_fd, RecorderKept *kept, size_t n_kept)
{
	RecorderSetup setup = *given;
	int r;

	setup.events = (RecorderEvents){
		.on_synced = crew_on_synced,
		.on_renewed = crew_on_renewed,
		.context = crew,
	};
	r = recorder_open(&crew->recorder, &setup, kept, n_kept);
	if (r < 0)
		return r;
	crew->directory = crew->recorder.directory;
	crew->tree_fd = tree_fd;
	return 0;
}

void crew_adopt(Crew *crew, Run *run, ErrorCode stop, const char *message)
{
	TAILQ_INSERT_HEAD(&crew->ordered, run, entry);
	crew->n_ordered++;
	run->state = RUN_BEGUN;
	crew->current = run;
	crew->stop = stop;
	crew->cause = (CrewCause){ .code = ERROR_INTERRUPTED };
	snprintf(crew->cause.message, sizeof(crew->cause.message), "%s", message);
}

Run *crew_remove(Crew *crew, Run *run)
{
	TAILQ_REMOVE(&crew->ordered, run, entry);
	crew->n_ordered--;
	if (crew->current == run) {
		crew->current = NULL;
		crew->resumed_at = 0;
		crew->stop = ERROR_NONE;
	}
	return run;
}

Run *crew_find(const Crew *crew, const Id *id)
{
	Run *run;

	TAILQ_FOREACH(run, &crew->ordered, entry)
	if (id_equal(&run->id, id))
		return run;
	return NULL;
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

/* What a worker that is not tired is told: whether anything may begin. */
static void crew_set_hold(Crew *crew)
{
	atomic_store(&recorder_page(&crew->recorder)->hold, crew->stopping || crew->tired);
}

void crew_hold(Crew *crew, bool held)
{
	if (crew->held == held)
		return;
	crew->held = held;
	/* what it has not begun comes back */
	if (held && crew->active)
		crew_tire(crew);
}

static void crew_resume(Crew *crew)
{
	const CrewCause *cause = &crew->cause;
	const OrderResume resume = {
		.offset = crew->current->offset,
		.cause = cause->code == ERROR_NONE ? ERROR_HOOK_UNKNOWN : cause->code,
		.stop = crew->stop,
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
	crew->stop = ERROR_NONE;
	hand_flush(crew->active);
}

static void crew_take_over(Crew *crew)
{
	RecordPage *page = recorder_page(&crew->recorder);

	crew->active = take_ptr(crew->spare);
	crew->active_identity = crew->spare_identity;
	point_worker(crew->active->pid);
	crew->tired = false;
	crew->barren = true;
	record_take_over(&crew->recorder.file);
	atomic_store(&page->state, RECORD_IDLE);
	crew_set_hold(crew);
	if (crew->current)
		crew_resume(crew);
}

/* A spare of another build than the one that is wanted next is of no use. */
static bool crew_spare_fits(const Crew *crew)
{
	Id wanted = crew_wanted(crew);

	if (id_is_null(&wanted))
		return !crew_guest_of(crew, &crew->spare_identity) || !crew->catalog ||
		       id_equal(&crew->spare_identity, &crew->catalog->identity);
	return id_equal(&crew->spare_identity, &wanted);
}

static void crew_succeed(Crew *crew)
{
	Hand *spare = crew->spare;

	if (crew->clearing || crew->damaged || crew->cut_off || crew->recorder.renewing || crew->renew_wanted ||
	    (crew->stopping && (!crew->current || crew->pausing)))
		return;
	if (!spare)
		crew_start_spare(crew);
	else if (spare->state == HAND_READY && !crew_spare_fits(crew))
		hand_leave(spare);
	else if (spare->state == HAND_READY && clock_monotonic() >= crew->retry_at_usec)
		crew_take_over(crew);
}

static bool crew_may_order(Crew *crew, const Run *run)
{
	const Hand *hand = crew->active;

	if (crew->n_ordered >= crew_depth(crew) || hand_unsent(hand) > CREW_UNSENT_MAX)
		return false;
	/* what an operator has decided about goes on */
	if (crew->held && !run->taken_up)
		return false;
	if (!id_equal(&run->catalog->identity, &crew->active_identity))
		return false;
	if (crew->setup.config->runs_per_worker && hand->given >= crew->setup.config->runs_per_worker)
		return false;
	/* one that must begin soon is refused by us in time, while it waits here */
	return run->start_by_usec == 0 || crew->n_ordered == 0;
}

static void crew_dispatch(Crew *crew)
{
	Queue *queue = crew->setup.queue;
	Hand *hand = crew->active;
	Run *run;

	queue_expire(queue, queue->n_limited ? clock_monotonic() : 0);
	while ((run = queue_first(queue)) && crew_may_order(crew, run)) {
		queue_pop(queue);
		hand_order(hand, run->order.data, run->order.size);
		hand->given++;
		run->state = RUN_ORDERED;
		TAILQ_INSERT_TAIL(&crew->ordered, run, entry);
		crew->n_ordered++;
	}
	/* where memory was short for one, it was not given, and the hand is cut off */
	if (hand_unsent(hand) > 0 || buffer_error(&hand->outbox) < 0)
		hand_flush(hand);
}

/* The first that waits wants a worker of another build. */
static bool crew_is_unfit(const Crew *crew)
{
	const Run *run = queue_first(crew->setup.queue);

	return run && !id_equal(&run->catalog->identity, &crew->active_identity);
}

static void crew_retire(Crew *crew)
{
	Hand *hand = crew->active;

	if (hand->broken && !crew->current)
		hand_expect_end(hand); /* it is dying, or will notice */
	else if (crew->n_ordered == 0 && hand->state == HAND_READY &&
		 (crew->tired || crew->stopping || crew_is_unfit(crew) ||
		  (crew->setup.config->runs_per_worker && hand->given >= crew->setup.config->runs_per_worker)))
		hand_leave(hand);
}

/* What was parked is the ledger's no more once the recorder holds it durably. */
static void crew_check_resumed(Crew *crew)
{
	if (crew->resumed_at == 0)
		return;
	if (recorder_synced(&crew->recorder) < crew->resumed_at) {
		recorder_sync(&crew->recorder);
		return;
	}
	crew->resumed_at = 0;
	crew->setup.events.on_resumed(crew->current, crew->setup.events.context);
}

static bool crew_may_dispatch(const Crew *crew)
{
	return crew->active->state == HAND_READY && !crew->tired && !crew->stopping && !crew->store_problem &&
	       !crew->renew_wanted && !crew->recorder.renewing;
}

/* While a worker has orders, the doorbell says when there is something to read. */
static bool crew_is_told(const Crew *crew)
{
	return crew->active && crew->n_ordered > 0 && !crew->renew_wanted && !crew->recycle_wanted;
}

void crew_step(Crew *crew)
{
	if (!crew->directory)
		return;
	if (crew->stopping && crew->spare && crew->n_ordered == 0)
		hand_kill(crew->spare); /* it has done nothing yet, and never will */
	if (!crew_is_told(crew))
		crew_read(crew);
	crew_check_resumed(crew);
	/* it makes room for the one that tries the next module */
	if (crew->next && crew->active && crew->spare && !crew->spare_is_next)
		hand_leave(crew->spare);
	if (!TAILQ_EMPTY(&crew->cancels))
		crew_cancels_step(crew);
	if (!crew->active)
		crew_succeed(crew);
	if (!crew->active)
		return;
	if (crew_may_dispatch(crew))
		crew_dispatch(crew);
	crew_retire(crew);
}

void crew_look(Crew *crew)
{
	if (crew->directory)
		crew_read(crew);
}

bool crew_settled(const Crew *crew)
{
	return crew->catalog || crew->problem;
}

bool crew_wants_idle(const Crew *crew)
{
	return crew->active && !crew->spare && !crew->stopping && !crew->recorder.renewing &&
	       (crew->next || clock_monotonic() >= crew->retry_at_usec);
}

void crew_use_idle(Crew *crew)
{
	if (crew->active && !crew->stopping)
		crew_start_spare(crew);
}

bool crew_busy(const Crew *crew)
{
	return crew->n_ordered > 0 || crew->recorder.renewing;
}

bool crew_waits(const Crew *crew)
{
	return crew->n_ordered > 0 || crew->clearing || crew->renew_wanted || crew->store_problem || !crew->active ||
	       !crew->spare || crew->active->state != HAND_READY || crew->spare->state != HAND_READY;
}

void crew_stop(Crew *crew)
{
	crew->stopping = true;
	crew_next_fail(crew, strdup("the daemon is stopping"));
	if (crew->directory)
		crew_set_hold(crew);
}

void crew_pause(Crew *crew)
{
	crew->pausing = true;
	if (crew->directory)
		atomic_store(&recorder_page(&crew->recorder)->pause, 1);
}

void crew_cut_off(Crew *crew)
{
	crew->cut_off = true;
	if (crew->active)
		hand_kill(crew->active);
	if (crew->spare)
		hand_kill(crew->spare);
}

/* Stopped at a boundary: the recorder has it. */
static bool crew_is_left(const Crew *crew)
{
	return crew->pausing && crew->current && crew->n_ordered == 1 && !crew->active;
}

bool crew_ended(const Crew *crew)
{
	return (crew->n_ordered == 0 || crew->cut_off || crew_is_left(crew)) && !crew->active && !crew->spare &&
	       !crew->clearing;
}

size_t crew_waiting(const Crew *crew)
{
	return crew->setup.queue->n + (crew->n_ordered > 0 ? crew->n_ordered - 1 : 0);
}
