/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a disk may hold after a crash, every bit of it: cut, flipped, torn, with records lost and kept in any order. What
 * recovery makes of it is right, or the run is parked; it is never wrong. */
#include <string.h>

#include "tests/dice.h"
#include "tests/recover_case.h"

#define SECTOR 512U
#define SUBSETS_MAX 512U

#define PLAIN "@p(w x y z)\nw\nx-ux\ny\nz-uz\nux\nuz\n"
#define IRREVERSIBLE "@p(w x y)\nw-uw\nx 'irreversible':true\ny\nuw\n"
#define AGAIN                                                                                            \
	"@p(w x y)\nw-uw\nx 'idempotent':true,'retry':{'attempts':3,'backoff':0.1,'max_backoff':5}\ny\n" \
	"uw\n"
#define DONE "ok ok ok ok finish sync"

static const struct {
	const char *spec;
	const char *runs[CASE_RUNS_MAX];
	uint32_t flags;
} stories[] = {
	{ PLAIN, { DONE, "ok ok ok ok" }, 0 },
	{ PLAIN, { DONE, "ok ok ok fail ok finish sync", "ok ok die" }, 0 },
	{ PLAIN, { DONE, "ok note ok ok ." }, 0 },
	{ PLAIN, { DONE, "ok ok begin" }, 0 },
	{ PLAIN, { "ok taken begin" }, 0 },
	{ PLAIN, { "ok ok !cut begin" }, 0 },
	{ PLAIN, { DONE, "ok ok ok fail fail ." }, 0 },
	{ PLAIN, { DONE, "ok ok ok die ok taken begin" }, 0 },
	{ PLAIN, { "ok ok ok fail fail fail fail finish sync", "ok ok ." }, 0 },
	{ PLAIN, { "ok ok ok fail fail fail fail finish sync unpark retry begin" }, 0 },
	{ PLAIN, { "ok ok ok fail fail fail fail finish sync unpark retry ok finish sync", "ok ." }, 0 },
	{ PLAIN, { "ok ok park finish sync unpark retry ok ." }, 0 },
	{ IRREVERSIBLE, { "ok die finish sync unpark confirm ok finish", "ok ok fail" }, 0 },
	{ IRREVERSIBLE, { "ok ok fail finish sync unpark skip begin" }, 0 },
	{ AGAIN, { "ok die fail ok ." }, 0 },
	{ AGAIN, { "ok begin" }, 0 },
	{ PLAIN, { "ok ok ok ok finish sync", "ok ok ok ." }, RECORD_FLAG_PROCESS },
};

static RecordFile image_new(void)
{
	RecordFile image = { .base = aligned_alloc(RECORD_PAGE_SIZE, CHRONICLE_SIZE), .size = CHRONICLE_SIZE };

	ck_assert_ptr_nonnull(image.base);
	return image;
}

typedef void (*Harm)(Case *test, Dice *dice);

/* Each story, as it stood after each record and each sync. */
static void at_each_moment(Harm harm, bool last_only)
{
	Dice dice = dice_take("recover");
	RecordFile image = image_new();

	for (size_t i = 0; i < ELEMENTSOF(stories); i++) {
		_cleanup_chronicle_ Chronicle *chronicle = chronicle_open(stories[i].spec);

		chronicle->flags = stories[i].flags;
		for (size_t run = 0; run < CASE_RUNS_MAX && stories[i].runs[run]; run++)
			chronicle_run(chronicle, stories[i].runs[run]);
		for (size_t m = last_only ? chronicle->n_moments - 1 : 0; m < chronicle->n_moments; m++) {
			Case test = { .chronicle = chronicle, .moment = chronicle->moments[m], .image = image };

			harm(&test, &dice);
		}
	}
	free(image.base);
}

static void in_the_same_boot(Case *test, Dice *dice)
{
	RecordPage *page = record_page(&test->image);

	(void)dice;
	test->same_boot = true;
	case_image(test);
	case_check(test);
	/* A writer that died before it published the tail. */
	atomic_store(&page->tail, test->chronicle->records[test->moment.n_records - 1].offset);
	case_check(test);
}

START_TEST(in_the_same_boot_nothing_is_missing)
{
	at_each_moment(in_the_same_boot, false);
}
END_TEST

static void cut(Case *test, Dice *dice)
{
	(void)dice;
	case_image(test);
	test->harmed = true;
	test->harmed_to = SIZE_MAX;
	for (size_t size = 0; size < test->moment.tail + 64; size += size < RECORD_PAGE_SIZE - 8 ? 61 : 1)
		for (int boot = 0; boot < 2; boot++) {
			test->same_boot = boot;
			test->image.size = test->harmed_from = size;
			case_check(test);
		}
}

START_TEST(a_file_that_was_cut_at_any_byte_tells_no_lie)
{
	at_each_moment(cut, true);
}
END_TEST

/* The page, too, is not what it was. */
static void check_forgotten(const Case *test)
{
	const RecordPage kept = *record_page(&test->image);
	Case forgotten = *test;

	case_forget(&forgotten);
	case_believe_records(&forgotten);
	case_check(&forgotten);
	memcpy(test->image.base, &kept, sizeof(kept));
}

static void flip(Case *test, Dice *dice)
{
	case_image(test);
	test->harmed = true;
	for (size_t at = 0; at < test->moment.tail + 64; at++) {
		uint8_t kept = test->image.base[at];

		/* what lies between is zero, and nobody's */
		if (at > sizeof(RecordPage) && at < RECORD_PAGE_SIZE - 8)
			continue;
		test->harmed_from = at;
		test->harmed_to = at + 1;
		for (int boot = 1; boot >= 0; boot--) {
			test->same_boot = boot;
			test->image.base[at] = kept ^ (uint8_t)(1U << dice_below(dice, 8));
			case_check(test);
			test->image.base[at] = (uint8_t)~kept;
			case_check(test);
		}
		if (at >= RECORD_PAGE_SIZE)
			check_forgotten(test);
		test->image.base[at] = kept;
	}
}

START_TEST(a_file_of_which_any_byte_was_flipped_tells_no_lie)
{
	at_each_moment(flip, true);
}
END_TEST

/* All subsets of \p n things where there are few, else some. */
static size_t n_subsets(size_t n)
{
	return n < 10 && 1U << n < SUBSETS_MAX ? 1U << n : SUBSETS_MAX;
}

static uint64_t subset(size_t i, size_t n, Dice *dice)
{
	return n_subsets(n) < SUBSETS_MAX ? i : dice_roll(dice);
}

static void tear(Case *test, Dice *dice)
{
	size_t first = test->moment.synced / SECTOR, n = (test->moment.tail + SECTOR - 1) / SECTOR - first;

	for (size_t i = 0; i < n_subsets(n); i++) {
		uint64_t lost = subset(i, n, dice);

		case_image(test);
		for (size_t sector = 0; sector < n; sector++) {
			size_t from = MAX((first + sector) * SECTOR, test->moment.synced);
			size_t to = (first + sector + 1) * SECTOR;

			if (lost >> sector & 1)
				memset(test->image.base + from, 0, to - from);
		}
		case_check(test);
		case_forget(test);
		case_check(test);
	}
}

START_TEST(a_file_that_was_torn_at_sectors_in_any_way_tells_no_lie)
{
	at_each_moment(tear, false);
}
END_TEST

/* Each sector reached the disk when it was filled to some point. */
static void tear_in_between(Case *test, Dice *dice)
{
	for (int i = 0; i < 64; i++) {
		case_image(test);
		for (size_t at = test->moment.synced; at < test->moment.tail;) {
			size_t end = (at / SECTOR + 1) * SECTOR, from = at + dice_below(dice, end - at + 1);

			memset(test->image.base + from, 0, end - from);
			at = end;
		}
		if (i % 2)
			case_forget(test);
		case_check(test);
	}
}

START_TEST(sectors_that_reached_the_disk_half_filled_tell_no_lie)
{
	at_each_moment(tear_in_between, false);
}
END_TEST

static void lose_records(Case *test, Dice *dice)
{
	const ChronicleRecord *records = test->chronicle->records;
	size_t first = test->moment.n_records;

	while (first > 0 && records[first - 1].offset >= test->moment.synced)
		first--;
	for (size_t i = 0; i < n_subsets(test->moment.n_records - first); i++) {
		uint64_t lost = subset(i, test->moment.n_records - first, dice);

		case_image(test);
		for (size_t k = first; k < test->moment.n_records; k++)
			if (lost >> (k - first) & 1)
				memset(test->image.base + records[k].offset, 0, records[k].size);
		case_check(test);
		case_forget(test);
		case_check(test);
	}
}

START_TEST(records_that_were_lost_and_kept_in_any_order_tell_no_lie)
{
	at_each_moment(lose_records, false);
}
END_TEST

START_TEST(bytes_that_are_no_recorder_are_damage_and_no_runs)
{
	Dice dice = dice_take("garbage");
	RecordFile image = image_new();
	size_t sizes[] = { 0, 1, 8, 4095, 4096, 4097, 8192, CHRONICLE_SIZE };

	for (int i = 0; i < 200; i++) {
		_cleanup_recovered_ Recovered recovered = {};

		image.size = sizes[i % ELEMENTSOF(sizes)];
		for (size_t at = 0; at < image.size; at++)
			image.base[at] = (uint8_t)(i < 100 ? dice_roll(&dice) : dice_below(&dice, 9));
		ck_assert_int_eq(recover_read(&image, &(RecordPlace){ .inode = 3 }, &recovered), 0);
		ck_assert(recovered.damaged && !recovered.empty && recovered.n == 0);
	}
	free(image.base);
}
END_TEST

CHECK_MAIN(recover_image, in_the_same_boot_nothing_is_missing, a_file_that_was_cut_at_any_byte_tells_no_lie,
	   a_file_of_which_any_byte_was_flipped_tells_no_lie, a_file_that_was_torn_at_sectors_in_any_way_tells_no_lie,
	   sectors_that_reached_the_disk_half_filled_tell_no_lie,
	   records_that_were_lost_and_kept_in_any_order_tell_no_lie, bytes_that_are_no_recorder_are_damage_and_no_runs)
