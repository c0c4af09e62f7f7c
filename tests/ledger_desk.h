/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For tests of the ledger: one in the scratch directory, runs that are told by a number, and works that are waited for.
 * A test that fails shows the number. */
#pragma once

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sqlite3.h>
#include <string.h>

#include "base/io.h"
#include "daemon/ledger.h"
#include "tests/scratch.h"

#define DESK_ABSENT (-1) /* of desk_state() */

static const Id desk_machine = { .bytes = { 0x4d, 1, 2, 3 } };

static inline Ledger *desk_open(void)
{
	_cleanup_free_ char *problem = NULL;
	Ledger *ledger = NULL;
	int r;

	r = ledger_open(scratch_path(""), &desk_machine, &ledger, &problem);
	ck_assert_msg(r == 0, "%d: %s", r, problem ? problem : "no word");
	return ledger;
}

/** \brief A new one: the first of a test. */
static inline Ledger *desk_begin(void)
{
	scratch_reset();
	return desk_open();
}

static inline Ledger *desk_reopen(Ledger *ledger)
{
	ledger_close(ledger);
	return desk_open();
}

/* How a work has ended; 1: not yet. */
#define DESK_PENDING INT_MAX

static inline void on_desk_done(void *context, int r)
{
	int *result = context;

	ck_assert_int_eq(*result, DESK_PENDING);
	*result = r;
}

static inline void desk_wait(Ledger *ledger)
{
	struct pollfd ready = { .fd = ledger_fd(ledger), .events = POLLIN };

	while (ledger_under_way(ledger) > 0) {
		ck_assert_int_eq(poll(&ready, 1, 60000), 1);
		ledger_dispatch(ledger);
	}
}

/** \brief What a work that was begun with on_desk_done and \p result comes to. */
static inline int desk_result(Ledger *ledger, int begun, const int *result)
{
	if (begun < 0)
		return begun;
	desk_wait(ledger);
	ck_assert_int_ne(*result, DESK_PENDING);
	return *result;
}

#define DESK_DO(ledger, word, ...)                                                  \
	({                                                                          \
		int result_ = DESK_PENDING;                                         \
		int begun_ = word((ledger), ##__VA_ARGS__, on_desk_done, &result_); \
		desk_result((ledger), begun_, &result_);                            \
	})

static inline Id desk_id(unsigned n)
{
	Id id = { .bytes = { (uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16), 0x52 } };

	return id;
}

static inline unsigned desk_number(const Id *id)
{
	ck_assert_uint_eq(id->bytes[3], 0x52);
	return id->bytes[0] | (unsigned)id->bytes[1] << 8 | (unsigned)id->bytes[2] << 16;
}

/** \brief Run number \p n as it is submitted; \p request_id may be NULL. */
static inline LedgerRun desk_submission(unsigned n, const char *request_id)
{
	return (LedgerRun){
		.run = desk_id(n),
		.uid = 1000 + n % 3,
		.gid = 100,
		.pid = 4000 + n,
		.request_id = request_id,
		.fingerprint = { .bytes = { 0xf0, (uint8_t)n } },
		.program = n % 2 ? "odd" : "even",
		.module = { .bytes = { 0xaa, 0xbb } },
		.build_id = "c0ffee",
		.flags = LEDGER_FLAG_WAIT,
		.start_by_usec = 77,
		.submitted_usec = 1000 + n,
		.has_arguments = true,
		.arguments = "arguments\0secret",
		.arguments_size = 16,
		.metadata = "{\"ticket\":\"T-7\"}",
	};
}

static inline LedgerRun desk_end(unsigned n, LedgerState state, const char *reply)
{
	LedgerRun run = desk_submission(n, NULL);

	run.state = state;
	run.promised = true;
	run.begun_usec = 2000 + n;
	run.ended_usec = 3000 + n;
	run.reply = reply;
	run.reply_size = reply ? strlen(reply) : 0;
	return run;
}

static inline LedgerRun desk_parked(unsigned n, const char *records)
{
	LedgerRun run = desk_end(n, LEDGER_PARKED, "\"program\":\"p\",\"status\":\"parked\"}\n");

	run.error = ERROR_RECTIFIER_FAILED;
	run.step = 3;
	run.records = records;
	run.records_size = strlen(records);
	return run;
}

static inline int desk_submit(Ledger *ledger, unsigned n, const char *request_id)
{
	LedgerRun run = desk_submission(n, request_id);

	return DESK_DO(ledger, ledger_submit, &run);
}

static inline int desk_finish(Ledger *ledger, unsigned n, LedgerState state, const char *reply)
{
	LedgerRun run = desk_end(n, state, reply);

	return DESK_DO(ledger, ledger_finish, &run);
}

static inline int desk_park(Ledger *ledger, unsigned n, const char *records)
{
	LedgerRun run = desk_parked(n, records);

	return DESK_DO(ledger, ledger_park, &run);
}

static inline int desk_resume(Ledger *ledger, unsigned n)
{
	Id id = desk_id(n);

	return DESK_DO(ledger, ledger_resume, &id);
}

static inline int desk_decide(Ledger *ledger, unsigned n, unsigned step, LedgerVerb verb)
{
	const LedgerDecision decision = {
		.run = desk_id(n), .step = step, .verb = verb, .uid = 0, .reason = "by hand", .usec = 9000
	};

	return DESK_DO(ledger, ledger_decide, &decision);
}

static inline int desk_state(Ledger *ledger, unsigned n)
{
	_cleanup_ledger_found_ LedgerFound found = { 0 };
	Id id = desk_id(n);
	int r = ledger_find(ledger, &id, &found);

	ck_assert_msg(r == 0 || r == -ENOENT, "run %u: %d", n, r);
	return r == 0 ? (int)found.run.state : DESK_ABSENT;
}

/** \brief The numbers of the runs that a look-up hands out, in its order. */
typedef struct DeskList {
	unsigned numbers[64];
	size_t n;
} DeskList;

static inline int on_desk_run(void *context, const LedgerRun *run)
{
	DeskList *list = context;

	ck_assert_uint_lt(list->n, ELEMENTSOF(list->numbers));
	list->numbers[list->n++] = desk_number(&run->run);
	return 0;
}

#define desk_expect(list, ...)                                                                              \
	do {                                                                                                \
		const unsigned expected_[] = { __VA_ARGS__ };                                               \
		ck_assert_uint_eq((list)->n, ELEMENTSOF(expected_));                                        \
		for (size_t i_ = 0; i_ < ELEMENTSOF(expected_); i_++)                                       \
			ck_assert_msg((list)->numbers[i_] == expected_[i_], "number %zu is %u, not %u", i_, \
				      (list)->numbers[i_], expected_[i_]);                                  \
	} while (0)

static inline DeskList desk_queue(Ledger *ledger)
{
	DeskList list = { 0 };

	ck_assert_int_eq(ledger_take(ledger, on_desk_run, &list), 0);
	return list;
}

static inline DeskList desk_list(Ledger *ledger, LedgerFilter filter)
{
	DeskList list = { 0 };

	ck_assert_int_eq(ledger_list(ledger, &filter, on_desk_run, &list), 0);
	return list;
}

/** \brief Somebody else who locks the database: no work is written until desk_unlock(). */
static inline sqlite3 *desk_lock(void)
{
	sqlite3 *db = NULL;

	ck_assert_int_eq(sqlite3_open(scratch_path(LEDGER_NAME), &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_busy_timeout(db, 10000), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	return db;
}

static inline void desk_unlock(sqlite3 *db)
{
	ck_assert_int_eq(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

/** \brief Whether \p text stands anywhere in what the scratch directory holds of the ledger. */
static inline bool desk_holds(const char *text)
{
	static const char *const names[] = { LEDGER_NAME, LEDGER_NAME "-wal", LEDGER_NAME "-shm" };

	for (size_t i = 0; i < ELEMENTSOF(names); i++) {
		_cleanup_buffer_ Buffer file = { 0 };
		int r = read_file(scratch_path(names[i]), 64U << 20, &file);

		ck_assert(r == 0 || r == -ENOENT);
		if (file.size > 0 && memmem(file.data, file.size, text, strlen(text)))
			return true;
	}
	return false;
}

/** \brief What a request id stands for. */
static inline void expect_request(Ledger *ledger, uint32_t uid, const char *request_id, unsigned n, LedgerState state)
{
	_cleanup_ledger_found_ LedgerFound found = { 0 };

	ck_assert_int_eq(ledger_find_request(ledger, uid, request_id, &found), 0);
	ck_assert_uint_eq(desk_number(&found.run.run), n);
	ck_assert_int_eq(found.run.state, state);
}

static inline void expect_no_request(Ledger *ledger, uint32_t uid, const char *request_id)
{
	LedgerFound found;

	ck_assert_int_eq(ledger_find_request(ledger, uid, request_id, &found), -ENOENT);
}
