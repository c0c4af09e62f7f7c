/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Another module, or the same with other limits, while runs go on: a worker tries it as the spare. Only when that worker
 * has said what it is, and its spec can be used, does anything change; then the run in hand ends with the module it
 * began with, and nothing else begins with that. */
#include <errno.h>
#include <string.h>

#include "base/io.h"
#include "base/log.h"
#include "daemon/crew_private.h"

void crew_next_free(Crew *crew)
{
	if (!crew->next)
		return;
	crew_module_done(&crew->next->module);
	free(take_ptr(crew->next));
}

static bool same_file(const CrewModule *a, const CrewModule *b)
{
	const struct stat *one = &a->status, *other = &b->status;

	return a->fd >= 0 && one->st_dev == other->st_dev && one->st_ino == other->st_ino &&
	       one->st_size == other->st_size && one->st_mtim.tv_sec == other->st_mtim.tv_sec &&
	       one->st_mtim.tv_nsec == other->st_mtim.tv_nsec && strcmp(a->path, b->path) == 0;
}

static bool same_limits(const CrewLimits *a, const CrewLimits *b)
{
	return a->caps.pool == b->caps.pool && a->caps.notes == b->caps.notes &&
	       a->caps.rectified == b->caps.rectified && a->memory == b->memory;
}

static bool is_in_use(const Crew *crew, const CrewNext *next)
{
	const CrewLimits limits = crew_limits(crew->setup.config);

	return crew->catalog && !crew->problem && same_file(&crew->module, &next->module) &&
	       same_limits(&limits, &next->limits);
}

int crew_change(Crew *crew, const Config *config, CrewChanged done, void *context, char **ret_problem)
{
	CrewNext next = { .limits = crew_limits(config), .done = done, .context = context };
	int r;

	*ret_problem = NULL;
	if (crew->next)
		return -EBUSY;
	if (!crew->directory) {
		crew->module.fd = fd_close(crew->module.fd);
		return -EAGAIN;
	}
	r = crew_open_module(crew, config, &next.module, ret_problem);
	if (r < 0) {
		if (!*ret_problem && r != -ENOMEM)
			*ret_problem = crew_sentence("cannot open the module: %s", strerror(-r));
		return -EBADMSG;
	}
	if (is_in_use(crew, &next)) {
		crew_module_done(&next.module);
		return 0;
	}
	crew->next = malloc(sizeof(*crew->next));
	if (!crew->next) {
		crew_module_done(&next.module);
		return -EBADMSG;
	}
	*crew->next = next;
	return 1;
}

/* What waits without anybody to run it comes before, unless the module in use gives no workers any more. */
bool crew_next_is_due(const Crew *crew)
{
	return crew->next && !crew->stopping && (crew->active || !crew->catalog || crew->problem);
}

/* It takes no part any more in what follows. */
static void next_end(Crew *crew, const char *problem, bool other)
{
	const CrewNext next = *crew->next;

	free(take_ptr(crew->next));
	crew->spare_is_next = false;
	next.done(next.context, problem, other);
}

void crew_next_fail(Crew *crew, char *problem)
{
	crew->spare_is_next = false;
	if (crew->next) {
		crew_module_done(&crew->next->module);
		next_end(crew, problem ? problem : "out of memory", false);
	}
	free(problem);
}

static int next_learn(Crew *crew, const OrderHello *hello, Catalog **ret, char **ret_problem)
{
	_cleanup_catalog_ Catalog *catalog = NULL;
	int r;

	r = catalog_new(hello, &crew->next->limits.caps, &catalog, ret_problem);
	if (r >= 0)
		r = catalog_count(catalog, crew->setup.metrics);
	if (r >= 0)
		r = modules_save(crew->home, catalog, crew->next->module.path);
	if (r >= 0)
		*ret = take_ptr(catalog);
	return r;
}

/* The worker at work has the limits, or the module, of before: it begins nothing more. */
static void next_replace(Crew *crew, Catalog *catalog)
{
	crew->catalog = catalog;
	crew->setup.queue->catalog = catalog;
	crew->setup.queue->stale = true;
	if (crew->active)
		crew_tire(crew);
}

static int next_take(Crew *crew, Catalog *catalog)
{
	const CrewLimits limits = crew_limits(crew->setup.config);
	const Catalog *before = crew->catalog;

	if (before && id_equal(&before->identity, &catalog->identity) && same_limits(&limits, &crew->next->limits)) {
		catalog_free(catalog);
		crew_module_done(&crew->module);
		return 0;
	}
	if (before && crew_guest_retire(crew) < 0)
		return -ENOMEM;
	crew_module_done(&crew->module);
	next_replace(crew, catalog);
	return 0;
}

void crew_next_hello(Crew *crew, const OrderHello *hello)
{
	const Id before = crew->catalog ? crew->catalog->identity : (Id){ 0 };
	const char *path = crew->next->module.path;
	char *problem = NULL;
	Catalog *catalog = NULL;
	int r = -EBADMSG;

	if (hello->error_size > 0)
		problem = crew_sentence("%.*s", (int)hello->error_size, hello->error);
	else
		r = next_learn(crew, hello, &catalog, &problem);
	if (r >= 0) {
		r = next_take(crew, catalog);
		if (r < 0)
			catalog_free(catalog);
	}
	if (r < 0) {
		hand_kill(crew->spare);
		crew_next_fail(crew, crew_sentence("module %s: %s", path, problem ? problem : strerror(-r)));
		free(problem);
		return;
	}
	crew->module = crew->next->module;
	crew->spare_identity = crew->catalog->identity;
	crew->failures = 0;
	crew->retry_at_usec = 0;
	free(take_ptr(crew->problem));
	next_end(crew, NULL, !id_equal(&before, &crew->catalog->identity));
}
