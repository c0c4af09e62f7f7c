/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gen/makefile.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/io.h"

#define MAKEFILE_SIZE_MAX (4U << 20)
#define BLANKS " \t"

/* The value of a line that sets MODULE, cut out of it; NULL where it does not. */
static char *module_of(char *line)
{
	char *value = line + strlen("MODULE");

	if (strncmp(line, "MODULE", strlen("MODULE")) != 0)
		return NULL;
	value += strspn(value, BLANKS);
	value += strspn(value, ":?");
	if (*value != '=')
		return NULL;
	value++;
	value += strspn(value, BLANKS);
	value[strcspn(value, BLANKS "#\r")] = '\0';
	return value;
}

/* \p text is taken apart. */
static int check_lines(char *text, const char *module, Report *report)
{
	char *rest = text;
	char *line;

	for (unsigned number = 1; (line = strsep(&rest, "\n")); number++) {
		const char *value = module_of(line);

		if (value && !strchr(value, '$') && strcmp(value, module) != 0)
			return report_error(
				report,
				"Makefile:%u: expected MODULE = %s, as the spec's name makes it; got \"%s\": "
				"change that line; nothing is written",
				number, module, value);
	}
	return 0;
}

int makefile_check(const char *directory, const char *module, Report *report)
{
	_cleanup_free_ char *path = NULL, *text = NULL;
	_cleanup_buffer_ Buffer content = { 0 };
	int r;

	if (asprintf(&path, "%s/Makefile", directory) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	r = read_file(path, MAKEFILE_SIZE_MAX, &content);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r == -ENOMEM ? r : report_errno(report, "read", path, r);
	text = buffer_take_text(&content);
	return text ? check_lines(text, module, report) : -ENOMEM;
}
