/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "base/point.h"
#include "daemon/recorder_private.h"
#include "run/replay.h"

typedef struct KeptReader {
	const RecorderOrder *order;
	const RecorderKept *kept;
	size_t offset;
	uint64_t sequence;
} KeptReader;

static int reader_start(KeptReader *reader, const RecorderOrder *order, const RecorderKept *kept)
{
	*reader = (KeptReader){ .order = order, .kept = kept, .sequence = RECORD_SEQUENCE_ANY };
	if (kept->packed || kept->size == 0)
		return 0;
	reader->offset = kept->offset;
	return kept->offset >= RECORD_PAGE_SIZE && kept->offset <= order->old_end &&
			       kept->size <= order->old_end - kept->offset
		       ? 0
		       : -EBADMSG;
}

/* 1; 0 at the end; -EBADMSG. */
static int reader_next(KeptReader *reader, Record *ret)
{
	const RecorderOrder *order = reader->order;
	const RecorderKept *kept = reader->kept;
	size_t end = kept->offset + kept->size;

	if (kept->packed)
		return record_unpack(kept->packed, kept->packed_size, &reader->offset, ret);
	if (kept->size == 0 || reader->offset == end)
		return 0;
	if (record_read(order->old.base, end, reader->offset, order->old_number, reader->sequence, ret) < 0)
		return -EBADMSG;
	reader->offset += ret->size;
	reader->sequence = ret->sequence + 1;
	return 1;
}

static int one_size(const RecorderOrder *order, const RecorderKept *kept, size_t *size)
{
	KeptReader reader;
	Record record;
	int r;

	r = reader_start(&reader, order, kept);
	while (r >= 0 && (r = reader_next(&reader, &record)) > 0)
		*size += record_size(record.content_size);
	return r;
}

int kept_size(const RecorderOrder *order, size_t *ret)
{
	size_t size = 0;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < order->n_kept; i++)
		r = one_size(order, &order->kept[i], &size);
	if (r >= 0)
		*ret = size;
	return r;
}

/* The room was measured; what is read of a file that hooks can reach may be something else by now. */
static int one_append(const RecorderOrder *order, RecorderKept *kept, const RecordFile *image)
{
	KeptReader reader;
	Record record;
	int r;

	kept->ret_offset = atomic_load(&record_page(image)->tail);
	r = reader_start(&reader, order, kept);
	while (r >= 0 && (r = reader_next(&reader, &record)) > 0) {
		r = record_append(image, record.kind, record.content, record.content_size);
		POINT("after-record-copy");
	}
	return r == -ENOSPC ? -EBADMSG : r;
}

int kept_append(const RecorderOrder *order, const RecordFile *image)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < order->n_kept; i++)
		r = one_append(order, &order->kept[i], image);
	return r;
}
