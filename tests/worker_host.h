/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plays the daemon for a real ryuso-worker: gives it its descriptors, sends orders, reads the recorder and what hooks
 * print. RYUSO_WORKER is the program, RYUSO_TEST_MODULES the folder of the modules built for tests. */
#pragma once

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "run/order.h"

#define HOST_RECORDER_SIZE (8U << 20)
#define HOST_NUMBER 0x1234567U
#define HOST_ROUND_MSEC 5
#define HOST_PATIENCE_USEC (60 * USEC_PER_SEC)

typedef struct Host {
	pid_t pid;
	int channel, doorbell, output;
	int recorder;
	RecordFile file;
	size_t offset; /* of the next record that was not looked at yet */
	uint64_t sequence;
	size_t start; /* offset of the last START */
	uint64_t rings;
	Buffer printed; /* all that came over the pipe; NUL-terminated by host_printed() */
	const char *module, *breaks;
	const char *program; /* NULL: as RYUSO_WORKER says */
	const char *undo;    /* how the test module's rectifier behaves: "fail", "stop"; or NULL */
	bool silent;         /* its output goes nowhere, so that nobody is woken to read it */
	const char *options[4];
} Host;

static inline const char *host_setting(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value ? value : otherwise;
}

static inline int host_open_module(const char *name)
{
	char path[512];
	int fd;

	if (strchr(name, '/'))
		snprintf(path, sizeof(path), "%s", name);
	else
		snprintf(path, sizeof(path), "%s/%s.so", host_setting("RYUSO_TEST_MODULES", "tests/modules"), name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_msg(fd >= 0, "%s: %s; RYUSO_TEST_MODULES says where the modules are", path, strerror(errno));
	return fd;
}

/** \brief A recorder of \p size bytes in memory. */
static inline int host_recorder(size_t size, RecordFile *ret)
{
	int fd = memfd_create("recorder", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, (off_t)size), 0);
	ret->size = size;
	ret->base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(ret->base, MAP_FAILED);
	record_page_init(ret, HOST_NUMBER, &(RecordPlace){ .inode = 1 });
	return fd;
}

static inline _Noreturn void host_exec(const Host *host, const int fds[static ORDER_FD_COUNT])
{
	const char *program = host->program ? host->program : host_setting("RYUSO_WORKER", "./ryuso-worker");
	const char *arguments[ELEMENTSOF(host->options) + 2] = { program };
	int high[ORDER_FD_COUNT];

	for (size_t i = 0; i < ELEMENTSOF(host->options); i++)
		arguments[i + 1] = host->options[i];
	for (int fd = 0; fd < ORDER_FD_COUNT; fd++)
		high[fd] = fcntl(fds[fd], F_DUPFD_CLOEXEC, 100);
	for (int fd = 0; fd < ORDER_FD_COUNT; fd++)
		dup2(high[fd], fd);
	if (host->breaks)
		setenv("RYUSO_TEST_BREAK", host->breaks, 1);
	if (host->undo)
		setenv("RYUSO_TEST_UNDO", host->undo, 1);
	execv(program, (char *const *)arguments);
	fprintf(stderr, "%s: %s; RYUSO_WORKER says where it is\n", program, strerror(errno));
	_exit(127);
}

/** \brief Starts a worker on the recorder that is there. */
static inline void host_start(Host *host)
{
	int pair[2], output[2], null = open("/dev/null", O_RDWR | O_CLOEXEC), module = host_open_module(host->module);

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	ck_assert_int_eq(pipe2(output, O_CLOEXEC), 0);
	host->doorbell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	host->pid = fork();
	if (host->pid == 0)
		host_exec(host, (const int[]){ null, host->silent ? null : output[1], output[1], pair[1],
					       host->doorbell, module, host->recorder, null });
	ck_assert_int_gt(host->pid, 0);
	close(pair[1]);
	close(output[1]);
	close(null);
	close(module);
	host->channel = pair[0];
	host->output = output[0];
	fcntl(host->output, F_SETFL, O_NONBLOCK);
}

static inline void host_init(Host *host, const char *module)
{
	*host = (Host){ .module = module, .offset = RECORD_PAGE_SIZE, .sequence = 1 };
	host->recorder = host_recorder(HOST_RECORDER_SIZE, &host->file);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

/** \brief Reads what was printed so far. */
static inline void host_read_output(Host *host)
{
	ssize_t n;

	do {
		uint8_t *at = buffer_reserve(&host->printed, 4096);

		n = read(host->output, at, 4096);
		host->printed.size += n > 0 ? (size_t)n : 0;
	} while (n > 0);
}

/** \brief What was printed so far, as text. */
static inline const char *host_printed(Host *host)
{
	host_read_output(host);
	*buffer_reserve(&host->printed, 1) = '\0';
	return (const char *)host->printed.data;
}

/* One look at everything that the worker may have done; waits a moment where that is nothing. */
static inline void host_round(Host *host)
{
	struct pollfd fds[] = {
		{ .fd = host->doorbell, .events = POLLIN },
		{ .fd = host->output, .events = POLLIN },
	};
	uint64_t rings;

	poll(fds, ELEMENTSOF(fds), HOST_ROUND_MSEC);
	if (read(host->doorbell, &rings, sizeof(rings)) == (ssize_t)sizeof(rings))
		host->rings += rings;
	host_read_output(host);
}

/** \brief The worker's hello; the frame is kept in \p frame. -ECONNRESET where it died before. */
static inline int host_hello(Host *host, Buffer *frame, OrderHello *ret)
{
	Order order;
	ssize_t n;

	for (;;) {
		uint8_t *at = buffer_reserve(frame, 65536);

		n = recv(host->channel, at, 65536, 0);
		if (n <= 0) {
			host_read_output(host);
			return -ECONNRESET;
		}
		frame->size += (size_t)n;
		if (order_read(frame->data, frame->size, &order) == 0)
			break;
	}
	ck_assert_int_eq(order_decode_hello(&order, ret), 0);
	return 0;
}

static inline void host_send(Host *host, const Buffer *orders)
{
	ck_assert_int_eq(buffer_error(orders), 0);
	ck_assert_int_eq(send(host->channel, orders->data, orders->size, MSG_NOSIGNAL), (ssize_t)orders->size);
}

static inline bool host_has_record(const Host *host, Record *ret)
{
	uint64_t tail = atomic_load(&record_page(&host->file)->tail);

	return host->offset < tail &&
	       record_read(host->file.base, tail, host->offset, HOST_NUMBER, host->sequence, ret) == 0;
}

static inline bool host_is_alive(const Host *host)
{
	siginfo_t info = { 0 };

	return waitid(P_PID, (id_t)host->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0;
}

/** \brief The next record; false where the worker has ended without one. */
static inline bool host_next(Host *host, Record *ret)
{
	uint64_t until = clock_monotonic() + HOST_PATIENCE_USEC;

	while (!host_has_record(host, ret)) {
		bool alive = host_is_alive(host);

		ck_assert_msg(clock_monotonic() < until, "no record came");
		host_round(host);
		if (!alive && !host_has_record(host, ret))
			return false;
	}
	host->start = ret->kind == RECORD_START ? host->offset : host->start;
	host->offset += ret->size;
	host->sequence++;
	return true;
}

/** \brief Waits for the worker's end; its status as of waitpid(). What fell to this process is killed. */
static inline int host_reap(Host *host)
{
	int status, other;

	while (host_is_alive(host))
		host_round(host);
	waitpid(host->pid, &status, 0);
	host_read_output(host);
	close(host->channel);
	close(host->doorbell);
	close(host->output);
	host->channel = -1;
	while (waitpid(-1, &other, WNOHANG) > 0)
		;
	return status;
}

/** \brief Ends the channel, and reaps: the way in which a worker ends in good order. */
static inline int host_end(Host *host)
{
	shutdown(host->channel, SHUT_RDWR);
	return host_reap(host);
}

static inline void host_done(Host *host)
{
	if (host->channel >= 0)
		host_end(host);
	munmap(host->file.base, host->file.size);
	close(host->recorder);
	buffer_done(&host->printed);
}
