/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hooks that do what their argument says, good or bad, and tell on standard output what they saw. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <json-c/json.h>

#include "table.h"

static const char spec_text[] =
	"{\"name\":\"wk\",\"programs\":{"
	"\"three\":{\"hooks\":[\"hooks.h1\",\"hooks.h2\",\"hooks.h3\"],"
	"\"args\":{\"first\":{\"type\":\"string\",\"required\":true},\"second\":{\"type\":\"string\",\"required\":true},"
	"\"third\":{\"type\":\"string\",\"required\":true}},\"outputs\":{}},"
	"\"hurried\":{\"hooks\":[\"hooks.h1\",\"hooks.again\"],\"timeout\":0.2,"
	"\"args\":{\"first\":{\"type\":\"string\",\"required\":true},\"second\":{\"type\":\"string\",\"required\":true}},"
	"\"outputs\":{}},"
	"\"patient\":{\"hooks\":[\"hooks.h1\",\"hooks.later\"],"
	"\"args\":{\"first\":{\"type\":\"string\",\"required\":true},\"second\":{\"type\":\"string\",\"required\":true}},"
	"\"outputs\":{}},"
	"\"limited\":{\"hooks\":[\"hooks.h1\",\"hooks.slow\"],"
	"\"args\":{\"first\":{\"type\":\"string\",\"required\":true},\"second\":{\"type\":\"string\",\"required\":true}},"
	"\"outputs\":{}},"
	"\"plain\":{\"hooks\":[\"hooks.bare\",\"hooks.bare\",\"hooks.bare\",\"hooks.bare\",\"hooks.bare\"],"
	"\"args\":{\"first\":{\"type\":\"string\",\"required\":true},\"second\":{\"type\":\"string\",\"required\":false}},"
	"\"outputs\":{}},"
	"\"final\":{\"hooks\":[\"hooks.h1\",\"hooks.last\",\"hooks.h3\"],"
	"\"args\":{\"first\":{\"type\":\"string\",\"required\":true},\"second\":{\"type\":\"string\",\"required\":true},"
	"\"third\":{\"type\":\"string\",\"required\":true}},\"outputs\":{}},"
	"\"typed\":{\"hooks\":[\"hooks.types\",\"hooks.pair\"],"
	"\"args\":{\"i\":{\"type\":\"int\",\"required\":true},\"f\":{\"type\":\"float\",\"required\":true},"
	"\"b\":{\"type\":\"bool\",\"required\":false},\"s\":{\"type\":\"string\",\"required\":false},"
	"\"l\":{\"type\":\"list\",\"required\":true},\"d\":{\"type\":\"dict\",\"required\":true}},"
	"\"outputs\":{\"sum\":{\"type\":\"float\",\"required\":true},\"tree\":{\"type\":\"dict\",\"required\":true},"
	"\"pair\":{\"type\":\"string\",\"required\":true}}}"
	"},\"hooks\":{"
	"\"h1\":{\"reference\":\"wk.play.act\",\"bind\":{\"what\":\"first\"},\"rectifiers\":[\"hooks.undo\"],"
	"\"args\":{\"what\":{\"type\":\"string\",\"required\":true}}},"
	"\"h2\":{\"reference\":\"wk.play.act\",\"bind\":{\"what\":\"second\"},\"rectifiers\":[\"hooks.undo\"],"
	"\"args\":{\"what\":{\"type\":\"string\",\"required\":true}}},"
	"\"h3\":{\"reference\":\"wk.play.act\",\"bind\":{\"what\":\"third\"},\"rectifiers\":[\"hooks.undo\"],"
	"\"args\":{\"what\":{\"type\":\"string\",\"required\":true}}},"
	"\"again\":{\"reference\":\"wk.play.act\",\"bind\":{\"what\":\"second\"},\"rectifiers\":[\"hooks.undo\"],"
	"\"retry\":{\"attempts\":1000,\"backoff\":0.001,\"max_backoff\":60},"
	"\"args\":{\"what\":{\"type\":\"string\",\"required\":true}}},"
	"\"later\":{\"reference\":\"wk.play.act\",\"bind\":{\"what\":\"second\"},"
	"\"retry\":{\"attempts\":1000,\"backoff\":3600,\"max_backoff\":3600},"
	"\"args\":{\"what\":{\"type\":\"string\",\"required\":true}}},"
	"\"bare\":{\"reference\":\"wk.play.act\",\"bind\":{\"what\":\"first\"},"
	"\"args\":{\"what\":{\"type\":\"string\",\"required\":true}}},"
	"\"last\":{\"reference\":\"wk.play.act\",\"bind\":{\"what\":\"second\"},\"irreversible\":true,"
	"\"args\":{\"what\":{\"type\":\"string\",\"required\":true}}},"
	"\"slow\":{\"reference\":\"wk.play.act\",\"bind\":{\"what\":\"second\"},\"rectifiers\":[\"hooks.undo\"],"
	"\"timeout\":3600,\"args\":{\"what\":{\"type\":\"string\",\"required\":true}}},"
	"\"undo\":{\"reference\":\"wk.play.undo\",\"args\":{}},"
	"\"types\":{\"reference\":\"wk.play.types\",\"args\":{\"i\":{\"type\":\"int\",\"required\":true},"
	"\"f\":{\"type\":\"float\",\"required\":true},\"b\":{\"type\":\"bool\",\"required\":false},"
	"\"s\":{\"type\":\"string\",\"required\":false},\"l\":{\"type\":\"list\",\"required\":true},"
	"\"d\":{\"type\":\"dict\",\"required\":true},"
	"\"n\":{\"type\":\"int\",\"required\":true,\"default\":42}},"
	"\"outputs\":{\"sum\":{\"type\":\"float\",\"required\":true},\"tree\":{\"type\":\"dict\",\"required\":true},"
	"\"maybe\":{\"type\":\"int\",\"required\":false}}},"
	"\"pair\":{\"reference\":\"wk.play.pair\",\"args\":{\"i\":{\"type\":\"int\",\"required\":true},"
	"\"sum\":{\"type\":\"float\",\"required\":true}},\"outputs\":{\"pair\":{\"type\":\"string\",\"required\":true}}}"
	"}}";

static int forks;

/* Where a test is the worker itself, it is told of what is reached. */
extern void play_reached(const char *what, const ryuso_run *run) __attribute__((weak));

static void reached(const char *what, const ryuso_run *run)
{
	if (play_reached)
		play_reached(what, run);
}

/* Double-forked, in a session of its own, every descriptor closed; waits until it is there. */
static void leave_daemon(void)
{
	int ready[2];
	char byte;
	pid_t pid;

	if (pipe(ready) < 0)
		abort();
	pid = fork();
	if (pid == 0) {
		setsid();
		if (fork() > 0)
			_exit(0);
		pid = getpid();
		if (write(ready[1], &pid, sizeof(pid)) < 0)
			_exit(1);
		for (int fd = 0; fd < 1024; fd++)
			close(fd);
		for (;;)
			pause();
	}
	close(ready[1]);
	if (read(ready[0], &pid, sizeof(pid)) != sizeof(pid) || read(ready[0], &byte, 1) != 0)
		abort();
	close(ready[0]);
	printf("left %d\n", (int)pid);
}

static void *thread_main(void *run)
{
	printf("from a thread: note %d, token %s\n", ryuso_note(run, "k", "v", 1), ryuso_token(run) ? "some" : "none");
	fflush(stdout);
	while (pause() < 0)
		;
	return NULL;
}

static void *thread_that_ends(void *run)
{
	return run;
}

static void begin_thread(ryuso_run *run, void *(*start)(void *), bool join)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, start, run) != 0)
		abort();
	if (join)
		pthread_join(thread, NULL);
}

static void make_timer(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };
	timer_t timer;

	if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0)
		abort();
}

static void fork_and_ask(ryuso_run *run)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(ryuso_note(run, "k", "v", 1) == -EPERM && !ryuso_token(run) &&
				      ryuso_fail(run, "R", "m") == RYUSO_UNKNOWN && ryuso_attempt(run) == 0
			      ? 7
			      : 8);
	waitpid(pid, &status, 0);
	printf("the copy says %d\n", WEXITSTATUS(status));
}

static void fill_memory(void)
{
	for (;;) {
		char *page = malloc(1U << 20);

		if (!page)
			abort();
		memset(page, 1, 1U << 20);
	}
}

static void note_once(ryuso_run *run)
{
	int r = ryuso_note(run, "where", "mark", 4);

	if (r == 0)
		reached("note", run);
	else
		printf("the note says %d\n", r);
}

static void close_all(void)
{
	for (int fd = 0; fd < 1024; fd++)
		close(fd);
}

/* What a program that a hook starts finds open: the lock of the worker's tree alone. */
static void look_at_descriptors(void)
{
	printf("the tree's lock is open: %d\n",
	       system("test -e /proc/self/fd/7 && ! test -e /proc/self/fd/3 && ! test -e /proc/self/fd/4 && "
		      "! test -e /proc/self/fd/6"));
}

static ryuso_status act_badly(ryuso_run *run, const char *what)
{
	if (strcmp(what, "crash") == 0)
		raise(SIGKILL);
	if (strcmp(what, "exit") == 0)
		exit(0);
	if (strcmp(what, "_exit") == 0)
		_exit(0);
	if (strcmp(what, "stop") == 0)
		raise(SIGSTOP);
	if (strcmp(what, "fill") == 0)
		fill_memory();
	if (strcmp(what, "hang") == 0)
		for (;;)
			pause();
	if (strcmp(what, "close") == 0 || strcmp(what, "deaf") == 0)
		close_all();
	if (strcmp(what, "deaf") == 0)
		note_once(run);
	if (strcmp(what, "odd") == 0)
		return (ryuso_status)17;
	if (strcmp(what, "rubbish") == 0)
		return write(3, "rubbish", 7) < 0 ? RYUSO_FAILED : RYUSO_OK;
	if (strcmp(what, "ring") == 0)
		return write(4, "\1\0\0\0\0\0\0\0", 8) < 0 ? RYUSO_FAILED : RYUSO_OK;
	if (strcmp(what, "unknown") == 0)
		return ryuso_unknown(run, "Lost", "the answer\nwas lost");
	return RYUSO_OK;
}

static ryuso_status act_with_processes(ryuso_run *run, const char *what)
{
	if (strcmp(what, "daemon") == 0)
		leave_daemon();
	else if (strcmp(what, "fork") == 0 && forks++ < 3 && fork() < 0)
		abort();
	else if (strcmp(what, "thread") == 0)
		begin_thread(run, thread_main, false);
	else if (strcmp(what, "joined") == 0)
		begin_thread(run, thread_that_ends, true);
	else if (strcmp(what, "alarm") == 0)
		alarm(3600);
	else if (strcmp(what, "timer") == 0)
		make_timer();
	else if (strcmp(what, "ask") == 0)
		fork_and_ask(run);
	return act_badly(run, what);
}

static void note_all(ryuso_run *run)
{
	char big[4096] = { 0 };
	const void *data;
	size_t size;
	int n = 0;

	if (ryuso_note(run, "where", "here", 4) < 0 || ryuso_note(run, "where", "there", 5) < 0)
		abort();
	while (ryuso_note(run, "big", big, sizeof(big)) == 0)
		n++;
	printf("%d big notes, then %d; %d\n", n, ryuso_note(run, "big", big, sizeof(big)),
	       ryuso_noted(run, "where", &data, &size) == 0 && size == 5);
}

static void set_all(ryuso_run *run)
{
	char big[4096];
	int n = 0, r = 0;

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	while (r == 0) {
		char key[32];

		snprintf(key, sizeof(key), "big%d", n);
		r = ryuso_set_string(run, key, big);
		n += r == 0;
	}
	printf("%d big values, then %d; again the first: %d; seen: %d\n", n, r, ryuso_set_string(run, "big0", big),
	       ryuso_has(run, "big0"));
}

static ryuso_status act(ryuso_run *run)
{
	ryuso_peer_info peer = { 0 };
	const char *what = NULL, *ticket;

	reached("call", run);
	if (ryuso_get_string(run, "_ticket", &ticket) == 0)
		printf("ticket %s\n", ticket);
	if (ryuso_module_arg_string(run, 0, &what) != 1)
		abort();
	ryuso_peer(run, &peer);
	printf("%s %u.%u %s by %u of %s\n", ryuso_hook_name(run), ryuso_step(run), ryuso_attempt(run), what, peer.uid,
	       ryuso_run_id(run));
	if (strcmp(what, "fail") == 0)
		return ryuso_fail(run, "Refused", "no %s for you", "cake");
	if (strcmp(what, "flaky") == 0 && ryuso_attempt(run) < 3)
		return ryuso_fail(run, "Flaky", "not yet");
	if (strcmp(what, "note") == 0)
		note_all(run);
	if (strcmp(what, "mark") == 0)
		note_once(run);
	if (strcmp(what, "tree") == 0)
		look_at_descriptors();
	if (strcmp(what, "set") == 0)
		set_all(run);
	if (strcmp(what, "log") == 0)
		ryuso_log(run, RYUSO_WARNING, "one\ntwo \x1b[31m");
	return act_with_processes(run, what);
}

static ryuso_status undo(ryuso_run *run)
{
	const char *undone = ryuso_undone_token(run), *mood = getenv("RYUSO_TEST_UNDO");
	const void *data = "nothing";
	size_t size = 7;

	reached("call", run);
	ryuso_noted(run, "where", &data, &size);
	printf("undo %u.%u %s noted %.*s token %d\n", ryuso_step(run), ryuso_attempt(run),
	       ryuso_in_doubt(run) ? "in doubt" : "done", (int)size, (const char *)data,
	       undone && strcmp(undone, ryuso_token(run)) != 0);
	if (size == 5)
		set_all(run);
	if (mood && strcmp(mood, "stop") == 0)
		raise(SIGSTOP);
	if (mood && strcmp(mood, "fail") == 0)
		return ryuso_fail(run, "Stuck", "it does not come loose");
	return ryuso_rectifying(run) ? RYUSO_OK : ryuso_fail(run, "Forward", "called forward");
}

static ryuso_status types(ryuso_run *run)
{
	struct json_object *list = NULL, *dict = NULL;
	const char *text = "(none)";
	int64_t integer = 0, number = 0;
	bool truth = true;
	double real = 0;
	int r;

	ryuso_module_arg_int(run, 0, &integer);
	ryuso_module_arg_float(run, 1, &real);
	r = ryuso_module_arg_bool(run, 2, &truth) + ryuso_module_arg_string(run, 3, &text);
	ryuso_module_arg_json(run, 4, &list);
	ryuso_module_arg_json(run, 5, &dict);
	ryuso_module_arg_int(run, 6, &number);
	json_object_array_add(list, json_object_new_int(9));
	printf("%d of two, %d %s, %zu entries, %s, default %d\n", r, truth, text, json_object_array_length(list),
	       json_object_to_json_string_ext(dict, JSON_C_TO_STRING_PLAIN), (int)number);
	printf("no such argument: %d; untyped: %d, undeclared key: %d, declared: %d, not finite: %d\n",
	       ryuso_module_arg_int(run, 7, &number), ryuso_get_float(run, "i", &real),
	       ryuso_set_int(run, "surplus", 1), ryuso_set_int(run, "maybe", 1),
	       ryuso_module_set_float(run, 0, 1.0 / (real - real)));
	if (ryuso_module_set_float(run, 0, (double)(integer + number)) < 0 || ryuso_module_set_json(run, 1, dict) < 0)
		abort();
	json_object_object_add(dict, "later", json_object_new_int(1));
	json_object_put(list);
	json_object_put(dict);
	return RYUSO_OK;
}

static ryuso_status pair(ryuso_run *run)
{
	char text[64];
	int64_t i = 0;
	double sum = 0;

	ryuso_module_arg_int(run, 0, &i);
	ryuso_module_arg_float(run, 1, &sum);
	snprintf(text, sizeof(text), "%d and %g", (int)i, sum);
	return ryuso_module_set_string(run, 0, text) == 0 ? RYUSO_OK : RYUSO_FAILED;
}

static const TableFunction functions[] = {
	{ "wk.play.act", act },
	{ "wk.play.undo", undo },
	{ "wk.play.types", types },
	{ "wk.play.pair", pair },
};

static int open_module(char *message, size_t size)
{
	if (!table_breaks("open"))
		return 0;
	snprintf(message, size, "no database\tat all");
	return 5;
}

static void close_module(void)
{
	printf("closed in good order\n");
}

TABLE_MODULE(spec_text, open_module, close_module);

__attribute__((constructor)) static void fill(void)
{
	table_fill(functions, ELEMENTSOF(functions));
}
