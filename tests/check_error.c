/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/check_main.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"

START_TEST(every_error_has_a_name_of_its_own_and_is_found_by_it)
{
	for (unsigned code = ERROR_NONE + 1; code < ERROR_CODE_MAX; code++) {
		const char *name = error_name((ErrorCode)code);

		ck_assert_msg(name && name[0], "error %u has no name", code);
		ck_assert_int_eq(error_from_name(name), code);
	}
}
END_TEST

START_TEST(what_is_no_error_has_no_name)
{
	ck_assert_ptr_null(error_name(ERROR_NONE));
	ck_assert_ptr_null(error_name(ERROR_CODE_MAX));
	ck_assert_int_eq(error_from_name("NoSuchError"), ERROR_NONE);
	ck_assert_int_eq(error_from_name(""), ERROR_NONE);
	ck_assert_int_eq(error_from_name("badjson"), ERROR_NONE);
}
END_TEST

START_TEST(the_names_are_those_that_are_documented)
{
	static const char *const names[] = {
		"BadJSON",         "TooLarge",           "TooDeep",
		"TooSlow",         "BadRequest",         "UnknownProgram",
		"MissingArgument", "WrongType",          "UnknownArgument",
		"MissingOutput",   "HookFailed",         "HookUnknown",
		"HookTimeout",     "ProgramTimeout",     "Cancelled",
		"Interrupted",     "Irreversible",       "RectifierFailed",
		"ModuleChanged",   "StoreMoved",         "Damaged",
		"QueueFull",       "TooManyConnections", "NotStarted",
		"ShuttingDown",    "NoModule",           "StoreDamaged",
		"StoreBusy",       "Recovering",         "RequestIdReused",
		"NotAllowed",      "NoSuchRun",          "WrongState",
		"BadConfig",
	};

	ck_assert_uint_eq(ELEMENTSOF(names), ERROR_CODE_MAX - 1);
	for (size_t i = 0; i < ELEMENTSOF(names); i++)
		ck_assert_msg(error_from_name(names[i]) != ERROR_NONE, "%s", names[i]);
}
END_TEST

START_TEST(only_what_may_pass_later_says_retry)
{
	static const ErrorCode later[] = { ERROR_QUEUE_FULL,  ERROR_TOO_MANY_CONNECTIONS,
					   ERROR_NOT_STARTED, ERROR_SHUTTING_DOWN,
					   ERROR_NO_MODULE,   ERROR_RECOVERING };
	static const ErrorCode never[] = { ERROR_NONE,       ERROR_BAD_JSON,        ERROR_BAD_REQUEST,
					   ERROR_WRONG_TYPE, ERROR_UNKNOWN_PROGRAM, ERROR_HOOK_FAILED,
					   ERROR_CODE_MAX };

	for (size_t i = 0; i < ELEMENTSOF(later); i++)
		ck_assert(error_retry(later[i]));
	for (size_t i = 0; i < ELEMENTSOF(never); i++)
		ck_assert(!error_retry(never[i]));
}
END_TEST

START_TEST(setting_an_error_replaces_what_it_held)
{
	_cleanup_error_ Error error = { 0 };

	ck_assert_int_eq(error_set(&error, ERROR_WRONG_TYPE, "/a", "expected %s, got %d", "int", 5), -EBADMSG);
	ck_assert_int_eq(error.code, ERROR_WRONG_TYPE);
	ck_assert_str_eq(error.path, "/a");
	ck_assert_str_eq(error.message, "expected int, got 5");
	ck_assert_int_eq(error_set(&error, ERROR_BAD_JSON, NULL, "x"), -EBADMSG);
	ck_assert_ptr_null(error.path);
	ck_assert_str_eq(error.message, "x");
	error_done(&error);
	ck_assert_int_eq(error.code, ERROR_NONE);
	ck_assert_ptr_null(error.message);
}
END_TEST

CHECK_MAIN(error, every_error_has_a_name_of_its_own_and_is_found_by_it, what_is_no_error_has_no_name,
	   the_names_are_those_that_are_documented, only_what_may_pass_later_says_retry,
	   setting_an_error_replaces_what_it_held)
