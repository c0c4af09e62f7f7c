#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What ryusoctl says on a terminal while a run is under way or waits: the line of progress, and why nothing happens."""

import re
import threading

from busy import Log, busy
from ctl import EVENTS, RUN, STATUS, SUCCEEDED, Terminal, answers, ctl
from fake import HANG, Fake
from tap import check, contains, equal, main, test, wait_for

ERASE = "\r\033[K"


def plain(text):
    """What a terminal shows in the end."""
    return re.sub(r"[^\n]*\r\033\[K", "", re.sub(r"\033\[\d*m", "", text))


def status(**more):
    return {"result": {**STATUS, **more}}


# ---- the line of progress ----

@test
def the_attempt_in_hand_is_one_line_that_is_redrawn_and_taken_back():
    go = threading.Event()
    with Fake(answers(transfer=[*EVENTS[:4], go, *EVENTS[4:]])) as fake, \
            Terminal(fake.path, "run", "transfer", "-f") as terminal:
        first = terminal.wait_for(r"… 2/2 credit  ([\d.]+ \w+)")
        terminal.wait_for(r"\r\033\[K… 2/2 credit  (?!" + re.escape(first[1]) + r")[\d.]+ \w+")
        go.set()
        equal(terminal.end(), 1, "the exit status")
    check("…" not in plain(terminal.text), f"the line is taken back: {terminal.text!r}")
    contains(plain(terminal.text), "✗ 2/2 credit (attempt 2)", "the screen")


@test
def while_a_run_is_on_its_way_back_the_line_begins_with_an_arrow():
    go = threading.Event()
    with Fake(answers(transfer=[*EVENTS[:7], go, *EVENTS[7:]])) as fake, \
            Terminal(fake.path, "run", "transfer", "-f") as terminal:
        terminal.wait_for("↩ 1/2 undo_debit  ")
        go.set()
        terminal.end()


@test
def without_utf8_the_line_is_in_words():
    go = threading.Event()
    with Fake(answers(transfer=[*EVENTS[:4], go, *EVENTS[4:]])) as fake, \
            Terminal(fake.path, "run", "transfer", "-f", LC_ALL="C") as terminal:
        terminal.wait_for(r"hook 2/2 credit: running \(")
        go.set()
        terminal.end()
    check("running" not in plain(terminal.text), f"the line is taken back: {terminal.text!r}")


@test
def what_no_event_has_told_is_asked_for_over_a_connection_of_its_own():
    with busy() as daemon, Terminal(daemon.socket, "run", "gate", "-f", f"log={(log := Log())}", "word=w",
                                    f"file={log.path}.open") as terminal:
        terminal.wait_for("✓ 1/3 say  ")
        terminal.wait_for("… 2/3 wait  ")
        (log.path.parent / (log.path.name + ".open")).touch()
        equal(terminal.end(), 0, "the exit status")
    contains(plain(terminal.text), "✓ 2/3 wait  ", "the screen")
    check("…" not in plain(terminal.text), f"the line is taken back: {terminal.text!r}")


@test
def with_json_or_quietly_there_is_no_line():
    for words in (["--json=short"], ["-q"]):
        go = threading.Event()
        with Fake(answers(transfer=[*EVENTS[:4], go, *EVENTS[4:]])) as fake, \
                Terminal(fake.path, "run", "transfer", "-f", *words) as terminal:
            wait_for(lambda: fake.requests, "the request")
            go.set()
            terminal.end()
        check(ERASE not in terminal.text, f"{words}: {terminal.text!r}")


# ---- why a run waits ----

@test
def a_held_queue_is_said_to_be_held_by_whom_and_why_and_how_it_goes_on():
    hold = {"uid": 0, "reason": "monthly closing", "usec": 1764000000000000}
    for words, answer in ((["run", "transfer"], {"transfer": HANG}), (["run", "-f", "transfer"], {"transfer": HANG}),
                          (["wait", RUN], {"wait": HANG})):
        with Fake(answers(**answer, status=status(held=True, hold=hold, running=None))) as fake, \
                Terminal(fake.path, *words, TZ="UTC") as terminal:
            terminal.wait_for("ryusoctl: (transfer|the run) waits: the queue is held since 2025-11-24 16:00:00 by "
                              f"root \\(0\\): monthly closing; it goes on with:  ryusoctl --socket {fake.path} resume\n")


@test
def what_runs_before_it_is_said_and_how_many_wait():
    with Fake(answers(deposit=HANG, status=status(queued=3))) as fake, Terminal(fake.path, "run", "deposit") as terminal:
        terminal.wait_for("ryusoctl: deposit waits: transfer is running, step 2 of 5, credit, for 1 min 1 s; "
                          "3 runs are waiting\n")


@test
def a_daemon_that_recovers_says_what_it_is_doing():
    with Fake(answers(deposit=HANG, status=status(state="recovering", message="3 runs are left", running=None))) as fake, \
            Terminal(fake.path, "run", "deposit") as terminal:
        terminal.wait_for("deposit waits: the daemon is not running yet, but recovering: 3 runs are left\n")


@test
def each_reason_is_said_once():
    answer = {"transfer": HANG, "status": status(held=True)}
    with Fake(answers(**answer)) as fake, Terminal(fake.path, "run", "transfer") as terminal:
        wait_for(lambda: sum(request.get("call") == "status" for request in fake.requests) >= 2, "a second look")
        terminal.wait_for("transfer waits: ")
        equal(terminal.text.count(" waits: "), 1, f"how often it is said in {terminal.text!r}")


@test
def a_run_that_is_in_hand_does_not_wait():
    with busy() as daemon, daemon.client() as client:
        with Terminal(daemon.socket, "run", "gate", f"log={(log := Log())}", "word=w",
                      f"file={log.path}.open") as terminal:
            log.wait("w")
            client.ask({"call": "hold"})  # the run in hand goes on
            with Terminal(daemon.socket, "run", "say", f"log={log}", "word=later") as later:
                later.wait_for("say waits: the queue is held since ")
                (log.path.parent / (log.path.name + ".open")).touch()
                equal(terminal.end(), 0, "the exit status")
                client.ask({"call": "resume"})
                equal(later.end(), 0, "the exit status of what waited")
    check("waits" not in terminal.text, terminal.text)


@test
def without_a_terminal_nothing_is_said_of_waiting():
    go = threading.Event()
    with Fake(answers(transfer=[go, SUCCEEDED], status=status(held=True))) as fake:
        threading.Timer(1.5, go.set).start()
        equal(ctl(fake, "run", "transfer").stderr, "", "standard error")
        equal([request.get("call") for request in fake.requests], [None], "what was asked")


main()
