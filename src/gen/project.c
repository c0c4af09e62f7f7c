/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gen/project.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/io.h"
#include "base/text.h"
#include "gen/author.h"
#include "gen/files.h"
#include "gen/identifiers.h"
#include "gen/makefile.h"
#include "gen/model.h"
#include "gen/templates.h"
#include "spec/load.h"

/* A spec that has no errors, and all that its files are rendered from. */
typedef struct Project {
	Buffer text;
	Spec *spec;
	Templates templates;
	Fields *model;
} Project;

static void project_done(Project *project)
{
	fields_free(project->model);
	templates_done(&project->templates);
	spec_free(project->spec);
	buffer_done(&project->text);
}
#define _cleanup_project_ _cleanup_(project_done)

static void report_issues(const SpecIssues *issues, const char *file, Report *report)
{
	for (size_t i = 0; i < issues->n; i++) {
		_cleanup_buffer_ Buffer line = { 0 };
		_cleanup_free_ char *text = NULL;

		spec_issue_format(&issues->items[i], file, &line);
		text = buffer_take_text(&line);
		if (!text)
			report->lines.failed = true;
		else if (issues->items[i].warning)
			report_line(report, "%s", text);
		else
			report_error(report, "%s", text);
	}
	if (issues->dropped > 0)
		report_line(report, "%s: and %zu more", file, issues->dropped);
}

static int read_spec(Project *project, const char *file, Report *report)
{
	_cleanup_spec_issues_ SpecIssues issues = { 0 };
	SpecText source = { .file = file };
	int r;

	r = read_file(file, SPEC_SIZE_MAX, &project->text);
	if (r == -EFBIG)
		return report_error(report, "ryuso-gen: %s: expected a spec of at most %u bytes; got more", file,
				    SPEC_SIZE_MAX);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return report_errno(report, "read the spec", file, r);
	source.text = (const char *)project->text.data;
	source.size = project->text.size;
	r = spec_load(source.text, source.size, &project->spec, &issues);
	report_issues(&issues, file, report);
	if (r < 0)
		return r;
	return identifiers_check(project->spec, &source, report);
}

static int open_project(Project *project, const Options *options, Report *report)
{
	int r;

	r = read_spec(project, options->spec, report);
	if (r == -EBADMSG)
		report_line(report, "ryuso-gen: the spec has errors: nothing is written");
	if (r < 0)
		return r;
	r = templates_open(options->templates, &project->templates, report);
	if (r < 0)
		return r;
	return model_new(project->spec, (const char *)project->text.data, project->text.size, &project->model);
}

static int add_rendered(Files *files, const Project *project, TemplateName template, FileKind kind, const char *path,
			Report *report)
{
	_cleanup_buffer_ Buffer content = { 0 };
	int r;

	r = templates_render(&project->templates, template, project->model, &content, report);
	if (r < 0)
		return r;
	return files_add(files, path, kind, 0666, &content);
}

static int add_generated(Files *files, const Project *project, Report *report)
{
	_cleanup_free_ char *header = NULL, *source = NULL;
	int r;

	if (asprintf(&header, "gen/%s.h", project->spec->module) < 0) {
		header = NULL;
		return -ENOMEM;
	}
	if (asprintf(&source, "gen/%s.c", project->spec->module) < 0) {
		source = NULL;
		return -ENOMEM;
	}
	r = add_rendered(files, project, TEMPLATE_MODULE_HEADER, FILE_GENERATED, header, report);
	if (r < 0)
		return r;
	return add_rendered(files, project, TEMPLATE_MODULE_SOURCE, FILE_GENERATED, source, report);
}

int project_generate(const Options *options, Report *report)
{
	_cleanup_project_ Project project = { 0 };
	_cleanup_files_ Files files = { .directory = options->directory };
	int r;

	r = open_project(&project, options, report);
	if (r == 0)
		r = add_generated(&files, &project, report);
	if (r == 0)
		r = add_rendered(&files, &project, TEMPLATE_MAKEFILE, FILE_ONCE, "Makefile", report);
	if (r == 0)
		r = author_add_hooks(project.spec, project.model, &project.templates, &files, report);
	if (r == 0)
		r = files_compare(&files, report);
	if (r == 0)
		r = makefile_check(options->directory, project.spec->module, report);
	if (r == 0)
		r = files_write(&files, report);
	return r;
}

int project_check(const Options *options, Report *report)
{
	_cleanup_project_ Project project = { 0 };
	_cleanup_files_ Files files = { .directory = options->directory };
	int r;

	r = open_project(&project, options, report);
	if (r == 0)
		r = add_generated(&files, &project, report);
	if (r == 0)
		r = files_compare(&files, report);
	if (r < 0)
		return r;
	for (size_t i = 0; i < files.n; i++)
		if (files.items[i].state != FILE_PRESENT)
			r = report_error(report, "%s: %s: run ryuso-gen", files.items[i].path,
					 files.items[i].state == FILE_MISSING ? "missing" : "stale");
	return r;
}

static int report_unknown_hook(const Spec *spec, const char *name, Report *report)
{
	_cleanup_free_ const char **names = calloc(spec->n_hooks + 1, sizeof(char *));
	const char *closest;

	if (!names)
		return -ENOMEM;
	for (size_t i = 0; i < spec->n_hooks; i++)
		names[i] = spec->hooks[i].name;
	closest = text_closest(name, names, spec->n_hooks);
	return report_error(report, "ryuso-gen: the spec has no hook \"%s\"%s%s%s", name,
			    closest ? "; did you mean \"" : "", closest ? closest : "", closest ? "\"?" : "");
}

int project_stub(const Options *options, Report *report)
{
	_cleanup_project_ Project project = { 0 };
	const SpecHook *hook;
	int r;

	r = open_project(&project, options, report);
	if (r < 0)
		return r;
	hook = spec_hook(project.spec, options->name);
	if (!hook)
		return report_unknown_hook(project.spec, options->name, report);
	if (hook->program)
		return report_error(report,
				    "ryuso-gen: hook \"%s\" stands for programs.%s: it has no function of its own",
				    hook->name, hook->program->name);
	return templates_render(&project.templates, TEMPLATE_STUB, model_function(project.model, hook->function),
				&report->output, report);
}
