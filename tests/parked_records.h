/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For tests of parked runs: a catalog of a small spec, and runs of it performed by a walk alone, as records. In `main`,
 * `first` and `second` can be undone, `last` fails. Which hooks fail is said. */
#pragma once

#include <check.h>
#include <string.h>

#include "daemon/catalog.h"
#include "run/arguments.h"
#include "run/replay.h"
#include "tell/result.h"

#define PARKED_HOOK(name, more) "\"" name "\":{\"reference\":\"small.hooks.act\",\"args\":{},\"outputs\":{}" more "}"

static const char parked_spec[] =
	"{\"name\":\"small\",\"programs\":{\"main\":{\"hooks\":[\"hooks.first\",\"hooks.second\",\"hooks.last\"],"
	"\"args\":{\"word\":{\"type\":\"string\",\"required\":true},"
	"\"pin\":{\"type\":\"int\",\"required\":true,\"secret\":true}},\"outputs\":{}}},\"hooks\":{" PARKED_HOOK("first", ",\"rectifiers\":[\"hooks.undo_first\"]") "," PARKED_HOOK(
		"second",
		",\"rectifiers\":[\"hooks.undo_second\"]") "," PARKED_HOOK("last",
									   "") "," PARKED_HOOK("undo_first",
											       "") "," PARKED_HOOK("undo_second",
														   "") "}}";

static inline Catalog *parked_catalog(const char *spec, const char *build_id)
{
	const RecordCaps caps = { 65536, 65536, 65536 };
	OrderHello hello = {
		.build_id = build_id,
		.build_id_size = strlen(build_id),
		.spec = spec,
		.spec_size = strlen(spec),
	};
	Catalog *catalog = NULL;
	char *problem = NULL;

	id_fingerprint(spec, strlen(spec), &hello.fingerprint);
	ck_assert_msg(catalog_new(&hello, &caps, &catalog, &problem) == 0, "%s", problem ? problem : "no word");
	return catalog;
}

static inline void parked_write(RecordKind kind, const Buffer *content, Buffer *records)
{
	record_pack(kind, content->data, content->size, records);
}

static inline void parked_start(const Id *run, const Catalog *catalog, Buffer *records)
{
	_cleanup_json_ struct json_object *arguments = NULL;
	_cleanup_buffer_ Buffer encoded = { 0 }, content = { 0 };
	_cleanup_error_ Error error = { 0 };
	JsonError wrong;
	RecordStart start = {
		.run = *run,
		.module = catalog->identity,
		.uid = 1000,
		.gid = 1000,
		.pid = 7,
		.begun_usec = 1000,
		.begun_realtime_usec = 1700000000000000,
		.program = "main",
		.program_size = 4,
	};
	const char text[] = "{\"word\":\"hello\",\"pin\":4711}";

	ck_assert_int_eq(json_parse(text, strlen(text), 4, &arguments, &wrong), 0);
	ck_assert_int_eq(arguments_encode(catalog_program(catalog, "main")->spec, arguments, NULL, &encoded, &error),
			 0);
	start.arguments = encoded.data;
	start.arguments_size = encoded.size;
	record_encode_start(&start, &content);
	parked_write(RECORD_START, &content, records);
}

/* Whole words, with blanks between them. */
static inline bool parked_names(const char *words, const char *word)
{
	size_t size = strlen(word);

	for (const char *at = strstr(words, word); at; at = strstr(at + 1, word))
		if ((at == words || at[-1] == ' ') && (at[size] == ' ' || at[size] == '\0'))
			return true;
	return false;
}

static inline void parked_attempt(Walk *walk, const Plan *plan, const WalkAction *action, const char *failing,
				  uint64_t usec, Buffer *records)
{
	static const uint8_t no_writes[sizeof(uint32_t)];
	bool fails = parked_names(failing, plan->ops[action->op].hook->name);
	const RecordBegin begin = {
		.op = action->op,
		.step = action->step,
		.attempt = action->attempt,
		.rectifying = action->rectifying,
		.in_doubt = action->in_doubt,
		.usec = usec,
	};
	const RecordEnd end = {
		.op = action->op,
		.step = action->step,
		.attempt = action->attempt,
		.rectifying = action->rectifying,
		.outcome = fails ? OUTCOME_FAILED : OUTCOME_OK,
		.error = fails ? ERROR_HOOK_FAILED : ERROR_NONE,
		.usec = usec + 1,
		.writes = no_writes,
		.writes_size = sizeof(no_writes),
	};
	const Outcome outcome = { .kind = end.outcome, .error = end.error };
	_cleanup_buffer_ Buffer content = { 0 }, other = { 0 };

	record_encode_begin(&begin, &content);
	parked_write(RECORD_BEGIN, &content, records);
	record_encode_end(&end, &other);
	parked_write(RECORD_END, &other, records);
	ck_assert_int_eq(walk_ended(walk, &outcome), 0);
}

static inline void parked_finish(Walk *walk, const Plan *plan, const Id *run, uint64_t usec, Buffer *records,
				 Buffer *reply)
{
	_cleanup_buffer_ Buffer content = { 0 };
	WalkError error;
	RecordFinish finish;

	ck_assert_int_eq(result_write(walk, plan, reply, &error), 0);
	finish = (RecordFinish){
		.run = *run,
		.status = walk_status(walk),
		.error = error.code,
		.error_step = error.step,
		.usec = usec,
		.reply = (const char *)reply->data,
		.reply_size = reply->size,
	};
	record_encode_finish(&finish, &content);
	parked_write(RECORD_FINISH, &content, records);
}

/** \brief A whole run of `main`, START to FINISH; the hooks whose names stand in \p failing fail. */
static inline void parked_perform(const Id *run, const Catalog *catalog, const char *failing, Buffer *records,
				  Buffer *reply)
{
	const Plan *plan = catalog_program(catalog, "main")->plan;
	_cleanup_replay_ Replay replay = { 0 };
	uint64_t usec = 1000;
	WalkAction action;

	parked_start(run, catalog, records);
	ck_assert_int_eq(replay_packed(&replay, plan, records->data, records->size), 0);
	for (;;) {
		ck_assert_int_eq(walk_next(replay.walk, usec += 10, &action), 0);
		if (action.kind == WALK_END)
			break;
		if (action.kind == WALK_CALL)
			parked_attempt(replay.walk, plan, &action, failing, usec, records);
	}
	parked_finish(replay.walk, plan, run, usec, records, reply);
}
