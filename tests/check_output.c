/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check_main.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "daemon/output.h"

static Output output;
static char seen[8192]; /* "PRIORITY:LINE|" for each */
static size_t n_lines, longest;
static int pipe_fds[2];

static void on_line(void *context, int priority, const char *text, size_t size)
{
	ck_assert_ptr_eq(context, &output);
	n_lines++;
	longest = MAX(longest, size);
	if (strlen(seen) + size + 8 < sizeof(seen))
		sprintf(seen + strlen(seen), "%d:%.*s|", priority, (int)size, text);
}

static void begin(void)
{
	memset(&output, 0, sizeof(output));
	seen[0] = '\0';
	n_lines = longest = 0;
	ck_assert_int_eq(pipe(pipe_fds), 0);
	ck_assert_int_eq(fd_nonblock(pipe_fds[0], true), 0);
}

static const char *drained(const char *text)
{
	ck_assert_int_eq(write_all(pipe_fds[1], text, strlen(text)), 0);
	while (output_drain(&output, pipe_fds[0], on_line, &output))
		;
	return seen;
}

START_TEST(each_line_is_handed_on_when_it_is_whole)
{
	begin();
	ck_assert_str_eq(drained("one\ntw"), "6:one|");
	ck_assert_str_eq(drained("o\n\nthree\n"), "6:one|6:two|6:three|");
	ck_assert_str_eq(drained("four"), "6:one|6:two|6:three|");
	output_finish(&output, on_line, &output);
	ck_assert_str_eq(seen, "6:one|6:two|6:three|6:four|");
}
END_TEST

START_TEST(a_number_in_angles_is_the_priority)
{
	begin();
	ck_assert_str_eq(drained("<3>bad\n<7>detail\n<8>none\n<3 bad\nx<3>y\n<4>\n"),
			 "3:bad|7:detail|6:<8>none|6:<3 bad|6:x<3>y|");
}
END_TEST

START_TEST(a_line_that_is_too_long_comes_in_pieces)
{
	char text[3 * OUTPUT_LINE_MAX + 10];

	begin();
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 2] = '\n';
	text[sizeof(text) - 1] = '\0';
	drained(text);
	ck_assert_uint_eq(n_lines, 4);
	ck_assert_uint_eq(longest, OUTPUT_LINE_MAX);
}
END_TEST

START_TEST(the_pieces_of_a_line_have_its_priority_whatever_they_begin_with)
{
	char text[3 + 2 * OUTPUT_LINE_MAX + 8];

	begin();
	memset(text, 'x', sizeof(text));
	memcpy(text, "<4>", 3);
	memcpy(text + OUTPUT_LINE_MAX, "<0>", 3);
	memcpy(text + sizeof(text) - 2, "\n", 2);
	drained(text);
	ck_assert_uint_eq(n_lines, 3);
	ck_assert(strncmp(seen, "4:x", 3) == 0 && strstr(seen, "x|4:<0>x") && strstr(seen, "x|4:x"));
	ck_assert_ptr_nonnull(strstr(drained("<0>next\n"), "x|0:next|"));
}
END_TEST

START_TEST(a_line_is_torn_between_characters)
{
	char text[OUTPUT_LINE_MAX + 8];

	begin();
	memset(text, 'x', sizeof(text));
	strcpy(text + OUTPUT_LINE_MAX - 2, "\xe2\x82\xac\n");
	ck_assert_ptr_nonnull(strstr(drained(text), "x|6:\xe2\x82\xac|"));
	ck_assert_uint_eq(longest, OUTPUT_LINE_MAX - 2);
}
END_TEST

START_TEST(rubbish_is_torn_anywhere)
{
	char text[2 * OUTPUT_LINE_MAX + 1];

	begin();
	memset(text, 0x80, sizeof(text));
	text[sizeof(text) - 1] = '\0';
	drained(text);
	ck_assert_uint_eq(n_lines, 2);
	ck_assert_uint_eq(longest, OUTPUT_LINE_MAX);
}
END_TEST

START_TEST(the_pipes_end_is_noticed)
{
	begin();
	drained("x\n");
	ck_assert(!output.ended);
	close(pipe_fds[1]);
	ck_assert(!output_drain(&output, pipe_fds[0], on_line, &output));
	ck_assert(output.ended);
}
END_TEST

CHECK_MAIN(output, each_line_is_handed_on_when_it_is_whole, a_number_in_angles_is_the_priority,
	   a_line_that_is_too_long_comes_in_pieces, the_pieces_of_a_line_have_its_priority_whatever_they_begin_with,
	   a_line_is_torn_between_characters, rubbish_is_torn_anywhere, the_pipes_end_is_noticed)
