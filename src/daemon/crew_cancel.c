/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cancels of runs that are with a worker (rules 18, 41). For the one that has begun: a wish in the recorder's first page,
 * which the worker reads at a boundary and records, or declines; only then is the one who asked answered. One that has
 * not begun is taken back, and waits in the queue again. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "daemon/crew_private.h"

struct CrewCancel {
	TAILQ_ENTRY(CrewCancel) entry;
	Id run;
	bool now;
	bool wished; /* it stands in the page */
	bool asked;  /* the worker was stopped for it, to be looked at */
	CrewCancelled done;
	void *context; /* NULL: nobody waits any more */
};

static CrewCancel *cancel_find(const Crew *crew, const Id *run)
{
	CrewCancel *cancel;

	TAILQ_FOREACH(cancel, &crew->cancels, entry)
	if (id_equal(&cancel->run, run))
		return cancel;
	return NULL;
}

int crew_cancel(Crew *crew, const Id *run, bool now, CrewCancelled done, void *context)
{
	CrewCancel *cancel;

	if (!crew_find(crew, run))
		return -ENOENT;
	if (cancel_find(crew, run))
		return -EBUSY;
	cancel = calloc(1, sizeof(*cancel));
	if (!cancel)
		return -ENOMEM;
	*cancel = (CrewCancel){ .run = *run, .now = now, .done = done, .context = context };
	TAILQ_INSERT_TAIL(&crew->cancels, cancel, entry);
	crew_cancels_step(crew);
	return 0;
}

void crew_forget_cancel(Crew *crew, const void *context)
{
	CrewCancel *cancel;

	TAILQ_FOREACH(cancel, &crew->cancels, entry)
	if (cancel->context == context)
		cancel->context = NULL;
}

void crew_cancels_free(Crew *crew)
{
	CrewCancel *cancel;

	while ((cancel = TAILQ_FIRST(&crew->cancels))) {
		TAILQ_REMOVE(&crew->cancels, cancel, entry);
		free(cancel);
	}
}

static void cancel_end(Crew *crew, CrewCancel *cancel, int r, bool begun)
{
	RecordPage *page = recorder_page(&crew->recorder);

	TAILQ_REMOVE(&crew->cancels, cancel, entry);
	if (cancel->wished)
		atomic_store(&page->wish, ERROR_NONE);
	if (cancel->context)
		cancel->done(cancel->context, r, begun);
	free(cancel);
}

void crew_cancels_end(Crew *crew, const Id *run, int r, bool begun)
{
	CrewCancel *cancel = cancel_find(crew, run);

	if (cancel)
		cancel_end(crew, cancel, r, begun);
}

void crew_cancels_again(Crew *crew)
{
	CrewCancel *cancel;

	TAILQ_FOREACH(cancel, &crew->cancels, entry)
	cancel->wished = false;
}

static void cancel_wish(Crew *crew, CrewCancel *cancel)
{
	RecordPage *page = recorder_page(&crew->recorder);

	memcpy(page->wish_run, cancel->run.bytes, sizeof(page->wish_run));
	atomic_store(&page->declined, 0);
	atomic_store(&page->wish, ERROR_CANCELLED);
	cancel->wished = true;
}

static bool is_current(const Crew *crew, const Id *run)
{
	return crew->current && id_equal(&crew->current->id, run);
}

/* Whether a hook of the current run is in hand; to be believed of a worker that stands still. */
static bool is_in_hook(const Crew *crew)
{
	const RecordPage *page = recorder_page(&crew->recorder);

	return crew->current && atomic_load(&page->turn) % 2 == 1 &&
	       memcmp(page->run, crew->current->id.bytes, sizeof(page->run)) == 0;
}

/* A hook is killed, and runs behind it are taken back, only where the worker stands still and is seen to be in it. */
static void cancel_probe(Crew *crew, CrewCancel *cancel)
{
	bool current = is_current(crew, &cancel->run);
	Hand *hand = crew->active;

	if (!hand || hand->probed || hand->state != HAND_READY || !is_in_hook(crew) || (current && !cancel->now))
		return;
	if (kill(hand->pid, SIGSTOP) < 0)
		return;
	cancel->now = false;
	cancel->asked = true;
	hand->probed = true;
}

static CrewCancel *cancel_asked(const Crew *crew)
{
	CrewCancel *cancel;

	TAILQ_FOREACH(cancel, &crew->cancels, entry)
	if (cancel->asked)
		return cancel;
	return NULL;
}

bool crew_cancel_stopped(Crew *crew)
{
	const RecordPage *page = recorder_page(&crew->recorder);
	CrewCancel *cancel = cancel_asked(crew);

	if (!cancel)
		return false;
	cancel->asked = false;
	if (!is_in_hook(crew))
		return false;
	if (is_current(crew, &cancel->run))
		return !page->rectifying && !crew->current->irreversible;
	/* none of those behind it can have begun, nor will they: they wait in the queue again */
	crew_tire(crew);
	crew_recall(crew);
	return false;
}

static void cancel_current(Crew *crew, CrewCancel *cancel)
{
	RecordPage *page = recorder_page(&crew->recorder);
	uint32_t declined = cancel->wished ? atomic_load(&page->declined) : 0;

	if (declined != 0) {
		cancel_end(crew, cancel, declined == EPERM ? -EPERM : -EALREADY, true);
		return;
	}
	if (!cancel->wished)
		cancel_wish(crew, cancel);
	cancel_probe(crew, cancel);
}

void crew_cancels_step(Crew *crew)
{
	CrewCancel *cancel, *next;

	if (!crew->directory || crew->recorder.renewing)
		return;
	for (cancel = TAILQ_FIRST(&crew->cancels); cancel; cancel = next) {
		next = TAILQ_NEXT(cancel, entry);
		if (is_current(crew, &cancel->run))
			cancel_current(crew, cancel);
		else if (crew_find(crew, &cancel->run))
			cancel_probe(crew, cancel);
		else if (!crew_is_refusing(crew, &cancel->run))
			cancel_end(crew, cancel, -EAGAIN, false); /* it waits in the queue again */
	}
}
