#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""ryuso-spec(5): its keys and limits are those of the source, and ryuso-gen says of each example what the page says."""

import json
import re

import man_commands
from project import Project
from tap import TOP_SOURCE, check, contains, equal, main, test

PAGE = "\n".join(man_commands.source("ryuso-spec.5")) + "\n"
EXAMPLES = man_commands.shown("ryuso-spec.5")
# table of the source: subsection of the page
TABLES = {"spec_fields": "Of the spec", "program_fields": "Of a program", "allow_fields": "Of allow",
          "hook_fields": "Of a hook", "retry_fields": "Of retry", "arg_fields": "Of an argument or output"}


def section(name):
    return PAGE.split(f".Sh {name}\n")[1].split("\n.Sh ")[0]


def source():
    return "".join(path.read_text() for path in sorted((TOP_SOURCE / "src" / "spec").glob("*.[ch]")))


def tables():
    """The keys that each table of the source accepts: key → whether it is required."""
    found = {name: {key: required == "true" for key, required in re.findall(r'\{ "(\w+)", (true|false),', body)}
             for name, body in re.findall(r"static const Field (\w+)\[\] = \{(.*?)\n\};", source(), re.DOTALL)}
    equal(set(found), set(TABLES), "the tables of src/spec")
    return found


def documented(subsection):
    text = section("KEYS").split(f".Ss {subsection}\n")[1].split("\n.Ss ")[0]
    items = re.findall(r"^\.It Ic (\w+)\n((?:(?!\.It).*\n)*)", text, re.MULTILINE)
    return {key: body.startswith("Required.\n") for key, body in items}


@test
def every_key_that_a_spec_may_have_is_in_the_page_and_no_other():
    for name, keys in tables().items():
        check(len(keys) >= 2, f"expected keys in {name}, got {keys}")
        equal(documented(TABLES[name]), keys, f"{TABLES[name]}: the keys, and whether they are required")


@test
def every_limit_is_in_the_page():
    known = dict(re.findall(r"#define ((?:SPEC|PLAN)_\w+_MAX)\s+\(?(\d+)U?", source()))
    for name, text in {"SPEC_NAME_MAX": "64 bytes", "SPEC_ARGS_MAX": "256", "SPEC_HOOKS_MAX": "16384",
                       "SPEC_REFERENCES_MAX": "4096", "SPEC_REFERENCE_MAX": "255 bytes", "SPEC_ALLOWED_MAX": "1024",
                       "SPEC_ACCOUNT_MAX": "256 bytes", "SPEC_SIZE_MAX": "16 MiB", "SPEC_DEPTH_MAX": "64",
                       "SPEC_ATTEMPTS_MAX": "1000", "PLAN_CALLS_MAX": "4096", "PLAN_DEPTH_MAX": "256",
                       "PLAN_KEYS_MAX": "32768"}.items():
        equal(known.pop(name), text.split()[0], name)
        contains(section("LIMITS"), text, name)
    contains(source(), "#define PLAN_OPS_MAX (4U * PLAN_CALLS_MAX)", "src/spec")
    contains(section("LIMITS"), "16384\noperations", "the page")
    contains(source(), "#define SPEC_TIMEOUT_MAX_USEC (366ULL * 86400ULL * USEC_PER_SEC)", "src/spec")
    contains(section("LIMITS"), "366 days", "the page")
    equal(set(known) - {"SPEC_ISSUES_MAX", "PLAN_OPS_MAX", "SPEC_RECTIFIER_MAX"}, set(), "limits that this test forgets")


def told(project, **expected):
    """What ryuso-gen says of a spec: its lines about the file."""
    done = project.generate(**expected)
    return [line.replace(str(project.spec_file), "ryu_spec.json") for line in done.stderr.splitlines()
            if "ryu_spec.json:" in line]


def sentences(text):
    """Messages that the page has broken into lines."""
    return [" ".join(part.split()) for part in re.split(r"^(?=ryu_spec\.json:)", text, flags=re.MULTILINE) if part]


@test
def every_example_makes_a_project_or_has_the_errors_that_the_page_shows():
    kinds = [kind for _, kind, _ in EXAMPLES]
    check(kinds.count("spec") >= 2 and kinds.count("wrong-spec") >= 5, f"expected examples, got {kinds}")
    for number, (line, kind, text) in enumerate(EXAMPLES):
        if kind not in ("spec", "wrong-spec"):
            continue
        after = EXAMPLES[number + 1] if number + 1 < len(EXAMPLES) else (0, "", "")
        expected = sentences(after[2]) if after[1] in ("error", "warnings") else []
        check(kind == "spec" or expected, f"line {line}: a wrong spec without its error")
        equal(after[1] == "error", kind == "wrong-spec", f"line {line}: whether it is wrong")
        equal(told(Project(text), status=1 if kind == "wrong-spec" else 0), expected, f"line {line}: what is said")


@test
def the_projects_of_the_examples_compile():
    for _, kind, text in EXAMPLES:
        if kind == "spec":
            project = Project(text)
            project.generate()
            project.compile("gcc")


@test
def the_whole_example_has_nearly_every_key():
    [text] = [text for _, kind, text in EXAMPLES if kind == "spec"][:1]
    keys = set()

    def gather(tree):
        for key, value in tree.items() if isinstance(tree, dict) else []:
            keys.add(key)
            gather(value)
    gather(json.loads(text))
    for name in ("spec_fields", "allow_fields", "retry_fields"):
        equal(set(tables()[name]) - keys, set(), f"{name} that the example does not show")


main()
