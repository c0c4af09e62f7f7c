#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The whole on a machine: a systemd that was really booted, our units, ordinary users, the journal.

Everything is installed as README.md says, into a copy of this machine's files that is thrown away. The tests build on
each other: they are one story, from the installation to its removal."""

import json
import os
import pathlib
import re
import shutil

from machine import (INSIDE, MEMBER, STATE, Gate, InBackground, alarms, ask, boot, bring_project, built, failed_units,
                     follow, install_as_the_readme_says, install_project, journal, journal_of, kill_daemon, main_pid,
                     make_variable, member, root, stranger, tree, unit, wait_active)
from tap import TOP_BUILD, TOP_SOURCE, check, contains, equal, main, test, wait_for

SOCKET = "/run/ryuso/ryuso.sock"
UNITS = ("ryuso.socket", "ryuso.service", "ryuso@.socket", "ryuso@.service", "ryuso-recover.service",
         "ryuso-recover@.service")

before = {}


def balances():
    return {account: ask("run", "statement", f"account={account}")["data_pool"]["balance"]
            for account in ("alice", "bob")}


def note_machine():
    before["failed"] = failed_units()
    before["tree"] = tree()
    before["built"] = built()


# ---- the story ----

@test
def it_is_installed_as_the_readme_says():
    note_machine()
    install_as_the_readme_says()


@test
def what_is_installed_is_what_was_built():
    check(len(before["built"]) > 50, f"expected a build tree that was built, got {list(before['built'])}")
    equal({path for path, when in built().items() if before["built"].get(path) != when}, set(), "what was made anew")
    installed = {name: pathlib.Path(make_variable(directory), name) for name, directory in
                 (("ryusod", "sbindir"), ("ryusoctl", "bindir"), ("ryuso-gen", "bindir"),
                  ("ryuso-worker", "pkglibexecdir"), ("libryuso.so.0", "libdir"))}
    for name, path in installed.items():
        needs = root("ldd", path).stdout
        check("not found" not in needs and str(TOP_BUILD) not in needs, f"{path} is linked to {needs}")
        dynamic = root("readelf", "-d", path).stdout
        check(not re.search("RPATH|RUNPATH", dynamic), f"{path}: expected no path of libraries, got {dynamic}")


@test
def the_users_and_groups_are_there():
    groups = root("id", "-nG", "ryuso").stdout.split()
    equal(groups, ["ryuso"], "the groups of ryuso")
    contains(root("getent", "passwd", "ryuso").stdout, "nologin", "the entry of ryuso")
    root("getent", "group", "ryuso-admin")


@test
def systemd_has_nothing_to_say_of_the_units():
    names = [name.replace("@.", "@some-module.") for name in UNITS]
    done = root("systemd-analyze", "verify", *names)
    equal(done.stdout + done.stderr, "", "the words of systemd-analyze verify")


@test
def the_stop_time_of_the_unit_is_more_than_that_of_the_daemon():
    page = (TOP_SOURCE / "man/ryuso.conf.5.in").read_text().split(".It Va StopTimeout=")[1].split(".It Va")[0]
    seconds = int(re.search(r"^Default (\d+)s;", page, re.MULTILINE)[1])
    for name in ("ryuso.service", "ryuso@some.service"):
        given = re.fullmatch(r"(?:(\d+)min ?)?(?:(\d+)s)?", unit(name, "TimeoutStopUSec"))
        total = int(given[1] or 0) * 60 + int(given[2] or 0)
        check(seconds + 5 < total <= seconds + 20, f"{name}: expected a little more than {seconds} s, got {total} s")


@test
def the_socket_is_there_before_the_daemon_is():
    root("systemctl", "start", "ryuso.socket")
    states = unit("ryuso.socket", "ActiveState"), unit("ryuso.service", "ActiveState")
    equal(states, ("active", "inactive"), "socket and service")
    equal(root("stat", "-c", "%A %U %G", SOCKET).stdout.strip(), "srw-rw---- root ryuso", "the socket")


@test
def a_daemon_without_a_module_says_so_and_stays():
    reply = ask("run", "transfer", "from=a", "to=b", "amount=1", status=3)
    equal(reply["error"]["name"], "NoModule", "the error")
    pid = main_pid("ryuso.service")
    contains(json.dumps(ask("status")), "no module is installed", "the status")
    equal((main_pid("ryuso.service"), unit("ryuso.service", "ActiveState")), (pid, "active"), "the daemon")


@test
def the_wallet_is_made_by_a_user_and_installed_by_root():
    member("ryuso-gen", "--example=wallet", "-o", "wallet")
    install_project("wallet")
    root("systemctl", "restart", "ryuso.service")
    contains(member("ryusoctl", "list").stdout, "transfer", "the programs")


@test
def a_member_of_the_group_moves_money():
    for account in ("alice", "bob"):
        equal(ask("run", "open_account", f"account={account}")["status"], "succeeded", "the status")
    ask("run", "deposit", "account=alice", "amount=1000")
    reply = ask("run", "transfer", "from=alice", "to=bob", "amount=300", "fee=0")
    equal((reply["status"], reply["data_pool"]), ("succeeded", {"from_balance": 700, "to_balance": 300}), "the reply")
    reply = ask("run", "transfer", "from=alice", "to=nobody", "amount=300", status=1)
    equal((reply["status"], [step["hook"] for step in reply["rectified"]]), ("rectified", ["withdraw"]), "the reply")
    equal(balances(), {"alice": 700, "bob": 300}, "the balances")


@test
def a_crash_of_a_hook_is_undone():
    pid = main_pid("ryuso.service")
    reply = ask("run", "fire_drill", "from=alice", "to=bob", "amount=50", status=1)
    equal((reply["status"], reply["error"]["name"]), ("rectified", "HookUnknown"), "the reply")
    equal(balances(), {"alice": 700, "bob": 300}, "the balances")
    equal(main_pid("ryuso.service"), pid, "the daemon's process")


@test
def another_user_is_turned_away():
    done = stranger("python3", "-c", f"import socket; socket.socket(socket.AF_UNIX).connect('{SOCKET}')", status=1)
    contains(done.stderr, "PermissionError: [Errno 13]", "what connect() said")
    done = stranger("ryusoctl", "run", "statement", "account=alice", status=77)
    contains(done.stderr, "group ryuso", "the advice")
    stranger("ls", STATE / "ryuso", status=2)


@test
def without_a_socket_the_advice_is_to_start_it():
    done = member("ryusoctl", "-I", "absent", "ping", status=69)
    contains(done.stderr, "systemctl start ryuso@absent.socket", "the advice")


@test
def a_run_is_found_in_the_journal_by_its_fields():
    reply = ask("run", "transfer", "from=alice", "to=nobody", "amount=1", status=1)
    entries = journal_of(reply["run"])
    uid = member("id", "-u").stdout.strip()
    for entry in entries:
        for field, value in {"RYUSO_INSTANCE": "ryuso", "RYUSO_PROGRAM": "transfer", "RYUSO_PEER_UID": uid,
                             "_SYSTEMD_UNIT": "ryuso.service", "SYSLOG_IDENTIFIER": "ryusod"}.items():
            equal(entry.get(field), value, f"{field} of {entry['MESSAGE']}")
    calls = [(entry["RYUSO_PHASE"], entry["RYUSO_STEP"], entry["RYUSO_HOOK"], entry["RYUSO_OUTCOME"], entry["PRIORITY"])
             for entry in entries if "RYUSO_USEC" in entry and "RYUSO_HOOK" in entry]
    equal(calls, [("hook", "1", "withdraw", "ok", "6"), ("hook", "3", "deposit", "failed", "3"),
                  ("rectifier", "1", "deposit", "ok", "4")], "the calls")
    for field in ("RYUSO_PHASE=rectifier", "RYUSO_HOOK=withdraw"):
        [entry] = journal(f"RYUSO_RUN={reply['run']}", field)
        equal((entry["RYUSO_STEP"], entry["RYUSO_OUTCOME"]), ("1", "ok"), f"the entry with {field}")


@test
def each_kind_of_entry_is_found_by_its_message_id():
    ids = dict(re.findall(r'define TRACE_ID_(\w+) "(\w+)"', (TOP_SOURCE / "src/daemon/trace_ids.h").read_text()))
    for kind in ("RUN_BEGUN", "RUN_ENDED", "HOOK", "RECTIFIER", "OUTPUT"):
        check(journal(f"MESSAGE_ID={ids[kind]}"), f"expected entries of {kind}, MESSAGE_ID={ids[kind]}")
    equal(journal(f"MESSAGE_ID={ids['RUN_PARKED']}"), [], "parked runs")
    statuses = {entry["RYUSO_OUTCOME"] for entry in journal(f"MESSAGE_ID={ids['RUN_ENDED']}")}
    equal(statuses, {"succeeded", "rectified"}, "the outcomes")


@test
def a_daemon_that_was_stopped_is_started_by_the_next_client():
    root("systemctl", "stop", "ryuso.service")
    states = unit("ryuso.service", "ActiveState"), unit("ryuso.service", "Result")
    equal(states, ("inactive", "success"), "the service")
    equal(balances(), {"alice": 700, "bob": 300}, "the balances")
    equal(unit("ryuso.service", "ActiveState"), "active", "the service")


@test
def a_daemon_that_was_killed_serves_again():
    for _ in range(3):
        kill_daemon("ryuso.service")
        ask("run", "transfer", "from=alice", "to=bob", "amount=1", "fee=0")
    equal(balances(), {"alice": 697, "bob": 303}, "the balances")
    equal(unit("ryuso.socket", "Result"), "success", "the socket")


@test
def a_service_that_is_started_by_hand_has_its_socket():
    root("systemctl", "stop", "ryuso.socket")
    equal(unit("ryuso.service", "ActiveState"), "inactive", "the service of a socket that was stopped")
    check(not os.path.exists(SOCKET), "expected no socket where nobody listens")
    member("ryusoctl", "ping", status=69)
    root("systemctl", "start", "ryuso.service")
    equal(unit("ryuso.socket", "ActiveState"), "active", "the socket")
    equal(balances(), {"alice": 697, "bob": 303}, "the balances")


@test
def of_several_modules_one_is_named_in_the_settings():
    other = pathlib.Path(make_variable("moduledir")) / "other.so"
    settings = pathlib.Path("/etc/ryuso/ryuso.conf")
    shutil.copy(other.with_name("wallet.so"), other)
    settings.parent.mkdir()
    settings.write_text("[Daemon]\nModule=wallet\n")
    try:
        root("systemctl", "restart", "ryuso.service")
        equal(balances(), {"alice": 697, "bob": 303}, "the balances")
        settings.unlink()
        root("systemctl", "restart", "ryuso.service")
        reply = ask("run", "statement", "account=alice", status=3)
        contains(reply["error"]["message"], "2 modules are installed", "the error")
    finally:
        settings.unlink(missing_ok=True)
        other.unlink()
        root("systemctl", "restart", "ryuso.service")


@test
def two_daemons_serve_the_same_module_beside_each_other():
    root("systemctl", "start", "ryuso@wallet.socket")
    ask("-I", "wallet", "run", "open_account", "account=alice")
    reply = ask("-I", "wallet", "run", "statement", "account=alice")
    equal(reply["data_pool"]["balance"], 0, "the balance in the instance's wallet")
    equal(balances(), {"alice": 697, "bob": 303}, "the balances in the plain wallet")
    pids = {main_pid("ryuso.service"), main_pid("ryuso@wallet.service")}
    check(len(pids) == 2 and 0 not in pids, f"expected two daemons, got {pids}")


@test
def an_instance_has_a_socket_a_state_and_a_journal_of_its_own():
    bring_project("gate")
    install_project("gate")
    root("systemctl", "start", "ryuso@gate.socket")
    reply = ask("-I", "gate", "run", "speak")
    places = root("stat", "-c", "%a %U %G", "/run/ryuso/gate.sock", STATE / "gate", STATE / "ryuso").stdout
    equal(places.splitlines(), ["660 root ryuso", "700 ryuso ryuso", "700 ryuso ryuso"], "the places")
    [ended] = [entry for entry in journal_of(reply["run"]) if entry.get("RYUSO_OUTCOME") == "succeeded"]
    equal((ended["RYUSO_INSTANCE"], ended["_SYSTEMD_UNIT"]), ("gate", "ryuso@gate.service"), "the instance")
    check(main_pid("ryuso@gate.service") != main_pid("ryuso.service"), "expected two daemons, got one")
    equal(balances(), {"alice": 697, "bob": 303}, "the balances of a daemon that had its module before")


@test
def what_a_hook_logs_and_prints_is_in_the_journal_under_its_run():
    reply = ask("-I", "gate", "run", "speak")
    entries = {entry["MESSAGE"].split(": ")[-1]: entry for entry in journal_of(reply["run"]) if "RYUSO_HOOK" in entry}
    for text, priority in (("this was printed", "6"), ("this was complained", "6"), ("this was logged", "5")):
        check(text in entries, f"expected {text!r}, got {list(entries)}")
        entry = entries[text]
        equal((entry["RYUSO_STEP"], entry["PRIORITY"]), ("1", priority), f"step and priority of {text!r}")


@test
def hooks_write_to_the_state_directory_and_to_a_tmp_of_their_own_only():
    places = ["/etc", "/usr/lib", "/var/lib", "/var/lib/ryuso/ryuso", "/home", f"/home/{MEMBER}", "/run/ryuso", "/dev",
              "/sys", "/tmp", "/var/tmp", str(STATE / "gate")]
    os.chmod(f"/home/{MEMBER}", 0o777)
    pathlib.Path("/tmp/of-others").touch()
    reply = ask("-I", "gate", "run", "look", f"places:={json.dumps(places)}")
    equal(reply["data_pool"]["writable"], ["/tmp", "/var/tmp", str(STATE / "gate")], "where a hook may write")
    pid = main_pid("ryuso@gate.service")
    check(not os.path.exists(f"/proc/{pid}/root/tmp/of-others"), "expected a /tmp of its own, got that of others")
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    for line in ("NoNewPrivs:\t1", "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "Seccomp:\t2"):
        contains(status, line, "the daemon's status")


@test
def a_daemon_that_was_killed_during_a_run_leaves_no_process_behind():
    gate = Gate()
    client = InBackground("-I", "gate", "--json=short", "run", "pass")
    gate.wait_for_hook()
    group = pathlib.Path("/sys/fs/cgroup" + unit("ryuso@gate.service", "ControlGroup")) / "cgroup.procs"
    old = set(group.read_text().split())
    check(len(old) > 1, f"expected a worker besides the daemon, got {old}")
    pid = kill_daemon("ryuso@gate.service")
    wait_active("ryuso@gate.service", pid)
    reply = json.loads(client.end(1))
    equal((reply["status"], reply["error"]["name"]), ("rectified", "Interrupted"), "the run")
    equal(old & set(group.read_text().split()), set(), "processes that were there before")
    os.close(gate.fd)


@test
def a_restart_lets_the_run_in_hand_end_and_keeps_those_who_wait():
    gate = Gate()
    client = InBackground("-I", "gate", "--json=short", "run", "pass")
    gate.wait_for_hook()
    pid = main_pid("ryuso@gate.service")
    root("systemctl", "restart", "--no-block", "ryuso@gate.service")
    wait_for(lambda: unit("ryuso@gate.service", "ActiveState") == "deactivating", "the stop")
    waiting = InBackground("-I", "gate", "--json=short", "run", "speak")
    gate.open()
    equal(json.loads(client.end(0))["status"], "succeeded", "the run that was in hand")
    equal(json.loads(waiting.end(0))["status"], "succeeded", "the run that waited")
    wait_active("ryuso@gate.service", pid)
    equal(unit("ryuso@gate.service", "Result"), "success", "the service")


def programs_of(instance):
    return {program["name"] for program in ask("-I", instance, "list")["programs"]}


def add_program(project, name):
    """To its spec: one that does what `speak` does."""
    path = pathlib.Path(f"/home/{MEMBER}/{project}/ryu_spec.json")
    spec = json.loads(path.read_text())
    spec["programs"][name] = dict(spec["programs"]["speak"])
    path.write_text(json.dumps(spec))


@test
def a_reload_takes_up_settings_and_a_new_module_while_a_run_goes_on():
    gate = Gate()
    client = InBackground("-I", "gate", "--json=short", "run", "pass")
    gate.wait_for_hook()
    waiting = InBackground("-I", "gate", "--json=short", "run", "speak")
    wait_for(lambda: ask("-I", "gate", "status")["queued"] == 1, "a run to wait")
    pid = main_pid("ryuso@gate.service")
    add_program("gate", "whisper")
    install_project("gate")
    drop_in = pathlib.Path("/etc/ryuso/gate.conf.d/50-story.conf")
    drop_in.parent.mkdir(parents=True)
    drop_in.write_text("[Daemon]\nMaxRequestSize=2K\n")
    root("systemctl", "reload", "ryuso@gate.service")
    check("whisper" in programs_of("gate"), "expected the program of the new module")
    gate.open()
    equal(json.loads(client.end(0))["status"], "succeeded", "the run that was in hand")
    equal(json.loads(waiting.end(0))["status"], "succeeded", "the run that waited")
    ask("-I", "gate", "run", "whisper")
    reply = ask("-I", "gate", "run", "look", f"places:={json.dumps(['/' * 3000])}", status=3)
    equal(reply["error"]["name"], "TooLarge", "a request that is over the new limit")
    equal((main_pid("ryuso@gate.service"), unit("ryuso@gate.service", "ActiveState")), (pid, "active"), "the service")


@test
def a_reload_of_settings_that_are_wrong_fails_and_changes_nothing():
    drop_in = pathlib.Path("/etc/ryuso/gate.conf.d/50-story.conf")
    drop_in.write_text("[Daemon]\nMaxRequestSize=little\n")
    root("systemctl", "reload", "ryuso@gate.service", status=1)
    text = f'{drop_in}:2: MaxRequestSize: expected a size from 1K to 64M; got "little"'
    wait_for(lambda: text in root("journalctl", "-o", "cat", "-u", "ryuso@gate.service").stdout, "the error in the journal")
    equal(unit("ryuso@gate.service", "ActiveState"), "active", "the service")
    reply = ask("-I", "gate", "run", "look", f"places:={json.dumps(['/' * 3000])}", status=3)
    equal(reply["error"]["name"], "TooLarge", "a request that is over the limit of before")
    drop_in.unlink()
    root("systemctl", "reload", "ryuso@gate.service")


@test
def the_socket_of_a_module_can_be_had_at_every_boot():
    for name in ("ryuso.socket", "ryuso@gate.socket"):
        root("systemctl", "enable", name)
        check(name in unit("sockets.target", "Wants").split(), f"{name}: expected it to be wanted by sockets.target")
        root("systemctl", "disable", name)


# ---- what the manual pages tell root to do ----

@test
def root_does_what_ryuso_gen_1_says():
    said = follow("ryuso-gen.1")
    text = "\n".join(text for line, text in said.items() if not line.startswith("journalctl"))
    for part in ("Hello, Ada!", "NobodyThere", "take_down: ok", '"status":"succeeded"'):
        contains(text, part, "what was written")


@test
def root_does_what_ryuso_7_says():
    said = follow("ryuso.7")
    [shows] = [line for line in said if line.startswith("journalctl")]
    wait_for(lambda: "sign: succeeded" in root("bash", "-c", shows).stdout, "the run in the journal")
    check("ryuso@guestbook.socket" in unit("sockets.target", "Wants").split(), "expected the socket to be enabled")


@test
def root_does_what_ryusod_8_says():
    follow("ryusod.8")
    contains(unit("ryuso@wallet.service", "ReadWritePaths"), "/srv/wallet", "what the drop-in says")


@test
def root_does_what_ryuso_conf_5_says():
    said = follow("ryuso.conf.5")
    shown = "\n".join(said.values())
    for name, line in (("QueueLength=100", "/etc/ryuso/wallet.conf.d/50-queue.conf:2"),
                       ("StopTimeout=20s", "/etc/ryuso/wallet.conf.d/50-queue.conf:3")):
        check(re.search(rf"^{name} +; {line}$", shown, re.MULTILINE), f"expected {name} from {line}, got {shown}")


@test
def root_does_what_ryusoctl_1_says():
    said = follow("ryusoctl.1")
    contains("\n".join(said.values()), "wallet", "what was written")


@test
def root_does_what_ryuso_protocol_7_and_ryuso_journal_7_say():
    contains("".join(follow("ryuso-protocol.7").values()), '{"result":{"instance":"ryuso",', "what was answered")
    said = follow("ryuso-journal.7")
    [counts] = [shown for line, shown in said.items() if "uniq -c" in line]
    for status in ("succeeded", "rectified"):
        check(re.search(rf"[1-9] {status}$", counts, re.MULTILINE), f"expected runs that are {status}, got {counts}")


# ---- the end ----

@test
def no_program_of_ours_has_sounded_an_alarm():
    equal(alarms("Sanitizer|runtime error|core dumped|cannot"), "", "alarms")


@test
def no_unit_has_failed():
    equal(failed_units() - before["failed"], set(), "failed units")
    states = {name: unit(name, "ActiveState")
              for name in ("ryuso.socket", "ryuso@gate.socket", "ryuso@wallet.socket", "ryuso@hello.socket")}
    equal(set(states.values()), {"active"}, f"the sockets {states}")


@test
def nothing_but_state_and_configuration_is_left_when_it_is_removed():
    root("systemctl", "stop", "ryuso.socket", "ryuso@*.socket")
    root("make", "-C", TOP_BUILD, "uninstall")
    root("systemctl", "daemon-reload")
    equal(tree() - before["tree"], {"/srv/wallet"}, "what was left, but for what ryusod(8) tells root to make")
    check((STATE / "ryuso" / "wallet.sqlite").exists(), "expected the wallet to be where it was")
    equal(failed_units() - before["failed"], set(), "failed units")


if not INSIDE:
    boot()
main()
