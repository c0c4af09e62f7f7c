/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/access.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int peer_identify(int fd, Peer *ret)
{
	struct ucred credentials;
	socklen_t size = sizeof(credentials);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0)
		return -errno;
	*ret = (Peer){ .uid = credentials.uid, .gid = credentials.gid, .pid = credentials.pid };
	return 0;
}

void peer_done(Peer *peer)
{
	free(peer->groups);
	*peer = (Peer){ 0 };
}

/* Without an answer the peer has no groups but its own: less is permitted, never more. */
static void peer_ask_groups(Peer *peer, int fd)
{
	gid_t few[64];
	gid_t *groups = few;
	socklen_t size = sizeof(few);

	peer->has_groups = true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, few, &size) < 0) {
		if (errno != ERANGE)
			return;
		groups = malloc(size);
		if (!groups || getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0) {
			free(groups);
			return;
		}
	} else {
		groups = malloc(MAX(size, 1U));
		if (!groups)
			return;
		for (size_t i = 0; i < size / sizeof(gid_t); i++)
			groups[i] = few[i];
	}
	peer->groups = groups;
	peer->n_groups = size / sizeof(gid_t);
}

void access_done(Access *access)
{
	free(access->users);
	free(access->groups);
	*access = (Access){ 0 };
}

static int find_user(const char *name, id_t *ret)
{
	struct passwd *entry = getpwnam(name);

	if (!entry)
		return -ENOENT;
	*ret = entry->pw_uid;
	return 0;
}

static int find_group(const char *name, id_t *ret)
{
	struct group *entry = getgrnam(name);

	if (!entry)
		return -ENOENT;
	*ret = entry->gr_gid;
	return 0;
}

typedef struct Lookup {
	const char *kind;
	int (*find)(const char *name, id_t *ret);
	void (*on_unknown)(void *context, const char *kind, const char *name);
	void *context;
} Lookup;

/* The spec's reader has seen to it that digits alone are a number of an account's. */
static int look_up(const Lookup *lookup, const char *name, id_t *ret)
{
	if (name[strspn(name, "0123456789")] != '\0')
		return lookup->find(name, ret);
	*ret = (id_t)strtoul(name, NULL, 10);
	return 0;
}

static int resolve(const Lookup *lookup, char *const *names, size_t n_names, id_t **ret, size_t *ret_n)
{
	id_t *ids = calloc(MAX(n_names, 1U), sizeof(*ids));
	size_t n = 0;

	if (!ids)
		return -ENOMEM;
	for (size_t i = 0; i < n_names; i++) {
		if (look_up(lookup, names[i], &ids[n]) == 0)
			n++;
		else
			lookup->on_unknown(lookup->context, lookup->kind, names[i]);
	}
	*ret = ids;
	*ret_n = n;
	return 0;
}

int access_resolve(const SpecAllow *allow, void (*on_unknown)(void *context, const char *kind, const char *name),
		   void *context, Access *ret)
{
	const Lookup users = { "user", find_user, on_unknown, context };
	const Lookup groups = { "group", find_group, on_unknown, context };
	Access access = { .everybody = !allow->declared };
	int r;

	r = resolve(&users, allow->users, allow->n_users, &access.users, &access.n_users);
	if (r < 0)
		return r;
	r = resolve(&groups, allow->groups, allow->n_groups, &access.groups, &access.n_groups);
	if (r < 0) {
		access_done(&access);
		return r;
	}
	*ret = access;
	return 0;
}

int access_operators(Access *ret)
{
	Access access = { 0 };

	access.users = malloc(2 * sizeof(*access.users));
	access.groups = malloc(sizeof(*access.groups));
	if (!access.users || !access.groups) {
		access_done(&access);
		return -ENOMEM;
	}
	access.users[access.n_users++] = 0;
	access.users[access.n_users++] = geteuid();
	if (find_group(ACCESS_OPERATORS, &access.groups[0]) == 0)
		access.n_groups = 1;
	*ret = access;
	return 0;
}

static bool holds(const id_t *ids, size_t n, id_t id)
{
	for (size_t i = 0; i < n; i++)
		if (ids[i] == id)
			return true;
	return false;
}

bool access_permits(const Access *access, Peer *peer, int fd)
{
	if (access->everybody || holds(access->users, access->n_users, peer->uid) ||
	    holds(access->groups, access->n_groups, peer->gid))
		return true;
	if (access->n_groups == 0)
		return false;
	if (!peer->has_groups)
		peer_ask_groups(peer, fd);
	for (size_t i = 0; i < peer->n_groups; i++)
		if (holds(access->groups, access->n_groups, peer->groups[i]))
			return true;
	return false;
}
