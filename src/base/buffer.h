/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A growable run of bytes, and a reader over bytes that somebody else owns. A buffer's failure to grow sticks: the
 * appending calls return nothing, and buffer_error() is asked once at the end. Numbers are little-endian. */
#pragma once

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"

static inline uint32_t load_u32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return le32toh(value);
}

static inline uint64_t load_u64(const uint8_t *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return le64toh(value);
}

static inline void store_u32(uint8_t *at, uint32_t value)
{
	value = htole32(value);
	memcpy(at, &value, sizeof(value));
}

static inline void store_u64(uint8_t *at, uint64_t value)
{
	value = htole64(value);
	memcpy(at, &value, sizeof(value));
}

/** \brief u32 length, then the bytes; returns what is behind them. */
static inline uint8_t *store_block(uint8_t *at, const void *data, size_t size)
{
	store_u32(at, (uint32_t)size);
	if (size > 0)
		memcpy(at + sizeof(uint32_t), data, size);
	return at + sizeof(uint32_t) + size;
}

typedef struct Buffer {
	uint8_t *data; /* owned; NULL while nothing was appended */
	size_t size;
	size_t capacity;
	bool failed;
} Buffer;

static inline void buffer_done(Buffer *buffer)
{
	if (buffer->data)
		free(buffer->data);
	*buffer = (Buffer){ 0 };
}
#define _cleanup_buffer_ _cleanup_(buffer_done)

/** \brief Forgets the content and the failure, keeps the memory. */
static inline void buffer_clear(Buffer *buffer)
{
	buffer->size = 0;
	buffer->failed = false;
}
/** \brief 0, or -ENOMEM where an append has failed. */
static inline int buffer_error(const Buffer *buffer)
{
	return buffer->failed ? -ENOMEM : 0;
}
/** \brief Makes room for \p size bytes more and returns where they go (NULL on failure); their size is not yet counted.
 */
uint8_t *buffer_reserve(Buffer *buffer, size_t size);

/** \brief \p size bytes more, to be filled in by the caller; NULL on failure. */
static inline uint8_t *buffer_extend(Buffer *buffer, size_t size)
{
	uint8_t *at = buffer->data && !buffer->failed && size <= buffer->capacity - buffer->size
			      ? buffer->data + buffer->size
			      : buffer_reserve(buffer, size);

	if (at)
		buffer->size += size;
	return at;
}

static inline void buffer_append(Buffer *buffer, const void *data, size_t size)
{
	uint8_t *at = buffer_extend(buffer, size);

	if (at && size > 0)
		memcpy(at, data, size);
}

/** \brief Takes \p size bytes away from the front. */
void buffer_consume(Buffer *buffer, size_t size);

static inline void buffer_u8(Buffer *buffer, uint8_t value)
{
	buffer_append(buffer, &value, sizeof(value));
}

static inline void buffer_u16(Buffer *buffer, uint16_t value)
{
	value = htole16(value);
	buffer_append(buffer, &value, sizeof(value));
}

static inline void buffer_u32(Buffer *buffer, uint32_t value)
{
	value = htole32(value);
	buffer_append(buffer, &value, sizeof(value));
}

static inline void buffer_u64(Buffer *buffer, uint64_t value)
{
	value = htole64(value);
	buffer_append(buffer, &value, sizeof(value));
}

/** \brief u32 length, then the bytes. */
static inline void buffer_block(Buffer *buffer, const void *data, size_t size)
{
	uint8_t *at;

	if (size > UINT32_MAX) {
		buffer->failed = true;
		return;
	}
	at = buffer_extend(buffer, sizeof(uint32_t) + size);
	if (at)
		store_block(at, data, size);
}

/** \brief The same of a string; NULL is written as an empty one. */
void buffer_string(Buffer *buffer, const char *string);
/** \brief Overwrites four bytes that were appended before, at \p offset. */
void buffer_patch_u32(Buffer *buffer, size_t offset, uint32_t value);
/** \brief Appends the characters of \p string without length or terminator. */
void buffer_text(Buffer *buffer, const char *string);
void buffer_format(Buffer *buffer, const char *format, ...) _printf_(2, 3);
/** \brief The content as a NUL-terminated string that the caller frees, or NULL; the buffer is empty afterwards. */
char *buffer_take_text(Buffer *buffer);

typedef struct Reader {
	const uint8_t *at;
	const uint8_t *end;
	bool bad; /* something was read past the end; sticks */
} Reader;

static inline Reader reader_make(const void *data, size_t size)
{
	return (Reader){ .at = data, .end = size ? (const uint8_t *)data + size : data };
}

static inline size_t reader_left(const Reader *reader)
{
	return reader->bad ? 0 : (size_t)(reader->end - reader->at);
}

/** \brief \p size bytes, borrowed from the source, or NULL. */
static inline const void *reader_bytes(Reader *reader, size_t size)
{
	const void *at = reader->at;

	if (reader->bad || (size_t)(reader->end - reader->at) < size) {
		reader->bad = true;
		return NULL;
	}
	reader->at += size;
	return at;
}

static inline uint8_t reader_u8(Reader *reader)
{
	const uint8_t *at = reader_bytes(reader, 1);

	return at ? *at : 0;
}

static inline uint16_t reader_u16(Reader *reader)
{
	uint16_t value = 0;
	const void *at = reader_bytes(reader, sizeof(value));

	if (at)
		memcpy(&value, at, sizeof(value));
	return le16toh(value);
}

static inline uint32_t reader_u32(Reader *reader)
{
	uint32_t value = 0;
	const void *at = reader_bytes(reader, sizeof(value));

	if (at)
		memcpy(&value, at, sizeof(value));
	return le32toh(value);
}

static inline uint64_t reader_u64(Reader *reader)
{
	uint64_t value = 0;
	const void *at = reader_bytes(reader, sizeof(value));

	if (at)
		memcpy(&value, at, sizeof(value));
	return le64toh(value);
}

/** \brief What buffer_block() or buffer_string() wrote: borrowed bytes (never NULL unless bad), length in \p ret_size.
 */
static inline const void *reader_block(Reader *reader, size_t *ret_size)
{
	uint32_t size = reader_u32(reader);
	const void *at = reader_bytes(reader, size);

	*ret_size = at ? size : 0;
	return at;
}

/** \brief A copy of what buffer_string() wrote, to be freed; NULL where it is bad or memory is short (then bad is set).
 */
char *reader_string(Reader *reader);
/** \brief 0, or -EBADMSG where something was read past the end. */
static inline int reader_error(const Reader *reader)
{
	return reader->bad ? -EBADMSG : 0;
}
