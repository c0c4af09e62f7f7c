/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/text.h"
#include "wire/request.h"

#define LINES_MAX 1000
#define STRING_OF(word) #word
#define STRING(word) STRING_OF(word)
#define TIMEOUT_MAX_SECONDS (366.0 * 86400.0)
#define INSTANCE_DEFAULT "ryuso"

static const struct option long_options[] = {
	{ "socket", required_argument, NULL, 's' },
	{ "instance", required_argument, NULL, 'I' },
	{ "user", optional_argument, NULL, 'U' },
	{ "json", optional_argument, NULL, 'j' },
	{ "no-legend", no_argument, NULL, 'l' },
	{ "no-pager", no_argument, NULL, 'p' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "timeout", required_argument, NULL, 't' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ "follow", no_argument, NULL, 'f' },
	{ "data", required_argument, NULL, 'd' },
	{ "request-id", required_argument, NULL, 'i' },
	{ "no-request-id", no_argument, NULL, 'N' },
	{ "now", no_argument, NULL, 'w' },
	{ "no-wait", no_argument, NULL, 'W' },
	{ "reason", required_argument, NULL, 'r' },
	{ "dry-run", no_argument, NULL, 'D' },
	{ "current-module", no_argument, NULL, 'c' },
	{ "undone-by-hand", no_argument, NULL, 'u' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "program", required_argument, NULL, 'P' },
	{ "status", required_argument, NULL, 'S' },
	{ "since", required_argument, NULL, 'T' },
	{ "lines", required_argument, NULL, 'n' },
	{ "wake", no_argument, NULL, 'k' },
	{},
};

/* Those that only some verbs know. */
static const struct {
	char option;
	OptionBit bit;
} limited[] = {
	{ 'f', OPTION_FOLLOW },         { 'd', OPTION_DATA },    { 'i', OPTION_REQUEST_ID },
	{ 'N', OPTION_NO_REQUEST_ID },  { 'w', OPTION_NOW },     { 'W', OPTION_NO_WAIT },
	{ 'r', OPTION_REASON },         { 'D', OPTION_DRY_RUN }, { 'c', OPTION_CURRENT_MODULE },
	{ 'u', OPTION_UNDONE_BY_HAND }, { 'v', OPTION_VERBOSE }, { 'P', OPTION_PROGRAM },
	{ 'S', OPTION_STATUS },         { 'U', OPTION_OF_USER }, { 'T', OPTION_SINCE },
	{ 'n', OPTION_LINES },          { 'k', OPTION_WAKE },
};

void options_done(Options *options)
{
	free(options->socket);
	options->socket = NULL;
}

static int refuse(Buffer *message, const char *expected, const char *got)
{
	buffer_format(message, "expected %s, got \"", expected);
	text_escape(got, strlen(got), SIZE_MAX, message);
	buffer_text(message, "\"");
	return -EINVAL;
}

static int parse_json(const char *text, Options *options, Buffer *message)
{
	if (!text || strcmp(text, "pretty") == 0)
		options->json = JSON_STYLE_PRETTY;
	else if (strcmp(text, "short") == 0)
		options->json = JSON_STYLE_SHORT;
	else
		return refuse(message, "--json=pretty or --json=short", text);
	return 0;
}

static int parse_timeout(const char *text, Options *options, Buffer *message)
{
	char *end;
	double seconds;

	seconds = strtod(text, &end);
	if (text[0] < '.' || text[0] > '9' || (*end != '\0' && strcmp(end, "s") != 0) || !isfinite(seconds) ||
	    seconds <= 0 || seconds > TIMEOUT_MAX_SECONDS || strpbrk(text, "xX"))
		return refuse(message, "--timeout=SECONDS, more than 0 and at most 366 days", text);
	options->timeout_usec = MAX((uint64_t)(seconds * (double)USEC_PER_SEC), 1U);
	return 0;
}

static int parse_instance(const char *text, Options *options, Buffer *message)
{
	if (text[0] == '\0' || text[0] == '.' || strchr(text, '/'))
		return refuse(message, "--instance=NAME, as in ryuso@NAME.socket", text);
	options->instance = text;
	return 0;
}

static int parse_request_id(const char *text, Options *options, Buffer *message)
{
	size_t size = strlen(text);

	if (size == 0 || size > REQUEST_ID_MAX || !text_is_utf8(text, size)) {
		buffer_format(message, "expected --request-id=ID of 1 to %u bytes of UTF-8, got %zu bytes",
			      REQUEST_ID_MAX, size);
		return -EINVAL;
	}
	options->request_id = text;
	return 0;
}

static int parse_reason(const char *text, Options *options, Buffer *message)
{
	size_t size = strlen(text);

	if (text[strspn(text, " \t\n")] == '\0' || !text_is_utf8(text, size))
		return refuse(message, "--reason=TEXT: why, for whoever asks later", text);
	options->reason = text;
	return 0;
}

static int parse_lines(const char *text, Options *options, Buffer *message)
{
	char *end;
	unsigned long lines = strtoul(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end != '\0' || lines == 0 || lines > LINES_MAX)
		return refuse(message, "--lines=NUMBER from 1 to " STRING(LINES_MAX), text);
	options->lines = (unsigned)lines;
	return 0;
}

static void set_filter(int option, Options *options)
{
	switch (option) {
	case 'P':
		options->program = optarg;
		break;
	case 'S':
		options->status = optarg;
		break;
	case 'U':
		options->of_user = optarg;
		break;
	case 'T':
		options->since = optarg;
		break;
	default:
		break;
	}
}

static int set_limited(int option, Options *options, Buffer *message)
{
	for (size_t i = 0; i < ELEMENTSOF(limited); i++)
		if (limited[i].option == option)
			options->given |= limited[i].bit;
	switch (option) {
	case 'f':
		options->follow = true;
		return 0;
	case 'd':
		options->data = optarg;
		return 0;
	case 'i':
		return parse_request_id(optarg, options, message);
	case 'r':
		return parse_reason(optarg, options, message);
	case 'n':
		return parse_lines(optarg, options, message);
	default:
		set_filter(option, options);
		return 0;
	}
}

static int set_option(int option, Options *options, const char **socket, Buffer *message)
{
	switch (option) {
	case 's':
		*socket = optarg;
		return 0;
	case 'I':
		return parse_instance(optarg, options, message);
	case 'U': /* --user=NAME is a filter */
		options->user |= !optarg;
		return optarg ? set_limited(option, options, message) : 0;
	case 'j':
		return parse_json(optarg, options, message);
	case 'l':
		options->legend = false;
		return 0;
	case 'p':
		options->no_pager = true;
		return 0;
	case 'q':
		options->quiet = true;
		return 0;
	case 't':
		return parse_timeout(optarg, options, message);
	case 'h':
		options->help = true;
		return 0;
	case 'V':
		options->version = true;
		return 0;
	default:
		return set_limited(option, options, message);
	}
}

const char *option_name(unsigned bit)
{
	static char name[32];

	for (size_t i = 0; i < ELEMENTSOF(limited); i++)
		for (size_t k = 0; limited[i].bit == bit && long_options[k].name; k++)
			if (long_options[k].val == limited[i].option)
				snprintf(name, sizeof(name), "--%s", long_options[k].name);
	return name;
}

static int explain_unknown(char **argv, Buffer *message)
{
	const char *names[ELEMENTSOF(long_options) - 1];
	const char *word = argv[optind - 1];
	const char *close;

	if (optopt && strncmp(word, "--", 2) != 0) {
		buffer_format(message, "unknown option -%c", optopt);
		return -EINVAL;
	}
	for (size_t i = 0; i < ELEMENTSOF(names); i++)
		names[i] = long_options[i].name;
	buffer_text(message, "unknown option ");
	text_escape(word, strlen(word), SIZE_MAX, message);
	close = text_closest(word + 2, names, ELEMENTSOF(names));
	if (close)
		buffer_format(message, "; did you mean --%s?", close);
	return -EINVAL;
}

static int explain_missing(char **argv, Buffer *message)
{
	const char *word = argv[optind - 1];

	buffer_text(message, "expected a value after ");
	text_escape(word, strlen(word), SIZE_MAX, message);
	return -EINVAL;
}

/* Where systemd puts the sockets: of the host, or of the service manager of whoever asks. */
static void write_directory(const Options *options, Buffer *path)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");

	if (!options->user)
		buffer_text(path, RYUSO_RUNDIR);
	else if (runtime && runtime[0] == '/')
		buffer_text(path, runtime);
	else
		buffer_format(path, RYUSO_RUNDIR "/user/%u", (unsigned)geteuid());
	buffer_text(path, "/ryuso/");
}

static int check_place(const char *given, const Options *options, Buffer *message)
{
	if (!given || (!options->instance && !options->user))
		return 0;
	buffer_format(message, "expected --socket or --%s, got both", options->instance ? "instance" : "user");
	return -EINVAL;
}

static int locate_socket(const char *given, Options *options, Buffer *message)
{
	const char *environment = getenv("RYUSO_SOCKET");
	_cleanup_buffer_ Buffer path = {};
	int r;

	r = check_place(given, options, message);
	if (r < 0)
		return r;
	options->socket_option = given != NULL;
	if (!given && !options->instance && !options->user && environment && environment[0] != '\0')
		given = environment;
	options->socket_given = given != NULL;
	if (given) {
		buffer_text(&path, given);
	} else {
		write_directory(options, &path);
		buffer_format(&path, "%s.sock", options->instance ? options->instance : INSTANCE_DEFAULT);
	}
	if (path.size == 0 || path.size >= sizeof(((struct sockaddr_un *)NULL)->sun_path)) {
		buffer_format(message, "expected a socket's path of 1 to %zu bytes, got %zu bytes",
			      sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1, path.size);
		return -EINVAL;
	}
	options->socket = buffer_take_text(&path);
	return options->socket ? 0 : -ENOMEM;
}

int options_parse(int argc, char **argv, Options *ret, int *ret_first, Buffer *message)
{
	Options options = { .legend = true };
	const char *socket = NULL;
	int option, r;

	opterr = 0;
	optind = 0;
	while ((option = getopt_long(argc, argv, ":s:I:fn:qhv", long_options, NULL)) != -1) {
		if (option == '?')
			return explain_unknown(argv, message);
		if (option == ':')
			return explain_missing(argv, message);
		r = set_option(option, &options, &socket, message);
		if (r < 0)
			return r;
	}
	if (options.given & OPTION_REQUEST_ID && options.given & OPTION_NO_REQUEST_ID) {
		buffer_text(message, "expected --request-id or --no-request-id, got both");
		return -EINVAL;
	}
	r = locate_socket(socket, &options, message);
	if (r < 0)
		return r;
	*ret = options;
	*ret_first = optind;
	return 0;
}
