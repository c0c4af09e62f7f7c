/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "check_main.h"
#include "run/record.h"

#define NUMBER 0xABCDEF01U
#define FILE_SIZE (RECORD_PAGE_SIZE + 8192U)

static _Alignas(4096) uint8_t bytes[FILE_SIZE];
static const RecordFile file = { .base = bytes, .size = FILE_SIZE };

static void fresh(void)
{
	memset(bytes, 0, sizeof(bytes));
	record_page_init(&file, NUMBER, &(RecordPlace){ 0 });
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
		changed.kind = RECORD_NONE;                                 \
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
		.n_records = 5,
		.n_syncs = 6,
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
	ck_assert(found.error_step == 3 && found.usec == 4 && found.n_records == 5 && found.n_syncs == 6);
	ck_assert(same(found.reply, found.reply_size, "\"program\":1}"));
	CHECK_LENGTH(record, record_decode_finish, &found);
}
END_TEST

START_TEST(an_unbegun_comes_back_as_it_went_in)
{
	_cleanup_buffer_ Buffer content = { 0 };
	RecordUnbegun unbegun = { .run = { .bytes = { 1, 2 } }, .cause = ERROR_CANCELLED }, found;
	Record record;

	record_encode_unbegun(&unbegun, &content);
	record = through_file(RECORD_UNBEGUN, &content);
	ck_assert_int_eq(record_decode_unbegun(&record, &found), 0);
	ck_assert(id_equal(&unbegun.run, &found.run));
	ck_assert_int_eq(found.cause, ERROR_CANCELLED);
	CHECK_LENGTH(record, record_decode_unbegun, &found);
}
END_TEST

START_TEST(a_decision_comes_back_as_it_went_in_whatever_its_verb)
{
	static const RecordKind verbs[] = { RECORD_RETRY, RECORD_SKIP, RECORD_CONFIRM };
	RecordDecision decision = {
		.step = 1,
		.flags = RECORD_DECISION_CURRENT_MODULE,
		.uid = 2,
		.usec = 1ULL << 50,
		.reason = "seen to",
		.reason_size = 7,
	};

	for (size_t i = 0; i < ELEMENTSOF(verbs); i++) {
		_cleanup_buffer_ Buffer content = { 0 };
		RecordDecision found;
		Record record;

		record_encode_decision(&decision, &content);
		record = through_file(verbs[i], &content);
		ck_assert_int_eq(record_decode_decision(&record, &found), 0);
		ck_assert(found.step == 1 && found.flags == RECORD_DECISION_CURRENT_MODULE && found.uid == 2);
		ck_assert_uint_eq(found.usec, 1ULL << 50);
		ck_assert(same(found.reason, found.reason_size, "seen to"));
		CHECK_LENGTH(record, record_decode_decision, &found);
	}
}
END_TEST

START_TEST(a_park_comes_back_as_it_went_in)
{
	_cleanup_buffer_ Buffer content = { 0 };
	RecordPark park = { .code = ERROR_STORE_MOVED, .message = "a copy", .message_size = 6 }, found;
	Record record;

	record_encode_park(&park, &content);
	record = through_file(RECORD_PARK, &content);
	ck_assert_int_eq(record_decode_park(&record, &found), 0);
	ck_assert_int_eq(found.code, ERROR_STORE_MOVED);
	ck_assert(same(found.message, found.message_size, "a copy"));
	CHECK_LENGTH(record, record_decode_park, &found);
}
END_TEST

START_TEST(a_taken_comes_back_as_it_went_in)
{
	_cleanup_buffer_ Buffer content = { 0 };
	RecordTaken found, taken = {
		.interruptions = 3,
		.usec = 1ULL << 50,
		.barred = true,
		.message = "why",
		.message_size = 3,
	};
	Record record;

	record_encode_taken(&taken, &content);
	record = through_file(RECORD_TAKEN, &content);
	ck_assert_int_eq(record_decode_taken(&record, &found), 0);
	ck_assert(found.interruptions == 3 && found.usec == 1ULL << 50);
	ck_assert(found.barred && found.message_size == 3 && memcmp(found.message, "why", 3) == 0);
	CHECK_LENGTH(record, record_decode_taken, &found);
}
END_TEST

START_TEST(what_was_asked_comes_back_as_it_went_in)
{
	_cleanup_buffer_ Buffer text = { 0 };
	RecordRequest request = {
		.request_id = "a3f1",
		.request_id_size = 4,
		.fingerprint = { .bytes = { 7, 8 } },
		.metadata = "{}",
		.metadata_size = 2,
		.submitted_usec = 9,
	};
	RecordRequest found;

	record_encode_request(&request, &text);
	ck_assert_int_eq(record_decode_request(text.data, text.size, &found), 0);
	ck_assert(same(found.request_id, found.request_id_size, "a3f1"));
	ck_assert(same(found.metadata, found.metadata_size, "{}"));
	ck_assert(id_equal(&found.fingerprint, &request.fingerprint));
	ck_assert_uint_eq(found.submitted_usec, 9);
	for (size_t size = 1; size < text.size; size++)
		ck_assert_int_eq(record_decode_request(text.data, size, &found), -EBADMSG);
	buffer_u8(&text, 0);
	ck_assert_int_eq(record_decode_request(text.data, text.size, &found), -EBADMSG);
}
END_TEST

START_TEST(of_a_run_that_nothing_more_was_said_of_the_request_is_empty)
{
	RecordRequest found;

	ck_assert_int_eq(record_decode_request(NULL, 0, &found), 0);
	ck_assert_uint_eq(found.request_id_size + found.metadata_size, 0);
	ck_assert(id_is_null(&found.fingerprint));
	ck_assert_uint_eq(found.submitted_usec, 0);
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

CHECK_MAIN(record_content, a_start_comes_back_as_it_went_in, a_begin_comes_back_as_it_went_in,
	   a_note_comes_back_as_it_went_in, an_end_comes_back_as_it_went_in, a_stop_comes_back_as_it_went_in,
	   a_finish_comes_back_as_it_went_in, an_unbegun_comes_back_as_it_went_in,
	   a_decision_comes_back_as_it_went_in_whatever_its_verb, a_park_comes_back_as_it_went_in,
	   a_taken_comes_back_as_it_went_in, what_was_asked_comes_back_as_it_went_in,
	   of_a_run_that_nothing_more_was_said_of_the_request_is_empty, numbers_that_name_nothing_are_noticed)
