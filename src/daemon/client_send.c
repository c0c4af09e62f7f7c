/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/point.h"
#include "daemon/client_private.h"

/* What was sent is not kept until all is, which may be never. Each byte is moved a bounded number of times. */
static void client_drop_sent(Client *client)
{
	if (client->out_sent < CLIENT_RECEIVE_SIZE || client->out_sent < client->out.size / 2)
		return;
	buffer_consume(&client->out, client->out_sent);
	client->out_sent = 0;
}

/* Of one who has sent several requests. */
static bool client_gathers(const Client *client)
{
	return client->clients->gathers && client->n_slots > 0 && client->out.size > 0 && client->out_sent == 0 &&
	       client->stuck_since_usec == 0 && client->unsent <= CLIENT_GATHER_MAX && !client->lost;
}

static void client_hold(Client *client, bool held)
{
	if (client->held == held)
		return;
	client->held = held;
	client->clients->n_held += held ? 1 : -1;
}

static void client_send(Client *client)
{
	size_t left = client->out.size - client->out_sent;
	ssize_t n;

	if (left == 0)
		return;
	n = send(client->watch.fd, client->out.data + client->out_sent, left, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		client->gone = true;
		return;
	}
	if (n > 0) {
		POINT("after-send");
		client->out_sent += (size_t)n;
		client->unsent -= (size_t)n;
		client->stuck_since_usec = 0;
	}
	if (client->out_sent == client->out.size) {
		client->out_sent = 0;
		if (client->out.capacity > CLIENT_RECEIVE_SIZE)
			buffer_done(&client->out);
		else
			buffer_clear(&client->out);
		return;
	}
	client_drop_sent(client);
	if (client->stuck_since_usec == 0)
		client->stuck_since_usec = clock_monotonic();
}

/* The answer is sent and nothing follows it: the client is shown the end, and what it is still sending is taken, so
 * that its kernel does not throw the answer away. */
static void client_finish(Client *client)
{
	if (client->out.size > 0 || client->n_slots > 0)
		return;
	if (client->ended) {
		client->gone = true;
	} else if (client->lost && client->drain_since_usec == 0) {
		client->drain_since_usec = clock_monotonic();
		if (shutdown(client->watch.fd, SHUT_WR) < 0)
			client->gone = true;
	}
}

static void client_rewatch(Client *client)
{
	uint32_t events = 0;

	if (client_reads(client) || (client->lost && !client->ended))
		events |= EPOLLIN;
	if (client->out.size > 0 && !client->held)
		events |= EPOLLOUT;
	if (client->watch.watched)
		poller_change(client->clients->poller, &client->watch, events);
	else if (poller_add(client->clients->poller, &client->watch, events) < 0)
		client->gone = true;
}

static void client_retime(Client *client)
{
	bool timed = client->object_since_usec || client->stuck_since_usec || client->drain_since_usec;

	if (timed && !client->timed)
		client->clients->n_timed++;
	if (!timed && client->timed)
		client->clients->n_timed--;
	client->timed = timed;
}

void client_flush(Client *client)
{
	if (!client->gone && buffer_error(&client->out) < 0)
		client->gone = true;
	client_hold(client, !client->gone && client_gathers(client));
	if (!client->gone && !client->held)
		client_send(client);
	if (!client->gone)
		client_check_unsent(client);
	if (!client->gone && frame_held(&client->frame) > 0 && !client->lost)
		client_process(client);
	if (!client->gone)
		client_finish(client);
	if (!client->gone)
		client_rewatch(client);
	if (client->gone)
		client_free(client);
	else
		client_retime(client);
}
