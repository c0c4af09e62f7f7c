/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tell/park.h"

#include <errno.h>
#include <string.h>

#include "tell/park_private.h"
#include "tell/result.h"

void parked_done(Parked *parked)
{
	buffer_done(&parked->records);
	buffer_done(&parked->reply);
	*parked = (Parked){ 0 };
}

int park_pack(Buffer *content, RecordKind kind, Parked *parked)
{
	int r = buffer_error(content);

	if (r >= 0)
		record_pack(kind, content->data, content->size, &parked->records);
	return r < 0 ? r : buffer_error(&parked->records);
}

int park_pack_end(const RecordEnd *end, Parked *parked)
{
	_cleanup_buffer_ Buffer content = { 0 };

	record_encode_end(end, &content);
	return park_pack(&content, RECORD_END, parked);
}

void park_encode(const ParkCause *cause, Buffer *content)
{
	record_encode_park(
		&(RecordPark){ .code = cause->code,
			       .message = cause->message,
			       .message_size = cause->message ? strnlen(cause->message, RECORD_MESSAGE_MAX) : 0 },
		content);
}

int park_pack_finish(RecordFinish *finish, Parked *parked)
{
	_cleanup_buffer_ Buffer content = { 0 };

	finish->reply = (const char *)parked->reply.data;
	finish->reply_size = parked->reply.size;
	record_encode_finish(finish, &content);
	return park_pack(&content, RECORD_FINISH, parked);
}

/* What is damaged may have been the end of that attempt, and whatever came after it: the run says so. */
static int end_attempt(Replay *replay, ErrorCode code, const char *message, uint64_t now_usec, Parked *parked)
{
	const ReplayCause cause = {
		.code = ERROR_INTERRUPTED,
		.message = code == ERROR_DAMAGED ? message : NULL,
	};
	RecordEnd end;
	int r;

	if (!replay->begun)
		return 0;
	r = replay_break(replay, &cause, now_usec, &end);
	return r < 0 ? r : park_pack_end(&end, parked);
}

/* Also where the run had come to its end, or stands by itself: nothing is to become of it before an operator has seen
 * why. */
static int park(Replay *replay, const ParkCause *cause, Parked *parked)
{
	_cleanup_buffer_ Buffer content = { 0 };
	int r;

	park_encode(cause, &content);
	r = park_pack(&content, RECORD_PARK, parked);
	if (r < 0)
		return r;
	return replay_feed(replay,
			   &(Record){ .kind = RECORD_PARK, .content = content.data, .content_size = content.size });
}

static int finish(const Replay *replay, const RecordStart *start, const ParkCause *cause, Parked *parked)
{
	RecordFinish record = {
		.run = start->run,
		.status = WALK_PARKED,
		.usec = cause->now_usec,
		.n_records = replay->n_records,
	};
	const WalkError aside = { .code = cause->code, .message = cause->message };
	WalkError error, stands;
	int r;

	if (replay->set_aside)
		r = result_write_aside(replay->walk, replay->plan, &aside, &parked->reply, &error);
	else
		r = result_write(replay->walk, replay->plan, &parked->reply, &error);
	if (r < 0)
		return r;
	record.error = error.code;
	record.error_step = error.step;
	walk_parked(replay->walk, &stands);
	parked->step = stands.step;
	parked->error = (WalkError){ .code = cause->code, .step = stands.step };
	return park_pack_finish(&record, parked);
}

static int park_known(const Plan *plan, const RecordStart *start, const ParkCause *cause, Parked *parked)
{
	_cleanup_replay_ Replay replay = { 0 };
	int r;

	r = replay_packed(&replay, plan, parked->records.data, parked->records.size);
	if (r >= 0)
		r = end_attempt(&replay, cause->code, cause->message, cause->now_usec, parked);
	if (r >= 0)
		r = park(&replay, cause, parked);
	return r < 0 ? r : finish(&replay, start, cause, parked);
}

static int first_record(const void *records, size_t size, RecordStart *ret)
{
	size_t offset = 0;
	Record record;
	int r = record_unpack(records, size, &offset, &record);

	if (r <= 0)
		return r < 0 ? r : -EBADMSG;
	return record_decode_start(&record, ret);
}

int park_make(const void *records, size_t size, const Plan *plan, ErrorCode code, const char *message,
	      uint64_t now_usec, Parked *ret)
{
	const ParkCause cause = { .code = code, .message = message, .now_usec = now_usec };
	_cleanup_parked_ Parked parked = { 0 };
	RecordStart start;
	int r;

	r = first_record(records, size, &start);
	if (r < 0)
		return r;
	buffer_append(&parked.records, records, size);
	r = buffer_error(&parked.records);
	if (r >= 0)
		r = plan ? park_known(plan, &start, &cause, &parked) : park_blind(&start, &cause, &parked);
	if (r < 0)
		return r;
	*ret = TAKE(parked, (Parked){ 0 });
	return 0;
}
