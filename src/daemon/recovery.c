/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/recovery.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <systemd/sd-id128.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/point.h"
#include "daemon/recovery_private.h"

#define KEPT_ASIDE_MAX 1000U

static void opening_done(Opening *opening)
{
	for (size_t i = 0; i < opening->n; i++) {
		run_free(opening->remains[i].run);
		buffer_done(&opening->remains[i].packed);
	}
	free(opening->remains);
	free(opening->kept);
	buffer_done(&opening->unbegun);
	recovered_done(&opening->found);
	recorder_unmap(&opening->file);
}

void recovery_done(Recovery *recovery)
{
	recovery_ghosts_free(recovery);
	free(recovery->unbegun);
	*recovery = (Recovery){ 0 };
}

static int read_ids(Opening *opening)
{
	const char *given = point_boot_id();
	sd_id128_t machine, boot;
	int r;

	/* Where a system has no machine id, a copy of the store elsewhere is told by the file itself. */
	if (sd_id128_get_machine(&machine) >= 0)
		memcpy(opening->machine.bytes, machine.bytes, sizeof(opening->machine.bytes));
	if (given)
		return id_parse(given, &opening->boot);
	r = sd_id128_get_boot(&boot);
	if (r < 0)
		return r;
	memcpy(opening->boot.bytes, boot.bytes, sizeof(opening->boot.bytes));
	return 0;
}

/* Another name for it: the one in use is replaced by rename, and stays readable for those who can look at it. */
static void keep_damaged(const Opening *opening)
{
	const char *directory = opening->recovery->store->directory;
	_cleanup_free_ char *path = NULL;

	if (asprintf(&path, "%s/" RECORDER_NAME, directory) < 0)
		return;
	for (unsigned i = 1; i <= KEPT_ASIDE_MAX; i++) {
		_cleanup_free_ char *kept = NULL;

		if (asprintf(&kept, "%s.damaged-%u", path, i) < 0)
			return;
		if (link(path, kept) == 0) {
			log_line(LOG_CRIT,
				 "the recorder in %s is damaged: what it does not say for certain is parked; it is "
				 "kept as %s",
				 directory, kept);
			return;
		}
		if (errno != EEXIST)
			break;
	}
	log_line(LOG_CRIT, "the recorder in %s is damaged: what it does not say for certain is parked", directory);
}

static int look_at_recorder(Opening *opening)
{
	Recovery *recovery = opening->recovery;
	int r;

	r = recorder_map(recovery->store->directory, &opening->machine, &opening->boot, &opening->file,
			 &opening->place);
	if (r == -ENOENT)
		return 0;
	if (r >= 0)
		r = recover_read(&opening->file, &opening->place, &opening->found);
	if (r < 0)
		return r;
	if (opening->found.damaged)
		opening->doubt = ERROR_DAMAGED;
	else if (opening->found.moved)
		opening->doubt = ERROR_STORE_MOVED;
	if (opening->found.damaged)
		keep_damaged(opening);
	r = remains_take_unbegun(opening);
	for (size_t i = 0; i < opening->found.n && r >= 0; i++)
		r = remains_take(opening, &opening->found.runs[i]);
	return r;
}

/* What has not ended is written on: it stands last. */
static void sort_remains(Opening *opening)
{
	Remain *last = opening->n > 0 ? &opening->remains[opening->n - 1] : NULL;

	for (size_t i = 0; i < opening->n; i++) {
		Remain *remain = &opening->remains[i];
		Remain unfinished = *remain;

		if (remain->finished || remain == last)
			continue;
		memmove(remain, remain + 1, (size_t)(last - remain) * sizeof(*remain));
		*last = unfinished;
		return;
	}
}

static size_t framed_size(const Buffer *packed)
{
	size_t offset = 0, size = 0;
	Record record;

	while (record_unpack(packed->data, packed->size, &offset, &record) > 0)
		size += record_size(record.content_size);
	return size;
}

/* Room for what is taken along, and for the whole way of what goes on: on its way back no new file is asked for. */
static size_t wanted_size(const Opening *opening)
{
	size_t size = RECORD_PAGE_SIZE + framed_size(&opening->unbegun);

	for (size_t i = 0; i < opening->n; i++) {
		const Remain *remain = &opening->remains[i];

		size += framed_size(&remain->packed) + (remain->finished ? 0 : remain->run->program->reserve);
	}
	return MAX(size, (size_t)opening->recovery->config->recorder_size);
}

static int open_recorder(Opening *opening)
{
	const Recovery *recovery = opening->recovery;
	const RecorderSetup setup = {
		.directory = recovery->store->directory,
		.size = wanted_size(opening),
		.machine = opening->machine,
		.boot = opening->boot,
	};
	size_t n = 0;

	opening->kept = calloc(opening->n + 1, sizeof(*opening->kept));
	if (!opening->kept)
		return -ENOMEM;
	sort_remains(opening);
	if (opening->unbegun.size > 0)
		opening->kept[n++] = (RecorderKept){
			.packed = opening->unbegun.data,
			.packed_size = opening->unbegun.size,
		};
	for (size_t i = 0; i < opening->n; i++) {
		Remain *remain = &opening->remains[i];

		remain->kept = n;
		if (remain->packed.size > 0)
			opening->kept[n++] = (RecorderKept){
				.packed = remain->packed.data,
				.packed_size = remain->packed.size,
			};
	}
	POINT("before-recovered-recorder");
	return crew_open(recovery->crew, &setup, recovery->store->tree, opening->kept, n);
}

/* The new recorder holds them: from now on they are the daemon's like any other. */
static int hand_on(Opening *opening)
{
	Recovery *recovery = opening->recovery;
	int r = 0;

	for (size_t i = 0; i < opening->n && r >= 0; i++) {
		Remain *remain = &opening->remains[i];
		Run *run = take_ptr(remain->run);

		if (remain->packed.size > 0)
			run->offset = opening->kept[remain->kept].ret_offset;
		run->end = run->offset + framed_size(&remain->packed);
		if (run->request_id)
			r = promises_enter(recovery->promises, run);
		if (remain->finished) {
			outcomes_add_durable(recovery->outcomes, run);
			continue;
		}
		trace_taken_up(recovery->trace, run, remain->why);
		crew_adopt(recovery->crew, run, remain->stop, remain->why);
	}
	return r;
}

/* LedgerDone */
static void on_hold_written(void *context, int r)
{
	(void)context;
	if (r < 0)
		log_warning(
			"that the queue is held until somebody has looked could not be written down: %s; it is held "
			"until the daemon ends",
			strerror(-r));
}

/* A run of which no record at all holds any more would be run anew when its asker asks again: that is for somebody to
 * decide who has looked. */
static void hold_queue(Recovery *recovery)
{
	const LedgerHold hold = {
		.held = true,
		.uid = geteuid(),
		.reason = "the recorder was damaged: runs may have been lost from it; see the journal",
		.usec = clock_realtime(),
	};
	int r;

	recovery->promises->held = true;
	r = parking_hold(recovery->parking, &hold, on_hold_written, NULL);
	if (r < 0)
		on_hold_written(NULL, r);
}

int recovery_open(Recovery *recovery, char **ret_problem)
{
	_cleanup_(opening_done) Opening opening = { .recovery = recovery };
	Promises *promises = recovery->promises;
	int r;

	*ret_problem = NULL;
	r = read_ids(&opening);
	if (r >= 0 && !promises->ledger)
		r = promises_open(promises, recovery->store->directory, &opening.machine);
	if (promises->problem) {
		*ret_problem = strdup(promises->problem);
		return r < 0 ? r : -EUCLEAN;
	}
	if (r < 0)
		return r;
	recovery->crew->home = recovery->store->directory;
	opening.doubt = ledger_place(promises->ledger) == LEDGER_MOVED ? ERROR_STORE_MOVED : ERROR_NONE;
	if (opening.doubt != ERROR_NONE)
		trace_moved(recovery->trace, recovery->store->directory, promises->n_parked);
	r = look_at_recorder(&opening);
	if (r >= 0 && opening.doubt != ERROR_NONE)
		r = ledger_take(promises->ledger, remains_doubt, &opening);
	if (r >= 0)
		r = remains_doubt_decisions(&opening);
	if (r >= 0)
		r = open_recorder(&opening);
	if (r >= 0)
		r = hand_on(&opening);
	if (r >= 0 && opening.found.damaged)
		hold_queue(recovery);
	return r;
}

void recovery_park(Recovery *recovery, Run *run, size_t end, ErrorCode code, const char *message)
{
	const Recorder *recorder = &recovery->crew->recorder;
	_cleanup_buffer_ Buffer records = { 0 };
	Order order;
	int r = 0;

	if (end > 0)
		recovery_pack(&recorder->file, recorder->number, run->offset, end - run->offset, &records);
	/* where not even its beginning holds, it is still known what was asked for */
	if (records.size == 0 && order_read(run->order.data, run->order.size, &order) == 0 && order.kind == ORDER_RUN)
		record_pack(RECORD_START, order.content, order.content_size, &records);
	r = buffer_error(&records);
	if (r >= 0)
		r = recovery_make_parked(run, records.data, records.size, code, message);
	if (r >= 0) {
		run->promised = true;
		outcomes_add_durable(recovery->outcomes, run);
		return;
	}
	log_line(LOG_CRIT, "run %s of %s could not be parked: %s; it is looked at again at the next start",
		 run->id_text, run->program->spec->name, strerror(-r));
	promises_leave(recovery->promises, run);
	run_disappoint(run);
	run_free(run);
}
