/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/client.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "base/point.h"
#include "daemon/client_private.h"
#include "wire/reply.h"

void client_touch(Client *client)
{
	if (client->dirty)
		return;
	client->dirty = true;
	TAILQ_INSERT_TAIL(&client->clients->dirty, client, dirty_entry);
}

static Slot *slot_new(Clients *clients)
{
	Slot *slot = clients->spare;

	if (!slot)
		return calloc(1, sizeof(*slot));
	clients->spare = TAILQ_NEXT(slot, entry);
	clients->n_spare--;
	*slot = (Slot){ 0 };
	return slot;
}

/* Some are kept for the next requests, whoever sends them. */
static void slot_free(Clients *clients, Slot *slot)
{
	if (slot->holder)
		*slot->holder = NULL;
	if (slot->id_text)
		slot->client->ids -= strlen(slot->id_text);
	free(slot->id_text);
	buffer_done(&slot->text);
	if (clients->n_spare >= CLIENT_SLOTS_SPARE) {
		free(slot);
		return;
	}
	TAILQ_NEXT(slot, entry) = clients->spare;
	clients->spare = slot;
	clients->n_spare++;
}

void clients_free_spare(Clients *clients)
{
	Slot *slot;

	while ((slot = clients->spare)) {
		clients->spare = TAILQ_NEXT(slot, entry);
		free(slot);
	}
}

void client_free(Client *client)
{
	Clients *clients = client->clients;
	Slot *slot;

	while ((slot = TAILQ_FIRST(&client->slots))) {
		TAILQ_REMOVE(&client->slots, slot, entry);
		slot_free(clients, slot);
	}
	if (client->dirty)
		TAILQ_REMOVE(&clients->dirty, client, dirty_entry);
	if (client->timed)
		clients->n_timed--;
	if (client->held)
		clients->n_held--;
	poller_remove(clients->poller, &client->watch);
	fd_close(client->watch.fd);
	TAILQ_REMOVE(&clients->all, client, entry);
	clients->n--;
	client->user->n_connections--;
	user_weigh(client->user, USER_RECEIVED, &client->receives, 0);
	user_weigh(client->user, USER_ANSWERS, &client->answers, 0);
	user_release(client->user);
	frame_done(&client->frame);
	buffer_done(&client->out);
	peer_done(&client->peer);
	free(client);
}

Slot *client_slot(Client *client, char *id_text)
{
	Slot *slot = slot_new(client->clients);

	if (!slot) {
		free(id_text);
		client->gone = true;
		client_touch(client);
		return NULL;
	}
	slot->client = client;
	slot->id_text = id_text;
	if (id_text)
		client->ids += strlen(id_text);
	TAILQ_INSERT_TAIL(&client->slots, slot, entry);
	client->n_slots++;
	return slot;
}

Buffer *slot_text(Slot *slot)
{
	Client *client = slot->client;

	return slot == TAILQ_FIRST(&client->slots) ? &client->out : &slot->text;
}

void slot_written(Slot *slot, size_t size)
{
	slot->client->unsent += size;
	client_touch(slot->client);
}

/* The first slot's text lies in `out`; so does that of each that becomes the first. */
void slot_done(Slot *slot)
{
	Client *client = slot->client;
	Slot *first;

	slot->done = true;
	if (slot->holder)
		*slot->holder = NULL;
	slot->holder = NULL;
	while ((first = TAILQ_FIRST(&client->slots)) && first->done) {
		TAILQ_REMOVE(&client->slots, first, entry);
		client->n_slots--;
		slot_free(client->clients, first);
		first = TAILQ_FIRST(&client->slots);
		if (first && first->text.size > 0) {
			buffer_append(&client->out, first->text.data, first->text.size);
			buffer_done(&first->text);
		}
	}
	client_touch(client);
}

void client_refuse(Client *client, char *id_text, const char *program, const Error *error)
{
	Slot *slot = client_slot(client, id_text);
	Buffer *text;
	size_t before;

	metrics_refusal(client->clients->metrics, error->code);
	if (!slot)
		return;
	text = slot_text(slot);
	before = text->size;
	reply_write_refusal(slot->id_text, program, error, text);
	slot_written(slot, text->size - before);
	slot_done(slot);
}

void client_abandon(Client *client)
{
	client->gone = true;
	client_touch(client);
}

void client_lose(Client *client, char *id_text, const char *program, const Error *error)
{
	client->lost = true;
	client->object_since_usec = 0;
	client_refuse(client, id_text, program, error);
}

void client_process(Client *client)
{
	Clients *clients = client->clients;
	_cleanup_error_ Error error = { 0 };
	size_t size, members;
	const char *text;
	int r = 0;

	while (!client->lost && client->n_slots < CLIENT_SLOTS_MAX && client->unsent <= CLIENT_UNSENT_MAX) {
		r = frame_next(&client->frame, &text, &size, &members, &error);
		if (r <= 0)
			break;
		client->object_since_usec = 0;
		clients->on_object(client, text, size, members, clients->context);
	}
	if (r == -EBADMSG) {
		client_lose(client, NULL, NULL, &error);
	} else if (r < 0) {
		client->gone = true;
	} else if (r == 0 && frame_within(&client->frame) && client->ended) {
		error_set(&error, ERROR_BAD_JSON, NULL, "the connection's end came before the object's");
		client_lose(client, NULL, NULL, &error);
	} else if (frame_within(&client->frame) && client->object_since_usec == 0) {
		client->object_since_usec = clock_monotonic();
	}
}

/* 1: there may be more. */
static int client_receive_once(Client *client)
{
	Clients *clients = client->clients;
	ssize_t n;

	n = recv(client->watch.fd, clients->receive, CLIENT_RECEIVE_SIZE, MSG_DONTWAIT);
	if (n > 0)
		client->user->read += (size_t)n;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n < 0) {
		client->gone = true;
		return 0;
	}
	if (n == 0)
		client->ended = true;
	else if (!client->lost && frame_append(&client->frame, clients->receive, (size_t)n) < 0)
		client->gone = true;
	if (!client->lost && !client->gone)
		client_process(client);
	return n == CLIENT_RECEIVE_SIZE;
}

void client_receive(Client *client)
{
	for (unsigned i = 0; i < 4 && !client->gone && client_may_read(client); i++)
		if (client_receive_once(client) == 0)
			break;
	client_check_room(client);
	client_touch(client);
}

static void on_client(Watch *watch, uint32_t events)
{
	Client *client = watch_owner(watch, Client);

	if (events & EPOLLIN)
		client_receive(client);
	/* both directions are closed: once the last of its requests is read, nobody is there any more */
	if ((events & (EPOLLHUP | EPOLLERR)) && (client->ended || client->lost || !(client->watch.events & EPOLLIN)))
		client->gone = true;
	client_touch(client);
}

Client *client_new(Clients *clients, int fd, const Peer *peer, User *user)
{
	Client *client = calloc(1, sizeof(*client));

	if (!client)
		return NULL;
	client->watch = (Watch){ .fd = fd, .on_ready = on_client };
	client->clients = clients;
	client->peer = *peer;
	client->user = user;
	user->n_connections++;
	frame_init(&client->frame, clients->config->max_request_size, (uint32_t)clients->config->max_depth);
	TAILQ_INIT(&client->slots);
	TAILQ_INSERT_TAIL(&clients->all, client, entry);
	clients->n++;
	return client;
}

void client_check(Client *client, uint64_t now_usec)
{
	const Config *config = client->clients->config;
	_cleanup_error_ Error error = { 0 };

	if (client->drain_since_usec && now_usec - client->drain_since_usec > CLIENT_DRAIN_USEC)
		client->gone = true;
	if (client->stuck_since_usec && now_usec - client->stuck_since_usec > config->reply_timeout)
		clients_give_up(client, "it has taken none of its answers for too long", "ReplyTimeout");
	if (client->object_since_usec && client_reads(client) &&
	    now_usec - client->object_since_usec > config->request_timeout) {
		error_set(&error, ERROR_TOO_SLOW, NULL, "the request was not whole after %.3g s (RequestTimeout=)",
			  (double)config->request_timeout / USEC_PER_SEC);
		client_lose(client, NULL, NULL, &error);
	}
	client_touch(client);
}
