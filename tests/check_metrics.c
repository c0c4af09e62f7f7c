/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check_main.h"

#include <stdio.h>
#include <string.h>

#include "daemon/metrics.h"
#include "tests/parked_records.h"

START_TEST(a_name_has_one_place_that_never_moves)
{
	MetricsProgram *programs[100];
	MetricsHook *hooks[100];
	Metrics metrics;
	char name[16];

	metrics_init(&metrics);
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "name%d", i);
		programs[i] = metrics_program(&metrics, name);
		hooks[i] = metrics_hook(&metrics, name);
		ck_assert_ptr_nonnull(programs[i]);
		ck_assert_ptr_nonnull(hooks[i]);
	}
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "name%d", i);
		ck_assert_ptr_eq(metrics_program(&metrics, name), programs[i]);
		ck_assert_ptr_eq(metrics_hook(&metrics, name), hooks[i]);
		ck_assert_str_eq(programs[i]->name, name);
		ck_assert_str_eq(hooks[i]->name, name);
	}
	metrics_done(&metrics);
}
END_TEST

START_TEST(beyond_the_cap_all_names_share_one_place)
{
	MetricsProgram *first = NULL;
	MetricsHook *first_hook = NULL;
	Metrics metrics;
	char name[32];

	metrics_init(&metrics);
	for (unsigned i = 0; i < METRICS_NAMES_MAX; i++) {
		snprintf(name, sizeof(name), "name%u", i);
		ck_assert_ptr_ne(metrics_program(&metrics, name), &metrics.other_programs);
		ck_assert_ptr_ne(metrics_hook(&metrics, name), &metrics.other_hooks);
	}
	first = metrics_program(&metrics, "one");
	first_hook = metrics_hook(&metrics, "one");
	ck_assert_ptr_eq(first, &metrics.other_programs);
	ck_assert_ptr_eq(first, metrics_program(&metrics, "two"));
	ck_assert_ptr_eq(first_hook, &metrics.other_hooks);
	ck_assert_ptr_eq(first_hook, metrics_hook(&metrics, "two"));
	ck_assert_str_eq(first->name, METRICS_OTHER);
	ck_assert_str_eq(metrics_program(&metrics, "name0")->name, "name0");
	metrics_done(&metrics);
}
END_TEST

START_TEST(a_bump_is_seen_where_it_was_made_and_nowhere_else)
{
	MetricsProgram *program;
	MetricsHook *hook;
	Metrics metrics;

	metrics_init(&metrics);
	program = metrics_program(&metrics, "transfer");
	hook = metrics_hook(&metrics, "transfer");
	metrics_ended(program, WALK_RECTIFIED);
	metrics_ended(program, WALK_RECTIFIED);
	metrics_refused(program);
	metrics_called(hook, METRICS_HOOK, OUTCOME_FAILED, 7);
	metrics_called(hook, METRICS_HOOK, OUTCOME_OK, 5);
	metrics_called(hook, METRICS_RECTIFIER, OUTCOME_OK, 3);
	metrics_refusal(&metrics, ERROR_QUEUE_FULL);
	ck_assert_uint_eq(program->ended[WALK_RECTIFIED], 2);
	ck_assert_uint_eq(program->ended[WALK_SUCCEEDED], 0);
	ck_assert_uint_eq(program->refused, 1);
	ck_assert_uint_eq(hook->calls[METRICS_HOOK][OUTCOME_FAILED], 1);
	ck_assert_uint_eq(hook->calls[METRICS_HOOK][OUTCOME_OK], 1);
	ck_assert_uint_eq(hook->usec[METRICS_HOOK], 12);
	ck_assert_uint_eq(hook->usec[METRICS_RECTIFIER], 3);
	ck_assert_uint_eq(metrics.refusals[ERROR_QUEUE_FULL], 1);
	ck_assert_uint_eq(metrics.refusals[ERROR_NONE], 0);
	metrics_done(&metrics);
}
END_TEST

START_TEST(what_has_no_place_is_not_counted)
{
	metrics_ended(NULL, WALK_SUCCEEDED);
	metrics_refused(NULL);
	metrics_called(NULL, METRICS_HOOK, OUTCOME_OK, 1);
	metrics_refusal(NULL, ERROR_QUEUE_FULL);
}
END_TEST

START_TEST(two_builds_of_a_module_count_in_the_same_places)
{
	Catalog *first = parked_catalog(parked_spec, "one"), *second = parked_catalog(parked_spec, "two");
	const SpecHook *hook;
	Metrics metrics;

	ck_assert_ptr_null(first->programs[0].tally);
	ck_assert_ptr_null(catalog_tally(first, &first->spec->hooks[0]));
	ck_assert_int_eq(catalog_count(first, NULL), 0);
	ck_assert_ptr_null(first->programs[0].tally);
	metrics_init(&metrics);
	ck_assert_int_eq(catalog_count(first, &metrics), 0);
	ck_assert_int_eq(catalog_count(second, &metrics), 0);
	ck_assert_ptr_eq(first->programs[0].tally, metrics_program(&metrics, "main"));
	ck_assert_ptr_eq(first->programs[0].tally, second->programs[0].tally);
	for (size_t i = 0; i < first->spec->n_hooks; i++) {
		hook = &first->spec->hooks[i];
		ck_assert_str_eq(catalog_tally(first, hook)->name, hook->name);
		ck_assert_ptr_eq(catalog_tally(first, hook), catalog_tally(second, &second->spec->hooks[i]));
	}
	catalog_free(first);
	catalog_free(second);
	metrics_done(&metrics);
}
END_TEST

CHECK_MAIN(metrics, a_name_has_one_place_that_never_moves, beyond_the_cap_all_names_share_one_place,
	   a_bump_is_seen_where_it_was_made_and_nowhere_else, what_has_no_place_is_not_counted,
	   two_builds_of_a_module_count_in_the_same_places)
