/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A pager for what may be longer than a screen: $RYUSO_PAGER, $SYSTEMD_PAGER or $PAGER, else less. Only where standard
 * output is a terminal; never with --no-pager. Who runs with another user's rights by sudo or the like gets less in its
 * secure mode, whatever the environment says. There is one of this per process. */
#pragma once

#include "ctl/ctl.h"

/** \brief Standard output goes to a pager from now on, where there is to be one. Where none can be started it stays as
 * it is. */
void pager_open(const Ctl *ctl);
/** \brief Whether it does. What its reader does not take is then no error. */
bool pager_is_open(void);
/** \brief Waits until its reader has had enough. Standard output is closed then. */
void pager_close(void);
/** \brief The result of a call, as JSON or as what \p write makes of it, by way of the pager. What to exit with. */
int pager_show(const Ctl *ctl, struct json_object *result,
	       int (*write)(const Ctl *ctl, struct json_object *result, Buffer *text));
