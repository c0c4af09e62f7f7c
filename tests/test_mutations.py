# SPDX-License-Identifier: LGPL-2.1-or-later
"""Ten thousand requests that went wrong on their way: each is answered with a named error or taken for what it says."""

import json
import os
import random
import time

from busy import busy, status
from tap import check, equal, main, test, wait_for

COUNT = int(os.environ.get("RYUSO_TEST_MUTATIONS", "10000"))
NAMES = {"BadJSON", "TooLarge", "TooDeep", "BadRequest", "UnknownProgram", "MissingArgument", "WrongType",
         "UnknownArgument", "NotStarted", "NoModule"}
SEEDS = [
    {"program": "nothing", "data_pool": {}, "metadata": {"ticket": "T-7"}, "id": 1},
    {"program": "echo", "data_pool": {"text": "é\u2028\"\\/\b\f\n\r\t\U0001f980"}, "follow": True, "id": "x"},
    {"program": "types", "start_within": 30,
     "data_pool": {"i": -9223372036854775808, "f": 1e308, "l": [1, [2, [3]]], "d": {"a": {"b": None}}, "b": True}},
    {"call": "describe", "parameters": {"program": "echo"}, "id": 2.5},
    {"call": "status"},
    {"program": "nothing", "wait": True, "metadata": {"k": [None, False, 0.5]}},
]
PIECES = [b"{", b"}", b"[", b"]", b'"', b",", b":", b"\\u0000", b"\\ud800", b"\xff", b"\xc0\x80", b"\xed\xa0\x80",
          b"\0", b"NaN", b"Infinity", b"-", b"1e999", b"9223372036854775808", b"-9223372036854775809", b"0123", b"null",
          b"true", b'"program"', b'"call"', b'"id":', b"\n", b"\r\n", b" " * 50, b"[" * 40, b'{"a":' * 40, b"\\", b"//",
          b"'"]


def mutated(dice):
    text = bytearray(b" ".join(json.dumps(dice.choice(SEEDS), ensure_ascii=dice.random() < 0.5).encode()
                               for _ in range(dice.choice((1, 1, 1, 2, 3)))))
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(text) + 1)
        how = dice.randrange(6)
        if how == 0:
            text[at:at] = dice.choice(PIECES)
        elif how == 1:
            del text[at:at + dice.randint(1, 8)]
        elif how == 2 and at < len(text):
            text[at] = dice.randrange(256)
        elif how == 3:
            del text[at:]
        elif how == 4 and at < len(text):
            text[at] ^= 1 << dice.randrange(8)
        elif how == 5:
            other = dice.randrange(len(text) + 1)
            text[at:at] = text[min(at, other):max(at, other)]
    return bytes(text)


def answered(daemon, data):
    with daemon.client() as client:
        try:
            client.send(data)
            client.finish()
        except (BrokenPipeError, ConnectionResetError):
            pass
        replies = client.rest()
    check(replies or not data.strip(b" \t\r\n"), f"no answer to {data!r}")
    for reply in replies:
        if "event" in reply or "result" in reply or reply.get("success"):
            continue
        check(reply["error"]["name"] in NAMES, f"{reply} to {data!r}")
        check(reply["error"]["message"], f"{reply} to {data!r}")
        json.dumps(reply, ensure_ascii=False).encode()


@test
def a_mutated_request_is_answered_with_a_named_error_or_is_a_request():
    seed = int(os.environ.get("RYUSO_TEST_SEED", time.time_ns() % 1000000007))
    print(f"# RYUSO_TEST_SEED={seed}", flush=True)
    dice = random.Random(seed)
    with busy({"Trace": "failures", "MaxRequestSize": "64K"}) as daemon:
        wait_for(lambda: status(daemon)["connections"] == 1 and status(daemon)["workers_started"] == 2, "quiet")
        before = len(os.listdir(f"/proc/{daemon.pid}/fd"))
        for _ in range(COUNT):
            answered(daemon, mutated(dice))
        with daemon.client() as client:
            check(client.ask({"program": "nothing"})["success"], "a request as it should be")
        wait_for(lambda: status(daemon)["connections"] == 1, "the connections to be gone")
        wait_for(lambda: len(os.listdir(f"/proc/{daemon.pid}/fd")) <= before, "the descriptors to be as many as before")
        equal(status(daemon)["runs"]["parked"], 0, "parked runs")


main()
