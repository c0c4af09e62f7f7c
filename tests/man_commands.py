#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command lines and files that our manual pages show.

In a page's source they stand in literal displays (.Bd -literal). A line that begins with "$ " is typed by anybody, one
that begins with "# " by root on a machine with systemd and an installed ryuso; one that ends with a backslash goes on in
the next. A comment `.\\" file NAME` before a display says that all of it is the content of that file.

    man_commands.py [--root] PAGE...      prints them, one a line, as they would be typed

A test that boots a machine runs those of --root; test_man.py runs the others.
"""

import pathlib
import re
import sys

PAGES = ("ryuso.7", "ryusod.8", "ryusoctl.1", "ryuso-gen.1")


class Step:
    """Something a page tells its reader to do: kind is "user", "root" (a command) or "file" (its content)."""

    def __init__(self, kind, text, line, name=None):
        self.kind, self.text, self.line, self.name = kind, text, line, name


def source(page):
    """The lines of a page's source, from a path or from our own tree."""
    path = pathlib.Path(page)
    if not path.exists():
        path = pathlib.Path(__file__).resolve().parent.parent / "man" / (page + ".in")
    return path.read_text().splitlines()


def plain(line):
    """A line of a literal display as a reader sees it."""
    return re.sub(r"\\(e|-|&)", lambda match: {"e": "\\", "-": "-", "&": ""}[match.group(1)], line)


def displays(lines):
    """Every literal display: the number of its first line, its lines, the file's name that a comment before it gives."""
    name, inside, first = None, None, 0
    for number, line in enumerate(lines, 1):
        if inside is not None:
            if line == ".Ed":
                yield first, inside, name
                inside, name = None, None
            else:
                inside.append(plain(line))
        elif line.startswith(".Bd -literal"):
            inside, first = [], number + 1
        elif line.startswith('.\\" file '):
            name = line.split()[2]


def steps(page):
    """What a page tells its reader to do, in order."""
    found = []
    for first, lines, name in displays(source(page)):
        if name:
            found.append(Step("file", "".join(line + "\n" for line in lines), first, name))
            continue
        goes_on = False
        for offset, line in enumerate(lines):
            if goes_on:
                found[-1].text = found[-1].text[:-1].rstrip() + " " + line.strip()
            elif line.startswith(("$ ", "# ")):
                found.append(Step("user" if line[0] == "$" else "root", line[2:], first + offset))
            else:
                continue
            goes_on = line.endswith("\\")
    return found


def commands(page, root=False):
    """The command lines of a page; `root`: those for root."""
    return [step.text for step in steps(page) if step.kind == ("root" if root else "user")]


if __name__ == "__main__":
    arguments = [argument for argument in sys.argv[1:] if argument != "--root"]
    for page_name in arguments or PAGES:
        for command in commands(page_name, "--root" in sys.argv[1:]):
            print(command)
