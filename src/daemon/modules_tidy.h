/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The files of modules that nothing refers to any more are removed: no run in memory, none of the ledger's. Those of
 * ended runs go with the last of them, so that what is kept can be shown. */
#pragma once

#include "daemon/crew.h"

/** \brief Where it cannot be known what is wanted, nothing is removed, and that is logged. */
void modules_tidy(const Crew *crew, const Promises *promises);
