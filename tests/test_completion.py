#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Completion of ryusoctl in bash and zsh, beside a live daemon and without one."""

import json
import os
import pty
import re
import select
import shlex
import shutil
import subprocess
import time

from ctl import answers, ctl
from fake import Fake
from surroundings import as_installed, wallet
from tap import TIMEOUT, TOP_SOURCE, check, contains, equal, main, program, run, scratch, skip, test

BASH = TOP_SOURCE / "completions" / "bash" / "ryusoctl"
ZSH = TOP_SOURCE / "completions" / "zsh"
DRIVER = """
source "$1" || exit 1
COMP_LINE=$2
COMP_POINT=${#COMP_LINE}
eval "COMP_WORDS=($2)" 2>/dev/null
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_ryusoctl || exit 1
[[ ${#COMPREPLY[@]} -eq 0 ]] || printf '%s\\n' "${COMPREPLY[@]}"
"""


def complete(line, socket=None):
    """What bash offers for the last word of a line."""
    where = scratch() / "nobody.sock" if socket is None else socket
    done = run("bash", "--norc", "-c", DRIVER, "bash", BASH, line, env=as_installed(RYUSO_SOCKET=where))
    equal(done.stderr, "", f"standard error of completing {line!r}")
    return done.stdout.split("\n")[:-1]


def runs(daemon):
    return {run["run"]: run["status"] for run in
            json.loads(ctl(daemon.socket, "runs", "--json").stdout)["runs"]}


def verbs():
    text = run(program("ryusoctl"), "--help").stdout.split("Options:")[0]
    return re.findall(r"^  ([a-z]+) ", text, re.MULTILINE)


# ---- bash ----

@test
def without_a_daemon_bash_completes_verbs_and_options():
    equal(sorted(complete("ryusoctl ")), sorted(verbs()), "all verbs")
    equal(complete("ryusoctl des"), ["describe"], "a verb")
    equal(sorted(complete("ryusoctl --js --no-l")), ["--no-legend"], "an option before the verb")
    equal(sorted(complete("ryusoctl runs --s")), ["--since=", "--socket=", "--status="], "options of a verb")
    equal(complete("ryusoctl runs --json=s"), ["short"], "values of an option")
    equal(complete("ryusoctl runs --status=rece"), ["recent"], "values of an option")
    for line in ("ryusoctl run ", "ryusoctl run transfer ", "ryusoctl show ", "ryusoctl list "):
        equal(complete(line), [], line)


@test
def bash_completes_programs_and_their_arguments():
    with wallet() as daemon:
        equal(sorted(complete("ryusoctl run ", daemon.socket)),
              sorted(item["name"] for item in
                     json.loads(ctl(daemon.socket, "list", "--json").stdout)["programs"]), "programs")
        equal(complete("ryusoctl describe tr", daemon.socket), ["transfer"], "a program")
        equal(complete("ryusoctl describe transfer ", daemon.socket), [], "describe takes one")
        equal(complete("ryusoctl runs --program=dep", daemon.socket), ["deposit"], "a program as a value")
        equal(complete("ryusoctl runs --program dep", daemon.socket), ["deposit"], "the same as a word of its own")
        equal(sorted(complete("ryusoctl -q run --follow transfer from=a ", daemon.socket)),
              ["amount=", "fee=", "from=", "to="], "arguments")
        equal(complete("ryusoctl submit transfer am", daemon.socket), ["amount="], "an argument")


@test
def bash_completes_runs_by_what_the_verb_can_do_with_them():
    with wallet() as daemon:
        ctl(daemon.socket, "run", "open_account", "account=a")
        ctl(daemon.socket, "hold")
        ctl(daemon.socket, "submit", "open_account", "account=b")
        found = runs(daemon)
        queued = [run for run, status in found.items() if status == "queued"]
        equal(sorted(complete("ryusoctl show ", daemon.socket)), sorted(found), "all runs")
        equal(sorted(complete(f"ryusoctl wait {queued[0]} ", daemon.socket)), sorted(found), "one more run")
        equal(complete(f"ryusoctl log {queued[0][:10]}", daemon.socket), queued, "a run by its beginning")
        equal(complete("ryusoctl cancel ", daemon.socket), queued, "those that can be cancelled")
        equal(complete("ryusoctl retry ", daemon.socket), [], "those that are parked")
        equal(complete(f"ryusoctl show {queued[0]} ", daemon.socket), [], "show takes one")


@test
def the_daemon_that_the_line_names_is_the_one_that_is_asked():
    with wallet() as daemon:
        for option in (f"--socket={daemon.socket}", f"--socket {daemon.socket}", f"-s {daemon.socket}"):
            equal(complete(f"ryusoctl {option} run tr"), ["transfer"], option)


@test
def what_a_daemon_says_is_not_expanded():
    place = scratch()
    name = f"a$(touch {place}/ran)"
    with Fake(answers(list={"result": {"programs": [{"name": name, "description": None}]}})) as fake:
        complete("ryusoctl run a", fake.path)
    check(not (place / "ran").exists(), "a command in a program's name was run")


# ---- zsh ----

class Zsh:
    """An interactive one; what is typed is shown as ryusoctl would get it."""

    def __init__(self, socket):
        if not shutil.which("zsh"):
            skip("there is no zsh")
        self.process, self.fd = self._start(as_installed(RYUSO_SOCKET=socket, TERM="dumb", HOME=scratch(), ZDOTDIR=scratch()))
        self.text = ""
        self.type(f"PS1=; unsetopt PROMPT_SP; fpath=({shlex.quote(str(ZSH))} $fpath); autoload -U compinit; "
                  "compinit -u -D; unsetopt BEEP LIST_AMBIGUOUS; function ryusoctl { print -r -- \"<$*>\" }; "
                  "print -r -- rea''dy\n")
        self.wait_for("ready")

    @staticmethod
    def _start(env):
        leader, follower = pty.openpty()
        process = subprocess.Popen(["zsh", "-f", "-i"], stdin=follower, stdout=follower, stderr=follower, env=env,
                                   start_new_session=True)
        os.close(follower)
        return process, leader

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.fd)

    def type(self, text):
        os.write(self.fd, text.encode())

    def wait_for(self, pattern):
        end = time.monotonic() + TIMEOUT
        while True:
            found = re.search(pattern, self.text)
            if found:
                self.text = self.text[found.end():]
                return found
            check(time.monotonic() < end and select.select([self.fd], [], [], TIMEOUT)[0],
                  f"zsh does not write {pattern!r}: {self.text!r}")
            self.text += os.read(self.fd, 65536).decode(errors="replace")

    def complete(self, line):
        """The words of the command after a tabulator at the end of the line."""
        self.type(f"ryusoctl {line}\t\n")
        return self.wait_for(r"<([^>]*)>")[1].strip()


@test
def zsh_completes_the_same():
    if shutil.which("zsh"):
        run("zsh", "-n", ZSH / "_ryusoctl")
    with wallet() as daemon:
        ctl(daemon.socket, "run", "open_account", "account=a")
        [only] = runs(daemon)
        with Zsh(daemon.socket) as zsh:
            for line, words in (("desc", "describe"), ("describe transf", "describe transfer"),
                                ("run transfer from=a am", "run transfer from=a amount="),
                                (f"show {only[:6]}", f"show {only}"), ("runs --sta", "runs --status="),
                                ("runs --status=recen", "runs --status=recent"), ("runs --json=sh", "runs --json=short"),
                                ("retry ", "retry")):
                equal(zsh.complete(line), words, line)


@test
def without_a_daemon_zsh_completes_verbs_and_options():
    with Zsh(scratch() / "nobody.sock") as zsh:
        for line, words in (("instanc", "instances"), ("show 12", "show 12"), ("ping --tim", "ping --timeout=")):
            equal(zsh.complete(line), words, line)


@test
def the_files_are_where_the_shells_look():
    text = (TOP_SOURCE / "Makefile.am").read_text()
    contains(text, "bashcompletiondir = $(datadir)/bash-completion/completions\n", "Makefile.am")
    contains(text, "zshcompletiondir = $(datadir)/zsh/vendor-completions\n", "Makefile.am")


main()
