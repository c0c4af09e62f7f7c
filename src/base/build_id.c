/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/build_id.h"

#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/macro.h"

#define SEGMENTS_MAX 256U
#define NOTES_SIZE_MAX (64U << 10)

static size_t note_align(size_t size)
{
	return (size + 3) / 4 * 4;
}

void build_id_find(const uint8_t *at, size_t size, char text[static BUILD_ID_MAX + 1])
{
	text[0] = '\0';
	while (size >= sizeof(ElfW(Nhdr))) {
		ElfW(Nhdr) note;
		size_t whole;

		memcpy(&note, at, sizeof(note));
		whole = sizeof(note) + note_align(note.n_namesz) + note_align(note.n_descsz);
		if (whole > size)
			return;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && memcmp(at + sizeof(note), "GNU", 4) == 0) {
			const uint8_t *id = at + sizeof(note) + note_align(note.n_namesz);

			for (size_t i = 0; i < note.n_descsz && 2 * i < BUILD_ID_MAX; i++)
				snprintf(text + 2 * i, 3, "%02x", id[i]);
			return;
		}
		at += whole;
		size -= whole;
	}
}

static int read_notes(int fd, const ElfW(Phdr) * segment, char text[static BUILD_ID_MAX + 1])
{
	_cleanup_free_ uint8_t *notes = NULL;

	if (segment->p_filesz > NOTES_SIZE_MAX)
		return 0;
	notes = malloc(segment->p_filesz + 1);
	if (!notes)
		return -ENOMEM;
	if (pread(fd, notes, segment->p_filesz, (off_t)segment->p_offset) != (ssize_t)segment->p_filesz)
		return -EBADMSG;
	build_id_find(notes, segment->p_filesz, text);
	return 0;
}

int build_id_read(int fd, char text[static BUILD_ID_MAX + 1])
{
	ElfW(Ehdr) header;
	int r = 0;

	text[0] = '\0';
	if (pread(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header) ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_phentsize != sizeof(ElfW(Phdr)))
		return -EBADMSG;
	for (unsigned i = 0; i < MIN(header.e_phnum, SEGMENTS_MAX) && text[0] == '\0' && r >= 0; i++) {
		off_t at = (off_t)(header.e_phoff + i * sizeof(ElfW(Phdr)));
		ElfW(Phdr) segment;

		if (pread(fd, &segment, sizeof(segment), at) != (ssize_t)sizeof(segment))
			return -EBADMSG;
		if (segment.p_type == PT_NOTE)
			r = read_notes(fd, &segment, text);
	}
	return r;
}
