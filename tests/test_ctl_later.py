#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""ryusoctl submit, wait and cancel, against a daemon that is none."""

import json

from ctl import OTHER, PARKED, QUEUED, RECTIFIED, RUN, SETTLED, SUCCEEDED, THIRD, answers, asked, ctl, denial, refusal
from fake import CLOSE, Fake, Turns
from tap import check, contains, equal, main, test


def outcomes(**by_run):
    """What `wait` says of each run."""
    return lambda request: by_run["run_" + request["parameters"]["run"]]


# ---- submit ----

@test
def submit_writes_the_id_of_the_run_and_nothing_else():
    with Fake(answers(transfer=QUEUED)) as fake:
        done = ctl(fake, "submit", "transfer", "amount=5")
        equal((done.stdout, done.stderr), (RUN + "\n", ""), "what was written")
        equal(asked(fake)[-1], {"program": "transfer", "data_pool": {"amount": 5}, "wait": False}, "what was asked")
        check(fake.requests[-1]["request_id"], "a submission has a request id")
        equal(json.loads(ctl(fake, "submit", "transfer", "--json").stdout), QUEUED, "the reply")


@test
def a_submission_that_was_made_before_is_told_with_how_it_stands():
    for reply in (SUCCEEDED, PARKED, RECTIFIED):
        with Fake(answers(transfer=reply)) as fake:
            done = ctl(fake, "submit", "transfer", "--request-id=order-17")
        equal(done.stdout, RUN + "\n", "standard output")
        equal(done.stderr, f"ryusoctl: that request was made before, and its run is {reply['status']}:  "
                           f"ryusoctl --socket {fake.path} wait {RUN}\n", "standard error")


@test
def a_submission_that_is_refused_exits_3():
    with Fake(answers(transfer=refusal("QueueFull", retry=True))) as fake:
        done = ctl(fake, "submit", "transfer", status=3)
        equal(done.stdout, "", "standard output")
        contains(done.stderr, "transfer was refused: nothing ran\n  failed   QueueFull: a sentence\n", "the report")


@test
def a_submission_without_a_request_id_may_be_lost_with_the_connection():
    with Fake(answers(transfer=CLOSE)) as fake:
        text = ctl(fake, "submit", "transfer", "--no-request-id", status=75).stderr
        contains(text, "do not simply ask again", "the message")
        contains(text, "journalctl RYUSO_PROGRAM=transfer", "the message")
        equal(len(fake.requests), 1, "the number of requests")


@test
def what_answers_a_submission_without_a_run_is_no_reply():
    for reply in (dict(QUEUED, run=None), {"run": RUN}, dict(QUEUED, status=5)):
        with Fake(answers(transfer=reply)) as fake:
            equal(ctl(fake, "submit", "transfer", status=75).stdout, "", "standard output")


# ---- wait ----

@test
def wait_shows_how_a_run_ended_and_exits_like_run():
    for reply, status in ((SUCCEEDED, 0), (RECTIFIED, 1), (PARKED, 2), (SETTLED, 4)):
        with Fake(answers(transfer=reply, wait={"result": reply})) as fake:
            waited, ran = ctl(fake, "wait", RUN, status=status), ctl(fake, "run", "transfer", status=status)
            equal((waited.stdout, waited.stderr), (ran.stdout, ran.stderr), "what was written")
            equal(fake.requests[0], {"call": "wait", "parameters": {"run": RUN}}, "what was asked")
            equal(json.loads(ctl(fake, "wait", RUN, "--json", status=status).stdout), reply, "the reply")
            equal(ctl(fake, "wait", RUN, "-q", status=status).stdout, "", "standard output with --quiet")


@test
def wait_takes_several_runs_and_exits_by_the_first_that_did_not_succeed():
    ends = {f"run_{RUN}": {"result": SUCCEEDED}, f"run_{OTHER}": {"result": dict(PARKED, run=OTHER)},
            f"run_{THIRD}": {"result": dict(RECTIFIED, run=THIRD)}}
    with Fake(answers(wait=outcomes(**ends))) as fake:
        done = ctl(fake, "wait", RUN, THIRD, OTHER, status=1)
        ctl(fake, "wait", RUN, OTHER, THIRD, status=2)
        lines = ctl(fake, "wait", RUN, OTHER, THIRD, "--json=short", status=2).stdout.splitlines()
    for run in (RUN, THIRD, OTHER):
        contains(done.stdout + done.stderr, f"(run {run})", "the reports")
    equal([json.loads(line)["run"] for line in lines], [RUN, OTHER, THIRD], "the replies, in the order of the words")


@test
def a_run_that_nobody_knows_exits_3():
    unknown = denial("NoSuchRun", "there is no such run")
    unknown["error"]["path"] = "/parameters/run"
    with Fake(answers(wait=unknown)) as fake:
        equal(ctl(fake, "wait", RUN, status=3).stderr,
              "'wait' was refused\n  failed   NoSuchRun: there is no such run\n"
              f"  trace    ryusoctl --socket {fake.path} log {RUN}\n", "the message")


@test
def a_run_that_was_cancelled_has_no_cause_to_be_removed():
    reply = dict(RECTIFIED, error={"name": "Cancelled", "step": 2, "hook": "pause", "message": "cancelled", "retry": False})
    with Fake(answers(wait={"result": reply})) as fake:
        contains(ctl(fake, "wait", RUN, status=1).stderr, "  next     ask again, if it is to run after all\n", "the hint")


@test
def a_submission_that_was_refused_later_ran_nothing():
    with Fake(answers(wait=denial("NotStarted", "it had not begun within 30 s", retry=True))) as fake:
        text = ctl(fake, "wait", RUN, status=3).stderr
    contains(text, "the request was refused: nothing ran\n  failed   NotStarted: it had not begun within 30 s\n",
             "the message")


@test
def what_answers_a_wait_without_an_outcome_is_no_reply():
    for result in ({}, {"status": "splendid"}, QUEUED):
        with Fake(answers(wait={"result": result})) as fake:
            contains(ctl(fake, "wait", RUN, status=75).stderr, "is no outcome of a run", "the message")


# ---- cancel ----

@test
def cancel_says_whether_the_run_had_begun():
    with Fake(answers(cancel=Turns({"result": {"run": RUN, "begun": True}},
                                   {"result": {"run": RUN, "begun": False}}))) as fake:
        equal(ctl(fake, "cancel", RUN).stdout,
              f"{RUN} is cancelled: it stops, and what it has done is undone\n"
              f"  next     see how that ends:  ryusoctl --socket {fake.path} wait {RUN}\n", "the answer")
        equal(ctl(fake, "cancel", RUN, "--now").stdout, f"{RUN} is cancelled: it had not begun, and nothing ran\n",
              "the answer")
        equal(json.loads(ctl(fake, "cancel", RUN, "--json").stdout), {"run": RUN, "begun": False}, "the result")
        equal([request["parameters"] for request in fake.requests], [{"run": RUN}, {"run": RUN, "now": True},
                                                                     {"run": RUN}], "what was asked")


@test
def a_cancel_that_comes_too_late_exits_3_and_shows_what_the_daemon_said():
    with Fake(answers(cancel=denial("WrongState", "nothing is left to run"))) as fake:
        equal(ctl(fake, "cancel", RUN, status=3).stderr,
              "'cancel' was refused: nothing was changed\n  failed   WrongState: nothing is left to run\n"
              f"  next     see where it stands:  ryusoctl --socket {fake.path} show {RUN}\n", "the message")


@test
def a_second_cancel_that_is_refused_may_have_been_the_first_that_counted():
    with Fake(answers(cancel=Turns(CLOSE, denial("WrongState", "it is on its way back")))) as fake:
        contains(ctl(fake, "cancel", RUN, status=75).stderr, "it may have been cancelled the first time", "the message")
    with Fake(answers(cancel=Turns(CLOSE, {"result": {"run": RUN, "begun": True}}))) as fake:
        contains(ctl(fake, "cancel", RUN).stdout, "is cancelled", "the answer")


@test
def what_is_no_id_of_a_run_is_not_asked_for():
    words = {"": "''", "012": "012", RUN + "0": RUN + "0", RUN.upper(): RUN.upper(),
             "g" * 32: "g" * 32, "a\033b": "'a\\x1bb'"}
    with Fake(answers()) as fake:
        for word, shown in words.items():
            contains(ctl(fake, "cancel", word, status=64).stderr,
                     f"expected a run's id (32 hexadecimal digits, of which the first 4 or more are enough), got {shown}\n", "the message")
        for verb in (["wait"], ["cancel"]):
            ctl(fake, *verb, status=64)
        equal(fake.requests, [], "what was asked")


main()
