#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""ryusoctl and the pager, and the verbs metrics and instances."""

import json
import os
import socket

from busy import busy
from ctl import RUN, STATUS, answers, ctl, on_terminal
from fake import HANG, Fake
from tap import check, contains, environment, equal, main, program, run, scratch, test

MARK = "sed 's/^/PAGED: /'"
PAGED = ("list", "describe transfer", "runs", "parked", f"show {RUN}", "metrics", "instances")


def metrics(*families):
    return {"result": {"metrics": list(families)}}


FAMILY = {"name": "ryuso_runs_total", "type": "counter", "help": "Runs.",
          "samples": [{"labels": {"program": "a\"b"}, "value": 3}]}


# ---- the pager ----

@test
def what_may_be_long_goes_through_a_pager_on_a_terminal():
    with Fake(answers(metrics=metrics(FAMILY))) as fake:
        for words in PAGED:
            text, status = on_terminal(fake, *words.split(), RYUSO_PAGER=MARK)
            check(text.startswith("PAGED: "), f"{words}: {text!r}")
            equal(status, 0, f"the exit status of {words}")


@test
def without_a_terminal_or_with_no_pager_there_is_none():
    with Fake(answers()) as fake:
        check("PAGED" not in ctl(fake, "runs", RYUSO_PAGER=MARK).stdout, "no terminal")
        for words in (["runs", "--no-pager"], ["runs", "-q"], ["status"], ["ping"]):
            text, _ = on_terminal(fake, *words, RYUSO_PAGER=MARK)
            check("PAGED" not in text, f"{words}: {text!r}")
        text, _ = on_terminal(fake, "runs", RYUSO_PAGER=MARK, TERM="dumb")
        check("PAGED" not in text, f"a terminal that is none: {text!r}")


@test
def the_pager_is_the_first_that_is_set_and_an_empty_one_is_none():
    with Fake(answers()) as fake:
        for variables, paged in (({"SYSTEMD_PAGER": MARK, "PAGER": "false"}, True), ({"PAGER": MARK}, True),
                                 ({"RYUSO_PAGER": MARK, "SYSTEMD_PAGER": "false"}, True),
                                 ({"RYUSO_PAGER": "", "PAGER": MARK}, False), ({"PAGER": "cat"}, False)):
            usual = {"RYUSO_PAGER": None, "SYSTEMD_PAGER": None, "PAGER": None}
            text, _ = on_terminal(fake, "runs", **{**usual, **variables})
            equal("PAGED" in text, paged, str(variables))
            contains(text, RUN[:8], str(variables))


@test
def a_reader_who_has_had_enough_is_no_error():
    families = [dict(FAMILY, name=f"metric_{n}") for n in range(20000)]
    with Fake(answers(metrics=metrics(*families))) as fake:
        text, status = on_terminal(fake, "metrics", RYUSO_PAGER="head -n 1")
    equal((text, status), ("# HELP metric_0 Runs.\n", 0), "what was written, and the exit status")


@test
def the_pager_of_somebody_else_is_not_run():
    with Fake(answers()) as fake:
        place = scratch()
        text, _ = on_terminal(fake, "list", RYUSO_PAGER=f"touch {place}/ran", SUDO_UID="1000")
        check(not (place / "ran").exists(), "the pager that the environment names was run")
        contains(text, "transfer", "what was written")


# ---- metrics ----

@test
def metrics_are_written_as_prometheus_reads_them():
    with Fake(answers(metrics=metrics(FAMILY))) as fake:
        equal(ctl(fake, "metrics").stdout,
              '# HELP ryuso_runs_total Runs.\n# TYPE ryuso_runs_total counter\nryuso_runs_total{program="a\\"b"} 3\n',
              "the text")
        equal(json.loads(ctl(fake, "metrics", "--json=short").stdout), {"metrics": [FAMILY]}, "the JSON")


@test
def the_metrics_of_a_daemon_count_what_it_did():
    with busy() as daemon, daemon.client() as client:
        client.ask({"program": "nothing", "data_pool": {}})
        client.ask({"program": "harm", "data_pool": {"log": "/dev/null", "how": "exit"}})
        text = ctl(daemon.socket, "metrics").stdout
    contains(text, 'ryuso_runs_total{program="nothing",status="succeeded"} 1\n', "the text")
    contains(text, 'ryuso_runs_total{program="harm",status="rectified"} 1\n', "the text")
    contains(text, "# TYPE ryuso_runs_queued gauge\nryuso_runs_queued 0\n", "the text")


# ---- instances ----

def instances(directory, *words, user=None):
    """What is listed of sockets below `directory`."""
    command = [program("ryusoctl"), "instances", "--json", *words]
    if user:
        command = ["setpriv", f"--reuid={user}", "--clear-groups", *command]
    done = run(*command, env=environment(XDG_RUNTIME_DIR=directory, RYUSO_SOCKET=None))
    return {item["instance"]: item for item in json.loads(done.stdout)["instances"] if item["scope"] == "user"}


def listen(path):
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen()
    return listener


@test
def each_socket_is_listed_with_what_is_behind_it():
    base = scratch()
    place = base / "ryuso"
    place.mkdir()
    listen(place / "dead.sock").close()
    (place / "file.sock").write_text("")
    (place / "other").write_text("")
    with busy(directory=place) as daemon:
        os.rename(daemon.socket, place / "wallet.sock")
        found = instances(base)
        os.rename(place / "wallet.sock", daemon.socket)
    equal(set(found), {"dead", "wallet"}, "the instances")
    equal(found["dead"], {"instance": "dead", "scope": "user", "socket": str(place / "dead.sock"), "state": "dead"},
          "a socket at which nobody listens")
    wallet = found["wallet"]
    equal((wallet["state"], wallet["module"], wallet["queued"], wallet["parked"], wallet["held"]),
          ("running", "busy", 0, 0, False), "one with a daemon")


@test
def one_that_does_not_answer_is_silent():
    base = scratch()
    (base / "ryuso").mkdir()
    with Fake(answers(status=HANG), directory=base / "ryuso"):
        equal(instances(base)["fake"]["state"], "silent", "the state")


@test
def one_that_is_not_for_who_asks_is_closed():
    base = scratch()
    (base / "ryuso").mkdir()
    base.chmod(0o755)
    with Fake(answers(), directory=base / "ryuso") as fake:
        os.chmod(fake.path, 0o600)
        if os.geteuid() == 0:
            equal(instances(base, user="nobody")["fake"]["state"], "closed", "the state")
        equal(instances(base)["fake"]["state"], "running", "the state for its owner")


@test
def the_socket_that_is_named_is_listed_too():
    with Fake(answers(status={"result": {**STATUS, "held": True}})) as fake:
        text = ctl(fake, "instances", XDG_RUNTIME_DIR=scratch()).stdout
    check([line.split() for line in text.splitlines() if fake.path in line] ==
          [["-", "named", "held", "wallet", "transfer", "7", "0", fake.path]], text)


main()
