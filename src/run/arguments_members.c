/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "run/arguments.h"

static const JsonMember *find(const JsonMember *members, size_t n, const char *name, size_t name_size)
{
	for (size_t i = 0; i < n; i++)
		if (members[i].name_size == name_size && memcmp(members[i].name, name, name_size) == 0)
			return &members[i];
	return NULL;
}

/* As value_encode(). */
static void encode_value(const JsonMember *member, Buffer *buffer)
{
	uint64_t bits;

	buffer_u8(buffer, (uint8_t)member->type);
	switch (member->type) {
	case VALUE_STRING:
		buffer_block(buffer, member->string.data, member->string.size);
		break;
	case VALUE_FLOAT:
		memcpy(&bits, &member->real, sizeof(bits));
		buffer_u64(buffer, bits);
		break;
	case VALUE_BOOL:
		buffer_u8(buffer, member->boolean);
		break;
	default:
		buffer_u64(buffer, (uint64_t)member->integer);
		break;
	}
}

/* How many of the members were meant; -1 where an argument does not pass. */
static ssize_t encode_all(const SpecProgram *program, const JsonMember *members, size_t n, Buffer *buffer)
{
	ssize_t found = 0;

	for (size_t i = 0; i < program->args.n; i++) {
		const SpecArg *arg = &program->args.items[i];
		size_t name_size = strlen(arg->name);
		const JsonMember *member = find(members, n, arg->name, name_size);

		if (!member && arg->required && !arg->has_default)
			return -1;
		if (!member)
			continue;
		if (!value_type_fits(arg->type, member->type) || member->type == VALUE_DICT)
			return -1;
		buffer_block(buffer, arg->name, name_size);
		encode_value(member, buffer);
		found++;
	}
	return found;
}

int arguments_encode_members(const SpecProgram *program, const JsonMember *members, size_t n, Buffer *buffer)
{
	size_t start = buffer->size;

	buffer_u32(buffer, (uint32_t)n);
	/* one that is unknown, or there twice, is not found */
	if (encode_all(program, members, n, buffer) != (ssize_t)n) {
		buffer->size = start;
		return 0;
	}
	return buffer_error(buffer) < 0 ? -ENOMEM : 1;
}
