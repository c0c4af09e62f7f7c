/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/recover.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "run/recover_private.h"

#define NUMBER_AT 8U /* in a record's header */

/* Where reading stands. */
typedef struct Place {
	size_t offset;
	uint64_t sequence; /* of the next record */
	uint64_t mark;     /* the highest offset that a record said was synced */
} Place;

void recovered_done(Recovered *recovered)
{
	free(recovered->runs);
	free(recovered->unbegun);
	*recovered = (Recovered){ 0 };
}

static void step_over(Place *place, const Record *record)
{
	place->offset += record->size;
	place->sequence = record->sequence + 1;
	place->mark = MAX(place->mark, record->synced);
}

/* To the first that holds no record, or, where nothing is lost before, that cannot stand where it does: -EBADMSG. */
static int read_on(Reading *reading, Place *place)
{
	const RecordFile *file = reading->file;
	Record record;
	int r;

	while (record_read(file->base, file->size, place->offset, reading->found->number, place->sequence, &record) ==
	       0) {
		r = recover_takes[record.kind](reading, place->offset, &record);
		if (r < 0 && (r != -EBADMSG || !reading->island))
			return r;
		step_over(place, &record);
	}
	return 0;
}

static uint32_t number_at(const RecordFile *file, size_t offset)
{
	uint32_t number;

	memcpy(&number, file->base + offset + NUMBER_AT, sizeof(number));
	return le32toh(number);
}

/* The next record of the file, from where reading stands on. */
static bool find_record(const Reading *reading, Place *place, Record *ret)
{
	const RecordFile *file = reading->file;
	size_t offset = place->offset;

	for (; offset < file->size && file->size - offset >= RECORD_HEADER_SIZE; offset += RECORD_ALIGN) {
		if (number_at(file, offset) != reading->found->number ||
		    record_read(file->base, file->size, offset, reading->found->number, RECORD_SEQUENCE_ANY, ret) < 0 ||
		    ret->sequence < place->sequence)
			continue;
		place->offset = offset;
		place->sequence = ret->sequence;
		return true;
	}
	return false;
}

static uint64_t last_mark(const Reading *reading, Place place)
{
	Record record;

	while (find_record(reading, &place, &record))
		step_over(&place, &record);
	return place.mark;
}

static int read_islands(Reading *reading, Place place)
{
	Record record;
	int r;

	recover_break(reading);
	while (find_record(reading, &place, &record)) {
		r = read_on(reading, &place);
		if (r < 0)
			return r;
		recover_break(reading);
	}
	return 0;
}

/* Of a file whose first page does not say it: as the first record has it that holds by its own sum. */
static bool find_number(const RecordFile *file, uint32_t *ret)
{
	Record record;

	for (size_t offset = RECORD_PAGE_SIZE; offset < file->size && file->size - offset >= RECORD_HEADER_SIZE;
	     offset += RECORD_ALIGN) {
		uint32_t number = number_at(file, offset);

		if (record_read(file->base, file->size, offset, number, RECORD_SEQUENCE_ANY, &record) < 0)
			continue;
		*ret = number;
		return true;
	}
	return false;
}

static bool differs(uint64_t made, uint64_t found)
{
	return made != 0 && found != 0 && made != found;
}

static void compare_place(const RecordPage *page, const RecordPlace *now, Recovered *found)
{
	found->same_boot = memcmp(page->boot, now->boot.bytes, sizeof(page->boot)) == 0;
	found->moved = memcmp(page->machine, now->machine.bytes, sizeof(page->machine)) != 0 ||
		       differs(page->inode, now->inode) || differs(page->born_usec, now->born_usec);
}

/* Whether something that was written, and must be there, is not: records hold up to \p place only. */
static bool is_missing(const Reading *reading, const Place *place)
{
	const RecordPage *page = record_page(reading->file);

	if (reading->file->size < page->size || atomic_load(&page->synced) > place->offset)
		return true;
	if (reading->found->same_boot)
		return atomic_load(&page->tail) > place->offset;
	return last_mark(reading, *place) > place->offset;
}

static void distrust(Recovered *found)
{
	for (size_t i = 0; i < found->n; i++)
		if (!found->runs[i].finished)
			found->runs[i].broken = true;
}

static int read_all(Reading *reading, bool holds)
{
	Recovered *found = reading->found;
	Place place = { .offset = RECORD_PAGE_SIZE, .sequence = 1 };
	int r;

	r = read_on(reading, &place);
	if (r < 0 && r != -EBADMSG)
		return r;
	found->end = place.offset;
	found->damaged = r < 0 || !holds || is_missing(reading, &place);
	if (found->damaged)
		r = read_islands(reading, place);
	else
		r = 0;
	if (r >= 0)
		r = recover_drop_superseded(found);
	if (found->damaged)
		distrust(found);
	found->empty = !found->damaged && found->end == RECORD_PAGE_SIZE;
	return r;
}

int recover_read(const RecordFile *file, const RecordPlace *now, Recovered *ret)
{
	bool holds = record_page_holds(file);
	Recovered found = { .damaged = true };
	Reading reading = { .file = file, .found = &found, .open = RECOVER_NONE, .closed = RECOVER_NONE };
	int r = 0;

	if (holds) {
		found.number = record_page(file)->number;
		compare_place(record_page(file), now, &found);
	}
	if (holds || find_number(file, &found.number))
		r = read_all(&reading, holds);
	else
		found.end = MIN(file->size, RECORD_PAGE_SIZE);
	if (r < 0) {
		recovered_done(&found);
		return r;
	}
	*ret = found;
	return 0;
}
