/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Submissions that an earlier daemon promised become runs again. Who was let in when it was submitted stays so. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/intake_private.h"
#include "run/pool.h"

#define METADATA_PREFIX '_'

typedef struct Seen {
	const SpecProgram *program;
	bool there[SPEC_ARGS_MAX];
} Seen;

static int check_argument(Seen *seen, const char *name, const Value *value, Error *error)
{
	const SpecArgs *args = &seen->program->args;

	if (name[0] == METADATA_PREFIX)
		return 0;
	for (size_t i = 0; i < args->n; i++) {
		const SpecArg *arg = &args->items[i];

		if (strcmp(arg->name, name) != 0)
			continue;
		seen->there[i] = true;
		if (value_type_fits(arg->type, value->type))
			return 0;
		return error_set(error, ERROR_WRONG_TYPE, NULL, "argument \"%s\": the program asks for %s now, got %s",
				 name, value_type_name(arg->type), value_type_name(value->type));
	}
	return error_set(error, ERROR_UNKNOWN_ARGUMENT, NULL, "program \"%s\" has no argument \"%s\" any more",
			 seen->program->name, name);
}

static int check_next(Seen *seen, Reader *reader, Error *error)
{
	_cleanup_free_ char *name = reader_string(reader);
	_cleanup_value_ Value value = { 0 };
	int r;

	if (!name)
		return -EUCLEAN;
	r = value_decode(reader, &value);
	if (r < 0)
		return r == -EBADMSG ? -EUCLEAN : r;
	return check_argument(seen, name, &value, error);
}

static int check_missing(const Seen *seen, Error *error)
{
	const SpecArgs *args = &seen->program->args;

	for (size_t i = 0; i < args->n; i++)
		if (args->items[i].required && !args->items[i].has_default && !seen->there[i])
			return error_set(error, ERROR_MISSING_ARGUMENT, NULL, "argument \"%s\" (%s) is required now",
					 args->items[i].name, value_type_name(args->items[i].type));
	return 0;
}

int intake_check_arguments(const SpecProgram *program, const void *arguments, size_t size, Error *error)
{
	Reader reader = reader_make(arguments, size);
	Seen seen = { .program = program };
	uint32_t n = reader_u32(&reader);
	int r = 0;

	for (uint32_t i = 0; i < n && r >= 0; i++)
		r = check_next(&seen, &reader, error);
	if (r >= 0 && (reader_error(&reader) < 0 || reader_left(&reader) > 0))
		r = -EUCLEAN;
	return r < 0 ? r : check_missing(&seen, error);
}

static int find_program(const Intake *intake, const LedgerRun *submission, const CatalogProgram **ret, Error *error)
{
	const Catalog *catalog = intake->crew->catalog;
	const CatalogProgram *program = submission->program ? catalog_program(catalog, submission->program) : NULL;
	int r = 0;

	if (!program)
		return error_set(error, ERROR_UNKNOWN_PROGRAM, NULL,
				 "program \"%s\" is not in the module any more; nothing ran",
				 submission->program ? submission->program : "");
	if (!id_equal(&catalog->identity, &submission->module))
		r = intake_check_arguments(program->spec, submission->arguments, submission->arguments_size, error);
	if (r >= 0)
		*ret = program;
	return r;
}

/* By the wall clock: that of the daemon that promised it counted from another boot, perhaps. */
static void set_start_by(Run *run, uint64_t start_by_realtime_usec)
{
	uint64_t now = clock_realtime();

	run->start_by_realtime_usec = start_by_realtime_usec;
	if (start_by_realtime_usec > 0)
		run->start_by_usec =
			start_by_realtime_usec > now ? clock_monotonic() + start_by_realtime_usec - now : 1;
}

static int fill_in(const Intake *intake, const LedgerRun *submission, Run *run)
{
	JsonError problem;

	run->id = submission->run;
	id_format(&run->id, run->id_text);
	run->catalog = intake->crew->catalog;
	run->process = run->program->spec->durability == SPEC_DURABILITY_PROCESS;
	run->promised = run->submitted = true;
	run->submitted_usec = submission->submitted_usec;
	run->fingerprint = submission->fingerprint;
	set_start_by(run, submission->start_by_usec);
	if (submission->request_id) {
		run->request_id = strdup(submission->request_id);
		if (!run->request_id)
			return -ENOMEM;
	}
	if (!submission->metadata)
		return 0;
	/* what is no JSON any more is missing in the journal, no more */
	return json_parse(submission->metadata, strlen(submission->metadata), JSON_DEPTH_MAX, &run->metadata,
			  &problem) == -ENOMEM
		       ? -ENOMEM
		       : 0;
}

static int charge(const Intake *intake, Run *run)
{
	User *user = users_get(intake->users, run->peer.uid);

	if (!user)
		return -ENOMEM;
	run_charge(run, user);
	user_release(user);
	return 0;
}

static int restore(Intake *intake, const LedgerRun *submission, Run **ret, Error *error)
{
	const Peer peer = { .uid = submission->uid, .gid = submission->gid, .pid = (pid_t)submission->pid };
	const CatalogProgram *program = NULL;
	_cleanup_run_ Run *run = NULL;
	int r;

	r = find_program(intake, submission, &program, error);
	if (r >= 0)
		r = run_new(program, &peer, &run);
	if (r >= 0)
		r = fill_in(intake, submission, run);
	if (r < 0)
		return r;
	buffer_clear(&intake->arguments);
	buffer_append(&intake->arguments, submission->arguments, submission->arguments_size);
	r = buffer_error(&intake->arguments);
	if (r >= 0)
		r = run_order(run, &intake->arguments);
	if (r >= 0)
		r = intake_check_size(intake, run, error);
	if (r >= 0)
		r = charge(intake, run);
	if (r < 0)
		return r;
	*ret = take_ptr(run);
	return 0;
}

int intake_restore(Intake *intake, const LedgerRun *submission, Run **ret, Error *error)
{
	int r, refused;

	if (!intake->crew->catalog)
		return -EAGAIN;
	r = restore(intake, submission, ret, error);
	if (r != -EBADMSG)
		return r;
	refused = promises_refuse(intake->promises, &submission->run, error->code, NULL, NULL);
	return refused < 0 ? refused : r;
}
