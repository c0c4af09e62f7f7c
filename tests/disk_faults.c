/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A library to be preloaded into ryusod and its workers: the n-th call of a kind fails in one of them, once. $DISK_FAULTS
 * names the file that says which, made and read by tests/faults.py, mapped by all. Writes and names count below
 * $DISK_ROOT alone, allocations and syncs everywhere. Where a process crashes, that is noted, with a backtrace. */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PLAN_MAGIC 0x544C4146U
#define STACKS_MAX (1U << 18)
#define DEPTH 14
#define OWN_FRAMES 2
#define DEPTH_TOLD 24
#define PATH_SIZE 4096
#define SHORT 1000U /* for an errno: half of it is written */

typedef enum Kind {
	KIND_WRITE,
	KIND_NAME, /* a file is made, renamed, linked, removed */
	KIND_SYNC,
	KIND_ALLOCATION,
	KIND_SEND,
	KIND_MAX,
} Kind;

typedef enum Side {
	SIDE_DAEMON,
	SIDE_WORKER,
	SIDE_OTHER,
} Side;

typedef struct Plan {
	uint32_t magic, side, kind, error;
	_Atomic uint64_t number; /* of the call that fails, from 1; 0: none */
	_Atomic uint64_t armed;  /* 0: nothing is counted */
	_Atomic uint64_t hits, crashes, recording;
	_Atomic uint64_t asked[2][KIND_MAX];
	_Atomic uint64_t stacks[STACKS_MAX]; /* of the calls of that kind on that side: who made them */
} Plan;

static Plan *plan;
static const char *root;
static size_t root_size;
static Side own_side = SIDE_OTHER;
static pid_t own_pid;
static __thread bool inside; /* what we call ourselves does not count */

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *at, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

/* For people, who have addr2line(1). */
static void tell_place(const char *what)
{
	void *frames[DEPTH_TOLD];

	dprintf(STDERR_FILENO, "%s:\n", what);
	backtrace_symbols_fd(frames, backtrace(frames, DEPTH_TOLD), STDERR_FILENO);
}

static void on_crash(int number)
{
	atomic_fetch_add(&plan->crashes, 1);
	tell_place(strsignal(number));
	signal(number, SIG_DFL);
	raise(number);
}

static void __attribute__((constructor)) start(void)
{
	static const int crashes[] = { SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL };
	const char *path = getenv("DISK_FAULTS");
	void *frames[4], *mapped;
	int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0) : -1;

	if (fd < 0)
		return;
	mapped = (void *)syscall(SYS_mmap, NULL, sizeof(Plan), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	syscall(SYS_close, fd);
	root = getenv("DISK_ROOT");
	if (mapped == MAP_FAILED || ((Plan *)mapped)->magic != PLAN_MAGIC || !root)
		abort();
	root_size = strlen(root);
	inside = true;
	(void)backtrace(frames, 4); /* it loads a library the first time */
	inside = false;
	own_pid = getpid();
	if (strcmp(program_invocation_short_name, "ryusod") == 0)
		own_side = SIDE_DAEMON;
	else if (strcmp(program_invocation_short_name, "ryuso-worker") == 0)
		own_side = SIDE_WORKER;
	plan = mapped;
	for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
		signal(crashes[i], on_crash);
}

static void note_stack(uint64_t number)
{
	void *frames[DEPTH];
	uint64_t hash = 14695981039346656037U;
	Dl_info info;
	int n;

	if (number > STACKS_MAX)
		return;
	n = backtrace(frames, DEPTH);
	for (int i = OWN_FRAMES; i < n; i++) {
		/* the same wherever it was loaded */
		uint64_t at = (uint64_t)frames[i];

		if (dladdr(frames[i], &info) && info.dli_fbase)
			at -= (uint64_t)info.dli_fbase;
		hash = (hash ^ at) * 1099511628211U;
	}
	atomic_store(&plan->stacks[number - 1], hash);
}

/* 0, or the errno with which this call is to fail, or SHORT. */
static int fault(Kind kind)
{
	uint64_t number;

	if (!plan || own_side == SIDE_OTHER || inside || !atomic_load(&plan->armed))
		return 0;
	number = atomic_fetch_add(&plan->asked[own_side][kind], 1) + 1;
	if (plan->side != own_side || plan->kind != kind)
		return 0;
	inside = true;
	if (atomic_load(&plan->recording))
		note_stack(number);
	if (number == atomic_load(&plan->number))
		tell_place("this fails");
	inside = false;
	if (number != atomic_load(&plan->number))
		return 0;
	atomic_fetch_add(&plan->hits, 1);
	return (int)plan->error;
}

static bool fails(Kind kind)
{
	int error = fault(kind);

	if (error == 0 || error == SHORT)
		return false;
	errno = error;
	return true;
}

static bool is_below(const char *path)
{
	return plan && strncmp(path, root, root_size) == 0;
}

static bool has(int fd)
{
	char link[64], path[PATH_SIZE];
	int error = errno;
	ssize_t n;

	if (!plan)
		return false;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	errno = error;
	if (n < 0)
		return false;
	path[n] = '\0';
	return is_below(path);
}

/* ---- what does not fail ---- */

/* The C library's own look-up of groups does not bear it. */
struct group *getgrnam(const char *name)
{
	struct group *(*next)(const char *) = (struct group * (*)(const char *)) dlsym(RTLD_NEXT, "getgrnam");
	struct group *found;

	inside = true;
	found = next(name);
	inside = false;
	return found;
}

/* ---- what fails ---- */

/* What a test's module does where it can do nothing any more is no crash of ours. */
void abort(void)
{
	Dl_info info;

	if (dladdr(__builtin_return_address(0), &info) && info.dli_fname && strstr(info.dli_fname, "crash"))
		_exit(EXIT_FAILURE);
	raise(SIGABRT);
	_exit(EXIT_FAILURE);
}

void *malloc(size_t size)
{
	return fails(KIND_ALLOCATION) ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return fails(KIND_ALLOCATION) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *at, size_t size)
{
	return fails(KIND_ALLOCATION) ? NULL : __libc_realloc(at, size);
}

void *reallocarray(void *at, size_t n, size_t size)
{
	size_t whole;

	if (__builtin_mul_overflow(n, size, &whole)) {
		errno = ENOMEM;
		return NULL;
	}
	return fails(KIND_ALLOCATION) ? NULL : __libc_realloc(at, whole);
}

void *memalign(size_t alignment, size_t size)
{
	return fails(KIND_ALLOCATION) ? NULL : __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return memalign(alignment, size);
}

int posix_memalign(void **ret, size_t alignment, size_t size)
{
	void *at = memalign(alignment, size);

	if (!at)
		return ENOMEM;
	*ret = at;
	return 0;
}

int fsync(int fd)
{
	return fails(KIND_SYNC) ? -1 : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	return fails(KIND_SYNC) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int msync(void *at, size_t size, int flags)
{
	return fails(KIND_SYNC) ? -1 : (int)syscall(SYS_msync, at, size, flags);
}

static ssize_t do_write(int fd, const void *data, size_t size, off_t offset)
{
	int error = has(fd) ? fault(KIND_WRITE) : 0;

	if (error == SHORT) {
		size = size > 1 ? size / 2 : size;
	} else if (error != 0) {
		errno = error;
		return -1;
	}
	return offset < 0 ? syscall(SYS_write, fd, data, size) : syscall(SYS_pwrite64, fd, data, size, offset);
}

ssize_t write(int fd, const void *data, size_t size)
{
	return do_write(fd, data, size, -1);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
	return do_write(fd, data, size, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset)
{
	return do_write(fd, data, size, offset);
}

int ftruncate(int fd, off_t size)
{
	return has(fd) && fails(KIND_WRITE) ? -1 : (int)syscall(SYS_ftruncate, fd, size);
}

int ftruncate64(int fd, off64_t size)
{
	return ftruncate(fd, size);
}

ssize_t send(int fd, const void *data, size_t size, int flags)
{
	int error = fault(KIND_SEND);

	if (error == SHORT) {
		size = size > 1 ? size / 2 : size;
	} else if (error != 0) {
		errno = error;
		return -1;
	}
	return syscall(SYS_sendto, fd, data, size, flags, NULL, 0);
}

static int do_open(int at, const char *path, int flags, mode_t mode)
{
	if ((flags & O_CREAT) && is_below(path) && fails(KIND_NAME))
		return -1;
	return (int)syscall(SYS_openat, at, path, flags, mode);
}

#define MODE_OF(flags)                                      \
	({                                                  \
		va_list arguments_;                         \
		mode_t mode_ = 0;                           \
                                                            \
		va_start(arguments_, flags);                \
		if (flags & (O_CREAT | O_TMPFILE))          \
			mode_ = va_arg(arguments_, mode_t); \
		va_end(arguments_);                         \
		mode_;                                      \
	})

int open(const char *path, int flags, ...)
{
	return do_open(AT_FDCWD, path, flags, MODE_OF(flags));
}

int open64(const char *path, int flags, ...)
{
	return do_open(AT_FDCWD, path, flags, MODE_OF(flags));
}

int renameat2(int at, const char *from, int to_at, const char *to, unsigned flags)
{
	return is_below(from) && fails(KIND_NAME) ? -1 : (int)syscall(SYS_renameat2, at, from, to_at, to, flags);
}

int rename(const char *from, const char *to)
{
	return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlink(const char *path)
{
	return is_below(path) && fails(KIND_NAME) ? -1 : (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

int link(const char *from, const char *to)
{
	return is_below(to) && fails(KIND_NAME) ? -1 : (int)syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int mkdir(const char *path, mode_t mode)
{
	return is_below(path) && fails(KIND_NAME) ? -1 : (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}
