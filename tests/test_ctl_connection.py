#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""ryusoctl and a daemon that is not there, breaks off, or says what no daemon says."""

import json
import os
import socket
import threading

from ctl import (EVENTS, PARKED, PARKED_RUNS, PROGRAMS, RUN, SHOWN, STATUS, SUCCEEDED, TRANSFER, WORDS, answers, asked,
                 ctl, denial, event, on_terminal, refusal)
from fake import CLOSE, HANG, Dribble, Fake
from tap import check, contains, environment, equal, main, program, run, scratch, test


@test
def without_a_socket_it_exits_69_and_says_how_to_start_it():
    done = ctl("/no/such/socket", "ping", status=69)
    equal(done.stderr,
          "ryusoctl: there is no socket /no/such/socket; is ryusod running with --socket /no/such/socket?\n",
          "the message")
    for words, unit, path in ((["ping"], "ryuso.socket", "ryuso"), (["-I", "no_such", "ping"], "ryuso@no_such.socket",
                                                                    "no_such")):
        if os.path.exists(f"/run/ryuso/{path}.sock"):
            continue
        env = environment(RYUSO_SOCKET=None)
        equal(run(program("ryusoctl"), *words, status=69, env=env).stderr,
              f"ryusoctl: there is no socket /run/ryuso/{path}.sock; start it with:  systemctl start {unit}\n",
              "the message")


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
        cases = ((fake.path, 0o060,
                  f"it belongs to group {group}. Add yourself:  usermod -aG {group} {user}  (as root;"),
                 (fake.path, 0, "only its owner may connect"), (os.path.dirname(fake.path), 0,
                                                                "a directory above it is closed"))
        for path, mode, message in cases:
            before = os.stat(path).st_mode
            os.chmod(path, mode)
            try:
                text = without_privilege(program("ryusoctl"), "--socket", fake.path, "run", "transfer",
                                         status=77).stderr
            finally:
                os.chmod(path, before)
            contains(text, f"not allowed to connect to {fake.path}: {message}", "the message")
        equal(fake.requests, [], "what was asked")


@test
def without_a_request_id_a_connection_that_ends_before_the_reply_leaves_the_outcome_unknown():
    with Fake(answers(transfer=CLOSE)) as fake:
        done = ctl(fake, "run", "transfer", "--no-request-id", status=75)
        equal(asked(fake), [{"program": "transfer", "data_pool": {}}], "what was asked")
    equal(done.stdout, "", "standard output")
    contains(done.stderr, "the daemon ended the connection before it answered: the outcome of transfer is unknown",
             "the message")
    contains(done.stderr, "do not simply ask again", "the message")
    contains(done.stderr, "journalctl RYUSO_PROGRAM=transfer", "the way to find out")


@test
def a_followed_run_whose_connection_ends_is_found_by_its_id():
    with Fake(answers(transfer=[*EVENTS[:4], CLOSE])) as fake:
        text = ctl(fake, "run", "transfer", "-f", "--no-request-id", status=75).stderr
        contains(text, f"  wait     ryusoctl --socket {fake.path} wait {RUN}\n", "the way to find out")
        contains(text, f"ryusoctl --socket {fake.path} log {RUN}", "the way to find out")


@test
def no_answer_in_time_exits_75():
    with Fake(answers(transfer=HANG, ping=HANG)) as fake:
        text = ctl(fake, "run", "transfer", "--timeout=0.2", status=75).stderr
        contains(text, "no answer came within the time of --timeout: the outcome of transfer is unknown", "the message")
        contains(text, f"ryusoctl --socket {fake.path} run --request-id={fake.requests[-1]['request_id']} transfer …\n",
                 "how to ask again")
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
            contains(ctl(path, "ping", "--timeout=0.2", status=69).stderr,
                     "took no connection within the time of --timeout",
                     "the message")


@test
def what_answers_garbage_is_no_daemon():
    for garbage in (b"hello\n", b"\0\0\0\0", b"[1]\n", b"{}\n", b'{"result": 5}\n', b'{"a": 1e999}\n',
                    b'{"a": "\xff"}\n',
                    b"HTTP/1.1 400 Bad Request\r\n\r\n", b'{"a": 1, "a": 2}\n', b"{" * 1000, b'{"a":' * 1000):
        with Fake(answers(transfer=[garbage, CLOSE], list=[garbage, CLOSE])) as fake:
            words = ["run", "transfer", "--timeout=0.2"] if garbage[-1:] != b"\n" else ["run", "transfer"]
            contains(ctl(fake, *words, status=75).stderr, "the outcome of transfer is unknown", str(garbage))
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

    cases = [(["run", "transfer", "--follow"], "transfer", [*EVENTS[:5], PARKED]), (["describe", "transfer"],
                                                                                    "describe",
             [{"result": TRANSFER}]), (["status"], "status", [{"result": STATUS}]), (["parked"], "parked", [{"result": {"runs": PARKED_RUNS}}]),
             (["show", RUN], "show", [{"result": SHOWN}]), (["wait", RUN], "wait", [{"result": PARKED}]),
             (["retry", RUN], "show", [{"result": SHOWN}])]
    for words, name, replies in cases:
        bent = [[*replies[:i], other, *replies[i + 1:]] for i,
                reply in enumerate(replies) for other in bend(reply)][::7]
        for answer in bent:
            with Fake(answers(**{name: [*answer, CLOSE]})) as fake:
                done = ctl(fake, *words, "--timeout=10", status=None)
                check(done.returncode in (0, 1, 2, 3, 4, 69, 75, 77),
                      f"{answer}: exit status {done.returncode} {done.stderr}")
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
                      refused=dict(poison(refusal("x")), status="refused"),
                      parked=poison({"result": {"runs": PARKED_RUNS}}), show=poison({"result": SHOWN}),
                      retry=poison(denial("x")))) as fake:
        for words, status in ((["list"], 0), (["status"], 0), (["describe", "transfer"], 0), (["ping"], 0),
                              (["run", "transfer", "-f"], 2), (["run", "refused"], 3), (["run", "transfer", "amount=5"],
                                                                                        64),
                              (["run", "transfer", "--follow", "--json=short"], 2), (["status", "--json"], 0), (["parked"], 0), (["show", RUN], 0), (["retry", RUN], 3)):
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
