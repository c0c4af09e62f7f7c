/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Another module is in use: what has not begun is verified anew (rule 42). */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "daemon/intake_private.h"

static int find_program(const Catalog *catalog, const Run *run, const CatalogProgram **ret, Error *error)
{
	const char *name = run->program->spec->name;
	const CatalogProgram *program = catalog_program(catalog, name);

	if (!program)
		return error_set(error, ERROR_UNKNOWN_PROGRAM, "/program",
				 "program \"%s\" is not in the module any more; nothing ran", name);
	*ret = program;
	return 0;
}

static int read_order(const Run *run, RecordStart *ret)
{
	Order order;
	int r;

	r = order_read(run->order.data, run->order.size, &order);
	if (r < 0)
		return r;
	return order.kind == ORDER_RUN ? order_decode_run(&order, ret) : -EUCLEAN;
}

/* The same order for the program as it is now. */
static int refit(Intake *intake, Run *run, Error *error)
{
	const Catalog *catalog = intake->crew->catalog;
	const CatalogProgram *program = NULL;
	_cleanup_buffer_ Buffer order = { 0 };
	RecordStart start;
	int r;

	r = find_program(catalog, run, &program, error);
	if (r >= 0)
		r = read_order(run, &start);
	if (r >= 0 && !id_equal(&catalog->identity, &run->catalog->identity))
		r = intake_check_arguments(program->spec, start.arguments, start.arguments_size, error);
	if (r < 0)
		return r;
	buffer_clear(&intake->arguments);
	buffer_append(&intake->arguments, start.arguments, start.arguments_size);
	r = buffer_error(&intake->arguments);
	if (r < 0)
		return r;
	order = TAKE(run->order, (Buffer){ 0 });
	run->program = program;
	run->catalog = catalog;
	run->process = program->spec->durability == SPEC_DURABILITY_PROCESS;
	r = run_order(run, &intake->arguments);
	run_weigh(run);
	return r < 0 ? r : intake_check_size(intake, run, error);
}

static void refuse(Intake *intake, Run *run, int r, Error *error)
{
	if (r != -EBADMSG)
		error_set(error, ERROR_NO_MODULE, NULL,
			  "it could not be verified for the module in use now: %s; nothing ran", strerror(-r));
	log_notice("run %s of %s: is refused by the module in use now: %s", run->id_text, run->program->spec->name,
		   error->message ? error->message : error_name(error->code));
	intake->n_refused++;
	queue_refuse(intake->queue, run, error);
}

Refit intake_refit(Intake *intake)
{
	Queue *queue = intake->queue;
	Refit result = { 0 };
	Run *run, *next;

	queue->stale = false;
	for (run = TAILQ_FIRST(&queue->runs); run; run = next) {
		_cleanup_error_ Error error = { 0 };
		int r;

		next = TAILQ_NEXT(run, entry);
		if (run->taken_up || run->catalog == queue->catalog)
			continue;
		r = refit(intake, run, &error);
		if (r < 0) {
			refuse(intake, run, r, &error);
			result.refused++;
		} else {
			result.fitted++;
		}
	}
	return result;
}
