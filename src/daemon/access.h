/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who is at the other end of a connection, by the kernel's word alone, and whether `program.allow` lets them run a
 * program. Names of users and groups are looked up when a module is taken into use, and at each reload (that look-up may
 * wait for the system's name service); a peer's supplementary groups come from the socket, not from the name service. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "spec/spec.h"

#define ACCESS_OPERATORS "ryuso-admin" /* the group */

typedef struct Peer {
	uid_t uid;
	gid_t gid;
	pid_t pid;
	gid_t *groups; /* owned; supplementary, as they were when it connected */
	size_t n_groups;
	bool has_groups; /* they have been asked for */
} Peer;

/** \brief SO_PEERCRED of \p fd. */
int peer_identify(int fd, Peer *ret);
void peer_done(Peer *peer);

typedef struct Access {
	bool everybody;
	uid_t *users;
	size_t n_users;
	gid_t *groups;
	size_t n_groups;
} Access;

/** \brief Digits alone are a number; else \p on_unknown is told of each name that the system does not know: nobody is admitted by it. */
int access_resolve(const SpecAllow *allow, void (*on_unknown)(void *context, const char *kind, const char *name),
		   void *context, Access *ret);
void access_done(Access *access);
/** \brief Those who may use the operator's verbs: root, the daemon's own user, members of ACCESS_OPERATORS. -ENOMEM. */
int access_operators(Access *ret);
/** \brief \p fd is the peer's socket, asked for the groups where they are needed the first time. */
bool access_permits(const Access *access, Peer *peer, int fd);
