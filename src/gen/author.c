/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gen/author.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "gen/model.h"
#include "gen/sources.h"

typedef struct Author {
	const Spec *spec;
	Fields *model;
	const Templates *templates;
	Files *files;
	Report *report;
	Sources sources;
	uint32_t *functions; /* that are not written yet, sorted by file */
	size_t n_functions;
} Author;

static void author_done(Author *author)
{
	sources_done(&author->sources);
	free(author->functions);
}

static int compare_files(const void *a, const void *b, void *userdata)
{
	const Spec *spec = userdata;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	int r = strcmp(spec->functions[x].file, spec->functions[y].file);

	return r ? r : x < y ? -1 : 1;
}

static int find_unwritten(Author *author)
{
	const Spec *spec = author->spec;

	author->functions = calloc(spec->n_functions + 1, sizeof(uint32_t));
	if (!author->functions)
		return -ENOMEM;
	for (uint32_t i = 0; i < spec->n_functions; i++)
		if (!sources_find(&author->sources, spec->functions[i].symbol))
			author->functions[author->n_functions++] = i;
	qsort_r(author->functions, author->n_functions, sizeof(uint32_t), compare_files, (void *)spec);
	return 0;
}

static int compare_symbols(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int report_leftovers(Author *author)
{
	const Spec *spec = author->spec;
	_cleanup_free_ const char **symbols = calloc(spec->n_functions + 1, sizeof(char *));

	if (!symbols)
		return -ENOMEM;
	for (size_t i = 0; i < spec->n_functions; i++)
		symbols[i] = spec->functions[i].symbol;
	qsort(symbols, spec->n_functions, sizeof(char *), compare_symbols);
	for (size_t i = 0; i < author->sources.n; i++) {
		const Definition *definition = &author->sources.items[i];

		if (definition->hook &&
		    !bsearch(&definition->symbol, symbols, spec->n_functions, sizeof(char *), compare_symbols))
			report_line(
				author->report,
				"%s:%u: %s() is no hook of the spec any more: the file is left alone, remove it by hand",
				definition->file, definition->line, definition->symbol);
	}
	return 0;
}

static int render_stub(const Author *author, uint32_t function, Buffer *buffer)
{
	return templates_render(author->templates, TEMPLATE_STUB, model_function(author->model, function), buffer,
				author->report);
}

static int print_stubs(const Author *author, const char *path, const uint32_t *functions, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const SpecFunction *function = &author->spec->functions[functions[i]];
		int r;

		report_line(author->report, "%s: lacks %s(): its stub follows, to be pasted there", path,
			    function->symbol);
		if (author->report->output.size > 0)
			buffer_text(&author->report->output, "\n");
		r = render_stub(author, functions[i], &author->report->output);
		if (r < 0)
			return r;
	}
	return 0;
}

static int begin_file(const Author *author, const char *path, const uint32_t *functions, size_t n)
{
	Fields *scope = fields_add(author->model, "files");
	_cleanup_buffer_ Buffer content = { 0 };
	bool has_json = false;
	int r;

	for (size_t i = 0; i < n; i++) {
		const SpecHook *hook = author->spec->functions[functions[i]].hook;
		_cleanup_buffer_ Buffer stub = { 0 };

		r = render_stub(author, functions[i], &stub);
		if (r < 0)
			return r;
		model_take(fields_add(scope, "stubs"), "stub", &stub);
		has_json |= model_has_json(&hook->args) || model_has_json(&hook->outputs);
	}
	fields_flag(scope, "file_has_json", has_json);
	r = templates_render(author->templates, TEMPLATE_HOOKS, scope, &content, author->report);
	if (r < 0)
		return r;
	return files_add(author->files, path, FILE_ONCE, 0666, &content);
}

/* The unwritten functions of one file. */
static int take_file(const Author *author, const uint32_t *functions, size_t n)
{
	const char *file = author->spec->functions[functions[0]].file;
	_cleanup_free_ char *path = NULL, *place = NULL;
	struct stat st;

	if (asprintf(&path, "hooks/%s", file) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	if (asprintf(&place, "%s/%s", author->files->directory, path) < 0) {
		place = NULL;
		return -ENOMEM;
	}
	if (lstat(place, &st) == 0 && !S_ISDIR(st.st_mode))
		return print_stubs(author, path, functions, n);
	return begin_file(author, path, functions, n);
}

static int take_files(const Author *author)
{
	const Spec *spec = author->spec;
	int r = 0;

	for (size_t from = 0, to; r == 0 && from < author->n_functions; from = to) {
		const char *file = spec->functions[author->functions[from]].file;

		for (to = from + 1; to < author->n_functions; to++)
			if (strcmp(spec->functions[author->functions[to]].file, file) != 0)
				break;
		r = take_file(author, author->functions + from, to - from);
	}
	return r;
}

int author_add_hooks(const Spec *spec, Fields *model, const Templates *templates, Files *files, Report *report)
{
	_cleanup_(author_done) Author author = {
		.spec = spec, .model = model, .templates = templates, .files = files, .report = report
	};
	int r;

	r = sources_scan(files->directory, &author.sources, report);
	if (r == 0)
		r = find_unwritten(&author);
	if (r == 0)
		r = report_leftovers(&author);
	if (r == 0)
		r = take_files(&author);
	return r;
}
