/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What may be called what (rule 6), and what a name may not be because generated code could not be compiled: keywords
 * of C and C++, macros that the compiler or our header brings. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/** \brief [A-Za-z0-9][A-Za-z0-9_-]*, at most SPEC_NAME_MAX bytes: hooks and programs. */
bool naming_is_plain(const char *name);
/** \brief Letters, digits, spaces, underscores and hyphens, at most SPEC_NAME_MAX bytes: the spec. */
bool naming_is_title(const char *name);
/** \brief A keyword of C (up to C23) or C++ (up to C++20), or a word that is as good as one. */
bool naming_is_keyword(const char *name);
/** \brief A macro wherever generated code is compiled. */
bool naming_is_macro(const char *name);
/** \brief Why \p name cannot name an argument ("a C identifier", "no keyword of C or C++" …: what was expected), or
 * NULL where it can. \p metadata: whether a leading '_' is allowed. */
const char *naming_fault(const char *name, bool metadata);
/** \brief Why \p symbol cannot be a function's, or NULL. */
const char *naming_symbol_fault(const char *symbol);
