/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/manager_private.h"

#define CONFIG_PATH RYUSO_SYSCONFDIR "/ryuso/ryuso.conf"
#define WORKER_PATH RYUSO_LIBEXECDIR "/ryuso-worker"

static void on_complaint(void *context, const char *text)
{
	(void)context;
	log_warning("%s", text);
}

static int read_config(Manager *manager)
{
	const char *path = manager->options.config ? manager->options.config : CONFIG_PATH;
	int r;

	config_init(&manager->config);
	r = config_read(&manager->config, path, on_complaint, NULL);
	if (r == -ENOENT && !manager->options.config)
		r = 0;
	if (r < 0) {
		log_error("cannot read the settings in %s: %s; not started", path, strerror(-r));
		return r;
	}
	if (manager->options.module) {
		r = config_set(&manager->config, "Module", manager->options.module);
		if (r < 0)
			log_error("--module: expected a file name, got \"%s\"; not started", manager->options.module);
	}
	return r;
}

static void on_connection(int fd, void *context)
{
	clients_admit(context, fd);
}

static int open_sockets(Manager *manager)
{
	const char *path = manager->options.socket;
	int r;

	listener_init(&manager->listener, &manager->poller, on_connection, &manager->clients);
	r = path ? listener_open(&manager->listener, path) : listener_inherit(&manager->listener);
	if (r > 0 || (r == 0 && path))
		return 0;
	if (r == 0)
		log_error("there is no socket: expected one from systemd (systemctl start ryuso.socket), or --socket; "
			  "not started");
	else if (path)
		log_error("cannot listen at %s: %s; not started", path,
			  r == -EADDRINUSE ? "another process listens there"
			  : r == -EEXIST   ? "there is something that is no socket"
					   : strerror(-r));
	else
		log_error("systemd has handed over what cannot be used: expected listening AF_UNIX stream sockets "
			  "(%s); not started",
			  strerror(-r));
	return r == 0 ? -ENOTCONN : r;
}

static int set_up_parts(Manager *manager)
{
	const char *worker = getenv("RYUSO_WORKER");
	const CrewSetup setup = {
		.poller = &manager->poller,
		.config = &manager->config,
		.instance = manager->options.instance,
		.trace = &manager->trace,
		.queue = &manager->queue,
		.worker = worker && *worker ? worker : WORKER_PATH,
	};
	int r;

	manager->trace = (Trace){ .level = manager->config.trace, .instance = manager->options.instance };
	queue_init(&manager->queue);
	crew_init(&manager->crew, &setup);
	r = clients_init(&manager->clients, &manager->poller, &manager->config);
	if (r < 0)
		return r;
	manager->calls = (Calls){
		.instance = manager->options.instance,
		.crew = &manager->crew,
		.clients = &manager->clients,
		.n_refused = &manager->intake.n_refused,
		.state = manager_state,
		.context = manager,
	};
	manager->clients.on_object = intake_object;
	manager->clients.context = &manager->intake;
	return intake_init(&manager->intake, &manager->config, &manager->crew, &manager->queue, &manager->calls);
}

/* What an earlier daemon left. What it did not finish is kept for those who can look at it. */
static int look_at_remains(Manager *manager)
{
	_cleanup_free_ char *path = store_path(&manager->store, RECORDER_NAME);
	RecorderRemains remains = { 0 };
	char run[ID_TEXT_SIZE];
	int r;

	if (!path)
		return -ENOMEM;
	r = recorder_inspect(path, &remains);
	if (r == -ENOENT || (r == 0 && !remains.damaged && !remains.unfinished))
		return 0;
	if (r < 0)
		return r;
	id_format(&remains.run, run);
	if (remains.unfinished)
		log_line(LOG_CRIT,
			 "run %s of %s had not ended when the last daemon did: steps of it may have taken effect; its "
			 "recorder is kept aside in %s",
			 run, remains.program, manager->store.directory);
	else
		log_line(LOG_CRIT, "%s is no recorder of this version; it is kept aside", path);
	r = recorder_keep_aside(manager->store.directory, remains.unfinished ? "unfinished" : "damaged");
	return r < 0 ? r : 0;
}

static void open_failed(Manager *manager, ErrorCode code, char *message)
{
	if (manager->intake.store_code != code)
		log_error("%s; requests are refused with %s, trying again every second",
			  message ? message : "out of memory", error_name(code));
	intake_set_store(&manager->intake, code, message);
	manager->open_again_usec = clock_monotonic() + MANAGER_STORE_RETRY_USEC;
}

void manager_open(Manager *manager)
{
	const char *directory = manager->store.directory;
	pid_t holder = 0;
	char *message = NULL;
	int r;

	r = manager->store.lock >= 0 ? 0 : store_acquire(&manager->store, &holder);
	if (r == -EBUSY) {
		if (asprintf(&message, "the state directory %s is in use by process %d", directory, (int)holder) < 0)
			message = NULL;
		open_failed(manager, ERROR_STORE_BUSY, message);
		return;
	}
	if (r >= 0)
		r = look_at_remains(manager);
	if (r >= 0)
		r = crew_open(&manager->crew, directory);
	if (r < 0) {
		if (asprintf(&message, "the state directory %s cannot be used: %s", directory, strerror(-r)) < 0)
			message = NULL;
		open_failed(manager, ERROR_STORE_DAMAGED, message);
		return;
	}
	if (manager->intake.store_code != ERROR_NONE)
		log_notice("the state directory %s can be used now", directory);
	intake_set_store(&manager->intake, ERROR_NONE, NULL);
	manager->opened = true;
}

static int set_up_store(Manager *manager)
{
	_cleanup_free_ char *state = options_state(&manager->options);

	return state ? store_init(&manager->store, state) : -ENOMEM;
}

static int set_up_loop(Manager *manager)
{
	int r;

	r = sd_event_default(&manager->event);
	if (r >= 0)
		r = manager_watch(manager);
	if (r >= 0)
		r = poller_init(&manager->poller, manager->event, manager_turn, manager);
	return r;
}

int manager_init(Manager *manager, const Options *options)
{
	int r;

	*manager = (Manager){ .options = *options, .store.lock = -EBADF, .poller.fd = -EBADF };
	queue_init(&manager->queue);
	crew_init(&manager->crew, &(CrewSetup){ 0 });
	r = log_open("ryusod", !isatty(STDERR_FILENO));
	if (r >= 0)
		r = read_config(manager);
	if (r < 0)
		return r;
	r = prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L) < 0 ? -errno : 0;
	if (r >= 0)
		r = set_up_loop(manager);
	if (r >= 0)
		r = set_up_parts(manager);
	if (r >= 0)
		r = set_up_store(manager);
	if (r < 0) {
		log_error("cannot set up: %s; not started", strerror(-r));
		return r;
	}
	r = open_sockets(manager);
	if (r < 0)
		return r;
	log_start();
	sd_notify(0, "READY=1");
	manager_open(manager);
	return 0;
}

void manager_done(Manager *manager)
{
	bool unfinished = manager->crew.current != NULL;

	clients_done(&manager->clients);
	listener_done(&manager->listener);
	if (!unfinished)
		recorder_remove(&manager->crew.recorder);
	queue_done(&manager->queue);
	crew_done(&manager->crew);
	intake_done(&manager->intake);
	store_done(&manager->store);
	poller_done(&manager->poller);
	sd_event_source_disable_unref(manager->clock);
	sd_event_source_disable_unref(manager->later);
	sd_event_source_disable_unref(manager->idle);
	sd_event_unref(manager->event);
	config_done(&manager->config);
	log_close();
}
