/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Connections. A client's objects are framed here and handed to `on_object`; each answer has a slot, and slots are sent
 * in the order in which they were taken, whatever becomes ready first. Everything is sent, and closed, in
 * clients_flush(), which its owner calls once per turn of the loop. A client that does not take its replies is not read
 * from; one that goes on like that is closed. */
#pragma once

#include <stdbool.h>
#include <sys/queue.h>

#include "daemon/access.h"
#include "daemon/config.h"
#include "daemon/metrics.h"
#include "daemon/poller.h"
#include "daemon/users.h"
#include "wire/frame.h"

#define CLIENT_SLOTS_MAX 1024U         /* answers a client may wait for; beyond, it is not read from */
#define CLIENT_SLOTS_SPARE 256U        /* of all clients: kept for the next ones */
#define CLIENT_UNSENT_MAX (1U << 20)   /* bytes of answers it has not taken; beyond, it is not read from */
#define CLIENT_EVENTS_MAX (256U << 10) /* bytes it has not taken; beyond, it is sent no events of runs it follows */
#define CLIENT_DRAIN_USEC USEC_PER_SEC /* how long what follows a lost frame is still taken, and dropped */
#define CLIENT_TELL_USEC (10 * USEC_PER_SEC) /* at most that often the log is told of those who were turned away */
#define CLIENT_RECEIVE_SIZE (64U << 10)
#define CLIENT_GATHER_MAX (8U << 10) /* bytes that are held to be sent with what is answered next */
#define CLIENT_TURN_SIZE (32U << 10) /* bytes of one user, in all, of a turn, where there are others */

typedef struct Client Client;
typedef struct Clients Clients;

/** \brief The place of one answer. Lent to who writes it, who tells where that is kept: there it becomes NULL when the
 * client goes away. */
typedef struct Slot {
	TAILQ_ENTRY(Slot) entry;
	Client *client;
	struct Slot **holder; /* or NULL */
	char *id_text;        /* owned; the request's `id`, or NULL */
	Buffer text;          /* while it is not the first of its client */
	bool done;
} Slot;

struct Client {
	Watch watch; /* its descriptor is the client's own */
	Clients *clients;
	TAILQ_ENTRY(Client) entry;
	TAILQ_ENTRY(Client) dirty_entry;
	Peer peer;
	User *user;               /* a reference */
	size_t receives, answers; /* bytes that the user is charged with for it */
	Frame frame;
	TAILQ_HEAD(, Slot) slots;
	size_t n_slots;
	size_t ids; /* bytes of their `id_text` */
	Buffer out;
	size_t out_sent;
	size_t unsent;              /* in `out` and in all slots */
	uint64_t object_since_usec; /* an object has begun; 0: none */
	uint64_t stuck_since_usec;  /* it has taken nothing of what is to be sent; 0: nothing is */
	uint64_t drain_since_usec;  /* framing was lost and answered; 0: not yet */
	bool dirty, timed;
	bool held;  /* what is in `out` waits for more */
	bool ended; /* it has half-closed */
	bool lost;  /* framing is lost: nothing more is read */
	bool gone;  /* to be freed */
};

TAILQ_HEAD(ClientList, Client);

struct Clients {
	Poller *poller;
	const Config *config;
	Metrics *metrics; /* borrowed; or NULL */
	Users *users;     /* borrowed; to be set behind clients_init(), like on_object */
	/* Borrowed text of one whole object. Takes a slot and sees to it that it is answered. */
	void (*on_object)(Client *client, const char *text, size_t size, size_t members, void *context);
	void *context;
	struct ClientList all, dirty;
	size_t n, n_timed, n_held;
	bool gathers; /* the owner's: what is answered of a client that waits for more is sent with the rest, which comes
			 soon; what was held so is sent when it is false again */
	size_t n_turned_away;
	uint64_t n_admitted;
	uint64_t turn;                           /* of the loop: from one clients_flush() to the next */
	size_t n_given_up;                       /* that did not take their answers */
	uint64_t told_away_usec, told_deaf_usec; /* when the log was last told of them */
	Slot *spare;                             /* owned, linked by their entries; n_spare of them */
	size_t n_spare;
	char *receive; /* owned; CLIENT_RECEIVE_SIZE */
};

int clients_init(Clients *clients, Poller *poller, const Config *config);
void clients_done(Clients *clients);
/** \brief The settings have changed: those who are connected have the new limits of requests, too. */
void clients_limit(Clients *clients);
/** \brief A connection that was accepted; takes \p fd, whatever comes of it. It is read from at once. */
void clients_admit(Clients *clients, int fd);
/** \brief Sends what can be sent, reads on where there is room again, closes what is to be closed. */
void clients_flush(Clients *clients);
/** \brief Looks at who is too slow. Wanted every now and then while n_timed > 0. */
void clients_check(Clients *clients, uint64_t now_usec);
/** \brief Whether an answer, or a part of one, has not been sent. */
bool clients_pending(const Clients *clients);

/** \brief A slot behind those taken before; \p id_text is taken. NULL where memory is short: then the client is closed.
 */
Slot *client_slot(Client *client, char *id_text);
/** \brief Refuses in a slot of its own. */
void client_refuse(Client *client, char *id_text, const char *program, const Error *error);
/** \brief Refuses like client_refuse(); nothing that follows is believed: the connection is closed after the answer. */
void client_lose(Client *client, char *id_text, const char *program, const Error *error);
/** \brief Closes the connection, whatever is still to be answered. */
void client_abandon(Client *client);
/** \brief Where the answer's text is to be appended; slot_written() follows. */
Buffer *slot_text(Slot *slot);
/** \brief \p size bytes of the text are new. */
void slot_written(Slot *slot, size_t size);
/** \brief Whether its client takes what it is sent fast enough to be told of more than answers. */
static inline bool slot_takes_events(const Slot *slot)
{
	const Client *client = slot->client;

	return client->unsent <= MIN((uint64_t)CLIENT_EVENTS_MAX, client->clients->config->max_unread_replies / 4);
}
/** \brief The answer is whole; the slot is the client's own again. */
void slot_done(Slot *slot);
