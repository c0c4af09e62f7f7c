/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/point.h"
#include "daemon/descriptors.h"
#include "daemon/manager_private.h"
#include "daemon/module_file.h"

#define WORKER_PATH RYUSO_LIBEXECDIR "/ryuso-worker"

static int read_config(Manager *manager)
{
	const ConfigSetup setup = options_config(&manager->options);
	_cleanup_config_loaded_ ConfigLoaded loaded = { 0 };
	int r;

	r = config_load(&setup, &loaded);
	if (r < 0) {
		log_error("cannot read the settings%s%s: %s; not started", setup.file ? " in " : "",
			  setup.file ? setup.file : "", strerror(-r));
		return r;
	}
	for (size_t i = 0; i < loaded.n_errors; i++)
		log_warning("%s; it is ignored", loaded.errors[i]);
	manager->config = TAKE(loaded.config, (Config){ 0 });
	return 0;
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

static void on_resumed(Run *run, void *context)
{
	Manager *manager = context;

	parking_resumed(&manager->parking, run);
}

static void on_unfit(Run *run, void *context)
{
	Manager *manager = context;

	if (run->state == RUN_BEGUN)
		recovery_park(&manager->recovery, run, manager->crew.recorder.position, ERROR_MODULE_CHANGED,
			      "the build of the module that it began with cannot be loaded any more");
	else
		parking_failed(&manager->parking, run);
}

static void on_damaged(Run *run, size_t end, void *context)
{
	Manager *manager = context;

	recovery_park(&manager->recovery, run, end, ERROR_DAMAGED,
		      "its records are damaged: more of its steps may have taken effect than are known");
}

static void set_up_recovery(Manager *manager)
{
	manager->parking = (Parking){
		.config = &manager->config,
		.directory = manager->store.directory,
		.crew = &manager->crew,
		.queue = &manager->queue,
		.promises = &manager->promises,
		.trace = &manager->trace,
	};
	manager->recovery = (Recovery){
		.config = &manager->config,
		.store = &manager->store,
		.crew = &manager->crew,
		.queue = &manager->queue,
		.promises = &manager->promises,
		.outcomes = &manager->outcomes,
		.parking = &manager->parking,
		.intake = &manager->intake,
		.trace = &manager->trace,
	};
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
		.outcomes = &manager->outcomes,
		.metrics = &manager->metrics,
		.worker = worker && *worker ? worker : WORKER_PATH,
		.events = {
			.on_resumed = on_resumed,
			.on_unfit = on_unfit,
			.on_damaged = on_damaged,
			.context = manager,
		},
	};
	int r;

	manager->trace = (Trace){
		.level = manager->config.trace,
		.instance = manager->options.instance,
		.user = manager->options.user,
	};
	queue_init(&manager->queue);
	promises_init(&manager->promises, &manager->config, &manager->queue);
	crew_init(&manager->crew, &setup);
	outcomes_init(&manager->outcomes, &manager->crew.recorder, &manager->promises, &manager->trace);
	set_up_recovery(manager);
	r = clients_init(&manager->clients, &manager->poller, &manager->config);
	if (r < 0)
		return r;
	manager->calls = (Calls){
		.instance = manager->options.instance,
		.crew = &manager->crew,
		.parking = &manager->parking,
		.reload = &manager->reload,
		.clients = &manager->clients,
		.metrics = &manager->metrics,
		.n_refused = &manager->intake.n_refused,
		.state = manager_state,
		.context = manager,
	};
	r = calls_init(&manager->calls);
	if (r < 0)
		return r;
	manager->clients.metrics = &manager->metrics;
	manager->clients.users = &manager->users;
	manager->clients.on_object = intake_object;
	manager->clients.context = &manager->intake;
	r = intake_init(&manager->intake, &manager->config, &manager->crew, &manager->queue, &manager->calls);
	manager->intake.promises = &manager->promises;
	manager->intake.users = &manager->users;
	manager_set_up_reload(manager);
	return r;
}

static void open_failed(Manager *manager, ErrorCode code, uint64_t again_usec, char *message)
{
	bool news = manager->intake.store_code != code;

	if (news && code == ERROR_STORE_DAMAGED)
		trace_store(&manager->trace, message ? message : "the state directory cannot be used: out of memory");
	else if (news)
		log_error("%s; requests are refused with %s, tried again until it can be used",
			  message ? message : "out of memory", error_name(code));
	intake_set_store(&manager->intake, code, message);
	manager->open_again_usec = clock_monotonic() + again_usec;
}

static char *sentence(const char *format, ...) _printf_(1, 2);
static char *sentence(const char *format, ...)
{
	va_list arguments;
	char *text;
	int n;

	va_start(arguments, format);
	n = vasprintf(&text, format, arguments);
	va_end(arguments);
	return n < 0 ? NULL : text;
}

/* The locks: of the directory, and of what an earlier daemon's workers started. 0: they are ours. */
static int open_locks(Manager *manager)
{
	Store *store = &manager->store;
	pid_t holder = 0;
	int r;

	r = store->lock >= 0 ? 0 : store_acquire(store, &holder);
	if (r == -EBUSY) {
		open_failed(manager, ERROR_STORE_BUSY, MANAGER_STORE_RETRY_USEC,
			    sentence("the state directory %s is in use by process %d", store->directory, (int)holder));
		return r;
	}
	if (r >= 0 && store->tree < 0)
		r = store_acquire_tree(store);
	if (r == -EAGAIN) {
		open_failed(manager, ERROR_RECOVERING, MANAGER_TREE_RETRY_USEC,
			    sentence("something that a worker of an earlier daemon started is still alive"));
		return r;
	}
	if (r < 0)
		open_failed(manager, ERROR_STORE_DAMAGED, MANAGER_STORE_RETRY_USEC,
			    sentence("the state directory %s cannot be used: %s", store->directory, strerror(-r)));
	return r;
}

static void on_ledger(Watch *watch, uint32_t events)
{
	Manager *manager = watch_owner_at(watch, Manager, ledger_watch);

	(void)events;
	promises_dispatch(&manager->promises);
}

static void on_recorder(Watch *watch, uint32_t events)
{
	Manager *manager = watch_owner_at(watch, Manager, recorder_watch);

	(void)events;
	recorder_dispatch(&manager->crew.recorder);
}

static int watch_threads(Manager *manager)
{
	int r;

	manager->ledger_watch = (Watch){ .fd = promises_fd(&manager->promises), .on_ready = on_ledger };
	manager->recorder_watch = (Watch){ .fd = recorder_event_fd(&manager->crew.recorder), .on_ready = on_recorder };
	r = poller_add(&manager->poller, &manager->ledger_watch, EPOLLIN);
	return r < 0 ? r : poller_add(&manager->poller, &manager->recorder_watch, EPOLLIN);
}

/* The loop does not turn while the store is read, however long that takes. */
static int recover(Manager *manager, char **ret_problem)
{
	bool watched = sd_event_get_watchdog(manager->event) > 0;
	int r;

	if (watched)
		notify_extend(MANAGER_START_USEC);
	r = recovery_open(&manager->recovery, ret_problem);
	if (watched)
		notify_alive();
	return r;
}

void manager_open(Manager *manager)
{
	_cleanup_free_ char *problem = NULL;
	int r;

	if (open_locks(manager) < 0)
		return;
	r = recover(manager, &problem);
	if (r >= 0)
		r = watch_threads(manager);
	if (r < 0) {
		open_failed(manager, ERROR_STORE_DAMAGED, MANAGER_STORE_RETRY_USEC,
			    problem ? take_ptr(problem)
				    : sentence("the state directory %s cannot be used: %s", manager->store.directory,
					       strerror(-r)));
		return;
	}
	if (manager->intake.store_code != ERROR_NONE) {
		log_notice("the state directory %s can be used now", manager->store.directory);
		/* whoever was told so before is not to hear that there is no module, while the first worker starts */
		intake_set_store(&manager->intake, ERROR_RECOVERING,
				 sentence("the daemon is starting its first worker"));
	}
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

	*manager = (Manager){
		.options = *options,
		.store = { .lock = -EBADF, .tree = -EBADF },
		.poller.fd = -EBADF,
	};
	/* what is large goes back to the system at once, and leaves no holes */
	(void)mallopt(M_MMAP_THRESHOLD, MANAGER_LARGE_SIZE);
	point_init(POINT_DAEMON);
	metrics_init(&manager->metrics);
	queue_init(&manager->queue);
	crew_init(&manager->crew, &(CrewSetup){ 0 });
	r = log_open("ryusod", !isatty(STDERR_FILENO));
	if (r >= 0)
		r = read_config(manager);
	if (r < 0)
		return r;
	r = descriptors_raise();
	if (r < 0)
		log_notice("the limit of descriptors cannot be raised: %s; it stays as it is", strerror(-r));
	r = prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L) < 0 ? -errno : 0;
	if (manager->options.user)
		module_prefer(manager->options.modules);
	if (r >= 0)
		r = set_up_loop(manager);
	if (r >= 0)
		r = set_up_store(manager);
	if (r >= 0)
		r = set_up_parts(manager);
	if (r < 0) {
		log_error("cannot set up: %s; not started", strerror(-r));
		return r;
	}
	r = open_sockets(manager);
	if (r < 0)
		return r;
	log_start();
	notify_ready();
	manager_open(manager);
	return 0;
}

/* Whether a later daemon must look at the store without being asked to: the recorder's file says so. */
static bool is_unfinished(const Manager *manager)
{
	return manager->crew.n_ordered > 0 || outcomes_pending(&manager->outcomes) ||
	       manager->promises.n_submitted > 0 || manager->queue.n > 0 || manager->parking.again ||
	       manager->crew.damaged || !manager->opened;
}

void manager_done(Manager *manager)
{
	bool unfinished;

	clients_done(&manager->clients);
	listener_done(&manager->listener);
	poller_remove(&manager->poller, &manager->ledger_watch);
	poller_remove(&manager->poller, &manager->recorder_watch);
	promises_close(&manager->promises);
	unfinished = is_unfinished(manager);
	if (!unfinished)
		recorder_remove(&manager->crew.recorder);
	outcomes_done(&manager->outcomes);
	queue_done(&manager->queue);
	crew_done(&manager->crew);
	reload_done(&manager->reload);
	recovery_done(&manager->recovery);
	promises_done(&manager->promises);
	calls_done(&manager->calls);
	intake_done(&manager->intake);
	store_done(&manager->store);
	metrics_done(&manager->metrics);
	poller_done(&manager->poller);
	sd_event_source_disable_unref(manager->clock);
	sd_event_source_disable_unref(manager->later);
	sd_event_source_disable_unref(manager->idle);
	sd_event_source_disable_unref(manager->rest.source);
	sd_event_unref(manager->event);
	config_done(&manager->config);
	log_close();
}
