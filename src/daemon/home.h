/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a user's own daemon has its things: the base directories of XDG, which environment variables name, else the
 * usual places below the home directory. All are to be freed; NULL: out of memory, or nobody knows the home directory.
 */
#pragma once

/** \brief $XDG_STATE_HOME/ryuso/INSTANCE, ~/.local/state/ryuso/INSTANCE. */
char *home_state(const char *instance);
/** \brief $XDG_CONFIG_HOME/ryuso, ~/.config/ryuso. */
char *home_settings(void);
/** \brief ~/.local/lib/ryuso. */
char *home_modules(void);
