/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/verb.h"

#include <string.h>

#include "base/text.h"
#include "ctl/exit.h"

#define VERBS_MAX 64U

static const VerbGroup *const groups[] = { &run_verbs,    &runs_verbs, &look_verbs,  &parked_verbs,
					   &decide_verbs, &hold_verbs, &reload_verbs };

static const char common_options[] =
	"Options:\n"
	"  -I --instance=NAME      the service ryuso@NAME, instead of plain ryuso\n"
	"     --user               the one that your own service manager runs\n"
	"     --socket=PATH        this socket (default: $RYUSO_SOCKET, else " RYUSO_RUNDIR "/ryuso/ryuso.sock)\n"
	"     --timeout=SECONDS    how long to wait for the answer (default: as long as it takes)\n"
	"     --json[=pretty|short]  the answer as JSON\n"
	"     --no-pager           never through a pager\n"
	"     --no-legend          tables without headings and footers\n"
	"  -q --quiet              nothing on standard output; the exit status tells\n"
	"  -h --help               this help; after a verb, that verb's\n"
	"     --version            the version\n";

static const Verb *find(const char *name)
{
	for (size_t g = 0; g < ELEMENTSOF(groups); g++)
		for (size_t i = 0; i < groups[g]->n; i++)
			if (strcmp(groups[g]->verbs[i].name, name) == 0)
				return &groups[g]->verbs[i];
	return NULL;
}

static void print_all(void)
{
	printf("ryusoctl [OPTION…] VERB [ARGUMENT…]\n\nAsks a ryuso daemon to run programs, and about itself.\n");
	for (size_t g = 0; g < ELEMENTSOF(groups); g++) {
		printf("\n%s:\n", groups[g]->title);
		for (size_t i = 0; i < groups[g]->n; i++)
			printf("  %-22s  %s\n", groups[g]->verbs[i].name, groups[g]->verbs[i].summary);
	}
	printf("\n%s\nExit status: 0 succeeded, 1 rectified, 2 parked, 3 refused, 4 settled, 64 usage, 69 no daemon,\n"
	       "75 outcome unknown, 77 not allowed. See ryusoctl(1).\n",
	       common_options);
}

static void print_verb(const Verb *verb)
{
	printf("ryusoctl [OPTION…] %s%s%s\n\n%s\n", verb->name, verb->usage[0] ? " " : "", verb->usage, verb->summary);
	if (verb->details)
		printf("\n%s", verb->details);
	printf("\n%s", common_options);
}

static int explain_unknown(const Ctl *ctl, const char *word)
{
	const char *names[VERBS_MAX];
	_cleanup_buffer_ Buffer message = {};
	const char *close;
	size_t n = 0;

	for (size_t g = 0; g < ELEMENTSOF(groups); g++)
		for (size_t i = 0; i < groups[g]->n && n < VERBS_MAX; i++)
			names[n++] = groups[g]->verbs[i].name;
	buffer_text(&message, "there is no verb ");
	output_escape(word, &message);
	close = text_closest(word, names, n);
	if (close)
		buffer_format(&message, "; did you mean %s?", close);
	else
		buffer_text(&message, "; see ryusoctl --help");
	return ctl_complain_text(ctl, EXIT_USAGE, &message);
}

static int check_words(const Ctl *ctl, const Verb *verb, char *const *arguments, size_t n)
{
	_cleanup_buffer_ Buffer message = {};

	for (unsigned bit = 1; bit <= ctl->options.given; bit <<= 1)
		if (ctl->options.given & bit & ~verb->options)
			return ctl_complain(ctl, EXIT_USAGE, "'%s' does not know %s; see ryusoctl %s --help",
					    verb->name, option_name(bit), verb->name);
	if (n < verb->min)
		return ctl_complain(ctl, EXIT_USAGE, "expected: ryusoctl %s %s", verb->name, verb->usage);
	if (n <= verb->max)
		return 0;
	buffer_format(&message, "expected: ryusoctl %s%s%s; got one argument too many: ", verb->name,
		      verb->usage[0] ? " " : "", verb->usage);
	output_escape(arguments[verb->max], &message);
	return ctl_complain_text(ctl, EXIT_USAGE, &message);
}

int verb_run(Ctl *ctl, char *const *words, size_t n)
{
	const Verb *verb;
	int r;

	if (ctl->options.version) {
		printf("ryusoctl %s\n", PACKAGE_VERSION);
		return EXIT_SUCCEEDED;
	}
	if (n == 0 && ctl->options.help) {
		print_all();
		return EXIT_SUCCEEDED;
	}
	if (n == 0)
		return ctl_complain(ctl, EXIT_USAGE, "expected a verb; see ryusoctl --help");
	verb = find(words[0]);
	if (!verb)
		return explain_unknown(ctl, words[0]);
	if (ctl->options.help) {
		print_verb(verb);
		return EXIT_SUCCEEDED;
	}
	r = check_words(ctl, verb, words + 1, n - 1);
	return r != 0 ? r : verb->run(ctl, words + 1, n - 1);
}
