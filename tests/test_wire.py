# SPDX-License-Identifier: LGPL-2.1-or-later
"""The wire: clients that nobody here wrote, every division of bytes, and each error by its name."""

import json
import shutil
import socket
import subprocess
import time

from busy import Gate, busy, error, outcome, status
from tap import check, contains, equal, main, ok, skip, test, wait_for

NOTHING = {"program": "nothing"}
ECHO = {"program": "echo", "data_pool": {"text": "hélló \u2028 \"quoted\" \x7f"}}


def ask_with(*command, request, cwd=None):
    if not shutil.which(command[0]):
        skip(f"{command[0]} is not installed")
    done = subprocess.run(command, input=request.encode() if isinstance(request, str) else request,
                          stdout=subprocess.PIPE, timeout=60, cwd=cwd, check=True)
    return done.stdout


# ---- clients ----

@test
def socat_is_answered():
    with busy() as daemon:
        found = ask_with("socat", "-t", "30", "-", f"UNIX-CONNECT:{daemon.socket}", request=json.dumps(ECHO))
        equal(json.loads(found)["data_pool"], {"back": ECHO["data_pool"]["text"]}, "the outputs")
        check(found.endswith(b"}\n") and found.count(b"\n") == 1, f"a reply is one line: {found!r}")


@test
def netcat_is_answered():
    with busy() as daemon:
        found = ask_with("nc", "-NU", str(daemon.socket), request='{"program":"nothing"} {"call":"ping"}\n')
        lines = [json.loads(line) for line in found.splitlines()]
        equal([lines[0]["status"], "result" in lines[1], len(lines)], ["succeeded", True, 2], "the answers")


@test
def jq_reads_the_replies():
    with busy() as daemon:
        found = ask_with("socat", "-t", "30", "-", f"UNIX-CONNECT:{daemon.socket}",
                         request='{"program":"nothing","id":5}{"program":"nope"}{"call":"list"}{"nonsense"')
        names = ask_with("jq", "-c", "[.id, .status, (.error // {}).name, (.result // {} | keys)]", request=found)
        equal([json.loads(line) for line in names.splitlines()],
              [[5, "succeeded", None, []], [None, "refused", "UnknownProgram", []], [None, None, None, ["programs"]],
               [None, "refused", "BadJSON", []]], "what jq makes of them")


@test
def a_request_may_come_one_byte_at_a_time():
    text = json.dumps(ECHO, ensure_ascii=False).encode()
    with busy() as daemon, daemon.client() as client, daemon.client() as other:
        for place in range(len(text)):
            client.send(text[place:place + 1])
            if place % 16 == 0:
                check(other.ask(NOTHING)["success"], "another client meanwhile")
        equal(client.reply()["data_pool"], {"back": ECHO["data_pool"]["text"]}, "the outputs")


@test
def many_requests_may_come_in_one_write():
    with busy() as daemon, daemon.client() as client:
        for separator in (b"", b"\n", b" \r\n\t "):
            client.send(separator.join(json.dumps({**NOTHING, "id": number}).encode() for number in range(500)))
            equal([reply["id"] for reply in client.replies(500)], list(range(500)), f"ids, with {separator!r} between")


@test
def more_requests_than_may_wait_for_one_client_are_served_all_the_same():
    with busy() as daemon, daemon.client() as client, daemon.client() as other:
        count = 20000
        data = b"".join(json.dumps({**NOTHING, "id": number}).encode() for number in range(count))
        client.socket.setblocking(False)
        sent, received = 0, []
        while len(received) < count:
            try:
                sent += client.socket.send(data[sent:sent + 65536]) if sent < len(data) else 0
            except BlockingIOError:
                pass
            try:
                client.buffer += client.socket.recv(1 << 20)
            except BlockingIOError:
                time.sleep(0.0005)
            *lines, client.buffer = client.buffer.split(b"\n")
            received += [json.loads(line)["id"] for line in lines]
        equal(received, list(range(count)), "ids")
        check(other.ask(NOTHING)["success"], "another client")


@test
def after_a_half_close_what_is_outstanding_is_answered():
    with busy() as daemon, daemon.client() as client:
        gate = Gate(client)
        client.send(NOTHING, {"call": "ping"})
        client.finish()
        gate.open()
        found = client.rest()
        equal([reply.get("status") for reply in found], ["succeeded", "succeeded", None], "the answers")
        wait_for(lambda: status(daemon)["connections"] == 1, "the connection to be closed")


@test
def an_idle_connection_is_left_alone():
    with busy({"RequestTimeout": "50ms"}) as daemon, daemon.client() as idle, daemon.client() as slow:
        slow.send('{"program":')
        equal(error(slow.reply()), "TooSlow", "a request that does not end")
        check(idle.ask(NOTHING)["success"], "the idle connection, after a longer time")


# ---- errors of framing ----

def framing(name, data, settings=None, finish=False):
    with busy(settings) as daemon, daemon.client() as client:
        client.send({**NOTHING, "id": 1}, data)
        if finish:
            client.finish()
        found = client.rest()
        shown = data if len(data) < 60 else data[:30] + data[-20:]
        ok(f"{name}: {shown!r}", [outcome(reply) for reply in found] == [("succeeded", None), ("refused", name)],
           f"expected the answer before it, {name}, and the end; got {found}")
        check(daemon.client().ask(NOTHING)["success"], "the next client")


@test
def what_is_no_json_is_answered_and_the_connection_closed():
    for data in (b'{"program" "x"}', b"nonsense", b"[1]", b"{]", b'{"a":01}', b'{"a":NaN}', b'{"a":Infinity}',
                 b'{"a":-Infinity}', b'{"a":9223372036854775808}', b'{"a":1e999}', b'{"a":"\xff"}', b'{"a":"\xc0\x80"}',
                 b'{"a":"\\u0000"}', b'{"a":"\\ud800"}', b'{"a":"\x01"}', b"{'a':1}", b'{"a":1,}', b'{"a":1,"a":2}',
                 b'{"a":tru}', b"}", b"\x00", b'{"a":"\n"}', b"garbage"):
        framing("BadJSON", data)


@test
def an_object_that_ends_with_its_connection_is_bad_json():
    for data in (b"{", b'{"program":"nothing"', b'{"a":"'):
        framing("BadJSON", data, finish=True)


@test
def an_object_that_is_too_large_is_refused():
    for data in (b'{"a":"' + b"x" * 5000, b'{"program":"echo","data_pool":{"text":"' + b"x" * 1024 + b'"}}',
                 b"{" + b" " * 1100 + b"}"):
        framing("TooLarge", data, {"MaxRequestSize": "1K"})


@test
def an_endless_string_is_refused_though_it_never_ends():
    with busy({"MaxRequestSize": "64K"}) as daemon, daemon.client() as client:
        client.socket.settimeout(20)
        try:
            client.send(b'{"a":"')
            for _ in range(1000):
                client.send(b"x" * 65536)
        except (BrokenPipeError, ConnectionResetError, socket.timeout):
            pass
        equal([error(reply) for reply in client.rest()], ["TooLarge"], "the answer")


@test
def an_object_of_the_largest_size_is_taken():
    with busy({"MaxRequestSize": "1K"}) as daemon, daemon.client() as client:
        text = json.dumps({"program": "echo", "data_pool": {"text": ""}})
        text = text.replace('""', '"' + "x" * (1024 - len(text)) + '"')
        equal(len(text), 1024, "its size")
        check(client.ask(text)["success"], "the run")


@test
def an_object_that_is_too_deep_is_refused():
    framing("TooDeep", b'{"a":' + b"[" * 40)
    framing("TooDeep", b'{"a":{"b":{"c":{}}}}', {"MaxDepth": "3"})


@test
def a_request_that_takes_too_long_is_refused():
    with busy({"RequestTimeout": "100ms"}) as daemon, daemon.client() as client, daemon.client() as other:
        client.send('{"program":"not')
        equal(error(client.reply()), "TooSlow", "the answer")
        equal(client.reply(), None, "then the end")
        check(other.ask(NOTHING)["success"], "another client")


# ---- errors of requests ----

REFUSALS = [
    # request, error, path
    ({}, "BadRequest", None),
    ({"id": 1}, "BadRequest", None),
    ({"program": 1}, "BadRequest", "/program"),
    ({"program": "nothing", "call": "ping"}, "BadRequest", None),
    ({"program": "nothing", "surplus": 1}, "BadRequest", "/surplus"),
    ({"program": "nothing", "data_pool": []}, "BadRequest", "/data_pool"),
    ({"program": "nothing", "metadata": 5}, "BadRequest", "/metadata"),
    ({"program": "nothing", "id": {}}, "BadRequest", "/id"),
    ({"program": "nothing", "follow": "yes"}, "BadRequest", "/follow"),
    ({"program": "nothing", "wait": 1}, "BadRequest", "/wait"),
    ({"program": "nothing", "request_id": 1}, "BadRequest", "/request_id"),
    ({"program": "nothing", "request_id": "x" * 129}, "BadRequest", "/request_id"),
    ({"program": "nothing", "start_within": "soon"}, "BadRequest", "/start_within"),
    ({"program": "no-such"}, "UnknownProgram", "/program"),
    ({"program": ""}, "UnknownProgram", "/program"),
    ({"program": "types"}, "MissingArgument", "/data_pool/i"),
    ({"program": "types", "data_pool": {}}, "MissingArgument", "/data_pool/i"),
    ({"program": "types", "data_pool": {"i": None}}, "WrongType", "/data_pool/i"),
    ({"program": "types", "data_pool": {"i": 1.5}}, "WrongType", "/data_pool/i"),
    ({"program": "types", "data_pool": {"i": "1"}}, "WrongType", "/data_pool/i"),
    ({"program": "types", "data_pool": {"i": 1, "l": {}}}, "WrongType", "/data_pool/l"),
    ({"program": "types", "data_pool": {"i": 1, "b": 0}}, "WrongType", "/data_pool/b"),
    ({"program": "types", "data_pool": {"i": 1, "x": 0}}, "UnknownArgument", "/data_pool/x"),
    ({"program": "types", "data_pool": {"i": 1, "_x": 0}}, "UnknownArgument", "/data_pool/_x"),
    # the first of several
    ({"program": "no-such", "data_pool": {"x": 1}}, "UnknownProgram", "/program"),
    ({"program": "no-such", "surplus": 1}, "BadRequest", "/surplus"),
    ({"program": "types", "data_pool": {"x": 0, "l": 1}}, "MissingArgument", "/data_pool/i"),
    ({"program": "types", "data_pool": {"x": 0, "l": 1, "i": 2}}, "WrongType", "/data_pool/l"),
    ({"call": "png"}, "BadRequest", "/call"),
    ({"call": 7}, "BadRequest", "/call"),
    ({"call": "ping", "surplus": 1}, "BadRequest", "/surplus"),
    ({"call": "ping", "parameters": {"x": 1}}, "BadRequest", "/parameters"),
    ({"call": "ping", "parameters": 1}, "BadRequest", "/parameters"),
    ({"call": "describe"}, "BadRequest", "/parameters"),
    ({"call": "describe", "parameters": {"program": 1}}, "BadRequest", "/parameters"),
    ({"call": "describe", "parameters": {"program": "no-such"}}, "UnknownProgram", "/parameters/program"),
]


@test
def what_is_wrong_with_a_request_is_named_and_the_connection_stays():
    with busy() as daemon, daemon.client() as client:
        for request, name, path in REFUSALS:
            reply = client.ask(request)
            found = reply["error"]
            right = found["name"] == name and (path is None or found.get("path") == path) and found["message"]
            if "call" not in request:
                right = right and (reply["success"], reply["status"], reply["run"]) == (False, "refused", None)
            elif "program" not in request:
                right = right and set(reply) == {"error"}
            ok(f"{name}: {json.dumps(request)}", right, f"expected {name} at {path}, got {reply}")
        check(client.ask(NOTHING)["success"], "the same connection, after all that")
        equal(status(daemon)["runs"]["succeeded"], 1, "runs")


@test
def an_int_is_taken_for_a_float_and_any_id_comes_back():
    with busy() as daemon, daemon.client() as client:
        pool = {"i": -9223372036854775808, "f": 3, "l": [], "d": {}}
        check(client.ask({"program": "types", "data_pool": pool})["success"], "the run")
        for value in (0, -1, 1.5, "x", "", "é\n", True, None):
            reply = client.ask({**NOTHING, "id": value})
            equal((reply["id"], type(reply["id"])), (value, type(value)), "the id")
        check("id" not in client.ask(NOTHING), "without an id there is none in the reply")


@test
def a_missing_output_fails_the_run_and_names_itself():
    with busy() as daemon, daemon.client() as client:
        reply = client.ask({"program": "promise"})
        equal((outcome(reply), reply["error"]["path"]), (("rectified", "MissingOutput"), "/data_pool/never"),
              "the reply")


@test
def what_cannot_be_reversed_parks():
    with busy() as daemon, daemon.client() as client:
        reply = client.ask({"program": "final"})
        equal((outcome(reply), reply["parked"]["name"]), (("parked", "HookFailed"), "Irreversible"), "irreversible")
        equal(reply["remaining"], [{"step": 1, "hook": "launch"}], "what remains")
        reply = client.ask({"program": "stuck"})
        equal((outcome(reply), reply["parked"]["name"]), (("parked", "HookFailed"), "RectifierFailed"), "a rectifier")
        equal(status(daemon)["runs"]["parked"], 2, "parked runs")
        daemon.wait_log("stuck: parked")


@test
def a_request_that_no_recorder_could_hold_is_too_large():
    with busy({"RecorderSize": "1M", "MaxPoolSize": "2M"}) as daemon, daemon.client() as client:
        reply = client.ask(NOTHING)
        equal(outcome(reply), ("refused", "TooLarge"), "the answer")
        contains(reply["error"]["message"], "RecorderSize=", "the message")
        check("result" in client.ask({"call": "ping"}), "the connection stays")


# ---- calls ----

@test
def calls_show_what_there_is():
    with busy() as daemon, daemon.client() as client:
        pong = client.ask({"call": "ping"})["result"]
        equal(client.ask({"call": "ping", "id": 3}), {"id": 3, "result": pong}, "ping")
        names = [entry["name"] for entry in client.ask({"call": "list"})["result"]["programs"]]
        check({"nothing", "echo", "harm"} <= set(names) and names == sorted(names), f"list: {names}")
        found = client.ask({"call": "describe", "parameters": {"program": "harm"}})["result"]
        equal([(step["step"], step["hook"], step["rectifiers"]) for step in found["steps"]],
              [(1, "before", ["undo"]), (2, "harm", ["undo"]), (3, "after", [])], "the steps of harm")
        found = client.ask({"call": "describe", "parameters": {"program": "whisper"}})["result"]
        equal(found["args"], [{"name": "word", "type": "string", "required": True, "secret": True,
                               "description": "not for others"},
                              {"name": "mood", "type": "string", "required": False, "secret": False,
                               "default": "calm"}], "the arguments of whisper")
        found = client.ask({"call": "describe", "parameters": {"program": "hurry"}})["result"]
        equal(found["timeout"], 0.1, "the time limit of hurry")


@test
def status_shows_the_run_in_hand():
    with busy() as daemon, daemon.client() as client:
        gate = Gate(client)
        found = wait_for(lambda: status(daemon)["running"].get("hook") == "wait" and status(daemon), "the second hook")
        equal({key: found["running"][key] for key in ("program", "step", "steps", "phase", "hook", "attempt")},
              {"program": "gate", "step": 2, "steps": 3, "phase": "hook", "hook": "wait", "attempt": 1}, "running")
        equal((found["state"], found["queued"]), ("running", 0), "the rest")
        wait_for(lambda: status(daemon)["connections"] == 2, "the earlier connections to be gone")
        gate.open()
        equal(client.reply()["run"], found["running"]["run"], "the run's id")


main()
