/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libryuso against a host that writes down what it is asked. */
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <json-c/json.h>

#include <ryuso/host.h>
#include <ryuso/module.h>

#include "check_main.h"

typedef struct Fake {
	struct ryuso_value value; /* what get and argument answer */
	int result;
	struct ryuso_value set; /* what came last */
	char key[80];
	char text[8192];
	int level;
	unsigned number;
	unsigned n; /* calls that came through */
} Fake;

static int on_argument(void *host, unsigned arg, struct ryuso_value *ret)
{
	Fake *fake = host;

	fake->n++;
	fake->number = arg;
	*ret = fake->value;
	return fake->result;
}

static int on_set_output(void *host, unsigned output, const struct ryuso_value *value)
{
	Fake *fake = host;

	fake->n++;
	fake->number = output;
	fake->set = *value;
	return fake->result;
}

static int on_get(void *host, const char *key, struct ryuso_value *ret)
{
	Fake *fake = host;

	fake->n++;
	snprintf(fake->key, sizeof(fake->key), "%s", key);
	*ret = fake->value;
	return fake->result;
}

static int on_set(void *host, const char *key, const struct ryuso_value *value)
{
	Fake *fake = host;

	fake->n++;
	snprintf(fake->key, sizeof(fake->key), "%s", key);
	fake->set = *value;
	return fake->result;
}

static int on_note(void *host, const char *key, const void *data, size_t size)
{
	Fake *fake = host;

	fake->n++;
	snprintf(fake->key, sizeof(fake->key), "%s", key);
	memcpy(fake->text, data, size);
	return fake->result;
}

static int on_noted(void *host, const char *key, const void **ret_data, size_t *ret_size)
{
	Fake *fake = host;

	fake->n++;
	snprintf(fake->key, sizeof(fake->key), "%s", key);
	*ret_data = "noted";
	*ret_size = 5;
	return fake->result;
}

static int on_log(void *host, int level, const char *text)
{
	Fake *fake = host;

	fake->n++;
	fake->level = level;
	snprintf(fake->text, sizeof(fake->text), "%s", text);
	return fake->result;
}

static const struct ryuso_host calls = {
	.argument = on_argument,
	.set_output = on_set_output,
	.get = on_get,
	.set = on_set,
	.note = on_note,
	.noted = on_noted,
	.log = on_log,
};

static Fake fake;
static ryuso_run run;

static void enter(void)
{
	fake = (Fake){ 0 };
	run = (ryuso_run){
		.calls = &calls,
		.host = &fake,
		.id = "0123456789abcdef0123456789abcdef",
		.token = "1123456789abcdef0123456789abcdef",
		.hook_name = "debit",
		.step = 3,
		.attempt = 2,
		.peer = { .uid = 1, .gid = 2, .pid = 3 },
	};
	ck_assert_int_eq(ryuso_host_enter(&run), 0);
}

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

/* Everything that could be asked, from a place where nothing may be; how many answers were as they must be. */
static int ask_all(void)
{
	struct json_object *tree = NULL;
	ryuso_peer_info peer;
	const void *data;
	const char *text;
	int64_t integer;
	double real;
	size_t size;
	bool truth;
	const bool right[] = {
		ryuso_fail(&run, "R", "m") == RYUSO_UNKNOWN,
		ryuso_unknown(&run, "R", "m") == RYUSO_UNKNOWN,
		ryuso_module_no_args(&run, -ENOMEM) == RYUSO_UNKNOWN,
		!ryuso_token(&run),
		!ryuso_undone_token(&run),
		!ryuso_run_id(&run),
		!ryuso_hook_name(&run),
		!ryuso_in_doubt(&run),
		!ryuso_rectifying(&run),
		ryuso_attempt(&run) == 0,
		ryuso_step(&run) == 0,
		!ryuso_has(&run, "k"),
		ryuso_peer(&run, &peer) == -EPERM,
		ryuso_note(&run, "k", "v", 1) == -EPERM,
		ryuso_noted(&run, "k", &data, &size) == -EPERM,
		ryuso_log(&run, RYUSO_INFO, "x") == -EPERM,
		ryuso_get_int(&run, "k", &integer) == -EPERM,
		ryuso_get_float(&run, "k", &real) == -EPERM,
		ryuso_get_bool(&run, "k", &truth) == -EPERM,
		ryuso_get_string(&run, "k", &text) == -EPERM,
		ryuso_get_list(&run, "k", &tree) == -EPERM,
		ryuso_get_dict(&run, "k", &tree) == -EPERM,
		ryuso_set_int(&run, "k", 1) == -EPERM,
		ryuso_set_float(&run, "k", NAN) == -EPERM,
		ryuso_set_bool(&run, "k", true) == -EPERM,
		ryuso_set_string(&run, "k", NULL) == -EPERM,
		ryuso_set_list(&run, "k", NULL) == -EPERM,
		ryuso_set_dict(&run, "k", NULL) == -EPERM,
		ryuso_module_arg_int(&run, 0, &integer) == -EPERM,
		ryuso_module_arg_float(&run, 0, &real) == -EPERM,
		ryuso_module_arg_bool(&run, 0, &truth) == -EPERM,
		ryuso_module_arg_string(&run, 0, &text) == -EPERM,
		ryuso_module_arg_json(&run, 0, &tree) == -EPERM,
		ryuso_module_set_int(&run, 0, 1) == -EPERM,
		ryuso_module_set_float(&run, 0, NAN) == -EPERM,
		ryuso_module_set_bool(&run, 0, true) == -EPERM,
		ryuso_module_set_string(&run, 0, NULL) == -EPERM,
		ryuso_module_set_json(&run, 0, NULL) == -EPERM,
		fake.n == 0 && run.reason[0] == '\0' && run.message[0] == '\0',
	};

	for (size_t i = 0; i < ELEMENTSOF(right); i++)
		if (!right[i])
			return (int)i;
	return 100;
}

static void *thread_main(void *ret)
{
	*(int *)ret = ask_all();
	return NULL;
}

START_TEST(another_thread_gets_nothing)
{
	pthread_t thread;
	int result = 0;

	enter();
	ck_assert_int_eq(pthread_create(&thread, NULL, thread_main, &result), 0);
	pthread_join(thread, NULL);
	ck_assert_int_eq(result, 100);
}
END_TEST

START_TEST(a_forked_copy_gets_nothing_until_it_enters_itself)
{
	int status;
	pid_t pid;

	enter();
	ck_assert(ryuso_host_is_original());
	pid = fork();
	if (pid == 0) {
		int result = ryuso_host_is_original() ? 99 : ask_all();

		if (result == 100 && (ryuso_host_enter(&run) != 0 || !ryuso_host_is_original() || !ryuso_token(&run)))
			result = 98;
		_exit(result);
	}
	waitpid(pid, &status, 0);
	ck_assert_int_eq(WEXITSTATUS(status), 100);
	ck_assert(ryuso_host_is_original());
}
END_TEST

START_TEST(nothing_is_answered_when_the_hook_is_over)
{
	ryuso_run other;

	enter();
	other = run;
	ck_assert_ptr_null(ryuso_token(&other));
	ck_assert_ptr_null(ryuso_token(NULL));
	ryuso_host_enter(NULL);
	ck_assert_int_eq(ask_all(), 100);
}
END_TEST

CHECK_MAIN(hook, a_hook_is_told_what_it_is_called_for, a_failure_has_a_word_and_a_sentence,
	   text_can_harm_neither_json_nor_journal, text_is_cut_between_characters, a_line_is_logged_with_its_level,
	   a_note_has_a_key_of_one_to_64_bytes, values_are_got_as_their_type, only_what_may_be_in_a_pool_is_set,
	   adapters_get_arguments_and_set_outputs_by_number, another_thread_gets_nothing,
	   a_forked_copy_gets_nothing_until_it_enters_itself, nothing_is_answered_when_the_hook_is_over)
