/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The file that RYUSO_POINTS names, made by a test (zeros but for magic and version), mapped MAP_SHARED by ryusod and by
 * its workers. Sides: 0 the daemon, 1 the workers (all of them count as one). Offsets, native byte order:
 *
 *     0  u32     magic "RPNT"
 *     4  u32     version, 1
 *     8  u32[2]  pid of the daemon, and of the worker that is killed: the active one, as point_worker() says
 *    16  u64[2]  points that each side has reached so far
 *    32  u64[2]  the same at the moment when the first order hit
 *    48  u64     orders that have hit
 *    56  2 orders of 16 bytes: u32 side, u32 what, u64 number (0: none). The first hits at the number-th point of its
 *                side; the second is armed by that, and counts from there
 *                what: 1 kill the worker, 2 the daemon, 3 both, 4 stop both (SIGSTOP)
 *    88  3 faults of 48 bytes ("sync", "write", "allocation"): u32 side, u32 errno, u32 for good (that one, and all
 *                behind it), u32 unused, u64 number of the one that fails (0: none), u64[2] asked for so far by each
 *                side, u64 those that have failed
 *   232  u64     entries that were ever written into the log
 *   240  4096 entries of 48 bytes, entry n at n modulo 4096: u64 number, u32 side, u32 pid, char[32] name with its NUL
 * 196848  2 filters of 40 bytes, one for each order: u64 points counted by it, char[32] name. Where a name stands there,
 *                only points of that name count for the order, from the moment when it is armed: how often a process has
 *                turned idly then makes no difference
 *
 * Only the processes that called point_init() count, nothing that they fork. Whoever kills another waits until it is
 * dead; of both, it goes last itself. */
#include "base/point.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/io.h"

#define POINT_MAGIC 0x544E5052U
#define POINT_VERSION 1U
#define POINT_NAME_SIZE 32U
#define POINT_LOG_MAX 4096U
#define POINT_ORDERS 2U
#define POINT_DEATH_MSEC 10000

typedef enum PointWhat {
	POINT_NOTHING,
	POINT_KILL_WORKER,
	POINT_KILL_DAEMON,
	POINT_KILL_BOTH,
	POINT_STOP,
} PointWhat;

typedef struct PointOrder {
	_Atomic uint32_t side, what;
	_Atomic uint64_t number;
} PointOrder;

typedef struct PointFilter {
	_Atomic uint64_t counted;
	char name[POINT_NAME_SIZE]; /* the test's: nobody changes it */
} PointFilter;

typedef struct PointFault {
	_Atomic uint32_t side, error, for_good, unused;
	_Atomic uint64_t number, asked[POINT_SIDES], hits;
} PointFault;

typedef struct PointEntry {
	_Atomic uint64_t number;
	_Atomic uint32_t side, pid;
	char name[POINT_NAME_SIZE];
} PointEntry;

static const char *const fault_names[] = { "sync", "write", "allocation" };

typedef struct PointFile {
	_Atomic uint32_t magic, version;
	_Atomic uint32_t pids[POINT_SIDES];
	_Atomic uint64_t reached[POINT_SIDES];
	_Atomic uint64_t since[POINT_SIDES];
	_Atomic uint64_t hits;
	PointOrder orders[POINT_ORDERS];
	PointFault faults[ELEMENTSOF(fault_names)];
	_Atomic uint64_t logged;
	PointEntry log[POINT_LOG_MAX];
	PointFilter filters[POINT_ORDERS];
} PointFile;

_Static_assert(offsetof(PointFile, orders) == 56 && sizeof(PointOrder) == 16, "as above");
_Static_assert(offsetof(PointFile, faults) == 88 && sizeof(PointFault) == 48, "as above");
_Static_assert(offsetof(PointFile, log) == 240 && sizeof(PointEntry) == 48, "as above");
_Static_assert(offsetof(PointFile, filters) == 196848 && sizeof(PointFilter) == 40, "as above");

bool points_armed;

static PointFile *file;
static PointSide own_side;
static pid_t own_pid;

static PointFile *map(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDWR | O_CLOEXEC);
	struct stat found;
	void *mapped;

	if (fd < 0 || fstat(fd, &found) < 0)
		return NULL;
	if ((size_t)found.st_size < sizeof(PointFile)) {
		errno = EBADMSG;
		return NULL;
	}
	mapped = mmap(NULL, sizeof(PointFile), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return mapped == MAP_FAILED ? NULL : mapped;
}

void point_init(PointSide side)
{
	const char *path = secure_getenv("RYUSO_POINTS");
	uint32_t nobody = 0;

	if (!path)
		return;
	file = map(path);
	/* A test that asks for crashes and gets none would prove nothing. */
	if (!file || file->magic != POINT_MAGIC || file->version != POINT_VERSION) {
		fprintf(stderr, "RYUSO_POINTS=%s: expected a file of points, version %u, got %s; this process ends\n",
			path, POINT_VERSION, file ? "something else" : strerror(errno));
		_exit(EXIT_FAILURE);
	}
	own_side = side;
	own_pid = getpid();
	if (side == POINT_DAEMON) {
		atomic_store(&file->pids[POINT_DAEMON], (uint32_t)own_pid);
		atomic_store(&file->pids[POINT_WORKER], 0);
	} else {
		atomic_compare_exchange_strong(&file->pids[POINT_WORKER], &nobody, (uint32_t)own_pid);
	}
	points_armed = true;
}

void point_worker(int pid)
{
	if (points_armed)
		atomic_store(&file->pids[POINT_WORKER], (uint32_t)pid);
}

static void log_point(const char *name, uint64_t number)
{
	PointEntry *entry = &file->log[atomic_fetch_add(&file->logged, 1) % POINT_LOG_MAX];

	snprintf(entry->name, sizeof(entry->name), "%s", name);
	atomic_store(&entry->side, own_side);
	atomic_store(&entry->pid, (uint32_t)own_pid);
	atomic_store(&entry->number, number);
}

/* The other one is dead when this returns. */
static void kill_other(pid_t pid)
{
	_cleanup_close_ int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd death = { .fd = fd, .events = POLLIN };

	if (fd < 0)
		return;
	kill(pid, SIGKILL);
	while (poll(&death, 1, POINT_DEATH_MSEC) < 0 && errno == EINTR)
		continue;
}

static void hit(PointWhat what)
{
	pid_t other = (pid_t)atomic_load(&file->pids[own_side == POINT_DAEMON ? POINT_WORKER : POINT_DAEMON]);
	bool own = what == POINT_KILL_BOTH || (what == POINT_KILL_DAEMON) == (own_side == POINT_DAEMON);

	if (what == POINT_NOTHING || what > POINT_STOP)
		return;
	if (what == POINT_STOP) {
		if (other > 0)
			kill(other, SIGSTOP);
		kill(own_pid, SIGSTOP);
		return;
	}
	if (other > 0 && (what == POINT_KILL_BOTH || !own))
		kill_other(other);
	if (own)
		kill(own_pid, SIGKILL);
}

/* Which of the points that count for order \p n this one is, from 1; 0: none. */
static uint64_t count(size_t n, const char *name, uint64_t number)
{
	PointFilter *filter = &file->filters[n];

	if (filter->name[0] == '\0')
		return number - (n == 0 ? 0 : atomic_load(&file->since[own_side]));
	if (strncmp(filter->name, name, sizeof(filter->name) - 1) != 0)
		return 0;
	return atomic_fetch_add(&filter->counted, 1) + 1;
}

/* Whether order \p n, which nobody has met yet, is met by this point. */
static bool meets(size_t n, const char *name, uint64_t number)
{
	const PointOrder *order = &file->orders[n];
	uint64_t wanted = atomic_load(&order->number), unmet = n;

	if (wanted == 0 || atomic_load(&order->side) != (uint32_t)own_side || count(n, name, number) != wanted)
		return false;
	for (int side = 0; n == 0 && side < POINT_SIDES; side++)
		atomic_store(&file->since[side], side == (int)own_side ? number : atomic_load(&file->reached[side]));
	return atomic_compare_exchange_strong(&file->hits, &unmet, unmet + 1);
}

void point_reach(const char *name)
{
	uint64_t number, n;

	if (getpid() != own_pid)
		return;
	number = atomic_fetch_add(&file->reached[own_side], 1) + 1;
	log_point(name, number);
	n = atomic_load(&file->hits);
	if (n < POINT_ORDERS && meets(n, name, number))
		hit((PointWhat)atomic_load(&file->orders[n].what));
}

static int fault_of(PointFault *fault)
{
	uint64_t wanted = atomic_load(&fault->number);
	uint64_t number = atomic_fetch_add(&fault->asked[own_side], 1) + 1;

	if (wanted == 0 || atomic_load(&fault->side) != (uint32_t)own_side || number < wanted)
		return 0;
	if (number > wanted && !atomic_load(&fault->for_good))
		return 0;
	atomic_fetch_add(&fault->hits, 1);
	return (int)atomic_load(&fault->error);
}

int point_fault(const char *what)
{
	if (getpid() != own_pid)
		return 0;
	for (size_t i = 0; i < ELEMENTSOF(fault_names); i++)
		if (strcmp(fault_names[i], what) == 0)
			return fault_of(&file->faults[i]);
	return 0;
}

const char *point_boot_id(void)
{
	return points_armed ? secure_getenv("RYUSO_BOOT_ID") : NULL;
}
