/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What recovery finds in a recorder (rules 30, 31, 37). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "run/recover.h"
#include "tests/chronicle.h"

#define PLAIN "@p(w x y z)\nw\nx-ux\ny\nz-uz\nux\nuz\n"
#define PARKED "ok ok ok fail fail fail fail"

static RecordPlace other_boot(const Chronicle *chronicle)
{
	RecordPlace place = chronicle->place;

	place.boot.bytes[5] ^= 1;
	return place;
}

static void read_there(const Chronicle *chronicle, const RecordPlace *place, Recovered *ret)
{
	ck_assert_int_eq(recover_read(&chronicle->file, place, ret), 0);
}

static void read_here(const Chronicle *chronicle, Recovered *ret)
{
	read_there(chronicle, &chronicle->place, ret);
}

/* A byte in the middle of record \p n is not what was written. */
static void harm(Chronicle *chronicle, size_t n)
{
	chronicle->file.base[chronicle->records[n].offset + RECORD_HEADER_SIZE] ^= 0x10;
}

static size_t record_find(const Chronicle *chronicle, unsigned run, RecordKind kind)
{
	for (size_t i = chronicle->n_records; i > 0; i--)
		if (chronicle->records[i - 1].run == run && chronicle->records[i - 1].kind == kind)
			return i - 1;
	ck_abort_msg("run %u has no record of kind %d", run, kind);
}

START_TEST(a_file_that_nothing_was_written_to_is_empty)
{
	_cleanup_chronicle_ Chronicle *chronicle = chronicle_open(PLAIN);
	_cleanup_recovered_ Recovered recovered = {};

	read_here(chronicle, &recovered);
	ck_assert(recovered.empty && !recovered.damaged && recovered.n == 0 && recovered.same_boot);
	ck_assert_uint_eq(recovered.number, CHRONICLE_NUMBER);
	ck_assert_uint_eq(recovered.end, RECORD_PAGE_SIZE);
}
END_TEST

START_TEST(the_runs_of_a_file_are_told_in_order_each_with_all_its_records)
{
	_cleanup_chronicle_ Chronicle *chronicle = chronicle_open(PLAIN);
	_cleanup_recovered_ Recovered recovered = {};

	chronicle_run(chronicle, "");
	chronicle_run(chronicle, "ok ok ok fail");
	chronicle_run(chronicle, "ok ok begin");
	read_here(chronicle, &recovered);
	ck_assert(!recovered.empty && !recovered.damaged && !recovered.moved);
	ck_assert_uint_eq(recovered.n, 3);
	ck_assert_uint_eq(recovered.end, chronicle_tail(chronicle));
	ck_assert_uint_eq(recovered.runs[0].offset, RECORD_PAGE_SIZE);
	for (unsigned i = 0; i < 3; i++) {
		const RecoverRun *run = &recovered.runs[i];
		Id id = chronicle_id(i + 1);

		ck_assert(id_equal(&run->start.run, &id));
		ck_assert_int_eq(run->finished, i < 2);
		ck_assert(!run->broken && !run->parked);
		ck_assert_uint_eq(run->offset + run->size, i < 2 ? recovered.runs[i + 1].offset : recovered.end);
	}
	ck_assert_int_eq(recovered.runs[0].finish.status, WALK_SUCCEEDED);
	ck_assert_int_eq(recovered.runs[1].finish.status, WALK_RECTIFIED);
}
END_TEST

static void append(Chronicle *chronicle, RecordKind kind, const Buffer *content)
{
	ck_assert_int_eq(record_append(&chronicle->file, kind, content->data, content->size), 0);
}

START_TEST(runs_that_were_not_begun_are_told)
{
	_cleanup_chronicle_ Chronicle *chronicle = chronicle_open(PLAIN);
	_cleanup_recovered_ Recovered recovered = {};
	_cleanup_buffer_ Buffer content = {};
	RecordUnbegun unbegun = { .run = chronicle_id(9), .cause = ERROR_NOT_STARTED };

	chronicle_run(chronicle, "ok .");
	record_encode_unbegun(&unbegun, &content);
	append(chronicle, RECORD_UNBEGUN, &content);
	append(chronicle, RECORD_UNBEGUN, &content);
	read_here(chronicle, &recovered);
	ck_assert_uint_eq(recovered.n, 1);
	ck_assert_uint_eq(recovered.n_unbegun, 2);
	ck_assert(id_equal(&recovered.unbegun[0].run, &unbegun.run));
	ck_assert_int_eq(recovered.unbegun[1].cause, ERROR_NOT_STARTED);
	ck_assert_uint_lt(recovered.runs[0].offset + recovered.runs[0].size, recovered.end);
}
END_TEST

START_TEST(what_operators_and_daemons_said_of_a_run_is_told)
{
	_cleanup_chronicle_ Chronicle *chronicle = chronicle_open(PLAIN);
	_cleanup_recovered_ Recovered recovered = {};
	RecordDecision decision;
	Record record;

	chronicle_run(chronicle, PARKED " retry taken fail .");
	read_here(chronicle, &recovered);
	ck_assert_uint_eq(recovered.n, 1);
	ck_assert(!recovered.runs[0].finished && !recovered.runs[0].parked);
	ck_assert_uint_eq(recovered.runs[0].interruptions, 1);
	ck_assert_int_eq(record_read(chronicle->file.base, chronicle->file.size,
				     chronicle->records[record_find(chronicle, 1, RECORD_RETRY)].offset,
				     CHRONICLE_NUMBER, RECORD_SEQUENCE_ANY, &record),
			 0);
	ck_assert_int_eq(record_decode_decision(&record, &decision), 0);
	ck_assert_uint_eq(recovered.runs[0].decided_usec, decision.usec);
}
END_TEST

START_TEST(of_a_parked_run_that_is_recorded_anew_the_last_telling_counts)
{
	_cleanup_chronicle_ Chronicle *chronicle = chronicle_open(PLAIN);
	_cleanup_recovered_ Recovered recovered = {};

	chronicle_run(chronicle, "");
	chronicle_run(chronicle, PARKED " unpark retry ok .");
	read_here(chronicle, &recovered);
	ck_assert_uint_eq(recovered.n, 2);
	ck_assert(recovered.runs[0].finished && !recovered.runs[1].finished);
	ck_assert_uint_eq(recovered.runs[1].offset, chronicle->start);
}
END_TEST

/* Rule 37 */
START_TEST(a_file_elsewhere_is_told_from_one_that_is_where_it_was_made)
{
	_cleanup_chronicle_ Chronicle *chronicle = chronicle_open(PLAIN);
	static const struct {
		uint8_t machine;
		uint64_t inode, born_usec;
		bool moved;
	} cases[] = {
		{ 1, 3, 4, false }, { 2, 3, 4, true },  { 1, 5, 4, true },  { 1, 3, 5, true },
		{ 1, 0, 4, false }, { 1, 3, 0, false }, { 1, 0, 0, false }, { 2, 0, 0, true },
	};

	chronicle_run(chronicle, "ok .");
	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		_cleanup_recovered_ Recovered recovered = {};
		RecordPlace place = {
			.machine = chronicle_id(cases[i].machine),
			.boot = chronicle->place.boot,
			.inode = cases[i].inode,
			.born_usec = cases[i].born_usec,
		};
		RecoverVerdict verdict;

		read_there(chronicle, &place, &recovered);
		ck_assert_msg(recovered.moved == cases[i].moved && !recovered.damaged, "case %zu", i);
		recover_decide(&recovered, &recovered.runs[0], NULL, &verdict);
		ck_assert_int_eq(verdict.act, RECOVER_PARK);
		ck_assert_int_eq(verdict.code, cases[i].moved ? ERROR_STORE_MOVED : ERROR_MODULE_CHANGED);
	}
}
END_TEST

START_TEST(a_file_whose_first_page_does_not_hold_is_damaged_and_its_records_are_found)
{
	_cleanup_chronicle_ Chronicle *chronicle = chronicle_open(PLAIN);
	_cleanup_recovered_ Recovered recovered = {};

	chronicle_run(chronicle, "");
	chronicle_run(chronicle, "ok .");
	memset(chronicle->file.base, 0xFF, RECORD_PAGE_SIZE);
	read_here(chronicle, &recovered);
	ck_assert(recovered.damaged && !recovered.same_boot && !recovered.moved && !recovered.empty);
	ck_assert_uint_eq(recovered.number, CHRONICLE_NUMBER);
	ck_assert_uint_eq(recovered.n, 2);
	ck_assert(recovered.runs[0].finished && !recovered.runs[0].broken);
	ck_assert(!recovered.runs[1].finished && recovered.runs[1].broken);
}
END_TEST

START_TEST(a_file_that_is_shorter_than_it_was_made_is_damaged)
{
	_cleanup_chronicle_ Chronicle *chronicle = chronicle_open(PLAIN);
	_cleanup_recovered_ Recovered recovered = {};
	RecordPlace place = other_boot(chronicle);

	chronicle_run(chronicle, "ok .");
	chronicle->file.size -= 8;
	read_there(chronicle, &place, &recovered);
	ck_assert(recovered.damaged && recovered.runs[0].broken);
}
END_TEST

/* Rule 31 */
START_TEST(what_was_not_synced_is_a_torn_end_and_what_was_is_damage)
{
	_cleanup_chronicle_ Chronicle *torn = chronicle_open(PLAIN);
	_cleanup_chronicle_ Chronicle *damaged = chronicle_open(PLAIN);
	_cleanup_recovered_ Recovered first = {}, second = {};
	RecordPlace place = other_boot(torn);

	chronicle_run(torn, "ok .");
	harm(torn, 2);
	read_there(torn, &place, &first);
	ck_assert(!first.damaged && first.n == 1 && !first.runs[0].broken);
	ck_assert_uint_eq(first.end, torn->records[2].offset);
	ck_assert_uint_eq(first.runs[0].size, first.end - RECORD_PAGE_SIZE);

	/* the page has forgotten it, a later record says it */
	chronicle_run(damaged, "ok ok .");
	atomic_store(&record_page(&damaged->file)->synced, RECORD_PAGE_SIZE);
	harm(damaged, 2);
	read_there(damaged, &place, &second);
	ck_assert(second.damaged && second.n == 1 && second.runs[0].broken);
	ck_assert_uint_eq(second.end, damaged->records[2].offset);
}
END_TEST

START_TEST(behind_damage_an_end_is_believed_and_a_beginning_is_parked)
{
	_cleanup_chronicle_ Chronicle *chronicle = chronicle_open(PLAIN);
	_cleanup_recovered_ Recovered recovered = {};
	RecoverVerdict verdict;

	chronicle_run(chronicle, "ok ok ok ok finish sync");
	chronicle_run(chronicle, "ok ok ok ok finish sync");
	chronicle_run(chronicle, "ok ok .");
	harm(chronicle, record_find(chronicle, 1, RECORD_END));
	harm(chronicle, record_find(chronicle, 2, RECORD_START));
	read_here(chronicle, &recovered);
	ck_assert(recovered.damaged);
	ck_assert_uint_eq(recovered.n, 3);
	ck_assert(recovered.runs[0].finished && recovered.runs[0].finish.status == WALK_SUCCEEDED);
	/* its START is lost: nothing but its end is known */
	ck_assert(recovered.runs[1].finished && recovered.runs[1].finish.status == WALK_SUCCEEDED);
	ck_assert(recovered.runs[1].size == 0 && recovered.runs[1].start.program_size == 0);
	ck_assert(!recovered.runs[2].finished && recovered.runs[2].broken);
	recover_decide(&recovered, &recovered.runs[2], NULL, &verdict);
	ck_assert_int_eq(verdict.act, RECOVER_PARK);
	ck_assert_int_eq(verdict.code, ERROR_DAMAGED);
}
END_TEST

START_TEST(behind_damage_a_parked_run_may_have_been_taken_up)
{
	_cleanup_chronicle_ Chronicle *adjacent = chronicle_open(PLAIN);
	_cleanup_chronicle_ Chronicle *decided = chronicle_open(PLAIN);
	_cleanup_recovered_ Recovered first = {}, second = {};

	chronicle_run(adjacent, PARKED " retry fail .");
	harm(adjacent, record_find(adjacent, 1, RECORD_RETRY));
	read_here(adjacent, &first);
	ck_assert(first.damaged && first.n == 1);
	ck_assert(first.runs[0].finished && first.runs[0].broken);

	chronicle_run(decided, PARKED " retry fail .");
	harm(decided, record_find(decided, 1, RECORD_FINISH));
	read_here(decided, &second);
	ck_assert(second.damaged && second.n == 1);
	ck_assert(!second.runs[0].finished && second.runs[0].broken);
}
END_TEST

START_TEST(a_record_that_cannot_stand_where_it_does_is_damage)
{
	static const struct {
		const char *script;
		RecordKind kind;
	} cases[] = {
		{ "ok ok ok ok finish", RECORD_BEGIN },
		{ "ok ok ok ok finish", RECORD_RETRY },
		{ "ok .", RECORD_FINISH },
		{ "ok .", RECORD_START },
		{ "ok .", RECORD_TAKEN },
		{ "ok .", RECORD_PARK },
	};

	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		_cleanup_chronicle_ Chronicle *chronicle = chronicle_open(PLAIN);
		_cleanup_recovered_ Recovered recovered = {};
		_cleanup_buffer_ Buffer content = {};

		chronicle_run(chronicle, cases[i].script);
		if (cases[i].kind == RECORD_RETRY)
			record_encode_decision(&(RecordDecision){ .step = 1 }, &content);
		else if (cases[i].kind == RECORD_FINISH)
			record_encode_finish(&(RecordFinish){ .run = chronicle_id(5) }, &content);
		else
			buffer_u8(&content, 1);
		append(chronicle, cases[i].kind, &content);
		read_here(chronicle, &recovered);
		ck_assert_msg(recovered.damaged, "case %zu", i);
		ck_assert_msg(recovered.runs[0].finished || recovered.runs[0].broken, "case %zu", i);
	}
}
END_TEST

START_TEST(a_run_that_another_one_followed_before_its_end_is_broken)
{
	_cleanup_chronicle_ Chronicle *chronicle = chronicle_open(PLAIN);
	_cleanup_recovered_ Recovered recovered = {};

	chronicle_run(chronicle, "ok .");
	chronicle_run(chronicle, "ok .");
	read_here(chronicle, &recovered);
	ck_assert(!recovered.damaged && recovered.n == 2);
	ck_assert(recovered.runs[0].broken && !recovered.runs[1].broken);
}
END_TEST

CHECK_MAIN(recover, a_file_that_nothing_was_written_to_is_empty,
	   the_runs_of_a_file_are_told_in_order_each_with_all_its_records, runs_that_were_not_begun_are_told,
	   what_operators_and_daemons_said_of_a_run_is_told,
	   of_a_parked_run_that_is_recorded_anew_the_last_telling_counts,
	   a_file_elsewhere_is_told_from_one_that_is_where_it_was_made,
	   a_file_whose_first_page_does_not_hold_is_damaged_and_its_records_are_found,
	   a_file_that_is_shorter_than_it_was_made_is_damaged, what_was_not_synced_is_a_torn_end_and_what_was_is_damage,
	   behind_damage_an_end_is_believed_and_a_beginning_is_parked,
	   behind_damage_a_parked_run_may_have_been_taken_up, a_record_that_cannot_stand_where_it_does_is_damage,
	   a_run_that_another_one_followed_before_its_end_is_broken)
