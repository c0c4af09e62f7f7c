#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The manual pages: they are clean, they agree with the programs, and every command line that they show works."""

import re

import man_commands
from surroundings import follow
from tap import TOP_SOURCE, check, contains, environment, equal, main, program, run, scratch, test

VERSION = re.search(r"AC_INIT\(\[ryuso\], \[([^]]*)\]", (TOP_SOURCE / "configure.ac").read_text())[1]
PROGRAMS = {"ryusod.8": "ryusod", "ryusoctl.1": "ryusoctl", "ryuso-gen.1": "ryuso-gen"}
ROOT_PROGRAMS = {"systemctl", "journalctl", "make", "usermod", "ryusoctl", "ryusod", "echo", "mkdir", "ln",
                 "install", "systemd-analyze"}


def page_text(page):
    text = "\n".join(man_commands.source(page)) + "\n"
    return text.replace("@PACKAGE_VERSION@", VERSION).replace("@MAN_DATE@", "2000-01-01")


def page_file(page):
    path = scratch() / page
    path.write_text(page_text(page))
    return path


def shown(page):
    """The page as a reader sees it, on one line."""
    done = run("mandoc", "-Tascii", "-Owidth=200", page_file(page))
    return re.sub(r"\s+", " ", re.sub(r".\x08", "", done.stdout))


def repository(name):
    return (TOP_SOURCE / name).read_text()


@test
def mandoc_has_nothing_to_say():
    for page in man_commands.PAGES:
        done = run("mandoc", "-Tlint", "-Wwarning", page_file(page), status=None)
        equal((done.returncode, done.stdout), (0, ""), page)


@test
def groff_has_nothing_to_say():
    for page in man_commands.PAGES:
        done = run("man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page_file(page),
                   env=environment(LC_ALL="C.UTF-8", MANWIDTH=80))
        equal(done.stderr, "", page)


@test
def no_line_that_is_shown_is_wider_than_a_screen():
    for page in man_commands.PAGES:
        for first, lines, _ in man_commands.displays(man_commands.source(page)):
            for offset, line in enumerate(lines):
                check(len(line.expandtabs()) <= 75, f"{page}:{first + offset}: {line!r} is too wide")


def verbs_of_ryusoctl():
    text = run(program("ryusoctl"), "--help").stdout.split("Options:")[0]
    return set(re.findall(r"^  ([a-z]+) ", text, re.MULTILINE))


@test
def every_option_of_a_program_is_in_its_page_and_the_other_way_round():
    for page, name in PROGRAMS.items():
        helps = [run(program(name), "--help").stdout]
        if name == "ryusoctl":
            helps += [run(program(name), verb, "--help").stdout for verb in verbs_of_ryusoctl()]
        known = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", " ".join(helps)))
        section = page_text(page).split(".Sh OPTIONS\n")[1].split("\n.Sh ")[0]
        documented = {"--" + word for word in re.findall(r"Fl -([a-z][a-z-]*)", section)}
        equal(documented - known, set(), f"{page}: options that {name} --help does not know")
        equal(known - documented, set(), f"{page}: options that are missing")


@test
def every_verb_of_ryusoctl_is_in_its_page():
    verbs = verbs_of_ryusoctl()
    check(len(verbs) >= 15, f"expected the verbs, got {verbs}")
    equal(verbs, set(re.findall(r"^\.It Cm ([a-z]+)", page_text("ryusoctl.1"), re.MULTILINE)) - {"short", "pretty"},
          "the verbs")


@test
def every_verb_of_ryusoctl_that_a_page_names_exists():
    verbs, named = verbs_of_ryusoctl(), set()
    for page in man_commands.PAGES:
        for word in re.findall(r"(?:^|Ql |^[$#] )ryusoctl (?:-I \S+ )?([a-z]+)\b", page_text(page), re.MULTILINE):
            named.add(word)
            check(word in verbs, f"{page}: there is no verb {word!r}")
    check(len(named) > 8, f"expected verbs, got {named}")


@test
def every_exit_status_of_ryusoctl_is_in_its_page():
    numbers = set(re.findall(r"EXIT_\w+ = (\d+)", repository("src/ctl/exit.h")))
    section = page_text("ryusoctl.1").split(".Sh EXIT STATUS")[1].split("\n.Sh ")[0]
    equal(set(re.findall(r"^\.It (\d+)", section, re.MULTILINE)), numbers, "the numbers")


def settings_of_the_page():
    """What ryuso.conf(5) says of each setting."""
    section = page_text("ryuso.conf.5").split(".Sh SETTINGS")[1].split("\n.Sh ")[0]
    return dict(re.findall(r"^\.It Va (\w+)=(.*\n(?:(?!\.It|\.El).*\n)*)", section, re.MULTILINE))


def defaults_of_the_daemon():
    shown = run(program("ryusod"), "--show-config", "--config=/dev/null").stdout
    return dict(re.findall(r"^(\w+)=(\S*) +; default$", shown, re.MULTILINE))


@test
def every_setting_is_in_the_page_with_its_default_and_limits():
    # the daemon says itself which limits a setting has, where it is given a value that is none
    documented, defaults = settings_of_the_page(), defaults_of_the_daemon()
    equal(set(documented), set(defaults), "the settings")
    lasting = re.findall(r'"(\w+)"', repository("src/daemon/config.c").split("lasting[] = {")[1].split("}")[0])
    wrong = scratch() / "wrong.conf"
    wrong.write_text("[Daemon]\n" + "".join(f"{name}=?\n" for name in documented))
    said = run(program("ryusod"), "--check-config", f"--config={wrong}", status=78).stderr
    for name, text in documented.items():
        lasts = name in lasting
        equal("takes effect at the next start" in text, lasts, f"whether {name} is said to count at the next start only")
        expected = re.search(rf"{name}: expected ([^;\n]+);", said)
        if expected:
            contains(text, f"\nDefault {defaults[name]}; {expected[1]}", name)
        else:
            equal((name, defaults[name]), ("Module", ""), f"a setting of which nothing was said in {said}")


@test
def the_file_that_is_installed_has_all_settings_with_their_defaults():
    text = repository("units/settings/ryuso.conf")
    lines = re.findall(r"^#(\w+)=(.*)$", text, re.MULTILINE)
    equal(dict(lines), defaults_of_the_daemon(), "the lines")
    for line in text.splitlines():
        check(line == "[Daemon]" or line.startswith("#"), f"expected comments, got {line!r}")


@test
def every_page_is_installed_and_named_by_ryuso_7_and_the_readme():
    makefile, readme, hub = repository("Makefile.am"), repository("README.md"), page_text("ryuso.7").split(".Sh SEE ALSO")[1]
    for page in man_commands.PAGES:
        name, section = page.rsplit(".", 1)
        check(re.search(rf"man/{re.escape(page)}\s", makefile), f"{page} is not among man_MANS")
        contains(makefile, f"man/{page}.in", "EXTRA_DIST")
        contains(readme, f"`man {name}`", "README.md")
        check(page == "ryuso.7" or f".Xr {name} {section}" in hub, f"{page} is not in SEE ALSO of ryuso(7)")


@test
def every_reference_to_a_page_of_ours_leads_to_one():
    links = set(re.findall(r"man/(ryuso_\w+\.3)", repository("Makefile.am")))
    for page in man_commands.PAGES:
        for name, section in re.findall(r"^\.Xr (ryuso\S*) (\d)", page_text(page), re.MULTILINE):
            check(f"{name}.{section}" in man_commands.PAGES or f"{name}.{section}" in links,
                  f"{page}: there is no {name}({section})")


# ---- what the pages show ----

@test
def the_first_program_of_ryuso_7_works_as_it_stands():
    text = follow("ryuso.7", RYUSO_SOCKET=None)
    for part in ("book.c\n", "entries = 1\n", "entries = 2\n", "hook 3/3 count_entries: ok",
                 "hook 3/3 count_entries: failed: BookFull: the book has room for 2 entries",
                 "rectifier 2/3 erase_entry: ok", "sign was rectified", "undone   step 2, write_entry"):
        contains(text, part, "what the commands wrote")
    check(re.search(r"\n1\n.*ls book.*\n2\n", text, re.DOTALL), f"expected status 1, then two entries: {text}")


@test
def the_commands_of_ryusod_8_work_as_they_stand():
    text = follow("ryusod.8", RYUSO_SOCKET=None)
    check(text.count("State: ") == 1 and "no-module" not in text, text)


@test
def the_commands_of_ryuso_conf_5_work_as_they_stand():
    text = follow("ryuso.conf.5")
    for line in (r"Trace=failures +; new.conf:2", r"KeepRunsTime=7d +; new.conf:3"):
        check(re.search(line, text), f"expected {line!r} in {text}")


@test
def the_commands_of_ryuso_gen_1_work_as_they_stand():
    follow("ryuso-gen.1", RYUSO_SOCKET=None)


FOLLOWED = ("ryuso.7", "ryuso.conf.5", "ryusod.8", "ryusoctl.1", "ryuso-gen.1")  # above; ryusoctl.1 in test_ctl_examples.py


@test
def no_page_shows_commands_that_no_test_runs():
    for page in man_commands.PAGES:
        check(page in FOLLOWED or not man_commands.commands(page), f"{page}: {man_commands.commands(page)}")


@test
def the_commands_for_root_are_left_to_the_boot_test():
    lines = [(page, line) for page in man_commands.PAGES for line in man_commands.commands(page, root=True)]
    check(len(lines) > 5, f"expected some, got {lines}")
    for page, line in lines:
        check(line.split()[0] in ROOT_PROGRAMS, f"{page}: {line}: expected one of {ROOT_PROGRAMS}")
        check(not re.match(r"(make|ryusoctl)\b(?!.*(install|-I ))", line), f"{page}: {line}: this needs no root")


@test
def the_commands_of_the_readme_are_those_of_the_pages():
    section = repository("README.md").split("## The first program")[1].split("\n## ")[0]
    blocks = re.findall(r"^```sh\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in re.sub(r"\\\n\s*", "", block).splitlines()]
    known = {line for page in man_commands.PAGES for root in (False, True) for line in man_commands.commands(page,
                                                                                                             root)}
    check(len(lines) > 5, f"expected some commands, got {lines}")
    for line in lines:
        check(re.sub(r"^sudo ", "", line) in known,
              f"{line!r} is in README.md, but in no manual page, where it would be tested")


main()
