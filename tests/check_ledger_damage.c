/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A small ledger, damaged in every place. It is looked through at its start, so either that says what is wrong, or all
 * that is found is true; where a value has no second witness, nothing worse than that value comes of it. */
#include "tests/check_main.h"

#include "tests/ledger_script.h"

#define PAGE_SIZE 4096U
#define WORKS 60U

static Script script;
static Buffer whole;

static void make_whole(void)
{
	static char large[9000];
	Ledger *ledger = desk_begin();
	LedgerRun run = desk_parked(500000, "large");

	memset(large, 'L', sizeof(large));
	run.records = large;
	run.records_size = sizeof(large);
	script_init(&script, 3, 0);
	for (unsigned i = 0; i < WORKS; i++)
		ck_assert_int_eq(script_do(ledger, &script, i, NULL, NULL), 0);
	ck_assert_int_eq(DESK_DO(ledger, ledger_park, &run), 0);
	ledger_close(ledger);
	ck_assert_int_eq(read_file(scratch_path(LEDGER_NAME), 64U << 20, &whole), 0);
}

static void put_damaged(const Buffer *content)
{
	unlink(scratch_path(LEDGER_NAME "-wal"));
	unlink(scratch_path(LEDGER_NAME "-shm"));
	ck_assert_int_ge(write_file_atomic(scratch_path(LEDGER_NAME), content->data, content->size, 0600), 0);
}

static int on_any(void *context, const LedgerRun *run)
{
	(void)run;
	++*(unsigned *)context;
	return 0;
}

static int on_any_decision(void *context, const LedgerDecision *decision)
{
	(void)decision;
	++*(unsigned *)context;
	return 0;
}

static bool good(int r)
{
	return r == 0 || r == -EUCLEAN;
}

/* Everything that can be asked and done: it may say that the ledger is damaged. */
static void use_all(Ledger *ledger)
{
	LedgerFilter all = { .replies = true };
	LedgerCounts counts;
	LedgerHold hold;
	unsigned n = 0;
	int r;

	ck_assert(good(ledger_take(ledger, on_any, &n)));
	ck_assert(good(ledger_list(ledger, &all, on_any, &n)));
	ck_assert(good(ledger_decisions(ledger, NULL, on_any_decision, &n)));
	ck_assert(good(ledger_counts(ledger, &counts)));
	ck_assert(good(ledger_held(ledger, &hold)));
	r = desk_submit(ledger, 900000, "fresh");
	ck_assert_msg(good(r), "%d", r);
	ck_assert(r == 0 || ledger_problem(ledger));
	r = desk_finish(ledger, 900000, LEDGER_SUCCEEDED, "reply");
	ck_assert_msg(good(r), "%d", r);
	r = DESK_DO(ledger, ledger_forget, &(const LedgerRetention){ .runs = 1, .replies = 1 }, 0);
	ck_assert_msg(good(r), "%d", r);
}

static void on_inspected(void *context, const LedgerRun *run)
{
	on_any(context, run);
}

static void on_told(void *context, const char *sentence)
{
	(void)context;
	ck_assert_ptr_nonnull(strstr(sentence, LEDGER_NAME));
}

static int inspect(void)
{
	unsigned n = 0;
	const LedgerInspection inspection = { .on_run = on_inspected, .on_problem = on_told, .context = &n };
	int r = ledger_inspect(scratch_path(""), &inspection);

	ck_assert_msg(good(r) || r == -EPROTONOSUPPORT, "%d", r);
	return r;
}

/* 1: it opened. */
static int try_damaged(const Buffer *content, bool all_is_true)
{
	_cleanup_free_ char *problem = NULL;
	Ledger *ledger = NULL;
	int r, seen;

	put_damaged(content);
	seen = inspect();
	r = ledger_open(scratch_path(""), &desk_machine, &ledger, &problem);
	if (r < 0) {
		ck_assert_msg(r == -EUCLEAN || r == -EPROTONOSUPPORT, "%d: %s", r, problem);
		ck_assert_msg(seen < 0, "%s", problem);
		ck_assert_ptr_nonnull(strstr(problem, LEDGER_NAME));
		return 0;
	}
	if (all_is_true)
		ck_assert_uint_eq(script_done(ledger, &script), WORKS);
	use_all(ledger);
	ledger_close(ledger);
	return 1;
}

typedef enum Filling {
	FILL_ZERO,
	FILL_RANDOM,
	FILL_OTHER, /* what another page holds */
	FILL_TURNED,
	FILLINGS,
} Filling;

static void page_fill(Buffer *content, size_t page, Filling filling, Dice *dice)
{
	uint8_t *at = content->data + page * PAGE_SIZE;
	size_t other = (page + 1 + dice_below(dice, whole.size / PAGE_SIZE - 1)) % (whole.size / PAGE_SIZE);

	switch (filling) {
	case FILL_ZERO:
		memset(at, 0, PAGE_SIZE);
		break;
	case FILL_OTHER:
		memcpy(at, whole.data + other * PAGE_SIZE, PAGE_SIZE);
		break;
	default:
		for (size_t i = 0; i < PAGE_SIZE; i++)
			at[i] = filling == FILL_TURNED ? (uint8_t)~at[i] : (uint8_t)dice_roll(dice);
	}
}

START_TEST(a_page_that_is_overwritten_is_found)
{
	_cleanup_buffer_ Buffer content = { 0 };
	Dice dice = dice_take("ledger_damage");
	unsigned n = 0, opened = 0;

	make_whole();
	ck_assert_int_eq(try_damaged(&whole, true), 1);
	for (size_t page = 0; page < whole.size / PAGE_SIZE; page++)
		for (Filling filling = 0; filling < FILLINGS; filling++) {
			buffer_clear(&content);
			buffer_append(&content, whole.data, whole.size);
			page_fill(&content, page, filling, &dice);
			opened += (unsigned)try_damaged(&content, true);
			n++;
		}
	printf("# %u ledgers with an overwritten page: %u were none the worse\n", n, opened);
	ck_assert_uint_lt(opened, n / 4);
	buffer_done(&whole);
}
END_TEST

START_TEST(a_bit_that_has_turned_harms_nothing_else)
{
	_cleanup_buffer_ Buffer content = { 0 };
	Dice dice = dice_take("ledger_damage");
	unsigned n = 0, opened = 0;

	make_whole();
	buffer_append(&content, whole.data, whole.size);
	for (size_t at = dice_below(&dice, 97); at < whole.size; at += 1 + dice_below(&dice, 190)) {
		uint8_t before = content.data[at];

		content.data[at] ^= (uint8_t)(1U << dice_below(&dice, 8));
		opened += (unsigned)try_damaged(&content, false);
		content.data[at] = before;
		n++;
	}
	printf("# %u ledgers with a turned bit: %u could be opened\n", n, opened);
	buffer_done(&whole);
}
END_TEST

START_TEST(a_file_that_is_cut_short_is_found)
{
	Buffer content;

	make_whole();
	for (size_t size = 0; size < whole.size; size += 1000) {
		content = whole;
		content.size = size;
		ck_assert_int_eq(try_damaged(&content, true), 0);
	}
	buffer_done(&whole);
}
END_TEST

/* Beyond what is looked through whole at the start. */
static void grow(void)
{
	static char reply[5000];
	Ledger *ledger = desk_open();

	memset(reply, 'x', sizeof(reply));
	for (unsigned n = 0; n < 300; n++) {
		LedgerRun run = desk_end(600000 + n, LEDGER_SUCCEEDED, NULL);

		run.reply = reply;
		run.reply_size = sizeof(reply);
		ck_assert_int_eq(ledger_finish(ledger, &run, NULL, NULL), 0);
	}
	ledger_close(ledger);
	buffer_clear(&whole);
	ck_assert_int_eq(read_file(scratch_path(LEDGER_NAME), 64U << 20, &whole), 0);
}

static Id damage_reply(void)
{
	uint8_t *reply = memmem(whole.data, whole.size, "reply of run", 12);

	ck_assert_ptr_nonnull(reply);
	reply[0] = 'R';
	put_damaged(&whole);
	return desk_id((unsigned)strtoul((const char *)reply + 13, NULL, 10));
}

START_TEST(a_blob_that_was_changed_is_not_handed_out)
{
	LedgerFound found;
	Ledger *ledger;
	Id id;

	make_whole();
	grow();
	id = damage_reply();
	ledger = desk_open();
	ck_assert_int_eq(ledger_find(ledger, &id, &found), -EUCLEAN);
	ck_assert_ptr_nonnull(strstr(ledger_problem(ledger), "not what was written"));
	ck_assert_int_eq(desk_submit(ledger, 900000, NULL), -EUCLEAN);
	ledger_close(ledger);
	ck_assert_int_eq(inspect(), -EUCLEAN);
	buffer_done(&whole);
}
END_TEST

START_TEST(a_large_ledger_is_looked_through_while_nothing_else_is_to_be_done)
{
	Ledger *ledger;

	make_whole();
	grow();
	memset(whole.data + whole.size - 100 * PAGE_SIZE, 0, PAGE_SIZE);
	put_damaged(&whole);
	ledger = desk_open();
	while (!ledger_problem(ledger))
		usleep(10000); /* the test's time is bounded */
	ck_assert_int_eq(desk_submit(ledger, 900000, NULL), -EUCLEAN);
	ledger_close(ledger);
	buffer_done(&whole);
}
END_TEST

CHECK_MAIN(ledger_damage, a_page_that_is_overwritten_is_found, a_bit_that_has_turned_harms_nothing_else,
	   a_file_that_is_cut_short_is_found, a_blob_that_was_changed_is_not_handed_out,
	   a_large_ledger_is_looked_through_while_nothing_else_is_to_be_done)
