#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who may decide: root, the daemon's own user, members of the group ryuso-admin; and what others see of runs."""

import os

from accounts import Accounts
from shop import As, Shop, refused, result, stored
from tap import contains, equal, main, skip, test

VERBS = {"parked": {}, "reload": {}, "retry": {"step": 2}, "skip": {"step": 2, "reason": "why"},
         "confirm": {"step": 2, "reason": "why"}, "hold": {}, "resume": {}}
STRANGER, MEMBER, GROUP = 54321, 54322, 54399


def parameters(verb, run_id):
    return {**VERBS[verb], **({"run": run_id} if "step" in VERBS[verb] else {})}


def open_to_all(shop, daemon):
    os.chmod(shop.directory, 0o755)
    os.chmod(daemon.socket, 0o666)


def only_root():
    if os.geteuid() != 0:
        skip("only root can be another user")


@test
def the_verbs_are_refused_to_others_before_anything_else_is_looked_at():
    only_root()
    shop = Shop()
    with shop.daemon() as daemon, daemon.client() as client:
        open_to_all(shop, daemon)
        run_id = shop.park(client)["run"]
        stored(client, 1)
        with As(daemon.socket, STRANGER) as other:
            for verb in VERBS:
                error = refused(other, verb, "NotAllowed", "ryuso-admin", **parameters(verb, run_id))
                contains(error["message"], verb, "the message")
                refused(other, verb, "NotAllowed", nonsense=1)
        equal(result(client, "show", run=run_id)["decisions"], [], "the decisions")
        equal(result(client, "status")["held"], False, "the queue")


@test
def a_member_of_the_group_may_whether_it_is_its_first_group_or_another():
    only_root()
    shop = Shop()
    with Accounts(groups={"ryuso-admin": GROUP}):
        daemon = shop.daemon()
    with daemon.client() as client:
        open_to_all(shop, daemon)
        for who in ({"gid": GROUP}, {"groups": [GROUP]}):
            run_id = shop.park(client)["run"]
            shop.let("refund", None)
            with As(daemon.socket, MEMBER, **who) as member:
                equal(len(result(member, "parked")["runs"]), 1, "the list")
                result(member, "retry", run=run_id, step=2)
                equal(result(member, "wait", run=run_id)["status"], "rectified", "a run of somebody else's")
                [decision] = result(member, "show", run=run_id)["decisions"]
                equal(decision["uid"], MEMBER, "who decided")
                equal(result(member, "hold"), {"held": True}, "hold")
                equal(result(member, "status")["hold"]["uid"], MEMBER, "who holds")
                equal(result(member, "resume"), {"held": False}, "resume")
        with As(daemon.socket, STRANGER) as other:
            refused(other, "parked", "NotAllowed", "ryuso-admin")
    daemon.stop()


@test
def a_group_that_is_made_later_counts_from_a_reload_on():
    only_root()
    shop = Shop()
    with Accounts() as accounts:
        daemon = shop.daemon()
    with daemon.client() as client:
        open_to_all(shop, daemon)
        with As(daemon.socket, MEMBER, gid=GROUP) as member:
            refused(member, "parked", "NotAllowed", "ryuso-admin")
            accounts.write(groups={"ryuso-admin": GROUP})
            refused(member, "parked", "NotAllowed", "ryuso-admin")
            result(client, "reload")
            equal(result(member, "parked")["runs"], [], "the list")
    daemon.stop()


@test
def others_see_their_own_runs_alone():
    only_root()
    shop = Shop()
    with shop.daemon() as daemon, daemon.client() as client:
        open_to_all(shop, daemon)
        roots = shop.park(client)
        with As(daemon.socket, STRANGER) as other, As(daemon.socket, MEMBER) as third:
            own = shop.park(other)
            equal(result(other, "wait", run=own["run"])["status"], "parked", "its own")
            shown = result(other, "show", run=own["run"])
            equal((shown["status"], shown["peer_uid"]), ("parked", STRANGER), "its own")
            refused(other, "cancel", "WrongState", "parked", run=own["run"])
            for verb in ("wait", "show", "cancel"):
                error = refused(other, verb, "NoSuchRun", run=roots["run"])
                equal(error["message"], refused(other, verb, "NoSuchRun", run="0" * 32)["message"]
                      .replace("0" * 32, roots["run"]), "nothing tells it from a run that never was")
                refused(third, verb, "NoSuchRun", run=own["run"])
            stored(client, 2)
            for verb in ("wait", "show", "cancel"):
                refused(third, verb, "NoSuchRun", run=own["run"])
        equal(result(client, "wait", run=own["run"])["status"], "parked", "root sees all")


@test
def others_can_cancel_their_own_runs():
    only_root()
    shop = Shop()
    with shop.daemon() as daemon, daemon.client() as client:
        open_to_all(shop, daemon)
        shop.let("charge", "wait")
        with As(daemon.socket, STRANGER) as other, As(daemon.socket, STRANGER) as same, \
                As(daemon.socket, MEMBER) as third:
            other.send(shop.order())
            shop.wait_line("charge 2")
            run_id = result(client, "status")["running"]["run"]
            refused(third, "cancel", "NoSuchRun", run=run_id)
            equal(result(same, "cancel", run=run_id, now=True), {"run": run_id, "begun": True}, "the answer")
            equal(other.reply()["error"]["name"], "Cancelled", "the run")


@test
def of_a_store_that_is_another_daemons_nothing_is_said_or_decided():
    shop, other = Shop(), Shop()
    with shop.daemon() as daemon, daemon.client() as client:
        run_id = shop.park(client)["run"]
        stored(client, 1)
        with other.daemon(args=["--state", str(daemon.state)]) as second, second.client() as stranger:
            for verb in VERBS.keys() - {"reload"}:
                error = refused(stranger, verb, "StoreBusy", **parameters(verb, run_id))
                contains(error["message"], str(daemon.pid), f"what {verb} says names the holder")
            for verb in ("wait", "show", "cancel"):
                refused(stranger, verb, "StoreBusy", run=run_id)


main()
