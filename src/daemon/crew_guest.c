/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/io.h"
#include "base/log.h"
#include "daemon/crew_private.h"

#define GUEST_DEATHS_MAX 4U

static Id catalog_identity(const Catalog *catalog)
{
	return catalog ? catalog->identity : (Id){ 0 };
}

Id crew_wanted(const Crew *crew)
{
	const Run *run = crew->current;

	if (!run)
		run = TAILQ_FIRST(&crew->ordered);
	if (!run)
		run = queue_first(crew->setup.queue);
	return catalog_identity(run ? run->catalog : crew->catalog);
}

CrewGuest *crew_guest_of(const Crew *crew, const Id *identity)
{
	CrewGuest *guest;

	if (crew->catalog && id_equal(&crew->catalog->identity, identity))
		return NULL;
	for (guest = crew->guests; guest; guest = guest->next)
		if (id_equal(&guest->note.catalog->identity, identity))
			return guest;
	return NULL;
}

static void guest_free(CrewGuest *guest)
{
	module_note_done(&guest->note);
	free(guest->path);
	fd_close(guest->fd);
	free(guest);
}

void crew_guests_free(Crew *crew)
{
	CrewGuest *guest;

	while ((guest = crew->guests)) {
		crew->guests = guest->next;
		guest_free(guest);
	}
}

static CrewGuest *guest_known(const Crew *crew, const Id *identity)
{
	for (CrewGuest *guest = crew->guests; guest; guest = guest->next)
		if (id_equal(&guest->note.catalog->identity, identity))
			return guest;
	return NULL;
}

static CrewGuest *guest_make(Crew *crew, const Id *identity, char **ret_problem)
{
	const RecordCaps caps = crew_caps(crew->setup.config);
	CrewGuest *guest = calloc(1, sizeof(*guest));
	int r;

	if (!guest)
		return NULL;
	guest->fd = -EBADF;
	r = modules_load(crew->home, identity, &caps, &guest->note, ret_problem);
	if (r >= 0)
		r = catalog_count(guest->note.catalog, crew->setup.metrics);
	if (r < 0) {
		guest_free(guest);
		errno = -r;
		return NULL;
	}
	guest->next = crew->guests;
	crew->guests = guest;
	return guest;
}

/* Its file stays open for as long as the run in hand may need a worker of it. */
int crew_guest_retire(Crew *crew)
{
	CrewGuest *guest = calloc(1, sizeof(*guest));
	char *path = strdup(crew->module.path);

	if (!guest || !path) {
		free(guest);
		free(path);
		return -ENOMEM;
	}
	for (CrewGuest *older = crew->guests; older; older = older->next)
		if (!crew->current || crew->current->catalog != older->note.catalog)
			older->fd = fd_close(older->fd);
	*guest = (CrewGuest){
		.next = crew->guests,
		.note = { .catalog = take_ptr(crew->catalog), .path = path },
		.path = take_ptr(crew->module.path),
		.fd = take_fd(crew->module.fd),
	};
	crew->guests = guest;
	return 0;
}

const Catalog *crew_catalog(Crew *crew, const Id *identity, char **ret_problem)
{
	CrewGuest *guest;

	*ret_problem = NULL;
	if (crew->catalog && id_equal(&crew->catalog->identity, identity))
		return crew->catalog;
	guest = guest_known(crew, identity);
	if (!guest)
		guest = guest_make(crew, identity, ret_problem);
	return guest ? guest->note.catalog : NULL;
}

int crew_guest_open(CrewGuest *guest, char **ret_problem)
{
	int fd;

	*ret_problem = NULL;
	if (guest->fd >= 0)
		return guest->fd;
	free(take_ptr(guest->path));
	fd = modules_find(&guest->note, &guest->path);
	if (fd < 0) {
		*ret_problem = crew_sentence("build %s of module %s is not installed any more",
					     guest->note.catalog->build_id, guest->note.catalog->spec->module);
		return fd;
	}
	guest->fd = fd;
	guest->unfit = false;
	return fd;
}

bool crew_has_module(Crew *crew, const Id *identity)
{
	_cleanup_free_ char *problem = NULL;
	CrewGuest *guest;
	int r;

	if (!crew_catalog(crew, identity, &problem))
		return false;
	guest = crew_guest_of(crew, identity);
	if (!guest)
		return true;
	free(take_ptr(problem));
	if (guest->unfit)
		guest->fd = fd_close(guest->fd); /* there may be another file by now */
	r = crew_guest_open(guest, &problem);
	errno = r < 0 ? -r : 0;
	return r >= 0;
}

/* Parked runs that were to be taken up with it go back; queued submissions are verified anew before they are pinned to
 * anything, so there are none of them. */
void crew_guest_fail(Crew *crew, CrewGuest *guest, char *problem)
{
	Queue *queue = crew->setup.queue;
	const Run *head;

	log_error("no worker for runs of another build: %s", problem ? problem : "out of memory");
	free(problem);
	guest->unfit = true;
	guest->fd = fd_close(guest->fd);
	crew_back_off(crew);
	while ((head = queue_first(queue)) && head->catalog == guest->note.catalog)
		crew->setup.events.on_unfit(queue_pop(queue), crew->setup.events.context);
	if (crew->current && crew->current->catalog == guest->note.catalog)
		crew->setup.events.on_unfit(crew_remove(crew, crew->current), crew->setup.events.context);
}

void crew_guest_died(Crew *crew, CrewGuest *guest, const char *how)
{
	if (++guest->deaths > GUEST_DEATHS_MAX) {
		guest->deaths = 0;
		crew_guest_fail(crew, guest,
				crew_sentence("%s: %s before it was ready, %u times in a row", guest->path, how,
					      GUEST_DEATHS_MAX + 1));
		return;
	}
	crew_back_off(crew);
	log_warning("no worker yet for runs of another build: %s: %s before it was ready; trying again", guest->path,
		    how);
}
