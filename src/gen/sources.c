/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gen/sources.h"

#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"

#define SOURCE_SIZE_MAX (64U << 20)

void sources_done(Sources *sources)
{
	for (size_t i = 0; i < sources->n; i++) {
		free(sources->items[i].symbol);
		free(sources->items[i].file);
	}
	free(sources->items);
}

/* A place in a file's text. */
typedef struct Cursor {
	const char *at;
	const char *end;
	unsigned line;
	bool line_start; /* nothing but blanks so far on this line */
} Cursor;

static bool is_letter(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_';
}

static bool is_word(char byte)
{
	return is_letter(byte) || (byte >= '0' && byte <= '9');
}

static void advance(Cursor *cursor, size_t n)
{
	for (; n > 0 && cursor->at < cursor->end; n--) {
		if (*cursor->at == '\n') {
			cursor->line++;
			cursor->line_start = true;
		}
		cursor->at++;
	}
}

static bool begins(const Cursor *cursor, const char *with)
{
	size_t size = strlen(with);

	return (size_t)(cursor->end - cursor->at) >= size && memcmp(cursor->at, with, size) == 0;
}

static void skip_past(Cursor *cursor, const char *what)
{
	while (cursor->at < cursor->end && !begins(cursor, what))
		advance(cursor, 1);
	advance(cursor, strlen(what));
}

/* To the end of the line, over lines that a backslash joins to it. */
static void skip_line(Cursor *cursor)
{
	while (cursor->at < cursor->end && *cursor->at != '\n')
		advance(cursor, begins(cursor, "\\\n") ? 2 : 1);
}

static void skip_literal(Cursor *cursor, char quote)
{
	advance(cursor, 1);
	while (cursor->at < cursor->end && *cursor->at != quote && *cursor->at != '\n')
		advance(cursor, *cursor->at == '\\' ? 2 : 1);
	if (cursor->at < cursor->end && *cursor->at == quote)
		advance(cursor, 1);
}

/* Over what is no code: true where something was skipped. */
static bool skip_aside(Cursor *cursor)
{
	char byte = *cursor->at;

	if (begins(cursor, "/*")) {
		advance(cursor, 2);
		skip_past(cursor, "*/");
	} else if (begins(cursor, "//") || (byte == '#' && cursor->line_start)) {
		skip_line(cursor);
	} else if (byte == '"' || byte == '\'') {
		skip_literal(cursor, byte);
	} else if (byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r' || byte == '\f' || byte == '\v') {
		advance(cursor, 1);
	} else {
		return false;
	}
	return true;
}

/* The next token: its first byte is at the cursor. False at the end. */
static bool next_token(Cursor *cursor)
{
	while (cursor->at < cursor->end)
		if (!skip_aside(cursor))
			return true;
	return false;
}

/* The length of the token at the cursor: a word, or one byte. */
static size_t token_size(const Cursor *cursor)
{
	size_t n = 1;

	if (is_word(*cursor->at))
		while (cursor->at + n < cursor->end && is_word(cursor->at[n]))
			n++;
	return n;
}

static void skip_token(Cursor *cursor)
{
	cursor->line_start = false;
	advance(cursor, token_size(cursor));
}

/* A parenthesis that is open, and the name before it, if there is one. */
typedef struct Open {
	const char *word;
	size_t size;
	unsigned line;
	bool hook;
} Open;

#define OPEN_MAX 64U

/* Whether the word at the cursor is that of \p open with "_args" behind it. */
static bool is_args_of(const Cursor *cursor, const Open *open)
{
	return open->word && token_size(cursor) == open->size + strlen("_args") &&
	       memcmp(cursor->at, open->word, open->size) == 0 &&
	       memcmp(cursor->at + open->size, "_args", strlen("_args")) == 0;
}

static int add_definition(Sources *sources, const char *file, const char *symbol, size_t size, unsigned line, bool hook)
{
	Definition definition = { .line = line, .hook = hook };

	if (sources->n == sources->capacity) {
		size_t wanted = sources->capacity ? 2 * sources->capacity : 64;
		Definition *grown = reallocarray(sources->items, wanted, sizeof(Definition));

		if (!grown)
			return -ENOMEM;
		sources->items = grown;
		sources->capacity = wanted;
	}
	definition.symbol = strndup(symbol, size);
	definition.file = strdup(file);
	if (!definition.symbol || !definition.file) {
		free(definition.symbol);
		free(definition.file);
		return -ENOMEM;
	}
	sources->items[sources->n++] = definition;
	return 0;
}

/* \p word is the token before the one at the cursor. Returns whether a definition's name and parameters have just been
 * gone through: they are then in \p open[*n]. */
static bool take_token(const Cursor *cursor, const Cursor *word, Open *open, unsigned *n)
{
	switch (*cursor->at) {
	case '(':
		if (*n == OPEN_MAX)
			*n = 0; /* nothing that a definition looks like */
		open[*n] = (Open){ .line = word->line };
		if (word->at && is_letter(*word->at)) {
			open[*n].word = word->at;
			open[*n].size = token_size(word);
		}
		++*n;
		return false;
	case ')':
		if (*n > 0)
			--*n;
		return false;
	case '{':
		return word->at && *word->at == ')' && *n == 0 && open[0].word;
	case ';':
		*n = 0;
		return false;
	default:
		if (*n > 0)
			open[*n - 1].hook |= is_args_of(cursor, &open[*n - 1]);
		return false;
	}
}

int sources_scan_text(Sources *sources, const char *file, const char *text, size_t size)
{
	Cursor cursor = { .at = text, .end = text + size, .line = 1, .line_start = true };
	Cursor before = { .end = text + size };
	Open open[OPEN_MAX] = { 0 };
	unsigned n = 0;

	while (next_token(&cursor)) {
		if (take_token(&cursor, &before, open, &n)) {
			int r = add_definition(sources, file, open[0].word, open[0].size, open[0].line, open[0].hook);

			if (r < 0)
				return r;
		}
		if (*cursor.at == '{' || *cursor.at == '}')
			n = 0;
		before = cursor;
		skip_token(&cursor);
	}
	return 0;
}

static int compare_definitions(const void *a, const void *b)
{
	return strcmp(((const Definition *)a)->symbol, ((const Definition *)b)->symbol);
}

const Definition *sources_find(const Sources *sources, const char *symbol)
{
	const Definition key = { .symbol = (char *)symbol };

	if (sources->n == 0)
		return NULL;
	return bsearch(&key, sources->items, sources->n, sizeof(Definition), compare_definitions);
}

static bool is_source(const FTSENT *entry)
{
	struct stat st;

	if (entry->fts_namelen <= 2 || strcmp(entry->fts_name + entry->fts_namelen - 2, ".c") != 0)
		return false;
	return entry->fts_info == FTS_F ||
	       (entry->fts_info == FTS_SL && stat(entry->fts_accpath, &st) == 0 && S_ISREG(st.st_mode));
}

static int scan_entry(Sources *sources, const char *directory, const FTSENT *entry, Report *report)
{
	const char *file = entry->fts_path + strlen(directory) + 1;
	_cleanup_buffer_ Buffer text = { 0 };
	int r;

	if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR)
		return report_errno(report, "read", entry->fts_path, -entry->fts_errno);
	if (!is_source(entry))
		return 0;
	r = read_file(entry->fts_accpath, SOURCE_SIZE_MAX, &text);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return report_errno(report, "read", entry->fts_path, r);
	return sources_scan_text(sources, file, (const char *)text.data, text.size);
}

static int compare_entries(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

int sources_scan(const char *directory, Sources *ret, Report *report)
{
	_cleanup_free_ char *root = NULL;
	FTSENT *entry;
	int r = 0;
	FTS *tree;

	if (asprintf(&root, "%s/hooks", directory) < 0) {
		root = NULL;
		return -ENOMEM;
	}
	if (access(root, F_OK) < 0 && errno == ENOENT)
		return 0;
	tree = fts_open((char *[]){ root, NULL }, FTS_PHYSICAL | FTS_NOCHDIR, compare_entries);
	if (!tree)
		return -errno;
	while (r == 0 && (entry = fts_read(tree)))
		r = scan_entry(ret, directory, entry, report);
	fts_close(tree);
	if (r == 0 && ret->n > 1)
		qsort(ret->items, ret->n, sizeof(Definition), compare_definitions);
	return r;
}
