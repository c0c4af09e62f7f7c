/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For tests of what becomes of promised runs: queue, promises with a real ledger in the scratch directory, outcomes,
 * and a recorder in memory whose syncs are the test's to say. */
#pragma once

#include "base/clock.h"
#include "daemon/outcomes.h"
#include "run/replay.h"
#include "tests/connection.h"
#include "tests/ledger_desk.h"

#define HOST_CLIENTS 4U
#define HOST_RECORDER_SIZE (1U << 20)
#define HOST_NUMBER 77U

static size_t host_synced;
static unsigned host_sync_wishes;

#ifndef HOST_REAL_RECORDER /* which is never asked */
/** \brief The recorder's word, and how often it was asked to sync. */
size_t recorder_synced(const Recorder *recorder)
{
	(void)recorder;
	return host_synced;
}

void recorder_sync(Recorder *recorder)
{
	(void)recorder;
	host_sync_wishes++;
}
#endif

/* Replies as a FINISH record holds them. */
#define HOST_DONE "\"program\":\"transfer\",\"success\":true,\"status\":\"succeeded\",\"data_pool\":{},\"error\":null}"
#define HOST_OTHER \
	"\"program\":\"transfer\",\"success\":true,\"status\":\"succeeded\",\"data_pool\":{\"n\":1},\"error\":null}"
#define HOST_PARKED                                                                                       \
	"\"program\":\"transfer\",\"success\":false,\"status\":\"parked\",\"data_pool\":{},\"error\":{}," \
	"\"parked\":{\"name\":\"RectifierFailed\",\"step\":2,\"hook\":\"h\",\"message\":\"it did not work\"}}"

typedef struct Host {
	Connection connections[HOST_CLIENTS];
	Config config;
	Queue queue;
	Promises promises;
	Recorder recorder;
	Trace trace;
	Outcomes outcomes;
	unsigned n_parked, n_ended;
} Host;

static Host host;
static SpecArg host_secret = { .name = (char *)"pin", .type = VALUE_STRING, .secret = true };
static SpecProgram host_specs[] = {
	{ .name = (char *)"transfer" },
	{ .name = (char *)"quick", .durability = SPEC_DURABILITY_PROCESS },
	{ .name = (char *)"whisper", .outputs = { .items = &host_secret, .n = 1, .declared = true } },
};
static Plan host_plans[] = {
	{ .program = &host_specs[0] },
	{ .program = &host_specs[1] },
	{ .program = &host_specs[2] },
};
static CatalogProgram host_programs[] = {
	{ .spec = &host_specs[0], .plan = &host_plans[0] },
	{ .spec = &host_specs[1], .plan = &host_plans[1] },
	{ .spec = &host_specs[2], .plan = &host_plans[2] },
};
static const Catalog host_catalog = { .identity = { .bytes = { 0xaa } }, .build_id = (char *)"c0ffee" };

enum { HOST_TRANSFER, HOST_QUICK, HOST_WHISPER };

static inline void host_on_parked(Run *run, void *context)
{
	ck_assert_int_eq(run->status, WALK_PARKED);
	((Host *)context)->n_parked++;
}

static inline void host_on_ended(Run *run, void *context)
{
	ck_assert(run->answered);
	((Host *)context)->n_ended++;
}

/** \brief A fresh recorder, as if another file had been made: its first record is the next. */
static inline void host_new_recorder(void)
{
	const RecordPlace place = { 0 };
	RecordFile *file = &host.recorder.file;

	free(file->base);
	*file = (RecordFile){ .base = calloc(1, HOST_RECORDER_SIZE), .size = HOST_RECORDER_SIZE };
	ck_assert_ptr_nonnull(file->base);
	host.recorder.number = HOST_NUMBER;
	host.recorder.directory = scratch_directory;
	record_page_init(file, HOST_NUMBER, &place);
}

static inline size_t host_tail(void)
{
	return atomic_load(&record_page(&host.recorder.file)->tail);
}

/** \brief Begins with what the scratch directory holds. */
static inline void host_open(void)
{
	memset(&host.promises, 0, sizeof(host.promises));
	config_init(&host.config);
	for (size_t i = 0; i < HOST_CLIENTS; i++)
		connection_open(&host.connections[i]);
	host.trace = (Trace){ .level = TRACE_FAILURES, .instance = "test" };
	host.recorder = (Recorder){ 0 };
	host_synced = 0;
	host_sync_wishes = 0;
	host.n_parked = host.n_ended = 0;
	queue_init(&host.queue);
	promises_init(&host.promises, &host.config, &host.queue);
	outcomes_init(&host.outcomes, &host.recorder, &host.promises, &host.trace);
	host.outcomes.on_parked = host_on_parked;
	host.outcomes.on_ended = host_on_ended;
	host.outcomes.context = &host;
	ck_assert_int_eq(promises_open(&host.promises, scratch_path(""), &desk_machine), 0);
	host_new_recorder();
}

static inline void host_begin(void)
{
	scratch_reset();
	host_open();
}

static inline void host_close(void)
{
	for (size_t i = 0; i < HOST_CLIENTS; i++)
		connection_close(&host.connections[i]);
	promises_close(&host.promises);
	outcomes_done(&host.outcomes);
	queue_done(&host.queue);
	promises_done(&host.promises);
	free(host.recorder.file.base);
	config_done(&host.config);
}

/** \brief Until nothing is under way in the ledger. */
static inline void host_settle(void)
{
	struct pollfd ready = { .fd = promises_fd(&host.promises), .events = POLLIN };

	while (ledger_under_way(host.promises.ledger) > 0) {
		ck_assert_int_eq(poll(&ready, 1, 60000), 1);
		promises_dispatch(&host.promises);
	}
}

/** \brief A run of user 1000's; \p request_id NULL: nothing is promised. \p body: what its fingerprint is of. */
static inline Run *host_run(unsigned program, const char *request_id, unsigned body)
{
	const Peer peer = { .uid = 1000, .gid = 100, .pid = 4711 };
	Run *run = NULL;

	ck_assert_int_eq(run_new(&host_programs[program], &peer, &run), 0);
	run->catalog = &host_catalog;
	run->process = host_specs[program].durability == SPEC_DURABILITY_PROCESS;
	run->fingerprint = (Id){ .bytes = { 1, (uint8_t)body } };
	if (!request_id)
		return run;
	run->promised = true;
	run->request_id = strdup(request_id);
	ck_assert_int_eq(promises_enter(&host.promises, run), 0);
	return run;
}

/** \brief Client \p client waits for it. */
static inline void host_attach(Run *run, size_t client, WaiterKind kind)
{
	ck_assert_int_eq(run_attach(run, client_slot(host.connections[client].client, NULL), kind, false), 0);
}

static inline const char *host_read(size_t client)
{
	connection_turn(&host.connections[client]);
	return connection_read(&host.connections[client]);
}

/** \brief The whole line that a client of \p run gets with \p body. */
static inline const char *host_line(const Run *run, const char *body)
{
	static char line[512];

	snprintf(line, sizeof(line), "{\"run\":\"%s\",%s\n", run->id_text, body);
	return line;
}

static inline void host_append(RecordKind kind, const Buffer *content)
{
	ck_assert_int_eq(buffer_error(content), 0);
	ck_assert_int_eq(record_append(&host.recorder.file, kind, content->data, content->size), 0);
}

/** \brief The records of a run that has ended in \p status with \p body, as a worker would write them: START, a note,
 * FINISH. \p finish: as read from there. */
static inline void host_record(Run *run, WalkStatus status, const char *body, RecordFinish *finish)
{
	_cleanup_buffer_ Buffer start = { 0 }, note = { 0 }, end = { 0 };
	const RecordNote noted = { .step = 1, .key = "k", .key_size = 1, .data = "v", .data_size = 1 };
	const RecordStart begun = { .run = run->id, .program = "p", .program_size = 1 };

	*finish = (RecordFinish){
		.run = run->id,
		.status = status,
		.error = status == WALK_SUCCEEDED ? ERROR_NONE : ERROR_HOOK_FAILED,
		.error_step = status == WALK_SUCCEEDED ? 0 : 4,
		.usec = 5,
		.n_records = 3,
		.n_syncs = 1,
		.reply = body,
		.reply_size = strlen(body),
	};
	run->state = RUN_BEGUN;
	run->offset = host_tail();
	record_encode_start(&begun, &start);
	host_append(RECORD_START, &start);
	record_encode_note(&noted, &note);
	host_append(RECORD_NOTE, &note);
	record_encode_finish(finish, &end);
	host_append(RECORD_FINISH, &end);
}

/** \brief It ends: what the crew does at FINISH. */
static inline void host_end(Run *run, WalkStatus status, const char *body)
{
	RecordFinish finish;

	host_record(run, status, body, &finish);
	outcomes_add(&host.outcomes, run, &finish, host_tail());
}

/** \brief All that was written is synced. */
static inline void host_sync(void)
{
	host_synced = host_tail();
	outcomes_step(&host.outcomes, 0);
}

/** \brief What a new recorder is made of, in the place of the one in use. */
static inline void host_renew(RecorderKept *kept, size_t n)
{
	uint8_t *old = host.recorder.file.base;

	host.recorder.file.base = NULL;
	host_new_recorder();
	for (size_t i = 0; i < n; i++) {
		size_t offset = kept[i].packed ? 0 : kept[i].offset;
		Record record;

		kept[i].ret_offset = host_tail();
		while (kept[i].packed ? record_unpack(kept[i].packed, kept[i].packed_size, &offset, &record) > 0
				      : offset < kept[i].offset + kept[i].size) {
			if (!kept[i].packed) {
				ck_assert_int_eq(record_read(old, HOST_RECORDER_SIZE, offset, HOST_NUMBER,
							     RECORD_SEQUENCE_ANY, &record),
						 0);
				offset += record.size;
			}
			ck_assert_int_eq(
				record_append(&host.recorder.file, record.kind, record.content, record.content_size),
				0);
		}
	}
	free(old);
	host_synced = host_tail();
}

/** \brief What user 1000's \p request_id stands for. */
static inline Promise host_find(const char *request_id, unsigned body)
{
	const Id fingerprint = { .bytes = { 1, (uint8_t)body } };
	Promise promise = { 0 };

	ck_assert_int_eq(promises_find(&host.promises, 1000, request_id, &fingerprint, &promise), 0);
	return promise;
}

/** \brief It stands for an ended run, whose reply is \p body. */
static inline void host_expect_ended(const char *request_id, LedgerState state, const char *body)
{
	_cleanup_promise_ Promise promise = host_find(request_id, 1);

	ck_assert_int_eq(promise.kind, PROMISE_ENDED);
	ck_assert_int_eq(promise.found.run.state, state);
	ck_assert_uint_eq(promise.found.run.reply_size, strlen(body));
	ck_assert_mem_eq(promise.found.run.reply, body, strlen(body));
}

static inline void host_expect(const char *request_id, PromiseKind kind)
{
	_cleanup_promise_ Promise promise = host_find(request_id, 1);

	ck_assert_int_eq(promise.kind, kind);
}

typedef struct HostSeen {
	RecordKind kinds[8];
	size_t n;
	uint32_t step;
	ErrorCode error;
} HostSeen;

static inline int host_on_unparked(void *context, const LedgerRun *run)
{
	HostSeen *seen = context;
	size_t offset = 0;
	Record record;
	int r;

	while ((r = record_unpack(run->records, run->records_size, &offset, &record)) > 0)
		seen->kinds[seen->n++] = record.kind;
	ck_assert_int_eq(r, 0);
	seen->step = run->step;
	seen->error = run->error;
	return 0;
}

/** \brief The ledger holds it as host_end() with HOST_PARKED left it. */
static inline void host_expect_parked(const Id *id)
{
	HostSeen seen = { 0 };

	ck_assert_int_eq(ledger_unpark(host.promises.ledger, id, host_on_unparked, &seen), 0);
	ck_assert_uint_eq(seen.n, 3);
	ck_assert_int_eq(seen.kinds[0], RECORD_START);
	ck_assert_int_eq(seen.kinds[1], RECORD_NOTE);
	ck_assert_int_eq(seen.kinds[2], RECORD_FINISH);
	ck_assert_uint_eq(seen.step, 2);
	ck_assert_int_eq(seen.error, ERROR_RECTIFIER_FAILED);
}

/** \brief A submission without arguments; client 0 wants to know that it is queued. */
static inline Run *host_submit(const char *request_id)
{
	static uint8_t none[sizeof(uint32_t)];
	const Buffer arguments = { .data = none, .size = sizeof(none) };
	Run *run = host_run(HOST_TRANSFER, request_id, 1);

	run->promised = true;
	run->submitted_usec = clock_realtime();
	host_attach(run, 0, WAITER_QUEUED);
	promises_submit(&host.promises, run, &arguments, "{\"ticket\":\"T-7\"}", false);
	return run;
}
