/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The calls that only look. Each makes a new object in \p ret, or returns -EBADMSG with \p error, or -ENOMEM. */
#pragma once

#include "daemon/calls.h"

int call_ping(const Calls *calls, Client *client, const char *parameter, struct json_object **ret, Error *error);
int call_status(const Calls *calls, Client *client, const char *parameter, struct json_object **ret, Error *error);
int call_list(const Calls *calls, Client *client, const char *parameter, struct json_object **ret, Error *error);
int call_describe(const Calls *calls, Client *client, const char *program, struct json_object **ret, Error *error);

/* Members of an object; what could not be made is left out, and \p ok is false then. */
typedef struct Members {
	struct json_object *object;
	bool ok;
} Members;

void members_begin(Members *members);
void members_add(Members *members, const char *name, struct json_object *value);
void members_text(Members *members, const char *name, const char *value); /* NULL: left out */
void members_int(Members *members, const char *name, uint64_t value);
void members_bool(Members *members, const char *name, bool value);
/** \brief The object, or NULL where something was left out. */
struct json_object *members_end(Members *members);
