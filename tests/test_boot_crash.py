#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What dies, what is parked, and what comes back, on a machine: a systemd that was really booted, and booted again.

The module `gate` writes each thing that it does into a diary. The tests build on each other, as those of test_boot.py
do."""

import json
import os
import pathlib
import re

import man_commands
from machine import (INSIDE, MEMBER, OPERATOR, STATE, Gate, InBackground, after_power_loss, alarms, ask, boot, boot_id,
                     bring_project, install_as_the_readme_says, install_project, journal, journal_of, main_pid,
                     make_variable, member, operator, root, story_before, stranger, unit, wait_active)
from tap import check, contains, equal, main, test, wait_for

SERVICE, SOCKET = "ryuso@gate.service", "ryuso@gate.socket"
HERE = STATE / "gate"
SETTINGS = pathlib.Path("/etc/ryuso/ryuso.conf")
BOOT = pathlib.Path("/etc/systemd/system/ryuso@.service.d/boot.conf")
DROP_IN = pathlib.Path(f"/run/systemd/system/{SERVICE}.d/test.conf")
GOES_ON, PARKED = "37421af1edea46478929e6a8076470f6", "e9ad0c9fd51f461187093ea1ce8badb6"
THERE = ["take {0}", "hold {0}"]
UNDONE = THERE + ["let_go {0}?", "bring_back {0}"]
CARRIED = THERE + ["put {0}"]

[ADVICE] = [lines for _, lines, _ in man_commands.displays(man_commands.source("ryuso.7"))
            if lines[0] == "ryusoctl parked"]


def diary():
    """What the hooks did, without which build it was."""
    path = HERE / "diary"
    return [line.split(" (")[0] for line in path.read_text().splitlines()] if path.exists() else []


def acts(words, thing):
    return [word.format(thing) for word in words]


def written(words, thing):
    """Waits until the diary says this of a thing, and nothing else."""
    def of_it():
        return [line for line in diary() if line.rstrip("?").endswith(f" {thing}")]
    wait_for(lambda: len(of_it()) >= len(words), f"what becomes of {thing}: {acts(words, thing)}")
    equal(of_it(), acts(words, thing), f"what was done with {thing}")


def editions(thing):
    """Which build did what."""
    return re.findall(rf"^(\w+) {thing}\?? \((\w+)\)$", (HERE / "diary").read_text(), re.MULTILINE)


def in_the_way(*hooks):
    for name in ("put", "bring_back"):
        if name in hooks:
            (HERE / name).touch()
        else:
            (HERE / name).unlink(missing_ok=True)


def gate(*arguments, status=0):
    return ask("-I", "gate", *arguments, status=status)


def run_to_the_gate(thing):
    """A run that waits in its second step, and who waits for its answer."""
    door = Gate()
    client = InBackground("-I", "gate", "--json=short", "run", "carry", f"thing={thing}")
    door.wait_for_hook()
    return door, client


def submit_to_the_gate(thing):
    """A run that waits in its second step. Nobody is connected."""
    door = Gate()
    run_id = member("ryusoctl", "-I", "gate", "submit", "carry", f"thing={thing}").stdout.strip()
    door.wait_for_hook()
    return door, run_id


def set_daemon(*lines):
    SETTINGS.parent.mkdir(exist_ok=True)
    SETTINGS.write_text("".join(line + "\n" for line in ("[Daemon]", *lines)))


def set_service(*lines):
    DROP_IN.parent.mkdir(parents=True, exist_ok=True)
    DROP_IN.write_text("".join(line + "\n" for line in ("[Service]", *lines)))
    root("systemctl", "daemon-reload")


def interrupted(reply):
    equal((reply["status"], reply["error"]["name"], reply["remaining"]), ("rectified", "Interrupted", []), "the reply")


def park(thing):
    """The id of a run that is parked, for its rectifier has something in its way."""
    in_the_way("put", "bring_back")
    reply = gate("run", "lay", f"thing={thing}", status=2)
    equal((reply["status"], reply["parked"]["name"], reply["parked"]["hook"]),
          ("parked", "RectifierFailed", "bring_back"), "the reply")
    in_the_way()
    return reply["run"]


def install_edition(edition):
    """Another build of the module, in place of the one before; its file."""
    source = pathlib.Path(f"/home/{MEMBER}/gate/hooks/carry.c")
    source.write_text(re.sub(r'EDITION "\w+"', f'EDITION "{edition}"', source.read_text()))
    install_project("gate")
    return (pathlib.Path(make_variable("moduledir")) / "gate.so").resolve()


# ---- what dies ----

@test
def the_gate_is_installed():
    install_as_the_readme_says()
    groups = set(root("id", "-nG", OPERATOR).stdout.split())
    equal(groups, {OPERATOR, "ryuso", "ryuso-admin"}, "an operator's groups")
    # These uncover the machine's boot id in a container, which stays the same when that is booted again.
    BOOT.parent.mkdir(parents=True, exist_ok=True)
    BOOT.write_text("[Service]\nProtectKernelTunables=no\nProtectControlGroups=no\nProtectProc=default\n")
    root("systemctl", "daemon-reload")
    bring_project("gate")
    install_project("gate")
    root("systemctl", "enable", "--now", SOCKET)
    equal(gate("run", "lay", "thing=cup")["status"], "succeeded", "a run")
    written(["take {0}", "put {0}"], "cup")


@test
def a_service_that_is_killed_in_the_middle_of_a_run_comes_back_and_undoes_it_with_nobody_there():
    door, run_id = submit_to_the_gate("pot")
    pid = main_pid(SERVICE)
    root("systemctl", "kill", "-s", "KILL", SERVICE)
    written(UNDONE, "pot")
    wait_active(SERVICE, pid)
    equal([entry["_PID"] for entry in journal_of(run_id) if entry["MESSAGE_ID"] == GOES_ON],
          [str(main_pid(SERVICE))], "who says that it goes on")
    interrupted(gate("wait", run_id, status=1))
    os.close(door.fd)


@test
def whoever_waits_for_a_run_whose_service_is_killed_gets_the_answer():
    door, client = run_to_the_gate("pan")
    root("systemctl", "kill", "-s", "KILL", SERVICE)
    interrupted(json.loads(client.end(1)))
    written(UNDONE, "pan")
    os.close(door.fd)


@test
def a_restart_lets_a_step_end_for_which_there_is_time():
    door, client = run_to_the_gate("jar")
    root("systemctl", "restart", "--no-block", SERVICE)
    wait_for(lambda: unit(SERVICE, "ActiveState") == "deactivating", "the stop")
    door.open()
    equal(json.loads(client.end(0))["status"], "succeeded", "the reply")
    written(CARRIED, "jar")


@test
def a_restart_cuts_off_a_step_that_takes_longer_and_undoes_it():
    set_daemon("StopTimeout=1s")
    root("systemctl", "restart", SERVICE)
    door, client = run_to_the_gate("mug")
    root("systemctl", "restart", SERVICE)
    interrupted(json.loads(client.end(1)))
    written(UNDONE, "mug")
    equal(unit(SERVICE, "Result"), "success", "the service")
    os.close(door.fd)


@test
def a_restart_between_two_steps_carries_the_run_on():
    set_daemon("StopTimeout=6s")
    root("systemctl", "restart", SERVICE)
    pid = main_pid(SERVICE)
    door, client = run_to_the_gate("tin")
    root("systemctl", "restart", "--no-block", SERVICE)
    wait_for(lambda: any("it stops before its next step" in entry["MESSAGE"] for entry in journal(f"_PID={pid}")),
             "the stop time to run short")
    door.open()
    reply = json.loads(client.end(0))
    equal(reply["status"], "succeeded", "the reply")
    written(CARRIED, "tin")
    phases = {entry["_PID"] for entry in journal_of(reply["run"]) if entry.get("RYUSO_OUTCOME")}
    equal(len(phases), 2, "daemons that had a part in it")


@test
def a_stop_that_takes_longer_than_systemd_waits_is_recovered_at_the_next_start():
    SETTINGS.unlink()
    set_service("TimeoutStopSec=1s")
    root("systemctl", "restart", SERVICE)
    door, run_id = submit_to_the_gate("urn")
    root("systemctl", "stop", SERVICE)
    equal((unit(SERVICE, "ActiveState"), unit(SERVICE, "Result")), ("failed", "timeout"), "the service")
    written(THERE, "urn")
    root("systemctl", "start", SERVICE)
    written(UNDONE, "urn")
    interrupted(gate("wait", run_id, status=1))
    DROP_IN.unlink()
    root("systemctl", "daemon-reload")
    os.close(door.fd)


# ---- what is parked ----

@test
def a_parked_run_is_seen_wherever_an_operator_looks():
    run_id = park("vase")
    [entry] = journal(f"RYUSO_RUN={run_id}", f"MESSAGE_ID={PARKED}")
    equal((entry["PRIORITY"], entry["RYUSO_PARKED_HOOK"]), ("2", "bring_back"), "priority, and what stopped it")
    said = root("journalctl", "-x", "-o", "short", f"RYUSO_RUN={run_id}", f"MESSAGE_ID={PARKED}").stdout
    for part in ("Subject: A run of program lay is parked", f"ryusoctl -I gate retry {run_id}", "man:ryusoctl(1)"):
        contains(said, part, "what journalctl -x says")
    wait_for(lambda: "1 run is parked" in unit(SERVICE, "StatusText"), "the parked run in systemctl status")
    contains(root("systemctl", "status", SERVICE).stdout, unit(SERVICE, "StatusText"), "systemctl status")
    contains(member("ryusoctl", "-I", "gate", "status", status=2).stdout, "parked", "ryusoctl status")
    for line in (operator("ryusoctl", "-I", "gate", "parked").stdout, root("ryusoctl", "-I", "gate", "parked").stdout):
        contains(line, run_id, "ryusoctl parked")


@test
def operators_decide_and_nobody_else():
    [found] = json.loads(operator("ryusoctl", "-I", "gate", "--json=short", "parked").stdout)["runs"]
    retry = ("ryusoctl", "-I", "gate", "retry", found["run"])
    contains(member(*retry, status=77).stderr, "ryuso-admin", "what a member is told")
    contains(stranger(*retry, status=77).stderr, "group ryuso", "what a stranger is told")
    contains(operator(*retry, "--dry-run").stdout, "bring_back", "what would be called")
    written(["take {0}"], "vase")
    reply = json.loads(operator(*retry, "--json=short", "--reason=the way is free", status=1).stdout)
    equal((reply["status"], reply["run"]), ("rectified", found["run"]), "the reply")
    written(["take {0}", "bring_back {0}"], "vase")
    member("ryusoctl", "-I", "gate", "status")
    wait_for(lambda: "parked" not in unit(SERVICE, "StatusText"), "the end of the parked run in systemctl status")
    [entry] = journal(f"RYUSO_RUN={found['run']}", "RYUSO_VERB=retry")
    equal(entry["RYUSO_OPERATOR_UID"], root("id", "-u", OPERATOR).stdout.strip(), "who has decided")
    contains(entry["MESSAGE"], "the way is free", "and why")


@test
def an_operator_who_does_what_ryuso_7_says_brings_a_parked_run_to_its_end():
    run_id = park("tray")
    in_the_way("bring_back")
    said = {}
    for line, status in {"parked": 0, "show": 0, "retry RUN --dry-run": 0, "retry RUN --reason": 2, "skip": 4}.items():
        [command] = [text for text in ADVICE if text.startswith(f"ryusoctl {line}")]
        command = command.replace("ryusoctl", "ryusoctl -I gate").replace("RUN", run_id).replace("STEP", "1")
        done = operator("bash", "-c", command, status=status)
        said[line] = done.stdout + done.stderr
    equal(len(said), len(ADVICE), "the commands")
    for line in ("parked", "show", "retry RUN --dry-run"):
        contains(said[line], "bring_back", line)
    contains(said["skip"], "settled", "what became of it")
    written(["take {0}"], "tray")
    in_the_way()


@test
def a_parked_run_goes_on_with_the_build_that_it_began_with():
    run_id = park("lamp")
    install_edition("second")
    root("systemctl", "restart", SERVICE)
    gate("run", "lay", "thing=dish")
    equal(editions("dish"), [("take", "second"), ("put", "second")], "the build that is used now")
    operator("ryusoctl", "-I", "gate", "retry", run_id, status=1)
    equal(editions("lamp"), [("take", "first"), ("bring_back", "first")], "the build that the parked run began with")


@test
def without_that_build_an_operator_chooses_the_present_one():
    run_id = park("desk")
    old = install_edition("third").with_name(f"gate-{show_build(run_id)}.so")
    root("systemctl", "restart", SERVICE)
    old.unlink()
    said = operator("ryusoctl", "-I", "gate", "retry", run_id, status=3).stderr
    contains(said, "--current-module", "the hint")
    written(["take {0}"], "desk")
    operator("ryusoctl", "-I", "gate", "retry", run_id, "--current-module", status=1)
    equal(editions("desk"), [("take", "second"), ("bring_back", "third")], "the builds")


def show_build(run_id):
    return json.loads(operator("ryusoctl", "-I", "gate", "--json=short", "show", run_id).stdout)["module"]["build_id"]


@test
def where_it_is_set_nothing_begins_while_a_run_is_parked():
    set_daemon("OnParked=hold")
    root("systemctl", "restart", SERVICE)
    run_id = park("sofa")
    waiting = InBackground("-I", "gate", "--json=short", "run", "lay", "thing=rug")
    def queued():
        return json.loads(member("ryusoctl", "-I", "gate", "--json=short", "status", status=2).stdout)["queued"]
    wait_for(lambda: queued() == 1, "the next request in the queue")
    written([], "rug")
    operator("ryusoctl", "-I", "gate", "retry", run_id, status=1)
    equal(json.loads(waiting.end(0))["status"], "succeeded", "the one that waited")
    last = [line for line in diary() if line.split()[1] in ("sofa", "rug")]
    equal(last, ["take sofa", "bring_back sofa", "take rug", "put rug"], "the order")
    SETTINGS.unlink()
    root("systemctl", "restart", SERVICE)


@test
def what_the_state_holds_is_shown_with_and_without_a_daemon():
    parked = park("bowl")
    door, run_id = submit_to_the_gate("bell")
    at_work = root("ryusod", "--inspect", HERE).stdout
    door.open()
    gate("wait", run_id)
    for part in (parked, f"{run_id}  carry", "step 2, hold", "since this boot"):
        contains(at_work, part, "the state of a daemon at work")
    root("systemctl", "stop", SERVICE)
    check(not (HERE / "recorder").exists(), "expected no recorder where all has ended or is parked")
    said = root("ryusod", "--inspect", HERE).stdout
    contains(said, parked, "the state of a daemon that was stopped")
    written(CARRIED, "bell")
    operator("ryusoctl", "-I", "gate", "skip", parked, "1", "--undone-by-hand", "--reason=it broke", status=4)


@test
def what_was_decided_and_has_not_begun_when_the_service_stops_goes_on_at_its_next_start():
    run_id = park("fork")
    door, client = run_to_the_gate("box")
    operator("ryusoctl", "-I", "gate", "retry", run_id, "--no-wait")
    root("systemctl", "stop", "--no-block", SERVICE)
    wait_for(lambda: unit(SERVICE, "ActiveState") == "deactivating", "the stop")
    door.open()
    equal(json.loads(client.end(0))["status"], "succeeded", "the run in hand")
    wait_for(lambda: unit(SERVICE, "ActiveState") == "inactive", "the end of the service")
    written(["take {0}"], "fork")
    root("systemctl", "restart", SOCKET)
    written(["take {0}", "bring_back {0}"], "fork")


# ---- the power ----

def half_a_run():
    """One run is in its middle, another one waits, and a third has been answered."""
    answered = gate("run", "lay", "thing=coin")
    door, run_id = submit_to_the_gate("crate")
    waiting = member("ryusoctl", "-I", "gate", "submit", "lay", "thing=letter").stdout.strip()
    return {"answered": answered, "run": run_id, "waiting": waiting}


@test
def what_the_power_has_cut_off_is_undone_at_the_next_boot_and_what_waited_is_done():
    noted = after_power_loss(half_a_run)
    check(noted["boot"] != boot_id(), "expected another boot")
    written(UNDONE, "crate")
    written(["take {0}", "put {0}"], "letter")
    written(["take {0}", "put {0}"], "coin")
    clients = journal("-b", "_COMM=ryusoctl")
    equal({entry["_SYSTEMD_UNIT"] for entry in clients}, set(), "clients that had something to say")
    interrupted(gate("wait", noted["run"], status=1))
    equal(gate("wait", noted["waiting"])["status"], "succeeded", "the submission")
    equal(gate("wait", noted["answered"]["run"]), noted["answered"], "what was answered before")
    equal(unit("ryuso-recover@gate.service", "Result"), "success", "what has woken the daemon")


def nothing_open():
    gate("run", "lay", "thing=nail")
    root("systemctl", "stop", SERVICE)
    return {}


@test
def where_nothing_was_unfinished_no_daemon_is_woken():
    after_power_loss(nothing_open)
    wait_for(lambda: unit("ryuso-recover@gate.service", "ConditionTimestampMonotonic") != "0", "the look for it")
    states = [unit(name, "ActiveState") for name in (SOCKET, "ryuso-recover@gate.service", SERVICE)]
    equal(states, ["active", "inactive", "inactive"], "socket, recovery and service")
    equal(unit("ryuso-recover@gate.service", "ConditionResult"), "no", "whether there was a recorder")


@test
def no_program_of_ours_has_sounded_an_alarm():
    equal(alarms("Sanitizer|runtime error|core dumped|damaged"), "", "alarms")


if not INSIDE:
    boot()
main(story_before())
