#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""ryusoctl and a connection that breaks, or a daemon that is being restarted: it asks until it has the answer."""

import json
import re
import signal
import subprocess

from ctl import EVENTS, PARKED, RECTIFIED, RUN, SUCCEEDED, WORDS, answers, ctl, denial, refusal
from fake import CLOSE, HANG, Dribble, Fake, Turns
from tap import check, contains, environment, equal, main, program, scratch, test

# whoever runs the tests in the background of a shell has it ignored, and so would what is started here
signal.signal(signal.SIGINT, signal.SIG_DFL)

BROKE = "ryusoctl: the connection broke before the answer came; reconnecting\nryusoctl: reconnected; asking again\n"


class Background:
    """ryusoctl, while the test does something else. What it says on standard error is read line by line."""

    def __init__(self, fake, *words):
        self.process = subprocess.Popen([program("ryusoctl"), "--socket", fake.path, *words], env=environment(),
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True)
        self.said = ""

    def wait_for(self, text):
        while text not in self.said:
            line = self.process.stderr.readline()
            check(line, f"expected it to say {text!r}, but it ended; it said {self.said!r}")
            self.said += line

    def end(self, status):
        """Standard output."""
        output, rest = self.process.communicate(timeout=60)
        self.said += rest
        equal(self.process.returncode, status, f"the exit status of what said {self.said!r}")
        return output


def one_request(fake):
    """The request, which was made more than once, each time the same."""
    check(len(fake.requests) > 1, f"expected it to be asked again, got {fake.requests}")
    check(all(request == fake.requests[0] for request in fake.requests), f"expected them all to be equal: {fake.requests}")
    return fake.requests[0]


# ---- where the connection is cut ----

@test
def a_connection_that_ends_before_the_request_is_read_is_made_anew():
    with Fake(answers(), on_connect=Turns(CLOSE, b"")) as fake:
        done = ctl(fake, "run", "transfer")
    equal(len(fake.requests), 1, "the number of requests that were read")
    contains(done.stdout, "transfer succeeded", "the report")
    equal(done.stderr, BROKE, "standard error")


@test
def a_request_that_was_read_and_not_answered_is_made_again_with_its_id():
    with Fake(answers(transfer=Turns(CLOSE, RECTIFIED))) as fake:
        done = ctl(fake, "run", "transfer", "--json=short", status=1)
    check(re.fullmatch("[0-9a-f]{32}", one_request(fake)["request_id"]), "a request id")
    equal(json.loads(done.stdout), RECTIFIED, "the reply")
    equal(done.stderr, BROKE, "standard error")


@test
def of_a_reply_that_breaks_off_anywhere_nothing_is_believed():
    first, second = json.dumps(SUCCEEDED).encode(), RECTIFIED
    for cut in [*range(1, len(first), 23), len(first) - 1]:
        with Fake(answers(transfer=Turns([first[:cut], CLOSE], second))) as fake:
            done = ctl(fake, "run", "transfer", status=1)
        one_request(fake)
        equal(done.stdout, "", f"standard output after {cut} bytes")
        contains(done.stderr, BROKE + "transfer was rectified", f"standard error after {cut} bytes")


@test
def a_reply_is_taken_when_it_is_whole_and_a_second_one_that_differs_is_not_looked_at():
    with Fake(answers(transfer=[SUCCEEDED, RECTIFIED, CLOSE])) as fake:
        contains(ctl(fake, "run", "transfer").stdout, "transfer succeeded", "the report")
    with Fake(answers(transfer=[json.dumps(SUCCEEDED).encode(), CLOSE])) as fake:
        contains(ctl(fake, "run", "transfer").stdout, "transfer succeeded", "the report without a newline")
    equal(len(fake.requests), 1, "the number of requests")


@test
def it_asks_as_often_as_it_must_and_says_so_once():
    with Fake(answers(transfer=Turns(*[CLOSE] * 5, SUCCEEDED))) as fake:
        equal(ctl(fake, "run", "transfer").stderr, BROKE, "standard error")
    equal(len(fake.requests), 6, "the number of requests")


@test
def an_id_that_was_given_is_the_one_that_is_used_again():
    with Fake(answers(transfer=Turns(CLOSE, SUCCEEDED))) as fake:
        ctl(fake, "run", "transfer", "--request-id=order-17")
    equal(one_request(fake)["request_id"], "order-17", "the request id")


@test
def the_types_of_arguments_are_asked_for_again_too():
    with Fake(answers(describe=Turns(CLOSE, [b'{"result": {', CLOSE], answers()["describe"]))) as fake:
        ctl(fake, "run", "transfer", "amount=5")
    equal([request.get("call", "run") for request in fake.requests], ["describe", "describe", "describe", "run"],
          "what was asked")
    equal(fake.requests[-1]["data_pool"], {"amount": 5}, "the data pool")


@test
def a_question_that_only_looks_is_not_asked_again():
    for words in (["status"], ["ping"], ["list"]):
        with Fake(answers(**{words[0]: CLOSE})) as fake:
            contains(ctl(fake, *words, status=69).stderr, f"before it answered '{words[0]}'", "the message")
        equal(len(fake.requests), 1, "the number of requests")


# ---- a daemon that is away for a while ----

@test
def a_daemon_that_is_away_for_a_while_is_waited_for():
    for keep, reason in ((False, "No such file or directory"), (True, "Connection refused")):
        def leave(_):
            fake.away(keep_socket=keep)
            return CLOSE

        with Fake(answers(transfer=leave)) as fake:
            background = Background(fake, "run", "transfer")
            background.wait_for(f"cannot connect to {fake.path} ({reason}); trying until it is possible\n")
            fake.answers["transfer"] = SUCCEEDED
            fake.back()
            contains(background.end(0), "transfer succeeded", "the report")
            contains(background.said, "reconnected; asking again\n", "standard error")
            one_request(fake)


@test
def a_daemon_that_was_never_there_is_not_waited_for():
    done = ctl(scratch() / "none.sock", "run", "transfer", status=69)
    contains(done.stderr, "there is no socket", "the message")


@test
def the_time_of_timeout_ends_the_waiting_and_what_it_says_is_how_to_ask_again():
    def leave(_):
        fake.away()
        return CLOSE

    with Fake(answers(transfer=leave)) as fake:
        text = ctl(fake, "run", "transfer", "--timeout=0.3", "--request-id=order 17's", status=75).stderr
        contains(text, "no answer came within the time of --timeout: the outcome of transfer is unknown: it may have run",
                 "the message")
        contains(text, f"ryusoctl --socket {fake.path} run --request-id='order 17'\\''s' transfer …\n", "how to ask again")


@test
def a_request_that_no_daemon_ever_took_whole_did_not_run():
    big = scratch() / "big.json"
    big.write_text(json.dumps({"from": "z" * (8 << 20)}))
    with Fake({}, on_connect=[CLOSE]) as fake:
        text = ctl(fake, "run", "transfer", "--data", f"@{big}", status=69).stderr
    contains(text, "had not taken the whole request: nothing ran", "the message")


# ---- a daemon that says not now ----

@test
def a_daemon_that_is_starting_or_ending_is_asked_again_and_that_is_said_once():
    for name in ("Recovering", "ShuttingDown"):
        refused = refusal(name, "give it a moment", retry=True)
        with Fake(answers(transfer=Turns(refused, refused, [refused, CLOSE], SUCCEEDED))) as fake:
            done = ctl(fake, "run", "transfer")
        one_request(fake)
        contains(done.stdout, "transfer succeeded", name)
        equal(done.stderr, f"ryusoctl: not now: {name}: give it a moment; asking again until it is answered\n", name)


@test
def without_a_request_id_too_for_then_nothing_ran():
    with Fake(answers(transfer=Turns(refusal("Recovering", retry=True), SUCCEEDED))) as fake:
        ctl(fake, "run", "transfer", "--no-request-id")
    equal(len(fake.requests), 2, "the number of requests")


@test
def what_was_only_ever_refused_did_not_run_and_exits_3():
    with Fake(answers(transfer=refusal("Recovering", "still busy", retry=True))) as fake:
        text = ctl(fake, "run", "transfer", "--timeout=0.2", status=3).stderr
    contains(text, "transfer was refused: nothing ran\n  failed   Recovering: still busy\n", "the report")


@test
def what_was_refused_after_a_connection_broke_may_have_run():
    with Fake(answers(transfer=Turns(CLOSE, refusal("Recovering", retry=True)))) as fake:
        contains(ctl(fake, "run", "transfer", "--timeout=0.3", status=75).stderr, "the outcome of transfer is unknown",
                 "the message")


@test
def refusals_are_final_but_those():
    for name in ("QueueFull", "NoModule", "NotStarted", "StoreDamaged", "StoreBusy", "TooManyConnections", "WrongType"):
        with Fake(answers(transfer=refusal(name, retry=True))) as fake:
            ctl(fake, "run", "transfer", status=3)
        equal(len(fake.requests), 1, f"the number of requests that were refused with {name}")
    with Fake(answers(transfer=refusal("Recovering", retry=False))) as fake:
        ctl(fake, "run", "transfer", status=3)
    equal(len(fake.requests), 1, "the number of requests")


@test
def after_a_connection_broke_only_who_knows_the_request_id_can_refuse():
    """A daemon that could not look it up has not said that nothing ran."""
    for name in ("TooManyConnections", "StoreBusy", "StoreDamaged"):
        with Fake(answers(transfer=Turns(CLOSE, [refusal(name, retry=True), CLOSE], SUCCEEDED))) as fake:
            ctl(fake, "run", "transfer")
        equal(len(fake.requests), 3, f"the number of requests with {name}")
    with Fake(answers(transfer=Turns(CLOSE, refusal("QueueFull", retry=True)))) as fake:
        ctl(fake, "run", "transfer", status=3)


@test
def a_run_that_failed_for_the_restart_is_a_reply_and_no_refusal():
    reply = dict(RECTIFIED, error={"name": "Interrupted", "message": "the daemon was killed", "retry": True})
    with Fake(answers(transfer=reply)) as fake:
        contains(ctl(fake, "run", "transfer", status=1).stderr, "the same may succeed if it is asked again\n", "the hint")
    equal(len(fake.requests), 1, "the number of requests")


# ---- with --follow ----

@test
def events_are_shown_once_whatever_comes_again():
    cases = {"only what is new": EVENTS[5:], "all of it": EVENTS, "some of it": EVENTS[2:]}
    for what, second in cases.items():
        with Fake(answers(transfer=Turns([*EVENTS[:5], CLOSE], second))) as fake:
            done = ctl(fake, "run", "transfer", "-f", status=1)
        equal(done.stdout, WORDS, f"the lines where {what} comes")
        contains(done.stderr, BROKE, "standard error")
        with Fake(answers(transfer=Turns([*EVENTS[:5], CLOSE], second))) as fake:
            text = ctl(fake, "run", "transfer", "-f", "--json=short", status=1).stdout
        lines = [json.loads(line) for line in text.splitlines()]
        equal([line for line in lines if line.get("event") != "something_new"],
              [line for line in EVENTS if line.get("event") != "something_new"], f"the JSON where {what} comes")


@test
def an_event_that_is_cut_off_comes_again():
    text = json.dumps(EVENTS[2]).encode()
    with Fake(answers(transfer=Turns([*EVENTS[:2], text[:len(text) // 2], CLOSE], EVENTS))) as fake:
        equal(ctl(fake, "run", "transfer", "-f", status=1).stdout, WORDS, "the lines")


@test
def each_break_is_said_where_something_came_in_between():
    with Fake(answers(transfer=Turns([*EVENTS[:3], CLOSE], [EVENTS[4], CLOSE], EVENTS[5:]))) as fake:
        equal(ctl(fake, "run", "transfer", "-f", status=1).stderr.count(BROKE), 2, "the number of times that it is said")


# ---- submit and wait ----

@test
def a_submission_is_made_once():
    queued = dict(SUCCEEDED, status="queued", success=None)
    with Fake(answers(transfer=Turns(CLOSE, [b'{"run"', CLOSE], queued))) as fake:
        done = ctl(fake, "submit", "transfer")
    equal(one_request(fake)["wait"], False, "whether it waits")
    equal(done.stdout, RUN + "\n", "standard output")


@test
def a_run_is_waited_for_over_restarts():
    with Fake(answers(wait=Turns(CLOSE, denial("Recovering", retry=True), [Dribble(b'{"result": {'), CLOSE],
                                 {"result": PARKED}))) as fake:
        done = ctl(fake, "wait", RUN, status=2)
    equal(one_request(fake), {"call": "wait", "parameters": {"run": RUN}}, "what was asked")
    contains(done.stderr, "transfer is PARKED", "the report")


@test
def a_wait_that_is_not_answered_in_time_says_how_to_wait_again():
    with Fake(answers(wait=HANG)) as fake:
        text = ctl(fake, "wait", RUN, "--timeout=0.2", status=75).stderr
        contains(text, "the outcome is not known yet, and what goes on goes on\n", "the message")
        contains(text, f"  next     wait again:  ryusoctl --socket {fake.path} wait {RUN}\n", "the message")


# ---- who does not want to wait any longer ----

@test
def a_signal_ends_it_by_that_signal_and_it_says_how_to_ask_again():
    for number in (signal.SIGINT, signal.SIGTERM):
        for answer in (CLOSE, [EVENTS[0], HANG]):
            with Fake(answers(transfer=Turns(answer, HANG))) as fake:
                background = Background(fake, "run", "transfer", "-f")
                if answer is CLOSE:
                    background.wait_for("reconnected")
                else:
                    background.process.stdout.readline()
                background.process.send_signal(number)
                background.end(-number)
                contains(background.said, "interrupted before the answer came: the outcome of transfer is unknown",
                         "the message")
                contains(background.said, f"--request-id={fake.requests[0]['request_id']} transfer …\n", "the message")


@test
def a_signal_while_nobody_listens_ends_it_too():
    def leave(_):
        fake.away()
        return CLOSE

    with Fake(answers(wait=leave)) as fake:
        background = Background(fake, "wait", RUN, RUN)
        background.wait_for("cannot connect")
        background.process.send_signal(signal.SIGINT)
        background.end(-signal.SIGINT)
        equal(background.said.count("wait again:"), 1, "how often it says how to wait again")


main()
