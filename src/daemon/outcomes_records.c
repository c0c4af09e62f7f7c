/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "base/log.h"
#include "daemon/outcomes_private.h"
#include "run/replay.h"

/* What could not be copied counts as not copied: the recorder has it still. */
static int buffer_whole(Buffer *buffer)
{
	int r = buffer_error(buffer);

	if (r < 0)
		buffer_done(buffer);
	return r;
}

void outcome_take_reply(Run *run, const RecordFinish *finish)
{
	buffer_append(&run->reply, finish->reply, finish->reply_size);
	(void)buffer_whole(&run->reply);
	run_weigh(run);
}

static bool is_complete(const Run *run)
{
	return run->reply.size > 0 && (run->status != WALK_PARKED || run->records.size > 0);
}

/* The run's records in the recorder, one by one. False at their end, or where one does not hold any more. */
static bool record_next(const Recorder *recorder, const Run *run, size_t *offset, uint64_t *sequence, Record *ret)
{
	const RecordFile *file = &recorder->file;

	if (*offset >= run->end || record_read(file->base, file->size, *offset, recorder->number, *sequence, ret) < 0)
		return false;
	*offset += ret->size;
	*sequence = ret->sequence + 1;
	return true;
}

int outcome_complete(const Recorder *recorder, Run *run)
{
	bool has_reply = run->reply.size > 0;
	uint64_t sequence = RECORD_SEQUENCE_ANY;
	size_t offset = run->offset;
	RecordFinish finish;
	Record record;

	if (is_complete(run))
		return 0;
	buffer_done(&run->records);
	while (record_next(recorder, run, &offset, &sequence, &record)) {
		if (run->status == WALK_PARKED)
			record_pack(record.kind, record.content, record.content_size, &run->records);
		if (has_reply || record.kind != RECORD_FINISH || record_decode_finish(&record, &finish) < 0)
			continue;
		buffer_clear(&run->reply); /* of one that was parked before, the last word counts */
		outcome_take_reply(run, &finish);
	}
	if (offset < run->end)
		log_line(LOG_CRIT,
			 "run %s of %s: its records in %s do not hold any more, %zu bytes of %zu; what comes before is "
			 "what is kept of them",
			 run->id_text, run->program->spec->name, recorder->directory, offset - run->offset,
			 run->end - run->offset);
	if (buffer_whole(&run->records) < 0 || (run->reply.size == 0 && offset >= run->end))
		return -ENOMEM;
	return is_complete(run) ? 0 : -EBADMSG;
}

static size_t framed_size(const Buffer *packed)
{
	size_t offset = 0, size = 0;
	Record record;

	while (record_unpack(packed->data, packed->size, &offset, &record) > 0)
		size += record_size(record.content_size);
	return size;
}

static void run_keep(Run *run, RecorderKept *kept, size_t *n)
{
	run->kept = 0;
	run->lent = run->end == 0 && run->records.size > 0;
	if (run->lent)
		kept[(*n)++] = (RecorderKept){ .packed = run->records.data, .packed_size = run->records.size };
	else if (run->end > 0)
		kept[(*n)++] = (RecorderKept){ .offset = run->offset, .size = run->end - run->offset };
	else
		return;
	run->kept = *n;
}

int outcomes_keep(Outcomes *outcomes, RecorderKept **kept, size_t *n)
{
	RecorderKept *all = reallocarray(*kept, *n + outcomes->n_ended + outcomes->n_storing + 1, sizeof(*all));
	Run *run;

	if (!all)
		return -ENOMEM;
	*kept = all;
	outcomes_free_lent(outcomes);
	TAILQ_FOREACH(run, &outcomes->ended, entry)
	run_keep(run, all, n);
	TAILQ_FOREACH(run, &outcomes->storing, entry)
	run_keep(run, all, n);
	return 0;
}

static void run_move(Run *run, const RecorderKept *kept)
{
	const RecorderKept *place;

	if (run->kept == 0)
		return;
	place = &kept[run->kept - 1];
	run->offset = place->ret_offset;
	run->end = run->offset + (place->packed ? framed_size(&run->records) : place->size);
	run->kept = 0;
	run->lent = false;
}

void outcomes_moved(Outcomes *outcomes, const RecorderKept *kept)
{
	Run *run;

	TAILQ_FOREACH(run, &outcomes->ended, entry)
	run_move(run, kept);
	TAILQ_FOREACH(run, &outcomes->storing, entry)
	run_move(run, kept);
	outcomes_free_lent(outcomes);
	outcomes->distrusted = false;
}
