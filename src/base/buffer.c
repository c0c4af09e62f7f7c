/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/buffer.h"

#include <endian.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define BUFFER_FIRST 256

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

void buffer_consume(Buffer *buffer, size_t size)
{
	if (size == 0)
		return;
	memmove(buffer->data, buffer->data + size, buffer->size - size);
	buffer->size -= size;
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
