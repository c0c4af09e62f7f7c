#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""ryuso.mk: what a project's make does."""

import os
import re
import shutil

from project import COMPILERS, LIBRARY, TEMPLATES, Project, dump, example, make_variables, spec
from tap import check, contains, environment, equal, main, run, scratch, test

TWO_HOOKS = {"debit": "ledger.accounts.debit", "credit": "ledger.credit"}


def sample(text=None):
    project = Project(text or spec(TWO_HOOKS))
    project.generate()
    return project


def build_id(module):
    return re.search(r"Build ID: ([0-9a-f]+)", run("readelf", "-n", module).stdout)[1]


def exported(module):
    lines = run("nm", "-D", "--defined-only", module).stdout.splitlines()
    return sorted(line.split()[-1].split("@")[0] for line in lines)


@test
def make_builds_a_module_that_exports_its_descriptor_alone():
    for flags in ([], ["CFLAGS=-O2 -fvisibility=default"], ["CC=clang", "CFLAGS=-O1"]):
        module = sample().build(*flags)
        equal(exported(module), ["ryuso_module"], f"what is exported with {flags}")
        equal(dump(module)["name"], "sample", "the module's name")


@test
def the_examples_build_without_a_warning():
    for name in ("hello", "wallet"):
        for compiler in COMPILERS:
            project = example(name)
            project.build(f"CC={compiler}", "CFLAGS=-O2 -Wall -Wextra -Wconversion -Werror")


@test
def a_second_make_does_nothing():
    project = sample()
    project.build()
    before = project.times()
    equal(project.make().stdout, "", "what make says")
    equal(project.times(), before, "the times")


@test
def a_changed_spec_is_generated_from_and_what_is_unchanged_is_kept():
    project = sample()
    project.build()
    before = project.times()
    project.write(spec(TWO_HOOKS, version="2"))
    equal(dump(project.build())["spec"], project.spec_file.read_bytes(), "the spec in the module")
    equal(project.times()[str(project / "gen/sample.h")], before[str(project / "gen/sample.h")], "the header's time")
    equal(project.times()[str(project / "build/hooks/ledger/accounts.o")],
          before[str(project / "build/hooks/ledger/accounts.o")], "the time of a hook's object")


@test
def a_hook_that_is_new_in_the_spec_is_begun_and_built_by_one_make():
    project = sample()
    project.build()
    project.write(spec({**TWO_HOOKS, "audit": "books.audit"}))
    equal(len(dump(project.build())["functions"]), 3, "the functions")
    check((project / "hooks/books.c").exists(), "no file was begun")


@test
def a_hook_file_that_went_away_is_not_linked_any_more():
    project = sample()
    (project / "hooks/extra.c").write_text("int extra(void);\nint extra(void) { return 1; }\n")
    project.build("CFLAGS=-g")
    before = build_id(project / "sample.so")
    (project / "hooks/extra.c").unlink()
    check(build_id(project.build("CFLAGS=-g")) != before, "the module was not linked anew")


@test
def what_was_generated_can_be_removed_and_comes_again():
    project = sample()
    project.build()
    shutil.rmtree(project / "gen")
    (project / "sample.so").unlink()
    project.build()
    project.make("clean")
    check(not (project / "build").exists() and not (project / "sample.so").exists(), "something was left")
    check((project / "gen/sample.c").exists(), "gen/ was removed")


@test
def a_hook_that_is_not_defined_is_an_error_of_the_linker():
    project = sample()
    (project / "hooks/ledger/accounts.c").write_text("int nothing;\n")
    project.generate()
    done = project.make(status=2)
    contains(done.stderr, "ledger_accounts_debit", "standard error")
    check(not (project / "sample.so").exists(), "a module was left")


@test
def two_places_give_the_same_build():
    modules = [sample().build("CFLAGS=-O2 -g") for _ in range(2)]
    equal(modules[1].read_bytes(), modules[0].read_bytes(), "the module's bytes")


@test
def install_keeps_builds_beside_each_other_and_moves_the_link():
    project = sample()
    project.build()
    destination = scratch()
    modules = destination / "lib/ryuso"
    project.make("install", f"DESTDIR={destination}", "moduledir=/lib/ryuso")
    first = build_id(project / "sample.so")
    equal(os.readlink(modules / "sample.so"), f"sample-{first}.so", "the link")
    project.write(spec(TWO_HOOKS, version="2"))
    project.make("install", f"DESTDIR={destination}", "moduledir=/lib/ryuso")
    second = build_id(project / "sample.so")
    equal(os.readlink(modules / "sample.so"), f"sample-{second}.so", "the link")
    equal(sorted(path.name for path in modules.iterdir()),
          sorted(["sample.so", f"sample-{first}.so", f"sample-{second}.so"]), "what is installed")
    equal((modules / "sample.so").stat().st_mode & 0o777, 0o644, "the mode")


@test
def a_changed_hook_is_another_build_and_leaves_the_one_that_runs_may_be_pinned_to():
    project = sample()
    destination = scratch()
    modules = destination / "lib/ryuso"
    install = ("install", f"DESTDIR={destination}", "moduledir=/lib/ryuso")
    project.make(*install)
    first = modules / f"sample-{build_id(project / 'sample.so')}.so"
    before = (first.read_bytes(), first.stat().st_ino)
    hook = project / "hooks/ledger/accounts.c"
    hook.write_text(hook.read_text() + "\nint more(void);\nint more(void)\n{\n\treturn 7;\n}\n")
    project.make(*install)
    second = modules / f"sample-{build_id(project / 'sample.so')}.so"
    check(first != second, "the build id is the same")
    equal((first.read_bytes(), first.stat().st_ino), before, "the first build")
    equal(os.readlink(modules / "sample.so"), second.name, "the link")
    project.make(*install)
    equal(sorted(path.name for path in modules.iterdir()), sorted(["sample.so", first.name, second.name]),
          "what is installed")


@test
def an_install_without_a_place_is_an_error():
    project = sample()
    contains(project.make("install", "moduledir=", status=2).stderr, "moduledir=DIR", "standard error")


@test
def check_runs_the_tests_and_fails_with_them():
    project = sample()
    contains(project.make("check").stdout, "names no TESTS", "standard output")
    (project / "good").write_text("#!/bin/sh\necho fine\n")
    (project / "bad").write_text("#!/bin/sh\nexit 3\n")
    for name in ("good", "bad"):
        (project / name).chmod(0o755)
    contains(project.make("check", "TESTS=good").stdout, "fine", "standard output")
    project.make("check", "TESTS=good bad good", status=2)


@test
def verify_runs_ryuso_verify_and_says_where_it_is_missing():
    project = sample()
    contains(project.make("verify", "RYUSO_VERIFY=/nowhere/ryuso-verify", status=2).stderr,
             "/nowhere/ryuso-verify is not there", "standard error")
    (project / "verify").write_text('#!/bin/sh\necho "verifying $1"\n')
    (project / "verify").chmod(0o755)
    contains(project.make("verify", "RYUSO_VERIFY=./verify").stdout, "verifying ./sample.so", "standard output")


@test
def missing_rules_and_a_missing_generator_are_named():
    project = sample()
    done = run("make", "-C", project.directory, "RYUSO_MK=/nowhere/ryuso.mk", status=2)
    contains(done.stderr, "ryuso.mk is not there", "standard error")
    shutil.rmtree(project / "build", ignore_errors=True)
    contains(project.make("RYUSO_GEN=/nowhere/ryuso-gen", status=2).stderr, "/nowhere/ryuso-gen is not there",
             "standard error")


@test
def a_wrong_spec_stops_make():
    project = sample()
    project.build()
    project.write("{}")
    contains(project.make(status=2).stderr, "ryu_spec.json:1:", "standard error")


@test
def what_pkg_config_says_is_used_where_nothing_else_is_said():
    place = scratch()
    (place / "ryuso.pc").write_text(
        f"mk={TEMPLATES / 'ryuso.mk'}\nmoduledir=/lib/from-pkg-config\nName: ryuso\nDescription: x\nVersion: 1\n"
        f"Cflags: -I{TEMPLATES.parent / 'include'}\nLibs: -L{LIBRARY} -lryuso\n")
    project = sample()
    variables = [word for word in make_variables() if word.startswith(("RYUSO_GEN=", "RYUSO_GENFLAGS="))]
    path = f"{place}:{os.environ.get('PKG_CONFIG_PATH', '')}"
    destination = scratch()
    run("make", "-C", project.directory, *variables, "install", f"DESTDIR={destination}",
        env=environment(PKG_CONFIG_PATH=path, RYUSO_MK=None))
    check((destination / "lib/from-pkg-config/sample.so").exists(), "the module is not where pkg-config says")


main()
