/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `ryusod --inspect DIR`: what a state directory holds, in words, for an operator who has no daemon to ask, or does not
 * trust it. It only reads, locks nothing, and bears whatever it finds; a daemon may be at work there meanwhile. Nothing
 * of data pools, notes or arguments is shown. */
#pragma once

/** \brief What the exit statuses mean. */
typedef enum InspectStatus {
	INSPECT_WHOLE,
	INSPECT_DAMAGED, /* it was said what is damaged */
	INSPECT_UNREADABLE,
} InspectStatus;

/** \brief Writes to standard output (and why something cannot be read, to standard error): an InspectStatus. */
int inspect_print(const char *directory);
