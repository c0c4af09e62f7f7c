#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""ryusoctl runs and watch, and how a run is named by the beginning of its id."""

import json
import threading

from busy import Gate, busy
from ctl import EVENTS, OTHER, PARKED, RECTIFIED, RUN, RUNS, THIRD, WORDS, answers, ctl, denial, on_terminal
from fake import CLOSE, Fake, Turns
from tap import check, contains, equal, main, test


def asked_for(*words):
    """The parameters of the call `runs`."""
    with Fake(answers()) as fake:
        ctl(fake, "runs", *words, TZ="UTC")
        [request] = fake.requests
    return request.get("parameters")


def cells(text):
    return [line.split() for line in text.splitlines()]


# ---- runs ----

@test
def runs_lists_what_is_known_of_each_run():
    with Fake(answers()) as fake:
        text = ctl(fake, "runs", TZ="UTC").stdout
        equal(fake.requests, [{"call": "runs"}], "what was asked")
        equal(cells(ctl(fake, "runs", "--no-legend", TZ="UTC").stdout), cells(text)[1:3], "the lines without legend")
    equal(cells(text)[:3],
          [["RUN", "PROGRAM", "STATUS", "USER", "BEGAN", "TOOK", "STEP", "ERROR"],
           [RUN, "transfer", "parked", "root", "2025-11-24", "16:00:01", "1.5", "s", "1/5", "undo_debit", "HookFailed:",
            "Full:", "disk", "full"],
           [THIRD, "send", "succeeded", "4294967000", "2025-11-23", "12:13:20", "1", "min", "0", "s"]], "the table")
    contains(text, f"\n2 runs. See one whole:  ryusoctl --socket {fake.path} show RUN\n", "the footer")


@test
def filters_are_the_daemons_to_apply():
    equal(asked_for("--program=send", "--status=parked", "--lines=7"), {"program": "send", "status": "parked", "limit": 7},
          "what was asked")
    equal(asked_for("--user=root"), {"uid": 0}, "a user's name")
    equal(asked_for("--user=1234"), {"uid": 1234}, "a user's number")
    equal(asked_for("--since=@1764000000"), {"since": 1764000000}, "seconds of the epoch")
    equal(asked_for("--since=2025-11-24 16:00"), {"since": 1764000000}, "a moment")
    equal(asked_for("-n", "3"), {"limit": 3}, "the short option")


@test
def a_filter_that_means_nothing_is_not_asked_for():
    with Fake(answers()) as fake:
        for word, message in (("--user=no-such-user", "a user's name or number; there is no user no-such-user\n"),
                              ("--since=soon", "such as 2h, \"2h ago\", today, \"2026-11-24 10:00\" or @SECONDS (see "
                                               "systemd.time(7)); got soon\n"),
                              ("--lines=0", 'expected --lines=NUMBER from 1 to 1000, got "0"\n')):
            contains(ctl(fake, "runs", word, status=64).stderr, message, word)
        equal(fake.requests, [], "what was asked")


@test
def that_there_are_more_is_said():
    with Fake(answers(runs={"result": {"runs": RUNS, "more": True}})) as fake:
        contains(ctl(fake, "runs").stdout, "2 runs. There are more: see --lines, --since", "the footer")
    with Fake(answers(runs={"result": {"runs": [], "more": False}})) as fake:
        equal(ctl(fake, "runs").stdout, "0 runs.\n", "the answer")


@test
def runs_as_json_are_what_the_daemon_said():
    with Fake(answers()) as fake:
        for style in ("--json=short", "--json=pretty", "--json"):
            equal(json.loads(ctl(fake, "runs", style).stdout), {"runs": RUNS, "more": False}, style)


@test
def on_a_terminal_no_more_of_an_id_is_shown_than_names_it():
    with Fake(answers(runs={"result": {"runs": RUNS + [dict(RUNS[0], run=OTHER)], "more": False}})) as fake:
        text, _ = on_terminal(fake, "runs")
    equal([line[0] for line in cells(text)[1:] if line and line[0][:4] in ("0123", "fedc")], [RUN[:21], THIRD[:8], OTHER[:21]], "the ids")


@test
def what_a_daemon_really_did_is_listed_by_each_filter():
    with busy() as daemon, daemon.client() as client:
        client.ask({"program": "nothing", "data_pool": {}})
        client.ask({"program": "final", "data_pool": {}})
        gate = Gate(client)
        ctl(daemon.socket, "submit", "echo", "text=x")

        def listed(*words):
            return [(run["program"], run["status"]) for run in
                    json.loads(ctl(daemon.socket, "runs", "--json=short", *words).stdout)["runs"]]
        running, queued, parked, ended = [("gate", "running")], [("echo", "queued")], [("final", "parked")], \
            [("nothing", "succeeded")]
        equal(listed(), running + queued + parked + ended, "all")
        equal(listed("--status=unfinished"), running + queued + parked, "the unfinished ones")
        equal(listed("--status=parked"), parked, "the parked ones")
        equal(listed("--program=nothing"), ended, "those of a program")
        equal(listed("--user=daemon"), [], "those of somebody else")
        equal(listed("--since=1h"), running + queued + parked + ended, "those of the last hour")
        equal(listed("--since=+1h"), [], "those of later")
        equal(listed("--lines=1"), running, "the first one")
        contains(ctl(daemon.socket, "runs", "--status=parkd", status=3).stderr, 'did you mean "parked"?', "the message")
        gate.open()
        client.reply()


# ---- names of runs ----

@test
def the_beginning_of_an_id_is_enough_wherever_a_run_is_asked_for():
    result = {"result": {"run": THIRD, "begun": False}}
    asked = {"show": None, "wait": None, "watch": None, "cancel": "unfinished", "retry": "parked"}
    for verb, kind in asked.items():
        with Fake(answers(watch={"result": RECTIFIED}, cancel=result)) as fake:
            for word in (THIRD[:4], THIRD[:31]):
                fake.requests.clear()
                ctl(fake, verb, word, *(["--dry-run"] if verb == "retry" else []), status=None)
                limits = {"status": kind, "limit": 1000} if kind else {"limit": 1000}
                equal(fake.requests[0], {"call": "runs", "parameters": limits}, f"what {verb} asks first")
                equal(fake.requests[1]["parameters"]["run"], THIRD, f"what {verb} asks for")


@test
def a_whole_id_is_not_looked_up():
    with Fake(answers()) as fake:
        ctl(fake, "show", "00" * 16)
        equal(fake.requests, [{"call": "show", "parameters": {"run": "00" * 16}}], "what was asked")


@test
def a_beginning_of_several_is_refused_and_they_are_named():
    runs = {"result": {"runs": RUNS + [dict(RUNS[0], run=OTHER, program="send", status="queued")], "more": False}}
    with Fake(answers(runs=runs)) as fake:
        for words, kind in ((["show", RUN[:20]], ""), (["wait", "0123"], ""), (["retry", "0123"], "parked "),
                            (["skip", "0123", "1", "--reason=x"], "parked "), (["cancel", "0123"], "unfinished ")):
            equal(ctl(fake, *words, status=64).stderr,
                  f"ryusoctl: several {kind}runs begin with {words[1]}; expected more of the id of one of them:\n"
                  f"  {RUN}  transfer  parked\n  {OTHER}  send  queued\n", " ".join(words))
        ctl(fake, "show", RUN[:21])
        check(all(request["call"] in ("runs", "show") for request in fake.requests), str(fake.requests))


@test
def a_beginning_of_none_is_refused():
    with Fake(answers()) as fake:
        equal(ctl(fake, "show", "abcd", status=3).stderr,
              f"ryusoctl: no run begins with abcd\n  next     see which there are:  ryusoctl --socket {fake.path} runs\n",
              "the message")
        contains(ctl(fake, "retry", "abcd", status=3).stderr,
                 f"no parked run begins with abcd\n  next     see which there are:  ryusoctl --socket {fake.path} parked\n",
                 "the message")
    with Fake(answers(runs={"result": {"runs": RUNS, "more": True}})) as fake:
        contains(ctl(fake, "show", "abcd", status=3).stderr, "of the newest 1000; older ones need their whole id",
                 "the message")
    with Fake(answers(runs=denial("StoreDamaged", "the ledger is damaged", retry=True))) as fake:
        contains(ctl(fake, "show", "0123", status=3).stderr, "StoreDamaged: the ledger is damaged\n", "the message")


# ---- watch ----

@test
def watch_shows_what_happens_until_the_end_and_exits_like_run():
    events = [{"event": "state", "run": RUN, "program": "transfer", "state": "running", "steps": 2}, *EVENTS[2:-1]]
    with Fake(answers(watch=[*events, {"result": RECTIFIED}])) as fake:
        done = ctl(fake, "watch", RUN, status=1)
        equal(fake.requests, [{"call": "watch", "parameters": {"run": RUN}}], "what was asked")
    equal(done.stdout, f"transfer is running  (run {RUN})\n" + WORDS.split("\n", 1)[1], "the lines")
    contains(done.stderr, "transfer was rectified", "the report")


@test
def watch_as_json_is_the_events_and_the_outcome():
    with Fake(answers(watch=[*EVENTS[:-1], {"result": PARKED}])) as fake:
        text = ctl(fake, "watch", RUN, "--json=short", status=2).stdout
    equal([json.loads(line) for line in text.splitlines()], EVENTS[:-1] + [PARKED], "the lines")


@test
def a_watch_is_taken_up_again_where_the_connection_breaks_and_shows_nothing_twice():
    with Fake(answers(watch=Turns([*EVENTS[:3], CLOSE], [*EVENTS[:-1], {"result": RECTIFIED}]))) as fake:
        done = ctl(fake, "watch", RUN, status=1)
    equal(done.stdout, WORDS, "the lines")


@test
def watch_follows_a_run_of_a_real_daemon_to_its_end():
    with busy() as daemon, daemon.client() as client:
        gate = Gate(client)
        threading.Timer(0.1, gate.open).start()
        done = ctl(daemon.socket, "watch", json.loads(ctl(daemon.socket, "runs", "--json").stdout)["runs"][0]["run"][:8])
        client.reply()
    contains(done.stdout, "gate succeeded", "the report")


main()
