/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What becomes of submissions at the start of a daemon. */
#include "check_main.h"

#include "intake_host.h"

static int on_submission(void *context, const LedgerRun *submission)
{
	_cleanup_error_ Error error = { 0 };
	Run **ret = context;
	int r;

	ck_assert_ptr_null(*ret);
	r = intake_restore(&intake, submission, ret, &error);
	ck_assert((r == -EBADMSG) == (error.code != ERROR_NONE));
	return r;
}

static int restore(Run **ret)
{
	int r;

	*ret = NULL;
	r = promises_take(&host.promises, on_submission, ret);
	if (r < 0 || !*ret)
		return r < 0 ? r : -ENOENT;
	if ((*ret)->request_id)
		ck_assert_int_eq(promises_enter(&host.promises, *ret), 0);
	(*ret)->state = RUN_QUEUED;
	queue_push(&host.queue, *ret);
	return 0;
}

/* Submitted to a daemon that has ended. */
static Buffer submit_before(const char *more)
{
	_cleanup_free_ char *text = NULL;
	Buffer order = { 0 };
	Run *run;

	shop_begin();
	ck_assert_int_gt(asprintf(&text, ASK ",\"metadata\":{\"ticket\":\"T\"},\"wait\":false%s}", more), 0);
	ask(0, text);
	host_settle();
	run = queue_first(&host.queue);
	ck_assert_ptr_nonnull(run);
	buffer_append(&order, run->order.data, run->order.size);
	shop_close();
	shop_open();
	return order;
}

START_TEST(a_submission_is_the_same_run_after_a_restart)
{
	_cleanup_buffer_ Buffer order = submit_before("");
	char id[ID_TEXT_SIZE];
	Run *run;

	ck_assert_int_eq(restore(&run), 0);
	memcpy(id, run->id_text, sizeof(id));
	ck_assert(run->promised && run->submitted && run->process);
	ck_assert_uint_eq(run->order.size, order.size);
	ck_assert_mem_eq(run->order.data, order.data, order.size);
	ck_assert_str_eq(json_object_to_json_string_ext(run->metadata, JSON_C_TO_STRING_PLAIN), "{\"ticket\":\"T\"}");
	ask(0, ASK ",\"metadata\":{\"ticket\":\"T\"}}");
	ck_assert_ptr_eq(take(), run);
	end(run);
	expect_reply(0, id, DONE);
	host_settle();
	shop_close();
}
END_TEST

START_TEST(a_restored_submission_may_begin_no_later_than_it_was_asked_for)
{
	_cleanup_buffer_ Buffer order = submit_before(",\"start_within\":0");
	uint64_t now = clock_monotonic();
	Run *run;

	ck_assert_int_eq(restore(&run), 0);
	ck_assert_uint_gt(run->start_by_usec, 0);
	ck_assert_uint_le(run->start_by_usec, now);
	queue_expire(&host.queue, now);
	ck_assert_uint_eq(host.queue.n, 0);
	host_settle();
	ck_assert_uint_eq(host.promises.n_submitted, 0);
	ck_assert_int_eq(restore(&run), -ENOENT);
	shop_close();
}
END_TEST

START_TEST(a_submission_to_another_module_is_verified_anew)
{
	_cleanup_buffer_ Buffer order = submit_before("");
	Run *run;

	use_module(SPEC_STRICTER, 2); /* an int is taken for a float */
	ck_assert_int_eq(restore(&run), 0);
	ck_assert(id_equal(&run->catalog->identity, &crew.catalog->identity));
	shop_close();
}
END_TEST

static void expect_no_longer_fit(const char *spec)
{
	_cleanup_buffer_ Buffer order = submit_before("");
	Run *run;

	use_module(spec, 2);
	ck_assert_int_eq(restore(&run), -EBADMSG);
	ck_assert_ptr_null(run);
	host_settle();
	ck_assert_uint_eq(host.promises.n_submitted, 0);
	use_module(SPEC, 1);
	ask(0, ASK "}"); /* its request id is free */
	ck_assert_uint_eq(host.queue.n, 1);
	shop_close();
}

START_TEST(a_submission_that_no_longer_fits_is_refused)
{
	expect_no_longer_fit(SPEC_OTHER);
	expect_no_longer_fit(SPEC_OF("process", AMOUNT("string") "," NOTE("false")));
	expect_no_longer_fit(SPEC_OF("disk", AMOUNT("int")));
	expect_no_longer_fit(
		SPEC_OF("disk", AMOUNT("int") "," NOTE("false") ",\"to\":{\"type\":\"string\",\"required\":true}"));
}
END_TEST

START_TEST(a_submission_whose_module_is_not_known_waits_and_says_so)
{
	_cleanup_buffer_ Buffer order = submit_before("");
	Run *run;

	crew.catalog = catalog_free(crew.catalog);
	ck_assert_int_eq(restore(&run), -EAGAIN);
	ask(0, ASK ",\"metadata\":{\"ticket\":\"T\"},\"wait\":false}");
	ck_assert_ptr_nonnull(strstr(host_read(0), QUEUED));
	ask(0, ASK ",\"metadata\":{\"ticket\":\"T\"}}");
	expect_refused(0, "\"NoModule\"");
	shop_close();
}
END_TEST

CHECK_MAIN(intake_restore, a_submission_is_the_same_run_after_a_restart,
	   a_restored_submission_may_begin_no_later_than_it_was_asked_for,
	   a_submission_to_another_module_is_verified_anew, a_submission_that_no_longer_fits_is_refused,
	   a_submission_whose_module_is_not_known_waits_and_says_so)
