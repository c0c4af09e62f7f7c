/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What `ryusod --check-config` and `--show-config` print. Each returns what to exit with: 0, or EX_CONFIG where something
 * is wrong with the settings, which is said on standard error. */
#pragma once

#include "daemon/config_load.h"

int config_check(const ConfigSetup *setup);
int config_show(const ConfigSetup *setup);
