#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""IdleExit=: a daemon that nobody needs ends, whoever connects at that very moment is served by the next one, and what is
unfinished keeps it."""

import os
import queue
import random
import signal
import threading
import time

from busy import Gate, Log, busy, module, outcome
from points import Place, Points
from supervisor import Activated
from tap import check, contains, equal, main, test, wait_for

NOTHING = {"program": "nothing"}
IDLE = 0.1
SETTINGS = {"IdleExit": "100ms", "RecorderSize": "64K", "MaxPoolSize": "1K", "MaxNotesSize": "1K",
            "MaxRectifiedSize": "1K"}
SERVICES, ROUNDS = 10, 50


def activated(more=None, **options):
    return Activated(module(), {**SETTINGS, **(more or {})}, **options)


def kept(service):
    return sorted(os.listdir(service.directory / "state"))


def ask_once(service, number):
    """A run, in one of the ways in which clients behave; None where the connection was lost."""
    with service.client() as client:
        client.send({**NOTHING, "id": number})
        if number % 2:
            client.finish()
        return client.reply()


@test
def a_daemon_with_nothing_to_do_ends_and_leaves_nothing_unfinished():
    service = activated()
    equal(outcome(ask_once(service, 1)), ("succeeded", None), "a run")
    service.end()
    equal((service.started, service.ends), (1, [0]), "daemons")
    contains(service.log(), "nobody needs it (IdleExit=)", "why")
    check("recorder" not in kept(service), f"expected no recorder where all has ended: {kept(service)}")


@test
def without_the_setting_it_stays():
    service = activated({"IdleExit": "infinity"})
    ask_once(service, 1)
    with service.client() as client:
        check(client.ask({"call": "ping"}), "an answer")
        pid = service.process.pid
        service.process.send_signal(signal.SIGTERM)
        equal(client.reply(), None, "the end")
    service.end()
    check("IdleExit" not in service.log(), f"expected no idle exit of {pid}: {service.log()}")


class Moment:
    """Something that each daemon comes to: told by the thread that looks after it to the client's."""

    def __init__(self):
        self.numbers = queue.Queue()

    def __call__(self, number):
        self.numbers.put(number)

    def wait(self, number):
        while self.numbers.get(timeout=60) < number:
            pass


def hit_the_end(results, seed):
    """One service, and its only client, who is there at the moment when it goes: when it says so; when it has gone; or
    thereabouts."""
    stopping, ended, dice = Moment(), Moment(), random.Random(seed)
    service = activated(on_stopping=stopping, on_end=ended)
    try:
        ask_once(service, 0)
        for number in range(ROUNDS):
            way = ("stopping", "ended", "about")[number % 3]
            if way == "about":
                time.sleep(IDLE + dice.uniform(-0.01, 0.02))  # no wait: the moment that is tried
            else:
                (stopping if way == "stopping" else ended).wait(service.started)
            reply = ask_once(service, number)
            results.append((seed, number, way, reply and (reply["id"], reply["status"])))
        service.end()
    except Exception as error:  # of a thread
        results.append((seed, -1, "failure", repr(error)))
    return service


@test
def of_five_hundred_clients_that_connect_when_the_daemon_goes_each_is_served():
    results, services = [], []
    threads = [threading.Thread(target=lambda seed=seed: services.append(hit_the_end(results, seed)))
               for seed in range(SERVICES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lost = [result for result in results if result[3] != (result[1], "succeeded")]
    equal(lost, [], "what was not served")
    equal(len(results), SERVICES * ROUNDS, "how many have connected")
    for service in services:
        check(service.started > ROUNDS / 2, f"expected a new daemon for most, got {service.started}")
        check("recorder" not in kept(service), f"expected no recorder: {kept(service)}")


def stopped_at(name):
    """A service whose daemon stands still at this point of its way to the end."""
    service = activated()
    points = Points(service.directory / "points")
    points.kill(Place("daemon", name, 1), "stop")
    service.env = points.env()
    equal(outcome(ask_once(service, 1)), ("succeeded", None), "the first run")
    wait_for(lambda: points.hits == 1, f"the daemon at {name}")
    return service, points


def go_on(service, points):
    for pid in (points.pid("worker"), service.process.pid):
        if pid:
            os.kill(pid, signal.SIGCONT)


@test
def who_connects_before_the_last_look_keeps_the_daemon():
    service, points = stopped_at("before-idle-exit")
    with service.client() as client:
        client.send(NOTHING)
        pid = service.process.pid
        go_on(service, points)
        equal(outcome(client.reply()), ("succeeded", None), "the run")
        equal((service.process.pid, service.started), (pid, 1), "the daemon")
    service.end()
    check(points.hits == 1, "one stop")


@test
def who_connects_after_the_last_look_is_served_by_the_next():
    service, points = stopped_at("idle-exit")
    service.env = {}
    with service.client() as client, service.client() as silent, service.client() as half:
        client.send(NOTHING)
        half.send('{"program":"not')
        go_on(service, points)
        equal(outcome(client.reply()), ("succeeded", None), "the run")
        half.send('hing"}')
        equal(outcome(half.reply()), ("succeeded", None), "a request that was cut in two by it")
        silent.send(NOTHING)
        equal(outcome(silent.reply()), ("succeeded", None), "one that said nothing until then")
        equal(service.started, 2, "daemons")
    service.end()


@test
def who_is_connected_keeps_it_though_saying_nothing():
    service = activated()
    with service.client() as client:
        client.ask({"call": "ping"})
        for number in range(3):  # others that come and go
            ask_once(service, number)
        time.sleep(3 * IDLE)  # longer than it would stay
        equal(outcome(client.ask(NOTHING)), ("succeeded", None), "a run")
        equal((service.started, service.ends), (1, []), "daemons")
    service.end()


@test
def a_run_that_nobody_waits_for_keeps_it():
    service, log = activated(), Log()
    with service.client() as client:
        gate = Gate(client, log=log, wait=False)
        equal(client.reply()["status"], "queued", "the submission")
        client.send({**NOTHING, "wait": False})
        client.reply()
    time.sleep(3 * IDLE)  # longer than it would stay
    equal((service.started, service.ends), (1, []), "daemons")
    gate.open()
    service.end()
    equal(log.lines(), ["gate", str(gate.file)], "what ran")
    check("recorder" not in kept(service), f"expected no recorder: {kept(service)}")


@test
def a_parked_run_does_not_keep_it_and_is_there_at_the_next_start():
    service = activated()
    with service.client() as client:
        reply = client.ask({"program": "stuck"})
        equal(reply["status"], "parked", "the run")
    wait_for(lambda: service.ends, "the end of the daemon")
    check("recorder" not in kept(service), f"expected no recorder: {kept(service)}")
    with service.client() as client:
        runs = client.ask({"call": "parked"})["result"]["runs"]
        equal([run["run"] for run in runs], [reply["run"]], "the parked runs")
    equal(service.started, 2, "daemons")
    service.end()


@test
def a_daemon_with_a_socket_of_its_own_stays():
    with busy(SETTINGS) as daemon:
        time.sleep(3 * IDLE)  # longer than it would stay
        with daemon.client() as client:
            equal(outcome(client.ask(NOTHING)), ("succeeded", None), "a run")
        check(not daemon.ended(), "expected the daemon to be there")


main()
