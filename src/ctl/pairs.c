/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/pairs.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "ctl/literal.h"
#include "ctl/member.h"
#include "ctl/source.h"

void pairs_done(Pairs *pairs)
{
	for (size_t i = 0; i < pairs->n; i++)
		free(pairs->items[i].name);
	free(pairs->items);
	*pairs = (Pairs){};
}

static int pair_parse(const char *word, Pair *ret, Buffer *message)
{
	const char *equals = strchr(word, '=');
	bool json = equals && equals > word && equals[-1] == ':';
	_cleanup_free_ char *name = NULL;

	if (equals) {
		name = strndup(word, (size_t)(equals - word) - json);
		if (!name)
			return -ENOMEM;
	}
	if (!name || !text_is_identifier(name)) {
		buffer_text(message, "expected NAME=VALUE, NAME:=JSON or NAME=@FILE, got \"");
		text_escape(word, strlen(word), SIZE_MAX, message);
		buffer_text(message, "\"");
		return -EINVAL;
	}
	*ret = (Pair){
		.name = take_ptr(name),
		.kind = json               ? PAIR_JSON
			: equals[1] == '@' ? PAIR_FILE
					   : PAIR_TEXT,
		.value = equals + 1 + (!json && equals[1] == '@'),
	};
	return 0;
}

int pairs_parse(char *const *words, size_t n, Pairs *ret, Buffer *message)
{
	_cleanup_pairs_ Pairs pairs = {};
	int r;

	pairs.items = calloc(n ? n : 1, sizeof(*pairs.items));
	if (!pairs.items)
		return -ENOMEM;
	for (; pairs.n < n; pairs.n++) {
		r = pair_parse(words[pairs.n], &pairs.items[pairs.n], message);
		if (r < 0)
			return r;
	}
	*ret = pairs;
	pairs = (Pairs){};
	return 0;
}

bool pairs_need_types(const Pairs *pairs)
{
	for (size_t i = 0; i < pairs->n; i++)
		if (pairs->items[i].kind != PAIR_JSON)
			return true;
	return false;
}

static const char *argument_name(struct json_object *declared, size_t i)
{
	const char *name = member_text(json_object_array_get_idx(declared, i), "name");

	return name ? name : "";
}

static int explain_unknown(struct json_object *declared, const char *name, Buffer *message)
{
	size_t n = member_length(declared);
	_cleanup_free_ const char **names = calloc(n ? n : 1, sizeof(*names));
	const char *close;

	if (!names)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		names[i] = argument_name(declared, i);
	close = text_closest(name, names, n);
	buffer_format(message, "%s: the program has no such argument", name);
	if (close) {
		buffer_text(message, "; did you mean ");
		text_escape(close, strlen(close), SIZE_MAX, message);
		buffer_text(message, "?");
	}
	return -EINVAL;
}

static int find_type(struct json_object *declared, const char *name, ValueType *ret, Buffer *message)
{
	for (size_t i = 0; i < member_length(declared); i++) {
		const char *type = member_text(json_object_array_get_idx(declared, i), "type");

		if (strcmp(argument_name(declared, i), name) != 0)
			continue;
		*ret = type ? value_type_from_name(type) : VALUE_NONE;
		return 0;
	}
	return explain_unknown(declared, name, message);
}

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* What is no string may be surrounded by white space in a file, a last newline above all. */
static void trim(ValueType type, Buffer *content)
{
	size_t leading = 0;

	if (type == VALUE_STRING)
		return;
	while (content->size > 0 && is_space(content->data[content->size - 1]))
		content->size--;
	while (leading < content->size && is_space(content->data[leading]))
		leading++;
	buffer_consume(content, leading);
}

static int convert(const Pair *pair, struct json_object *declared, struct json_object **ret, Buffer *message)
{
	_cleanup_buffer_ Buffer content = {};
	ValueType type;
	int r;

	if (pair->kind == PAIR_JSON)
		return literal_json(pair->value, strlen(pair->value), ret, message);
	r = find_type(declared, pair->name, &type, message);
	if (r < 0)
		return r;
	if (pair->kind == PAIR_TEXT)
		return literal_convert(type, pair->value, strlen(pair->value), ret, message);
	r = source_read(pair->value, &content, message);
	if (r < 0)
		return r == -ENOMEM ? r : -EBADMSG;
	trim(type, &content);
	return literal_convert(type, content.data ? (const char *)content.data : "", content.size, ret, message);
}

static int pair_add(const Pair *pair, struct json_object *declared, struct json_object *pool, Buffer *message)
{
	_cleanup_json_ struct json_object *value = NULL;
	_cleanup_buffer_ Buffer clause = {};
	int r;

	if (json_object_object_get_ex(pool, pair->name, NULL)) {
		buffer_format(message, "%s: given twice", pair->name);
		return -EINVAL;
	}
	r = convert(pair, declared, &value, &clause);
	if (r == -EBADMSG)
		buffer_format(message, "%s: ", pair->name);
	if (r < 0) {
		buffer_append(message, clause.data, clause.size);
		return r == -EBADMSG ? -EINVAL : r;
	}
	if (json_object_object_add(pool, pair->name, value) < 0)
		return -ENOMEM;
	take_ptr(value);
	return 0;
}

int pairs_add(const Pairs *pairs, struct json_object *declared, struct json_object *pool, Buffer *message)
{
	for (size_t i = 0; i < pairs->n; i++) {
		int r = pair_add(&pairs->items[i], declared, pool, message);

		if (r < 0)
			return r;
	}
	return 0;
}
