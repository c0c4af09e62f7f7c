/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/home.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *home(void)
{
	const char *given = getenv("HOME");
	const struct passwd *user;

	if (given && given[0] == '/')
		return given;
	user = getpwuid(geteuid());
	return user ? user->pw_dir : NULL;
}

/* What does not begin at the root is to be taken as if it were not there: so says XDG. */
static char *place(const char *variable, const char *usual, const char *name)
{
	const char *base = variable ? getenv(variable) : NULL;
	const char *above = base && base[0] == '/' ? base : home();
	char *path;

	if (!above || asprintf(&path, "%s%s/ryuso%s%s", above, above == base ? "" : usual, *name ? "/" : "", name) < 0)
		return NULL;
	return path;
}

char *home_state(const char *instance)
{
	return place("XDG_STATE_HOME", "/.local/state", instance);
}

char *home_settings(void)
{
	return place("XDG_CONFIG_HOME", "/.config", "");
}

char *home_modules(void)
{
	return place(NULL, "/.local/lib", "");
}
