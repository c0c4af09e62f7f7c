#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""ryuso-hook(3): it has every function of hook.h as it is declared, and its example is built and runs."""

import os
import re

import man_commands
from project import LIBRARY, Project, spec
from tap import TOP_SOURCE, Daemon, check, equal, main, scratch, test

PAGE = "\n".join(man_commands.source("ryuso-hook.3")) + "\n"
TEXT = (TOP_SOURCE / "include" / "ryuso" / "hook.h").read_text()
HEADER = re.sub(r"/\*.*?\*/", "", TEXT, flags=re.DOTALL)


def section(name):
    return PAGE.split(f".Sh {name}\n")[1].split("\n.Sh ")[0]


def declared():
    """The header's functions: name → declaration, white space made even."""
    found = re.findall(r"^((?:const )?[a-z_]\w*(?: \w+)*? ?\*?)(ryuso_\w+)\(([^)]*)\)", HEADER, re.MULTILINE)
    functions = {name: f"{kind.strip()} {name}({' '.join(parameters.split())})".replace("* ", "*")
                 for kind, name, parameters in found}
    check(len(functions) >= 25, f"expected the functions, got {functions}")
    return functions


def shown():
    """Those of the page's synopsis."""
    functions, kind, name, parameters = {}, None, None, []
    for line in section("SYNOPSIS").splitlines():
        word, _, rest = line.partition(" ")
        parts = [quoted or plain for quoted, plain in re.findall(r'"([^"]*)"|(\S+)', rest)]
        if word == ".Ft":
            [kind] = parts
        elif word == ".Fo":
            [name], parameters = parts, []
        elif word == ".Fa":
            parameters += parts
        elif word in (".Fn", ".Fc"):
            name, parameters = (parts[0], parts[1:]) if word == ".Fn" else (name, parameters)
            functions[name] = f"{kind} {name}({', '.join(parameters)})".replace("* ", "*")
    return functions


@test
def every_function_is_in_the_page_as_the_header_declares_it():
    equal(shown(), declared(), "the synopsis")
    equal(re.findall(r"^\.Nm (ryuso_\w+)", section("NAME"), re.MULTILINE), list(declared()), "the names")


@test
def every_function_is_explained():
    explained = PAGE.split(".Sh DESCRIPTION")[1].split(".Sh EXAMPLES")[0]
    for name in declared():
        check(re.search(rf"Fn {name}\b", explained), f"{name} is in the synopsis alone")


@test
def every_function_has_a_page_of_its_name():
    makefile = (TOP_SOURCE / "Makefile.am").read_text()
    equal(sorted(re.findall(r"man/(ryuso_\w+)\.3", makefile)), sorted(declared()), "the links")


@test
def every_type_constant_macro_and_error_is_in_the_page():
    words = set(re.findall(r"\bRYUSO_[A-Z]+\b", HEADER)) - {"RYUSO_HOOK"}
    words |= set(re.findall(r"^\} (ryuso_\w+);", HEADER, re.MULTILINE)) | {"ryuso_run"}
    words |= set(re.findall(r"-(E[A-Z0-9]+)", TEXT))
    check({"RYUSO_OK", "RYUSO_DEBUG", "RYUSO_PRINTF", "ryuso_peer_info", "EPERM"} <= words, f"expected more than {words}")
    for word in words:
        check(re.search(rf"\b{word}\b", PAGE), f"{word} is missing")


# ---- the example ----

_module = []


def module():
    """It, built with all warnings as errors."""
    if not _module:
        project = Project()
        for _, kind, text in man_commands.shown("ryuso-hook.3"):
            if kind == "spec":
                project.write(text)
            else:
                path = project / kind.split()[1]
                path.parent.mkdir(exist_ok=True)
                path.write_text(text)
        done = project.generate()
        check("lacks" not in done.stderr and "is no hook" not in done.stderr, done.stderr)
        _module.append(project.build("CFLAGS=-O1 -g -Wall -Wextra -Werror -Wconversion"))
    return _module[0]


def serve():
    return Daemon(module=module(), env={"LD_LIBRARY_PATH": str(LIBRARY)})


def replace(client, path, content):
    return client.ask({"program": "replace", "data_pool": {"path": str(path), "content": content}})


@test
def the_example_is_built_without_a_warning():
    module()


@test
def the_example_replaces_a_file_or_leaves_it_as_it_was():
    path = scratch() / "file"
    path.write_text("old")
    with serve() as daemon, daemon.client() as client:
        reply = replace(client, path, "new and good")
        equal((reply["status"], reply["data_pool"], path.read_text()), ("succeeded", {"size": 12}, "new and good"),
              "what succeeded")
        daemon.wait_log(f"user {os.getuid()} has written 12 bytes, attempt 1")
        reply = replace(client, path, "this one is bad")
        equal((reply["status"], reply["error"]["reason"], reply["error"]["message"]),
              ("rectified", "Bad", 'check: it says "bad"'), "what is bad")
        equal(path.read_text(), "new and good", "the file")
        reply = replace(client, path, "a text that is a good deal too long")
        equal((reply["status"], reply["error"]["reason"]), ("rectified", "TooLong"), "what is too long")
        equal((path.read_text(), reply["rectified"]), ("new and good", [{"step": 1, "hook": "write"}]), "the file")
        reply = replace(client, path.parent, "a directory")
        equal((reply["status"], reply["error"]["name"], reply["rectified"]), ("rectified", "HookFailed", []),
              "what was never begun")
        daemon.wait_log(f"{path} is back")


# ---- what the page says beside it ----

CLAIMS = r"""
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <string.h>

#include <json-c/json.h>

#include "gen/claims.h"

#define CLAIM(condition) \
	do { \
		if (!(condition)) \
			return ryuso_fail(run, "Untrue", "line %d: %s", __LINE__, #condition); \
	} while (0)

static void *elsewhere(void *run)
{
	int64_t number = 5;

	return (void *)(intptr_t)(ryuso_get_int(run, "number", &number) == -EPERM && ryuso_token(run) == NULL &&
				  ryuso_set_int(run, "x", 1) == -EPERM && ryuso_attempt(run) == 0 &&
				  !ryuso_has(run, "number") && ryuso_fail(run, "A", "b") == RYUSO_UNKNOWN);
}

ryuso_status all_pool(ryuso_run *run, const struct all_pool_args *args)
{
	struct json_object *tree = NULL;
	const char *text = NULL, long_name[66] = { [0 ... 64] = 'x' };
	int64_t number = 0;
	double real = 0;
	bool yes = true;

	CLAIM(args->given && *args->given == 3 && !args->absent && args->preset == 7 && args->list);
	CLAIM(args->_who && strcmp(args->_who, "me") == 0);
	CLAIM(ryuso_get_int(run, "given", &number) == 0 && number == 3);
	CLAIM(ryuso_get_float(run, "given", &real) == 0 && fabs(real - 3) < 0.1);
	CLAIM(ryuso_get_bool(run, "given", &yes) == -EINVAL && ryuso_get_string(run, "given", &text) == -EINVAL);
	CLAIM(ryuso_get_string(run, "_who", &text) == 0 && ryuso_get_dict(run, "list", &tree) == -EINVAL);
	CLAIM(ryuso_get_list(run, "list", &tree) == 0 && json_object_array_length(tree) == 2);
	CLAIM(!ryuso_has(run, "nothing") && ryuso_get_int(run, "nothing", &number) == -ENODATA);
	CLAIM(ryuso_set_int(run, "x", 1) == 0 && !ryuso_has(run, "x"));
	CLAIM(ryuso_set_int(run, "_x", 1) == -EINVAL && ryuso_set_int(run, "", 1) == -EINVAL);
	CLAIM(ryuso_set_int(run, long_name, 1) == -EINVAL && ryuso_set_float(run, "x", NAN) == -EINVAL);
	CLAIM(ryuso_set_string(run, "x", "\xff") == -EINVAL && ryuso_set_list(run, "x", NULL) == -EINVAL);
	CLAIM(ryuso_note(run, "", "a", 1) == -EINVAL && ryuso_note(run, long_name, "a", 1) == -EINVAL);
	CLAIM(ryuso_log(run, (ryuso_level)8, "x") == -EINVAL);
	CLAIM(strlen(ryuso_token(run)) == 32 && !ryuso_undone_token(run) && strlen(ryuso_run_id(run)) == 32);
	CLAIM(ryuso_step(run) == 1 && ryuso_attempt(run) == 1 && !ryuso_rectifying(run) && !ryuso_in_doubt(run));
	return RYUSO_OK;
}

ryuso_status all_thread(ryuso_run *run, const struct all_thread_args *args, struct all_thread_outputs *out)
{
	void *right = NULL;
	pthread_t thread;

	(void)args;
	CLAIM(pthread_create(&thread, NULL, elsewhere, run) == 0 && pthread_join(thread, &right) == 0);
	CLAIM(right);
	CLAIM(ryuso_set_int(run, "undeclared", 1) == -EINVAL && ryuso_set_int(run, "count", 1) == 0);
	CLAIM(all_thread_set_count(out, 2) == 0);
	CLAIM(ryuso_has(run, "x"));
	return RYUSO_OK;
}

ryuso_status all_wordy(ryuso_run *run, const struct all_wordy_args *args)
{
	(void)args;
	return ryuso_fail(run, "a reason that is a good deal longer than the sixty-four bytes that it may have",
			  "%2000d", 1);
}
"""


def an(kind, **more):
    return {"type": kind, "required": False, **more}


def claims():
    hooks = {"pool": {"reference": "claims.all.pool",
                      "args": {"given": an("int"), "absent": an("int"), "preset": an("int", default=7),
                               "list": an("list"), "_who": an("string")}},
             "thread": {"reference": "claims.all.thread", "args": {}, "outputs": {"count": an("int")}},
             "wordy": {"reference": "claims.all.wordy", "args": {}}}
    args = {"given": an("int"), "list": an("list")}
    project = Project(spec(hooks, {"pool": {"hooks": ["hooks.pool", "hooks.thread"], "args": args,
                                            "outputs": {"x": an("int"), "count": an("int")}},
                                   "wordy": {"hooks": ["hooks.wordy"]}}, name="claims"))
    (project / "hooks").mkdir()
    (project / "hooks/all.c").write_text(CLAIMS)
    project.generate()
    return project.build("CFLAGS=-O1 -g -Wall -Wextra -Werror", "LDLIBS=-lm")


@test
def what_the_page_says_of_arguments_the_pool_errors_and_threads_is_so():
    with Daemon(module=claims(), env={"LD_LIBRARY_PATH": str(LIBRARY)}) as daemon, daemon.client() as client:
        reply = client.ask({"program": "pool", "data_pool": {"given": 3, "list": [1, 2]}, "metadata": {"who": "me"}})
        equal((reply["status"], reply["error"], reply["data_pool"]), ("succeeded", None, {"x": 1, "count": 2}),
              "the run")
        error = client.ask({"program": "wordy"})["error"]
        equal((len(error["reason"]), len(error["message"])), (64, 1024), "how long a reason and a message are")


main()
