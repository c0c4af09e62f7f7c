# SPDX-License-Identifier: LGPL-2.1-or-later
"""What other compilers and valgrind say of the code. The unit tests of all pure parts run under valgrind here, in one
process each; those that fork, or that are long, are left to the sanitizers."""

import concurrent.futures
import os
import pathlib
import subprocess

from project import SANITIZED
from tap import TOP_BUILD, TOP_SOURCE, check, main, ok, test

# Long under valgrind, or about processes and disks of their own.
NOT_UNDER_VALGRIND = {"check_model", "check_mutation", "check_spec_mutations", "check_module", "check_hook_caller",
                      "check_touch", "check_log", "check_orphans", "check_locate", "check_walk", "check_plan_caps",
                      "check_json_write", "check_spec", "check_frame", "check_point", "check_simulation",
                      "check_recover_image", "check_modules", "check_module_search", "check_store", "check_submissions"}
ROOMS_NOT_UNDER_VALGRIND = ("check_ledger", "check_worker", "check_recorder", "check_parking", "check_intake",
                            "check_outcomes", "check_promises")
DIRECTORIES = [f"-DRYUSO_{name}=\"/nowhere\"" for name in ("LIBEXECDIR", "MODULEDIR", "PKGDATADIR", "SYSCONFDIR", "STATEDIR",
                                                          "RUNDIR")]
LIBRARIES = subprocess.run(["pkg-config", "--cflags", "libsystemd", "json-c", "inih", "smartcols", "sqlite3"],
                           stdout=subprocess.PIPE, text=True, check=True).stdout.split()


def sources():
    return sorted(TOP_SOURCE.glob("src/*/*.c"))


def compiles(source):
    done = subprocess.run(["clang", "-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
                           "-include", TOP_BUILD / "config.h", f"-I{TOP_SOURCE}/src", f"-I{TOP_SOURCE}/include",
                           f"-I{TOP_SOURCE}", *LIBRARIES, *DIRECTORIES, source], stderr=subprocess.PIPE, text=True)
    return done.returncode == 0, done.stderr


def is_clean(program):
    done = subprocess.run(["valgrind", "--quiet", "--error-exitcode=99", "--leak-check=full", program],
                          env={**os.environ, "CK_FORK": "no", "CK_TAP_LOG_FILE_NAME": "/dev/null"},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode == 0, done.stdout[-4000:]


def each(judge, paths):
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(zip(paths, pool.map(judge, paths)))


@test
def clang_takes_every_source_without_a_warning():
    wrong = [said for _, (good, said) in each(compiles, sources()) if not good]
    check(not wrong, "\n".join(wrong))


def valgrind():
    programs = [path for path in sorted((TOP_BUILD / "tests").glob("check_*"))
                if path.suffix == "" and os.access(path, os.X_OK) and path.name not in NOT_UNDER_VALGRIND
                and not path.name.startswith(ROOMS_NOT_UNDER_VALGRIND)]
    check(len(programs) > 20, f"unit tests below {TOP_BUILD}: expected more than 20, got {len(programs)}")
    for path, (good, said) in each(is_clean, programs):
        ok(f"valgrind finds nothing in {pathlib.Path(path).name}", good, said)


# The sanitizers of a sanitized build and valgrind exclude each other.
if not SANITIZED:
    test(valgrind)

main()
