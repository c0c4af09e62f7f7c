/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The main() of a libcheck program: `CHECK_MAIN(noun, test_a, test_b)` runs the tests and reports in TAP
 * (CK_TAP_LOG_FILE_NAME=-). Every test is named as a sentence about behaviour. */
#pragma once

#include <check.h>
#include <stdlib.h>

#include "base/macro.h"

#define CHECK_TIMEOUT_SECONDS 300

static inline int check_run(const char *noun, const TTest *const tests[], size_t n_tests)
{
	Suite *suite = suite_create(noun);
	TCase *tcase = tcase_create(noun);
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, CHECK_TIMEOUT_SECONDS);
	for (size_t i = 0; i < n_tests; i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, getenv("CK_TAP_LOG_FILE_NAME") ? CK_SILENT : CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#define CHECK_MAIN(noun, ...)                                      \
	int main(void)                                             \
	{                                                          \
		const TTest *const tests[] = { __VA_ARGS__ };      \
		return check_run(#noun, tests, ELEMENTSOF(tests)); \
	}
