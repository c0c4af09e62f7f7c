/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "disk_trace.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PATH_SIZE 4096

static Trace *trace;
static const char *root;
static size_t root_size;

static void give_up(const char *what)
{
	fprintf(stderr, "the trace of the disk: %s: %s; this process ends\n", what, strerror(errno));
	_exit(EXIT_FAILURE);
}

/* Nobody can say when others die: whoever finds the owner dead takes over. */
static void make_lock(void)
{
	pthread_mutexattr_t attributes;
	uint32_t nobody = 0;

	if (atomic_compare_exchange_strong(&trace->ready, &nobody, 1)) {
		pthread_mutexattr_init(&attributes);
		pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
		pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
		pthread_mutex_init(&trace->mutex, &attributes);
		atomic_store(&trace->ready, 2);
	}
	while (atomic_load(&trace->ready) != 2)
		sched_yield();
}

static void __attribute__((constructor)) start(void)
{
	const char *path = getenv("DISK_TRACE");
	struct stat found;
	void *mapped;
	int fd;

	root = getenv("DISK_ROOT");
	if (!path || !root)
		return;
	root_size = strlen(root);
	fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
	if (fd < 0 || fstat(fd, &found) < 0)
		give_up(path);
	mapped = (void *)syscall(SYS_mmap, NULL, found.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mapped == MAP_FAILED || ((Trace *)mapped)->magic != TRACE_MAGIC)
		give_up(path);
	close(fd);
	trace = mapped;
	make_lock();
}

Trace *trace_get(void)
{
	return trace;
}

void *trace_place(uint64_t offset)
{
	return (uint8_t *)trace + offset;
}

bool trace_lock(void)
{
	int error = errno;

	if (!trace)
		return false;
	if (pthread_mutex_lock(&trace->mutex) == EOWNERDEAD)
		pthread_mutex_consistent(&trace->mutex);
	shadow_look();
	errno = error;
	return true;
}

void trace_unlock(void)
{
	int error = errno;

	pthread_mutex_unlock(&trace->mutex);
	errno = error;
}

void trace_event(EventKind kind, const uint64_t *numbers, const void *data, size_t size)
{
	size_t whole = sizeof(Event) + (size + 7) / 8 * 8;
	Event *event = trace_place(trace->log);

	if (trace->log_end - trace->log < whole) {
		trace->lost++;
		return;
	}
	event->kind = kind;
	event->pid = (uint32_t)getpid();
	event->data_size = (uint32_t)size;
	memcpy(event->numbers, numbers, sizeof(event->numbers));
	if (size > 0)
		memcpy(event + 1, data, size);
	event->size = (uint32_t)whole;
	trace->log += whole;
}

static bool is_below(const char *path)
{
	return strncmp(path, root, root_size) == 0 && (path[root_size] == '/' || path[root_size] == '\0');
}

static bool path_of(int fd, char *path)
{
	char link[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, PATH_SIZE - 1);
	if (n < 0)
		return false;
	path[n] = '\0';
	return true;
}

bool trace_has(int fd, struct stat *ret)
{
	char path[PATH_SIZE];
	int error = errno;
	bool has = path_of(fd, path) && is_below(path) && fstat(fd, ret) == 0;

	errno = error;
	return has;
}

static bool whole_path(int at, const char *path, char *ret)
{
	size_t size = 0;

	if (path[0] != '/' && at == AT_FDCWD) {
		if (!getcwd(ret, PATH_SIZE))
			return false;
	} else if (path[0] != '/' && !path_of(at, ret)) {
		return false;
	}
	if (path[0] != '/')
		size = strlen(ret);
	return snprintf(ret + size, PATH_SIZE - size, "%s%s", path[0] == '/' ? "" : "/", path) <
	       (int)(PATH_SIZE - size);
}

bool trace_name(int at, const char *path, Name *ret)
{
	char whole[PATH_SIZE], *slash;
	int error = errno;
	bool has = false;

	if (whole_path(at, path, whole) && is_below(whole) && strlen(whole) > root_size) {
		slash = strrchr(whole, '/');
		*slash = '\0';
		has = stat(whole, &ret->directory) == 0;
		ret->name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	}
	errno = error;
	return has;
}
