/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A parked run is taken up: its records are written anew, then what an operator decided. Whether all of that fits the
 * module and the recorder is known before the first of them is written. */
#include <errno.h>

#include "base/clock.h"
#include "worker/perform.h"

static int unpark_start(const OrderUnpark *unpark, RecordStart *ret)
{
	size_t offset = 0;
	Record record;

	if (record_unpack(unpark->records, unpark->records_size, &offset, &record) <= 0 ||
	    record.kind != RECORD_START || record_decode_start(&record, ret) < 0 || !id_equal(&ret->run, &unpark->run))
		return -EBADMSG;
	return 0;
}

static int feed_decision(Run *run, const OrderUnpark *unpark)
{
	_cleanup_buffer_ Buffer content = { 0 };
	Record record = { .kind = unpark->verb };
	int r;

	record_encode_decision(&unpark->decision, &content);
	r = buffer_error(&content);
	if (r < 0)
		return r;
	record.content = content.data;
	record.content_size = content.size;
	return replay_feed(&run->replay, &record);
}

/* -EBADMSG where it does not fit this module. */
static int replay(Run *run, Worker *worker, const OrderUnpark *unpark)
{
	RecordStart start;
	const Plan *plan;
	int r;

	r = unpark_start(unpark, &start);
	if (r < 0)
		return r;
	r = run_init(run, worker, &start, &plan);
	if (r < 0)
		return r == -ENOENT ? -EBADMSG : r;
	r = replay_packed(&run->replay, plan, unpark->records, unpark->records_size);
	return r < 0 ? r : feed_decision(run, unpark);
}

/* What is pinned to another module from now on says so in its START. */
static int encode(const OrderUnpark *unpark, const Record *record, Buffer *content)
{
	RecordStart start;
	int r;

	buffer_clear(content);
	if (record->kind != RECORD_START) {
		buffer_append(content, record->content, record->content_size);
		return 0;
	}
	r = record_decode_start(record, &start);
	if (r < 0)
		return r;
	start.module = unpark->module;
	record_encode_start(&start, content);
	return 0;
}

static int write_records(Worker *worker, const OrderUnpark *unpark)
{
	size_t offset = 0;
	Record record;
	int r;

	while ((r = record_unpack(unpark->records, unpark->records_size, &offset, &record)) > 0) {
		r = encode(unpark, &record, &worker->content);
		if (r >= 0)
			r = worker_record(worker, record.kind);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;
	buffer_clear(&worker->content);
	record_encode_decision(&unpark->decision, &worker->content);
	return worker_record(worker, unpark->verb);
}

static int make_room(Run *run, const OrderUnpark *unpark)
{
	const RecordPage *page = record_page(&run->worker->recorder);
	size_t wanted = run->reserve, offset = 0;
	Record record;

	while (record_unpack(unpark->records, unpark->records_size, &offset, &record) > 0)
		wanted += record_size(record.content_size);
	buffer_clear(&run->worker->content);
	record_encode_decision(&unpark->decision, &run->worker->content);
	wanted += record_size(run->worker->content.size);
	if (record_room(&run->worker->recorder) >= wanted && atomic_load(&page->renew) == 0)
		return 0;
	return worker_make_room(run->worker, wanted);
}

int perform_unpark(Worker *worker, const OrderUnpark *unpark)
{
	_cleanup_run_ Run run = { 0 };
	int r;

	if (perform_is_held(worker))
		return PERFORM_RETIRE;
	r = replay(&run, worker, unpark);
	if (r == -EBADMSG)
		return perform_unbegun(worker, &unpark->run, ERROR_MODULE_CHANGED);
	if (r >= 0)
		r = make_room(&run, unpark);
	if (r == -ENOSPC)
		return perform_unbegun(worker, &unpark->run, ERROR_TOO_LARGE);
	if (r >= 0)
		r = write_records(worker, unpark);
	if (r >= 0)
		r = run_sync(&run);
	run.replay.now_usec = clock_monotonic();
	/* Whether there is room enough is asked again before the next call. */
	return r < 0 && r != -ENOSPC ? r : run_go_on(&run);
}
