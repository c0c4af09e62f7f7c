#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Cancels: what waits never begins, what runs is undone, what cannot be cancelled any more says so."""

import fcntl
import struct
import termios

from shop import Shop, call, refused, result, stored
from tap import check, equal, main, test, wait_for

UNKNOWN = "0" * 31 + "1"


def in_hand(shop, client, hook="charge", **members):
    """A run that is in this hook and waits there. Returns its id."""
    shop.let(hook, "wait")
    client.send(shop.order(**members))
    wait_for(lambda: any(line.startswith(f"{hook} ") for line in shop.lines()), f"{hook} to run")
    with shop.client() as other:
        return wait_for(lambda: result(other, "status").get("running"), "a run in hand")["run"]


class Desk(Shop):
    """With one daemon."""

    def __enter__(self):
        self.one = self.daemon()
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.one.stop()

    def client(self):
        return self.one.client()


def begin_cancel(client, run_id):
    """Asks for it, and waits until the daemon has read that."""
    client.send({"call": "cancel", "parameters": {"run": run_id}})

    def unread():
        return struct.unpack("i", fcntl.ioctl(client.socket, termios.TIOCOUTQ, bytes(4)))[0]
    wait_for(lambda: unread() == 0, "the daemon to read it")


def cancelled(client, run_id, begun, **parameters):
    equal(result(client, "cancel", run=run_id, **parameters), {"run": run_id, "begun": begun}, "the answer")


@test
def a_cancel_takes_effect_when_the_running_hook_has_ended():
    with Desk() as shop, shop.client() as client, shop.client() as other:
        run_id = in_hand(shop, client)
        begin_cancel(other, run_id)
        shop.let("charge", None)
        equal(other.reply()["result"], {"run": run_id, "begun": True}, "the answer")
        reply = client.reply()
        equal((reply["status"], reply["error"]["name"]), ("rectified", "Cancelled"), "the run")
        equal(shop.lines(), ["book 1", "charge 2", "refund 2", "unbook 1"], "what was called")


@test
def a_cancel_now_kills_the_running_hook():
    with Desk() as shop, shop.client() as client, shop.client() as other:
        run_id = in_hand(shop, client)
        cancelled(other, run_id, True, now=True)
        reply = client.reply()
        equal((reply["status"], reply["error"]["name"]), ("rectified", "Cancelled"), "the run")
        equal(shop.lines(), ["book 1", "charge 2", "refund 2 in doubt", "unbook 1"], "what was called")


@test
def what_waits_never_begins():
    with Desk() as shop, shop.client() as client, shop.client() as other, shop.client() as third:
        in_hand(shop, client)
        run_id = third.ask(shop.order(request_id="mine", wait=False))["run"]
        other.send(shop.order(request_id="mine", follow=True))
        other.send({"call": "wait", "parameters": {"run": run_id}})
        wait_for(lambda: result(third, "show", run=run_id)["status"] == "queued", "the run to wait")
        begin_cancel(third, run_id)
        shop.let("charge", None)
        equal(client.reply()["status"], "succeeded", "the run in hand")
        answer = third.reply()
        equal(answer.get("result"), {"run": run_id, "begun": False}, f"the answer {answer}")
        reply, answer = other.replies(2)
        equal((reply["status"], reply["error"]["name"]), ("refused", "Cancelled"), "who asked for it")
        equal(answer["error"]["name"], "Cancelled", "who waited for it")
        wait_for(lambda: result(third, "show", run=run_id)["status"] == "refused", "the refusal to be stored")
        refused(third, "cancel", "WrongState", "has ended as refused", run=run_id)
        equal(shop.lines().count("book 1"), 1, "runs that began")


@test
def a_submission_that_is_cancelled_never_begins_also_after_a_kill():
    shop = Shop()
    daemon = shop.daemon()
    with daemon.client() as client, daemon.client() as other:
        result(client, "hold")
        submitted = client.ask(shop.order(request_id="mine", wait=False))
        other.send({"call": "wait", "parameters": {"run": submitted["run"]}})
        cancelled(client, submitted["run"], False)
        equal(other.reply()["error"]["name"], "Cancelled", "who waited for it")
        refused(client, "wait", "Cancelled", "before it began", run=submitted["run"])
        equal(result(client, "show", run=submitted["run"])["status"], "refused", "what is shown")
    daemon.kill()
    with shop.daemon() as daemon, daemon.client() as client:
        result(client, "resume")
        equal(client.ask(shop.order(request_id="mine"))["status"], "succeeded", "the request id is free again")
        equal(shop.lines().count("book 1"), 1, "runs that began")


@test
def a_cancel_that_comes_too_late_says_why():
    with Desk() as shop, shop.client() as client, shop.client() as other:
        ended = client.ask(shop.order(request_id="ended"))
        refused(other, "cancel", "WrongState", "has ended", run=ended["run"])
        shop.let("ship", "fail")
        run_id = in_hand(shop, client, "refund")
        for now in (False, True):
            refused(other, "cancel", "WrongState", "on its way back", run=run_id, now=now)
        shop.let("refund", "fail")
        equal(client.reply()["status"], "parked", "the run")
        wait_for(lambda: call(other, "cancel", run=run_id)["error"]["name"] == "WrongState", "a parked run")
        stored(other, 1)
        refused(other, "cancel", "WrongState", "is parked", run=run_id)
        refused(other, "cancel", "NoSuchRun", UNKNOWN, run=UNKNOWN)


@test
def an_irreversible_step_that_is_done_is_too_late():
    with Desk() as shop, shop.client() as client, shop.client() as other:
        run_id = in_hand(shop, client, "ship", program="launch")
        refused(other, "cancel", "WrongState", "irreversible", run=run_id)
        shop.let("ship", None)
        equal(client.reply()["status"], "succeeded", "the run")


@test
def the_last_step_is_too_late():
    with Desk() as shop, shop.client() as client, shop.client() as other:
        run_id = in_hand(shop, client, "ship")
        begin_cancel(other, run_id)
        shop.let("ship", None)
        answer = other.reply()
        equal(answer["error"]["name"], "WrongState", f"the answer {answer}")
        equal(client.reply()["status"], "succeeded", "the run")


@test
def who_cancels_may_go_away():
    with Desk() as shop, shop.client() as client:
        run_id = in_hand(shop, client)
        with shop.client() as other:
            begin_cancel(other, run_id)
        with shop.client() as third:
            refused(third, "cancel", "WrongState", "being cancelled already", run=run_id)
        shop.let("charge", None)
        equal(client.reply()["error"]["name"], "Cancelled", "the run")


@test
def a_cancel_of_what_runs_does_not_wait_for_that_of_what_waits():
    with Desk() as shop, shop.client() as client, shop.client() as other, shop.client() as third:
        run_id = in_hand(shop, client)
        waiting = third.ask(shop.order(wait=False))["run"]
        begin_cancel(third, waiting)
        cancelled(other, run_id, True, now=True)
        equal(client.reply()["error"]["name"], "Cancelled", "the run in hand")
        equal(third.reply()["result"], {"run": waiting, "begun": False}, "the one that waited")


@test
def a_cancelled_run_is_found_by_its_request_id():
    with Desk() as shop, shop.client() as client, shop.client() as other:
        run_id = in_hand(shop, client, request_id="mine")
        cancelled(other, run_id, True, now=True)
        reply = client.reply()
        equal(client.ask(shop.order(request_id="mine")), reply, "the same reply")
        check(reply["error"]["name"] == "Cancelled", reply)


@test
def a_run_that_goes_on_after_a_parking_cannot_be_cancelled_on_its_way_back():
    with Desk() as shop, shop.client() as client:
        run_id = shop.park(client)["run"]
        shop.let("refund", "wait")
        result(client, "retry", run=run_id, step=2)
        wait_for(lambda: shop.lines().count("refund 2") == 3, "the attempt")
        refused(client, "cancel", "WrongState", "on its way back", run=run_id)
        shop.let("refund", None)
        equal(result(client, "wait", run=run_id)["status"], "rectified", "the run")


main()
