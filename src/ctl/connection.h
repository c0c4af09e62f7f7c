/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The connection to ryusod: JSON objects out, JSON objects in, in order. It owns its descriptor. All that it does ends
 * at its deadline, or with -EINTR when a signal has come (interrupt.h). Functions return negative errno; connection_explain() has the words. */
#pragma once

#include "ctl/options.h"
#include "wire/frame.h"

#define REPLY_SIZE_MAX (256U << 20) /* bytes of one reply: more than any setting of the daemon lets through */

/** \brief Something to do now and then while an answer is waited for. */
typedef struct Ticker {
	uint64_t next_usec;                 /* monotonic; USEC_INFINITY: never */
	uint64_t (*on_tick)(void *context); /* returns when it is to be called next */
	void *context;
} Ticker;

typedef struct Connection {
	int fd; /* < 0: there is none */
	Frame frame;
	uint64_t deadline_usec; /* monotonic; USEC_INFINITY: none */
	Ticker *ticker;         /* borrowed, or NULL */
} Connection;

/** \brief -ETIME where the daemon did not take the connection in time. */
int connection_open(const char *path, uint64_t deadline_usec, Connection *ret);
void connection_done(Connection *connection);
/** \brief Sends one object, and a newline. -EPIPE or -ECONNRESET where the other side had enough before the end: it may
 * have said why. -ETIME. */
int connection_send(Connection *connection, struct json_object *message);
/** \brief The next object. -ENODATA: the connection ended; -EBADMSG: what came is no answer; -ETIME. */
int connection_receive(Connection *connection, struct json_object **ret);
/** \brief Why connection_open() failed, and what to do about it. Returns what to exit with. */
int connection_explain(const Options *options, int error, Buffer *message);
