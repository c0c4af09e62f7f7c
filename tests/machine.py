# SPDX-License-Identifier: LGPL-2.1-or-later
"""A machine for the test_boot*.py: a systemd that was really booted (with-systemd), ordinary users, our programs.

Outside of it boot() starts the test program anew within. All else is for use within."""

import ctypes
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys

import man_commands
from tap import TIMEOUT, TOP_BUILD, TOP_SOURCE, check, contains, equal, numbers, run, wait_for

HERE = pathlib.Path(__file__).resolve().parent
INSIDE = os.environ.get("RYUSO_BOOTED") == "yes"
ELSEWHERE = os.environ.get("RYUSO_BOOT_ROOT")  # not on this machine's own root
MEMBER, STRANGER, OPERATOR = "ada", "eve", "olga"
STATE = pathlib.Path("/var/lib/ryuso")
STORY = pathlib.Path("/var/tmp/story")  # what lasts when the power fails
RB_AUTOBOOT = 0x01234567


# ---- outside: boots, and shows what comes from within ----

def skip_all(reason):
    print(f"1..0 # SKIP {reason}", flush=True)
    sys.exit(0)


def make_variable(name):
    done = run("make", "-s", "--no-print-directory", "-C", TOP_BUILD, "--eval", f"show: ; @echo $({name})", "show")
    return done.stdout.splitlines()[-1]


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


def boot_command(program, *arguments):
    """A command line that runs a test program within a machine: on the root RYUSO_BOOT_ROOT, where that is set."""
    variables = {"RYUSO_BOOTED": "yes", "top_srcdir": TOP_SOURCE, "top_builddir": TOP_BUILD,
                 "PYTHONDONTWRITEBYTECODE": "1", "RYUSO_TEST_TIMEOUT": TIMEOUT, "RYUSO_BOOT_ROOT": ELSEWHERE or ""}
    command = [HERE / "with-systemd", *(["--root", ELSEWHERE] if ELSEWHERE else []), "--with", TOP_SOURCE, "--with", TOP_BUILD,
               "env", *(f"{key}={value}" for key, value in variables.items()), "python3", HERE / program, *arguments]
    return [str(part) for part in command]


def boot():
    reason = reason_not_to_boot()
    if reason:
        skip_all(reason)
    command = boot_command(pathlib.Path(sys.argv[0]).name, *sys.argv[1:])
    status = subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode
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


def operator(*command, **options):
    return run(*as_user(OPERATOR, *command), env=variables_of(OPERATOR), **{"cwd": "/", **options})


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


def alarms(pattern):
    """What the units' processes wrote, from the first line on that is an alarm; all of it is good to know then."""
    lines = root("journalctl", "-o", "cat", "-u", "ryuso*").stdout.splitlines()
    check(len(lines) > 50, f"expected all that has happened, got {lines}")
    first = [number for number, line in enumerate(lines) if re.search(pattern, line)]
    return "\n".join(lines[first[0]:first[0] + 60]) if first else ""


def journal(*matches):
    """Entries as dictionaries, oldest first."""
    root("journalctl", "--sync")
    lines = root("journalctl", "--quiet", "-o", "json", *matches).stdout.splitlines()
    return [json.loads(line) for line in lines]


def journal_of(run_id):
    """All entries of a run. The daemon's log is never waited for by its clients, so here it is."""
    def entries():
        found = journal(f"RYUSO_RUN={run_id}")
        return found if any("RYUSO_OUTCOME" in entry and "RYUSO_HOOK" not in entry for entry in found) else None
    return wait_for(entries, f"the end of run {run_id} in the journal")


def wait_active(name, pid):
    """Until a unit is served by another process than `pid`."""
    wait_for(lambda: unit(name, "ActiveState") == "active" and main_pid(name) not in (0, pid),
             f"another process of {name}")


def forget_headers():
    """Those that our objects depend on are others elsewhere, or in other places: what was built is used as it is."""
    for path in TOP_BUILD.rglob("*.P*o"):
        path.write_text("# nothing\n")


def permit_sanitizers():
    """The leak sanitizer traces its own process at its end."""
    for manager in ("system", "user"):
        for name in ("ryuso.service", "ryuso@.service", "ryuso-recover.service", "ryuso-recover@.service"):
            directory = pathlib.Path("/etc/systemd", manager, f"{name}.d")
            directory.mkdir(parents=True)
            (directory / "sanitizers.conf").write_text("[Service]\nSystemCallFilter=@debug\n")
    root("systemctl", "daemon-reload")


def install_as_the_readme_says():
    """With the member in the group that may run programs. Without it there is nothing to test."""
    section = (TOP_SOURCE / "README.md").read_text().split("## Install it")[1].split("\n## ")[0]
    commands = [line[len("sudo "):] for line in section.splitlines()
                if line.startswith("sudo ") and "apt-get" not in line]
    contains(" ".join(commands), "$USER", "what is typed by the one who wants to be a member")
    if ELSEWHERE:
        forget_headers()
    if make_variable("SANITIZE_CFLAGS"):
        permit_sanitizers()
    for user in (MEMBER, STRANGER, OPERATOR):
        root("useradd", "--create-home", "--shell", "/bin/bash", user)
    for line in commands:
        user = OPERATOR if "ryuso-admin" in line else MEMBER
        done = root("bash", "-c", line.replace("$USER", user), cwd=TOP_BUILD, status=None)
        if done.returncode != 0:
            print(f"Bail out! {line} failed: {(done.stdout + done.stderr)[-500:]!r}", flush=True)
            sys.exit(1)
    if make_variable("prefix") != "/usr":
        root("ldconfig")


def bring_project(project):
    """Copies one of tests/boot to the member's home, where its code is generated."""
    home = pathlib.Path(f"/home/{MEMBER}/{project}")
    shutil.copytree(HERE / "boot" / project, home)
    root("chown", "-R", f"{MEMBER}:", home)
    member("ryuso-gen", "-o", ".", cwd=home)


def install_project(project):
    """Builds it as the member, installs it as root."""
    member("make", "-C", project)
    root("make", "-C", f"/home/{MEMBER}/{project}", "install")


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


def story_before():
    """What tap.main() is to know of the boots before this one."""
    return json.loads(STORY.read_text())["numbers"] if STORY.exists() else None


def after_power_loss(prepare):
    """Calls `prepare`, and cuts the power: nothing has time for a last word, and the test that called this begins anew
    when the machine was booted again. Then this returns what `prepare` had returned before."""
    if STORY.exists():
        saved = json.loads(STORY.read_text())
        if saved["numbers"] == numbers():
            return saved["noted"]
    noted = {**prepare(), "boot": boot_id()}
    STORY.write_text(json.dumps({"numbers": numbers(), "noted": noted}))
    ctypes.CDLL(None).reboot(RB_AUTOBOOT)
    raise AssertionError("the power is still there")


def boot_id():
    return pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def tree():
    """All files and directories that no user and no service has made."""
    done = root("find", "/usr", "/opt", "/srv", "-xdev", "-path", make_variable("moduledir"), "-prune", "-o", "-print")
    return set(done.stdout.splitlines())


def built():
    """What a compiler, an archiver and a linker have made, and when."""
    return {str(path): path.stat().st_mtime_ns for path in TOP_BUILD.rglob("*")
            if path.suffix in (".o", ".a", ".la", ".so") or path.parent == TOP_BUILD and path.name.startswith("ryuso")}


def follow(page):
    """Does what a page says: root's part whole; of the others' part what makes a project, as the member, for
    test_man.py does the rest of it. What root's commands wrote, by the command."""
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
