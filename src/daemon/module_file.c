/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/module_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/io.h"

#define PLAIN_INSTANCE "ryuso"

static const char *const directories[] = { RYUSO_MODULEDIR, "/usr/local/lib/ryuso" };
static const char *preferred; /* NULL: none */

void module_prefer(const char *directory)
{
	preferred = directory;
}

const char *module_directory(size_t i)
{
	if (preferred && i == 0)
		return preferred;
	i -= preferred ? 1 : 0;
	return i < ELEMENTSOF(directories) ? directories[i] : NULL;
}

static _printf_(2, 3) void problem(char **ret, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(ret, format, arguments) < 0)
		*ret = NULL;
	va_end(arguments);
}

/* A name with '-' in it is a build of a module; the module's own name is a link to one of them. */
static bool is_module_name(const char *name)
{
	size_t length = strlen(name);

	return length > 3 && name[0] != '.' && strcmp(name + length - 3, ".so") == 0 && !strchr(name, '-');
}

/* Adds the modules of a directory to what was found: their number, and the path of the first. */
static int scan(const char *path, unsigned *n, char **first)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	int r = 0;

	if (!directory)
		return 0;
	while (r >= 0 && (entry = readdir(directory)))
		if (is_module_name(entry->d_name) && (*n)++ == 0 && asprintf(first, "%s/%s", path, entry->d_name) < 0)
			r = -ENOMEM;
	closedir(directory);
	return r;
}

static char *name_directories(void)
{
	_cleanup_buffer_ Buffer text = { 0 };
	const char *directory;

	for (size_t i = 0; (directory = module_directory(i)); i++)
		buffer_format(&text, "%s%s", i == 0 ? "" : module_directory(i + 1) ? ", " : " or ", directory);
	return buffer_take_text(&text);
}

/* Of those in the preferred directory, if there are any, else of all. */
static int find_only(char **ret_path, char **ret_problem)
{
	_cleanup_free_ char *first = NULL, *where = NULL;
	const char *directory;
	unsigned n = 0;
	int r;

	for (size_t i = 0; (directory = module_directory(i)); i++) {
		if (preferred && i == 1 && n > 0)
			break;
		r = scan(directory, &n, &first);
		if (r < 0)
			return r;
	}
	if (n == 1) {
		*ret_path = take_ptr(first);
		return 0;
	}
	where = name_directories();
	if (n == 0)
		problem(ret_problem, "no module is installed in %s", where ? where : "the directories for modules");
	else
		problem(ret_problem, "%u modules are installed: say which in Module=, or start ryuso@NAME.socket", n);
	return n == 0 ? -ENOENT : -EEXIST;
}

int module_find(const char *instance, char **ret_path, char **ret_problem)
{
	_cleanup_free_ char *where = NULL;
	const char *directory;

	for (size_t i = 0; (directory = module_directory(i)); i++) {
		_cleanup_free_ char *path = NULL;

		if (asprintf(&path, "%s/%s.so", directory, instance) < 0)
			return -ENOMEM;
		if (access(path, F_OK) == 0) {
			*ret_path = take_ptr(path);
			return 0;
		}
	}
	if (strcmp(instance, PLAIN_INSTANCE) == 0)
		return find_only(ret_path, ret_problem);
	where = name_directories();
	problem(ret_problem, "there is no module %s.so in %s", instance, where ? where : "the directories for modules");
	return -ENOENT;
}

int module_open(const char *path, char **ret_problem)
{
	_cleanup_close_ int fd = -EBADF;
	struct stat status;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &status) < 0) {
		problem(ret_problem, "cannot open %s: %s", path, strerror(errno));
		return -errno;
	}
	if (!S_ISREG(status.st_mode)) {
		problem(ret_problem, "%s is no regular file", path);
		return -EINVAL;
	}
	return take_fd(fd);
}
