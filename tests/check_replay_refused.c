/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records that no run can have left: whatever the bytes, they are noticed, and nothing worse happens. */
#include <errno.h>
#include <string.h>

#include "tests/chronicle.h"
#include "tests/dice.h"

#define WXY "@p(w x y)\nw-uw\nx-u1-u2\ny\nuw\nu1\nu2\n"
#define LONG "ok note die fail ok taken fail fail fail retry ok ok"

typedef struct Piece {
	RecordKind kind;
	Buffer content;
} Piece;

/* The records of a script, to be rearranged. */
typedef struct Pieces {
	Chronicle *chronicle;
	Piece items[CHRONICLE_RECORDS_MAX];
	size_t n;
} Pieces;

static void pieces_done(Pieces *pieces)
{
	for (size_t i = 0; i < pieces->n; i++)
		buffer_done(&pieces->items[i].content);
	chronicle_close(pieces->chronicle);
}

static void pieces_add(Pieces *pieces, RecordKind kind, const void *content, size_t size)
{
	Piece *piece = &pieces->items[pieces->n++];

	*piece = (Piece){ .kind = kind };
	buffer_append(&piece->content, content, size);
}

static void pieces_take(Pieces *pieces, const char *script)
{
	_cleanup_buffer_ Buffer packed = {};
	size_t offset = 0;
	Record record;

	*pieces = (Pieces){ .chronicle = chronicle_open(WXY) };
	chronicle_run(pieces->chronicle, script);
	chronicle_pack(pieces->chronicle, 1, CHRONICLE_RECORDS_MAX, &packed);
	while (record_unpack(packed.data, packed.size, &offset, &record) > 0)
		pieces_add(pieces, record.kind, record.content, record.content_size);
}

static int feed_order(const Pieces *pieces, const size_t *order, size_t n)
{
	_cleanup_replay_ Replay replay = {};
	_cleanup_buffer_ Buffer packed = {};

	for (size_t i = 0; i < n; i++) {
		const Piece *piece = &pieces->items[order[i]];

		record_pack(piece->kind, piece->content.data, piece->content.size, &packed);
	}
	return replay_packed(&replay, pieces->chronicle->scene->plan, packed.data, packed.size);
}

static int feed_all(const Pieces *pieces)
{
	size_t order[CHRONICLE_RECORDS_MAX];

	for (size_t i = 0; i < pieces->n; i++)
		order[i] = i;
	return feed_order(pieces, order, pieces->n);
}

static bool may_be_missing(RecordKind kind)
{
	return kind == RECORD_NOTE || kind == RECORD_TAKEN;
}

START_TEST(a_record_that_is_missing_in_between_is_noticed)
{
	_cleanup_(pieces_done) Pieces pieces;
	size_t order[CHRONICLE_RECORDS_MAX];

	pieces_take(&pieces, LONG);
	ck_assert_int_eq(feed_all(&pieces), 0);
	for (size_t gone = 0; gone + 1 < pieces.n; gone++) {
		size_t n = 0;

		for (size_t i = 0; i < pieces.n; i++)
			if (i != gone)
				order[n++] = i;
		ck_assert_msg(feed_order(&pieces, order, n) == (may_be_missing(pieces.items[gone].kind) ? 0 : -EBADMSG),
			      "record %zu", gone);
	}
}
END_TEST

START_TEST(a_record_that_stands_there_twice_is_noticed)
{
	_cleanup_(pieces_done) Pieces pieces;
	size_t order[CHRONICLE_RECORDS_MAX];

	pieces_take(&pieces, LONG);
	for (size_t twice = 0; twice < pieces.n; twice++) {
		size_t n = 0;

		for (size_t i = 0; i < pieces.n; i++) {
			order[n++] = i;
			if (i == twice)
				order[n++] = i;
		}
		ck_assert_msg(feed_order(&pieces, order, n) ==
				      (may_be_missing(pieces.items[twice].kind) ? 0 : -EBADMSG),
			      "record %zu", twice);
	}
}
END_TEST

START_TEST(records_in_another_order_are_noticed)
{
	_cleanup_(pieces_done) Pieces pieces;
	size_t order[CHRONICLE_RECORDS_MAX];

	pieces_take(&pieces, "ok fail ok");
	for (size_t a = 0; a < pieces.n; a++)
		for (size_t b = a + 1; b < pieces.n; b++) {
			for (size_t i = 0; i < pieces.n; i++)
				order[i] = i == a ? b : i == b ? a : i;
			ck_assert_msg(feed_order(&pieces, order, pieces.n) == -EBADMSG, "%zu and %zu", a, b);
		}
}
END_TEST

/* One record more at the end of a script. */
static int feed_with(const char *script, RecordKind kind, const Buffer *content)
{
	_cleanup_(pieces_done) Pieces pieces;

	pieces_take(&pieces, script);
	ck_assert_int_eq(feed_all(&pieces), 0);
	pieces_add(&pieces, kind, content->data, content->size);
	return feed_all(&pieces);
}

static void check_added(const char *script, RecordKind kind, const Buffer *content, bool fits)
{
	int r = feed_with(script, kind, content);

	ck_assert_msg(r == (fits ? 0 : -EBADMSG), "record of kind %d behind \"%s\": %d", kind, script, r);
}

static const struct {
	const char *script;
	bool note, stop, finish, parked, retry, park, taken;
} ends[] = {
	/* in a call */
	{ "ok begin", .note = true, .taken = true },
	/* between two */
	{ "ok .", .stop = true, .park = true, .taken = true },
	/* on the way back */
	{ "ok ok fail ok .", .park = true, .taken = true },
	/* at the end, nobody has said so */
	{ "ok ok ok .", .finish = true, .park = true, .taken = true },
	{ "ok ok ok", .retry = false },
	/* parked by itself */
	{ "ok ok fail fail fail fail .", .parked = true, .park = true, .taken = true },
	{ "ok ok fail fail fail fail", .retry = true },
	/* by the daemon */
	{ "ok park .", .parked = true, .retry = true },
	{ "ok park", .retry = true },
};

START_TEST(what_cannot_follow_is_noticed)
{
	_cleanup_buffer_ Buffer note = {}, stop = {}, finish = {}, parked = {}, retry = {}, elsewhere = {}, park = {},
				taken = {};

	record_encode_note(&(RecordNote){ .step = 2, .key = "", .data = "" }, &note);
	record_encode_stop(&(RecordStop){ .cause = ERROR_INTERRUPTED }, &stop);
	record_encode_finish(&(RecordFinish){ .run = chronicle_id(1), .status = WALK_SUCCEEDED }, &finish);
	record_encode_finish(&(RecordFinish){ .run = chronicle_id(1), .status = WALK_PARKED }, &parked);
	record_encode_decision(&(RecordDecision){ .step = 2 }, &retry);
	record_encode_decision(&(RecordDecision){ .step = 1 }, &elsewhere);
	record_encode_park(&(RecordPark){ .code = ERROR_DAMAGED }, &park);
	record_encode_taken(&(RecordTaken){ .interruptions = 2 }, &taken);
	for (size_t i = 0; i < ELEMENTSOF(ends); i++) {
		check_added(ends[i].script, RECORD_NOTE, &note, ends[i].note);
		check_added(ends[i].script, RECORD_STOP, &stop, ends[i].stop);
		check_added(ends[i].script, RECORD_FINISH, &finish, ends[i].finish);
		check_added(ends[i].script, RECORD_FINISH, &parked, ends[i].parked);
		check_added(ends[i].script, RECORD_RETRY, &retry, ends[i].retry);
		check_added(ends[i].script, RECORD_RETRY, &elsewhere, false);
		check_added(ends[i].script, RECORD_CONFIRM, &retry, false);
		check_added(ends[i].script, RECORD_PARK, &park, ends[i].park);
		check_added(ends[i].script, RECORD_TAKEN, &taken, ends[i].taken);
	}
}
END_TEST

START_TEST(what_belongs_to_another_run_is_noticed)
{
	_cleanup_buffer_ Buffer finish = {}, another = {}, own = {}, note = {}, park = {};

	record_encode_finish(&(RecordFinish){ .run = chronicle_id(2), .status = WALK_SUCCEEDED }, &finish);
	check_added("ok ok ok .", RECORD_FINISH, &finish, false);
	record_encode_unbegun(&(RecordUnbegun){ .run = chronicle_id(1) }, &own);
	check_added("ok .", RECORD_UNBEGUN, &own, false);
	record_encode_unbegun(&(RecordUnbegun){ .run = chronicle_id(2) }, &another);
	check_added("ok .", RECORD_UNBEGUN, &another, true);
	record_encode_note(&(RecordNote){ .step = 1, .key = "", .data = "" }, &note);
	check_added("ok begin", RECORD_NOTE, &note, false);
	record_encode_park(&(RecordPark){ .code = ERROR_CANCELLED }, &park);
	check_added("ok .", RECORD_PARK, &park, false);
}
END_TEST

START_TEST(a_start_that_does_not_fit_the_plan_is_noticed)
{
	_cleanup_chronicle_ Chronicle *chronicle = chronicle_open(WXY);
	const Plan *plan = chronicle->scene->plan;
	static const struct {
		const char *program, *arguments;
		size_t size;
		int expected;
	} cases[] = {
		{ "p", "\0\0\0\0", 4, 0 },
		{ "q", "\0\0\0\0", 4, -EBADMSG },
		{ "pp", "\0\0\0\0", 4, -EBADMSG },
		{ "p", "\0\0\0", 3, -EBADMSG },
		{ "p", "\0\0\0\0\0", 5, -EBADMSG },
		{ "p", "\1\0\0\0", 4, -EBADMSG },
		{ "p", "\xff\xff\xff\xff", 4, -EBADMSG },
	};

	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		_cleanup_replay_ Replay replay = {};
		const RecordStart start = {
			.program = cases[i].program,
			.program_size = strlen(cases[i].program),
			.arguments = cases[i].arguments,
			.arguments_size = cases[i].size,
		};

		ck_assert_int_eq(replay_init(&replay, plan, &start), cases[i].expected);
	}
}
END_TEST

static void try(const Chronicle *chronicle, const uint8_t *bytes, size_t size)
{
	_cleanup_free_ uint8_t *exact = malloc(size + 1); /* so that nothing lies behind it */
	_cleanup_replay_ Replay replay = {};
	int r;

	ck_assert_ptr_nonnull(exact);
	memcpy(exact, bytes, size);
	r = replay_packed(&replay, chronicle->scene->plan, exact, size);
	ck_assert_msg(r == 0 || r == -EBADMSG, "%d", r);
}

START_TEST(whatever_the_bytes_they_are_replayed_or_refused)
{
	_cleanup_chronicle_ Chronicle *chronicle = chronicle_open(WXY);
	_cleanup_buffer_ Buffer packed = {};
	Dice dice = dice_take("replay");

	chronicle_run(chronicle, LONG);
	chronicle_pack(chronicle, 1, CHRONICLE_RECORDS_MAX, &packed);
	for (size_t at = 0; at < packed.size; at++) {
		uint8_t kept = packed.data[at];

		try(chronicle, packed.data, at);
		for (unsigned bit = 0; bit < 8; bit++) {
			packed.data[at] = kept ^ (uint8_t)(1U << bit);
			try(chronicle, packed.data, packed.size);
		}
		packed.data[at] = kept;
	}
	for (int i = 0; i < 3000; i++) {
		_cleanup_buffer_ Buffer changed = {};

		buffer_append(&changed, packed.data, packed.size);
		for (size_t n = dice_below(&dice, 8) + 1; n > 0; n--)
			changed.data[dice_below(&dice, changed.size)] = (uint8_t)dice_below(&dice, 6);
		try(chronicle, changed.data, changed.size);
	}
}
END_TEST

START_TEST(what_was_packed_comes_back_record_by_record)
{
	_cleanup_buffer_ Buffer packed = {};
	size_t offset = 0;
	Record record;

	record_pack(RECORD_NOTE, "thirteen byte", 13, &packed);
	ck_assert_uint_eq(packed.size, 24);
	record_pack(RECORD_STOP, NULL, 0, &packed);
	record_pack(RECORD_END, "eight by", 8, &packed);
	ck_assert_int_eq(record_unpack(packed.data, packed.size, &offset, &record), 1);
	ck_assert(record.kind == RECORD_NOTE && record.content_size == 13 && record.size == 24);
	ck_assert(memcmp(record.content, "thirteen byte", 13) == 0);
	ck_assert_int_eq(record_unpack(packed.data, packed.size, &offset, &record), 1);
	ck_assert(record.kind == RECORD_STOP && record.content_size == 0);
	ck_assert_int_eq(record_unpack(packed.data, packed.size, &offset, &record), 1);
	ck_assert(record.kind == RECORD_END && record.content_size == 8);
	ck_assert_int_eq(record_unpack(packed.data, packed.size, &offset, &record), 0);
	ck_assert_int_eq(record_unpack(packed.data, packed.size - 1, &offset, &record), -EBADMSG);
	offset = 0;
	ck_assert_int_eq(record_unpack(packed.data, 23, &offset, &record), -EBADMSG);
	ck_assert_uint_eq(offset, 0);
	packed.data[0] = RECORD_KIND_MAX;
	ck_assert_int_eq(record_unpack(packed.data, packed.size, &offset, &record), -EBADMSG);
	packed.data[0] = RECORD_NONE;
	ck_assert_int_eq(record_unpack(packed.data, packed.size, &offset, &record), -EBADMSG);
}
END_TEST

CHECK_MAIN(replay_refused, a_record_that_is_missing_in_between_is_noticed, a_record_that_stands_there_twice_is_noticed,
	   records_in_another_order_are_noticed, what_cannot_follow_is_noticed, what_belongs_to_another_run_is_noticed,
	   a_start_that_does_not_fit_the_plan_is_noticed, whatever_the_bytes_they_are_replayed_or_refused,
	   what_was_packed_comes_back_record_by_record)
