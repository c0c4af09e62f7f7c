# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hooks that do harm harm only their own run; modules that are broken only keep programs from being run."""

import os
import pathlib
import shutil
import signal
import subprocess

from busy import Gate, Log, busy, children, error, module, outcome, status
from project import SANITIZED
from tap import Daemon, check, contains, equal, main, ok, scratch, test, wait_for

NOTHING = {"program": "nothing"}


def harm(client, how, log):
    return client.ask({"program": "harm", "data_pool": {"log": str(log), "how": how}})


def words(log):
    """What the hooks wrote down, without the ids of runs."""
    return [line.rsplit(" ", 1)[0] if line.startswith("undo") else line for line in log.lines()]


# how, error of the run (None: it succeeds), a part of the message
HARMS = [
    ("crash", "HookUnknown", "signal 11"),
    ("abort", "HookUnknown", "signal 6"),
    ("kill", "HookUnknown", "signal 9"),
    ("exit", "HookUnknown", "exited with status 0"),
    ("_exit", "HookUnknown", "exited with status 3"),
    ("stop", "HookUnknown", "stopped by a signal"),
    ("close", "HookUnknown", "descriptors"),
    ("memory", "HookUnknown", ""),
    ("odd", "HookUnknown", "99"),
    ("unknown", "HookUnknown", "nobody knows"),
    ("fail", "HookFailed", "on purpose"),
    ("daemon and crash", "HookUnknown", "signal 6"),
    ("rubbish", "HookUnknown", "signal 13"),
    ("doorbell", None, ""),
    ("daemon", None, ""),
    ("thread", None, ""),
    ("fork", None, ""),
]


@test
def a_hook_that_does_harm_harms_only_its_own_run():
    with busy() as daemon, daemon.client() as client:
        for how, name, message in HARMS:
            log = Log()
            reply = harm(client, how, log)
            if name:
                undone = ["undo 2?", "undo 1"] if name == "HookUnknown" else ["undo 1"]
                expected = ("rectified", name), ["before", "harm", *undone]
                found = outcome(reply), [word for word in words(log) if not word.startswith("daemon ")]
                contains(reply["error"]["message"], message, f"{how}: the message")
            else:
                expected = ("succeeded", None), ["before", "harm", "after"]
                found = outcome(reply), [word for word in words(log) if not word.startswith("daemon ")]
            ok(f"after the hook does this: {how}", found == expected, f"expected {expected}, got {found}: {reply}")
            check(client.ask(NOTHING)["success"], f"the run after {how}")


@test
def a_hook_that_floods_its_output_delays_only_its_own_run():
    with busy({"Trace": "runs"}) as daemon, daemon.client() as client:
        reply = client.ask({"program": "print", "data_pool": {"text": "x" * 200, "times": 20000}})
        equal(outcome(reply), ("succeeded", None), "the run")
        check(client.ask(NOTHING)["success"], "the run after it")


@test
def a_process_that_a_hook_left_is_dead_before_the_next_step_begins():
    with busy() as daemon, daemon.client() as client:
        for how in ("daemon", "daemon and crash"):
            log = Log()
            harm(client, how, log)
            left = [int(line.split()[1]) for line in log.lines() if line.startswith("daemon ")]
            equal(len(left), 1, f"{how}: processes left")
            lines = [line.split()[0] for line in log.lines()]
            later = lines[lines.index("daemon") + 1:]
            check("after" in later or "undo" in later, f"{how}: the next step came after the process: {lines}")
            check(not pathlib.Path(f"/proc/{left[0]}").exists(), f"{how}: process {left[0]} is alive")


@test
def a_thread_that_a_hook_left_does_nothing_in_a_later_run():
    log, later = Log(), Log()
    with busy() as daemon, daemon.client() as client:
        worker = status(daemon)["worker_pid"]
        equal(outcome(harm(client, "thread", log)), ("succeeded", None), "the run")
        gate = Gate(client, log=later)
        check(status(daemon)["worker_pid"] != worker, "the worker is another one")
        check(not pathlib.Path(f"/proc/{worker}").exists(), "the worker with the thread is gone")
        gate.open()
        client.reply()
        check("thread" not in log.lines(), f"the thread has written: {log.lines()}")


@test
def a_forked_copy_that_comes_back_from_the_hook_writes_nothing():
    with busy() as daemon, daemon.client() as client:
        for _ in range(20):
            log = Log()
            equal(outcome(harm(client, "fork", log)), ("succeeded", None), "the run")
            equal(words(log), ["before", "harm", "after"], "each step once")


@test
def a_run_whose_records_a_hook_has_spoilt_parks_as_damaged_and_others_go_on():
    log = Log()
    with busy() as daemon, daemon.client() as client, daemon.client() as other:
        client.send({"program": "harm", "data_pool": {"how": "scribble", "log": str(log)}})
        wait_for(lambda: "after" in words(log), "the run to go on")
        daemon.signal(signal.SIGCONT)
        reply = client.reply()
        equal((reply["status"], reply["parked"]["name"]), ("parked", "Damaged"), "the answer")
        daemon.wait_log("is damaged")
        check(other.ask(NOTHING)["success"], "the next client is served")
        equal(status(daemon)["parked"], 1, "parked runs")


@test
def a_signal_from_a_hook_to_the_daemon_ends_both_in_good_order():
    log = Log()
    daemon = busy()
    with daemon.client() as client:
        equal(outcome(harm(client, "killparent", log)), ("succeeded", None), "the run")
    equal(daemon.wait(), 0, "the exit status")


def the_workers_memory_can_be_limited():
    log = Log()
    with busy({"WorkerMemory": "256M"}) as daemon, daemon.client() as client:
        equal(outcome(harm(client, "memory", log)), ("rectified", "HookUnknown"), "the run")
        check(client.ask(NOTHING)["success"], "the run after it")


# A sanitizer wants more memory than that for itself.
if not SANITIZED:
    test(the_workers_memory_can_be_limited)


# ---- broken modules ----

def refused(name, sentence, path=None, env=None, settings=None):
    with Daemon(module=path or module(), env=env, settings=settings) as daemon, daemon.client() as client:
        reply = client.ask(NOTHING)
        message = reply["error"]["message"] if reply["error"] else ""
        again = client.ask({"call": "ping"})
        ok(f"a module is refused, and the daemon stays up: {name}",
           outcome(reply) == ("refused", "NoModule") and sentence in message and "result" in again,
           f"expected a message with {sentence!r}, got {reply}")


def compiled(source, name):
    path = scratch() / f"{name}.so"
    (path.parent / "module.c").write_text(source)
    compiler = os.environ.get("CC", "cc").split()
    subprocess.run([*compiler, "-shared", "-fPIC", "-o", str(path), str(path.parent / "module.c")], check=True)
    return path


BROKEN_FIELDS = [
    ("magic", "magic"), ("abi_major", "abi_major of the module is 2, expected 1"), ("module_size", "size"),
    ("function_size", "size"), ("program_size", "size"), ("step_size", "size"), ("fingerprint", "plan"),
    ("open", "the database is not there"),
    ("open exits", "before it was ready"), ("constructor", "before it was ready"),
]


@test
def a_module_with_a_wrong_field_is_refused_with_a_sentence():
    for name, sentence in BROKEN_FIELDS:
        refused(name, sentence, env={"RYUSO_TEST_BREAK": name})


@test
def a_module_that_never_gets_ready_is_refused_in_time():
    for name in ("open hangs", "constructor hangs"):
        refused(name, "ModuleTimeout", env={"RYUSO_TEST_BREAK": name}, settings={"ModuleTimeout": "300ms"})


@test
def a_file_that_is_no_module_is_refused_with_a_sentence():
    directory = scratch()
    text = directory / "text.so"
    text.write_text("this is no module\n")
    empty = directory / "empty.so"
    empty.write_bytes(b"")
    truncated = directory / "truncated.so"
    truncated.write_bytes(pathlib.Path(module()).read_bytes()[:5000])
    folder = directory / "folder.so"
    folder.mkdir()
    refused("a text file", "module", path=text)
    refused("an empty file", "module", path=empty)
    refused("a truncated file", "module", path=truncated)
    refused("a directory", "no regular file", path=folder)
    refused("no file", "No such file", path=directory / "none.so")
    if shutil.which(os.environ.get("CC", "cc").split()[0]):
        refused("a library without the symbol", "ryuso_module", path=compiled("int something;", "other"))
        refused("one that crashes in its constructor", "before it was ready",
                path=compiled("__attribute__((constructor)) static void crash(void) { *(volatile int *)8 = 1; }",
                              "crash"))


@test
def a_module_that_stops_itself_is_refused():
    source = "#include <signal.h>\n__attribute__((constructor)) static void stop(void) { raise(SIGSTOP); }"
    if shutil.which(os.environ.get("CC", "cc").split()[0]):
        refused("one that stops itself", "stopped itself", path=compiled(source, "stop"))


@test
def without_a_module_nothing_is_left_behind():
    with Daemon(module=module(), env={"RYUSO_TEST_BREAK": "constructor"}) as daemon, daemon.client() as client:
        equal(error(client.ask(NOTHING)), "NoModule", "the answer")
        wait_for(lambda: not children(daemon.pid), "no worker to be left")
        equal(status(daemon)["state"], "no-module", "the state")
        equal(error(client.ask({"call": "list"})), "NoModule", "list")


main()
