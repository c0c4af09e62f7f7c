/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gen/identifiers.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "spec/locate.h"

/* What was expected instead, or NULL where \p name can be a member. */
static const char *member_fault(const char *name)
{
	if (name[0] == '_' && (name[1] == '_' || (name[1] >= 'A' && name[1] <= 'Z')))
		return "a name that C does not reserve for itself, as it does those that begin with \"__\" or '_' and a "
		       "capital";
	if (strcmp(name, "int64_t") == 0)
		return "a name that is not the type of other arguments in C";
	return NULL;
}

static int report_member(const SpecHook *hook, const char *name, const char *expected, const SpecText *source,
			 Report *report)
{
	_cleanup_free_ char *path = NULL;
	LocatePlace place;
	unsigned line = 1, column = 1;

	if (asprintf(&path, "/hooks/%s/args/%s", hook->name, name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	if (locate_find(source->text, source->size, path, &place) == 0)
		json_position(source->text, place.name, &line, &column);
	report_error(report, "%s:%u:%u: %s: expected %s; got \"%s\"", source->file, line, column, path, expected, name);
	return 0;
}

static int check_members(const SpecHook *hook, const SpecText *source, Report *report)
{
	for (size_t i = 0; i < hook->args.n; i++) {
		const char *name = hook->args.items[i].name;
		const char *expected = member_fault(name);
		int r = expected ? report_member(hook, name, expected, source, report) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

int identifiers_check(const Spec *spec, const SpecText *source, Report *report)
{
	unsigned before = report->n_errors;

	for (size_t i = 0; i < spec->n_functions; i++) {
		int r = check_members(spec->functions[i].hook, source, report);

		if (r < 0)
			return r;
	}
	return report->n_errors > before ? -EBADMSG : 0;
}
