/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Readiness of the descriptors that requests pass through (listeners, connections, channels, doorbells): an epoll of
 * its own beneath the sd-event loop. One round handles all that is ready and then calls `after` once: that is where
 * batches are sent and replies flushed. Everything rare (signals, timers) stays with sd-event. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/epoll.h>
#include <systemd/sd-event.h>

typedef struct Watch Watch;
typedef void (*WatchHandler)(Watch *watch, uint32_t events);

/** \brief Embedded in what it watches for; \p fd stays the owner's. All zero but fd -EBADF: not watched. */
struct Watch {
	int fd;
	uint32_t events; /* interest; meaningful while watched */
	WatchHandler on_ready;
	bool watched;
};

#define watch_owner(watch, type) watch_owner_at(watch, type, watch)

/** \brief The same for one of several in its owner. */
#define watch_owner_at(watch, type, member) ((type *)((char *)(watch)-offsetof(type, member)))

#define POLLER_BATCH_MAX 64
#define POLLER_ROUNDS_MAX 4 /* before signals and timers have their turn */

typedef struct Poller {
	int fd;
	sd_event_source *source;
	void (*after)(void *context);
	void *context;
	struct epoll_event batch[POLLER_BATCH_MAX];
	int batch_at, batch_n;
} Poller;

int poller_init(Poller *poller, sd_event *event, void (*after)(void *context), void *context);
void poller_done(Poller *poller);
/** \brief Watches \p watch->fd; -errno of epoll_ctl(2). */
int poller_add(Poller *poller, Watch *watch, uint32_t events);
/** \brief Does nothing where that is what is watched already. */
void poller_change(Poller *poller, Watch *watch, uint32_t events);
/** \brief To be called before the descriptor is closed; what is pending for it is dropped. */
void poller_remove(Poller *poller, Watch *watch);
