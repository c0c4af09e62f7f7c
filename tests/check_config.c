/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check_main.h"

#include <errno.h>
#include <string.h>

#include "base/io.h"
#include "daemon/config.h"
#include "scratch.h"

static char complaints[4096];

static void on_complaint(void *context, const char *text)
{
	ck_assert_ptr_eq(context, complaints);
	strncat(complaints, text, sizeof(complaints) - strlen(complaints) - 2);
	strcat(complaints, "\n");
}

static int read_text(Config *config, const char *text)
{
	const char *path = scratch_path("conf");

	complaints[0] = '\0';
	ck_assert_int_ge(write_file_atomic(path, text, strlen(text), 0600), 0);
	return config_read(config, path, on_complaint, complaints);
}

START_TEST(without_a_file_every_setting_has_its_default)
{
	_cleanup_config_ Config config;

	config_init(&config);
	ck_assert_ptr_null(config.module);
	ck_assert_int_eq(config.trace, TRACE_HOOKS);
	ck_assert_uint_eq(config.max_request_size, 1U << 20);
	ck_assert_uint_eq(config.max_depth, 32);
	ck_assert_uint_eq(config.max_connections, 512);
	ck_assert_uint_eq(config.max_connections_per_user, 256);
	ck_assert_uint_eq(config.queue_length, 4096);
	ck_assert_uint_eq(config.request_timeout, 10 * USEC_PER_SEC);
	ck_assert_uint_eq(config.reply_timeout, 30 * USEC_PER_SEC);
	ck_assert_uint_eq(config.runs_per_worker, 100000);
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

START_TEST(a_file_sets_what_it_names_and_nothing_else)
{
	_cleanup_config_ Config config;

	config_init(&config);
	ck_assert_int_eq(read_text(&config,
				   "# a comment\n; another\n\n[Daemon]\nModule = /x/y.so\nTrace=failures\n"
				   "QueueLength=7 ; seven\nRequestTimeout=1.5s\nWorkerMemory=512M\nOnParked=hold\n"
				   "KeepRepliesTime=90d\n"),
			 0);
	ck_assert_int_eq(config.on_parked, ON_PARKED_HOLD);
	ck_assert_uint_eq(config.keep_replies_time, 90 * 86400 * USEC_PER_SEC);
	ck_assert_str_eq(complaints, "");
	ck_assert_str_eq(config.module, "/x/y.so");
	ck_assert_int_eq(config.trace, TRACE_FAILURES);
	ck_assert_uint_eq(config.queue_length, 7);
	ck_assert_uint_eq(config.request_timeout, 1500000);
	ck_assert_uint_eq(config.worker_memory, 512U << 20);
	ck_assert_uint_eq(config.reply_timeout, 30 * USEC_PER_SEC);
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
	ck_assert_int_eq(config_set(&config, "RecorderSize", "infinity"), -ERANGE);
	ck_assert_int_eq(config_set(&config, "QueueLength", "0"), -ERANGE);
}
END_TEST

START_TEST(a_complaint_names_file_line_setting_and_what_is_expected)
{
	_cleanup_config_ Config config;

	config_init(&config);
	ck_assert_int_eq(read_text(&config, "[Daemon]\n\nMaxDepth=1000\nMaxPoolSize=lots\nTrace=all\nQueueLenght=3\n"
					    "[Service]\nUser=x\n[Daemon]\nOnParked=stop\nKeepRunsTime=1ms\n"),
			 0);
	ck_assert_ptr_nonnull(strstr(complaints, "conf:10: OnParked: expected one of continue, hold; got \"stop\""));
	ck_assert_ptr_nonnull(
		strstr(complaints, "conf:11: KeepRunsTime: expected a time from 1s to 36500d, or 0; got"));
	ck_assert_ptr_nonnull(strstr(complaints, "conf:3: MaxDepth: expected a number from 2 to 512; got \"1000\""));
	ck_assert_ptr_nonnull(strstr(complaints, "conf:4: MaxPoolSize: expected a size from 1K to 64M; got \"lots\""));
	ck_assert_ptr_nonnull(strstr(complaints, "conf:5: Trace: expected one of hooks, runs, failures; got \"all\""));
	ck_assert_ptr_nonnull(strstr(complaints, "conf:6: QueueLenght: there is no such setting (did you mean "
						 "QueueLength?)"));
	ck_assert_ptr_nonnull(strstr(complaints, "conf:8: section [Service]: expected [Daemon]; User= is ignored"));
	ck_assert_uint_eq(config.max_depth, 32);
	ck_assert_uint_eq(config.max_pool_size, 1U << 20);
	ck_assert_int_eq(config.trace, TRACE_HOOKS);
}
END_TEST

START_TEST(a_line_that_is_none_is_reported)
{
	_cleanup_config_ Config config;

	config_init(&config);
	ck_assert_int_eq(read_text(&config, "[Daemon]\nQueueLength=3\nnonsense\n"), 0);
	ck_assert_ptr_nonnull(strstr(complaints, "conf:3: expected a section, a comment or Name=value"));
	ck_assert_uint_eq(config.queue_length, 3);
}
END_TEST

START_TEST(control_characters_in_a_value_are_escaped_in_the_complaint)
{
	_cleanup_config_ Config config;

	config_init(&config);
	ck_assert_int_eq(read_text(&config, "[Daemon]\nTrace=\x1b[31mred\n"), 0);
	ck_assert_ptr_null(strchr(complaints, 0x1b));
	ck_assert_ptr_nonnull(strstr(complaints, "\\x1b[31mred"));
}
END_TEST

START_TEST(a_file_that_is_not_there_is_an_error_of_its_own)
{
	_cleanup_config_ Config config;

	config_init(&config);
	ck_assert_int_eq(config_read(&config, scratch_path("none"), on_complaint, complaints), -ENOENT);
}
END_TEST

START_TEST(the_last_of_several_lines_counts)
{
	_cleanup_config_ Config config;

	config_init(&config);
	ck_assert_int_eq(read_text(&config, "[Daemon]\nModule=a\nModule=b\nQueueLength=1\nQueueLength=2\n"), 0);
	ck_assert_str_eq(config.module, "b");
	ck_assert_uint_eq(config.queue_length, 2);
}
END_TEST

CHECK_MAIN(config, without_a_file_every_setting_has_its_default, a_file_sets_what_it_names_and_nothing_else,
	   a_limit_that_may_be_absent_is_lifted_by_its_word, a_complaint_names_file_line_setting_and_what_is_expected,
	   a_line_that_is_none_is_reported, control_characters_in_a_value_are_escaped_in_the_complaint,
	   a_file_that_is_not_there_is_an_error_of_its_own, the_last_of_several_lines_counts)
