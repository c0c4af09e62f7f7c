/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/pairs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "tests/check_main.h"

static const char declared_text[] =
	"[{\"name\":\"from\",\"type\":\"string\",\"required\":true},{\"name\":\"amount\",\"type\":\"int\"},"
	"{\"name\":\"rate\",\"type\":\"float\"},{\"name\":\"fast\",\"type\":\"bool\"},"
	"{\"name\":\"tags\",\"type\":\"list\"},{\"name\":\"extra\",\"type\":\"dict\"},{\"name\":\"odd\",\"type\":\"tensor\"}]";

static struct json_object *parse(const char *text)
{
	struct json_object *json = NULL;
	JsonError fault;

	ck_assert_int_eq(json_parse(text, strlen(text), JSON_DEPTH_DEFAULT, &json, &fault), 0);
	return json;
}

/** \brief What the words become, added to \p pool_text: the pool as JSON, or the message. */
static char *add(int expected, const char *pool_text, const char *const *words, size_t n)
{
	_cleanup_json_ struct json_object *pool = parse(pool_text), *declared = parse(declared_text);
	_cleanup_buffer_ Buffer message = {};
	_cleanup_pairs_ Pairs pairs = {};
	int r;

	r = pairs_parse((char *const *)words, n, &pairs, &message);
	if (r == 0)
		r = pairs_add(&pairs, declared, pool, &message);
	ck_assert_int_eq(r, expected);
	if (r == 0)
		json_write(pool, &message);
	return buffer_take_text(&message);
}

#define CHECK_PAIRS(expected, text, pool, ...)                                                   \
	do {                                                                                     \
		const char *const words[] = { __VA_ARGS__ };                                     \
		_cleanup_free_ char *found_ = add((expected), (pool), words, ELEMENTSOF(words)); \
		ck_assert_str_eq(found_, (text));                                                \
	} while (0)

static void write_temporary(const char *text, char path[static 32])
{
	int fd;

	strcpy(path, "/tmp/check-pairs-XXXXXX");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write_all(fd, text, strlen(text)), 0);
	close(fd);
}

/** \brief NAME=@FILE with a file of that content. */
static char *add_file(int expected, const char *name, const char *content)
{
	char path[32], word[128];
	const char *words[] = { word };
	char *found;

	write_temporary(content, path);
	snprintf(word, sizeof(word), "%s=@%s", name, path);
	found = add(expected, "{}", words, 1);
	unlink(path);
	return found;
}

START_TEST(values_are_converted_to_the_declared_types)
{
	CHECK_PAIRS(0, "{\"from\":\"5\",\"amount\":5,\"rate\":5.0,\"fast\":true,\"tags\":[1],\"extra\":{\"a\":null}}",
		    "{}", "from=5", "amount=5", "rate=5", "fast=yes", "tags=[1]", "extra={\"a\":null}");
}
END_TEST

START_TEST(a_value_may_contain_what_separates)
{
	CHECK_PAIRS(0, "{\"from\":\"a=b:=c=@d\"}", "{}", "from=a=b:=c=@d");
	CHECK_PAIRS(0, "{\"from\":\"\"}", "{}", "from=");
}
END_TEST

START_TEST(json_is_taken_as_it_is_whatever_is_declared)
{
	CHECK_PAIRS(0, "{\"amount\":\"x\",\"unheard_of\":[1,{}],\"nothing\":null}", "{}", "amount:=\"x\"",
		    "unheard_of:=[1, {}]", "nothing:=null");
}
END_TEST

START_TEST(types_are_needed_only_where_something_is_converted)
{
	static const struct {
		const char *word;
		bool needed;
	} cases[] = { { "a=1", true }, { "a:=1", false }, { "a=@b", true } };

	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		const char *words[] = { "z:=1", cases[i].word };
		_cleanup_buffer_ Buffer message = {};
		_cleanup_pairs_ Pairs pairs = {};

		ck_assert_int_eq(pairs_parse((char *const *)words, 2, &pairs, &message), 0);
		ck_assert_int_eq(pairs_need_types(&pairs), cases[i].needed);
	}
}
END_TEST

START_TEST(what_does_not_convert_names_argument_expected_and_found)
{
	CHECK_PAIRS(-EINVAL, "amount: expected int, got \"abc\"", "{}", "amount=abc");
	CHECK_PAIRS(-EINVAL, "odd: is of a type that this ryusoctl does not know; give it as NAME:=JSON", "{}",
		    "odd=1");
}
END_TEST

START_TEST(a_misspelt_argument_is_guessed)
{
	CHECK_PAIRS(-EINVAL, "amuont: the program has no such argument; did you mean amount?", "{}", "amuont=5");
	CHECK_PAIRS(-EINVAL, "zzzzzzzz: the program has no such argument", "{}", "zzzzzzzz=5");
}
END_TEST

START_TEST(an_argument_given_twice_is_refused)
{
	CHECK_PAIRS(-EINVAL, "amount: given twice", "{}", "amount=5", "amount=6");
	CHECK_PAIRS(-EINVAL, "amount: given twice", "{\"amount\":null}", "amount:=6");
}
END_TEST

START_TEST(what_is_no_pair_is_refused)
{
	static const char *const words[] = { "amount", "=5", ":=5", "a b=5", "5=5", "a:b=5", "", "-x=1" };

	for (size_t i = 0; i < ELEMENTSOF(words); i++) {
		_cleanup_free_ char *found = add(-EINVAL, "{}", &words[i], 1);
		_cleanup_free_ char *expected = NULL;

		ck_assert_int_gt(
			asprintf(&expected, "expected NAME=VALUE, NAME:=JSON or NAME=@FILE, got \"%s\"", words[i]), 0);
		ck_assert_str_eq(found, expected);
	}
}
END_TEST

START_TEST(a_file_is_a_string_with_all_that_is_in_it)
{
	_cleanup_free_ char *found = add_file(0, "from", " a\nb\n");

	ck_assert_str_eq(found, "{\"from\":\" a\\nb\\n\"}");
}
END_TEST

START_TEST(a_file_of_another_type_may_end_with_a_newline)
{
	_cleanup_free_ char *amount = add_file(0, "amount", "\n 5\r\n");
	_cleanup_free_ char *tags = add_file(0, "tags", "[1,\n 2]\n");
	_cleanup_free_ char *bad = add_file(-EINVAL, "amount", "\n");

	ck_assert_str_eq(amount, "{\"amount\":5}");
	ck_assert_str_eq(tags, "{\"tags\":[1,2]}");
	ck_assert_str_eq(bad, "amount: expected int, got \"\"");
}
END_TEST

START_TEST(a_file_that_cannot_be_read_is_named)
{
	CHECK_PAIRS(-EINVAL, "from: cannot read /no/such/file: No such file or directory", "{}", "from=@/no/such/file");
}
END_TEST

START_TEST(standard_input_is_read_once)
{
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(write_all(ends[1], "7\n", 2), 0);
	close(ends[1]);
	ck_assert_int_ge(dup2(ends[0], STDIN_FILENO), 0);
	close(ends[0]);
	CHECK_PAIRS(-EINVAL, "from: standard input can be read only once", "{}", "amount=@-", "from=@-");
}
END_TEST

CHECK_MAIN(pairs, values_are_converted_to_the_declared_types, a_value_may_contain_what_separates,
	   json_is_taken_as_it_is_whatever_is_declared, types_are_needed_only_where_something_is_converted,
	   what_does_not_convert_names_argument_expected_and_found, a_misspelt_argument_is_guessed,
	   an_argument_given_twice_is_refused, what_is_no_pair_is_refused, a_file_is_a_string_with_all_that_is_in_it,
	   a_file_of_another_type_may_end_with_a_newline, a_file_that_cannot_be_read_is_named,
	   standard_input_is_read_once)
