/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/service.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>

#include "base/buffer.h"

#define BUS_TIMEOUT_USEC (2 * USEC_PER_SEC)
#define DESTINATION "org.freedesktop.systemd1"
#define UNIT_PATH "/org/freedesktop/systemd1/unit"
#define UNIT_INTERFACE "org.freedesktop.systemd1.Unit"

void service_manager_done(ServiceManager *manager)
{
	sd_bus_flush_close_unref(take_ptr(manager->bus));
}

/** \brief The manager's own socket: root's of the host, and everybody's own. */
static int open_private(bool user, struct sd_bus **ret)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	_cleanup_buffer_ Buffer address = {};
	_cleanup_free_ char *text = NULL;
	struct sd_bus *bus = NULL;
	int r;

	if (user && (!runtime || runtime[0] != '/'))
		return -ENOENT;
	buffer_format(&address, "unix:path=%s/systemd/private", user ? runtime : "/run");
	text = buffer_take_text(&address);
	r = text ? sd_bus_new(&bus) : -ENOMEM;
	if (r >= 0)
		r = sd_bus_set_address(bus, text);
	if (r >= 0)
		r = sd_bus_start(bus);
	if (r < 0) {
		sd_bus_unref(bus);
		return r;
	}
	*ret = bus;
	return 0;
}

void service_manager_open(bool user, ServiceManager *ret)
{
	int r;

	*ret = (ServiceManager){ .absent = sd_booted() <= 0 };
	if (ret->absent)
		return;
	r = open_private(user, &ret->bus);
	if (r < 0)
		r = user ? sd_bus_open_user(&ret->bus) : sd_bus_open_system(&ret->bus);
	if (r < 0) {
		ret->bus = NULL;
		return;
	}
	sd_bus_set_method_call_timeout(ret->bus, BUS_TIMEOUT_USEC);
}

/** \brief The caller frees it; NULL: it cannot be known. */
static char *get_active_state(ServiceManager *manager, const char *instance, const char *kind)
{
	_cleanup_buffer_ Buffer name = {};
	_cleanup_free_ char *unit = NULL, *path = NULL;
	char *state = NULL;

	if (strcmp(instance, "ryuso") == 0)
		buffer_format(&name, "ryuso.%s", kind);
	else
		buffer_format(&name, "ryuso@%s.%s", instance, kind);
	unit = buffer_take_text(&name);
	if (!unit || sd_bus_path_encode(UNIT_PATH, unit, &path) < 0)
		return NULL;
	if (sd_bus_get_property_string(manager->bus, DESTINATION, path, UNIT_INTERFACE, "ActiveState", NULL, &state) <
	    0)
		return NULL;
	return state;
}

static bool is_up(const char *state)
{
	return strcmp(state, "active") == 0 || strcmp(state, "reloading") == 0 || strcmp(state, "deactivating") == 0 ||
	       strcmp(state, "activating") == 0;
}

ServiceState service_state(ServiceManager *manager, const char *instance)
{
	_cleanup_free_ char *socket = NULL, *service = NULL;

	if (manager->absent)
		return SERVICE_NONE;
	if (!manager->bus)
		return SERVICE_UNKNOWN;
	service = get_active_state(manager, instance, "service");
	if (service && is_up(service))
		return SERVICE_AWAKE;
	socket = get_active_state(manager, instance, "socket");
	if (!service || !socket)
		return SERVICE_UNKNOWN;
	return is_up(socket) ? SERVICE_ASLEEP : SERVICE_NONE;
}
