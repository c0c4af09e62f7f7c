/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What becomes of a request: a new run, one that is joined, a stored reply, a refusal. */
#include "check_main.h"

#include "intake_host.h"

START_TEST(a_plain_request_becomes_a_run_that_is_not_promised)
{
	Run *run;

	shop_begin();
	ask(0, "{\"id\":1,\"program\":\"buy\",\"data_pool\":{\"amount\":5}}");
	run = take();
	ck_assert(!run->promised && !run->submitted && run->process);
	ck_assert_int_eq(run->state, RUN_QUEUED);
	ck_assert_ptr_eq(run->catalog, crew.catalog);
	end(run);
	ck_assert_ptr_nonnull(strstr(host_read(0), DONE));
	ck_assert_uint_eq(ledger_under_way(host.promises.ledger), 0);
	shop_close();
}
END_TEST

START_TEST(clients_that_ask_with_one_request_id_share_the_run_and_its_reply)
{
	char id[ID_TEXT_SIZE];
	Run *run;

	shop_begin();
	ask(0, ASK "}");
	ask(1, "{\"data_pool\":{\"note\":\"x\",\"amount\":5},\"request_id\":\"r\", \"program\":\"buy\",\"id\":1}");
	ask(2, ASK ",\"follow\":true}");
	ask(3, ASK "}");
	run = take();
	memcpy(id, run->id_text, sizeof(id));
	ck_assert(run->promised);
	host.connections[2].fd = fd_close(host.connections[2].fd);
	connection_turn(&host.connections[2]);
	end(run);
	for (size_t i = 0; i < HOST_CLIENTS; i++)
		if (i != 2)
			expect_reply(i, id, DONE);
	host_settle();
	shop_close();
}
END_TEST

START_TEST(a_stored_reply_is_given_whatever_has_become_of_the_module_and_while_stopping)
{
	char id[ID_TEXT_SIZE];
	Run *run;

	shop_begin();
	ask(0, ASK "}");
	run = take();
	memcpy(id, run->id_text, sizeof(id));
	end(run);
	expect_reply(0, id, DONE);
	ask(0, ASK ",\"wait\":false}"); /* not in the ledger yet */
	expect_reply(0, id, DONE);
	host_settle();
	ask(1, ASK "}");
	expect_reply(1, id, DONE);
	use_module(SPEC_OTHER, 2);
	ask(1, ASK ",\"wait\":false}");
	expect_reply(1, id, DONE);
	crew.catalog = catalog_free(crew.catalog);
	intake.stopping = true;
	ask(1, ASK "}");
	expect_reply(1, id, DONE);
	shop_close();
	shop_open();
	ask(2, ASK "}");
	expect_reply(2, id, DONE);
	ck_assert_uint_eq(host.queue.n, 0);
	shop_close();
}
END_TEST

START_TEST(a_request_id_with_another_body_is_refused_and_another_users_is_their_own)
{
	shop_begin();
	ask(0, ASK "}");
	ask(1, "{\"program\":\"buy\",\"request_id\":\"r\",\"data_pool\":{\"amount\":6,\"note\":\"x\"}}");
	expect_refused(1, "\"RequestIdReused\"");
	ask(1, ASK ",\"metadata\":{\"ticket\":1}}");
	expect_refused(1, "\"RequestIdReused\"");
	ck_assert_uint_eq(host.queue.n, 1);
	host.connections[2].client->peer.uid = 4711;
	ask(2, "{\"program\":\"buy\",\"request_id\":\"r\",\"data_pool\":{\"amount\":6}}");
	ck_assert_str_eq(host_read(2), "");
	ck_assert_uint_eq(host.queue.n, 2);
	host.connections[2].client->peer.uid = geteuid();
	shop_close();
}
END_TEST

START_TEST(a_refusal_is_not_what_a_request_id_stands_for)
{
	shop_begin();
	ask(0, "{\"program\":\"buy\",\"request_id\":\"r\"}");
	expect_refused(0, "\"MissingArgument\"");
	ask(0, ASK "}");
	ck_assert_uint_eq(host.queue.n, 1);
	shop_close();
}
END_TEST

START_TEST(a_submission_is_answered_when_it_is_durable_and_its_reply_is_kept)
{
	char id[ID_TEXT_SIZE];
	sqlite3 *lock;
	Run *run;

	shop_begin();
	lock = desk_lock();
	ask(0, ASK ",\"wait\":false}");
	ask(1, ASK ",\"wait\":false}");
	ask(2, ASK "}");
	ck_assert_str_eq(host_read(0), "");
	ck_assert_uint_eq(host.queue.n, 0);
	desk_unlock(lock);
	host_settle();
	run = take();
	memcpy(id, run->id_text, sizeof(id));
	expect_reply(0, id, QUEUED);
	expect_reply(1, id, QUEUED);
	ck_assert_str_eq(host_read(2), "");
	ask(0, ASK ",\"wait\":false}");
	expect_reply(0, id, QUEUED);
	end(run);
	expect_reply(2, id, DONE);
	host_settle();
	ask(0, ASK ",\"wait\":false}");
	expect_reply(0, id, DONE);
	ck_assert_uint_eq(host.promises.n_submitted, 0);
	shop_close();
}
END_TEST

START_TEST(a_submission_needs_no_request_id_and_no_client)
{
	Run *run;

	shop_begin();
	ask(0, "{\"program\":\"buy\",\"data_pool\":{\"amount\":5},\"wait\":false}");
	host_settle();
	ck_assert_ptr_nonnull(strstr(host_read(0), "\"queued\""));
	run = take();
	ck_assert(!run_awaited(run));
	end(run);
	host_settle();
	ck_assert(!outcomes_pending(&host.outcomes));
	shop_close();
}
END_TEST

START_TEST(who_does_not_want_to_wait_for_a_run_that_is_not_in_the_ledger_gets_its_reply)
{
	char id[ID_TEXT_SIZE];
	Run *run;

	shop_begin();
	ask(0, ASK "}");
	ask(1, ASK ",\"wait\":false}");
	run = take();
	memcpy(id, run->id_text, sizeof(id));
	ck_assert_str_eq(host_read(1), "");
	end(run);
	expect_reply(1, id, DONE);
	host_settle();
	shop_close();
}
END_TEST

START_TEST(before_the_recorder_is_read_the_ledger_alone_is_not_asked)
{
	shop_begin();
	ask(0, ASK "}");
	end(take());
	host_settle();
	ck_assert_uint_gt(strlen(host_read(0)), 0);
	intake_set_store(&intake, ERROR_RECOVERING, strdup("wait"));
	ask(0, ASK "}");
	expect_refused(0, "\"Recovering\"");
	intake_set_store(&intake, ERROR_NONE, NULL);
	ask(0, ASK "}");
	ck_assert_ptr_nonnull(strstr(host_read(0), DONE));
	shop_close();
}
END_TEST

START_TEST(without_a_ledger_even_plain_requests_are_refused_for_they_could_park)
{
	shop_begin();
	host.promises.problem = strdup("it is damaged");
	ask(0, "{\"program\":\"buy\",\"data_pool\":{\"amount\":5}}");
	expect_refused(0, "\"StoreDamaged\"");
	ask(0, ASK ",\"wait\":false}");
	expect_refused(0, "\"StoreDamaged\"");
	shop_close();
}
END_TEST

START_TEST(more_is_promised_only_while_the_ledger_keeps_up)
{
	shop_begin();
	host.outcomes.n_storing = INTAKE_UNSTORED_MAX;
	ask(0, ASK "}");
	expect_refused(0, "\"QueueFull\"");
	ask(0, "{\"program\":\"buy\",\"data_pool\":{\"amount\":5}}");
	ck_assert_str_eq(host_read(0), "");
	ck_assert_uint_eq(host.queue.n, 1);
	host.outcomes.n_storing = 0;
	shop_close();
}
END_TEST

START_TEST(submissions_under_way_count_for_the_queues_length)
{
	sqlite3 *lock;

	shop_begin();
	host.config.queue_length = 2;
	lock = desk_lock();
	for (unsigned i = 0; i < 3; i++)
		ask(i, "{\"program\":\"buy\",\"data_pool\":{\"amount\":5},\"wait\":false}");
	expect_refused(2, "\"QueueFull\"");
	desk_unlock(lock);
	host_settle();
	ck_assert_uint_eq(host.queue.n, 2);
	shop_close();
}
END_TEST

static const User *user(void)
{
	return host.connections[0].client->user;
}

START_TEST(a_users_runs_that_have_not_begun_are_counted_and_those_beyond_are_refused)
{
	Run *run;

	shop_begin();
	host.config.max_queued_per_user = 2;
	ask(0, "{\"program\":\"buy\",\"data_pool\":{\"amount\":5}}");
	ask(0, "{\"program\":\"buy\",\"data_pool\":{\"amount\":5},\"wait\":false}");
	ask(0, "{\"program\":\"buy\",\"data_pool\":{\"amount\":5}}");
	ck_assert_uint_eq(user()->n_waiting, 2);
	run = queue_pop(&host.queue);
	run_waits_no_more(run);
	ck_assert_uint_eq(user()->n_waiting, 1);
	ask(0, "{\"program\":\"buy\",\"data_pool\":{\"amount\":5}}");
	end(run);
	host_settle();
	ck_assert_uint_eq(user()->n_waiting, 2);
	ck_assert_uint_eq(host.queue.n, 2);
	run_free(queue_pop(&host.queue));
	ck_assert_uint_eq(user()->n_waiting, 1);
	ck_assert_ptr_nonnull(strstr(host_read(0), "2 runs of user "));
	ck_assert_ptr_nonnull(strstr(host.connections[0].text, "(MaxQueuedPerUser=)\",\"retry\":true}"));
	shop_close();
	ck_assert_uint_eq(host.connections[0].users.n, 0);
}
END_TEST

START_TEST(a_user_is_charged_with_a_runs_bytes_metadata_included_until_it_is_gone)
{
	size_t plain, rich;
	Run *run;

	shop_begin();
	ask(0, "{\"program\":\"buy\",\"data_pool\":{\"amount\":5}}");
	run = take();
	plain = run->weight;
	ck_assert_uint_ge(plain, sizeof(Run) + run->order.size);
	ck_assert_uint_eq(user()->bytes[USER_RUNS], plain);
	end(run);
	ask(0, "{\"program\":\"buy\",\"data_pool\":{\"amount\":5},\"metadata\":{\"a\":[[],[],[],[],{\"b\":\"c\"},1]}}");
	run = take();
	rich = run->weight;
	ck_assert_uint_ge(rich, plain + 3000);
	host.config.max_bytes_per_user = rich - 1;
	host.config.max_request_size = 1;
	ask(0, "{\"program\":\"buy\",\"data_pool\":{\"amount\":5}}");
	host.config.max_bytes_per_user = 1U << 20;
	end(run);
	ck_assert_ptr_nonnull(strstr(host_read(0), "(MaxBytesPerUser=)\",\"retry\":true}"));
	ck_assert_uint_eq(user()->bytes[USER_RUNS], 0);
	shop_close();
}
END_TEST

CHECK_MAIN(intake, a_plain_request_becomes_a_run_that_is_not_promised,
	   clients_that_ask_with_one_request_id_share_the_run_and_its_reply,
	   a_stored_reply_is_given_whatever_has_become_of_the_module_and_while_stopping,
	   a_request_id_with_another_body_is_refused_and_another_users_is_their_own,
	   a_refusal_is_not_what_a_request_id_stands_for,
	   a_submission_is_answered_when_it_is_durable_and_its_reply_is_kept,
	   a_submission_needs_no_request_id_and_no_client,
	   who_does_not_want_to_wait_for_a_run_that_is_not_in_the_ledger_gets_its_reply,
	   before_the_recorder_is_read_the_ledger_alone_is_not_asked,
	   without_a_ledger_even_plain_requests_are_refused_for_they_could_park,
	   more_is_promised_only_while_the_ledger_keeps_up, submissions_under_way_count_for_the_queues_length,
	   a_users_runs_that_have_not_begun_are_counted_and_those_beyond_are_refused,
	   a_user_is_charged_with_a_runs_bytes_metadata_included_until_it_is_gone)
