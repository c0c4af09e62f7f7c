/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "base/buffer.h"
#include "run/record.h"

/* What the contents of the most frequent kinds begin with, in bytes. */
#define START_FIXED 72U
#define BEGIN_FIXED 28U
#define END_FIXED 32U

static void encode_id(const Id *id, Buffer *buffer)
{
	buffer_append(buffer, id->bytes, sizeof(id->bytes));
}

static Id decode_id(Reader *reader)
{
	const void *bytes = reader_bytes(reader, sizeof(Id));
	Id id = { 0 };

	if (bytes)
		memcpy(id.bytes, bytes, sizeof(id.bytes));
	return id;
}

static uint32_t decode_below(Reader *reader, uint32_t max)
{
	uint32_t value = reader_u32(reader);

	if (value >= max)
		reader->bad = true;
	return value;
}

static int decode_done(const Reader *reader)
{
	return reader_error(reader) < 0 || reader_left(reader) > 0 ? -EBADMSG : 0;
}

static Reader content_reader(const Record *record, RecordKind kind)
{
	Reader reader = reader_make(record->content, record->content_size);

	reader.bad = record->kind != kind;
	return reader;
}

void record_encode_start(const RecordStart *start, Buffer *buffer)
{
	uint8_t *at = buffer_extend(buffer, START_FIXED);

	if (!at)
		return;
	memcpy(at, start->run.bytes, sizeof(Id));
	memcpy(at + 16, start->module.bytes, sizeof(Id));
	store_u32(at + 32, start->uid);
	store_u32(at + 36, start->gid);
	store_u32(at + 40, start->pid);
	store_u32(at + 44, start->flags);
	store_u64(at + 48, start->start_by_usec);
	store_u64(at + 56, start->begun_usec);
	store_u64(at + 64, start->begun_realtime_usec);
	buffer_block(buffer, start->program, start->program_size);
	buffer_block(buffer, start->arguments, start->arguments_size);
	buffer_block(buffer, start->request, start->request_size);
}

int record_decode_start(const Record *record, RecordStart *ret)
{
	Reader reader = content_reader(record, RECORD_START);
	RecordStart start;

	start.run = decode_id(&reader);
	start.module = decode_id(&reader);
	start.uid = reader_u32(&reader);
	start.gid = reader_u32(&reader);
	start.pid = reader_u32(&reader);
	start.flags = reader_u32(&reader);
	start.start_by_usec = reader_u64(&reader);
	start.begun_usec = reader_u64(&reader);
	start.begun_realtime_usec = reader_u64(&reader);
	start.program = reader_block(&reader, &start.program_size);
	start.arguments = reader_block(&reader, &start.arguments_size);
	start.request = reader_block(&reader, &start.request_size);
	if (decode_done(&reader) < 0)
		return -EBADMSG;
	*ret = start;
	return 0;
}

void record_encode_begin(const RecordBegin *begin, Buffer *buffer)
{
	uint8_t *at = buffer_extend(buffer, BEGIN_FIXED);

	if (!at)
		return;
	store_u32(at, begin->op);
	store_u32(at + 4, begin->step);
	store_u32(at + 8, begin->attempt);
	store_u32(at + 12, begin->rectifying);
	store_u32(at + 16, begin->in_doubt);
	store_u64(at + 20, begin->usec);
}

int record_decode_begin(const Record *record, RecordBegin *ret)
{
	const uint8_t *at = record->content;

	if (record->kind != RECORD_BEGIN || record->content_size != BEGIN_FIXED || load_u32(at + 12) > 1 ||
	    load_u32(at + 16) > 1)
		return -EBADMSG;
	*ret = (RecordBegin){
		.op = load_u32(at),
		.step = load_u32(at + 4),
		.attempt = load_u32(at + 8),
		.rectifying = load_u32(at + 12),
		.in_doubt = load_u32(at + 16),
		.usec = load_u64(at + 20),
	};
	return 0;
}

void record_encode_note(const RecordNote *note, Buffer *buffer)
{
	buffer_u32(buffer, note->step);
	buffer_block(buffer, note->key, note->key_size);
	buffer_block(buffer, note->data, note->data_size);
}

int record_decode_note(const Record *record, RecordNote *ret)
{
	Reader reader = content_reader(record, RECORD_NOTE);
	RecordNote note;

	note.step = reader_u32(&reader);
	note.key = reader_block(&reader, &note.key_size);
	note.data = reader_block(&reader, &note.data_size);
	if (decode_done(&reader) < 0)
		return -EBADMSG;
	*ret = note;
	return 0;
}

/* What does not fit into a record's lengths does not fit into a record. */
void record_encode_end(const RecordEnd *end, Buffer *buffer)
{
	size_t texts = end->reason_size + end->message_size + end->program_size;
	uint8_t *at = buffer_extend(buffer, END_FIXED + 4 * sizeof(uint32_t) + texts + end->writes_size);

	if (!at)
		return;
	store_u32(at, end->op);
	store_u32(at + 4, end->step);
	store_u32(at + 8, end->attempt);
	store_u32(at + 12, end->rectifying);
	store_u32(at + 16, end->outcome);
	store_u32(at + 20, end->error);
	store_u64(at + 24, end->usec);
	at = store_block(at + END_FIXED, end->reason, end->reason_size);
	at = store_block(at, end->message, end->message_size);
	at = store_block(at, end->program, end->program_size);
	store_block(at, end->writes, end->writes_size);
}

int record_decode_end(const Record *record, RecordEnd *ret)
{
	Reader reader = content_reader(record, RECORD_END);
	const uint8_t *at = reader_bytes(&reader, END_FIXED);
	RecordEnd end;

	if (!at || load_u32(at + 12) > 1 || load_u32(at + 16) >= OUTCOME_KIND_MAX ||
	    load_u32(at + 20) >= ERROR_CODE_MAX)
		return -EBADMSG;
	end.op = load_u32(at);
	end.step = load_u32(at + 4);
	end.attempt = load_u32(at + 8);
	end.rectifying = load_u32(at + 12);
	end.outcome = (OutcomeKind)load_u32(at + 16);
	end.error = (ErrorCode)load_u32(at + 20);
	end.usec = load_u64(at + 24);
	end.reason = reader_block(&reader, &end.reason_size);
	end.message = reader_block(&reader, &end.message_size);
	end.program = reader_block(&reader, &end.program_size);
	end.writes = reader_block(&reader, &end.writes_size);
	if (decode_done(&reader) < 0)
		return -EBADMSG;
	*ret = end;
	return 0;
}

void record_encode_stop(const RecordStop *stop, Buffer *buffer)
{
	buffer_u32(buffer, stop->cause);
	buffer_block(buffer, stop->program, stop->program_size);
	buffer_block(buffer, stop->message, stop->message_size);
}

int record_decode_stop(const Record *record, RecordStop *ret)
{
	Reader reader = content_reader(record, RECORD_STOP);
	RecordStop stop;

	stop.cause = (ErrorCode)decode_below(&reader, ERROR_CODE_MAX);
	stop.program = reader_block(&reader, &stop.program_size);
	stop.message = reader_block(&reader, &stop.message_size);
	if (decode_done(&reader) < 0)
		return -EBADMSG;
	*ret = stop;
	return 0;
}

void record_encode_finish(const RecordFinish *finish, Buffer *buffer)
{
	encode_id(&finish->run, buffer);
	buffer_u32(buffer, finish->status);
	buffer_u32(buffer, finish->error);
	buffer_u32(buffer, finish->error_step);
	buffer_u64(buffer, finish->usec);
	buffer_u32(buffer, finish->n_records);
	buffer_u32(buffer, finish->n_syncs);
	buffer_block(buffer, finish->reply, finish->reply_size);
}

int record_decode_finish(const Record *record, RecordFinish *ret)
{
	Reader reader = content_reader(record, RECORD_FINISH);
	RecordFinish finish;

	finish.run = decode_id(&reader);
	finish.status = (WalkStatus)decode_below(&reader, WALK_STATUS_MAX);
	finish.error = (ErrorCode)decode_below(&reader, ERROR_CODE_MAX);
	finish.error_step = reader_u32(&reader);
	finish.usec = reader_u64(&reader);
	finish.n_records = reader_u32(&reader);
	finish.n_syncs = reader_u32(&reader);
	finish.reply = reader_block(&reader, &finish.reply_size);
	if (decode_done(&reader) < 0)
		return -EBADMSG;
	*ret = finish;
	return 0;
}

void record_encode_unbegun(const RecordUnbegun *unbegun, Buffer *buffer)
{
	encode_id(&unbegun->run, buffer);
	buffer_u32(buffer, unbegun->cause);
}

int record_decode_unbegun(const Record *record, RecordUnbegun *ret)
{
	Reader reader = content_reader(record, RECORD_UNBEGUN);
	RecordUnbegun unbegun;

	unbegun.run = decode_id(&reader);
	unbegun.cause = (ErrorCode)decode_below(&reader, ERROR_CODE_MAX);
	if (decode_done(&reader) < 0)
		return -EBADMSG;
	*ret = unbegun;
	return 0;
}

void record_encode_decision(const RecordDecision *decision, Buffer *buffer)
{
	buffer_u32(buffer, decision->step);
	buffer_u32(buffer, decision->flags);
	buffer_u32(buffer, decision->uid);
	buffer_u64(buffer, decision->usec);
	buffer_block(buffer, decision->reason, decision->reason_size);
}

int record_decode_decision(const Record *record, RecordDecision *ret)
{
	Reader reader = reader_make(record->content, record->content_size);
	RecordDecision decision;

	reader.bad = !record_is_decision(record->kind);
	decision.step = reader_u32(&reader);
	decision.flags = reader_u32(&reader);
	decision.uid = reader_u32(&reader);
	decision.usec = reader_u64(&reader);
	decision.reason = reader_block(&reader, &decision.reason_size);
	if (decode_done(&reader) < 0)
		return -EBADMSG;
	*ret = decision;
	return 0;
}

void record_encode_park(const RecordPark *park, Buffer *buffer)
{
	buffer_u32(buffer, park->code);
	buffer_block(buffer, park->message, park->message_size);
}

int record_decode_park(const Record *record, RecordPark *ret)
{
	Reader reader = content_reader(record, RECORD_PARK);
	RecordPark park;

	park.code = (ErrorCode)decode_below(&reader, ERROR_CODE_MAX);
	park.message = reader_block(&reader, &park.message_size);
	if (decode_done(&reader) < 0)
		return -EBADMSG;
	*ret = park;
	return 0;
}

void record_encode_taken(const RecordTaken *taken, Buffer *buffer)
{
	buffer_u32(buffer, taken->interruptions);
	buffer_u32(buffer, taken->barred);
	buffer_u64(buffer, taken->usec);
	buffer_block(buffer, taken->message, taken->message_size);
}

int record_decode_taken(const Record *record, RecordTaken *ret)
{
	Reader reader = content_reader(record, RECORD_TAKEN);
	RecordTaken taken;

	taken.interruptions = reader_u32(&reader);
	taken.barred = decode_below(&reader, 2);
	taken.usec = reader_u64(&reader);
	taken.message = reader_block(&reader, &taken.message_size);
	if (decode_done(&reader) < 0)
		return -EBADMSG;
	*ret = taken;
	return 0;
}

void record_encode_request(const RecordRequest *request, Buffer *buffer)
{
	buffer_block(buffer, request->request_id, request->request_id_size);
	encode_id(&request->fingerprint, buffer);
	buffer_block(buffer, request->metadata, request->metadata_size);
	buffer_u64(buffer, request->submitted_usec);
}

int record_decode_request(const void *data, size_t size, RecordRequest *ret)
{
	Reader reader = reader_make(data, size);
	RecordRequest request;

	if (size == 0) {
		*ret = (RecordRequest){ .request_id = "", .metadata = "" };
		return 0;
	}
	request.request_id = reader_block(&reader, &request.request_id_size);
	request.fingerprint = decode_id(&reader);
	request.metadata = reader_block(&reader, &request.metadata_size);
	request.submitted_usec = reader_u64(&reader);
	if (decode_done(&reader) < 0)
		return -EBADMSG;
	*ret = request;
	return 0;
}
