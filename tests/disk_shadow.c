/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "disk_trace.h"

#define REGIONS_MAX 256U

typedef struct Region {
	uint8_t *base; /* NULL: free */
	size_t size;
	uint64_t inode, offset; /* which part of it */
	uint64_t shadow;        /* offset of the same part of its shadow, in the trace's file */
} Region;

static Region regions[REGIONS_MAX];
static size_t n_regions; /* ever in use */

static Shadow *find_shadow(uint64_t inode)
{
	Trace *trace = trace_get();

	for (uint64_t i = 0; i < trace->n_shadows; i++)
		if (trace->shadows[i].inode == inode)
			return &trace->shadows[i];
	return NULL;
}

/* A new one is how the file is now: all that made it so is written down. */
static Shadow *make_shadow(uint64_t inode, const void *base, uint64_t size)
{
	Trace *trace = trace_get();
	Shadow *shadow = &trace->shadows[trace->n_shadows];

	if (trace->n_shadows == SHADOWS_MAX || trace->shade_end - trace->shade < size) {
		trace->lost++;
		return NULL;
	}
	*shadow = (Shadow){ .inode = inode, .size = size, .offset = trace->shade };
	trace->shade += (size + SECTOR - 1) / SECTOR * SECTOR;
	trace->n_shadows++;
	memcpy(trace_place(shadow->offset), base, size);
	return shadow;
}

static Region *free_region(void)
{
	for (size_t i = 0; i < n_regions; i++)
		if (!regions[i].base)
			return &regions[i];
	return n_regions < REGIONS_MAX ? &regions[n_regions++] : NULL;
}

void shadow_map(void *base, size_t size, uint64_t inode, uint64_t offset)
{
	Shadow *shadow = find_shadow(inode);
	Region *region = free_region();

	if (!shadow && offset == 0)
		shadow = make_shadow(inode, base, size);
	if (!region || !shadow || offset + size > shadow->size) {
		trace_get()->lost++;
		return;
	}
	*region = (Region){
		.base = base,
		.size = size,
		.inode = inode,
		.offset = offset,
		.shadow = shadow->offset + offset,
	};
}

void shadow_unmap(const void *base, size_t size)
{
	for (size_t i = 0; i < n_regions; i++)
		if (regions[i].base && (const uint8_t *)base <= regions[i].base &&
		    regions[i].base + regions[i].size <= (const uint8_t *)base + size)
			regions[i].base = NULL;
}

bool shadow_find(const void *address, uint64_t *ret_inode, uint64_t *ret_offset)
{
	for (size_t i = 0; i < n_regions; i++) {
		const Region *region = &regions[i];

		if (!region->base || (const uint8_t *)address < region->base ||
		    (const uint8_t *)address >= region->base + region->size)
			continue;
		*ret_inode = region->inode;
		*ret_offset = region->offset + (uint64_t)((const uint8_t *)address - region->base);
		return true;
	}
	return false;
}

/* Another process may be writing: what is compared is what is written down. */
static void look_at_sector(const Region *region, size_t at, uint8_t *shadow)
{
	size_t size = region->size - at < SECTOR ? region->size - at : SECTOR;
	uint8_t found[SECTOR];

	if (memcmp(region->base + at, shadow + at, size) == 0)
		return;
	memcpy(found, region->base + at, size);
	memcpy(shadow + at, found, size);
	trace_event(EVENT_WRITE, (uint64_t[4]){ region->inode, region->offset + at }, found, size);
}

void shadow_look(void)
{
	for (size_t i = 0; i < n_regions; i++) {
		const Region *region = &regions[i];

		for (size_t at = 0; region->base && at < region->size; at += SECTOR)
			look_at_sector(region, at, trace_place(region->shadow));
	}
}

void shadow_write(uint64_t inode, uint64_t offset, const void *data, size_t size)
{
	const Shadow *shadow = find_shadow(inode);

	if (!shadow || offset >= shadow->size)
		return;
	if (size > shadow->size - offset)
		size = shadow->size - offset;
	memcpy((uint8_t *)trace_place(shadow->offset) + offset, data, size);
}
