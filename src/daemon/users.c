/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/users.h"

#include <inttypes.h>
#include <stdlib.h>

#define REQUEST_WEIGHT \
	4 /* of its text: as it is received (which may be held in twice its size), and as the run's order */

static User **place_of(Users *users, uid_t uid)
{
	User **place = &users->buckets[uid % USERS_BUCKETS];

	while (*place && (*place)->uid != uid)
		place = &(*place)->other;
	return place;
}

User *users_get(Users *users, uid_t uid)
{
	User **place = place_of(users, uid);

	if (*place)
		return user_reference(*place);
	*place = calloc(1, sizeof(User));
	if (!*place)
		return NULL;
	**place = (User){ .users = users, .uid = uid, .n_references = 1 };
	users->n++;
	return *place;
}

User *user_reference(User *user)
{
	user->n_references++;
	return user;
}

User *user_release(User *user)
{
	User **place;

	if (!user || --user->n_references > 0)
		return NULL;
	place = place_of(user->users, user->uid);
	*place = user->other;
	user->users->n--;
	free(user);
	return NULL;
}

uint64_t users_bytes_max(const Config *config)
{
	return MAX(config->max_bytes_per_user, REQUEST_WEIGHT * config->max_request_size);
}

int user_check_bytes(const User *user, UserBytes kind, size_t more, const Config *config, Error *error)
{
	static const char *const kinds[] = { "requests that are being received", "runs",
					     "answers that were not taken" };
	uint64_t max = users_bytes_max(config);

	if (user->bytes[kind] + more <= max)
		return 0;
	return error_set(error, ERROR_QUEUE_FULL, NULL,
			 "%s take %zu bytes of user %u's, at most %" PRIu64 " may be (MaxBytesPerUser=)", kinds[kind],
			 user->bytes[kind], user->uid, max);
}
