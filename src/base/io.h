/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Descriptors and files. All return negative errno; all retry EINTR. */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/macro.h"

static inline void fd_closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
#define _cleanup_close_ _cleanup_(fd_closep)

/** \brief Closes \p fd if it is one, keeps errno, returns -EBADF. */
int fd_close(int fd);
int fd_nonblock(int fd, bool on);
int fd_cloexec(int fd, bool on);
/** \brief Writes all of it, waiting where it must. */
int write_all(int fd, const void *data, size_t size);
/** \brief Appends the whole file to \p buffer; -EFBIG beyond \p max bytes. */
int read_file(const char *path, size_t max, Buffer *buffer);
int read_fd(int fd, size_t max, Buffer *buffer);
/** \brief Writes a temporary file beside \p path and renames it over it. 1 where it was written; 0 where \p path held
 * these very bytes already and was left alone. */
int write_file_atomic(const char *path, const void *data, size_t size, int mode);
/** \brief Like write_file_atomic(), but -EEXIST, and nothing done, where \p path exists. */
int write_file_once(const char *path, const void *data, size_t size, int mode);
/** \brief mkdir -p. */
int make_directories(const char *path, int mode);
