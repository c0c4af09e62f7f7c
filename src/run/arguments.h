/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A request's data pool and metadata, checked against the program's arguments (rule 47: in the spec's order, then
 * unknown members in the request's) and encoded as the initial pool that an order and a START record carry. */
#pragma once

#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "base/json_flat.h"
#include "spec/spec.h"

/** \brief Appends count and (name, value) pairs, as pool_encode_writes() does, metadata's members as `_NAME` (those
 * whose names are identifiers and whose values are not null). -EBADMSG with \p error (paths begin with "/data_pool/"),
 * -ENOMEM. \p metadata may be NULL. */
int arguments_encode(const SpecProgram *program, struct json_object *data_pool, struct json_object *metadata,
		     Buffer *buffer, Error *error);
/** \brief The same of a data pool that is scalars alone, without metadata. 1; 0 where it is not acceptable as it stands:
 * then arguments_encode() says why; -ENOMEM. */
int arguments_encode_members(const SpecProgram *program, const JsonMember *members, size_t n, Buffer *buffer);
