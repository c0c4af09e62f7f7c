/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the journal says of one run (`log`). The entries are those that ryusod writes, found by their field RYUSO_RUN;
 * no daemon is asked where the run is named by its whole id. */
#pragma once

#include "ctl/ctl.h"

int verb_log(Ctl *ctl, char *const *arguments, size_t n);
