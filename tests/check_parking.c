/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check_main.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <syslog.h>

#include "base/log.h"
#include "daemon/parking.h"
#include "daemon/stored_reply.h"
#include "parked_records.h"
#include "scratch.h"

#define PENDING 1

/* All that parking touches, with a ledger of its own and a crew that has no worker. */
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

static int count_entry(const struct iovec *fields, int n_fields)
{
	for (int i = 0; i < n_fields; i++)
		if (fields[i].iov_len == strlen("PRIORITY=0") && memcmp(fields[i].iov_base, "PRIORITY=", 9) == 0)
			n_logged[((const char *)fields[i].iov_base)[9] - '0']++;
	return 0;
}

static void lot_open(Lot *lot, Catalog *catalog)
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

static void lot_close(Lot *lot)
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

static void lot_wait(Lot *lot)
{
	struct pollfd ready = { .fd = promises_fd(&lot->promises), .events = POLLIN };

	while (ledger_under_way(lot->promises.ledger) > 0) {
		ck_assert_int_eq(poll(&ready, 1, 60000), 1);
		promises_dispatch(&lot->promises);
	}
}

static Id run_id(uint8_t number)
{
	return (Id){ .bytes = { 0xaa, number } };
}

/* Parks a run as if an earlier daemon had; `failing`: see parked_perform(). */
static Id lot_park(Lot *lot, uint8_t number, const char *failing, bool torn)
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

static void on_done(void *context, int r)
{
	*(int *)context = r;
}

static LedgerDecision decision_of(const Id *run, LedgerVerb verb, uint32_t step)
{
	return (LedgerDecision){ .run = *run, .verb = verb, .step = step, .uid = 42, .reason = "because" };
}

static int lot_decide(Lot *lot, const LedgerDecision *decision)
{
	int result = PENDING, r;

	r = parking_decide(&lot->parking, decision, on_done, &result, &lot->error);
	if (r < 0)
		return r;
	ck_assert_int_eq(result, PENDING);
	lot_wait(lot);
	ck_assert_int_ne(result, PENDING);
	return result;
}

static void refused(Lot *lot, const LedgerDecision *decision, ErrorCode code, const char *part)
{
	ck_assert_int_eq(lot_decide(lot, decision), -EBADMSG);
	ck_assert_int_eq(lot->error.code, code);
	ck_assert_msg(strstr(lot->error.message, part) != NULL, "%s: not in \"%s\"", part, lot->error.message);
}

static LedgerState state_of(Lot *lot, const Id *run)
{
	_cleanup_ledger_found_ LedgerFound found = { 0 };

	ck_assert_int_eq(ledger_find(lot->promises.ledger, run, &found), 0);
	return found.run.state;
}

static int count_open(void *context, const LedgerDecision *decision)
{
	*(unsigned *)context += !decision->done;
	return 0;
}

static unsigned open_decisions(Lot *lot)
{
	unsigned n = 0;

	ck_assert_int_eq(ledger_decisions(lot->promises.ledger, NULL, count_open, &n), 0);
	return n;
}

/* The order of a run that was taken up holds what was recorded, and the decision. */
static OrderUnpark order_of(const Run *run)
{
	OrderUnpark unpark = { 0 };
	Order order;

	ck_assert_int_eq(order_read(run->order.data, run->order.size, &order), 0);
	ck_assert_int_eq(order.kind, ORDER_UNPARK);
	ck_assert_int_eq(order_decode_unpark(&order, &unpark), 0);
	return unpark;
}

START_TEST(what_is_decided_becomes_an_order_at_the_head_of_the_queue)
{
	Lot lot;
	LedgerDecision decision;
	OrderUnpark unpark;
	Run *waiting = NULL, *run;
	Id id;

	lot_open(&lot, parked_catalog(parked_spec, "b1"));
	ck_assert_int_eq(run_new(catalog_program(lot.crew.catalog, "main"), &(Peer){ 0 }, &waiting), 0);
	queue_push(&lot.queue, waiting);
	id = lot_park(&lot, 1, "last undo_second", false);
	decision = decision_of(&id, LEDGER_SKIP, 2);
	decision.flags = LEDGER_DECISION_UNDONE_BY_HAND;
	ck_assert_int_eq(lot_decide(&lot, &decision), 0);
	run = queue_first(&lot.queue);
	ck_assert(run != waiting && id_equal(&run->id, &id));
	ck_assert(run->taken_up && run->replaying && run->promised && run->submitted);
	ck_assert_str_eq(run->request_id, "odd");
	ck_assert_uint_eq(run->peer.uid, 1000);
	ck_assert_uint_eq(run->begun_realtime_usec, 1700000000000000);
	unpark = order_of(run);
	ck_assert(id_equal(&unpark.run, &id) && id_equal(&unpark.module, &lot.crew.catalog->identity));
	ck_assert_int_eq(unpark.verb, RECORD_SKIP);
	ck_assert_uint_eq(unpark.decision.step, 2);
	ck_assert_uint_eq(unpark.decision.uid, 42);
	ck_assert_uint_eq(unpark.decision.flags, RECORD_DECISION_UNDONE_BY_HAND);
	ck_assert_uint_eq(unpark.decision.usec, run->decided_usec);
	ck_assert_mem_eq(unpark.decision.reason, "because", unpark.decision.reason_size);
	ck_assert_int_eq(state_of(&lot, &id), LEDGER_PARKED);
	ck_assert_uint_eq(open_decisions(&lot), 1);
	lot_close(&lot);
}
END_TEST

START_TEST(while_one_decision_is_to_be_done_there_is_no_other)
{
	Lot lot;
	LedgerDecision decision;
	Id id;

	lot_open(&lot, parked_catalog(parked_spec, "b1"));
	id = lot_park(&lot, 1, "last undo_second", false);
	decision = decision_of(&id, LEDGER_RETRY, 2);
	ck_assert_int_eq(lot_decide(&lot, &decision), 0);
	refused(&lot, &decision, ERROR_WRONG_STATE, "by an earlier decision");
	lot_close(&lot);
}
END_TEST

START_TEST(two_decisions_at_once_are_one)
{
	Lot lot;
	LedgerDecision decision;
	int results[2] = { PENDING, PENDING };
	Id id;

	lot_open(&lot, parked_catalog(parked_spec, "b1"));
	id = lot_park(&lot, 1, "last undo_second", false);
	decision = decision_of(&id, LEDGER_RETRY, 2);
	for (size_t i = 0; i < 2; i++)
		ck_assert_int_eq(parking_decide(&lot.parking, &decision, on_done, &results[i], &lot.error), 0);
	lot_wait(&lot);
	ck_assert_int_eq(results[0], 0);
	ck_assert_int_eq(results[1], -EBUSY);
	ck_assert_uint_eq(lot.queue.n, 1);
	lot_close(&lot);
}
END_TEST

START_TEST(what_was_decided_before_is_taken_up_at_a_start_the_oldest_first)
{
	Lot lot;
	Id ids[3];

	lot_open(&lot, parked_catalog(parked_spec, "b1"));
	for (uint8_t i = 0; i < 3; i++) {
		ids[i] = lot_park(&lot, (uint8_t)(2 * i + 2), "last undo_second", false);
		lot.crew.stopping = true; /* which leaves it to the next start */
		ck_assert_int_eq(lot_decide(&lot, &(LedgerDecision){ .run = ids[i], .step = 2 }), 0);
		lot.crew.stopping = false;
	}
	ck_assert_uint_eq(lot.queue.n, 0);
	ck_assert_int_eq(parking_restore(&lot.parking), 0);
	ck_assert_uint_eq(lot.queue.n, 3);
	ck_assert_int_eq(parking_restore(&lot.parking), 0);
	ck_assert_uint_eq(lot.queue.n, 3);
	for (size_t i = 0; i < 3; i++) {
		Run *run = queue_pop(&lot.queue);

		ck_assert(id_equal(&run->id, &ids[i]));
		run_free(run);
	}
	lot_close(&lot);
}
END_TEST

START_TEST(decisions_about_a_run_are_told_from_each_other_by_their_time)
{
	uint64_t last = 0;
	Lot lot;
	Id id;

	lot_open(&lot, parked_catalog(parked_spec, "b1"));
	id = lot_park(&lot, 1, "last undo_second", false);
	for (size_t i = 0; i < 5; i++) {
		LedgerDecision decision = decision_of(&id, LEDGER_RETRY, 2);
		Run *run;

		ck_assert_int_eq(lot_decide(&lot, &decision), 0);
		run = queue_pop(&lot.queue);
		ck_assert_uint_gt(run->decided_usec, last);
		last = run->decided_usec;
		parking_failed(&lot.parking, run);
		lot_wait(&lot);
	}
	lot_close(&lot);
}
END_TEST

START_TEST(what_no_worker_can_take_up_parks_anew_with_the_records_that_it_had)
{
	_cleanup_json_ struct json_object *before = NULL, *after = NULL;
	_cleanup_ledger_found_ LedgerFound found = { 0 }, then = { 0 };
	LedgerDecision decision;
	Lot lot;
	Id id;

	lot_open(&lot, parked_catalog(parked_spec, "b1"));
	id = lot_park(&lot, 1, "last undo_second", false);
	ck_assert_int_eq(ledger_find(lot.promises.ledger, &id, &found), 0);
	decision = decision_of(&id, LEDGER_RETRY, 2);
	ck_assert_int_eq(lot_decide(&lot, &decision), 0);
	parking_failed(&lot.parking, queue_pop(&lot.queue));
	lot_wait(&lot);
	ck_assert_int_eq(ledger_find(lot.promises.ledger, &id, &then), 0);
	ck_assert_int_eq(then.run.state, LEDGER_PARKED);
	ck_assert_int_eq(then.run.error, ERROR_MODULE_CHANGED);
	ck_assert_uint_eq(then.run.step, 2);
	ck_assert_str_eq(then.run.request_id, "odd");
	before = stored_reply_read(found.run.reply, found.run.reply_size);
	after = stored_reply_read(then.run.reply, then.run.reply_size);
	ck_assert_str_eq(stored_text(stored_member(after, "parked"), "name"), "ModuleChanged");
	ck_assert_ptr_nonnull(strstr(stored_text(stored_member(after, "parked"), "message"), "b1"));
	json_object_object_del(before, "parked");
	json_object_object_del(after, "parked");
	ck_assert(json_object_equal(before, after));
	ck_assert_uint_eq(open_decisions(&lot), 0);
	/* and can be decided about again */
	ck_assert_int_eq(lot_decide(&lot, &decision), 0);
	ck_assert_uint_eq(lot.queue.n, 1);
	lot_close(&lot);
}
END_TEST

START_TEST(what_the_recorder_holds_again_is_parked_no_more)
{
	LedgerDecision decision;
	Run *run;
	Lot lot;
	Id id;

	lot_open(&lot, parked_catalog(parked_spec, "b1"));
	id = lot_park(&lot, 1, "last undo_second", false);
	decision = decision_of(&id, LEDGER_RETRY, 2);
	ck_assert_int_eq(lot_decide(&lot, &decision), 0);
	ck_assert_uint_eq(lot.promises.n_parked, 1);
	run = queue_first(&lot.queue);
	parking_resumed(&lot.parking, run);
	lot_wait(&lot);
	ck_assert_int_eq(state_of(&lot, &id), LEDGER_RESUMED);
	ck_assert_uint_eq(open_decisions(&lot), 0);
	ck_assert_uint_eq(lot.promises.n_parked, 0);
	lot_close(&lot);
}
END_TEST

START_TEST(what_is_recorded_wrongly_can_only_be_left_as_it_is)
{
	_cleanup_ledger_found_ LedgerFound found = { 0 };
	_cleanup_json_ struct json_object *reply = NULL;
	LedgerDecision decision;
	Lot lot;
	Id id;

	lot_open(&lot, parked_catalog(parked_spec, "b1"));
	id = lot_park(&lot, 1, "last undo_second", true);
	decision = decision_of(&id, LEDGER_RETRY, 2);
	refused(&lot, &decision, ERROR_WRONG_STATE, "skip leaves it as it is");
	decision = decision_of(&id, LEDGER_CONFIRM, 2);
	refused(&lot, &decision, ERROR_WRONG_STATE, "skip leaves it as it is");
	decision = decision_of(&id, LEDGER_SKIP, 1);
	refused(&lot, &decision, ERROR_WRONG_STATE, "stands at step 2");
	decision = decision_of(&id, LEDGER_SKIP, 2);
	ck_assert_int_eq(lot_decide(&lot, &decision), 0);
	lot_wait(&lot);
	ck_assert_int_eq(ledger_find(lot.promises.ledger, &id, &found), 0);
	ck_assert_int_eq(found.run.state, LEDGER_SETTLED);
	reply = stored_reply_read(found.run.reply, found.run.reply_size);
	ck_assert_str_eq(stored_text(reply, "status"), "settled");
	ck_assert_uint_eq(json_object_array_length(stored_member(reply, "remaining")), 2);
	ck_assert_ptr_null(stored_member(reply, "parked"));
	ck_assert_uint_eq(lot.queue.n, 0);
	lot_close(&lot);
}
END_TEST

START_TEST(what_is_on_its_way_to_the_ledger_is_parked_for_all_to_see)
{
	_cleanup_json_ struct json_object *shown = json_object_new_object();
	LedgerDecision decision;
	int result = PENDING;
	Run *run = NULL;
	Lot lot;

	lot_open(&lot, parked_catalog(parked_spec, "b1"));
	ck_assert_int_eq(run_new(catalog_program(lot.crew.catalog, "main"), &(Peer){ .uid = 5 }, &run), 0);
	run->catalog = lot.crew.catalog;
	run->status = WALK_PARKED;
	run->error = ERROR_HOOK_FAILED;
	run->error_step = 3;
	run->promised = true;
	parked_perform(&run->id, lot.crew.catalog, "last undo_second", &run->records, &run->reply);
	decision = decision_of(&run->id, LEDGER_RETRY, 2);
	outcomes_add_durable(&lot.outcomes, run);
	ck_assert_ptr_nonnull(outcomes_find(&lot.outcomes, &decision.run));
	ck_assert_int_eq(parking_describe(&lot.parking, &decision.run, shown, &lot.error), 0);
	ck_assert_uint_eq(json_object_array_length(stored_member(shown, "steps")), 3);
	/* the decision is written behind the parking */
	ck_assert_int_eq(parking_decide(&lot.parking, &decision, on_done, &result, &lot.error), 0);
	lot_wait(&lot);
	ck_assert_int_eq(result, 0);
	ck_assert_ptr_null(outcomes_find(&lot.outcomes, &decision.run));
	ck_assert_uint_eq(lot.queue.n, 1);
	lot_close(&lot);
}
END_TEST

START_TEST(what_is_shown_has_no_secrets_also_where_nothing_is_known_of_the_module)
{
	_cleanup_json_ struct json_object *shown = json_object_new_object(), *blind = json_object_new_object();
	Catalog *own;
	Lot lot;
	Id id;

	lot_open(&lot, parked_catalog(parked_spec, "b1"));
	id = lot_park(&lot, 1, "last undo_second", false);
	ck_assert_int_eq(parking_describe(&lot.parking, &id, shown, &lot.error), 0);
	ck_assert_ptr_null(strstr(json_object_to_json_string(shown), "4711"));
	ck_assert_ptr_nonnull(strstr(json_object_to_json_string(shown), "hello"));
	ck_assert_uint_eq(json_object_array_length(stored_member(shown, "next")), 2);
	own = lot.crew.catalog;
	lot.crew.catalog = parked_catalog(parked_spec, "b2");
	ck_assert_int_eq(parking_describe(&lot.parking, &id, blind, &lot.error), 0);
	ck_assert_ptr_null(strstr(json_object_to_json_string(blind), "4711"));
	ck_assert_ptr_null(strstr(json_object_to_json_string(blind), "hello"));
	ck_assert_str_eq(stored_text(stored_member(blind, "parked"), "name"), "RectifierFailed");
	ck_assert_uint_eq(json_object_array_length(stored_member(blind, "remaining")), 2);
	catalog_free(own);
	lot_close(&lot);
}
END_TEST

START_TEST(the_module_of_now_is_only_taken_where_calls_that_were_made_mean_the_same)
{
	char *other = strdup(parked_spec);
	LedgerDecision decision;
	OrderUnpark unpark;
	Catalog *own;
	Lot lot;
	Id id;

	lot_open(&lot, parked_catalog(parked_spec, "b1"));
	id = lot_park(&lot, 1, "last undo_second", false);
	own = lot.crew.catalog;
	ck_assert_int_eq(modules_save(lot.parking.directory, own, NULL), 0);
	decision = decision_of(&id, LEDGER_RETRY, 2);
	lot.crew.catalog = NULL;
	decision.flags = LEDGER_DECISION_CURRENT_MODULE;
	refused(&lot, &decision, ERROR_NO_MODULE, "no module");
	/* of the same shape: all that was recorded could be fed to a walk of it */
	memcpy(strstr(other, "[\"hooks.first\",\"hooks.second\""), "[\"hooks.second\",\"hooks.first\"", 29);
	lot.crew.catalog = parked_catalog(other, "b2");
	refused(&lot, &decision, ERROR_WRONG_STATE, "does not fit");
	decision.flags = 0;
	refused(&lot, &decision, ERROR_WRONG_STATE, "--current-module");
	catalog_free(lot.crew.catalog);
	lot.crew.catalog = parked_catalog(parked_spec, "b3");
	refused(&lot, &decision, ERROR_WRONG_STATE, "build b1");
	decision.flags = LEDGER_DECISION_CURRENT_MODULE;
	ck_assert_int_eq(lot_decide(&lot, &decision), 0);
	unpark = order_of(queue_first(&lot.queue));
	ck_assert(id_equal(&unpark.module, &lot.crew.catalog->identity));
	catalog_free(own);
	free(other);
	lot_close(&lot);
}
END_TEST

START_TEST(of_a_run_whose_module_nothing_is_known_of_nobody_guesses_what_its_steps_mean)
{
	LedgerDecision decision;
	Catalog *own;
	Lot lot;
	Id id;

	lot_open(&lot, parked_catalog(parked_spec, "b1"));
	id = lot_park(&lot, 1, "last undo_second", false);
	own = lot.crew.catalog;
	lot.crew.catalog = parked_catalog(parked_spec, "b2");
	decision = decision_of(&id, LEDGER_RETRY, 2);
	refused(&lot, &decision, ERROR_WRONG_STATE, "nothing is known of its module");
	decision.flags = LEDGER_DECISION_CURRENT_MODULE;
	refused(&lot, &decision, ERROR_WRONG_STATE, "does not fit");
	decision = decision_of(&id, LEDGER_SKIP, 2);
	ck_assert_int_eq(lot_decide(&lot, &decision), 0);
	lot_wait(&lot);
	ck_assert_int_eq(state_of(&lot, &id), LEDGER_SETTLED);
	catalog_free(own);
	lot_close(&lot);
}
END_TEST

START_TEST(a_hold_counts_when_it_is_written)
{
	const LedgerHold hold = { .held = true, .uid = 42, .reason = "because" };
	int result = PENDING;
	Lot lot;

	lot_open(&lot, parked_catalog(parked_spec, "b1"));
	ck_assert_int_eq(parking_hold(&lot.parking, &hold, on_done, &result), 0);
	ck_assert(!lot.promises.held);
	lot_wait(&lot);
	ck_assert_int_eq(result, 0);
	ck_assert(lot.promises.held);
	ck_assert_uint_eq(n_logged[LOG_WARNING], 1);
	lot_close(&lot);
}
END_TEST

START_TEST(a_parked_run_holds_the_queue_where_that_is_set)
{
	char text[128];
	Lot lot;

	lot_open(&lot, parked_catalog(parked_spec, "b1"));
	ck_assert_int_eq(parking_summary(&lot.parking, text, sizeof(text)), 0);
	lot_park(&lot, 2, "last undo_second", false);
	ck_assert(!parking_holds(&lot.parking));
	lot.config.on_parked = ON_PARKED_HOLD;
	ck_assert(parking_holds(&lot.parking));
	ck_assert_int_gt(parking_summary(&lot.parking, text, sizeof(text)), 0);
	ck_assert_ptr_nonnull(strstr(text, "1 run is parked"));
	lot_park(&lot, 4, "last undo_second", false);
	parking_summary(&lot.parking, text, sizeof(text));
	ck_assert_ptr_nonnull(strstr(text, "2 runs are parked"));
	lot_close(&lot);
}
END_TEST

CHECK_MAIN(parking, what_is_decided_becomes_an_order_at_the_head_of_the_queue,
	   while_one_decision_is_to_be_done_there_is_no_other, two_decisions_at_once_are_one,
	   what_was_decided_before_is_taken_up_at_a_start_the_oldest_first,
	   decisions_about_a_run_are_told_from_each_other_by_their_time,
	   what_no_worker_can_take_up_parks_anew_with_the_records_that_it_had,
	   what_the_recorder_holds_again_is_parked_no_more, what_is_recorded_wrongly_can_only_be_left_as_it_is,
	   what_is_on_its_way_to_the_ledger_is_parked_for_all_to_see,
	   what_is_shown_has_no_secrets_also_where_nothing_is_known_of_the_module,
	   the_module_of_now_is_only_taken_where_calls_that_were_made_mean_the_same,
	   of_a_run_whose_module_nothing_is_known_of_nobody_guesses_what_its_steps_mean,
	   a_hold_counts_when_it_is_written, a_parked_run_holds_the_queue_where_that_is_set)
