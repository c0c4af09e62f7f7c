/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "tell/park_private.h"
#include "wire/reply.h"

#define STEP_MAX PLAN_OPS_MAX

typedef enum BlindStand {
	BLIND_AHEAD,
	BLIND_DONE,
	BLIND_DOUBT,
	BLIND_FAILED,
} BlindStand;

/* What the records say by themselves. */
typedef struct Blind {
	uint8_t stands[STEP_MAX]; /* BlindStand of step 1, … */
	bool unsure[STEP_MAX];    /* an attempt of it was unknown */
	bool begun;
	RecordBegin begin; /* of the attempt in hand, or the last one */
	uint32_t n_records;
	ErrorCode error; /* of what turned the run back */
	uint32_t error_step;
	char *reason, *error_message;
} Blind;

static void forget_error(Blind *blind)
{
	free(blind->reason);
	free(blind->error_message);
	blind->reason = NULL;
	blind->error_message = NULL;
	blind->error = ERROR_NONE;
	blind->error_step = 0;
}

static Blind *blind_free(Blind *blind)
{
	forget_error(blind);
	free(blind);
	return NULL;
}
DEFINE_CLEANUP(Blind *, blind_free)

static int copy_text(const char *text, size_t size, char **ret)
{
	if (size == 0)
		return 0;
	*ret = strndup(text, size);
	return *ret ? 0 : -ENOMEM;
}

static int see_begin(Blind *blind, const Record *record)
{
	RecordBegin begin;
	int r;

	r = record_decode_begin(record, &begin);
	if (r < 0)
		return r;
	blind->begun = true;
	blind->begin = begin;
	if (begin.rectifying || begin.step == 0 || begin.step > STEP_MAX)
		return 0;
	/* It went on forwards. */
	forget_error(blind);
	blind->stands[begin.step - 1] = BLIND_DOUBT;
	return 0;
}

static int see_failure(Blind *blind, const RecordEnd *end)
{
	forget_error(blind);
	blind->error = end->error;
	blind->error_step = end->step;
	if (copy_text(end->reason, end->reason_size, &blind->reason) < 0 ||
	    copy_text(end->message, end->message_size, &blind->error_message) < 0)
		return -ENOMEM;
	return 0;
}

static int see_end(Blind *blind, const Record *record)
{
	RecordEnd end;
	int r;

	r = record_decode_end(record, &end);
	if (r < 0)
		return r;
	blind->begun = false;
	if (end.rectifying || end.step == 0 || end.step > STEP_MAX)
		return 0;
	if (end.outcome == OUTCOME_OK) {
		blind->stands[end.step - 1] = BLIND_DONE;
		return 0;
	}
	if (end.outcome == OUTCOME_UNKNOWN)
		blind->unsure[end.step - 1] = true;
	blind->stands[end.step - 1] = blind->unsure[end.step - 1] ? BLIND_DOUBT : BLIND_FAILED;
	return see_failure(blind, &end);
}

static int see_stop(Blind *blind, const Record *record)
{
	RecordStop stop;
	int r;

	r = record_decode_stop(record, &stop);
	if (r < 0)
		return r;
	forget_error(blind);
	blind->error = stop.cause;
	return copy_text(stop.message, stop.message_size, &blind->error_message);
}

static int (*const sights[RECORD_KIND_MAX])(Blind *blind, const Record *record) = {
	[RECORD_BEGIN] = see_begin,
	[RECORD_END] = see_end,
	[RECORD_STOP] = see_stop,
};

static int see_all(Blind *blind, const Buffer *records)
{
	size_t offset = 0;
	Record record;
	int r;

	while ((r = record_unpack(records->data, records->size, &offset, &record)) > 0) {
		blind->n_records++;
		if (!sights[record.kind])
			continue;
		r = sights[record.kind](blind, &record);
		if (r < 0)
			return r;
	}
	return r;
}

static int end_attempt(const Blind *blind, const ParkCause *cause, Parked *parked)
{
	static const uint8_t no_writes[sizeof(uint32_t)];
	const RecordBegin *begin = &blind->begin;

	if (!blind->begun)
		return 0;
	return park_pack_end(&(RecordEnd){ .op = begin->op,
					   .step = begin->step,
					   .attempt = begin->attempt,
					   .rectifying = begin->rectifying,
					   .outcome = OUTCOME_UNKNOWN,
					   .error = ERROR_INTERRUPTED,
					   .usec = cause->now_usec,
					   .writes = no_writes,
					   .writes_size = sizeof(no_writes) },
			     parked);
}

/* Whether a rectifier has come to its end is not known: what has begun may remain. */
static int list_remaining(const Blind *blind, ReplyStep **ret, size_t *ret_n)
{
	ReplyStep *steps = calloc(STEP_MAX, sizeof(*steps));
	size_t n = 0;

	if (!steps)
		return -ENOMEM;
	for (uint32_t step = STEP_MAX; step > 0; step--) {
		BlindStand stand = (BlindStand)blind->stands[step - 1];

		if (stand == BLIND_DONE || stand == BLIND_DOUBT)
			steps[n++] = (ReplyStep){ .step = step, .in_doubt = stand == BLIND_DOUBT };
	}
	*ret = steps;
	*ret_n = n;
	return 0;
}

static int write_reply(const Blind *blind, const RecordStart *start, const ParkCause *cause, Parked *parked)
{
	_cleanup_free_ char *program = strndup(start->program, start->program_size);
	_cleanup_free_ ReplyStep *remaining = NULL;
	const char *name = error_name(blind->error);
	Reply reply = {
		.program = program,
		.status = walk_status_name(WALK_PARKED),
		.parked = { .name = error_name(cause->code), .message = cause->message },
	};
	int r;

	if (!program)
		return -ENOMEM;
	r = list_remaining(blind, &remaining, &reply.n_remaining);
	if (r < 0)
		return r;
	reply.remaining = remaining;
	if (name)
		reply.error = (ReplyError){
			.name = name,
			.reason = blind->reason,
			.step = blind->error_step,
			.message = blind->error_message,
			.retry = error_retry(blind->error),
		};
	reply_write_body(&reply, &parked->reply);
	return buffer_error(&parked->reply);
}

int park_blind(const RecordStart *start, const ParkCause *cause, Parked *parked)
{
	_cleanup_(blind_freep) Blind *blind = calloc(1, sizeof(*blind));
	_cleanup_buffer_ Buffer content = { 0 };
	RecordFinish finish = { .run = start->run, .status = WALK_PARKED, .usec = cause->now_usec };
	int r;

	if (!blind)
		return -ENOMEM;
	r = see_all(blind, &parked->records);
	if (r >= 0)
		r = end_attempt(blind, cause, parked);
	if (r >= 0) {
		park_encode(cause, &content);
		r = park_pack(&content, RECORD_PARK, parked);
	}
	if (r >= 0)
		r = write_reply(blind, start, cause, parked);
	if (r < 0)
		return r;
	finish.error = blind->error;
	finish.error_step = blind->error_step;
	finish.n_records = blind->n_records;
	parked->error = (WalkError){ .code = cause->code };
	return park_pack_finish(&finish, parked);
}
