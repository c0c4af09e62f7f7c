/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/chronicle.h"

#include <stdio.h>
#include <string.h>

#define START_USEC 1000000000ULL

Id chronicle_id(unsigned run)
{
	return (Id){ .bytes = { (uint8_t)run, 0xA5 } };
}

Chronicle *chronicle_open(const char *spec)
{
	Chronicle *chronicle = calloc(1, sizeof(*chronicle));

	ck_assert_ptr_nonnull(chronicle);
	chronicle->scene = scene_open(spec, "");
	chronicle->file.size = CHRONICLE_SIZE;
	chronicle->file.base = aligned_alloc(RECORD_PAGE_SIZE, CHRONICLE_SIZE);
	ck_assert_ptr_nonnull(chronicle->file.base);
	memset(chronicle->file.base, 0, CHRONICLE_SIZE);
	chronicle->place = (RecordPlace){
		.machine = chronicle_id(1),
		.boot = chronicle_id(2),
		.inode = 3,
		.born_usec = 4,
	};
	record_page_init(&chronicle->file, CHRONICLE_NUMBER, &chronicle->place);
	atomic_store(&record_page(&chronicle->file)->synced, RECORD_PAGE_SIZE);
	return chronicle;
}

Chronicle *chronicle_close(Chronicle *chronicle)
{
	walk_free(chronicle->walk);
	scene_close(chronicle->scene);
	free(chronicle->file.base);
	free(chronicle);
	return NULL;
}

size_t chronicle_tail(const Chronicle *chronicle)
{
	return atomic_load(&record_page(&chronicle->file)->tail);
}

static void keep_moment(Chronicle *chronicle)
{
	ck_assert_uint_lt(chronicle->n_moments, CHRONICLE_MOMENTS_MAX);
	chronicle->moments[chronicle->n_moments++] = (ChronicleMoment){
		.tail = chronicle_tail(chronicle),
		.synced = atomic_load(&record_page(&chronicle->file)->synced),
		.n_records = chronicle->n_records,
	};
}

static void write(Chronicle *chronicle, RecordKind kind, const void *content, size_t size)
{
	size_t tail = chronicle_tail(chronicle);

	ck_assert_uint_lt(chronicle->n_records, CHRONICLE_RECORDS_MAX);
	ck_assert_int_eq(record_append(&chronicle->file, kind, content, size), 0);
	chronicle->records[chronicle->n_records++] = (ChronicleRecord){
		.kind = kind,
		.offset = tail,
		.size = chronicle_tail(chronicle) - tail,
		.run = chronicle->run,
	};
	keep_moment(chronicle);
}

static void write_content(Chronicle *chronicle, RecordKind kind, const Buffer *content)
{
	ck_assert_int_eq(buffer_error(content), 0);
	write(chronicle, kind, content->data, content->size);
}

static void sync_all(Chronicle *chronicle)
{
	atomic_store(&record_page(&chronicle->file)->synced, chronicle_tail(chronicle));
	keep_moment(chronicle);
}

static bool is_durable(const Chronicle *chronicle)
{
	return !(chronicle->flags & RECORD_FLAG_PROCESS);
}

static void write_start(Chronicle *chronicle)
{
	static const uint8_t nothing[sizeof(uint32_t)];
	_cleanup_buffer_ Buffer content = {};
	const char *program = chronicle->scene->plan->program->name;
	RecordStart start = {
		.run = chronicle_id(chronicle->run),
		.flags = chronicle->flags,
		.begun_usec = START_USEC,
		.program = program,
		.program_size = strlen(program),
		.arguments = nothing,
		.arguments_size = sizeof(nothing),
		.request = "",
	};

	chronicle->start = chronicle_tail(chronicle);
	record_encode_start(&start, &content);
	write_content(chronicle, RECORD_START, &content);
}

static void begin_call(Chronicle *chronicle)
{
	WalkAction *action = &chronicle->action;
	_cleanup_buffer_ Buffer content = {};

	do
		ck_assert_int_eq(walk_next(chronicle->walk, START_USEC, action), 0);
	while (action->kind == WALK_WAIT);
	ck_assert_int_eq(action->kind, WALK_CALL);
	record_encode_begin(&(RecordBegin){ .op = action->op,
					    .step = action->step,
					    .attempt = action->attempt,
					    .rectifying = action->rectifying,
					    .in_doubt = action->in_doubt,
					    .usec = START_USEC },
			    &content);
	write_content(chronicle, RECORD_BEGIN, &content);
	if (is_durable(chronicle) && record_begin_synced(chronicle->scene->plan, action))
		sync_all(chronicle);
	chronicle->begun = true;
}

static void write_note(Chronicle *chronicle)
{
	_cleanup_buffer_ Buffer content = {};
	RecordNote note = { .key = "key", .key_size = 3, .data = "data", .data_size = 4 };

	begin_call(chronicle);
	note.step = chronicle->action.step;
	record_encode_note(&note, &content);
	write_content(chronicle, RECORD_NOTE, &content);
	if (is_durable(chronicle))
		sync_all(chronicle);
}

static const struct {
	const char *word;
	OutcomeKind kind;
	ErrorCode error;
} outcomes[] = {
	{ "ok", OUTCOME_OK, ERROR_NONE },
	{ "fail", OUTCOME_FAILED, ERROR_HOOK_FAILED },
	{ "die", OUTCOME_UNKNOWN, ERROR_HOOK_UNKNOWN },
};

static bool outcome_find(const char *word, Outcome *ret)
{
	for (size_t i = 0; i < ELEMENTSOF(outcomes); i++)
		if (strcmp(outcomes[i].word, word) == 0) {
			*ret = (Outcome){ .kind = outcomes[i].kind, .error = outcomes[i].error };
			return true;
		}
	return false;
}

/* Each call that goes well leaves its mark in the pool. */
static void end_call(Chronicle *chronicle, Outcome *outcome)
{
	const WalkAction *action = &chronicle->action;
	_cleanup_buffer_ Buffer content = {}, writes = {};
	PoolWrite mark = { .value = { .type = VALUE_INT, .integer = action->op } };

	if (!chronicle->begun)
		begin_call(chronicle);
	mark.value.integer = action->op;
	ck_assert_int_eq(pool_intern(walk_pool(chronicle->walk), "last", &mark.key), 0);
	outcome->writes = &mark;
	outcome->n_writes = outcome->kind == OUTCOME_OK;
	pool_encode_writes(walk_pool(chronicle->walk), outcome->writes, outcome->n_writes, &writes);
	record_encode_end(&(RecordEnd){ .op = action->op,
					.step = action->step,
					.attempt = action->attempt,
					.rectifying = action->rectifying,
					.outcome = outcome->kind,
					.error = outcome->error,
					.usec = START_USEC,
					.writes = writes.data,
					.writes_size = writes.size },
			  &content);
	write_content(chronicle, RECORD_END, &content);
	ck_assert_int_eq(walk_ended(chronicle->walk, outcome), 0);
	chronicle->begun = false;
}

static void write_stop(Chronicle *chronicle, ErrorCode cause)
{
	_cleanup_buffer_ Buffer content = {};

	ck_assert_int_eq(walk_stop(chronicle->walk, cause, NULL, NULL), 0);
	record_encode_stop(&(RecordStop){ .cause = cause }, &content);
	write_content(chronicle, RECORD_STOP, &content);
}

static void write_taken(Chronicle *chronicle)
{
	_cleanup_buffer_ Buffer content = {};

	ck_assert_int_eq(walk_taken(chronicle->walk), 0);
	record_encode_taken(&(RecordTaken){ .interruptions = 1, .usec = START_USEC }, &content);
	write_content(chronicle, RECORD_TAKEN, &content);
}

static void write_park(Chronicle *chronicle)
{
	_cleanup_buffer_ Buffer content = {};

	ck_assert_int_eq(walk_park(chronicle->walk, ERROR_MODULE_CHANGED, NULL), 0);
	record_encode_park(&(RecordPark){ .code = ERROR_MODULE_CHANGED }, &content);
	write_content(chronicle, RECORD_PARK, &content);
}

static void write_finish(Chronicle *chronicle)
{
	_cleanup_buffer_ Buffer content = {};
	WalkError error;
	char reply[128];
	int size = snprintf(reply, sizeof(reply), "\"run\":%u,\"status\":\"%s\",\"at\":%zu}", chronicle->run,
			    walk_status_name(walk_status(chronicle->walk)), chronicle->n_records);

	walk_error(chronicle->walk, &error);
	record_encode_finish(&(RecordFinish){ .run = chronicle_id(chronicle->run),
					      .status = walk_status(chronicle->walk),
					      .error = error.code,
					      .error_step = error.step,
					      .usec = START_USEC,
					      .reply = reply,
					      .reply_size = (size_t)size },
			     &content);
	write_content(chronicle, RECORD_FINISH, &content);
	chronicle->finished = true;
}

/* 1: it has ended, or is parked. */
static int go_to_end(Chronicle *chronicle)
{
	do
		ck_assert_int_eq(walk_next(chronicle->walk, START_USEC, &chronicle->action), 0);
	while (chronicle->action.kind == WALK_WAIT);
	if (chronicle->action.kind != WALK_END)
		return 0;
	if (!chronicle->finished)
		write_finish(chronicle);
	return 1;
}

static void write_decision(Chronicle *chronicle, RecordKind verb)
{
	static int (*const verbs[RECORD_KIND_MAX])(Walk *, uint32_t) = {
		[RECORD_RETRY] = walk_retry,
		[RECORD_SKIP] = walk_skip,
		[RECORD_CONFIRM] = walk_confirm,
	};
	_cleanup_buffer_ Buffer content = {};
	RecordDecision decision = { .uid = 7, .usec = START_USEC + chronicle->n_records };
	WalkError parked;

	walk_parked(chronicle->walk, &parked);
	ck_assert_int_eq(verbs[verb](chronicle->walk, parked.step), 0);
	decision.step = parked.step;
	decision.reason = "because";
	decision.reason_size = 7;
	record_encode_decision(&decision, &content);
	write_content(chronicle, verb, &content);
	chronicle->finished = false;
	if (is_durable(chronicle))
		sync_all(chronicle);
}

static void finish(Chronicle *chronicle)
{
	ck_assert(go_to_end(chronicle));
}

static void write_anew(Chronicle *chronicle)
{
	_cleanup_buffer_ Buffer packed = {};
	size_t offset = 0;
	Record record;

	ck_assert(chronicle->finished || go_to_end(chronicle));
	chronicle_pack(chronicle, chronicle->run, CHRONICLE_RECORDS_MAX, &packed);
	chronicle->start = chronicle_tail(chronicle);
	while (record_unpack(packed.data, packed.size, &offset, &record) > 0)
		write(chronicle, record.kind, record.content, record.content_size);
}

static bool do_word(Chronicle *chronicle, const char *word)
{
	static const struct {
		const char *word;
		RecordKind verb;
	} verbs[] = { { "retry", RECORD_RETRY }, { "skip", RECORD_SKIP }, { "confirm", RECORD_CONFIRM } };
	static const struct {
		const char *word;
		void (*act)(Chronicle *chronicle);
	} acts[] = { { "note", write_note }, { "begin", begin_call },  { "taken", write_taken }, { "park", write_park },
		     { "sync", sync_all },   { "unpark", write_anew }, { "finish", finish } };
	Outcome outcome;

	for (size_t i = 0; i < ELEMENTSOF(verbs); i++)
		if (strcmp(verbs[i].word, word) == 0) {
			ck_assert(chronicle->finished || go_to_end(chronicle));
			write_decision(chronicle, verbs[i].verb);
			return true;
		}
	for (size_t i = 0; i < ELEMENTSOF(acts); i++)
		if (strcmp(acts[i].word, word) == 0) {
			acts[i].act(chronicle);
			return true;
		}
	if (outcome_find(word, &outcome))
		end_call(chronicle, &outcome);
	else if (strcmp(word, "!cut") == 0)
		write_stop(chronicle, ERROR_INTERRUPTED);
	else if (strcmp(word, "!cancel") == 0)
		write_stop(chronicle, ERROR_CANCELLED);
	else
		return false;
	return true;
}

void chronicle_run(Chronicle *chronicle, const char *script)
{
	Outcome ok = {};

	walk_free(chronicle->walk);
	chronicle->run++;
	chronicle->begun = chronicle->finished = false;
	ck_assert_int_eq(walk_new(chronicle->scene->plan, NULL, 0, START_USEC, &chronicle->walk), 0);
	write_start(chronicle);
	for (; *script; script += strspn(script, " ")) {
		size_t size = strcspn(script, " ");
		_cleanup_free_ char *word = strndup(script, size);

		if (strcmp(word, ".") == 0)
			return;
		ck_assert_msg(do_word(chronicle, word), "no such word: \"%s\"", word);
		script += size;
	}
	while (!chronicle->begun && !go_to_end(chronicle)) {
		ok = (Outcome){ .kind = OUTCOME_OK };
		end_call(chronicle, &ok);
	}
}

static size_t first_of(const Chronicle *chronicle, unsigned run)
{
	size_t first = chronicle->n_records;

	for (size_t i = 0; i < chronicle->n_records; i++)
		if (chronicle->records[i].run == run && chronicle->records[i].kind == RECORD_START)
			first = i;
	return first;
}

void chronicle_pack(const Chronicle *chronicle, unsigned run, size_t n, Buffer *ret)
{
	Record record;

	for (size_t i = first_of(chronicle, run); i < chronicle->n_records && n > 0; i++, n--) {
		if (chronicle->records[i].run != run)
			break;
		ck_assert_int_eq(record_read(chronicle->file.base, chronicle->file.size, chronicle->records[i].offset,
					     CHRONICLE_NUMBER, RECORD_SEQUENCE_ANY, &record),
				 0);
		record_pack(record.kind, record.content, record.content_size, ret);
	}
}

size_t chronicle_count(const Chronicle *chronicle, unsigned run, size_t offset)
{
	size_t n = 0;

	for (size_t i = first_of(chronicle, run); i < chronicle->n_records; i++)
		if (chronicle->records[i].run == run &&
		    chronicle->records[i].offset + chronicle->records[i].size <= offset)
			n++;
	return n;
}
