#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The whole on a machine: a systemd that was really booted, our units, ordinary users, the journal.

Everything is installed as README.md says, into a copy of this machine's files that is thrown away (with-systemd). The
tests build on each other: they are one story, from the installation to its removal."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys

import man_commands
from tap import TIMEOUT, TOP_BUILD, TOP_SOURCE, check, contains, equal, main, run, test, wait_for

HERE = pathlib.Path(__file__).resolve().parent
INSIDE = os.environ.get("RYUSO_BOOTED") == "yes"
SOCKET = "/run/ryuso/ryuso.sock"
STATE = pathlib.Path("/var/lib/ryuso")
UNITS = ("ryuso.socket", "ryuso.service", "ryuso@.socket", "ryuso@.service")
MEMBER, STRANGER = "ada", "eve"


# ---- outside: boots, and shows what comes from within ----

def skip_all(reason):
    print(f"1..0 # SKIP {reason}", flush=True)
    sys.exit(0)


def make_variable(name):
    return run("make", "-s", "--no-print-directory", "-C", TOP_BUILD, "--eval", f"show: ; @echo $({name})", "show").stdout.splitlines()[-1]


def reason_not_to_boot():
    """None where it can be tried."""
    if os.geteuid() != 0:
        return "booting a container needs root"
    for name in ("systemd-nspawn", "unshare", "setpriv", "journalctl", "cc", "pkg-config"):
        if not shutil.which(name):
            return f"there is no {name}"
    if not (TOP_BUILD / "Makefile").exists():
        return "this is no build tree"
    units = make_variable("systemdsystemunitdir")
    if units not in ("/usr/lib/systemd/system", "/lib/systemd/system", "/usr/local/lib/systemd/system"):
        return f"systemd does not look for units in {units}: configure with --prefix=/usr"
    return None


def boot():
    reason = reason_not_to_boot()
    if reason:
        skip_all(reason)
    variables = {"RYUSO_BOOTED": "yes", "top_srcdir": TOP_SOURCE, "top_builddir": TOP_BUILD, "PYTHONDONTWRITEBYTECODE": "1",
                 "RYUSO_TEST_TIMEOUT": TIMEOUT}
    command = [HERE / "with-systemd", "--with", TOP_SOURCE, "--with", TOP_BUILD, "env",
               *(f"{key}={value}" for key, value in variables.items()), "python3", HERE / "test_boot.py", *sys.argv[1:]]
    status = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, check=False).returncode
    if status == 99:
        skip_all("systemd does not boot in a container here")
    sys.exit(status)


# ---- inside ----

def variables_of(user):
    home = "/root" if user == "root" else f"/home/{user}"
    return {"HOME": home, "USER": user, "LANG": "C.UTF-8", "PATH": os.environ["PATH"], "SYSTEMD_PAGER": "cat"}


def as_user(user, *command):
    """A command line that runs as an ordinary user, with the groups that he has now."""
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "--", *command]


def root(*command, **options):
    return run(*command, env=variables_of("root"), **{"cwd": "/", **options})


def member(*command, **options):
    return run(*as_user(MEMBER, *command), env=variables_of(MEMBER), **{"cwd": f"/home/{MEMBER}", **options})


def stranger(*command, **options):
    return run(*as_user(STRANGER, *command), env=variables_of(STRANGER), **{"cwd": f"/home/{STRANGER}", **options})


def ask(*arguments, status=0):
    """What ryusoctl gets as the member's answer."""
    return json.loads(member("ryusoctl", "--json=short", *arguments, status=status).stdout)


def unit(name, field):
    return root("systemctl", "show", "-P", field, name).stdout.strip()


def main_pid(name):
    """0 where it does not run."""
    return int(unit(name, "MainPID"))


def kill_daemon(name):
    """Its process, which is dead then."""
    pid = main_pid(name)
    check(pid > 0, f"{name} does not run")
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: main_pid(name) != pid, "the end of the daemon")
    return pid


def failed_units():
    lines = root("systemctl", "list-units", "--failed", "--plain", "--no-legend").stdout.splitlines()
    return {line.split()[0] for line in lines}


def journal(*matches):
    """Entries as dictionaries, oldest first."""
    root("journalctl", "--sync")
    lines = root("journalctl", "--quiet", "-o", "json", *matches).stdout.splitlines()
    return [json.loads(line) for line in lines]


def wait_active(name, pid):
    """Until a unit is served by another process than `pid`."""
    wait_for(lambda: unit(name, "ActiveState") == "active" and main_pid(name) not in (0, pid), f"another process of {name}")


def install_project(project):
    """Builds it as the member, installs it as root."""
    member("make", "-C", project)
    root("make", "-C", f"/home/{MEMBER}/{project}", "install")


def balances():
    return {account: ask("run", "statement", f"account={account}")["data_pool"]["balance"] for account in ("alice", "bob")}


class InBackground:
    """ryusoctl as the member, while something else happens."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(as_user(MEMBER, "ryusoctl", *arguments), env=variables_of(MEMBER), text=True,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def end(self, status):
        out, err = self.process.communicate(timeout=TIMEOUT)
        equal((self.process.returncode, err if self.process.returncode != status else ""), (status, ""), "the status")
        return out


class Gate:
    """The place where the program `pass` of the module `gate` waits."""

    path = STATE / "gate" / "gate"

    def __init__(self):
        if not self.path.exists():
            os.mkfifo(self.path)
            os.chmod(self.path, 0o666)

    def wait_for_hook(self):
        """Until the hook waits; what is to be written to."""
        def opened():
            try:
                return os.open(self.path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            except OSError:  # nobody reads
                return None
        self.fd = wait_for(opened, "the hook at the gate")

    def open(self):
        os.write(self.fd, b"!")
        os.close(self.fd)


def tree():
    """All files and directories that no user and no service has made."""
    done = root("find", "/usr", "/opt", "/srv", "-xdev", "-path", make_variable("moduledir"), "-prune", "-o", "-print")
    return set(done.stdout.splitlines())


before = {}


def note_machine():
    before["failed"] = failed_units()
    before["tree"] = tree()


# ---- the story ----

@test
def it_is_installed_as_the_readme_says():
    note_machine()
    section = (TOP_SOURCE / "README.md").read_text().split("## Install it")[1].split("\n## ")[0]
    commands = [line[len("sudo "):] for line in section.splitlines() if line.startswith("sudo ") and "apt-get" not in line]
    contains(" ".join(commands), "$USER", "what is typed by the one who wants to be a member")
    for user in (MEMBER, STRANGER):
        root("useradd", "--create-home", "--shell", "/bin/bash", user)
    for line in commands:
        root("bash", "-c", line.replace("$USER", MEMBER), cwd=TOP_BUILD)
    if make_variable("prefix") != "/usr":
        root("ldconfig")


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
    page = (TOP_SOURCE / "man/ryusod.8.in").read_text().split(".It Va StopTimeout=")[1].split(".It Va")[0]
    seconds = int(re.search(r"^(\d+)s;", page, re.MULTILINE)[1])
    for name in ("ryuso.service", "ryuso@some.service"):
        given = re.fullmatch(r"(?:(\d+)min ?)?(?:(\d+)s)?", unit(name, "TimeoutStopUSec"))
        total = int(given[1] or 0) * 60 + int(given[2] or 0)
        check(seconds + 5 < total <= seconds + 20, f"{name}: expected a little more than {seconds} s, got {total} s")


@test
def the_socket_is_there_before_the_daemon_is():
    root("systemctl", "start", "ryuso.socket")
    equal((unit("ryuso.socket", "ActiveState"), unit("ryuso.service", "ActiveState")), ("active", "inactive"), "the units")
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
    entries = journal(f"RYUSO_RUN={reply['run']}")
    uid = member("id", "-u").stdout.strip()
    for entry in entries:
        for field, value in {"RYUSO_INSTANCE": "ryuso", "RYUSO_PROGRAM": "transfer", "RYUSO_PEER_UID": uid,
                             "_SYSTEMD_UNIT": "ryuso.service", "SYSLOG_IDENTIFIER": "ryusod"}.items():
            equal(entry.get(field), value, f"{field} of {entry['MESSAGE']}")
    calls = [(entry["RYUSO_PHASE"], entry["RYUSO_STEP"], entry["RYUSO_HOOK"], entry["RYUSO_OUTCOME"], entry["PRIORITY"])
             for entry in entries if "RYUSO_USEC" in entry and "RYUSO_HOOK" in entry]
    equal(calls, [("hook", "1", "withdraw", "ok", "6"), ("hook", "3", "deposit", "failed", "3"),
                  ("rectifier", "1", "deposit", "ok", "4")], "the calls")


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
    equal((unit("ryuso.service", "ActiveState"), unit("ryuso.service", "Result")), ("inactive", "success"), "the service")
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
        contains(ask("run", "statement", "account=alice", status=3)["error"]["message"], "2 modules are installed", "the error")
    finally:
        settings.unlink(missing_ok=True)
        other.unlink()


@test
def an_instance_has_a_socket_a_state_and_a_journal_of_its_own():
    shutil.copytree(HERE / "boot" / "gate", f"/home/{MEMBER}/gate")
    root("chown", "-R", f"{MEMBER}:", f"/home/{MEMBER}/gate")
    member("ryuso-gen", "-o", ".", cwd=f"/home/{MEMBER}/gate")
    install_project("gate")
    root("systemctl", "start", "ryuso@gate.socket")
    reply = ask("-I", "gate", "run", "speak")
    equal(root("stat", "-c", "%a %U %G", "/run/ryuso/gate.sock", STATE / "gate", STATE / "ryuso").stdout.split("\n")[:3],
          ["660 root ryuso", "700 ryuso ryuso", "700 ryuso ryuso"], "the places")
    [ended] = [entry for entry in journal(f"RYUSO_RUN={reply['run']}") if entry.get("RYUSO_OUTCOME") == "succeeded"]
    equal((ended["RYUSO_INSTANCE"], ended["_SYSTEMD_UNIT"]), ("gate", "ryuso@gate.service"), "the instance")
    check(main_pid("ryuso@gate.service") != main_pid("ryuso.service"), "expected two daemons, got one")


@test
def what_a_hook_logs_and_prints_is_in_the_journal_under_its_run():
    reply = ask("-I", "gate", "run", "speak")
    entries = {entry["MESSAGE"].split(": ")[-1]: entry for entry in journal(f"RYUSO_RUN={reply['run']}", "RYUSO_HOOK=speak")}
    for text, priority in (("this was printed", "6"), ("this was complained", "6"), ("this was logged", "5")):
        check(text in entries, f"expected {text!r}, got {list(entries)}")
        entry = entries[text]
        equal((entry["RYUSO_STEP"], entry["PRIORITY"]), ("1", priority), f"step and priority of {text!r}")


@test
def hooks_write_to_the_state_directory_and_to_a_tmp_of_their_own_only():
    places = ["/etc", "/usr/lib", "/var/lib", "/var/lib/ryuso/ryuso", "/home", f"/home/{MEMBER}", "/run/ryuso", "/dev", "/sys",
              "/tmp", "/var/tmp", str(STATE / "gate")]
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
    client = InBackground("-I", "gate", "run", "pass")
    gate.wait_for_hook()
    group = pathlib.Path("/sys/fs/cgroup" + unit("ryuso@gate.service", "ControlGroup")) / "cgroup.procs"
    old = set(group.read_text().split())
    check(len(old) > 1, f"expected a worker besides the daemon, got {old}")
    pid = kill_daemon("ryuso@gate.service")
    client.end(75)
    ask("-I", "gate", "run", "speak")
    wait_active("ryuso@gate.service", pid)
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


@test
def the_socket_of_a_module_can_be_had_at_every_boot():
    for name in ("ryuso.socket", "ryuso@gate.socket"):
        root("systemctl", "enable", name)
        check(name in unit("sockets.target", "Wants").split(), f"{name}: expected it to be wanted by sockets.target")
        root("systemctl", "disable", name)


# ---- what the manual pages tell root to do ----

def follow(page):
    """Does what a page says: root's part whole; of the others' part what makes a project, as the member, for test_man.py
    does the rest of it. What root's commands wrote, by the command."""
    directory, said = pathlib.Path(f"/home/{MEMBER}") / page, {}
    member("mkdir", directory)
    for step in man_commands.steps(page):
        someone = root if step.root else member
        word = step.text.split()[0]
        if step.name:
            someone("mkdir", "-p", (directory / step.name).parent)
            someone("tee", directory / step.name, stdin=step.text)
        elif step.root:
            done = root("bash", "-c", step.text, cwd=directory)
            said[step.text] = done.stdout + done.stderr
        elif word == "cd":
            directory = directory / step.text.split()[1]
        elif word in ("mkdir", "ryuso-gen", "make"):
            member("bash", "-c", step.text, cwd=directory)
    check(said, f"expected commands for root in {page}")
    return said


@test
def root_does_what_ryuso_gen_1_says():
    said = follow("ryuso-gen.1")
    text = "\n".join(said.values())
    for part in ("Hello, Ada!", "NobodyThere", "rectifier take_down: ok", '"status":"succeeded"'):
        contains(text, part, "what was written")


@test
def root_does_what_ryuso_7_says():
    said = follow("ryuso.7")
    contains(said["journalctl -u ryuso@guestbook.service -o cat"], "sign: succeeded", "the journal")
    check("ryuso@guestbook.socket" in unit("sockets.target", "Wants").split(), "expected the socket to be enabled")


@test
def root_does_what_ryusod_8_says():
    follow("ryusod.8")
    contains(unit("ryuso@wallet.service", "ReadWritePaths"), "/srv/wallet", "what the drop-in says")


@test
def root_does_what_ryusoctl_1_says():
    said = follow("ryusoctl.1")
    contains("\n".join(said.values()), "wallet", "what was written")


# ---- the end ----

@test
def no_unit_has_failed():
    equal(failed_units() - before["failed"], set(), "failed units")
    states = {name: unit(name, "ActiveState") for name in ("ryuso.socket", "ryuso@gate.socket", "ryuso@hello.socket")}
    equal(set(states.values()), {"active"}, f"the sockets {states}")


@test
def nothing_but_state_and_configuration_is_left_when_it_is_removed():
    root("systemctl", "stop", "ryuso.socket", "ryuso@*.socket")
    root("make", "-C", TOP_BUILD, "uninstall")
    root("systemctl", "daemon-reload")
    equal(tree() - before["tree"], set(), "what was left")
    check((STATE / "ryuso" / "wallet.sqlite").exists(), "expected the wallet to be where it was")
    equal(failed_units() - before["failed"], set(), "failed units")


if not INSIDE:
    boot()
main()
