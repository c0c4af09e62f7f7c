/* SPDX-License-Identifier: LGPL-2.1-or-later */
/** \file
 * \brief What stands behind a ryuso_run: the seam between libryuso and whoever performs runs (ryuso-worker,
 * ryuso-verify). Not installed: both come from one build.
 *
 * The host fills a ryuso_run, makes it current in its thread, calls the function, and reads reason and message
 * afterwards. libryuso checks who is calling, formats text, and passes the rest on.
 */
#ifndef RYUSO_HOST_H
#define RYUSO_HOST_H

#include <ryuso/hook.h>

#define RYUSO_REASON_SIZE 65
#define RYUSO_MESSAGE_SIZE 1025

/** \brief The numbers of base/value.h. */
enum ryuso_value_type {
	RYUSO_VALUE_NONE,
	RYUSO_VALUE_STRING,
	RYUSO_VALUE_INT,
	RYUSO_VALUE_FLOAT,
	RYUSO_VALUE_LIST,
	RYUSO_VALUE_DICT,
	RYUSO_VALUE_BOOL,
};

struct ryuso_value {
	enum ryuso_value_type type;
	union {
		const char *string;
		int64_t integer;
		double real;
		bool boolean;
		struct json_object *json;
	};
};

/** \brief All return 0 or a negative errno, except where said; values that come out are borrowed until the hook
 * returns. */
struct ryuso_host {
	int (*argument)(void *host, unsigned arg, struct ryuso_value *ret); /* 1 present, 0 absent */
	int (*set_output)(void *host, unsigned output, const struct ryuso_value *value);
	int (*get)(void *host, const char *key, struct ryuso_value *ret); /* -ENODATA */
	int (*set)(void *host, const char *key, const struct ryuso_value *value);
	int (*note)(void *host, const char *key, const void *data, size_t size);
	int (*noted)(void *host, const char *key, const void **ret_data, size_t *ret_size);
	int (*log)(void *host, int level, const char *text);
};

struct ryuso_run {
	const struct ryuso_host *calls;
	void *host;
	char id[33];
	char token[33];
	char undone_token[33]; /* "" where it reverses nothing */
	const char *hook_name;
	unsigned step;
	unsigned attempt;
	bool rectifying;
	bool in_doubt;
	ryuso_peer_info peer;
	char reason[RYUSO_REASON_SIZE]; /* written by ryuso_fail() and ryuso_unknown() */
	char message[RYUSO_MESSAGE_SIZE];
};

/** \brief Makes \p run the one that this thread's calls are accepted for; NULL: none. A forked child has none, whatever
 * its parent set. */
int ryuso_host_enter(ryuso_run *run);
/** \brief Whether the calling process is the one that called ryuso_host_enter() last, and no forked copy of it. Costs
 * no system call. */
bool ryuso_host_is_original(void);

#endif
