/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between client.c (one connection, and what it asks), client_send.c (what it is told), client_room.c (what it takes)
 * and clients.c (all of them). */
#pragma once

#include "daemon/client.h"

/** \brief Takes \p fd, what \p peer holds, and \p user; NULL where memory is short: nothing is taken then. */
Client *client_new(Clients *clients, int fd, const Peer *peer, User *user);
void client_free(Client *client);
/** \brief Sees to it that clients_flush() looks at it. */
void client_touch(Client *client);
void client_receive(Client *client);
/** \brief Hands on every whole object that there is room for. What a client sent before it half-closed counts. */
void client_process(Client *client);
static inline bool client_reads(const Client *client)
{
	return !client->ended && !client->lost && client->n_slots < CLIENT_SLOTS_MAX &&
	       client->unsent <= CLIENT_UNSENT_MAX;
}
void client_check(Client *client, uint64_t now_usec);

/* client.c */
void clients_free_spare(Clients *clients);

/* client_send.c */
/** \brief Sends what can be sent, or holds it (see Clients.gathers), and looks after the rest. Frees the client where it
 * is gone. */
void client_flush(Client *client);

/* clients.c */
/** \brief It does not take its answers: it is closed, which the log is told of now and then. */
void clients_give_up(Client *client, const char *why, const char *setting);

/* client_room.c */
/** \brief Where several users are connected, each one's connections are read from only so much in one turn of the loop:
 * whatever one of them sends, the others' are read next. */
bool client_may_read(Client *client);
/** \brief An object of which the user has no room for more is not waited for: refuses it. */
void client_check_room(Client *client);
/** \brief What is too much to be held for somebody who does not take it: gives the client up. */
void client_check_unsent(Client *client);
