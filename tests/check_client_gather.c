/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check_main.h"

#include "connection.h"

static Connection connection;

static void open_gathering(const char *requests)
{
	connection_open(&connection);
	connection_send(&connection, requests);
	connection.clients.gathers = true;
}

static void answer(size_t number, const char *text)
{
	connection_answer(connection.slots[number], text);
	connection_turn(&connection);
}

START_TEST(answers_of_one_who_waits_for_more_are_sent_with_the_last)
{
	open_gathering("{}{}{}");
	answer(0, "1\n");
	answer(1, "2\n");
	ck_assert_str_eq(connection_read(&connection), "");
	answer(2, "3\n");
	ck_assert_str_eq(connection_read(&connection), "1\n2\n3\n");
	ck_assert_uint_eq(connection.clients.n_held, 0);
	connection_close(&connection);
}
END_TEST

START_TEST(one_who_waits_for_nothing_more_is_answered_at_once)
{
	open_gathering("{}");
	answer(0, "1\n");
	ck_assert_str_eq(connection_read(&connection), "1\n");
	connection_close(&connection);
}
END_TEST

START_TEST(what_was_held_is_sent_when_nothing_more_is_gathered)
{
	open_gathering("{}{}");
	answer(0, "1\n");
	ck_assert_uint_eq(connection.clients.n_held, 1);
	connection_turn(&connection);
	ck_assert_str_eq(connection_read(&connection), "");
	connection.clients.gathers = false;
	connection_turn(&connection);
	ck_assert_str_eq(connection_read(&connection), "1\n");
	ck_assert_uint_eq(connection.clients.n_held, 0);
	answer(1, "2\n");
	ck_assert_str_eq(connection_read(&connection), "2\n");
	connection_close(&connection);
}
END_TEST

START_TEST(what_is_much_is_not_held)
{
	char text[CLIENT_GATHER_MAX + 1];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	open_gathering("{}{}{}");
	answer(0, text);
	ck_assert_str_eq(connection_read(&connection), "");
	answer(1, "y");
	ck_assert_uint_eq(strlen(connection_read(&connection)), sizeof(text));
	connection_close(&connection);
}
END_TEST

START_TEST(what_is_held_is_not_held_against_the_client)
{
	open_gathering("{}{}{}");
	connection.config.max_unread_replies = 4;
	answer(0, "held 1\n");
	ck_assert_uint_eq(connection.clients.n, 1);
	answer(1, "held 2\n");
	answer(2, "3\n");
	ck_assert_str_eq(connection_read(&connection), "held 1\nheld 2\n3\n");
	ck_assert_uint_eq(connection.clients.n, 1);
	connection_close(&connection);
}
END_TEST

START_TEST(one_who_goes_away_takes_what_was_held_along)
{
	open_gathering("{}{}");
	answer(0, "1\n");
	connection.fd = fd_close(connection.fd);
	connection_turn(&connection);
	ck_assert_uint_eq(connection.clients.n, 0);
	ck_assert_uint_eq(connection.clients.n_held, 0);
	connection_close(&connection);
}
END_TEST

CHECK_MAIN(client_gather, answers_of_one_who_waits_for_more_are_sent_with_the_last,
	   one_who_waits_for_nothing_more_is_answered_at_once, what_was_held_is_sent_when_nothing_more_is_gathered,
	   what_is_much_is_not_held, what_is_held_is_not_held_against_the_client,
	   one_who_goes_away_takes_what_was_held_along)
