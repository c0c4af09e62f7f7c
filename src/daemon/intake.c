/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/intake.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/fingerprint.h"
#include "daemon/intake_private.h"
#include "run/arguments.h"

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
		.promises = crew->setup.outcomes->promises,
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

static int check_store(const Intake *intake, Error *error)
{
	const Crew *crew = intake->crew;
	const char *problem = promises_problem(intake->promises);

	if (intake->store_code != ERROR_NONE)
		return error_set(error, intake->store_code, NULL, "%s",
				 intake->store_message ? intake->store_message : "out of memory");
	if (crew->store_problem || problem)
		return error_set(error, ERROR_STORE_DAMAGED, NULL, "%s",
				 crew->store_problem ? crew->store_problem : problem);
	return 0;
}

int intake_check_service(const Intake *intake, Error *error)
{
	const Crew *crew = intake->crew;
	int r;

	if (intake->stopping)
		return error_set(error, ERROR_SHUTTING_DOWN, NULL, "the daemon is stopping; nothing ran");
	r = check_store(intake, error);
	if (r < 0)
		return r;
	if (crew->problem || !crew->catalog)
		return error_set(error, ERROR_NO_MODULE, NULL, "%s",
				 crew->problem ? crew->problem : "no module is in use yet");
	return 0;
}

static int find_program(const Intake *intake, Client *client, const char *name, const CatalogProgram **ret,
			Error *error)
{
	const CatalogProgram *program;
	int r;

	r = intake_check_service(intake, error);
	if (r < 0)
		return r;
	program = catalog_program(intake->crew->catalog, name);

	if (!program || !access_permits(&program->access, &client->peer, client->watch.fd))
		return error_set(error, ERROR_UNKNOWN_PROGRAM, "/program", "there is no program of that name");
	*ret = program;
	return 0;
}

int intake_check_size(const Intake *intake, const Run *run, Error *error)
{
	uint64_t needed = record_size(run->order.size) + run->program->reserve + RECORD_PAGE_SIZE;

	if (needed > intake->config->recorder_size)
		return error_set(error, ERROR_TOO_LARGE, NULL,
				 "the run could need %" PRIu64 " bytes of a recorder that has %" PRIu64
				 " (RecorderSize=)",
				 needed, intake->config->recorder_size);
	return 0;
}

static int check_share(const Config *config, const User *user, Run *run, Error *error)
{
	uint64_t max = users_bytes_max(config);
	size_t weight = run_weight(run);

	if (user->n_waiting >= config->max_queued_per_user)
		return error_set(error, ERROR_QUEUE_FULL, NULL,
				 "%zu runs of user %u are waiting already (MaxQueuedPerUser=)", user->n_waiting,
				 user->uid);
	if (weight > max)
		return error_set(error, ERROR_TOO_LARGE, NULL,
				 "the request takes %zu bytes of memory, at most %" PRIu64 " may be (MaxBytesPerUser=)",
				 weight, max);
	return user_check_bytes(user, USER_RUNS, weight, config, error);
}

static int check_room(const Intake *intake, const User *user, Run *run, Error *error)
{
	const Crew *crew = intake->crew;
	size_t waiting = crew_waiting(crew) + intake->promises->n_promising;
	int r = check_share(intake->config, user, run, error);

	if (r < 0)
		return r;
	if (waiting >= intake->config->queue_length)
		return error_set(error, ERROR_QUEUE_FULL, NULL, "%" PRIu64 " runs are waiting already (QueueLength=)",
				 intake->config->queue_length);
	if (run->promised && crew->setup.outcomes->n_storing >= INTAKE_UNSTORED_MAX)
		return error_set(error, ERROR_QUEUE_FULL, NULL,
				 "the outcomes of %zu runs wait for the ledger to be written",
				 crew->setup.outcomes->n_storing);
	return 0;
}

static void set_start_by(Run *run, double seconds)
{
	uint64_t within;

	if (seconds < 0 || seconds > START_WITHIN_MAX)
		return;
	within = (uint64_t)(seconds * (double)USEC_PER_SEC);
	run->start_by_usec = clock_monotonic() + within;
	run->start_by_realtime_usec = run->submitted_usec ? run->submitted_usec + within : 0;
}

/* What the request says of it. */
static int fill_in(Intake *intake, const Request *request, const Id *fingerprint, Run *run)
{
	run->catalog = intake->crew->catalog;
	run->process = run->program->spec->durability == SPEC_DURABILITY_PROCESS;
	run->promised = request->request_id || !request->wait;
	run->received_usec = clock_realtime();
	run->submitted_usec = request->wait ? 0 : run->received_usec;
	run->fingerprint = *fingerprint;
	run->first.follow = request->follow;
	run->metadata = json_object_get(request->metadata);
	set_start_by(run, request->start_within);
	if (!request->request_id)
		return 0;
	run->request_id = strdup(request->request_id);
	return run->request_id ? 0 : -ENOMEM;
}

/* The run of a request whose arguments are encoded. */
static int new_run(Intake *intake, Client *client, const CatalogProgram *program, const Request *request,
		   const Id *fingerprint, Run **ret, Error *error)
{
	_cleanup_run_ Run *run = NULL;
	int r;

	r = run_new(program, &client->peer, &run);
	if (r >= 0)
		r = fill_in(intake, request, fingerprint, run);
	if (r >= 0)
		r = run_order(run, &intake->arguments);
	if (r >= 0)
		r = intake_check_size(intake, run, error);
	if (r >= 0)
		r = check_room(intake, client->user, run, error);
	if (r < 0)
		return r;
	run_charge(run, client->user);
	*ret = take_ptr(run);
	return 0;
}

/* -EBADMSG with \p error: it is refused. */
static int make_run(Intake *intake, Client *client, const Request *request, const Id *fingerprint, Run **ret,
		    Error *error)
{
	const CatalogProgram *program;
	int r;

	r = find_program(intake, client, request->name, &program, error);
	if (r < 0)
		return r;
	buffer_clear(&intake->arguments);
	r = arguments_encode(program->spec, request->data_pool ? request->data_pool : intake->no_arguments,
			     request->metadata, &intake->arguments, error);
	return r < 0 ? r : new_run(intake, client, program, request, fingerprint, ret, error);
}

static void submit(Intake *intake, Run *run)
{
	_cleanup_buffer_ Buffer metadata = { 0 };
	_cleanup_free_ char *text = NULL;

	if (run->metadata) {
		json_write(run->metadata, &metadata);
		text = buffer_take_text(&metadata);
	}
	if (run->metadata && !text) {
		promises_leave(intake->promises, run);
		run_disappoint(run);
		run_free(run);
		return;
	}
	promises_submit(intake->promises, run, &intake->arguments, text, false);
}

static void hand_on(Intake *intake, Run *run, Slot *slot, const Request *request)
{
	run_attach(run, slot, request->wait ? WAITER_REPLY : WAITER_QUEUED, request->follow);
	if (run->request_id && promises_enter(intake->promises, run) < 0) {
		run_disappoint(run);
		run_free(run);
		return;
	}
	if (!request->wait) {
		submit(intake, run);
		return;
	}
	run->state = RUN_QUEUED;
	queue_push(intake->queue, run);
}

/* Of a program that does not exist for who asks, nothing is said. */
static void count_refused(const Intake *intake, const Request *request, const Error *error)
{
	const Catalog *catalog = intake->crew->catalog;
	const CatalogProgram *program = NULL;

	if (catalog && error->code != ERROR_UNKNOWN_PROGRAM)
		program = catalog_program(catalog, request->name);
	if (program)
		metrics_refused(program->tally);
}

static void take_run(Intake *intake, Client *client, Run *run, Request *request)
{
	Slot *slot = client_slot(client, take_ptr(request->id_text));

	if (slot)
		hand_on(intake, run, slot, request);
	else
		run_free(run);
}

static void take_program(Intake *intake, Client *client, Request *request)
{
	_cleanup_error_ Error error = { 0 };
	Id fingerprint = { 0 };
	Run *run = NULL;
	int r = 0;

	if (request->request_id)
		r = intake_recall(intake, client, request, &fingerprint, &error);
	if (r > 0)
		return;
	if (r == 0)
		r = make_run(intake, client, request, &fingerprint, &run, &error);
	if (r == -EBADMSG) {
		intake->n_refused++;
		count_refused(intake, request, &error);
		client_refuse(client, take_ptr(request->id_text), request->name, &error);
		return;
	}
	if (r < 0)
		client_abandon(client);
	else
		take_run(intake, client, run, request);
}

/* False where anything is not as usual: nothing was done then, and the long way says what it is. */
static bool take_plain(Intake *intake, Client *client, const char *text, size_t size)
{
	RequestPlain *plain = &intake->plain;
	_cleanup_error_ Error error = { 0 };
	const CatalogProgram *program;
	const Id fingerprint = { 0 };
	Run *run;
	int r;

	if (!request_read_plain(text, size, plain))
		return false;
	r = find_program(intake, client, plain->name, &program, &error);
	buffer_clear(&intake->arguments);
	if (r >= 0 && arguments_encode_members(program->spec, plain->pool, plain->n_pool, &intake->arguments) <= 0)
		r = -EBADMSG;
	if (r >= 0)
		r = new_run(intake, client, program, &plain->request, &fingerprint, &run, &error);
	if (r >= 0)
		take_run(intake, client, run, &plain->request);
	request_done(&plain->request);
	return r >= 0;
}

/* Something is wrong with the message's own members; or it is no JSON, and what follows cannot be believed. */
static void refuse_unread(Intake *intake, Client *client, Request *request, const Error *error)
{
	if (error->code != ERROR_BAD_REQUEST) {
		intake->n_refused++;
		client_lose(client, take_ptr(request->id_text), NULL, error);
	} else if (request->kind == REQUEST_CALL) {
		calls_refuse(client, take_ptr(request->id_text), error);
	} else {
		intake->n_refused++;
		client_refuse(client, take_ptr(request->id_text), request->name, error);
	}
}

/* Of what was found to be whole JSON. */
static size_t count_values(const char *text, size_t size)
{
	bool within = false;
	size_t n = 1;

	for (size_t i = 0; i < size; i++) {
		if (text[i] == '"')
			within = !within;
		else if (within)
			i += text[i] == '\\';
		else
			n += text[i] == ',' || text[i] == '[' || text[i] == '{';
	}
	return n;
}

static int check_values(Intake *intake, const char *text, size_t size, Error *error)
{
	uint64_t max = intake->config->max_values;
	size_t n = count_values(text, size);

	intake->heavy = true;
	if (n <= max)
		return 0;
	return error_set(error, ERROR_TOO_LARGE, NULL,
			 "expected a request of at most %" PRIu64
			 " values (MaxValues=), got %zu; the connection is closed",
			 max, n);
}

void intake_object(Client *client, const char *text, size_t size, size_t members, void *context)
{
	Intake *intake = context;
	_cleanup_error_ Error error = { 0 };
	Request request = { 0 };
	int r;

	r = size > INTAKE_HEAVY_SIZE ? check_values(intake, text, size, &error) : 0;
	if (r >= 0 && take_plain(intake, client, text, size))
		return;
	if (r >= 0)
		r = request_parse(text, size, members, &request, &error);
	if (r == -EBADMSG) {
		refuse_unread(intake, client, &request, &error);
	} else if (r < 0) {
		client_abandon(client);
	} else if (request.kind == REQUEST_CALL) {
		calls_answer(intake->calls, client, &request);
	} else {
		take_program(intake, client, &request);
	}
	request_done(&request);
}
