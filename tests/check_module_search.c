/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "module_notes.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/build_id.h"

/* An object as far as somebody looks into it who wants to know its build. */
typedef struct Object {
	ElfW(Ehdr) header;
	ElfW(Phdr) segment;
	uint32_t note[3];
	char owner[4];
	uint8_t id[2];
	uint8_t padding[2];
} Object;

static void write_object(const char *path, uint8_t id)
{
	Object object = {
		.header = { .e_phoff = offsetof(Object, segment), .e_phnum = 1, .e_phentsize = sizeof(ElfW(Phdr)) },
		.segment = { .p_type = PT_NOTE, .p_offset = offsetof(Object, note) },
		.note = { 4, 2, NT_GNU_BUILD_ID },
		.owner = "GNU",
		.id = { 0, id },
	};
	char folder[4096];

	object.segment.p_filesz = sizeof(Object) - offsetof(Object, note);
	memcpy(object.header.e_ident, ELFMAG, SELFMAG);
	snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(path, '/') - path), path);
	ck_assert_int_eq(make_directories(folder, 0700), 0);
	ck_assert_int_ge(write_file_atomic(path, &object, sizeof(object), 0600), 0);
}

/* Where the build 00ff is found, of the module that was at lib/purse.so. */
static char *find(void)
{
	_cleanup_catalog_ Catalog *catalog = notes_catalog("00ff");
	_cleanup_free_ char *was = strdup(scratch_path("lib/purse.so"));
	ModuleNote note = { .catalog = catalog, .path = was };
	char *path = NULL;
	int fd = modules_find(&note, &path);

	ck_assert_int_eq(fd >= 0, path != NULL);
	if (fd < 0)
		ck_assert_int_eq(fd, -ENOENT);
	fd_close(fd);
	return path;
}

static void expect_found(const char *name)
{
	_cleanup_free_ char *path = find();

	if (name)
		ck_assert_pstr_eq(path, scratch_path(name));
	else
		ck_assert_ptr_null(path);
}

START_TEST(a_build_is_found_where_it_was_and_beside_it)
{
	notes_begin();
	expect_found(NULL);
	write_object(scratch_path("lib/purse.so"), 0xff);
	expect_found("lib/purse.so");
	write_object(scratch_path("lib/purse.so"), 0xfe); /* another one was installed */
	expect_found(NULL);
	write_object(scratch_path("lib/purse-00ff.so"), 0xff);
	expect_found("lib/purse-00ff.so");
	write_object(scratch_path("lib/purse-00ff.so"), 0xfd); /* names say nothing */
	expect_found(NULL);
	notes_done();
}
END_TEST

START_TEST(what_is_no_object_is_passed_over)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_buffer_ Buffer whole = { 0 };

	notes_begin();
	path = strdup(scratch_path("lib/purse.so"));
	write_object(path, 0xff);
	ck_assert_int_eq(read_file(path, 1 << 20, &whole), 0);
	for (size_t size = 0; size < whole.size; size++) {
		ck_assert_int_ge(write_file_atomic(path, whole.data, size, 0600), 0);
		expect_found(NULL);
	}
	for (size_t i = 0; i < offsetof(Object, note); i++) {
		_cleanup_free_ char *found = NULL;

		whole.data[i] ^= 0xff;
		ck_assert_int_ge(write_file_atomic(path, whole.data, whole.size, 0600), 0);
		found = find(); /* some bytes mean nothing here */
		whole.data[i] ^= 0xff;
	}
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	expect_found(NULL);
	notes_done();
}
END_TEST

START_TEST(a_module_without_a_build_id_is_found_by_that)
{
	const OrderHello hello = notes_hello(notes_spec, "");
	_cleanup_module_note_ ModuleNote note = { 0 };
	_cleanup_free_ char *problem = NULL, *path = NULL;
	int fd;

	notes_begin();
	ck_assert_int_eq(catalog_recall(&hello, &notes_caps, &note.catalog, &problem), 0);
	note.path = strdup(scratch_path("lib/purse.so"));
	write_object(note.path, 0xff);
	ck_assert_int_eq(modules_find(&note, &path), -ENOENT);
	fd = open(note.path, O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(pwrite(fd, "\0\0", 2, offsetof(Object, header.e_phnum)), 2);
	close(fd);
	fd = modules_find(&note, &path);
	ck_assert_int_ge(fd, 0);
	close(fd);
	notes_done();
}
END_TEST

START_TEST(the_build_id_of_a_real_object_is_read)
{
	_cleanup_close_ int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	char text[BUILD_ID_MAX + 1] = "before";

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(build_id_read(fd, text), 0);
	ck_assert_str_ne(text, "before"); /* some linkers note none */
	ck_assert_uint_eq(strspn(text, "0123456789abcdef"), strlen(text));
}
END_TEST

CHECK_MAIN(module_search, a_build_is_found_where_it_was_and_beside_it, what_is_no_object_is_passed_over,
	   a_module_without_a_build_id_is_found_by_that, the_build_id_of_a_real_object_is_read)
