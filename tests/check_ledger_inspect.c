/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/check_main.h"

#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "daemon/ledger_schema.h"
#include "tests/ledger_script.h"

typedef struct Seen {
	unsigned n[LEDGER_STATE_MAX];
	unsigned n_runs, n_decisions, n_holds, n_problems;
	char problem[512];
	char blob[64];
} Seen;

static void on_seen(void *context, const LedgerRun *run)
{
	Seen *seen = context;

	seen->n_runs++;
	seen->n[run->state]++;
	ck_assert_int_eq(run->has_arguments, run->state == LEDGER_QUEUED);
	ck_assert(!run->records || run->state == LEDGER_PARKED);
	if (run->records_size > 0)
		snprintf(seen->blob, sizeof(seen->blob), "%.*s", (int)run->records_size, (const char *)run->records);
}

static void on_seen_decision(void *context, const LedgerDecision *decision)
{
	Seen *seen = context;

	ck_assert_uint_eq(decision->step, 3);
	seen->n_decisions++;
}

static void on_seen_hold(void *context, const LedgerHold *hold)
{
	Seen *seen = context;

	ck_assert_str_eq(hold->reason, "wait");
	seen->n_holds++;
}

static void on_seen_problem(void *context, const char *sentence)
{
	Seen *seen = context;

	seen->n_problems++;
	snprintf(seen->problem, sizeof(seen->problem), "%s", sentence);
}

static int look(Seen *seen)
{
	const LedgerInspection inspection = { on_seen, on_seen_decision, on_seen_hold, on_seen_problem, seen };

	*seen = (Seen){ 0 };
	return ledger_inspect(scratch_path(""), &inspection);
}

/* What the directory holds: names, sizes, times. */
static uint64_t directory_sum(void)
{
	DIR *directory = opendir(scratch_path(""));
	uint64_t sum = 0;

	ck_assert_ptr_nonnull(directory);
	for (struct dirent *entry = readdir(directory); entry; entry = readdir(directory)) {
		struct stat found;

		if (entry->d_name[0] == '.')
			continue;
		ck_assert_int_eq(stat(scratch_path(entry->d_name), &found), 0);
		sum += crc32c(0, entry->d_name, strlen(entry->d_name)) * 31 + (uint64_t)found.st_size * 7 +
		       (uint64_t)found.st_mtim.tv_nsec + found.st_ino;
	}
	closedir(directory);
	return sum;
}

static void fill(Ledger *ledger)
{
	const LedgerHold hold = { .held = true, .reason = "wait" };

	ck_assert_int_eq(desk_submit(ledger, 1, "one"), 0);
	ck_assert_int_eq(desk_park(ledger, 2, "records of two"), 0);
	ck_assert_int_eq(desk_decide(ledger, 2, 3, LEDGER_RETRY), 0);
	ck_assert_int_eq(desk_finish(ledger, 3, LEDGER_RECTIFIED, "reply"), 0);
	ck_assert_int_eq(DESK_DO(ledger, ledger_hold, &hold), 0);
}

static void expect_filled(void)
{
	uint64_t before = directory_sum();
	Seen seen;

	ck_assert_int_eq(look(&seen), 0);
	ck_assert_uint_eq(seen.n_runs, 3);
	ck_assert_uint_eq(seen.n[LEDGER_QUEUED], 1);
	ck_assert_uint_eq(seen.n[LEDGER_PARKED], 1);
	ck_assert_uint_eq(seen.n[LEDGER_RECTIFIED], 1);
	ck_assert_uint_eq(seen.n_decisions, 1);
	ck_assert_uint_eq(seen.n_holds, 1);
	ck_assert_uint_eq(seen.n_problems, 0);
	ck_assert_str_eq(seen.blob, "records of two");
	ck_assert_uint_eq(directory_sum(), before);
}

START_TEST(a_closed_ledger_is_shown_and_not_touched)
{
	Ledger *ledger = desk_begin();

	fill(ledger);
	ledger_close(ledger);
	expect_filled();
}
END_TEST

/* A process that has the ledger and has done something with it, until it is killed. */
static pid_t owner_start(void (*life)(Ledger *ledger))
{
	int ends[2];
	char byte;
	pid_t pid;

	scratch_reset();
	scratch_path("");
	ck_assert_int_eq(pipe(ends), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		Ledger *ledger = desk_open();

		fill(ledger);
		if (write(ends[1], "+", 1) != 1)
			_exit(2);
		life(ledger);
		_exit(0);
	}
	close(ends[1]);
	ck_assert_int_eq(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	return pid;
}

static void owner_kill(pid_t pid)
{
	int status;

	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
}

static void life_stopped(Ledger *ledger)
{
	(void)ledger;
	for (;;)
		pause();
}

START_TEST(a_ledger_that_a_killed_daemon_has_left_is_shown_with_its_log)
{
	pid_t pid = owner_start(life_stopped);
	struct stat log;

	owner_kill(pid);
	ck_assert_int_eq(stat(scratch_path(LEDGER_NAME "-wal"), &log), 0);
	expect_filled();
	ledger_close(desk_open());
	expect_filled();
}
END_TEST

static void life_busy(Ledger *ledger)
{
	for (unsigned n = 10;; n += 2) {
		LedgerRun run = desk_submission(n, NULL), end = desk_end(n, LEDGER_SUCCEEDED, "reply");

		if (ledger_submit(ledger, &run, NULL, NULL) < 0 || ledger_finish(ledger, &end, NULL, NULL) < 0)
			_exit(3);
		desk_wait(ledger);
	}
}

START_TEST(a_ledger_is_shown_while_a_daemon_writes)
{
	pid_t pid = owner_start(life_busy);
	unsigned steady = 0;
	Seen seen;

	for (unsigned i = 0; i < 20; i++) {
		int r = look(&seen);

		ck_assert_msg(r == 0 || seen.n_problems > 0, "%d", r);
		steady += r == 0 && seen.n_problems == 0;
		ck_assert(r < 0 || (seen.n[LEDGER_PARKED] == 1 && seen.n_decisions == 1));
	}
	printf("# %u of 20 looks at a busy ledger were of one moment\n", steady);
	owner_kill(pid);
	ck_assert_int_eq(look(&seen), 0);
	ck_assert_uint_eq(seen.n[LEDGER_PARKED], 1);
}
END_TEST

START_TEST(nothing_is_shown_where_there_is_none)
{
	Seen seen;

	scratch_reset();
	scratch_path("");
	ck_assert_int_eq(look(&seen), -ENOENT);
	ck_assert_uint_eq(seen.n_problems, 0);
	ck_assert_int_ne(access(scratch_path(LEDGER_NAME), F_OK), 0);
}
END_TEST

START_TEST(an_older_ledger_is_shown_and_stays_as_old)
{
	uint64_t before;
	Seen seen;

	scratch_reset();
	ck_assert_int_eq(schema_make(scratch_path(LEDGER_NAME), &desk_machine, 1), 0);
	before = directory_sum();
	ck_assert_int_eq(look(&seen), 0);
	ck_assert_uint_eq(seen.n_problems, 0);
	ck_assert_uint_eq(directory_sum(), before);
}
END_TEST

START_TEST(what_is_damaged_is_shown_as_far_as_it_goes)
{
	_cleanup_buffer_ Buffer file = { 0 };
	Ledger *ledger = desk_begin();
	uint8_t *at;
	Seen seen;

	fill(ledger);
	ledger_close(ledger);
	ck_assert_int_eq(read_file(scratch_path(LEDGER_NAME), 1 << 20, &file), 0);
	at = memmem(file.data, file.size, "records of two", 14);
	ck_assert_ptr_nonnull(at);
	*at = 'R';
	ck_assert_int_ge(write_file_atomic(scratch_path(LEDGER_NAME), file.data, file.size, 0600), 0);
	ck_assert_int_eq(look(&seen), -EUCLEAN);
	ck_assert_uint_ge(seen.n_problems, 1);
	ck_assert_msg(strstr(seen.problem, "records are not what was written"), "%s", seen.problem);
	ck_assert_uint_eq(seen.n_runs, 3);
	ck_assert_uint_eq(seen.n_decisions, 1);
	memset(file.data, 0, 100);
	ck_assert_int_ge(write_file_atomic(scratch_path(LEDGER_NAME), file.data, file.size, 0600), 0);
	ck_assert_int_eq(look(&seen), -EUCLEAN);
	ck_assert_uint_ge(seen.n_problems, 1);
}
END_TEST

CHECK_MAIN(ledger_inspect, a_closed_ledger_is_shown_and_not_touched,
	   a_ledger_that_a_killed_daemon_has_left_is_shown_with_its_log, a_ledger_is_shown_while_a_daemon_writes,
	   nothing_is_shown_where_there_is_none, an_older_ledger_is_shown_and_stays_as_old,
	   what_is_damaged_is_shown_as_far_as_it_goes)
