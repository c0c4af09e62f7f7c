/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every operation on the disk fails once, and then for good. Nothing is confirmed that is not there, nothing is lost
 * that was confirmed, and the ledger goes on when the disk does. */
#include "tests/check_main.h"

#include "tests/ledger_faults.h"
#include "tests/ledger_script.h"

#define WORKS 16U
#define SWEEP_MAX 400U

static Script script;

typedef struct Told {
	bool said;
	int r;
} Told;

static void on_told(void *context, int r)
{
	Told *told = context;

	ck_assert(!told->said);
	*told = (Told){ true, r };
}

/* An error that the disk's fault may come out as. */
static bool is_fault(int r)
{
	return r == -EIO || r == -ENOSPC || r == -ENOMEM;
}

/* What was confirmed is there: each work is one that its run's progress shows. */
static void expect_confirmed(Ledger *ledger, const Told told[])
{
	for (unsigned i = 0; i < WORKS; i++)
		if (told[i].said && told[i].r == 0)
			ck_assert_uint_ge(script_progress(ledger, script.works[i].run), script.works[i].step);
}

/* And only that, as long as the process lives. */
static void expect_told(Ledger *ledger, const Told told[])
{
	for (unsigned i = 0; i < WORKS; i++) {
		ck_assert(told[i].said);
		if (told[i].r < 0)
			ck_assert_uint_lt(script_progress(ledger, script.works[i].run), script.works[i].step);
	}
	expect_confirmed(ledger, told);
}

static bool run_has_failed(const Told told[], unsigned i)
{
	for (unsigned j = 0; j < i; j++)
		if (told[j].r < 0 && script.works[j].run == script.works[i].run)
			return true;
	return false;
}

/* Works one after another, each waited for; none more on a run of which one has failed. */
static void perform(Ledger *ledger, Told told[])
{
	for (unsigned i = 0; i < WORKS; i++) {
		if (run_has_failed(told, i)) {
			told[i] = (Told){ true, -ECANCELED };
			continue;
		}
		ck_assert_int_eq(script_do(ledger, &script, i, on_told, &told[i]), 0);
		desk_wait(ledger);
		ck_assert_msg(told[i].r == 0 || is_fault(told[i].r), "%d", told[i].r);
	}
}

/* Whether the fault came. */
static bool try_fault(FaultKind kind, unsigned at, int code, bool for_good)
{
	Told told[WORKS] = { 0 };
	Ledger *ledger;
	bool came;

	scratch_reset();
	ledger = desk_open();
	faults_set(kind, at, code, for_good);
	perform(ledger, told);
	expect_told(ledger, told);
	ck_assert_ptr_null(ledger_problem(ledger));
	came = faults.n_failed > 0;
	faults_clear();
	ck_assert_int_eq(desk_submit(ledger, 900000, "goes on"), 0);
	expect_told(ledger, told);
	ledger = desk_reopen(ledger);
	expect_confirmed(ledger, told);
	ck_assert_int_eq(desk_state(ledger, 900000), LEDGER_QUEUED);
	ledger_close(ledger);
	return came;
}

static void sweep(FaultKind kind, int code, unsigned expected)
{
	unsigned n = 0;

	faults_install();
	script_init(&script, 5, 0);
	for (unsigned at = 1; at < SWEEP_MAX; at++) {
		if (!try_fault(kind, at, code, false))
			break;
		if (at % 5 == 0)
			ck_assert(try_fault(kind, at, code, true));
		n++;
	}
	printf("# %u operations of kind %u failed, one at a time\n", n, (unsigned)kind);
	ck_assert_uint_ge(n, expected);
	ck_assert_uint_lt(n, SWEEP_MAX - 1);
}

START_TEST(a_write_that_fails_loses_nothing)
{
	sweep(FAULT_WRITE, SQLITE_IOERR_WRITE, WORKS);
}
END_TEST

START_TEST(a_full_disk_loses_nothing)
{
	sweep(FAULT_WRITE, SQLITE_FULL, WORKS);
}
END_TEST

START_TEST(a_sync_that_fails_confirms_nothing)
{
	sweep(FAULT_SYNC, SQLITE_IOERR_FSYNC, WORKS);
}
END_TEST

START_TEST(each_work_of_a_group_that_fails_is_told)
{
	Told told[WORKS] = { 0 };
	Ledger *ledger;
	sqlite3 *lock;

	faults_install();
	script_init(&script, 6, 0);
	ledger = desk_begin();
	lock = desk_lock();
	for (unsigned i = 0; i < WORKS; i++)
		ck_assert_int_eq(script_do(ledger, &script, i, on_told, &told[i]), 0);
	faults_set(FAULT_SYNC, 1, SQLITE_IOERR_FSYNC, true);
	desk_unlock(lock);
	desk_wait(ledger);
	faults_clear();
	expect_told(ledger, told);
	for (unsigned i = 0; i < WORKS; i++)
		ck_assert_msg(is_fault(told[i].r), "work %u: %d", i, told[i].r);
	ck_assert_int_eq(script_do(ledger, &script, 0, NULL, NULL), 0);
	desk_wait(ledger);
	ck_assert_uint_eq(script_progress(ledger, script.works[0].run), 1);
	ledger_close(ledger);
}
END_TEST

START_TEST(recent_runs_that_cannot_be_written_are_counted)
{
	Ledger *ledger;
	LedgerCounts counts = { 0 };
	LedgerRun run = desk_end(1, LEDGER_SUCCEEDED, NULL);

	faults_install();
	ledger = desk_begin();
	faults_set(FAULT_WRITE, 1, SQLITE_FULL, true);
	ck_assert_int_eq(ledger_remember(ledger, &run), 0);
	while (counts.recent_dropped == 0)
		ck_assert_int_eq(ledger_counts(ledger, &counts), 0);
	faults_clear();
	run.run = desk_id(2);
	ck_assert_int_eq(ledger_remember(ledger, &run), 0);
	ledger = desk_reopen(ledger);
	ck_assert_int_eq(desk_state(ledger, 1), DESK_ABSENT);
	ck_assert_int_eq(desk_state(ledger, 2), LEDGER_SUCCEEDED);
	ledger_close(ledger);
}
END_TEST

START_TEST(a_ledger_that_cannot_be_made_is_made_later)
{
	unsigned n = 0;

	faults_install();
	for (unsigned at = 1; at < SWEEP_MAX; at++) {
		_cleanup_free_ char *problem = NULL;
		Ledger *ledger = NULL;
		int r;

		scratch_reset();
		faults_set(at % 2 ? FAULT_WRITE : FAULT_SYNC, (at + 1) / 2, SQLITE_FULL, false);
		r = ledger_open(scratch_path(""), &desk_machine, &ledger, &problem);
		if (r == 0 && faults.n_failed == 0)
			at = SWEEP_MAX;
		ck_assert_msg(r == 0 || (is_fault(r) && problem), "%d", r);
		n += r < 0;
		faults_clear();
		ledger = r == 0 ? desk_reopen(ledger) : desk_open();
		ck_assert_int_eq(desk_submit(ledger, 1, NULL), 0);
		ledger_close(ledger);
	}
	ck_assert_uint_gt(n, 5);
}
END_TEST

/* Allocations of SQLite, in whichever thread. */
static sqlite3_mem_methods memory;
static _Atomic unsigned n_allocations, allocation_at;

static bool allocation_fails(void)
{
	return ++n_allocations == allocation_at;
}

static void *fail_malloc(int size)
{
	return allocation_fails() ? NULL : memory.xMalloc(size);
}

static void *fail_realloc(void *old, int size)
{
	return allocation_fails() ? NULL : memory.xRealloc(old, size);
}

static void memory_install(void)
{
	sqlite3_mem_methods failing;

	ck_assert_int_eq(sqlite3_shutdown(), SQLITE_OK);
	ck_assert_int_eq(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &memory), SQLITE_OK);
	failing = memory;
	failing.xMalloc = fail_malloc;
	failing.xRealloc = fail_realloc;
	ck_assert_int_eq(sqlite3_config(SQLITE_CONFIG_MALLOC, &failing), SQLITE_OK);
}

static bool looks_good(int r)
{
	return r == 0 || r == -ENOENT || r == -ENOMEM;
}

static void perform_hungry(Ledger *ledger, Told told[])
{
	for (unsigned i = 0; i < WORKS; i++) {
		LedgerFound found;
		Id id = desk_id(script.works[i].run);
		int r;

		ck_assert_int_eq(script_do(ledger, &script, i, on_told, &told[i]), 0);
		desk_wait(ledger);
		r = ledger_find(ledger, &id, &found);
		ck_assert_msg(looks_good(r), "%d", r);
		if (r == 0)
			ledger_found_done(&found);
	}
}

START_TEST(an_allocation_that_fails_loses_nothing)
{
	unsigned step = 1, n = 0;

	memory_install();
	script_init(&script, 8, 0);
	for (unsigned at = 1;; at += step) {
		Told told[WORKS] = { 0 };
		Ledger *ledger = NULL;
		_cleanup_free_ char *problem = NULL;
		bool came;
		int r;

		scratch_reset();
		n_allocations = 0;
		allocation_at = at;
		r = ledger_open(scratch_path(""), &desk_machine, &ledger, &problem);
		ck_assert_msg(r == 0 || r == -ENOMEM, "allocation %u: %d: %s", at, r, problem);
		if (r == 0)
			perform_hungry(ledger, told);
		came = n_allocations >= at;
		allocation_at = 0;
		if (r == 0)
			ck_assert_ptr_null(ledger_problem(ledger));
		ledger = r == 0 ? desk_reopen(ledger) : desk_open();
		expect_confirmed(ledger, told);
		ledger_close(ledger);
		if (!came)
			break;
		n++;
		step = 1 + at / 100; /* the first ones all: they open it */
	}
	ck_assert_int_eq(sqlite3_shutdown(), SQLITE_OK);
	ck_assert_int_eq(sqlite3_config(SQLITE_CONFIG_MALLOC, &memory), SQLITE_OK);
	printf("# %u allocations failed, one at a time\n", n);
	ck_assert_uint_gt(n, 100);
}
END_TEST

CHECK_MAIN(ledger_faults, a_write_that_fails_loses_nothing, a_full_disk_loses_nothing,
	   a_sync_that_fails_confirms_nothing, each_work_of_a_group_that_fails_is_told,
	   recent_runs_that_cannot_be_written_are_counted, a_ledger_that_cannot_be_made_is_made_later,
	   an_allocation_that_fails_loses_nothing)
