/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Syncs, connections, and looks at the clock, in place of those of the C library. What a sync makes durable is what was
 * there when it began. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "disk_trace.h"

static uint64_t note_begun(uint64_t inode, uint64_t offset, uint64_t size)
{
	uint64_t number = trace_get()->syncs++;

	trace_event(EVENT_SYNC, (uint64_t[4]){ inode, number, offset, size }, NULL, 0);
	return number;
}

static void note_ended(uint64_t inode, uint64_t number)
{
	if (!trace_lock())
		return;
	trace_event(EVENT_SYNCED, (uint64_t[4]){ inode, number }, NULL, 0);
	trace_unlock();
}

static int sync_file(long call, int fd)
{
	struct stat found;
	bool has = trace_lock();
	uint64_t number = 0;
	int r;

	if (has) {
		has = trace_has(fd, &found);
		if (has)
			number = note_begun(found.st_ino, 0, 0);
		trace_unlock();
	}
	r = (int)syscall(call, fd);
	if (r == 0 && has)
		note_ended(found.st_ino, number);
	return r;
}

int fsync(int fd)
{
	return sync_file(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	return sync_file(SYS_fdatasync, fd);
}

int msync(void *base, size_t size, int flags)
{
	uint64_t inode = 0, offset = 0, number = 0;
	bool has = trace_lock();
	int r;

	if (has) {
		has = (flags & MS_SYNC) && size > 0 && shadow_find(base, &inode, &offset);
		if (has)
			number = note_begun(inode, offset, size);
		trace_unlock();
	}
	r = (int)syscall(SYS_msync, base, size, flags);
	if (r == 0 && has)
		note_ended(inode, number);
	return r;
}

static void note_talk(EventKind kind, const void *data, size_t size)
{
	if (!trace_lock())
		return;
	trace_event(kind, (uint64_t[4]){ 0 }, data, size);
	trace_unlock();
}

ssize_t send(int fd, const void *data, size_t size, int flags)
{
	note_talk(EVENT_SENT, data, size);
	return syscall(SYS_sendto, fd, data, size, flags, NULL, 0);
}

ssize_t recv(int fd, void *data, size_t size, int flags)
{
	ssize_t n = syscall(SYS_recvfrom, fd, data, size, flags, NULL, NULL);

	if (n > 0)
		note_talk(EVENT_RECEIVED, data, (size_t)n);
	return n;
}

/* Between two system calls much may be stored: each look at the clock is one at the mappings, too. */
int clock_gettime(clockid_t id, struct timespec *ret)
{
	if (trace_lock())
		trace_unlock();
	return (int)syscall(SYS_clock_gettime, id, ret);
}
