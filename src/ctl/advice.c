/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/advice.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "ctl/member.h"

typedef enum Situation {
	SITUATION_PENDING = 1U << 0,      /* queued or running */
	SITUATION_MODULE_HERE = 1U << 1,  /* parked, and the build it is pinned to can be had */
	SITUATION_MODULE_NEW = 1U << 2,   /* parked, and another build is in use now */
	SITUATION_BACK = 1U << 3,         /* parked on its way back */
	SITUATION_IRREVERSIBLE = 1U << 4, /* parked before the way back, because of a step that nothing undoes */
} Situation;

typedef struct Advice {
	unsigned when;   /* any of these */
	unsigned unless; /* none of these */
	const char *verb;
	const char *options; /* after the run, and the step where it takes one */
	bool step;
	const char *does;
} Advice;

static const Advice advices[] = {
	{ SITUATION_PENDING, 0, "wait", "", false, "wait for its end" },
	{ SITUATION_PENDING, 0, "cancel", "", false, "stop it, and have undone what it has done" },
	{ SITUATION_MODULE_HERE, SITUATION_IRREVERSIBLE, "retry", "", false,
	  "go on where it stopped, when the cause is removed" },
	{ SITUATION_MODULE_NEW, 0, "retry", " --current-module", false,
	  "go on with the module that is installed now, if it fits" },
	{ SITUATION_IRREVERSIBLE, 0, "confirm", " --reason=TEXT", true, "it took effect as it should: go on forwards" },
	{ SITUATION_BACK | SITUATION_IRREVERSIBLE, 0, "skip", " --reason=TEXT", true,
	  "leave it as it is, and undo those before it" },
	{ SITUATION_BACK | SITUATION_IRREVERSIBLE, 0, "skip", " --undone-by-hand --reason=TEXT", true,
	  "the same, when nothing of it remains: you have undone it yourself" },
};

static ErrorCode park_code(struct json_object *result)
{
	const char *name = member_text(member(result, "parked"), "name");

	return name ? error_from_name(name) : ERROR_NONE;
}

static unsigned find_situation(struct json_object *result)
{
	const char *status = member_text(result, "status");
	struct json_object *next = member_list(result, "next"), *module = member(result, "module");
	ErrorCode code = park_code(result);
	unsigned situation = 0;

	if (status && (strcmp(status, "queued") == 0 || strcmp(status, "running") == 0))
		return SITUATION_PENDING;
	if (!status || strcmp(status, "parked") != 0)
		return 0;
	if (member_bool(module, "available"))
		situation |= SITUATION_MODULE_HERE;
	if (!member_bool(module, "current"))
		situation |= SITUATION_MODULE_NEW;
	if (code == ERROR_IRREVERSIBLE)
		situation |= SITUATION_IRREVERSIBLE;
	else if (next ? member_bool(json_object_array_get_idx(next, 0), "rectifying") : code == ERROR_RECTIFIER_FAILED)
		situation |= SITUATION_BACK;
	return situation;
}

/** \brief What to look at before anything is decided. */
static const char *find_warning(ErrorCode code)
{
	static const struct {
		ErrorCode code;
		const char *sentence;
	} warnings[] = {
		{ ERROR_STORE_MOVED,
		  "The store may be a copy or a restored backup: first make sure that this run was not "
		  "ended elsewhere." },
		{ ERROR_DAMAGED, "Records of this run are damaged: first compare what it says with what is really "
				 "there." },
		{ ERROR_IRREVERSIBLE, "Find out whether the irreversible step took effect, then say which:" },
	};

	for (size_t i = 0; i < ELEMENTSOF(warnings); i++)
		if (warnings[i].code == code)
			return warnings[i].sentence;
	return NULL;
}

static void write_advice(const Ctl *ctl, const Advice *advice, const char *run, int64_t step, Buffer *text)
{
	_cleanup_buffer_ Buffer words = {};
	_cleanup_free_ char *command = NULL;

	buffer_format(&words, "%s %s", advice->verb, run);
	if (advice->step)
		buffer_format(&words, " %" PRIi64, step);
	buffer_text(&words, advice->options);
	command = buffer_take_text(&words);
	buffer_text(text, "  ");
	ctl_command(ctl, command ? command : advice->verb, text);
	buffer_text(text, "\n      ");
	if (advice->step)
		buffer_format(text, "step %" PRIi64 ": ", step);
	buffer_format(text, "%s\n", advice->does);
}

void advice_write(const Ctl *ctl, struct json_object *result, Buffer *text)
{
	const char *run = member_text(result, "run"), *warning = find_warning(park_code(result));
	int64_t step = member_int(member(result, "parked"), "step");
	unsigned situation = find_situation(result);

	if (situation == 0 || !run)
		return;
	buffer_text(text, "\nWhat you can do:\n");
	if (warning && !(situation & SITUATION_PENDING))
		buffer_format(text, "  %s\n", warning);
	for (size_t i = 0; i < ELEMENTSOF(advices); i++)
		if (advices[i].when & situation && !(advices[i].unless & situation))
			write_advice(ctl, &advices[i], run, step, text);
}
