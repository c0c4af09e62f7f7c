/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "run/pool_private.h"

void pool_writes_free(PoolWrite *writes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		value_done(&writes[i].value);
	free(writes);
}

void pool_encode_writes(const Pool *pool, const PoolWrite *writes, size_t n, Buffer *buffer)
{
	buffer_u32(buffer, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		const Slot *slot = &pool->slots[writes[i].key];

		buffer_block(buffer, slot->name, slot->name_size);
		value_encode(&writes[i].value, buffer);
	}
}

static int decode_write(Pool *pool, Reader *reader, PoolWrite *ret)
{
	const char *name;
	size_t size;
	int r;

	name = reader_block(reader, &size);
	if (!name || memchr(name, '\0', size))
		return -EBADMSG;
	r = pool_intern_sized(pool, name, size, &ret->key);
	if (r < 0)
		return r;
	return value_decode(reader, &ret->value);
}

int pool_decode(Pool *pool, Reader *reader)
{
	for (uint32_t n = reader_u32(reader); n > 0; n--) {
		PoolWrite write = { 0 };
		int r;

		r = decode_write(pool, reader, &write);
		if (r >= 0)
			r = pool_put(pool, write.key, &write.value);
		value_done(&write.value);
		if (r < 0)
			return r;
	}
	return reader_error(reader);
}

int pool_decode_writes(Pool *pool, Reader *reader, PoolWrite **ret, size_t *ret_n)
{
	uint32_t n = reader_u32(reader);
	PoolWrite *writes;

	/* a write takes five bytes at least: a wild count costs no memory */
	if (reader->bad || n > reader_left(reader) / 5)
		return -EBADMSG;
	writes = reallocarray(NULL, n ? n : 1, sizeof(*writes));
	if (!writes)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		int r = decode_write(pool, reader, &writes[i]);

		if (r < 0) {
			pool_writes_free(writes, i);
			return r;
		}
	}
	*ret = writes;
	*ret_n = n;
	return 0;
}
