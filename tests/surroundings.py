# SPDX-License-Identifier: LGPL-2.1-or-later
"""Surroundings in which commands work as if this build were installed: for tests that type what a manual says."""

import os
import shutil
import signal
import subprocess

import man_commands
from project import LIBRARY, TEMPLATES, example, make_variables
from tap import TIMEOUT, Daemon, check, environment, program, scratch

_found = {}
_modules = {}


def _wrapper(path, command):
    path.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    path.chmod(0o755)


def _programs():
    """A directory for PATH: our programs, and those that must be told where the others are."""
    directory = scratch()
    for name in ("ryusod", "ryusoctl"):
        os.symlink(program(name), directory / name)
    _wrapper(directory / "ryuso-gen", f"'{program('ryuso-gen')}' --templates='{TEMPLATES}'")
    activate = shutil.which("systemd-socket-activate")
    if activate:  # it passes on no variables but those that it is told to
        _wrapper(directory / "systemd-socket-activate", f"'{activate}' -E RYUSO_WORKER -E LD_LIBRARY_PATH")
    return directory


def as_installed(**more):
    """The environment for it."""
    if not _found:
        _found.update(variable.split("=", 1) for variable in make_variables())
        _found.update(PATH=f"{_programs()}:{os.environ['PATH']}", LD_LIBRARY_PATH=str(LIBRARY), MAKEFLAGS="",
                      LC_ALL="C.UTF-8")
    return environment(**{**_found, **more})


def wallet(env=None, **options):
    """A daemon that serves the example wallet (built once), with an empty database of its own."""
    if "wallet" not in _modules:
        _modules["wallet"] = example("wallet").build()
    return Daemon(module=_modules["wallet"],
                  env={"WALLET_DB": str(scratch() / "wallet.sqlite"), "LD_LIBRARY_PATH": str(LIBRARY), **(env or {})},
                  **options)


def follow(page, **variables):
    """Does what a page says in an empty directory; what was written."""
    directory = scratch()
    process = subprocess.Popen(["bash", "-c", man_commands.script(page)], cwd=directory, env=as_installed(**variables),
                               text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               start_new_session=True)
    try:
        text, _ = process.communicate(timeout=TIMEOUT * 5)
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    check(process.returncode == 0, f"{page}: a command failed, the last one of these:\n{text[-6000:]}")
    check("Sanitizer" not in text, text)
    return text
