/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/ids.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

int id_random(Id *ret)
{
	Id id;
	ssize_t n;

	do
		n = getrandom(&id, sizeof(id), 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (n != sizeof(id))
		return -EIO;
	*ret = id;
	return 0;
}

#define DERIVED_FROM 12U /* of the bytes */
#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Four bytes, the first of them lowest, as eight digits, the first of them lowest. */
static uint64_t hex_digits(uint32_t bytes)
{
	const uint64_t low = UINT64_C(0x000f000f000f000f);
	uint64_t digits = bytes;

	digits = (digits | digits << 16) & UINT64_C(0x0000ffff0000ffff);
	digits = (digits | digits << 8) & UINT64_C(0x00ff00ff00ff00ff);
	digits = (digits >> 4 & low) | (digits & low) << 8;
	return digits + EACH('0') + ((digits + EACH(6)) >> 4 & EACH(1)) * ('a' - '0' - 10);
}

static void format_four(const Id *id, size_t from, char *text)
{
	uint32_t bytes;
	uint64_t digits;

	memcpy(&bytes, id->bytes + from, sizeof(bytes));
	digits = htole64(hex_digits(le32toh(bytes)));
	memcpy(text + 2 * from, &digits, sizeof(digits));
}

void id_format(const Id *id, char text[static ID_TEXT_SIZE])
{
	for (size_t i = 0; i < sizeof(id->bytes); i += sizeof(uint32_t))
		format_four(id, i, text);
	text[ID_TEXT_SIZE - 1] = '\0';
}

void id_format_derived(const Id *id, const char formatted[static ID_TEXT_SIZE], uint32_t part,
		       char text[static ID_TEXT_SIZE])
{
	Id derived = id_derive(id, part);

	memcpy(text, formatted, ID_TEXT_SIZE);
	format_four(&derived, DERIVED_FROM, text);
}

static int digit_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

int id_parse(const char *text, Id *ret)
{
	Id id = { 0 };

	if (strlen(text) != ID_TEXT_SIZE - 1)
		return -EINVAL;
	for (size_t i = 0; i < ID_TEXT_SIZE - 1; i++) {
		int value = digit_value(text[i]);

		if (value < 0)
			return -EINVAL;
		id.bytes[i / 2] = (uint8_t)(id.bytes[i / 2] << 4 | value);
	}
	*ret = id;
	return 0;
}

int id_equal(const Id *a, const Id *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

int id_is_null(const Id *id)
{
	static const Id null;

	return id_equal(id, &null);
}

void id_fingerprint(const void *data, size_t size, Id *ret)
{
	const unsigned __int128 prime = (unsigned __int128)1 << 88 | 0x13b;
	unsigned __int128 hash = (unsigned __int128)0x6c62272e07bb0142 << 64 | 0x62b821756295c58d;
	const uint8_t *bytes = data;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ bytes[i]) * prime;
	for (size_t i = 0; i < sizeof(ret->bytes); i++)
		ret->bytes[i] = (uint8_t)(hash >> (8 * (sizeof(ret->bytes) - 1 - i)));
}

Id id_derive(const Id *id, uint32_t part)
{
	Id derived = *id;
	uint32_t tail;

	memcpy(&tail, derived.bytes + DERIVED_FROM, sizeof(tail));
	tail ^= htobe32(part);
	memcpy(derived.bytes + DERIVED_FROM, &tail, sizeof(tail));
	return derived;
}

/* Four bits at a time: small, and only where there is no instruction for it. */
uint32_t crc32c_portable(uint32_t crc, const void *data, size_t size)
{
	static const uint32_t table[16] = {
		0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
		0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
	};
	const uint8_t *bytes = data;

	crc = ~crc;
	for (size_t i = 0; i < size; i++) {
		crc ^= bytes[i];
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return ~crc;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t crc32c_instruction(uint32_t crc, const void *data, size_t size)
{
	const uint8_t *bytes = data;
	uint64_t state = ~crc;

	for (; size >= sizeof(uint64_t); size -= sizeof(uint64_t), bytes += sizeof(uint64_t)) {
		uint64_t word;

		memcpy(&word, bytes, sizeof(word));
		state = __builtin_ia32_crc32di(state, word);
	}
	crc = (uint32_t)state;
	for (; size > 0; size--)
		crc = __builtin_ia32_crc32qi(crc, *bytes++);
	return ~crc;
}
#endif

uint32_t crc32c(uint32_t crc, const void *data, size_t size)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("sse4.2"))
		return crc32c_instruction(crc, data, size);
#endif
	return crc32c_portable(crc, data, size);
}
