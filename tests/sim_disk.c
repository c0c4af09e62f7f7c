/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "tests/sim.h"

SimFile *sim_file_new(Sim *sim, size_t size)
{
	SimFile *file = calloc(1, sizeof(*file));

	size = (size + RECORD_PAGE_SIZE - 1) / RECORD_PAGE_SIZE * RECORD_PAGE_SIZE;
	if (file) {
		file->live = (RecordFile){ .base = calloc(1, size), .size = size };
		file->disk = calloc(1, size);
		file->dirty = calloc(size / SIM_SECTOR, sizeof(*file->dirty));
	}
	if (!file || !file->live.base || !file->disk || !file->dirty)
		abort();
	file->high = RECORD_PAGE_SIZE;
	file->place = (RecordPlace){ sim->machine, sim->boot, ++sim->inode, sim->wall_usec };
	record_page_init(&file->live, (uint32_t)dice_roll(&sim->dice) | 1, &file->place);
	memcpy(file->disk, file->live.base, RECORD_PAGE_SIZE);
	return file;
}

SimFile *sim_file_free(SimFile *file)
{
	if (!file)
		return NULL;
	free(file->live.base);
	free(file->disk);
	free(file->dirty);
	free(file);
	return NULL;
}

static void touch(SimFile *file, size_t from, size_t to)
{
	for (size_t sector = from / SIM_SECTOR; sector * SIM_SECTOR < to; sector++)
		file->dirty[sector] = true;
	file->high = MAX(file->high, to);
}

/* The first page is written by so many that it is taken as being written all the time. */
static void touch_page(SimFile *file)
{
	touch(file, 0, sizeof(RecordPage));
}

void sim_file_append(Sim *sim, SimFile *file, RecordKind kind, const void *content, size_t size)
{
	size_t before = sim_file_tail(file);
	int r = record_append(&file->live, kind, content, size);

	sim_must(sim, r == 0, "no room for record %u of %zu bytes: %zu of %zu are left", kind, size,
		 record_room(&file->live), file->live.size);
	touch(file, before, sim_file_tail(file));
}

static void bring(SimFile *file, size_t sector)
{
	memcpy(file->disk + sector * SIM_SECTOR, file->live.base + sector * SIM_SECTOR, SIM_SECTOR);
}

int sim_file_sync(Sim *sim, SimFile *file, int side)
{
	size_t from = atomic_load(&record_page(&file->live)->synced) / RECORD_PAGE_SIZE * RECORD_PAGE_SIZE;
	size_t to = sim_file_tail(file);
	bool fails = sim_chance(sim, sim->sync_fails);

	for (size_t sector = from / SIM_SECTOR; sector * SIM_SECTOR < to; sector++) {
		if (file->dirty[sector] && (!fails || sim_below(sim, 2)))
			bring(file, sector);
		file->dirty[sector] = false;
	}
	if (fails)
		file->failing[0] = file->failing[1] = true;
	fails = file->failing[side];
	file->failing[side] = false;
	sim->tally->syncs++;
	sim->tally->failed_syncs += fails;
	sim_tell(sim, "sync %zu..%zu%s", from, to, fails ? " FAILS" : "");
	return fails ? -EIO : 0;
}

void sim_file_write_back(Sim *sim, SimFile *file)
{
	size_t n = file->high / SIM_SECTOR;

	touch_page(file);
	for (size_t i = 0; i < 1 + n / 4; i++) {
		size_t sector = sim_below(sim, n);

		if (!file->dirty[sector])
			continue;
		bring(file, sector);
		file->dirty[sector] = false;
		sim->tally->written_back++;
	}
}

void sim_file_lose_power(Sim *sim, SimFile *file)
{
	static const unsigned kept[] = { 0, 100, 500, 900, 1000 };
	unsigned keep = kept[sim_below(sim, ELEMENTSOF(kept))];
	size_t n_kept = 0, n_lost = 0;

	touch_page(file);
	for (size_t sector = 0; sector * SIM_SECTOR < file->high; sector++) {
		if (!file->dirty[sector])
			continue;
		if (sim_chance(sim, keep)) {
			bring(file, sector);
			n_kept++;
		} else {
			n_lost++;
		}
		file->dirty[sector] = false;
	}
	memcpy(file->live.base, file->disk, (file->high + SIM_SECTOR - 1) / SIM_SECTOR * SIM_SECTOR);
	if (n_kept > 0)
		sim->tally->torn += n_lost;
	sim_tell(sim, "of the sectors under way %zu are kept, %zu are lost", n_kept, n_lost);
}

void sim_file_tear(Sim *sim, SimFile *file, size_t before)
{
	RecordPage *page = record_page(&file->live);
	size_t whole = sim_file_tail(file) - before, written = whole;
	unsigned stage = (unsigned)sim_below(sim, 4);

	/* the sequence is written last, the tail before it, and so on backwards */
	atomic_fetch_sub(&page->sequence, 1);
	if (stage > 0)
		atomic_store(&page->tail, before);
	if (stage > 1)
		written = sim_below(sim, whole);
	if (stage > 2)
		memset(file->live.base + before, 0, RECORD_HEADER_SIZE - 8);
	memset(file->live.base + before + written, 0, whole - written);
	sim_tell(sim, "the record is left half written, stage %u, %zu of %zu bytes", stage, written, whole);
}

void sim_file_pack(Sim *sim, const SimFile *file, size_t offset, size_t end, Buffer *packed)
{
	uint32_t number = record_page(&file->live)->number;
	Record record;

	while (offset < end) {
		sim_must(sim,
			 record_read(file->live.base, file->live.size, offset, number, RECORD_SEQUENCE_ANY, &record) ==
				 0,
			 "no record at %zu, below %zu", offset, end);
		record_pack(record.kind, record.content, record.content_size, packed);
		offset += record.size;
	}
}
