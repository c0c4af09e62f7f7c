/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A hostile user, at a fixed rate, so that what others lose is the daemon's doing and not that of two cores:
 *
 *   siege SOCKET UID REQUEST
 *
 * As UID, a second: 50 half-open connections, each of which gets a byte; 500 connections that are made and closed; 1,000
 * REQUESTs on one connection, whose replies are taken; 200 on another one, whose replies are not; two requests of a
 * mebibyte that are refused. Connections that are closed are made anew. "ready" is printed when it has begun; it ends
 * when it is killed. */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define TICKS_PER_SECOND 500
#define HALF_OPEN 50
#define LARGE_SIZE (1U << 20)
#define LARGE_PART (LARGE_SIZE / 8)

struct siege {
	struct sockaddr_un address;
	const char *request;
	int half_open[HALF_OPEN], flood, deaf, large;
	size_t next_half_open, large_sent;
	char *large_text; /* LARGE_SIZE bytes */
};

static int dial(const struct siege *siege)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 && connect(fd, (const struct sockaddr *)&siege->address, sizeof(siege->address)) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1; /* at the next tick */
}

/* How many bytes were taken. A connection that is gone is made anew. */
static size_t say(const struct siege *siege, int *fd, const char *text, size_t size)
{
	ssize_t n;

	if (*fd < 0)
		*fd = dial(siege);
	if (*fd < 0)
		return 0;
	n = send(*fd, text, size, MSG_NOSIGNAL);
	if (n >= 0 || errno == EAGAIN)
		return n > 0 ? (size_t)n : 0;
	close(*fd);
	*fd = -1;
	return 0;
}

static void drip(struct siege *siege)
{
	int *fd = &siege->half_open[siege->next_half_open++ % HALF_OPEN];
	bool begins = *fd < 0;

	say(siege, fd, begins ? "{" : " ", 1);
}

static void reconnect(struct siege *siege)
{
	int fd = dial(siege);

	if (fd >= 0)
		close(fd);
}

static void flood(struct siege *siege)
{
	char replies[1 << 16];

	say(siege, &siege->flood, siege->request, strlen(siege->request));
	while (siege->flood >= 0 && recv(siege->flood, replies, sizeof(replies), MSG_DONTWAIT) > 0)
		;
}

static void shout(struct siege *siege)
{
	say(siege, &siege->deaf, siege->request, strlen(siege->request));
}

static void send_large(struct siege *siege)
{
	size_t left = LARGE_SIZE - siege->large_sent;
	char reply[4096];

	siege->large_sent +=
		say(siege, &siege->large, siege->large_text + siege->large_sent, left < LARGE_PART ? left : LARGE_PART);
	if (siege->large >= 0 && recv(siege->large, reply, sizeof(reply), MSG_DONTWAIT) == 0) {
		close(siege->large);
		siege->large = -1;
	}
	if (siege->large < 0 || siege->large_sent == LARGE_SIZE)
		siege->large_sent = 0;
}

static const struct {
	void (*act)(struct siege *siege);
	unsigned per_second;
} acts[] = {
	{ drip, HALF_OPEN }, { reconnect, 500 }, { flood, 1000 }, { shout, 200 }, { send_large, 16 },
};

static void besiege(struct siege *siege)
{
	struct timespec next;

	clock_gettime(CLOCK_MONOTONIC, &next);
	for (unsigned tick = 0;; tick++) {
		for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
			unsigned due = (unsigned)((uint64_t)(tick + 1) * acts[i].per_second / TICKS_PER_SECOND -
						  (uint64_t)tick * acts[i].per_second / TICKS_PER_SECOND);

			for (; due > 0; due--)
				acts[i].act(siege);
		}
		if (tick == TICKS_PER_SECOND / 10) {
			puts("ready");
			fflush(stdout);
		}
		next.tv_nsec += 1000000000 / TICKS_PER_SECOND;
		next.tv_sec += next.tv_nsec / 1000000000;
		next.tv_nsec %= 1000000000;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	}
}

int main(int argc, char **argv)
{
	static struct siege siege = { .flood = -1, .deaf = -1, .large = -1 };
	uid_t uid;

	if (argc != 4 || strlen(argv[1]) >= sizeof(siege.address.sun_path)) {
		fputs("usage: siege SOCKET UID REQUEST\n", stderr);
		return 64;
	}
	uid = (uid_t)atoi(argv[2]);
	siege.address.sun_family = AF_UNIX;
	strcpy(siege.address.sun_path, argv[1]);
	siege.request = argv[3];
	for (size_t i = 0; i < HALF_OPEN; i++)
		siege.half_open[i] = -1;
	siege.large_text = malloc(LARGE_SIZE);
	if (!siege.large_text || setgid(uid) < 0 || setuid(uid) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) {
		perror("siege");
		return 1;
	}
	memset(siege.large_text, ' ', LARGE_SIZE);
	memcpy(siege.large_text, "{\"program\":\"none\"", 17);
	siege.large_text[LARGE_SIZE - 1] = '}';
	besiege(&siege);
}
