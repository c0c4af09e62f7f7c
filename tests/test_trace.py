#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is traced of runs, hooks and rectifiers: the journal's entries, their fields and priorities, how many there are,
where they go when there is no journal, and what becomes of them when it stands still."""

import os
import pty
import re
import subprocess

from journal import (CRIT, DECISION, ERR, HOLD, HOOK, INFO, MOVED, NOTICE, OUTPUT, RECTIFIER, RUN_BEGUN, RUN_ENDED, RUN_PARKED,
                     RUN_TAKEN_UP, STORE, WARNING, StuckJournald, Talker, WithoutJournal, beside_journald, by_hand,
                     journal, said, talk, wait_end)
from tap import TIMEOUT, TOP_SOURCE, Client, check, contains, equal, main, run, scratch, test, wait_for

beside_journald()

FAILING = talk(script={"second": [["fail", "Broken", "the sentence"]]})
CRASHING = talk(script={"second": [["crash", ""]]})
PARKING = talk(script={"second": [["fail", "Broken"]], "undo_first": [["fail", "CannotUndo"]]})
INSISTING = talk("insist", {"stubborn": [["fail", "NoLuck"]]})


def trace(entry):
    """What an entry says in fields, without those that differ from time to time."""
    fields = {name[6:]: value for name, value in entry.items() if name.startswith("RYUSO_")}
    if "USEC" in fields:
        check(fields.pop("USEC").isdigit(), f"expected microseconds in {entry}")
    return entry["MESSAGE_ID"], entry["PRIORITY"], fields


def expected(message_id, priority, daemon, reply, **fields):
    return message_id, priority, {"INSTANCE": daemon.instance, "RUN": reply["run"], "PROGRAM": reply["program"],
                                  "PEER_UID": str(os.getuid()), "PEER_PID": str(os.getpid()), **fields}


def call(step, hook, outcome, phase="hook", attempt=1, **fields):
    return {"STEP": str(step), "HOOK": hook, "PHASE": phase, "ATTEMPT": str(attempt), "OUTCOME": outcome, **fields}


def traced(request, calls, ending, metadata=None):
    """Checks that the trace of a run is its beginning, these calls (priority, fields) and its end."""
    daemon, [reply] = said(None, request)
    lines = [expected(RUN_BEGUN, INFO, daemon, reply, **metadata or {})]
    lines += [expected(RECTIFIER if fields["PHASE"] == "rectifier" else HOOK, priority, daemon, reply, **fields)
              for priority, fields in calls]
    lines.append(expected(RUN_PARKED if ending[0] == CRIT else RUN_ENDED, ending[0], daemon, reply, **ending[1]))
    entries = daemon.entries_of(reply)
    equal([trace(entry) for entry in entries], lines, "the entries")
    return entries


def messages(entries):
    return [entry["MESSAGE"] for entry in entries]


# ---- entries ----

@test
def a_run_that_succeeds_is_its_beginning_its_hooks_and_its_end():
    entries = traced(talk(metadata={"ticket": "T-7"}),
                     [(INFO, call(1, "first", "ok")), (INFO, call(2, "second", "ok"))],
                     (INFO, {"OUTCOME": "succeeded"}), {"METADATA": '{"ticket":"T-7"}'})
    equal(messages(entries), ["talk: begun", "talk: step 1 of 2, hook first: ok", "talk: step 2 of 2, hook second: ok",
                              "talk: succeeded"], "the messages")
    equal({entry["SYSLOG_IDENTIFIER"] for entry in entries}, {"ryusod"}, "who writes")


@test
def a_failure_is_an_error_and_a_rectification_a_warning():
    entries = traced(FAILING,
                     [(INFO, call(1, "first", "ok")),
                      (ERR, call(2, "second", "failed", REASON="Broken", ERROR="HookFailed")),
                      (WARNING, call(1, "undo_first", "ok", "rectifier"))],
                     (ERR, {"OUTCOME": "rectified", "ERROR": "HookFailed", "STEP": "2"}))
    for text in ("second", "failed", "Broken", "the sentence"):
        contains(messages(entries)[2], text, "the message of the failure")
    for text in ("undo_first", "rectifier", "ok"):
        contains(messages(entries)[3], text, "the message of the rectification")
    for text in ("rectified", "HookFailed"):
        contains(messages(entries)[4], text, "the message of the end")


@test
def a_hook_that_dies_is_traced_though_its_worker_wrote_nothing():
    entries = traced(CRASHING,
                     [(INFO, call(1, "first", "ok")),
                      (ERR, call(2, "second", "unknown", ERROR="HookUnknown")),
                      (WARNING, call(2, "undo_second", "ok", "rectifier")),
                      (WARNING, call(1, "undo_first", "ok", "rectifier"))],
                     (ERR, {"OUTCOME": "rectified", "ERROR": "HookUnknown", "STEP": "2"}))
    contains(messages(entries)[2], "signal 6", "the message of the hook that died")


@test
def a_parked_run_is_critical():
    failed = {"REASON": "CannotUndo", "ERROR": "HookFailed"}
    entries = traced(PARKING,
                     [(INFO, call(1, "first", "ok")),
                      (ERR, call(2, "second", "failed", REASON="Broken", ERROR="HookFailed")),
                      (ERR, call(1, "undo_first", "failed", "rectifier", 1, **failed)),
                      (ERR, call(1, "undo_first", "failed", "rectifier", 2, **failed))],
                     (CRIT, {"OUTCOME": "parked", "ERROR": "HookFailed", "STEP": "2", "PARKED_ERROR": "RectifierFailed",
                             "PARKED_STEP": "1", "PARKED_HOOK": "undo_first"}))
    [number] = {entry["RYUSO_RUN"] for entry in entries}
    [instance] = {entry["RYUSO_INSTANCE"] for entry in entries}
    for text in ("talk: parked at step 1 (undo_first) with RectifierFailed", "not undone: step 1 first",
                 f"ryusoctl -I {instance} show {number}"):
        contains(messages(entries)[-1], text, "the message of the end: where it stands, and what to do")


@test
def what_operators_decide_is_logged_with_who_and_why():
    with Talker({"Trace": "failures"}) as daemon, daemon.client() as client:
        reply = client.ask(PARKING)
        for name, parameters in (("hold", {"reason": "a drill"}), ("resume", {}),
                                 ("skip", {"run": reply["run"], "step": 1, "reason": "undone at the desk"})):
            check("result" in client.ask({"call": name, "parameters": parameters}), name)
        client.ask({"call": "wait", "parameters": {"run": reply["run"]}})
    user = {"INSTANCE": daemon.instance, "OPERATOR_UID": str(os.getuid())}
    found = [trace(entry) for entry in daemon.entries() if entry.get("MESSAGE_ID") in (HOLD, DECISION)]
    equal(found, [(HOLD, WARNING, {**user, "VERB": "hold", "REASON": "a drill"}),
                  (HOLD, NOTICE, {**user, "VERB": "resume"}),
                  (DECISION, NOTICE, {**user, "VERB": "skip", "REASON": "undone at the desk", "RUN": reply["run"],
                                      "PROGRAM": "talk", "STEP": "1"})], "the entries")
    [said] = [entry["MESSAGE"] for entry in daemon.entries() if entry.get("RYUSO_VERB") == "hold"]
    contains(said, f"(ryusoctl -I {daemon.instance} resume)", "how the queue goes on")
    ending = daemon.entries_of(reply)[-1]
    equal((ending["MESSAGE_ID"], ending["PRIORITY"], ending["RYUSO_OUTCOME"]), (RUN_ENDED, WARNING, "settled"),
          "the end")


@test
def a_run_that_is_taken_up_again_says_so():
    with Talker() as daemon, daemon.client() as client:
        reply = client.ask(PARKING)
        client.ask({"call": "retry", "parameters": {"run": reply["run"], "step": 1}})
        client.ask({"call": "wait", "parameters": {"run": reply["run"]}})
    kinds_of_run = [entry["MESSAGE_ID"] for entry in daemon.entries_of(reply)]
    equal(kinds_of_run, [RUN_BEGUN, HOOK, HOOK, RECTIFIER, RECTIFIER, RUN_PARKED, DECISION, RUN_TAKEN_UP, RECTIFIER,
                         RECTIFIER, RUN_PARKED], "the entries: none of the old ones is written again")


@test
def a_run_that_an_interruption_cut_off_says_so():
    daemon = Talker()
    with daemon.client() as client:
        client.send(talk(script={"first": [["print", "here\n"], ["stay", ""]]}, request_id="mine"))
        entry = wait_for(lambda: [entry for entry in daemon.entries() if entry["MESSAGE"].endswith("first: here")],
                         "the hook to run")[0]
    daemon.kill()
    number = entry["RYUSO_RUN"]
    with Talker(directory=daemon.directory) as second, second.client() as client:
        reply = client.ask({"call": "wait", "parameters": {"run": number}})["result"]
        equal(reply["status"], "rectified", "the run")
    found = [(entry["MESSAGE_ID"], entry["PRIORITY"]) for entry in second.entries(f"RYUSO_RUN={number}")]
    equal(found[0], (RUN_TAKEN_UP, WARNING), "the first entry of the second daemon")
    equal(found[-1], (RUN_ENDED, ERR), "its last one")


@test
def a_journal_explains_each_kind_of_entry():
    catalog = TOP_SOURCE / "units" / "ryuso.catalog"
    root = scratch()
    place = root / "usr" / "lib" / "systemd" / "catalog"
    place.mkdir(parents=True)
    (root / "var" / "lib" / "systemd" / "catalog").mkdir(parents=True)
    (place / "ryuso.catalog").write_text(catalog.read_text())
    run("journalctl", f"--root={root}", "--update-catalog")
    listed = run("journalctl", f"--root={root}", "--list-catalog").stdout
    ids = set(re.findall(r'"([0-9a-f]{32})"', (TOP_SOURCE / "src/daemon/trace_ids.h").read_text()))
    equal(set(re.findall(r"^([0-9a-f]{32}) ryuso: ", listed, re.MULTILINE)), ids, "the entries of the catalog")
    text = catalog.read_text()
    fields = set(re.findall(r"@(RYUSO_\w+)@", text))
    written = "".join((TOP_SOURCE / "src/daemon" / name).read_text() for name in ("trace.c", "trace_notice.c"))
    equal({field for field in fields if f'"{field}"' not in written}, set(), "fields that no entry has")
    check("show @RYUSO_RUN@" in text and "--reason=TEXT" in text, "what to do about a parked run")


@test
def each_attempt_is_an_entry():
    failed = {"REASON": "NoLuck", "ERROR": "HookFailed"}
    traced(INSISTING, [(ERR, call(1, "stubborn", "failed", attempt=attempt, **failed)) for attempt in (1, 2, 3)],
           (ERR, {"OUTCOME": "rectified", "ERROR": "HookFailed", "STEP": "1"}))


@test
def what_is_refused_leaves_no_entry_of_a_run():
    with Talker() as daemon, daemon.client() as client:
        for request in (talk("no-such"), talk(surplus=1), {"program": "talk"}, talk(data_pool={"script": 1})):
            equal(client.ask(request)["status"], "refused", "the answer")
    equal([entry for entry in daemon.entries() if "RYUSO_RUN" in entry], [], "entries of runs")


@test
def the_ids_of_the_kinds_of_entries_are_those_in_the_manual():
    page = (TOP_SOURCE / "man" / "ryuso-journal.7.in").read_text()
    found = dict(re.findall(r"^\.It Li ([0-9a-f]{32})\n(.*)$", page, re.MULTILINE))
    told = {RUN_BEGUN: "has begun", RUN_ENDED: "has succeeded", RUN_PARKED: "parked", HOOK: "attempt of a hook",
            RECTIFIER: "attempt of a rectifier", OUTPUT: "printed a line", RUN_TAKEN_UP: "goes on",
            DECISION: "has decided", HOLD: "holds the queue", STORE: "state directory",
            MOVED: "was elsewhere"}
    equal(set(found), set(told), "the ids in ryuso-journal(7)")
    for message_id, text in told.items():
        contains(found[message_id], text, f"what ryuso-journal(7) says of {message_id}")
    equal(set(re.findall(r'"([0-9a-f]{32})"', (TOP_SOURCE / "src/daemon/trace_ids.h").read_text())), set(told),
          "the ids in the daemon")


# ---- how much ----

def kinds(daemon):
    """Kind, priority and hook of each entry of a run."""
    return [(entry["MESSAGE_ID"], entry["PRIORITY"], entry.get("RYUSO_HOOK"))
            for entry in daemon.entries() if "RYUSO_RUN" in entry]


@test
def how_much_is_traced_is_a_setting():
    begun, ok, ended = (RUN_BEGUN, INFO, None), (HOOK, INFO, "first"), (RUN_ENDED, INFO, None)
    failed, undone = (HOOK, ERR, "second"), (RECTIFIER, WARNING, "undo_first")
    stuck = [(RECTIFIER, ERR, "undo_first")] * 2 + [(RUN_PARKED, CRIT, None)]
    rectified = (RUN_ENDED, ERR, None)
    for level, lines in {
            "hooks": [begun, ok, (HOOK, INFO, "second"), ended, begun, ok, failed, undone, rectified,
                      begun, ok, failed, *stuck],
            "runs": [begun, ended, begun, failed, undone, rectified, begun, failed, *stuck],
            "failures": [failed, undone, rectified, failed, *stuck],
    }.items():
        daemon, _ = said({"Trace": level}, talk(), FAILING, PARKING)
        equal(kinds(daemon), lines, f"the entries with Trace={level}")


# ---- elsewhere ----

def connect(process, path):
    """None where it cannot be reached yet."""
    check(process.poll() is None, f"the daemon ended with status {process.poll()}")
    try:
        return Client(path)
    except (FileNotFoundError, ConnectionRefusedError):
        return None


def ask_by_hand(process, directory, *requests):
    """Asks a daemon that was started by hand, and ends it."""
    try:
        with wait_for(lambda: connect(process, directory / "ryuso.sock"), "the socket") as client:
            replies = [client.ask(request) for request in requests]
        equal(wait_end(process), 0, "the exit status")
        return replies
    finally:
        process.kill()
        process.wait()


def lines_of_runs(text, replies):
    return [line for line in text.splitlines() if any(reply["run"] in line for reply in replies)]


@test
def without_a_journal_there_are_readable_lines_on_standard_error():
    with WithoutJournal():
        daemon, [reply] = said(None, FAILING)
    lines = lines_of_runs(daemon.log(), [reply])
    equal(len(lines), 5, f"the number of lines in {lines}")
    check(all(line.startswith("ryusod: talk: ") for line in lines), f"expected the program and a message: {lines}")
    for text in ("step 2 of 2, hook second: failed: Broken: the sentence", f"RYUSO_RUN={reply['run']}",
                 "RYUSO_HOOK=second", "RYUSO_STEP=2", "RYUSO_REASON=Broken", f"RYUSO_INSTANCE={daemon.instance}"):
        contains(lines[2], text, "the line of the failure")
    equal(daemon.entries(), [], "entries in the journal that it does not see")


@test
def without_a_journal_a_line_into_a_pipe_begins_with_its_priority():
    directory = scratch()
    with WithoutJournal():
        process = by_hand(subprocess.PIPE, directory)
    replies = ask_by_hand(process, directory, talk(), FAILING, PARKING)
    text = process.stderr.read().decode()
    process.stderr.close()
    check(all(re.match(r"<[0-7]>[^<]", line) for line in text.splitlines()), f"expected <N> before each line: {text}")
    equal("".join(line[1] for line in lines_of_runs(text, replies)), "6666" "66343" "663332", "the priorities")


@test
def on_a_terminal_lines_are_readable_and_the_journal_gets_none():
    directory = scratch()
    ours, theirs = pty.openpty()
    process = by_hand(theirs, directory)
    os.close(theirs)
    replies = ask_by_hand(process, directory, FAILING)
    text = b""
    try:
        while data := os.read(ours, 65536):
            text += data
    except OSError:  # the other end of a terminal is closed
        pass
    os.close(ours)
    lines = lines_of_runs(text.decode(), replies)
    equal((len(lines), all(line.startswith("ryusod: ") for line in lines)), (5, True), f"the lines: {lines}")
    equal(journal(f"_PID={process.pid}"), [], "entries in the journal")


# ---- a journal that stands still ----

COUNT = 3000


def lost(daemon):
    """How many entries it says are lost, of those that told how many."""
    told = (re.fullmatch(r"log entries that could not be written, and are lost: (\d+)", entry["MESSAGE"])
            for entry in daemon.entries())
    return sum(int(match[1]) for match in told if match)


@test
def a_journal_that_stands_still_holds_nobody_up_and_what_is_lost_is_told():
    with Talker() as daemon, daemon.client() as client, daemon.client() as other:
        with StuckJournald():
            for start in range(0, COUNT, 100):
                client.send(*[talk(id=number) for number in range(start, start + 100)])
                equal([(reply["id"], reply["status"]) for reply in client.replies(100)],
                      [(number, "succeeded") for number in range(start, start + 100)], "the answers")
                check("result" in other.ask({"call": "status"}), "a call meanwhile")
        wait_for(lambda: lost(daemon), "the daemon to tell what is lost")
        equal(client.ask(talk(id="after"))["status"], "succeeded", "the run after it")
    found = [entry for entry in daemon.entries() if "RYUSO_RUN" in entry]
    equal(len(found) + lost(daemon), 4 * (COUNT + 1), "entries, and those that are lost")
    equal([entry["MESSAGE_ID"] for entry in found[-4:]], [RUN_BEGUN, HOOK, HOOK, RUN_ENDED], "the last run's entries")


@test
def a_daemon_ends_though_the_journal_stands_still():
    with StuckJournald():
        with Talker() as daemon, daemon.client() as client:
            for _ in range(10):
                client.send(*[talk()] * 100)
                check(all(reply["success"] for reply in client.replies(100)), "the runs")


main()
