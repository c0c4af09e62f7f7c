# SPDX-License-Identifier: LGPL-2.1-or-later
"""ryusod as a process: its sockets, its order, its limits on what waits, its workers, its end."""

import os
import pathlib
import signal
import socket
import stat

from busy import Gate, Log, busy, children, error, module, outcome, say, status, terminate
from tap import (Client, Daemon, Process, check, contains, environment, equal, main, program, run, scratch, skip, test,
                 wait_for)

NOTHING = {"program": "nothing"}


# ---- sockets ----

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


# ---- settings ----

KIB, MIB, GIB = "K", "M", "G"
EDGES = [
    # setting, least, most, one less, one more, not of its kind
    ("MaxRequestSize", "1K", "64M", "1023", "67108865", "much"),
    ("MaxDepth", "2", "512", "1", "513", "deep"),
    ("MaxConnections", "1", "65536", "0", "65537", "-1"),
    ("MaxConnectionsPerUser", "1", "65536", "0", "65537", "1.5"),
    ("QueueLength", "1", "1000000", "0", "1000001", "infinity"),
    ("RequestTimeout", "1ms", "1d", "999us", "86401s", "soon"),
    ("ReplyTimeout", "1ms", "24h", "0", "25h", "5 parsecs"),
    ("RunsPerWorker", "0", "4294967295", "-1", "4294967296", "many"),
    ("ModuleTimeout", "1ms", "1d", "0", "2d", "1e3"),
    ("StopTimeout", "1ms", "1d", "0", "2d", ""),
    ("WorkerMemory", "16M", "1024G", "15M", "1025G", "lots"),
    ("RecorderSize", "64K", "1G", "63K", "2G", "8Q"),
    ("MaxPoolSize", "1K", "64M", "1023", "65M", "K"),
    ("MaxNotesSize", "1K", "64M", "1", "65M", "x"),
    ("MaxRectifiedSize", "1K", "64M", "1", "65M", "1 000"),
    ("Trace", "hooks", "failures", "Hooks", "none", "2"),
]


def complaints(settings):
    """What a daemon says about a file of settings."""
    directory = scratch()
    config = directory / "conf"
    config.write_text(settings)
    daemon = Daemon(["--config", config], module=module(), directory=directory)
    daemon.stop()
    return [line for line in daemon.log().splitlines() if "conf:" in line]


@test
def every_setting_is_taken_at_its_edges():
    for column in (1, 2):
        # together the largest numbers are of no use; they are only read here
        text = "[Daemon]\n" + "".join(f"{row[0]}={row[column]}\n" for row in EDGES if row[0] != "RecorderSize")
        equal(complaints(text), [], "complaints")


@test
def every_setting_is_refused_beyond_its_edges_and_its_default_stays():
    for column in (3, 4, 5):
        found = complaints("[Daemon]\n" + "".join(f"{row[0]}={row[column]}\n" for row in EDGES))
        equal(len(found), len(EDGES), f"the number of complaints about {[row[column] for row in EDGES]}: {found}")
        for row, line in zip(EDGES, found):
            contains(line, f": {row[0]}: expected", "the complaint")
            contains(line, "the line is ignored", "the complaint")


@test
def what_is_no_setting_is_reported_and_ignored():
    found = complaints("[Daemon]\nMaxConnection=3\n[Other]\nTrace=runs\n")
    contains(found[0], "conf:2: MaxConnection: there is no such setting (did you mean MaxConnections?)", "the first")
    contains(found[1], "conf:4: section [Other]: expected [Daemon]", "the second")


@test
def a_file_of_settings_that_is_asked_for_must_be_there():
    done = run(program("ryusod"), "--config", "/nonexistent/conf", "--socket", scratch() / "s", status=1)
    contains(done.stderr, "/nonexistent/conf", "what it says")


# ---- order ----

@test
def answers_of_one_connection_come_in_the_order_of_its_requests():
    with busy() as daemon, daemon.client() as client:
        gate = Gate(client, id=1)
        client.send({"program": "no-such", "id": 2}, {"call": "ping", "id": 3}, {**NOTHING, "id": 4})
        gate.open()
        found = [(reply["id"], error(reply) if "error" in reply else None) for reply in client.replies(4)]
        equal(found, [(1, None), (2, "UnknownProgram"), (3, None), (4, None)], "ids and errors")


@test
def a_request_is_refused_at_once_while_anothers_run_is_in_progress():
    with busy() as daemon, daemon.client() as first, daemon.client() as second:
        gate = Gate(first)
        equal(error(second.ask({"program": "no-such"})), "UnknownProgram", "the refusal")
        equal(error(second.ask({"program": "say", "data_pool": {}})), "MissingArgument", "the refusal")
        check("result" in second.ask({"call": "ping"}), "a call is answered, too")
        check("gate" in gate.log.lines() and str(gate.file) not in gate.log.lines(), "the run has not ended yet")
        gate.open()
        equal(outcome(first.reply()), ("succeeded", None), "the run")


@test
def runs_begin_in_the_order_in_which_their_requests_came():
    log = Log()
    with busy() as daemon, daemon.client() as holder:
        gate = Gate(holder)
        clients = [daemon.client() for _ in range(40)]
        for number, client in enumerate(clients):
            client.send(say(log, str(number)))
            wait_for(lambda: status(daemon)["queued"] > number, f"request {number} to be queued")
        gate.open()
        for client in clients:
            equal(outcome(client.reply()), ("succeeded", None), "a run")
            client.close()
        equal(log.lines(), [str(number) for number in range(40)], "the order of the runs")
        holder.reply()


@test
def what_is_finished_is_answered_though_the_next_run_goes_on():
    log = Log()
    with busy() as daemon, daemon.client() as holder, daemon.client() as quick, daemon.client() as slow:
        first = Gate(holder)
        quick.send(say(log, "quick"))
        wait_for(lambda: status(daemon)["queued"] == 1, "the quick run to be queued")
        file = scratch() / "never"
        slow.send({"program": "gate", "data_pool": {"log": str(log), "word": "slow", "file": str(file)}})
        wait_for(lambda: status(daemon)["queued"] == 2, "the slow run to be queued")
        first.open()
        equal(outcome(quick.reply()), ("succeeded", None), "the quick run")
        check(str(file) not in log.lines(), "the slow run has not ended")
        file.touch()
        equal(outcome(slow.reply()), ("succeeded", None), "the slow run")
        holder.reply()


@test
def a_run_goes_on_when_its_client_is_gone():
    log = Log()
    with busy() as daemon:
        with daemon.client() as client:
            gate = Gate(client, log=log)
        wait_for(lambda: status(daemon)["connections"] == 1, "the client to be gone")
        gate.open()
        log.wait(str(gate.file))
        wait_for(lambda: status(daemon)["runs"]["succeeded"] == 1, "the run's end")


@test
def a_request_counts_though_its_client_closes_at_once():
    log = Log()
    with busy() as daemon:
        with daemon.client() as client:
            client.send(say(log, "heard"))
        log.wait("heard")


@test
def events_of_a_followed_run_come_before_its_reply():
    with busy() as daemon, daemon.client() as client:
        client.send({"program": "harm", "id": "x", "follow": True, "data_pool": {"log": str(Log()), "how": "fail"}})
        found = [client.reply() for _ in range(5)]
        equal([(line.get("event"), line.get("step"), line.get("hook"), line.get("outcome")) for line in found],
              [("begun", None, None, None), ("hook", 1, "before", "ok"), ("hook", 2, "harm", "failed"),
               ("rectifier", 1, "undo", "ok"), (None, None, None, None)], "events")
        equal({line["id"] for line in found}, {"x"}, "the id of every line")
        equal(outcome(found[-1]), ("rectified", "HookFailed"), "the reply")
        check(all(line["usec"] >= 0 for line in found[1:4]), "an attempt's time")


# ---- what waits ----

@test
def beyond_the_queues_length_a_request_is_refused():
    log = Log()
    with busy({"QueueLength": 2}) as daemon, daemon.client() as holder, daemon.client() as client:
        gate = Gate(holder)
        client.send(say(log, "1", id=1), say(log, "2", id=2), say(log, "3", id=3))
        wait_for(lambda: status(daemon)["runs"]["refused"] == 1, "a refusal")
        gate.open()
        equal([outcome(reply) for reply in client.replies(3)],
              [("succeeded", None), ("succeeded", None), ("refused", "QueueFull")], "the answers")
        check(client.ask(say(log, "4"))["success"], "there is room again")
        equal(log.lines(), ["1", "2", "4"], "what ran")


@test
def a_request_that_has_not_begun_in_its_time_is_refused():
    log = Log()
    with busy() as daemon, daemon.client() as holder, daemon.client() as client:
        gate = Gate(holder)
        reply = client.ask(say(log, "late", start_within=0.05))
        equal(outcome(reply), ("refused", "NotStarted"), "the answer, while the other run is in progress")
        check(reply["error"]["retry"], "retry")
        gate.open()
        check(client.ask(say(log, "in time", start_within=60))["success"], "one that begins in time")
        equal(log.lines(), ["in time"], "what ran")


@test
def more_runs_than_a_recorder_holds_are_carried_through_new_ones():
    settings = {"RecorderSize": "128K", "MaxPoolSize": "4K", "MaxNotesSize": "1K", "MaxRectifiedSize": "1K"}
    log = Log()
    with busy(settings) as daemon, daemon.client() as client:
        client.send(*[NOTHING] * 1000)
        equal([outcome(reply) for reply in client.replies(1000)], [("succeeded", None)] * 1000, "the runs")
        reply = client.ask({"program": "patience", "data_pool": {"log": str(log)}})
        equal(outcome(reply), ("rectified", "HookFailed"), "a run whose own records are too many for one file")
        equal([line.split()[0] for line in log.lines()], ["before", "undo"], "what ran")
        client.send(*[NOTHING] * 1000)
        equal([outcome(reply) for reply in client.replies(1000)], [("succeeded", None)] * 1000, "the runs after it")
        equal(sorted(os.listdir(daemon.state)), ["lock", "recorder", "recorder.new"], "the state directory")
    equal(os.listdir(daemon.state), ["lock"], "the state directory after the end")


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
    wait_for(lambda: len(children(daemon.pid)) == 2, "a worker and a spare")
    workers = children(daemon.pid)
    daemon.kill()
    wait_for(lambda: not any(pathlib.Path(f"/proc/{worker}").exists() for worker in workers), "the workers' end")


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
    equal(os.listdir(daemon.state), ["lock"], "nothing is left in the state directory")


@test
def a_run_in_hand_is_rectified_in_the_time_of_stopping_if_it_fails():
    log = Log()
    daemon = busy()
    with daemon.client() as holder:
        Gate(holder, log=log)
        terminate(daemon)
        daemon.wait_log("stopping")
        for worker in children(daemon.pid):
            os.kill(worker, signal.SIGKILL)
        equal(outcome(holder.reply()), ("rectified", "HookUnknown"), "the run, by a fresh worker")
    equal(daemon.wait(), 0, "the exit status")


@test
def sigint_is_the_same_and_idle_it_ends_at_once():
    daemon = busy()
    daemon.signal(signal.SIGINT)
    equal(daemon.wait(), 0, "the exit status")


@test
def what_the_time_for_stopping_cuts_off_is_kept_and_reported():
    directory = scratch()
    daemon = busy({"StopTimeout": "200ms"}, directory=directory)
    with daemon.client() as holder:
        Gate(holder)
        terminate(daemon)
        equal(holder.reply(), None, "the answer")
    equal(daemon.wait(), 0, "the exit status")
    contains(daemon.log(), "stays in the recorder", "the log")
    with busy(directory=directory) as second:
        second.wait_log("had not ended when the last daemon did")
        equal(sorted(os.listdir(second.state)), ["lock", "recorder", "recorder.new", "recorder.unfinished-1"], "the state directory")
        with second.client() as client:
            check(client.ask(NOTHING)["success"], "a run")


# ---- who may ----

def ask_as(daemon, request, **who):
    """One request from a process of another user."""
    os.chmod(daemon.directory, 0o755)
    os.chmod(daemon.socket, 0o666)
    import json
    import subprocess
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


main()
