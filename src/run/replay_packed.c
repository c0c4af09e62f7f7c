/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "run/replay.h"

static size_t padding(size_t size)
{
	return -size % RECORD_ALIGN;
}

void record_pack(RecordKind kind, const void *content, size_t size, Buffer *buffer)
{
	static const uint8_t zeros[RECORD_ALIGN];

	buffer_u32(buffer, kind);
	buffer_u32(buffer, (uint32_t)size);
	buffer_append(buffer, content, size);
	buffer_append(buffer, zeros, padding(size));
}

int record_unpack(const void *records, size_t size, size_t *offset, Record *ret)
{
	uint32_t kind, length;
	Reader reader;
	Record record;

	if (*offset >= size)
		return *offset == size ? 0 : -EBADMSG;
	reader = reader_make((const uint8_t *)records + *offset, size - *offset);
	kind = reader_u32(&reader);
	length = reader_u32(&reader);
	record = (Record){ .kind = (RecordKind)kind, .content_size = length };
	record.content = reader_bytes(&reader, length);
	reader_bytes(&reader, padding(length));
	if (reader.bad || kind == RECORD_NONE || kind >= RECORD_KIND_MAX || length > RECORD_CONTENT_MAX)
		return -EBADMSG;
	record.size = 2 * sizeof(uint32_t) + length + padding(length);
	*offset += record.size;
	*ret = record;
	return 1;
}

int replay_packed(Replay *replay, const Plan *plan, const void *records, size_t size)
{
	RecordStart start;
	size_t offset = 0;
	Record record;
	int r;

	*replay = (Replay){ 0 };
	r = record_unpack(records, size, &offset, &record);
	if (r <= 0 || record_decode_start(&record, &start) < 0)
		return -EBADMSG;
	r = replay_init(replay, plan, &start);
	while (r >= 0) {
		r = record_unpack(records, size, &offset, &record);
		if (r <= 0)
			return r;
		r = replay_feed(replay, &record);
	}
	return r;
}
