/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/record.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "base/buffer.h"

#define CRC_FROM 8U

/* Fixed parts of contents, and the most that their texts can take; the codec's test holds them against the encoders. */
#define BEGIN_SIZE 28U
#define END_SIZE (32U + 4U * 4U)
#define STOP_SIZE (4U + 2U * 4U)
#define FINISH_SIZE (16U + 28U + 4U)
#define DECISION_SIZE (20U + 4U)
#define PARK_SIZE (4U + 4U)
#define TAKEN_SIZE 20U
#define TAKEN_MAX 4U /* that count is kept of: a run that is interrupted more often gets a new file each time */
#define TEXTS_SIZE (SPEC_NAME_MAX + RECORD_REASON_MAX + RECORD_MESSAGE_MAX)
#define REPLY_FIXED_SIZE 16384U
#define REPLY_STEP_SIZE (SPEC_NAME_MAX + 48U)

size_t record_size(size_t content_size)
{
	return (RECORD_HEADER_SIZE + content_size + RECORD_ALIGN - 1) / RECORD_ALIGN * RECORD_ALIGN;
}

int record_read(const uint8_t *base, size_t size, size_t offset, uint32_t number, uint64_t sequence, Record *ret)
{
	const uint8_t *header = base + offset;
	uint32_t length, kind;
	uint64_t found_sequence;
	size_t whole;

	if (offset % RECORD_ALIGN != 0 || offset > size || size - offset < RECORD_HEADER_SIZE)
		return -ENODATA;
	length = load_u32(header);
	kind = load_u32(header + 12);
	found_sequence = load_u64(header + 16);
	whole = record_size(length);
	if (length > RECORD_CONTENT_MAX || whole > size - offset)
		return -ENODATA;
	if (load_u32(header + 8) != number || kind == RECORD_NONE || kind >= RECORD_KIND_MAX)
		return -ENODATA;
	if (sequence != RECORD_SEQUENCE_ANY && found_sequence != sequence)
		return -ENODATA;
	if (crc32c(length, header + CRC_FROM, whole - CRC_FROM) != load_u32(header + 4))
		return -ENODATA;
	*ret = (Record){
		.kind = (RecordKind)kind,
		.sequence = found_sequence,
		.synced = load_u64(header + 24),
		.content = header + RECORD_HEADER_SIZE,
		.content_size = length,
		.size = whole,
	};
	return 0;
}

void record_page_init(const RecordFile *file, uint32_t number, const RecordPlace *place)
{
	RecordPage *page = record_page(file);

	memcpy(page->magic, RECORD_MAGIC, sizeof(page->magic));
	page->version = RECORD_VERSION;
	page->number = number;
	page->size = file->size;
	memcpy(page->machine, place->machine.bytes, sizeof(page->machine));
	memcpy(page->boot, place->boot.bytes, sizeof(page->boot));
	page->inode = place->inode;
	page->born_usec = place->born_usec;
	page->check = crc32c(0, page, RECORD_PAGE_CHECKED);
	atomic_store(&page->sequence, 1);
	atomic_store(&page->tail, RECORD_PAGE_SIZE);
}

bool record_page_holds(const RecordFile *file)
{
	const RecordPage *page = record_page(file);

	if (file->size < RECORD_PAGE_SIZE || memcmp(page->magic, RECORD_MAGIC, sizeof(page->magic)) != 0)
		return false;
	return page->version == RECORD_VERSION && crc32c(0, page, RECORD_PAGE_CHECKED) == page->check;
}

int record_page_check(const RecordFile *file)
{
	const RecordPage *page = record_page(file);
	uint64_t tail;

	if (!record_page_holds(file) || page->size != file->size)
		return -EBADMSG;
	tail = atomic_load(&page->tail);
	return tail < RECORD_PAGE_SIZE || tail > file->size || tail % RECORD_ALIGN != 0 ? -EBADMSG : 0;
}

void record_take_over(const RecordFile *file)
{
	RecordPage *page = record_page(file);
	uint64_t last = atomic_load(&page->last), tail = atomic_load(&page->tail);
	uint32_t turn = atomic_load(&page->turn);
	Record record;

	/* The tail is published first, the sequence after: a writer may have died between the two. */
	if (last != 0 && last < tail &&
	    record_read(file->base, tail, last, page->number, RECORD_SEQUENCE_ANY, &record) == 0)
		atomic_store(&page->sequence, record.sequence + 1);
	atomic_store(&page->deadline_usec, 0);
	if (turn % 2 == 1)
		atomic_store(&page->turn, turn + 1);
}

size_t record_room(const RecordFile *file)
{
	return file->size - atomic_load_explicit(&record_page(file)->tail, memory_order_relaxed);
}

int record_append(const RecordFile *file, RecordKind kind, const void *content, size_t content_size)
{
	RecordPage *page = record_page(file);
	uint64_t tail = atomic_load_explicit(&page->tail, memory_order_relaxed);
	uint64_t sequence = atomic_load_explicit(&page->sequence, memory_order_relaxed);
	size_t whole = record_size(content_size);
	uint8_t *at = file->base + tail;

	if (content_size > RECORD_CONTENT_MAX || whole > file->size - tail)
		return -ENOSPC;
	/* A writer that died here may have left bytes behind the tail: the padding is written, too. */
	store_u64(at + whole - RECORD_ALIGN, 0);
	store_u32(at, (uint32_t)content_size);
	store_u64(at + 8, (uint64_t)kind << 32 | page->number); /* two fields; what is loaded soon is stored whole */
	store_u64(at + 16, sequence);
	store_u64(at + 24, atomic_load_explicit(&page->synced, memory_order_relaxed));
	if (content_size > 0)
		memcpy(at + RECORD_HEADER_SIZE, content, content_size);
	store_u32(at + 4, crc32c((uint32_t)content_size, at + CRC_FROM, whole - CRC_FROM));
	atomic_store_explicit(&page->last, tail, memory_order_release);
	atomic_store_explicit(&page->tail, tail + whole, memory_order_release);
	atomic_store_explicit(&page->sequence, sequence + 1, memory_order_release);
	return 0;
}

bool record_begin_synced(const Plan *plan, const WalkAction *action)
{
	const PlanStep *step;

	if (action->rectifying)
		return true;
	step = &plan->steps[action->step - 1];
	return step->n_rectifiers > 0 || step->irreversible;
}

size_t record_note_size(size_t key_size, size_t data_size)
{
	return record_size(3 * sizeof(uint32_t) + key_size + data_size);
}

static uint64_t budget(const SpecHook *hook)
{
	return hook->retry.declared ? hook->retry.attempts : SPEC_RECTIFIER_ATTEMPTS;
}

size_t record_reserve(const Plan *plan, const RecordCaps *caps)
{
	size_t attempts = 0, reply, own;

	for (uint32_t i = plan->n_forward; i < plan->n_ops; i++)
		if (plan->ops[i].kind == PLAN_CALL)
			attempts += budget(plan->ops[i].hook);
	reply = REPLY_FIXED_SIZE + caps->pool + (size_t)plan->n_steps * REPLY_STEP_SIZE;
	own = record_size(BEGIN_SIZE) + record_size(END_SIZE + TEXTS_SIZE + caps->pool) +
	      record_size(STOP_SIZE + TEXTS_SIZE) + record_size(FINISH_SIZE + reply) +
	      record_size(PARK_SIZE + RECORD_MESSAGE_MAX) + record_size(DECISION_SIZE + RECORD_MESSAGE_MAX) +
	      TAKEN_MAX * record_size(TAKEN_SIZE + RECORD_MESSAGE_MAX);
	return own + caps->notes + caps->rectified + attempts * (record_size(BEGIN_SIZE) + record_size(END_SIZE));
}
