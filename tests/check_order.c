/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "check_main.h"
#include "run/order.h"

static Order first(const Buffer *frames)
{
	Order order;

	ck_assert_int_eq(buffer_error(frames), 0);
	ck_assert_int_eq(order_read(frames->data, frames->size, &order), 0);
	return order;
}

START_TEST(a_hello_comes_back_as_it_went_in)
{
	_cleanup_buffer_ Buffer frame = { 0 };
	OrderHello found, hello = {
		.error = "why",
		.error_size = 3,
		.abi_major = 1,
		.abi_minor = 2,
		.fingerprint = { .bytes = { 3 } },
		.build_id = "beef",
		.build_id_size = 4,
		.spec = "{}",
		.spec_size = 2,
	};
	Order order;

	order_encode_hello(&hello, &frame);
	order = first(&frame);
	ck_assert_int_eq(order_decode_hello(&order, &found), 0);
	ck_assert(found.error_size == 3 && memcmp(found.error, "why", 3) == 0);
	ck_assert(found.abi_major == 1 && found.abi_minor == 2 && id_equal(&found.fingerprint, &hello.fingerprint));
	ck_assert(found.build_id_size == 4 && memcmp(found.build_id, "beef", 4) == 0);
	ck_assert(found.spec_size == 2 && memcmp(found.spec, "{}", 2) == 0);
	for (size_t size = 0; size < order.content_size; size++) {
		Order cut = { .kind = ORDER_HELLO, .content = order.content, .content_size = size };

		ck_assert_int_eq(order_decode_hello(&cut, &found), -EBADMSG);
	}
}
END_TEST

START_TEST(a_resume_comes_back_as_it_went_in)
{
	_cleanup_buffer_ Buffer frame = { 0 };
	OrderResume found, resume = {
		.offset = 1ULL << 40,
		.cause = ERROR_PROGRAM_TIMEOUT,
		.stop = ERROR_INTERRUPTED,
		.program = "slow",
		.program_size = 4,
		.message = "too slow",
		.message_size = 8,
	};
	Order order;

	order_encode_resume(&resume, &frame);
	order = first(&frame);
	ck_assert_int_eq(order_decode_resume(&order, &found), 0);
	ck_assert(found.offset == 1ULL << 40 && found.cause == ERROR_PROGRAM_TIMEOUT);
	ck_assert_int_eq(found.stop, ERROR_INTERRUPTED);
	ck_assert(found.program_size == 4 && memcmp(found.program, "slow", 4) == 0);
	ck_assert(found.message_size == 8 && memcmp(found.message, "too slow", 8) == 0);
	frame.data[8 + 8 + 3] = 0x7F;
	ck_assert_int_eq(order_decode_resume(&order, &found), -EBADMSG);
	frame.data[8 + 8 + 3] = 0;
	frame.data[8 + 8 + 4 + 3] = 0x7F;
	ck_assert_int_eq(order_decode_resume(&order, &found), -EBADMSG);
}
END_TEST

static const OrderUnpark unpark = {
	.run = { .bytes = { 7 } },
	.module = { .bytes = { 8 } },
	.verb = RECORD_SKIP,
	.decision = {
		.step = 3,
		.flags = RECORD_DECISION_UNDONE_BY_HAND | RECORD_DECISION_CURRENT_MODULE,
		.uid = 1000,
		.usec = 1ULL << 50,
		.reason = "by hand",
		.reason_size = 7,
	},
	.records = "whole records",
	.records_size = 13,
};

START_TEST(an_unpark_comes_back_as_it_went_in)
{
	_cleanup_buffer_ Buffer frame = { 0 };
	OrderUnpark found;
	Order order;

	order_encode_unpark(&unpark, &frame);
	order = first(&frame);
	ck_assert_int_eq(order_decode_unpark(&order, &found), 0);
	ck_assert(id_equal(&found.run, &unpark.run) && id_equal(&found.module, &unpark.module));
	ck_assert(found.verb == RECORD_SKIP && found.decision.step == 3 && found.decision.uid == 1000);
	ck_assert(found.decision.flags == unpark.decision.flags && found.decision.usec == 1ULL << 50);
	ck_assert(found.decision.reason_size == 7 && memcmp(found.decision.reason, "by hand", 7) == 0);
	ck_assert(found.records_size == 13 && memcmp(found.records, "whole records", 13) == 0);
	for (size_t size = 0; size < order.content_size; size++) {
		Order cut = { .kind = ORDER_UNPARK, .content = order.content, .content_size = size };

		ck_assert_int_eq(order_decode_unpark(&cut, &found), -EBADMSG);
	}
}
END_TEST

START_TEST(an_unpark_is_by_a_verb_of_operators)
{
	for (uint32_t kind = RECORD_NONE; kind <= RECORD_KIND_MAX; kind++) {
		bool verb = kind == RECORD_RETRY || kind == RECORD_SKIP || kind == RECORD_CONFIRM;
		_cleanup_buffer_ Buffer frame = { 0 };
		OrderUnpark found, other = unpark;
		Order order;

		other.verb = (RecordKind)kind;
		order_encode_unpark(&other, &frame);
		order = first(&frame);
		ck_assert_int_eq(order_decode_unpark(&order, &found), verb ? 0 : -EBADMSG);
	}
}
END_TEST

START_TEST(orders_in_one_message_are_read_one_after_the_other)
{
	_cleanup_buffer_ Buffer frames = { 0 };
	const RecordStart start = { .run = { .bytes = { 5 } }, .program = "p", .program_size = 1 };
	RecordStart found;
	OrderUnpark parked;
	OrderResume resume;
	Order order;
	size_t at = 0;

	order_encode_run(&start, &frames);
	order_encode_recorder(&frames);
	order_encode_run(&start, &frames);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(order_read(frames.data + at, frames.size - at, &order), 0);
		ck_assert_int_eq(order.kind, i == 1 ? ORDER_RECORDER : ORDER_RUN);
		ck_assert_int_eq(order_decode_run(&order, &found), i == 1 ? -EBADMSG : 0);
		ck_assert_int_eq(order_decode_resume(&order, &resume), -EBADMSG);
		ck_assert_int_eq(order_decode_unpark(&order, &parked), -EBADMSG);
		at += order.size;
	}
	ck_assert(id_equal(&found.run, &start.run));
	ck_assert_uint_eq(at, frames.size);
	ck_assert_int_eq(order_read(frames.data + at, 0, &order), -EAGAIN);
}
END_TEST

START_TEST(a_frame_that_is_not_whole_waits_for_the_rest)
{
	_cleanup_buffer_ Buffer frame = { 0 };
	const RecordStart start = { .program = "p", .program_size = 1 };
	Order order;

	order_encode_run(&start, &frame);
	for (size_t size = 0; size < frame.size; size++)
		ck_assert_int_eq(order_read(frame.data, size, &order), -EAGAIN);
	ck_assert_int_eq(order_read(frame.data, frame.size, &order), 0);
}
END_TEST

START_TEST(a_frame_of_no_kind_or_length_is_refused)
{
	static const uint8_t frames[][8] = {
		{ 3, 0, 0, 0, ORDER_RUN },      /* shorter than its kind */
		{ 4, 0, 0, 0, ORDER_NONE },     /* no kind */
		{ 4, 0, 0, 0, ORDER_KIND_MAX }, /* none that is known */
		{ 1, 0, 0, 4, ORDER_RUN },      /* beyond the cap */
	};
	Order order;

	for (size_t i = 0; i < ELEMENTSOF(frames); i++)
		ck_assert_int_eq(order_read(frames[i], sizeof(frames[i]), &order), -EBADMSG);
}
END_TEST

CHECK_MAIN(order, a_hello_comes_back_as_it_went_in, a_resume_comes_back_as_it_went_in,
	   an_unpark_comes_back_as_it_went_in, an_unpark_is_by_a_verb_of_operators,
	   orders_in_one_message_are_read_one_after_the_other, a_frame_that_is_not_whole_waits_for_the_rest,
	   a_frame_of_no_kind_or_length_is_refused)
