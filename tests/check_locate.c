/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/locate.h"

#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "tests/check_main.h"
#include "tests/dice.h"

#define DOCUMENTS 2000

static void write_space(Dice *dice, Buffer *text)
{
	while (dice_below(dice, 4) == 0)
		buffer_u8(text, (uint8_t) " \t\r\n"[dice_below(dice, 4)]);
}

/* Pieces of names and strings, some of them written with escapes. */
static void write_piece(Dice *dice, Buffer *text)
{
	static const char *const pieces[] = { "a",
					      "key",
					      "~",
					      "/",
					      "\\/",
					      "\\\"",
					      "\\\\",
					      "\\u0041",
					      "\\u007e",
					      "\\u002F",
					      "\\n",
					      "ä",
					      "\\u00e4",
					      "€",
					      "\\u20AC",
					      "😀",
					      "\\ud83d\\ude00",
					      "\\t",
					      " ",
					      "0",
					      "{",
					      "]",
					      "\\b",
					      "\\u001f",
					      "~1",
					      ",",
					      ":" };

	buffer_text(text, pieces[dice_below(dice, ELEMENTSOF(pieces))]);
}

static void write_string(Dice *dice, Buffer *text, size_t number)
{
	buffer_text(text, "\"");
	if (number != SIZE_MAX)
		buffer_format(text, "%zu", number); /* so that names do not repeat */
	while (dice_below(dice, 3) > 0)
		write_piece(dice, text);
	buffer_text(text, "\"");
}

static void write_value(Dice *dice, Buffer *text, unsigned depth)
{
	static const char *const words[] = { "0",    "-1", "12.5e-3", "true", "false", "null", "9223372036854775807",
					     "-0.0", "1E2" };
	size_t n = dice_below(dice, 5), kind = dice_below(dice, depth > 5 ? 2 : 5);

	write_space(dice, text);
	if (kind == 0)
		buffer_text(text, words[dice_below(dice, ELEMENTSOF(words))]);
	else if (kind == 1)
		write_string(dice, text, SIZE_MAX);
	else
		buffer_text(text, kind == 2 ? "[" : "{");
	for (size_t i = 0; kind >= 2 && i < n; i++) {
		buffer_text(text, i > 0 ? "," : "");
		write_space(dice, text);
		if (kind > 2) {
			write_string(dice, text, i);
			write_space(dice, text);
			buffer_text(text, ":");
		}
		write_value(dice, text, depth + 1);
	}
	if (kind >= 2)
		buffer_text(text, kind == 2 ? "]" : "}");
	write_space(dice, text);
}

/* The value that the parser reads at `offset`. */
static struct json_object *value_at(const char *text, size_t size, size_t offset)
{
	struct json_object *value = NULL;
	JsonError error;
	JsonScan scan;

	json_scan_init(&scan, 64);
	ck_assert_int_eq(json_scan(&scan, text + offset, size - offset, &error), 0);
	ck_assert_int_eq(json_parse(text + offset, scan.at, 64, &value, &error), 0);
	return value;
}

/* A number or word at the top ends with the text, so its end has to be given. */
static void expect_value(const char *text, size_t size, size_t offset, struct json_object *wanted)
{
	_cleanup_json_ struct json_object *found = NULL;
	size_t end = offset;

	if (!strchr("{[\"", text[offset]))
		while (end < size && !strchr(",]} \t\r\n", text[end]))
			end++;
	found = value_at(text, end > offset ? end : size, offset);
	ck_assert_msg(json_object_equal(found, wanted), "offset %zu of %s", offset, text);
}

static void path_name(Buffer *path, const char *name)
{
	buffer_text(path, "/");
	for (; *name; name++)
		if (*name == '~' || *name == '/')
			buffer_text(path, *name == '~' ? "~0" : "~1");
		else
			buffer_u8(path, (uint8_t)*name);
}

/* Looks up every path of the tree; returns how many there are. */
static size_t expect_tree(const char *text, size_t size, struct json_object *tree, Buffer *path, const char *name)
{
	size_t outer = path->size, n = 1;
	LocatePlace place;

	buffer_u8(path, '\0');
	path->size--;
	ck_assert_msg(locate_find(text, size, (char *)path->data, &place) == 0, "%s in %s", (char *)path->data, text);
	expect_value(text, size, place.value, tree);
	if (name) {
		_cleanup_json_ struct json_object *found = value_at(text, size, place.name);

		ck_assert_str_eq(json_object_get_string(found), name);
	} else {
		ck_assert_uint_eq(place.name, place.value);
	}
	if (json_object_is_type(tree, json_type_object)) {
		json_object_object_foreach(tree, key, member)
		{
			path_name(path, key);
			n += expect_tree(text, size, member, path, key);
			path->size = outer;
		}
	}
	for (size_t i = 0; json_object_is_type(tree, json_type_array) && i < json_object_array_length(tree); i++) {
		buffer_format(path, "/%zu", i);
		n += expect_tree(text, size, json_object_array_get_idx(tree, i), path, NULL);
		path->size = outer;
	}
	return n;
}

static int on_count(const char *path, const LocatePlace *place, void *userdata)
{
	size_t *n = userdata;

	(void)path;
	(void)place;
	++*n;
	return 0;
}

START_TEST(the_scanner_finds_what_the_parser_finds)
{
	Dice dice = dice_take("the_scanner_finds_what_the_parser_finds");

	for (unsigned i = 0; i < DOCUMENTS; i++) {
		_cleanup_buffer_ Buffer buffer = { 0 }, path = { 0 };
		_cleanup_json_ struct json_object *tree = NULL;
		_cleanup_free_ char *text = NULL;
		size_t n = 0, size;
		JsonError error;

		write_value(&dice, &buffer, 0);
		size = buffer.size;
		text = buffer_take_text(&buffer);
		ck_assert_msg(json_parse(text, size, 64, &tree, &error) == 0, "%s: %s", text, error.message);
		ck_assert_int_eq(locate_each(text, size, on_count, &n), 0);
		ck_assert_uint_eq(expect_tree(text, size, tree, &path, NULL), n);
	}
}
END_TEST

START_TEST(a_path_that_is_not_there_is_not_found)
{
	static const char text[] = "{\"a\":[1,{\"b\":2}]}";
	LocatePlace place = { 77, 78 };

	ck_assert_int_eq(locate_find(text, strlen(text), "/a/2", &place), -ENOENT);
	ck_assert_int_eq(locate_find(text, strlen(text), "/b", &place), -ENOENT);
	ck_assert_int_eq(locate_find(text, strlen(text), "/", &place), -ENOENT);
	ck_assert_uint_eq(place.name, 77);
	ck_assert_int_eq(locate_find(text, strlen(text), "/a/1/b", &place), 0);
	ck_assert_uint_eq(place.name, 9);
	ck_assert_uint_eq(place.value, 13);
}
END_TEST

static int on_repeat(const char *path, const LocatePlace *place, void *userdata)
{
	buffer_format(userdata, "%s@%zu ", path, place->name);
	return 0;
}

START_TEST(every_repeated_name_is_found_and_nothing_within_it)
{
	static const char text[] = "{\"a\":{\"x\":1},\"b\":[{\"c\":1,\"\\u0063\":2}],\"a\":{\"x\":1},\"a\":0}";
	_cleanup_buffer_ Buffer buffer = { 0 };
	_cleanup_free_ char *found = NULL;

	ck_assert_int_eq(locate_repeats(text, strlen(text), on_repeat, &buffer), 0);
	found = buffer_take_text(&buffer);
	ck_assert_str_eq(found, "/b/0/c@25 /a@38 /a@50 ");
}
END_TEST

START_TEST(text_that_is_not_json_is_refused_and_does_no_harm)
{
	static const char *const texts[] = { "",      "{",     "[1,",      "{\"a\"",      "{\"a\":",
					     "\"a",   "\"\\",  "\"\\u12",  "\"\\ud800\"", "\"\\uzzzz\"",
					     "{1:2}", "[1 2]", "{\"a\":}", "\"\\q\"",     "\"\\ud800x\"" };
	_cleanup_buffer_ Buffer deep = { 0 };
	LocatePlace place;

	for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
		size_t size = strlen(texts[i]);
		char *copy = memcpy(malloc(size + 1), texts[i], size); /* of its own size, so that overruns are seen */

		copy[size] = 'x';
		ck_assert_msg(locate_find(copy, size, "/z", &place) == -EBADMSG, "%s", texts[i]);
		free(copy);
	}
	for (unsigned i = 0; i < 100000; i++)
		buffer_text(&deep, "[");
	ck_assert_int_eq(locate_find((char *)deep.data, deep.size, "/z", &place), -EBADMSG);
}
END_TEST

CHECK_MAIN(locate, the_scanner_finds_what_the_parser_finds, a_path_that_is_not_there_is_not_found,
	   every_repeated_name_is_found_and_nothing_within_it, text_that_is_not_json_is_refused_and_does_no_harm)
