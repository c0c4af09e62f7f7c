/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/ledger_private.h"

#include <errno.h>
#include <string.h>

typedef struct Piece {
	const void **at;
	size_t size;
	size_t max;
} Piece;

static Piece piece_text(const char *const *text, size_t max)
{
	return (Piece){ (const void **)text, *text ? strlen(*text) + 1 : 0, max + 1 };
}

#define RUN_PIECES 7
#define WORK_ROOM 512U /* behind one that may be used again */

static void run_pieces(LedgerRun *run, Piece pieces[static RUN_PIECES])
{
	pieces[0] = piece_text(&run->request_id, LEDGER_TEXT_MAX);
	pieces[1] = piece_text(&run->program, LEDGER_TEXT_MAX);
	pieces[2] = piece_text(&run->build_id, LEDGER_TEXT_MAX);
	pieces[3] = piece_text(&run->metadata, LEDGER_METADATA_MAX);
	pieces[4] = (Piece){ &run->arguments, run->arguments_size, LEDGER_BLOB_MAX };
	pieces[5] = (Piece){ &run->records, run->records_size, LEDGER_BLOB_MAX };
	pieces[6] = (Piece){ (const void **)&run->reply, run->reply ? run->reply_size : 0, LEDGER_BLOB_MAX };
}

size_t run_packed_size(const LedgerRun *run)
{
	LedgerRun copy = *run;
	Piece pieces[RUN_PIECES];
	size_t size = 1;

	run_pieces(&copy, pieces);
	for (unsigned i = 0; i < RUN_PIECES; i++) {
		if (pieces[i].size > pieces[i].max)
			return 0;
		size += pieces[i].size;
	}
	return size;
}

void run_pack(LedgerRun *run, uint8_t *at)
{
	Piece pieces[RUN_PIECES];

	run_pieces(run, pieces);
	for (unsigned i = 0; i < RUN_PIECES; i++) {
		if (!*pieces[i].at)
			continue;
		if (pieces[i].size > 0)
			memcpy(at, *pieces[i].at, pieces[i].size);
		*pieces[i].at = at;
		at += pieces[i].size;
	}
}

int work_new(WorkKind kind, size_t size, LedgerDone done, void *context, Work **ret)
{
	Work *work = calloc(1, sizeof(Work) + size);

	if (!work)
		return -ENOMEM;
	work->kind = kind;
	work->size = sizeof(Work) + size;
	work->done = done;
	work->context = context;
	*ret = work;
	return 0;
}

int work_new_run(WorkKind kind, const LedgerRun *run, LedgerDone done, void *context, Work **ret)
{
	size_t size = run_packed_size(run);
	int r;

	if (size == 0)
		return -E2BIG;
	r = work_new(kind, size, done, context, ret);
	if (r < 0)
		return r;
	(*ret)->run = *run;
	run_pack(&(*ret)->run, (uint8_t *)(*ret + 1));
	return 0;
}

int work_renew_run(WorkKind kind, const LedgerRun *run, Work **work)
{
	size_t size = run_packed_size(run), room = *work ? (*work)->size : 0;
	Work *renewed = *work;

	if (size == 0)
		return -E2BIG;
	if (room < sizeof(Work) + size) {
		room = sizeof(Work) + MAX(size, (size_t)WORK_ROOM);
		renewed = realloc(renewed, room);
	}
	if (!renewed)
		return -ENOMEM;
	*renewed = (Work){ .kind = kind, .size = room, .run = *run };
	run_pack(&renewed->run, (uint8_t *)(renewed + 1));
	*work = renewed;
	return 0;
}

static const bool work_of_run[WORK_KIND_MAX] = {
	[WORK_SUBMIT] = true,
	[WORK_FINISH] = true,
	[WORK_PARK] = true,
	[WORK_RESUME] = true,
};

bool work_has_run(const Work *work)
{
	return work_of_run[work->kind];
}

struct WorkList *works_of_run(const Ledger *ledger, const Id *run)
{
	return (struct WorkList *)&ledger->by_run[run->bytes[0] % LEDGER_BUCKETS];
}

static struct WorkList *works_of_request(const Ledger *ledger, uint32_t uid, const char *request_id)
{
	uint32_t hash = crc32c(uid, request_id, strlen(request_id));

	return (struct WorkList *)&ledger->by_request[hash % LEDGER_BUCKETS];
}

void works_init(Ledger *ledger)
{
	TAILQ_INIT(&ledger->works);
	TAILQ_INIT(&ledger->recents);
	STAILQ_INIT(&ledger->todo);
	STAILQ_INIT(&ledger->finished);
	STAILQ_INIT(&ledger->recent);
	for (unsigned i = 0; i < LEDGER_BUCKETS; i++) {
		TAILQ_INIT(&ledger->by_run[i]);
		TAILQ_INIT(&ledger->by_request[i]);
	}
}

static bool work_has_request(const Work *work)
{
	return work_has_run(work) && work->run.request_id;
}

void works_add(Ledger *ledger, Work *work)
{
	TAILQ_INSERT_TAIL(&ledger->works, work, entry);
	if (work_has_run(work))
		TAILQ_INSERT_TAIL(works_of_run(ledger, &work->run.run), work, run_entry);
	if (work_has_request(work))
		TAILQ_INSERT_TAIL(works_of_request(ledger, work->run.uid, work->run.request_id), work, request_entry);
	ledger->n_works++;
	ledger->n_bytes += work->size;
}

void works_remove(Ledger *ledger, Work *work)
{
	TAILQ_REMOVE(&ledger->works, work, entry);
	if (work_has_run(work))
		TAILQ_REMOVE(works_of_run(ledger, &work->run.run), work, run_entry);
	if (work_has_request(work))
		TAILQ_REMOVE(works_of_request(ledger, work->run.uid, work->run.request_id), work, request_entry);
	ledger->n_works--;
	ledger->n_bytes -= work->size;
}

Work *works_first_request(const Ledger *ledger, uint32_t uid, const char *request_id)
{
	return TAILQ_FIRST(works_of_request(ledger, uid, request_id));
}

bool work_brings(const Work *work, uint32_t uid, const char *request_id)
{
	return work->run.uid == uid && strcmp(work->run.request_id, request_id) == 0;
}

/* What ending or parking changes of a run that is known. */
static void overlay_end(LedgerRun *run, const LedgerRun *end, LedgerState state)
{
	run->state = state;
	run->error = end->error;
	run->step = end->step;
	run->begun_usec = end->begun_usec ? end->begun_usec : run->begun_usec;
	run->ended_usec = end->ended_usec;
	run->promised = run->promised || end->promised;
	if (!id_is_null(&end->module)) {
		run->module = end->module;
		run->build_id = end->build_id;
	}
	run->reply = end->reply;
	run->reply_size = end->reply_size;
	if (state == LEDGER_REFUSED)
		run->request_id = NULL;
}

/* The same rules as in ledger_write.c, on what is in memory. */
static bool work_overlay(const Work *work, LedgerRun *run, bool known)
{
	bool park = work->kind == WORK_PARK;

	if (known && ledger_state_ended(run->state))
		return true;
	if (work->kind == WORK_RESUME) {
		if (known && run->state == LEDGER_PARKED) {
			run->state = LEDGER_RESUMED;
			run->reply = NULL;
			run->reply_size = 0;
		}
		return known;
	}
	if (!known) {
		*run = work->run;
		run->state = work->kind == WORK_SUBMIT ? LEDGER_QUEUED : run->state;
		run->promised = work->kind == WORK_SUBMIT || run->promised;
	}
	if (work->kind != WORK_SUBMIT)
		overlay_end(run, &work->run, park ? LEDGER_PARKED : work->run.state);
	return true;
}

bool works_overlay(const Ledger *ledger, const Id *id, LedgerRun *run, bool known)
{
	const Work *work;

	for (work = TAILQ_FIRST(works_of_run(ledger, id)); work; work = TAILQ_NEXT(work, run_entry)) {
		if (!id_equal(&work->run.run, id))
			continue;
		known = work_overlay(work, run, known);
		if (known)
			run->under_way = true;
	}
	return known;
}
