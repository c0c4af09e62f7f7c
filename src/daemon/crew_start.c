/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "base/text.h"
#include "daemon/crew_private.h"
#include "daemon/module_file.h"

char *crew_sentence(const char *format, ...)
{
	_cleanup_buffer_ Buffer escaped = { 0 };
	_cleanup_free_ char *text = NULL;
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (n < 0) {
		text = NULL;
		return NULL;
	}
	text_escape(text, (size_t)n, LOG_FIELD_MAX, &escaped);
	return buffer_take_text(&escaped);
}

static uint64_t crew_delay(unsigned failures)
{
	return MIN(CREW_BACKOFF_MIN_USEC << MIN(failures - 1, 6U), CREW_BACKOFF_MAX_USEC);
}

void crew_back_off(Crew *crew)
{
	crew->failures++;
	crew->n_failed++;
	crew->retry_at_usec = clock_monotonic() + crew_delay(crew->failures);
}

/* Without a worker, what waits is answered instead of left waiting for one; the run that has begun is not: it waits. */
void crew_fail(Crew *crew, char *problem)
{
	if (crew->spare_is_next) {
		crew_next_fail(crew, problem);
		return;
	}
	crew_back_off(crew);
	log_error("no worker: %s; trying again in %u s", problem ? problem : "out of memory",
		  (unsigned)(crew_delay(crew->failures) / USEC_PER_SEC));
	if (!crew->catalog)
		crew->module.fd = fd_close(crew->module.fd); /* the file may be another one the next time */
	if (crew->active && crew->catalog) {
		free(problem);
		return;
	}
	free(crew->problem);
	crew->problem = problem ? problem : strdup("out of memory");
	queue_refuse_plain(crew->setup.queue, ERROR_NO_MODULE, crew->problem ? crew->problem : "out of memory");
}

void crew_module_done(CrewModule *module)
{
	free(module->path);
	fd_close(module->fd);
	*module = (CrewModule){ .fd = -EBADF };
}

static int find_module(const Crew *crew, const char *given, char **ret_path, char **ret_problem)
{
	if (!given || !strchr(given, '/'))
		return module_find(given ? given : crew->setup.instance, ret_path, ret_problem);
	*ret_path = strdup(given);
	return *ret_path ? 0 : -ENOMEM;
}

int crew_open_module(const Crew *crew, const Config *config, CrewModule *ret, char **ret_problem)
{
	CrewModule module = { .fd = -EBADF };
	int r;

	r = find_module(crew, config->module, &module.path, ret_problem);
	if (r >= 0)
		r = module.fd = module_open(module.path, ret_problem);
	if (r >= 0 && fstat(module.fd, &module.status) < 0)
		r = -errno;
	if (r < 0) {
		crew_module_done(&module);
		return r;
	}
	*ret = module;
	return 0;
}

CrewLimits crew_limits(const Config *config)
{
	return (CrewLimits){ .caps = crew_caps(config), .memory = config->worker_memory };
}

/* The module in use has said what it is: from now on runs can be pinned to it. */
static int crew_learn(Crew *crew, const OrderHello *hello, char **ret_problem)
{
	_cleanup_catalog_ Catalog *catalog = NULL;
	const RecordCaps caps = crew_caps(crew->setup.config);
	int r;

	if (crew->catalog)
		return catalog_matches(crew->catalog, hello) ? 0 : -EBADMSG;
	r = catalog_new(hello, &caps, &catalog, ret_problem);
	if (r >= 0)
		r = catalog_count(catalog, crew->setup.metrics);
	if (r >= 0)
		r = modules_save(crew->home, catalog, crew->module.path);
	if (r < 0)
		return r;
	crew->catalog = take_ptr(catalog);
	crew->setup.queue->catalog = crew->catalog;
	return 0;
}

static void on_guest_hello(Crew *crew, CrewGuest *guest, const OrderHello *hello, Hand *hand)
{
	if (hello->error_size == 0 && catalog_matches(guest->note.catalog, hello)) {
		guest->deaths = 0;
		if (!crew->barren)
			crew->failures = 0;
		return;
	}
	hand_kill(hand);
	crew_guest_fail(crew, guest,
			hello->error_size > 0
				? crew_sentence("%s: %.*s", guest->path, (int)hello->error_size, hello->error)
				: crew_sentence("%s is not build %s of module %s", guest->path,
						guest->note.catalog->build_id, guest->note.catalog->spec->module));
}

static void on_hello(Hand *hand, const OrderHello *hello, void *context)
{
	Crew *crew = context;
	CrewGuest *guest = crew_guest_of(crew, &crew->spare_identity);
	char *problem = NULL;
	int r;

	if (crew->spare_is_next) {
		crew_next_hello(crew, hello);
		return;
	}
	if (guest) {
		on_guest_hello(crew, guest, hello, hand);
		return;
	}
	if (hello->error_size > 0) {
		hand_leave(hand);
		crew_fail(crew,
			  crew_sentence("module %s: %.*s", crew->module.path, (int)hello->error_size, hello->error));
		return;
	}
	r = crew_learn(crew, hello, &problem);
	if (r < 0) {
		hand_kill(hand);
		crew_fail(crew, crew_sentence("module %s: %s", crew->module.path,
					      problem         ? problem
					      : r == -EBADMSG ? "another spec or build than the first worker's"
							      : strerror(-r)));
		free(problem);
		return;
	}
	crew->spare_identity = crew->catalog->identity;
	if (crew->problem)
		log_notice("module %s: can be used again", crew->module.path);
	free(crew->problem);
	crew->problem = NULL;
	if (!crew->barren)
		crew->failures = 0;
}

static void on_nonsense(Hand *hand, void *context)
{
	Crew *crew = context;

	hand_kill(hand);
	crew_fail(crew, crew_sentence("module %s: the worker ended or closed its channel before it was ready (a "
				      "constructor or ryuso_module_open() may have crashed or exited)",
				      crew_spare_path(crew)));
}

static void on_doorbell(Hand *hand, void *context)
{
	Crew *crew = context;

	if (hand == crew->active)
		crew_read(crew);
}

static void on_broken(Hand *hand, void *context)
{
	Crew *crew = context;

	if (hand == crew->active)
		crew_tire(crew);
	else
		hand_kill(hand);
}

static void on_line(Hand *hand, int priority, const char *text, size_t size, void *context)
{
	Crew *crew = context;

	trace_output(crew->setup.trace, hand == crew->active ? crew->current : NULL, hand->pid, priority, text, size);
}

static const HandEvents hand_events = {
	.on_hello = on_hello,
	.on_nonsense = on_nonsense,
	.on_doorbell = on_doorbell,
	.on_broken = on_broken,
	.on_line = on_line,
};

static int crew_spawn(Crew *crew, int module_fd)
{
	const CrewLimits limits = crew->spare_is_next ? crew->next->limits : crew_limits(crew->setup.config);
	char pool[48], notes[48], rectified[48], memory[48];
	char *const arguments[] = { (char *)"ryuso-worker", pool, notes, rectified, memory, NULL };
	const HandSetup setup = {
		.poller = crew->setup.poller,
		.events = &hand_events,
		.context = crew,
		.program = crew->setup.worker,
		.arguments = arguments,
		.module_fd = module_fd,
		.recorder_fd = crew->recorder.fd,
		.tree_fd = crew->tree_fd,
	};

	snprintf(pool, sizeof(pool), "--pool-max=%" PRIu64, limits.caps.pool);
	snprintf(notes, sizeof(notes), "--notes-max=%" PRIu64, limits.caps.notes);
	snprintf(rectified, sizeof(rectified), "--rectified-max=%" PRIu64, limits.caps.rectified);
	snprintf(memory, sizeof(memory), "--memory=%" PRIu64, limits.memory);
	return hand_new(&setup, &crew->spare);
}

/* The module that is wanted next: a descriptor of its file, borrowed. */
static int crew_choose_module(Crew *crew)
{
	/* while a run of another build is carried on, the module in use says what it is */
	Id wanted = crew->active && !crew->catalog ? (Id){ 0 } : crew_wanted(crew);
	CrewGuest *guest = crew_guest_of(crew, &wanted);
	char *problem = NULL;
	int r;

	crew->spare_is_next = crew_next_is_due(crew);
	crew->spare_identity = crew->spare_is_next ? (Id){ 0 } : wanted;
	if (crew->spare_is_next)
		return crew->next->module.fd;
	if (guest) {
		r = crew_guest_open(guest, &problem);
		if (r < 0)
			crew_guest_fail(crew, guest, problem);
		return r;
	}
	if (crew->module.fd >= 0)
		return crew->module.fd;
	crew_module_done(&crew->module);
	r = crew_open_module(crew, crew->setup.config, &crew->module, &problem);
	if (r < 0) {
		crew_fail(crew, problem ? problem : crew_sentence("cannot open the module: %s", strerror(-r)));
		return r;
	}
	return crew->module.fd;
}

void crew_start_spare(Crew *crew)
{
	int fd, r;

	if (crew->spare || !crew->directory || crew->recorder.renewing ||
	    (!crew_next_is_due(crew) && clock_monotonic() < crew->retry_at_usec))
		return;
	fd = crew_choose_module(crew);
	if (fd < 0)
		return;
	r = crew_spawn(crew, fd);
	if (r < 0) {
		crew_fail(crew, crew_sentence("cannot start %s: %s", crew->setup.worker, strerror(-r)));
		return;
	}
	crew->n_started++;
}
