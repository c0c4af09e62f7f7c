#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""ryusoctl reload, against a daemon that is none."""

import json

from ctl import STATUS, answers, ctl, denial
from fake import CLOSE, Fake, Turns
from tap import contains, equal, main, test

NOTHING = {"changed": [], "at_next_start": [], "other_module": False, "module": STATUS["module"], "fitted": 0,
           "refused": 0}


def reloaded(**more):
    return {"result": {**NOTHING, **more}}


def said(answer, *words, **options):
    with Fake(answers(reload=answer)) as fake:
        done = ctl(fake, "reload", *words, **options)
        equal(fake.requests[0], {"call": "reload"}, "what was asked")
        return done


@test
def a_reload_says_what_has_changed():
    equal(said(reloaded()).stdout, "the settings were read again\nmodule wallet, build abc123, stays in use\n",
          "where nothing has changed")
    equal(said(reloaded(changed=["Trace", "MaxDepth"], at_next_start=["RecorderSize"], other_module=True, fitted=7,
                        refused=2)).stdout,
          "the settings were read again\n"
          "changed: Trace=, MaxDepth=\n"
          "from the next start of the daemon on: RecorderSize=\n"
          "module wallet, build abc123, is in use now\n"
          "7 waiting runs go to it\n"
          "2 waiting runs do not fit it, and were refused\n", "where all has")


@test
def where_no_module_is_in_use_that_is_said():
    answer = reloaded()
    del answer["result"]["module"]
    contains(said(answer).stdout, "no module is in use yet\n", "the answer")


@test
def a_reload_can_be_had_as_json_or_without_a_word():
    equal(json.loads(said(reloaded(), "--json").stdout), NOTHING, "the result")
    equal(said(reloaded(), "--quiet").stdout, "", "what is written")


@test
def what_is_wrong_is_shown_with_what_to_do_next():
    message = '/etc/ryuso/ryuso.conf:3: MaxDepth: expected a number from 2 to 512; got "x"; nothing has changed'
    text = said(denial("BadConfig", message), status=3).stderr
    contains(text, message, "the message")
    contains(text, "ryusod --check-config", "what to do next")
    contains(said(denial("NoModule", "cannot open it"), status=3).stderr, "cannot open it", "the message")
    contains(said(denial("NotAllowed", "for operators"), status=77).stderr, "for operators", "the message")


@test
def a_reload_whose_answer_is_lost_is_asked_for_again():
    contains(said(Turns(CLOSE, reloaded(changed=["Trace"]))).stdout, "changed: Trace=\n", "the answer")


main()
