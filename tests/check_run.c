/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who waits for a run, and what its order says. */
#include "check_main.h"

#include <errno.h>

#include "connection.h"
#include "daemon/run.h"
#include "run/order.h"

#define BODY "\"program\":\"p\",\"success\":true,\"status\":\"succeeded\",\"data_pool\":{},\"error\":null}"
#define CLIENTS 3U

static SpecProgram spec = { .name = (char *)"p" };
static const CatalogProgram program = { .spec = &spec };
static const Catalog catalog = { .identity = { .bytes = { 7 } } };
static Connection connections[CLIENTS];

static Run *make_run(void)
{
	const Peer peer = { .uid = 1, .gid = 2, .pid = 3 };
	Run *run = NULL;

	ck_assert_int_eq(run_new(&program, &peer, &run), 0);
	run->catalog = &catalog;
	return run;
}

static void open_all(void)
{
	for (size_t i = 0; i < CLIENTS; i++)
		connection_open(&connections[i]);
}

static void close_all(void)
{
	for (size_t i = 0; i < CLIENTS; i++)
		connection_close(&connections[i]);
}

static Slot *slot_of(size_t client, const char *id_text)
{
	return client_slot(connections[client].client, id_text ? strdup(id_text) : NULL);
}

static void attach(Run *run, size_t client, const char *id_text, WaiterKind kind, bool follow)
{
	ck_assert_int_eq(run_attach(run, slot_of(client, id_text), kind, follow), 0);
}

static void expect_text(size_t client, const char *format, const char *run_id_text)
{
	_cleanup_free_ char *expected = NULL;

	ck_assert_int_ge(asprintf(&expected, format, run_id_text), 0);
	connection_turn(&connections[client]);
	ck_assert_str_eq(connection_read(&connections[client]), expected);
}

START_TEST(everybody_who_waits_gets_the_reply_with_an_id_of_their_own)
{
	Run *run = make_run();

	open_all();
	ck_assert(!run_awaited(run));
	attach(run, 0, "1", WAITER_REPLY, false);
	attach(run, 1, "\"two\"", WAITER_REPLY, false);
	attach(run, 2, NULL, WAITER_REPLY, false);
	ck_assert(run_awaited(run));
	run_answer(run, BODY, strlen(BODY));
	ck_assert(!run_awaited(run));
	expect_text(0, "{\"id\":1,\"run\":\"%s\"," BODY "\n", run->id_text);
	expect_text(1, "{\"id\":\"two\",\"run\":\"%s\"," BODY "\n", run->id_text);
	expect_text(2, "{\"run\":\"%s\"," BODY "\n", run->id_text);
	run_free(run);
	close_all();
}
END_TEST

START_TEST(a_call_gets_the_reply_as_its_result)
{
	Run *run = make_run();

	open_all();
	attach(run, 0, "1", WAITER_CALL, false);
	attach(run, 1, NULL, WAITER_CALL, false);
	run_answer(run, BODY, strlen(BODY));
	expect_text(0, "{\"id\":1,\"result\":{\"run\":\"%s\"," BODY "}\n", run->id_text);
	expect_text(1, "{\"result\":{\"run\":\"%s\"," BODY "}\n", run->id_text);
	run_free(run);
	close_all();
}
END_TEST

START_TEST(who_goes_away_is_forgotten_and_the_others_are_answered)
{
	Run *run = make_run();

	open_all();
	for (size_t i = 0; i < CLIENTS; i++)
		attach(run, i, NULL, WAITER_REPLY, true);
	connections[1].fd = fd_close(connections[1].fd);
	connection_turn(&connections[1]);
	ck_assert_uint_eq(connections[1].clients.n, 0);
	run_answer(run, BODY, strlen(BODY));
	expect_text(0, "{\"run\":\"%s\"," BODY "\n", run->id_text);
	expect_text(2, "{\"run\":\"%s\"," BODY "\n", run->id_text);
	run_free(run);
	close_all();
}
END_TEST

START_TEST(a_run_whose_clients_are_all_gone_is_awaited_by_nobody)
{
	Run *run = make_run();

	open_all();
	attach(run, 0, NULL, WAITER_REPLY, false);
	attach(run, 1, NULL, WAITER_REPLY, true);
	ck_assert(run_followed(run));
	close_all();
	ck_assert(!run_awaited(run));
	ck_assert(!run_followed(run));
	run_answer(run, BODY, strlen(BODY));
	run_free(run);
}
END_TEST

START_TEST(those_who_come_and_go_leave_nothing_behind)
{
	Run *run = make_run();

	open_all();
	attach(run, 1, NULL, WAITER_REPLY, false);
	attach(run, 2, NULL, WAITER_REPLY, false);
	for (unsigned i = 0; i < 1000; i++) {
		attach(run, 0, NULL, WAITER_REPLY, false);
		connections[0].fd = fd_close(connections[0].fd);
		connection_turn(&connections[0]);
		connection_admit(&connections[0]);
		ck_assert_uint_le(run->n_more, 16);
	}
	run_answer(run, BODY, strlen(BODY));
	expect_text(1, "{\"run\":\"%s\"," BODY "\n", run->id_text);
	expect_text(2, "{\"run\":\"%s\"," BODY "\n", run->id_text);
	run_free(run);
	close_all();
}
END_TEST

START_TEST(a_refusal_goes_to_all_and_to_a_call_as_an_error)
{
	_cleanup_error_ Error error = { 0 };
	Run *run = make_run();

	open_all();
	error_set(&error, ERROR_CANCELLED, NULL, "it was cancelled");
	attach(run, 0, "1", WAITER_REPLY, false);
	attach(run, 1, "2", WAITER_CALL, false);
	attach(run, 2, "3", WAITER_QUEUED, false);
	run_refuse(run, &error);
	expect_text(
		0,
		"{\"id\":1,\"run\":null,\"program\":\"p\",\"success\":false,\"status\":\"refused\",\"data_pool\":{},"
		"\"error\":{\"name\":\"Cancelled\",\"message\":\"it was cancelled\",\"retry\":false}}\n",
		NULL);
	expect_text(1,
		    "{\"id\":2,\"error\":{\"name\":\"Cancelled\",\"message\":\"it was cancelled\",\"retry\":false}}\n",
		    NULL);
	connection_turn(&connections[2]);
	ck_assert_ptr_nonnull(strstr(connection_read(&connections[2]), "\"status\":\"refused\""));
	close_all();
}
END_TEST

START_TEST(only_who_asked_for_it_is_told_that_the_run_is_queued)
{
	Run *run = make_run();

	open_all();
	attach(run, 0, "1", WAITER_REPLY, false);
	attach(run, 1, "2", WAITER_QUEUED, false);
	run_answer_queued(run);
	ck_assert(run_awaited(run));
	expect_text(0, "", NULL);
	expect_text(1,
		    "{\"id\":2,\"run\":\"%s\",\"program\":\"p\",\"success\":null,\"status\":\"queued\","
		    "\"data_pool\":{},\"error\":null}\n",
		    run->id_text);
	run_answer(run, BODY, strlen(BODY));
	expect_text(0, "{\"id\":1,\"run\":\"%s\"," BODY "\n", run->id_text);
	expect_text(1, "", NULL);
	run_free(run);
	close_all();
}
END_TEST

START_TEST(events_go_to_those_who_follow_alone)
{
	const ReplyEvent event = { .event = "begun", .run = "r", .program = "p" };
	Run *run = make_run();

	open_all();
	attach(run, 0, NULL, WAITER_REPLY, false);
	ck_assert(!run_followed(run));
	attach(run, 1, "2", WAITER_REPLY, true);
	ck_assert(run_followed(run));
	run_event(run, &event);
	expect_text(0, "", NULL);
	connection_turn(&connections[1]);
	ck_assert_int_eq(strncmp(connection_read(&connections[1]), "{\"id\":2,\"event\":\"begun\"", 23), 0);
	run_free(run);
	close_all();
}
END_TEST

START_TEST(who_is_disappointed_sees_the_end_of_the_connection_and_the_run_stays)
{
	Run *run = make_run();

	open_all();
	attach(run, 0, NULL, WAITER_REPLY, false);
	attach(run, 1, NULL, WAITER_CALL, false);
	run_disappoint(run);
	ck_assert(!run_awaited(run));
	attach(run, 2, NULL, WAITER_REPLY, false);
	run_answer(run, BODY, strlen(BODY));
	for (size_t i = 0; i < 2; i++) {
		expect_text(i, "", NULL);
		ck_assert(connection_at_end(&connections[i]));
	}
	expect_text(2, "{\"run\":\"%s\"," BODY "\n", run->id_text);
	run_free(run);
	close_all();
}
END_TEST

static void read_order(const Run *run, RecordStart *start, RecordRequest *request)
{
	Order order;

	ck_assert_int_eq(order_read(run->order.data, run->order.size, &order), 0);
	ck_assert_int_eq(order_decode_run(&order, start), 0);
	ck_assert(id_equal(&start->run, &run->id));
	ck_assert(id_equal(&start->module, &catalog.identity));
	ck_assert_int_eq(record_decode_request(start->request, start->request_size, request), 0);
}

static void give_metadata(Run *run)
{
	run->metadata = json_object_new_object();
	ck_assert_int_eq(json_object_object_add(run->metadata, "ticket", json_object_new_string("T-7")), 0);
}

START_TEST(the_order_of_a_promised_run_says_what_its_outcome_is_found_by)
{
	_cleanup_buffer_ Buffer arguments = { 0 };
	_cleanup_run_ Run *run = make_run();
	RecordRequest request;
	RecordStart start;

	buffer_u32(&arguments, 0);
	run->promised = true;
	run->request_id = strdup("r-1");
	run->fingerprint = (Id){ .bytes = { 9 } };
	run->submitted_usec = 77;
	give_metadata(run);
	ck_assert_int_eq(run_order(run, &arguments), 0);
	read_order(run, &start, &request);
	ck_assert_uint_eq(start.flags, RECORD_FLAG_PROMISED);
	ck_assert_uint_eq(request.request_id_size, 3);
	ck_assert_mem_eq(request.request_id, "r-1", 3);
	ck_assert(id_equal(&request.fingerprint, &run->fingerprint));
	ck_assert_uint_eq(request.submitted_usec, 77);
	ck_assert_uint_eq(request.metadata_size, strlen("{\"ticket\":\"T-7\"}"));
	ck_assert_mem_eq(request.metadata, "{\"ticket\":\"T-7\"}", request.metadata_size);
}
END_TEST

START_TEST(the_order_of_a_plain_run_carries_nothing_that_nobody_asks_for)
{
	_cleanup_buffer_ Buffer arguments = { 0 };
	_cleanup_run_ Run *run = make_run();
	RecordRequest request;
	RecordStart start;

	buffer_u32(&arguments, 0);
	run->process = true;
	run->first.follow = true;
	give_metadata(run);
	ck_assert_int_eq(run_order(run, &arguments), 0);
	read_order(run, &start, &request);
	ck_assert_uint_eq(start.flags, RECORD_FLAG_PROCESS | RECORD_FLAG_FOLLOW);
	ck_assert_uint_eq(start.request_size, 0);
	ck_assert_uint_eq(request.request_id_size, 0);
}
END_TEST

CHECK_MAIN(run, everybody_who_waits_gets_the_reply_with_an_id_of_their_own, a_call_gets_the_reply_as_its_result,
	   who_goes_away_is_forgotten_and_the_others_are_answered,
	   a_run_whose_clients_are_all_gone_is_awaited_by_nobody, those_who_come_and_go_leave_nothing_behind,
	   a_refusal_goes_to_all_and_to_a_call_as_an_error, only_who_asked_for_it_is_told_that_the_run_is_queued,
	   events_go_to_those_who_follow_alone, who_is_disappointed_sees_the_end_of_the_connection_and_the_run_stays,
	   the_order_of_a_promised_run_says_what_its_outcome_is_found_by,
	   the_order_of_a_plain_run_carries_nothing_that_nobody_asks_for)
