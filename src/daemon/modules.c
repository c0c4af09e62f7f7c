/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/modules.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/json.h"
#include "base/point.h"
#include "daemon/module_file.h"

#define NOTE_SIZE_MAX (64U << 20)
#define NOTE_DEPTH_MAX 8U

Id module_identity(const Id *fingerprint, const char *build_id, size_t build_id_size)
{
	_cleanup_buffer_ Buffer text = { 0 };
	Id identity = *fingerprint;

	buffer_append(&text, fingerprint->bytes, sizeof(fingerprint->bytes));
	buffer_append(&text, build_id, build_id_size);
	if (buffer_error(&text) == 0)
		id_fingerprint(text.data, text.size, &identity);
	return identity;
}

static int note_path(const char *directory, const Id *identity, char **ret)
{
	char text[ID_TEXT_SIZE];

	id_format(identity, text);
	return asprintf(ret, "%s/" MODULES_NAME "/%s", directory, text) < 0 ? -ENOMEM : 0;
}

static bool add_text(struct json_object *object, const char *name, const char *value, size_t size)
{
	struct json_object *text = json_object_new_string_len(value, (int)size);

	return text && json_object_object_add(object, name, text) == 0;
}

static int note_text(const Catalog *catalog, const char *path, Buffer *buffer)
{
	_cleanup_json_ struct json_object *object = json_object_new_object();

	if (!object || !add_text(object, "name", catalog->spec->module, strlen(catalog->spec->module)) ||
	    !add_text(object, "build_id", catalog->build_id, strlen(catalog->build_id)) ||
	    !add_text(object, "spec", catalog->spec_text, catalog->spec_size) ||
	    (path && !add_text(object, "path", path, strlen(path))))
		return -ENOMEM;
	json_write(object, buffer);
	buffer_u8(buffer, '\n');
	return buffer_error(buffer);
}

static int sync_path(const char *path, int flags)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | flags);

	if (fd < 0)
		return -errno;
	return fsync(fd) < 0 ? -errno : 0;
}

static int write_note(const char *directory, const char *path, const Buffer *text)
{
	_cleanup_free_ char *folder = NULL, *fresh = NULL;
	int r;

	if (asprintf(&folder, "%s/" MODULES_NAME, directory) < 0 || asprintf(&fresh, "%s.new", path) < 0)
		return -ENOMEM;
	r = make_directories(folder, 0700);
	if (r >= 0)
		r = write_file_atomic(fresh, text->data, text->size, 0600);
	if (r >= 0)
		r = sync_path(fresh, 0);
	if (r >= 0 && rename(fresh, path) < 0)
		r = -errno;
	if (r >= 0)
		r = sync_path(folder, O_DIRECTORY);
	return r < 0 ? r : sync_path(directory, O_DIRECTORY);
}

int modules_save(const char *directory, const Catalog *catalog, const char *path)
{
	_cleanup_free_ char *file = NULL;
	_cleanup_buffer_ Buffer text = { 0 };
	int r;

	r = note_path(directory, &catalog->identity, &file);
	if (r < 0)
		return r;
	if (access(file, F_OK) == 0)
		return 0;
	r = note_text(catalog, path, &text);
	return r < 0 ? r : write_note(directory, file, &text);
}

void module_note_done(ModuleNote *note)
{
	catalog_free(note->catalog);
	free(note->path);
	*note = (ModuleNote){ 0 };
}

static const char *member_text(struct json_object *object, const char *name, size_t *ret_size)
{
	struct json_object *member;

	if (!json_object_object_get_ex(object, name, &member) || !json_object_is_type(member, json_type_string))
		return NULL;
	*ret_size = (size_t)json_object_get_string_len(member);
	return json_object_get_string(member);
}

static int note_read(struct json_object *object, const Id *identity, const RecordCaps *caps, ModuleNote *ret,
		     char **ret_problem)
{
	_cleanup_module_note_ ModuleNote note = { 0 };
	OrderHello hello = { 0 };
	size_t path_size = 0;
	const char *path;
	int r;

	hello.build_id = member_text(object, "build_id", &hello.build_id_size);
	hello.spec = member_text(object, "spec", &hello.spec_size);
	path = member_text(object, "path", &path_size);
	if (!hello.build_id || !hello.spec)
		return -EBADMSG;
	id_fingerprint(hello.spec, hello.spec_size, &hello.fingerprint);
	r = catalog_new(&hello, caps, &note.catalog, ret_problem);
	if (r < 0)
		return r;
	if (!id_equal(&note.catalog->identity, identity))
		return -EBADMSG;
	note.path = path ? strndup(path, path_size) : NULL;
	if (path && !note.path)
		return -ENOMEM;
	*ret = TAKE(note, (ModuleNote){ 0 });
	return 0;
}

int modules_load(const char *directory, const Id *identity, const RecordCaps *caps, ModuleNote *ret, char **ret_problem)
{
	_cleanup_json_ struct json_object *object = NULL;
	_cleanup_buffer_ Buffer text = { 0 };
	_cleanup_free_ char *path = NULL;
	JsonError error = { 0 };
	int r;

	*ret_problem = NULL;
	r = note_path(directory, identity, &path);
	if (r >= 0)
		r = read_file(path, NOTE_SIZE_MAX, &text);
	if (r < 0)
		return r;
	r = json_parse((const char *)text.data, text.size, NOTE_DEPTH_MAX, &object, &error);
	if (r >= 0)
		r = note_read(object, identity, caps, ret, ret_problem);
	if (r == -EBADMSG && !*ret_problem && asprintf(ret_problem, "%s is not what was written there", path) < 0)
		*ret_problem = NULL;
	return r;
}

/* The hello of a worker that has loaded it is what tells for certain whether it is that build. */
static int try_open(char *path_taken, char **ret_path)
{
	_cleanup_free_ char *path = path_taken, *problem = NULL;
	int fd;

	if (!path)
		return -ENOENT;
	fd = module_open(path, &problem);
	if (fd >= 0)
		*ret_path = take_ptr(path);
	return fd;
}

static char *path_of(const char *format, ...) _printf_(1, 2);
static char *path_of(const char *format, ...)
{
	va_list arguments;
	char *path;
	int n;

	va_start(arguments, format);
	n = vasprintf(&path, format, arguments);
	va_end(arguments);
	return n < 0 ? NULL : path;
}

static int find_in(const char *directory, size_t size, const ModuleNote *note, char **ret_path)
{
	const char *name = note->catalog->spec->module, *build = note->catalog->build_id;
	int fd;

	fd = *build ? try_open(path_of("%.*s/%s-%s.so", (int)size, directory, name, build), ret_path) : -ENOENT;
	return fd;
}

int modules_find(const ModuleNote *note, char **ret_path)
{
	static const char *const directories[] = { RYUSO_MODULEDIR, "/usr/local/lib/ryuso" };
	const char *slash = note->path ? strrchr(note->path, '/') : NULL;
	int fd = -ENOENT;

	if (slash)
		fd = find_in(note->path, (size_t)(slash - note->path), note, ret_path);
	for (size_t i = 0; i < ELEMENTSOF(directories) && fd < 0; i++)
		fd = find_in(directories[i], strlen(directories[i]), note, ret_path);
	if (fd < 0 && note->path)
		fd = try_open(strdup(note->path), ret_path);
	return fd < 0 ? -ENOENT : fd;
}

void modules_prune(const char *directory, bool (*wanted)(const Id *identity, void *context), void *context)
{
	_cleanup_free_ char *folder = NULL;
	struct dirent *entry;
	DIR *notes;
	Id identity;

	if (asprintf(&folder, "%s/" MODULES_NAME, directory) < 0)
		return;
	notes = opendir(folder);
	if (!notes)
		return;
	while ((entry = readdir(notes)))
		if (id_parse(entry->d_name, &identity) == 0 && !wanted(&identity, context))
			(void)unlinkat(dirfd(notes), entry->d_name, 0);
	closedir(notes);
}
