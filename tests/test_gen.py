#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""ryuso-gen: what it writes, what it leaves alone, what it says."""

import json
import os
import shutil

from project import COMPILERS, GOLDEN, STRICT, TEMPLATES, Project, dump, spec
from tap import check, contains, equal, main, ok, program, run, test

TWO_HOOKS = {"debit": "ledger.accounts.debit", "credit": "ledger.accounts.credit"}


def golden(name, files):
    """What is in tests/golden/NAME/, with the version written as @VERSION@. RYUSO_GOLDEN=write makes it."""
    version = run(program("ryuso-gen"), "--version").stdout.split()[1].encode()
    found = {path: data.replace(b'"ryuso-gen ' + version, b'"ryuso-gen @VERSION@') for path, data in files.items()}
    directory = GOLDEN / name
    if os.environ.get("RYUSO_GOLDEN") == "write":
        shutil.rmtree(directory, ignore_errors=True)
        for path, data in found.items():
            (directory / path).parent.mkdir(parents=True, exist_ok=True)
            (directory / path).write_bytes(data)
    expected = {str(path.relative_to(directory)): path.read_bytes()
                for path in sorted(directory.rglob("*")) if path.is_file()}
    equal(sorted(found), sorted(expected), "the files")
    for path, data in expected.items():
        check(found[path] == data, f"{path} differs from {directory / path}:\n{found[path].decode()}")


@test
def the_same_spec_gives_the_same_bytes_as_ever():
    for name in ("seed", "every_key"):
        project = Project((GOLDEN / f"{name}.json").read_text())
        project.generate()
        golden(name, project.files())


@test
def where_it_is_called_from_and_where_the_project_is_make_no_difference():
    text = (GOLDEN / "every_key.json").read_text()
    first, second = Project(text), Project(text)
    first.generate()
    run(program("ryuso-gen"), f"--templates={TEMPLATES}", cwd=second.directory)
    equal(second.files(), first.files(), "the files")
    for path, data in first.files().items():
        check(str(first.directory).encode() not in data, f"{path} names the directory")


@test
def what_is_generated_compiles_without_a_warning():
    for name in ("seed", "every_key"):
        project = Project((GOLDEN / f"{name}.json").read_text())
        project.generate()
        for c, cplusplus in COMPILERS.items():
            project.compile(c)
            project.compile(c, ["-Wpedantic", "-Wno-overlength-strings"])
            project.compile_header(cplusplus)


NASTY = ["*/ int main; /*", "??/", "???", "ends with a backslash \\", "a \\\n line", '"quoted" %s %n %1$s',
         "\u202e\u2066rtl", "\u0001\u007f\u0085 control", "äöü 送金 🐉", "// */ //", "#define x", "@END",
         "{{name}} {{#x}}", "\\u0041 \\x41", "'", "*", "/"]


@test
def no_text_of_a_spec_can_break_the_code():
    hooks = {f"hook{i}": {"reference": f"sample.many.hook{i}", "description": text,
                          "args": {"value": {"type": "string", "required": False, "default": text, "description": text},
                                   "tree": {"type": "dict", "required": False, "default": {"key": text}}},
                          "outputs": {"result": {"type": "string", "required": False, "description": text}}}
             for i, text in enumerate(NASTY)}
    project = Project(spec(hooks, version=" ".join(NASTY)))
    project.generate()
    for c, cplusplus in COMPILERS.items():
        project.compile(c)
        project.compile(c, ["-trigraphs"])
        project.compile_header(cplusplus)
    equal(dump(project.build())["spec"], project.spec_file.read_bytes(), "the spec in the module")


@test
def names_that_mean_something_to_compilers_or_headers_are_refused_or_compile():
    for name in ("linux", "unix", "errno", "NULL", "int64_t", "run", "args", "out", "value", "values", "r",
                 "status", "assert", "stdin", "major", "json_object", "none", "_Bool", "__LINE__", "_ok", "class",
                 "PRId64", "size_t"):
        arg = {name: {"type": "int", "required": False}, "more": {"type": "list", "required": False}}
        project = Project(spec({"one": {"reference": "sample.a.one", "args": arg}}))
        done = project.generate(status=None)
        if done.returncode == 0:
            write = (project / "hooks/a.c").read_text()
            (project / "hooks/a.c").write_text("#include <errno.h>\n#include <assert.h>\n#include <stdio.h>\n" + write)
            project.compile("gcc")
            project.compile("clang", ["-std=gnu11"])
            project.compile_header("g++")
            project.compile_header("clang++")
        ok(f"an argument named {name}", done.returncode == 0 or (done.returncode == 1 and f"/{name}" in done.stderr),
           done.stderr)


@test
def setters_whose_names_would_collide_are_located_errors():
    text = {"type": "string", "required": False}
    for hooks, told in (
            ({"a": {"reference": "a.b", "outputs": {"c_set_d": text}},
              "b": {"reference": "a.b_set_c", "outputs": {"d": text}}}, "a_b_set_c_set_d"),
            ({"a": {"reference": "a.b", "outputs": {"c": text}}, "b": "a.b_set_c"}, "a_b_set_c")):
        done = Project(spec(hooks)).generate(status=1)
        contains(done.stderr, told, "the message")
        contains(done.stderr, "ryu_spec.json:", "the message")


@test
def all_that_is_wrong_with_a_spec_is_said_at_once_and_nothing_is_written():
    project = Project('{"name": "Bad", "programs": {"p": {"hooks": ["hooks.nothing"], "args": {}, "outputs": {}}},\n'
                      '"hooks": {"a": {"reference": "x", "args": {"v": {"type": "number", "required": true}}}}}')
    done = project.generate(status=1)
    for part in ("hooks.nothing", "number", "/hooks/a/reference", "ryu_spec.json:2:"):
        contains(done.stderr, part, "the errors")
    equal(project.files(), {}, "the files")


@test
def warnings_are_printed_and_hinder_nothing():
    done = Project((GOLDEN / "every_key.json").read_text()).generate()
    contains(done.stderr, "warning: /hooks/book_twice/rectifiers", "standard error")


@test
def a_second_run_touches_nothing():
    project = Project((GOLDEN / "every_key.json").read_text())
    project.generate()
    before = project.times()
    done = project.generate()
    equal(project.times(), before, "the times and inodes")
    check("written" not in done.stderr and not done.stdout, done.stderr + done.stdout)


@test
def a_hook_that_was_written_survives():
    project = Project(spec(TWO_HOOKS))
    project.generate()
    edited = (project / "hooks/ledger/accounts.c").read_text().replace('"NotWritten"', '"Edited"')
    (project / "hooks/ledger/accounts.c").write_text(edited)
    (project / "Makefile").write_text("# mine\n")
    before = (project / "hooks/ledger/accounts.c").stat()
    project.write(spec(TWO_HOOKS, version="2"))
    project.generate()
    equal((project / "hooks/ledger/accounts.c").read_text(), edited, "the hooks")
    equal((project / "hooks/ledger/accounts.c").stat().st_mtime_ns, before.st_mtime_ns, "their time")
    equal((project / "Makefile").read_text(), "# mine\n", "the Makefile")
    contains((project / "gen/sample.c").read_text(), '.version = "2"', "what was generated")


@test
def a_hook_that_its_file_lacks_is_printed_to_paste():
    project = Project(spec(TWO_HOOKS))
    project.generate()
    before = project.times()[str(project / "hooks/ledger/accounts.c")]
    project.write(spec({**TWO_HOOKS, "audit": "ledger.accounts.audit", "other": "other.thing"}))
    done = project.generate()
    contains(done.stdout, "ryuso_status ledger_accounts_audit(", "standard output")
    check("debit" not in done.stdout and "other_thing" not in done.stdout, done.stdout)
    contains(done.stderr, "hooks/ledger/accounts.c: lacks ledger_accounts_audit()", "standard error")
    equal(project.times()[str(project / "hooks/ledger/accounts.c")], before, "the file's time")
    contains((project / "hooks/other.c").read_text(), "ryuso_status other_thing(", "the new file")
    with open(project / "hooks/ledger/accounts.c", "a") as file:
        file.write("\n" + done.stdout)
    project.compile("gcc")
    equal(project.generate().stdout, "", "standard output after pasting")


@test
def a_hook_may_stand_in_another_file_below_hooks():
    project = Project(spec(TWO_HOOKS))
    project.generate()
    (project / "hooks/ledger/accounts.c").rename(project / "hooks/all.c")
    project.generate()
    equal([path for path in project.files() if path.startswith("hooks/")], ["hooks/all.c"], "the hooks' files")


@test
def a_removed_hook_is_reported_and_left_alone():
    project = Project(spec(TWO_HOOKS))
    project.generate()
    before = project.files()["hooks/ledger/accounts.c"]
    project.write(spec({"debit": TWO_HOOKS["debit"]}))
    done = project.generate()
    line = before.decode().splitlines().index("ryuso_status ledger_accounts_credit(ryuso_run *run, "
                                              "const struct ledger_accounts_credit_args *args)") + 1
    contains(done.stderr, f"hooks/ledger/accounts.c:{line}: ledger_accounts_credit() is no hook", "standard error")
    check("ledger_accounts_debit" not in done.stderr, done.stderr)
    equal(project.files()["hooks/ledger/accounts.c"], before, "the file")


@test
def a_makefile_that_builds_another_module_is_an_error():
    project = Project(spec(TWO_HOOKS))
    project.generate()
    before = project.files()
    project.write(spec(TWO_HOOKS, name="Renamed"))
    done = project.generate(status=1)
    contains(done.stderr, "Makefile:2: expected MODULE = renamed, as the spec's name makes it; got \"sample\"",
             "standard error")
    equal(project.files(), before, "the files")
    makefile = (project / "Makefile").read_text()
    for line in ("MODULE = renamed", "MODULE:=renamed # now", "MODULE ?= renamed", "MODULES = all",
                 "MODULE = $(NAME)", ""):
        (project / "Makefile").write_text(makefile.replace("MODULE = sample", line))
        project.generate()


@test
def a_check_names_what_is_stale_and_writes_nothing():
    project = Project(spec(TWO_HOOKS))
    done = project.generate("--check", status=1)
    contains(done.stderr, "gen/sample.h: missing", "standard error")
    equal(project.files(), {}, "the files")
    project.generate()
    equal(project.generate("--check").stderr, "", "standard error when all is well")
    (project / "hooks/ledger/accounts.c").write_text("/* being written */\n")
    project.generate("--check")
    project.write(spec(TWO_HOOKS, version="2"))
    before = project.files()
    done = project.generate("--check", status=1)
    contains(done.stderr, "gen/sample.c: stale", "standard error")
    check("sample.h" not in done.stderr, f"the header is not stale: {done.stderr}")
    equal(project.files(), before, "the files")


@test
def a_stub_is_printed_on_demand():
    hooks = {**TWO_HOOKS, "whole": "programs.all"}
    text = spec(hooks, {"all": {"hooks": ["hooks.debit"]}})
    project = Project(text)
    done = project.generate("--stub=credit")
    contains(done.stdout, "ryuso_status ledger_accounts_credit(ryuso_run *run", "standard output")
    equal(project.files(), {}, "the files")
    contains(project.generate("--stub=cerdit", status=1).stderr, 'did you mean "credit"?', "standard error")
    contains(project.generate("--stub=whole", status=1).stderr, "programs.all", "standard error")


@test
def a_large_spec_generates_and_compiles():
    args = {"number": {"type": "int", "required": True}, "text": {"type": "string", "required": False}}
    hooks = {f"hook{i}": {"reference": f"sample.room{i % 40}.hook{i}", "args": args,
                          "outputs": {"text": {"type": "string", "required": True}},
                          "rectifiers": [f"hooks.hook{(i + 1) % 1000}"], "description": f"Number {i}. " + "x" * 200}
             for i in range(1000)}
    programs = {f"program{i}": {"args": {"number": args["number"]},
                                "hooks": [f"hooks.hook{(5 * i + j) % 1000}" for j in range(10)]} for i in range(200)}
    project = Project(spec(hooks, programs))
    check(project.spec_file.stat().st_size > 300000, "the spec is too small for this test")
    project.generate()
    for compiler in COMPILERS:
        run(compiler, "-std=c11", *STRICT, f"-I{project.directory}", f"-I{TEMPLATES.parent / 'include'}",
            "-fsyntax-only", project / "gen/sample.c")
    said = dump(project.build("-j2", "CFLAGS=-O0"))
    equal((len(said["functions"]), len(said["programs"])), (1000, 200), "functions and programs")
    equal([len(program["steps"]) for program in said["programs"]], [20] * 200, "calls")
    equal(said["spec"], project.spec_file.read_bytes(), "the spec in the module")


@test
def a_spec_in_one_long_line_compiles():
    text = json.dumps({**json.loads(spec(TWO_HOOKS)), "x-padding": "ü\\n\"??/" * 40000})
    project = Project(text)
    check(len(text) > 300000, "the spec is too small for this test")
    project.generate()
    for compiler in COMPILERS:
        project.compile(compiler)
    equal(dump(project.build())["spec"], text.encode(), "the spec in the module")


@test
def the_module_says_what_the_spec_does():
    project = Project((GOLDEN / "every_key.json").read_text())
    project.generate()
    said = dump(project.build())
    equal((said["magic"], said["name"], said["open"], said["close"]), ("RYUSOMOD", "every_key", False, False),
          "the head")
    equal([function["reference"].split(".", 1)[1] for function in said["functions"]],
          ["depot.pack", "depot.unpack", "office.papers.insure", "depot.shelf.reserve", "office.send"], "the functions")
    equal([(function["args"], function["outputs"]) for function in said["functions"]],
          [(5, 5), (1, 0), (0, 1), (3, 0), (1, 0)], "their arguments and outputs")
    equal([(step[1], step[3]) for step in said["programs"][0]["steps"]],
          [(1, "pack"), (2, "reserve_again"), (3, "insure"), (4, "reserve"), (6, "send"), (1, "unpack"),
           (5, "reserve")],
          "the calls of ship")
    (project / "hooks/opening.c").write_text("#include <ryuso/hook.h>\n"
                                             "int ryuso_module_open(char *message, size_t size)\n"
                                             "{ (void)message; (void)size; return 0; }\n"
                                             "void ryuso_module_close(void) {}\n")
    said = dump(project.build())
    equal((said["open"], said["close"]), (True, True), "whether it opens and closes")


@test
def a_spec_without_hooks_or_programs_compiles():
    for text in (spec({}, {}), spec({}, {"nothing": {"hooks": []}})):
        project = Project(text)
        project.generate()
        for c, cplusplus in COMPILERS.items():
            project.compile(c)
            project.compile_header(cplusplus)
        (project / "hooks").mkdir()
        equal(dump(project.build())["functions"], [], "the functions")


main()
