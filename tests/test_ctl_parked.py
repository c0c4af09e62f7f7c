#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""ryusoctl parked and show, and how a parked run is named, against a daemon that is none."""

import json

from ctl import (DECISION, OTHER, PARKED, PARKED_RUNS, RECTIFIED, RUN, SHOWN, SUCCEEDED, THIRD, answers, ctl, denial,
                 on_terminal)
from fake import CLOSE, Fake, Turns
from tap import check, contains, equal, main, test


def cells(text):
    return [line.split() for line in text.splitlines()]


def shown(**more):
    """An answer to `show`: None takes a member away."""
    return {"result": {key: value for key, value in {**SHOWN, **more}.items() if value is not None}}


def show(**more):
    with Fake(answers(show=shown(**more))) as fake:
        return ctl(fake, "show", RUN, TZ="UTC").stdout.replace(f" --socket {fake.path}", "")


# ---- parked ----

@test
def parked_lists_runs_with_where_they_stand_and_why():
    with Fake(answers()) as fake:
        text = ctl(fake, "parked", TZ="UTC").stdout
        equal(fake.requests, [{"call": "parked"}], "what was asked")
        equal(cells(ctl(fake, "parked", "--no-legend", TZ="UTC").stdout), cells(text)[1:3], "the lines without legend")
    equal(cells(text)[:3],
          [["RUN", "PROGRAM", "SINCE", "STEP", "HOOK", "WHY"],
           [RUN, "transfer", "2025-11-24", "16:00:00", "1", "undo_debit", "RectifierFailed:", "disk", "full"],
           [THIRD, "send", "2025-11-23", "12:13:20", "2", "ModuleChanged:", "build", "abc", "is", "not", "here"]],
          "the table")
    contains(text, f"\n2 parked runs. See where one stands, and what you can do:  ryusoctl --socket {fake.path} show RUN\n",
             "the footer")


@test
def times_are_shown_in_local_time():
    with Fake(answers()) as fake:
        contains(ctl(fake, "parked", TZ="XYZ-3").stdout, "2025-11-24 19:00:00", "the table")


@test
def parked_on_a_terminal_shows_no_more_of_an_id_than_names_it():
    runs = PARKED_RUNS + [dict(PARKED_RUNS[0], run=OTHER)]
    with Fake(answers(parked={"result": {"runs": runs}})) as fake:
        text, _ = on_terminal(fake, "parked")
    equal([line[0] for line in cells(text)[1:] if line and line[0][:4] in ("0123", "fedc")],
          [RUN[:21], THIRD[:8], OTHER[:21]], "the ids")


@test
def no_parked_run_is_no_error():
    with Fake(answers(parked={"result": {"runs": []}})) as fake:
        equal(ctl(fake, "parked").stdout, "0 parked runs.\n", "the answer")
        equal(ctl(fake, "parked", "--no-legend").stdout, "", "the answer")


@test
def parked_and_show_as_json_are_what_the_daemon_said():
    with Fake(answers()) as fake:
        for words, result in ((["parked"], {"runs": PARKED_RUNS}), (["show", RUN], SHOWN)):
            text = ctl(fake, *words, "--json=short").stdout
            equal(text, json.dumps(result, separators=(",", ":")) + "\n", " ".join(words))
            equal(json.loads(ctl(fake, *words, "--json").stdout), result, " ".join(words))


@test
def who_is_no_operator_is_told_of_the_group():
    with Fake(answers(parked=denial("NotAllowed", "for operators only"))) as fake:
        text = ctl(fake, "parked", status=77).stderr
    contains(text, "'parked' was refused\n  failed   NotAllowed: for operators only\n", "the message")
    contains(text, "usermod -aG ryuso-admin ", "the hint")


@test
def parked_and_show_are_asked_until_they_are_answered():
    with Fake(answers(runs=Turns(CLOSE, denial("Recovering", retry=True), answers()["runs"]),
                      show=Turns(CLOSE, shown()))) as fake:
        ctl(fake, "show", RUN[:8])
    equal([request["call"] for request in fake.requests], ["runs"] * 3 + ["show"] * 2, "what was asked")


# ---- show ----

@test
def a_run_that_was_parked_this_moment_is_shown_as_soon_as_it_is_written_down():
    later = denial("WrongState", "the run is being written down as parked; ask again")
    with Fake(answers(show=Turns(later, later, shown()))) as fake:
        equal(ctl(fake, "show", RUN).stderr, "", "standard error")
    equal(len(fake.requests), 3, "the number of requests")
    with Fake(answers(show=later)) as fake:
        text = ctl(fake, "show", RUN, "--timeout=2.5", status=3).stderr
    contains(text, "ryusoctl: not now: WrongState: the run is being written down as parked; ask again; asking again until",
             "what is said when it takes long")


@test
def show_tells_where_a_parked_run_stands_and_what_can_be_done():
    equal(show(), f"""\
transfer, run {RUN}
      Status: parked
    Asked by: uid 4294967000
  Request id: order-17
   Submitted: 2025-11-24 15:59:50
       Begun: 2025-11-24 15:59:51
      Module: wallet, build abc123, the current one
      Failed: step 2, fee: HookUnknown: killed by signal 11
     Stopped: step 1, undo_debit: RectifierFailed: disk full
     Remains: step 1, debit

Arguments:
  from = main
  amount = 5
  pin = (secret)
  memo = null

Steps:
  STEP HOOK      STATE    ATTEMPTS UNDONE BY        NOTE
     1 debit     done            1 undo_debit, tell the run stands here
     2 fee       reversed        2 undo_fee
     3 send_mail ahead                              irreversible

A retry calls, in this order:
  undo_debit to undo step 1
  tell to undo step 1

Decided by operators:
  WHEN                DECISION               STEP BY       STATE REASON
  2025-11-24 16:01:40 retry --current-module    1 root (0)       disk is larger

What you can do:
  ryusoctl retry {RUN}
      go on where it stopped, when the cause is removed
  ryusoctl skip {RUN} 1 --reason=TEXT
      step 1: leave it as it is, and undo those before it
  ryusoctl skip {RUN} 1 --undone-by-hand --reason=TEXT
      step 1: the same, when nothing of it remains: you have undone it yourself
""", "the account")


def advice(text):
    return [line.strip() for line in text.split("What you can do:\n")[1].splitlines() if line.startswith("  ryusoctl")]


@test
def show_advises_what_the_daemon_would_take():
    gone, other = ({**SHOWN["module"], "current": False, "available": here} for here in (False, True))
    stopped = {name: {**PARKED["parked"], "name": name} for name in ("Irreversible", "ModuleChanged", "StoreMoved", "Damaged")}
    forward = [{"step": 3, "hook": "send_mail", "rectifying": False}]
    retry, current = f"ryusoctl retry {RUN}", f"ryusoctl retry {RUN} --current-module"
    skips = [f"ryusoctl skip {RUN} 1 --reason=TEXT", f"ryusoctl skip {RUN} 1 --undone-by-hand --reason=TEXT"]
    confirm = f"ryusoctl confirm {RUN} 1 --reason=TEXT"
    cases = [({}, [retry, *skips]), ({"module": gone}, [current, *skips]), ({"module": other}, [retry, current, *skips]),
             ({"parked": stopped["Irreversible"]}, [confirm, *skips]),
             ({"parked": stopped["Irreversible"], "module": gone}, [current, confirm, *skips]),
             ({"parked": stopped["ModuleChanged"], "next": forward, "module": gone}, [current]),
             ({"parked": stopped["StoreMoved"], "next": forward}, [retry]),
             ({"parked": stopped["Damaged"]}, [retry, *skips]),
             ({"parked": stopped["Damaged"], "next": []}, [retry]),
             ({"status": "running", "parked": None}, [f"ryusoctl wait {RUN}", f"ryusoctl cancel {RUN}"]),
             ({"status": "queued", "parked": None}, [f"ryusoctl wait {RUN}", f"ryusoctl cancel {RUN}"])]
    for more, expected in cases:
        equal(advice(show(**more)), expected, f"the advice about {more}")
    for name, sentence in (("StoreMoved", "may be a copy"), ("Damaged", "are damaged"), ("Irreversible", "took effect")):
        contains(show(parked=stopped[name]), sentence, f"the warning about {name}")


@test
def show_says_whether_the_module_is_there():
    for here, current, words in ((False, False, "which is not here any more"), (True, False, "not the current one, but "
                                                                                             "still here")):
        module = {**SHOWN["module"], "available": here, "current": current}
        contains(show(module=module), f"Module: wallet, build abc123, {words}\n", "the account")


@test
def show_of_a_run_that_has_ended_is_its_reply():
    for reply in (SUCCEEDED, RECTIFIED):
        text = show(status=reply["status"], reply=reply, ended_usec=1764000200000000, steps=None, next=None, parked=None,
                    error=None, remaining=None, arguments=None, decisions=None)
        contains(text, f"Status: {reply['status']}\n", "the account")
        contains(text, "Ended: 2025-11-24 16:03:20\n        Took: 3 min 29 s\n", "the account")
        check("What you can do" not in text and "Steps:" not in text, text)
    contains(text, "Undone: step 2, fee; step 1, debit\n", "the account")


@test
def show_of_a_running_run_says_where_it_is():
    text = show(status="running", parked=None, error=None, remaining=None,
                running={"step": 2, "steps": 5, "hook": "credit", "phase": "hook", "attempt": 3})
    contains(text, "Now: step 2 of 5, hook credit, attempt 3\n", "the account")


@test
def a_decision_that_is_not_done_yet_is_marked():
    text = show(decisions=[DECISION, {**DECISION, "verb": "skip", "done": False, "reason": "paid back in cash",
                                      "flags": {"undone_by_hand": True}}])
    contains(text, "skip --undone-by-hand     1 root (0) to be done paid back in cash\n", "the decisions")


@test
def show_without_legend_gives_no_advice():
    with Fake(answers()) as fake:
        check("What you can do" not in ctl(fake, "show", RUN, "--no-legend").stdout, "no advice")


# ---- how a parked run is named ----

@test
def what_cannot_be_an_id_is_refused_and_nothing_is_asked():
    with Fake(answers()) as fake:
        for word in ("", "012", "0123456789abcdef0123456789abcdef0", "wxyz", "0123 ", "0123'", "ABCD"):
            contains(ctl(fake, "show", word, status=64).stderr,
                     "expected a run's id (32 hexadecimal digits, of which the first 4 or more are enough), got ", word)
        equal(fake.requests, [], "what was asked")


main()
