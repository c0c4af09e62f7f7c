/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A walk on a stage: a spec in shorthand, a script of outcomes, and the trace in the notation of the rules. A scene is
 * owned by the test that opens it; what goes wrong in setting it up fails the test.
 *
 * Spec, one line each; the first program is the one that runs; what is not named is filled in:
 *     @p(x y @q) 'outputs':{…}         program p: hooks x and y, then program q
 *     x(d)-ux-@undo 'idempotent':true  hook x with dependency d and rectifiers hooks.ux, programs.undo
 *     s=@q-us                          hook s stands for program q
 * Script, one word per call, "ok" when it has run out:
 *     ok ok:a=1,b='x' fail die        outcomes (writes by the hook's own names); fail/Why gives a reason
 *     late time@p kill cut            unknown by HookTimeout, ProgramTimeout of p, Cancelled, Interrupted
 *     !cancel !cut !time@p            a stop at the boundary; with + for ! while the next call is in hand
 *     .                               leave it there
 * Trace: x, its second attempt x#2, rectifier -ux, in doubt -ux?. */
#pragma once

#include "run/walk.h"
#include "tests/check_main.h"

#define SCENE_CALLS_MAX 64

typedef struct Scene {
	Spec *spec;
	Plan *plan;
	Walk *walk;
	uint64_t now_usec;
	int stopped; /* what the last walk_stop() returned */
	Buffer trace;
	Buffer waits;
	WalkAction calls[SCENE_CALLS_MAX];
	char *seen[SCENE_CALLS_MAX]; /* the pool at each call: "a=1 b=\"x\"" */
	size_t n_calls;
	char *text; /* what scene_… returned last */
} Scene;

/** \brief \p data: "a=1 b='x'". */
Scene *scene_open(const char *spec, const char *data);
Scene *scene_close(Scene *scene);
DEFINE_CLEANUP(Scene *, scene_close)
#define _cleanup_scene_ _cleanup_(scene_closep)

void scene_play(Scene *scene, const char *script);
/** \brief "rectified HookFailed 2:y" (or "succeeded"), where a run is parked " | RectifierFailed 1:ux" after it; a
 * program that the error names stands as "@q". */
const char *scene_end(Scene *scene);
/** \brief "3:y? 1:x | 2:z": rectified, then remaining. */
const char *scene_lists(Scene *scene);
/** \brief The reply's data pool, and the whole pool: "a=1 b=\"x\"". */
const char *scene_outputs(Scene *scene);
const char *scene_pool(Scene *scene);

#define ck_trace(scene, expected) ck_assert_str_eq(scene_trace(scene), expected)
#define ck_end(scene, expected) ck_assert_str_eq(scene_end(scene), expected)
#define ck_lists(scene, expected) ck_assert_str_eq(scene_lists(scene), expected)
const char *scene_trace(Scene *scene);
const char *scene_waits(Scene *scene);

/* Shared by the scene's own files. */
void scene_load(Scene *scene, const char *shorthand);
char *scene_quoted(const char *text, size_t size);
const char *scene_name(const char *at, char name[static SPEC_NAME_MAX]);

/** \brief Opens, plays, compares trace and end: what most rules are told by. */
void scene_check(const char *spec, const char *script, const char *trace, const char *end);
