/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For tests of parking: all that it touches, with a ledger of its own in the scratch directory, a crew that has no
 * worker, and runs that are parked as if an earlier daemon had parked them. */
#pragma once

#include <errno.h>
#include <poll.h>
#include <syslog.h>

#include "base/log.h"
#include "daemon/parking.h"
#include "daemon/stored_reply.h"
#include "tests/parked_records.h"
#include "tests/scratch.h"

#define LOT_PENDING 1 /* of a decision: it is not written yet */

typedef struct Lot {
	Config config;
	Queue queue;
	Promises promises;
	Outcomes outcomes;
	Crew crew;
	Trace trace;
	Parking parking;
	Error error;
} Lot;

static unsigned n_logged[LOG_DEBUG + 1];

static inline int count_entry(const struct iovec *fields, int n_fields)
{
	for (int i = 0; i < n_fields; i++)
		if (fields[i].iov_len == strlen("PRIORITY=0") && memcmp(fields[i].iov_base, "PRIORITY=", 9) == 0)
			n_logged[((const char *)fields[i].iov_base)[9] - '0']++;
	return 0;
}

static inline void lot_open(Lot *lot, Catalog *catalog)
{
	static const Id machine = { .bytes = { 1 } };
	const CrewSetup setup = {
		.config = &lot->config,
		.instance = "ryuso",
		.trace = &lot->trace,
		.queue = &lot->queue,
		.outcomes = &lot->outcomes,
	};

	*lot = (Lot){ .trace = { .instance = "ryuso" } };
	log_open_with("check", count_entry);
	config_init(&lot->config);
	queue_init(&lot->queue);
	promises_init(&lot->promises, &lot->config, &lot->queue);
	crew_init(&lot->crew, &setup);
	outcomes_init(&lot->outcomes, &lot->crew.recorder, &lot->promises, &lot->trace);
	lot->crew.home = scratch_directory[0] ? scratch_directory : (scratch_path(""), scratch_directory);
	lot->crew.catalog = catalog;
	lot->parking = (Parking){
		.config = &lot->config,
		.directory = scratch_directory,
		.crew = &lot->crew,
		.queue = &lot->queue,
		.promises = &lot->promises,
		.trace = &lot->trace,
	};
	ck_assert_int_eq(promises_open(&lot->promises, scratch_directory, &machine), 0);
}

static inline void lot_close(Lot *lot)
{
	Run *run;

	while ((run = queue_pop(&lot->queue))) {
		promises_leave(&lot->promises, run);
		run_free(run);
	}
	crew_done(&lot->crew);
	outcomes_done(&lot->outcomes);
	promises_done(&lot->promises);
	config_done(&lot->config);
	error_done(&lot->error);
}

static inline void lot_wait(Lot *lot)
{
	struct pollfd ready = { .fd = promises_fd(&lot->promises), .events = POLLIN };

	while (ledger_under_way(lot->promises.ledger) > 0) {
		ck_assert_int_eq(poll(&ready, 1, 60000), 1);
		promises_dispatch(&lot->promises);
	}
}

static inline Id run_id(uint8_t number)
{
	return (Id){ .bytes = { 0xaa, number } };
}

/* Parks a run as if an earlier daemon had; `failing`: see parked_perform(). */
static inline Id lot_park(Lot *lot, uint8_t number, const char *failing, bool torn)
{
	_cleanup_buffer_ Buffer records = { 0 }, reply = { 0 };
	Id id = run_id(number);
	LedgerRun run = {
		.run = id,
		.uid = 1000,
		.gid = 1000,
		.pid = 7,
		.request_id = number % 2 ? "odd" : NULL,
		.program = "main",
		.module = lot->crew.catalog->identity,
		.build_id = lot->crew.catalog->build_id,
		.error = ERROR_RECTIFIER_FAILED,
		.step = 2,
		.promised = true,
		.ended_usec = 1700000000000000 + number,
	};

	parked_perform(&id, lot->crew.catalog, failing, &records, &reply);
	run.records = records.data;
	run.records_size = torn ? records.size - 64 : records.size;
	run.reply = (const char *)reply.data;
	run.reply_size = reply.size;
	ck_assert_int_eq(ledger_park(lot->promises.ledger, &run, NULL, NULL), 0);
	lot_wait(lot);
	return id;
}

static inline void on_done(void *context, int r)
{
	*(int *)context = r;
}

static inline LedgerDecision decision_of(const Id *run, LedgerVerb verb, uint32_t step)
{
	return (LedgerDecision){ .run = *run, .verb = verb, .step = step, .uid = 42, .reason = "because" };
}

static inline int lot_decide(Lot *lot, const LedgerDecision *decision)
{
	int result = LOT_PENDING, r;

	r = parking_decide(&lot->parking, decision, on_done, &result, &lot->error);
	if (r < 0)
		return r;
	ck_assert_int_eq(result, LOT_PENDING);
	lot_wait(lot);
	ck_assert_int_ne(result, LOT_PENDING);
	return result;
}

static inline void refused(Lot *lot, const LedgerDecision *decision, ErrorCode code, const char *part)
{
	ck_assert_int_eq(lot_decide(lot, decision), -EBADMSG);
	ck_assert_int_eq(lot->error.code, code);
	ck_assert_msg(strstr(lot->error.message, part) != NULL, "%s: not in \"%s\"", part, lot->error.message);
}

static inline LedgerState state_of(Lot *lot, const Id *run)
{
	_cleanup_ledger_found_ LedgerFound found = { 0 };

	ck_assert_int_eq(ledger_find(lot->promises.ledger, run, &found), 0);
	return found.run.state;
}

static inline int count_open(void *context, const LedgerDecision *decision)
{
	*(unsigned *)context += !decision->done;
	return 0;
}

static inline unsigned open_decisions(Lot *lot)
{
	unsigned n = 0;

	ck_assert_int_eq(ledger_decisions(lot->promises.ledger, NULL, count_open, &n), 0);
	return n;
}

/* The order of a run that was taken up holds what was recorded, and the decision. */
static inline OrderUnpark order_of(const Run *run)
{
	OrderUnpark unpark = { 0 };
	Order order;

	ck_assert_int_eq(order_read(run->order.data, run->order.size, &order), 0);
	ck_assert_int_eq(order.kind, ORDER_UNPARK);
	ck_assert_int_eq(order_decode_unpark(&order, &unpark), 0);
	return unpark;
}
