#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A new module is taken up by a reload: the run in hand ends with the old one, what waits goes to the new one, and
nobody's connection is closed."""

import json
import os
import signal

from busy import kill_workers, module as test_module, status
from project import Project
from reloading import Service, held, module_in_use
from shop import build, longer, refused, result
from tap import check, contains, equal, main, test, wait_for


def with_argument(spec):
    """Another argument of `order`, which must be there; `glance` is gone."""
    tree = json.loads(spec)
    tree["programs"]["order"]["args"]["colour"] = {"type": "string", "required": True}
    del tree["programs"]["glance"]
    return json.dumps(tree)


def without_item(spec):
    tree = json.loads(spec)
    del tree["programs"]["order"]["args"]["item"]
    return json.dumps(tree)


@test
def the_run_in_hand_ends_with_the_old_module_and_those_that_wait_go_to_the_new_one():
    service = Service()
    with service.start() as daemon, daemon.client() as first, daemon.client() as second, daemon.client() as operator:
        before = module_in_use(operator)
        held(service, first)
        second.send(service.order(id=1), service.order(id=2))
        wait_for(lambda: status(daemon)["queued"] == 2, "two runs to wait")
        service.install(build("longer", longer))
        found = result(operator, "reload")
        equal((found["other_module"], found["fitted"] <= 2, found["refused"]), (True, True, 0), "the answer")
        check(module_in_use(operator) != before, "expected another build to be in use")
        service.let("book", None)
        equal(first.reply()["status"], "succeeded", "the run in hand")
        equal([reply["status"] for reply in second.replies(2)], ["succeeded"] * 2, "those that waited")
        # the longer plan ships once more, and first of all
        equal(service.lines(), ["book 1", "charge 2", "ship 3"] + ["ship 1", "book 2", "charge 3", "ship 4"] * 2,
              "what was called")
        equal(first.ask(service.order())["status"], "succeeded", "another on the same connection")


@test
def what_waits_and_does_not_fit_the_new_module_is_refused_and_says_why():
    service = Service()
    with service.start() as daemon, daemon.client() as first, daemon.client() as second, daemon.client() as operator:
        held(service, first)
        second.send(service.order(id=1), service.order("glance", id=2), service.order("launch", id=3))
        submitted = operator.ask(service.order(request_id="later", wait=False))
        equal(submitted["status"], "queued", "the submission")
        wait_for(lambda: status(daemon)["queued"] == 4, "four runs to wait")
        service.install(build("argument", with_argument))
        result(operator, "reload")
        service.let("book", None)
        equal(first.reply()["status"], "succeeded", "the run in hand")
        replies = second.replies(3)
        equal([(reply["status"], reply["error"] and reply["error"]["name"]) for reply in replies],
              [("refused", "MissingArgument"), ("refused", "UnknownProgram"), ("succeeded", None)], "those that waited")
        contains(replies[0]["error"]["message"], 'argument "colour" (string) is required now', "why")
        equal(result(operator, "show", run=submitted["run"])["status"], "refused", "the submission")
        reply = operator.ask(service.order(request_id="later", pool={"colour": "red"}))
        equal(reply["status"], "succeeded", "another under its request id, which is free again")


@test
def an_argument_that_is_gone_refuses_those_alone_that_have_it():
    service = Service()
    with service.start() as daemon, daemon.client() as first, daemon.client() as second, daemon.client() as operator:
        held(service, first)
        second.send(service.order(pool={"item": "hat"}), service.order())
        wait_for(lambda: status(daemon)["queued"] == 2, "two runs to wait")
        service.install(build("itemless", without_item))
        result(operator, "reload")
        service.let("book", None)
        first.reply()
        replies = second.replies(2)
        equal([reply["status"] for reply in replies], ["refused", "succeeded"], "those that waited")
        equal(replies[0]["error"]["name"], "UnknownArgument", "why")


@test
def a_run_whose_worker_dies_after_the_reload_is_rectified_by_the_old_module():
    service = Service()
    with service.start() as daemon, daemon.client() as first, daemon.client() as operator:
        held(service, first, "charge")
        service.install(build("longer", longer))
        equal(result(operator, "reload")["other_module"], True, "the answer")
        os.kill(status(daemon)["worker_pid"], signal.SIGKILL)
        service.let("charge", None)
        reply = first.reply()
        equal((reply["status"], reply["error"]["step"]), ("rectified", 2), "the run in hand")
        equal(service.lines(), ["book 1", "charge 2", "refund 2 in doubt", "unbook 1"], "what was called")
        equal(first.ask(service.order())["status"], "succeeded", "another one")
        equal(service.lines()[4:], ["ship 1", "book 2", "charge 3", "ship 4"], "with the new module")


@test
def a_submission_that_was_queued_before_the_reload_parks_with_the_module_that_it_ran_with():
    service = Service()
    with service.start() as daemon, daemon.client() as first, daemon.client() as operator:
        held(service, first)
        run = operator.ask(service.order(request_id="later", wait=False))["run"]
        service.install(build("longer", longer))
        result(operator, "reload")
        service.let("charge", "fail")
        service.let("unbook", "fail")
        service.let("book", None)
        # the first one parks, too: the same files say how its hooks end
        equal(first.reply()["status"], "parked", "the run in hand")
        equal(result(operator, "wait", run=run)["status"], "parked", "the submission")
        wait_for(lambda: result(operator, "status")["ledger"]["under_way"] == 0, "the ledger to be written")
        shown = result(operator, "show", run=run)
        equal((shown["module"]["current"], shown["module"]["build_id"]), (True, module_in_use(operator)), "its module")
        equal(shown["parked"]["step"], 2, "where it stands in the longer plan")
        for word in ("charge", "unbook"):
            service.let(word, None)
        result(operator, "retry", run=run, step=2)
        equal(result(operator, "wait", run=run)["status"], "rectified", "after a retry")


@test
def a_module_that_cannot_be_used_changes_nothing_and_the_answer_says_why():
    service = Service()
    with service.start() as daemon, daemon.client() as client, daemon.client() as operator:
        before = module_in_use(operator)
        service.install(b"this is no module\n")
        service.configure(MaxDepth=3)
        error = refused(operator, "reload", "NoModule", "; nothing has changed")
        contains(error["message"], f"module {service.module}: ", "the message")
        equal(client.ask(service.order())["status"], "succeeded", "a run afterwards")
        equal((module_in_use(operator), status(daemon)["state"]), (before, "running"), "what is in use")
        equal(client.ask({"program": "order", "data_pool": {"dir": [[[1]]]}})["error"]["name"], "WrongType",
              "the settings, too, are those of before")
        os.unlink(service.module)
        refused(operator, "reload", "NoModule", f"cannot open {service.module}: No such file or directory; nothing")
        equal(client.ask(service.order())["status"], "succeeded", "a run afterwards")


@test
def a_module_that_hangs_while_it_is_tried_holds_nobody_up():
    service = Service(ModuleTimeout="300ms")
    with service.start() as daemon, daemon.client() as client, daemon.client() as operator:
        slow = build("slow").parent
        with open(slow / "hooks" / "acts.c", "a") as code:
            code.write("__attribute__((constructor)) static void hang(void)\n{\n\tfor (;;)\n\t\tpause();\n}\n")
        service.install(Project(directory=slow).build())
        operator.send({"call": "reload"})
        for _ in range(20):
            equal(client.ask(service.order())["status"], "succeeded", "a run meanwhile")
        error = operator.reply()["error"]
        equal(error["name"], "NoModule", "the answer")
        contains(error["message"], "was not ready after 0.3 s (ModuleTimeout=); nothing has changed", "the message")
        equal(client.ask(service.order())["status"], "succeeded", "a run afterwards")


@test
def the_same_build_again_changes_nothing():
    service = Service()
    with service.start() as daemon, daemon.client() as client:
        client.ask(service.order())
        worker = status(daemon)["worker_pid"]
        service.install(build())
        equal(result(client, "reload")["other_module"], False, "the answer")
        client.ask(service.order())
        equal(status(daemon)["worker_pid"], worker, "the worker")


@test
def a_module_that_was_missing_is_found_by_a_reload():
    service = Service()
    os.unlink(service.module)
    with service.start(state="no-module") as daemon, daemon.client() as client, daemon.client() as other:
        service.configure(MaxDepth=3)
        refused(client, "reload", "NoModule", "No such file or directory; the settings count all the same")
        equal(other.ask({"program": "order", "data_pool": {"dir": [[[1]]]}})["error"]["name"], "TooDeep", "the limit")
        service.install(build())
        found = result(client, "reload")
        equal((found["other_module"], found["module"]["name"]), (True, "shop"), "the answer")
        equal(client.ask(service.order())["status"], "succeeded", "a run")


@test
def a_module_that_was_spoilt_in_place_is_replaced_by_a_reload():
    service = Service()
    with service.start() as daemon, daemon.client() as client:
        service.module.write_bytes(b"spoilt")  # the very file that is in use
        kill_workers(daemon)
        wait_for(lambda: status(daemon)["state"] == "no-module", "the daemon to be without workers")
        equal(client.ask(service.order())["error"]["name"], "NoModule", "a run meanwhile")
        service.install(build("longer", longer))
        equal(result(client, "reload")["other_module"], True, "the answer")
        equal(client.ask(service.order())["status"], "succeeded", "a run afterwards")


@test
def another_module_altogether_is_taken_up_where_the_settings_name_it():
    service = Service()
    with service.start() as daemon, daemon.client() as client:
        service.configure(Module=test_module())
        found = result(client, "reload")
        equal((found["changed"], found["module"]["name"]), (["Module"], "busy"), "the answer")
        equal(client.ask({"program": "nothing"})["status"], "succeeded", "a run of it")
        equal(client.ask(service.order())["error"]["name"], "UnknownProgram", "one of the module before")


@test
def modules_come_and_go_many_times_and_nothing_is_lost():
    service = Service()
    with service.start() as daemon, daemon.client() as client, daemon.client() as operator:
        def descriptors():
            return len(os.listdir(f"/proc/{daemon.pid}/fd"))
        counts = []
        for round_ in range(12):
            service.install(build("longer", longer) if round_ % 2 == 0 else build())
            client.send(*[service.order(id=number) for number in range(20)])
            equal(result(operator, "reload")["other_module"], True, f"round {round_}")
            equal([reply["status"] for reply in client.replies(20)], ["succeeded"] * 20, f"round {round_}")
            wait_for(lambda: status(daemon)["connections"] == 3, "the connections of this test alone")
            counts.append(descriptors())
        check(max(counts[2:]) <= max(counts[:2]) + 2, f"expected no more and more descriptors, got {counts}")


def kept(service):
    """How many modules the state directory knows."""
    return len(list((service.directory / "state" / "modules").iterdir()))


@test
def a_build_that_no_run_belongs_to_any_more_is_forgotten_at_a_reload_and_at_a_start():
    service = Service(KeepRuns=1)
    with service.start() as daemon, daemon.client() as client, daemon.client() as operator:
        held(service, client)
        service.install(build("longer", longer))
        result(operator, "reload")
        equal(kept(service), 2, "while a run of the first build goes on")
        service.let("book", None)
        client.reply()
        service.install(build("itemless", without_item))
        result(operator, "reload")
        equal(kept(service), 2, "where the ended run is still listed, and the second build had none")
        parked = service.park(operator)
        client.ask(service.order())
    service.install(build())
    with service.start() as daemon, daemon.client() as client:
        wait_for(lambda: kept(service) == 2, "the builds of the parked run and in use to be left")
        for word in ("ship", "refund"):
            service.let(word, None)
        shown = result(client, "show", run=parked["run"])
        equal((shown["module"]["current"], shown["arguments"]["dir"]), (False, str(service.control)), "the parked run")


main()
