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
	ck_assert(found.program_size == 4 && memcmp(found.program, "slow", 4) == 0);
	ck_assert(found.message_size == 8 && memcmp(found.message, "too slow", 8) == 0);
	frame.data[8 + 8 + 3] = 0x7F;
	ck_assert_int_eq(order_decode_resume(&order, &found), -EBADMSG);
}
END_TEST

START_TEST(orders_in_one_message_are_read_one_after_the_other)
{
	_cleanup_buffer_ Buffer frames = { 0 };
	const RecordStart start = { .run = { .bytes = { 5 } }, .program = "p", .program_size = 1 };
	RecordStart found;
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
	   orders_in_one_message_are_read_one_after_the_other, a_frame_that_is_not_whole_waits_for_the_rest,
	   a_frame_of_no_kind_or_length_is_refused)
