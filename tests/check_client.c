/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check_main.h"

#include "base/clock.h"
#include "connection.h"

static Connection connection;

START_TEST(an_object_is_handed_on_when_its_last_brace_has_come)
{
	connection_open(&connection);
	connection_send(&connection, "  {\"a\":");
	ck_assert_uint_eq(connection.n_objects, 0);
	connection_send(&connection, "{}}");
	ck_assert_uint_eq(connection.n_objects, 1);
	ck_assert_str_eq(connection.last, "{\"a\":{}}");
	connection_close(&connection);
}
END_TEST

START_TEST(answers_leave_in_the_order_of_the_requests)
{
	connection_open(&connection);
	connection_send(&connection, "{}{}{}{}");
	ck_assert_uint_eq(connection.n_objects, 4);
	connection_answer(connection.slots[2], "3\n");
	connection_answer(connection.slots[1], "2\n");
	connection_turn(&connection);
	ck_assert_str_eq(connection_read(&connection), "");
	connection_answer(connection.slots[0], "1\n");
	connection_turn(&connection);
	ck_assert_str_eq(connection_read(&connection), "1\n2\n3\n");
	connection_answer(connection.slots[3], "4\n");
	connection_turn(&connection);
	ck_assert_str_eq(connection_read(&connection), "4\n");
	connection_close(&connection);
}
END_TEST

START_TEST(a_part_of_an_answer_leaves_at_once_where_it_is_its_turn)
{
	connection_open(&connection);
	connection_send(&connection, "{}{}");
	buffer_text(slot_text(connection.slots[1]), "later ");
	slot_written(connection.slots[1], 6);
	buffer_text(slot_text(connection.slots[0]), "event ");
	slot_written(connection.slots[0], 6);
	connection_turn(&connection);
	ck_assert_str_eq(connection_read(&connection), "event ");
	connection_answer(connection.slots[0], "end ");
	connection_turn(&connection);
	ck_assert_str_eq(connection_read(&connection), "end later ");
	connection_close(&connection);
}
END_TEST

START_TEST(after_a_half_close_the_connection_ends_with_the_last_answer)
{
	connection_open(&connection);
	connection_send(&connection, "{}{}");
	ck_assert_int_eq(shutdown(connection.fd, SHUT_WR), 0);
	connection_turn(&connection);
	ck_assert_uint_eq(connection.clients.n, 1);
	connection_answer(connection.slots[0], "1\n");
	connection_answer(connection.slots[1], "2\n");
	connection_turn(&connection);
	ck_assert_str_eq(connection_read(&connection), "1\n2\n");
	ck_assert(connection_at_end(&connection));
	ck_assert_uint_eq(connection.clients.n, 0);
	connection_close(&connection);
}
END_TEST

START_TEST(who_holds_a_slot_learns_that_the_client_is_gone)
{
	connection_open(&connection);
	connection_send(&connection, "{}{}");
	connection.fd = fd_close(connection.fd);
	connection_turn(&connection);
	ck_assert_uint_eq(connection.clients.n, 0);
	ck_assert_ptr_null(connection.slots[0]);
	ck_assert_ptr_null(connection.slots[1]);
	connection_close(&connection);
}
END_TEST

START_TEST(requests_of_a_client_that_closed_at_once_are_handed_on)
{
	connection_open(&connection);
	ck_assert_int_eq(send(connection.fd, "{}{}{}", 6, 0), 6);
	connection.fd = fd_close(connection.fd);
	connection_turn(&connection);
	ck_assert_uint_eq(connection.n_objects, 3);
	ck_assert_uint_eq(connection.clients.n, 0);
	connection_close(&connection);
}
END_TEST

START_TEST(lost_framing_is_answered_after_what_came_before_it_and_then_the_connection_ends)
{
	connection_open(&connection);
	connection_send(&connection, "{} nonsense {}{}");
	ck_assert_uint_eq(connection.n_objects, 1);
	ck_assert_str_eq(connection_read(&connection), "");
	connection_answer(connection.slots[0], "1\n");
	connection_turn(&connection);
	ck_assert_int_eq(strncmp(connection_read(&connection), "1\n{\"run\":null,\"program\":null", 27), 0);
	ck_assert_ptr_nonnull(strstr(connection.text, "\"BadJSON\""));
	ck_assert(connection_at_end(&connection));
	connection_send(&connection, "what is still being sent is taken");
	connection.fd = fd_close(connection.fd);
	connection_turn(&connection);
	ck_assert_uint_eq(connection.clients.n, 0);
	connection_close(&connection);
}
END_TEST

START_TEST(an_object_that_the_connections_end_cuts_off_is_answered)
{
	connection_open(&connection);
	connection_send(&connection, "{\"a\":");
	ck_assert_int_eq(shutdown(connection.fd, SHUT_WR), 0);
	connection_turn(&connection);
	ck_assert_ptr_nonnull(strstr(connection_read(&connection), "\"BadJSON\""));
	ck_assert_uint_eq(connection.clients.n, 0);
	connection_close(&connection);
}
END_TEST

START_TEST(a_client_with_too_many_requests_in_hand_is_not_read_from)
{
	char text[2 * 2000 + 1];
	size_t taken = 0;

	for (unsigned i = 0; i < 2000; i++)
		memcpy(text + (size_t)(2 * i), "{}", 2);
	text[sizeof(text) - 1] = '\0';
	connection_open(&connection);
	connection_send(&connection, text);
	ck_assert_uint_eq(connection.n_objects, CLIENT_SLOTS_MAX);
	for (size_t i = 0; i < 10; i++)
		connection_answer(connection.slots[i], "x");
	connection_turn(&connection);
	ck_assert_uint_eq(connection.n_objects, CLIENT_SLOTS_MAX + 10);
	for (size_t i = 10; i < 2000; i++) {
		connection_answer(connection.slots[i], "x");
		connection_turn(&connection);
		taken += strlen(connection_read(&connection));
	}
	ck_assert_uint_eq(connection.n_objects, 2000);
	ck_assert_uint_eq(taken, 2000);
	connection_close(&connection);
}
END_TEST

/* An answer larger than a socket takes at once. */
static void answer_much(size_t size)
{
	_cleanup_free_ char *text = malloc(size + 1);

	ck_assert_ptr_nonnull(text);
	memset(text, 'x', size);
	text[size] = '\0';
	connection_answer(connection.slots[connection.n_objects - 1], text);
	connection_turn(&connection);
}

START_TEST(a_client_that_does_not_take_its_answers_is_not_read_from_until_it_does)
{
	size_t taken = 0, n;

	connection_open(&connection);
	connection_send(&connection, "{}");
	answer_much(CLIENT_UNSENT_MAX + (1U << 20));
	connection_send(&connection, "{}");
	ck_assert_uint_eq(connection.n_objects, 1);
	while ((n = strlen(connection_read(&connection))) > 0) {
		taken += n;
		connection_turn(&connection);
	}
	ck_assert_uint_eq(taken, CLIENT_UNSENT_MAX + (1U << 20));
	ck_assert_uint_eq(connection.n_objects, 2);
	connection_close(&connection);
}
END_TEST

START_TEST(a_client_that_takes_nothing_for_too_long_is_closed)
{
	uint64_t now = clock_monotonic();

	connection_open(&connection);
	connection_send(&connection, "{}");
	answer_much(CLIENT_UNSENT_MAX);
	ck_assert_uint_eq(connection.clients.n_timed, 1);
	clients_check(&connection.clients, now + connection.config.reply_timeout / 2);
	connection_turn(&connection);
	ck_assert_uint_eq(connection.clients.n, 1);
	clients_check(&connection.clients, clock_monotonic() + connection.config.reply_timeout + 1);
	connection_turn(&connection);
	ck_assert_uint_eq(connection.clients.n, 0);
	ck_assert_uint_eq(connection.clients.n_timed, 0);
	connection_close(&connection);
}
END_TEST

START_TEST(a_client_with_far_too_much_unsent_is_closed)
{
	connection_open(&connection);
	connection_send(&connection, "{}");
	answer_much(connection.config.max_unread_replies + (2U << 20));
	ck_assert_uint_eq(connection.clients.n, 0);
	connection_close(&connection);
}
END_TEST

START_TEST(only_an_object_that_has_begun_can_be_too_slow)
{
	uint64_t late;

	connection_open(&connection);
	connection_send(&connection, "{} ");
	connection_answer(connection.slots[0], "1\n");
	connection_turn(&connection);
	late = clock_monotonic() + 2 * connection.config.request_timeout;
	clients_check(&connection.clients, late);
	connection_turn(&connection);
	ck_assert_str_eq(connection_read(&connection), "1\n");
	ck_assert_uint_eq(connection.clients.n_timed, 0);
	connection_send(&connection, "{");
	ck_assert_uint_eq(connection.clients.n_timed, 1);
	clients_check(&connection.clients, clock_monotonic() + connection.config.request_timeout + 1);
	connection_turn(&connection);
	ck_assert_ptr_nonnull(strstr(connection_read(&connection), "\"TooSlow\""));
	ck_assert(connection_at_end(&connection));
	clients_check(&connection.clients, clock_monotonic() + 2 * CLIENT_DRAIN_USEC);
	connection_turn(&connection);
	ck_assert_uint_eq(connection.clients.n, 0);
	connection_close(&connection);
}
END_TEST

START_TEST(connections_are_counted_in_all_and_by_user)
{
	int first;

	connection_prepare(&connection);
	connection.config.max_connections = 1;
	connection_admit(&connection);
	ck_assert_uint_eq(connection.clients.n, 1);
	first = take_fd(connection.fd);
	connection_admit(&connection);
	ck_assert_uint_eq(connection.clients.n, 1);
	ck_assert_ptr_nonnull(strstr(connection_read(&connection), "\"TooManyConnections\""));
	ck_assert(connection_at_end(&connection));
	fd_close(first);
	connection_turn(&connection);
	ck_assert_uint_eq(connection.clients.n, 0);
	ck_assert_uint_eq(connection.users.n, 0);
	connection.config.max_connections = 10;
	connection.config.max_connections_per_user = 1;
	connection_admit(&connection);
	first = take_fd(connection.fd);
	connection_admit(&connection);
	ck_assert_ptr_nonnull(strstr(connection_read(&connection), "MaxConnectionsPerUser="));
	fd_close(first);
	connection_close(&connection);
}
END_TEST

START_TEST(a_request_for_which_the_user_has_no_room_is_not_waited_for)
{
	connection_prepare(&connection);
	connection.config.max_bytes_per_user = connection.config.max_request_size = 4096;
	connection_admit(&connection);
	for (unsigned i = 0; i < 3; i++) {
		connection_send(&connection, "{\"a\":\"01234567890123456789");
		if (i < 2) {
			connection_send(&connection, "\"}");
			connection_answer(connection.slots[i], "x");
		}
	}
	connection_turn(&connection);
	ck_assert_str_eq(connection_read(&connection), "xx");
	connection.client->user->bytes[USER_RECEIVED] += users_bytes_max(&connection.config); /* another connection's */
	connection_send(&connection, "0123456789");
	ck_assert_ptr_nonnull(strstr(connection_read(&connection), "\"QueueFull\""));
	ck_assert_ptr_nonnull(strstr(connection.text, "at most 16384 may be (MaxBytesPerUser=)"));
	ck_assert(connection_at_end(&connection));
	connection.client->user->bytes[USER_RECEIVED] -= users_bytes_max(&connection.config);
	connection_close(&connection);
	ck_assert_uint_eq(connection.users.n, 0);
}
END_TEST

START_TEST(answers_that_are_not_taken_by_a_user_who_has_no_room_are_not_held)
{
	connection_open(&connection);
	connection_send(&connection, "{}");
	answer_much(CLIENT_UNSENT_MAX);
	ck_assert_uint_eq(connection.clients.n, 1);
	ck_assert_uint_ge(connection.client->user->bytes[USER_ANSWERS], connection.client->unsent);
	connection.config.max_bytes_per_user = connection.config.max_request_size = 65536;
	connection_turn(&connection);
	ck_assert_uint_eq(connection.clients.n, 1);
	clients_check(&connection.clients, clock_monotonic());
	connection_turn(&connection);
	ck_assert_uint_eq(connection.clients.n, 0);
	connection_close(&connection);
}
END_TEST

START_TEST(in_one_turn_only_so_much_is_read_of_a_user_where_there_are_others)
{
	static char text[2 * CLIENT_TURN_SIZE];
	User *other;

	memset(text, ' ', sizeof(text) - 1);
	connection_open(&connection);
	other = users_get(&connection.users, 4711);
	for (unsigned i = 0; i < 3; i++) {
		bool alone = i == 2;

		if (alone)
			user_release(other);
		ck_assert_int_gt(send(connection.fd, text, sizeof(text) - 1, MSG_NOSIGNAL), 0);
		connection.client->user->turn = connection.clients.turn;
		connection.client->user->read = i == 0 ? 0 : CLIENT_TURN_SIZE;
		connection.client->watch.on_ready(&connection.client->watch, EPOLLIN);
		ck_assert_uint_eq(connection.client->user->read >= sizeof(text) - 1, i != 1);
		connection_turn(&connection);
	}
	connection_close(&connection);
}
END_TEST

START_TEST(what_was_sent_is_not_kept_for_a_client_that_always_leaves_something)
{
	size_t size = CLIENT_UNSENT_MAX / 2;

	connection_open(&connection);
	for (unsigned i = 0; i < 40; i++) {
		connection_send(&connection, "{}");
		answer_much(size);
		while (connection.client->unsent > size)
			connection_read(&connection), connection_turn(&connection);
		ck_assert_uint_gt(connection.client->unsent, 0);
		ck_assert_uint_le(connection.client->out.capacity, 4 * CLIENT_UNSENT_MAX);
	}
	connection_close(&connection);
}
END_TEST

START_TEST(what_a_client_takes_is_given_back_to_its_user)
{
	size_t before;

	connection_open(&connection);
	before = connection.client->user->bytes[USER_ANSWERS];
	connection_send(&connection, "{}");
	answer_much(CLIENT_UNSENT_MAX);
	ck_assert_uint_ge(connection.client->user->bytes[USER_ANSWERS], before + CLIENT_UNSENT_MAX / 2);
	while (strlen(connection_read(&connection)) > 0)
		connection_turn(&connection);
	connection_turn(&connection);
	ck_assert_uint_le(connection.client->user->bytes[USER_ANSWERS], before + CLIENT_RECEIVE_SIZE);
	connection_close(&connection);
}
END_TEST

CHECK_MAIN(client, an_object_is_handed_on_when_its_last_brace_has_come, answers_leave_in_the_order_of_the_requests,
	   a_part_of_an_answer_leaves_at_once_where_it_is_its_turn,
	   after_a_half_close_the_connection_ends_with_the_last_answer, who_holds_a_slot_learns_that_the_client_is_gone,
	   requests_of_a_client_that_closed_at_once_are_handed_on,
	   lost_framing_is_answered_after_what_came_before_it_and_then_the_connection_ends,
	   an_object_that_the_connections_end_cuts_off_is_answered,
	   a_client_with_too_many_requests_in_hand_is_not_read_from,
	   a_client_that_does_not_take_its_answers_is_not_read_from_until_it_does,
	   a_client_that_takes_nothing_for_too_long_is_closed, a_client_with_far_too_much_unsent_is_closed,
	   only_an_object_that_has_begun_can_be_too_slow, connections_are_counted_in_all_and_by_user,
	   a_request_for_which_the_user_has_no_room_is_not_waited_for,
	   answers_that_are_not_taken_by_a_user_who_has_no_room_are_not_held,
	   in_one_turn_only_so_much_is_read_of_a_user_where_there_are_others,
	   what_was_sent_is_not_kept_for_a_client_that_always_leaves_something,
	   what_a_client_takes_is_given_back_to_its_user)
