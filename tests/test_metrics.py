#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The call `metrics`: what is counted, once each, and who sees what of it."""

import json
import os
import subprocess

from busy import Gate, Log, busy, outcome, status
from tap import Daemon, check, contains, equal, main, scratch, skip, test, wait_for

NOTHING = {"program": "nothing"}  # five steps without rectifiers
NOBODY = 54321


def harm(log, how):
    return {"program": "harm", "data_pool": {"log": str(log), "how": how}}


def asked(daemon):
    with daemon.client() as client:
        return ask(client)


def ask(client):
    return client.ask({"call": "metrics"})["result"]["metrics"]


def settle(asker, connections):
    """Until those who have closed their connection are gone."""
    wait_for(lambda: value(ask(asker), "ryuso_connections") == connections, f"{connections} connections")


def labelled(metrics, name):
    """The samples of one of them: by the values of their labels, in their order."""
    [metric] = [entry for entry in metrics if entry["name"] == name]
    found = {tuple(sample["labels"].values()): sample["value"] for sample in metric["samples"]}
    equal(len(found), len(metric["samples"]), f"different labels of {name}")
    return found


def value(metrics, name, *labels):
    return labelled(metrics, name)[labels]


def some(found):
    return {labels: count for labels, count in found.items() if count}


@test
def every_metric_says_what_it_is_and_its_labels_are_the_same_in_all_samples():
    log = Log()
    with busy() as daemon, daemon.client() as client:
        client.ask(NOTHING)
        client.ask(harm(log, "fail"))
        client.ask({"program": "nothing", "data_pool": {"surplus": 1}})
        metrics = asked(daemon)
    names = [metric["name"] for metric in metrics]
    equal(len(set(names)), len(names), "different names")
    for metric in metrics:
        equal(set(metric), {"name", "type", "help", "samples"}, f"the members of {metric['name']}")
        check(metric["name"].startswith("ryuso_") and metric["help"].endswith("."), f"a name and a help: {metric}")
        equal(metric["name"].endswith("_total"), metric["type"] == "counter", f"whether {metric['name']} is a counter")
        check(metric["samples"], f"expected samples of {metric['name']}")
        labels = {tuple(sample["labels"]) for sample in metric["samples"]}
        equal(len(labels), 1, f"sets of labels of {metric['name']}")
        for sample in metric["samples"]:
            equal(set(sample), {"labels", "value"}, f"a sample of {metric['name']}")
            check(sample["value"] >= 0, f"a value of {metric['name']}: {sample}")


@test
def runs_are_counted_by_program_and_status():
    log = Log()
    with busy() as daemon, daemon.client() as client:
        fresh = labelled(asked(daemon), "ryuso_runs_total")
        for _ in range(3):
            equal(outcome(client.ask(NOTHING))[0], "succeeded", "a run")
        equal(outcome(client.ask(harm(log, "fail")))[0], "rectified", "a run")
        equal(outcome(client.ask({"program": "stuck"}))[0], "parked", "a run")
        equal(outcome(client.ask({"program": "nothing", "data_pool": {"surplus": 1}}))[0], "refused", "a request")
        equal(outcome(client.ask({"program": "no such"}))[0], "refused", "a request")
        found = labelled(asked(daemon), "ryuso_runs_total")
        equal(status(daemon)["runs"]["succeeded"], 3, "what status says")
    equal(some(fresh), {}, "before the first run")
    check(("nothing", "settled") in fresh, f"expected each status from the start on, got {fresh}")
    equal(some(found), {("nothing", "succeeded"): 3, ("harm", "rectified"): 1, ("stuck", "parked"): 1,
                        ("nothing", "refused"): 1}, "the runs")


@test
def calls_of_hooks_are_counted_by_outcome_and_their_time_is_added_up():
    log = Log()
    with busy() as daemon, daemon.client() as client:
        equal(labelled(asked(daemon), "ryuso_hook_calls_total"), {}, "before the first call")
        client.ask(NOTHING)
        client.ask(harm(log, "fail"))
        client.ask(harm(log, "unknown"))
        client.ask({"program": "patience", "data_pool": {"log": str(log)}})
        metrics = asked(daemon)
    equal(some(labelled(metrics, "ryuso_hook_calls_total")),
          {("nop", "hook", "ok"): 5, ("before", "hook", "ok"): 3, ("harm", "hook", "failed"): 1,
           ("harm", "hook", "unknown"): 1, ("stubborn", "hook", "failed"): 1000, ("undo", "rectifier", "ok"): 4},
          "the calls")
    seconds = labelled(metrics, "ryuso_hook_seconds_total")
    equal(set(seconds), {("nop", "hook"), ("before", "hook"), ("harm", "hook"), ("stubborn", "hook"),
                         ("undo", "rectifier")}, "whose time it is")


@test
def the_time_of_a_hook_is_what_those_who_follow_its_runs_are_told():
    log, told = Log(), {}
    requests = [harm(log, "fail"), harm(log, "unknown"), NOTHING,
                {"program": "hurry", "data_pool": {"log": str(log), "usec": 20000}}]
    with busy() as daemon, daemon.client() as client:
        for request in requests:
            client.send({**request, "follow": True})
            for event in iter(client.reply, None):
                if "status" in event:
                    break
                if event["event"] in ("hook", "rectifier"):
                    key = event["hook"], event["event"]
                    told[key] = told.get(key, 0) + event["usec"]
        seconds = labelled(asked(daemon), "ryuso_hook_seconds_total")
    equal({key: round(value * 1000000) for key, value in seconds.items()}, told, "microseconds")
    check(told["sleep", "hook"] > 0, f"expected some time, got {told}")


@test
def refusals_are_counted_by_error_whether_requests_or_calls():
    with busy({"QueueLength": 1, "MaxConnectionsPerUser": 3}) as daemon, daemon.client() as client:
        client.ask({"program": "no such"})
        client.ask({"program": "nothing", "surplus": 1})
        client.ask({"program": "echo", "data_pool": {}})
        client.ask({"program": "echo", "data_pool": {"text": 1}})
        client.ask({"call": "show", "parameters": {"run": "0" * 32}})
        settle(client, 1)
        with daemon.client() as holder, daemon.client() as asker:
            gate = Gate(holder)
            client.send(NOTHING, NOTHING)
            wait_for(lambda: labelled(ask(asker), "ryuso_refusals_total").get(("QueueFull",)) == 1,
                     "the refusal of the second")
            with daemon.client() as surplus:
                equal(outcome(surplus.reply()), ("refused", "TooManyConnections"), "one too many")
            gate.open()
            holder.reply()
            equal([outcome(reply)[0] for reply in client.replies(2)], ["succeeded", "refused"], "the two")
        found = labelled(ask(client), "ryuso_refusals_total")
    equal(found, {("UnknownProgram",): 1, ("BadRequest",): 1, ("MissingArgument",): 1, ("WrongType",): 1,
                  ("NoSuchRun",): 1, ("QueueFull",): 1, ("TooManyConnections",): 1}, "the refusals")


@test
def what_waits_and_is_refused_later_is_counted_once():
    with busy() as daemon, daemon.client() as holder, daemon.client() as client:
        gate = Gate(holder)
        client.send({**NOTHING, "start_within": 0.05, "request_id": "a"})
        equal(outcome(client.reply()), ("refused", "NotStarted"), "the run that had to wait")
        gate.open()
        holder.reply()
        metrics = asked(daemon)
    equal(value(metrics, "ryuso_refusals_total", "NotStarted"), 1, "the refusals")
    equal(value(metrics, "ryuso_runs_total", "nothing", "refused"), 1, "the runs")


@test
def the_queue_and_the_connections_are_shown_as_they_are():
    with busy() as daemon, daemon.client() as holder, daemon.client() as client, daemon.client() as asker:
        gate = Gate(holder)
        client.send(*[NOTHING] * 7)
        settle(asker, 3)
        wait_for(lambda: value(ask(asker), "ryuso_runs_queued") == 7, "the runs to be queued")
        metrics = ask(asker)
        equal([value(metrics, f"ryuso_runs_{what}") for what in ("running", "parked")], [1, 0], "runs")
        accepted = value(metrics, "ryuso_connections_total")
        gate.open()
        client.replies(7)
        metrics = asked(daemon)
        equal([value(metrics, f"ryuso_runs_{what}") for what in ("queued", "running")], [0, 0], "runs")
        equal(value(metrics, "ryuso_connections_total"), accepted + 1, "connections so far")


@test
def records_syncs_workers_and_commits_are_those_that_status_knows():
    log = Log()
    with busy() as daemon, daemon.client() as client:
        client.ask({**NOTHING, "request_id": "a"})
        client.ask(harm(log, "unknown"))
        wait_for(lambda: status(daemon).get("worker_pid") and status(daemon)["workers_started"] >= 3, "the spare")
        wait_for(lambda: status(daemon)["ledger"]["under_way"] == 0, "the ledger to be written")
        known, metrics = status(daemon), asked(daemon)
    equal(value(metrics, "ryuso_records_total"), known["recorder"]["records"], "records")
    equal(value(metrics, "ryuso_syncs_total", "daemon"), known["recorder"]["syncs"], "syncs of the daemon")
    equal(value(metrics, "ryuso_syncs_total", "worker"), known["recorder"]["worker_syncs"], "syncs of the worker")
    equal(value(metrics, "ryuso_recorder_renewals_total"), known["recorder"]["renewals"], "new recorders")
    equal(value(metrics, "ryuso_workers_started_total"), known["workers_started"], "workers")
    equal(value(metrics, "ryuso_ledger_commits_total"), known["ledger"]["commits"], "commits")
    equal(value(metrics, "ryuso_worker_failures_total"), 0, "workers that could not be had")
    equal(value(metrics, "ryuso_log_lost_total"), 0, "entries that were lost")
    [(instance, version, module, _build)] = labelled(metrics, "ryuso_info")
    equal((instance, version, module), (known["instance"], known["version"], "busy"), "who it is")


@test
def without_a_module_there_are_metrics_still():
    with Daemon(module=scratch() / "absent.so") as daemon, daemon.client() as client:
        equal(outcome(client.ask(NOTHING)), ("refused", "NoModule"), "a request")
        metrics = asked(daemon)
    equal(labelled(metrics, "ryuso_runs_total"), {}, "runs")
    equal(value(metrics, "ryuso_refusals_total", "NoModule"), 1, "the refusals")
    check(value(metrics, "ryuso_worker_failures_total") >= 1, "the tries to have a worker")


def ask_as(daemon, request, uid):
    os.chmod(daemon.directory, 0o755)
    os.chmod(daemon.socket, 0o666)
    done = subprocess.run(["socat", "-t", "30", "-", f"UNIX-CONNECT:{daemon.socket}"], input=json.dumps(request),
                          stdout=subprocess.PIPE, text=True, timeout=60, check=True, user=uid, group=uid,
                          extra_groups=[])
    return json.loads(done.stdout)


@test
def a_user_sees_the_programs_that_they_may_run_and_no_hooks():
    if os.geteuid() != 0:
        skip("only root can be another user")
    with busy() as daemon, daemon.client() as client:
        client.ask(NOTHING)
        seen = ask_as(daemon, {"call": "metrics"}, NOBODY)["result"]["metrics"]
        everything = asked(daemon)
    names = {metric["name"] for metric in seen}
    programs = {program for program, _status in labelled(seen, "ryuso_runs_total")}
    check("nothing" in programs and not programs & {"closed", "grouped"}, f"what they may run: {programs}")
    equal(value(seen, "ryuso_runs_total", "nothing", "succeeded"), 1, "of which others' runs are part")
    equal({metric["name"] for metric in everything} - names, {"ryuso_hook_calls_total", "ryuso_hook_seconds_total"},
          "what operators alone see")
    contains(json.dumps(everything), '"closed"', "what operators see")


main()
