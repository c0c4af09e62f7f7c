/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/home.h"

#include <stdlib.h>
#include <string.h>

#include "tests/check_main.h"

static void expect(char *path, const char *expected)
{
	ck_assert_ptr_nonnull(path);
	ck_assert_str_eq(path, expected);
	free(path);
}

START_TEST(a_users_things_are_below_the_home_directory)
{
	setenv("HOME", "/h", 1);
	unsetenv("XDG_STATE_HOME");
	setenv("XDG_CONFIG_HOME", "", 1);
	expect(home_state("wallet"), "/h/.local/state/ryuso/wallet");
	expect(home_settings(), "/h/.config/ryuso");
	expect(home_modules(), "/h/.local/lib/ryuso");
}
END_TEST

START_TEST(or_where_the_environment_says)
{
	setenv("HOME", "/h", 1);
	setenv("XDG_STATE_HOME", "/s", 1);
	setenv("XDG_CONFIG_HOME", "/c", 1);
	expect(home_state("ryuso"), "/s/ryuso/ryuso");
	expect(home_settings(), "/c/ryuso");
	expect(home_modules(), "/h/.local/lib/ryuso");
}
END_TEST

START_TEST(a_relative_path_counts_as_none)
{
	setenv("HOME", "/h", 1);
	setenv("XDG_STATE_HOME", "s", 1);
	expect(home_state("ryuso"), "/h/.local/state/ryuso/ryuso");
}
END_TEST

START_TEST(without_the_variable_the_home_directory_is_that_of_the_password_file)
{
	char *found;

	unsetenv("HOME");
	found = home_modules();
	ck_assert_ptr_nonnull(found);
	ck_assert_int_eq(found[0], '/');
	ck_assert_ptr_nonnull(strstr(found, "/.local/lib/ryuso"));
	free(found);
}
END_TEST

CHECK_MAIN(home, a_users_things_are_below_the_home_directory, or_where_the_environment_says,
	   a_relative_path_counts_as_none, without_the_variable_the_home_directory_is_that_of_the_password_file)
