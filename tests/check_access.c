/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check_main.h"

#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io.h"
#include "daemon/access.h"

static unsigned n_unknown;
static char last_unknown[64];

static void on_unknown(void *context, const char *kind, const char *name)
{
	(void)context;
	n_unknown++;
	snprintf(last_unknown, sizeof(last_unknown), "%s %s", kind, name);
}

static Access resolved(const SpecAllow *allow)
{
	Access access;

	n_unknown = 0;
	ck_assert_int_eq(access_resolve(allow, on_unknown, NULL, &access), 0);
	return access;
}

START_TEST(without_a_list_everybody_is_permitted)
{
	Access access = resolved(&(SpecAllow){ 0 });
	Peer peer = { .uid = 12345, .gid = 12345, .has_groups = true };

	ck_assert(access_permits(&access, &peer, -EBADF));
	access_done(&access);
}
END_TEST

START_TEST(an_empty_list_permits_nobody)
{
	Access access = resolved(&(SpecAllow){ .declared = true });
	Peer peer = { .uid = 0, .gid = 0, .has_groups = true };

	ck_assert(!access_permits(&access, &peer, -EBADF));
	access_done(&access);
}
END_TEST

START_TEST(a_user_or_a_group_of_the_peer_permits_it)
{
	char *users[] = { (char *)"daemon" }, *groups[] = { (char *)"root" };
	gid_t others[] = { 77, 0 };
	Access access = resolved(&(SpecAllow){ true, users, 1, groups, 1 });
	Peer by_user = { .uid = 1, .gid = 99, .has_groups = true };
	Peer by_group = { .uid = 99, .gid = 0, .has_groups = true };
	Peer by_another = { .uid = 99, .gid = 99, .groups = others, .n_groups = 2, .has_groups = true };
	Peer stranger = { .uid = 99, .gid = 99, .groups = others, .n_groups = 1, .has_groups = true };

	ck_assert_uint_eq(n_unknown, 0);
	ck_assert(access_permits(&access, &by_user, -EBADF));
	ck_assert(access_permits(&access, &by_group, -EBADF));
	ck_assert(access_permits(&access, &by_another, -EBADF));
	ck_assert(!access_permits(&access, &stranger, -EBADF));
	access_done(&access);
}
END_TEST

START_TEST(digits_alone_are_a_number_and_need_no_name)
{
	char *users[] = { (char *)"70003", (char *)"0070004" }, *groups[] = { (char *)"4294967294" };
	Access access = resolved(&(SpecAllow){ true, users, 2, groups, 1 });
	Peer first = { .uid = 70003, .gid = 1, .has_groups = true };
	Peer second = { .uid = 70004, .gid = 1, .has_groups = true };
	Peer by_group = { .uid = 1, .gid = UINT32_MAX - 1, .has_groups = true };
	Peer stranger = { .uid = 70005, .gid = 70003, .has_groups = true };

	ck_assert_uint_eq(n_unknown, 0);
	ck_assert(access_permits(&access, &first, -EBADF));
	ck_assert(access_permits(&access, &second, -EBADF));
	ck_assert(access_permits(&access, &by_group, -EBADF));
	ck_assert(!access_permits(&access, &stranger, -EBADF));
	access_done(&access);
}
END_TEST

START_TEST(a_name_that_nobody_has_is_told_and_admits_nobody)
{
	char *users[] = { (char *)"no-such-user-at-all" };
	Access access = resolved(&(SpecAllow){ true, users, 1, NULL, 0 });
	Peer root = { .uid = 0, .gid = 0, .has_groups = true };

	ck_assert_uint_eq(n_unknown, 1);
	ck_assert_str_eq(last_unknown, "user no-such-user-at-all");
	ck_assert(!access_permits(&access, &root, -EBADF));
	access_done(&access);
}
END_TEST

START_TEST(a_peer_is_who_the_kernel_says)
{
	char *groups[] = { (char *)"daemon" };
	Access access = resolved(&(SpecAllow){ true, NULL, 0, groups, 1 });
	int pair[2];
	Peer peer;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	ck_assert_int_eq(peer_identify(pair[0], &peer), 0);
	ck_assert_uint_eq(peer.uid, getuid());
	ck_assert_uint_eq(peer.gid, getgid());
	ck_assert_int_eq(peer.pid, getpid());
	ck_assert(!peer.has_groups);
	(void)access_permits(&access, &peer, pair[0]);
	ck_assert(peer.has_groups);
	peer_done(&peer);
	access_done(&access);
	fd_close(pair[0]);
	fd_close(pair[1]);
}
END_TEST

START_TEST(operators_are_root_and_the_user_of_the_daemon)
{
	gid_t others[] = { 70001, 70002 };
	Access operators;
	Peer root = { .uid = 0, .gid = 99, .has_groups = true };
	Peer same = { .uid = geteuid(), .gid = 99, .has_groups = true };
	Peer stranger = { .uid = 70000, .gid = 70000, .groups = others, .n_groups = 2, .has_groups = true };

	ck_assert_int_eq(access_operators(&operators), 0);
	ck_assert(access_permits(&operators, &root, -EBADF));
	ck_assert(access_permits(&operators, &same, -EBADF));
	ck_assert(!access_permits(&operators, &stranger, -EBADF));
	access_done(&operators);
}
END_TEST

START_TEST(operators_are_members_of_one_group_where_the_system_has_it)
{
	const struct group *entry = getgrnam(ACCESS_OPERATORS);
	gid_t gid = entry ? entry->gr_gid : 70001;
	Peer by_group = { .uid = 70000, .gid = gid, .has_groups = true };
	Peer by_another = { .uid = 70000, .gid = 70000, .groups = &gid, .n_groups = 1, .has_groups = true };
	Access operators;

	ck_assert_int_eq(access_operators(&operators), 0);
	ck_assert_uint_eq(operators.n_groups, entry != NULL);
	ck_assert_int_eq(access_permits(&operators, &by_group, -EBADF), entry != NULL);
	ck_assert_int_eq(access_permits(&operators, &by_another, -EBADF), entry != NULL);
	access_done(&operators);
}
END_TEST

CHECK_MAIN(access, without_a_list_everybody_is_permitted, an_empty_list_permits_nobody,
	   a_user_or_a_group_of_the_peer_permits_it, digits_alone_are_a_number_and_need_no_name,
	   a_name_that_nobody_has_is_told_and_admits_nobody, a_peer_is_who_the_kernel_says,
	   operators_are_root_and_the_user_of_the_daemon, operators_are_members_of_one_group_where_the_system_has_it)
