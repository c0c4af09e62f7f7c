#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where settings come from: files, drop-ins, instances; what --check-config and --show-config say of them."""

import os
import re

from machine import make_variable
from tap import check, contains, equal, main, program, run, scratch, test

EX_CONFIG = 78


# the one that counts most first
DIRECTORIES = [make_variable("sysconfdir") + "/ryuso", "/run/ryuso", "/usr/local/lib/ryuso", "/usr/lib/ryuso"]


class Root:
    """A tree of settings."""

    def __init__(self):
        self.path = scratch()

    def place(self, directory, name):
        path = self.path / DIRECTORIES[directory].lstrip("/") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def write(self, directory, name, *lines):
        """Lines below [Daemon] in a file of the directory with that number; none: an empty file."""
        path = self.place(directory, name)
        path.write_text("".join(f"{line}\n" for line in ("[Daemon]", *lines)) if lines else "")
        return self

    def link(self, directory, name, target):
        self.place(directory, name).symlink_to(target)
        return self

    def ryusod(self, *options, status=0):
        return run(program("ryusod"), "--root", self.path, *options, status=status)

    def show(self, *options, status=0):
        """Each setting: its value, and where it comes from."""
        text = self.ryusod("--show-config", *options, status=status).stdout
        found = re.findall(r"^(\w+)=(\S*) +; (.*)$", text, re.MULTILINE)
        check(len(found) > 20, f"expected the settings, got {text!r}")
        return {name: (value, origin.replace(str(self.path), "")) for name, value, origin in found}


def of(directory, name, line=2):
    return f"{DIRECTORIES[directory]}/{name}:{line}"


@test
def without_files_every_setting_is_its_default():
    for name, (_, origin) in Root().show().items():
        equal(origin, "default", name)


@test
def of_several_ryuso_conf_the_first_one_found_counts_alone():
    root = Root()
    for directory in (3, 2, 1, 0):
        lines = [f"QueueLength={directory + 1}"] + [f"MaxDepth={directory + 10}"] * (directory > 0)
        root.write(directory, "ryuso.conf", *lines)
        equal(root.show()["QueueLength"], (str(directory + 1), of(directory, "ryuso.conf")), "QueueLength")
    equal(root.show()["MaxDepth"], ("32", "default"), "a setting of a file that does not count")


@test
def a_drop_in_of_the_same_name_overrides_that_of_a_lower_directory():
    root = Root()
    for directory in (3, 2, 1, 0):
        root.write(directory, "ryuso.conf.d/50-site.conf", f"QueueLength={directory + 1}")
        equal(root.show()["QueueLength"], (str(directory + 1), of(directory, "ryuso.conf.d/50-site.conf")), "QueueLength")


@test
def drop_ins_are_read_by_name_whatever_directory_they_are_in():
    root = Root().write(0, "ryuso.conf.d/10-a.conf", "QueueLength=10", "MaxDepth=10")
    root.write(3, "ryuso.conf.d/20-b.conf", "QueueLength=20")
    found = root.show()
    equal(found["QueueLength"], ("20", of(3, "ryuso.conf.d/20-b.conf")), "what the later name says")
    equal(found["MaxDepth"], ("10", of(0, "ryuso.conf.d/10-a.conf", 3)), "what only the earlier one says")


@test
def a_drop_in_overrides_the_main_file_of_any_directory():
    root = Root().write(0, "ryuso.conf", "QueueLength=5").write(3, "ryuso.conf.d/a.conf", "QueueLength=6")
    equal(root.show()["QueueLength"], ("6", of(3, "ryuso.conf.d/a.conf")), "QueueLength")


@test
def an_empty_file_or_a_link_to_dev_null_masks():
    root = Root().write(3, "ryuso.conf.d/a.conf", "QueueLength=1").write(2, "ryuso.conf.d/b.conf", "MaxDepth=3")
    root.write(3, "ryuso.conf", "MaxConnections=9")
    equal([root.show()[name][0] for name in ("QueueLength", "MaxDepth", "MaxConnections")], ["1", "3", "9"], "before")
    root.write(0, "ryuso.conf.d/a.conf").link(1, "ryuso.conf.d/b.conf", "/dev/null").link(0, "ryuso.conf", "/dev/null")
    found = root.show()
    for name in ("QueueLength", "MaxDepth", "MaxConnections"):
        equal(found[name][1], "default", name)


@test
def what_does_not_end_in_conf_is_no_drop_in():
    root = Root().write(0, "ryuso.conf.d/a.conf~", "QueueLength=1").write(0, "ryuso.conf.d/.b.conf", "QueueLength=2")
    root.write(0, "ryuso.conf.d/README", "QueueLength=3")
    equal(root.show()["QueueLength"][1], "default", "QueueLength")


@test
def an_empty_value_in_a_drop_in_is_the_default_again():
    root = Root().write(3, "ryuso.conf", "QueueLength=5").write(0, "ryuso.conf.d/a.conf", "QueueLength=")
    equal(root.show()["QueueLength"], ("4096", "default"), "QueueLength")


@test
def an_instance_has_the_common_settings_and_its_own_before_them():
    root = Root().write(0, "ryuso.conf", "QueueLength=5", "MaxDepth=6", "MaxConnections=7")
    root.write(0, "ryuso.conf.d/z.conf", "MaxDepth=60").write(3, "wallet.conf", "MaxDepth=61")
    root.write(2, "wallet.conf.d/a.conf", "MaxConnections=70")
    found = root.show("--instance=wallet")
    equal(found["QueueLength"], ("5", of(0, "ryuso.conf")), "what is said for all")
    equal(found["MaxDepth"], ("61", of(3, "wallet.conf")), "what its own file says")
    equal(found["MaxConnections"], ("70", of(2, "wallet.conf.d/a.conf")), "what its own drop-in says")
    equal(root.show("--instance=other")["MaxDepth"], ("60", of(0, "ryuso.conf.d/z.conf")), "of another instance")
    equal(root.show()["MaxDepth"], ("60", of(0, "ryuso.conf.d/z.conf")), "of the plain one")


@test
def the_module_of_ryuso_conf_is_that_of_the_plain_one_alone():
    root = Root().write(0, "ryuso.conf", "Module=/x.so").write(0, "ryuso.conf.d/a.conf", "Module=/y.so")
    equal(root.show()["Module"], ("/y.so", of(0, "ryuso.conf.d/a.conf")), "plain")
    equal(root.show("--instance=wallet")["Module"], ("", "default"), "of an instance")
    root.write(0, "wallet.conf", "Module=/z.so")
    equal(root.show("--instance=wallet")["Module"], ("/z.so", of(0, "wallet.conf")), "of an instance that says it")


@test
def what_is_shown_names_the_files_and_reads_back_as_settings():
    root = Root().write(0, "ryuso.conf", "QueueLength=5", "RequestTimeout=1h 30min", "WorkerMemory=infinity")
    root.write(1, "ryuso.conf.d/a.conf", "Trace=runs").write(0, "ryuso.conf.d/b.conf")
    text = root.ryusod("--show-config").stdout
    equal([line for line in text.splitlines() if line.startswith("#")],
          [f"# {root.path}{DIRECTORIES[0]}/ryuso.conf", f"# {root.path}{DIRECTORIES[1]}/ryuso.conf.d/a.conf"], "the files")
    again = scratch() / "again.conf"
    again.write_text(text)
    shown = run(program("ryusod"), "--show-config", f"--config={again}").stdout
    equal(re.findall(r"^(\w+=\S*)", shown, re.MULTILINE), re.findall(r"^(\w+=\S*)", text, re.MULTILINE), "the values")


@test
def options_of_the_command_line_count_before_files():
    root = Root().write(0, "ryuso.conf", "Module=/x.so", "QueueLength=5")
    equal(root.show("--module=/y.so")["Module"], ("/y.so", "--module"), "Module")
    other = scratch() / "other"
    other.write_text("[Daemon]\nMaxDepth=7\n")
    found = root.show("--config", other)
    equal((found["MaxDepth"], found["QueueLength"][1]), (("7", f"{other}:2"), "default"), "with --config")


@test
def good_settings_are_checked_without_a_word():
    done = Root().write(0, "ryuso.conf", "QueueLength=5").ryusod("--check-config")
    equal((done.stdout, done.stderr), ("", ""), "what it says")


@test
def every_error_of_all_files_is_said_and_the_status_tells():
    root = Root().write(0, "ryuso.conf", "QueueLength=0", "Trace=all").write(3, "wallet.conf.d/a.conf", "MaxDept=4")
    done = root.ryusod("--check-config", "--instance=wallet", status=EX_CONFIG)
    equal(done.stderr.replace(str(root.path), "").splitlines(),
          [f"{of(0, 'ryuso.conf')}: QueueLength: expected a number from 1 to 1000000; got \"0\"",
           f"{of(0, 'ryuso.conf', 3)}: Trace: expected one of hooks, runs, failures; got \"all\"",
           f"{of(3, 'wallet.conf.d/a.conf')}: MaxDept: expected a setting of ryuso.conf(5) (did you mean MaxDepth?); "
           "there is none of that name"], "what it says")
    equal(len(root.ryusod("--check-config", status=EX_CONFIG).stderr.splitlines()), 2, "errors of the plain one")
    found = root.show(status=EX_CONFIG)
    equal(found["QueueLength"], ("4096", "default"), "what counts where a line is wrong")


@test
def a_file_that_cannot_be_read_is_an_error_with_its_reason():
    root = Root().link(0, "ryuso.conf", "nowhere")
    root.place(0, "ryuso.conf.d/dir.conf").mkdir(parents=True)
    os.mkfifo(root.place(1, "ryuso.conf.d/fifo.conf"))
    root.place(1, "ryuso.conf.d/large.conf").write_bytes(b"\n" * (1 << 20) + b"\n")
    done = root.ryusod("--check-config", status=EX_CONFIG)
    equal(done.stderr.replace(str(root.path), "").splitlines(),
          [f"{DIRECTORIES[0]}/ryuso.conf: expected to be able to read it; got \"No such file or directory\"",
           f"{DIRECTORIES[0]}/ryuso.conf.d/dir.conf: expected a file; got a directory",
           f"{DIRECTORIES[1]}/ryuso.conf.d/fifo.conf: expected a file; got something else",
           f"{DIRECTORIES[1]}/ryuso.conf.d/large.conf: expected at most 1048576 bytes; got more"], "what it says")


@test
def too_many_drop_ins_are_an_error():
    root = Root()
    for number in range(1025):
        root.write(number % 4, f"ryuso.conf.d/{number:04}.conf", "QueueLength=5")
    done = root.ryusod("--check-config", status=EX_CONFIG)
    contains(done.stderr, "ryuso.conf.d: expected at most 1024 drop-ins; got more, none is read", "what it says")


@test
def a_file_that_is_asked_for_must_be_there():
    for option in ("--check-config", "--show-config"):
        done = run(program("ryusod"), option, "--config=/nonexistent/conf", status=EX_CONFIG)
        equal(done.stderr, "cannot read the settings in /nonexistent/conf: No such file or directory\n", option)


main()
