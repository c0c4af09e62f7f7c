/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A JSON object in the making: requests, calls, and the parameters of these. A failure to grow sticks, and draft_take()
 * returns it. A value of NULL, false or the like that stands for "not given" is left out. */
#pragma once

#include "base/json.h"

typedef struct Draft {
	struct json_object *json; /* owned; NULL until something is added */
	bool failed;
} Draft;

void draft_done(Draft *draft);
#define _cleanup_draft_ _cleanup_(draft_done)

/** \brief Takes \p value, which is NULL where memory was short. */
void draft_add(Draft *draft, const char *name, struct json_object *value);
/** \brief \p text NULL: left out. */
void draft_text(Draft *draft, const char *name, const char *text);
/** \brief Left out where it is not \p flag. */
void draft_flag(Draft *draft, const char *name, bool flag);
void draft_int(Draft *draft, const char *name, int64_t value);
/** \brief Hands over the object, `{}` where nothing was added; the draft is empty afterwards. -ENOMEM. */
int draft_take(Draft *draft, struct json_object **ret);
