#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What hooks log and print: each line is an entry of the journal, with the fields of the step that wrote it."""

import os

from journal import ERR, INFO, OUTPUT, Talker, beside_journald, said, talk
from tap import check, equal, main, test

beside_journald()

LEVELS = {3: "3", 4: "4", 5: "5", 6: "6", 7: "7"}


def output(daemon, reply):
    """The lines that a run's hooks wrote."""
    return [entry for entry in daemon.entries_of(reply) if entry["MESSAGE_ID"] == OUTPUT]


def text(entry):
    """A line as it was written: without what the message has before it."""
    head = f"{entry['RYUSO_PROGRAM']}: " + (f"{entry['RYUSO_HOOK']}: " if "RYUSO_HOOK" in entry else "")
    check(entry["MESSAGE"].startswith(head), f"expected {head!r} before {entry['MESSAGE']!r}")
    return entry["MESSAGE"][len(head):]


def lines(entries):
    """(hook, step, phase, line) of each."""
    return [(entry.get("RYUSO_HOOK"), entry.get("RYUSO_STEP"), entry.get("RYUSO_PHASE"), text(entry))
            for entry in entries]


def of_hook(hook, step, *words, phase="hook"):
    return [(hook, str(step), phase, word) for word in words]


def spoken(script):
    """What comes of a script of talk's."""
    daemon, [reply] = said(None, talk(script=script))
    return reply, output(daemon, reply)


@test
def what_a_hook_logs_has_its_level_and_the_fields_of_its_step():
    daemon, [reply] = said(None, talk(script={"second": [["log", f"at {level}", level] for level in LEVELS]}))
    found = output(daemon, reply)
    equal([(entry["PRIORITY"], text(entry)) for entry in found],
          [(priority, f"at {level}") for level, priority in LEVELS.items()], "priorities and lines")
    for entry in found:
        worker = entry.pop("RYUSO_WORKER_PID")
        check(worker.isdigit() and int(worker) not in (daemon.pid, os.getpid()), f"the worker's pid: {worker}")
        equal({name[6:]: value for name, value in entry.items() if name.startswith("RYUSO_")},
              {"INSTANCE": daemon.instance, "RUN": reply["run"], "PROGRAM": "talk", "HOOK": "second", "STEP": "2",
               "PHASE": "hook", "PEER_UID": str(os.getuid()), "PEER_PID": str(os.getpid())}, "the fields")


@test
def what_a_hook_prints_on_either_way_is_information():
    _, found = spoken({"first": [["print", "printed\n"], ["complain", "complained\n"], ["write", "written\n"]]})
    equal(lines(found), of_hook("first", 1, "printed", "complained", "written"), "the lines")
    equal({entry["PRIORITY"] for entry in found}, {INFO}, "the priorities")


@test
def a_line_may_say_its_priority_itself():
    _, found = spoken({"first": [["print", "<3>an error\n"], ["print", "<9>no priority\n"], ["print", "<3> \n"]]})
    equal([(entry["PRIORITY"], text(entry)) for entry in found],
          [(ERR, "an error"), (INFO, "<9>no priority"), (ERR, " ")], "priorities and lines")


@test
def a_log_of_several_lines_is_an_entry_for_each_and_all_have_its_level():
    _, found = spoken({"first": [["log", "one\n<2>two\n\nthree", 4]]})
    equal([entry["PRIORITY"] for entry in found], ["4"] * len(found), "the priorities")
    equal([line for line in map(text, found) if line], ["one", "<2>two", "three"], "the lines")


@test
def what_a_rectifier_prints_belongs_to_the_step_that_it_reverses():
    reply, found = spoken({"second": [["fail", "Broken"]], "undo_first": [["print", "taking it back\n"]]})
    equal(reply["status"], "rectified", "the run")
    equal(lines(found), of_hook("undo_first", 1, "taking it back", phase="rectifier"), "the lines")


@test
def a_line_may_come_in_parts():
    _, found = spoken({"first": [["complain", "one "], ["complain", "two "], ["complain", "three\nfour\n"]]})
    equal(lines(found), of_hook("first", 1, "one two three", "four"), "the lines")


@test
def a_line_without_its_newline_ends_with_its_hook():
    for verb in ("print", "complain", "write"):
        _, found = spoken({"first": [[verb, "of the first"]], "second": [[verb, "of the second\n"]]})
        equal(lines(found), of_hook("first", 1, "of the first") + of_hook("second", 2, "of the second"),
              f"the lines with {verb}")


@test
def the_last_line_without_its_newline_is_not_kept_for_another_run():
    with Talker() as daemon, daemon.client() as client:
        one = client.ask(talk(script={"second": [["print", "of one"]]}))
        other = client.ask(talk(script={"first": [["print", "of another\n"]]}))
    equal(lines(output(daemon, one)), of_hook("second", 2, "of one"), "the lines of one run")
    equal(lines(output(daemon, other)), of_hook("first", 1, "of another"), "the lines of another")


@test
def what_was_printed_before_a_crash_belongs_to_the_hook_that_crashed():
    for verb, end in (("write", "\n"), ("complain", "\n"), ("write", ""), ("complain", "")):
        reply, found = spoken({"second": [[verb, "before the end" + end], ["crash", ""]],
                               "undo_second": [["print", "after it\n"]]})
        equal(reply["error"]["name"], "HookUnknown", "the run")
        equal(lines(found), of_hook("second", 2, "before the end") +
              of_hook("undo_second", 2, "after it", phase="rectifier"), f"the lines with {verb}, {end!r}")


@test
def binary_rubbish_is_escaped():
    rubbish = bytes(byte for byte in range(256) if byte != 10)
    reply, found = spoken({"first": [["hex", (rubbish + b"\n").hex()], ["print", "after it\n"]]})
    check(reply["success"], f"the run: {reply}")
    expected = "".join(chr(byte) if 0x20 <= byte < 0x7f else f"\\x{byte:02x}" for byte in rubbish)
    equal(lines(found), of_hook("first", 1, expected, "after it"), "the lines")


@test
def of_a_line_of_one_megabyte_nothing_is_lost():
    size = 1 << 20
    reply, found = spoken({"first": [["repeat", "x", size], ["print", "\nafter it\n"]], "second": [["print", "2\n"]]})
    check(reply["success"], f"the run: {reply}")
    check(all(entry["RYUSO_HOOK"] == "first" for entry in found[:-1]), "the hook of every piece")
    equal(lines(found[-2:]), of_hook("first", 1, "after it") + of_hook("second", 2, "2"), "the lines after it")
    equal(sum(len(text(entry).strip("…")) for entry in found[:-2]), size, "bytes of the line in the journal")
    equal({text(entry).strip("x") for entry in found[:-2]}, {""}, "what else is in it")


@test
def a_character_is_not_torn_where_a_long_line_is():
    reply, found = spoken({"first": [["repeat", "é€🦀", 3000], ["print", "\n"]]})
    check(reply["success"], f"the run: {reply}")
    whole = "".join(map(text, found))
    check(whole == "é€🦀" * 3000, f"the pieces do not make the line: {len(whole)} characters, {whole[:600]!r}…")


@test
def no_piece_of_a_long_line_has_a_priority_of_its_own():
    for padding in ("", "a", "aa"):  # so that pieces of any size begin with "<0>"
        _, found = spoken({"first": [["write", "<4>" + padding], ["repeat", "<0>", 4000], ["write", "\n"]]})
        check(len(found) > 1, "expected pieces")
        equal({entry["PRIORITY"] for entry in found}, {"4"}, "the priorities")


ROUNDS = 300


@test
def the_output_of_steps_that_follow_each_other_is_told_apart():
    hooks = {"first": ("1", "hook"), "second": ("2", "hook"), "undo_first": ("1", "rectifier")}
    words = {hook: [["print", f"{hook}: out\n"], ["complain", f"{hook}: err\n"], ["log", f"{hook}: log", 6]]
             for hook in hooks}
    words["second"].append(["fail", "Broken"])
    with Talker({"Trace": "failures"}) as daemon, daemon.client() as client:
        client.send(*[talk(script=words)] * ROUNDS)
        replies = client.replies(ROUNDS)
    found = [entry for entry in daemon.entries() if entry.get("MESSAGE_ID") == OUTPUT and "RYUSO_RUN" in entry]
    expected = [(reply["run"], hook, step, phase, f"{hook}: {way}") for reply in replies
                for hook, (step, phase) in hooks.items() for way in ("out", "err", "log")]
    have = [(entry["RYUSO_RUN"], *line) for entry, line in zip(found, lines(found))]
    wrong = [(one, other) for one, other in zip(have, expected) if one != other]
    equal(len(have), len(expected), "lines")
    equal(wrong[:5], [], f"{len(wrong)} lines that are said to be another's (found, expected), the first")


@test
def of_a_flood_of_lines_none_is_said_to_be_anothers():
    count = 20000
    reply, found = spoken({"first": [["repeat", "a line of the flood\n", count]], "second": [["print", "second\n"]]})
    check(reply["success"], f"the run: {reply}")
    check(len(found) <= count + 1, f"expected at most {count + 1} lines, got {len(found)}")
    wrong = [line for line in lines(found) if line not in
             of_hook("first", 1, "a line of the flood") + of_hook("second", 2, "second")]
    equal(wrong[:5], [], f"{len(wrong)} lines that are said to be another's, the first")


@test
def what_a_module_says_while_it_is_opened_is_no_runs():
    daemon, _ = said(None, talk())
    found = [entry for entry in daemon.entries() if "the module is opened" in entry["MESSAGE"]]
    check(found, "expected what the module says in the journal")
    for entry in found:
        check(entry["RYUSO_WORKER_PID"].isdigit(), f"the worker's pid in {entry}")
        check("RYUSO_RUN" not in entry and "RYUSO_HOOK" not in entry, f"expected no run's fields in {entry}")


main()
