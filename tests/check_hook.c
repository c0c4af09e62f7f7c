/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What libryuso passes on, and what it does not. */
#include <math.h>

#include <json-c/json.h>

#include "hook_host.h"

START_TEST(a_hook_is_told_what_it_is_called_for)
{
	ryuso_peer_info peer;

	enter();
	ck_assert_str_eq(ryuso_token(&run), run.token);
	ck_assert_ptr_null(ryuso_undone_token(&run));
	ck_assert_str_eq(ryuso_run_id(&run), run.id);
	ck_assert_str_eq(ryuso_hook_name(&run), "debit");
	ck_assert_uint_eq(ryuso_step(&run), 3);
	ck_assert_uint_eq(ryuso_attempt(&run), 2);
	ck_assert(!ryuso_rectifying(&run) && !ryuso_in_doubt(&run));
	ck_assert_int_eq(ryuso_peer(&run, &peer), 0);
	ck_assert(peer.uid == 1 && peer.gid == 2 && peer.pid == 3);
	strcpy(run.undone_token, "2123456789abcdef0123456789abcdef");
	run.rectifying = run.in_doubt = true;
	ck_assert_str_eq(ryuso_undone_token(&run), run.undone_token);
	ck_assert(ryuso_rectifying(&run) && ryuso_in_doubt(&run));
}
END_TEST

START_TEST(a_failure_has_a_word_and_a_sentence)
{
	enter();
	ck_assert_int_eq(ryuso_fail(&run, "NoMoney", "%d are missing", 5), RYUSO_FAILED);
	ck_assert_str_eq(run.reason, "NoMoney");
	ck_assert_str_eq(run.message, "5 are missing");
	ck_assert_int_eq(ryuso_unknown(&run, NULL, "%s", "lost"), RYUSO_UNKNOWN);
	ck_assert_str_eq(run.reason, "");
	ck_assert_str_eq(run.message, "lost");
}
END_TEST

typedef struct TextCase {
	const char *given, *shown;
} TextCase;

START_TEST(text_can_harm_neither_json_nor_journal)
{
	static const TextCase cases[] = {
		{ "Grüße, 你好 😀", "Grüße, 你好 😀" },
		{ "a\nb\tc\rd", "a b c d" },
		{ "\x01\x1b[31m\x7f", "??[31m?" },
		{ "\xc2\x80\xc2\x9f", "????" }, /* C1 */
		{ "\xc0\x80\xff", "???" },      /* overlong, no lead byte */
		{ "\xed\xa0\x80", "???" },      /* a surrogate */
		{ "\xf4\x90\x80\x80", "????" }, /* beyond U+10FFFF */
		{ "\xe2\x82", "??" },           /* unfinished */
		{ "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" },
	};

	enter();
	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		ryuso_fail(&run, cases[i].given, "%s", cases[i].given);
		ck_assert_str_eq(run.message, cases[i].shown);
		ck_assert_str_eq(run.reason, cases[i].shown);
	}
}
END_TEST

START_TEST(text_is_cut_between_characters)
{
	char text[RYUSO_MESSAGE_SIZE + 64];

	enter();
	for (size_t lead = 0; lead < 8; lead++) {
		memset(text, 'x', sizeof(text));
		for (size_t at = lead; at + 4 < sizeof(text); at += 4)
			memcpy(text + at, "\xf0\x9f\x98\x80", 4);
		text[sizeof(text) - 1] = '\0';
		ryuso_fail(&run, text, "%s", text);
		ck_assert_uint_eq(strlen(run.message), 1024 - (1024 - lead) % 4);
		ck_assert_uint_eq(strlen(run.reason), 64 - (64 - lead) % 4);
		ck_assert_ptr_null(strchr(run.message, '?'));
	}
	memset(text, 'x', sizeof(text) - 1);
	ryuso_fail(&run, "R", "%s", text);
	ck_assert_uint_eq(strlen(run.message), 1024);
}
END_TEST

START_TEST(a_line_is_logged_with_its_level)
{
	enter();
	ck_assert_int_eq(ryuso_log(&run, RYUSO_NOTICE, "two\nlines\x07, %d", 2), 0);
	ck_assert_int_eq(fake.level, 5);
	ck_assert_str_eq(fake.text, "two\nlines?, 2");
	ck_assert_int_eq(ryuso_log(&run, (ryuso_level)2, "x"), -EINVAL);
	ck_assert_int_eq(ryuso_log(&run, (ryuso_level)8, "x"), -EINVAL);
	fake.result = -EPIPE;
	ck_assert_int_eq(ryuso_log(&run, RYUSO_INFO, "x"), -EPIPE);
}
END_TEST

START_TEST(a_note_has_a_key_of_one_to_64_bytes)
{
	char key[66];
	const void *data;
	size_t size;

	enter();
	memset(key, 'k', sizeof(key));
	key[65] = '\0';
	ck_assert_int_eq(ryuso_note(&run, "where", "there", 5), 0);
	ck_assert_str_eq(fake.key, "where");
	ck_assert(memcmp(fake.text, "there", 5) == 0);
	ck_assert_int_eq(ryuso_noted(&run, "where", &data, &size), 0);
	ck_assert_uint_eq(fake.n, 2);
	ck_assert_int_eq(ryuso_note(&run, key, "x", 1), -EINVAL);
	ck_assert_int_eq(ryuso_noted(&run, "", &data, &size), -EINVAL);
	ck_assert_int_eq(ryuso_note(&run, NULL, "x", 1), -EINVAL);
	ck_assert_int_eq(ryuso_note(&run, "x", NULL, 1), -EINVAL);
	ck_assert_uint_eq(fake.n, 2);
	key[64] = '\0';
	ck_assert_int_eq(ryuso_note(&run, key, "", 0), 0);
}
END_TEST

START_TEST(values_are_got_as_their_type)
{
	struct json_object *tree;
	const char *text;
	int64_t integer;
	double real;
	bool truth;

	enter();
	fake.value = (struct ryuso_value){ .type = RYUSO_VALUE_INT, .integer = -5 };
	ck_assert_int_eq(ryuso_get_int(&run, "k", &integer), 0);
	ck_assert_int_eq(integer, -5);
	ck_assert_str_eq(fake.key, "k");
	ck_assert_int_eq(ryuso_get_float(&run, "k", &real), 0);
	ck_assert_double_eq(real, -5);
	ck_assert_int_eq(ryuso_get_bool(&run, "k", &truth), -EINVAL);
	ck_assert_int_eq(ryuso_get_string(&run, "k", &text), -EINVAL);
	ck_assert_int_eq(ryuso_get_list(&run, "k", &tree), -EINVAL);
	ck_assert_int_eq(ryuso_get_dict(&run, "k", &tree), -EINVAL);
	ck_assert(ryuso_has(&run, "k"));
	fake.value = (struct ryuso_value){ .type = RYUSO_VALUE_FLOAT, .real = 0.5 };
	ck_assert_int_eq(ryuso_get_int(&run, "k", &integer), -EINVAL);
	fake.value = (struct ryuso_value){ .type = RYUSO_VALUE_STRING, .string = "text" };
	ck_assert_int_eq(ryuso_get_string(&run, "k", &text), 0);
	ck_assert_str_eq(text, "text");
	fake.result = -ENODATA;
	ck_assert_int_eq(ryuso_get_int(&run, "k", &integer), -ENODATA);
	ck_assert(!ryuso_has(&run, "k"));
	ck_assert_int_eq(ryuso_get_int(&run, NULL, &integer), -EINVAL);
}
END_TEST

START_TEST(only_what_may_be_in_a_pool_is_set)
{
	struct json_object *list = json_object_new_array(), *dict = json_object_new_object();

	enter();
	ck_assert_int_eq(ryuso_set_int(&run, "k", 7), 0);
	ck_assert(fake.set.type == RYUSO_VALUE_INT && fake.set.integer == 7);
	ck_assert_int_eq(ryuso_set_float(&run, "k", 0.5), 0);
	ck_assert_int_eq(ryuso_set_bool(&run, "k", true), 0);
	ck_assert_int_eq(ryuso_set_string(&run, "k", "ü"), 0);
	ck_assert_int_eq(ryuso_set_list(&run, "k", list), 0);
	ck_assert_int_eq(ryuso_set_dict(&run, "k", dict), 0);
	ck_assert_uint_eq(fake.n, 6);
	ck_assert_int_eq(ryuso_set_float(&run, "k", NAN), -EINVAL);
	ck_assert_int_eq(ryuso_set_float(&run, "k", -INFINITY), -EINVAL);
	ck_assert_int_eq(ryuso_set_string(&run, "k", "\xff"), -EINVAL);
	ck_assert_int_eq(ryuso_set_string(&run, "k", NULL), -EINVAL);
	ck_assert_int_eq(ryuso_set_list(&run, "k", dict), -EINVAL);
	ck_assert_int_eq(ryuso_set_list(&run, "k", NULL), -EINVAL);
	ck_assert_int_eq(ryuso_set_dict(&run, "k", list), -EINVAL);
	ck_assert_int_eq(ryuso_set_int(&run, "_k", 1), -EINVAL);
	ck_assert_int_eq(ryuso_set_int(&run, "", 1), -EINVAL);
	ck_assert_int_eq(ryuso_set_int(&run, NULL, 1), -EINVAL);
	ck_assert_int_eq(ryuso_set_int(&run, "\xc3", 1), -EINVAL);
	ck_assert_uint_eq(fake.n, 6);
	json_object_put(list);
	json_object_put(dict);
}
END_TEST

START_TEST(adapters_get_arguments_and_set_outputs_by_number)
{
	struct json_object *tree = json_tokener_parse("{\"a\":[1]}"), *copy = NULL;
	const char *text;
	int64_t integer = 1;
	double real;
	bool truth;

	enter();
	fake.result = 1;
	fake.value = (struct ryuso_value){ .type = RYUSO_VALUE_INT, .integer = 9 };
	ck_assert_int_eq(ryuso_module_arg_int(&run, 4, &integer), 1);
	ck_assert(integer == 9 && fake.number == 4);
	ck_assert_int_eq(ryuso_module_arg_float(&run, 4, &real), 1);
	ck_assert_double_eq(real, 9);
	ck_assert_int_eq(ryuso_module_arg_bool(&run, 4, &truth), -EINVAL);
	ck_assert_int_eq(ryuso_module_arg_string(&run, 4, &text), -EINVAL);
	ck_assert_int_eq(ryuso_module_arg_json(&run, 4, &copy), -EINVAL);
	fake.value = (struct ryuso_value){ .type = RYUSO_VALUE_DICT, .json = tree };
	ck_assert_int_eq(ryuso_module_arg_json(&run, 4, &copy), 1);
	ck_assert_ptr_ne(copy, tree);
	ck_assert(json_object_equal(copy, tree));
	json_object_put(copy);
	fake.result = 0;
	ck_assert_int_eq(ryuso_module_arg_int(&run, 4, &integer), 0);
	ck_assert_int_eq(ryuso_module_set_int(&run, 5, 1), 0);
	ck_assert(fake.number == 5 && fake.set.type == RYUSO_VALUE_INT);
	ck_assert_int_eq(ryuso_module_set_json(&run, 5, tree), 0);
	ck_assert_int_eq(fake.set.type, RYUSO_VALUE_DICT);
	ck_assert_int_eq(ryuso_module_set_json(&run, 5, NULL), -EINVAL);
	ck_assert_int_eq(ryuso_module_set_float(&run, 5, NAN), -EINVAL);
	ck_assert_int_eq(ryuso_module_set_string(&run, 5, "\xff"), -EINVAL);
	ck_assert_int_eq(ryuso_module_no_args(&run, -ENOMEM), RYUSO_FAILED);
	ck_assert_str_eq(run.reason, "NoArguments");
	json_object_put(tree);
}
END_TEST

CHECK_MAIN(hook, a_hook_is_told_what_it_is_called_for, a_failure_has_a_word_and_a_sentence,
	   text_can_harm_neither_json_nor_journal, text_is_cut_between_characters, a_line_is_logged_with_its_level,
	   a_note_has_a_key_of_one_to_64_bytes, values_are_got_as_their_type, only_what_may_be_in_a_pool_is_set,
	   adapters_get_arguments_and_set_outputs_by_number)
