/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The sockets that clients connect to: handed over by systemd, or one of our own. Nothing is accepted before
 * listener_enable(): what connects meanwhile waits in the kernel. Where descriptors run short, accepting pauses before
 * those are taken that the daemon needs for itself, and goes on when some are free: nobody is turned away for it. */
#pragma once

#include <stdbool.h>

#include "daemon/poller.h"

#define LISTENER_SOCKETS_MAX 16
#define LISTENER_BATCH_MAX 128
#define LISTENER_PAUSE_USEC (100 * 1000ULL)
#define LISTENER_CALM_USEC (10 * 1000 * 1000ULL) /* without a pause, after which the next one is told again */

typedef struct Listener Listener;

typedef struct ListenerSocket {
	Watch watch;
	Listener *listener;
} ListenerSocket;

struct Listener {
	Poller *poller;
	ListenerSocket sockets[LISTENER_SOCKETS_MAX];
	size_t n_sockets;
	char *path;                                   /* owned; of our own socket, to be unlinked at the end; or NULL */
	void (*on_connection)(int fd, void *context); /* takes the descriptor */
	void *context;
	bool enabled;
	uint64_t paused_since_usec; /* 0: it is not */
	uint64_t last_pause_usec;   /* 0: there was none */
	int ceiling;                /* descriptors_ceiling() */
};

void listener_init(Listener *listener, Poller *poller, void (*on_connection)(int fd, void *context), void *context);
void listener_done(Listener *listener);
/** \brief Takes over what systemd has handed to us: how many. -EINVAL where one of them is no listening AF_UNIX stream
 * socket. */
int listener_inherit(Listener *listener);
/** \brief A socket of our own, mode 0660. A socket there at which nobody listens is replaced; -EADDRINUSE where
 * somebody does, -EEXIST where there is something else. */
int listener_open(Listener *listener, const char *path);
int listener_enable(Listener *listener);
/** \brief Whether somebody has connected and is not accepted yet. */
bool listener_waiting(const Listener *listener);
void listener_disable(Listener *listener);
/** \brief Ends a pause that has lasted long enough. Wanted every now and then while paused_since_usec is not 0. */
void listener_check(Listener *listener, uint64_t now_usec);
