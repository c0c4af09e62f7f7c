/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What each user has in the daemon, so that no one takes what others need: connections, runs that have not begun, bytes
 * of memory, and the share of a turn of the loop in which requests are read. A User is there while a connection or a
 * run of that user's is. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/macro.h"
#include "daemon/config.h"

#define USERS_BUCKETS 256U

typedef struct Users Users;

/** \brief Of each the daemon holds so many bytes for one user, and no more. */
typedef enum UserBytes {
	USER_RECEIVED, /* requests that are not whole yet, and connections */
	USER_RUNS,     /* until they have ended, and are stored */
	USER_ANSWERS,  /* that are not sent */
	USER_BYTES_MAX,
} UserBytes;

typedef struct User {
	struct User *other; /* in the same bucket */
	Users *users;
	uid_t uid;
	size_t n_references;
	size_t n_connections;
	size_t n_waiting; /* runs */
	size_t bytes[USER_BYTES_MAX];
	uint64_t turn; /* of the loop, in which `read` bytes were read from the user's connections */
	size_t read;
} User;

struct Users {
	User *buckets[USERS_BUCKETS];
	size_t n;
};

/** \brief A reference to the user of that number; NULL where memory is short. */
User *users_get(Users *users, uid_t uid);
User *user_reference(User *user);
User *user_release(User *user);

/** \brief MaxBytesPerUser=, but never less than one request of the largest size needs on its way. */
uint64_t users_bytes_max(const Config *config);
/** \brief -EBADMSG with \p error where the user would have more than that with \p more. */
int user_check_bytes(const User *user, UserBytes kind, size_t more, const Config *config, Error *error);
/** \brief What takes \p *held bytes takes \p size from now on. */
static inline void user_weigh(User *user, UserBytes kind, size_t *held, size_t size)
{
	user->bytes[kind] += size - *held;
	*held = size;
}
