/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a connection takes of its user's share. */
#include "daemon/client_private.h"

static void client_weigh(Client *client)
{
	user_weigh(client->user, USER_RECEIVED, &client->receives, sizeof(*client) + client->frame.buffer.capacity);
	user_weigh(client->user, USER_ANSWERS, &client->answers,
		   client->unsent + client->n_slots * sizeof(Slot) + client->ids);
}

bool client_may_read(Client *client)
{
	User *user = client->user;

	if (user->turn != client->clients->turn) {
		user->turn = client->clients->turn;
		user->read = 0;
	}
	return user->read < CLIENT_TURN_SIZE || user->users->n == 1;
}

void client_check_room(Client *client)
{
	_cleanup_error_ Error error = { 0 };

	client_weigh(client);
	if (client->lost || client->gone || !frame_within(&client->frame))
		return;
	if (user_check_bytes(client->user, USER_RECEIVED, 0, client->clients->config, &error) < 0)
		client_lose(client, NULL, NULL, &error);
}

void client_check_unsent(Client *client)
{
	const Config *config = client->clients->config;
	const char *setting = NULL;

	client_weigh(client);
	if (client->held)
		return; /* it was sent nothing that it could take */
	if (client->unsent > config->max_unread_replies)
		setting = "MaxUnreadReplies";
	else if (client->out.size > 0 && client->user->bytes[USER_ANSWERS] > users_bytes_max(config))
		setting = "MaxBytesPerUser";
	if (setting)
		clients_give_up(client, "too much of its answers was not taken", setting);
}
