/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/check_main.h"

#include <string.h>

#include "tests/parking_lot.h"

START_TEST(what_is_on_its_way_to_the_ledger_is_parked_for_all_to_see)
{
	_cleanup_json_ struct json_object *shown = json_object_new_object();
	LedgerDecision decision;
	int result = LOT_PENDING;
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
	int result = LOT_PENDING;
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
	ck_assert_ptr_nonnull(strstr(text, "(ryusoctl parked)"));
	lot.trace = (Trace){ .instance = "wallet", .user = true };
	lot_park(&lot, 4, "last undo_second", false);
	parking_summary(&lot.parking, text, sizeof(text));
	ck_assert_ptr_nonnull(strstr(text, "2 runs are parked"));
	ck_assert_ptr_nonnull(strstr(text, "(ryusoctl --user -I wallet parked)"));
	lot_close(&lot);
}
END_TEST

CHECK_MAIN(parking_module, what_is_on_its_way_to_the_ledger_is_parked_for_all_to_see,
	   what_is_shown_has_no_secrets_also_where_nothing_is_known_of_the_module,
	   the_module_of_now_is_only_taken_where_calls_that_were_made_mean_the_same,
	   of_a_run_whose_module_nothing_is_known_of_nobody_guesses_what_its_steps_mean,
	   a_hold_counts_when_it_is_written, a_parked_run_holds_the_queue_where_that_is_set)
