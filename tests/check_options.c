/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/check_main.h"

#define WORDS_MAX 8U

typedef struct Parsed {
	Options options;
	Buffer message;
	char *words[WORDS_MAX + 1];
	int n, first;
} Parsed;

static void parsed_done(Parsed *parsed)
{
	options_done(&parsed->options);
	buffer_done(&parsed->message);
}

static int parse(Parsed *parsed, const char *a, const char *b, const char *c)
{
	const char *words[] = { "ryusoctl", a, b, c };

	*parsed = (Parsed){};
	for (size_t i = 0; i < ELEMENTSOF(words) && words[i]; i++)
		parsed->words[parsed->n++] = (char *)words[i];
	return options_parse(parsed->n, parsed->words, &parsed->options, &parsed->first, &parsed->message);
}

#define _cleanup_parsed_ _cleanup_(parsed_done)

static void check_message(Parsed *parsed, const char *expected)
{
	_cleanup_free_ char *found = buffer_take_text(&parsed->message);

	ck_assert_str_eq(found, expected);
}

START_TEST(options_may_stand_before_and_after_the_verb)
{
	_cleanup_parsed_ Parsed parsed;

	ck_assert_int_eq(parse(&parsed, "list", "--no-legend", "-q"), 0);
	ck_assert(!parsed.options.legend);
	ck_assert(parsed.options.quiet);
	ck_assert_str_eq(parsed.words[parsed.first], "list");
}
END_TEST

START_TEST(the_socket_is_that_of_the_option_else_of_the_environment_else_the_usual_one)
{
	_cleanup_parsed_ Parsed usual, instance, environment, option;

	unsetenv("RYUSO_SOCKET");
	ck_assert_int_eq(parse(&usual, "ping", NULL, NULL), 0);
	ck_assert_str_eq(usual.options.socket, "/run/ryuso/ryuso.sock");
	ck_assert(!usual.options.socket_given);
	setenv("RYUSO_SOCKET", "/tmp/e.sock", 1);
	ck_assert_int_eq(parse(&environment, "ping", NULL, NULL), 0);
	ck_assert_str_eq(environment.options.socket, "/tmp/e.sock");
	ck_assert_int_eq(parse(&instance, "ping", "-I", "wallet"), 0);
	ck_assert_str_eq(instance.options.socket, "/run/ryuso/wallet.sock");
	ck_assert_int_eq(parse(&option, "ping", "--socket=/tmp/o.sock", NULL), 0);
	ck_assert_str_eq(option.options.socket, "/tmp/o.sock");
}
END_TEST

START_TEST(an_option_that_does_not_exist_is_guessed)
{
	_cleanup_parsed_ Parsed close, far, letter;

	ck_assert_int_eq(parse(&close, "list", "--jsno", NULL), -EINVAL);
	check_message(&close, "unknown option --jsno; did you mean --json?");
	ck_assert_int_eq(parse(&far, "list", "--xylophone", NULL), -EINVAL);
	check_message(&far, "unknown option --xylophone");
	ck_assert_int_eq(parse(&letter, "list", "-z", NULL), -EINVAL);
	check_message(&letter, "unknown option -z");
}
END_TEST

START_TEST(a_value_that_an_option_does_not_take_is_refused_with_what_it_takes)
{
	static const struct {
		const char *word, *message;
	} cases[] = {
		{ "--json=yaml", "expected --json=pretty or --json=short, got \"yaml\"" },
		{ "--timeout=0", "expected --timeout=SECONDS, more than 0 and at most 366 days, got \"0\"" },
		{ "--timeout=-1", "expected --timeout=SECONDS, more than 0 and at most 366 days, got \"-1\"" },
		{ "--timeout=nan", "expected --timeout=SECONDS, more than 0 and at most 366 days, got \"nan\"" },
		{ "--timeout=5m", "expected --timeout=SECONDS, more than 0 and at most 366 days, got \"5m\"" },
		{ "--timeout=1e99", "expected --timeout=SECONDS, more than 0 and at most 366 days, got \"1e99\"" },
		{ "--timeout=", "expected --timeout=SECONDS, more than 0 and at most 366 days, got \"\"" },
		{ "--instance=a/b", "expected --instance=NAME, as in ryuso@NAME.socket, got \"a/b\"" },
		{ "--instance=", "expected --instance=NAME, as in ryuso@NAME.socket, got \"\"" },
		{ "--instance=..", "expected --instance=NAME, as in ryuso@NAME.socket, got \"..\"" },
		{ "--socket=", "expected a socket's path of 1 to 107 bytes, got 0 bytes" },
		{ "--timeout", "expected a value after --timeout" },
	};

	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		_cleanup_parsed_ Parsed parsed;

		ck_assert_int_eq(parse(&parsed, "list", cases[i].word, NULL), -EINVAL);
		check_message(&parsed, cases[i].message);
	}
}
END_TEST

START_TEST(a_timeout_is_seconds_and_their_parts)
{
	_cleanup_parsed_ Parsed parts, whole, small;

	ck_assert_int_eq(parse(&parts, "ping", "--timeout=1.5", NULL), 0);
	ck_assert_uint_eq(parts.options.timeout_usec, 1500000);
	ck_assert_int_eq(parse(&whole, "ping", "--timeout", "30s"), 0);
	ck_assert_uint_eq(whole.options.timeout_usec, 30000000);
	ck_assert_int_eq(parse(&small, "ping", "--timeout=.0000001", NULL), 0);
	ck_assert_uint_eq(small.options.timeout_usec, 1);
}
END_TEST

START_TEST(a_socket_and_an_instance_do_not_go_together)
{
	_cleanup_parsed_ Parsed parsed;

	ck_assert_int_eq(parse(&parsed, "ping", "--socket=/tmp/x", "-Iwallet"), -EINVAL);
	check_message(&parsed, "expected --socket or --instance, got both");
}
END_TEST

START_TEST(a_users_own_daemon_has_its_socket_where_the_users_service_manager_puts_it)
{
	_cleanup_parsed_ Parsed plain, instance, poor, both;
	char expected[64];

	setenv("RYUSO_SOCKET", "/tmp/e.sock", 1);
	setenv("XDG_RUNTIME_DIR", "/tmp/mine", 1);
	ck_assert_int_eq(parse(&plain, "--user", "ping", NULL), 0);
	ck_assert_str_eq(plain.options.socket, "/tmp/mine/ryuso/ryuso.sock");
	ck_assert_int_eq(parse(&instance, "ping", "--user", "-Iwallet"), 0);
	ck_assert_str_eq(instance.options.socket, "/tmp/mine/ryuso/wallet.sock");
	unsetenv("XDG_RUNTIME_DIR");
	snprintf(expected, sizeof(expected), "/run/user/%u/ryuso/ryuso.sock", (unsigned)geteuid());
	ck_assert_int_eq(parse(&poor, "--user", "ping", NULL), 0);
	ck_assert_str_eq(poor.options.socket, expected);
	ck_assert_int_eq(parse(&both, "ping", "--socket=/tmp/x", "--user"), -EINVAL);
	check_message(&both, "expected --socket or --user, got both");
	unsetenv("RYUSO_SOCKET");
}
END_TEST

START_TEST(a_path_too_long_for_a_socket_is_refused)
{
	_cleanup_parsed_ Parsed parsed;
	char word[220] = "--socket=";

	memset(word + strlen(word), 'x', 108);
	ck_assert_int_eq(parse(&parsed, "ping", word, NULL), -EINVAL);
	check_message(&parsed, "expected a socket's path of 1 to 107 bytes, got 108 bytes");
}
END_TEST

START_TEST(an_option_of_some_verbs_is_kept_with_its_bit_and_its_name)
{
	static const struct {
		const char *word, *value, *name;
		unsigned bit;
	} cases[] = {
		{ "-f", NULL, "--follow", OPTION_FOLLOW },
		{ "--data", "{}", "--data", OPTION_DATA },
		{ "--request-id", "x", "--request-id", OPTION_REQUEST_ID },
		{ "--no-request-id", NULL, "--no-request-id", OPTION_NO_REQUEST_ID },
		{ "--now", NULL, "--now", OPTION_NOW },
		{ "--no-wait", NULL, "--no-wait", OPTION_NO_WAIT },
		{ "--reason", "why", "--reason", OPTION_REASON },
		{ "--dry-run", NULL, "--dry-run", OPTION_DRY_RUN },
		{ "--current-module", NULL, "--current-module", OPTION_CURRENT_MODULE },
		{ "--undone-by-hand", NULL, "--undone-by-hand", OPTION_UNDONE_BY_HAND },
		{ "-v", NULL, "--verbose", OPTION_VERBOSE },
	};

	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		_cleanup_parsed_ Parsed parsed;

		ck_assert_int_eq(parse(&parsed, cases[i].word, cases[i].value, NULL), 0);
		ck_assert_uint_eq(parsed.options.given, cases[i].bit);
		ck_assert_str_eq(option_name(cases[i].bit), cases[i].name);
	}
}
END_TEST

START_TEST(a_request_id_has_1_to_128_bytes_and_a_reason_says_something)
{
	char longest[129] = "", longer[130] = "";
	_cleanup_parsed_ Parsed good, reason;

	memset(longest, 'x', 128);
	memset(longer, 'x', 129);
	ck_assert_int_eq(parse(&good, "--request-id", longest, NULL), 0);
	ck_assert_str_eq(good.options.request_id, longest);
	ck_assert_int_eq(parse(&reason, "--reason", " it is so", NULL), 0);
	ck_assert_str_eq(reason.options.reason, " it is so");
	for (size_t i = 0; i < 6; i++) {
		const char *options[] = { "--request-id", "--request-id", "--request-id",
					  "--reason",     "--reason",     "--reason" };
		const char *values[] = { "", longer, "\xff", "", " \t\n", "\xc3" };
		_cleanup_parsed_ Parsed bad;

		ck_assert_int_eq(parse(&bad, options[i], values[i], NULL), -EINVAL);
	}
}
END_TEST

START_TEST(what_stands_behind_two_dashes_is_no_option)
{
	_cleanup_parsed_ Parsed parsed;

	ck_assert_int_eq(parse(&parsed, "describe", "--", "--json"), 0);
	ck_assert_int_eq(parsed.options.json, JSON_STYLE_NONE);
	ck_assert_str_eq(parsed.words[parsed.first], "describe");
	ck_assert_str_eq(parsed.words[parsed.first + 1], "--json");
}
END_TEST

CHECK_MAIN(options, options_may_stand_before_and_after_the_verb,
	   the_socket_is_that_of_the_option_else_of_the_environment_else_the_usual_one,
	   an_option_that_does_not_exist_is_guessed, a_value_that_an_option_does_not_take_is_refused_with_what_it_takes,
	   a_timeout_is_seconds_and_their_parts, a_socket_and_an_instance_do_not_go_together,
	   a_users_own_daemon_has_its_socket_where_the_users_service_manager_puts_it,
	   a_path_too_long_for_a_socket_is_refused, an_option_of_some_verbs_is_kept_with_its_bit_and_its_name,
	   a_request_id_has_1_to_128_bytes_and_a_reason_says_something, what_stands_behind_two_dashes_is_no_option)
