/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gen/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"

static void file_done(File *file)
{
	free(file->path);
	free(file->place);
	free(file->draft);
	buffer_done(&file->content);
}

void files_done(Files *files)
{
	for (size_t i = 0; i < files->n; i++)
		file_done(&files->items[i]);
	free(files->items);
	for (size_t i = 0; i < files->n_made; i++)
		free(files->made[i]);
	free(files->made);
}

int files_add(Files *files, const char *path, FileKind kind, mode_t mode, Buffer *content)
{
	File *grown = reallocarray(files->items, files->n + 1, sizeof(File));
	File file = { .kind = kind, .state = FILE_MISSING, .mode = mode };

	if (!grown)
		return -ENOMEM;
	files->items = grown;
	if (buffer_error(content) < 0)
		return -ENOMEM;
	file.path = strdup(path);
	if (!file.path || asprintf(&file.place, "%s/%s", files->directory, path) < 0) {
		free(file.path);
		return -ENOMEM;
	}
	file.content = TAKE(*content, (Buffer){ 0 });
	files->items[files->n++] = file;
	return 0;
}

static bool same_bytes(const Buffer *a, const Buffer *b)
{
	return a->size == b->size && (a->size == 0 || memcmp(a->data, b->data, a->size) == 0);
}

static int compare_content(File *file, const struct stat *st, Report *report)
{
	_cleanup_buffer_ Buffer there = { 0 };
	int r;

	if (file->kind == FILE_ONCE) {
		file->state = FILE_PRESENT;
		return 0;
	}
	file->state = FILE_DIFFERS;
	if ((size_t)st->st_size != file->content.size)
		return 0;
	r = read_file(file->place, file->content.size, &there);
	if (r == -EFBIG)
		return 0;
	if (r < 0)
		return report_errno(report, "read", file->place, r);
	if (same_bytes(&there, &file->content))
		file->state = FILE_PRESENT;
	return 0;
}

static int compare(File *file, Report *report)
{
	struct stat st;

	if (lstat(file->place, &st) < 0)
		return errno == ENOENT ? 0 : report_errno(report, "look at", file->place, -errno);
	if (S_ISLNK(st.st_mode) && (stat(file->place, &st) < 0 || S_ISREG(st.st_mode))) {
		file->state = file->kind == FILE_ONCE ? FILE_PRESENT : FILE_DIFFERS;
		return 0;
	}
	if (!S_ISREG(st.st_mode))
		return report_error(report, "ryuso-gen: %s: expected a file or nothing; got %s: nothing is written",
				    file->place, S_ISDIR(st.st_mode) ? "a directory" : "something else");
	return compare_content(file, &st, report);
}

int files_compare(Files *files, Report *report)
{
	int result = 0;

	for (size_t i = 0; i < files->n; i++) {
		int r = compare(&files->items[i], report);

		if (r < 0)
			result = r;
	}
	return result;
}

static int remember_made(Files *files, const char *path)
{
	char **grown = reallocarray(files->made, files->n_made + 1, sizeof(char *));

	if (!grown)
		return -ENOMEM;
	files->made = grown;
	files->made[files->n_made] = strdup(path);
	if (!files->made[files->n_made])
		return -ENOMEM;
	files->n_made++;
	return 0;
}

/* mkdir -p of everything that stands above \p path, remembering what was not there. */
static int make_parents(Files *files, const char *path, Report *report)
{
	_cleanup_free_ char *copy = strdup(path);

	if (!copy)
		return -ENOMEM;
	for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(copy, 0777) == 0) {
			int r = remember_made(files, copy);

			if (r < 0)
				return r;
		} else if (errno != EEXIST) {
			return report_errno(report, "make the directory", copy, -errno);
		}
		*slash = '/';
	}
	return 0;
}

static int write_draft(Files *files, File *file, Report *report)
{
	_cleanup_close_ int fd = -EBADF;
	_cleanup_free_ char *draft = NULL;
	int r;

	r = make_parents(files, file->place, report);
	if (r < 0)
		return r;
	if (asprintf(&draft, "%s.%d.tmp", file->place, (int)getpid()) < 0) {
		draft = NULL;
		return -ENOMEM;
	}
	fd = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, file->mode);
	if (fd < 0)
		return report_errno(report, "write", draft, -errno);
	file->draft = take_ptr(draft);
	r = write_all(fd, file->content.data, file->content.size);
	if (r < 0)
		return report_errno(report, "write", file->draft, r);
	if (close(take_fd(fd)) < 0)
		return report_errno(report, "write", file->draft, -errno);
	return 0;
}

/* A file of the author's that has come into being meanwhile stays as it is. */
static int place_once(const File *file)
{
	if (renameat2(AT_FDCWD, file->draft, AT_FDCWD, file->place, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	if (link(file->draft, file->place) < 0)
		return -errno;
	return unlink(file->draft) < 0 ? -errno : 0;
}

static int place(File *file, Report *report)
{
	int r;

	if (file->kind == FILE_ONCE)
		r = place_once(file);
	else
		r = rename(file->draft, file->place) < 0 ? -errno : 0;
	if (r < 0)
		return report_errno(report, "write", file->place, r);
	free(take_ptr(file->draft));
	report_line(report, "%s: written", file->path);
	return 0;
}

static void drop_drafts(Files *files)
{
	for (size_t i = 0; i < files->n; i++)
		if (files->items[i].draft)
			unlink(files->items[i].draft);
	for (size_t i = files->n_made; i > 0; i--)
		rmdir(files->made[i - 1]);
}

static int write_drafts(Files *files, Report *report)
{
	for (size_t i = 0; i < files->n; i++) {
		int r = files->items[i].state == FILE_PRESENT ? 0 : write_draft(files, &files->items[i], report);

		if (r < 0)
			return r;
	}
	return 0;
}

int files_write(Files *files, Report *report)
{
	int r;

	r = write_drafts(files, report);
	for (size_t i = 0; r == 0 && i < files->n; i++)
		if (files->items[i].draft)
			r = place(&files->items[i], report);
	if (r < 0)
		drop_drafts(files);
	return r;
}
