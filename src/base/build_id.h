/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The build id that a linker writes into a shared object (the GNU note): in its notes, wherever they are, and in a file.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define BUILD_ID_MAX 128U /* characters */

/** \brief Looks through notes as a PT_NOTE segment holds them; empty text where none is a build id. */
void build_id_find(const uint8_t *notes, size_t size, char text[static BUILD_ID_MAX + 1]);
/** \brief Of the ELF file behind \p fd, in hexadecimal; empty where it has none. -EBADMSG where it is no such file. */
int build_id_read(int fd, char text[static BUILD_ID_MAX + 1]);
