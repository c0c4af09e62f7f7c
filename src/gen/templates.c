/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gen/templates.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "gen/template.h"

#define TEMPLATE_SIZE_MAX (1U << 20)
#define LEVELS_UP 5U

static const char *const file_names[TEMPLATE_NAME_MAX] = {
	[TEMPLATE_MODULE_HEADER] = "module.h.tmpl", [TEMPLATE_MODULE_SOURCE] = "module.c.tmpl",
	[TEMPLATE_HOOKS] = "hooks.c.tmpl",          [TEMPLATE_STUB] = "stub.c.tmpl",
	[TEMPLATE_MAKEFILE] = "Makefile.tmpl",
};

void templates_done(Templates *templates)
{
	free(templates->directory);
	for (size_t i = 0; i < TEMPLATE_NAME_MAX; i++)
		buffer_done(&templates->texts[i]);
}

static bool is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* The directory of the running program, where that is a build tree: config.status is there. */
static bool find_build_tree(char directory[static PATH_MAX])
{
	char status[PATH_MAX + sizeof("/config.status")];
	ssize_t n = readlink("/proc/self/exe", directory, PATH_MAX - 1);
	char *slash;

	if (n < 0)
		return false;
	directory[n] = '\0';
	slash = strrchr(directory, '/');
	if (!slash)
		return false;
	*slash = '\0';
	slash = strrchr(directory, '/');
	if (slash && strcmp(slash, "/.libs") == 0)
		*slash = '\0';
	snprintf(status, sizeof(status), "%s/config.status", directory);
	return access(status, F_OK) == 0;
}

/* templates/ beside src/gen/, in the build tree or above it: the source tree's. NULL where there is none. */
static char *source_tree_templates(void)
{
	char directory[PATH_MAX];
	char *slash = directory;

	if (!find_build_tree(directory))
		return NULL;
	for (unsigned i = 0; i < LEVELS_UP && slash; i++) {
		_cleanup_free_ char *sources = NULL;
		char *templates = NULL;

		if (asprintf(&sources, "%s/src/gen", directory) < 0 ||
		    asprintf(&templates, "%s/templates", directory) < 0)
			return NULL;
		if (is_directory(sources) && is_directory(templates))
			return templates;
		free(templates);
		slash = strrchr(directory, '/');
		if (slash)
			*slash = '\0';
	}
	return NULL;
}

int templates_find(const char *given, char **ret_directory, Report *report)
{
	const char *installed = RYUSO_PKGDATADIR "/templates";
	char *directory = NULL;

	if (given && !is_directory(given))
		return report_error(report, "ryuso-gen: --templates: there is no directory %s", given);
	if (!given)
		directory = source_tree_templates();
	if (!directory && !given && !is_directory(installed))
		return report_error(report,
				    "ryuso-gen: there are no templates: looked for %s; install ryuso, or say "
				    "--templates DIR",
				    installed);
	if (!directory)
		directory = strdup(given ? given : installed);
	if (!directory)
		return -ENOMEM;
	*ret_directory = directory;
	return 0;
}

static int read_template(Templates *templates, TemplateName name, Report *report)
{
	_cleanup_free_ char *path = NULL;
	int r;

	if (asprintf(&path, "%s/%s", templates->directory, file_names[name]) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	r = read_file(path, TEMPLATE_SIZE_MAX, &templates->texts[name]);
	if (r == -ENOENT)
		return report_error(report, "ryuso-gen: the template %s is missing: looked for %s; nothing is written",
				    file_names[name], path);
	return r < 0 ? report_errno(report, "read the template", path, r) : 0;
}

int templates_open(const char *given, Templates *ret, Report *report)
{
	int result;

	result = templates_find(given, &ret->directory, report);
	if (result < 0)
		return result;
	for (unsigned i = 0; i < TEMPLATE_NAME_MAX; i++) {
		int r = read_template(ret, i, report);

		if (r < 0)
			result = r;
	}
	return result;
}

int templates_render(const Templates *templates, TemplateName name, const Fields *fields, Buffer *buffer,
		     Report *report)
{
	const Buffer *text = &templates->texts[name];
	TemplateError error;
	int r;

	r = template_render((const char *)text->data, text->size, fields, buffer, &error);
	if (r == -EBADMSG)
		return report_error(report, "%s/%s:%u: %s; nothing is written", templates->directory, file_names[name],
				    error.line, error.message);
	return r;
}
