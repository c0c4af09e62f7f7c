#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""ryusoctl against a daemon that is none: every verb, every exit status, every sentence about what went wrong."""

import json
import os
import pty
import re
import socket
import subprocess
import threading

from fake import CLOSE, HANG, Dribble, Fake
from tap import check, contains, environment, equal, main, program, run, scratch, test

RUN = "0123456789abcdef0123456789abcdef"
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")

TRANSFER = {
    "name": "transfer", "description": "Move money", "timeout": 90,
    "args": [{"name": "from", "type": "string", "required": True, "description": "Debited"},
             {"name": "to", "type": "string", "required": True},
             {"name": "amount", "type": "int", "required": True},
             {"name": "rate", "type": "float", "required": False, "default": 0.5},
             {"name": "fast", "type": "bool", "required": False},
             {"name": "tags", "type": "list", "required": False},
             {"name": "extra", "type": "dict", "required": False},
             {"name": "pin", "type": "string", "required": True, "secret": True}],
    "outputs": [{"name": "balance", "type": "int", "required": True}],
    "steps": [{"step": 1, "hook": "debit", "rectifiers": ["undo_debit", "tell"], "irreversible": False},
              {"step": 2, "hook": "send_mail", "rectifiers": [], "irreversible": True}],
}
PROGRAMS = [{"name": "transfer", "description": "Move money"}, {"name": "deposit", "description": None}]
STATUS = {
    "version": "0.1.0", "instance": "wallet", "state": "running",
    "module": {"name": "wallet", "version": "1.2", "build_id": "abc123", "fingerprint": "f" * 32,
               "path": "/usr/lib/ryuso/wallet.so"},
    "running": {"run": RUN, "program": "transfer", "step": 2, "steps": 5, "hook": "credit", "phase": "rectifier",
                "attempt": 3, "since_usec": 61_500_000},
    "queued": 7, "connections": 3, "parked": 1,
    "runs": {"succeeded": 10, "rectified": 4, "parked": 2, "refused": 9}, "workers_started": 6,
}
SUCCEEDED = {"run": RUN, "program": "transfer", "success": True, "status": "succeeded",
             "data_pool": {"balance": 95, "note": "two\nlines", "list": [1, "a"], "rate": 0.5}, "error": None}
RECTIFIED = {"run": RUN, "program": "transfer", "success": False, "status": "rectified", "data_pool": {},
             "error": {"name": "HookFailed", "reason": "UnknownAccount", "step": 3, "hook": "credit",
                       "message": "no such account: rent", "retry": False},
             "rectified": [{"step": 2, "hook": "fee"}, {"step": 1, "hook": "debit"}], "remaining": []}
PARKED = {"run": RUN, "program": "transfer", "success": False, "status": "parked", "data_pool": {"balance": 1},
          "error": {"name": "HookUnknown", "step": 2, "hook": "fee", "message": "killed by signal 11", "retry": False},
          "parked": {"name": "RectifierFailed", "step": 1, "hook": "undo_debit", "message": "disk full"},
          "rectified": [{"step": 2, "hook": "fee", "in_doubt": True}], "remaining": [{"step": 1, "hook": "debit"}]}
SETTLED = dict(PARKED, status="settled")


def refusal(name, message="a sentence", retry=False, **more):
    return {"run": None, "program": "transfer", "success": False, "status": "refused", "data_pool": {},
            "error": {"name": name, "message": message, "retry": retry, **more}}


def answers(**more):
    table = {"describe": {"result": TRANSFER}, "list": {"result": {"programs": PROGRAMS}},
             "status": {"result": STATUS}, "ping": {"result": {"pong": True, "version": "0.1.0"}},
             "transfer": SUCCEEDED}
    table.update(more)
    return table


def ctl(fake, *words, status=0, stdin=None, locale="C.UTF-8", **variables):
    env = environment(LC_ALL=locale, RYUSO_SOCKET=None, NO_COLOR=None, TERM="xterm", **variables)
    where = ["--socket", fake.path] if isinstance(fake, Fake) else ["--socket", str(fake)]
    done = run(program("ryusoctl"), *where, *words, status=status, stdin=stdin, env=env)
    check(not CONTROL.search(done.stdout + done.stderr), f"control characters: {done.stdout!r} {done.stderr!r}")
    return done


def on_terminal(fake, *words, locale="C.UTF-8", **variables):
    """Standard output and error on a terminal: what was written, and the exit status."""
    leader, follower = pty.openpty()
    env = environment(**{"LC_ALL": locale, "TERM": "xterm", "NO_COLOR": None, **variables})
    process = subprocess.Popen([program("ryusoctl"), "--socket", fake.path, *words], env=env, stdin=follower,
                               stdout=follower, stderr=follower)
    os.close(follower)
    text = b""
    while True:
        try:
            data = os.read(leader, 65536)
        except OSError:
            break
        if not data:
            break
        text += data
    os.close(leader)
    return text.decode().replace("\r\n", "\n"), process.wait()


def table(text):
    return [line.split() for line in text.splitlines()]


# ---- looking ----

@test
def ping_says_who_answers():
    with Fake(answers()) as fake:
        equal(ctl(fake, "ping").stdout, f"ryusod 0.1.0 answers at {fake.path}\n", "the answer")
        equal(fake.requests, [{"call": "ping"}], "what was asked")


@test
def list_shows_programs_in_the_order_of_the_answer():
    with Fake(answers()) as fake:
        equal(table(ctl(fake, "list").stdout),
              [["PROGRAM", "DESCRIPTION"], ["transfer", "Move", "money"], ["deposit"], [], ["2", "programs."]], "the table")
        equal(table(ctl(fake, "list", "--no-legend").stdout), [["transfer", "Move", "money"], ["deposit"]], "the table")


@test
def an_empty_list_is_not_an_error():
    with Fake(answers(list={"result": {"programs": []}})) as fake:
        equal(ctl(fake, "list").stdout, "0 programs.\n", "the table")
        equal(ctl(fake, "list", "--no-legend").stdout, "", "the table")


@test
def a_long_description_is_not_cut_where_there_is_no_terminal():
    long = "word " * 100 + "end"
    with Fake(answers(list={"result": {"programs": [{"name": "x", "description": long}]}})) as fake:
        contains(ctl(fake, "list").stdout, long, "the table")


@test
def describe_shows_arguments_outputs_and_steps_with_what_undoes_them():
    with Fake(answers()) as fake:
        text = ctl(fake, "describe", "transfer").stdout
        equal(fake.requests, [{"call": "describe", "parameters": {"program": "transfer"}}], "what was asked")
    lines = table(text)
    for line in (["transfer:", "Move", "money"], ["from", "string", "required", "Debited"], ["amount", "int", "required"],
                 ["rate", "float", "default", "0.5"], ["pin", "string", "required", "(secret)"],
                 ["balance", "int", "required"], ["1", "debit"], ["2", "send_mail", "irreversible"],
                 ["├─↩", "undo_debit"], ["└─↩", "tell"], ["Timeout:", "1", "min", "30", "s"]):
        check(line in lines, f"expected the line {line} in {text}")
    contains(text, f"ryusoctl --socket {fake.path} run transfer from=string to=string amount=int pin=string", "the example")


@test
def describe_is_ascii_where_the_locale_is():
    with Fake(answers()) as fake:
        text = ctl(fake, "describe", "transfer", locale="C").stdout
    check(text.isascii(), text)
    contains(text, "undone by undo_debit", "the steps")


@test
def a_program_without_arguments_is_described():
    with Fake(answers(describe={"result": {"name": "x", "description": None, "args": [], "outputs": [], "steps": [],
                                           "timeout": None}})) as fake:
        equal(ctl(fake, "describe", "x", "--no-legend").stdout, "x\n\nArguments: none\n\nOutputs: none\n\nSteps: none\n",
              "the description")


@test
def status_shows_what_runs_and_what_waits():
    with Fake(answers()) as fake:
        text = ctl(fake, "status").stdout
    for part in ("ryusod 0.1.0, instance wallet\n", "State: running\n", "Module: wallet 1.2 (/usr/lib/ryuso/wallet.so)\n",
                 "Build: abc123\n", "Running: transfer, step 2 of 5, rectifier credit, attempt 3, for 1 min 1 s\n",
                 f"Run: {RUN}\n", "Queued: 7\n", "Connections: 3\n", "Parked: 1\n",
                 "Runs: 10 succeeded, 4 rectified, 2 parked, 9 refused\n", "Workers: 6 started\n"):
        contains(text, part, "the status")


@test
def status_without_a_module_says_why():
    with Fake(answers(status={"result": dict(STATUS, state="no-module", module=None, running=None,
                                             message="cannot open wallet.so")})) as fake:
        text = ctl(fake, "status").stdout
    contains(text, "State: no-module: cannot open wallet.so\n", "the status")
    contains(text, "Running: nothing\n", "the status")
    check("Module:" not in text, text)


@test
def json_is_what_the_daemon_said():
    with Fake(answers()) as fake:
        for words in (["--json"], ["--json=pretty"], ["--json=short"]):
            text = ctl(fake, "status", *words).stdout
            equal(json.loads(text), STATUS, "the status")
            equal(text.count("\n") == 1, words == ["--json=short"], f"whether {words} is one line")
        equal(json.loads(ctl(fake, "run", "transfer", "--json").stdout), SUCCEEDED, "the reply")
        equal(ctl(fake, "ping", "--json").stdout, '{\n  "pong": true,\n  "version": "0.1.0"\n}\n', "the answer")


@test
def quiet_writes_nothing_on_standard_output():
    with Fake(answers(failing=RECTIFIED)) as fake:
        for words in (["ping"], ["list"], ["run", "transfer"], ["run", "transfer", "--json"], ["status", "--json"]):
            done = ctl(fake, *words, "-q")
            equal((done.stdout, done.stderr), ("", ""), " ".join(words))
        done = ctl(fake, "run", "failing", "--quiet", status=1)
        equal(done.stdout, "", "standard output")
        contains(done.stderr, "no such account", "standard error")


# ---- running ----

@test
def a_run_that_succeeded_shows_its_outputs():
    with Fake(answers()) as fake:
        done = ctl(fake, "run", "transfer")
        equal(fake.requests, [{"program": "transfer", "data_pool": {}}], "what was asked")
    equal(done.stdout, f"transfer succeeded  (run {RUN})\nbalance = 95\nnote = two\\x0alines\nlist = [1,\"a\"]\nrate = 0.5\n",
          "the report")
    equal(done.stderr, "", "standard error")


@test
def a_rectified_run_exits_1_and_says_what_failed_and_what_was_undone():
    with Fake(answers(transfer=RECTIFIED)) as fake:
        done = ctl(fake, "run", "transfer", status=1)
    equal(done.stdout, "", "standard output")
    equal(done.stderr,
          f"transfer was rectified: it failed, and all that it had done is undone  (run {RUN})\n"
          "  failed   step 3, credit: HookFailed: UnknownAccount: no such account: rent\n"
          "  undone   step 2, fee; step 1, debit\n"
          "  remains  nothing\n"
          "  next     remove the cause, then ask again\n"
          f"  trace    journalctl RYUSO_RUN={RUN}\n", "the report")


@test
def a_parked_run_exits_2_and_says_what_stopped_it_and_what_remains():
    with Fake(answers(transfer=PARKED)) as fake:
        done = ctl(fake, "run", "transfer", status=2)
    equal(done.stdout, "balance = 1\n", "standard output")
    equal(done.stderr,
          f"transfer is PARKED: it failed, and not all that it had done could be undone  (run {RUN})\n"
          "  failed   step 2, fee: HookUnknown: killed by signal 11\n"
          "  stopped  step 1, undo_debit: RectifierFailed: disk full\n"
          "  undone   step 2, fee (in doubt)\n"
          "  remains  step 1, debit\n"
          "  next     see what stopped it, and put right by hand what remains\n"
          f"  trace    journalctl RYUSO_RUN={RUN}\n", "the report")


@test
def a_settled_run_exits_4():
    with Fake(answers(transfer=SETTLED)) as fake:
        contains(ctl(fake, "run", "transfer", status=4).stderr, "transfer was settled by an operator", "the report")


@test
def a_refused_run_exits_3_and_says_what_to_do():
    hints = {"WrongType": "describe transfer", "MissingArgument": "describe transfer", "UnknownArgument": "describe transfer",
             "NoModule": "status", "TooLarge": "MaxRequestSize=", "TooDeep": "MaxDepth=", "QueueFull": "status",
             "TooManyConnections": "MaxConnectionsPerUser="}
    for name, hint in hints.items():
        with Fake(answers(transfer=refusal(name, path="/data_pool/amount"))) as fake:
            text = ctl(fake, "run", "transfer", status=3).stderr
        contains(text, "transfer was refused: nothing ran\n", name)
        contains(text, f"  failed   {name} at /data_pool/amount: a sentence\n", name)
        contains(text, hint, name)


@test
def a_refusal_that_may_pass_says_so():
    with Fake(answers(transfer=refusal("ShuttingDown", retry=True))) as fake:
        contains(ctl(fake, "run", "transfer", status=3).stderr, "  next     try again in a moment\n", "the hint")


@test
def a_programs_own_check_names_the_program():
    reply = dict(RECTIFIED, error={"name": "MissingOutput", "hook": None, "program": "transfer", "path": "/balance",
                                   "message": "expected int, got nothing", "retry": False})
    with Fake(answers(transfer=reply)) as fake:
        contains(ctl(fake, "run", "transfer", status=1).stderr,
                 "  failed   transfer: MissingOutput at /balance: expected int, got nothing\n", "the report")


@test
def what_is_not_allowed_exits_77():
    with Fake(answers(transfer=refusal("NotAllowed"), status={"error": {"name": "NotAllowed", "message": "no"}})) as fake:
        ctl(fake, "run", "transfer", status=77)
        contains(ctl(fake, "status", status=77).stderr, "NotAllowed: no", "the message")
        equal(json.loads(ctl(fake, "status", "--json", status=77).stdout)["error"]["name"], "NotAllowed", "the answer")


@test
def a_misspelt_program_is_guessed():
    unknown = dict(refusal("UnknownProgram"), program="trasnfer")
    with Fake(answers(trasnfer=unknown, describe={"error": unknown["error"]})) as fake:
        for words in (["run", "trasnfer"], ["run", "trasnfer", "amount=5"], ["describe", "trasnfer"]):
            text = ctl(fake, *words, status=3).stderr
            contains(text, "did you mean transfer?\n", " ".join(words))
            contains(text, f"see what you may run:  ryusoctl --socket {fake.path} list\n", " ".join(words))


@test
def arguments_are_converted_to_the_declared_types():
    directory = scratch()
    (directory / "note").write_text("main\n")
    (directory / "tags").write_text('["a",\n "b"]\n')
    with Fake(answers()) as fake:
        ctl(fake, "run", "transfer", "from=5", "amount=5", "rate=5", "fast=true", 'extra={"a": 1}', f"tags=@{directory}/tags",
            f"to=@{directory}/note", 'pin:="0042"')
        equal(fake.requests[0], {"call": "describe", "parameters": {"program": "transfer"}}, "the first request")
        equal(fake.requests[1]["data_pool"], {"from": "5", "amount": 5, "rate": 5.0, "fast": True, "extra": {"a": 1},
                                              "tags": ["a", "b"], "to": "main\n", "pin": "0042"}, "the data pool")
        check(isinstance(fake.requests[1]["data_pool"]["rate"], float), "a float is sent as one")


@test
def json_arguments_need_no_description():
    with Fake(answers()) as fake:
        ctl(fake, "run", "transfer", "amount:=9223372036854775807", "x:=[null]")
        equal(fake.requests, [{"program": "transfer", "data_pool": {"amount": 9223372036854775807, "x": [None]}}], "the requests")


@test
def data_is_an_object_a_file_or_standard_input():
    file = scratch() / "data.json"
    file.write_text('{"amount": 7}\n')
    with Fake(answers()) as fake:
        ctl(fake, "run", "transfer", "--data", '{"amount": 7}')
        ctl(fake, "run", "transfer", f"--data=@{file}")
        ctl(fake, "run", "transfer", "--data", "-", stdin='{"amount": 7}')
        ctl(fake, "run", "transfer", "--data", "-", "from=main", stdin='{"amount": 7}')
        pools = [request["data_pool"] for request in fake.requests if "program" in request]
        equal(pools, [{"amount": 7}] * 3 + [{"amount": 7, "from": "main"}], "the data pools")


@test
def a_command_line_that_is_wrong_exits_64_and_asks_nothing():
    missing = scratch() / "missing"
    cases = {
        (): "expected a verb; see ryusoctl --help",
        ("lsit",): "there is no verb lsit; did you mean list?",
        ("frobnicate",): "there is no verb frobnicate; see ryusoctl --help",
        ("run",): "expected: ryusoctl run PROGRAM [NAME=VALUE | NAME:=JSON | NAME=@FILE]",
        ("describe",): "expected: ryusoctl describe PROGRAM",
        ("ping", "x"): "expected: ryusoctl ping; got one argument too many: x",
        ("ping", "\033[31m"): "got one argument too many: \\x1b[31m",
        ("list", "--follow"): "'list' does not know --follow; see ryusoctl list --help",
        ("list", "--data", "{}"): "'list' does not know --data",
        ("list", "--jsno"): "unknown option --jsno; did you mean --json?",
        ("run", "transfer", "amount"): 'expected NAME=VALUE, NAME:=JSON or NAME=@FILE, got "amount"',
        ("run", "transfer", "amount:={"): "amount: expected JSON; line 1, column 2: ",
        ("run", "transfer", "--data", "[]"): "--data: expected a JSON object, got array",
        ("run", "transfer", "--data", "{"): "--data: expected JSON; line 1, column 2: ",
        ("run", "transfer", "--data", f"@{missing}"): f"--data: cannot read {missing}: No such file or directory",
        ("run", "transfer", "--data", '{"a":1}', "a:=2"): "a: given twice",
    }
    with Fake(answers()) as fake:
        for words, message in cases.items():
            done = ctl(fake, *words, status=64)
            contains(done.stderr, "ryusoctl: " + message if words[:2] != ("ping", "\033[31m") else message, str(words))
            equal(done.stdout, "", f"standard output of {words}")
        equal(fake.requests, [], "what was asked")


@test
def an_argument_that_does_not_fit_exits_64_and_nothing_runs():
    cases = {"amount=abc": 'amount: expected int, got "abc"', "fast=maybe": 'fast: expected bool (true or false), got "maybe"',
             "amuont=5": "amuont: the program has no such argument; did you mean amount?",
             "tags={}": 'tags: expected list (a JSON array), got "{}"'}
    with Fake(answers()) as fake:
        for word, message in cases.items():
            equal(ctl(fake, "run", "transfer", word, status=64).stderr, f"ryusoctl: {message}\n", word)
        check(all(request.get("call") == "describe" for request in fake.requests), str(fake.requests))


@test
def help_and_version_need_no_daemon():
    contains(ctl("/no/such/socket", "--help").stdout, "describe", "the help")
    for verb in ("run", "list", "describe", "status", "ping"):
        contains(ctl("/no/such/socket", verb, "--help").stdout, f"ryusoctl [OPTION…] {verb}", f"the help of {verb}")
    check(re.fullmatch(r"ryusoctl \d+\.\d+\.\d+\n", ctl("/no/such/socket", "--version").stdout), "the version")


@test
def output_that_cannot_be_written_is_told():
    with Fake(answers(failing=RECTIFIED)) as fake, open("/dev/full", "w") as full:
        command = [program("ryusoctl"), "--socket", fake.path]
        done = subprocess.run([*command, "ping"], stdout=full, stderr=subprocess.PIPE, env=environment(), text=True)
        equal(done.returncode, 74, "the exit status")
        contains(done.stderr, "cannot write to standard output", "the message")
        done = subprocess.run([*command, "run", "failing", "--json"], stdout=full, stderr=subprocess.PIPE, env=environment())
        equal(done.returncode, 1, "the exit status of a rectified run")


# ---- following ----

def event(kind, step, hook, outcome, attempt=1, **more):
    return {"event": kind, "run": RUN, "step": step, "steps": 2, "hook": hook, "attempt": attempt, "outcome": outcome,
            "usec": 1500, **more}


EVENTS = [{"event": "begun", "run": RUN, "program": "transfer", "steps": 2},
          event("hook", 1, "debit", None), event("hook", 1, "debit", "ok"),
          event("hook", 2, "credit", None),
          event("hook", 2, "credit", "failed", attempt=2, reason="UnknownAccount", message="no such account: rent"),
          {"event": "something_new", "run": RUN},
          event("rectifier", 1, "undo_debit", None), event("rectifier", 1, "undo_debit", "unknown", message="killed"),
          event("rectifier", 1, "undo_debit", "ok", attempt=2), RECTIFIED]
WORDS = (f"transfer has begun, 2 steps  (run {RUN})\n"
         "hook 1/2 debit: ok (1.5 ms)\n"
         "hook 2/2 credit (attempt 2): failed: UnknownAccount: no such account: rent (1.5 ms)\n"
         "rectifier 1/2 undo_debit: unknown: killed (1.5 ms)\n"
         "rectifier 1/2 undo_debit (attempt 2): ok (1.5 ms)\n")


@test
def follow_writes_words_where_there_is_no_terminal():
    with Fake(answers(transfer=EVENTS)) as fake:
        done = ctl(fake, "run", "transfer", "--follow", status=1)
        equal(fake.requests, [{"program": "transfer", "data_pool": {}, "follow": True}], "what was asked")
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


# ---- the connection ----

@test
def without_a_socket_it_exits_69_and_says_how_to_start_it():
    done = ctl("/no/such/socket", "ping", status=69)
    equal(done.stderr, "ryusoctl: there is no socket /no/such/socket; is ryusod running with --socket /no/such/socket?\n",
          "the message")
    for words, unit, path in ((["ping"], "ryuso.socket", "ryuso"), (["-I", "no_such", "ping"], "ryuso@no_such.socket", "no_such")):
        if os.path.exists(f"/run/ryuso/{path}.sock"):
            continue
        env = environment(RYUSO_SOCKET=None)
        equal(run(program("ryusoctl"), *words, status=69, env=env).stderr,
              f"ryusoctl: there is no socket /run/ryuso/{path}.sock; start it with:  systemctl start {unit}\n", "the message")


@test
def the_environment_names_the_socket():
    with Fake(answers()) as fake:
        done = run(program("ryusoctl"), "ping", env=environment(RYUSO_SOCKET=fake.path))
        contains(done.stdout, fake.path, "the answer")


@test
def a_socket_at_which_nobody_listens_exits_69():
    path = scratch() / "dead.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
        dead.bind(str(path))
    contains(ctl(path, "ping", status=69).stderr, f"nobody listens at {path}", "the message")


def without_privilege(*command, status):
    """As who owns the files but may not pass over their modes."""
    if os.geteuid() == 0:
        command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *command]
    return run(*command, status=status, env=environment())


@test
def a_socket_that_is_closed_to_us_exits_77_and_names_the_group():
    import grp
    import pwd
    user, group = pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name
    with Fake(answers()) as fake:
        cases = ((fake.path, 0o060, f"it belongs to group {group}. Add yourself:  usermod -aG {group} {user}  (as root;"),
                 (fake.path, 0, "only its owner may connect"), (os.path.dirname(fake.path), 0, "a directory above it is closed"))
        for path, mode, message in cases:
            before = os.stat(path).st_mode
            os.chmod(path, mode)
            try:
                text = without_privilege(program("ryusoctl"), "--socket", fake.path, "run", "transfer", status=77).stderr
            finally:
                os.chmod(path, before)
            contains(text, f"not allowed to connect to {fake.path}: {message}", "the message")
        equal(fake.requests, [], "what was asked")


@test
def a_connection_that_ends_before_the_reply_leaves_the_outcome_unknown():
    with Fake(answers(transfer=CLOSE)) as fake:
        done = ctl(fake, "run", "transfer", status=75)
    equal(done.stdout, "", "standard output")
    contains(done.stderr, "the daemon ended the connection before it answered: the outcome of transfer is unknown", "the message")
    contains(done.stderr, "Do not simply ask again", "the message")
    contains(done.stderr, "journalctl RYUSO_PROGRAM=transfer", "the way to find out")


@test
def a_followed_run_whose_connection_ends_is_found_by_its_id():
    with Fake(answers(transfer=[*EVENTS[:4], CLOSE])) as fake:
        contains(ctl(fake, "run", "transfer", "-f", status=75).stderr, f"journalctl RYUSO_RUN={RUN}", "the way to find out")


@test
def a_reply_that_breaks_off_leaves_the_outcome_unknown():
    text = json.dumps(SUCCEEDED).encode()
    for cut in (1, len(text) // 2, len(text) - 1):
        with Fake(answers(transfer=[text[:cut], CLOSE])) as fake:
            done = ctl(fake, "run", "transfer", status=75)
            equal(done.stdout, "", "standard output")


@test
def no_answer_in_time_exits_75():
    with Fake(answers(transfer=HANG, ping=HANG)) as fake:
        contains(ctl(fake, "run", "transfer", "--timeout=0.2", status=75).stderr,
                 "no answer came within the time of --timeout: the outcome of transfer is unknown", "the message")
        contains(ctl(fake, "ping", "--timeout=0.2", status=75).stderr,
                 "no answer to 'ping' within the time of --timeout; try again with a longer one", "the message")


@test
def the_time_is_that_of_the_whole_answer():
    """An event does not begin the time of --timeout anew."""
    def chatter(_):
        while not fake.ended.wait(0.01):
            yield event("hook", 1, "debit", "ok")

    class Chatter(Fake):
        def _answer(self, request):
            return Stream(chatter(request))

        def _say(self, connection, answer):
            for part in answer.parts if isinstance(answer, Stream) else []:
                super()._say(connection, part)

    class Stream:
        def __init__(self, parts):
            self.parts = parts

    with Chatter({}) as fake:
        ctl(fake, "run", "transfer", "--follow", "--timeout=0.5", status=75)


@test
def a_daemon_that_never_accepts_is_not_waited_for_for_ever():
    path = scratch() / "full.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen(0)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as first:
            first.connect(str(path))
            contains(ctl(path, "ping", "--timeout=0.2", status=69).stderr, "took no connection within the time of --timeout",
                     "the message")


@test
def what_answers_garbage_is_no_daemon():
    for garbage in (b"hello\n", b"\0\0\0\0", b"[1]\n", b"{}\n", b'{"result": 5}\n', b'{"a": 1e999}\n', b'{"a": "\xff"}\n',
                    b"HTTP/1.1 400 Bad Request\r\n\r\n", b'{"a": 1, "a": 2}\n', b"{" * 1000, b'{"a":' * 1000):
        with Fake(answers(transfer=[garbage, CLOSE], list=[garbage, CLOSE])) as fake:
            contains(ctl(fake, "run", "transfer", status=75).stderr, "the outcome of transfer is unknown", str(garbage))
            done = ctl(fake, "list", status=69)
            equal(done.stdout, "", "standard output")


@test
def an_unknown_status_is_no_status():
    with Fake(answers(transfer=dict(SUCCEEDED, status="splendid"))) as fake:
        ctl(fake, "run", "transfer", status=75)


@test
def members_that_are_missing_or_of_other_types_do_no_harm():
    def bend(value):
        """Every tree that has one of its members taken away or replaced."""
        if isinstance(value, dict):
            for key, inner in value.items():
                yield {k: v for k, v in value.items() if k != key}
                for other in (None, 5, "text", [], {}, [None], True):
                    yield {**value, key: other}
                for bent in bend(inner):
                    yield {**value, key: bent}
        elif isinstance(value, list) and value:
            for bent in bend(value[0]):
                yield [bent, *value[1:]]

    cases = [(["run", "transfer", "--follow"], "transfer", [*EVENTS[:5], PARKED]), (["describe", "transfer"], "describe",
             [{"result": TRANSFER}]), (["status"], "status", [{"result": STATUS}])]
    for words, name, replies in cases:
        bent = [[*replies[:i], other, *replies[i + 1:]] for i, reply in enumerate(replies) for other in bend(reply)][::7]
        for answer in bent:
            with Fake(answers(**{name: [*answer, CLOSE]})) as fake:
                done = ctl(fake, *words, status=None)
                check(done.returncode in (0, 1, 2, 3, 4, 69, 75, 77), f"{answer}: exit status {done.returncode} {done.stderr}")
                check("Sanitizer" not in done.stderr, done.stderr)


@test
def a_reply_may_come_byte_by_byte():
    stream = b"".join(json.dumps(part).encode() + b"\n" for part in EVENTS)
    with Fake(answers(transfer=Dribble(stream), ping=Dribble(b' \n {"result":{"pong":true}}'))) as fake:
        equal(ctl(fake, "run", "transfer", "-f", status=1).stdout, WORDS, "the lines")
        ctl(fake, "ping")


@test
def a_reply_may_be_huge():
    big = "x" * (8 << 20)
    with Fake(answers(transfer=dict(SUCCEEDED, data_pool={"big": big}))) as fake:
        contains(ctl(fake, "run", "transfer").stdout, f"big = {big}\n", "the report")
        equal(json.loads(ctl(fake, "run", "transfer", "--json=short").stdout)["data_pool"]["big"], big, "the reply")


@test
def a_request_may_be_huge():
    file = scratch() / "big"
    file.write_text("y" * (8 << 20))
    with Fake(answers()) as fake:
        ctl(fake, "run", "transfer", f"from=@{file}")
        equal(len(fake.requests[-1]["data_pool"]["from"]), 8 << 20, "the size of what was sent")


@test
def a_request_that_is_cut_off_did_not_run():
    file = scratch() / "big.json"
    file.write_text(json.dumps({"from": "z" * (8 << 20)}))
    refused = json.dumps(refusal("TooLarge", "more than 1048576 bytes")).encode() + b"\n"

    class Short(Fake):
        def _serve(self, connection):
            with connection:
                connection.recv(4096)
                self._say(connection, self.answers)

    with Short([refused]) as fake:
        contains(ctl(fake, "run", "transfer", "--data", f"@{file}", status=3).stderr, "MaxRequestSize=", "the message")
    with Short([]) as fake:
        contains(ctl(fake, "run", "transfer", "--data", f"@{file}", status=69).stderr,
                 "had not taken the whole request: nothing ran", "the message")


@test
def a_refusal_at_once_is_shown():
    busy = {"program": None, "run": None, "success": False, "status": "refused", "data_pool": {},
            "error": {"name": "TooManyConnections", "message": "512 connections are open", "retry": True}}
    with Fake({}, on_connect=[busy, CLOSE]) as fake:
        contains(ctl(fake, "run", "transfer", status=3).stderr, "512 connections are open", "the message")
        contains(ctl(fake, "ping", status=3).stderr, "512 connections are open", "the message")


@test
def control_characters_are_escaped_wherever_they_come_from():
    evil = "a\033]0;gotcha\007\x9b31m\x7f\r\n\tb"
    shown = "a\\x1b]0;gotcha\\x07\\xc2\\x9b31m\\x7f\\x0d\\x0a\\x09b"

    def poison(value):
        if isinstance(value, dict):
            return {(evil if key in ("balance", "note") else key): poison(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [poison(inner) for inner in value]
        return evil if isinstance(value, str) and value not in ("succeeded", "rectified", "parked", "begun", "hook",
                                                               "rectifier") else value

    with Fake(answers(list=poison({"result": {"programs": PROGRAMS}}), status=poison({"result": STATUS}),
                      describe=poison({"result": TRANSFER}), ping=poison({"result": {"version": "x"}}),
                      transfer=[poison(part) for part in EVENTS[:5]] + [poison(PARKED)],
                      refused=dict(poison(refusal("x")), status="refused"))) as fake:
        for words, status in ((["list"], 0), (["status"], 0), (["describe", "transfer"], 0), (["ping"], 0),
                              (["run", "transfer", "-f"], 2), (["run", "refused"], 3), (["run", "transfer", "amount=5"], 64),
                              (["run", "transfer", "--follow", "--json=short"], 2), (["status", "--json"], 0)):
            done = ctl(fake, *words, status=status)
            if "--json" not in " ".join(words) and status != 64:
                contains(done.stdout + done.stderr, shown, " ".join(words))
        for words in (["list"], ["status"], ["run", "transfer", "-f"]):
            text, _ = on_terminal(fake, *words)
            check("\033]" not in text and "\x9b" not in text and "\007" not in text, repr(text))


@test
def many_clients_at_once_get_their_own_answers():
    with Fake(answers(transfer=lambda request: dict(SUCCEEDED, data_pool=request["data_pool"]))) as fake:
        texts = {}

        def one(number):
            texts[number] = ctl(fake, "run", "transfer", f"n:={number}").stdout

        threads = [threading.Thread(target=one, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for number in range(8):
        contains(texts[number], f"n = {number}\n", "the output")


main()
