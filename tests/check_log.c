/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/check_main.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/log.h"
#include "tests/scratch.h"

/* ---- a journal that a test can read, and hold up ---- */

static struct {
	pthread_mutex_t lock;
	Buffer text; /* each field on a line, an empty line behind each entry */
	unsigned n;
	int answer;
} journal = { .lock = PTHREAD_MUTEX_INITIALIZER };

static int take(const struct iovec *fields, int n_fields)
{
	int answer;

	pthread_mutex_lock(&journal.lock);
	for (int i = 0; i < n_fields; i++) {
		buffer_append(&journal.text, fields[i].iov_base, fields[i].iov_len);
		buffer_text(&journal.text, "\n");
	}
	buffer_text(&journal.text, "\n");
	journal.n++;
	answer = journal.answer;
	pthread_mutex_unlock(&journal.lock);
	return answer;
}

static const char *taken(void)
{
	buffer_u8(&journal.text, 0);
	journal.text.size--;
	return (const char *)journal.text.data;
}

static void forget(void)
{
	buffer_done(&journal.text);
	journal.n = 0;
	journal.answer = 0;
}

/* ---- standard error, caught ---- */

static int real_stderr = -EBADF;

/* Puts \p fd in the place of standard error until give_back(). */
static void replace_stderr(int fd)
{
	real_stderr = dup(STDERR_FILENO);
	ck_assert_int_ge(real_stderr, 0);
	ck_assert_int_ge(dup2(fd, STDERR_FILENO), 0);
	fd_close(fd);
}

static void give_back(void)
{
	ck_assert_int_ge(dup2(real_stderr, STDERR_FILENO), 0);
	real_stderr = fd_close(real_stderr);
}

static void catch_file(void)
{
	scratch_reset();
	replace_stderr(open(scratch_path("stderr"), O_RDWR | O_CREAT | O_APPEND, 0600));
}

static char *caught_file(void)
{
	Buffer buffer = { 0 };

	give_back();
	ck_assert_int_eq(read_file(scratch_path("stderr"), 1 << 24, &buffer), 0);
	return buffer_take_text(&buffer);
}

START_TEST(a_line_on_standard_error_begins_with_the_program)
{
	_cleanup_free_ char *text = NULL;

	catch_file();
	ck_assert_int_eq(log_open("ryusod", false), 0);
	log_error("cannot open %s: %d", "x", 5);
	log_entry(
		LOG_INFO, "0123456789abcdef0123456789abcdef",
		(LogField[]){
			{ "RYUSO_RUN", "ab12" }, { "RYUSO_HOOK", NULL }, { "RYUSO_REASON", "a b]\"\\" }, { "E", "" } },
		4, "step ended");
	text = caught_file();
	ck_assert_str_eq(text, "ryusod: cannot open x: 5\n"
			       "ryusod: step ended [RYUSO_RUN=ab12 RYUSO_REASON=\"a b]\\\"\\\\\" E=\"\"]\n");
}
END_TEST

START_TEST(a_line_into_a_pipe_begins_with_its_priority)
{
	char text[100];
	int ends[2];
	ssize_t n;

	ck_assert_int_eq(pipe(ends), 0);
	replace_stderr(ends[1]);
	ck_assert_int_eq(log_open("ryusod", false), 0);
	log_warning("one");
	log_debug("two");
	give_back();
	n = read(ends[0], text, sizeof(text));
	ck_assert_int_eq(n, 14);
	ck_assert_mem_eq(text, "<4>one\n<7>two\n", 14);
	fd_close(ends[0]);
}
END_TEST

START_TEST(an_entry_carries_its_fields_to_the_journal)
{
	ck_assert_int_eq(log_open_with("ryusod", take), 0);
	log_entry(LOG_CRIT, "0123456789abcdef0123456789abcdef",
		  (LogField[]){ { "RYUSO_RUN", "ab12" }, { "RYUSO_HOOK", NULL }, { "RYUSO_STEP", "3" } }, 3,
		  "parked at %d", 3);
	log_notice("plain");
	ck_assert_str_eq(taken(), "SYSLOG_IDENTIFIER=ryusod\nMESSAGE=parked at 3\nPRIORITY=2\nRYUSO_RUN=ab12\n"
				  "RYUSO_STEP=3\nMESSAGE_ID=0123456789abcdef0123456789abcdef\n\n"
				  "SYSLOG_IDENTIFIER=ryusod\nMESSAGE=plain\nPRIORITY=5\n\n");
	forget();
}
END_TEST

START_TEST(control_characters_forge_neither_a_field_nor_a_line)
{
	_cleanup_free_ char *text = NULL;
	LogField fields[] = { { "RYUSO_REASON", "x\nPRIORITY=0\n\x1b[31m" } };

	ck_assert_int_eq(log_open_with("ryusod", take), 0);
	log_entry(LOG_INFO, NULL, fields, 1, "%s", "one\nMESSAGE=two");
	ck_assert_str_eq(taken(), "SYSLOG_IDENTIFIER=ryusod\nMESSAGE=one\\x0aMESSAGE=two\nPRIORITY=6\n"
				  "RYUSO_REASON=x\\x0aPRIORITY=0\\x0a\\x1b[31m\n\n");
	forget();
	catch_file();
	ck_assert_int_eq(log_open("ryusod", false), 0);
	log_entry(LOG_INFO, NULL, fields, 1, "%s", "one\n<0>two");
	text = caught_file();
	ck_assert_str_eq(text, "ryusod: one\\x0a<0>two [RYUSO_REASON=\"x\\\\x0aPRIORITY=0\\\\x0a\\\\x1b[31m\"]\n");
}
END_TEST

START_TEST(long_text_is_cut_at_the_stated_size_and_marked)
{
	static char value[4 * LOG_MESSAGE_MAX];
	_cleanup_buffer_ Buffer expected = { 0 };

	memset(value, 'v', sizeof(value) - 1);
	ck_assert_int_eq(log_open_with("ryusod", take), 0);
	log_entry(LOG_INFO, NULL, (LogField[]){ { "RYUSO_REASON", value } }, 1, "%s", value);
	buffer_format(&expected, "SYSLOG_IDENTIFIER=ryusod\nMESSAGE=%.*s…\nPRIORITY=6\nRYUSO_REASON=%.*s…\n\n",
		      LOG_MESSAGE_MAX, value, LOG_FIELD_MAX, value);
	ck_assert_uint_eq(journal.text.size, expected.size);
	ck_assert_mem_eq(journal.text.data, expected.data, expected.size);
	forget();
}
END_TEST

START_TEST(a_cut_falls_between_characters)
{
	static char value[2 * LOG_FIELD_MAX];

	memset(value, 'v', LOG_FIELD_MAX - 1);
	strcpy(value + LOG_FIELD_MAX - 1, "é!");
	ck_assert_int_eq(log_open_with("ryusod", take), 0);
	log_entry(LOG_INFO, NULL, (LogField[]){ { "X", value } }, 1, "m");
	ck_assert_ptr_nonnull(strstr(taken(), "v…\n"));
	ck_assert_ptr_null(strstr(taken(), "\\x"));
	forget();
}
END_TEST

START_TEST(more_fields_than_an_entry_can_hold_are_left_out)
{
	LogField fields[100];

	for (size_t i = 0; i < ELEMENTSOF(fields); i++)
		fields[i] = (LogField){ "RYUSO_X", "y" };
	ck_assert_int_eq(log_open_with("ryusod", take), 0);
	log_entry(LOG_INFO, "0123456789abcdef0123456789abcdef", fields, ELEMENTSOF(fields), "m");
	ck_assert_ptr_nonnull(strstr(taken(), "RYUSO_X=y\nMESSAGE_ID=0123456789abcdef0123456789abcdef\n\n"));
	forget();
}
END_TEST

START_TEST(the_thread_writes_everything_in_order_before_the_log_is_closed)
{
	_cleanup_buffer_ Buffer expected = { 0 };
	uint64_t before = log_lost();

	ck_assert_int_eq(log_open_with("ryusod", take), 0);
	ck_assert_int_eq(log_start(), 0);
	ck_assert_int_eq(log_start(), -EALREADY);
	ck_assert_int_eq(log_open_with("other", take), -EBUSY);
	for (int i = 0; i < 3000; i++) {
		log_info("entry %d", i);
		buffer_format(&expected, "SYSLOG_IDENTIFIER=ryusod\nMESSAGE=entry %d\nPRIORITY=6\n\n", i);
	}
	log_close();
	ck_assert_uint_eq(log_lost(), before);
	ck_assert_uint_eq(journal.text.size, expected.size);
	ck_assert_mem_eq(journal.text.data, expected.data, expected.size);
	log_info("after");
	ck_assert_ptr_nonnull(strstr(taken(), "MESSAGE=after"));
	forget();
}
END_TEST

START_TEST(a_journal_that_stands_still_holds_nobody_up_and_what_is_lost_is_counted)
{
	unsigned sent = 3 * LOG_QUEUE_ENTRIES;
	uint64_t before = log_lost(), lost;
	char report[100];

	ck_assert_int_eq(log_open_with("ryusod", take), 0);
	ck_assert_int_eq(log_start(), 0);
	pthread_mutex_lock(&journal.lock);
	for (unsigned i = 0; i < sent; i++)
		log_info("entry %u", i);
	lost = log_lost() - before;
	ck_assert_uint_ge(lost, sent - 2 * LOG_QUEUE_ENTRIES - 1);
	ck_assert_uint_lt(lost, sent);
	pthread_mutex_unlock(&journal.lock);
	log_close();
	ck_assert_uint_eq(log_lost(), before + lost);
	ck_assert_uint_ge(journal.n, sent - lost + 1);
	snprintf(report, sizeof(report), "MESSAGE=log entries that could not be written, and are lost: %ju\n",
		 (uintmax_t)lost);
	ck_assert_ptr_nonnull(strstr(taken(), report));
	forget();
}
END_TEST

START_TEST(the_queue_is_bounded_in_bytes_too)
{
	static char value[LOG_FIELD_MAX + 1];
	uint64_t before = log_lost();
	LogField fields[16];

	memset(value, 'v', LOG_FIELD_MAX);
	for (size_t i = 0; i < ELEMENTSOF(fields); i++)
		fields[i] = (LogField){ "RYUSO_X", value };
	ck_assert_int_eq(log_open_with("ryusod", take), 0);
	ck_assert_int_eq(log_start(), 0);
	pthread_mutex_lock(&journal.lock);
	for (unsigned i = 0; i < 1000; i++)
		log_entry(LOG_INFO, NULL, fields, ELEMENTSOF(fields), "m");
	ck_assert_uint_gt(log_lost(), before);
	pthread_mutex_unlock(&journal.lock);
	log_close();
	forget();
}
END_TEST

START_TEST(what_the_journal_does_not_take_goes_to_standard_error)
{
	_cleanup_free_ char *text = NULL;
	uint64_t before = log_lost();

	catch_file();
	journal.answer = -EPIPE;
	ck_assert_int_eq(log_open_with("ryusod", take), 0);
	log_error("seen all the same");
	text = caught_file();
	ck_assert_str_eq(text, "ryusod: seen all the same\n");
	ck_assert_uint_eq(log_lost(), before);
	forget();
}
END_TEST

START_TEST(what_can_be_written_nowhere_is_counted_and_told_when_it_can)
{
	uint64_t before = log_lost();

	replace_stderr(open("/dev/full", O_WRONLY));
	ck_assert_int_eq(log_open("ryusod", false), 0);
	log_error("into the void");
	give_back();
	ck_assert_uint_eq(log_lost(), before + 1);
	ck_assert_int_eq(log_open_with("ryusod", take), 0);
	ck_assert_int_eq(log_start(), 0);
	log_info("better times");
	log_close();
	ck_assert_ptr_nonnull(strstr(taken(), "MESSAGE=log entries that could not be written, and are lost: 1\n"));
	forget();
}
END_TEST

static void *log_some(void *unused)
{
	(void)unused;
	for (int i = 0; i < 500; i++)
		log_info("from a thread");
	return NULL;
}

START_TEST(several_threads_may_log_at_once)
{
	uint64_t before = log_lost();
	pthread_t threads[4];

	ck_assert_int_eq(log_open_with("ryusod", take), 0);
	ck_assert_int_eq(log_start(), 0);
	for (size_t i = 0; i < ELEMENTSOF(threads); i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, log_some, NULL), 0);
	for (size_t i = 0; i < ELEMENTSOF(threads); i++)
		pthread_join(threads[i], NULL);
	log_close();
	ck_assert_uint_eq(journal.n + log_lost() - before, 2000);
	forget();
}
END_TEST

START_TEST(the_log_can_be_started_again_after_it_was_closed)
{
	ck_assert_int_eq(log_open_with("ryusod", take), 0);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(log_start(), 0);
		log_info("again");
		log_close();
		log_close();
	}
	ck_assert_uint_eq(journal.n, 3);
	forget();
}
END_TEST

CHECK_MAIN(log, a_line_on_standard_error_begins_with_the_program, a_line_into_a_pipe_begins_with_its_priority,
	   an_entry_carries_its_fields_to_the_journal, control_characters_forge_neither_a_field_nor_a_line,
	   long_text_is_cut_at_the_stated_size_and_marked, a_cut_falls_between_characters,
	   more_fields_than_an_entry_can_hold_are_left_out,
	   the_thread_writes_everything_in_order_before_the_log_is_closed,
	   a_journal_that_stands_still_holds_nobody_up_and_what_is_lost_is_counted, the_queue_is_bounded_in_bytes_too,
	   what_the_journal_does_not_take_goes_to_standard_error,
	   what_can_be_written_nowhere_is_counted_and_told_when_it_can, several_threads_may_log_at_once,
	   the_log_can_be_started_again_after_it_was_closed)
