/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check_main.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "daemon/notify.h"

/* An abstract socket: nothing is left of it. */
static int service_manager(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char name[64];
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	snprintf(name, sizeof(name), "@ryuso-check-notify-%d", (int)getpid());
	memcpy(address.sun_path + 1, name + 1, strlen(name) - 1);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
			 0);
	ck_assert_int_eq(setenv("NOTIFY_SOCKET", name, 1), 0);
	return fd;
}

static const char *heard(int fd)
{
	static char text[4096];
	ssize_t n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);

	ck_assert_int_gt(n, 0);
	text[n] = '\0';
	return text;
}

START_TEST(the_service_manager_is_told_each_state_in_its_own_words)
{
	_cleanup_close_ int fd = service_manager();

	notify_ready();
	ck_assert_str_eq(heard(fd), "READY=1");
	notify_stopping();
	ck_assert_str_eq(heard(fd), "STOPPING=1");
	notify_extend(15 * USEC_PER_SEC);
	ck_assert_str_eq(heard(fd), "EXTEND_TIMEOUT_USEC=15000000");
	notify_alive();
	ck_assert_str_eq(heard(fd), "WATCHDOG=1");
	notify_status("3 runs wait");
	ck_assert_str_eq(heard(fd), "STATUS=3 runs wait");
}
END_TEST

START_TEST(a_reload_says_since_when_by_the_monotonic_clock)
{
	_cleanup_close_ int fd = service_manager();
	uint64_t before = clock_monotonic(), told = 0;

	notify_reloading();
	ck_assert_int_eq(sscanf(heard(fd), "RELOADING=1\nMONOTONIC_USEC=%" SCNu64, &told), 1);
	ck_assert_uint_ge(told, before);
	ck_assert_uint_le(told, clock_monotonic());
}
END_TEST

START_TEST(where_there_is_no_service_manager_nothing_is_told)
{
	_cleanup_close_ int fd = service_manager();
	char text[8];

	ck_assert_int_eq(unsetenv("NOTIFY_SOCKET"), 0);
	notify_ready();
	ck_assert_int_lt(recv(fd, text, sizeof(text), MSG_DONTWAIT), 0);
}
END_TEST

CHECK_MAIN(notify, the_service_manager_is_told_each_state_in_its_own_words,
	   a_reload_says_since_when_by_the_monotonic_clock, where_there_is_no_service_manager_nothing_is_told)
