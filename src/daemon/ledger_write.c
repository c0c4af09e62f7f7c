/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Works → database, on the ledger's thread. What a work itself comes to is known before it writes anything. */
#include "daemon/ledger_private.h"

#include <errno.h>

/* What the ledger holds of a run. */
typedef struct Held {
	int64_t number; /* 0: nothing */
	LedgerState state;
	uint32_t step;
} Held;

static int held_find(Sql *sql, const Id *run, Held *ret)
{
	_cleanup_statement_ Statement row = sql_use(sql, "SELECT number, state, step FROM runs WHERE run = ?");
	int r;

	bind_id(&row, run);
	*ret = (Held){ 0 };
	r = statement_step(&row);
	if (r <= 0)
		return r;
	ret->number = column_int(&row);
	ret->state = (LedgerState)column_int(&row);
	ret->step = (uint32_t)column_int(&row);
	return 0;
}

/* 1: the user's request id stands for a run already. */
static int request_find(Sql *sql, uint32_t uid, const char *request_id)
{
	_cleanup_statement_ Statement row = sql_use(sql, "SELECT 1 FROM runs WHERE uid = ? AND request_id = ?");

	if (!request_id)
		return 0;
	bind_int(&row, uid);
	bind_text(&row, request_id);
	return statement_step(&row);
}

static void bind_error(Statement *statement, ErrorCode error)
{
	bind_text(statement, error == ERROR_NONE ? NULL : error_name(error));
}

#define POSITION_NEXT "(SELECT coalesce(max(position), 0) + 1 FROM runs)"

/* Bound in the order of the columns. */
static int run_insert(Sql *sql, const LedgerRun *run, LedgerState state, Held *ret)
{
	Statement put = sql_use(sql, "INSERT INTO runs (position, run, state, promised, uid, gid, pid, request_id, "
				     "fingerprint, program, module, build_id, flags, start_by, submitted, begun, "
				     "ended, error, step, replied) VALUES (" POSITION_NEXT
				     ", ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	int r;

	bind_id(&put, &run->run);
	bind_int(&put, state);
	bind_int(&put, run->promised || state == LEDGER_QUEUED);
	bind_int(&put, run->uid);
	bind_int(&put, run->gid);
	bind_int(&put, run->pid);
	bind_text(&put, state == LEDGER_REFUSED ? NULL : run->request_id);
	bind_id(&put, &run->fingerprint);
	bind_text(&put, run->program ? run->program : "");
	bind_id(&put, &run->module);
	bind_text(&put, run->build_id);
	bind_int(&put, run->flags);
	bind_time(&put, run->start_by_usec);
	bind_time(&put, run->submitted_usec);
	bind_time(&put, run->begun_usec);
	bind_time(&put, run->ended_usec);
	bind_error(&put, run->error);
	bind_int(&put, run->step);
	bind_int(&put, run->reply != NULL);
	r = statement_finish(&put);
	*ret = (Held){ .number = sqlite3_last_insert_rowid(sql->db), .state = state, .step = run->step };
	return r;
}

/* A run that was held already has ended, or parks. */
static int run_change(Sql *sql, const Held *held, const LedgerRun *run, LedgerState state)
{
	Statement put = sql_use(sql, "UPDATE runs SET position = " POSITION_NEXT ", state = ?1,"
				     " promised = max(promised, ?2),"
				     " request_id = CASE ?1 WHEN 6 THEN NULL ELSE request_id END,"
				     " begun = coalesce(nullif(?3, 0), begun), ended = ?4, error = ?5, step = ?6,"
				     " replied = ?7, module = coalesce(?9, module),"
				     " build_id = CASE WHEN ?9 IS NULL THEN build_id ELSE ?10 END WHERE number = ?8");

	bind_int(&put, state);
	bind_int(&put, run->promised);
	bind_time(&put, run->begun_usec);
	bind_time(&put, run->ended_usec);
	bind_error(&put, run->error);
	bind_int(&put, run->step);
	bind_int(&put, run->reply != NULL);
	bind_int(&put, held->number);
	if (id_is_null(&run->module))
		bind_text(&put, NULL);
	else
		bind_id(&put, &run->module);
	bind_text(&put, run->build_id);
	return statement_finish(&put);
}

static int part_put(Sql *sql, const char *text, const Held *held, const void *data, size_t size)
{
	Statement put = sql_use(sql, text);

	bind_int(&put, held->number);
	bind_blob(&put, data, size);
	bind_int(&put, crc32c(0, data ? data : "", size));
	return statement_finish(&put);
}

static int held_run(Sql *sql, const char *const *texts, size_t n, const Held *held)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		Statement change = sql_use(sql, texts[i]);

		bind_int(&change, held->number);
		r = statement_finish(&change);
	}
	return r;
}

/* What a run leaves behind when its state changes. */
static int parts_clear(Sql *sql, const Held *held)
{
	static const char *const texts[] = {
		"DELETE FROM submissions WHERE number = ?",
		"DELETE FROM parked WHERE number = ?",
		"DELETE FROM replies WHERE number = ?",
		"UPDATE decisions SET done = 1 WHERE number = ? AND done = 0",
	};

	return held_run(sql, texts, ELEMENTSOF(texts), held);
}

static void work_moves(Work *work, int left, LedgerState entered)
{
	work->left = (int8_t)left;
	work->entered = (int8_t)entered;
}

static int submit_write(Sql *sql, Work *work)
{
	const LedgerRun *run = &work->run;
	Statement put;
	Held held;
	int r;

	r = held_find(sql, &run->run, &held);
	if (r == 0 && held.number == 0)
		r = request_find(sql, run->uid, run->request_id);
	if (r < 0)
		return r;
	if (r > 0 || held.number > 0) {
		work->result = -EEXIST;
		return 0;
	}
	r = run_insert(sql, run, LEDGER_QUEUED, &held);
	if (r < 0)
		return r;
	work_moves(work, -1, LEDGER_QUEUED);
	put = sql_use(sql, "INSERT INTO submissions (number, arguments, crc, metadata) VALUES (?, ?, ?, ?)");
	bind_int(&put, held.number);
	bind_blob(&put, run->arguments, run->arguments_size);
	bind_int(&put, crc32c(0, run->arguments ? run->arguments : "", run->arguments_size));
	bind_text(&put, run->metadata);
	return statement_finish(&put);
}

/* Ends or parks: the run is there, in its new state, without what it had. */
static int run_write(Sql *sql, Work *work, LedgerState state, Held *ret)
{
	const LedgerRun *run = &work->run;
	int r;

	r = held_find(sql, &run->run, ret);
	if (r < 0)
		return r;
	if (ret->number > 0) {
		if (ledger_state_ended(ret->state)) {
			work->result = -EALREADY;
			return 0;
		}
		r = run_change(sql, ret, run, state);
		work_moves(work, (int)ret->state, state);
		return r < 0 ? r : parts_clear(sql, ret);
	}
	r = request_find(sql, run->uid, state == LEDGER_REFUSED ? NULL : run->request_id);
	if (r > 0)
		work->result = -EEXIST;
	if (r != 0)
		return MIN(r, 0);
	work_moves(work, -1, state);
	return run_insert(sql, run, state, ret);
}

#define REPLY_PUT "INSERT INTO replies (number, reply, crc) VALUES (?, ?, ?)"

static int finish_write(Sql *sql, Work *work)
{
	const LedgerRun *run = &work->run;
	Held held;
	int r;

	r = run_write(sql, work, run->state, &held);
	if (r < 0 || work->result < 0 || !run->reply)
		return r;
	return part_put(sql, REPLY_PUT, &held, run->reply, run->reply_size);
}

static int park_write(Sql *sql, Work *work)
{
	const LedgerRun *run = &work->run;
	Held held;
	int r;

	r = run_write(sql, work, LEDGER_PARKED, &held);
	if (r < 0 || work->result < 0)
		return r;
	r = part_put(sql, "INSERT INTO parked (number, records, crc) VALUES (?, ?, ?)", &held, run->records,
		     run->records_size);
	if (r < 0 || !run->reply)
		return r;
	return part_put(sql, REPLY_PUT, &held, run->reply, run->reply_size);
}

static int resume_write(Sql *sql, Work *work)
{
	static const char *const change[] = { "UPDATE runs SET position = " POSITION_NEXT
					      ", state = 2, replied = 0 WHERE number = ?" };
	static const int refusals[LEDGER_STATE_MAX] = {
		[LEDGER_QUEUED] = -ESTALE,    [LEDGER_SUCCEEDED] = -EALREADY, [LEDGER_RECTIFIED] = -EALREADY,
		[LEDGER_SETTLED] = -EALREADY, [LEDGER_REFUSED] = -EALREADY,
	};
	Held held;
	int r;

	r = held_find(sql, &work->run.run, &held);
	if (r < 0)
		return r;
	work->result = held.number > 0 ? refusals[held.state] : -ENOENT;
	if (work->result < 0 || held.state == LEDGER_RESUMED)
		return 0;
	work_moves(work, (int)held.state, LEDGER_RESUMED);
	r = held_run(sql, change, ELEMENTSOF(change), &held);
	return r < 0 ? r : parts_clear(sql, &held);
}

/* 1: one is still to be done. */
static int decision_find_open(Sql *sql, const Held *held)
{
	_cleanup_statement_ Statement row = sql_use(sql, "SELECT 1 FROM decisions WHERE number = ? AND done = 0");

	bind_int(&row, held->number);
	return statement_step(&row);
}

static int decide_write(Sql *sql, Work *work)
{
	const LedgerDecision *decision = &work->decision;
	Statement put;
	Held held;
	int r;

	r = held_find(sql, &decision->run, &held);
	if (r == 0 && held.number == 0)
		work->result = -ENOENT;
	else if (held.state != LEDGER_PARKED || held.step != decision->step)
		work->result = -ESTALE;
	if (r < 0 || work->result < 0)
		return r;
	r = decision_find_open(sql, &held);
	if (r > 0)
		work->result = -EBUSY;
	if (r != 0)
		return MIN(r, 0);
	put = sql_use(sql, "INSERT INTO decisions (number, step, verb, flags, uid, reason, decided, done)"
			   " VALUES (?, ?, ?, ?, ?, ?, ?, 0)");
	bind_int(&put, held.number);
	bind_int(&put, decision->step);
	bind_int(&put, decision->verb);
	bind_int(&put, decision->flags);
	bind_int(&put, decision->uid);
	bind_text(&put, decision->reason);
	bind_time(&put, decision->usec);
	return statement_finish(&put);
}

static int hold_write(Sql *sql, Work *work)
{
	Statement put = sql_use(sql, "INSERT OR REPLACE INTO hold VALUES (1, ?, ?, ?, ?)");

	bind_int(&put, work->hold.held);
	bind_int(&put, work->hold.uid);
	bind_text(&put, work->hold.reason);
	bind_time(&put, work->hold.usec);
	return statement_finish(&put);
}

static int adopt_write(Sql *sql, Work *work)
{
	return schema_write_place(sql, &work->place);
}

static const struct {
	int (*write)(Sql *sql, Work *work);
	bool erases;
} work_kinds[WORK_KIND_MAX] = {
	[WORK_SUBMIT] = { submit_write, false }, [WORK_FINISH] = { finish_write, true },
	[WORK_PARK] = { park_write, true },      [WORK_RESUME] = { resume_write, true },
	[WORK_DECIDE] = { decide_write, false }, [WORK_FORGET] = { forget_write, true },
	[WORK_HOLD] = { hold_write, false },     [WORK_ADOPT] = { adopt_write, false },
};

int work_write(Sql *sql, Work *work)
{
	work->result = 0;
	work->left = work->entered = -1;
	return work_kinds[work->kind].write(sql, work);
}

bool work_erases(const Work *work)
{
	return work_kinds[work->kind].erases && !work->recent;
}
