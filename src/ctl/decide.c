/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "ctl/call.h"
#include "ctl/decision.h"
#include "ctl/exit.h"
#include "ctl/hint.h"
#include "ctl/lookup.h"
#include "ctl/member.h"
#include "ctl/show.h"
#include "ctl/verb.h"
#include "ctl/wait.h"

#define STEP_MAX 1000000 /* more than any plan has */

static int put(Ctl *ctl, Buffer *text)
{
	if (buffer_error(text) < 0)
		return ctl_complain_errno(ctl, -ENOMEM);
	ctl_put(ctl, text);
	return EXIT_SUCCEEDED;
}

/** \brief The decision is taken and its outcome not waited for. */
static int show_taken(Ctl *ctl, const Decision *decision, struct json_object *result)
{
	_cleanup_buffer_ Buffer text = {};

	if (ctl->options.json != JSON_STYLE_NONE) {
		output_json(result, ctl->options.json, &text);
		return put(ctl, &text);
	}
	buffer_format(&text, "'%s' is recorded, and %s goes on\n", decision->verb, decision->run);
	if (ctl->options.legend) {
		buffer_format(&text, "  %-8s see how it ends:  ", "next");
		hint_write_command(ctl, "wait", decision->run, &text);
		buffer_text(&text, "\n");
	}
	return put(ctl, &text);
}

/** \brief Has the decision taken, and shows what became of the run. */
static int decide(Ctl *ctl, Decision *decision)
{
	_cleanup_json_ struct json_object *result = NULL;
	int r;

	r = decision_take(ctl, decision, &result);
	if (r != 0)
		return r;
	if (ctl->options.given & OPTION_NO_WAIT)
		return show_taken(ctl, decision, result);
	if (!ctl->options.quiet && ctl->options.json == JSON_STYLE_NONE)
		ctl_complain(ctl, 0, "'%s' is recorded; waiting for the end of the run", decision->verb);
	return wait_run(ctl, decision->run, NULL);
}

static int show_dry_run(Ctl *ctl, const Decision *decision)
{
	_cleanup_json_ struct json_object *result = NULL;
	_cleanup_buffer_ Buffer text = {};
	int r;

	r = decision_try(ctl, decision, &result);
	if (r != 0)
		return r;
	if (ctl->options.json != JSON_STYLE_NONE) {
		output_json(result, ctl->options.json, &text);
		return put(ctl, &text);
	}
	buffer_format(&text, "run %s stands at step %" PRIi64 "; nothing was changed\nmodule ", decision->run,
		      member_int(result, "step"));
	show_write_module(member_typed(result, "module", json_type_object), &text);
	if (member_length(member_list(result, "next")) == 0)
		buffer_text(&text, "\nA retry calls nothing.\n");
	r = show_write_next(ctl, result, &text);
	return r < 0 ? ctl_complain_errno(ctl, r) : put(ctl, &text);
}

static int verb_retry(Ctl *ctl, char *const *arguments, size_t n)
{
	_cleanup_decision_ Decision decision = { .verb = "retry" };
	int r;

	(void)n;
	r = lookup_run(ctl, arguments[0], LOOKUP_PARKED, &decision.run);
	if (r == 0)
		r = decision_look(ctl, &decision);
	if (r != 0)
		return r;
	return ctl->options.given & OPTION_DRY_RUN ? show_dry_run(ctl, &decision) : decide(ctl, &decision);
}

/** \brief The number, or 0: that is none, and said. */
static int64_t parse_step(const Ctl *ctl, const char *word)
{
	_cleanup_buffer_ Buffer message = {};
	char *end;
	long step = strtol(word, &end, 10);

	if (word[0] >= '0' && word[0] <= '9' && *end == '\0' && step > 0 && step <= STEP_MAX)
		return step;
	buffer_text(&message, "expected STEP, the number of the step at which the run stands; got ");
	output_quote(word, &message);
	ctl_complain_text(ctl, EXIT_USAGE, &message);
	return 0;
}

/** \brief What takes a run, a step and a reason. */
static int decide_step(Ctl *ctl, const char *verb, char *const *arguments)
{
	_cleanup_decision_ Decision decision = { .verb = verb };
	int64_t step = parse_step(ctl, arguments[1]);
	int r;

	if (step == 0)
		return EXIT_USAGE;
	if (!ctl->options.reason)
		return ctl_complain(ctl, EXIT_USAGE, "expected --reason=TEXT: '%s' is recorded with its reason", verb);
	r = lookup_run(ctl, arguments[0], LOOKUP_PARKED, &decision.run);
	if (r == 0)
		r = decision_look(ctl, &decision);
	if (r != 0)
		return r;
	decision.step = step;
	return decide(ctl, &decision);
}

static int verb_skip(Ctl *ctl, char *const *arguments, size_t n)
{
	(void)n;
	return decide_step(ctl, "skip", arguments);
}

static int verb_confirm(Ctl *ctl, char *const *arguments, size_t n)
{
	(void)n;
	return decide_step(ctl, "confirm", arguments);
}

#define OUTCOME_DETAILS "     --no-wait            end when the decision is recorded, not when the run has ended\n"
#define REASON_DETAILS "     --reason=TEXT        why; recorded with the decision, and needed\n"

static const Verb verbs[] = {
	{ "retry", 1, 1, OPTION_DRY_RUN | OPTION_CURRENT_MODULE | OPTION_NO_WAIT | OPTION_REASON, verb_retry, "RUN",
	  "Have a parked run go on where it stopped",
	  "     --dry-run            show what would be called, and change nothing\n"
	  "     --current-module     go on with the module of now instead of the build it began with\n"
	  "     --reason=TEXT        why; recorded with the decision\n" OUTCOME_DETAILS },
	{ "skip", 2, 2, OPTION_UNDONE_BY_HAND | OPTION_NO_WAIT | OPTION_REASON, verb_skip, "RUN STEP",
	  "Leave the step at which a run is parked, and go on",
	  "     --undone-by-hand     nothing of the step remains: somebody has undone it\n" REASON_DETAILS
		  OUTCOME_DETAILS },
	{ "confirm", 2, 2, OPTION_NO_WAIT | OPTION_REASON, verb_confirm, "RUN STEP",
	  "Say that an irreversible step took effect, and go on", REASON_DETAILS OUTCOME_DETAILS },
};

const VerbGroup decide_verbs = { "Deciding about parked runs", verbs, ELEMENTSOF(verbs) };
