/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gen/template.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define NAME_SIZE 64

typedef enum TokenKind {
	TOKEN_TEXT,
	TOKEN_NAME,     /* {{name}} */
	TOKEN_SECTION,  /* {{#name}} */
	TOKEN_INVERTED, /* {{^name}} */
	TOKEN_END,      /* {{/name}} */
	TOKEN_COMMENT,  /* {{! … }} */
} TokenKind;

typedef struct Token {
	TokenKind kind;
	unsigned line;
	const char *text; /* TEXT: borrowed from the template */
	size_t size;
	char name[NAME_SIZE];
	size_t end; /* SECTION, INVERTED: the index of their END */
} Token;

typedef struct Template {
	const char *at;
	const char *end;
	unsigned line;
	Token *tokens;
	size_t n;
	size_t capacity;
	TemplateError *error;
} Template;

static int bad(TemplateError *error, unsigned line, const char *format, ...) _printf_(3, 4);

static int bad(TemplateError *error, unsigned line, const char *format, ...)
{
	va_list arguments;

	error->line = line;
	va_start(arguments, format);
	vsnprintf(error->message, sizeof(error->message), format, arguments);
	va_end(arguments);
	return -EBADMSG;
}

static Token *add_token(Template *template, TokenKind kind)
{
	if (template->n == template->capacity) {
		size_t wanted = template->capacity ? 2 * template->capacity : 64;
		Token *grown = reallocarray(template->tokens, wanted, sizeof(Token));

		if (!grown)
			return NULL;
		template->tokens = grown;
		template->capacity = wanted;
	}
	template->tokens[template->n] = (Token){ .kind = kind, .line = template->line };
	return &template->tokens[template->n++];
}

static int add_text(Template *template, const char *text, size_t size)
{
	Token *token;

	if (size == 0)
		return 0;
	token = add_token(template, TOKEN_TEXT);
	if (!token)
		return -ENOMEM;
	token->text = text;
	token->size = size;
	return 0;
}

static TokenKind kind_of(char sigil)
{
	switch (sigil) {
	case '#':
		return TOKEN_SECTION;
	case '^':
		return TOKEN_INVERTED;
	case '/':
		return TOKEN_END;
	case '!':
		return TOKEN_COMMENT;
	default:
		return TOKEN_NAME;
	}
}

static bool name_is_good(const char *name, size_t size)
{
	return size > 0 && size < NAME_SIZE && strspn(name, "abcdefghijklmnopqrstuvwxyz_") >= size;
}

/* From "{{" to "}}", which follows at \p close. */
static int add_tag(Template *template, const char *close)
{
	const char *text = template->at + 2;
	TokenKind kind = kind_of(*text);
	Token *token;

	if (kind != TOKEN_NAME)
		text++;
	if (kind != TOKEN_COMMENT && !name_is_good(text, (size_t)(close - text)))
		return bad(template->error, template->line,
			   "expected a name of small letters between {{ and }}; got \"%.*s\"",
			   (int)MIN(close - text, 64), text);
	token = add_token(template, kind);
	if (!token)
		return -ENOMEM;
	if (kind != TOKEN_COMMENT)
		memcpy(token->name, text, (size_t)(close - text));
	return 0;
}

/* If what begins at \p open and ends at \p close is alone on its line: how much before it is blank, and where the line
 * ends. */
static bool alone(const Template *template, const char *begin, const char *open, const char *close, size_t *ret_blank,
		  const char **ret_next)
{
	const char *before = open;
	const char *after = close;

	while (before > begin && (before[-1] == ' ' || before[-1] == '\t'))
		before--;
	while (after < template->end && (*after == ' ' || *after == '\t'))
		after++;
	if ((before > begin && before[-1] != '\n') || (after < template->end && *after != '\n'))
		return false;
	*ret_blank = (size_t)(open - before);
	*ret_next = after < template->end ? after + 1 : after;
	return true;
}

static void count_lines(Template *template, const char *from, const char *to)
{
	for (; from < to; from++)
		template->line += *from == '\n';
}

/* The text up to \p open, the tag there, and the rest of its line where the tag is alone on it. */
static int take_tag(Template *template, const char *begin, const char *open)
{
	const char *close = memmem(open, (size_t)(template->end - open), "}}", 2);
	const char *newline = memchr(open, '\n', (size_t)(template->end - open));
	const char *next;
	size_t blank = 0;
	int r;

	if (!close || (newline && newline < close)) {
		count_lines(template, template->at, open);
		return bad(template->error, template->line, "expected }} on the same line as its {{");
	}
	next = close + 2;
	if (kind_of(open[2]) != TOKEN_NAME)
		alone(template, begin, open, close + 2, &blank, &next);
	r = add_text(template, template->at, (size_t)(open - template->at) - MIN(blank, (size_t)(open - template->at)));
	if (r < 0)
		return r;
	count_lines(template, template->at, open);
	template->at = open;
	r = add_tag(template, close);
	if (r < 0)
		return r;
	count_lines(template, open, next);
	template->at = next;
	return 0;
}

static int tokenize(Template *template)
{
	const char *begin = template->at;

	for (;;) {
		size_t left = (size_t)(template->end - template->at);
		const char *open = memmem(template->at, left, "{{", 2);
		int r;

		if (!open)
			return add_text(template, template->at, left);
		r = take_tag(template, begin, open);
		if (r < 0)
			return r;
	}
}

static int match_sections(Template *template)
{
	size_t open[TEMPLATE_DEPTH_MAX];
	unsigned depth = 0;

	for (size_t i = 0; i < template->n; i++) {
		Token *token = &template->tokens[i];

		if (token->kind == TOKEN_SECTION || token->kind == TOKEN_INVERTED) {
			if (depth == TEMPLATE_DEPTH_MAX)
				return bad(template->error, token->line, "sections are nested deeper than %u",
					   TEMPLATE_DEPTH_MAX);
			open[depth++] = i;
		} else if (token->kind == TOKEN_END) {
			if (depth == 0)
				return bad(template->error, token->line, "{{/%s}} ends a section that was not begun",
					   token->name);
			if (strcmp(template->tokens[open[--depth]].name, token->name) != 0)
				return bad(template->error, token->line, "expected {{/%s}}; got {{/%s}}",
					   template->tokens[open[depth]].name, token->name);
			template->tokens[open[depth]].end = i;
		}
	}
	if (depth > 0)
		return bad(template->error, template->tokens[open[depth - 1]].line, "{{#%s}} is never ended",
			   template->tokens[open[depth - 1]].name);
	return 0;
}

static int render(const Template *template, size_t from, size_t to, const Fields *fields, Buffer *buffer);

static int render_name(const Template *template, const Token *token, const Fields *fields, Buffer *buffer)
{
	const Field *field = fields_find(fields, token->name);

	if (!field)
		return bad(template->error, token->line, "there is no field {{%s}} here", token->name);
	if (field->kind != FIELD_TEXT)
		return bad(template->error, token->line, "{{%s}} is no text: it opens a section", token->name);
	buffer_text(buffer, field->text);
	return 0;
}

static int render_section(const Template *template, size_t at, const Fields *fields, Buffer *buffer)
{
	const Token *token = &template->tokens[at];
	const Field *field = fields_find(fields, token->name);
	bool inverted = token->kind == TOKEN_INVERTED;
	bool on;

	if (!field)
		return bad(template->error, token->line, "there is no field {{#%s}} here", token->name);
	if (field->kind == FIELD_TEXT)
		return bad(template->error, token->line, "{{#%s}} is a text: it opens no section", token->name);
	on = field->kind == FIELD_FLAG ? field->flag : field->n_items > 0;
	if (on == inverted)
		return 0;
	if (inverted || field->kind == FIELD_FLAG)
		return render(template, at + 1, token->end, fields, buffer);
	for (size_t i = 0; i < field->n_items; i++) {
		int r = render(template, at + 1, token->end, field->items[i], buffer);

		if (r < 0)
			return r;
	}
	return 0;
}

static int render(const Template *template, size_t from, size_t to, const Fields *fields, Buffer *buffer)
{
	for (size_t i = from; i < to; i++) {
		const Token *token = &template->tokens[i];
		int r = 0;

		if (token->kind == TOKEN_TEXT)
			buffer_append(buffer, token->text, token->size);
		else if (token->kind == TOKEN_NAME)
			r = render_name(template, token, fields, buffer);
		else if (token->kind == TOKEN_SECTION || token->kind == TOKEN_INVERTED)
			r = render_section(template, i, fields, buffer);
		if (r < 0)
			return r;
		if (token->kind == TOKEN_SECTION || token->kind == TOKEN_INVERTED)
			i = token->end;
	}
	return buffer_error(buffer);
}

int template_render(const char *text, size_t size, const Fields *fields, Buffer *buffer, TemplateError *error)
{
	Template template = { .at = text, .end = text + size, .line = 1, .error = error };
	int r;

	r = fields_error(fields);
	if (r == 0)
		r = tokenize(&template);
	if (r == 0)
		r = match_sections(&template);
	if (r == 0)
		r = render(&template, 0, template.n, fields, buffer);
	free(template.tokens);
	return r;
}
