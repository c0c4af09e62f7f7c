/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a service manager says of a socket's service, over its bus. */
#pragma once

#include <stdbool.h>

struct sd_bus;

typedef enum ServiceState {
	SERVICE_UNKNOWN, /* nobody can be asked */
	SERVICE_NONE,    /* the socket is not the manager's: whoever listens is awake */
	SERVICE_ASLEEP,  /* the manager listens, and starts it for whoever connects */
	SERVICE_AWAKE,
} ServiceState;

typedef struct ServiceManager {
	struct sd_bus *bus; /* owned; NULL: it cannot be asked */
	bool absent;        /* there is none */
} ServiceManager;

/** \brief Of the host, or of \p user: whoever asks. Never fails: then nothing is known. */
void service_manager_open(bool user, ServiceManager *ret);
void service_manager_done(ServiceManager *manager);
#define _cleanup_service_manager_ _cleanup_(service_manager_done)
/** \brief Of the socket of \p instance: "ryuso" or that of ryuso@NAME. */
ServiceState service_state(ServiceManager *manager, const char *instance);
