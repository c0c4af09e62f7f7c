/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Modules that must not be used: each is refused with a sentence, or ends its worker before the hello. */
#include <limits.h>

#include "base/io.h"
#include "check_main.h"
#include "worker_host.h"

/* The sentence with which the module is refused; empty where the worker died. */
static void refusal(const char *module, const char *breaks, char *ret, size_t size)
{
	_cleanup_buffer_ Buffer frame = { 0 };
	OrderHello hello = { 0 };
	Host host;
	int r;

	host_init(&host, module);
	host.breaks = breaks;
	host_start(&host);
	r = host_hello(&host, &frame, &hello);
	ck_assert_msg(r < 0 || hello.error_size > 0, "the module was accepted");
	snprintf(ret, size, "%.*s", r < 0 ? 0 : (int)hello.error_size, hello.error ? hello.error : "");
	ck_assert_int_ne(host_reap(&host), 0);
	host_done(&host);
}

static void refused(const char *module, const char *breaks, const char *sentence)
{
	char text[1024];

	refusal(module, breaks, text, sizeof(text));
	ck_assert_msg(strstr(text, sentence), "expected \"%s\", got \"%s\"", sentence, text);
}

typedef struct BreakCase {
	const char *breaks, *sentence;
} BreakCase;

static const BreakCase header_cases[] = {
	{ "magic", "magic of the module is 0x585955534f4d4f44, expected \"RYUSOMOD\"" },
	{ "abi_major", "abi_major of the module is 2, expected 1" },
	{ "abi_minor", "abi_minor of the module is 1, expected at most 0: it needs a newer ryuso" },
	{ "module_size", "module_size of the module is" },
	{ "function_size", "function_size of the module is" },
	{ "program_size", "program_size of the module is" },
	{ "step_size", "step_size of the module is" },
	{ "reserved", "reserved of the module is 1, expected 0" },
	{ "spec pointer", "spec of the module is NULL" },
	{ "programs pointer", "programs of the module is NULL" },
};

START_TEST(a_header_that_differs_is_named_with_both_values)
{
	refused("play", header_cases[_i].breaks, header_cases[_i].sentence);
}
END_TEST

static const BreakCase table_cases[] = {
	{ "name", "name of the module is \"other\", expected \"wk\"" },
	{ "spec", "the spec in the module is not accepted" },
	{ "n_functions", "n_functions of the module is 3, expected 4" },
	{ "n_programs", "n_programs of the module is" },
	{ "reference", "function 1 of the module is \"wk.play.other\", expected \"wk.play.act\"" },
	{ "call", "call of function \"wk.play.act\" of the module is NULL" },
	{ "n_args", "function \"wk.play.act\" of the module takes 2 arguments, expected 1" },
	{ "n_outputs", "function \"wk.play.act\" of the module has 1 outputs, expected 0" },
	{ "program name", "program 1 of the module is \"other\", expected \"three\"" },
	{ "fingerprint", "the plan of program \"three\" of the module is another one" },
	{ "n_steps", "of program \"three\" of the module differs" },
	{ "step", "step 1 of program \"three\" of the module differs" },
	{ "open", "ryuso_module_open() returned 5, expected 0: no database" },
};

START_TEST(tables_that_disagree_with_the_spec_are_refused)
{
	refused("play", table_cases[_i].breaks, table_cases[_i].sentence);
}
END_TEST

START_TEST(a_shared_object_that_is_no_module_is_refused)
{
	refused("empty", NULL, "the module has no symbol \"ryuso_module\"");
	refused("small", NULL, "the size of the symbol \"ryuso_module\" of the module is 16, expected");
}
END_TEST

/* A file of \p size bytes of \p data; its path. */
static const char *scratch(const void *data, size_t size)
{
	static char path[64];
	int fd;

	snprintf(path, sizeof(path), "/tmp/ryuso-check-module-XXXXXX");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write_all(fd, data, size), 0);
	close(fd);
	return path;
}

START_TEST(a_file_that_is_no_shared_object_is_refused)
{
	static const char *const texts[] = { "", "E", "#!/bin/sh\necho hello\n", "\177ELF" };
	static const char *const sentences[] = { "no shared object", "no shared object", "no shared object",
						 "it is cut off" };

	for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
		const char *path = scratch(texts[i], strlen(texts[i]));

		refused(path, NULL, sentences[i]);
		unlink(path);
	}
}
END_TEST

START_TEST(a_module_that_was_cut_off_is_refused)
{
	_cleanup_buffer_ Buffer whole = { 0 };
	int fd = host_open_module("play");

	ck_assert_int_eq(read_fd(fd, 1U << 28, &whole), 0);
	close(fd);
	for (size_t part = 1; part < 8; part++) {
		const char *path = scratch(whole.data, whole.size * part / 64);
		char text[1024];

		/* Refused by the loader or before it, never its death. */
		refusal(path, NULL, text, sizeof(text));
		unlink(path);
		ck_assert_str_ne(text, "");
	}
}
END_TEST

START_TEST(a_module_that_crashes_in_its_constructor_ends_its_worker_alone)
{
	char text[1024];

	refusal("play", "constructor", text, sizeof(text));
	ck_assert_str_eq(text, "");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("module");
	TCase *tcase = tcase_create("module");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, CHECK_TIMEOUT_SECONDS);
	tcase_add_loop_test(tcase, a_header_that_differs_is_named_with_both_values, 0, ELEMENTSOF(header_cases));
	tcase_add_loop_test(tcase, tables_that_disagree_with_the_spec_are_refused, 0, ELEMENTSOF(table_cases));
	tcase_add_test(tcase, a_shared_object_that_is_no_module_is_refused);
	tcase_add_test(tcase, a_file_that_is_no_shared_object_is_refused);
	tcase_add_test(tcase, a_module_that_was_cut_off_is_refused);
	tcase_add_test(tcase, a_module_that_crashes_in_its_constructor_ends_its_worker_alone);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, getenv("CK_TAP_LOG_FILE_NAME") ? CK_SILENT : CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
