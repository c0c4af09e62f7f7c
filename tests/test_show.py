#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What `show` says of a run wherever it is; and what is said where the store was elsewhere before, or cannot be read."""

import os
import shutil

from shop import Shop, result, stored
from tap import check, contains, equal, main, program, run, test, wait_for


def steps(shown):
    return [(step["step"], step["hook"], step["state"]) for step in shown["steps"]]


def ctl(daemon, *words, status=0):
    done = run(program("ryusoctl"), "--socket", daemon.socket, *words, status=status)
    return done.stdout + done.stderr


@test
def a_running_run_is_shown_with_what_has_become_of_each_step():
    shop = Shop()
    with shop.daemon() as daemon, daemon.client() as client, daemon.client() as other:
        shop.let("charge", "wait")
        client.send(shop.order(pool={"pin": "s3cret"}, metadata={"ticket": "T-7"}))
        run_id = wait_for(lambda: [one["run"] for one in result(other, "runs")["runs"] if one["hook"] == "charge"],
                          "the run")[0]
        shown = result(other, "show", run=run_id)
        equal(steps(shown), [(1, "book", "done"), (2, "charge", "ahead"), (3, "ship", "ahead")], "the steps")
        check(shown["steps"][0]["usec"] > 0 and "usec" not in shown["steps"][1], f"the times of {shown['steps']}")
        equal((shown["status"], shown["running"]["hook"], shown["peer_uid"], shown["peer_pid"], shown["metadata"]),
              ("running", "charge", os.getuid(), os.getpid(), {"ticket": "T-7"}), "what is shown")
        equal((shown["arguments"]["pin"], shown["secrets"]), (None, ["pin"]), "a secret argument")
        check("s3cret" not in str(shown), f"a secret is shown: {shown}")
        shop.let("ship", "fail")
        shop.let("refund", "wait")
        shop.let("charge", None)
        wait_for(lambda: result(other, "runs", status="rectifying")["runs"], "the way back")
        shown = result(other, "show", run=run_id)
        equal(steps(shown), [(1, "book", "done"), (2, "charge", "done"), (3, "ship", "failed")], "the steps then")
        contains(ctl(daemon, "show", run_id), "rectifier refund", "what ryusoctl shows")
        shop.let("refund", None)
        equal(client.reply()["status"], "rectified", "the run")


@test
def an_ended_run_is_shown_step_by_step():
    shop = Shop()
    with shop.daemon() as daemon, daemon.client() as client:
        good = client.ask(shop.order("launch"))["run"]
        shop.let("fire", "fail")
        bad = client.ask(shop.order("launch", request_id="kept"))["run"]
        for _ in range(2):
            shown = result(client, "show", run=good)
            equal(steps(shown), [(1, "book", "done"), (2, "fire", "done"), (3, "ship", "done")], "one that succeeded")
            shown = result(client, "show", run=bad)
            equal(steps(shown), [(1, "book", "reversed"), (2, "fire", "failed"), (3, "ship", "ahead")], "one that failed")
            equal((shown["reply"]["error"]["reason"], shown["peer_pid"]), ("OutOfOrder", os.getpid()), "why, and for whom")
            check(shown["begun_usec"] <= shown["ended_usec"], "when")
            wait_for(lambda: result(client, "status")["ledger"]["works"] >= 2, "the ledger to have them")
        text = ctl(daemon, "show", bad)
        for part in ("fire does not work today", "reversed", "Undone: step 1"):
            contains(text, part, "what ryusoctl shows")


@test
def why_a_run_failed_is_kept_though_its_program_has_secret_outputs():
    shop = Shop()
    with shop.daemon() as daemon, daemon.client() as client:
        shop.let("ship", "fail")
        run_id = client.ask(shop.order(pool={"pin": "s3cret"}))["run"]
        for _ in range(2):
            shown = result(client, "show", run=run_id)
            equal((shown["reply"]["error"]["reason"], shown["reply"]["error"]["hook"]), ("OutOfOrder", "ship"), "why")
            check("s3cret" not in str(result(client, "wait", run=run_id)), "no secret is answered")
            equal(result(client, "runs")["runs"][0]["error"]["message"], "ship does not work today", "the list")
            wait_for(lambda: result(client, "status")["ledger"]["works"] >= 1, "the ledger to have it")
    check(b"s3cret" not in (daemon.state / "ledger.sqlite").read_bytes(), "no secret is in the ledger")


@test
def a_parked_run_is_shown_with_its_metadata_and_times():
    shop = Shop()
    with shop.daemon() as daemon, daemon.client() as client:
        run_id = shop.park(client, metadata={"ticket": "T-8"}, request_id="mine")["run"]
        stored(client, 1)
        shown = result(client, "show", run=run_id)
        equal((shown["metadata"], shown["request_id"]), ({"ticket": "T-8"}, "mine"), "what is shown")
        check(shown["steps"][0]["usec"] > 0, f"the times of {shown['steps']}")
        check("store_moved_usec" not in shown, "the store is where it was")


def move(daemon):
    """The state directory is a copy from now on."""
    shutil.copytree(daemon.state, str(daemon.state) + ".copy")
    shutil.rmtree(daemon.state)
    os.rename(str(daemon.state) + ".copy", daemon.state)
    os.chmod(daemon.state, 0o700)


@test
def a_run_that_parked_before_its_store_was_moved_says_so_until_it_parks_anew():
    shop = Shop()
    with shop.daemon() as daemon, daemon.client() as client:
        run_id = shop.park(client)["run"]
        stored(client, 1)
    move(daemon)
    for _ in range(2):  # the start that finds it, and a later one
        with shop.daemon() as daemon, daemon.client() as client:
            shown = result(client, "show", run=run_id)
            check(shown["parked_usec"] < shown["store_moved_usec"], f"what is shown: {shown}")
            equal(result(client, "retry", run=run_id, step=2, dry_run=True)["store_moved_usec"],
                  shown["store_moved_usec"], "what a dry run says")
            contains(ctl(daemon, "show", run_id), "the state directory was found to have been elsewhere", "ryusoctl show")
            later = shop.park(client)["run"] if _ == 0 else later
            stored(client, 2)
            check("store_moved_usec" not in result(client, "show", run=later), "one that parked since then")
    contains(logs(shop), "is not where it was", "the log")
    with shop.daemon() as daemon, daemon.client() as client:
        text = ctl(daemon, "retry", run_id, status=2)
        contains(text, "make sure that nobody has decided about the run there", "what ryusoctl retry says")
        wait_for(lambda: result(client, "status")["parked"] == 2, "it to be parked again")
        check("store_moved_usec" not in result(client, "show", run=run_id), "one that has parked anew")


def logs(shop):
    return "".join(path.read_text(errors="replace") for path in shop.directory.glob("*.log"))


@test
def where_the_store_cannot_be_read_nobody_claims_to_know_how_many_runs_are_parked():
    shop = Shop()
    with shop.daemon() as daemon, daemon.client() as client:
        equal(result(client, "status")["parked"], 0, "before")
        contains(ctl(daemon, "status"), "Parked: 0", "ryusoctl status before")
        shop.park(client)
        stored(client, 1)
    (daemon.state / "ledger.sqlite").write_bytes(b"no database at all" * 1000)
    with shop.daemon() as daemon, daemon.client() as client:
        found = result(client, "status")
        equal((found["state"], found["parked"]), ("store-damaged", None), "the status")
        contains(ctl(daemon, "status", status=2), "Parked: not known", "ryusoctl status")


main()
