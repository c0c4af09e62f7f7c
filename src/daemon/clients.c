/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "daemon/client_private.h"
#include "wire/reply.h"

int clients_init(Clients *clients, Poller *poller, const Config *config)
{
	char *receive = malloc(CLIENT_RECEIVE_SIZE);

	if (!receive)
		return -ENOMEM;
	*clients = (Clients){ .poller = poller, .config = config, .receive = receive };
	TAILQ_INIT(&clients->all);
	TAILQ_INIT(&clients->dirty);
	return 0;
}

void clients_limit(Clients *clients)
{
	Client *client;

	TAILQ_FOREACH(client, &clients->all, entry)
	frame_limit(&client->frame, clients->config->max_request_size, (uint32_t)clients->config->max_depth);
}

void clients_done(Clients *clients)
{
	Client *client, *next;

	if (!clients->receive)
		return;
	for (client = TAILQ_FIRST(&clients->all); client; client = next) {
		next = TAILQ_NEXT(client, entry);
		client_free(client);
	}
	clients_free_spare(clients);
	free(clients->receive);
	*clients = (Clients){ 0 };
}

/* Who is hostile may do it again and again. */
static bool clients_may_tell(uint64_t *told_usec)
{
	uint64_t now = clock_monotonic();

	if (*told_usec != 0 && now - *told_usec < CLIENT_TELL_USEC)
		return false;
	*told_usec = now;
	return true;
}

void clients_give_up(Client *client, const char *why, const char *setting)
{
	Clients *clients = client->clients;

	client->gone = true;
	clients->n_given_up++;
	if (clients_may_tell(&clients->told_deaf_usec))
		log_notice("client %d (uid %d): %s (%s=), %zu bytes are left; the connection is closed (%zu so far)",
			   (int)client->peer.pid, (int)client->peer.uid, why, setting, client->unsent,
			   clients->n_given_up);
}

/* Best effort: whoever is one too many is not waited for. */
static void turn_away(Clients *clients, int fd, const Peer *peer, const char *setting, uint64_t limit)
{
	_cleanup_buffer_ Buffer text = { 0 };
	_cleanup_error_ Error error = { 0 };

	error_set(&error, ERROR_TOO_MANY_CONNECTIONS, NULL, "there are %" PRIu64 " connections already (%s=)", limit,
		  setting);
	reply_write_refusal(NULL, NULL, &error, &text);
	if (buffer_error(&text) == 0)
		(void)send(fd, text.data, text.size, MSG_DONTWAIT | MSG_NOSIGNAL);
	clients->n_turned_away++;
	metrics_refusal(clients->metrics, error.code);
	if (clients_may_tell(&clients->told_away_usec))
		log_notice("client %d (uid %d): turned away: %s=%" PRIu64 " is reached (%zu turned away so far)",
			   (int)peer->pid, (int)peer->uid, setting, limit, clients->n_turned_away);
}

static bool clients_full(Clients *clients, int fd, const Peer *peer, const User *user)
{
	const Config *config = clients->config;

	if (user->n_connections >= config->max_connections_per_user) {
		turn_away(clients, fd, peer, "MaxConnectionsPerUser", config->max_connections_per_user);
		return true;
	}
	if (clients->n >= config->max_connections) {
		turn_away(clients, fd, peer, "MaxConnections", config->max_connections);
		return true;
	}
	return false;
}

void clients_admit(Clients *clients, int fd_taken)
{
	_cleanup_close_ int fd = fd_taken;
	Client *client = NULL;
	Peer peer;
	User *user;

	if (peer_identify(fd, &peer) < 0)
		return;
	user = users_get(clients->users, peer.uid);
	if (!user)
		return;
	if (!clients_full(clients, fd, &peer, user))
		client = client_new(clients, fd, &peer, user);
	if (!client) {
		user_release(user);
		return;
	}
	take_fd(fd);
	clients->n_admitted++;
	client_receive(client);
}

static void clients_release(Clients *clients)
{
	Client *client;

	if (clients->n_held == 0)
		return;
	TAILQ_FOREACH(client, &clients->all, entry)
	if (client->held)
		client_touch(client);
}

void clients_flush(Clients *clients)
{
	size_t n = 2 * clients->n + 1; /* a flush may make a client dirty again, but not for ever in one turn */
	Client *client;

	clients->turn++;
	if (!clients->gathers)
		clients_release(clients);
	while ((client = TAILQ_FIRST(&clients->dirty)) && n-- > 0) {
		TAILQ_REMOVE(&clients->dirty, client, dirty_entry);
		client->dirty = false;
		client_flush(client);
	}
}

void clients_check(Clients *clients, uint64_t now_usec)
{
	Client *client;

	TAILQ_FOREACH(client, &clients->all, entry)
	if (client->timed)
		client_check(client, now_usec);
}

bool clients_pending(const Clients *clients)
{
	const Client *client;

	TAILQ_FOREACH(client, &clients->all, entry)
	if (client->n_slots > 0 || client->out.size > 0)
		return true;
	return false;
}
