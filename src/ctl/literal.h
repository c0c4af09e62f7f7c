/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A word of the command line → a JSON value of the type that a program declares. Nothing is guessed: what is not of
 * the type is refused with what was expected and what was found. Pure. */
#pragma once

#include "base/json.h"
#include "base/value.h"

/** \brief -EBADMSG with a clause in \p message (`expected int, got "abc"`); -ENOMEM. */
int literal_convert(ValueType type, const char *text, size_t size, struct json_object **ret, Buffer *message);
/** \brief \p text as it is, a JSON value of whatever type. */
int literal_json(const char *text, size_t size, struct json_object **ret, Buffer *message);
