/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A module for tests of what is noted of modules, and a state directory for its notes. To be included by one file of a
 * test program. */
#pragma once

#include "check_main.h"

#include <string.h>

#include "base/io.h"
#include "daemon/modules.h"
#include "scratch.h"

static const RecordCaps notes_caps = { .pool = 4096, .notes = 4096, .rectified = 4096 };
static char *notes_directory;

static const char notes_spec[] = "{\"name\":\"Purse\",\"version\":\"1\","
				 "\"hooks\":{\"pay\":{\"reference\":\"purse.book.pay\",\"args\":{}}},"
				 "\"programs\":{\"pay\":{\"args\":{},\"outputs\":{},\"hooks\":[\"hooks.pay\"],"
				 "\"allow\":{\"users\":[\"nobody-of-that-name\"]}}}}";

static inline OrderHello notes_hello(const char *spec, const char *build_id)
{
	OrderHello hello = {
		.spec = spec, .spec_size = strlen(spec), .build_id = build_id, .build_id_size = strlen(build_id)
	};

	id_fingerprint(spec, hello.spec_size, &hello.fingerprint);
	return hello;
}

static inline Catalog *notes_catalog(const char *build_id)
{
	const OrderHello hello = notes_hello(notes_spec, build_id);
	char *problem = NULL;
	Catalog *catalog = NULL;

	ck_assert_msg(catalog_recall(&hello, &notes_caps, &catalog, &problem) == 0, "%s", problem ? problem : "?");
	return catalog;
}

static inline void notes_begin(void)
{
	scratch_reset();
	free(notes_directory);
	notes_directory = strdup(scratch_path("state"));
	ck_assert_ptr_nonnull(notes_directory);
	ck_assert_int_eq(make_directories(notes_directory, 0700), 0);
}

static inline void notes_done(void)
{
	free(take_ptr(notes_directory));
}
