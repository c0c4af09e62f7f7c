/* SPDX-License-Identifier: LGPL-2.1-or-later */
/** \file
 * \brief What a hook may say and ask: the header for hook authors.
 *
 * A hook is a function that the generated header of the project declares. It is called in a worker process with the
 * run, its arguments (checked), and where it declares outputs, a place for them. It ends by returning RYUSO_OK or what
 * ryuso_fail() or ryuso_unknown() return. All functions here that return int return 0 or a negative errno; called from
 * another thread or process than the hook's own they return -EPERM (or NULL, or 0) and do nothing. See ryuso-hook(3).
 */
#ifndef RYUSO_HOOK_H
#define RYUSO_HOOK_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct json_object;

/** \brief The run a hook is called for. Valid until the hook returns. */
typedef struct ryuso_run ryuso_run;

/** \brief How a hook ends. Only RYUSO_OK is written by hand; the others come from ryuso_fail() and ryuso_unknown(). */
typedef enum ryuso_status {
	RYUSO_OK = 0,
	RYUSO_FAILED = 1,
	RYUSO_UNKNOWN = 2,
} ryuso_status;

/** \brief Levels of ryuso_log(), those of syslog(3). */
typedef enum ryuso_level {
	RYUSO_ERROR = 3,
	RYUSO_WARNING = 4,
	RYUSO_NOTICE = 5,
	RYUSO_INFO = 6,
	RYUSO_DEBUG = 7,
} ryuso_level;

/** \brief The kernel's word on the client that asked for the run. */
typedef struct ryuso_peer_info {
	uid_t uid;
	gid_t gid;
	pid_t pid;
} ryuso_peer_info;

#define RYUSO_PRINTF(format_index, first_index) __attribute__((format(printf, format_index, first_index)))

/** \brief The hook failed and left nothing behind. \p reason is one word for programs (at most 64 bytes), the rest a
 * sentence for people. */
ryuso_status ryuso_fail(ryuso_run *run, const char *reason, const char *format, ...) RYUSO_PRINTF(3, 4);
/** \brief The hook cannot say whether it took effect: its rectifiers will run, told that it is in doubt. */
ryuso_status ryuso_unknown(ryuso_run *run, const char *reason, const char *format, ...) RYUSO_PRINTF(3, 4);

/** \brief 32 hexadecimal characters, the same for every attempt of this call, never for another: store it beside the
 * effect. */
const char *ryuso_token(const ryuso_run *run);
/** \brief In a rectifier, the token of the step that it reverses; elsewhere NULL. */
const char *ryuso_undone_token(const ryuso_run *run);
/** \brief In a rectifier, whether the step's attempt was unknown. */
bool ryuso_in_doubt(const ryuso_run *run);
/** \brief Whether this call is on the way back. */
bool ryuso_rectifying(const ryuso_run *run);
/** \brief The attempt, from 1. Where an operator lets a parked run go on forwards, the numbers go on, too; a rectifier's
 * begin anew with each of their retries. */
unsigned ryuso_attempt(const ryuso_run *run);
/** \brief The step, from 1; in a rectifier, the step that is reversed. */
unsigned ryuso_step(const ryuso_run *run);
/** \brief The name of the hook this call is made for: a function may serve several. */
const char *ryuso_hook_name(const ryuso_run *run);
/** \brief The run's id, 32 hexadecimal characters: what the reply and the journal call it. */
const char *ryuso_run_id(const ryuso_run *run);
/** \brief The client's uid, gid and pid. */
int ryuso_peer(const ryuso_run *run, ryuso_peer_info *ret);

/** \brief Notes \p size bytes under \p key: durable when this returns, whatever then becomes of the hook. The step's
 * rectifiers read it. -E2BIG beyond the cap on a run's notes, -EINVAL for an empty key or one over 64 bytes. */
int ryuso_note(ryuso_run *run, const char *key, const void *data, size_t size);
/** \brief What was noted last under \p key by this call's step. Borrowed until the hook returns. -ENODATA where there
 * is nothing. */
int ryuso_noted(const ryuso_run *run, const char *key, const void **ret_data, size_t *ret_size);

/** \brief A line in the journal, with the run's fields. */
int ryuso_log(ryuso_run *run, ryuso_level level, const char *format, ...) RYUSO_PRINTF(3, 4);

/* Untyped access to the pool; `bind` holds for the names. Getters return -ENODATA where there is no such key, -EINVAL
 * where it has another type (an int is read as a double where that is asked for). Strings and trees are borrowed until
 * the hook returns; trees are not to be changed. Setters copy; the writes count only if the hook ends RYUSO_OK. They
 * are for hooks that declare no outputs; in others they return -EINVAL for a key that is no declared output. -E2BIG
 * beyond the cap on a run's pool, -EINVAL for a name that begins with '_', text that is not UTF-8 and numbers that are
 * not finite. */
bool ryuso_has(const ryuso_run *run, const char *key);
int ryuso_get_int(const ryuso_run *run, const char *key, int64_t *ret);
int ryuso_get_float(const ryuso_run *run, const char *key, double *ret);
int ryuso_get_bool(const ryuso_run *run, const char *key, bool *ret);
int ryuso_get_string(const ryuso_run *run, const char *key, const char **ret);
int ryuso_get_list(const ryuso_run *run, const char *key, struct json_object **ret);
int ryuso_get_dict(const ryuso_run *run, const char *key, struct json_object **ret);
int ryuso_set_int(ryuso_run *run, const char *key, int64_t value);
int ryuso_set_float(ryuso_run *run, const char *key, double value);
int ryuso_set_bool(ryuso_run *run, const char *key, bool value);
int ryuso_set_string(ryuso_run *run, const char *key, const char *value);
int ryuso_set_list(ryuso_run *run, const char *key, struct json_object *value);
int ryuso_set_dict(ryuso_run *run, const char *key, struct json_object *value);

/** \brief Optional functions of a module, called once in each worker: before its first run, and when it ends in good
 * order. A return other than 0 from ryuso_module_open() (with a sentence in \p message) keeps the module from being
 * used. */
int ryuso_module_open(char *message, size_t message_size);
void ryuso_module_close(void);

#ifdef __cplusplus
}
#endif

#endif
