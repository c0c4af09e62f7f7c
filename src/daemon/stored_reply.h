/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A reply as recorder and ledger keep it (the members from "program" on), read again. */
#pragma once

#include "base/error.h"
#include "base/json.h"

/** \brief A new tree, or NULL: there is none, it is none, or memory is short. */
struct json_object *stored_reply_read(const void *reply, size_t size);
/** \brief Appends \p tree as it is kept. -ENOMEM. */
int stored_reply_write(struct json_object *tree, Buffer *buffer);
/** \brief A member, borrowed; NULL where there is none, or \p object is none. */
struct json_object *stored_member(struct json_object *object, const char *name);
const char *stored_text(struct json_object *object, const char *name); /* or NULL */
int64_t stored_number(struct json_object *object, const char *name);   /* or 0 */
/** \brief Where a run is parked, by its reply: the step at which it stands, and what stopped it there. Both stay as they
 * are where it does not say. */
void stored_reply_stand(struct json_object *tree, uint32_t *step, ErrorCode *code);
