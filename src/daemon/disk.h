/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files that must be there after a power loss: what is written, synced and renamed here, each step of it a place where
 * tests let it fail. All return negative errno, and retry EINTR. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/** \brief All of \p data, at \p offset. */
int disk_write(int fd, const void *data, size_t size, off_t offset);
/** \brief What \p size bytes at \p offset hold: how many there are. */
ssize_t disk_read(int fd, void *data, size_t size, off_t offset);
/** \brief The file: what is in it, and what is known of it. */
int disk_sync(int fd);
/** \brief What is in it, and what is needed to find that. */
int disk_sync_data(int fd);
/** \brief Whole pages of a shared mapping. */
int disk_sync_mapped(void *from, size_t size);
/** \brief The names in it. */
int disk_sync_directory(const char *path);
/** \brief Makes \p path hold \p data, whatever it held: a temporary file, synced, renamed; the directory synced. On
 * failure \p path is what it was, or, where the directory could not be synced, whole all the same. */
int disk_replace(const char *path, const void *data, size_t size, mode_t mode);
