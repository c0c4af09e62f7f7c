#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Settings are read again while the daemon works: all or nothing, at once, and nobody's connection is closed."""

import os
import re
import signal
import socket

from busy import module, status
from machine import make_variable
from reloading import Service, hang_up
from shop import refused, result
from tap import Client, Process, check, contains, equal, main, program, scratch, skip, test, wait_for

ETC = make_variable("sysconfdir") + "/ryuso"


@test
def what_has_changed_counts_at_once_and_is_said():
    service = Service()
    with service.start() as daemon, daemon.client() as client:
        check(client.ask({"program": "order", "data_pool": {"dir": "x" * 5000}})["error"]["name"] != "TooLarge", "before")
        service.configure(MaxRequestSize="2K", Trace="runs")
        found = result(client, "reload")
        equal((found["changed"], found["at_next_start"], found["other_module"]),
              (["Trace", "MaxRequestSize"], [], False), "the answer")
        equal(found["module"]["name"], "shop", "the module")
        daemon.wait_log("the settings were read again; changed: Trace=, MaxRequestSize=")
        reply = client.ask({"program": "order", "data_pool": {"dir": "x" * 5000}})
        equal(reply["error"]["name"], "TooLarge", "on a connection that was there before")
        equal(result(daemon.client(), "reload")["changed"], [], "what a second reload changes")


@test
def a_wrong_setting_changes_nothing_and_the_error_is_in_the_answer_and_in_the_log():
    service = Service(QueueLength=100)
    with service.start() as daemon, daemon.client() as client:
        service.write(f"Module={service.module}\nQueueLength=none\nMaxDepth=3\nTrac=runs\n")
        path = service.directory / "ryuso.conf"
        error = refused(client, "reload", "BadConfig",
                        f'{path}:3: QueueLength: expected a number from 1 to 1000000; got "none" (and 1 more: see the '
                        "journal, or ryusod --check-config); nothing has changed")
        equal(error["retry"], False, "whether it is to be asked again")
        daemon.wait_log(f"{path}:5: Trac: expected a setting of ryuso.conf(5) (did you mean Trace?)")
        equal(client.ask({"program": "order", "data_pool": {"dir": [[[1]]]}})["error"]["name"], "WrongType",
              "what would be too deep if half of it counted")
        service.configure(MaxDepth=3)
        equal(result(client, "reload")["changed"], ["MaxDepth"], "when it is mended")
        equal(client.ask({"program": "order", "data_pool": {"dir": [[[1]]]}})["error"]["name"], "TooDeep", "then")


@test
def a_file_of_settings_that_is_gone_changes_nothing():
    service = Service(MaxDepth=3)
    with service.start() as daemon, daemon.client() as client:
        os.unlink(service.directory / "ryuso.conf")
        refused(client, "reload", "BadConfig", "ryuso.conf: expected the file of --config; got none")
        equal(client.ask({"program": "order", "data_pool": {"dir": [[[1]]]}})["error"]["name"], "TooDeep", "the limit")


@test
def sighup_does_the_same():
    service = Service()
    with service.start() as daemon, daemon.client() as client:
        service.configure(MaxDepth=3)
        contains(hang_up(daemon), "the settings were read again; changed: MaxDepth=", "the log")
        equal(client.ask({"program": "order", "data_pool": {"dir": [[[1]]]}})["error"]["name"], "TooDeep", "the limit")
        service.configure(MaxDepth="deep")
        contains(hang_up(daemon), 'MaxDepth: expected a number from 2 to 512; got "deep"; nothing has changed', "the log")


@test
def what_cannot_change_while_the_daemon_runs_counts_from_the_next_start_on():
    service = Service()
    with service.start() as daemon, daemon.client() as client:
        service.configure(RecorderSize="64K", MaxDepth=5)
        found = result(client, "reload")
        equal((found["changed"], found["at_next_start"]), (["MaxDepth"], ["RecorderSize"]), "the answer")
        daemon.wait_log("; from the next start on: RecorderSize=")
        equal((service.directory / "state" / "recorder").stat().st_size, 8 << 20, "the size of the recorder")
    with service.start() as daemon, daemon.client() as client:
        equal((service.directory / "state" / "recorder").stat().st_size, 64 << 10, "the size after a restart")
        equal(result(client, "reload")["at_next_start"], [], "what waits now")


@test
def files_and_drop_ins_of_an_instance_are_read_again_as_they_were_at_the_start():
    directory, root = scratch(), scratch()
    drop_in = root / ETC.lstrip("/") / "other.conf.d" / "50-depth.conf"
    drop_in.parent.mkdir(parents=True)
    (drop_in.parent.parent / "ryuso.conf").write_text("[Daemon]\nModule=/nowhere.so\nMaxConnections=9\n")
    path = directory / "socket"
    command = [program("ryusod"), "--root", root, "--instance=other", "--socket", path, "--state", directory / "state"]
    with Process([*command, "--module", module()]) as daemon:
        wait_for(lambda: path.exists() and "state" in ask(path, "status"), "the daemon")
        wait_for(lambda: ask(path, "status")["state"] == "running", "the module of the command line")
        drop_in.write_text("[Daemon]\nMaxDepth=7\n")
        equal(ask(path, "reload")["changed"], ["MaxDepth"], "what a new drop-in changes")
        drop_in.unlink()
        drop_in.symlink_to("/dev/null")
        equal(ask(path, "reload")["changed"], ["MaxDepth"], "what its mask changes")
        daemon.wait_log("changed: MaxDepth=")


def ask(path, call):
    with Client(path) as client:
        return result(client, call)


@test
def the_service_manager_is_told_of_the_begin_and_the_end():
    path = scratch() / "notify"
    service = Service()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(60)
        with service.start(env={"NOTIFY_SOCKET": str(path)}) as daemon, daemon.client() as client:
            def words():
                while True:
                    text = manager.recv(4096).decode()
                    if not text.startswith("STATUS="):
                        return text
            equal(words(), "READY=1", "the start")
            for text in ("MaxDepth=5\n", "MaxDepth=deep\n"):
                service.write(f"Module={service.module}\n{text}")
                client.ask({"call": "reload"})
                check(re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=[0-9]+", words()), "the begin")
                equal(words(), "READY=1", f"the end of a reload with {text}")


@test
def reloads_that_are_asked_for_at_once_are_all_answered():
    service = Service()
    with service.start() as daemon:
        clients = [daemon.client() for _ in range(20)]
        service.configure(MaxNotesSize="2K")  # a worker is to try it
        for client in clients:
            client.send({"call": "reload"})
            daemon.signal(signal.SIGHUP)
        for client in clients:
            check("result" in client.reply(), "the answer")
            client.close()


@test
def other_limits_of_workers_count_for_the_next_run():
    if os.environ.get("RYUSO_SANITIZED"):
        skip("the sanitizers want more address space than any limit leaves them")
    service = Service()
    with service.start() as daemon, daemon.client() as client:
        equal(client.ask(service.order())["status"], "succeeded", "before")
        worker = status(daemon)["worker_pid"]
        service.configure(WorkerMemory="512M")
        equal(result(client, "reload")["changed"], ["WorkerMemory"], "the answer")
        equal(client.ask(service.order())["status"], "succeeded", "afterwards")
        check(status(daemon)["worker_pid"] != worker, "expected another worker")
        limits = open(f"/proc/{status(daemon)['worker_pid']}/limits").read()
        check(re.search(r"Max address space\s+536870912\s", limits), f"expected the limit in {limits}")


@test
def a_smaller_pool_counts_for_the_next_run():
    service = Service()
    with service.start() as daemon, daemon.client() as client:
        order = service.order(pool={"item": "x" * 2000})
        equal(client.ask(order)["status"], "succeeded", "before")
        service.configure(MaxPoolSize="1K")
        equal(result(client, "reload")["changed"], ["MaxPoolSize"], "the answer")
        reply = client.ask(order)
        equal((reply["status"], reply["error"]["hook"]), ("rectified", "charge"), "afterwards: it cannot write any more")


@test
def a_daemon_that_is_stopping_reads_nothing_again():
    service = Service()
    with service.start() as daemon, daemon.client() as client, daemon.client() as other:
        service.let("book", "wait")
        client.send(service.order())
        service.wait_line("book 1")
        daemon.signal(signal.SIGTERM)
        daemon.wait_log("stopping: no run begins")
        refused(other, "reload", "ShuttingDown", "nothing has changed")
        service.let("book", None)
        equal(client.reply()["status"], "succeeded", "the run in hand")
        other.close()
        client.close()
        wait_for(daemon.ended, "the end")


main()
