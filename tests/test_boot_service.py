#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What hooks may do, and who serves whom, on a machine: the sandbox and what opens it, instances beside each other, and
the service manager of a user.

The module `tools` runs commands. The tests build on each other, as those of test_boot.py do."""

import ctypes
import json
import os
import pathlib
import pwd
import re
import shutil
import socket

import man_commands
from machine import (INSIDE, MEMBER, STATE, alarms, as_user, ask, boot, bring_project, failed_units,
                     install_as_the_readme_says, install_project, main_pid, make_variable, member, root,
                     stranger, tree, unit, variables_of)
from tap import TOP_BUILD, check, contains, equal, main, run, test, wait_for

SERVICE, SOCKET = "ryuso@tools.service", "ryuso@tools.socket"
UNITS = pathlib.Path("/run/systemd/system")
DROP_INS = pathlib.Path("/usr/share/ryuso/drop-ins")
SETTINGS = pathlib.Path("/etc/ryuso")
EXPOSURE_MAX = 5  # tenths
LISTENER = socket.socket()
SANITIZED = INSIDE and make_variable("SANITIZE_CFLAGS")
FOREIGN = pathlib.Path("/usr/local/bin/thirty-two")

before = {}


def attempt(command, instance="tools"):
    """The exit status of a command that a hook runs."""
    reply = ask("-I", instance, "run", "attempt", f"command=exec 2>&1; {command}")
    before["said"] = reply["data_pool"]["said"]
    return reply["data_pool"]["status"]


def drop_in(lines, service=SERVICE):
    """The only one that a service has, besides those of the shipped units."""
    directory = UNITS / f"{service}.d"
    shutil.rmtree(directory, ignore_errors=True)
    if lines:
        directory.mkdir(parents=True)
        (directory / "test.conf").write_text(lines)
    root("systemctl", "daemon-reload")
    root("systemctl", "restart", service)


def settings(*lines):
    return "".join(f"{line}\n" for line in ("[Service]", *lines))


def shipped(name):
    return (DROP_INS / name).read_text()


def python(text):
    return f"python3 -c '{text}'"


CALL = python("import ctypes; exit(ctypes.CDLL(None).{}({}) == -1)")
FILE = 'f="$STATE_DIRECTORY/file" && rm -f "$f" && touch "$f" && '

# what ryusod(8) says: what is not allowed, what allows it, and a command that succeeds where it is
ROWS = {
    "use the network": (lambda: shipped("network.conf"),
                        lambda: python(f'import socket; socket.create_connection(("127.0.0.1", '
                                       f'{LISTENER.getsockname()[1]}))')),
    "use other kinds of sockets": ("RestrictAddressFamilies=AF_NETLINK",
                                   python("import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)")),
    "write elsewhere": (lambda: shipped("path.conf").replace("/srv/ryuso", "/srv/tools"), "touch /srv/tools/file"),
    "see home directories": ("ProtectHome=read-only", f"test -d /home/{MEMBER}"),
    "share /tmp with others": ("PrivateTmp=no", "test -e /tmp/of-others"),
    "leave files for others": ("UMask=0022", FILE + 'test "$(stat -c %a "$f")" = 644'),
    "make set-user-id files": ("RestrictSUIDSGID=no", FILE + 'chmod u+s "$f"'),
    "use devices": ("PrivateDevices=no DevicePolicy=auto", "test -e /dev/of-others"),
    "see processes of others": ("ProtectProc=default", "test -d /proc/1"),
    "share memory by IPC": ("PrivateIPC=no RemoveIPC=no", "test $(wc -l </proc/sysvipc/shm) -gt 1"),
    "write code, and run it (JIT)": ("MemoryDenyWriteExecute=no",
                                     python("import mmap; mmap.mmap(-1, 4096, prot=7)")),
    "change priorities": ("SystemCallFilter=@resources", CALL.format("setpriority", "0, 0, 5")),
    "run in real time": ("SystemCallFilter=@resources RestrictRealtime=no LimitRTPRIO=1",
                         python("import os; os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))")),
    "make namespaces": ("RestrictNamespaces=no", "unshare --user true"),
    "trace processes": ("SystemCallFilter=@debug", CALL.format("ptrace", "0, 0, 0, 0")),
    "run foreign architectures": ("SystemCallArchitectures=native x86", str(FOREIGN)),
    "change the personality": ("LockPersonality=no", CALL.format("personality", "0x40000")),
}
ROOT_ROWS = {
    "become root, or another user": "test $(id -u) = 0 && useradd --no-create-home made",
    "give files to others": FILE + 'chown nobody "$f"',
    "mount for all to see": "mount -t tmpfs tmpfs /mnt",
    "set the clock or host name": python('import socket; socket.sethostname("renamed")'),
    "change kernel settings": "mkdir /sys/fs/cgroup/of-a-hook && rmdir /sys/fs/cgroup/of-a-hook",
}


def table():
    """The rows of ryusod(8): what is not allowed, and what allows it."""
    lines = man_commands.source("ryusod.8")
    rows = dict(re.match(r"\.It (.*?) Ta (.*)", line).groups() for line in lines if re.match(r"\.It .* Ta ", line))
    return {what: how for what, how in rows.items() if not what.startswith("Em ")}


# ---- the sandbox ----

@test
def it_is_installed_with_a_module_that_runs_commands():
    before["failed"], before["tree"] = failed_units(), tree()
    install_as_the_readme_says()
    root("groupadd", "movers")
    bring_project("tools")
    install_project("tools")
    root("systemctl", "enable", "--now", SOCKET)
    equal(attempt("true"), 0, "what a hook may do")
    LISTENER.bind(("127.0.0.1", 0))
    LISTENER.listen()
    if SANITIZED:
        ROWS.pop("trace processes")  # the leak sanitizer must be able to
    for place in ("/tmp", "/dev"):
        pathlib.Path(place, "of-others").touch()
    root("install", "-d", "-o", "ryuso", "-g", "ryuso", "/srv/tools")
    check(ctypes.CDLL(None).shmget(0x7279, 4096, 0o1644) >= 0, "no shared memory can be had")


@test
def the_services_are_exposed_to_a_twentieth_at_most():
    for name in ("ryuso.service", SERVICE):
        more = 2 if SANITIZED else 0  # see permit_sanitizers() in machine.py
        root("systemd-analyze", "security", "--no-pager", f"--threshold={EXPOSURE_MAX + more}", name)


@test
def hooks_may_load_libraries_start_processes_use_databases_and_local_sockets():
    for command in (python('import ctypes; ctypes.CDLL("libsqlite3.so.0")'), "true & wait && sleep 0",
                    python('import os, sqlite3; d = sqlite3.connect(os.environ["STATE_DIRECTORY"] + "/db"); '
                           'd.execute("create table if not exists t (x)"); d.commit()'),
                    python('import socket; socket.socket(socket.AF_UNIX).connect("/run/systemd/journal/stdout")'),
                    "touch /tmp/file /var/tmp/file", "test -r /etc/passwd"):
        equal((attempt(command), before["said"]), (0, ""), command)


@test
def the_table_of_ryusod_8_is_what_is_tried_here():
    rows = table()
    if SANITIZED:
        rows.pop("trace processes")
    equal(set(rows), set(ROWS) | set(ROOT_ROWS), "the rows")
    for what, (lines, _) in ROWS.items():
        for line in lines.split() if isinstance(lines, str) else ():
            if "=" in line:
                name, value = line.split("=")
                contains(rows[what], f"Va {name}= Ns Li {value}", f"what allows to {what}")


@test
def what_a_hook_may_not_do_by_default_fails():
    make_foreign_program()
    for what, command in {**{what: command for what, (_, command) in ROWS.items()}, **ROOT_ROWS}.items():
        command = command() if callable(command) else command
        check(attempt(command) != 0, f"expected a hook not to be able to {what}, got 0 and {before['said']!r}")


def make_foreign_program():
    """A program that ends with a system call of another architecture, where this is x86_64."""
    if os.uname().machine == "x86_64":
        text = 'void _start(void) { __asm__("int $0x80" : : "a"(1), "b"(0)); }'
        run("cc", "-nostdlib", "-static", "-x", "c", "-", "-o", FOREIGN, stdin=text, env=variables_of("root"))
    else:
        ROWS.pop("run foreign architectures")


@test
def each_row_of_the_table_allows_what_it_says():
    probe = ("systemd-run", "--quiet", "--wait", "--collect", "-p", "User=ryuso", "-p", "LimitRTPRIO=1")
    if root(*probe, "chrt", "-f", "1", "true", status=None).returncode != 0:
        ROWS.pop("run in real time")  # on this machine no service can that is not root's
    for what, (lines, command) in ROWS.items():
        if callable(lines):
            lines = lines()
        else:
            lines = settings(*re.sub(r" (?=\w+=)", "\n", lines).splitlines())
        drop_in(lines)
        status = attempt(command() if callable(command) else command)
        equal(status, 0, f"the status of an attempt to {what} with {lines!r}, which said {before['said']!r}")
    drop_in(None)


@test
def with_the_drop_in_for_root_hooks_administer_the_machine():
    drop_in(shipped("root.conf"))
    equal(pathlib.Path(f"/proc/{main_pid(SERVICE)}").stat().st_uid, 0, "the daemon's user")
    for what, command in ROOT_ROWS.items():
        equal(attempt(command), 0, f"the status of an attempt to {what}, which said {before['said']!r}")
    root("getent", "passwd", "made")
    check(os.path.ismount("/mnt"), "expected to see what a hook has mounted")
    equal(socket.gethostname(), "renamed", "the host's name")
    root("umount", "/mnt")


@test
def without_it_they_are_what_they_were():
    drop_in(None)
    equal(root("stat", "-c", "%U", STATE / "tools", STATE / "tools/ledger.sqlite").stdout.split(), ["ryuso"] * 2,
          "whose the state is")
    check(attempt(ROOT_ROWS["become root, or another user"]) != 0, "expected a hook that is not root")


# ---- who may do what ----

@test
def a_program_for_a_group_is_there_for_its_members_alone():
    for _ in range(2):
        in_group = "movers" in member("id", "-nG").stdout.split()
        listed = [line.split()[0] for line in member("ryusoctl", "-I", "tools", "--no-legend", "list").stdout.splitlines()]
        equal("guarded" in listed, in_group, "whether it is listed")
        reply = ask("-I", "tools", "run", "guarded", "command=true", status=0 if in_group else 3)
        if in_group:
            equal(reply["status"], "succeeded", "the reply")
        else:
            equal(reply["error"]["name"], "UnknownProgram", "the error")
            root("usermod", "-aG", "movers", MEMBER)


# ---- instances ----

@test
def instances_serve_one_module_and_share_nothing():
    SETTINGS.mkdir(exist_ok=True)
    (SETTINGS / "box.conf").write_text("[Daemon]\nModule=tools\nQueueLength=3\n")
    root("systemctl", "enable", "--now", "ryuso@box.socket")
    for instance in ("tools", "box"):
        equal(attempt(f'echo {instance} >"$STATE_DIRECTORY/name"', instance), 0, "the status")
    equal([(STATE / name / "name").read_text() for name in ("tools", "box")], ["tools\n", "box\n"], "their state")
    check(main_pid("ryuso@box.service") not in (0, main_pid(SERVICE)), "expected two daemons")
    shown = root("ryusod", "--instance=box", "--show-config").stdout
    contains(shown, f"{SETTINGS}/box.conf", "where the settings of the second come from")


@test
def a_drop_in_of_one_instance_is_not_anothers():
    drop_in(settings("PrivateTmp=no"), "ryuso@box.service")
    equal([attempt("test -e /tmp/of-others", name) for name in ("box", "tools")], [0, 1], "who sees what is in /tmp")


@test
def two_instances_never_use_one_state_unknowingly():
    drop_in(settings("StateDirectory=", "StateDirectory=ryuso/tools"), "ryuso@box.service")
    reply = ask("-I", "box", "run", "attempt", "command=true", status=3)
    equal(reply["error"]["name"], "StoreBusy", "the error")
    contains(reply["error"]["message"], str(main_pid(SERVICE)), "who is said to use it")
    drop_in(None, "ryuso@box.service")
    equal((attempt("true", "box"), attempt("true")), (0, 0), "the status")


@test
def the_plain_service_has_no_instance_of_its_name():
    root("systemctl", "start", "ryuso.socket")
    done = root("systemctl", "start", "ryuso@ryuso.socket", status=None)
    check(done.returncode != 0, "expected ryuso@ryuso.socket not to start")
    contains(done.stderr, "masked", "the reason")
    equal(unit("ryuso.socket", "ActiveState"), "active", "the plain socket")


# ---- the service manager of a user ----

def own(*command, status=0, user=MEMBER):
    """A command of somebody whose service manager runs."""
    uid = pwd.getpwnam(user).pw_uid
    return run(*as_user(user, *command), env={**variables_of(user), "XDG_RUNTIME_DIR": f"/run/user/{uid}"}, status=status,
               cwd=f"/home/{user}")


def own_unit(field):
    return own("systemctl", "--user", "show", "-P", field, SERVICE).stdout.strip()


def own_state():
    """Where the service manager of a user keeps state."""
    version = int(re.match(r"systemd (\d+)", root("systemctl", "--version").stdout)[1])
    return pathlib.Path(f"/home/{MEMBER}", ".local/state" if version >= 254 else ".config", "ryuso/tools")


def own_attempt(command):
    said = own("ryusoctl", "--user", "-I", "tools", "--json=short", "run", "attempt", f"command=exec 2>&1; {command}")
    return json.loads(said.stdout)["data_pool"]


def start_manager():
    root("systemctl", "start", f"user@{pwd.getpwnam(MEMBER).pw_uid}.service")
    wait_for(lambda: own("systemctl", "--user", "is-system-running", status=None).stdout.strip() in ("running",
                                                                                                   "degraded"),
             "the service manager of the user")


@test
def a_user_has_a_daemon_of_ones_own_without_root():
    start_manager()
    own("make", "-C", "tools", f"moduledir=/home/{MEMBER}/.local/lib/ryuso", "install")
    own("systemctl", "--user", "enable", "--now", SOCKET)
    equal(own_attempt("id -un")["said"], f"{MEMBER}\n", "who a hook is")
    status = json.loads(own("ryusoctl", "--user", "-I", "tools", "--json=short", "status").stdout)
    contains(json.dumps(status), f"/home/{MEMBER}/.local/lib/ryuso/tools", "the module")
    check((own_state() / "ledger.sqlite").exists(), f"expected the state in {own_state()}")
    equal(attempt("id -un"), 0, "the status of the system's daemon")
    equal(before["said"], "ryuso\n", "who a hook of the system's daemon is")


@test
def nobody_else_can_connect_to_it():
    place = f"/run/user/{pwd.getpwnam(MEMBER).pw_uid}/ryuso/tools.sock"
    equal(root("stat", "-c", "%a %U", place).stdout, f"600 {MEMBER}\n", "the socket")
    stranger("ryusoctl", "--socket", place, "ping", status=77)


@test
def its_hooks_are_kept_from_the_network_and_a_drop_in_gives_it_back():
    connect = ROWS["use the network"][1]()
    check(own_attempt(connect)["status"] != 0, "expected no network")
    own("mkdir", "-p", f".config/systemd/user/{SERVICE}.d")
    pathlib.Path(f"/home/{MEMBER}/.config/systemd/user/{SERVICE}.d/network.conf").write_text(
        settings("RestrictAddressFamilies=AF_INET AF_INET6 AF_NETLINK"))
    own("systemctl", "--user", "daemon-reload")
    own("systemctl", "--user", "restart", SERVICE)
    equal(own_attempt(connect)["status"], 0, "the status with the network")


def submit_to_stay():
    """A run whose hook waits for ever; its id."""
    (own_state() / "undone").unlink(missing_ok=True)
    (own_state() / "here").unlink(missing_ok=True)
    run_id = own("ryusoctl", "--user", "-I", "tools", "submit", "wait",
                 'command=touch "$STATE_DIRECTORY/here"; sleep infinity').stdout.strip()
    wait_for((own_state() / "here").exists, "the hook")
    return run_id


@test
def what_a_kill_cuts_off_is_undone_by_the_next_daemon():
    run_id = submit_to_stay()
    own("systemctl", "--user", "kill", "-s", "KILL", SERVICE)
    wait_for((own_state() / "undone").exists, "the way back")
    reply = json.loads(own("ryusoctl", "--user", "-I", "tools", "--json=short", "wait", run_id, status=1).stdout)
    equal((reply["status"], reply["error"]["name"]), ("rectified", "Interrupted"), "the reply")


@test
def what_a_logout_cuts_off_is_undone_when_the_user_comes_back():
    settings_of_user = pathlib.Path(f"/home/{MEMBER}/.config/ryuso/tools.conf")
    own("mkdir", "-p", settings_of_user.parent)
    settings_of_user.write_text("[Daemon]\nStopTimeout=1s\n")
    own("systemctl", "--user", "restart", SERVICE)
    run_id = submit_to_stay()
    root("systemctl", "stop", f"user@{pwd.getpwnam(MEMBER).pw_uid}.service")
    check((own_state() / "recorder").exists(), "expected a recorder of what was cut off")
    start_manager()
    wait_for((own_state() / "undone").exists, "the way back, with nobody there")
    own("ryusoctl", "--user", "-I", "tools", "wait", run_id, status=1)
    equal(own_unit("ActiveState"), "active", "the service")


# ---- the end ----

@test
def no_program_of_ours_has_sounded_an_alarm():
    equal(alarms("Sanitizer|runtime error|core dumped|damaged"), "", "alarms")


@test
def no_unit_has_failed():
    equal(failed_units() - before["failed"], set(), "failed units")


@test
def nothing_but_state_and_configuration_is_left_when_it_is_removed():
    own("systemctl", "--user", "disable", "--now", SOCKET)
    own("systemctl", "--user", "stop", SERVICE)
    root("systemctl", "disable", "--now", SOCKET, "ryuso@box.socket")
    root("systemctl", "stop", "ryuso.socket")
    root("make", "-C", TOP_BUILD, "uninstall")
    root("systemctl", "daemon-reload")
    FOREIGN.unlink(missing_ok=True)
    equal(tree() - before["tree"], {"/srv/tools", "/srv/tools/file"}, "what was left, but for what this made itself")
    equal(root("systemctl", "list-unit-files", "--no-legend", "ryuso*", status=None).stdout, "", "units")
    for name in ("tools", "box"):
        check((STATE / name / "ledger.sqlite").exists(), f"expected the state of {name} to be where it was")
    check((own_state() / "ledger.sqlite").exists(), "expected the state of the user to be where it was")


if not INSIDE:
    boot()
main()
