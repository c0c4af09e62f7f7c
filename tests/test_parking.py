#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Parked runs: how they are listed and shown, what operators decide about them, and that neither a run nor a decision is
ever lost."""

import os
import shutil

from shop import Shop, build, longer, refused, result, stored
from tap import check, contains, equal, main, run, scratch, test, wait_for

UNKNOWN = "0" * 31 + "1"


def build_id(module):
    """Of the linker's note."""
    for line in run("readelf", "-n", module).stdout.splitlines():
        if "Build ID:" in line:
            return line.split()[-1]
    raise AssertionError(f"{module} has no build id")


def end(client, run_id):
    """The reply of a run, once it has ended or parked again."""
    return result(client, "wait", run=run_id)


def decide(client, verb, run_id, step, **parameters):
    """Decides, and returns the run's reply afterwards."""
    equal(result(client, verb, run=run_id, step=step, **parameters), {"run": run_id, "verb": verb, "step": step},
          f"the answer to {verb}")
    return end(client, run_id)


def same(reply):
    """A reply without what differs between a request's and a call's."""
    return {key: value for key, value in reply.items() if key != "id"}


# ---- what is seen of it ----

@test
def parked_runs_are_listed_newest_first():
    shop = Shop()
    with shop.daemon() as daemon, daemon.client() as client:
        equal(result(client, "parked"), {"runs": []}, "before")
        replies = [shop.park(client), shop.park(client, request_id="mine")]
        listed = result(client, "parked")["runs"]
        equal([entry["run"] for entry in listed], [reply["run"] for reply in reversed(replies)], "the runs")
        for entry, request_id in zip(listed, ("mine", None)):
            check(entry.pop("parked_usec") > 1e15, "when, by the wall clock")
            equal({key: entry[key] for key in entry if key != "run"},
                  {"program": "order", "step": 2, "hook": "refund", "name": "RectifierFailed",
                   "message": replies[0]["parked"]["message"], "peer_uid": os.getuid(), "request_id": request_id},
                  "what is said of it")
        stored(client, 2)
        equal([entry["run"] for entry in result(client, "parked")["runs"]],
              [reply["run"] for reply in reversed(replies)], "the runs, once they are stored")


@test
def a_parked_run_is_shown_step_by_step_without_secrets():
    shop = Shop()
    with shop.daemon() as daemon, daemon.client() as client:
        reply = shop.park(client, pool={"item": "book", "pin": "s3cret"})
        shown = result(client, "show", run=reply["run"])
    check("s3cret" not in str(shown), f"a secret is shown: {shown}")
    equal(shown["status"], "parked", "the status")
    equal((shown["arguments"], shown["secrets"]), ({"dir": str(shop.control), "item": "book", "pin": None}, ["pin"]),
          "the arguments")
    equal([(step["step"], step["hook"], step["state"], step["rectifiers"]) for step in shown["steps"]],
          [(1, "book", "done", ["unbook"]), (2, "charge", "done", ["refund"]), (3, "ship", "failed", [])], "the steps")
    equal(shown["next"], [{"step": 2, "hook": "refund", "rectifying": True},
                          {"step": 1, "hook": "unbook", "rectifying": True}], "what a retry calls")
    equal([step["step"] for step in shown["remaining"]], [2, 1], "what remains")
    equal((shown["error"]["name"], shown["error"]["step"]), ("HookFailed", 3), "what made it fail")
    equal((shown["parked"]["name"], shown["parked"]["step"]), ("RectifierFailed", 2), "what stopped it")
    equal(shown["decisions"], [], "the decisions")
    equal({key: shown["module"][key] for key in ("name", "build_id", "current", "available")},
          {"name": "shop", "build_id": build_id(build()), "current": True, "available": True}, "the module")


@test
def waiting_for_a_parked_run_is_answered_with_its_present_reply():
    shop = Shop()
    with shop.daemon() as daemon, daemon.client() as client:
        reply = shop.park(client, request_id="mine")
        equal(end(client, reply["run"]), same(reply), "at once")
        stored(client, 1)
        equal(end(client, reply["run"]), same(reply), "once it is stored")
        equal(client.ask(shop.order(request_id="mine")), reply, "by its request id")


@test
def runs_that_are_not_parked_are_shown_too():
    shop = Shop()
    with shop.daemon() as daemon, daemon.client() as client, daemon.client() as other:
        ended = client.ask(shop.order(request_id="ended", pool={"pin": "s3cret"}))
        equal((ended["status"], ended["data_pool"]["code"]), ("succeeded", "s3cret"), "the first run")
        shop.let("charge", "wait")
        client.send(shop.order(request_id="running"))
        wait_for(lambda: shop.lines().count("charge 2") == 2, "the second run")
        queued = other.ask(shop.order(request_id="queued", wait=False))
        shown = wait_for(lambda: result(other, "show", run=ended["run"]), "the first run")
        equal((shown["status"], shown["reply"]["data_pool"]), ("succeeded", {"receipt": "R-1"}),
              "the reply, without its secret output")
        running = result(other, "status")["running"]
        shown = result(other, "show", run=running["run"])
        equal((shown["status"], shown["running"]["hook"], shown["request_id"]), ("running", "charge", "running"),
              "the one that runs")
        shown = result(other, "show", run=queued["run"])
        equal((shown["status"], "reply" in shown), ("queued", False), "the one that waits")
        check(shown["submitted_usec"] > 1e15, "when it was submitted")
        shop.let("charge", None)
        equal(client.reply()["status"], "succeeded", "the second run")
        equal(end(other, queued["run"])["status"], "succeeded", "the third run")


@test
def the_status_counts_records_syncs_and_commits():
    shop = Shop()
    with shop.daemon() as daemon, daemon.client() as client:
        before = result(client, "status")
        equal((before["parked"], before["submitted"], before["held"], "hold" in before), (0, 0, False, False),
              "the store")
        equal(client.ask(shop.order(request_id="mine"))["status"], "succeeded", "a run")
        status = wait_for(lambda: [status for status in [result(client, "status")]
                                   if status["ledger"]["commits"] > before["ledger"]["commits"] and
                                   status["ledger"]["under_way"] == 0], "its outcome to be stored")[0]
        # its beginning, an attempt of each step, its end; the first two steps can be undone
        equal(status["recorder"]["last_run"], {"records": 8, "syncs": 2}, "the last run")
        equal((status["recorder"]["records"], status["recorder"]["worker_syncs"]), (8, 2), "all runs")
        check(status["recorder"]["syncs"] >= 1, f"the daemon syncs once before it answers: {status['recorder']}")
        check(status["ledger"]["works"] > before["ledger"]["works"], f"works of the ledger: {status}")
        client.ask(shop.order("glance"))
        equal(result(client, "status")["recorder"]["last_run"], {"records": 4, "syncs": 0},
              "a run of which nothing is synced")


# ---- decisions ----

@test
def a_retry_goes_on_where_the_run_stood_once_the_cause_is_mended():
    shop = Shop()
    with shop.daemon() as daemon, daemon.client() as client:
        run_id = shop.park(client)["run"]
        before = len(shop.lines())
        shop.let("refund", None)
        reply = decide(client, "retry", run_id, 2)
        equal((reply["status"], reply["success"]), ("rectified", False), "the run")
        equal([step["step"] for step in reply["rectified"]], [2, 1], "what was undone")
        equal(reply["remaining"], [], "what remains")
        equal(shop.lines()[before:], ["refund 2", "unbook 1"], "what was called")
        stored(client, 0)
        equal(result(client, "parked"), {"runs": []}, "the list")
        # that it was carried out is in the ledger a moment after the answer
        [decision] = wait_for(lambda: [one for one in result(client, "show", run=run_id)["decisions"] if one["done"]],
                              "the decision to be done")
        equal((decision["verb"], decision["step"], decision["uid"], decision["flags"]), ("retry", 2, os.getuid(), {}),
              "the decision")
        refused(client, "retry", "WrongState", "it has ended as rectified", run=run_id, step=2)


@test
def a_retry_in_vain_parks_again_and_can_be_repeated():
    shop = Shop()
    with shop.daemon() as daemon, daemon.client() as client:
        run_id = shop.park(client)["run"]
        for number in range(1, 4):
            reply = decide(client, "retry", run_id, 2, reason=f"try {number}")
            equal((reply["status"], reply["parked"]["step"]), ("parked", 2), "the run")
            equal(shop.lines().count("refund 2"), 2 * (number + 1), "attempts: the budget is a fresh one")
        stored(client, 1)
        decisions = wait_for(lambda: result(client, "show", run=run_id)["decisions"], "the decisions")
        equal([decision["reason"] for decision in decisions], ["try 1", "try 2", "try 3"], "the decisions, oldest first")
        shop.let("refund", None)
        equal(decide(client, "retry", run_id, 2)["status"], "rectified", "the run in the end")


@test
def a_skip_leaves_the_step_and_undoes_those_before_it():
    shop = Shop()
    with shop.daemon() as daemon, daemon.client() as client:
        run_id = shop.park(client)["run"]
        before = len(shop.lines())
        reply = decide(client, "skip", run_id, 2, reason="paid back at the till")
        equal(reply["status"], "settled", "the run")
        equal(shop.lines()[before:], ["unbook 1"], "what was called")
        equal([step["step"] for step in reply["remaining"]], [2], "what remains")
        equal([step["step"] for step in reply["rectified"]], [1], "what was undone")
        shown = result(client, "show", run=run_id)
        equal((shown["status"], shown["decisions"][0]["reason"]), ("settled", "paid back at the till"), "what is shown")
        stored(client, 0)


@test
def what_was_undone_by_hand_is_part_of_the_decision():
    shop = Shop()
    with shop.daemon() as daemon, daemon.client() as client:
        run_id = shop.park(client)["run"]
        reply = decide(client, "skip", run_id, 2, undone_by_hand=True, reason="refunded by hand")
        equal(reply["status"], "settled", "the run")
        [decision] = result(client, "show", run=run_id)["decisions"]
        equal(decision["flags"], {"undone_by_hand": True}, "the decision's flags")


@test
def an_irreversible_step_is_confirmed_and_the_run_goes_on_forwards():
    for word in (None, "crash"):  # done, and a later step failed; in doubt itself
        shop = Shop()
        with shop.daemon() as daemon, daemon.client() as client:
            shop.let("fire", word)
            shop.let("ship", "fail")
            reply = client.ask(shop.order("launch"))
            equal((reply["status"], reply["parked"]["name"], reply["parked"]["step"]), ("parked", "Irreversible", 2),
                  "the run")
            shop.let("ship", None)
            before = len(shop.lines())
            reply = decide(client, "confirm", reply["run"], 2, reason="the rocket has left")
            equal((reply["status"], shop.lines()[before:]), ("settled", ["ship 3"]), "the run, and what was called")


@test
def an_irreversible_step_is_skipped_and_those_before_it_undone():
    shop = Shop()
    with shop.daemon() as daemon, daemon.client() as client:
        shop.let("ship", "fail")
        reply = client.ask(shop.order("launch"))
        before = len(shop.lines())
        reply = decide(client, "skip", reply["run"], 2, reason="it stays in the air")
        equal((reply["status"], shop.lines()[before:]), ("settled", ["unbook 1"]), "the run, and what was called")
        equal([step["step"] for step in reply["remaining"]], [2], "what remains")


@test
def a_rehearsal_says_what_a_retry_would_call_and_changes_nothing():
    shop = Shop()
    with shop.daemon() as daemon, daemon.client() as client:
        run_id = shop.park(client)["run"]
        stored(client, 1)
        before = shop.lines()
        for parameters in ({}, {"current_module": True}):
            said = result(client, "retry", run=run_id, step=2, dry_run=True, **parameters)
            equal((said["run"], said["step"], [item["hook"] for item in said["next"]]), (run_id, 2, ["refund", "unbook"]),
                  "what would be called")
            equal((said["module"]["build_id"], said["module"]["available"]), (build_id(build()), True), "with what")
        shown = result(client, "show", run=run_id)
        equal((shown["status"], shown["decisions"], shop.lines()), ("parked", [], before), "the run afterwards")
        refused(client, "retry", "WrongState", "stands at step 2", run=run_id, step=1, dry_run=True)


@test
def a_decision_names_the_step_at_which_the_run_stands():
    shop = Shop()
    with shop.daemon() as daemon, daemon.client() as client:
        run_id = shop.park(client)["run"]
        for verb, reason in (("retry", {}), ("skip", {"reason": "why"}), ("confirm", {"reason": "why"})):
            refused(client, verb, "WrongState", "stands at step 2, not at step 1", run=run_id, step=1, **reason)
            refused(client, verb, "NoSuchRun", UNKNOWN, run=UNKNOWN, step=2, **reason)
        refused(client, "confirm", "WrongState", "Irreversible", run=run_id, step=2, reason="why")
        equal(result(client, "show", run=run_id)["decisions"], [], "the decisions")


@test
def only_what_is_parked_can_be_decided_about():
    shop = Shop()
    with shop.daemon() as daemon, daemon.client() as client, daemon.client() as other:
        ended = client.ask(shop.order(request_id="ended"))
        shop.let("charge", "wait")
        client.send(shop.order())
        wait_for(lambda: shop.lines().count("charge 2") == 2, "the second run")
        queued = other.ask(shop.order(wait=False))
        running = result(other, "status")["running"]["run"]
        for run_id, message in ((ended["run"], "it has ended as succeeded"), (running, "it is running"),
                                (queued["run"], "it waits to be run")):
            refused(other, "retry", "WrongState", message, run=run_id, step=2)
        shop.let("charge", None)
        client.reply()


@test
def what_a_decision_lacks_is_said():
    shop = Shop()
    with shop.daemon() as daemon, daemon.client() as client:
        run_id = shop.park(client)["run"]
        for verb in ("skip", "confirm"):
            refused(client, verb, "BadRequest", "needs the parameter reason", run=run_id, step=2)
            refused(client, verb, "BadRequest", "expected a reason", run=run_id, step=2, reason="")
            refused(client, verb, "BadRequest", "at most 1024", run=run_id, step=2, reason="x" * 1025)
        for verb in ("retry", "skip", "confirm"):
            refused(client, verb, "BadRequest", "needs the parameter run", step=2)
            refused(client, verb, "BadRequest", "needs the parameter step", run=run_id)
            refused(client, verb, "BadRequest", "step: expected int, got string", run=run_id, step="2", reason="why")
            refused(client, verb, "BadRequest", "no such parameter", run=run_id, step=2, reason="why", surplus=1)
            refused(client, verb, "BadRequest", "32 hexadecimal", run="what", step=2, reason="why")
            refused(client, verb, "BadRequest", "number of a step", run=run_id, step=-1, reason="why")
        refused(client, "retry", "BadRequest", "dry_run: expected bool", run=run_id, step=2, dry_run=1)
        refused(client, "show", "BadRequest", "32 hexadecimal", run="")
        refused(client, "wait", "NoSuchRun", UNKNOWN, run=UNKNOWN)
        refused(client, "show", "NoSuchRun", UNKNOWN, run=UNKNOWN)


# ---- what survives ----

@test
def a_parked_run_is_there_after_a_restart_and_after_a_kill():
    shop = Shop()
    daemon = shop.daemon()
    with daemon.client() as client:
        reply = shop.park(client, request_id="mine")
        stored(client, 1)
    daemon.stop()
    daemon = shop.daemon()
    with daemon.client() as client:
        equal([entry["run"] for entry in result(client, "parked")["runs"]], [reply["run"]], "the list after a restart")
        equal(client.ask(shop.order(request_id="mine")), reply, "its reply by its request id")
    daemon.kill()
    with shop.daemon() as daemon, daemon.client() as client:
        equal(end(client, reply["run"]), same(reply), "its reply after a kill")
        shop.let("refund", None)
        equal(decide(client, "retry", reply["run"], 2)["status"], "rectified", "the run in the end")


@test
def a_decision_is_carried_out_though_the_daemon_is_killed_meanwhile():
    shop = Shop()
    daemon = shop.daemon()
    with daemon.client() as client:
        run_id = shop.park(client, request_id="mine")["run"]
        shop.let("refund", "wait")
        result(client, "retry", run=run_id, step=2)
        wait_for(lambda: shop.lines().count("refund 2") == 3, "the attempt")
        equal(result(client, "show", run=run_id)["status"], "running", "what is shown of it")
        refused(client, "retry", "WrongState", "", run=run_id, step=2)
    daemon.kill()
    shop.let("refund", None)
    with shop.daemon() as daemon, daemon.client() as client:
        reply = end(client, run_id)
        equal((reply["status"], reply["remaining"]), ("rectified", []), "the run")
        equal(same(client.ask(shop.order(request_id="mine"))), reply, "its reply by its request id")
        [decision] = result(client, "show", run=run_id)["decisions"]
        check(decision["done"], "the decision is done")


@test
def what_was_decided_while_the_daemon_stopped_is_taken_up_at_the_next_start():
    shop = Shop()
    daemon = shop.daemon()
    with daemon.client() as client, daemon.client() as holder:
        run_id = shop.park(client)["run"]
        shop.let("ship", None)
        shop.let("charge", "wait")
        holder.send(shop.order())
        wait_for(lambda: shop.lines().count("charge 2") == 2, "a run in hand")
        result(client, "retry", run=run_id, step=2)
        shop.let("refund", None)
        daemon.signal(15)
        daemon.wait_log("stopping")
        shop.let("charge", None)
        equal(holder.reply()["status"], "succeeded", "the run in hand")
    equal(daemon.wait(), 0, "the exit status")
    with shop.daemon() as daemon, daemon.client() as client:
        equal(end(client, run_id)["status"], "rectified", "the run that was decided about")


# ---- modules ----

def with_another(shop, name="second", change=None):
    """Parks a run with the first build, where it was installed beside others; then there is another one. Returns the
    run and the directory of modules."""
    modules = scratch()
    shutil.copy(build(), modules / "shop.so")
    daemon = shop.daemon(modules / "shop.so")
    with daemon.client() as client:
        run_id = shop.park(client)["run"]
        stored(client, 1)
    daemon.stop()
    shutil.copy(build(name, change), modules / "new.so")
    os.rename(modules / "new.so", modules / "shop.so")
    shop.let("refund", None)
    return run_id, modules


@test
def a_run_whose_build_is_gone_stays_parked_and_says_what_can_be_done():
    shop = Shop()
    run_id, modules = with_another(shop)
    with shop.daemon(modules / "shop.so") as daemon, daemon.client() as client:
        error = refused(client, "retry", "WrongState", "--current-module", run=run_id, step=2)
        contains(error["message"], build_id(build()), "the message names the build")
        shown = result(client, "show", run=run_id)
        equal((shown["module"]["build_id"], shown["module"]["current"], shown["module"]["available"]),
              (build_id(build()), False, False), "its module")
        equal([step["hook"] for step in shown["steps"]], ["book", "charge", "ship"],
              "the steps are known without the module")
        equal(shown["decisions"], [], "the decisions")


@test
def the_module_of_now_takes_a_run_up_where_an_operator_says_so():
    shop = Shop()
    run_id, modules = with_another(shop)
    with shop.daemon(modules / "shop.so") as daemon, daemon.client() as client:
        said = result(client, "retry", run=run_id, step=2, current_module=True, dry_run=True)
        equal((said["module"]["build_id"], said["module"]["current"]), (build_id(build("second")), True), "with what")
        reply = decide(client, "retry", run_id, 2, current_module=True, reason="it is a repair")
        equal(reply["status"], "rectified", "the run")
        [decision] = result(client, "show", run=run_id)["decisions"]
        equal((decision["flags"], decision["reason"]), ({"current_module": True}, "it is a repair"), "the decision")


@test
def a_module_with_another_plan_is_refused():
    shop = Shop()
    run_id, modules = with_another(shop, "third", longer)
    with shop.daemon(modules / "shop.so") as daemon, daemon.client() as client:
        refused(client, "retry", "WrongState", "does not fit", run=run_id, step=2, current_module=True)
        refused(client, "retry", "WrongState", "--current-module", run=run_id, step=2)
        equal(result(client, "show", run=run_id)["status"], "parked", "the run")


@test
def the_build_that_a_run_began_with_is_found_beside_the_one_of_now():
    shop = Shop()
    run_id, modules = with_another(shop)
    shutil.copy(build(), modules / f"shop-{build_id(build())}.so")
    with shop.daemon(modules / "shop.so") as daemon, daemon.client() as client:
        shown = result(client, "show", run=run_id)
        equal((shown["module"]["current"], shown["module"]["available"]), (False, True), "its module")
        equal(decide(client, "retry", run_id, 2)["status"], "rectified", "the run")
        equal(client.ask(shop.order())["error"]["name"], "HookFailed", "a new run, by the build of now")
        shop.let("ship", None)
        equal(client.ask(shop.order())["status"], "succeeded", "another one")


@test
def a_file_that_is_another_build_than_its_name_says_is_not_used():
    shop = Shop()
    run_id, modules = with_another(shop)
    shutil.copy(build("second"), modules / f"shop-{build_id(build())}.so")
    with shop.daemon(modules / "shop.so") as daemon, daemon.client() as client:
        refused(client, "retry", "WrongState", "is not installed", run=run_id, step=2)


# ---- hold ----

@test
def while_the_queue_is_held_nothing_begins_and_what_is_in_progress_ends():
    shop = Shop()
    daemon = shop.daemon()
    with daemon.client() as client, daemon.client() as other:
        shop.let("charge", "wait")
        client.send(shop.order(id=1))
        wait_for(lambda: "charge 2" in shop.lines(), "a run in hand")
        client.send(shop.order(id=2))
        equal(result(other, "hold", reason="a fire drill"), {"held": True}, "the answer")
        status = result(other, "status")
        equal((status["state"], status["held"], status["hold"]["reason"], status["hold"]["uid"]),
              ("held", True, "a fire drill", os.getuid()), "the status")
        shop.let("charge", None)
        equal(client.reply()["status"], "succeeded", "the run in hand")
        queued = other.ask(shop.order(wait=False))
        equal(queued["status"], "queued", "a submission")
        equal(shop.lines().count("book 1"), 1, "runs that began")
        equal(result(other, "resume"), {"held": False}, "the answer")
        equal(client.reply()["status"], "succeeded", "what waited")
        equal(end(other, queued["run"])["status"], "succeeded", "the submission")
        equal(result(other, "hold"), {"held": True}, "held again")
        queued = other.ask(shop.order(wait=False))
    daemon.stop()
    with shop.daemon() as daemon, daemon.client() as client:
        status = result(client, "status")
        equal((status["held"], status["hold"].get("reason"), status["submitted"]), (True, None, 1),
              "the status after a restart")
        equal(shop.lines().count("book 1"), 3, "runs that began")
        equal(result(client, "resume"), {"held": False}, "the answer")
        equal(end(client, queued["run"])["status"], "succeeded", "the submission")


@test
def a_parked_run_holds_the_queue_where_that_is_set():
    shop = Shop({"OnParked": "hold"})
    with shop.daemon() as daemon, daemon.client() as client, daemon.client() as other:
        run_id = shop.park(client)["run"]
        wait_for(lambda: result(client, "status")["state"] == "held", "the queue to be held")
        shop.let("ship", None)
        other.send(shop.order())
        wait_for(lambda: result(client, "status")["queued"] == 1, "another run to wait")
        before = shop.lines()
        reply = decide(client, "retry", run_id, 2)
        equal((reply["status"], shop.lines()[len(before):]), ("parked", ["refund 2", "refund 2"]), "in vain")
        shop.let("refund", None)
        equal(decide(client, "retry", run_id, 2)["status"], "rectified", "the run")
        equal(other.reply()["status"], "succeeded", "what waited")


@test
def a_retry_goes_on_though_an_operator_holds_the_queue():
    shop = Shop()
    with shop.daemon() as daemon, daemon.client() as client:
        run_id = shop.park(client)["run"]
        result(client, "hold")
        shop.let("refund", None)
        equal(decide(client, "retry", run_id, 2)["status"], "rectified", "the run")


main()
