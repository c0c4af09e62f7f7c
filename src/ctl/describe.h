/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a program takes, gives and does, for people: the result of the call `describe`. */
#pragma once

#include "ctl/ctl.h"

struct json_object;

int describe_show(Ctl *ctl, struct json_object *result, Buffer *text);
