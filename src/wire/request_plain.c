/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "wire/request.h"

static bool take_name(RequestPlain *plain, const JsonMember *member)
{
	if (member->type != VALUE_STRING || member->string.size > REQUEST_PLAIN_NAME_MAX)
		return false;
	memcpy(plain->name, member->string.data, member->string.size);
	plain->name[member->string.size] = '\0';
	plain->request.name = plain->name;
	return true;
}

/* A string that is written as it was read. */
static bool is_echo(const JsonMember *member)
{
	return member->string.size < REQUEST_ECHO_MAX / 2 &&
	       json_plain_size(member->string.data, member->string.size) == member->string.size &&
	       !memchr(member->string.data, 0x7f, member->string.size);
}

static bool take_id(RequestPlain *plain, const JsonMember *member)
{
	_cleanup_buffer_ Buffer text = { 0 };

	if (member->type == VALUE_INT)
		json_write_int(member->integer, &text);
	else if (member->type == VALUE_STRING && is_echo(member))
		json_write_string(member->string.data, member->string.size, &text);
	else
		return false;
	plain->request.id_text = buffer_take_text(&text);
	return plain->request.id_text;
}

static bool take_follow(RequestPlain *plain, const JsonMember *member)
{
	plain->request.follow = member->type == VALUE_BOOL && member->boolean;
	return member->type == VALUE_BOOL;
}

static bool take_wait(RequestPlain *plain, const JsonMember *member)
{
	(void)plain;
	return member->type == VALUE_BOOL && member->boolean;
}

static const struct {
	const char *name;
	bool (*take)(RequestPlain *plain, const JsonMember *member); /* NULL: the data pool */
} members[] = {
	{ "program", take_name },  { "data_pool", NULL }, { "id", take_id },
	{ "follow", take_follow }, { "wait", take_wait },
};

#define MEMBER_PROGRAM 0

static size_t find_member(const JsonMember *member)
{
	size_t i = 0;

	while (i < ELEMENTSOF(members) && (strlen(members[i].name) != member->name_size ||
					   memcmp(members[i].name, member->name, member->name_size) != 0))
		i++;
	return i;
}

static bool read_pool(JsonFlat *flat, RequestPlain *plain)
{
	int r = 1;

	while (plain->n_pool < REQUEST_PLAIN_POOL_MAX && (r = json_flat_next(flat, &plain->pool[plain->n_pool])) > 0) {
		if (plain->pool[plain->n_pool++].type == VALUE_DICT)
			return false;
	}
	return r == 0;
}

static bool read_members(JsonFlat *flat, RequestPlain *plain)
{
	JsonMember member;
	unsigned seen = 0;
	int r;

	while ((r = json_flat_next(flat, &member)) > 0) {
		size_t i = find_member(&member);

		if (i == ELEMENTSOF(members) || (seen & 1U << i))
			return false;
		seen |= 1U << i;
		if (members[i].take ? !members[i].take(plain, &member)
				    : member.type != VALUE_DICT || !read_pool(flat, plain))
			return false;
	}
	return r == 0 && (seen & 1U << MEMBER_PROGRAM);
}

bool request_read_plain(const char *text, size_t size, RequestPlain *ret)
{
	JsonFlat flat;

	ret->request = (Request){ .kind = REQUEST_PROGRAM, .wait = true, .start_within = -1 };
	ret->n_pool = 0;
	if (json_flat_init(&flat, text, size) == 0 && read_members(&flat, ret))
		return true;
	request_done(&ret->request);
	return false;
}
