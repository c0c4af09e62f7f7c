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
	buffer_u32(buffer, resume->stop);
	buffer_block(buffer, resume->program, resume->program_size);
	buffer_block(buffer, resume->message, resume->message_size);
	frame_end(at, buffer);
}

void order_encode_unpark(const OrderUnpark *unpark, Buffer *buffer)
{
	size_t at = frame_begin(ORDER_UNPARK, buffer), decision;

	buffer_append(buffer, unpark->run.bytes, sizeof(unpark->run.bytes));
	buffer_append(buffer, unpark->module.bytes, sizeof(unpark->module.bytes));
	buffer_u32(buffer, unpark->verb);
	decision = buffer->size;
	buffer_u32(buffer, 0);
	record_encode_decision(&unpark->decision, buffer);
	buffer_patch_u32(buffer, decision, (uint32_t)(buffer->size - decision - sizeof(uint32_t)));
	buffer_block(buffer, unpark->records, unpark->records_size);
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

static Id decode_id(Reader *reader)
{
	const void *bytes = reader_bytes(reader, sizeof(Id));
	Id id = { 0 };

	if (bytes)
		memcpy(id.bytes, bytes, sizeof(id.bytes));
	return id;
}

int order_decode_hello(const Order *order, OrderHello *ret)
{
	OrderHello hello = { 0 };
	Reader reader;

	if (content_begin(order, ORDER_HELLO, &reader) < 0)
		return -EBADMSG;
	hello.error = reader_block(&reader, &hello.error_size);
	hello.abi_major = reader_u32(&reader);
	hello.abi_minor = reader_u32(&reader);
	hello.fingerprint = decode_id(&reader);
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
	resume.stop = (ErrorCode)reader_u32(&reader);
	resume.program = reader_block(&reader, &resume.program_size);
	resume.message = reader_block(&reader, &resume.message_size);
	if (content_end(&reader) < 0 || resume.cause >= ERROR_CODE_MAX || resume.stop >= ERROR_CODE_MAX)
		return -EBADMSG;
	*ret = resume;
	return 0;
}

static bool is_verb(RecordKind kind)
{
	return kind == RECORD_RETRY || kind == RECORD_SKIP || kind == RECORD_CONFIRM;
}

int order_decode_unpark(const Order *order, OrderUnpark *ret)
{
	Record decision = { 0 };
	OrderUnpark unpark;
	Reader reader;

	if (content_begin(order, ORDER_UNPARK, &reader) < 0)
		return -EBADMSG;
	unpark.run = decode_id(&reader);
	unpark.module = decode_id(&reader);
	unpark.verb = (RecordKind)reader_u32(&reader);
	decision.kind = unpark.verb;
	decision.content = reader_block(&reader, &decision.content_size);
	unpark.records = reader_block(&reader, &unpark.records_size);
	if (content_end(&reader) < 0 || !is_verb(unpark.verb) ||
	    record_decode_decision(&decision, &unpark.decision) < 0)
		return -EBADMSG;
	*ret = unpark;
	return 0;
}
