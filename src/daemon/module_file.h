/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which module an instance uses, and its descriptor: workers load that, whatever becomes of the file's name. */
#pragma once

#include <stddef.h>

/** \brief A directory to be looked through before all others: that of a user's own daemon. Once, at the start; borrowed
 * from then on. */
void module_prefer(const char *directory);
/** \brief The path of the module of \p instance: NAME.so in the directories for modules; for plain "ryuso", where there
 * is none of that name, the only one installed (in a directory that is preferred, if there is any). -ENOENT (none), -EEXIST (several); \p ret_problem then says so. */
int module_find(const char *instance, char **ret_path, char **ret_problem);
/** \brief The directories for modules, in the order in which they are looked through; NULL behind the last one. */
const char *module_directory(size_t i);
/** \brief Opens a regular file; the sentence in \p ret_problem says what was wrong. */
int module_open(const char *path, char **ret_problem);
