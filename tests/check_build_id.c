/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check_main.h"

#include <elf.h>
#include <string.h>

#include "base/buffer.h"
#include "base/build_id.h"

static void add_note(Buffer *notes, uint32_t type, const char *owner, size_t owner_size, const void *data, size_t size)
{
	static const char zeros[4];
	const uint32_t header[3] = { (uint32_t)owner_size, (uint32_t)size, type };

	buffer_append(notes, header, sizeof(header));
	buffer_append(notes, owner, owner_size);
	buffer_append(notes, zeros, -owner_size % 4);
	buffer_append(notes, data, size);
	buffer_append(notes, zeros, -size % 4);
}

static const uint8_t id[] = { 0x01, 0xab, 0xff, 0x00, 0x7e };

START_TEST(the_build_id_is_found_behind_other_notes)
{
	_cleanup_buffer_ Buffer notes = { 0 };
	char text[BUILD_ID_MAX + 1] = "before";

	add_note(&notes, NT_GNU_ABI_TAG, "GNU", 4, "0123456789abcdef", 16);
	add_note(&notes, NT_GNU_BUILD_ID, "stapsdt", 8, id, sizeof(id));
	add_note(&notes, NT_GNU_BUILD_ID, "GNU", 4, id, sizeof(id));
	add_note(&notes, NT_GNU_BUILD_ID, "GNU", 4, "zzzz", 4);
	build_id_find(notes.data, notes.size, text);
	ck_assert_str_eq(text, "01abff007e");
}
END_TEST

START_TEST(where_there_is_none_it_is_empty)
{
	_cleanup_buffer_ Buffer notes = { 0 };
	char text[BUILD_ID_MAX + 1] = "before";

	build_id_find((const uint8_t *)"", 0, text);
	ck_assert_str_eq(text, "");
	add_note(&notes, NT_GNU_ABI_TAG, "GNU", 4, "0123456789abcdef", 16);
	build_id_find(notes.data, notes.size, text);
	ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(notes_that_are_cut_off_or_lie_about_their_size_are_not_read_beyond)
{
	_cleanup_buffer_ Buffer notes = { 0 };
	char text[BUILD_ID_MAX + 1] = "before";

	add_note(&notes, NT_GNU_ABI_TAG, "GNU", 4, "0123", 4);
	add_note(&notes, NT_GNU_BUILD_ID, "GNU", 4, id, sizeof(id));
	for (size_t size = 0; size < notes.size; size++) {
		_cleanup_free_ uint8_t *part = malloc(size + 1); /* so that a byte too far is seen */

		memcpy(part, notes.data, size);
		build_id_find(part, size, text);
		ck_assert_str_eq(text, "");
	}
	for (size_t i = 0; i < 2; i++) {
		_cleanup_free_ uint8_t *wrong = malloc(notes.size);

		memcpy(wrong, notes.data, notes.size);
		memset(wrong + 4 * i, 0xff, 4);
		build_id_find(wrong, notes.size, text);
		ck_assert_str_eq(text, "");
	}
}
END_TEST

START_TEST(a_long_one_is_cut)
{
	_cleanup_buffer_ Buffer notes = { 0 };
	char text[BUILD_ID_MAX + 1];
	uint8_t longer[BUILD_ID_MAX];

	memset(longer, 0x5a, sizeof(longer));
	add_note(&notes, NT_GNU_BUILD_ID, "GNU", 4, longer, sizeof(longer));
	build_id_find(notes.data, notes.size, text);
	ck_assert_uint_eq(strlen(text), BUILD_ID_MAX);
}
END_TEST

CHECK_MAIN(build_id, the_build_id_is_found_behind_other_notes, where_there_is_none_it_is_empty,
	   notes_that_are_cut_off_or_lie_about_their_size_are_not_read_beyond, a_long_one_is_cut)
