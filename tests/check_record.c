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

static void fresh(void)
{
	memset(bytes, 0, sizeof(bytes));
	record_page_init(&file, NUMBER);
}

static size_t tail(void)
{
	return atomic_load(&record_page(&file)->tail);
}

static int read_at(size_t offset, uint64_t sequence, Record *ret)
{
	return record_read(bytes, tail(), offset, NUMBER, sequence, ret);
}

static bool same(const void *a, size_t a_size, const char *text)
{
	return a_size == strlen(text) && memcmp(a, text, a_size) == 0;
}

/* Encoded, appended to a file, found there, and equal to nothing else's content. */
static Record through_file(RecordKind kind, const Buffer *content)
{
	Record record;

	fresh();
	ck_assert_int_eq(buffer_error(content), 0);
	ck_assert_int_eq(record_append(&file, kind, content->data, content->size), 0);
	ck_assert_int_eq(read_at(RECORD_PAGE_SIZE, 1, &record), 0);
	ck_assert_int_eq(record.kind, kind);
	ck_assert_uint_eq(record.content_size, content->size);
	ck_assert_uint_eq(record.size % 8, 0);
	return record;
}

/* A content with a byte more or less is none of that kind. */
#define CHECK_LENGTH(record, decode, ret)                                   \
	do {                                                                \
		Record changed = record;                                    \
		for (size_t size = 0; size < record.content_size; size++) { \
			changed.content_size = size;                        \
			ck_assert_int_eq(decode(&changed, ret), -EBADMSG);  \
		}                                                           \
		changed.content_size = record.content_size + 1;             \
		ck_assert_int_eq(decode(&changed, ret), -EBADMSG);          \
		changed = record;                                           \
		changed.kind = RECORD_CONFIRM;                              \
		ck_assert_int_eq(decode(&changed, ret), -EBADMSG);          \
	} while (0)

START_TEST(a_start_comes_back_as_it_went_in)
{
	_cleanup_buffer_ Buffer content = { 0 };
	RecordStart start = {
		.run = { .bytes = { 1, 2, 3 } },
		.module = { .bytes = { 4, 5, 6 } },
		.uid = 7,
		.gid = 8,
		.pid = 9,
		.flags = RECORD_FLAG_FOLLOW,
		.start_by_usec = 10,
		.begun_usec = 11,
		.begun_realtime_usec = 1ULL << 60,
		.program = "transfer",
		.program_size = 8,
		.arguments = "arguments",
		.arguments_size = 9,
		.request = "",
	};
	RecordStart found;
	Record record;

	record_encode_start(&start, &content);
	record = through_file(RECORD_START, &content);
	ck_assert_int_eq(record_decode_start(&record, &found), 0);
	ck_assert(id_equal(&found.run, &start.run) && id_equal(&found.module, &start.module));
	ck_assert_uint_eq(found.uid, 7);
	ck_assert_uint_eq(found.gid, 8);
	ck_assert_uint_eq(found.pid, 9);
	ck_assert_uint_eq(found.flags, RECORD_FLAG_FOLLOW);
	ck_assert(found.start_by_usec == 10 && found.begun_usec == 11 && found.begun_realtime_usec == 1ULL << 60);
	ck_assert(same(found.program, found.program_size, "transfer"));
	ck_assert(same(found.arguments, found.arguments_size, "arguments"));
	ck_assert_uint_eq(found.request_size, 0);
	CHECK_LENGTH(record, record_decode_start, &found);
}
END_TEST

START_TEST(a_begin_comes_back_as_it_went_in)
{
	_cleanup_buffer_ Buffer content = { 0 };
	RecordBegin begin = { .op = 1, .step = 2, .attempt = 3, .rectifying = true, .in_doubt = true, .usec = 4 };
	RecordBegin found;
	Record record;

	record_encode_begin(&begin, &content);
	record = through_file(RECORD_BEGIN, &content);
	ck_assert_int_eq(record_decode_begin(&record, &found), 0);
	ck_assert(found.op == 1 && found.step == 2 && found.attempt == 3 && found.usec == 4);
	ck_assert(found.rectifying && found.in_doubt);
	CHECK_LENGTH(record, record_decode_begin, &found);
}
END_TEST

START_TEST(a_note_comes_back_as_it_went_in)
{
	_cleanup_buffer_ Buffer content = { 0 };
	RecordNote note = { .step = 5, .key = "file", .key_size = 4, .data = "a\0b", .data_size = 3 };
	RecordNote found;
	Record record;

	record_encode_note(&note, &content);
	record = through_file(RECORD_NOTE, &content);
	ck_assert_int_eq(record_decode_note(&record, &found), 0);
	ck_assert_uint_eq(found.step, 5);
	ck_assert(same(found.key, found.key_size, "file"));
	ck_assert(found.data_size == 3 && memcmp(found.data, "a\0b", 3) == 0);
	ck_assert_uint_eq(record_note_size(4, 3), record.size);
	CHECK_LENGTH(record, record_decode_note, &found);
}
END_TEST

START_TEST(an_end_comes_back_as_it_went_in)
{
	_cleanup_buffer_ Buffer content = { 0 };
	RecordEnd end = {
		.op = 1,
		.step = 2,
		.attempt = 3,
		.rectifying = true,
		.outcome = OUTCOME_UNKNOWN,
		.error = ERROR_PROGRAM_TIMEOUT,
		.usec = 4,
		.reason = "Reason",
		.reason_size = 6,
		.message = "a message",
		.message_size = 9,
		.program = "slow",
		.program_size = 4,
		.writes = "writes",
		.writes_size = 6,
	};
	RecordEnd found;
	Record record;

	record_encode_end(&end, &content);
	record = through_file(RECORD_END, &content);
	ck_assert_int_eq(record_decode_end(&record, &found), 0);
	ck_assert(found.op == 1 && found.step == 2 && found.attempt == 3 && found.usec == 4 && found.rectifying);
	ck_assert_int_eq(found.outcome, OUTCOME_UNKNOWN);
	ck_assert_int_eq(found.error, ERROR_PROGRAM_TIMEOUT);
	ck_assert(same(found.reason, found.reason_size, "Reason"));
	ck_assert(same(found.message, found.message_size, "a message"));
	ck_assert(same(found.program, found.program_size, "slow"));
	ck_assert(same(found.writes, found.writes_size, "writes"));
	CHECK_LENGTH(record, record_decode_end, &found);
}
END_TEST

START_TEST(a_stop_comes_back_as_it_went_in)
{
	_cleanup_buffer_ Buffer content = { 0 };
	RecordStop stop = {
		.cause = ERROR_CANCELLED,
		.program = "p",
		.program_size = 1,
		.message = "why",
		.message_size = 3,
	};
	RecordStop found;
	Record record;

	record_encode_stop(&stop, &content);
	record = through_file(RECORD_STOP, &content);
	ck_assert_int_eq(record_decode_stop(&record, &found), 0);
	ck_assert_int_eq(found.cause, ERROR_CANCELLED);
	ck_assert(same(found.program, found.program_size, "p"));
	ck_assert(same(found.message, found.message_size, "why"));
	CHECK_LENGTH(record, record_decode_stop, &found);
}
END_TEST

START_TEST(a_finish_comes_back_as_it_went_in)
{
	_cleanup_buffer_ Buffer content = { 0 };
	RecordFinish finish = {
		.run = { .bytes = { 9 } },
		.status = WALK_PARKED,
		.error = ERROR_HOOK_FAILED,
		.error_step = 3,
		.usec = 4,
		.reply = "\"program\":1}",
		.reply_size = 12,
	};
	RecordFinish found;
	Record record;

	record_encode_finish(&finish, &content);
	record = through_file(RECORD_FINISH, &content);
	ck_assert_int_eq(record_decode_finish(&record, &found), 0);
	ck_assert(id_equal(&found.run, &finish.run));
	ck_assert_int_eq(found.status, WALK_PARKED);
	ck_assert_int_eq(found.error, ERROR_HOOK_FAILED);
	ck_assert(found.error_step == 3 && found.usec == 4);
	ck_assert(same(found.reply, found.reply_size, "\"program\":1}"));
	CHECK_LENGTH(record, record_decode_finish, &found);
}
END_TEST

START_TEST(an_unbegun_comes_back_as_it_went_in)
{
	_cleanup_buffer_ Buffer content = { 0 };
	Id run = { .bytes = { 1, 2 } }, found;
	Record record;

	record_encode_unbegun(&run, &content);
	record = through_file(RECORD_UNBEGUN, &content);
	ck_assert_int_eq(record_decode_unbegun(&record, &found), 0);
	ck_assert(id_equal(&run, &found));
	CHECK_LENGTH(record, record_decode_unbegun, &found);
}
END_TEST

START_TEST(numbers_that_name_nothing_are_noticed)
{
	static const size_t enums[] = { 12, 16, 20 }; /* rectifying, outcome, error of an END */
	_cleanup_buffer_ Buffer content = { 0 };
	RecordEnd end = { .outcome = OUTCOME_FAILED };

	record_encode_end(&end, &content);
	for (size_t i = 0; i < ELEMENTSOF(enums); i++) {
		Record record = { .kind = RECORD_END, .content = content.data, .content_size = content.size };

		ck_assert_int_eq(record_decode_end(&record, &end), 0);
		content.data[enums[i] + 3] = 0x7F;
		ck_assert_int_eq(record_decode_end(&record, &end), -EBADMSG);
		content.data[enums[i] + 3] = 0;
	}
}
END_TEST

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

CHECK_MAIN(record, a_start_comes_back_as_it_went_in, a_begin_comes_back_as_it_went_in, a_note_comes_back_as_it_went_in,
	   an_end_comes_back_as_it_went_in, a_stop_comes_back_as_it_went_in, a_finish_comes_back_as_it_went_in,
	   an_unbegun_comes_back_as_it_went_in, numbers_that_name_nothing_are_noticed,
	   every_flipped_bit_of_a_record_is_noticed, a_record_that_is_cut_off_is_none,
	   a_record_of_another_file_or_sequence_is_none, nothing_is_written_where_there_is_no_room,
	   a_file_says_whether_it_is_a_recorder, a_writer_that_died_at_any_store_is_followed_without_a_gap,
	   the_reserve_holds_the_worst_that_can_follow)
