#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""ryusoctl's verbs that look, and its command line, against a daemon that is none."""

import json

from ctl import RECTIFIED, RUN, STATUS, SUCCEEDED, answers, ctl
from fake import Fake
from tap import check, contains, equal, main, test


def table(text):
    return [line.split() for line in text.splitlines()]


@test
def ping_says_who_answers():
    with Fake(answers()) as fake:
        equal(ctl(fake, "ping").stdout, f"ryusod 0.1.0 answers at {fake.path}\n", "the answer")
        equal(fake.requests, [{"call": "ping"}], "what was asked")


@test
def list_shows_programs_in_the_order_of_the_answer():
    with Fake(answers()) as fake:
        equal(table(ctl(fake, "list").stdout),
              [["PROGRAM", "DESCRIPTION"], ["transfer", "Move", "money"], ["deposit"], [], ["2", "programs."]],
              "the table")
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
    for line in (["transfer:", "Move", "money"], ["from", "string", "required", "Debited"], ["amount", "int",
                                                                                             "required"],
                 ["rate", "float", "default", "0.5"], ["pin", "string", "required", "(secret)"],
                 ["balance", "int", "required"], ["1", "debit"], ["2", "send_mail", "irreversible"],
                 ["├─↩", "undo_debit"], ["└─↩", "tell"], ["Timeout:", "1", "min", "30", "s"]):
        check(line in lines, f"expected the line {line} in {text}")
    contains(text, f"ryusoctl --socket {fake.path} run transfer from=string to=string amount=int pin=string",
             "the example")


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
        equal(ctl(fake, "describe", "x", "--no-legend").stdout,
              "x\n\nArguments: none\n\nOutputs: none\n\nSteps: none\n",
              "the description")


@test
def status_shows_what_runs_and_what_waits():
    with Fake(answers()) as fake:
        text = ctl(fake, "status").stdout
    for part in ("ryusod 0.1.0, instance wallet\n", "State: running\n",
                 "Module: wallet 1.2 (/usr/lib/ryuso/wallet.so)\n",
                 "Build: abc123\n", "Running: transfer, step 2 of 5, rectifier credit, attempt 3, for 1 min 1 s\n",
                 f"Run: {RUN}\n", "Queued: 7\n", "Connections: 3\n", "Parked: 0\n",
                 "Runs: 10 succeeded, 4 rectified, 2 parked, 1 settled, 9 refused\n", "Workers: 6 started\n"):
        contains(text, part, "the status")
    for part in ("Held:", "Submitted:", "Recorder:", "Ledger:"):
        check(part not in text, text)


@test
def status_exits_2_while_a_run_is_parked_and_says_how_to_see_it():
    with Fake(answers(status={"result": dict(STATUS, parked=3)})) as fake:
        contains(ctl(fake, "status", status=2).stdout, f"Parked: 3; see them:  ryusoctl --socket {fake.path} parked\n",
                 "the status")
        ctl(fake, "status", "--json", status=2)
        equal(ctl(fake, "status", "--quiet", status=2).stdout, "", "standard output")


@test
def status_shows_who_holds_the_queue_and_why():
    hold = {"uid": 4294967000, "reason": "monthly closing", "usec": 1764000000000000}
    with Fake(answers(status={"result": dict(STATUS, state="held", held=True, hold=hold, submitted=4)})) as fake:
        text = ctl(fake, "status", TZ="UTC").stdout
    contains(text, "Held: since 2025-11-24 16:00:00, by uid 4294967000: monthly closing; no run begins until:  "
                   f"ryusoctl --socket {fake.path} resume\n", "the status")
    contains(text, "Submitted: 4\n", "the status")


@test
def status_says_what_was_written_and_synced_where_it_is_asked_for():
    with Fake(answers()) as fake:
        text = ctl(fake, "status", "-v").stdout
    for part in ("Recorder: 120 records, 7 syncs by workers, 11 syncs by the daemon, 2 new files\n",
                 "Last run: 12 records, 3 syncs\n", "Ledger: 5 commits, 8 changes, 0 under way\n"):
        contains(text, part, "the status")


@test
def status_of_a_daemon_that_is_recovering_is_told_at_once():
    with Fake(answers(status={"result": dict(STATUS, state="recovering", module=None, running=None,
                                             message="waits for the processes of a worker")})) as fake:
        contains(ctl(fake, "status").stdout, "State: recovering: waits for the processes of a worker\n", "the status")


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


main()
