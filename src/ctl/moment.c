/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/moment.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/macro.h"

#define TEXT_MAX 80U
#define USEC_MAX (9999.0 * 365.25 * 86400e6) /* the end of year 9999, about */

static const struct {
	const char *name;
	double usec;
} units[] = {
	{ "us", 1 },
	{ "usec", 1 },
	{ "ms", 1e3 },
	{ "msec", 1e3 },
	{ "s", 1e6 },
	{ "sec", 1e6 },
	{ "second", 1e6 },
	{ "seconds", 1e6 },
	{ "m", 60e6 },
	{ "min", 60e6 },
	{ "minute", 60e6 },
	{ "minutes", 60e6 },
	{ "h", 3600e6 },
	{ "hr", 3600e6 },
	{ "hour", 3600e6 },
	{ "hours", 3600e6 },
	{ "d", 86400e6 },
	{ "day", 86400e6 },
	{ "days", 86400e6 },
	{ "w", 604800e6 },
	{ "week", 604800e6 },
	{ "weeks", 604800e6 },
	{ "M", 2629800e6 },
	{ "month", 2629800e6 },
	{ "months", 2629800e6 },
	{ "y", 31557600e6 },
	{ "year", 31557600e6 },
	{ "years", 31557600e6 },
};

static const char *skip_blanks(const char *text)
{
	return text + strspn(text, " \t");
}

static bool take_number(const char **text, double *ret)
{
	char *end;

	if (!isdigit((unsigned char)**text) && **text != '.')
		return false;
	if (strncmp(*text, "0x", 2) == 0 || strncmp(*text, "0X", 2) == 0)
		return false;
	*ret = strtod(*text, &end);
	if (end == *text || !isfinite(*ret))
		return false;
	*text = end;
	return true;
}

static bool take_unit(const char **text, double *ret)
{
	size_t size = 0;

	while (isalpha((unsigned char)(*text)[size]))
		size++;
	if (size == 0) {
		*ret = 1e6;
		return true;
	}
	for (size_t i = 0; i < ELEMENTSOF(units); i++)
		if (strlen(units[i].name) == size && strncmp(units[i].name, *text, size) == 0) {
			*ret = units[i].usec;
			*text += size;
			return true;
		}
	return false;
}

/** \brief "1h 30min" up to the end of \p text. */
static int parse_span(const char *text, double *ret)
{
	double usec = 0, number, unit;
	bool any = false;

	for (text = skip_blanks(text); *text; text = skip_blanks(text)) {
		if (!take_number(&text, &number))
			return -EINVAL;
		text = skip_blanks(text);
		if (!take_unit(&text, &unit))
			return -EINVAL;
		usec += number * unit;
		any = true;
	}
	if (!any || usec > USEC_MAX)
		return -EINVAL;
	*ret = usec;
	return 0;
}

static int shift(uint64_t now_usec, double usec, uint64_t *ret)
{
	double moment = (double)now_usec + usec;

	if (moment < 0 || moment > USEC_MAX)
		return -EINVAL;
	*ret = usec < 0 ? now_usec - (uint64_t)-usec : now_usec + (uint64_t)usec;
	return 0;
}

/** \brief Cuts \p word and the blanks before it off the end of \p text, where it stands there as a word. */
static bool cut_word(char *text, const char *word)
{
	size_t size = strlen(text), length = strlen(word);

	if (size <= length || strcmp(text + size - length, word) != 0 || !strchr(" \t", text[size - length - 1]))
		return false;
	size -= length;
	while (size > 0 && strchr(" \t", text[size - 1]))
		size--;
	text[size] = '\0';
	return true;
}

static int parse_relative(char *text, uint64_t now_usec, uint64_t *ret)
{
	bool later = text[0] == '+', marked = text[0] == '-' || later;
	double usec;
	int r;

	if (marked)
		text++;
	else if (cut_word(text, "left"))
		later = true;
	else
		cut_word(text, "ago");
	r = parse_span(text, &usec);
	return r < 0 ? r : shift(now_usec, later ? usec : -usec, ret);
}

static int parse_epoch(const char *text, uint64_t *ret)
{
	double seconds;

	if (!take_number(&text, &seconds) || *text != '\0')
		return -EINVAL;
	return shift(0, seconds * 1e6, ret);
}

static int make_moment(struct tm *parts, bool utc, uint64_t *ret)
{
	struct tm asked = *parts;
	time_t seconds;

	parts->tm_isdst = -1;
	seconds = utc ? timegm(parts) : mktime(parts);
	/* the 30th of February is no day */
	if (seconds < 0 || parts->tm_mday != asked.tm_mday || parts->tm_mon != asked.tm_mon)
		return -EINVAL;
	*ret = (uint64_t)seconds * 1000000U;
	return 0;
}

static int parse_word(const char *text, uint64_t now_usec, bool utc, uint64_t *ret)
{
	static const struct {
		const char *word;
		int days;
	} words[] = { { "today", 0 }, { "yesterday", -1 }, { "tomorrow", 1 } };
	time_t now = (time_t)(now_usec / 1000000U);
	struct tm parts;

	for (size_t i = 0; i < ELEMENTSOF(words); i++) {
		if (strcmp(words[i].word, text) != 0)
			continue;
		if (!(utc ? gmtime_r(&now, &parts) : localtime_r(&now, &parts)))
			return -EINVAL;
		parts = (struct tm){ .tm_year = parts.tm_year, .tm_mon = parts.tm_mon, .tm_mday = parts.tm_mday };
		parts.tm_isdst = -1;
		parts.tm_mday += words[i].days;
		now = utc ? timegm(&parts) : mktime(&parts);
		*ret = (uint64_t)now * 1000000U;
		return 0;
	}
	return -EINVAL;
}

static const char *skip_weekday(const char *text)
{
	static const char *const names[] = { "Monday ", "Mon ", "Tuesday ", "Tue ", "Wednesday ", "Wed ", "Thursday ",
					     "Thu ",    "Fri ", "Friday ",  "Sat ", "Saturday ",  "Sun ", "Sunday " };

	for (size_t i = 0; i < ELEMENTSOF(names); i++)
		if (strncasecmp(names[i], text, strlen(names[i])) == 0)
			return skip_blanks(text + strlen(names[i]));
	return text;
}

/** \brief A fraction of a second behind the seconds. */
static bool take_fraction(const char **text, uint64_t *ret)
{
	uint64_t scale = 100000;

	*ret = 0;
	if (**text != '.')
		return true;
	if (!isdigit((unsigned char)*++*text))
		return false;
	for (; isdigit((unsigned char)**text); (*text)++, scale /= 10)
		*ret += (uint64_t)(**text - '0') * scale;
	return true;
}

static int parse_absolute(const char *text, uint64_t now_usec, bool utc, uint64_t *ret)
{
	static const char *const formats[] = {
		"%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M",
		"%Y-%m-%d",          "%H:%M:%S",          "%H:%M"
	};
	time_t now = (time_t)(now_usec / 1000000U);
	struct tm today, parts;
	uint64_t fraction;
	int r;

	if (!(utc ? gmtime_r(&now, &today) : localtime_r(&now, &today)))
		return -EINVAL;
	for (size_t i = 0; i < ELEMENTSOF(formats); i++) {
		const char *end;

		parts = (struct tm){ .tm_year = today.tm_year, .tm_mon = today.tm_mon, .tm_mday = today.tm_mday };
		end = strptime(text, formats[i], &parts);
		if (!end || !take_fraction(&end, &fraction) || *end != '\0')
			continue;
		r = make_moment(&parts, utc, ret);
		*ret += r < 0 ? 0 : fraction;
		return r;
	}
	return -EINVAL;
}

int moment_parse(const char *text, uint64_t now_usec, uint64_t *ret)
{
	char copy[TEXT_MAX];
	bool utc;

	text = skip_blanks(text);
	if (strlen(text) >= sizeof(copy))
		return -EINVAL;
	memcpy(copy, text, strlen(text) + 1);
	if (strcmp(copy, "now") == 0) {
		*ret = now_usec;
		return 0;
	}
	if (copy[0] == '@')
		return parse_epoch(copy + 1, ret);
	if (parse_relative(copy, now_usec, ret) >= 0)
		return 0;
	memcpy(copy, text, strlen(text) + 1);
	utc = cut_word(copy, "UTC");
	text = skip_weekday(copy);
	return parse_word(text, now_usec, utc, ret) >= 0 ? 0 : parse_absolute(text, now_usec, utc, ret);
}
