/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ryuso-worker with a disk of the test's own: the test program is started again as the worker, msync() is its own, and
 * what the worker syncs and the test module's hooks reach stands, in order, in a log that both sides have mapped. To be
 * included by one file, whose main() DOUBLE_MAIN() is. */
#pragma once

#include <dlfcn.h>

#include <ryuso/hook.h>

#include "check_main.h"
#include "worker/worker.h"
#include "worker_room.h"

#define DOUBLE_FD 60
#define DOUBLE_EVENTS 1024U
#define DOUBLE_OPTION "--double"

typedef enum DoubleKind {
	DOUBLE_SYNC,
	DOUBLE_CALL,
	DOUBLE_NOTE, /* ryuso_note() has returned 0 */
} DoubleKind;

typedef struct DoubleEvent {
	DoubleKind kind;
	uint64_t from, to; /* of a sync: the range in the recorder */
	bool failed;
	uint64_t durable; /* up to there everything was synced successfully, from the file's beginning */
	unsigned step, attempt;
	bool rectifying;
} DoubleEvent;

typedef struct DoubleLog {
	DoubleEvent events[DOUBLE_EVENTS];
	size_t n, n_syncs;
	size_t fail_first, fail_n; /* the first sync that fails (from 1), how many do; 0: none */
	uint64_t raise_to;         /* not 0: meanwhile the daemon syncs up to there */
	uint64_t durable;
} DoubleLog;

static DoubleLog *double_log;

static inline void double_map(void)
{
	double_log = mmap(NULL, sizeof(*double_log), PROT_READ | PROT_WRITE, MAP_SHARED, DOUBLE_FD, 0);
	if (double_log == MAP_FAILED)
		abort();
}

static inline void double_add(DoubleEvent event)
{
	if (!double_log || double_log->n == DOUBLE_EVENTS)
		abort();
	event.durable = double_log->durable;
	double_log->events[double_log->n++] = event;
}

/* The mapping's first page says so. */
static inline uint8_t *double_base(uint8_t *address)
{
	while (memcmp(address, RECORD_MAGIC, strlen(RECORD_MAGIC)) != 0)
		address -= RECORD_PAGE_SIZE;
	return address;
}

/* A new file comes synced: what was durable is of the old one. */
static inline void double_follow(const RecordPage *page)
{
	static const RecordPage *before;

	if (TAKE(before, page) != page)
		double_log->durable = atomic_load(&page->synced);
}

int msync(void *address, size_t size, int flags)
{
	__typeof__(&msync) real = (__typeof__(real))dlsym(RTLD_NEXT, "msync");
	uint8_t *base = double_base(address);
	RecordPage *page = (RecordPage *)base;
	DoubleEvent event = { .kind = DOUBLE_SYNC, .from = (uint64_t)((uint8_t *)address - base) };
	size_t n = ++double_log->n_syncs;
	int r = -1;

	double_follow(page);
	event.to = event.from + size;
	event.failed =
		flags != MS_SYNC || (n >= double_log->fail_first && n - double_log->fail_first < double_log->fail_n);
	if (event.failed)
		errno = EIO;
	else
		r = real(address, size, flags);
	if (r == 0 && event.from <= double_log->durable)
		double_log->durable = MAX(double_log->durable, event.to);
	if (double_log->raise_to != 0)
		atomic_store(&page->synced, double_log->raise_to);
	double_add(event);
	return r;
}

/* What the test module tells of. */
void play_reached(const char *what, const ryuso_run *run);
void play_reached(const char *what, const ryuso_run *run)
{
	double_add((DoubleEvent){
		.kind = strcmp(what, "note") == 0 ? DOUBLE_NOTE : DOUBLE_CALL,
		.step = ryuso_step(run),
		.attempt = ryuso_attempt(run),
		.rectifying = ryuso_rectifying(run),
	});
}

static inline int double_main(void)
{
	double_map();
	return worker_main(&(WorkerOptions){
		.caps = { .pool = 1U << 16, .notes = 64U << 10, .rectified = 64U << 10 },
	});
}

/** \brief A host whose worker is this program. The log begins anew. */
static inline void double_init(Host *host)
{
	static char program[4096];
	ssize_t size = readlink("/proc/self/exe", program, sizeof(program) - 1);
	int fd = memfd_create("double", 0);

	ck_assert_int_gt(size, 0);
	program[size] = '\0';
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, sizeof(DoubleLog)), 0);
	ck_assert_int_eq(dup2(fd, DOUBLE_FD), DOUBLE_FD);
	close(fd);
	if (double_log)
		munmap(double_log, sizeof(*double_log));
	double_map();
	host_init(host, "play");
	host->program = program;
	host->options[0] = DOUBLE_OPTION;
}

/** \brief Ends it in good order. */
static inline void double_end(Host *host)
{
	ck_assert_int_eq(host_end(host), 0);
	host_done(host);
}

#define DOUBLE_MAIN(noun, ...)                                       \
	int main(int argc, char **argv)                              \
	{                                                            \
		const TTest *const tests[] = { __VA_ARGS__ };        \
                                                                     \
		if (argc > 1 && strcmp(argv[1], DOUBLE_OPTION) == 0) \
			return double_main();                        \
		return check_run(#noun, tests, ELEMENTSOF(tests));   \
	}
