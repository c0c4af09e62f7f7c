#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The calls `runs` and `watch`: what is running, what waits, what is parked, what was; and how one of them goes on."""

import json
import os
import select
import time

from shop import As, Shop, build, call, refused, result
from tap import check, contains, equal, main, skip, test, wait_for

STRANGER = 54321


def runs(client, **parameters):
    return result(client, "runs", **parameters)["runs"]


def words(found):
    return [(run["program"], run["status"]) for run in found]


def begin(shop, client, hook="charge", **members):
    """A run that waits in this hook. Returns its id."""
    shop.let(hook, "wait")
    client.send(shop.order(**members))
    with shop.one.client() as other:
        return wait_for(lambda: [run["run"] for run in runs(other) if run["hook"] == hook], f"{hook} to run")[0]


class Desk(Shop):
    """With one daemon."""

    def __init__(self, module=None):
        super().__init__()
        self.module = module

    def __enter__(self):
        self.one = self.daemon(self.module)
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.one.stop()

    def client(self):
        return self.one.client()


@test
def a_run_that_has_just_ended_is_listed_shown_and_waited_for_at_once():
    with Desk() as shop, shop.client() as client:
        reply = client.ask(shop.order("launch"))
        for _ in range(3):
            found = runs(client)
            equal([(run["run"], run["status"]) for run in found], [(reply["run"], "succeeded")], "the runs")
        equal(result(client, "show", run=reply["run"])["status"], "succeeded", "what is shown")
        equal(result(client, "wait", run=reply["run"])["status"], "succeeded", "what is waited for")
        glance = client.ask(shop.order("glance"))
        equal(result(client, "wait", run=glance["run"])["status"], "succeeded", "one of durability process")
        wait_for(lambda: result(client, "status")["ledger"]["works"] >= 2, "the ledger to have both")
        equal(words(runs(client)), [("glance", "succeeded"), ("launch", "succeeded")], "the runs once they are written")


@test
def the_runs_are_in_order_running_queued_parked_and_ended_with_the_newest_first():
    with Desk() as shop, shop.client() as client, shop.client() as busy:
        before = time.time()
        succeeded = client.ask(shop.order())["run"]
        parked = [shop.park(client)["run"] for _ in range(2)]
        shop.let("refund", None)
        rectified = client.ask(shop.order(request_id="again"))["run"]
        running = begin(shop, busy)
        submitted = client.ask(shop.order(wait=False, request_id="later"))["run"]
        client.send(shop.order("glance"))
        with shop.client() as other:
            found = wait_for(lambda: (lambda some: some if len(some) == 7 else None)(runs(other)), "all runs")
            equal(words(found), [("order", "running"), ("order", "queued"), ("glance", "queued"), ("order", "parked"),
                                 ("order", "parked"), ("order", "rectified"), ("order", "succeeded")], "the runs")
            equal([found[i]["run"] for i in (0, 1, 3, 4, 5, 6)],
                  [running, submitted, parked[1], parked[0], rectified, succeeded], "their ids")
            first, queued, stands, failed = found[0], found[1], found[3], found[5]
            equal((first["step"], first["steps"], first["hook"], first["error"]), (2, 3, "charge", None), "the first")
            check(before <= first["submitted"] <= first["began"] <= time.time() and first["ended"] is None,
                  f"the times of {first}")
            equal((first["uid"], first["pid"]), (os.getuid(), os.getpid()), "who asked")
            equal((queued["step"], queued["hook"], queued["began"], queued["request_id"]), (None, None, None, "later"),
                  "one that waits")
            equal((stands["step"], stands["hook"], stands["error"]["name"], stands["error"]["reason"]),
                  (2, "refund", "HookFailed", "OutOfOrder"), "a parked one")
            equal((failed["step"], failed["steps"], failed["hook"]), (3, 3, "ship"), "one that failed")
            equal(failed["error"], {"name": "HookFailed", "reason": "OutOfOrder", "message": "ship does not work today"},
                  "its error")
            check(failed["began"] <= failed["ended"], f"the times of {failed}")
            equal(words(runs(other, status="queued")), [("order", "queued"), ("glance", "queued")], "what waits")
            equal(len(runs(other, status="unfinished")), 5, "what has not ended")
            equal(words(runs(other, status="recent")), [("order", "rectified"), ("order", "succeeded")], "what has")
            equal(words(runs(other, program="glance")), [("glance", "queued")], "one program's")
            equal(runs(other, program="nothing"), [], "those of none")
            equal(runs(other, uid=STRANGER), [], "a stranger's")
            equal(len(runs(other, uid=os.getuid())), 7, "one's own")
            equal(len(runs(other, since=int(before))), 7, "since it began")
            equal(runs(other, since=int(time.time()) + 60), [], "since later")
            for limit in range(1, 8):
                answer = result(other, "runs", limit=limit)
                equal((answer["runs"], answer["more"]), (found[:limit], limit < 7), f"the first {limit}")
        shop.let("charge", None)
        shop.let("ship", None)
        equal(busy.reply()["status"], "succeeded", "the run")
        equal(client.reply()["status"], "succeeded", "the one that waited")


@test
def what_is_on_its_way_back_is_said_to_be():
    with Desk() as shop, shop.client() as client, shop.client() as other:
        shop.let("ship", "fail")
        shop.let("refund", "wait")
        client.send(shop.order())
        found = wait_for(lambda: runs(other, status="rectifying"), "a rectifying run")
        equal((found[0]["step"], found[0]["hook"]), (2, "refund"), "where it is")
        equal(runs(other, status="running"), [], "what runs forward")
        shop.let("refund", None)
        equal(client.reply()["status"], "rectified", "the run")


@test
def what_was_is_listed_by_the_next_daemon_too():
    shop = Shop()
    with shop.daemon() as daemon, daemon.client() as client:
        parked = shop.park(client)
        shop.let("ship", None)
        client.ask(shop.order("glance"))
        before = runs(client)
    with shop.daemon() as daemon, daemon.client() as client:
        found = runs(client)
        equal([run["run"] for run in found], [run["run"] for run in before], "the runs")
        equal((found[0]["run"], found[0]["error"]), (parked["run"], before[0]["error"]), "the parked one")
        equal(found[1]["submitted"], None, "when a plain request was made, later")


@test
def nonsense_is_refused_by_name():
    cases = [({"status": "runing"}, 'did you mean "running"'), ({"limit": 0}, "from 1 to 1000, got 0"),
             ({"limit": 1001}, "from 1 to 1000, got 1001"), ({"since": -1}, "since: expected"),
             ({"uid": 2 ** 32 - 1}, "uid: expected"), ({"uid": "root"}, "uid: expected int"),
             ({"user": 1}, "expected status, program, uid, since, limit")]
    with Desk() as shop, shop.client() as client:
        for parameters, message in cases:
            refused(client, "runs", "BadRequest", message, **parameters)


@test
def others_see_their_own_runs_alone():
    if os.geteuid() != 0:
        skip("only root can be another user")
    with Desk() as shop, shop.client() as client:
        os.chmod(shop.directory, 0o755)
        os.chmod(shop.one.socket, 0o666)
        shop.let("charge", None)
        client.ask(shop.order())
        with As(shop.one.socket, STRANGER) as other:
            equal(runs(other), [], "a stranger's view")
            equal(runs(other, uid=0), [], "of root")
            own = other.ask(shop.order())["run"]
            for parameters in ({}, {"uid": STRANGER}, {"status": "recent"}):
                equal([run["run"] for run in runs(other, **parameters)], [own], f"the view with {parameters}")
            equal(runs(other, uid=0), [], "of root, still")
        equal(len(runs(client)), 2, "an operator's view")
        equal([run["run"] for run in runs(client, uid=STRANGER)], [own], "an operator's view of a stranger")


def watch(client, run_id):
    client.send({"id": "w", "call": "watch", "parameters": {"run": run_id}})
    return client.reply()


@test
def a_running_run_is_watched_to_its_end():
    with Desk() as shop, shop.client() as client, shop.client() as other:
        run_id = begin(shop, client)
        first = watch(other, run_id)
        equal({key: first.get(key) for key in ("id", "event", "state", "run", "program", "step", "steps", "hook", "attempt")},
              {"id": "w", "event": "state", "state": "running", "run": run_id, "program": "order", "step": 2,
               "steps": 3, "hook": "charge", "attempt": 1}, "the first event")
        check(first["usec"] > 0 and first["run_usec"] >= first["usec"] and "status" not in first, f"{first}")
        hand = other.reply()
        equal((hand["event"], hand["hook"], hand.get("outcome"), hand["step"], hand["steps"]),
              ("hook", "charge", None, 2, 3), "what is said of a hook that takes a while")
        check(hand["usec"] >= first["usec"], f"the times of {first} and {hand}")
        shop.let("ship", "fail")
        shop.let("charge", None)
        events = [other.reply() for _ in range(4)]
        equal([(event["event"], event["hook"], event["step"], event["outcome"]) for event in events],
              [("hook", "charge", 2, "ok"), ("hook", "ship", 3, "failed"), ("rectifier", "refund", 2, "ok"),
               ("rectifier", "unbook", 1, "ok")], "the events")
        answer, reply = other.reply(), client.reply()
        equal(answer, {"id": "w", "result": reply}, "the answer")
        equal(reply["status"], "rectified", "the run")


@test
def a_queued_run_is_watched_from_its_place_in_the_queue():
    with Desk() as shop, shop.client() as client, shop.client() as other, shop.client() as third:
        begin(shop, client)
        later = third.ask(shop.order(wait=False))["run"]
        equal({key: value for key, value in watch(other, later).items() if key != "run"},
              {"id": "w", "event": "state", "state": "queued", "program": "order", "steps": 3}, "the first event")
        shop.let("charge", None)
        lines = [other.reply()]
        while "event" in lines[-1]:
            lines.append(other.reply())
        told = [(line["event"], line.get("outcome")) for line in lines[:-1]]
        equal([one for one in told if one[0] != "hook" or one[1]], [("begun", None), *[("hook", "ok")] * 3],
              "the events")
        equal((lines[-1]["result"]["run"], lines[-1]["result"]["status"]), (later, "succeeded"), "the answer")


@test
def what_is_parked_or_has_ended_is_answered_at_once():
    with Desk() as shop, shop.client() as client:
        parked = shop.park(client)
        shop.let("refund", None)
        ended = client.ask(shop.order(request_id="kept"))
        for _ in range(2):
            for reply, step in ((parked, 2), (ended, 3)):
                first = watch(client, reply["run"])
                equal((first["event"], first["state"], first["run"]), ("state", reply["status"], reply["run"]),
                      "the first event")
                equal(client.reply(), {"id": "w", "result": reply}, "the answer")
            wait_for(lambda: result(client, "status")["parked"] == 1, "the ledger to have it")
        contains(refused(client, "watch", "NoSuchRun", run="0" * 32)["message"], "0" * 32, "the message")


def long(spec):
    """Another plan: very many steps, and one more."""
    tree = json.loads(spec)
    tree["programs"]["launch"]["hooks"] = [*["hooks.ship"] * 3000, "hooks.fire"]
    return json.dumps(tree)


def until(client, wanted):
    """All lines up to the one that is wanted."""
    lines = [client.reply()]
    while not wanted(lines[-1]):
        lines.append(client.reply())
    return lines


def waiting(client, shop):
    """All lines there are for the client: there are no more where another was answered, and none has come by then."""
    lines, before = [], -1
    with shop.client() as other:
        while len(lines) > before:
            before = len(lines)
            result(other, "status")
            while client.buffer or select.select([client.socket], [], [], 0)[0]:
                lines.append(client.reply())
    return lines


@test
def a_watcher_that_does_not_read_misses_events_is_told_how_many_and_gets_the_answer():
    with Desk(module=build("long", long)) as shop, shop.client() as client, shop.client() as deaf:
        shop.let("ship", "wait")
        client.send(shop.order("launch", request_id="kept"))
        with shop.client() as other:
            run_id = wait_for(lambda: runs(other, status="running"), "the run")[0]["run"]
            equal((watch(other, run_id)["event"], watch(deaf, run_id)["event"]), ("state", "state"), "the first events")
            shop.let("fire", "wait")
            shop.let("ship", None)
            seen = until(other, lambda line: line.get("hook") == "fire")
            read = waiting(deaf, shop)
            shop.let("fire", None)
            seen += until(other, lambda line: "result" in line)
        read += until(deaf, lambda line: "result" in line)
        equal(read[-1], seen[-1], "the answer")
        dropped = sum(line.get("dropped", 0) for line in read)
        check(dropped > 0, "none was dropped")
        equal(len(read) + dropped, len(seen) + sum(line.get("dropped", 0) for line in seen), "those read and those dropped")
        equal(client.reply()["status"], "succeeded", "the run")


@test
def a_crowd_of_watchers_on_one_connection_is_bounded_and_answered():
    with Desk() as shop, shop.client() as client, shop.client() as crowd:
        run_id = begin(shop, client)
        count = 1000
        for _ in range(count):
            crowd.send({"call": "watch", "parameters": {"run": run_id}})
        with shop.client() as other:
            wait_for(lambda: result(other, "status")["connections"] == 3, "the others")
        shop.let("charge", None)
        equal(client.reply()["status"], "succeeded", "the run")
        lines, answers = [], 0
        while answers < count:
            lines.append(crowd.reply())
            answers += "result" in lines[-1]
        equal(sum(line.get("event") == "state" for line in lines), count, "the first events")
        check(len(lines) < 4 * count, f"{len(lines)} lines, expected events to be left out")


@test
def others_watch_their_own_runs_alone():
    if os.geteuid() != 0:
        skip("only root can be another user")
    with Desk() as shop, shop.client() as client:
        os.chmod(shop.directory, 0o755)
        os.chmod(shop.one.socket, 0o666)
        run_id = begin(shop, client)
        with As(shop.one.socket, STRANGER) as other:
            for name in ("watch", "wait", "show", "cancel"):
                found, none = call(other, name, run=run_id), call(other, name, run="f" * 32)
                equal(str(found).replace(run_id, "f" * 32), str(none), f"{name} of another's run, and of none")
                equal(found["error"]["name"], "NoSuchRun", name)
        shop.let("charge", None)
        equal(client.reply()["status"], "succeeded", "the run")


main()
