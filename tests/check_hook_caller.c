/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whom libryuso answers. */
#include <math.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hook_host.h"

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

CHECK_MAIN(hook_caller, another_thread_gets_nothing, a_forked_copy_gets_nothing_until_it_enters_itself,
	   nothing_is_answered_when_the_hook_is_over)
