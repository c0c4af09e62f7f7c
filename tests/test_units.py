#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The units as systemd reads them, without any of them being started: the boot tests do that."""

import json
import pathlib
import re
import shutil

from tap import TOP_BUILD, TOP_SOURCE, check, contains, environment, equal, main, program, run, scratch, skip, test

SERVICES = ("ryuso.service", "ryuso@.service", "ryuso-recover.service", "ryuso-recover@.service")
SOCKETS = ("ryuso.socket", "ryuso@.socket")
DROP_INS = TOP_SOURCE / "units/drop-ins"
EXPOSURE_MAX = 5  # tenths
NETWORK = {"PrivateNetwork=", "IPAddressDeny=", "RestrictAddressFamilies=~AF_(INET|INET6)",
           "RestrictAddressFamilies=~AF_NETLINK"}
# What the service manager of a user cannot do, or not everywhere.
ROOT_ONLY = {"User", "Group", "SocketGroup", "SocketMode", "CapabilityBoundingSet", "DevicePolicy", "IPAddressDeny",
             "PrivateDevices", "PrivateIPC", "PrivateMounts", "PrivateNetwork", "PrivateTmp", "ProcSubset", "ProtectClock",
             "ProtectControlGroups", "ProtectHome", "ProtectHostname", "ProtectKernelLogs", "ProtectKernelModules",
             "ProtectKernelTunables", "ProtectProc", "ProtectSystem", "RemoveIPC"}


def built(place="units"):
    """A directory of our units that name the programs of the build tree, which need not be installed."""
    directory = scratch()
    for name in (*SERVICES, *SOCKETS):
        path = TOP_BUILD / place / name
        check(path.exists(), f"there is no {path}: build it")
        text = re.sub(r"^(Exec\w+)=\S*/(ryusod|ryusoctl)", lambda match: f"{match[1]}={program(match[2])}",
                      path.read_text(), flags=re.MULTILINE)
        (directory / name).write_text(text)
    return directory


def analyze(directory, *arguments):
    if not shutil.which("systemd-analyze"):
        skip("there is no systemd-analyze")
    return run("systemd-analyze", *arguments, status=None, cwd=directory,
               env=environment(SYSTEMD_UNIT_PATH=f"{directory}:", XDG_RUNTIME_DIR=directory))


def verified(directory, *names, manager="--system"):
    done = analyze(directory, manager, "verify", "--recursive-errors=no", "--man=no",
                   *(directory / name.replace("@.", "@some-module.") for name in names))
    return done.stdout + done.stderr


def exposure(directory, name):
    """In tenths, and what makes it up."""
    table = analyze(directory, "security", "--offline=yes", "--no-pager", directory / name).stdout
    found = re.search(r"exposure level for \S+: (\d+)\.(\d)", table)
    check(found, f"{name}: expected an exposure, got {table}")
    return int(found[1] + found[2]), "\n".join(line for line in table.splitlines() if "✗" in line)


def open_items(directory, name):
    """What systemd-analyze holds against a service."""
    done = analyze(directory, "security", "--offline=yes", "--no-pager", "--json=short", directory / name)
    return {item.get("name") or item["json_field"]: item for item in json.loads(done.stdout)
            if float(item["exposure"] or 0) > 0}


def settings(path):
    """The lines of a [Service] section, by name."""
    section = path.read_text().split("[Service]\n")[1].split("\n[")[0]
    found = {}
    for line in section.splitlines():
        if line and not line.startswith("#"):
            name, value = line.split("=", 1)
            found.setdefault(name, []).append(value)
    return found


def lines(path):
    return [line for line in path.read_text().splitlines() if line and not line.startswith("#")]


def with_drop_in(name):
    directory = built()
    (directory / "ryuso.service.d").mkdir()
    shutil.copy(DROP_INS / name, directory / "ryuso.service.d")
    return directory


def sandbox(service):
    """The settings of a service that are about what it may not do."""
    text = (TOP_BUILD / "units" / service).read_text()
    first = re.search(r"^NoNewPrivileges=", text, re.MULTILINE)
    lines = text[first.start():].split("\n[")[0].splitlines()
    return [line for line in lines if line and not line.startswith("#")]


@test
def systemd_has_nothing_to_say_of_the_units():
    equal(verified(built(), *SERVICES, *SOCKETS), "", "the words of systemd-analyze verify")


@test
def systemd_does_say_so_where_there_is_a_mistake():
    directory = built()
    path = directory / "ryuso.service"
    path.write_text(path.read_text().replace("[Service]\n", "[Service]\nProtectSytem=strict\n"))
    contains(verified(directory, "ryuso.service"), "ProtectSytem", "the words of systemd-analyze verify")


@test
def the_services_are_exposed_to_a_twentieth_at_most():
    directory = built()
    for name in SERVICES:
        found, why = exposure(directory, name)
        check(found <= EXPOSURE_MAX, f"{name}: expected an exposure of {EXPOSURE_MAX / 10} at most, got {found / 10}:\n{why}")


@test
def an_instance_is_locked_down_like_the_plain_service():
    equal(sandbox("ryuso@.service"), sandbox("ryuso.service"), "the settings")
    equal(sandbox("ryuso-recover@.service"), sandbox("ryuso-recover.service"), "the settings")


@test
def systemd_has_nothing_to_say_of_the_units_of_users():
    equal(verified(built("units/user"), *SERVICES, *SOCKETS, manager="--user"), "", "the words of systemd-analyze verify")


@test
def a_users_units_are_those_of_the_system_without_what_needs_root():
    for name in (*SERVICES, *SOCKETS):
        system, user = (lines(TOP_BUILD / place / name) for place in ("units", "units/user"))
        changed = [re.sub(r"(/ryusod|/ryusoctl)\b", r"\1 --user", line).replace("/run/ryuso", "%t/ryuso") for line in system]
        changed = [re.sub(r"^(ConditionPathExists=)/\S*/lib(?=/ryuso/)", r"\1%S", line) for line in changed]
        equal([line for line in user if line not in changed], ["SocketMode=0600", "DirectoryMode=0700"]
              if name in SOCKETS else [], f"what {name} says to users alone")
        missing = {line.split("=")[0] for line in changed if line not in user}
        equal(missing - ROOT_ONLY, set(), f"what {name} does not say to users")


@test
def each_restriction_is_in_the_table_of_the_page():
    page = (TOP_SOURCE / "man/ryusod.8.in").read_text().split(".Sh WHAT HOOKS MAY DO")[1].split("\n.Sh ")[0]
    table = set(re.findall(r"Va (\w+)=", page.split(".Bl -column")[1]))
    restrictions = {line.split("=")[0] for line in sandbox("ryuso.service")}
    equal(restrictions - table, {"SystemCallErrorNumber"}, "what the table does not name")


@test
def each_drop_in_is_one_that_systemd_understands():
    names = sorted(path.name for path in DROP_INS.iterdir())
    equal(names, ["network.conf", "path.conf", "root.conf"], "the drop-ins")
    for name in names:
        equal(verified(with_drop_in(name), "ryuso.service"), "", f"what systemd-analyze verify says with {name}")


@test
def the_drop_in_for_the_network_gives_back_nothing_else():
    before = set(open_items(built(), "ryuso.service"))
    equal(set(open_items(with_drop_in("network.conf"), "ryuso.service")) - before, NETWORK, "what is open besides")


@test
def the_drop_in_for_a_path_gives_back_nothing_else():
    directory = with_drop_in("path.conf")
    equal(set(open_items(directory, "ryuso.service")), set(open_items(built(), "ryuso.service")), "what is open")
    equal(list(settings(DROP_INS / "path.conf")), ["ReadWritePaths"], "its settings")


@test
def the_drop_in_for_root_lifts_each_restriction_of_the_service():
    lifted = settings(DROP_INS / "root.conf")
    restrictions = {line.split("=")[0] for line in sandbox("ryuso.service")} | {"User", "Group", "UMask"}
    # what a filter that is not there would answer
    equal(restrictions - {"SystemCallErrorNumber"}, set(lifted), "the settings")


main()
