/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/catalog.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "daemon/modules.h"
#include "spec/load.h"

Catalog *catalog_free(Catalog *catalog)
{
	if (!catalog)
		return NULL;
	for (size_t i = 0; i < catalog->n_programs; i++) {
		plan_free(catalog->programs[i].plan);
		access_done(&catalog->programs[i].access);
	}
	free(catalog->programs);
	free(catalog->tallies);
	spec_free(catalog->spec);
	free(catalog->spec_text);
	free(catalog->build_id);
	free(catalog);
	return NULL;
}

/* What is to be made of a hello. */
typedef struct CatalogWish {
	const RecordCaps *caps;
	bool past; /* nobody uses it any more */
} CatalogWish;

static int by_name(const void *a, const void *b)
{
	return strcmp(((const CatalogProgram *)a)->spec->name, ((const CatalogProgram *)b)->spec->name);
}

static void on_unknown_name(void *context, const char *kind, const char *name)
{
	const SpecProgram *program = context;

	log_warning("programs.%s: allow: there is no %s \"%s\" on this system; nobody is admitted by that name",
		    program->name, kind, name);
}

static int admit(CatalogProgram *program)
{
	Access access;
	int r;

	r = access_resolve(&program->spec->allow, on_unknown_name, (void *)program->spec, &access);
	if (r < 0)
		return r;
	access_done(&program->access);
	program->access = access;
	return 0;
}

int catalog_admit(Catalog *catalog)
{
	int r = 0;

	for (size_t i = 0; i < catalog->n_programs && r >= 0; i++)
		r = admit(&catalog->programs[i]);
	return r;
}

static int catalog_add(Catalog *catalog, const SpecProgram *program, const CatalogWish *wish, char **ret_problem)
{
	CatalogProgram *entry = &catalog->programs[catalog->n_programs];
	PlanError error = { 0 };
	int r;

	r = plan_compile(catalog->spec, program, &entry->plan, &error);
	if (r < 0) {
		if (asprintf(ret_problem, "program %s: %s: %s", program->name,
			     error.cycle ? "it leads back to itself" : "its plan is too large",
			     error.trail ? error.trail : strerror(-r)) < 0)
			*ret_problem = NULL;
		plan_error_done(&error);
		return r == -ENOMEM ? r : -EBADMSG;
	}
	entry->spec = program;
	entry->reserve = record_reserve(entry->plan, wish->caps);
	catalog->n_programs++;
	return wish->past ? 0 : admit(entry);
}

/* The first of a spec's errors stands for all. */
static int spec_problem(SpecIssues *issues, char **ret_problem)
{
	_cleanup_buffer_ Buffer text = { 0 };

	buffer_text(&text, "its spec: ");
	for (size_t i = 0; i < issues->n; i++)
		if (!issues->items[i].warning) {
			spec_issue_format(&issues->items[i], "spec", &text);
			break;
		}
	*ret_problem = buffer_take_text(&text);
	return -EBADMSG;
}

static int catalog_load(Catalog *catalog, const OrderHello *hello, char **ret_problem)
{
	_cleanup_spec_issues_ SpecIssues issues = { 0 };
	int r;

	r = spec_load(hello->spec, hello->spec_size, &catalog->spec, &issues);
	if (r == -EBADMSG)
		return spec_problem(&issues, ret_problem);
	if (r < 0)
		return r;
	catalog->programs = calloc(MAX(catalog->spec->n_programs, 1U), sizeof(*catalog->programs));
	return catalog->programs ? 0 : -ENOMEM;
}

static int catalog_copy(Catalog *catalog, const OrderHello *hello)
{
	catalog->fingerprint = hello->fingerprint;
	catalog->identity = module_identity(&hello->fingerprint, hello->build_id, hello->build_id_size);
	catalog->abi_major = hello->abi_major;
	catalog->abi_minor = hello->abi_minor;
	catalog->build_id = strndup(hello->build_id, hello->build_id_size);
	catalog->spec_text = strndup(hello->spec, hello->spec_size);
	catalog->spec_size = hello->spec_size;
	return catalog->build_id && catalog->spec_text ? 0 : -ENOMEM;
}

static int catalog_make(const OrderHello *hello, const CatalogWish *wish, Catalog **ret, char **ret_problem)
{
	_cleanup_catalog_ Catalog *catalog = calloc(1, sizeof(*catalog));
	int r;

	*ret_problem = NULL;
	if (!catalog)
		return -ENOMEM;
	r = catalog_copy(catalog, hello);
	if (r >= 0)
		r = catalog_load(catalog, hello, ret_problem);
	if (r < 0)
		return r;
	for (size_t i = 0; i < catalog->spec->n_programs; i++) {
		r = catalog_add(catalog, &catalog->spec->programs[i], wish, ret_problem);
		if (r < 0)
			return r;
	}
	qsort(catalog->programs, catalog->n_programs, sizeof(*catalog->programs), by_name);
	*ret = take_ptr(catalog);
	return 0;
}

int catalog_new(const OrderHello *hello, const RecordCaps *caps, Catalog **ret, char **ret_problem)
{
	return catalog_make(hello, &(CatalogWish){ .caps = caps }, ret, ret_problem);
}

int catalog_recall(const OrderHello *hello, const RecordCaps *caps, Catalog **ret, char **ret_problem)
{
	return catalog_make(hello, &(CatalogWish){ .caps = caps, .past = true }, ret, ret_problem);
}

int catalog_count(Catalog *catalog, Metrics *metrics)
{
	const Spec *spec = catalog->spec;

	if (!metrics)
		return 0;
	if (!catalog->tallies)
		catalog->tallies = calloc(MAX(spec->n_hooks, 1U), sizeof(*catalog->tallies));
	if (!catalog->tallies)
		return -ENOMEM;
	for (size_t i = 0; i < spec->n_hooks; i++) {
		catalog->tallies[i] = metrics_hook(metrics, spec->hooks[i].name);
		if (!catalog->tallies[i])
			return -ENOMEM;
	}
	for (size_t i = 0; i < catalog->n_programs; i++) {
		catalog->programs[i].tally = metrics_program(metrics, catalog->programs[i].spec->name);
		if (!catalog->programs[i].tally)
			return -ENOMEM;
	}
	return 0;
}

const CatalogProgram *catalog_program(const Catalog *catalog, const char *name)
{
	size_t low = 0, high = catalog->n_programs;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(name, catalog->programs[middle].spec->name);

		if (order == 0)
			return &catalog->programs[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

bool catalog_matches(const Catalog *catalog, const OrderHello *hello)
{
	return id_equal(&catalog->fingerprint, &hello->fingerprint) &&
	       strlen(catalog->build_id) == hello->build_id_size &&
	       memcmp(catalog->build_id, hello->build_id, hello->build_id_size) == 0;
}
