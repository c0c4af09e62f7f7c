/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "daemon/recovery_private.h"

#define METADATA_DEPTH_MAX 512U

/* Of a module that this store has no note of: its name alone is known. */
struct GhostProgram {
	GhostProgram *next;
	char name[SPEC_NAME_MAX + 1];
	SpecProgram spec;
	Plan plan;
	Spec module;
	CatalogProgram program;
	Catalog catalog;
};

void recovery_ghosts_free(Recovery *recovery)
{
	GhostProgram *ghost;

	while ((ghost = recovery->ghosts)) {
		recovery->ghosts = ghost->next;
		free(ghost);
	}
}

static GhostProgram *ghost_new(Recovery *recovery, const Id *module, const char *name)
{
	GhostProgram *ghost = calloc(1, sizeof(*ghost));

	if (!ghost)
		return NULL;
	memcpy(ghost->name, name, strnlen(name, SPEC_NAME_MAX));
	ghost->spec.name = ghost->name;
	ghost->module.module = (char *)"";
	ghost->plan.program = &ghost->spec;
	ghost->program.spec = &ghost->spec;
	ghost->program.plan = &ghost->plan;
	ghost->catalog.spec = &ghost->module;
	ghost->catalog.identity = *module;
	ghost->catalog.build_id = (char *)"";
	ghost->next = recovery->ghosts;
	recovery->ghosts = ghost;
	return ghost;
}

bool recovery_is_short(int error)
{
	return error == ENOMEM || error == EMFILE || error == ENFILE;
}

static int find_program(Recovery *recovery, const Id *module, const char *name, Run *run)
{
	_cleanup_free_ char *problem = NULL;
	GhostProgram *ghost;

	run->catalog = crew_catalog(recovery->crew, module, &problem);
	if (!run->catalog && recovery_is_short(errno))
		return -errno;
	run->program = run->catalog ? catalog_program(run->catalog, name) : NULL;
	if (run->program)
		return 0;
	ghost = ghost_new(recovery, module, name);
	if (!ghost)
		return -ENOMEM;
	run->catalog = &ghost->catalog;
	run->program = &ghost->program;
	return 0;
}

static int take_request(Run *run, const RecordStart *start)
{
	JsonError error = { 0 };
	RecordRequest request;
	int r;

	r = record_decode_request(start->request, start->request_size, &request);
	if (r < 0)
		return r;
	run->fingerprint = request.fingerprint;
	run->submitted_usec = request.submitted_usec;
	/* what cannot be read is missing in the journal, no more */
	if (request.metadata_size > 0)
		json_parse(request.metadata, request.metadata_size, METADATA_DEPTH_MAX, &run->metadata, &error);
	if (request.request_id_size == 0)
		return 0;
	run->request_id = strndup(request.request_id, request.request_id_size);
	return run->request_id ? 0 : -ENOMEM;
}

int recovery_make_run(Recovery *recovery, const RecordStart *start, Run **ret)
{
	const Peer peer = { .uid = start->uid, .gid = start->gid, .pid = (pid_t)start->pid };
	_cleanup_free_ char *name = strndup(start->program, start->program_size);
	_cleanup_run_ Run *run = NULL;
	int r;

	if (!name)
		return -ENOMEM;
	r = run_new(NULL, &peer, &run);
	if (r < 0)
		return r;
	run->id = start->run;
	id_format(&run->id, run->id_text);
	r = find_program(recovery, &start->module, name, run);
	if (r >= 0)
		r = take_request(run, start);
	if (r < 0)
		return r;
	run->promised = (start->flags & RECORD_FLAG_PROMISED) != 0;
	run->process = (start->flags & RECORD_FLAG_PROCESS) != 0;
	run->submitted = run->submitted_usec != 0;
	run->taken_up = true;
	run->begun_usec = clock_monotonic();
	run->begun_realtime_usec = start->begun_realtime_usec;
	*ret = take_ptr(run);
	return 0;
}

static void start_from_ledger(const LedgerRun *given, const void *request, size_t request_size, RecordStart *ret)
{
	*ret = (RecordStart){
		.run = given->run,
		.module = given->module,
		.uid = given->uid,
		.gid = given->gid,
		.pid = given->pid,
		.flags = RECORD_FLAG_PROMISED | (given->flags & LEDGER_FLAG_PROCESS ? RECORD_FLAG_PROCESS : 0),
		.begun_usec = clock_monotonic(),
		.begun_realtime_usec = clock_realtime(),
		.program = given->program ? given->program : "",
		.program_size = given->program ? strlen(given->program) : 0,
		.arguments = given->arguments,
		.arguments_size = given->arguments_size,
		.request = request,
		.request_size = request_size,
	};
}

int recovery_make_from_ledger(Recovery *recovery, const LedgerRun *given, Buffer *records, Run **ret)
{
	static const uint8_t no_arguments[sizeof(uint32_t)];
	_cleanup_buffer_ Buffer request = { 0 }, content = { 0 };
	const RecordRequest asked = {
		.request_id = given->request_id,
		.request_id_size = given->request_id ? strlen(given->request_id) : 0,
		.fingerprint = given->fingerprint,
		.metadata = given->metadata,
		.metadata_size = given->metadata ? strlen(given->metadata) : 0,
		.submitted_usec = given->submitted_usec,
	};
	RecordStart start;
	int r;

	record_encode_request(&asked, &request);
	start_from_ledger(given, request.data, request.size, &start);
	if (start.arguments_size == 0) {
		start.arguments = no_arguments;
		start.arguments_size = sizeof(no_arguments);
	}
	record_encode_start(&start, &content);
	record_pack(RECORD_START, content.data, content.size, records);
	r = buffer_error(&request) < 0 ? -ENOMEM : buffer_error(&content);
	if (r >= 0)
		r = buffer_error(records);
	return r < 0 ? r : recovery_make_run(recovery, &start, ret);
}

int recovery_make_parked(Run *run, const void *records, size_t size, ErrorCode code, const char *message)
{
	const Plan *plan = run->program->plan->n_ops > 0 ? run->program->plan : NULL;
	_cleanup_parked_ Parked parked = { 0 };
	int r;

	r = park_make(records, size, plan, code, message, clock_monotonic(), &parked);
	if (r == -EBADMSG && plan)
		r = park_make(records, size, NULL, code, message, clock_monotonic(), &parked);
	if (r < 0)
		return r;
	buffer_done(&run->records);
	buffer_done(&run->reply);
	run->records = TAKE(parked.records, (Buffer){ 0 });
	run->reply = TAKE(parked.reply, (Buffer){ 0 });
	run->status = WALK_PARKED;
	run->error = code;
	run->error_step = parked.step;
	run->ended_realtime_usec = clock_realtime();
	return 0;
}

void recovery_pack(const RecordFile *file, uint32_t number, size_t offset, size_t size, Buffer *ret)
{
	uint64_t sequence = RECORD_SEQUENCE_ANY;
	size_t end = offset + size;
	Record record;

	while (offset < end && record_read(file->base, end, offset, number, sequence, &record) == 0) {
		record_pack(record.kind, record.content, record.content_size, ret);
		offset += record.size;
		sequence = record.sequence + 1;
	}
}
