/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/modules_tidy.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"

typedef struct Wanted {
	Id *items; /* owned */
	size_t n;
} Wanted;

static bool is_wanted(const Id *identity, void *context)
{
	const Wanted *wanted = context;

	for (size_t i = 0; i < wanted->n; i++)
		if (id_equal(&wanted->items[i], identity))
			return true;
	return false;
}

static int want(void *context, const Id *identity)
{
	Wanted *wanted = context;
	Id *items;

	if (is_wanted(identity, wanted))
		return 0;
	items = reallocarray(wanted->items, wanted->n + 1, sizeof(*items));
	if (!items)
		return -ENOMEM;
	wanted->items = items;
	items[wanted->n++] = *identity;
	return 0;
}

static int want_runs(Wanted *wanted, const struct RunList *runs)
{
	const Run *run;
	int r = 0;

	TAILQ_FOREACH(run, runs, entry)
	if (r == 0)
		r = want(wanted, &run->catalog->identity);
	return r;
}

static int want_all(Wanted *wanted, const Crew *crew, const Promises *promises)
{
	const Outcomes *outcomes = crew->setup.outcomes;
	const struct RunList *const lists[] = { &crew->setup.queue->runs, &crew->ordered,     &promises->promising,
						&outcomes->ended,         &outcomes->storing, &outcomes->lent };
	int r;

	r = want(wanted, &crew->catalog->identity);
	for (size_t i = 0; r == 0 && i < ELEMENTSOF(lists); i++)
		r = want_runs(wanted, lists[i]);
	return r < 0 ? r : ledger_modules(promises->ledger, want, wanted);
}

void modules_tidy(const Crew *crew, const Promises *promises)
{
	Wanted wanted = { 0 };
	int r;

	if (!crew->catalog || !promises->ledger)
		return;
	r = want_all(&wanted, crew, promises);
	if (r < 0)
		log_warning("which modules the runs in %s belong to cannot be known: %s; none is forgotten", crew->home,
			    strerror(-r));
	else
		modules_prune(crew->home, is_wanted, &wanted);
	free(wanted.items);
}
