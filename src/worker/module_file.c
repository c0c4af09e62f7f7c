/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "worker/module.h"

static int cut_off(Error *error, uint64_t size, uint64_t expected)
{
	return error_set(error, ERROR_NO_MODULE, NULL,
			 "the module's file has %llu bytes, expected at least %llu: it is cut off",
			 (unsigned long long)size, (unsigned long long)expected);
}

static int check_segments(int fd, const ElfW(Ehdr) * header, uint64_t size, Error *error)
{
	for (unsigned i = 0; i < header->e_phnum; i++) {
		uint64_t at = header->e_phoff + (uint64_t)i * sizeof(ElfW(Phdr));
		ElfW(Phdr) segment;

		if (pread(fd, &segment, sizeof(segment), (off_t)at) != (ssize_t)sizeof(segment))
			return cut_off(error, size, at + sizeof(segment));
		if (segment.p_type == PT_LOAD && segment.p_offset + segment.p_filesz > size)
			return cut_off(error, size, segment.p_offset + segment.p_filesz);
	}
	return 0;
}

int module_check_file(int fd, Error *error)
{
	ElfW(Ehdr) header;
	struct stat status;
	ssize_t n;

	if (fstat(fd, &status) < 0)
		return error_set(error, ERROR_NO_MODULE, NULL, "the module cannot be read: %s", strerror(errno));
	n = pread(fd, &header, sizeof(header), 0);
	if (n < SELFMAG || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
		return error_set(error, ERROR_NO_MODULE, NULL,
				 "the module is no shared object: it does not begin as an ELF file does");
	if (n < (ssize_t)sizeof(header))
		return cut_off(error, (uint64_t)status.st_size, sizeof(header));
	/* An object for another machine is named by the loader. */
	if (header.e_phentsize != sizeof(ElfW(Phdr)))
		return 0;
	return check_segments(fd, &header, (uint64_t)status.st_size, error);
}

typedef struct NoteSearch {
	const void *address;
	char *text;
} NoteSearch;

static bool holds(const struct dl_phdr_info *info, const void *address)
{
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		uintptr_t begin = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;

		if (info->dlpi_phdr[i].p_type == PT_LOAD && (uintptr_t)address - begin < info->dlpi_phdr[i].p_memsz)
			return true;
	}
	return false;
}

static int on_object(struct dl_phdr_info *info, size_t size, void *data)
{
	const NoteSearch *search = data;

	(void)size;
	if (!holds(info, search->address))
		return 0;
	for (unsigned i = 0; i < info->dlpi_phnum && search->text[0] == '\0'; i++)
		if (info->dlpi_phdr[i].p_type == PT_NOTE)
			build_id_find((const uint8_t *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr),
				      info->dlpi_phdr[i].p_memsz, search->text);
	return 1;
}

void module_build_id(const void *address, char text[static BUILD_ID_MAX + 1])
{
	NoteSearch search = { .address = address, .text = text };

	text[0] = '\0';
	dl_iterate_phdr(on_object, &search);
}
