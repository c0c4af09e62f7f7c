#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""ryusoctl run, against a daemon that is none: arguments, reports, exit statuses."""

import json
import re
import subprocess

from ctl import PARKED, RECTIFIED, RUN, SETTLED, answers, asked, ctl, refusal
from fake import Fake
from tap import check, contains, environment, equal, main, program, run, scratch, test


@test
def a_run_that_succeeded_shows_its_outputs():
    with Fake(answers()) as fake:
        done = ctl(fake, "run", "transfer")
        equal(asked(fake), [{"program": "transfer", "data_pool": {}}], "what was asked")
    equal(done.stdout,
          f"transfer succeeded  (run {RUN})\nbalance = 95\nnote = two\\x0alines\nlist = [1,\"a\"]\nrate = 0.5\n",
          "the report")
    equal(done.stderr, "", "standard error")


@test
def each_run_has_a_request_id_of_its_own_unless_told_otherwise():
    with Fake(answers()) as fake:
        for words in ([], [], ["--request-id=order 17"], ["--no-request-id"]):
            ctl(fake, "run", "transfer", *words)
        first, second, given, none = [request.get("request_id") for request in fake.requests]
    for made in (first, second):
        check(re.fullmatch("[0-9a-f]{32}", made), f"expected 128 random bits, got {made}")
    check(first != second, "expected two ids")
    equal((given, none), ("order 17", None), "the ids that were asked for")


@test
def who_chose_the_request_id_needs_another_one_to_ask_anew():
    with Fake(answers(transfer=RECTIFIED)) as fake:
        contains(ctl(fake, "run", "transfer", "--request-id=a", status=1).stderr,
                 "remove the cause, then ask again, with another --request-id\n", "the hint")


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
          f"  trace    ryusoctl --socket {fake.path} log {RUN}\n", "the report")


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
          f"  next     see where it stands, and what you can do:  ryusoctl --socket {fake.path} show {RUN}\n"
          f"  trace    ryusoctl --socket {fake.path} log {RUN}\n", "the report")


@test
def a_settled_run_exits_4():
    with Fake(answers(transfer=SETTLED)) as fake:
        text = ctl(fake, "run", "transfer", status=4).stderr
        contains(text, "transfer was settled by an operator", "the report")
        contains(text, f"see what was decided, and what remains:  ryusoctl --socket {fake.path} show {RUN}\n", "the hint")


@test
def a_refused_run_exits_3_and_says_what_to_do():
    hints = {"WrongType": "describe transfer", "MissingArgument": "describe transfer",
             "UnknownArgument": "describe transfer",
             "NoModule": "status", "TooLarge": "MaxRequestSize=", "TooDeep": "MaxDepth=", "QueueFull": "status",
             "TooManyConnections": "MaxConnectionsPerUser=", "StoreDamaged": "status",
             "RequestIdReused": "leave --request-id out"}
    for name, hint in hints.items():
        with Fake(answers(transfer=refusal(name, path="/data_pool/amount"))) as fake:
            text = ctl(fake, "run", "transfer", status=3).stderr
        contains(text, "transfer was refused: nothing ran\n", name)
        contains(text, f"  failed   {name} at /data_pool/amount: a sentence\n", name)
        contains(text, hint, name)


@test
def a_refusal_that_may_pass_says_so():
    with Fake(answers(transfer=refusal("NotStarted", retry=True))) as fake:
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
    with Fake(answers(transfer=refusal("NotAllowed"), status={"error": {"name": "NotAllowed",
                                                                        "message": "no"}})) as fake:
        ctl(fake, "run", "transfer", status=77)
        text = ctl(fake, "status", status=77).stderr
        contains(text, "NotAllowed: no", "the message")
        contains(text, "  next     add yourself to the group:  usermod -aG ryuso-admin ", "the hint")
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
        ctl(fake, "run", "transfer", "from=5", "amount=5", "rate=5", "fast=true", 'extra={"a": 1}',
            f"tags=@{directory}/tags",
            f"to=@{directory}/note", 'pin:="0042"')
        equal(fake.requests[0], {"call": "describe", "parameters": {"program": "transfer"}}, "the first request")
        equal(fake.requests[1]["data_pool"], {"from": "5", "amount": 5, "rate": 5.0, "fast": True, "extra": {"a": 1},
                                              "tags": ["a", "b"], "to": "main\n", "pin": "0042"}, "the data pool")
        check(isinstance(fake.requests[1]["data_pool"]["rate"], float), "a float is sent as one")


@test
def json_arguments_need_no_description():
    with Fake(answers()) as fake:
        ctl(fake, "run", "transfer", "amount:=9223372036854775807", "x:=[null]")
        equal(asked(fake), [{"program": "transfer", "data_pool": {"amount": 9223372036854775807, "x": [None]}}],
              "the requests")


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
        ("run", "transfer", "--request-id", ""): "expected --request-id=ID of 1 to 128 bytes of UTF-8, got 0 bytes",
        ("run", "transfer", "--request-id", "x" * 129): "expected --request-id=ID of 1 to 128 bytes of UTF-8, got 129",
        ("run", "transfer", "--request-id=a", "--no-request-id"): "expected --request-id or --no-request-id, got both",
        ("submit", "transfer", "--follow"): "'submit' does not know --follow; see ryusoctl submit --help",
        ("run", "transfer", "--reason=x"): "'run' does not know --reason",
    }
    with Fake(answers()) as fake:
        for words, message in cases.items():
            done = ctl(fake, *words, status=64)
            contains(done.stderr, "ryusoctl: " + message if words[:2] != ("ping", "\033[31m") else message, str(words))
            equal(done.stdout, "", f"standard output of {words}")
        equal(fake.requests, [], "what was asked")


@test
def an_argument_that_does_not_fit_exits_64_and_nothing_runs():
    cases = {"amount=abc": 'amount: expected int, got "abc"',
             "fast=maybe": 'fast: expected bool (true or false), got "maybe"',
             "amuont=5": "amuont: the program has no such argument; did you mean amount?",
             "tags={}": 'tags: expected list (a JSON array), got "{}"'}
    with Fake(answers()) as fake:
        for word, message in cases.items():
            equal(ctl(fake, "run", "transfer", word, status=64).stderr, f"ryusoctl: {message}\n", word)
        check(all(request.get("call") == "describe" for request in fake.requests), str(fake.requests))


@test
def help_and_version_need_no_daemon():
    contains(ctl("/no/such/socket", "--help").stdout, "describe", "the help")
    for verb in ("run", "submit", "wait", "cancel", "list", "describe", "status", "ping", "parked", "show", "retry",
                 "skip", "confirm", "hold", "resume"):
        contains(ctl("/no/such/socket", verb, "--help").stdout, f"ryusoctl [OPTION…] {verb}", f"the help of {verb}")
    check(re.fullmatch(r"ryusoctl \d+\.\d+\.\d+\n", ctl("/no/such/socket", "--version").stdout), "the version")


@test
def output_that_cannot_be_written_is_told():
    with Fake(answers(failing=RECTIFIED)) as fake, open("/dev/full", "w") as full:
        command = [program("ryusoctl"), "--socket", fake.path]
        done = subprocess.run([*command, "ping"], stdout=full, stderr=subprocess.PIPE, env=environment(), text=True)
        equal(done.returncode, 74, "the exit status")
        contains(done.stderr, "cannot write to standard output", "the message")
        done = subprocess.run([*command, "run", "failing", "--json"], stdout=full, stderr=subprocess.PIPE,
                              env=environment())
        equal(done.returncode, 1, "the exit status of a rectified run")


main()
