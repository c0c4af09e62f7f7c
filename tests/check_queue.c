/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check_main.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/io.h"
#include "connection.h"
#include "daemon/queue.h"

static SpecProgram spec = { .name = (char *)"p" };
static const CatalogProgram program = { .spec = &spec };

static Run *make_run(Slot *slot, uint64_t start_by_usec)
{
	const Peer peer = { .uid = 1, .gid = 2, .pid = 3 };
	Run *run = NULL;

	ck_assert_int_eq(run_new(&program, &peer, &run), 0);
	if (slot)
		ck_assert_int_eq(run_attach(run, slot, WAITER_REPLY, false), 0);
	run->start_by_usec = start_by_usec;
	return run;
}

START_TEST(runs_leave_in_the_order_in_which_they_came)
{
	Queue queue;
	Run *runs[5];

	queue_init(&queue);
	ck_assert_ptr_null(queue_pop(&queue));
	for (size_t i = 0; i < ELEMENTSOF(runs); i++)
		queue_push(&queue, runs[i] = make_run(NULL, 0));
	ck_assert_uint_eq(queue.n, ELEMENTSOF(runs));
	for (size_t i = 0; i < ELEMENTSOF(runs); i++) {
		ck_assert_ptr_eq(queue_first(&queue), runs[i]);
		ck_assert_ptr_eq(queue_pop(&queue), runs[i]);
		run_free(runs[i]);
	}
	ck_assert_uint_eq(queue.n, 0);
	queue_done(&queue);
}
END_TEST

START_TEST(runs_that_come_back_are_first_again_in_their_order)
{
	struct RunList back = TAILQ_HEAD_INITIALIZER(back);
	Run *runs[4];
	Queue queue;

	queue_init(&queue);
	for (size_t i = 0; i < ELEMENTSOF(runs); i++)
		queue_push(&queue, runs[i] = make_run(NULL, i % 2));
	for (size_t i = 0; i < 3; i++) {
		Run *run = queue_pop(&queue);

		TAILQ_INSERT_TAIL(&back, run, entry);
	}
	queue_return(&queue, &back);
	ck_assert(TAILQ_EMPTY(&back));
	ck_assert_uint_eq(queue.n, 4);
	ck_assert_uint_eq(queue.n_limited, 2);
	for (size_t i = 0; i < ELEMENTSOF(runs); i++) {
		ck_assert_ptr_eq(queue_pop(&queue), runs[i]);
		run_free(runs[i]);
	}
	queue_done(&queue);
}
END_TEST

START_TEST(only_runs_whose_time_has_passed_are_refused)
{
	Connection connection;
	Queue queue;
	Client *client;

	connection_open(&connection);
	client = connection.client;
	queue_init(&queue);
	queue_push(&queue, make_run(client_slot(client, NULL), 100));
	queue_push(&queue, make_run(client_slot(client, NULL), 0));
	queue_push(&queue, make_run(client_slot(client, NULL), 101));
	queue_expire(&queue, 100);
	ck_assert_uint_eq(queue.n, 2);
	ck_assert_uint_eq(queue.n_limited, 1);
	connection_turn(&connection);
	ck_assert_ptr_nonnull(strstr(connection_read(&connection), "\"NotStarted\""));
	queue_done(&queue);
	connection_close(&connection);
}
END_TEST

static void on_refused(Run *run, ErrorCode code, void *context)
{
	unsigned *n = context;

	ck_assert_int_eq(code, run->start_by_usec ? ERROR_NOT_STARTED : ERROR_SHUTTING_DOWN);
	(*n)++;
}

START_TEST(whoever_keeps_promises_learns_of_each_refusal)
{
	unsigned n = 0;
	Queue queue;

	queue_init(&queue);
	queue.on_refused = on_refused;
	queue.context = &n;
	queue_push(&queue, make_run(NULL, 100));
	queue_push(&queue, make_run(NULL, 0));
	queue_push(&queue, make_run(NULL, 102));
	queue_expire(&queue, 101);
	ck_assert_uint_eq(n, 1);
	run_free(queue_take(&queue, TAILQ_LAST(&queue.runs, RunList)));
	queue_refuse_plain(&queue, ERROR_SHUTTING_DOWN, "it is over");
	ck_assert_uint_eq(n, 2);
	queue_done(&queue);
}
END_TEST

START_TEST(a_run_is_found_and_taken_by_its_id)
{
	Run *runs[3], *other = make_run(NULL, 0);
	Queue queue;

	queue_init(&queue);
	for (size_t i = 0; i < ELEMENTSOF(runs); i++)
		queue_push(&queue, runs[i] = make_run(NULL, 1));
	ck_assert_ptr_eq(queue_find(&queue, &runs[1]->id), runs[1]);
	ck_assert_ptr_null(queue_find(&queue, &other->id));
	run_free(queue_take(&queue, runs[1]));
	ck_assert_uint_eq(queue.n, 2);
	ck_assert_uint_eq(queue.n_limited, 2);
	run_free(other);
	queue_done(&queue);
}
END_TEST

START_TEST(submissions_and_what_has_begun_before_stay_when_plain_runs_are_refused)
{
	Connection connection;
	Run *submission, *resumed;
	Queue queue;

	connection_open(&connection);
	queue_init(&queue);
	queue_push(&queue, submission = make_run(client_slot(connection.client, NULL), 0));
	queue_push(&queue, make_run(NULL, 0));
	resumed = make_run(NULL, 0);
	resumed->taken_up = true;
	queue_push(&queue, resumed);
	submission->submitted = true;
	queue_refuse_plain(&queue, ERROR_NO_MODULE, "there is none");
	ck_assert_uint_eq(queue.n, 2);
	ck_assert_ptr_eq(queue_first(&queue), resumed);
	ck_assert_ptr_eq(TAILQ_LAST(&queue.runs, RunList), submission);
	connection_turn(&connection);
	ck_assert_uint_eq(connection.clients.n, 1);
	queue_refuse_plain(&queue, ERROR_SHUTTING_DOWN, "it is over");
	ck_assert_uint_eq(queue.n, 2);
	connection_turn(&connection);
	ck_assert_str_eq(connection_read(&connection), "");
	ck_assert(connection_at_end(&connection));
	queue_done(&queue);
	connection_close(&connection);
}
END_TEST

START_TEST(all_that_waits_can_be_refused_at_once)
{
	Connection connection;
	Queue queue;
	const char *text;

	connection_open(&connection);
	queue_init(&queue);
	for (unsigned i = 0; i < 3; i++)
		queue_push(&queue, make_run(client_slot(connection.client, NULL), 0));
	queue_push(&queue, make_run(NULL, 0)); /* whose client is gone */
	queue_refuse_plain(&queue, ERROR_SHUTTING_DOWN, "it is over");
	ck_assert_uint_eq(queue.n, 0);
	connection_turn(&connection);
	text = connection_read(&connection);
	for (unsigned i = 0; i < 3; i++) {
		text = strstr(text, "\"ShuttingDown\",\"message\":\"it is over\"");
		ck_assert_ptr_nonnull(text);
		text++;
	}
	queue_done(&queue);
	connection_close(&connection);
}
END_TEST

START_TEST(every_run_has_an_id_of_its_own)
{
	Run *runs[100];

	for (size_t i = 0; i < ELEMENTSOF(runs); i++) {
		runs[i] = make_run(NULL, 0);
		for (size_t k = 0; k < i; k++)
			ck_assert(!id_equal(&runs[i]->id, &runs[k]->id));
	}
	for (size_t i = 0; i < ELEMENTSOF(runs); i++)
		run_free(runs[i]);
}
END_TEST

CHECK_MAIN(queue, runs_leave_in_the_order_in_which_they_came, runs_that_come_back_are_first_again_in_their_order,
	   only_runs_whose_time_has_passed_are_refused, all_that_waits_can_be_refused_at_once,
	   submissions_and_what_has_begun_before_stay_when_plain_runs_are_refused, a_run_is_found_and_taken_by_its_id,
	   whoever_keeps_promises_learns_of_each_refusal, every_run_has_an_id_of_its_own)
