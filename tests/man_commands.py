#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command lines and files that our manual pages show.

In a page's source they stand in literal displays (.Bd -literal). A line that begins with "$ " is typed by anybody, one
that begins with "# " by root on a machine with systemd and an installed ryuso; one that ends with a backslash goes on
in the next. A comment `.\\" file NAME` before a display says that all of it is the content of that file;
`root-file NAME` is one that root writes; `shown KIND` is nothing to be done, but an example that a test looks at.

    man_commands.py [PAGE...]            prints the commands of ordinary users, one a line
    man_commands.py --root [PAGE...]     those of root
    man_commands.py --script PAGE        a shell script that does all that the page says to ordinary users, in order
    man_commands.py --root --script PAGE     to them and to root, for a machine that was made for it

test_man.py runs the script of every page; a test that boots a machine runs those of --root.
"""

import pathlib
import re
import shlex
import sys

MAN = pathlib.Path(__file__).resolve().parent.parent / "man"
PAGES = tuple(path.stem for path in sorted(MAN.glob("*.in")))


class Step:
    """Something a page tells its reader to do: a command, or where `name` is given a file with this content."""

    def __init__(self, root, text, line, name=None):
        self.root, self.text, self.line, self.name = root, text, line, name


def source(page):
    """The lines of a page's source, from a path or from our own tree."""
    path = pathlib.Path(page) if "/" in page else MAN / (page + ".in")
    return path.read_text().splitlines()


def plain(line):
    """A line of a literal display as a reader sees it."""
    return re.sub(r"\\(e|-|&)", lambda match: {"e": "\\", "-": "-", "&": ""}[match.group(1)], line)


def displays(lines):
    """Every literal display: number of its first line, its lines, the words of the comment before it ("file", a name)."""
    comment, inside, first = None, None, 0
    for number, line in enumerate(lines, 1):
        if inside is not None:
            if line == ".Ed":
                yield first, inside, comment
                inside, comment = None, None
            else:
                inside.append(plain(line))
        elif line.startswith(".Bd -literal"):
            inside, first = [], number + 1
        elif line.startswith(('.\\" file ', '.\\" root-file ', '.\\" shown ')):
            comment = line.split()[1:]


def shown(page):
    """The examples of a page that are marked as such, in order: number of the first line, kind, text."""
    return [(first, " ".join(comment[1:]), "".join(line + "\n" for line in lines))
            for first, lines, comment in displays(source(page)) if comment and comment[0] == "shown"]


def steps(page):
    """What a page tells its reader to do, in order."""
    found = []
    for first, lines, comment in displays(source(page)):
        if comment and comment[0] == "shown":
            continue
        if comment:
            found.append(Step(comment[0] == "root-file", "".join(line + "\n" for line in lines), first, comment[1]))
            continue
        goes_on = False
        for offset, line in enumerate(lines):
            if goes_on:
                found[-1].text = found[-1].text[:-1].rstrip() + " " + line.strip()
            elif line.startswith(("$ ", "# ")):
                found.append(Step(line[0] == "#", line[2:], first + offset))
            else:
                continue
            goes_on = line.endswith("\\")
    return found


def commands(page, root=False):
    """The command lines of a page: those of root, or those of ordinary users."""
    return [step.text for step in steps(page) if not step.name and step.root == root]


BEGIN = """
wait_socket() {
	tries=0
	until ryusoctl --socket "$1" --quiet ping 2>/dev/null; do
		tries=$((tries + 1))
		[ "$tries" -lt 600 ] || { echo "nobody listens at $1"; exit 1; }
		sleep 0.05
	done
}
"""


def _write(step):
    name = shlex.quote(step.name)
    return f'mkdir -p -- "$(dirname {name})" && cat >{name} <<\'END OF FILE\'\n{step.text}END OF FILE\n'


def _run(page, step):
    shown = shlex.quote(f"{page}:{step.line}: {step.text}")
    socket = re.search(r"(?:--socket|-l) (\S+)", step.text)
    text = f"printf '\\n%s\\n' {shown}\n{step.text}\n"
    text += 'status=$?; [ $status -eq 0 ] || { echo "exit status $status"; exit 1; }\n'
    if step.text.endswith(" &"):
        text += f"wait_socket {socket[1]}\n"
    elif step.text.startswith("kill "):
        text += "wait\n"
    return text


def script(page, root=False):
    """All that a page tells its reader to do, for bash: it stops at the first command that fails, and says which."""
    return BEGIN + "".join(_write(step) if step.name else _run(page, step)
                           for step in steps(page) if root or not step.root)


def main(arguments):
    pages = [argument for argument in arguments if not argument.startswith("--")] or PAGES
    root = "--root" in arguments
    for page in pages:
        if "--script" in arguments:
            print(script(page, root))
        else:
            print("".join(line + "\n" for line in commands(page, root)), end="")


if __name__ == "__main__":
    main(sys.argv[1:])
