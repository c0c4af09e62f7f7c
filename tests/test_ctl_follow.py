#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""ryusoctl run --follow, in words, with signs and as JSON."""

import json
import re
import subprocess

from ctl import EVENTS, PARKED, WORDS, answers, asked, ctl, on_terminal
from fake import HANG, Fake
from tap import check, contains, environment, equal, main, program, test


@test
def follow_writes_words_where_there_is_no_terminal():
    with Fake(answers(transfer=EVENTS)) as fake:
        done = ctl(fake, "run", "transfer", "--follow", status=1)
        equal(asked(fake), [{"program": "transfer", "data_pool": {}, "follow": True}], "what was asked")
    equal(done.stdout, WORDS, "the lines")
    contains(done.stderr, "transfer was rectified", "the report")


def plain(text):
    """What a terminal shows in the end."""
    return re.sub(r"[^\n]*\r\033\[K", "", re.sub(r"\033\[\d*m", "", text))


@test
def follow_writes_signs_on_a_terminal():
    with Fake(answers(transfer=EVENTS)) as fake:
        text, status = on_terminal(fake, "run", "transfer", "-f")
    equal(status, 1, "the exit status")
    for line in ("✓ 1/2 debit  1.5 ms\n", "✗ 2/2 credit (attempt 2)  1.5 ms: UnknownAccount: no such account: rent\n",
                 "? 1/2 undo_debit  1.5 ms: killed\n", "↩ 1/2 undo_debit (attempt 2)  1.5 ms\n"):
        contains(plain(text), line, "the screen")
    contains(text, "\033[32m✓\033[0m", "the sign's colour")
    check("…" not in plain(text), f"an attempt in hand is taken back: {text!r}")


@test
def follow_writes_words_on_a_terminal_without_utf8():
    with Fake(answers(transfer=EVENTS)) as fake:
        text, _ = on_terminal(fake, "run", "transfer", "-f", locale="C")
    contains(plain(text), WORDS, "the screen")


@test
def no_colour_is_no_colour():
    with Fake(answers(transfer=PARKED)) as fake:
        for words in (["run", "transfer"], ["status"], ["describe", "transfer"], ["lsit"]):
            text, _ = on_terminal(fake, *words, NO_COLOR="1")
            check("\033" not in text, f"{words}: {text!r}")
            text, _ = on_terminal(fake, *words, TERM="dumb")
            check("\033" not in text, f"{words}: {text!r}")
            text, _ = on_terminal(fake, *words, NO_COLOR="")
            contains(text, "\033[", f"{words} with an empty NO_COLOR")


@test
def follow_with_json_writes_the_events_as_they_came():
    with Fake(answers(transfer=EVENTS)) as fake:
        text = ctl(fake, "run", "transfer", "--follow", "--json=short", status=1).stdout
    equal([json.loads(line) for line in text.splitlines()], EVENTS, "the lines")


@test
def what_the_daemon_left_out_is_said_to_be_missing():
    for dropped, line in ((1, "(1 line left out, not read in time)\n"),
                          (7, "(7 lines left out, not read in time)\n")):
        with Fake(answers(transfer=[EVENTS[0], {**EVENTS[2], "dropped": dropped}, EVENTS[-1]])) as fake:
            contains(ctl(fake, "run", "transfer", "-f", status=1).stdout, f"{line}hook 1/2 debit: ok", "the lines")


@test
def an_event_is_shown_before_the_run_ends():
    with Fake(answers(transfer=[*EVENTS[:3], HANG])) as fake:
        process = subprocess.Popen([program("ryusoctl"), "--socket", fake.path, "run", "transfer", "-f"],
                                   env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        lines = [process.stdout.readline() for _ in range(2)]
        check(process.poll() is None, "it is still waiting")
        process.kill()
        process.wait()
        process.stdout.close()
    equal("".join(lines), "".join(WORDS.splitlines(True)[:2]), "the lines")


main()
