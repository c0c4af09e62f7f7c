#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""ryuso-gen where something is missing or in the way: a named error, and nothing half-written."""

import os
import shutil

from project import TEMPLATES, Project, spec
from tap import check, contains, equal, main, ok, program, run, scratch, skip, test

TWO_HOOKS = {"debit": "ledger.accounts.debit", "credit": "ledger.accounts.credit"}
EXAMPLES = sorted(path.name for path in (TEMPLATES / "examples").iterdir())


def templates_copy(directory=None):
    """The templates, to be changed: those of a release that is being checked cannot be written."""
    directory = (directory or scratch()) / "templates"
    shutil.copytree(TEMPLATES, directory)
    for path in [directory, *directory.rglob("*")]:
        path.chmod(path.stat().st_mode | 0o200)
    return directory


def gen(*arguments, status=0, **options):
    return run(program("ryuso-gen"), *arguments, status=status, **options)


@test
def a_missing_template_is_named_with_where_it_was_looked_for():
    names = sorted(path.name for path in TEMPLATES.glob("*.tmpl"))
    equal(len(names), 5, "the number of templates")
    for name in names:
        templates = templates_copy()
        (templates / name).unlink()
        project = Project(spec(TWO_HOOKS))
        done = project.generate(templates=templates, status=1)
        ok(f"without {name}", name in done.stderr and str(templates / name) in done.stderr and not project.files(),
           done.stderr)


@test
def a_missing_directory_of_templates_is_named():
    contains(Project(spec(TWO_HOOKS)).generate(templates="/nowhere", status=1).stderr, "/nowhere", "standard error")


@test
def a_bad_template_is_named_with_its_line():
    templates = templates_copy()
    with open(templates / "module.c.tmpl", "a") as file:
        file.write("{{nothing}}\n")
    lines = len((templates / "module.c.tmpl").read_text().splitlines())
    project = Project(spec(TWO_HOOKS))
    done = project.generate(templates=templates, status=1)
    contains(done.stderr, f"{templates}/module.c.tmpl:{lines}: there is no field {{{{nothing}}}}", "standard error")
    equal(project.files(), {}, "the files")


@test
def a_program_in_its_build_tree_takes_the_templates_of_the_source_tree():
    tree = scratch()
    for directory in ("src/gen", "build/check/.libs"):
        (tree / directory).mkdir(parents=True)
    (tree / "build/check/config.status").touch()
    templates_copy(tree)
    (tree / "templates/stub.c.tmpl").write_text("from the tree of {{symbol}}\n")
    project = Project(spec(TWO_HOOKS))
    for place in ("ryuso-gen", ".libs/ryuso-gen"):
        shutil.copy(program("ryuso-gen"), tree / "build/check" / place)
        done = run(tree / "build/check" / place, "-s", project.spec_file, "--stub=debit")
        equal(done.stdout, "from the tree of ledger_accounts_debit\n", f"the stub of {place}")


@test
def a_program_elsewhere_does_not_take_what_lies_about():
    tree = scratch()
    (tree / "src/gen").mkdir(parents=True)
    (tree / "bin").mkdir()
    (tree / "templates").mkdir()
    shutil.copy(program("ryuso-gen"), tree / "bin/ryuso-gen")
    done = run(tree / "bin/ryuso-gen", "-s", Project(spec(TWO_HOOKS)).spec_file, "--stub=debit", status=None)
    check(str(tree / "templates") not in done.stderr, done.stderr)
    if done.returncode:
        contains(done.stderr, "looked for /", "standard error")


@test
def an_example_is_copied_whole_and_over_nothing():
    for name in EXAMPLES:
        directory = scratch()
        gen(f"--templates={TEMPLATES}", f"--example={name}", "-o", directory)
        copied = sorted(str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file())
        there = sorted(str(path.relative_to(TEMPLATES / "examples" / name))
                       for path in (TEMPLATES / "examples" / name).rglob("*")
                       if path.is_file() and path.name != "MANIFEST")
        equal(copied, there, f"the files of {name}")
        for path in copied:
            script = (directory / path).read_bytes().startswith(b"#!")
            equal(os.access(directory / path, os.X_OK), script, f"whether {path} can be executed")
        (directory / copied[0]).write_text("mine")
        (directory / copied[-1]).unlink()
        done = gen(f"--templates={TEMPLATES}", f"--example={name}", "-o", directory, status=1)
        contains(done.stderr, f"{directory}/{copied[0]} exists", "standard error")
        equal((directory / copied[0]).read_text(), "mine", "the file that was there")
        check(not (directory / copied[-1]).exists(), "the rest was written")


@test
def a_missing_file_of_an_example_is_named():
    for name in EXAMPLES:
        for file in sorted(path for path in (TEMPLATES / "examples" / name).rglob("*") if path.is_file()):
            templates = templates_copy()
            path = file.relative_to(TEMPLATES)
            (templates / path).unlink()
            directory = scratch()
            done = gen(f"--templates={templates}", f"--example={name}", "-o", directory, status=1)
            ok(f"without {path}", str(templates / path) in done.stderr and not list(directory.iterdir()), done.stderr)


@test
def an_unknown_example_is_answered_with_the_known_ones():
    for name in ("nothing", "../wallet", "", ".", "wallet/hooks"):
        done = gen(f"--templates={TEMPLATES}", f"--example={name}", "-o", scratch(), status=1)
        contains(done.stderr, "there are: " + ", ".join(EXAMPLES), f"what is said to {name!r}")


@test
def a_wrong_command_line_is_answered_with_64():
    for arguments in (["--nothing"], ["-s"], ["spec.json"], ["--check", "--stub=a"], ["--example=a", "--check"],
                      ["-o", ""], ["-s", ""], ["--check=1"]):
        done = gen(*arguments, status=64)
        contains(done.stderr, "ryuso-gen", f"what is said to {arguments}")
        equal(done.stdout, "", "standard output")


@test
def help_and_version_go_to_standard_output():
    contains(gen("--help").stdout, "Usage: ryuso-gen", "--help")
    contains(gen("-h").stdout, "--stub=HOOK", "-h")
    contains(gen("--version").stdout, "ryuso-gen ", "--version")
    equal(gen("-V").stderr, "", "standard error")
    done = run("sh", "-c", '"$0" --help >/dev/full', program("ryuso-gen"), status=None)
    equal(done.returncode, 1, "the exit status where standard output is full")


@test
def a_spec_that_is_no_file_is_named():
    project = Project(spec(TWO_HOOKS))
    for path in (project / "nothing.json", project.directory):
        done = gen(f"--templates={TEMPLATES}", "-s", path, "-o", project.directory, status=1)
        contains(done.stderr, str(path), "standard error")
    project.spec_file.write_bytes(b" " * ((16 << 20) + 1))
    contains(project.generate(status=1).stderr, "at most 16777216 bytes", "standard error")
    equal(project.files(), {}, "the files")


@test
def a_directory_where_a_file_should_be_is_named():
    for path in ("gen/sample.c", "gen/sample.h", "Makefile", "hooks/ledger/accounts.c"):
        project = Project(spec(TWO_HOOKS))
        (project / path / "inside").mkdir(parents=True)
        done = project.generate(status=1)
        ok(f"a directory {path}", f"{path}: expected a file or nothing; got a directory" in done.stderr, done.stderr)
        equal(project.files(), {}, "the files")
    project = Project(spec(TWO_HOOKS))
    os.mkfifo(project / "Makefile")
    contains(project.generate(status=1).stderr, "Makefile: expected a file or nothing", "standard error")


@test
def what_is_no_file_among_the_hooks_is_not_waited_for():
    project = Project(spec(TWO_HOOKS))
    (project / "hooks").mkdir()
    os.mkfifo(project / "hooks/pipe.c")
    (project / "hooks/link.c").symlink_to("pipe.c")
    (project / "hooks/dangling.c").symlink_to("nothing.c")
    (project / "hooks/directory.c").mkdir()
    project.generate()
    check((project / "hooks/ledger/accounts.c").exists(), "no file was begun")


@test
def a_file_where_a_directory_should_be_is_named():
    for path in ("gen", "hooks", "hooks/ledger"):
        project = Project(spec(TWO_HOOKS))
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        (project / path).write_text("in the way\n")
        done = project.generate(status=1)
        ok(f"a file {path}", f"{project / path}" in done.stderr, done.stderr)
        equal(project.files(), {path: b"in the way\n"}, "the files")
        check(path == "hooks/ledger" or not (project / "gen").is_dir(), "a directory was left")


@test
def what_the_author_has_linked_elsewhere_stays_linked():
    project = Project(spec(TWO_HOOKS))
    elsewhere = scratch() / "Makefile"
    elsewhere.write_text("# mine\n")
    (project / "Makefile").symlink_to(elsewhere)
    project.generate()
    check((project / "Makefile").is_symlink(), "the link was replaced")
    equal(elsewhere.read_text(), "# mine\n", "the file")


def as_nobody(*command):
    """The command without root's right to write everywhere."""
    if os.geteuid() == 0:
        return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command]
    return list(command)


@test
def a_directory_that_cannot_be_written_is_named():
    project = Project(spec(TWO_HOOKS))
    reader = scratch()
    shutil.copy(program("ryuso-gen"), reader / "ryuso-gen")
    templates_copy(reader)
    os.chmod(reader, 0o755)
    os.chmod(project.directory, 0o555)
    done = run(*as_nobody(str(reader / "ryuso-gen"), f"--templates={reader}/templates", "-s", str(project.spec_file),
                          "-o", str(project.directory)), status=1)
    contains(done.stderr, "Permission denied", "standard error")
    contains(done.stderr, str(project.directory), "standard error")
    os.chmod(project.directory, 0o755)
    equal(project.files(), {}, "the files")


@test
def a_full_disk_leaves_everything_as_it_was():
    project = Project(spec(TWO_HOOKS))
    project.generate()
    large = spec({**TWO_HOOKS, **{f"hook{i}": f"more.hook{i}" for i in range(200)}})
    script = ('set -e; mount -t tmpfs -o size=64k tmpfs "$1"; cp -a "$2/." "$1"; cd "$1"; '
              'find . -type f | sort | xargs cksum >"$3/before"; rc=0; '
              '"$4" --templates="$5" -s "$3/large.json" -o . 2>"$3/said" || rc=$?; '
              'find . -type f | sort | xargs cksum >"$3/after"; cmp "$3/before" "$3/after"; exit $rc')
    place, notes = scratch(), scratch()
    (notes / "large.json").write_text(large)
    unshare = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--mount"]
    if run(*unshare, "mount", "-t", "tmpfs", "tmpfs", place, status=None).returncode:
        skip("nothing can be mounted here")
    done = run(*unshare, "sh", "-c", script, "sh", place, project.directory, notes, program("ryuso-gen"), TEMPLATES,
               status=None)
    equal(done.returncode, 1, f"the exit status ({done.stdout}{done.stderr})")
    contains((notes / "said").read_text(), "No space left on device", "standard error")
    contains((notes / "said").read_text(), "gen/sample", "standard error")


@test
def what_cannot_be_said_is_an_error():
    project = Project(spec(TWO_HOOKS))
    done = run("sh", "-c", f'"$0" --templates={TEMPLATES} -s "$1" --stub=debit >/dev/full', program("ryuso-gen"),
               project.spec_file, status=1)
    contains(done.stderr, "No space left on device", "standard error")


main()
