#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""`ryusod --inspect`: what a state directory holds is said without a daemon, beside one, and when it is damaged; nothing
is changed, and no secret shown."""

import hashlib
import os
import pathlib

from shop import Shop, result, stored
from tap import check, contains, equal, main, program, run, scratch, test, wait_for


def inspect(directory, status=0):
    """What it says. The directory is as it was."""
    before = fingerprint(directory)
    done = run(program("ryusod"), f"--inspect={directory}", status=status)
    equal(fingerprint(directory), before, "the state directory")
    return done.stdout


def fingerprint(directory):
    """Of every file, but for what a daemon writes meanwhile."""
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(pathlib.Path(directory).rglob("*")) if path.is_file()}


def beside(directory):
    """The same, where a daemon is at work."""
    return run(program("ryusod"), f"--inspect={directory}", status=0).stdout


def line_of(text, word):
    lines = [line for line in text.splitlines() if word in line]
    equal(len(lines), 1, f"lines with {word!r} in {text}")
    return lines[0]


def left(shop, *, request="mine"):
    """A state directory with a run that is cut off, a parked one, a queued one, a decision to be done, a held queue.
    Returns the ids."""
    daemon = shop.daemon()
    with daemon.client() as client, daemon.client() as other:
        parked = shop.park(client, request_id=request, pool={"pin": "s3cret"})["run"]
        stored(client, 1)
        shop.let("charge", "wait")
        other.send(shop.order(pool={"pin": "s3cret"}))
        wait_for(lambda: shop.lines().count("charge 2") == 2, "a run in hand")
        running = result(client, "status")["running"]["run"]
        queued = client.ask(shop.order(request_id="later", wait=False, pool={"pin": "s3cret"}))["run"]
        result(client, "hold", reason="a fire drill")
        result(client, "retry", run=parked, step=2, reason="it must work now")
    daemon.kill()
    return parked, running, queued


@test
def what_a_dead_daemon_left_is_said():
    shop = Shop()
    parked, running, queued = left(shop)
    text = inspect(shop.directory / "state")
    check("s3cret" not in text, f"a secret is shown: {text}")
    contains(line_of(text, "recorder:"), "1 of them unfinished", "the recorder")
    contains(line_of(text, running), "in step 2, charge, attempt 1 has begun and has no end", "the run in hand")
    contains(line_of(text, "ledger:"), "1 queued, 1 parked", "the ledger")
    contains(line_of(text, "ledger:"), "1 decision to be done", "the ledger")
    contains(line_of(text, queued), 'order, user', "the submission")
    contains(line_of(text, queued), 'request id "later": queued', "the submission")
    [stands, decided] = [line for line in text.splitlines() if parked in line and "since" in line or "decided" in line]
    contains(stands, "parked", "the parked run")
    contains(stands, "at step 2: RectifierFailed", "the parked run")
    contains(decided, "retry at step 2", "the decision")
    contains(decided, "it must work now", "the decision")
    contains(line_of(text, "held"), "a fire drill", "the queue")
    check("problems" not in text, f"problems: {text}")


@test
def a_clean_store_holds_nothing_unfinished():
    shop = Shop()
    with shop.daemon() as daemon, daemon.client() as client:
        reply = client.ask(shop.order(request_id="mine"))
    text = inspect(shop.directory / "state")
    contains(text, "recorder: none", "the recorder")
    contains(line_of(text, "ledger:"), "0 queued, 0 parked, 0 resumed, 1 succeeded", "the ledger")
    check(reply["run"] not in text, "what has ended is counted only")


@test
def it_looks_beside_a_daemon_at_work():
    shop = Shop()
    with shop.daemon() as daemon, daemon.client() as client, daemon.client() as other:
        parked = shop.park(client)["run"]
        stored(client, 1)
        shop.let("charge", "wait")
        other.send(shop.order())
        wait_for(lambda: shop.lines().count("charge 2") == 2, "a run in hand")
        running = result(client, "status")["running"]["run"]
        text = beside(shop.directory / "state")
        contains(line_of(text, running), "charge, attempt 1 has begun", "the run in hand")
        contains(text, parked, "the parked run")
        shop.let("charge", None)
        shop.let("ship", None)
        shop.let("refund", None)
        other.reply()
        result(client, "retry", run=parked, step=2)
        equal(result(client, "wait", run=parked)["status"], "rectified", "the daemon has not noticed")


@test
def damage_is_said_and_the_rest_is_shown():
    shop = Shop()
    parked, running, queued = left(shop)
    state = shop.directory / "state"
    recorder = bytearray((state / "recorder").read_bytes())
    recorder[4096 + 40] ^= 0xff  # in the first record
    (state / "recorder").write_bytes(recorder)
    text = inspect(state, status=1)
    contains(text, "problems:", "what it says")
    contains(text, "is damaged", "what it says of the recorder")
    contains(text, queued, "the ledger is shown")
    with open(state / "ledger.sqlite", "r+b") as file:
        file.seek(16)
        file.write(b"\xff" * 200)
    text = inspect(state, status=1)
    contains(text, "ledger:", "what it says of the ledger")
    contains(text, "ledger.sqlite is damaged", "what it says of the ledger")


@test
def files_that_are_no_store_are_damage_not_a_crash():
    for content in (b"", b"x", b"\0" * 4096, os.urandom(100000)):
        state = scratch()
        (state / "recorder").write_bytes(content)
        (state / "ledger.sqlite").write_bytes(content)
        text = inspect(state, status=1)
        contains(text, "problems:", f"what it says of {len(content)} bytes")


@test
def an_empty_directory_is_a_whole_store():
    text = inspect(scratch())
    contains(text, "recorder: none", "the recorder")
    contains(text, "ledger: none", "the ledger")


@test
def what_cannot_be_read_is_said_on_standard_error():
    missing = scratch() / "missing"
    done = run(program("ryusod"), f"--inspect={missing}", status=2)
    contains(done.stderr, f"cannot look into the state directory {missing}: No such file or directory", "what it says")
    equal(done.stdout, "", "standard output")
    state = scratch()
    (state / "recorder").mkdir()
    (state / "ledger.sqlite").mkdir()
    text = run(program("ryusod"), f"--inspect={state}", status=2).stdout
    contains(text, "recorder: cannot be read", "the recorder")
    contains(text, "ledger: cannot be read", "the ledger")


@test
def the_help_names_it():
    contains(run(program("ryusod"), "--help").stdout, "--inspect=DIR", "the help")


main()
