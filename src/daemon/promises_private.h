/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between promises.c (the ledger, the index) and promises_store.c (what is written). */
#pragma once

#include "daemon/promises.h"

/** \brief Tries those again that could not be written. */
void promises_refuse_again(Promises *promises);
void promises_free_refusals(Promises *promises);
