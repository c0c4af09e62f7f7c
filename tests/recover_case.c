/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/recover_case.h"

#include <errno.h>
#include <string.h>

#define NONE SIZE_MAX

static const RecordPlace elsewhen = {
	.machine = { .bytes = { 1, 0xA5 } },
	.boot = { .bytes = { 99 } },
	.inode = 3,
	.born_usec = 4,
};

void case_image(Case *test)
{
	const ChronicleMoment *moment = &test->moment;
	RecordFile *image = &test->image;
	RecordPage *page;

	image->size = CHRONICLE_SIZE;
	memcpy(image->base, test->chronicle->file.base, moment->tail);
	memset(image->base + moment->tail, 0, image->size - moment->tail);
	page = record_page(image);
	atomic_store(&page->tail, moment->tail);
	atomic_store(&page->synced, moment->synced);
}

static bool is_whole(const Case *test, const ChronicleRecord *record)
{
	return !test->harmed || record->offset + record->size <= test->harmed_from || record->offset >= test->harmed_to;
}

void case_forget(Case *test)
{
	RecordPage *page = record_page(&test->image);

	atomic_store(&page->tail, RECORD_PAGE_SIZE);
	atomic_store(&page->synced, RECORD_PAGE_SIZE);
}

void case_believe_records(Case *test)
{
	size_t synced = RECORD_PAGE_SIZE;
	Record record;

	for (size_t i = 0; i < test->moment.n_records; i++) {
		const ChronicleRecord *written = &test->chronicle->records[i];

		if (record_read(test->image.base, test->image.size, written->offset, CHRONICLE_NUMBER,
				RECORD_SEQUENCE_ANY, &record) == 0)
			synced = MAX(synced, record.synced);
	}
	test->moment.synced = synced;
}

/* Nothing can have taken it away but harm. */
static bool is_durable(const Case *test, const ChronicleRecord *record)
{
	return test->same_boot || record->offset + record->size <= test->moment.synced;
}

/* The last of \p run's records of that kind at the moment; NONE where there is none. */
static size_t last_of(const Case *test, unsigned run, RecordKind kind)
{
	for (size_t i = test->moment.n_records; i > 0; i--)
		if (test->chronicle->records[i - 1].run == run &&
		    (kind == RECORD_NONE || test->chronicle->records[i - 1].kind == kind))
			return i - 1;
	return NONE;
}

static RecordFinish finish_at(const Chronicle *chronicle, size_t at)
{
	RecordFinish finish;
	Record record;

	ck_assert_int_eq(record_read(chronicle->file.base, chronicle->file.size, chronicle->records[at].offset,
				     CHRONICLE_NUMBER, RECORD_SEQUENCE_ANY, &record),
			 0);
	ck_assert_int_eq(record_decode_finish(&record, &finish), 0);
	return finish;
}

/* The last FINISH of the run that says so. */
static size_t find_finish(const Case *test, unsigned run, const RecordFinish *finish)
{
	for (size_t i = test->moment.n_records; i > 0; i--) {
		const ChronicleRecord *record = &test->chronicle->records[i - 1];
		RecordFinish recorded;

		if (record->run != run || record->kind != RECORD_FINISH)
			continue;
		recorded = finish_at(test->chronicle, i - 1);
		if (recorded.reply_size == finish->reply_size && recorded.status == finish->status &&
		    memcmp(recorded.reply, finish->reply, finish->reply_size) == 0)
			return i - 1;
	}
	return NONE;
}

static void check_finished(const Case *test, unsigned run, const RecoverRun *found)
{
	size_t at = find_finish(test, run, &found->finish);

	ck_assert_msg(at != NONE, "run %u has ended in a way that was never recorded", run);
	for (size_t i = at + 1; i < test->moment.n_records; i++) {
		const ChronicleRecord *record = &test->chronicle->records[i];

		if (record->run == run && is_durable(test, record))
			ck_assert_msg(found->finish.status == WALK_PARKED && found->broken,
				      "run %u went on behind the end that is believed", run);
	}
}

/* Such a run is the ledger's as long as the recorder does not say that it was taken up. */
static bool is_the_ledgers(const Case *test, unsigned run, const RecoverRun *found)
{
	for (size_t i = 0; i < test->moment.n_records; i++)
		if (test->chronicle->records[i].run == run && test->chronicle->records[i].kind == RECORD_FINISH &&
		    (found->size == 0 || test->chronicle->records[i].offset < found->offset))
			return found->decided_usec == 0;
	return false;
}

static int replay_found(const Case *test, const RecoverRun *found, uint32_t number, Replay *replay)
{
	_cleanup_buffer_ Buffer packed = {};
	Record record;

	for (size_t at = found->offset; at < found->offset + found->size; at += record.size) {
		if (record_read(test->image.base, test->image.size, at, number, RECORD_SEQUENCE_ANY, &record) < 0)
			break;
		record_pack(record.kind, record.content, record.content_size, &packed);
	}
	return replay_packed(replay, test->chronicle->scene->plan, packed.data, packed.size);
}

/* What has been written of the run since its last START: up to what nothing but harm takes away, and all. */
static void count(const Case *test, unsigned run, size_t *ret_durable, size_t *ret_first)
{
	size_t first = last_of(test, run, RECORD_START), n = 0;

	for (size_t i = first; i < test->moment.n_records; i++)
		if (test->chronicle->records[i].run == run && is_durable(test, &test->chronicle->records[i]))
			n++;
	*ret_durable = n;
	*ret_first = first;
}

/* As the daemon's TAKEN, and then the worker, do it. */
static void take_up(Replay *replay, const RecoverVerdict *verdict)
{
	const ReplayCause cause = { .code = ERROR_INTERRUPTED };
	RecordEnd end;

	ck_assert_int_eq(walk_taken(replay->walk), 0);
	if (verdict->barred)
		ck_assert_int_eq(walk_bar(replay->walk, verdict->message), 0);
	if (replay->begun)
		ck_assert_int_eq(replay_break(replay, &cause, 1, &end), 0);
	ck_assert(verdict->act != RECOVER_RECTIFY || verdict->barred);
}

/* Where a BEGIN is synced before its call, it was not called yet while it is not. */
static bool was_called(const Case *test, unsigned run, size_t at)
{
	const ChronicleRecord *record = &test->chronicle->records[at];
	RecordBegin begin;
	Record read;

	if (record->run != run || record->kind != RECORD_BEGIN)
		return false;
	ck_assert_int_eq(record_read(test->chronicle->file.base, test->chronicle->file.size, record->offset,
				     CHRONICLE_NUMBER, RECORD_SEQUENCE_ANY, &read),
			 0);
	ck_assert_int_eq(record_decode_begin(&read, &begin), 0);
	return is_durable(test, record) ||
	       !record_begin_synced(
		       test->chronicle->scene->plan,
		       &(WalkAction){ .op = begin.op, .step = begin.step, .rectifying = begin.rectifying });
}

static void check_taken_up(const Case *test, unsigned run, Replay *replay, const RecoverVerdict *verdict)
{
	size_t durable, first;
	WalkAction next;

	count(test, run, &durable, &first);
	ck_assert_msg(replay->n_records >= durable, "run %u goes on without %zu of its records", run,
		      durable - replay->n_records);
	take_up(replay, verdict);
	do
		ck_assert_int_eq(walk_next(replay->walk, 1, &next), 0);
	while (next.kind == WALK_WAIT);
	if (next.kind == WALK_END || next.rectifying)
		return;
	for (size_t i = first + replay->n_records; i < test->moment.n_records; i++)
		ck_assert_msg(!was_called(test, run, i), "run %u goes on forwards, although more of it was called",
			      run);
}

static void check_unfinished(const Case *test, unsigned run, const Recovered *recovered, const RecoverRun *found)
{
	_cleanup_replay_ Replay replay = {};
	RecoverRun judged = *found;
	RecoverVerdict verdict;
	int r;

	if (is_the_ledgers(test, run, found))
		return;
	r = replay_found(test, found, recovered->number, &replay);
	ck_assert(r == 0 || (r == -EBADMSG && test->harmed));
	judged.broken = judged.broken || r < 0;
	recover_decide(recovered, &judged, &replay, &verdict);
	if (verdict.act != RECOVER_PARK)
		check_taken_up(test, run, &replay, &verdict);
	else
		ck_assert_msg(test->harmed || found->parked ||
				      (!test->same_boot && (found->start.flags & RECORD_FLAG_PROCESS)),
			      "run %u is parked for nothing: %s", run, verdict.message);
}

/* What must be among what was found, and how. */
static void check_listed(const Case *test, unsigned run, const RecoverRun *found)
{
	size_t start = last_of(test, run, RECORD_START), last = last_of(test, run, RECORD_NONE);
	const ChronicleRecord *records = test->chronicle->records;
	bool parked;

	if (start == NONE || !is_durable(test, &records[start]))
		return;
	ck_assert_msg(found || !is_whole(test, &records[start]), "run %u is forgotten", run);
	if (records[last].kind != RECORD_FINISH || !is_durable(test, &records[last]) || !is_whole(test, &records[last]))
		return;
	parked = finish_at(test->chronicle, last).status == WALK_PARKED;
	if (!parked || is_whole(test, &records[start]))
		ck_assert_msg(found && found->finished, "run %u has ended, which is forgotten", run);
}

void case_check(const Case *test)
{
	_cleanup_recovered_ Recovered recovered = {};
	const RecordPlace *now = test->same_boot ? &test->chronicle->place : &elsewhen;
	const RecoverRun *found[CASE_RUNS_MAX + 1] = {};

	ck_assert_int_eq(recover_read(&test->image, now, &recovered), 0);
	if (!test->harmed) {
		ck_assert(!recovered.damaged && !recovered.moved);
		ck_assert_int_eq(recovered.same_boot, test->same_boot);
		ck_assert_uint_ge(recovered.end, test->same_boot ? test->moment.tail : test->moment.synced);
	}
	for (size_t i = 0; i < recovered.n; i++) {
		const RecoverRun *run = &recovered.runs[i];
		unsigned number = run->start.run.bytes[0];

		ck_assert_msg(number >= 1 && number <= test->chronicle->run && !found[number], "no such run");
		found[number] = run;
		if (run->finished)
			check_finished(test, number, run);
		else
			check_unfinished(test, number, &recovered, run);
	}
	for (unsigned run = 1; run <= test->chronicle->run; run++)
		check_listed(test, run, found[run]);
}
