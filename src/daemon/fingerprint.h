/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tells two requests under one request id apart: program, data pool and metadata, whatever the order of their
 * members and however the text was written. An absent data pool, or metadata, is an empty one. */
#pragma once

#include "base/ids.h"
#include "wire/request.h"

/** \brief -ENOMEM. */
int fingerprint_request(const Request *request, Id *ret);
