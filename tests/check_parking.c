/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/check_main.h"

#include <string.h>

#include "tests/parking_lot.h"

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
	int results[2] = { LOT_PENDING, LOT_PENDING }, r;
	Id id;

	lot_open(&lot, parked_catalog(parked_spec, "b1"));
	id = lot_park(&lot, 1, "last undo_second", false);
	decision = decision_of(&id, LEDGER_RETRY, 2);
	ck_assert_int_eq(parking_decide(&lot.parking, &decision, on_done, &results[0], &lot.error), 0);
	/* the first may be on the disk already, or be on its way */
	r = parking_decide(&lot.parking, &decision, on_done, &results[1], &lot.error);
	if (r < 0) {
		ck_assert_int_eq(r, -EBADMSG);
		ck_assert_int_eq(lot.error.code, ERROR_WRONG_STATE);
		results[1] = -EBUSY;
	}
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

CHECK_MAIN(parking, what_is_decided_becomes_an_order_at_the_head_of_the_queue,
	   while_one_decision_is_to_be_done_there_is_no_other, two_decisions_at_once_are_one,
	   what_was_decided_before_is_taken_up_at_a_start_the_oldest_first,
	   decisions_about_a_run_are_told_from_each_other_by_their_time,
	   what_no_worker_can_take_up_parks_anew_with_the_records_that_it_had,
	   what_the_recorder_holds_again_is_parked_no_more, what_is_recorded_wrongly_can_only_be_left_as_it_is)
