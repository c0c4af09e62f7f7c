/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One worker process: its start, its channel, its doorbell, what it prints, and its end. It knows nothing of runs. The
 * crew owns it, reaps it, and frees it only then. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "daemon/output.h"
#include "daemon/poller.h"
#include "run/order.h"

typedef struct Hand Hand;

typedef struct HandEvents {
	void (*on_hello)(Hand *hand, const OrderHello *hello, void *context);
	/** \brief It said something else, or ended its side, before a hello. */
	void (*on_nonsense)(Hand *hand, void *context);
	void (*on_doorbell)(Hand *hand, void *context);
	/** \brief The channel is gone: it cannot be given orders any more. */
	void (*on_broken)(Hand *hand, void *context);
	void (*on_line)(Hand *hand, int priority, const char *text, size_t size, void *context);
} HandEvents;

typedef struct HandSetup {
	Poller *poller;
	const HandEvents *events;
	void *context;
	const char *program; /* path of ryuso-worker */
	char *const *arguments;
	int module_fd, recorder_fd;
	int tree_fd; /* the lock of the workers' tree; < 0: none */
} HandSetup;

typedef enum HandState {
	HAND_STARTING, /* no hello yet */
	HAND_READY,
	HAND_LEAVING, /* it is to end by itself */
	HAND_KILLED,  /* SIGKILL is sent */
} HandState;

struct Hand {
	pid_t pid;
	HandState state;
	uint64_t state_since_usec;
	Watch channel, doorbell, pipe;
	Output output;
	Buffer inbox; /* towards the hello */
	Buffer outbox;
	size_t sent;
	int recorder_fd; /* owned; goes with the frame at `recorder_at` of the outbox; -EBADF: none */
	size_t recorder_at;
	bool probed; /* SIGSTOP is sent by us, and the stop not seen yet */
	bool broken;
	uint64_t given; /* runs that were ordered from it */
	Poller *poller;
	const HandEvents *events;
	void *context;
};

/** \brief Starts a worker. Main thread only: it dies with the thread that started it. */
int hand_new(const HandSetup *setup, Hand **ret);
/** \brief Only of one that is reaped. */
Hand *hand_free(Hand *hand);

/** \brief Adds whole order frames to what is to be sent; hand_flush() sends them. */
void hand_order(Hand *hand, const void *frames, size_t size);
/** \brief Adds ORDER_RECORDER; the worker gets a descriptor of its own, see hand_reopen(). */
int hand_order_recorder(Hand *hand, int recorder_fd);
/** \brief Sends what can be sent. */
void hand_flush(Hand *hand);
size_t hand_unsent(const Hand *hand);
/** \brief Ends its orders: it exits when it has done those it has. */
void hand_leave(Hand *hand);
/** \brief It has said that it leaves by itself. */
void hand_expect_end(Hand *hand);
void hand_kill(Hand *hand);
/** \brief It has ended: what it said before may not have been read yet. */
void hand_hear(Hand *hand);
/** \brief Reads what it has printed up to its end. */
void hand_drain(Hand *hand);
/** \brief Whoever printed has ended: a line without newline is his, and not continued by the next. */
void hand_end_line(Hand *hand);
