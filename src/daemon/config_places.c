/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/config_load_private.h"

#define SUFFIX ".conf"

static const char *const directories[] = {
	RYUSO_SYSCONFDIR "/ryuso",
	RYUSO_RUNDIR "/ryuso",
	"/usr/local/lib/ryuso",
	"/usr/lib/ryuso",
};

typedef struct DropIn {
	char *name, *path; /* owned */
} DropIn;

typedef struct DropIns {
	DropIn *items;
	size_t n;
} DropIns;

const char *config_directory(size_t i)
{
	return i < ELEMENTSOF(directories) ? directories[i] : NULL;
}

/* One's own directory is the only one. */
static const char *place(const ConfigSetup *setup, size_t i)
{
	if (!setup->directory)
		return config_directory(i);
	return i == 0 ? setup->directory : NULL;
}

/* What is looked for: "ROOT/DIRECTORY/NAME.conf", and what may follow. NULL: out of memory. */
static char *file_at(const ConfigSetup *setup, const char *directory, const char *name, const char *more)
{
	char *path;

	return asprintf(&path, "%s%s/%s" SUFFIX "%s", setup->root ? setup->root : "", directory, name, more) < 0 ? NULL
														 : path;
}

static void drop_ins_done(DropIns *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free(list->items[i].name);
		free(list->items[i].path);
	}
	free(list->items);
}

static bool is_known(const DropIns *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->items[i].name, name) == 0)
			return true;
	return false;
}

static int add(DropIns *list, const char *directory, const char *name)
{
	DropIn *items = reallocarray(list->items, list->n + 1, sizeof(*items));
	DropIn item = { 0 };

	if (!items)
		return -ENOMEM;
	list->items = items;
	item.name = strdup(name);
	if (item.name && asprintf(&item.path, "%s/%s", directory, name) < 0)
		item.path = NULL;
	if (!item.path) {
		free(item.name);
		return -ENOMEM;
	}
	items[list->n++] = item;
	return 0;
}

static bool is_drop_in(const char *name)
{
	size_t length = strlen(name);

	return name[0] != '.' && length > strlen(SUFFIX) && strcmp(name + length - strlen(SUFFIX), SUFFIX) == 0;
}

static int scan(DropIns *list, const char *path)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	int r = 0;

	if (!directory)
		return errno == ENOMEM ? -ENOMEM : 0;
	while (r == 0 && (entry = readdir(directory)))
		if (is_drop_in(entry->d_name) && !is_known(list, entry->d_name))
			r = list->n < CONFIG_FILES_MAX ? add(list, path, entry->d_name) : -E2BIG;
	closedir(directory);
	return r;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const DropIn *)a)->name, ((const DropIn *)b)->name);
}

static int each_drop_in(const ConfigSetup *setup, const char *name, int (*on_file)(void *context, const char *path),
			void *context)
{
	_cleanup_(drop_ins_done) DropIns list = { 0 };
	const char *directory;
	int r = 0;

	for (size_t i = 0; r == 0 && (directory = place(setup, i)); i++) {
		_cleanup_free_ char *path = file_at(setup, directory, name, ".d");

		r = path ? scan(&list, path) : -ENOMEM;
	}
	if (r != 0)
		return r;
	if (list.n > 1)
		qsort(list.items, list.n, sizeof(*list.items), by_name);
	for (size_t i = 0; i < list.n && r == 0; i++)
		r = on_file(context, list.items[i].path);
	return r;
}

/* A link that leads nowhere is a file that cannot be read: that is said, rather than that another one counts. */
static int first_file(const ConfigSetup *setup, const char *name, int (*on_file)(void *context, const char *path),
		      void *context)
{
	const char *directory;

	for (size_t i = 0; (directory = place(setup, i)); i++) {
		_cleanup_free_ char *path = file_at(setup, directory, name, "");

		if (!path)
			return -ENOMEM;
		if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return on_file(context, path);
	}
	return 0;
}

int config_places(const ConfigSetup *setup, const char *name, int (*on_file)(void *context, const char *path),
		  void *context)
{
	int r = first_file(setup, name, on_file, context);

	return r != 0 ? r : each_drop_in(setup, name, on_file, context);
}
