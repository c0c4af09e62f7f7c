# SPDX-License-Identifier: LGPL-2.1-or-later
"""What goes over the socket: with clients that nobody here wrote, in every division of bytes, and each error by name."""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import time

from busy import Gate, Log, busy, error, outcome, say, status
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
                 b'{"a":tru}', b"}", b'{"program":"nothing"}}', b"\x00", b'{"a":"\n"}', b'{"program":"nothing"}garbage'):
        if data.startswith(b'{"program":"nothing"}'):
            data = data[len(b'{"program":"nothing"}'):]
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
    ({"program": "nothing", "wait": False}, "BadRequest", "/wait"),
    ({"program": "nothing", "request_id": "r1"}, "BadRequest", "/request_id"),
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
            ok(f"{name}: {json.dumps(request)}", right, f"expected {name} at {path}, got {reply}")
        check(client.ask(NOTHING)["success"], "the same connection, after all that")
        equal(status(daemon)["runs"]["succeeded"], 1, "runs")


@test
def an_int_is_taken_for_a_float_and_any_id_comes_back():
    with busy() as daemon, daemon.client() as client:
        check(client.ask({"program": "types", "data_pool": {"i": -9223372036854775808, "f": 3, "l": [], "d": {}}})["success"],
              "the run")
        for value in (0, -1, 1.5, "x", "", "é\n", True, None):
            reply = client.ask({**NOTHING, "id": value})
            equal((reply["id"], type(reply["id"])), (value, type(value)), "the id")
        check("id" not in client.ask(NOTHING), "without an id there is none in the reply")


@test
def a_missing_output_fails_the_run_and_names_itself():
    with busy() as daemon, daemon.client() as client:
        reply = client.ask({"program": "promise"})
        equal((outcome(reply), reply["error"]["path"]), (("rectified", "MissingOutput"), "/data_pool/never"), "the reply")


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
        equal(client.ask({"call": "ping", "id": 3}), {"id": 3, "result": client.ask({"call": "ping"})["result"]}, "ping")
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
        equal((found["state"], found["connections"], found["queued"]), ("running", 2, 0), "the rest")
        gate.open()
        equal(client.reply()["run"], found["running"]["run"], "the run's id")


# ---- limits of connections ----

@test
def one_connection_too_many_is_turned_away_with_a_reason():
    for setting in ("MaxConnections", "MaxConnectionsPerUser"):
        with busy({setting: 3}) as daemon:
            # the connections by which the test found the daemon ready may not be gone yet
            wait_for(lambda: status(daemon)["connections"] == 1, "the earlier connections to be gone")
            clients = []
            for _ in range(3):
                clients.append(daemon.client())
                check(clients[-1].ask(NOTHING)["success"], "one of three")
            with daemon.client() as surplus:
                reply = surplus.reply()
                equal(outcome(reply), ("refused", "TooManyConnections"), "the fourth")
                contains(reply["error"]["message"], f"{setting}=", "the message")
                equal(surplus.reply(), None, "then the end")
            clients.pop().close()
            wait_for(lambda: serves(daemon), "room for another")
            for client in clients:
                check(client.ask(NOTHING)["success"], "those who were there first")


def serves(daemon):
    with daemon.client() as client:
        try:
            client.send(NOTHING)
        except BrokenPipeError:
            pass
        return client.reply()["success"]


@test
def a_client_that_never_reads_costs_others_nothing_and_is_closed():
    with busy({"ReplyTimeout": "300ms"}) as daemon, daemon.client() as deaf, daemon.client() as other:
        text = "x" * 50000
        deaf.socket.setblocking(False)
        request = json.dumps({"program": "echo", "data_pool": {"text": text}}).encode()
        refused = 0  # in a row: the daemon reads no more
        while refused < 100:
            try:
                deaf.socket.send(request)
                refused = 0
            except BlockingIOError:
                refused += 1
            check(other.ask(NOTHING)["success"], "another client")
        daemon.wait_log("ReplyTimeout=")
        wait_for(lambda: status(daemon)["connections"] == 2, "the connection to be closed")
        check(other.ask(NOTHING)["success"], "another client, afterwards")


@test
def clients_that_vanish_leave_nothing_behind():
    with busy() as daemon:
        def descriptors():
            return len(os.listdir(f"/proc/{daemon.pid}/fd"))
        wait_for(lambda: status(daemon)["connections"] == 1 and status(daemon)["workers_started"] == 2, "quiet")
        before = descriptors()
        for round_ in range(200):
            client = daemon.client()
            client.send(*[[NOTHING, '{"program":"not', ECHO, '{"program":"nothing"}{"pro'][round_ % 4]] * (round_ % 3))
            client.close()
        wait_for(lambda: status(daemon)["connections"] == 1, "the connections to be gone")
        wait_for(lambda: descriptors() <= before, f"the descriptors to be {before} again")


@test
def descriptors_that_run_out_stop_accepting_only_for_a_while():
    with busy() as daemon:
        import resource
        used = len(os.listdir(f"/proc/{daemon.pid}/fd"))
        wait_for(lambda: status(daemon)["workers_started"] == 2, "the spare")
        soft, hard = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (used + 8, hard))
        clients = [daemon.client() for _ in range(40)]
        daemon.wait_log("cannot accept connections")
        for client in clients[:20]:
            client.close()
        resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (soft, hard))
        for client in clients[20:]:
            check(client.ask(NOTHING)["success"], "a connection that had to wait")
            client.close()


# ---- the journal's lines ----

@test
def secrets_are_not_logged_and_client_text_cannot_forge_a_line():
    with busy() as daemon, daemon.client() as client:
        secret = "s3cr3t-word"
        check(client.ask({"program": "whisper", "data_pool": {"word": secret}, "id": "i",
                          "metadata": {"ticket": "T-7\n<2>forged \x1b[31mred", "long": "y" * 5000}})["success"], "the run")
        error(client.ask({"program": f"no\n<2>forged {secret}"}))
        daemon.wait_log("whisper: succeeded")
        log = daemon.log()
        check(secret not in log, "the secret is in the log")
        check(not any(line.startswith("<2>forged") or "\x1b" in line for line in log.splitlines()), f"a forged line: {log}")
        contains(log, "T-7", "metadata is logged")
        check("y" * 1100 not in log, "long metadata is cut")
    check(secret.encode() not in b"".join(path.read_bytes() for path in pathlib.Path(daemon.state).iterdir()),
          "the secret is in the state directory after the end")


@test
def what_hooks_print_is_logged_with_their_run():
    with busy() as daemon, daemon.client() as client:
        reply = client.ask({"program": "print", "data_pool": {"text": "hello there"}})
        daemon.wait_log("logged: hello there")
        lines = [line for line in daemon.log().splitlines() if "hello there" in line]
        equal(len(lines), 2, f"lines: {lines}")
        for line in lines:
            contains(line, f"RYUSO_RUN={reply['run']}", "the line")
            contains(line, "RYUSO_HOOK=print", "the line")


@test
def how_much_is_traced_is_a_setting():
    expected = {
        "hooks": {"nothing: begun", "nothing: step", "nothing: succeeded", "harm: step 1", "harm: step 2", "harm: rectified"},
        "runs": {"nothing: begun", "nothing: succeeded", "harm: step 2", "harm: rectified", "rectifier undo: ok"},
        "failures": {"harm: step 2", "harm: rectified", "rectifier undo: ok"},
    }
    everything = set().union(*expected.values())
    for level, lines in expected.items():
        with busy({"Trace": level}) as daemon, daemon.client() as client:
            client.ask(NOTHING)
            client.ask({"program": "harm", "data_pool": {"log": str(Log()), "how": "fail"}})
        log = daemon.log()
        if level != "hooks":
            lines = lines - {"harm: step 1"}
            log = "\n".join(line for line in log.splitlines() if "rectifier" not in line or "undo: ok" in line)
            log = log.replace("harm: step 1 of 3, rectifier", "harm: reversal, rectifier")
        found = {line for line in everything if line in log}
        equal(found - {"rectifier undo: ok"}, lines - {"rectifier undo: ok"}, f"lines with Trace={level}")
        contains(log, "rectifier undo: ok", f"Trace={level}")


main()
