#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The framework's first description, taken at its word: its request, every key of its table of the spec, and more
hooks than anybody writes by hand. From the spec to replies, through generator, compiler and daemon."""

import json
import re

from project import LIBRARY, Project, spec
from tap import Daemon, check, equal, main, scratch, test

# As it stands there.
REQUEST = '''{
  "program" : "my_program",
  "data_pool" : {
    "a" : "variable A",
    "b" : 2.345
  },
  "metadata" : {}
}'''


def arg(kind, required=True, **more):
    return {"type": kind, "required": required, **more}


def serve(module, **options):
    return Daemon(module=module, env={"LD_LIBRARY_PATH": str(LIBRARY)}, **options)


def ready(client, request):
    """The reply to a program's request."""
    reply = client.ask(request)
    check(reply["run"], f"expected a run, got {reply}")
    return reply


# ---- the request ----

SAY_BACK = """
#include "gen/sample.h"

ryuso_status steps_say_back(ryuso_run *run, const struct steps_say_back_args *args)
{
	if (ryuso_set_string(run, "c", args->a) < 0 || ryuso_set_float(run, "d", args->b * 2) < 0)
		return ryuso_fail(run, "NotSet", "the outputs could not be set");
	return RYUSO_OK;
}
"""


def written(text, sources):
    """The module of a spec whose hooks are written already."""
    project = Project(text)
    for path, source in sources.items():
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        (project / path).write_text(source)
    done = project.generate()
    check("lacks" not in done.stderr, f"the hooks are not those of the spec: {done.stderr}")
    return project.build()


@test
def the_request_that_is_shown_works_as_it_stands():
    text = spec({"say_back": {"reference": "steps.say_back", "args": {"a": arg("string"), "b": arg("float")}}},
                {"my_program": {"args": {"a": arg("string"), "b": arg("float")}, "hooks": ["hooks.say_back"],
                                "outputs": {"c": arg("string"), "d": arg("float")}}})
    with serve(written(text, {"hooks/steps.c": SAY_BACK})) as daemon, daemon.client() as client:
        reply = ready(client, REQUEST)
        equal((reply["success"], reply["data_pool"]), (True, {"c": "variable A", "d": 4.69}), "the reply")
        reply = ready(client, REQUEST.replace(' },\n  "metadata" : {}', " }"))
        equal((reply["success"], reply["data_pool"]["c"]), (True, "variable A"), "the reply without metadata")


# ---- the table ----

TABLE = {
    "version", "name", "programs", "program.hooks", "program.args", "program.outputs", "program.description", "hooks",
    "hook.reference", "hook.args", "hook.dependencies", "hook.rectifiers", "hook.description", "arg.type",
    "arg.description", "arg.required",
}
TYPES = {"string": "rent", "int": 7, "float": 2.5, "list": [1, "two", [3]], "dict": {"a": {"b": None}}, "bool": True}

# Its examples where it gives some; the module's name is the first part of its hook.reference.
SPEC = {
    "version": "1.2.3",
    "name": "My orchestrator",
    "programs": {
        "commit": {
            "description": "Will commit a transaction and optionally generates currency when the generate flag is set",
            "args": {"amount": arg("int", description="How much."),
                     "generate": arg("bool", False, description="Tells the TX clearer to run")},
            "outputs": {"balance": arg("int"), "note": arg("string", False)},
            "hooks": ["hooks.check_balance", "programs.make_deposit", "hooks.close_books"],
        },
        "make_deposit": {
            "args": {"amount": arg("int"), "generate": arg("bool", False)},
            "outputs": {"balance": arg("int", description="What is there then.")},
            "hooks": ["hooks.commit_balance"],
        },
        "sweep": {"args": {}, "outputs": {}, "hooks": ["hooks.unwrap_tx_data"]},
        "carry": {
            "description": "Takes one of each type, and gives it back.",
            "args": {kind + "_in": arg(kind, False) for kind in TYPES},
            "outputs": {kind + "_out": arg(kind, False) for kind in TYPES},
            "hooks": ["hooks.carry"],
        },
    },
    "hooks": {
        "check_balance": {
            "description": "Checks whether the user's balance is > 5 and fails otherwise",
            "reference": "my_orchestrator.util.math.is_prime",
            "args": {"amount": arg("int")},
        },
        "has_balance": {"reference": "my_orchestrator.util.math.has_balance", "args": {}},
        "prep_working_dir": {"reference": "my_orchestrator.util.directory.prepare", "args": {}},
        "commit_balance": {
            "reference": "my_orchestrator.balance.commit",
            "args": {"amount": arg("int"), "generate": arg("bool", False)},
            "dependencies": ["hooks.has_balance", "hooks.prep_working_dir", "programs.sweep"],
            "rectifiers": ["hooks.undo_commit_balance", "hooks.unwrap_tx_data", "programs.sweep"],
        },
        "undo_commit_balance": {"reference": "my_orchestrator.balance.undo", "args": {"amount": arg("int")}},
        "unwrap_tx_data": {"reference": "my_orchestrator.balance.unwrap", "args": {}},
        "close_books": {"reference": "my_orchestrator.balance.close_books", "args": {"amount": arg("int")}},
        "carry": {"reference": "my_orchestrator.util.types.carry",
                  "args": {kind + "_in": arg(kind, False) for kind in TYPES}},
    },
}

MATH = """
#include "gen/my_orchestrator.h"
#include "hooks/said.h"

ryuso_status util_math_is_prime(ryuso_run *run, const struct util_math_is_prime_args *args)
{
	said(run);
	return args->amount > 5 ? RYUSO_OK : ryuso_fail(run, "TooLittle", "expected more than 5");
}

ryuso_status util_math_has_balance(ryuso_run *run, const struct util_math_has_balance_args *args)
{
	(void)args;
	said(run);
	return ryuso_set_int(run, "balance", 100) < 0 ? ryuso_fail(run, "NotSet", "balance") : RYUSO_OK;
}
"""

DIRECTORY = """
#include "gen/my_orchestrator.h"
#include "hooks/said.h"

ryuso_status util_directory_prepare(ryuso_run *run, const struct util_directory_prepare_args *args)
{
	(void)args;
	said(run);
	return RYUSO_OK;
}
"""

BALANCE = """
#include "gen/my_orchestrator.h"
#include "hooks/said.h"

ryuso_status balance_commit(ryuso_run *run, const struct balance_commit_args *args)
{
	int64_t balance;

	said(run);
	if (ryuso_get_int(run, "balance", &balance) < 0)
		return ryuso_fail(run, "NoBalance", "its dependency has set none");
	if (args->generate && *args->generate && ryuso_set_string(run, "note", "generated") < 0)
		return ryuso_fail(run, "NotSet", "note");
	return ryuso_set_int(run, "balance", balance + args->amount) < 0 ? ryuso_fail(run, "NotSet", "balance") : RYUSO_OK;
}

ryuso_status balance_undo(ryuso_run *run, const struct balance_undo_args *args)
{
	(void)args;
	said(run);
	return RYUSO_OK;
}

ryuso_status balance_unwrap(ryuso_run *run, const struct balance_unwrap_args *args)
{
	(void)args;
	said(run);
	return RYUSO_OK;
}

ryuso_status balance_close_books(ryuso_run *run, const struct balance_close_books_args *args)
{
	said(run);
	return args->amount < 1000 ? RYUSO_OK : ryuso_fail(run, "TooMuch", "expected less than 1000");
}
"""

TYPES_C = """
#include <json-c/json.h>

#include "gen/my_orchestrator.h"

ryuso_status util_types_carry(ryuso_run *run, const struct util_types_carry_args *args)
{
	int r = 0;

	r |= args->string_in ? ryuso_set_string(run, "string_out", args->string_in) : 0;
	r |= args->int_in ? ryuso_set_int(run, "int_out", *args->int_in) : 0;
	r |= args->float_in ? ryuso_set_float(run, "float_out", *args->float_in) : 0;
	r |= args->list_in ? ryuso_set_list(run, "list_out", args->list_in) : 0;
	r |= args->dict_in ? ryuso_set_dict(run, "dict_out", args->dict_in) : 0;
	r |= args->bool_in ? ryuso_set_bool(run, "bool_out", *args->bool_in) : 0;
	return r < 0 ? ryuso_fail(run, "NotSet", "an output could not be set") : RYUSO_OK;
}
"""

SAID = """
#include <stdio.h>
#include <stdlib.h>

#include <ryuso/hook.h>

/* Writes down which hook is called. */
static inline void said(ryuso_run *run)
{
	FILE *file = fopen("%s", "ae");

	if (!file)
		abort();
	fprintf(file, "%%s%%s\\n", ryuso_rectifying(run) ? "-" : "", ryuso_hook_name(run));
	fclose(file);
}
"""


class Table:
    """The spec, served; `called`: the hooks since the last look, those on the way back with a minus."""

    def __init__(self):
        self.log = scratch() / "called"
        self.daemon = serve(written(json.dumps(SPEC, indent=1), {
            "hooks/util/math.c": MATH, "hooks/util/directory.c": DIRECTORY, "hooks/util/types.c": TYPES_C,
            "hooks/balance.c": BALANCE, "hooks/said.h": SAID % self.log}))
        self.client = self.daemon.client()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.client.close()
        if kind is None:
            self.daemon.stop()

    def ask(self, name, **pool):
        return ready(self.client, {"program": name, "data_pool": pool})

    def called(self):
        lines = self.log.read_text().split() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return lines


def keys_of(value, kind="spec"):
    """The keys of a spec as the table names them."""
    inner = {"programs": "program", "hooks": "hook", "args": "arg", "outputs": "arg"}
    found = set()
    for key, part in value.items():
        found.add(key if kind == "spec" else f"{kind}.{key}")
        if key in inner and isinstance(part, dict):
            for item in part.values():
                found |= keys_of(item, inner[key])
    return found


FORWARD = ["check_balance", "has_balance", "prep_working_dir", "unwrap_tx_data", "commit_balance", "close_books"]


@test
def every_key_of_the_table_works_as_it_says():
    equal(keys_of(SPEC), TABLE, "the keys of the spec")
    with Table() as table:
        reply = table.ask("commit", amount=7)
        equal((reply["status"], reply["data_pool"]), ("succeeded", {"balance": 107}), "a commit")
        equal(table.called(), FORWARD, "hooks, each after its dependencies")
        reply = table.ask("commit", amount=7, generate=True)
        equal(reply["data_pool"], {"balance": 107, "note": "generated"}, "with an optional argument and output")
        equal(table.called(), FORWARD, "hooks")
        reply = table.ask("make_deposit", amount=1)
        equal(reply["data_pool"], {"balance": 101}, "a program that is part of another, asked for itself")
        equal(table.called(), FORWARD[1:5], "its hooks")


@test
def a_failure_is_reversed_from_the_step_before_it():
    with Table() as table:
        reply = table.ask("commit", amount=1)
        equal((reply["status"], reply["error"]["reason"], reply["rectified"]), ("rectified", "TooLittle", []),
              "a failure of the first hook")
        equal(table.called(), ["check_balance"], "the hooks")
        reply = table.ask("commit", amount=1000)
        equal((reply["success"], reply["status"], reply["error"]["hook"], reply["error"]["reason"]),
              (False, "rectified", "close_books", "TooMuch"), "a failure of the last hook")
        equal([step["hook"] for step in reply["rectified"]], ["commit_balance"], "what was rectified")
        equal(table.called(), FORWARD + ["-undo_commit_balance", "-unwrap_tx_data", "-unwrap_tx_data"],
              "the hooks, then the rectifiers in the spec's order")


@test
def a_value_of_each_type_goes_in_and_comes_out():
    with Table() as table:
        reply = table.ask("carry", **{kind + "_in": value for kind, value in TYPES.items()})
        equal(reply["data_pool"], {kind + "_out": value for kind, value in TYPES.items()}, "what came out")
        for kind, value in TYPES.items():
            equal(table.ask("carry", **{kind + "_in": value})["data_pool"], {kind + "_out": value}, f"{kind} alone")
        for kind in TYPES:
            for other, value in TYPES.items():
                reply = table.client.ask({"program": "carry", "data_pool": {kind + "_in": value}})
                fits = kind == other or (kind, other) == ("float", "int")
                equal((reply["success"], (reply["error"] or {}).get("name")), (fits, None if fits else "WrongType"),
                      f"a value of {other} for {kind}")


# ---- a large one ----

HOOKS, PROGRAMS, LENGTH, MOST = 1000, 200, 10, 1000000


def large():
    """Each hook adds its number to `sum`, unless that makes more than MOST; a program is LENGTH of them."""
    numbers = {"sum": arg("int")}
    hooks = {f"hook{i}": {"reference": f"sample.room{i % 40}.hook{i}", "args": numbers, "outputs": numbers,
                          "rectifiers": ["hooks.take_back"]} for i in range(HOOKS - 1)}
    hooks["take_back"] = {"reference": "sample.back.take", "args": numbers}
    programs = {f"program{i}": {"args": numbers, "outputs": numbers,
                                "hooks": [f"hooks.hook{number}" for number in steps(i)]} for i in range(PROGRAMS)}
    return spec(hooks, programs)


def steps(program):
    return [(5 * program + step) % (HOOKS - 1) for step in range(LENGTH)]


WRITTEN = """if (args->sum + {1} > {2})
		return ryuso_fail(run, "TooMuch", "expected at most {2}");
	{0}_set_sum(out, args->sum + {1});
	return RYUSO_OK;"""


def write_hooks(project):
    """What somebody would write into each stub."""
    for path in project.directory.glob("hooks/*.c"):
        text = path.read_text()
        for symbol in re.findall(r"^ryuso_status (\w+)\(", text, re.MULTILINE):
            number = re.search(r"hook(\d+)$", symbol)
            body = WRITTEN.format(symbol, number[1], MOST) if number else "(void)run;\n\treturn RYUSO_OK;"
            text = re.sub(rf"(ryuso_status {symbol}\([^{{]*{{.*?)return ryuso_fail\([^;]*;",
                          lambda match: match[1] + body, text, count=1, flags=re.DOTALL)
        check("NotWritten" not in text, f"a stub is left in {path}")
        path.write_text(text)


@test
def a_spec_of_200_programs_and_1000_hooks_generates_builds_and_runs():
    project = Project(large())
    project.generate()
    write_hooks(project)
    with serve(project.build("-j2", "CFLAGS=-O0")) as daemon, daemon.client() as client:
        listed = client.ask({"call": "list"})["result"]["programs"]
        equal(len(listed), PROGRAMS, "programs")
        client.send(*[{"program": f"program{i}", "data_pool": {"sum": i}, "id": i} for i in range(PROGRAMS)])
        for i, reply in enumerate(client.replies(PROGRAMS)):
            equal((reply["id"], reply["status"], reply["data_pool"]), (i, "succeeded", {"sum": i + sum(steps(i))}),
                  f"program{i}")
        for i in (0, 99, PROGRAMS - 1):
            failing = 8
            pool = {"sum": MOST + 1 - sum(steps(i)[:failing])}
            reply = ready(client, {"program": f"program{i}", "data_pool": pool})
            equal((reply["status"], reply["error"]["step"], reply["data_pool"]), ("rectified", failing, pool),
                  f"a failure of program{i}")
            equal([step["step"] for step in reply["rectified"]], list(range(failing - 1, 0, -1)), "what was rectified")


main()
