/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/intake.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "run/arguments.h"
#include "wire/request.h"

#define START_WITHIN_MAX (100.0 * 366 * 86400) /* seconds; beyond, it is no limit */

int intake_init(Intake *intake, const Config *config, Crew *crew, Queue *queue, Calls *calls)
{
	struct json_object *no_arguments = json_object_new_object();

	if (!no_arguments)
		return -ENOMEM;
	*intake = (Intake){
		.config = config,
		.crew = crew,
		.queue = queue,
		.calls = calls,
		.no_arguments = no_arguments,
	};
	return 0;
}

void intake_done(Intake *intake)
{
	free(intake->store_message);
	buffer_done(&intake->arguments);
	json_object_put(intake->no_arguments);
	*intake = (Intake){ 0 };
}

void intake_set_store(Intake *intake, ErrorCode code, char *message)
{
	free(intake->store_message);
	intake->store_message = message;
	intake->store_code = code;
}

/* Whether a run could begin at all, whatever it is. */
static int check_service(const Intake *intake, Error *error)
{
	const Crew *crew = intake->crew;

	if (intake->stopping)
		return error_set(error, ERROR_SHUTTING_DOWN, NULL, "the daemon is stopping; nothing ran");
	if (intake->store_code != ERROR_NONE)
		return error_set(error, intake->store_code, NULL, "%s",
				 intake->store_message ? intake->store_message : "out of memory");
	if (crew->store_problem)
		return error_set(error, ERROR_STORE_DAMAGED, NULL, "%s", crew->store_problem);
	if (crew->problem || !crew->catalog)
		return error_set(error, ERROR_NO_MODULE, NULL, "%s",
				 crew->problem ? crew->problem : "no module is in use yet");
	return 0;
}

static int check_support(const Request *request, Error *error)
{
	if (request->request_id)
		return error_set(error, ERROR_BAD_REQUEST, "/request_id",
				 "request_id is not supported by this version");
	if (!request->wait)
		return error_set(error, ERROR_BAD_REQUEST, "/wait", "wait: false is not supported by this version");
	return 0;
}

static int find_program(const Intake *intake, Client *client, const char *name, const CatalogProgram **ret,
			Error *error)
{
	const CatalogProgram *program = catalog_program(intake->crew->catalog, name);

	if (!program || !access_permits(&program->access, &client->peer, client->watch.fd))
		return error_set(error, ERROR_UNKNOWN_PROGRAM, "/program", "there is no program of that name");
	*ret = program;
	return 0;
}

static int check_room(const Intake *intake, const CatalogProgram *program, const Run *run, Error *error)
{
	uint64_t needed = record_size(run->order.size) + program->reserve + RECORD_PAGE_SIZE;

	if (needed > intake->config->recorder_size)
		return error_set(error, ERROR_TOO_LARGE, NULL,
				 "the run could need %" PRIu64 " bytes of a recorder that has %" PRIu64
				 " (RecorderSize=)",
				 needed, intake->config->recorder_size);
	if (crew_waiting(intake->crew) >= intake->config->queue_length &&
	    (intake->crew->n_ordered > 0 || intake->queue->n > 0))
		return error_set(error, ERROR_QUEUE_FULL, NULL, "%" PRIu64 " runs are waiting already (QueueLength=)",
				 intake->config->queue_length);
	return 0;
}

static uint64_t start_by(double seconds)
{
	if (seconds < 0 || seconds > START_WITHIN_MAX)
		return 0;
	return clock_monotonic() + (uint64_t)(seconds * (double)USEC_PER_SEC);
}

/* -EBADMSG with \p error: it is refused. */
static int make_run(Intake *intake, Client *client, const Request *request, Run **ret, Error *error)
{
	const CatalogProgram *program = NULL;
	_cleanup_run_ Run *run = NULL;
	int r;

	r = check_support(request, error);
	if (r >= 0)
		r = check_service(intake, error);
	if (r >= 0)
		r = find_program(intake, client, request->name, &program, error);
	if (r < 0)
		return r;
	buffer_clear(&intake->arguments);
	r = arguments_encode(program->spec, request->data_pool ? request->data_pool : intake->no_arguments,
			     request->metadata, &intake->arguments, error);
	if (r >= 0)
		r = buffer_error(&intake->arguments);
	if (r >= 0)
		r = run_new(program, &client->peer, &run);
	if (r < 0)
		return r;
	run->follow = request->follow;
	run->start_by_usec = start_by(request->start_within);
	r = run_order(run, &intake->crew->catalog->fingerprint, &intake->arguments);
	if (r >= 0)
		r = check_room(intake, program, run, error);
	if (r < 0)
		return r;
	run->metadata = json_object_get(request->metadata);
	*ret = take_ptr(run);
	return 0;
}

static void take_program(Intake *intake, Client *client, Request *request)
{
	_cleanup_error_ Error error = { 0 };
	Run *run = NULL;
	Slot *slot;
	int r;

	r = make_run(intake, client, request, &run, &error);
	if (r == -EBADMSG) {
		intake->n_refused++;
		client_refuse(client, take_ptr(request->id_text), request->name, &error);
		return;
	}
	if (r < 0) {
		client_abandon(client);
		return;
	}
	slot = client_slot(client, take_ptr(request->id_text));
	if (!slot) {
		run_free(run);
		return;
	}
	run_attach(run, slot);
	queue_push(intake->queue, run);
}

void intake_object(Client *client, const char *text, size_t size, size_t members, void *context)
{
	void (*refuse)(Client * client, char *id_text, const char *program, const Error *error);
	Intake *intake = context;
	_cleanup_error_ Error error = { 0 };
	Request request = { 0 };
	int r;

	r = request_parse(text, size, members, &request, &error);
	if (r == -EBADMSG) {
		refuse = error.code == ERROR_BAD_REQUEST ? client_refuse : client_lose;
		intake->n_refused++;
		refuse(client, take_ptr(request.id_text), request.kind == REQUEST_PROGRAM ? request.name : NULL,
		       &error);
	} else if (r < 0) {
		client_abandon(client);
	} else if (request.kind == REQUEST_CALL) {
		calls_answer(intake->calls, client, &request);
	} else {
		take_program(intake, client, &request);
	}
	request_done(&request);
}
