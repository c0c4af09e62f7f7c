/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check_main.h"

#include <errno.h>

#include "daemon/config.h"

START_TEST(without_a_file_every_setting_has_its_default)
{
	_cleanup_config_ Config config;

	config_init(&config);
	ck_assert_ptr_null(config.module);
	ck_assert_int_eq(config.trace, TRACE_HOOKS);
	ck_assert_uint_eq(config.max_request_size, 1U << 20);
	ck_assert_uint_eq(config.max_depth, 32);
	ck_assert_uint_eq(config.max_values, 65536);
	ck_assert_uint_eq(config.max_connections, 4096);
	ck_assert_uint_eq(config.max_connections_per_user, 256);
	ck_assert_uint_eq(config.queue_length, 4096);
	ck_assert_uint_eq(config.max_queued_per_user, 1024);
	ck_assert_uint_eq(config.max_bytes_per_user, 64U << 20);
	ck_assert_uint_eq(config.max_unread_replies, 16U << 20);
	ck_assert_uint_eq(config.request_timeout, 10 * USEC_PER_SEC);
	ck_assert_uint_eq(config.reply_timeout, 30 * USEC_PER_SEC);
	ck_assert_uint_eq(config.runs_per_worker, 1000000);
	ck_assert_uint_eq(config.module_timeout, 10 * USEC_PER_SEC);
	ck_assert_uint_eq(config.stop_timeout, 80 * USEC_PER_SEC);
	ck_assert_uint_eq(config.worker_memory, 0);
	ck_assert_uint_eq(config.recorder_size, 8U << 20);
	ck_assert_uint_eq(config.max_pool_size, 1U << 20);
	ck_assert_uint_eq(config.max_notes_size, 64U << 10);
	ck_assert_uint_eq(config.max_rectified_size, 256U << 10);
	ck_assert_int_eq(config.on_parked, ON_PARKED_CONTINUE);
	ck_assert_uint_eq(config.keep_runs, 10000);
	ck_assert_uint_eq(config.keep_runs_time, 30 * 86400 * USEC_PER_SEC);
	ck_assert_uint_eq(config.keep_replies, 100000);
	ck_assert_uint_eq(config.keep_replies_time, 30 * 86400 * USEC_PER_SEC);
}
END_TEST

START_TEST(a_limit_that_may_be_absent_is_lifted_by_its_word)
{
	_cleanup_config_ Config config;

	config_init(&config);
	config.worker_memory = 5;
	ck_assert_int_eq(config_set(&config, "WorkerMemory", "infinity"), 0);
	ck_assert_uint_eq(config.worker_memory, 0);
	ck_assert_int_eq(config_set(&config, "RunsPerWorker", "0"), 0);
	ck_assert_uint_eq(config.runs_per_worker, 0);
	ck_assert_int_eq(config_set(&config, "KeepRepliesTime", "0"), 0);
	ck_assert_uint_eq(config.keep_replies_time, 0);
	ck_assert_int_eq(config_set(&config, "KeepRunsTime", "infinity"), 0);
	ck_assert_uint_eq(config.keep_runs_time, 0);
	ck_assert_int_eq(config_set(&config, "KeepRuns", "infinity"), 0);
	ck_assert_uint_eq(config.keep_runs, 0);
	ck_assert_int_eq(config_set(&config, "StopTimeout", "infinity"), -ERANGE);
	ck_assert_int_eq(config_set(&config, "RecorderSize", "infinity"), -ERANGE);
	ck_assert_int_eq(config_set(&config, "QueueLength", "0"), -ERANGE);
}
END_TEST

START_TEST(an_empty_value_is_the_default)
{
	_cleanup_config_ Config config;

	config_init(&config);
	for (size_t i = 0; i < config_count(); i++) {
		_cleanup_config_ Config untouched;

		config_init(&untouched);
		ck_assert_int_eq(config_set(&config, config_name(i), ""), 0);
		ck_assert(config_same(&config, &untouched, i));
	}
	ck_assert_int_eq(config_set(&config, "Module", "x"), 0);
	ck_assert_int_eq(config_set(&config, "Module", ""), 0);
	ck_assert_ptr_null(config.module);
	ck_assert_int_eq(config_set(&config, "Trace", "runs"), 0);
	ck_assert_int_eq(config_set(&config, "Trace", ""), 0);
	ck_assert_int_eq(config.trace, TRACE_HOOKS);
	ck_assert_int_eq(config_set(&config, "QueueLength", "7"), 0);
	ck_assert_int_eq(config_set(&config, "QueueLength", ""), 0);
	ck_assert_uint_eq(config.queue_length, 4096);
}
END_TEST

START_TEST(every_value_reads_back_as_it_is_shown)
{
	static const char *const given[][2] = { { "Module", "/x/y.so" },        { "Trace", "failures" },
						{ "OnParked", "hold" },         { "RequestTimeout", "1h 30min" },
						{ "WorkerMemory", "infinity" }, { "MaxRequestSize", "1.5M" },
						{ "KeepRunsTime", "infinity" }, { "KeepRuns", "0" } };
	_cleanup_config_ Config config, other;

	config_init(&config);
	config_init(&other);
	for (size_t i = 0; i < ELEMENTSOF(given); i++)
		ck_assert_int_eq(config_set(&config, given[i][0], given[i][1]), 0);
	for (size_t i = 0; i < config_count(); i++) {
		_cleanup_free_ char *text = config_text(&config, i);

		ck_assert_int_eq(config_set(&other, config_name(i), text), 0);
		ck_assert_msg(config_same(&config, &other, i), "%s=%s", config_name(i), text);
	}
}
END_TEST

START_TEST(what_lasts_stays_what_it_was_and_nothing_else_does)
{
	_cleanup_config_ Config before, after;

	config_init(&before);
	config_init(&after);
	ck_assert_int_eq(config_set(&after, "RecorderSize", "1M"), 0);
	ck_assert_int_eq(config_set(&after, "QueueLength", "5"), 0);
	config_keep_lasting(&after, &before);
	ck_assert_uint_eq(after.recorder_size, 8U << 20);
	ck_assert_uint_eq(after.queue_length, 5);
	ck_assert(config_lasts(config_index("RecorderSize")));
	ck_assert(!config_lasts(config_index("QueueLength")));
}
END_TEST

START_TEST(there_is_no_setting_of_another_name)
{
	_cleanup_config_ Config config;

	config_init(&config);
	ck_assert_int_eq(config_set(&config, "QueueLenght", "1"), -ENOENT);
	ck_assert_uint_eq(config_index("QueueLenght"), CONFIG_SETTINGS_MAX);
	ck_assert_ptr_null(config_expected("QueueLenght"));
	ck_assert_str_eq(config_closest("QueueLenght"), "QueueLength");
}
END_TEST

CHECK_MAIN(config, without_a_file_every_setting_has_its_default, a_limit_that_may_be_absent_is_lifted_by_its_word,
	   an_empty_value_is_the_default, every_value_reads_back_as_it_is_shown,
	   what_lasts_stays_what_it_was_and_nothing_else_does, there_is_no_setting_of_another_name)
