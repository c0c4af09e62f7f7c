/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The sockets of this host and what is behind each (`instances`): those in the directories where systemd puts them, for
 * the host and for who asks, and the one that is named by --socket or the environment. A daemon that sleeps until
 * somebody connects is left asleep unless --wake says otherwise: the service manager is asked who is awake. */
#pragma once

#include "ctl/ctl.h"

int verb_instances(Ctl *ctl, char *const *arguments, size_t n);
