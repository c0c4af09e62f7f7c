/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A recorder file with records of almost each kind, where CHRONICLE_FILE says, and the same records packed, where
 * CHRONICLE_PACKED says: for tests/test_recorder.py. */
#include <stdio.h>
#include <string.h>

#include "tests/chronicle.h"

static void append(Chronicle *chronicle, RecordKind kind, Buffer *content)
{
	ck_assert_int_eq(record_append(&chronicle->file, kind, content->data, content->size), 0);
	buffer_clear(content);
}

/* What no script says. */
static void append_rest(Chronicle *chronicle)
{
	static const char metadata[] = "{\"ticket\":\"T-7\"}";
	_cleanup_buffer_ Buffer content = {}, request = {};

	record_encode_request(&(RecordRequest){ .request_id = "a3f1",
						.request_id_size = 4,
						.fingerprint = chronicle_id(7),
						.metadata = metadata,
						.metadata_size = strlen(metadata),
						.submitted_usec = 12 },
			      &request);
	record_encode_start(&(RecordStart){ .run = chronicle_id(8),
					    .uid = 1000,
					    .gid = 100,
					    .pid = 42,
					    .flags = RECORD_FLAG_PROMISED,
					    .program = "p",
					    .program_size = 1,
					    .arguments = "\0\0\0\0",
					    .arguments_size = 4,
					    .request = request.data,
					    .request_size = request.size },
			    &content);
	append(chronicle, RECORD_START, &content);
	record_encode_taken(&(RecordTaken){ .interruptions = 2, .barred = true, .message = "why", .message_size = 3 },
			    &content);
	append(chronicle, RECORD_TAKEN, &content);
	record_encode_unbegun(&(RecordUnbegun){ .run = chronicle_id(9), .cause = ERROR_NOT_STARTED }, &content);
	append(chronicle, RECORD_UNBEGUN, &content);
}

static void pack_all(const Chronicle *chronicle, Buffer *packed)
{
	Record record;

	for (size_t at = RECORD_PAGE_SIZE; record_read(chronicle->file.base, chronicle->file.size, at, CHRONICLE_NUMBER,
						       RECORD_SEQUENCE_ANY, &record) == 0;
	     at += record.size)
		record_pack(record.kind, record.content, record.content_size, packed);
}

static void write_file(const char *variable, const void *data, size_t size)
{
	const char *path = getenv(variable);
	FILE *file;

	ck_assert_ptr_nonnull(path);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(data, 1, size, file), size);
	ck_assert_int_eq(fclose(file), 0);
}

START_TEST(a_file_is_written)
{
	_cleanup_chronicle_ Chronicle *chronicle = chronicle_open("@p(x y)\nx-ux\ny\nux\n");
	_cleanup_buffer_ Buffer packed = {};

	chronicle_run(chronicle, "note ok taken !cancel fail fail fail retry fail fail fail skip");
	chronicle_run(chronicle, "ok park");
	append_rest(chronicle);
	pack_all(chronicle, &packed);
	write_file("CHRONICLE_FILE", chronicle->file.base, chronicle->file.size);
	write_file("CHRONICLE_PACKED", packed.data, packed.size);
}
END_TEST

CHECK_MAIN(chronicle_dump, a_file_is_written)
