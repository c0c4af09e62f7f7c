# SPDX-License-Identifier: LGPL-2.1-or-later
"""Clients that ask until they are answered, while the processes that should answer are killed."""

import json
import os
import random
import signal
import threading
import time

import crash_programs
from crash_programs import insist, request
from crash_scene import BROKEN, LATER, children
from tap import TIMEOUT, Client

# How often each is asked for. What parks needs an operator, and is rarer.
WEIGHTS = {"pay": 10, "outer": 6, "doomed": 4, "late": 4, "ship": 2, "lost": 1, "flaky": 5, "noted": 5, "plain": 5,
           "stuck": 1, "quick": 5}
BATCH_MAX = 6
# A request that is refused has not begun; these come and go with the daemons.
TRY_AGAIN = (*LATER, "ShuttingDown", "StoreDamaged", "QueueFull", "TooManyConnections")


class Order:
    """A request, and what came of it."""

    def __init__(self, dice, tag, waits=True):
        name = dice.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        pool = {"usec": dice.randrange(3000)} if dice.random() < 0.2 else {}
        self.tag = tag
        self.message = request(name, tag, request_id=tag, id=tag, pool=pool)
        self.first = self.message if waits else {**self.message, "wait": False}
        self.submitted = False
        self.line = None  # the answer
        self.refused = 0
        self.cancelled = False  # before it had begun

    def next(self):
        return self.message if self.submitted else self.first

    def take(self, line):
        """Whether that is the end of it."""
        reply = json.loads(line)
        insist(reply["id"] == self.tag, f"the answer to {reply['id']} came where that to {self.tag} was due")
        if reply["status"] == "queued":
            self.submitted = True
            return False
        if reply["status"] == "refused" and reply["error"]["name"] in TRY_AGAIN:
            self.refused += 1
            return False
        self.line = line
        return True

    @property
    def reply(self):
        return json.loads(self.line)


class Asker(threading.Thread):
    """A client with a list of orders: some at once on one connection, again on another where that breaks."""

    def __init__(self, path, orders, dice, on_answer=lambda: None):
        super().__init__(daemon=True)
        self.path, self.orders, self.dice, self.on_answer = path, orders, dice, on_answer
        self.problem = None
        self.breaks = 0

    def run(self):
        left = list(self.orders)
        try:
            while left:
                batch = left[:self.dice.randint(1, BATCH_MAX)]
                try:
                    with Client(self.path, timeout=TIMEOUT) as client:
                        self.ask(client, batch)
                except BROKEN:
                    self.breaks += 1
                    time.sleep(0.001)
                left = [order for order in left if not order.line]
        except Exception as error:  # told by the test, which waits for this thread
            self.problem = f"{type(error).__name__}: {error}"

    def ask(self, client, batch):
        client.send(*[order.next() for order in batch])
        for order in batch:
            line = client.line()
            if not line.endswith(b"\n"):
                self.breaks += 1
                return
            if order.take(line):
                self.on_answer()
            elif order.refused and not order.submitted:
                time.sleep(0.001)


def kill(scene, victim):
    """SIGKILL to the worker that is at work, or to a spare, to the daemon, or to all of them. Another daemon is started
    where it died."""
    process = scene.process
    workers = children(process.pid)
    if victim != "daemon":
        for pid in workers if victim == "both" else workers[:1]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
    if victim != "worker":
        process.kill()
        process.wait()
        scene.ensure()


class Storm:
    """Kills, spread over the answers that come in."""

    def __init__(self, scene, kills, answers, seed):
        self.scene = scene
        self.dice = random.Random(seed)
        self.moments = sorted(self.dice.sample(range(1, answers), kills))
        self.answered = 0
        self.condition = threading.Condition()
        self.done = {"worker": 0, "daemon": 0, "both": 0}

    def on_answer(self):
        with self.condition:
            self.answered += 1
            self.condition.notify_all()

    def rage(self, askers):
        """Until all kills are done, or nobody asks any more."""
        for moment in self.moments:
            with self.condition:
                while self.answered < moment and any(asker.is_alive() for asker in askers):
                    self.condition.wait(0.1)
                    self.scene.ensure()
            time.sleep(self.dice.random() * 0.003)  # where in a run it strikes is left to chance
            victim = self.dice.choice(list(self.done))
            kill(self.scene, victim)
            self.done[victim] += 1


def join(scene, askers):
    """Until everybody is answered."""
    for asker in askers:
        while asker.is_alive():
            asker.join(0.1)
            scene.ensure()


def judge_all(book, orders):
    """Counts by status; raises Lie at the first that is not true."""
    counts = {}
    for order in orders:
        insist(order.line, f"{order.tag} was never answered")
        reply = order.reply
        counts[reply["status"]] = counts.get(reply["status"], 0) + 1
        if reply["status"] == "refused":
            crash_programs.judge_unbegun(book, order.tag)
        else:
            crash_programs.judge(book, order.tag, reply)
    book.balance()
    return counts
