# SPDX-License-Identifier: LGPL-2.1-or-later
"""ryusod as a process: its sockets, its command line, whom it serves, its end."""

import json
import os
import signal
import socket
import stat
import subprocess

from busy import Gate, Log, busy, error, kill_workers, module, outcome, say, status, terminate
from tap import (Client, Daemon, Process, check, contains, environment, equal, main, program, run, scratch, skip,
                 test, wait_for)

NOTHING = {"program": "nothing"}


# ---- sockets ----

KEPT = ["ledger.sqlite", "lock", "modules", "tree"]  # of a state directory in which nothing is unfinished


@test
def a_socket_that_was_handed_over_is_served():
    directory = scratch()
    path = directory / "handed.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen()
        os.set_inheritable(listener.fileno(), True)
        script = f'exec 3<&{listener.fileno()}; export LISTEN_PID=$$; exec "$@"'
        command = ["sh", "-c", script, "sh", program("ryusod"), "--module", module(), "--state", directory / "state",
                   "--config", "/dev/null"]
        with Process(command, env=environment(LISTEN_FDS=1, LISTEN_FDNAMES="ryuso.socket"), directory=directory,
                     pass_fds=[listener.fileno()]):
            with Client(path) as client:
                equal(outcome(client.ask(NOTHING)), ("succeeded", None), "the run")
    check(path.exists(), "the socket is systemd's: it must not be removed")


@test
def without_a_socket_it_does_not_start():
    done = run(program("ryusod"), "--state", scratch(), "--config", "/dev/null", status=1)
    contains(done.stderr, "there is no socket", "what it says")


@test
def what_was_handed_over_and_is_no_listening_socket_is_refused():
    script = 'exec 3</dev/null; export LISTEN_PID=$$; exec "$@"'
    done = run("sh", "-c", script, "sh", program("ryusod"), "--state", scratch(), "--config", "/dev/null",
               env=environment(LISTEN_FDS=1), status=1)
    contains(done.stderr, "expected listening AF_UNIX stream sockets", "what it says")


@test
def its_own_socket_is_for_its_group_and_goes_with_it():
    daemon = busy()
    equal(stat.S_IMODE(os.stat(daemon.socket).st_mode), 0o660, "the socket's mode")
    daemon.stop()
    check(not daemon.socket.exists(), "the socket is still there")


@test
def a_socket_at_which_nobody_listens_is_replaced():
    directory = scratch()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stale:
        stale.bind(str(directory / "ryuso.sock"))
    with busy(directory=directory) as daemon, daemon.client() as client:
        equal(outcome(client.ask(NOTHING)), ("succeeded", None), "the run")


@test
def a_socket_at_which_somebody_listens_is_left_alone():
    with busy() as daemon:
        done = run(program("ryusod"), "--socket", daemon.socket, "--state", scratch(), "--config", "/dev/null",
                   status=1)
        contains(done.stderr, "another process listens there", "what it says")
        with daemon.client() as client:
            equal(outcome(client.ask(NOTHING)), ("succeeded", None), "the run at the first daemon")


@test
def a_file_in_the_place_of_the_socket_is_left_alone():
    path = scratch() / "file"
    path.write_text("mine")
    done = run(program("ryusod"), "--socket", path, "--state", scratch(), "--config", "/dev/null", status=1)
    contains(done.stderr, "something that is no socket", "what it says")
    equal(path.read_text(), "mine", "the file")


@test
def readiness_and_the_end_are_told_to_the_service_manager():
    directory = scratch()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(directory / "notify"))
        manager.settimeout(30)
        daemon = Daemon(module=module(), env={"NOTIFY_SOCKET": directory / "notify"})

        def told(text):
            while text not in manager.recv(4096).decode():
                pass

        told("READY=1")
        told("STATUS=running")
        terminate(daemon)
        told("STOPPING=1")
        equal(daemon.wait(), 0, "the exit status")


@test
def the_command_line_is_checked():
    equal(run(program("ryusod"), "--nonsense", status=64).stdout, "", "standard output")
    contains(run(program("ryusod"), "surplus", status=64).stderr, "surplus", "what it says")
    contains(run(program("ryusod"), "--instance", "../x", status=64).stderr, "../x", "what it says")
    contains(run(program("ryusod"), "--help").stdout, "--socket", "the help")
    contains(run(program("ryusod"), "--version").stdout, "ryusod ", "the version")


# ---- who may ----

def ask_as(daemon, request, **who):
    """One request from a process of another user."""
    os.chmod(daemon.directory, 0o755)
    os.chmod(daemon.socket, 0o666)
    done = subprocess.run(["socat", "-t", "30", "-", f"UNIX-CONNECT:{daemon.socket}"], input=json.dumps(request),
                          stdout=subprocess.PIPE, text=True, timeout=60, check=True, **who)
    return json.loads(done.stdout)


@test
def a_program_is_only_there_for_whom_it_allows():
    if os.geteuid() != 0:
        skip("only root can be another user")
    import grp
    import pwd
    nobody, group = pwd.getpwnam("nobody"), grp.getgrnam("daemon")
    with busy() as daemon, daemon.client() as client:
        daemon.wait_log('there is no group "ryuso-no-such-group"')
        equal(error(client.ask({"program": "closed"})), "UnknownProgram", "root, who is not on the list")
        names = {entry["name"] for entry in client.ask({"call": "list"})["result"]["programs"]}
        check(not names & {"closed", "grouped"}, f"what root may not run is not listed: {names}")
        equal(error(client.ask({"call": "describe", "parameters": {"program": "closed"}})), "UnknownProgram",
              "its description")
        who = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        check(ask_as(daemon, {"program": "closed"}, **who)["success"], "nobody, who is on the list")
        equal(error(ask_as(daemon, {"program": "grouped"}, **who)), "UnknownProgram", "nobody, without the group")
        who["extra_groups"] = [group.gr_gid]
        check(ask_as(daemon, {"program": "grouped"}, **who)["success"], "nobody, with the group besides its own")
        who.update(group=group.gr_gid, extra_groups=[])
        check(ask_as(daemon, {"program": "grouped"}, **who)["success"], "nobody, with the group as its own")


# ---- the end ----

@test
def at_sigterm_the_run_in_hand_ends_and_what_waits_is_refused():
    log = Log()
    daemon = busy()
    with daemon.client() as holder, daemon.client() as client:
        gate = Gate(holder, log=log)
        client.send(*[say(log, str(number)) for number in range(100)])
        wait_for(lambda: status(daemon)["queued"] == 100, "the runs to be queued")
        terminate(daemon)
        daemon.wait_log("stopping")
        terminate(daemon)
        client.send(say(log, "too late"))
        gate.open()
        equal(outcome(holder.reply()), ("succeeded", None), "the run in hand")
        replies = client.replies(101)
        equal({outcome(reply) for reply in replies}, {("refused", "ShuttingDown")}, "what waited")
        check(all(reply["error"]["retry"] for reply in replies), "retry")
    equal(daemon.wait(), 0, "the exit status")
    equal(log.lines(), ["gate", str(gate.file)], "what ran")
    equal(sorted(os.listdir(daemon.state)), KEPT, "nothing unfinished is left in the state directory")


@test
def a_run_in_hand_is_rectified_in_the_time_of_stopping_if_it_fails():
    log = Log()
    daemon = busy()
    with daemon.client() as holder:
        Gate(holder, log=log)
        terminate(daemon)
        daemon.wait_log("stopping")
        kill_workers(daemon)
        equal(outcome(holder.reply()), ("rectified", "HookUnknown"), "the run, by a fresh worker")
    equal(daemon.wait(), 0, "the exit status")


@test
def sigint_is_the_same_and_idle_it_ends_at_once():
    daemon = busy()
    daemon.signal(signal.SIGINT)
    equal(daemon.wait(), 0, "the exit status")


@test
def what_the_time_for_stopping_cuts_off_is_rectified_at_the_next_start():
    directory = scratch()
    daemon = busy({"StopTimeout": "200ms"}, directory=directory)
    with daemon.client() as holder:
        Gate(holder)
        terminate(daemon)
        equal(holder.reply(), None, "the answer")
    equal(daemon.wait(), 0, "the exit status")
    contains(daemon.log(), "it is cut off, and recovered at the next start", "the log")
    with busy(directory=directory) as second:
        wait_for(lambda: status(second)["runs"]["rectified"] == 1, "the run to be rectified")
        contains(second.log(), "Interrupted", "the log of the second daemon")
        with second.client() as client:
            check(client.ask(NOTHING)["success"], "a run")
    equal(sorted(os.listdir(second.state)), KEPT, "the state directory")


main()
