/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The wallet's transfer in one plain process: the module's own hooks, called one after another, and as many syncs of a
 * file as a run of the program takes; nothing else.
 *
 *   plain MODULE FILE SYNCS SECONDS
 *
 * WALLET_DB says where the wallet is; alice and bob have accounts there. Prints JSON like load. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <json-c/json.h>
#include <ryuso/host.h>
#include <ryuso/module.h>

#define FILE_SIZE (8U << 20)
#define PAGE_SIZE 4096U
#define RUNS_MAX 100000

struct call {
	struct ryuso_value args[3];
	struct ryuso_run run;
};

static uint32_t nsec[RUNS_MAX];
static const struct ryuso_module *module;

static int on_argument(void *host, unsigned arg, struct ryuso_value *ret)
{
	struct call *call = host;

	*ret = call->args[arg];
	return ret->type == RYUSO_VALUE_NONE ? 0 : 1;
}

static int on_output(void *host, unsigned output, const struct ryuso_value *value)
{
	(void)host;
	(void)output;
	(void)value;
	return 0;
}

static int on_log(void *host, int level, const char *text)
{
	(void)host;
	(void)level;
	(void)text;
	return 0;
}

static const struct ryuso_host host_calls = { .argument = on_argument, .set_output = on_output, .log = on_log };

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000U + (uint64_t)time.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void fail(const char *what, const char *why)
{
	fprintf(stderr, "plain: %s: %s\n", what, why);
	exit(1);
}

static void step(const char *reference, const char *account, int64_t amount)
{
	static uint64_t number;
	struct call call = {
		.args = { { .type = RYUSO_VALUE_STRING, .string = account },
			  { .type = RYUSO_VALUE_INT, .integer = amount } },
		.run = { .calls = &host_calls, .hook_name = "plain", .step = 1, .attempt = 1 },
	};

	call.run.host = &call;
	snprintf(call.run.token, sizeof(call.run.token), "%016llx%08x%08x", (unsigned long long)++number,
		 (unsigned)getpid(), (unsigned)time(NULL));
	for (uint32_t i = 0; i < module->n_functions; i++) {
		if (strcmp(module->functions[i].reference, reference) != 0)
			continue;
		if (ryuso_host_enter(&call.run) < 0 || module->functions[i].call(&call.run) != RYUSO_OK)
			fail(reference, call.run.message);
		ryuso_host_enter(NULL);
		return;
	}
	fail(reference, "there is no such function");
}

static void sync_file(int fd, size_t *n)
{
	static char page[PAGE_SIZE];

	memset(page, (int)*n + 1, sizeof(page));
	if (pwrite(fd, page, sizeof(page), (off_t)((*n)++ * PAGE_SIZE % FILE_SIZE)) != sizeof(page) ||
	    fdatasync(fd) < 0)
		fail("the file", strerror(errno));
}

static void transfer(int fd, unsigned n_syncs, size_t *n)
{
	static const struct {
		const char *reference, *account;
		int64_t amount;
	} steps[] = {
		{ "wallet.ledger.withdraw", "alice", 1 },
		{ "wallet.ledger.deposit", "bob", 1 },
		{ "wallet.ledger.charge", "alice", 1 },
	};

	for (unsigned i = 0; i < 3; i++) {
		if (i < n_syncs)
			sync_file(fd, n);
		step(steps[i].reference, steps[i].account, steps[i].amount);
	}
	for (unsigned i = 3; i < n_syncs; i++)
		sync_file(fd, n);
}

static int make_file(const char *path)
{
	static const char zeroes[PAGE_SIZE];
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	for (unsigned at = 0; fd >= 0 && at < FILE_SIZE; at += PAGE_SIZE)
		if (write(fd, zeroes, PAGE_SIZE) != PAGE_SIZE)
			return -1;
	return fd < 0 || fsync(fd) < 0 ? -1 : fd;
}

static void load(const char *path)
{
	char message[256] = "";
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	module = handle ? dlsym(handle, "ryuso_module") : NULL;
	if (!module)
		fail(path, dlerror());
	if (module->open && module->open(message, sizeof(message)) != 0)
		fail(path, message);
}

int main(int argc, char **argv)
{
	uint64_t begun, end, before, after;
	size_t n = 0, n_synced = 0;
	int fd;

	if (argc != 5) {
		fputs("usage: plain MODULE FILE SYNCS SECONDS\n", stderr);
		return 64;
	}
	load(argv[1]);
	fd = make_file(argv[2]);
	if (fd < 0)
		fail(argv[2], strerror(errno));
	begun = before = now();
	end = begun + (uint64_t)(atof(argv[4]) * 1e9);
	while (before < end && n < RUNS_MAX) {
		transfer(fd, (unsigned)atoi(argv[3]), &n_synced);
		after = now();
		nsec[n++] = (uint32_t)(after - before);
		before = after;
	}
	unlink(argv[2]);
	qsort(nsec, n, sizeof(*nsec), compare);
	printf("{\"requests\":%zu,\"per_second\":%.1f,\"median_usec\":%.3f}\n", n,
	       (double)n / ((double)(before - begun) / 1e9), (double)nsec[n / 2] / 1e3);
	return 0;
}
