/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/notes.h"

#include <errno.h>
#include <string.h>

static void note_done(Note *note)
{
	free(note->key);
	free(note->data);
}

void notes_done(Notes *notes)
{
	for (size_t i = 0; i < notes->n; i++)
		note_done(&notes->items[i]);
	free(notes->items);
	*notes = (Notes){ 0 };
}

static int notes_fit(Notes *notes)
{
	size_t capacity = notes->capacity ? notes->capacity * 2 : 8;
	Note *items;

	if (notes->n < notes->capacity)
		return 0;
	items = realloc(notes->items, capacity * sizeof(*items));
	if (!items)
		return -ENOMEM;
	notes->items = items;
	notes->capacity = capacity;
	return 0;
}

int notes_add(Notes *notes, const RecordNote *note)
{
	Note copy = { .step = note->step, .size = note->data_size };
	int r;

	r = notes_fit(notes);
	if (r < 0)
		return r;
	copy.key = strndup(note->key, note->key_size);
	copy.data = malloc(note->data_size + 1);
	if (!copy.key || !copy.data) {
		note_done(&copy);
		return -ENOMEM;
	}
	if (note->data_size > 0)
		memcpy(copy.data, note->data, note->data_size);
	notes->items[notes->n++] = copy;
	notes->size += record_note_size(note->key_size, note->data_size);
	return 0;
}

const Note *notes_find(const Notes *notes, uint32_t step, const char *key)
{
	for (size_t i = notes->n; i > 0; i--)
		if (notes->items[i - 1].step == step && strcmp(notes->items[i - 1].key, key) == 0)
			return &notes->items[i - 1];
	return NULL;
}
