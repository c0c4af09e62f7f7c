/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "run/recover_private.h"

static int run_add(Reading *reading, const RecordStart *start, size_t *ret)
{
	Recovered *found = reading->found;

	if (found->n == reading->runs_capacity) {
		size_t n = reading->runs_capacity ? reading->runs_capacity * 2 : 64;
		RecoverRun *runs = reallocarray(found->runs, n, sizeof(*runs));

		if (!runs)
			return -ENOMEM;
		found->runs = runs;
		reading->runs_capacity = n;
	}
	found->runs[found->n] = (RecoverRun){ .start = *start };
	*ret = found->n++;
	return 0;
}

static RecoverRun *run_open(const Reading *reading)
{
	return reading->open == RECOVER_NONE ? NULL : &reading->found->runs[reading->open];
}

/* All records of a run stand together. What stands on the other side of something lost does not count. */
static void run_extend(const Reading *reading, RecoverRun *run, size_t offset, const Record *record)
{
	if (!reading->island || run->offset + run->size == offset)
		run->size = offset + record->size - run->offset;
	else
		run->broken = true;
}

/* Each takes a record as it stands at \p offset. -EBADMSG where it cannot stand there. */

static int take_start(Reading *reading, size_t offset, const Record *record)
{
	RecoverRun *before = run_open(reading);
	RecordStart start;
	int r;

	r = record_decode_start(record, &start);
	if (r < 0)
		return r;
	/* Where nothing is missing, no run begins before the one at hand has ended. */
	if (before && !before->parked)
		before->broken = true;
	r = run_add(reading, &start, &reading->open);
	if (r < 0)
		return r;
	reading->closed = RECOVER_NONE;
	reading->found->runs[reading->open].offset = offset;
	run_extend(reading, run_open(reading), offset, record);
	return 0;
}

/* In an island, before the first START: of a run whose beginning is on the other side of what is lost. */
static int take_other(Reading *reading, size_t offset, const Record *record)
{
	RecoverRun *run = run_open(reading);

	reading->closed = RECOVER_NONE;
	if (!run)
		return reading->island ? 0 : -EBADMSG;
	run_extend(reading, run, offset, record);
	return 0;
}

static int take_park(Reading *reading, size_t offset, const Record *record)
{
	RecoverRun *run = run_open(reading);
	RecordPark park;
	int r;

	r = record_decode_park(record, &park);
	if (r >= 0)
		r = take_other(reading, offset, record);
	if (r < 0 || !run)
		return r;
	run->parked = true;
	run->park = park;
	return 0;
}

static int take_taken(Reading *reading, size_t offset, const Record *record)
{
	RecoverRun *run = run_open(reading);
	RecordTaken taken;
	int r;

	r = record_decode_taken(record, &taken);
	if (r >= 0)
		r = take_other(reading, offset, record);
	if (r >= 0 && run)
		run->interruptions = taken.interruptions;
	return r;
}

static size_t run_find(const Reading *reading, const Id *id)
{
	for (size_t i = reading->found->n; i > 0; i--)
		if (id_equal(&reading->found->runs[i - 1].start.run, id))
			return i - 1;
	return RECOVER_NONE;
}

/* A FINISH proves the run's end, whatever else of it is lost. That a run stands parked is of use with its records only. */
static int finish_of_lost(Reading *reading, const RecordFinish *finish)
{
	const RecordStart start = { .run = finish->run, .program = "", .arguments = "", .request = "" };
	size_t at = run_find(reading, &finish->run);
	RecoverRun *run;
	int r;

	if (at == RECOVER_NONE && finish->status == WALK_PARKED)
		return 0;
	if (at == RECOVER_NONE) {
		r = run_add(reading, &start, &at);
		if (r < 0)
			return r;
	}
	run = &reading->found->runs[at];
	run->finished = true;
	run->finish = *finish;
	run->broken = finish->status == WALK_PARKED;
	reading->closed = at;
	return 0;
}

static int take_finish(Reading *reading, size_t offset, const Record *record)
{
	RecoverRun *run = run_open(reading);
	RecordFinish finish;
	int r;

	r = record_decode_finish(record, &finish);
	if (r < 0)
		return r;
	if (!run || !id_equal(&run->start.run, &finish.run)) {
		if (!reading->island)
			return -EBADMSG;
		reading->open = reading->closed = RECOVER_NONE;
		return finish_of_lost(reading, &finish);
	}
	run_extend(reading, run, offset, record);
	run->finished = true;
	run->finish = finish;
	run->parked = false;
	run->broken = run->broken && finish.status == WALK_PARKED;
	reading->closed = reading->open;
	reading->open = RECOVER_NONE;
	return 0;
}

/* Of the run that stands parked: the one at hand, or the one that came before. */
static int take_decision(Reading *reading, size_t offset, const Record *record)
{
	Recovered *found = reading->found;
	RecoverRun *run = run_open(reading);
	RecordDecision decision;
	size_t at;
	int r;

	r = record_decode_decision(record, &decision);
	if (r < 0)
		return r;
	at = run ? reading->open : reading->closed;
	if (at == RECOVER_NONE && !reading->island)
		return -EBADMSG;
	/* its FINISH may be what is lost */
	if (at == RECOVER_NONE && found->n > 0 && found->runs[found->n - 1].finish.status == WALK_PARKED)
		at = found->n - 1;
	reading->closed = RECOVER_NONE;
	if (at == RECOVER_NONE)
		return 0;
	run = &found->runs[at];
	if (run->finished && run->finish.status != WALK_PARKED)
		return -EBADMSG;
	reading->open = at;
	run->finished = run->parked = false;
	run->decided_usec = decision.usec;
	run_extend(reading, run, offset, record);
	return 0;
}

static int take_unbegun(Reading *reading, size_t offset, const Record *record)
{
	Recovered *found = reading->found;
	RecordUnbegun unbegun;
	int r;

	(void)offset;
	r = record_decode_unbegun(record, &unbegun);
	if (r < 0)
		return r;
	if (found->n_unbegun == reading->unbegun_capacity) {
		size_t n = reading->unbegun_capacity ? reading->unbegun_capacity * 2 : 8;
		RecordUnbegun *all = reallocarray(found->unbegun, n, sizeof(*all));

		if (!all)
			return -ENOMEM;
		found->unbegun = all;
		reading->unbegun_capacity = n;
	}
	found->unbegun[found->n_unbegun++] = unbegun;
	return 0;
}

int (*const recover_takes[RECORD_KIND_MAX])(Reading *reading, size_t offset, const Record *record) = {
	[RECORD_START] = take_start,      [RECORD_BEGIN] = take_other,    [RECORD_NOTE] = take_other,
	[RECORD_END] = take_other,        [RECORD_STOP] = take_other,     [RECORD_FINISH] = take_finish,
	[RECORD_UNBEGUN] = take_unbegun,  [RECORD_RETRY] = take_decision, [RECORD_SKIP] = take_decision,
	[RECORD_CONFIRM] = take_decision, [RECORD_PARK] = take_park,      [RECORD_TAKEN] = take_taken,
};

void recover_break(Reading *reading)
{
	RecoverRun *runs = reading->found->runs;

	if (reading->open != RECOVER_NONE)
		runs[reading->open].broken = true;
	/* whether it was taken up again is not known */
	if (reading->closed != RECOVER_NONE && runs[reading->closed].finish.status == WALK_PARKED)
		runs[reading->closed].broken = true;
	reading->open = reading->closed = RECOVER_NONE;
	reading->island = true;
}

typedef struct Telling {
	Id run;
	size_t at;
} Telling;

static int telling_compare(const void *a, const void *b)
{
	const Telling *left = a, *right = b;
	int order = memcmp(&left->run, &right->run, sizeof(left->run));

	return order != 0 ? order : (left->at > right->at) - (left->at < right->at);
}

static bool has_ended(const RecoverRun *run)
{
	return run->finished && run->finish.status != WALK_PARKED;
}

/* Marks by size_t at's place in \p dropped which of the sorted tellings do not count. */
static void choose(const RecoverRun *runs, const Telling *tellings, size_t n, bool *dropped)
{
	for (size_t i = 1; i < n; i++) {
		const Telling *before = &tellings[i - 1], *now = &tellings[i];

		if (!id_equal(&before->run, &now->run))
			continue;
		if (has_ended(&runs[before->at]))
			dropped[now->at] = true;
		else
			dropped[before->at] = true;
	}
}

int recover_drop_superseded(Recovered *found)
{
	_cleanup_free_ Telling *tellings = calloc(found->n + 1, sizeof(*tellings));
	_cleanup_free_ bool *dropped = calloc(found->n + 1, sizeof(*dropped));
	size_t n = 0;

	if (!tellings || !dropped)
		return -ENOMEM;
	for (size_t i = 0; i < found->n; i++)
		tellings[i] = (Telling){ .run = found->runs[i].start.run, .at = i };
	qsort(tellings, found->n, sizeof(*tellings), telling_compare);
	choose(found->runs, tellings, found->n, dropped);
	for (size_t i = 0; i < found->n; i++)
		if (!dropped[i])
			found->runs[n++] = found->runs[i];
	found->n = n;
	return 0;
}
