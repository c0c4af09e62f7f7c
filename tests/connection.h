/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For tests of the daemon's parts: one client on a socket pair, with the loop beneath it, and the other end in the
 * test's hand. Objects that arrive are noted, and given a slot each. */
#pragma once

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/io.h"
#include "daemon/client.h"

#define CONNECTION_OBJECTS_MAX 8192

typedef struct Connection {
	sd_event *event;
	Poller poller;
	Config config;
	Users users;
	Clients clients;
	Client *client; /* dangles once the daemon's side has closed: ask clients.n */
	int fd;         /* the test's end; -EBADF once closed */
	Slot *slots[CONNECTION_OBJECTS_MAX];
	size_t n_objects;
	char last[256]; /* the last object, as far as it fits */
	char text[1 << 20];
} Connection;

static inline void connection_on_object(Client *client, const char *text, size_t size, size_t members, void *context)
{
	Connection *connection = context;

	(void)members;
	ck_assert_uint_lt(connection->n_objects, CONNECTION_OBJECTS_MAX);
	snprintf(connection->last, sizeof(connection->last), "%.*s", (int)size, text);
	connection->slots[connection->n_objects] = client_slot(client, NULL);
	connection->slots[connection->n_objects]->holder = &connection->slots[connection->n_objects];
	connection->n_objects++;
}

static inline void connection_after(void *context)
{
	clients_flush(&((Connection *)context)->clients);
}

/** \brief To be followed by connection_admit(): settings may be changed before. */
static inline void connection_prepare(Connection *connection)
{
	memset(connection, 0, sizeof(*connection));
	connection->fd = -EBADF;
	config_init(&connection->config);
	ck_assert_int_ge(sd_event_new(&connection->event), 0);
	ck_assert_int_ge(poller_init(&connection->poller, connection->event, connection_after, connection), 0);
	ck_assert_int_ge(clients_init(&connection->clients, &connection->poller, &connection->config), 0);
	connection->clients.users = &connection->users;
	connection->clients.on_object = connection_on_object;
	connection->clients.context = connection;
}

static inline void connection_admit(Connection *connection)
{
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
	fd_close(connection->fd);
	connection->fd = pair[1];
	clients_admit(&connection->clients, pair[0]);
	clients_flush(&connection->clients);
	connection->client = TAILQ_LAST(&connection->clients.all, ClientList);
}

static inline void connection_open(Connection *connection)
{
	connection_prepare(connection);
	connection_admit(connection);
	ck_assert_ptr_nonnull(connection->client);
}

static inline void connection_close(Connection *connection)
{
	clients_done(&connection->clients);
	poller_done(&connection->poller);
	sd_event_unref(connection->event);
	config_done(&connection->config);
	fd_close(connection->fd);
}

/** \brief Handles all that is ready. */
static inline void connection_turn(Connection *connection)
{
	clients_flush(&connection->clients);
	while (sd_event_run(connection->event, 0) > 0)
		;
	clients_flush(&connection->clients);
}

static inline void connection_send(Connection *connection, const char *text)
{
	ck_assert_int_eq(send(connection->fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
	connection_turn(connection);
}

/** \brief What has come, up to now; "" at the end of the connection, too. */
static inline const char *connection_read(Connection *connection)
{
	size_t size = 0;
	ssize_t n;

	while (size < sizeof(connection->text) - 1) {
		n = recv(connection->fd, connection->text + size, sizeof(connection->text) - 1 - size, MSG_DONTWAIT);
		if (n <= 0)
			break;
		size += (size_t)n;
	}
	connection->text[size] = '\0';
	return connection->text;
}

/** \brief Whether the daemon's side has ended, and nothing more is to come. */
static inline bool connection_at_end(Connection *connection)
{
	char byte;

	return recv(connection->fd, &byte, 1, MSG_DONTWAIT) == 0;
}

/** \brief Answers an object. */
static inline void connection_answer(Slot *slot, const char *text)
{
	ck_assert_ptr_nonnull(slot);
	buffer_text(slot_text(slot), text);
	slot_written(slot, strlen(text));
	slot_done(slot);
}
