/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The commands that an operator can give about a run as it stands, with what each does. */
#pragma once

#include "ctl/ctl.h"

struct json_object;

/** \brief Appends a title and the commands; nothing where none helps. \p result: of the call `show`. */
void advice_write(const Ctl *ctl, struct json_object *result, Buffer *text);
