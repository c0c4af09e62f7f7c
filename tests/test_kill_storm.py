#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A thousand requests from four clients, while fifty times somebody is killed: each is answered once and for all, and
the book bears out every answer."""

import os
import random
import time

from crash_programs import Lie
from crash_scene import Scene, memory
from crash_storm import Asker, Order, Storm, join, judge_all
from tap import Failure, check, equal, main, test

SEED = int(os.environ.get("RYUSO_SEED", time.time_ns() % 1000000007))
REQUESTS, CLIENTS, KILLS = 1000, 4, 50


def rage(scene, orders, dice):
    storm = Storm(scene, KILLS, REQUESTS - 50, dice.random())
    askers = [Asker(scene.socket, orders[i::CLIENTS], random.Random(dice.random()), storm.on_answer)
              for i in range(CLIENTS)]
    for asker in askers:
        asker.start()
    storm.rage(askers)
    join(scene, askers)
    check(not any(asker.problem for asker in askers), f"clients: {[asker.problem for asker in askers]}")
    equal(sum(storm.done.values()), KILLS, "kills")
    print(f"# killed: {storm.done}; connections that broke: {sum(asker.breaks for asker in askers)}", flush=True)


def ask_again(scene, orders):
    """The same bytes, whoever is asked."""
    for start in range(0, len(orders), 50):
        some = orders[start:start + 50]
        with scene.connect() as client:
            client.send(*[order.message for order in some])
            for order in some:
                line = client.line()
                check(line == order.line, f"asked again, {order.tag} is answered {line}, and was {order.line}")


@test
def every_request_has_one_answer_whoever_is_killed():
    dice = random.Random(SEED)
    orders = [Order(dice, f"{SEED}-{i}", waits=dice.random() < 0.6) for i in range(REQUESTS)]
    with Scene(memory()) as scene:
        try:
            scene.start()
            check(scene.settle(), "the daemon is ready")
            rage(scene, orders, dice)
            print(f"# {judge_all(scene.book, orders)}", flush=True)
            ask_again(scene, orders)
            check(scene.stop(), "ryusod did not end in good order")
            scene.start()
            check(scene.settle(), "the daemon is ready")
            ask_again(scene, orders)
            judge_all(scene.book, orders)
            parked = sum(order.reply["status"] == "parked" for order in orders)
            equal(scene.status()["parked"], parked, "runs that are parked")
            check(scene.stop(), "ryusod did not end in good order")
        except (Lie, Failure) as lie:
            raise Failure(f"{lie}\n{scene.log()[-8000:]}") from lie


print(f"# RYUSO_SEED={SEED}", flush=True)
main()
