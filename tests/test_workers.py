# SPDX-License-Identifier: LGPL-2.1-or-later
"""Workers are kept and replaced; modules and the state directory come and go."""

import os
import pathlib
import signal

from busy import Gate, Log, busy, children, module, outcome, say, status, workers
from tap import Daemon, check, contains, equal, main, scratch, test, wait_for

NOTHING = {"program": "nothing"}


# ---- workers ----

@test
def a_worker_is_kept_after_ok_and_after_a_clean_failure():
    log = Log()
    with busy() as daemon, daemon.client() as client:
        worker = status(daemon)["worker_pid"]
        for _ in range(20):
            client.ask(NOTHING)
            client.ask({"program": "harm", "data_pool": {"log": str(log), "how": "fail"}})
        equal(status(daemon)["worker_pid"], worker, "the worker")


@test
def a_worker_is_replaced_after_an_unknown_outcome():
    log = Log()
    with busy() as daemon, daemon.client() as client:
        worker = status(daemon)["worker_pid"]
        reply = client.ask({"program": "harm", "data_pool": {"log": str(log), "how": "unknown"}})
        equal(outcome(reply), ("rectified", "HookUnknown"), "the run")
        check(client.ask(NOTHING)["success"], "the next run")
        check(status(daemon)["worker_pid"] != worker, "the worker is another one")


@test
def runs_per_worker_is_a_number_of_runs():
    for limit, runs in ((1, 5), (3, 10)):
        with busy({"RunsPerWorker": limit}) as daemon, daemon.client() as client:
            seen = []
            for _ in range(runs):
                check(client.ask(NOTHING)["success"], "a run")
                seen.append(wait_for(lambda: status(daemon).get("worker_pid"), "a worker"))
            client.send(*[NOTHING] * runs)
            check(all(reply["success"] for reply in client.replies(runs)), "runs in one write")
            need = -(-2 * runs // limit)
            check(status(daemon)["workers_started"] >= need,
                  f"RunsPerWorker={limit}: {2 * runs} runs need {need} workers: {status(daemon)}")


@test
def a_worker_that_is_killed_between_runs_is_replaced():
    with busy() as daemon, daemon.client() as client:
        for _ in range(5):
            check(client.ask(NOTHING)["success"], "a run")
            worker = wait_for(lambda: status(daemon).get("worker_pid"), "a worker")
            os.kill(worker, signal.SIGKILL)
        check(client.ask(NOTHING)["success"], "the run after it")


@test
def runs_that_a_dead_worker_did_not_begin_are_run_by_the_next_in_order():
    log = Log()
    with busy() as daemon, daemon.client() as holder, daemon.client() as client:
        Gate(holder, log=log)
        client.send(*[say(log, str(number)) for number in range(30)])
        wait_for(lambda: status(daemon)["queued"] == 30, "the runs to be queued")
        os.kill(status(daemon)["worker_pid"], signal.SIGKILL)
        equal(outcome(holder.reply()), ("rectified", "HookUnknown"), "the run it was in")
        check(all(reply["success"] for reply in client.replies(30)), "the others")
        equal(log.lines(), ["gate"] + [str(number) for number in range(30)], "what ran, each once")


@test
def no_worker_outlives_a_daemon_that_is_killed():
    daemon = busy()
    wait_for(lambda: len(workers(daemon.pid)) == 2, "a worker and a spare")
    both = children(daemon.pid)
    daemon.kill()
    wait_for(lambda: not any(pathlib.Path(f"/proc/{worker}").exists() for worker in both), "the workers' end")


# ---- state ----

@test
def one_state_directory_is_one_daemons():
    first = busy()
    directory = scratch()
    with Daemon(["--state", first.state], module=module(), directory=directory) as second, second.client() as client:
        reply = client.ask(NOTHING)
        equal(outcome(reply), ("refused", "StoreBusy"), "the answer")
        contains(reply["error"]["message"], str(first.pid), "the message names the holder")
        first.stop()
        wait_for(lambda: client.ask(NOTHING)["success"], "the second daemon to take over")


@test
def a_state_directory_that_cannot_be_used_leaves_the_daemon_up():
    directory = scratch()
    (directory / "file").write_text("")
    with Daemon(["--state", directory / "file" / "state"], module=module()) as daemon, daemon.client() as client:
        equal(outcome(client.ask(NOTHING)), ("refused", "StoreDamaged"), "the answer")
        equal(status(daemon)["state"], "store-damaged", "the state")


@test
def a_module_that_appears_later_is_used_then():
    directory = scratch()
    path = directory / "late.so"
    with Daemon(module=path, directory=directory) as daemon, daemon.client() as client:
        reply = client.ask(NOTHING)
        equal(outcome(reply), ("refused", "NoModule"), "the answer")
        contains(reply["error"]["message"], f"cannot open {path}", "the message")
        (directory / "copy").write_bytes(pathlib.Path(module()).read_bytes())
        os.rename(directory / "copy", path)
        wait_for(lambda: client.ask(NOTHING)["success"], "the module to be used")


@test
def a_module_file_that_is_replaced_changes_nothing():
    directory = scratch()
    path = directory / "module.so"
    path.write_bytes(pathlib.Path(module()).read_bytes())
    with Daemon(module=path, settings={"RunsPerWorker": 1}) as daemon, daemon.client() as client:
        check(client.ask(NOTHING)["success"], "a run")
        (directory / "other").write_text("no module at all")
        os.rename(directory / "other", path)
        for _ in range(4):
            check(client.ask(NOTHING)["success"], "a run by a new worker")


main()
