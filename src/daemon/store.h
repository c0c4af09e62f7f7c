/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The state directory and the lock that says that it is ours: one daemon each. */
#pragma once

#include <sys/types.h>

typedef struct Store {
	char *directory; /* owned */
	int lock;        /* -EBADF: not ours (yet) */
	int tree;        /* -EBADF: not ours (yet); workers, and what their hooks start, hold it open with us */
} Store;

/** \brief Takes note of the directory; nothing is touched yet. */
int store_init(Store *store, const char *directory);
void store_done(Store *store);
/** \brief Makes the directory where it is missing, closes it to others (0700) where it is open to them, and takes its
 * lock. -EBUSY where another daemon has it: \p ret_holder is its pid, or 0. -EPERM: it is another user's. */
int store_acquire(Store *store, pid_t *ret_holder);
/** \brief Takes the lock of the workers' tree, in a file of its own; the daemon's must be held. -EAGAIN: something that an
 * earlier daemon's worker started is alive still. Whoever gets the descriptor (HandSetup.tree_fd) holds it with us. */
int store_acquire_tree(Store *store);
/** \brief The path of \p name in it, to be freed; NULL where memory is short. */
char *store_path(const Store *store, const char *name);
