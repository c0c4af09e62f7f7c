/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Members of a JSON object that is being made, for the results of calls. What could not be made is remembered, so that
 * it is asked for once, at the end. */
#pragma once

#include "base/ids.h"
#include "base/json.h"

typedef struct Members {
	struct json_object *object;
	bool ok;
} Members;

void members_begin(Members *members);
/** \brief \p value is taken; NULL: it could not be made. */
void members_add(Members *members, const char *name, struct json_object *value);
void members_text(Members *members, const char *name, const char *value); /* NULL: left out */
void members_text_or_null(Members *members, const char *name, const char *value);
void members_int(Members *members, const char *name, uint64_t value);
void members_time(Members *members, const char *name, uint64_t usec); /* 0: left out */
void members_bool(Members *members, const char *name, bool value);
void members_null(Members *members, const char *name);
void members_id(Members *members, const char *name, const Id *id);
/** \brief The object, or NULL where something is missing in it. */
struct json_object *members_end(Members *members);

/** \brief Adds \p item, which is taken, to \p list, which is given up (NULL) where that fails. */
struct json_object *members_append(struct json_object *list, struct json_object *item);
