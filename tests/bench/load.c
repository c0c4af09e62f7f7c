/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Clients, each a process, that send one request after another and look at every reply:
 *
 *   load SOCKET REQUEST EXPECTED CLIENTS SECONDS new|kept BATCH
 *
 * REQUEST is the text of a request without its newline. `new` is a connection for each exchange, `kept` one for each
 * client. BATCH requests go out in one send, and all their replies are awaited. A reply is a line that holds EXPECTED.
 * What is printed is JSON: how many requests were answered, how many a second, and the median of an exchange's time. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EXCHANGES_MAX 500000
#define BATCH_MAX 64
#define WARM_UP 20

struct plan {
	struct sockaddr_un address;
	const char *expected;
	unsigned clients, batch;
	double seconds;
	bool kept;
	size_t size; /* of what is sent at once */
	char sent[1 << 16];
};

struct result {
	uint64_t first_nsec, last_nsec;
	uint32_t n;
	bool good;
	uint32_t nsec[EXCHANGES_MAX];
};

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000U + (uint64_t)time.tv_nsec;
}

static int dial(const struct plan *plan)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&plan->address, sizeof(plan->address)) < 0) {
		perror("load: connect");
		_exit(1);
	}
	return fd;
}

static bool send_all(int fd, const char *data, size_t size)
{
	ssize_t n;

	for (; size > 0; data += n, size -= (size_t)n) {
		n = send(fd, data, size, MSG_NOSIGNAL);
		if (n < 0)
			return false;
	}
	return true;
}

/* How many lines are good; -1 where one is not. A line that is not whole stays at the front of the text. */
static int take_lines(const struct plan *plan, char *text, size_t *size)
{
	char *line = text, *end;
	int n = 0;

	text[*size] = 0;
	for (; (end = memchr(line, '\n', *size - (size_t)(line - text))); line = end + 1, n++) {
		*end = 0;
		if (strstr(line, plan->expected))
			continue;
		fprintf(stderr, "load: expected %s, got %s\n", plan->expected, line);
		return -1;
	}
	*size -= (size_t)(line - text);
	memmove(text, line, *size);
	return n;
}

static bool exchange(const struct plan *plan, int fd)
{
	static char text[1 << 17];
	size_t size = 0;
	unsigned got = 0;
	ssize_t n;
	int lines;

	if (!send_all(fd, plan->sent, plan->size))
		return false;
	while (got < plan->batch) {
		n = recv(fd, text + size, sizeof(text) - 1 - size, 0);
		if (n <= 0) {
			fprintf(stderr, "load: the connection ended after %u of %u replies\n", got, plan->batch);
			return false;
		}
		size += (size_t)n;
		lines = take_lines(plan, text, &size);
		if (lines < 0)
			return false;
		got += (unsigned)lines;
	}
	return size == 0 && got == plan->batch;
}

static bool exchange_new(const struct plan *plan)
{
	int fd = dial(plan);
	bool good = exchange(plan, fd);

	close(fd);
	return good;
}

static void client(const struct plan *plan, struct result *result, uint64_t end)
{
	int fd = plan->kept ? dial(plan) : -1;
	uint64_t before = now(), after;

	result->first_nsec = before;
	result->good = true;
	while (before < end && result->n < EXCHANGES_MAX && result->good) {
		result->good = plan->kept ? exchange(plan, fd) : exchange_new(plan);
		after = now();
		result->nsec[result->n++] = (uint32_t)(after - before);
		before = after;
	}
	result->last_nsec = before;
}

static void run_clients(const struct plan *plan, struct result *results)
{
	uint64_t end = now() + (uint64_t)(plan->seconds * 1e9);

	for (unsigned i = 0; i < plan->clients; i++) {
		pid_t pid = fork();

		if (pid < 0) {
			perror("load: fork");
			exit(1);
		}
		if (pid == 0) {
			client(plan, &results[i], end);
			_exit(0);
		}
	}
	while (wait(NULL) > 0)
		;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static bool report(const struct plan *plan, const struct result *results)
{
	uint32_t *all = malloc((size_t)plan->clients * EXCHANGES_MAX * sizeof(*all));
	uint64_t first = UINT64_MAX, last = 0;
	size_t n = 0;

	if (!all)
		return false;
	for (unsigned i = 0; i < plan->clients; i++) {
		const struct result *result = &results[i];

		if (!result->good || result->n == 0) {
			if (result->n == 0)
				fprintf(stderr, "load: a client had no turn in all that time: is the machine busy?\n");
			free(all);
			return false;
		}
		memcpy(all + n, result->nsec, result->n * sizeof(*all));
		n += result->n;
		first = result->first_nsec < first ? result->first_nsec : first;
		last = result->last_nsec > last ? result->last_nsec : last;
	}
	qsort(all, n, sizeof(*all), compare);
	printf("{\"requests\":%zu,\"per_second\":%.1f,\"median_usec\":%.3f}\n", n * plan->batch,
	       (double)n * plan->batch / ((double)(last - first) / 1e9), (double)all[n / 2] / 1e3);
	free(all);
	return true;
}

static bool read_plan(int argc, char **argv, struct plan *plan)
{
	size_t size;

	if (argc != 8 || strlen(argv[1]) >= sizeof(plan->address.sun_path))
		return false;
	plan->address.sun_family = AF_UNIX;
	strcpy(plan->address.sun_path, argv[1]);
	plan->expected = argv[3];
	plan->clients = (unsigned)atoi(argv[4]);
	plan->seconds = atof(argv[5]);
	plan->kept = strcmp(argv[6], "kept") == 0;
	plan->batch = (unsigned)atoi(argv[7]);
	size = strlen(argv[2]) + 1;
	if (plan->clients == 0 || plan->batch == 0 || plan->batch > BATCH_MAX ||
	    size * plan->batch > sizeof(plan->sent))
		return false;
	for (unsigned i = 0; i < plan->batch; i++, plan->size += size) {
		memcpy(plan->sent + plan->size, argv[2], size - 1);
		plan->sent[plan->size + size - 1] = '\n';
	}
	return true;
}

int main(int argc, char **argv)
{
	static struct plan plan;
	struct result *results;

	if (!read_plan(argc, argv, &plan)) {
		fputs("usage: load SOCKET REQUEST EXPECTED CLIENTS SECONDS new|kept BATCH\n", stderr);
		return 64;
	}
	results =
		mmap(NULL, plan.clients * sizeof(*results), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (results == MAP_FAILED) {
		perror("load: mmap");
		return 1;
	}
	for (unsigned i = 0; i < WARM_UP; i++)
		if (!exchange_new(&plan))
			return 1;
	run_clients(&plan, results);
	return report(&plan, results) ? 0 : 1;
}
