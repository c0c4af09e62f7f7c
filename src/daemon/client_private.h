/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between client.c (one connection) and clients.c (all of them). */
#pragma once

#include "daemon/client.h"

/** \brief Takes \p fd and what \p peer holds; NULL where memory is short: nothing is taken then. */
Client *client_new(Clients *clients, int fd, const Peer *peer);
void client_free(Client *client);
/** \brief Sees to it that clients_flush() looks at it. */
void client_touch(Client *client);
void client_receive(Client *client);
/** \brief Frees the client where it is gone. */
void client_flush(Client *client);
void client_check(Client *client, uint64_t now_usec);

void clients_uncount(Clients *clients, uid_t uid);
