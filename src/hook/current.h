/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Private to libryuso: who may call, and how text of hooks is made harmless. A run's functions are accepted from the
 * thread that entered it and from no forked copy of its process. */
#pragma once

#include <ryuso/host.h>

#define HOOK_KEY_MAX 64

/** \brief Whether \p run is what the calling thread was entered for. */
bool hook_current(const ryuso_run *run);

/** \brief Formats into \p text (of \p size bytes), cut between characters; what is no UTF-8 and control characters are
 * replaced by '?', white space by ' ' (save newlines, where they are kept). */
void hook_format(char *text, size_t size, bool newlines, const char *format, va_list list);
/** \brief The same of a text that is there. */
void hook_copy(char *text, size_t size, const char *source);
/** \brief Whether \p text is UTF-8. */
bool hook_utf8(const char *text);
