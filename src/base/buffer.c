/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/buffer.h"

#include <endian.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define BUFFER_FIRST 256

void buffer_done(Buffer *buffer)
{
	free(buffer->data);
	*buffer = (Buffer){ 0 };
}

void buffer_clear(Buffer *buffer)
{
	buffer->size = 0;
	buffer->failed = false;
}

int buffer_error(const Buffer *buffer)
{
	return buffer->failed ? -ENOMEM : 0;
}

uint8_t *buffer_reserve(Buffer *buffer, size_t size)
{
	size_t needed, capacity;
	uint8_t *data;

	if (buffer->failed)
		return NULL;
	if (__builtin_add_overflow(buffer->size, size, &needed) || needed > SIZE_MAX / 2) {
		buffer->failed = true;
		return NULL;
	}
	if (needed <= buffer->capacity && buffer->data)
		return buffer->data + buffer->size;
	capacity = MAX(buffer->capacity, (size_t)BUFFER_FIRST);
	while (capacity < needed)
		capacity *= 2;
	data = realloc(buffer->data, capacity);
	if (!data) {
		buffer->failed = true;
		return NULL;
	}
	buffer->data = data;
	buffer->capacity = capacity;
	return data + buffer->size;
}

void buffer_append(Buffer *buffer, const void *data, size_t size)
{
	uint8_t *at = buffer_reserve(buffer, size);

	if (!at || size == 0)
		return;
	memcpy(at, data, size);
	buffer->size += size;
}

void buffer_consume(Buffer *buffer, size_t size)
{
	if (size == 0)
		return;
	memmove(buffer->data, buffer->data + size, buffer->size - size);
	buffer->size -= size;
}

void buffer_u8(Buffer *buffer, uint8_t value)
{
	buffer_append(buffer, &value, sizeof(value));
}

void buffer_u16(Buffer *buffer, uint16_t value)
{
	value = htole16(value);
	buffer_append(buffer, &value, sizeof(value));
}

void buffer_u32(Buffer *buffer, uint32_t value)
{
	value = htole32(value);
	buffer_append(buffer, &value, sizeof(value));
}

void buffer_u64(Buffer *buffer, uint64_t value)
{
	value = htole64(value);
	buffer_append(buffer, &value, sizeof(value));
}

void buffer_block(Buffer *buffer, const void *data, size_t size)
{
	if (size > UINT32_MAX) {
		buffer->failed = true;
		return;
	}
	buffer_u32(buffer, (uint32_t)size);
	buffer_append(buffer, data, size);
}

void buffer_string(Buffer *buffer, const char *string)
{
	buffer_block(buffer, string, string ? strlen(string) : 0);
}

void buffer_patch_u32(Buffer *buffer, size_t offset, uint32_t value)
{
	if (buffer->failed)
		return;
	value = htole32(value);
	memcpy(buffer->data + offset, &value, sizeof(value));
}

void buffer_text(Buffer *buffer, const char *string)
{
	buffer_append(buffer, string, strlen(string));
}

void buffer_format(Buffer *buffer, const char *format, ...)
{
	va_list list;
	int size;
	uint8_t *at;

	va_start(list, format);
	size = vsnprintf(NULL, 0, format, list);
	va_end(list);
	at = size < 0 ? NULL : buffer_reserve(buffer, (size_t)size + 1);
	if (!at) {
		buffer->failed = true;
		return;
	}
	va_start(list, format);
	vsnprintf((char *)at, (size_t)size + 1, format, list);
	va_end(list);
	buffer->size += (size_t)size;
}

char *buffer_take_text(Buffer *buffer)
{
	char *text;

	buffer_u8(buffer, 0);
	if (buffer->failed) {
		buffer_done(buffer);
		return NULL;
	}
	text = (char *)take_ptr(buffer->data);
	*buffer = (Buffer){ 0 };
	return text;
}

Reader reader_make(const void *data, size_t size)
{
	return (Reader){ .at = data, .end = size ? (const uint8_t *)data + size : data };
}

size_t reader_left(const Reader *reader)
{
	return reader->bad ? 0 : (size_t)(reader->end - reader->at);
}

const void *reader_bytes(Reader *reader, size_t size)
{
	const void *at = reader->at;

	if (reader->bad || (size_t)(reader->end - reader->at) < size) {
		reader->bad = true;
		return NULL;
	}
	reader->at += size;
	return at;
}

uint8_t reader_u8(Reader *reader)
{
	const uint8_t *at = reader_bytes(reader, 1);

	return at ? *at : 0;
}

uint16_t reader_u16(Reader *reader)
{
	uint16_t value = 0;
	const void *at = reader_bytes(reader, sizeof(value));

	if (at)
		memcpy(&value, at, sizeof(value));
	return le16toh(value);
}

uint32_t reader_u32(Reader *reader)
{
	uint32_t value = 0;
	const void *at = reader_bytes(reader, sizeof(value));

	if (at)
		memcpy(&value, at, sizeof(value));
	return le32toh(value);
}

uint64_t reader_u64(Reader *reader)
{
	uint64_t value = 0;
	const void *at = reader_bytes(reader, sizeof(value));

	if (at)
		memcpy(&value, at, sizeof(value));
	return le64toh(value);
}

const void *reader_block(Reader *reader, size_t *ret_size)
{
	uint32_t size = reader_u32(reader);
	const void *at = reader_bytes(reader, size);

	*ret_size = at ? size : 0;
	return at;
}

char *reader_string(Reader *reader)
{
	size_t size;
	const void *at = reader_block(reader, &size);
	char *string;

	if (!at)
		return NULL;
	string = strndup(at, size);
	if (!string)
		reader->bad = true;
	return string;
}

int reader_error(const Reader *reader)
{
	return reader->bad ? -EBADMSG : 0;
}
