/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/instances.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "ctl/draft.h"
#include "ctl/exit.h"
#include "ctl/member.h"
#include "ctl/pager.h"
#include "ctl/peek.h"
#include "ctl/service.h"
#include "ctl/table.h"

#define SUFFIX ".sock"
#define ANSWER_LIMIT_USEC (2 * USEC_PER_SEC)
#define INSTANCES_MAX 1000U

typedef struct Search {
	Ctl *ctl;
	struct json_object *list; /* owned */
	ServiceManager manager;   /* owned */
	bool user;
} Search;

/* ---- one socket ---- */

/** \brief A state that is no daemon's own: why it cannot be asked. NULL: it may be. */
static const char *reach(const char *path)
{
	Connection connection = { .fd = -EBADF };
	int r;

	r = connection_open(path, clock_monotonic() + ANSWER_LIMIT_USEC, &connection);
	connection_done(&connection);
	switch (-r) {
	case 0:
		return NULL;
	case EACCES:
	case EPERM:
		return "closed";
	case ECONNREFUSED:
	case ENOENT:
		return "dead";
	default:
		return "silent";
	}
}

/** \brief Members of the daemon's `status` that the table shows. */
static void take_status(struct json_object *status, Draft *draft)
{
	static const char *const counts[] = { "queued", "parked", "connections" };
	struct json_object *running = member_typed(status, "running", json_type_object);
	const char *state = member_text(status, "state");

	draft_text(draft, "state", state ? state : "unknown");
	draft_text(draft, "message", member_text(status, "message"));
	draft_text(draft, "version", member_text(status, "version"));
	draft_text(draft, "module", member_text(member(status, "module"), "name"));
	draft_text(draft, "running", member_text(running, "program"));
	for (size_t i = 0; i < ELEMENTSOF(counts); i++)
		if (member_typed(status, counts[i], json_type_int))
			draft_int(draft, counts[i], member_int(status, counts[i]));
	if (member(status, "held"))
		draft_add(draft, "held", json_object_new_boolean(member_bool(status, "held")));
}

/** \brief Asks the daemon, unless that would wake it. */
static void ask(const Search *search, const char *path, ServiceState service, Draft *draft)
{
	bool wake = search->ctl->options.given & OPTION_WAKE;
	_cleanup_json_ struct json_object *status = NULL;
	const char *state = NULL;

	if (access(path, W_OK) < 0 && errno == EACCES)
		state = "closed";
	else if (service == SERVICE_ASLEEP && !wake)
		state = "asleep";
	else if (service == SERVICE_UNKNOWN && !wake)
		state = "unknown";
	else
		state = reach(path);
	if (!state)
		status = peek(path, "status", NULL, ANSWER_LIMIT_USEC);
	if (status)
		take_status(status, draft);
	else
		draft_text(draft, "state", state ? state : "silent");
}

static int add(Search *search, const char *path, const char *name, const char *scope, ServiceState service)
{
	_cleanup_json_ struct json_object *item = NULL;
	_cleanup_draft_ Draft draft = {};
	int r;

	draft_text(&draft, "instance", name);
	draft_text(&draft, "scope", scope);
	draft_text(&draft, "socket", path);
	ask(search, path, service, &draft);
	r = draft_take(&draft, &item);
	if (r >= 0 && json_object_array_add(search->list, item) < 0)
		r = -ENOMEM;
	if (r >= 0)
		item = NULL;
	return r;
}

/* ---- all of them ---- */

static bool is_socket(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISSOCK(status.st_mode);
}

static int on_file(Search *search, const char *directory, const char *file)
{
	size_t length = strlen(file), suffix = strlen(SUFFIX);
	_cleanup_free_ char *path = NULL, *name = NULL;
	_cleanup_buffer_ Buffer text = {};

	if (length <= suffix || strcmp(file + length - suffix, SUFFIX) != 0)
		return 0;
	buffer_format(&text, "%s/%s", directory, file);
	path = buffer_take_text(&text);
	name = strndup(file, length - suffix);
	if (!path || !name)
		return -ENOMEM;
	if (!is_socket(path))
		return 0;
	return add(search, path, name, search->user ? "user" : "system", service_state(&search->manager, name));
}

/** \brief The sockets of one directory, by name. A directory that is not there has none. */
static int search_directory(Search *search, const char *directory)
{
	struct dirent **files = NULL;
	int n, r = 0;

	n = scandir(directory, &files, NULL, alphasort);
	if (n < 0)
		return errno == ENOMEM ? -ENOMEM : 0;
	for (int i = 0; i < n; i++) {
		if (r >= 0 && json_object_array_length(search->list) < INSTANCES_MAX)
			r = on_file(search, directory, files[i]->d_name);
		free(files[i]);
	}
	free(files);
	return r;
}

static int search_host(Search *search)
{
	int r;

	service_manager_open(false, &search->manager);
	r = search_directory(search, RYUSO_RUNDIR "/ryuso");
	service_manager_done(&search->manager);
	return r;
}

static int search_user(Search *search)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	_cleanup_buffer_ Buffer text = {};
	_cleanup_free_ char *directory = NULL;
	int r;

	if (runtime && runtime[0] == '/')
		buffer_format(&text, "%s/ryuso", runtime);
	else
		buffer_format(&text, RYUSO_RUNDIR "/user/%u/ryuso", (unsigned)geteuid());
	directory = buffer_take_text(&text);
	if (!directory)
		return -ENOMEM;
	search->user = true;
	service_manager_open(true, &search->manager);
	r = search_directory(search, directory);
	service_manager_done(&search->manager);
	return r;
}

/** \brief The one that was named, where it is none of those: that is no manager's, so nobody is asleep behind it. */
static int search_named(Search *search)
{
	const char *path = search->ctl->options.socket;

	if (!search->ctl->options.socket_given)
		return 0;
	for (size_t i = 0; i < json_object_array_length(search->list); i++) {
		const char *known = member_text(json_object_array_get_idx(search->list, i), "socket");

		if (known && strcmp(known, path) == 0)
			return 0;
	}
	return add(search, path, "-", "named", SERVICE_NONE);
}

/* ---- how they are shown ---- */

static Colour state_colour(const char *state)
{
	if (strcmp(state, "running") == 0)
		return COLOUR_GOOD;
	return strcmp(state, "asleep") == 0 ? COLOUR_NONE : COLOUR_BAD;
}

static void add_count(Table *table, struct libscols_line *line, size_t column, struct json_object *item,
		      const char *name)
{
	char number[24];

	if (!member_typed(item, name, json_type_int))
		return;
	snprintf(number, sizeof(number), "%" PRIi64, member_int(item, name));
	table_cell(table, line, column, number);
}

static void add_line(const Ctl *ctl, Table *table, struct json_object *item)
{
	struct libscols_line *line = table_line(table, NULL);
	const char *state = member_text(item, "state");
	bool held = member_bool(item, "held");

	table_cell(table, line, 0, member_text(item, "instance"));
	table_cell(table, line, 1, member_text(item, "scope"));
	table_cell(table, line, 2, held && strcmp(state, "running") == 0 ? "held" : state);
	if (ctl->output.colour)
		table_colour(table, line, 2, held ? COLOUR_WARN : state_colour(state));
	table_cell(table, line, 3, member_text(item, "module"));
	table_cell(table, line, 4, member_text(item, "running"));
	add_count(table, line, 5, item, "queued");
	add_count(table, line, 6, item, "parked");
	table_cell(table, line, 7, member_text(item, "socket"));
}

static int write_table(const Ctl *ctl, struct json_object *result, Buffer *text)
{
	static const Column columns[] = { { "INSTANCE", COLUMN_PLAIN }, { "SCOPE", COLUMN_PLAIN },
					  { "STATE", COLUMN_PLAIN },    { "MODULE", COLUMN_PLAIN },
					  { "RUNNING", COLUMN_PLAIN },  { "QUEUED", COLUMN_RIGHT },
					  { "PARKED", COLUMN_RIGHT },   { "SOCKET", COLUMN_PLAIN } };
	struct json_object *list = json_object_object_get(result, "instances");
	size_t n = json_object_array_length(list);
	_cleanup_table_ Table table = {};
	int r;

	table_init(ctl, columns, ELEMENTSOF(columns), &table);
	for (size_t i = 0; i < n; i++)
		add_line(ctl, &table, json_object_array_get_idx(list, i));
	r = table_write(&table, 0, text);
	if (r >= 0 && ctl->options.legend)
		buffer_format(text, "%s%zu instance%s.\n", n ? "\n" : "", n, n == 1 ? "" : "s");
	return r;
}

static int show(const Ctl *ctl, struct json_object *list)
{
	_cleanup_json_ struct json_object *result = NULL;
	_cleanup_draft_ Draft draft = {};
	int r;

	draft_add(&draft, "instances", json_object_get(list));
	r = draft_take(&draft, &result);
	return r < 0 ? ctl_complain_errno(ctl, r) : pager_show(ctl, result, write_table);
}

int verb_instances(Ctl *ctl, char *const *arguments, size_t n)
{
	Search search = { .ctl = ctl, .list = json_object_new_array() };
	_cleanup_json_ struct json_object *list = search.list;
	int r;

	(void)arguments;
	(void)n;
	r = list ? search_host(&search) : -ENOMEM;
	if (r >= 0)
		r = search_user(&search);
	if (r >= 0)
		r = search_named(&search);
	return r < 0 ? ctl_complain_errno(ctl, r) : show(ctl, list);
}
