/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the daemon is doing, for people: the result of the call `status`. */
#pragma once

#include "ctl/ctl.h"

struct json_object;

/** \brief Whether it is known how many runs are parked. */
bool status_knows_parked(struct json_object *result);
int status_show(Ctl *ctl, struct json_object *result, Buffer *text);
