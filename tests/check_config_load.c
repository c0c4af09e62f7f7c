/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check_main.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/io.h"
#include "daemon/config_load.h"
#include "scratch.h"

static void load(const void *text, size_t size, ConfigLoaded *ret)
{
	const char *path = scratch_path("conf");
	const ConfigSetup setup = { .file = path, .instance = "ryuso" };

	ck_assert_int_ge(write_file_atomic(path, text, size, 0600), 0);
	ck_assert_int_eq(config_load(&setup, ret), 0);
}

/* All that is wrong, one below the other, each without the directory. */
static char *errors_of(const void *text, size_t size)
{
	_cleanup_config_loaded_ ConfigLoaded loaded = { 0 };
	_cleanup_buffer_ Buffer all = { 0 };

	load(text, size, &loaded);
	for (size_t i = 0; i < loaded.n_errors; i++) {
		const char *name = strstr(loaded.errors[i], "/conf:");

		ck_assert_ptr_nonnull(name);
		buffer_format(&all, "%s\n", name + 1);
	}
	return buffer_take_text(&all);
}

static void expect_errors(const char *text, const char *errors)
{
	_cleanup_free_ char *found = errors_of(text, strlen(text));

	ck_assert_str_eq(found, errors);
}

START_TEST(a_file_sets_what_it_names_and_nothing_else)
{
	_cleanup_config_loaded_ ConfigLoaded loaded = { 0 };
	static const char text[] =
		"# a comment\n; another\n\n[Daemon]\nModule = /x/y.so\nTrace=failures\n"
		"QueueLength=7 ; seven\n  RequestTimeout=1.5s  \nWorkerMemory=512M\r\nOnParked=hold\n"
		"KeepRepliesTime=90d";

	load(text, strlen(text), &loaded);
	ck_assert_uint_eq(loaded.n_errors, 0);
	ck_assert_uint_eq(loaded.n_files, 1);
	ck_assert_str_eq(loaded.config.module, "/x/y.so");
	ck_assert_int_eq(loaded.config.trace, TRACE_FAILURES);
	ck_assert_uint_eq(loaded.config.queue_length, 7);
	ck_assert_uint_eq(loaded.config.request_timeout, 1500000);
	ck_assert_uint_eq(loaded.config.worker_memory, 512U << 20);
	ck_assert_int_eq(loaded.config.on_parked, ON_PARKED_HOLD);
	ck_assert_uint_eq(loaded.config.keep_replies_time, 90 * 86400 * USEC_PER_SEC);
	ck_assert_uint_eq(loaded.config.reply_timeout, 30 * USEC_PER_SEC);
	ck_assert_uint_eq(loaded.origins[config_index("QueueLength")].line, 7);
	ck_assert_uint_eq(loaded.origins[config_index("QueueLength")].file, 1);
	ck_assert_uint_eq(loaded.origins[config_index("ReplyTimeout")].file, 0);
}
END_TEST

START_TEST(an_error_names_line_setting_value_and_what_is_expected)
{
	expect_errors("[Daemon]\n\nMaxDepth=1000\nMaxPoolSize=lots\nTrace=all\nOnParked=stop\nKeepRunsTime=1ms\n",
		      "conf:3: MaxDepth: expected a number from 2 to 512; got \"1000\"\n"
		      "conf:4: MaxPoolSize: expected a size from 1K to 64M; got \"lots\"\n"
		      "conf:5: Trace: expected one of hooks, runs, failures; got \"all\"\n"
		      "conf:6: OnParked: expected one of continue, hold; got \"stop\"\n"
		      "conf:7: KeepRunsTime: expected a time from 1s to 36500d, or infinity; got \"1ms\"\n");
}
END_TEST

START_TEST(what_is_no_setting_is_an_error)
{
	expect_errors("[Daemon]\nQueueLenght=3\nFrobnicate=3\n=4\n",
		      "conf:2: QueueLenght: expected a setting of ryuso.conf(5) (did you mean QueueLength?); there is "
		      "none of that name\n"
		      "conf:3: Frobnicate: expected a setting of ryuso.conf(5); there is none of that name\n"
		      "conf:4: : expected a setting of ryuso.conf(5); there is none of that name\n");
}
END_TEST

START_TEST(what_stands_in_another_section_is_an_error)
{
	expect_errors("Trace=runs\n[Service]\nUser=x\n",
		      "conf:1: Trace: expected it in section [Daemon]; got it before any section\n"
		      "conf:3: User: expected it in section [Daemon]; got section [Service]\n");
}
END_TEST

START_TEST(what_begins_with_x_is_left_to_others)
{
	expect_errors("[X-Site]\nOwner=ops\n[Daemon]\nX-Ticket=17\n", "");
}
END_TEST

START_TEST(every_line_that_is_none_is_an_error_and_the_others_count)
{
	_cleanup_config_loaded_ ConfigLoaded loaded = { 0 };
	static const char text[] = "[Daemon]\nQueueLength=3\nnonsense\n[Daemon\nmore nonsense\nMaxDepth=5\n";

	expect_errors(text, "conf:3: expected [Daemon], Name=value or a comment; got \"nonsense\"\n"
			    "conf:4: expected \"]\" at the end of a section's name; got \"[Daemon\"\n"
			    "conf:5: expected [Daemon], Name=value or a comment; got \"more nonsense\"\n");
	load(text, strlen(text), &loaded);
	ck_assert_uint_eq(loaded.config.queue_length, 3);
	ck_assert_uint_eq(loaded.config.max_depth, 5);
}
END_TEST

START_TEST(a_line_that_is_too_long_is_an_error_and_the_numbers_of_later_lines_are_right)
{
	_cleanup_free_ char *found = NULL;
	_cleanup_buffer_ Buffer text = { 0 };

	buffer_text(&text, "[Daemon]\nModule=/");
	for (unsigned i = 0; i < 5000; i++)
		buffer_u8(&text, 'x');
	buffer_text(&text, "\nTrace=all\n");
	found = errors_of(text.data, text.size);
	ck_assert_ptr_nonnull(strstr(found, "conf:2: expected a line of at most 198 bytes; got \"Module=/xxx"));
	ck_assert_ptr_nonnull(strstr(found, "\nconf:3: Trace: expected one of hooks, runs, failures; got \"all\"\n"));
}
END_TEST

START_TEST(a_byte_0_is_an_error)
{
	static const char text[] = "[Daemon]\nTrace=ru\0ns\n";
	_cleanup_free_ char *found = errors_of(text, sizeof(text) - 1);

	ck_assert_str_eq(found, "conf:2: expected text without the byte 0; got \"Trace=ru\\x00ns\"\n");
}
END_TEST

START_TEST(control_characters_are_escaped_in_an_error)
{
	expect_errors("[Daemon]\nTrace=\x1b[31mred\nF\x1boo=\x1b\n",
		      "conf:2: Trace: expected one of hooks, runs, failures; got \"\\x1b[31mred\"\n"
		      "conf:3: F\\x1boo: expected a setting of ryuso.conf(5); there is none of that name\n");
}
END_TEST

START_TEST(errors_are_not_listed_without_end)
{
	_cleanup_config_loaded_ ConfigLoaded loaded = { 0 };
	_cleanup_buffer_ Buffer text = { 0 };

	buffer_text(&text, "[Daemon]\n");
	for (unsigned i = 0; i < 1000; i++)
		buffer_text(&text, "Trace=all\n");
	load(text.data, text.size, &loaded);
	ck_assert_uint_eq(loaded.n_errors, CONFIG_ERRORS_MAX);
	ck_assert_str_eq(loaded.errors[CONFIG_ERRORS_MAX - 1], "there are more errors; they are not listed");
}
END_TEST

START_TEST(a_wrong_line_leaves_what_was_said_before_and_the_last_good_one_counts)
{
	_cleanup_config_loaded_ ConfigLoaded loaded = { 0 };
	static const char text[] =
		"\xef\xbb\xbf[Daemon]\nModule=a\nModule=b\nQueueLength=1\nQueueLength=2\nQueueLength=x\n"
		"Trace=runs\nTrace=\n";

	load(text, strlen(text), &loaded);
	ck_assert_uint_eq(loaded.n_errors, 1);
	ck_assert_str_eq(loaded.config.module, "b");
	ck_assert_uint_eq(loaded.config.queue_length, 2);
	ck_assert_uint_eq(loaded.origins[config_index("QueueLength")].line, 5);
	ck_assert_int_eq(loaded.config.trace, TRACE_HOOKS);
	ck_assert_uint_eq(loaded.origins[config_index("Trace")].file, 0);
}
END_TEST

START_TEST(a_file_that_is_asked_for_must_be_there)
{
	ConfigSetup setup = { .file = scratch_path("none"), .instance = "ryuso" };
	ConfigLoaded loaded = { 0 };

	ck_assert_int_eq(config_load(&setup, &loaded), -ENOENT);
	setup.file = "/";
	ck_assert_int_eq(config_load(&setup, &loaded), -EISDIR);
	setup.file = "/dev/zero";
	ck_assert_int_eq(config_load(&setup, &loaded), -EINVAL);
	setup.file = "/dev/null";
	ck_assert_int_eq(config_load(&setup, &loaded), 0);
	ck_assert_uint_eq(loaded.n_files, 0);
	config_loaded_done(&loaded);
}
END_TEST

CHECK_MAIN(config_load, a_file_sets_what_it_names_and_nothing_else,
	   an_error_names_line_setting_value_and_what_is_expected, what_is_no_setting_is_an_error,
	   what_stands_in_another_section_is_an_error, what_begins_with_x_is_left_to_others,
	   every_line_that_is_none_is_an_error_and_the_others_count,
	   a_line_that_is_too_long_is_an_error_and_the_numbers_of_later_lines_are_right, a_byte_0_is_an_error,
	   control_characters_are_escaped_in_an_error, errors_are_not_listed_without_end,
	   a_wrong_line_leaves_what_was_said_before_and_the_last_good_one_counts,
	   a_file_that_is_asked_for_must_be_there)
