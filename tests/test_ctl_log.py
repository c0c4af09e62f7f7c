#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""ryusoctl log: what the journal says of one run."""

import json
import os
import subprocess
import threading

from ctl import ctl, on_terminal
from journal import ERR, INFO, RUN_ENDED, Talker, beside_journald, talk
from tap import check, contains, environment, equal, main, program, run, scratch, skip, test

beside_journald()

ABSENT = scratch() / "nobody.sock"


def written(script=None):
    """The id of a run that has ended, and whose entries are in the journal."""
    with Talker() as daemon, daemon.client() as client:
        reply = client.ask(talk(script=script))
    run("journalctl", "--sync")
    return reply["run"]


@test
def each_entry_of_the_run_is_a_line_oldest_first():
    other, mine = written(), written()
    text = ctl(ABSENT, "log", mine).stdout
    lines = text.splitlines()
    contains(lines[0], "talk: begun", "the first line")
    contains(lines[-1], "talk: succeeded", "the last line")
    check(any(": ok" in line for line in lines[1:-1]), f"expected the hooks, got {text}")
    check(all(line[:2] == "20" and line[19] == "." for line in lines), f"expected the time in each line, got {text}")
    check(len(lines) == len(ctl(ABSENT, "log", other).stdout.splitlines()), "the entries of one run alone")


@test
def with_verbose_the_fields_are_shown_too():
    mine = written()
    text = ctl(ABSENT, "log", mine, "-v").stdout
    for field in (f"    RYUSO_RUN={mine}\n", "    RYUSO_PROGRAM=talk\n", "    RYUSO_OUTCOME=succeeded\n",
                  f"    MESSAGE_ID={RUN_ENDED}\n"):
        contains(text, field, "the text")


@test
def log_as_json_is_an_object_for_each_entry():
    mine = written()
    entries = [json.loads(line) for line in ctl(ABSENT, "log", mine, "--json=short").stdout.splitlines()]
    check(all(set(entry) == {"usec", "priority", "message", "fields"} for entry in entries), f"the members: {entries}")
    check(all(entry["fields"]["RYUSO_RUN"] == mine for entry in entries), f"the run: {entries}")
    equal((entries[-1]["fields"]["MESSAGE_ID"], entries[-1]["priority"]), (RUN_ENDED, int(INFO)), "the last one")
    equal([entry["usec"] for entry in entries], sorted(entry["usec"] for entry in entries), "the times")


@test
def with_follow_it_goes_on_until_the_run_has_ended():
    with Talker() as daemon, daemon.client() as client:
        client.ask({"call": "hold"})
        client.send(talk(wait=False))
        mine = client.reply()["run"]
        process = subprocess.Popen([program("ryusoctl"), "log", mine, "-f"], env=environment(), text=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        threading.Timer(0.2, lambda: run(program("ryusoctl"), "--socket", daemon.socket, "resume")).start()
        text, errors = process.communicate(timeout=60)
    equal((process.returncode, errors), (0, ""), "how it ended")
    contains(text.splitlines()[0], "begun", "the first line")
    contains(text.splitlines()[-1], "succeeded", "the last line")


@test
def with_follow_a_run_that_has_ended_is_shown_and_that_is_all():
    mine = written()
    equal(ctl(ABSENT, "log", mine, "--follow").stdout, ctl(ABSENT, "log", mine).stdout, "the text")


@test
def on_a_terminal_it_goes_through_the_pager_and_what_is_bad_is_red():
    mine = written({"talk": [["fail", "Reason", "bad luck"]]})
    priorities = [json.loads(line)["priority"] for line in ctl(ABSENT, "log", mine, "--json=short").stdout.splitlines()]

    class Nobody:
        path = str(ABSENT)
    text, _ = on_terminal(Nobody, "log", mine, RYUSO_PAGER="sed 's/^/PAGED: /'")
    check(text.startswith("PAGED: "), text)
    equal("\033[31m" in text, int(ERR) in priorities, f"red in {text!r}")
    text, _ = on_terminal(Nobody, "log", mine, "-f", RYUSO_PAGER="sed 's/^/PAGED: /'")
    check("PAGED" not in text, f"with --follow: {text!r}")


@test
def a_run_of_which_nothing_is_written_is_an_error_that_says_where_to_look():
    text = ctl(ABSENT, "log", "00" * 16, status=3).stderr
    contains(text, f"ryusoctl: the journal has no entry of run {'00' * 16}\n  next     older entries may be gone; "
                   "Trace= in ryuso.conf decides what is written;\n", "the message")


@test
def who_may_not_read_the_journal_is_told_of_the_group():
    if os.geteuid() != 0:
        skip("only root can be somebody else")
    mine = written()
    done = run("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", program("ryusoctl"), "log", mine, status=77)
    equal(done.stdout, "", "standard output")
    contains(done.stderr, "ryusoctl: not allowed to read the system's journal\n  next     ask root, or add yourself:  "
                          "usermod -aG systemd-journal nobody  (as root; then log in again)\n", "the message")


main()
