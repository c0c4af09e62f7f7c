/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/modules.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/build_id.h"
#include "base/io.h"
#include "base/json.h"
#include "daemon/disk.h"
#include "daemon/module_file.h"

#define NOTE_MAX (256U << 20)
#define NOTE_DEPTH 2U

Id module_identity(const Id *fingerprint, const char *build_id, size_t build_id_size)
{
	uint8_t both[2 * sizeof(Id)];
	Id build;

	id_fingerprint(build_id, build_id_size, &build);
	memcpy(both, fingerprint->bytes, sizeof(Id));
	memcpy(both + sizeof(Id), build.bytes, sizeof(Id));
	id_fingerprint(both, sizeof(both), &build);
	return build;
}

static char *modules_path(const char *directory, const Id *identity)
{
	char text[ID_TEXT_SIZE] = "";
	char *path;

	if (identity)
		id_format(identity, text);
	return asprintf(&path, "%s/" MODULES_NAME "%s%s", directory, identity ? "/" : "", text) < 0 ? NULL : path;
}

/* ---- writing ---- */

static void write_member(Buffer *text, const char *name, const char *value, size_t size)
{
	buffer_text(text, text->size == 0 ? "{" : ",");
	json_write_string(name, strlen(name), text);
	buffer_text(text, ":");
	json_write_string(value, size, text);
}

/* Another daemon may stand elsewhere. */
static char *absolute(const char *path)
{
	_cleanup_free_ char *here = NULL;
	char *whole;

	if (path[0] == '/')
		return strdup(path);
	here = getcwd(NULL, 0);
	return here && asprintf(&whole, "%s/%s", here, path) >= 0 ? whole : NULL;
}

static int note_text(const Catalog *catalog, const char *path, Buffer *ret)
{
	_cleanup_free_ char *whole = NULL;

	write_member(ret, "module", catalog->spec->module, strlen(catalog->spec->module));
	write_member(ret, "build_id", catalog->build_id, strlen(catalog->build_id));
	if (path) {
		whole = absolute(path);
		if (!whole)
			return -ENOMEM;
		write_member(ret, "path", whole, strlen(whole));
	}
	write_member(ret, "spec", catalog->spec_text, catalog->spec_size);
	buffer_text(ret, "}\n");
	return buffer_error(ret);
}

/* It was written before; whether it was on the disk then is not known. */
static int settle(const char *folder, const char *file)
{
	_cleanup_close_ int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int r;

	r = fd < 0 ? -errno : disk_sync(fd);
	return r < 0 ? r : disk_sync_directory(folder);
}

int modules_save(const char *directory, const Catalog *catalog, const char *path)
{
	_cleanup_free_ char *folder = modules_path(directory, NULL);
	_cleanup_free_ char *file = modules_path(directory, &catalog->identity);
	_cleanup_buffer_ Buffer text = { 0 }, found = { 0 };
	int r;

	if (!folder || !file)
		return -ENOMEM;
	r = note_text(catalog, path, &text);
	if (r >= 0)
		r = make_directories(folder, 0700);
	if (r < 0)
		return r;
	if (read_file(file, text.size, &found) >= 0 && found.size == text.size &&
	    memcmp(found.data, text.data, text.size) == 0)
		r = settle(folder, file);
	else
		r = disk_replace(file, text.data, text.size, 0600);
	return r < 0 ? r : disk_sync_directory(directory);
}

/* ---- reading ---- */

void module_note_done(ModuleNote *note)
{
	catalog_free(note->catalog);
	free(note->path);
	*note = (ModuleNote){ 0 };
}

static const char *member(struct json_object *note, const char *name, size_t *ret_size)
{
	struct json_object *value;

	*ret_size = 0;
	if (!json_object_object_get_ex(note, name, &value) || !json_object_is_type(value, json_type_string))
		return NULL;
	*ret_size = (size_t)json_object_get_string_len(value);
	return json_object_get_string(value);
}

static int take_note(struct json_object *json, const Id *identity, const RecordCaps *caps, ModuleNote *ret,
		     char **ret_problem)
{
	_cleanup_module_note_ ModuleNote note = { 0 };
	OrderHello hello = { 0 };
	const char *path;
	size_t path_size;
	Id found;
	int r;

	hello.spec = member(json, "spec", &hello.spec_size);
	hello.build_id = member(json, "build_id", &hello.build_id_size);
	path = member(json, "path", &path_size);
	if (!hello.spec || !hello.build_id)
		return -EBADMSG;
	id_fingerprint(hello.spec, hello.spec_size, &hello.fingerprint);
	found = module_identity(&hello.fingerprint, hello.build_id, hello.build_id_size);
	if (!id_equal(&found, identity))
		return -EBADMSG;
	r = catalog_recall(&hello, caps, &note.catalog, ret_problem);
	if (r < 0)
		return r;
	note.path = path ? strdup(path) : NULL;
	if (path && !note.path)
		return -ENOMEM;
	*ret = TAKE(note, (ModuleNote){ 0 });
	return 0;
}

static int parse_note(const Buffer *text, const Id *identity, const RecordCaps *caps, ModuleNote *ret,
		      char **ret_problem)
{
	_cleanup_json_ struct json_object *json = NULL;
	JsonError error;
	int r;

	r = json_parse((const char *)text->data, text->size, NOTE_DEPTH, &json, &error);
	return r < 0 ? r : take_note(json, identity, caps, ret, ret_problem);
}

int modules_load(const char *directory, const Id *identity, const RecordCaps *caps, ModuleNote *ret, char **ret_problem)
{
	_cleanup_free_ char *path = modules_path(directory, identity);
	_cleanup_buffer_ Buffer text = { 0 };
	int r;

	*ret_problem = NULL;
	if (!path)
		return -ENOMEM;
	r = read_file(path, NOTE_MAX, &text);
	if (r == -EFBIG)
		r = -EBADMSG;
	else if (r >= 0)
		r = parse_note(&text, identity, caps, ret, ret_problem);
	if (r == -EBADMSG && !*ret_problem &&
	    asprintf(ret_problem, "%s is damaged: it does not hold the module that it is named after", path) < 0)
		*ret_problem = NULL;
	return r;
}

/* ---- the module itself ---- */

/* A descriptor where the file at \p path is that very build. */
static int try_path(const ModuleNote *note, const char *path)
{
	_cleanup_free_ char *problem = NULL;
	char build_id[BUILD_ID_MAX + 1];
	_cleanup_close_ int fd = module_open(path, &problem);
	int r;

	if (fd < 0)
		return fd;
	r = build_id_read(fd, build_id);
	if (r < 0)
		return r;
	return strcmp(build_id, note->catalog->build_id) == 0 ? take_fd(fd) : -ENOENT;
}

static int try_in(const ModuleNote *note, const char *directory, size_t size, char **ret_path)
{
	const char *name = note->catalog->spec->module, *build_id = note->catalog->build_id;
	_cleanup_free_ char *build = NULL, *plain = NULL;
	int fd = -ENOENT;

	if (asprintf(&build, "%.*s/%s-%s.so", (int)size, directory, name, build_id) < 0 ||
	    asprintf(&plain, "%.*s/%s.so", (int)size, directory, name) < 0)
		return -ENOMEM;
	if (build_id[0] != '\0')
		fd = try_path(note, build);
	if (fd >= 0) {
		*ret_path = take_ptr(build);
		return fd;
	}
	fd = try_path(note, plain);
	if (fd >= 0)
		*ret_path = take_ptr(plain);
	return fd;
}

static int try_where_it_was(const ModuleNote *note, char **ret_path)
{
	const char *slash = note->path ? strrchr(note->path, '/') : NULL;
	_cleanup_free_ char *path = NULL;
	int fd;

	if (!slash)
		return -ENOENT;
	path = strdup(note->path);
	if (!path)
		return -ENOMEM;
	fd = try_path(note, path);
	if (fd < 0)
		return try_in(note, note->path, (size_t)(slash - note->path), ret_path);
	*ret_path = take_ptr(path);
	return fd;
}

int modules_find(const ModuleNote *note, char **ret_path)
{
	int fd = try_where_it_was(note, ret_path);
	const char *directory;

	for (size_t i = 0; fd < 0 && (directory = module_directory(i)); i++)
		fd = try_in(note, directory, strlen(directory), ret_path);
	return fd < 0 ? -ENOENT : fd;
}

void modules_prune(const char *directory, bool (*wanted)(const Id *identity, void *context), void *context)
{
	_cleanup_free_ char *folder = modules_path(directory, NULL);
	DIR *notes = folder ? opendir(folder) : NULL;
	struct dirent *entry;
	Id identity;

	if (!notes)
		return;
	while ((entry = readdir(notes)))
		if (id_parse(entry->d_name, &identity) >= 0 && !wanted(&identity, context))
			unlinkat(dirfd(notes), entry->d_name, 0);
	closedir(notes);
}
