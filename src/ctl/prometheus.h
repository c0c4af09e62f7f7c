/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The result of the call `metrics` as Prometheus' text exposition format, version 0.0.4. Pure. */
#pragma once

#include "base/json.h"

/** \brief Appends the families in their order: HELP, TYPE, a line for each sample. What has no name, or no number, is
 * left out; a name is written with '_' for each character that none may have. */
void prometheus_write(struct json_object *metrics, Buffer *text);
