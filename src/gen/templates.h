/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the templates are, and what they say: all are read before any is filled in. The directory is the one that was
 * given; else, for a program that runs in its build tree, templates/ of the source tree; else the installed one. */
#pragma once

#include "gen/fields.h"
#include "gen/report.h"

typedef enum TemplateName {
	TEMPLATE_MODULE_HEADER,
	TEMPLATE_MODULE_SOURCE,
	TEMPLATE_HOOKS,
	TEMPLATE_STUB,
	TEMPLATE_MAKEFILE,
	TEMPLATE_NAME_MAX,
} TemplateName;

typedef struct Templates {
	char *directory;
	Buffer texts[TEMPLATE_NAME_MAX];
} Templates;

void templates_done(Templates *templates);
#define _cleanup_templates_ _cleanup_(templates_done)

/** \brief Finds the directory. \p given: --templates, or NULL. -EBADMSG (reported: where it was looked for), -ENOMEM.
 */
int templates_find(const char *given, char **ret_directory, Report *report);
/** \brief Finds the directory and reads the templates. */
int templates_open(const char *given, Templates *ret, Report *report);
/** \brief Appends a template filled in. -EBADMSG (reported), -ENOMEM. */
int templates_render(const Templates *templates, TemplateName name, const Fields *fields, Buffer *buffer,
		     Report *report);
