/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Valid requests, damaged at random: each is read or refused with a named error, however its bytes arrive. */
#include "tests/check_main.h"

#include <errno.h>
#include <string.h>

#include "tests/dice.h"
#include "wire/frame.h"
#include "wire/request.h"

#define MUTATIONS 10000
#define SIZE_LIMIT 700U
#define DEPTH_LIMIT 6U

static const char *const seeds[] = {
	"{\"program\":\"my_program\",\"data_pool\":{\"a\":\"variable A\",\"b\":2.345},\"metadata\":{}}",
	"{\"program\":\"transfer\",\"data_pool\":{\"from\":\"main\",\"amount\":5},\"metadata\":{\"t\":\"T-7\"}}",
	"{\"program\":\"p\",\"id\":1,\"request_id\":\"a3f1\",\"wait\":true,\"follow\":false,\"start_within\":30}",
	"{\"call\":\"ping\"}{\"call\":\"status\",\"id\":\"x\"}\n{\"call\":\"describe\",\"parameters\":{\"program\":\"p\"}}\n",
	" { \"id\" : null , \"program\" : \"p\" , \"data_pool\" : { \"list\" : [ 1 , -2.5e3 , [ true , null ] , { } ] } } ",
	"{\"program\":\"p\\u00e9\\ud83d\\ude00\",\"data_pool\":{\"é\":\"€😀\",\"n\":-9223372036854775808},\"id\":-1.5}",
};

static const char *const tokens[] = {
	"NaN",
	"Infinity",
	"-",
	"1e400",
	"99999999999999999999",
	"1e5",
	"0",
	"00",
	"\\u0000",
	"\\ud800",
	"\xff",
	"\xc3",
	"\xed\xa0\x80",
	"\"",
	"\\",
	"{",
	"}",
	"[",
	"]",
	",",
	":",
	"[[[[[[[[",
	"{\"a\":{\"a\":{\"a\":",
	"null",
	"true",
	"\"id\":",
	"\"call\":\"ping\",",
	"\"program\":1,",
	"\"method\":\"x\",",
	"\"banana\":2,",
	"\n",
	"\t",
	"\x01",
	"\x7f",
	"/*",
	"'",
	"é",
	"😀",
	"{}",
	"\"wait\":0,",
	"\"start_within\":-1,",
	"\"data_pool\":[],",
};

static void insert(Buffer *text, size_t at, const void *data, size_t size)
{
	_cleanup_buffer_ Buffer rest = { 0 };

	buffer_append(&rest, text->data + at, text->size - at);
	text->size = at;
	buffer_append(text, data, size);
	buffer_append(text, rest.data, rest.size);
}

static void flip_bit(Buffer *text, Dice *dice)
{
	if (text->size > 0)
		text->data[dice_below(dice, text->size)] ^= (uint8_t)(1U << dice_below(dice, 8));
}

static void replace_byte(Buffer *text, Dice *dice)
{
	if (text->size > 0)
		text->data[dice_below(dice, text->size)] = (uint8_t)dice_roll(dice);
}

static void insert_token(Buffer *text, Dice *dice)
{
	const char *token = tokens[dice_below(dice, ELEMENTSOF(tokens))];

	insert(text, dice_below(dice, text->size + 1), token, strlen(token));
}

static void insert_nul(Buffer *text, Dice *dice)
{
	insert(text, dice_below(dice, text->size + 1), "", 1);
}

static void delete_range(Buffer *text, Dice *dice)
{
	size_t begin = dice_below(dice, text->size + 1);
	size_t size = dice_below(dice, 12);

	size = MIN(size, text->size - begin);
	memmove(text->data + begin, text->data + begin + size, text->size - begin - size);
	text->size -= size;
}

static void repeat_range(Buffer *text, Dice *dice)
{
	size_t begin = dice_below(dice, text->size + 1), size = dice_below(dice, 40);
	_cleanup_buffer_ Buffer part = { 0 };

	size = MIN(size, text->size - begin);
	buffer_append(&part, text->data + begin, size);
	insert(text, dice_below(dice, text->size + 1), part.data, part.size);
}

static void cut_off(Buffer *text, Dice *dice)
{
	text->size = dice_below(dice, text->size + 1);
}

static void stretch(Buffer *text, Dice *dice)
{
	static char filler[600];

	memset(filler, "x0 ["[dice_below(dice, 4)], sizeof(filler));
	insert(text, dice_below(dice, text->size + 1), filler, dice_below(dice, sizeof(filler)));
}

static void glue(Buffer *text, Dice *dice)
{
	buffer_text(text, seeds[dice_below(dice, ELEMENTSOF(seeds))]);
}

static void (*const mutations[])(Buffer *text, Dice *dice) = {
	flip_bit,     replace_byte, insert_token, insert_token, insert_token, insert_nul,
	delete_range, repeat_range, cut_off,      stretch,      glue,
};

static void mutate(Buffer *text, Dice *dice)
{
	size_t n = 1 + dice_below(dice, 4);

	buffer_text(text, seeds[dice_below(dice, ELEMENTSOF(seeds))]);
	while (n-- > 0)
		mutations[dice_below(dice, ELEMENTSOF(mutations))](text, dice);
}

static void report_error(const Error *error, Buffer *report)
{
	static const ErrorCode possible[] = { ERROR_BAD_JSON, ERROR_TOO_LARGE, ERROR_TOO_DEEP, ERROR_BAD_REQUEST };
	bool known = false;

	for (size_t i = 0; i < ELEMENTSOF(possible); i++)
		known = known || error->code == possible[i];
	ck_assert_msg(known, "error %d", error->code);
	ck_assert(error->message && error->message[0]);
	ck_assert(error->code == ERROR_BAD_REQUEST || !error->path);
	buffer_format(report, "%s %s %s\n", error_name(error->code), error->path ? error->path : "-", error->message);
}

/* Where we read a text, json-c reads the same in it. */
static void compare(struct json_object *body, const char *text, size_t size)
{
	struct json_tokener *tokener = json_tokener_new();
	_cleanup_json_ struct json_object *theirs = NULL;

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	theirs = json_tokener_parse_ex(tokener, text, (int)size);
	ck_assert_msg(theirs && json_object_equal(body, theirs), "%.*s", (int)size, text);
	json_tokener_free(tokener);
}

static void report_request(const char *text, size_t size, size_t members, Buffer *report)
{
	_cleanup_error_ Error error = { 0 };
	Request request;

	if (request_parse(text, size, members, &request, &error) < 0)
		report_error(&error, report);
	else
		buffer_format(report, "%s id=%s %.*s\n", request.name, request.id_text ? request.id_text : "-",
			      (int)size, text);
	if (request.body)
		compare(request.body, text, size);
	request_done(&request);
}

/* What becomes of the bytes when they arrive in pieces, as text. */
static void receive(const Buffer *text, size_t piece, Buffer *report)
{
	_cleanup_error_ Error error = { 0 };
	const char *object;
	size_t size, members;
	Frame frame;
	int r = 0;

	frame_init(&frame, SIZE_LIMIT, DEPTH_LIMIT);
	for (size_t at = 0; at < text->size && r >= 0; at += piece) {
		ck_assert_int_eq(frame_append(&frame, text->data + at, MIN(piece, text->size - at)), 0);
		while ((r = frame_next(&frame, &object, &size, &members, &error)) > 0)
			report_request(object, size, members, report);
	}
	if (r == 0)
		r = frame_end(&frame, &error);
	if (r < 0)
		report_error(&error, report);
	frame_done(&frame);
	buffer_u8(report, 0);
}

START_TEST(a_damaged_request_is_read_or_refused_by_name_however_it_arrives)
{
	Dice seed = dice_take("check_mutation");

	for (unsigned i = 0; i < MUTATIONS; i++) {
		_cleanup_buffer_ Buffer text = { 0 }, whole = { 0 }, bytes = { 0 }, pieces = { 0 };
		Dice dice = { seed.state ^ i * 0xd1342543de82ef95U };

		mutate(&text, &dice);
		receive(&text, SIZE_MAX / 2, &whole);
		receive(&text, 1, &bytes);
		receive(&text, 2 + dice_below(&dice, 60), &pieces);
		ck_assert_msg(strcmp((char *)whole.data, (char *)bytes.data) == 0, "seed %" PRIu64 ", case %u: %s%s",
			      seed.state, i, whole.data, bytes.data);
		ck_assert_msg(strcmp((char *)whole.data, (char *)pieces.data) == 0, "seed %" PRIu64 ", case %u: %s%s",
			      seed.state, i, whole.data, pieces.data);
	}
}
END_TEST

START_TEST(the_seeds_themselves_are_all_read)
{
	for (size_t i = 0; i < ELEMENTSOF(seeds); i++) {
		_cleanup_buffer_ Buffer text = { 0 }, report = { 0 };

		buffer_text(&text, seeds[i]);
		receive(&text, 7, &report);
		ck_assert_ptr_null(strstr((char *)report.data, "Bad"));
		ck_assert_ptr_null(strstr((char *)report.data, "Too"));
	}
}
END_TEST

START_TEST(mutations_reach_every_error)
{
	static const char *const names[] = { "BadJSON", "TooLarge", "TooDeep", "BadRequest" };
	Dice dice = { 1 };
	_cleanup_buffer_ Buffer report = { 0 };

	for (unsigned i = 0; i < 2000; i++) {
		_cleanup_buffer_ Buffer text = { 0 };

		mutate(&text, &dice);
		receive(&text, SIZE_MAX / 2, &report);
		report.size--;
	}
	buffer_u8(&report, 0);
	for (size_t i = 0; i < ELEMENTSOF(names); i++)
		ck_assert_msg(strstr((char *)report.data, names[i]), "%s", names[i]);
}
END_TEST

START_TEST(text_that_was_never_scanned_does_no_harm)
{
	Dice dice = dice_take("check_mutation");

	for (unsigned i = 0; i < 2000; i++) {
		_cleanup_buffer_ Buffer text = { 0 };
		_cleanup_error_ Error error = { 0 };
		_cleanup_free_ char *copy = NULL; /* of just its size, so that a byte read beyond it is noticed */
		Request request;
		int r;

		mutate(&text, &dice);
		copy = malloc(MAX(text.size, (size_t)1));
		memcpy(copy, text.data, text.size);
		r = request_parse(copy, text.size, dice_below(&dice, 8), &request, &error);
		ck_assert_msg(r == 0 || (r == -EBADMSG && error.code != ERROR_NONE), "%d", r);
		request_done(&request);
	}
}
END_TEST

CHECK_MAIN(mutation, text_that_was_never_scanned_does_no_harm,
	   a_damaged_request_is_read_or_refused_by_name_however_it_arrives, the_seeds_themselves_are_all_read,
	   mutations_reach_every_error)
