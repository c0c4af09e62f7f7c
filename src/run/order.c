/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/order.h"

#include <errno.h>
#include <string.h>

#define FRAME_HEADER 4U
#define FRAME_MIN 4U

int order_read(const void *data, size_t size, Order *ret)
{
	Reader reader = reader_make(data, size);
	uint32_t length, kind;

	if (size < FRAME_HEADER)
		return -EAGAIN;
	length = reader_u32(&reader);
	if (length < FRAME_MIN || length > ORDER_FRAME_MAX)
		return -EBADMSG;
	if (size - FRAME_HEADER < FRAME_MIN)
		return -EAGAIN;
	kind = reader_u32(&reader);
	if (kind == ORDER_NONE || kind >= ORDER_KIND_MAX)
		return -EBADMSG;
	if (size - FRAME_HEADER < length)
		return -EAGAIN;
	*ret = (Order){
		.kind = (OrderKind)kind,
		.content = (const uint8_t *)data + FRAME_HEADER + FRAME_MIN,
		.content_size = length - FRAME_MIN,
		.size = FRAME_HEADER + length,
	};
	return 0;
}

/* Begins a frame, and says where its length is to be put. */
static size_t frame_begin(OrderKind kind, Buffer *buffer)
{
	size_t at = buffer->size;

	buffer_u32(buffer, 0);
	buffer_u32(buffer, kind);
	return at;
}

static void frame_end(size_t at, Buffer *buffer)
{
	size_t length = buffer->size - at - FRAME_HEADER;

	if (length > ORDER_FRAME_MAX)
		buffer->failed = true;
	buffer_patch_u32(buffer, at, (uint32_t)length);
}

void order_encode_hello(const OrderHello *hello, Buffer *buffer)
{
	size_t at = frame_begin(ORDER_HELLO, buffer);

	buffer_block(buffer, hello->error, hello->error_size);
	buffer_u32(buffer, hello->abi_major);
	buffer_u32(buffer, hello->abi_minor);
	buffer_append(buffer, hello->fingerprint.bytes, sizeof(hello->fingerprint.bytes));
	buffer_block(buffer, hello->build_id, hello->build_id_size);
	buffer_block(buffer, hello->spec, hello->spec_size);
	frame_end(at, buffer);
}

void order_encode_run(const RecordStart *start, Buffer *buffer)
{
	size_t at = frame_begin(ORDER_RUN, buffer);

	record_encode_start(start, buffer);
	frame_end(at, buffer);
}

void order_encode_resume(const OrderResume *resume, Buffer *buffer)
{
	size_t at = frame_begin(ORDER_RESUME, buffer);

	buffer_u64(buffer, resume->offset);
	buffer_u32(buffer, resume->cause);
	buffer_block(buffer, resume->program, resume->program_size);
	buffer_block(buffer, resume->message, resume->message_size);
	frame_end(at, buffer);
}

void order_encode_recorder(Buffer *buffer)
{
	frame_end(frame_begin(ORDER_RECORDER, buffer), buffer);
}

static int content_begin(const Order *order, OrderKind kind, Reader *ret)
{
	*ret = reader_make(order->content, order->content_size);
	return order->kind == kind ? 0 : -EBADMSG;
}

static int content_end(const Reader *reader)
{
	return reader_error(reader) < 0 || reader_left(reader) > 0 ? -EBADMSG : 0;
}

int order_decode_hello(const Order *order, OrderHello *ret)
{
	OrderHello hello = { 0 };
	const void *fingerprint;
	Reader reader;

	if (content_begin(order, ORDER_HELLO, &reader) < 0)
		return -EBADMSG;
	hello.error = reader_block(&reader, &hello.error_size);
	hello.abi_major = reader_u32(&reader);
	hello.abi_minor = reader_u32(&reader);
	fingerprint = reader_bytes(&reader, sizeof(hello.fingerprint.bytes));
	if (fingerprint)
		memcpy(hello.fingerprint.bytes, fingerprint, sizeof(hello.fingerprint.bytes));
	hello.build_id = reader_block(&reader, &hello.build_id_size);
	hello.spec = reader_block(&reader, &hello.spec_size);
	if (content_end(&reader) < 0)
		return -EBADMSG;
	*ret = hello;
	return 0;
}

int order_decode_run(const Order *order, RecordStart *ret)
{
	Record record = { .kind = RECORD_START, .content = order->content, .content_size = order->content_size };

	return order->kind == ORDER_RUN ? record_decode_start(&record, ret) : -EBADMSG;
}

int order_decode_resume(const Order *order, OrderResume *ret)
{
	OrderResume resume;
	Reader reader;

	if (content_begin(order, ORDER_RESUME, &reader) < 0)
		return -EBADMSG;
	resume.offset = reader_u64(&reader);
	resume.cause = (ErrorCode)reader_u32(&reader);
	resume.program = reader_block(&reader, &resume.program_size);
	resume.message = reader_block(&reader, &resume.message_size);
	if (content_end(&reader) < 0 || resume.cause >= ERROR_CODE_MAX)
		return -EBADMSG;
	*ret = resume;
	return 0;
}
