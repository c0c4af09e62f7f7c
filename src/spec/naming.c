/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/naming.h"

#include <string.h>

#include "base/text.h"
#include "spec/spec.h"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define CAPITALS "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static const char keywords[] =
	" "
	"alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t char32_t "
	"char8_t class co_await co_return co_yield compl concept const const_cast consteval constexpr "
	"constinit continue decltype default delete do double dynamic_cast else enum explicit export extern "
	"false float for friend goto if inline int long mutable namespace new noexcept not not_eq nullptr "
	"operator or or_eq private protected public register reinterpret_cast requires restrict return short "
	"signed sizeof static static_assert static_cast struct switch template this thread_local throw true "
	"try typedef typeid typename typeof typeof_unqual union unsigned using virtual void volatile wchar_t "
	"while xor xor_eq ";

/* Of GNU C itself, and of the standard headers that ours includes. */
static const char macros[] =
	" "
	"linux unix i386 NULL offsetof errno FD_CLR FD_ISSET FD_SET FD_SETSIZE FD_ZERO BIG_ENDIAN BYTE_ORDER "
	"LITTLE_ENDIAN PDP_ENDIAN NFDBITS va_arg va_copy va_end va_start ";

/* `words` has a space before and after each. */
static bool is_among(const char *name, const char *words)
{
	size_t length = strlen(name);

	if (length == 0 || strchr(name, ' '))
		return false;
	for (const char *at = strstr(words, name); at; at = strstr(at + 1, name))
		if (at[-1] == ' ' && at[length] == ' ')
			return true;
	return false;
}

static bool begins_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool ends_with(const char *text, const char *suffix)
{
	size_t length = strlen(text), end = strlen(suffix);

	return length >= end && strcmp(text + length - end, suffix) == 0;
}

bool naming_is_plain(const char *name)
{
	size_t length = strlen(name);

	return length > 0 && length <= SPEC_NAME_MAX && strspn(name, LETTERS DIGITS) > 0 &&
	       strspn(name, LETTERS DIGITS "_-") == length;
}

bool naming_is_title(const char *name)
{
	size_t length = strlen(name);

	return length > 0 && length <= SPEC_NAME_MAX && strspn(name, LETTERS DIGITS "_- ") == length;
}

bool naming_is_keyword(const char *name)
{
	return is_among(name, keywords);
}

/* INT64_MAX, UINT8_C, SIZE_WIDTH … */
static bool is_limit(const char *name)
{
	static const char *const prefixes[] = { "INT", "UINT", "SIZE_", "PTRDIFF_", "SIG_ATOMIC_", "WCHAR_", "WINT_" };
	static const char *const suffixes[] = { "_MAX", "_MIN", "_C", "_WIDTH" };

	for (size_t i = 0; i < ELEMENTSOF(prefixes); i++)
		for (size_t k = 0; k < ELEMENTSOF(suffixes); k++)
			if (begins_with(name, prefixes[i]) && ends_with(name, suffixes[k]))
				return strspn(name, CAPITALS DIGITS "_") == strlen(name);
	return false;
}

bool naming_is_macro(const char *name)
{
	if (is_among(name, macros) || is_limit(name))
		return true;
	/* PRId64, SCNu8 … */
	return (begins_with(name, "PRI") || begins_with(name, "SCN")) && strpbrk(name, DIGITS) &&
	       strcspn(name, LETTERS) == 0 && strcspn(name, "_") == strlen(name);
}

const char *naming_fault(const char *name, bool metadata)
{
	if (!text_is_identifier(name))
		return "a C identifier (letters, digits and '_', no digit first)";
	if (strlen(name) > SPEC_NAME_MAX)
		return "a name of at most 64 bytes";
	if (*name == '_' && !metadata)
		return "a name that does not begin with '_' (those are the request's metadata, for arguments of hooks)";
	if (naming_is_keyword(name))
		return "a name that is no keyword of C or C++";
	if (naming_is_macro(name))
		return "a name that is no macro of the standard headers";
	return NULL;
}

const char *naming_symbol_fault(const char *symbol)
{
	if (naming_is_keyword(symbol))
		return "a function that is no keyword of C or C++";
	if (naming_is_macro(symbol))
		return "a function that is no macro of the standard headers";
	if (begins_with(symbol, "ryuso_") || begins_with(symbol, "RYUSO_"))
		return "a function whose name does not begin with \"ryuso_\"";
	if (begins_with(symbol, "json_"))
		return "a function whose name does not begin with \"json_\", as json-c's do";
	if (ends_with(symbol, "_t") || strcmp(symbol, "va_list") == 0 || strcmp(symbol, "fd_set") == 0)
		return "a function whose name is no type of the standard headers, as those in \"_t\" are";
	return NULL;
}

_Static_assert(SPEC_NAME_MAX == 64, "naming_fault() says so");
