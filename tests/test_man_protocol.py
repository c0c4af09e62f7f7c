#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""ryuso-protocol(7): its conversations take place with a live daemon as they are shown; calls, parameters, errors,
limits and members are those of the source and of what the daemon says; and a client can be written from it alone."""

import json
import os
import re
import signal
import socket
import threading

import man_commands
from project import LIBRARY, Project
from simple_client import Broken, Refused, SimpleClient
from tap import TOP_SOURCE, Client, Daemon, check, contains, equal, main, scratch, test, wait_for

PAGE = "\n".join(man_commands.source("ryuso-protocol.7")) + "\n"
ID = re.compile(r"[0-9a-f]{32}")
# members that differ from time to time
VOLATILE = ("usec", "run_usec", "submitted", "began", "ended", "pid", "parked_usec", "begun_usec", "ended_usec", "submitted_usec", "since_usec", "peer_pid", "peer_uid", "uid",
            "build_id", "identity", "fingerprint", "path", "version", "worker_pid")


def section(name):
    return PAGE.split(f".Sh {name}\n")[1].split("\n.Sh ")[0]


def source(*names):
    return "".join((TOP_SOURCE / "src" / name).read_text() for name in names)


_module = []


def teller(**options):
    """A daemon that serves tests/teller, built once."""
    if not _module:
        project = Project()
        (project / "hooks").mkdir()
        for path in ("ryu_spec.json", "hooks/desk.c"):
            (project / path).write_bytes((TOP_SOURCE / "tests" / "teller" / path).read_bytes())
        project.generate()
        _module.append(project.build())
    daemon = Daemon(module=_module[0], env={"LD_LIBRARY_PATH": str(LIBRARY)}, **options)
    with daemon.client() as client:
        wait_for(lambda: client.ask({"call": "status"})["result"]["state"] == "running", "the module")
    return daemon


# ---- the conversations of the page ----

def objects(text):
    """JSON objects one after another, with white space between them."""
    decoder, found, at = json.JSONDecoder(), [], 0
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        value, at = decoder.raw_decode(text, at)
        found.append(value)
    return found


def conversations():
    """What is sent and what is received, in order: (line, kind, text, objects)."""
    examples = man_commands.shown("ryuso-protocol.7")
    kinds = [kind for _, kind, _ in examples]
    check(len(kinds) >= 20 and set(kinds[::2]) <= {"sent", "sent alone"} and set(kinds[1::2]) == {"received"}, kinds)
    return [(line, kind, text, objects(received))
            for (line, kind, text), (_, _, received) in zip(examples[::2], examples[1::2])]


def same(shown, found, ids, where):
    """Compares what the page shows with what came; ids of runs stand for each other, what is volatile for its like."""
    if isinstance(shown, dict) and isinstance(found, dict):
        equal(list(found), list(shown), f"{where}: the members, in their order")
        for name, value in shown.items():
            if name in VOLATILE:
                equal(type(found[name]), type(value), f"{where}/{name}: the type")
            else:
                same(value, found[name], ids, f"{where}/{name}")
    elif isinstance(shown, list) and isinstance(found, list):
        equal(len(found), len(shown), f"{where}: how many")
        for number, (one, other) in enumerate(zip(shown, found)):
            same(one, other, ids, f"{where}/{number}")
    elif isinstance(shown, str) and ID.fullmatch(shown) and isinstance(found, str):
        equal(ids.setdefault(shown, found), found, f"{where}: the run that is {shown} in the page")
    else:
        if isinstance(found, str):
            for page, real in ids.items():
                found = found.replace(real, page)
        if isinstance(shown, str) and shown.endswith(" …") and isinstance(found, str):
            found = found[:len(shown) - 2] + " …"
        equal((type(found), found), (type(shown), shown), where)


def answers(client, count):
    """As many answers, and the events before them."""
    lines = []
    while count > 0:
        reply = client.reply()
        check(reply is not None, f"the connection ended after {lines}")
        count -= "event" not in reply
        if "attempt" not in reply or "outcome" in reply:  # how long one takes depends on the machine
            lines.append(reply)
    return lines


def converse(daemon, client, kind, text, count):
    """Sends it as it stands; what comes."""
    if kind == "sent":
        client.send(text)
        return answers(client, count)
    with daemon.client() as another:
        another.send(text)
        return another.rest()


def count_answers(received):
    return sum("event" not in one for one in received)


@test
def the_conversations_of_the_page_take_place_as_they_are_shown():
    ids = {}
    with teller() as daemon, daemon.client() as client:
        for line, kind, text, received in conversations():
            for page, real in ids.items():
                text = text.replace(page, real)
            check(received, f"line {line}: nothing is received")
            found = converse(daemon, client, kind, text, count_answers(received))
            same(received, found, ids, f"line {line}")
    check(len(ids) >= 4 and len(set(ids.values())) == len(ids), f"expected several runs, got {ids}")


@test
def what_is_shown_is_valid_json_whose_lines_are_broken_between_tokens():
    for line, kind, text, received in conversations():
        if kind == "sent":
            equal(objects(text) != [], True, f"line {line}: what is sent")
        check(all(isinstance(one, dict) for one in received), f"line {line}")


# ---- the page and the source ----

def subsections(name):
    return dict(re.findall(r"^\.Ss (.*)\n((?:(?!\.Ss ).*\n)*)", section(name) + "\n", re.MULTILINE))


def calls():
    """Those of the source: name → (for operators, {parameter: (type, required)})."""
    text = source("daemon/calls.c")
    macros = dict(re.findall(r"#define (RUN|STEP)\s*\\\n(?:.*\\\n)*?\s*(\"\w+\", \w+, \w+)", text))
    macros["REASON(true)"], macros["REASON(false)"] = ('"reason", PARAMETER_TEXT, ' + word for word in ("true", "false"))
    table = text.split("static const CallKind kinds[] = {")[1].split("\n};")[0]
    for name, value in macros.items():
        table = table.replace(name, value)
    found = {}
    for name, operators, rest in re.findall(r'\{ "(\w+)", (true|false), call_\w+,((?:[^{]|\{(?! "\w+", (?:true|false), call))*)',
                                            table):
        parameters = re.findall(r'"(\w+)", PARAMETER_(\w+), (true|false)', rest)
        found[name] = (operators == "true", {key: ({"TEXT": "string"}.get(kind, kind.lower()), required == "true")
                                             for key, kind, required in parameters})
    check(len(found) >= 14, f"expected the calls, got {found}")
    return found


def documented_calls():
    found = {}
    for name, text in subsections("CALLS").items():
        if name == "Examples":
            continue
        text, operators = text.removeprefix("For operators.\n"), text.startswith("For operators.\n")
        head = text.split(".El\n")[0] if text.startswith(".Bl") else ""
        items = re.findall(r"^\.It Ic (\w+)\n(Required, )?(string|int|bool)\.?$", head, re.MULTILINE)
        found[name] = (operators, {key: (kind, bool(required)) for key, required, kind in items})
    return found


@test
def every_call_is_in_the_page_with_its_parameters_and_no_other():
    known, documented = calls(), documented_calls()
    equal(set(documented), set(known), "the calls")
    for name, (operators, parameters) in known.items():
        equal(documented[name], (operators, parameters), f"{name}: for operators, and the parameters")


@test
def every_member_of_a_message_is_in_the_page_and_no_other():
    table = source("wire/request.c").split("members_known[] = {")[1].split("\n};")[0]
    members = {name: (program == "true", call == "true")
               for name, program, call in re.findall(r'\{ "(\w+)", (true|false), (true|false)', table)}
    requests = section("REQUESTS").split(".Ss Values")[0]
    equal(set(re.findall(r"^\.It Ic (\w+)", requests, re.MULTILINE)), {name for name in members if members[name][0]},
          "the members of a request")
    head = section("CALLS").split("\n.Ss ")[0]
    equal(set(re.findall(r"^\.It Ic (\w+)", head, re.MULTILINE)), {name for name in members if members[name][1]},
          "the members of a call")


@test
def every_error_is_in_the_page_with_whether_to_try_again_and_no_other():
    known = {name: retry == "true"
             for name, retry in re.findall(r'= \{ "(\w+)", (true|false) \}', source("base/error.c"))}
    check(len(known) > 30, f"expected the errors, got {known}")
    documented = {name: bool(retry) for name, retry in
                  re.findall(r"^\.It Li (\w+)( Pq Em retry)?$", section("ERROR NAMES"), re.MULTILINE)}
    equal(documented, known, "the errors")


@test
def the_limits_are_those_of_the_source():
    text = section("LIMITS")
    for name, value in (("CLIENT_SLOTS_MAX", "1024U"), ("CLIENT_UNSENT_MAX", "(1U << 20)"), ("CLIENT_EVENTS_MAX", "(256U << 10)"),
                        ("CLIENT_DRAIN_USEC", "USEC_PER_SEC")):
        contains(source("daemon/client.h"), f"#define {name} {value}", "the source")
    for part in ("1,024 answers", "1 MiB", "256 KiB", "one second"):
        contains(text, part, "the page")
    for name, value in (("REQUEST_ID_MAX", "128U"), ("REQUEST_ECHO_MAX", "1024U"), ("REQUEST_START_WITHIN_MAX", "1e9")):
        contains(source("wire/request.h"), f"#define {name} {value}", "the source")
    conf = "\n".join(man_commands.source("ryuso.conf.5"))
    items = re.findall(r"^\.It Va (\w+)=\n(\S+)", text, re.MULTILINE)
    clients = conf.split(".Ss Clients")[1].split("\n.Ss ")[0]
    equal({name for name, _ in items}, set(re.findall(r"^\.It Va (\w+)=", clients, re.MULTILINE)),
          "the settings about clients")
    for name, value in items:
        contains(clients.split(f".It Va {name}=")[1].split(".It ")[0], f"Default {value};", name)


# ---- what the daemon says ----

def names_in(value):
    """The names of all members, but of objects whose names are somebody's own."""
    if isinstance(value, list):
        return set().union(*map(names_in, value)) if value else set()
    if not isinstance(value, dict):
        return set()
    found = set(value)
    for name, member in value.items():
        if name not in ("data_pool", "arguments", "labels", "metadata"):
            found |= names_in(member)
    return found


@test
def every_member_that_the_daemon_answers_with_is_in_the_page():
    documented = set(re.findall(r"\w+", " ".join(re.findall(r"^(?:\.It )?\.?(?:It )?Ic (.*)", PAGE, re.MULTILINE))))
    gate, seen = scratch() / "gate", set()
    slow = {"program": "transfer", "data_pool": {"from": "a", "to": "b", "amount": 1}, "metadata": {"gate": str(gate)}}
    with teller() as daemon, daemon.client() as client, daemon.client() as other:
        parked = client.ask({"program": "transfer", "data_pool": {"from": "frozen", "to": "nowhere", "amount": 1}})
        client.send({**slow, "follow": True})
        seen |= names_in(client.reply()) | names_in(client.reply())
        wait_for(lambda: "running" in other.ask({"call": "status"})["result"], "the run to begin")
        other.ask({"call": "hold", "parameters": {"reason": "closing"}})
        running = other.ask({"call": "status"})["result"]["running"]["run"]
        for message in ({"call": "status"}, {"call": "list"}, {"call": "metrics"}, {"call": "parked"}, {"call": "ping"}, {"call": "runs"},
                        {"call": "describe", "parameters": {"program": "transfer"}},
                        {"call": "show", "parameters": {"run": parked["run"]}},
                        {"call": "show", "parameters": {"run": running}},
                        {"call": "retry", "parameters": {"run": parked["run"], "step": 1, "dry_run": True}},
                        {"call": "resume"}, {"call": "show", "parameters": {"run": "?"}}):
            answer = other.ask(message)
            check("error" in answer or "result" in answer, f"{message}: {answer}")
            seen |= names_in(answer)
        gate.write_text("")
        ended = client.reply()
        while "event" in ended:
            ended = client.reply()
        other.ask({"call": "skip", "parameters": {"run": parked["run"], "step": 1, "undone_by_hand": True, "reason": "x"}})
        other.ask({"call": "wait", "parameters": {"run": parked["run"]}})
        for run in (parked["run"], running):
            seen |= names_in(other.ask({"call": "show", "parameters": {"run": run}}))
            other.send({"call": "watch", "parameters": {"run": run}})
            seen |= names_in(answers(other, 1))
        seen |= names_in(ended) | names_in(parked)
    check(len(seen) > 80, f"expected many members, got {seen}")
    equal(seen - documented, set(), "members that the page does not explain")


# ---- a client that was written from the page ----

@test
def a_client_that_was_written_from_the_page_gets_its_answers():
    with teller() as daemon:
        client, events = SimpleClient(daemon.socket), []
        equal(client.call("ping")["instance"], "ryuso", "the instance")
        reply = client.run("transfer", **{"from": "main", "to": "rent", "amount": 30})
        equal((reply["success"], reply["data_pool"]), (True, {"balance": 70}), "a transfer")
        reply = client.run("transfer", events.append, **{"from": "main", "to": "nowhere", "amount": 30})
        equal((reply["status"], reply["error"]["reason"]), ("rectified", "UnknownAccount"), "a transfer that fails")
        equal([(event["event"], event.get("hook"), event.get("outcome")) for event in events],
              [("begun", None, None), ("hook", "debit", "ok"), ("hook", "credit", "failed"),
               ("rectifier", "pay_back", "ok")], "the events")
        run = client.submit("transfer", **{"from": "main", "to": "rent", "amount": 1})
        equal(client.call("wait", run=run)["status"], "succeeded", "a submission")
        equal([entry["run"] for entry in client.call("runs", status="succeeded", limit=1)["runs"]], [run], "the last run")
        for ask, name in ((lambda: client.run("transfre"), "UnknownProgram"),
                          (lambda: client.run("transfer", **{"from": "main"}), "MissingArgument"),
                          (lambda: client.call("show", run="0" * 32), "NoSuchRun")):
            try:
                ask()
                check(False, f"expected {name}")
            except Refused as refusal:
                equal(refusal.error["name"], name, "the error")
        client.close()


@test
def it_gets_the_one_answer_of_a_run_whose_daemon_is_killed_and_started_again():
    gate, found = scratch() / "gate", []
    daemon = teller()
    client = SimpleClient(daemon.socket)

    def ask():
        found.append(client.run("transfer", metadata={"gate": str(gate)}, **{"from": "main", "to": "rent", "amount": 30}))
    thread = threading.Thread(target=ask)
    thread.start()
    with daemon.client() as other:
        wait_for(lambda: other.ask({"call": "status"})["result"].get("running", {}).get("hook") == "credit", "the hook")
    daemon.kill()
    gate.write_text("")
    with teller(directory=daemon.directory) as again:
        thread.join()
        reply = found[0]
        equal((reply["status"], reply["error"]["name"]), ("rectified", "Interrupted"), "the reply")
        with again.client() as other:
            shown = other.ask({"call": "show", "parameters": {"run": reply["run"]}})["result"]
        equal(shown["status"], "rectified", "the run")
    client.close()


@test
def it_is_told_when_nobody_answers_any_more():
    directory = scratch()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(directory / "mute.sock"))
        listener.listen()

        def hang_up():
            connection, _ = listener.accept()
            connection.recv(65536)
            connection.close()
        thread = threading.Thread(target=hang_up)
        thread.start()
        try:
            SimpleClient(directory / "mute.sock").call("ping")
            check(False, "expected an exception")
        except Broken:
            pass
        thread.join()


main()
