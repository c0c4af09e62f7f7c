/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "check_main.h"
#include "run/record.h"
#include "spec/load.h"

#define NUMBER 0xABCDEF01U
#define FILE_SIZE (RECORD_PAGE_SIZE + 8192U)

static _Alignas(4096) uint8_t bytes[FILE_SIZE];
static const RecordFile file = { .base = bytes, .size = FILE_SIZE };

static const RecordPlace place = {
	.machine = { .bytes = { 1 } },
	.boot = { .bytes = { 2 } },
	.inode = 3,
	.born_usec = 4,
};

static void fresh(void)
{
	memset(bytes, 0, sizeof(bytes));
	record_page_init(&file, NUMBER, &place);
}

static size_t tail(void)
{
	return atomic_load(&record_page(&file)->tail);
}

static int read_at(size_t offset, uint64_t sequence, Record *ret)
{
	return record_read(bytes, tail(), offset, NUMBER, sequence, ret);
}

START_TEST(every_flipped_bit_of_a_record_is_noticed)
{
	size_t end;
	Record record;

	fresh();
	ck_assert_int_eq(record_append(&file, RECORD_NOTE, "thirteen byte", 13), 0);
	end = tail();
	for (size_t at = RECORD_PAGE_SIZE; at < end; at++)
		for (unsigned bit = 0; bit < 8; bit++) {
			bytes[at] ^= (uint8_t)(1U << bit);
			ck_assert_msg(read_at(RECORD_PAGE_SIZE, 1, &record) == -ENODATA, "byte %zu, bit %u",
				      at - RECORD_PAGE_SIZE, bit);
			bytes[at] ^= (uint8_t)(1U << bit);
		}
	ck_assert_int_eq(read_at(RECORD_PAGE_SIZE, 1, &record), 0);
}
END_TEST

START_TEST(a_record_that_is_cut_off_is_none)
{
	Record record;

	fresh();
	ck_assert_int_eq(record_append(&file, RECORD_NOTE, "thirteen byte", 13), 0);
	for (size_t size = 0; size < tail(); size++)
		ck_assert_int_eq(record_read(bytes, size, RECORD_PAGE_SIZE, NUMBER, 1, &record), -ENODATA);
	ck_assert_int_eq(record_read(bytes, tail(), RECORD_PAGE_SIZE, NUMBER, 1, &record), 0);
	/* Torn: from any byte on, what was there before the write. */
	for (size_t at = RECORD_PAGE_SIZE; at < RECORD_PAGE_SIZE + RECORD_HEADER_SIZE + 13; at++) {
		uint8_t kept[64];
		size_t n = tail() - at;

		memcpy(kept, bytes + at, n);
		memset(bytes + at, 0, n);
		ck_assert_int_eq(record_read(bytes, tail(), RECORD_PAGE_SIZE, NUMBER, 1, &record), -ENODATA);
		memcpy(bytes + at, kept, n);
	}
}
END_TEST

START_TEST(a_record_of_another_file_or_sequence_is_none)
{
	Record record;

	fresh();
	ck_assert_int_eq(record_append(&file, RECORD_NOTE, "x", 1), 0);
	ck_assert_int_eq(record_append(&file, RECORD_NOTE, "y", 1), 0);
	ck_assert_int_eq(record_read(bytes, tail(), RECORD_PAGE_SIZE, NUMBER + 1, 1, &record), -ENODATA);
	ck_assert_int_eq(record_read(bytes, tail(), RECORD_PAGE_SIZE, NUMBER, 2, &record), -ENODATA);
	ck_assert_int_eq(record_read(bytes, tail(), RECORD_PAGE_SIZE, NUMBER, RECORD_SEQUENCE_ANY, &record), 0);
	ck_assert_uint_eq(record.sequence, 1);
	ck_assert_int_eq(read_at(RECORD_PAGE_SIZE + record.size, 2, &record), 0);
	ck_assert_int_eq(read_at(RECORD_PAGE_SIZE + 4, 2, &record), -ENODATA);
	ck_assert_int_eq(read_at(tail(), 3, &record), -ENODATA);
}
END_TEST

START_TEST(nothing_is_written_where_there_is_no_room)
{
	static uint8_t content[1024];
	uint64_t sequence;
	size_t room, n = 0;
	Record record;

	fresh();
	while (record_append(&file, RECORD_NOTE, content, 1000) == 0)
		n++;
	ck_assert_uint_eq(n, 8192 / record_size(1000));
	room = record_room(&file);
	sequence = atomic_load(&record_page(&file)->sequence);
	ck_assert_uint_lt(room, record_size(1000));
	ck_assert_int_eq(record_append(&file, RECORD_NOTE, content, room - RECORD_HEADER_SIZE + 1), -ENOSPC);
	ck_assert_uint_eq(record_room(&file), room);
	ck_assert_uint_eq(atomic_load(&record_page(&file)->sequence), sequence);
	ck_assert_int_eq(record_append(&file, RECORD_NOTE, content, room - RECORD_HEADER_SIZE), 0);
	ck_assert_uint_eq(record_room(&file), 0);
	ck_assert_int_eq(read_at(FILE_SIZE - room, sequence, &record), 0);
	ck_assert_int_eq(record_append(&file, RECORD_NOTE, content, 0), -ENOSPC);
}
END_TEST

START_TEST(a_file_says_whether_it_is_a_recorder)
{
	RecordFile shorter = { .base = bytes, .size = FILE_SIZE - 8 };

	fresh();
	ck_assert_int_eq(record_page_check(&file), 0);
	ck_assert_int_eq(record_page_check(&shorter), -EBADMSG);
	shorter.size = 16;
	ck_assert_int_eq(record_page_check(&shorter), -EBADMSG);
	record_page(&file)->version++;
	ck_assert_int_eq(record_page_check(&file), -EBADMSG);
	fresh();
	atomic_store(&record_page(&file)->tail, FILE_SIZE + 8);
	ck_assert_int_eq(record_page_check(&file), -EBADMSG);
	fresh();
	bytes[0] = 'X';
	ck_assert_int_eq(record_page_check(&file), -EBADMSG);
}
END_TEST

START_TEST(every_flipped_bit_of_the_first_pages_fixed_part_is_noticed)
{
	fresh();
	for (size_t at = 0; at < RECORD_PAGE_CHECKED + sizeof(uint32_t); at++)
		for (unsigned bit = 0; bit < 8; bit++) {
			bytes[at] ^= (uint8_t)(1U << bit);
			ck_assert_msg(!record_page_holds(&file), "byte %zu, bit %u", at, bit);
			ck_assert_int_eq(record_page_check(&file), -EBADMSG);
			bytes[at] ^= (uint8_t)(1U << bit);
		}
	ck_assert(record_page_holds(&file));
}
END_TEST

START_TEST(the_first_page_lies_in_one_sector_and_where_it_is_documented)
{
	ck_assert_uint_le(sizeof(RecordPage), 512);
	ck_assert_uint_eq(offsetof(RecordPage, boot), 40);
	ck_assert_uint_eq(RECORD_PAGE_CHECKED, 72);
	ck_assert_uint_eq(offsetof(RecordPage, tail), 80);
	ck_assert_uint_eq(offsetof(RecordPage, synced), 104);
	ck_assert_uint_eq(offsetof(RecordPage, run), 136);
	ck_assert_uint_eq(offsetof(RecordPage, deadline_program), 188);
	ck_assert_uint_eq(offsetof(RecordPage, pause), 284);
}
END_TEST

/* What a record's writer has stored of the first page, in this order, when it dies. */
START_TEST(a_writer_that_died_at_any_store_is_followed_without_a_gap)
{
	enum { LAST, TAIL, SEQUENCE, DONE };

	for (int stored = LAST; stored <= DONE; stored++) {
		RecordPage *page = record_page(&file);
		uint64_t first;
		Record record;

		fresh();
		ck_assert_int_eq(record_append(&file, RECORD_NOTE, "x", 1), 0);
		first = tail();
		ck_assert_int_eq(record_append(&file, RECORD_NOTE, "a longer one", 12), 0);
		if (stored < DONE)
			atomic_store(&page->sequence, 2);
		if (stored < SEQUENCE)
			atomic_store(&page->tail, first);
		if (stored < TAIL)
			atomic_store(&page->last, RECORD_PAGE_SIZE);
		atomic_store(&page->turn, 7);
		record_take_over(&file);
		ck_assert_uint_eq(atomic_load(&page->turn), 8);
		first = tail();
		ck_assert_int_eq(record_append(&file, RECORD_NOTE, "z", 1), 0);
		ck_assert_int_eq(read_at(first, stored < SEQUENCE ? 2 : 3, &record), 0);
		ck_assert(memcmp(record.content, "z\0\0\0\0\0\0\0", 8) == 0);
	}
}
END_TEST

static const char spec_text[] =
	"{\"name\":\"m\",\"programs\":{\"p\":{\"hooks\":[\"hooks.a\",\"hooks.b\"],\"args\":{},\"outputs\":{}}},"
	"\"hooks\":{\"a\":{\"reference\":\"m.f.a\",\"args\":{},\"rectifiers\":[\"hooks.u\",\"hooks.v\"]},"
	"\"b\":{\"reference\":\"m.f.b\",\"args\":{},\"rectifiers\":[\"hooks.u\"]},"
	"\"u\":{\"reference\":\"m.f.u\",\"args\":{}},"
	"\"v\":{\"reference\":\"m.f.v\",\"args\":{},\"retry\":{\"attempts\":10}}}}";

/* It is interrupted as often as it may be, parked by the daemon, and an operator's verb has a long reason. */
static size_t worst_of_recovery(const char *text)
{
	const RecordPark park = { .message = text, .message_size = RECORD_MESSAGE_MAX };
	const RecordDecision decision = { .reason = text, .reason_size = RECORD_MESSAGE_MAX };
	const RecordTaken taken = { .message = text, .message_size = RECORD_MESSAGE_MAX };
	_cleanup_buffer_ Buffer content = { 0 };
	size_t size;

	record_encode_park(&park, &content);
	size = record_size(content.size);
	buffer_clear(&content);
	record_encode_decision(&decision, &content);
	size += record_size(content.size);
	buffer_clear(&content);
	record_encode_taken(&taken, &content);
	return size + 4 * record_size(content.size);
}

/* The worst that can follow a step's beginning: everything at its cap. */
static size_t worst(const Plan *plan, const RecordCaps *caps)
{
	_cleanup_free_ char *zeros = calloc(1, caps->pool + 1);
	_cleanup_buffer_ Buffer content = { 0 };
	RecordEnd end = {
		.reason = zeros,
		.reason_size = RECORD_REASON_MAX,
		.message = zeros,
		.message_size = RECORD_MESSAGE_MAX,
		.program = zeros,
		.program_size = SPEC_NAME_MAX,
		.writes = zeros,
		.writes_size = caps->pool,
	};
	RecordFinish finish = { .reply = zeros, .reply_size = caps->pool };
	size_t size = 0;

	ck_assert_uint_eq(plan->n_steps, 2);
	record_encode_end(&end, &content);
	size += record_size(content.size);
	buffer_clear(&content);
	record_encode_finish(&finish, &content);
	size += record_size(content.size);
	size += worst_of_recovery(zeros);
	for (int i = 0; i < 3 + 10 + 3 + 1; i++) {
		buffer_clear(&content);
		record_encode_begin(&(RecordBegin){ 0 }, &content);
		size += record_size(content.size);
		buffer_clear(&content);
		record_encode_end(&(RecordEnd){ 0 }, &content);
		size += i < 16 ? record_size(content.size) : 0;
	}
	return size + caps->notes + caps->rectified;
}

/* Rule 28 */
START_TEST(a_begin_is_synced_where_something_could_have_to_be_reversed)
{
	static const char text[] =
		"{\"name\":\"m\",\"programs\":{\"p\":{\"hooks\":[\"hooks.a\",\"hooks.b\",\"hooks.c\"],\"args\":{},"
		"\"outputs\":{}}},\"hooks\":{"
		"\"a\":{\"reference\":\"m.f.a\",\"args\":{},\"dependencies\":[\"hooks.d\"],\"rectifiers\":[\"hooks.d\"]},"
		"\"b\":{\"reference\":\"m.f.b\",\"args\":{}},\"d\":{\"reference\":\"m.f.d\",\"args\":{}},"
		"\"c\":{\"reference\":\"m.f.c\",\"args\":{},\"irreversible\":true}}}";
	static const bool synced[] = { false, true, false, true }; /* d a b c */
	SpecIssues issues = { 0 };
	PlanError error = { 0 };
	Spec *spec = NULL;
	Plan *plan = NULL;

	ck_assert_int_eq(spec_load(text, strlen(text), &spec, &issues), 0);
	ck_assert_int_eq(plan_compile(spec, spec_program(spec, "p"), &plan, &error), 0);
	ck_assert_uint_eq(plan->n_steps, ELEMENTSOF(synced));
	for (uint32_t i = 0; i < plan->n_steps; i++) {
		WalkAction action = { .op = plan->steps[i].op, .step = i + 1 };

		ck_assert_msg(record_begin_synced(plan, &action) == synced[i], "step %u", i + 1);
		action.rectifying = true;
		ck_assert(record_begin_synced(plan, &action));
	}
	plan_free(plan);
	spec_free(spec);
	spec_issues_done(&issues);
}
END_TEST

START_TEST(the_reserve_holds_the_worst_that_can_follow)
{
	const RecordCaps caps = { .pool = 100000, .notes = 20000, .rectified = 30000 };
	SpecIssues issues = { 0 };
	PlanError error = { 0 };
	Spec *spec = NULL;
	Plan *plan = NULL;

	ck_assert_int_eq(spec_load(spec_text, strlen(spec_text), &spec, &issues), 0);
	ck_assert_int_eq(plan_compile(spec, spec_program(spec, "p"), &plan, &error), 0);
	ck_assert_uint_ge(record_reserve(plan, &caps), worst(plan, &caps));
	ck_assert_uint_le(record_reserve(plan, &caps), worst(plan, &caps) + 32768);
	plan_free(plan);
	spec_free(spec);
	spec_issues_done(&issues);
}
END_TEST

CHECK_MAIN(record, every_flipped_bit_of_the_first_pages_fixed_part_is_noticed,
	   the_first_page_lies_in_one_sector_and_where_it_is_documented,
	   a_begin_is_synced_where_something_could_have_to_be_reversed, every_flipped_bit_of_a_record_is_noticed,
	   a_record_that_is_cut_off_is_none, a_record_of_another_file_or_sequence_is_none,
	   nothing_is_written_where_there_is_no_room, a_file_says_whether_it_is_a_recorder,
	   a_writer_that_died_at_any_store_is_followed_without_a_gap, the_reserve_holds_the_worst_that_can_follow)
