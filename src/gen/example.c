/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gen/example.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/io.h"
#include "gen/files.h"
#include "gen/templates.h"

#define EXAMPLE_SIZE_MAX (4U << 20)

static int is_example(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int report_unknown(const char *examples, const char *name, Report *report)
{
	_cleanup_buffer_ Buffer list = { 0 };
	_cleanup_free_ char *text = NULL;
	struct dirent **entries = NULL;
	int n = scandir(examples, &entries, is_example, alphasort);

	for (int i = 0; i < n; i++) {
		buffer_format(&list, "%s%s", i ? ", " : "", entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	text = buffer_take_text(&list);
	return report_error(report, "ryuso-gen: there is no example \"%s\" in %s; there are: %s", name, examples,
			    text && *text ? text : "none");
}

static int add_file(Files *files, const char *example, const char *path, Report *report)
{
	_cleanup_free_ char *from = NULL;
	_cleanup_buffer_ Buffer content = { 0 };
	bool script;
	int r;

	if (asprintf(&from, "%s/%s", example, path) < 0) {
		from = NULL;
		return -ENOMEM;
	}
	r = read_file(from, EXAMPLE_SIZE_MAX, &content);
	if (r == -ENOENT)
		return report_error(
			report, "ryuso-gen: a file of the example is missing: looked for %s; nothing is written", from);
	if (r < 0)
		return r == -ENOMEM ? r : report_errno(report, "read", from, r);
	script = content.size > 2 && memcmp(content.data, "#!", 2) == 0;
	return files_add(files, path, FILE_ONCE, script ? 0777 : 0666, &content);
}

/* \p manifest is taken apart. */
static int add_files(Files *files, const char *example, char *manifest, Report *report)
{
	char *rest = manifest;
	char *line;
	int result = 0;

	while ((line = strsep(&rest, "\n"))) {
		int r = *line && *line != '#' ? add_file(files, example, line, report) : 0;

		if (r < 0)
			result = r;
	}
	return result;
}

static int read_example(const char *examples, const char *name, Files *files, Report *report)
{
	_cleanup_free_ char *example = NULL, *path = NULL, *text = NULL;
	_cleanup_buffer_ Buffer manifest = { 0 };
	int r;

	if (asprintf(&example, "%s/%s", examples, name) < 0) {
		example = NULL;
		return -ENOMEM;
	}
	if (strchr(name, '/') || name[0] == '.' || !*name || access(example, F_OK) < 0)
		return report_unknown(examples, name, report);
	if (asprintf(&path, "%s/MANIFEST", example) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	r = read_file(path, EXAMPLE_SIZE_MAX, &manifest);
	if (r < 0)
		return r == -ENOMEM ? r : report_errno(report, "read", path, r);
	text = buffer_take_text(&manifest);
	if (!text)
		return -ENOMEM;
	return add_files(files, example, text, report);
}

static int refuse_present(const Files *files, Report *report)
{
	int r = 0;

	for (size_t i = 0; i < files->n; i++)
		if (files->items[i].state != FILE_MISSING)
			r = report_error(report, "ryuso-gen: %s exists: nothing is written; say -o DIR",
					 files->items[i].place);
	return r;
}

int example_copy(const Options *options, Report *report)
{
	_cleanup_files_ Files files = { .directory = options->directory };
	_cleanup_free_ char *templates = NULL, *examples = NULL;
	int r;

	r = templates_find(options->templates, &templates, report);
	if (r < 0)
		return r;
	if (asprintf(&examples, "%s/examples", templates) < 0) {
		examples = NULL;
		return -ENOMEM;
	}
	r = read_example(examples, options->name, &files, report);
	if (r == 0)
		r = files_compare(&files, report);
	if (r == 0)
		r = refuse_present(&files, report);
	if (r == 0)
		r = files_write(&files, report);
	if (r == 0)
		report_line(report, "next: make%s%s", strcmp(options->directory, ".") == 0 ? "" : " -C ",
			    strcmp(options->directory, ".") == 0 ? "" : options->directory);
	return r;
}
