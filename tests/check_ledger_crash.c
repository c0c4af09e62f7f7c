/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The process that has the ledger is killed at random moments. What it was told to be durable is there; of the rest,
 * the works that came first are, whole, and the others not at all. */
#include "tests/check_main.h"

#include <signal.h>
#include <sys/wait.h>

#include "tests/ledger_script.h"

#define ROUNDS 200U
#define IN_FLIGHT 48U

typedef struct Victim {
	pid_t pid;
	int told; /* a byte for each work that was confirmed */
} Victim;

static void on_confirmed(void *context, int r)
{
	int fd = *(int *)context;

	if (r < 0 || write(fd, "+", 1) != 1)
		_exit(3);
}

static void victim_dispatch(Ledger *ledger)
{
	struct pollfd ready = { .fd = ledger_fd(ledger), .events = POLLIN };

	if (poll(&ready, 1, -1) == 1)
		ledger_dispatch(ledger);
}

static void victim_live(const Script *script, int told)
{
	Ledger *ledger = desk_open();

	for (unsigned i = 0; i < SCRIPT_WORKS; i++) {
		if (script_do(ledger, script, i, on_confirmed, &told) < 0)
			_exit(2);
		while (ledger_under_way(ledger) > IN_FLIGHT)
			victim_dispatch(ledger);
	}
	ledger_close(ledger);
	_exit(0);
}

static Victim victim_start(const Script *script)
{
	int ends[2];
	Victim victim;

	ck_assert_int_eq(pipe(ends), 0);
	victim.pid = fork();
	ck_assert_int_ge(victim.pid, 0);
	if (victim.pid == 0) {
		close(ends[0]);
		victim_live(script, ends[1]);
	}
	close(ends[1]);
	victim.told = ends[0];
	return victim;
}

static unsigned victim_read(const Victim *victim, unsigned n, unsigned max)
{
	char bytes[64];
	ssize_t got = 1;

	while (n < max && got > 0) {
		got = read(victim->told, bytes, MIN(sizeof(bytes), max - n));
		ck_assert_int_ge(got, 0);
		n += (unsigned)got;
	}
	return n;
}

/* Confirmed works when it was dead. */
static unsigned victim_kill(Victim *victim, Dice *dice)
{
	unsigned n = victim_read(victim, 0, dice_below(dice, 4) * dice_below(dice, 200));
	int status;

	usleep(dice_below(dice, 3000)); /* a moment of no meaning */
	ck_assert_int_eq(kill(victim->pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(victim->pid, &status, 0), victim->pid);
	ck_assert_msg(WIFSIGNALED(status) || WEXITSTATUS(status) == 0, "it ended with status %x", (unsigned)status);
	n = victim_read(victim, n, UINT_MAX);
	close(victim->told);
	return n;
}

typedef struct Tally {
	unsigned confirmed, more, whole;
} Tally;

static void round_run(unsigned round, Dice *dice, Tally *tally)
{
	static Script script;
	unsigned confirmed, done;
	Victim victim;
	Ledger *ledger;

	if (round % 8 == 0)
		scratch_reset(); /* it is killed while it makes a ledger, too */
	scratch_path("");
	script_init(&script, dice_roll(dice), round * 2000);
	victim = victim_start(&script);
	confirmed = victim_kill(&victim, dice);
	ledger = desk_open();
	done = script_done(ledger, &script);
	ck_assert_msg(done >= confirmed, "round %u: %u works were confirmed, %u are there", round, confirmed, done);
	tally->confirmed += confirmed;
	tally->more += done - confirmed;
	tally->whole += done == SCRIPT_WORKS;
	ledger_close(ledger);
}

START_TEST(a_killed_process_loses_nothing_that_was_confirmed)
{
	Dice dice = dice_take("ledger_crash");
	Tally tally = { 0 };

	for (unsigned round = 0; round < ROUNDS; round++)
		round_run(round, &dice, &tally);
	printf("# %u kills: %u works confirmed, %u more were there, %u scripts had come to their end\n", ROUNDS,
	       tally.confirmed, tally.more, tally.whole);
	ck_assert_uint_gt(tally.confirmed, ROUNDS);
	ck_assert_uint_lt(tally.whole, ROUNDS / 2);
}
END_TEST

/* What a kill leaves, with a log beside the file. */
static void leave_log(const Script *script, unsigned n)
{
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		Ledger *ledger = desk_open();

		for (unsigned i = 0; i < n; i++) {
			if (script_do(ledger, script, i, NULL, NULL) < 0)
				_exit(2);
			while (ledger_under_way(ledger) > 0)
				victim_dispatch(ledger);
		}
		kill(getpid(), SIGKILL);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
}

static void put_cut(const char *name, const Buffer *content, size_t size)
{
	if (content->size > 0)
		ck_assert_int_ge(write_file_atomic(scratch_path(name), content->data, size, 0600), 0);
}

START_TEST(a_log_that_is_cut_short_leaves_the_works_before_the_cut)
{
	static Script script;
	_cleanup_buffer_ Buffer file = { 0 }, log = { 0 };
	unsigned before = 0, done = 0;

	script_init(&script, 7, 0);
	scratch_reset();
	scratch_path("");
	leave_log(&script, 30);
	ck_assert_int_eq(read_file(scratch_path(LEDGER_NAME), 64U << 20, &file), 0);
	ck_assert_int_eq(read_file(scratch_path(LEDGER_NAME "-wal"), 64U << 20, &log), 0);
	for (size_t size = 0; size <= log.size;
	     size = size + 1500 > log.size && size < log.size ? log.size : size + 1500) {
		Ledger *ledger;

		unlink(scratch_path(LEDGER_NAME "-shm"));
		put_cut(LEDGER_NAME, &file, file.size);
		put_cut(LEDGER_NAME "-wal", &log, size);
		ledger = desk_open();
		done = script_done(ledger, &script);
		ck_assert_uint_ge(done, before);
		before = done;
		ledger_close(ledger);
	}
	ck_assert_uint_eq(done, 30);
}
END_TEST

CHECK_MAIN(ledger_crash, a_killed_process_loses_nothing_that_was_confirmed,
	   a_log_that_is_cut_short_leaves_the_works_before_the_cut)
