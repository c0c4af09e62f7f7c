/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Identifiers of 128 bits and the text of them; a fingerprint of bytes (FNV-1a, 128 bits: identity, not security); and
 * CRC-32C (Castagnoli, reflected 0x82F63B78), by the processor's instruction where it has one. */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef struct Id {
	uint8_t bytes[16];
} Id;

#define ID_TEXT_SIZE 33

/** \brief Random bits from the kernel. */
int id_random(Id *ret);
/** \brief 32 lower-case hexadecimal characters and a NUL. */
void id_format(const Id *id, char text[static ID_TEXT_SIZE]);
/** \brief -EINVAL where \p text is not 32 hexadecimal characters. */
int id_parse(const char *text, Id *ret);
int id_equal(const Id *a, const Id *b);
int id_is_null(const Id *id);
/** \brief FNV-1a of the bytes, 128 bits. */
void id_fingerprint(const void *data, size_t size, Id *ret);
/** \brief The identifier of part \p part of \p id: its last four bytes exclusive-ored with \p part (big-endian). */
Id id_derive(const Id *id, uint32_t part);
/** \brief id_format() of that; \p formatted is id_format() of \p id. */
void id_format_derived(const Id *id, const char formatted[static ID_TEXT_SIZE], uint32_t part,
		       char text[static ID_TEXT_SIZE]);

/** \brief \p crc: 0 at first, then the result so far. */
uint32_t crc32c(uint32_t crc, const void *data, size_t size);
/** \brief The same without the processor's instruction. */
uint32_t crc32c_portable(uint32_t crc, const void *data, size_t size);
