/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For tests of the intake: a shop with one program, "buy", of durability `process`, and clients that ask for it. Runs
 * wait in the queue for the test, which ends them. */
#pragma once

#define HOST_REAL_RECORDER
#include "base/clock.h"
#include "daemon/intake.h"
#include "tests/promise_host.h"

#define SPEC_OF(durability, args)                                                                  \
	"{\"name\":\"shop\",\"version\":\"1\",\"programs\":{\"buy\":{\"durability\":\"" durability \
	"\",\"args\":{" args "},\"outputs\":{},\"hooks\":[]}},\"hooks\":{}}"
#define AMOUNT(type) "\"amount\":{\"type\":\"" type "\",\"required\":true}"
#define NOTE(required) "\"note\":{\"type\":\"string\",\"required\":" required "}"
#define SPEC SPEC_OF("process", AMOUNT("int") "," NOTE("false"))
#define SPEC_STRICTER SPEC_OF("process", AMOUNT("float") "," NOTE("true"))
#define SPEC_OTHER                                                                                 \
	"{\"name\":\"shop\",\"version\":\"3\",\"programs\":{\"sell\":{\"args\":{},\"outputs\":{}," \
	"\"hooks\":[]}},\"hooks\":{}}"
#define ASK "{\"id\":1,\"program\":\"buy\",\"request_id\":\"r\",\"data_pool\":{\"amount\":5,\"note\":\"x\"}"
#define DONE "\"program\":\"buy\",\"success\":true,\"status\":\"succeeded\",\"data_pool\":{},\"error\":null}"
#define QUEUED "\"program\":\"buy\",\"success\":null,\"status\":\"queued\",\"data_pool\":{},\"error\":null}"

static Crew crew;
static Calls calls;
static Intake intake;

static inline void use_module(const char *spec, uint8_t identity)
{
	const OrderHello hello = { .build_id = "", .spec = spec, .spec_size = strlen(spec) };
	const RecordCaps caps = { .pool = 4096, .notes = 1024, .rectified = 1024 };
	_cleanup_free_ char *problem = NULL;
	int r;

	catalog_free(crew.catalog);
	crew.catalog = NULL;
	r = catalog_new(&hello, &caps, &crew.catalog, &problem);
	ck_assert_msg(r == 0, "%d: %s", r, problem ? problem : "no word");
	crew.catalog->identity = (Id){ .bytes = { identity } };
}

static inline void shop_open(void)
{
	host_open();
	crew = (Crew){ .setup = { .config = &host.config, .queue = &host.queue, .outcomes = &host.outcomes } };
	TAILQ_INIT(&crew.ordered);
	ck_assert_int_eq(intake_init(&intake, &host.config, &crew, &host.queue, &calls), 0);
	intake.users = &host.connections[0].users;
	for (size_t i = 0; i < HOST_CLIENTS; i++) {
		host.connections[i].clients.on_object = intake_object;
		host.connections[i].clients.context = &intake;
	}
	use_module(SPEC, 1);
}

static inline void shop_begin(void)
{
	scratch_reset();
	shop_open();
}

static inline void shop_close(void)
{
	host_close();
	intake_done(&intake);
	crew.catalog = catalog_free(crew.catalog);
}

static inline void ask(size_t client, const char *text)
{
	connection_send(&host.connections[client], text);
}

/* The only one that waits. */
static inline Run *take(void)
{
	Run *run = queue_pop(&host.queue);

	ck_assert_ptr_nonnull(run);
	ck_assert_uint_eq(host.queue.n, 0);
	return run;
}

static inline void end(Run *run)
{
	run->state = RUN_ORDERED;
	host_end(run, WALK_SUCCEEDED, DONE);
}

static inline void expect_reply(size_t client, const char *run, const char *body)
{
	_cleanup_free_ char *expected = NULL;

	ck_assert_int_gt(asprintf(&expected, "{\"id\":1,\"run\":\"%s\",%s\n", run, body), 0);
	ck_assert_str_eq(host_read(client), expected);
}

static inline void expect_refused(size_t client, const char *name)
{
	const char *text = host_read(client);

	ck_assert_msg(strstr(text, "\"status\":\"refused\"") && strstr(text, name), "expected %s, got %s", name, text);
}
