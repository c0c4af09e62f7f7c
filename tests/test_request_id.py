#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A request id has one answer at every moment, for whoever asks, whatever dies in between; a submission needs nobody to
wait for it."""

from shop import Shop, call, result
from tap import check, equal, main, test, wait_for


def raw(client, message):
    client.send(message)
    return client.line()


def ended(shop, client, request_id):
    """What becomes of it, by the run's own reply."""
    return client.ask(shop.order(request_id=request_id))


@test
def the_reply_is_the_same_byte_for_byte_also_after_a_kill():
    shop = Shop()
    daemon = shop.daemon()
    with daemon.client() as client:
        first = raw(client, shop.order(request_id="one", id=7))
        equal(raw(client, shop.order(request_id="one", id=7)), first, "asked again")
        shop.let("ship", "fail")
        second = raw(client, shop.order(request_id="two", id=7))
        check(b'"rectified"' in second, f"expected a run that is rectified, got {second}")
    daemon.kill()
    calls = shop.lines()
    with shop.daemon() as daemon, daemon.client() as client:
        equal(raw(client, shop.order(request_id="one", id=7)), first, "after a kill")
        equal(raw(client, shop.order(request_id="two", id=7, wait=False)), second, "after a kill")
        equal(shop.lines(), calls, "what was called")


@test
def clients_join_the_run_in_progress_and_one_that_leaves_takes_nothing_along():
    shop = Shop()
    shop.let("charge", "wait")
    with shop.daemon() as daemon:
        clients = [daemon.client() for _ in range(4)]
        for client in clients:
            client.send(shop.order(request_id="shared", id="x"))
        shop.wait_line("charge 2")
        clients[0].close()
        with daemon.client() as other:
            wait_for(lambda: result(other, "status")["connections"] == 4, "the client to be gone")
        shop.let("charge", None)
        lines = [client.line() for client in clients[1:]]
        equal(lines, [lines[0]] * 3, "the replies")
        check(b'"succeeded"' in lines[0], f"expected a run that succeeded, got {lines[0]}")
        equal(shop.lines(), ["book 1", "charge 2", "ship 3"], "what was called")
        for client in clients[1:]:
            client.close()


@test
def another_body_is_refused_and_a_refusal_is_not_kept():
    shop = Shop()
    with shop.daemon() as daemon, daemon.client() as client:
        equal(client.ask({"program": "order", "request_id": "r"})["error"]["name"], "MissingArgument", "without `dir`")
        equal(ended(shop, client, "r")["status"], "succeeded", "the right one")
        reply = client.ask(shop.order(request_id="r", pool={"item": "other"}))
        equal((reply["status"], reply["error"]["name"]), ("refused", "RequestIdReused"), "another body")
        equal(client.ask(shop.order("glance", request_id="r"))["error"]["name"], "RequestIdReused", "another program")


@test
def a_submission_is_run_once_though_its_client_and_its_daemon_are_gone():
    shop = Shop()
    daemon = shop.daemon()
    with daemon.client() as client:
        result(client, "hold")
        queued = client.ask(shop.order(request_id="later", wait=False, id=1))
        equal(queued, {"id": 1, "run": queued["run"], "program": "order", "success": None, "status": "queued",
                       "data_pool": {}, "error": None}, "the answer")
        equal(client.ask(shop.order(request_id="later", wait=False, id=1)), queued, "asked again")
    daemon.kill()
    equal(shop.lines(), [], "what was called")
    with shop.daemon() as daemon, daemon.client() as client, daemon.client() as other:
        equal(result(client, "status")["submitted"], 1, "submissions")
        equal(client.ask(shop.order(request_id="later", wait=False, id=1)), queued, "asked again")
        other.send(shop.order(request_id="later"))
        result(client, "resume")
        reply = other.reply()
        equal((reply["run"], reply["status"]), (queued["run"], "succeeded"), "the run")
        equal(shop.lines(), ["book 1", "charge 2", "ship 3"], "what was called")
        equal(call(client, "wait", run=queued["run"])["result"], reply, "who waits for the run")


@test
def a_run_in_hand_when_the_daemon_dies_has_one_reply_afterwards():
    shop = Shop()
    shop.let("charge", "wait")
    daemon = shop.daemon()
    with daemon.client() as client:
        client.send(shop.order(request_id="cut"))
        shop.wait_line("charge 2")
        daemon.kill()
        equal(client.rest(), [], "what its client hears")
    shop.let("charge", None)
    with shop.daemon() as daemon, daemon.client() as client, daemon.client() as other:
        other.send(shop.order(request_id="cut"))
        reply = ended(shop, client, "cut")
        equal((reply["status"], reply["error"]["name"]), ("rectified", "Interrupted"), "the run")
        equal(other.reply(), reply, "who asks at the same time")
        equal(ended(shop, client, "cut"), reply, "asked again")
        equal(shop.lines(), ["book 1", "charge 2", "refund 2 in doubt", "unbook 1"], "what was called")


@test
def submissions_that_wait_keep_no_daemon_from_stopping():
    shop = Shop()
    daemon = shop.daemon()
    with daemon.client() as client, daemon.client() as other:
        result(client, "hold")
        queued = client.ask(shop.order(request_id="later", wait=False))
        other.send(shop.order(request_id="later"))
        wait_for(lambda: result(client, "status")["queued"] == 1, "the run to wait")
        daemon.stop()
        equal(other.rest(), [], "who waited for it")
    with shop.daemon() as daemon, daemon.client() as client:
        result(client, "resume")
        reply = ended(shop, client, "later")
        equal((reply["run"], reply["status"]), (queued["run"], "succeeded"), "the run")


main()
