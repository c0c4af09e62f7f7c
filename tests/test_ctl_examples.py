#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The examples of ryusoctl(1): each verb has one, and all of them work as they stand with the example wallet, beside a
daemon that writes to a journal; and each verb can write JSON."""

import json
import re

import man_commands
from ctl import ctl
from journal import beside_journald
from surroundings import follow, wallet
from tap import check, contains, equal, main, program, run, scratch, test

PAGE = "ryusoctl.1"

beside_journald()


def verbs_of_ryusoctl():
    text = run(program("ryusoctl"), "--help").stdout.split("Options:")[0]
    return set(re.findall(r"^  ([a-z]+) ", text, re.MULTILINE))


def verbs_used(commands):
    """The verbs in command lines, wherever in them ryusoctl is called."""
    found = set()
    for command in commands:
        for words in re.findall(r"ryusoctl((?: +[^\s|)]+)+)", command):
            verbs = [word for word in words.split() if word in KNOWN]
            found.update(verbs[:1])
    return found


KNOWN = verbs_of_ryusoctl()


@test
def every_verb_has_an_example_that_runs_beside_a_live_daemon():
    check(len(KNOWN) >= 20, f"expected the verbs, got {KNOWN}")
    lines = man_commands.source(PAGE)
    first = lines.index(".Sh EXAMPLES") + 1
    examples = [step.text for step in man_commands.steps(PAGE) if not step.name and not step.root and step.line > first]
    equal(KNOWN - verbs_used(examples), set(), "verbs without an example that a test runs")


@test
def the_commands_of_ryusoctl_1_work_as_they_stand():
    with wallet(env={"RYUSO_LOG": None}) as daemon:
        text = follow(PAGE, RYUSO_SOCKET=daemon.socket, XDG_RUNTIME_DIR=scratch())
    for part in ("transfer succeeded", '"status": "succeeded"', "answers at", "State: ", "transfer: step 1 of ",
                 "RectifierFailed: Blocked: ", "clear_away to undo step 1", "stuck_drill was rectified",
                 "stuck_drill was settled by an operator", "letter_drill was settled by an operator",
                 'ryuso_runs_total{program="transfer",status="succeeded"} ', "the queue is held", "the queue goes on"):
        contains(text, part, "what the commands wrote")
    check(re.search(r"statement.*\n2505\n", text), f"expected the balance of rent: {text}")
    check(re.search(r"nowhere.*\ntransfer was rectified(.*\n)*?1\n", text), f"expected a rectified transfer: {text}")


def parked(daemon, obstacle):
    """The id of a run that is parked by an obstacle that is there no more."""
    obstacle.touch()
    reply = json.loads(ctl(daemon.socket, "run", "stuck_drill", f"obstacle={obstacle}", "--json", status=2).stdout)
    obstacle.unlink()
    return reply["run"]


# What --json writes of each verb: words of the command line ("RUN": a run that has ended, "PARKED": one that is parked,
# "OBSTACLE": a path at which nothing is), and members of the last object; the exit status where it is not 0.
JSON = {
    "run": (["stuck_drill", "obstacle=OBSTACLE"], "run program success status data_pool error rectified remaining", 1),
    "submit": (["open_account", "account=later"], "run program status", 0),
    "wait": (["RUN"], "run program success status data_pool error", 0),
    "cancel": (["RUN"], "error", 3),
    "runs": ([], "runs more", 0),
    "watch": (["RUN"], "run program success status data_pool error", 0),
    "log": (["RUN"], "usec priority message fields", 0),
    "list": ([], "programs", 0),
    "describe": (["transfer"], "name description args outputs steps", 0),
    "status": ([], "version instance state queued parked runs held connections", 0),
    "metrics": ([], "metrics", 0),
    "instances": ([], "instances", 0),
    "ping": ([], "instance version", 0),
    "parked": ([], "runs", 0),
    "show": (["RUN"], "run program status peer_uid request_id", 0),
    "retry": (["PARKED"], "run program success status data_pool error rectified remaining", 1),
    "skip": (["PARKED", "1", "--reason=x"], "run program success status data_pool error", 4),
    "confirm": (["PARKED", "1", "--reason=x"], "error", 3),
    "hold": ([], "held", 0),
    "resume": ([], "held", 0),
    "reload": ([], "", 0),
}


@test
def every_verb_writes_json_in_both_styles():
    equal(set(JSON), KNOWN, "the verbs that are tried")
    with wallet(env={"RYUSO_LOG": None}) as daemon:
        ctl(daemon.socket, "run", "open_account", "account=main")
        [ended] = [run["run"] for run in json.loads(ctl(daemon.socket, "runs", "--json").stdout)["runs"]]
        run("journalctl", "--sync")
        for verb, (words, members, status) in JSON.items():
            for style in ("short", "pretty"):
                obstacle = scratch() / "obstacle"
                stuck = parked(daemon, obstacle) if "PARKED" in words else None
                given = [{"RUN": ended, "PARKED": stuck}.get(word, word).replace("OBSTACLE", str(obstacle))
                         for word in words] + (["--request-id=" + style + verb] if verb in ("run", "submit") else [])
                text = ctl(daemon.socket, verb, *given, f"--json={style}", status=status).stdout
                values = parse(text, verb)
                if style == "short":
                    equal(text.count("\n"), len(values), f"{verb}: lines")
                equal(set(members.split()) - set(values[-1]), set(), f"{verb}: members that are missing in {text}")


def parse(text, verb):
    """The JSON objects that stand in a text one after another."""
    decoder, values, at = json.JSONDecoder(), [], 0
    while at < len(text):
        value, at = decoder.raw_decode(text, at)
        values.append(value)
        at += len(text[at:]) - len(text[at:].lstrip())
    check(values, f"{verb}: no JSON in {text!r}")
    return values


main()
