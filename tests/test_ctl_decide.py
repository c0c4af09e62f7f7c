#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""ryusoctl retry, skip, confirm, hold and resume, against a daemon that is none."""

import json

from ctl import DECISION, PARKED, RECTIFIED, RUN, SETTLED, SHOWN, answers, ctl, denial
from fake import CLOSE, HANG, Fake, Turns
from tap import check, contains, equal, main, test

REASON = "--reason=the disk is larger"


def decided(verb, step=1):
    return {"result": {"run": RUN, "verb": verb, "step": step}}


def shown(**more):
    return {"result": {**SHOWN, **more}}


def calls(fake, name):
    return [request["parameters"] for request in fake.requests if request["call"] == name]


# ---- what is asked ----

@test
def retry_asks_where_the_run_stands_and_waits_for_the_outcome():
    with Fake(answers(retry=decided("retry"))) as fake:
        done = ctl(fake, "retry", RUN, status=1)
        equal(fake.requests, [{"call": "show", "parameters": {"run": RUN}},
                              {"call": "retry", "parameters": {"run": RUN, "step": 1}},
                              {"call": "wait", "parameters": {"run": RUN}}], "what was asked")
        contains(done.stderr, "ryusoctl: 'retry' is recorded; waiting for the end of the run\ntransfer was rectified",
                 "the report")
        equal(json.loads(ctl(fake, "retry", RUN, "--json", status=1).stdout), RECTIFIED, "the reply")


@test
def each_decision_is_sent_with_what_belongs_to_it():
    cases = {("retry", RUN[:6], "--current-module", REASON): {"step": 1, "current_module": True},
             ("skip", RUN, "1", REASON): {"step": 1},
             ("skip", RUN[:6], "2", "--undone-by-hand", REASON): {"step": 2, "undone_by_hand": True},
             ("confirm", RUN, "3", REASON): {"step": 3}}
    for words, more in cases.items():
        verb = words[0]
        with Fake(answers(**{verb: decided(verb), "wait": {"result": SETTLED}})) as fake:
            contains(ctl(fake, *words, status=4).stderr, "transfer was settled by an operator", "the report")
            equal(calls(fake, verb), [{"run": RUN, "reason": "the disk is larger", **more}], " ".join(words))


@test
def the_exit_status_is_that_of_the_run():
    for reply, status in ((PARKED, 2), (RECTIFIED, 1), (dict(RECTIFIED, status="succeeded"), 0)):
        with Fake(answers(retry=decided("retry"), wait={"result": reply})) as fake:
            ctl(fake, "retry", RUN, "--quiet", status=status)


@test
def no_wait_ends_when_the_decision_is_recorded():
    with Fake(answers(skip=decided("skip"))) as fake:
        done = ctl(fake, "skip", RUN, "1", REASON, "--no-wait")
        equal(done.stdout, f"'skip' is recorded, and {RUN} goes on\n"
                           f"  next     see how it ends:  ryusoctl --socket {fake.path} wait {RUN}\n", "the answer")
        equal(json.loads(ctl(fake, "skip", RUN, "1", REASON, "--no-wait", "--json").stdout), decided("skip")["result"],
              "the result")
        equal(calls(fake, "wait"), [], "what was waited for")


@test
def a_dry_run_shows_what_would_be_called_and_asks_for_nothing_else():
    result = {"run": RUN, "step": 1, "next": SHOWN["next"], "module": SHOWN["module"]}
    with Fake(answers(retry={"result": result})) as fake:
        text = ctl(fake, "retry", RUN, "--dry-run", "--current-module").stdout
        equal(calls(fake, "retry"), [{"run": RUN, "step": 1, "dry_run": True, "current_module": True}], "what was asked")
        equal(calls(fake, "wait"), [], "what was waited for")
        equal(json.loads(ctl(fake, "retry", RUN, "--dry-run", "--json").stdout), result, "the result")
    equal(text, f"run {RUN} stands at step 1; nothing was changed\nmodule wallet, build abc123, the current one\n\n"
                "A retry calls, in this order:\n  undo_debit to undo step 1\n  tell to undo step 1\n", "the answer")


# ---- what is refused ----

@test
def a_step_that_is_no_number_and_a_reason_that_is_missing_are_refused_and_nothing_is_asked():
    step = "expected STEP, the number of the step at which the run stands; got "
    cases = {("skip", RUN, "debit", REASON): step + "debit", ("skip", RUN, "0", REASON): step + "0",
             ("confirm", RUN, "-1x", REASON): "unknown option -1", ("skip", RUN, "1.5", REASON): step + "1.5",
             ("confirm", RUN, "99999999999999999999", REASON): step, ("skip", RUN, "", REASON): step + "''",
             ("skip", RUN, "1"): "expected --reason=TEXT: 'skip' is recorded with its reason",
             ("confirm", RUN, "1"): "expected --reason=TEXT: 'confirm' is recorded with its reason",
             ("skip", RUN, "1", "--reason= \t"): "expected --reason=TEXT: why, for whoever asks later, got ",
             ("skip", RUN, REASON): "expected: ryusoctl skip RUN STEP",
             ("confirm", RUN, "1", "--undone-by-hand", REASON): "'confirm' does not know --undone-by-hand",
             ("skip", RUN, "1", "--dry-run", REASON): "'skip' does not know --dry-run",
             ("retry",): "expected: ryusoctl retry RUN", ("hold", "now"): "got one argument too many: now",
             ("resume", "--reason=x"): "'resume' does not know --reason"}
    with Fake(answers()) as fake:
        for words, message in cases.items():
            contains(ctl(fake, *words, status=64).stderr, message, str(words))
        equal(fake.requests, [], "what was asked")


@test
def a_run_that_is_not_parked_is_left_alone():
    for status in ("running", "rectified", "queued"):
        with Fake(answers(show=shown(status=status))) as fake:
            for words in (["retry", RUN], ["retry", RUN, "--dry-run"], ["skip", RUN, "1", REASON]):
                equal(ctl(fake, *words, status=3).stderr,
                      f"ryusoctl: {RUN} is not parked: it is {status}; nothing was changed\n"
                      f"  next     see where it stands:  ryusoctl --socket {fake.path} show {RUN}\n", " ".join(words))
            equal(calls(fake, "retry") + calls(fake, "skip"), [], "what was asked for")


@test
def what_the_daemon_refuses_is_shown_with_what_it_said():
    sentence = "the run stands at step 2, not at step 1"
    with Fake(answers(skip=denial("WrongState", sentence), confirm=denial("NotAllowed", "for operators only"))) as fake:
        equal(ctl(fake, "skip", RUN, "1", REASON, status=3).stderr,
              f"'skip' was refused: nothing was changed\n  failed   WrongState: {sentence}\n"
              f"  next     see where it stands:  ryusoctl --socket {fake.path} show {RUN}\n", "the message")
        contains(ctl(fake, "confirm", RUN, "1", REASON, status=77).stderr, "ryuso-admin", "the message")
        equal(json.loads(ctl(fake, "skip", RUN, "1", REASON, "--json", status=3).stdout), denial("WrongState", sentence),
              "the answer")
        equal(calls(fake, "wait"), [], "what was waited for")


# ---- a connection that breaks ----

@test
def a_decision_whose_answer_was_lost_is_taken_once():
    taken = shown(status="running", decisions=[DECISION, {**DECISION, "usec": DECISION["usec"] + 1}])
    for cut in (CLOSE, [b'{"result": {"ru', CLOSE]):
        with Fake(answers(show=Turns(shown(), taken), retry=cut)) as fake:
            done = ctl(fake, "retry", RUN, status=1)
            equal([request["call"] for request in fake.requests], ["show", "retry", "show", "wait"], "what was asked")
        contains(done.stderr, "the connection broke before the answer came; looking whether 'retry' was taken\n",
                 "standard error")
    with Fake(answers(show=Turns(shown(), taken), retry=CLOSE)) as fake:
        equal(json.loads(ctl(fake, "retry", RUN, "--no-wait", "--json").stdout), decided("retry")["result"], "the result")


@test
def a_decision_that_was_lost_with_its_answer_is_asked_for_again():
    """What was decided before, or by others about other steps, is not taken for it."""
    others = shown(decisions=[{**DECISION, "verb": "skip"}, {**DECISION, "step": 2}, DECISION])
    with Fake(answers(show=Turns(shown(), others), retry=Turns(CLOSE, decided("retry")))) as fake:
        ctl(fake, "retry", RUN, status=1)
        equal([request["call"] for request in fake.requests], ["show", "retry", "show", "retry", "wait"], "what was asked")


@test
def a_daemon_that_is_recovering_is_waited_for_with_each_call():
    busy = denial("Recovering", "reading the recorder", retry=True)
    with Fake(answers(runs=Turns(busy, answers()["runs"]), show=Turns(busy, shown()), skip=Turns(busy, decided("skip")),
                      wait=Turns(busy, CLOSE, {"result": SETTLED}))) as fake:
        ctl(fake, "skip", RUN[:4], "1", REASON, status=4)
        equal([request["call"] for request in fake.requests], ["runs"] * 2 + ["show"] * 2 + ["skip"] * 2 + ["wait"] * 3,
              "what was asked")


@test
def a_decision_that_is_not_answered_in_time_may_have_been_taken():
    with Fake(answers(confirm=HANG)) as fake:
        equal(ctl(fake, "confirm", RUN, "1", REASON, "--timeout=0.5", status=75).stderr,
              "ryusoctl: no answer came within the time of --timeout: whether 'confirm' was done is not known\n"
              f"  next     see with:  ryusoctl --socket {fake.path} show {RUN}\n", "the message")


@test
def a_decision_that_is_taken_and_whose_outcome_is_not_known_in_time_says_how_to_wait():
    with Fake(answers(retry=decided("retry"), wait=HANG)) as fake:
        text = ctl(fake, "retry", RUN, "--timeout=0.5", status=75).stderr
        contains(text, "'retry' is recorded", "the message")
        contains(text, f"wait again:  ryusoctl --socket {fake.path} wait {RUN}\n", "the message")


# ---- the queue ----

@test
def hold_and_resume_say_what_is_so_now():
    with Fake(answers(hold={"result": {"held": True}}, resume={"result": {"held": False}})) as fake:
        equal(ctl(fake, "hold", "--reason=closing").stdout,
              f"the queue is held: what runs ends, and no run begins until:  ryusoctl --socket {fake.path} resume\n",
              "the answer")
        ctl(fake, "hold")
        equal(ctl(fake, "resume").stdout, "the queue goes on\n", "the answer")
        equal(json.loads(ctl(fake, "hold", "--json").stdout), {"held": True}, "the result")
        equal(fake.requests[:3], [{"call": "hold", "parameters": {"reason": "closing"}}, {"call": "hold"},
                                  {"call": "resume"}], "what was asked")


@test
def hold_and_resume_may_be_asked_twice():
    with Fake(answers(hold=Turns(CLOSE, {"result": {"held": True}}), resume=HANG)) as fake:
        contains(ctl(fake, "hold").stdout, "the queue is held", "the answer")
        text = ctl(fake, "resume", "--timeout=0.3", status=75).stderr
        contains(text, f"whether 'resume' was done is not known\n  next     see with:  ryusoctl --socket {fake.path} status\n",
                 "the message")
        check(len(fake.requests) == 3, str(fake.requests))


main()
