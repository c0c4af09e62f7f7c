/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hooks for tests of the daemon: they say that they ran, wait for a file, spend time, print, grow, or do harm. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "table.h"

#define ARG(name, type) "\"" name "\":{\"type\":\"" type "\",\"required\":true}"
#define MAYBE(name, type) "\"" name "\":{\"type\":\"" type "\",\"required\":false}"
#define HOOK(name, function, args) "\"" name "\":{\"reference\":\"busy.hooks." function "\",\"args\":{" args "}"
#define LOG ARG("log", "string")

/* clang-format off */
static const char spec_text[] =
	"{\"name\":\"busy\",\"version\":\"7\",\"programs\":{"
	/* five hooks that do nothing */
	"\"nothing\":{\"hooks\":[\"hooks.nop\",\"hooks.nop\",\"hooks.nop\",\"hooks.nop\",\"hooks.nop\"],\"args\":{},"
		"\"outputs\":{},\"description\":\"does nothing, five times\"},"
	/* writes down a word; or does so, waits for a file, and writes down its name */
	"\"say\":{\"hooks\":[\"hooks.say\"],\"args\":{" LOG "," ARG("word", "string") "},\"outputs\":{}},"
	"\"gate\":{\"hooks\":[\"hooks.say\",\"hooks.wait\",\"hooks.said\"],\"args\":{" LOG "," ARG("word", "string") ","
		ARG("file", "string") "},\"outputs\":{}},"
	/* a step with a rectifier, a step that does harm, a step after it */
	"\"harm\":{\"hooks\":[\"hooks.before\",\"hooks.harm\",\"hooks.after\"],\"args\":{" LOG "," ARG("how", "string")
		"},\"outputs\":{}},"
	/* fails, and while it is rectified waits for a file */
	"\"reverse\":{\"hooks\":[\"hooks.held\",\"hooks.fail\"],\"args\":{" LOG "," ARG("word", "string") ","
		ARG("file", "string") "},\"outputs\":{}},"
	/* a step that takes its time, where it may take 5 ms; then one that writes down which run it belongs to */
	"\"race\":{\"hooks\":[\"hooks.spend\",\"hooks.mark\"],\"args\":{" LOG "," ARG("usec", "int") "},\"outputs\":{}},"
	"\"hurry\":{\"hooks\":[\"hooks.before\",\"hooks.sleep\",\"hooks.after\"],\"timeout\":0.1,\"args\":{" LOG ","
		ARG("usec", "int") "},\"outputs\":{}},"
	/* a thousand attempts */
	"\"patience\":{\"hooks\":[\"hooks.before\",\"hooks.stubborn\"],\"args\":{" LOG "},\"outputs\":{}},"
	"\"echo\":{\"hooks\":[\"hooks.echo\"],\"args\":{" ARG("text", "string") "},\"outputs\":{" ARG("back", "string")
		"}},"
	"\"print\":{\"hooks\":[\"hooks.print\"],\"args\":{" ARG("text", "string") "," MAYBE("times", "int")
		"},\"outputs\":{}},"
	"\"whisper\":{\"hooks\":[\"hooks.keep\"],\"args\":{\"word\":{\"type\":\"string\",\"required\":true,"
		"\"secret\":true,\"description\":\"not for others\"},\"mood\":{\"type\":\"string\",\"required\":false,"
		"\"default\":\"calm\"}},\"outputs\":{}},"
	"\"types\":{\"hooks\":[],\"args\":{" ARG("i", "int") "," MAYBE("f", "float") "," MAYBE("l", "list") ","
		MAYBE("d", "dict") "," MAYBE("b", "bool") "},\"outputs\":{}},"
	"\"promise\":{\"hooks\":[\"hooks.loose\"],\"args\":{},\"outputs\":{" ARG("never", "string") "}},"
	"\"final\":{\"hooks\":[\"hooks.launch\",\"hooks.fail\"],\"args\":{},\"outputs\":{}},"
	"\"stuck\":{\"hooks\":[\"hooks.glued\",\"hooks.fail\"],\"args\":{},\"outputs\":{}},"
	"\"closed\":{\"hooks\":[\"hooks.nop\"],\"args\":{},\"outputs\":{},\"allow\":{\"users\":[\"nobody\"],"
		"\"groups\":[\"ryuso-no-such-group\"]}},"
	"\"grouped\":{\"hooks\":[\"hooks.nop\"],\"args\":{},\"outputs\":{},\"allow\":{\"groups\":[\"daemon\"]}}"
	"},\"hooks\":{"
	HOOK("nop", "nop", "") "},"
	HOOK("loose", "nop", "") "},"
	HOOK("say", "say", LOG "," ARG("word", "string")) "},"
	HOOK("said", "say", LOG "," ARG("word", "string")) ",\"bind\":{\"word\":\"file\"}},"
	HOOK("wait", "wait", ARG("file", "string")) "},"
	HOOK("held", "nop", "") ",\"rectifiers\":[\"hooks.say\",\"hooks.wait\"]},"
	HOOK("before", "before", LOG) ",\"rectifiers\":[\"hooks.undo\"]},"
	HOOK("after", "after", LOG) "},"
	HOOK("undo", "undo", LOG) "},"
	HOOK("harm", "harm", LOG "," ARG("how", "string")) ",\"rectifiers\":[\"hooks.undo\"]},"
	HOOK("spend", "spend", LOG "," ARG("usec", "int")) ",\"timeout\":0.005,\"rectifiers\":[\"hooks.undo\"]},"
	HOOK("sleep", "spend", LOG "," ARG("usec", "int")) "},"
	HOOK("mark", "mark", LOG) ",\"rectifiers\":[\"hooks.undo\"]},"
	HOOK("stubborn", "fail", "") ",\"retry\":{\"attempts\":1000,\"backoff\":0.0005,\"max_backoff\":0.0005}},"
	HOOK("echo", "echo", ARG("text", "string")) ",\"outputs\":{" ARG("back", "string") "}},"
	HOOK("print", "print", ARG("text", "string") "," MAYBE("times", "int")) "},"
	HOOK("keep", "keep", "\"word\":{\"type\":\"string\",\"required\":true,\"secret\":true}") "},"
	HOOK("launch", "nop", "") ",\"irreversible\":true},"
	HOOK("glued", "nop", "") ",\"rectifiers\":[\"hooks.never\"]},"
	HOOK("never", "fail", "") ",\"retry\":{\"attempts\":2,\"backoff\":0.001,\"max_backoff\":0.001}},"
	HOOK("fail", "fail", "") "}"
	"}}";
/* clang-format on */

static void write_down(const char *log, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void write_down(const char *log, const char *format, ...)
{
	char line[512];
	va_list arguments;
	int fd, n;

	va_start(arguments, format);
	n = vsnprintf(line, sizeof(line) - 1, format, arguments);
	va_end(arguments);
	if (n >= (int)sizeof(line) - 1)
		n = (int)sizeof(line) - 2;
	line[n++] = '\n';
	fd = open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0 || write(fd, line, (size_t)n) != n)
		abort();
	close(fd);
}

static const char *text_of(const ryuso_run *run, const char *key)
{
	const char *text = NULL;

	if (ryuso_get_string(run, key, &text) < 0)
		abort();
	return text;
}

static void pass(uint64_t usec)
{
	struct timespec time = { .tv_sec = (time_t)(usec / 1000000), .tv_nsec = (long)(usec % 1000000) * 1000 };

	while (nanosleep(&time, &time) < 0 && errno == EINTR)
		;
}

static ryuso_status nop(ryuso_run *run)
{
	(void)run;
	return RYUSO_OK;
}

static ryuso_status say(ryuso_run *run)
{
	const char *word = NULL;

	if (ryuso_module_arg_string(run, 1, &word) != 1)
		abort();
	write_down(text_of(run, "log"), "%s", word);
	return RYUSO_OK;
}

static ryuso_status wait_for_file(ryuso_run *run)
{
	while (access(text_of(run, "file"), F_OK) < 0)
		pass(1000);
	return RYUSO_OK;
}

static ryuso_status before(ryuso_run *run)
{
	write_down(text_of(run, "log"), "before");
	return RYUSO_OK;
}

static ryuso_status after(ryuso_run *run)
{
	write_down(text_of(run, "log"), "after");
	return RYUSO_OK;
}

static ryuso_status mark(ryuso_run *run)
{
	write_down(text_of(run, "log"), "mark %s", ryuso_run_id(run));
	return RYUSO_OK;
}

static ryuso_status undo(ryuso_run *run)
{
	write_down(text_of(run, "log"), "undo %u%s %s", ryuso_step(run), ryuso_in_doubt(run) ? "?" : "",
		   ryuso_run_id(run));
	return RYUSO_OK;
}

static ryuso_status fail(ryuso_run *run)
{
	return ryuso_fail(run, "NoLuck", "it never works");
}

static ryuso_status spend(ryuso_run *run)
{
	int64_t usec = 0;

	if (ryuso_module_arg_int(run, 1, &usec) != 1)
		abort();
	pass((uint64_t)usec);
	return RYUSO_OK;
}

static ryuso_status echo(ryuso_run *run)
{
	const char *text = NULL;

	if (ryuso_module_arg_string(run, 0, &text) != 1 || ryuso_module_set_string(run, 0, text) < 0)
		abort();
	return RYUSO_OK;
}

static ryuso_status print(ryuso_run *run)
{
	int64_t times = 1;

	(void)ryuso_get_int(run, "times", &times);
	for (int64_t i = 0; i < times; i++)
		printf("%s\n", text_of(run, "text"));
	ryuso_log(run, RYUSO_WARNING, "logged: %s", text_of(run, "text"));
	return RYUSO_OK;
}

static void close_all(void)
{
	for (int fd = 0; fd < 1024; fd++)
		close(fd);
}

/* A full counter: whoever rings after that finds no room. */
static void fill_doorbell(void)
{
	static const uint64_t most = UINT64_MAX - 1;

	if (write(4, &most, sizeof(most)) < 0 && errno != EAGAIN)
		abort();
}

static void write_rubbish(void)
{
	char rubbish[512];

	memset(rubbish, 0xff, sizeof(rubbish));
	for (int fd = 63; fd >= 3; fd--)
		if (write(fd, rubbish, sizeof(rubbish)) < 0 && errno == EFAULT)
			abort();
}

static void fill_memory(void)
{
	const struct rlimit limit = { 512U << 20, 512U << 20 };

	if (setrlimit(RLIMIT_AS, &limit) < 0)
		abort();
	for (;;)
		memset(malloc(1U << 20), 1, 1U << 20);
}

/* In a session of its own, double-forked, every descriptor closed: it writes into the log whenever it is alive. */
static void leave_daemon(const char *log)
{
	pid_t pid = fork();

	if (pid != 0) {
		pass(20000);
		return;
	}
	setsid();
	if (fork() > 0)
		_exit(0);
	close_all();
	write_down(log, "daemon %d", (int)getpid());
	for (;;)
		pause();
}

static void *come_back_later(void *log)
{
	pass(300000);
	write_down(log, "thread");
	return NULL;
}

static void leave_thread(const char *log)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, come_back_later, strdup(log)) != 0)
		abort();
}

static void scribble_all(void)
{
	char line[256], mode[8];
	unsigned long from, to;
	FILE *maps = fopen("/proc/self/maps", "re");

	while (maps && fgets(line, sizeof(line), maps))
		if (strstr(line, "recorder") && sscanf(line, "%lx-%lx %7s", &from, &to, mode) == 3)
			memset((void *)(from + 4096), 0x5a, 4096);
}

static volatile uintptr_t nowhere = 16;

static ryuso_status harm(ryuso_run *run)
{
	const char *how = text_of(run, "how"), *log = text_of(run, "log");

	write_down(log, "harm");
	if (strcmp(how, "crash") == 0)
		*(volatile int *)nowhere = 1;
	else if (strcmp(how, "abort") == 0)
		abort();
	else if (strcmp(how, "exit") == 0)
		exit(0);
	else if (strcmp(how, "_exit") == 0)
		_exit(3);
	else if (strcmp(how, "kill") == 0)
		raise(SIGKILL);
	else if (strcmp(how, "close") == 0)
		close_all();
	else if (strcmp(how, "doorbell") == 0)
		fill_doorbell();
	else if (strcmp(how, "rubbish") == 0)
		write_rubbish();
	else if (strcmp(how, "stop") == 0)
		raise(SIGSTOP);
	else if (strcmp(how, "memory") == 0)
		fill_memory();
	else if (strcmp(how, "unknown") == 0)
		return ryuso_unknown(run, "Lost", "nobody knows");
	else if (strcmp(how, "fail") == 0)
		return ryuso_fail(run, "Refused", "on purpose");
	else if (strcmp(how, "odd") == 0)
		return (ryuso_status)99;
	else if (strcmp(how, "daemon") == 0)
		leave_daemon(log);
	else if (strcmp(how, "daemon and crash") == 0) {
		leave_daemon(log);
		abort();
	} else if (strcmp(how, "thread") == 0)
		leave_thread(log);
	else if (strcmp(how, "fork") == 0 && fork() < 0)
		abort();
	else if (strcmp(how, "scribble") == 0) {
		/* before the daemon reads what is there */
		kill(getppid(), SIGSTOP);
		ryuso_note(run, "unread", "", 0);
		scribble_all();
	}
	else if (strcmp(how, "killparent") == 0)
		kill(getppid(), SIGTERM);
	return RYUSO_OK;
}

static const TableFunction functions[] = {
	{ "busy.hooks.nop", nop },       { "busy.hooks.keep", nop },
	{ "busy.hooks.say", say },       { "busy.hooks.wait", wait_for_file },
	{ "busy.hooks.before", before }, { "busy.hooks.after", after },
	{ "busy.hooks.mark", mark },     { "busy.hooks.undo", undo },
	{ "busy.hooks.fail", fail },     { "busy.hooks.spend", spend },
	{ "busy.hooks.echo", echo },     { "busy.hooks.print", print },
	{ "busy.hooks.harm", harm },
};

static int open_module(char *message, size_t size)
{
	if (table_breaks("open")) {
		snprintf(message, size, "the database is not there");
		return 5;
	}
	if (table_breaks("open exits"))
		exit(0);
	while (table_breaks("open hangs"))
		pause();
	return 0;
}

TABLE_MODULE(spec_text, open_module, NULL);

__attribute__((constructor)) static void fill(void)
{
	while (table_breaks("constructor hangs"))
		pause();
	table_fill(functions, ELEMENTSOF(functions));
}
