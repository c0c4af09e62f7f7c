#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Requests that went wrong on their way, by the thousand, to one daemon: each is answered for what it says, or with a
named error, and costs the daemon nothing. RYUSO_SEED repeats them, RYUSO_CASES says how many."""

import json
import math
import os
import random
import re
import time

from busy import busy, error, outcome, status
from project import SANITIZED
from tap import check, equal, main, ok, test, wait_for

COUNT = int(os.environ.get("RYUSO_CASES", "10000"))
SEED = int(os.environ.get("RYUSO_SEED", time.time_ns() % 1000000007))
SIZE_MAX, DEPTH_MAX = 65536, 32
GROWTH_MAX = (4 if SANITIZED else 2) << 20  # bytes

FRAMING = {"BadJSON", "TooLarge", "TooDeep"}
NAMES = FRAMING | {"BadRequest", "UnknownProgram", "MissingArgument", "WrongType", "UnknownArgument", "NotStarted",
                   "RequestIdReused"}

SEEDS = [
    {"program": "nothing", "data_pool": {}, "metadata": {"ticket": "T-7"}, "id": 1},
    {"program": "echo", "data_pool": {"text": "é\u2028\"\\/\b\f\n\r\t\U0001f980"}, "follow": True, "id": "x"},
    {"program": "types", "start_within": 30,
     "data_pool": {"i": -9223372036854775808, "f": 1e308, "l": [1, [2, [3]]], "d": {"a": {"b": None}}, "b": True}},
    {"call": "describe", "parameters": {"program": "echo"}, "id": 2.5},
    {"call": "status"},
    {"call": "list", "id": None},
    {"program": "nothing", "wait": True, "metadata": {"k": [None, False, 0.5]}},
    {"program": "whisper", "data_pool": {"word": "hush"}, "request_id": "r-1"},
]
PIECES = [b"{", b"}", b"[", b"]", b'"', b",", b":", b"\\u0000", b"\\ud800", b"\\ud83e\\udd80", b"\xff", b"\xc0\x80",
          b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xc2\x85", b"\0", b"\x1b", b"NaN", b"-Infinity", b"-", b"1e999",
          b"1e-999", b"9223372036854775807", b"9223372036854775808", b"-9223372036854775809", b"1" * 400, b"0123",
          b"-0", b"null",
          b"true", b'"program"', b'"call"', b'"id":', b"\n", b"\r\n", b" " * 50, b"[" * 40, b'{"a":' * 40,
          b"\\", b"//", b"'", b"garbage", b'"x":1,', b"x" * 5000, b"x" * 70000]
VALUES = [None, True, -1, 0.5, "", "x", [], {}, [[]], {"x": 1}, 9223372036854775807, "nothing", "y" * 300]


# ---- what a text says: another reading than the daemon's ----

class Bad(Exception):
    """Not what RFC 8259 and our limits allow."""


def no_constant(text):
    raise Bad(text)


def an_integer(text):
    if len(text) > 30 or not -2**63 <= int(text) < 2**63:
        raise Bad(text)
    return int(text)


def a_float(text):
    if math.isinf(float(text)):
        raise Bad(text)
    return float(text)


def an_object(pairs):
    if len({name for name, _ in pairs}) != len(pairs):
        raise Bad("a name twice")
    return dict(pairs)


DECODER = json.JSONDecoder(parse_constant=no_constant, parse_int=an_integer, parse_float=a_float,
                           object_pairs_hook=an_object)


def examine(value, depth=1):
    """What json lets pass."""
    if isinstance(value, str) and any(character == "\0" or 0xd800 <= ord(character) < 0xe000 for character in value):
        raise Bad(value)
    if not isinstance(value, (dict, list)):
        return
    if depth > DEPTH_MAX:
        raise Bad("too deep")
    for part in [*value, *value.values()] if isinstance(value, dict) else value:
        examine(part, depth + 1)


def objects(data):
    """How many objects it begins with, and whether something else follows."""
    text = data.decode(errors="surrogateescape")
    count, at = 0, 0
    while True:
        at += len(text[at:]) - len(text[at:].lstrip(" \t\r\n"))
        if at == len(text):
            return count, False
        try:
            if text[at] != "{":
                raise Bad(text[at])
            value, end = DECODER.raw_decode(text, at)
            examine(value)
            if len(text[at:end].encode(errors="surrogateescape")) > SIZE_MAX:
                raise Bad("too large")
        except (Bad, ValueError, RecursionError):
            return count, True
        count, at = count + 1, end


# ---- mutations ----

def a_request(dice):
    request = json.loads(json.dumps(dice.choice(SEEDS)))
    if dice.random() < 0.3:
        place = dice.choice([request, *[part for part in request.values() if isinstance(part, dict)]])
        place[dice.choice([*place, "surplus", "_x", "id", "é"])] = dice.choice(VALUES)
    return json.dumps(request, ensure_ascii=dice.random() < 0.5).encode()


def insert(dice, text, at):
    text[at:at] = dice.choice(PIECES)


def remove(dice, text, at):
    del text[at:at + dice.randint(1, 8)]


def replace(dice, text, at):
    text[at:at + 1] = bytes([dice.randrange(256)])


def flip(dice, text, at):
    text[at:at + 1] = bytes(byte ^ 1 << dice.randrange(8) for byte in text[at:at + 1])


def truncate(_, text, at):
    del text[at:]


def repeat(dice, text, at):
    other = dice.randrange(len(text) + 1)
    text[at:at] = text[min(at, other):max(at, other)]


def glue(dice, text, at):
    text[at:at] = a_request(dice)


def mutated(dice):
    text = bytearray(dice.choice((b"", b" ", b"\n")).join(a_request(dice) for _ in range(dice.choice((1, 1, 1, 2, 3)))))
    for _ in range(dice.choice((0, 0, 1, 1, 2, 3))):
        dice.choice((insert, remove, replace, flip, truncate, repeat, glue))(dice, text, dice.randrange(len(text) + 1))
    return bytes(text)


# ---- answers ----

def check_answer(reply, data):
    """That it says how it was, in words that are stated."""
    check(reply is not None, f"expected an answer, got the end of the connection; sent: {data!r}")
    json.dumps(reply, ensure_ascii=False).encode()
    if "result" in reply or reply.get("success"):
        return
    found = reply["error"]
    check(found["name"] in NAMES and found["message"], f"expected a named error, got {reply}; sent: {data!r}")
    if "call" not in reply and "status" in reply:
        equal((reply["success"], reply["status"], reply["run"]), (False, "refused", None), f"{reply} to {data!r}")


def an_answer(client):
    while (reply := client.reply()) and "event" in reply:
        pass
    return reply


def exchange(client, data):
    """Sends it and checks all that comes back. Whether the connection goes on."""
    count, bad = objects(data)
    try:
        client.send(data)
        if bad:
            client.finish()
    except (BrokenPipeError, ConnectionResetError):
        check(bad, f"the connection ended before all was sent: {data!r}")
    for _ in range(count):
        check_answer(an_answer(client), data)
    if bad:
        last = an_answer(client)
        check_answer(last, data)
        check(error(last) in FRAMING, f"expected an error of framing after {count} answers, got {last}; sent: {data!r}")
        equal(client.line(), b"", f"what follows it; sent: {data!r}")
    return not bad


def descriptors(pid):
    """How many, but for the store's own files: how many recorders are ready is the daemon's affair."""
    def target(entry):
        try:
            return os.readlink(f"/proc/{pid}/fd/{entry}")
        except FileNotFoundError:
            return "recorder"
    return sum("recorder" not in target(entry) for entry in os.listdir(f"/proc/{pid}/fd"))


def memory(pid):
    """Bytes that are its own: not the pages of files, of which the recorder has many."""
    with open(f"/proc/{pid}/status") as file:
        return int(re.search(r"RssAnon:\s*(\d+) kB", file.read()).group(1)) * 1024


def quiet(daemon):
    """Waits until there is nobody but who asks."""
    wait_for(lambda: status(daemon)["connections"] == 1 and status(daemon)["workers_started"] == 2, "quiet")


def small_quarantine():
    """What ASan keeps of freed memory would look like a leak."""
    return {"ASAN_OPTIONS": ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), "quarantine_size_mb=1",
                                                   "thread_local_quarantine_size_kb=64"]))}


@test
def a_mutated_request_is_answered_for_what_it_is_and_leaves_nothing_behind():
    print(f"# RYUSO_SEED={SEED} RYUSO_CASES={COUNT}", flush=True)
    dice = random.Random(SEED)
    kept = 0
    with busy({"Trace": "failures", "MaxRequestSize": SIZE_MAX}, env=small_quarantine()) as daemon:
        pid = status(daemon)["worker_pid"]
        client = daemon.client()
        for number in range(2 * COUNT):
            if number == COUNT:  # what is kept of so many is there by now: the others leave nothing
                client.close()
                quiet(daemon)
                before = descriptors(daemon.pid), memory(daemon.pid)
                client = daemon.client()
            if exchange(client, mutated(dice)):
                kept += 1
            else:
                client.close()
                client = daemon.client()
        check(client.ask({"program": "nothing"})["success"], "a request as it should be")
        client.close()
        quiet(daemon)
        wait_for(lambda: descriptors(daemon.pid) <= before[0], f"descriptors to be {before[0]} again")
        grown = memory(daemon.pid) - before[1]
        check(grown <= GROWTH_MAX, f"expected at most {GROWTH_MAX} bytes more, got {grown}")
        equal((status(daemon)["worker_pid"], status(daemon)["runs"]["parked"]), (pid, 0), "the worker, parked runs")
    print(f"# after {kept} of them the connection went on; {grown} bytes grown", flush=True)
    check(COUNT // 5 < kept < COUNT * 9 // 5, f"expected mutations of either kind, got {kept} of {2 * COUNT} objects")


# ---- the list ----

ECHO = '{"program":"echo","data_pool":{"text":%s}}'
FINE, UNFINISHED = ("succeeded", None), ("refused", "BadJSON")
LIST = [
    # what it is, what is sent, the answers; the last says whether the connection is closed
    ("truncated", '{"program":"nothing"', [UNFINISHED]),
    ("truncated within a string", '{"program":"noth', [UNFINISHED]),
    ("truncated within a character", b'{"program":"\xc3', [UNFINISHED]),
    ("oversized", ECHO % ('"' + "x" * SIZE_MAX + '"'), [("refused", "TooLarge")]),
    ("an endless string", '{"program":"' + "x" * (3 * SIZE_MAX), [("refused", "TooLarge")]),
    ("endless white space within an object", "{" + " " * (3 * SIZE_MAX), [("refused", "TooLarge")]),
    ("nested too deep", '{"program":' + "[" * 40 + "]" * 40 + "}", [("refused", "TooDeep")]),
    ("nested without end", '{"a":' * 10000, [("refused", "TooDeep")]),
    ("NaN", ECHO % "NaN", [UNFINISHED]),
    ("Infinity", ECHO % "-Infinity", [UNFINISHED]),
    ("a number beyond any float", ECHO % "1e999", [UNFINISHED]),
    ("an integer beyond int64", ECHO % "9223372036854775808", [UNFINISHED]),
    ("an integer below int64", ECHO % "-9223372036854775809", [UNFINISHED]),
    ("an integer of 10,000 digits", ECHO % ("1" * 10000), [UNFINISHED]),
    ("the largest integer there is", '{"program":"types","data_pool":{"i":9223372036854775807}}', [FINE]),
    ("no UTF-8", b'{"program":"\xff"}', [UNFINISHED]),
    ("an overlong form", b'{"program":"\xc0\xaf"}', [UNFINISHED]),
    ("half a surrogate pair", ECHO % r'"\ud83e"', [UNFINISHED]),
    ("U+0000, escaped", ECHO % r'"\u0000"', [UNFINISHED]),
    ("U+0000, as it is", b'{"program":"\0"}', [UNFINISHED]),
    ("an unknown member", '{"program":"nothing","surplus":1}', [("refused", "BadRequest")]),
    ("an unknown argument", '{"program":"nothing","data_pool":{"x":1}}', [("refused", "UnknownArgument")]),
    ("a wrong type in the envelope", '{"program":["nothing"]}', [("refused", "BadRequest")]),
    ("a wrong type in the data pool", ECHO % "5", [("refused", "WrongType")]),
    ("two objects glued", '{"program":"nothing"}{"program":"no-such"}', [FINE, ("refused", "UnknownProgram")]),
    ("garbage after the object", '{"program":"nothing"}garbage', [FINE, UNFINISHED]),
    ("a brace too many", '{"program":"nothing"}}', [FINE, UNFINISHED]),
    ("a name twice", '{"program":"nothing","program":"nothing"}', [UNFINISHED]),
    ("nothing at all", "", []),
    ("nothing but white space", " \r\n\t" * 1000, []),
]


@test
def what_is_known_to_go_wrong_has_its_name():
    with busy({"MaxRequestSize": SIZE_MAX}) as daemon:
        for what, data, answers in LIST:
            with daemon.client() as client:
                try:
                    client.send(data)
                    client.finish()
                except (BrokenPipeError, ConnectionResetError):
                    pass
                found = [outcome(reply) for reply in client.rest()]
            told = ", ".join(name or run for run, name in answers) or "no answer"
            ok(f"{what}: {told}", found == answers, f"expected {answers}, got {found}")
            with daemon.client() as client:
                check(client.ask({"program": "nothing"})["success"], f"the next client after {what}")


main()
