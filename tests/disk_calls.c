/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The calls that change files, in place of those of the C library. Each makes the system call itself and writes down what
 * it has done, all under the lock; a sync alone lets others go on. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "disk_trace.h"

/* ---- names ---- */

typedef struct Found {
	uint64_t inode, born_usec;
} Found;

/* The kernel's word: another library of ours may be loaded that says something else. */
static bool exists(int at, const char *path, Found *ret)
{
	struct statx status;
	int error = errno;
	bool found = syscall(SYS_statx, at, path, AT_SYMLINK_NOFOLLOW, STATX_INO | STATX_BTIME, &status) == 0;

	errno = error;
	if (!found)
		return false;
	*ret = (Found){ .inode = status.stx_ino };
	if (status.stx_mask & STATX_BTIME)
		ret->born_usec = (uint64_t)status.stx_btime.tv_sec * 1000000U + status.stx_btime.tv_nsec / 1000U;
	return true;
}

static void note_entry(const Found *found, const Name *name, bool is_directory)
{
	trace_event(EVENT_CREATE, (uint64_t[4]){ found->inode, name->directory.st_ino, is_directory, found->born_usec },
		    name->name, strlen(name->name));
}

static int do_open(int at, const char *path, int flags, mode_t mode)
{
	bool traced = (flags & (O_CREAT | O_TRUNC)) != 0 && trace_lock();
	Name name = { .name = NULL };
	Found found;
	bool known, there;
	int fd;

	known = traced && trace_name(at, path, &name);
	there = known && exists(at, path, &found);
	fd = (int)syscall(SYS_openat, at, path, flags, mode);
	if (known && fd >= 0 && !there && exists(at, path, &found))
		note_entry(&found, &name, false);
	if (known && fd >= 0 && there && (flags & O_TRUNC))
		trace_event(EVENT_SIZE, (uint64_t[4]){ found.inode, 0 }, NULL, 0);
	if (traced)
		trace_unlock();
	return fd;
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

int openat(int at, const char *path, int flags, ...)
{
	return do_open(at, path, flags, MODE_OF(flags));
}

int openat64(int at, const char *path, int flags, ...)
{
	return do_open(at, path, flags, MODE_OF(flags));
}

int __open_2(const char *path, int flags);
int __open_2(const char *path, int flags)
{
	return do_open(AT_FDCWD, path, flags, 0);
}

int __open64_2(const char *path, int flags);
int __open64_2(const char *path, int flags)
{
	return do_open(AT_FDCWD, path, flags, 0);
}

int creat(const char *path, mode_t mode)
{
	return do_open(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

int mkdir(const char *path, mode_t mode)
{
	bool traced = trace_lock();
	Found found;
	Name name;
	int r;

	r = (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
	if (r == 0 && traced && trace_name(AT_FDCWD, path, &name) && exists(AT_FDCWD, path, &found))
		note_entry(&found, &name, true);
	if (traced)
		trace_unlock();
	return r;
}

static void note_rename(const Found *found, const Name *from, const Name *to, unsigned flags)
{
	char names[512];
	int n = snprintf(names, sizeof(names), "%s%c%s", from->name, '\0', to->name);

	trace_event(EVENT_RENAME, (uint64_t[4]){ found->inode, from->directory.st_ino, to->directory.st_ino, flags },
		    names, (size_t)n);
}

int renameat2(int at, const char *from, int to_at, const char *to, unsigned flags)
{
	bool traced = trace_lock();
	Name old_name, new_name;
	Found found;
	bool known;
	int r;

	known = traced && trace_name(at, from, &old_name) && trace_name(to_at, to, &new_name) &&
		exists(at, from, &found);
	r = (int)syscall(SYS_renameat2, at, from, to_at, to, flags);
	if (r == 0 && known)
		note_rename(&found, &old_name, &new_name, flags);
	if (traced)
		trace_unlock();
	return r;
}

int renameat(int at, const char *from, int to_at, const char *to)
{
	return renameat2(at, from, to_at, to, 0);
}

int rename(const char *from, const char *to)
{
	return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlinkat(int at, const char *path, int flags)
{
	bool traced = trace_lock();
	Found found;
	Name name;
	bool known;
	int r;

	known = traced && trace_name(at, path, &name) && exists(at, path, &found);
	r = (int)syscall(SYS_unlinkat, at, path, flags);
	if (r == 0 && known)
		trace_event(EVENT_UNLINK, (uint64_t[4]){ found.inode, name.directory.st_ino }, name.name,
			    strlen(name.name));
	if (traced)
		trace_unlock();
	return r;
}

int unlink(const char *path)
{
	return unlinkat(AT_FDCWD, path, 0);
}

int linkat(int at, const char *from, int to_at, const char *to, int flags)
{
	bool traced = trace_lock();
	Found found;
	Name name;
	int r;

	r = (int)syscall(SYS_linkat, at, from, to_at, to, flags);
	if (r == 0 && traced && trace_name(to_at, to, &name) && exists(to_at, to, &found))
		note_entry(&found, &name, false);
	if (traced)
		trace_unlock();
	return r;
}

int link(const char *from, const char *to)
{
	return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

/* ---- bytes ---- */

static void note_write(const struct stat *found, uint64_t offset, const void *data, size_t size)
{
	trace_event(EVENT_WRITE, (uint64_t[4]){ found->st_ino, offset }, data, size);
	shadow_write(found->st_ino, offset, data, size);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset)
{
	bool traced = trace_lock();
	struct stat found;
	ssize_t n;

	n = syscall(SYS_pwrite64, fd, data, size, offset);
	if (n > 0 && traced && trace_has(fd, &found))
		note_write(&found, (uint64_t)offset, data, (size_t)n);
	if (traced)
		trace_unlock();
	return n;
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
	return pwrite64(fd, data, size, offset);
}

ssize_t write(int fd, const void *data, size_t size)
{
	bool traced = trace_lock();
	struct stat found;
	ssize_t n;

	n = syscall(SYS_write, fd, data, size);
	if (n > 0 && traced && trace_has(fd, &found))
		note_write(&found, (uint64_t)lseek(fd, 0, SEEK_CUR) - (uint64_t)n, data, (size_t)n);
	if (traced)
		trace_unlock();
	return n;
}

/* As one or more of the above: a caller must bear a short one. */
ssize_t writev(int fd, const struct iovec *parts, int n)
{
	struct stat found;

	return trace_has(fd, &found) && n > 0 ? write(fd, parts[0].iov_base, parts[0].iov_len)
					      : syscall(SYS_writev, fd, parts, n);
}

int ftruncate64(int fd, off64_t size)
{
	bool traced = trace_lock();
	struct stat found;
	int r;

	r = (int)syscall(SYS_ftruncate, fd, size);
	if (r == 0 && traced && trace_has(fd, &found))
		trace_event(EVENT_SIZE, (uint64_t[4]){ found.st_ino, (uint64_t)size }, NULL, 0);
	if (traced)
		trace_unlock();
	return r;
}

int ftruncate(int fd, off_t size)
{
	return ftruncate64(fd, size);
}

static int allocate(int fd, int mode, off_t offset, off_t size)
{
	bool traced = trace_lock();
	struct stat found;
	int r;

	r = (int)syscall(SYS_fallocate, fd, mode, offset, size);
	if (r == 0 && traced && mode == 0 && trace_has(fd, &found))
		trace_event(EVENT_SIZE, (uint64_t[4]){ found.st_ino, (uint64_t)found.st_size }, NULL, 0);
	if (traced)
		trace_unlock();
	return r;
}

int fallocate(int fd, int mode, off_t offset, off_t size)
{
	return allocate(fd, mode, offset, size);
}

int fallocate64(int fd, int mode, off64_t offset, off64_t size)
{
	return allocate(fd, mode, offset, size);
}

int posix_fallocate(int fd, off_t offset, off_t size)
{
	return allocate(fd, 0, offset, size) < 0 ? errno : 0;
}

int posix_fallocate64(int fd, off64_t offset, off64_t size)
{
	return allocate(fd, 0, offset, size) < 0 ? errno : 0;
}

/* ---- mappings ---- */

/* What SQLite shares through memory alone does not outlive the machine. */
static bool is_wanted(int fd, int prot, int flags, struct stat *ret)
{
	char link[64], path[4096];
	ssize_t n;

	if (fd < 0 || !(flags & MAP_SHARED) || !(prot & PROT_WRITE) || !trace_has(fd, ret))
		return false;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path));
	return n < 4 || memcmp(path + n - 4, "-shm", 4) != 0;
}

static void *do_map(void *at, size_t size, int prot, int flags, int fd, off64_t offset)
{
	bool traced = trace_lock();
	struct stat found;
	void *base;

	base = (void *)syscall(SYS_mmap, at, size, prot, flags, fd, offset);
	if (base != MAP_FAILED && traced && is_wanted(fd, prot, flags, &found))
		shadow_map(base, size, found.st_ino, (uint64_t)offset);
	if (traced)
		trace_unlock();
	return base;
}

void *mmap(void *at, size_t size, int prot, int flags, int fd, off_t offset)
{
	return do_map(at, size, prot, flags, fd, offset);
}

void *mmap64(void *at, size_t size, int prot, int flags, int fd, off64_t offset)
{
	return do_map(at, size, prot, flags, fd, offset);
}

int munmap(void *base, size_t size)
{
	bool traced = trace_lock();
	int r;

	if (traced)
		shadow_unmap(base, size);
	r = (int)syscall(SYS_munmap, base, size);
	if (traced)
		trace_unlock();
	return r;
}
