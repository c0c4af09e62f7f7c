#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The house: which room may include which, what the pure rooms keep away from, how large a thing may be, how every file
begins."""

import re

from tap import TOP_BUILD, TOP_SOURCE, check, equal, main, run, test

# Room: the rooms whose headers it may include, besides its own. "ryuso" is include/ryuso, what hook authors see.
PURE = ("spec", "wire", "run", "tell")
ROOMS = {
    "base": (),
    "spec": ("base",),
    "wire": ("base",),
    "run": ("base", "spec"),
    "tell": ("base", "spec", "wire", "run"),
    "hook": ("ryuso",),
    "daemon": ("base", *PURE),
    "worker": ("base", *PURE, "ryuso"),
    "verify": ("base", *PURE, "ryuso"),
    "gen": ("base", "spec"),
    "ctl": ("base", "wire"),
    "ryuso": (),
}

# What is given to the pure rooms instead of being fetched by them (time, randomness, storage); what they leave alone.
IMPURE_HEADERS = re.compile(r"systemd/|sys/(socket|un|stat|mman|wait|types|epoll|random|file|ioctl|time)\.h|"
                            r"(unistd|fcntl|time|signal|syslog|pthread|dirent|poll|spawn|dlfcn)\.h|"
                            r"base/(clock|io|log|log_entry|point)\.h")
IMPURE_CALLS = """
    open openat creat close read write pread pwrite readv writev lseek fsync fdatasync mmap msync munmap ftruncate
    unlink rename fopen fdopen freopen fclose fread fwrite fgets fputs fputc putc putchar puts printf fprintf vprintf
    vfprintf dprintf perror fflush scanf fscanf getline socket socketpair bind listen accept accept4 connect send
    sendto sendmsg recv recvfrom recvmsg pipe pipe2 poll ppoll select epoll_wait ioctl fcntl
    time clock clock_gettime gettimeofday localtime gmtime mktime strftime sleep usleep nanosleep clock_monotonic
    clock_realtime clock_usec random srandom rand srand getrandom getentropy id_random
    fork vfork execve execv execvp posix_spawn system popen kill raise waitpid waitid signal sigaction getpid getuid
    getenv secure_getenv setenv exit _exit abort pthread_create syslog log_line log_error log_warning log_notice
    log_info log_debug log_entry read_file read_fd write_all write_file_atomic write_file_once
""".split()

# The files of base that act; the rest of it is as pure as the pure rooms.
ACTING = ("clock", "ids", "io", "log", "log_entry", "point")
ID_RANDOM = "id_random"  # the one function of base/ids that acts

FILE_LINES, FUNCTION_LINES, MAIN_LINES, NESTING = 400, 60, 60, 3

PLACES = (".ci", "completions", "include", "man", "src", "templates", "tests", "units")
TOP_FILES = ("Makefile.am", "bootstrap", "configure.ac", ".clang-format", ".editorconfig")
# Data that has no comments, or is compared byte by byte; prose.
BARE = re.compile(r"\.(json|md|expected)$|/(golden|corpus)/|/MANIFEST$")
# Where somebody's clone may be, in a text that is for everybody.
HOMES = r"/(?:home|Users|root)/\w+"


def files(place, pattern="*"):
    return sorted(path for path in (TOP_SOURCE / place).rglob(pattern)
                  if path.is_file() and "__pycache__" not in path.parts)


def all_files():
    found = [path for place in PLACES for path in files(place)]
    found += [path for path in TOP_SOURCE.iterdir() if path.name in TOP_FILES or path.suffix == ".md"]
    check(len(found) > 200, f"expected all our files, got {len(found)}")
    return found


def c_files():
    return [path for place in ("src", "include", "templates", "tests") for path in files(place, "*.[ch]")
            if "golden" not in path.parts]


def sources(room):
    place = "include/ryuso" if room == "ryuso" else f"src/{room}"
    return [path for path in files(place) if path.suffix in (".c", ".h")]


def name(path):
    return str(path.relative_to(TOP_SOURCE))


def includes(path):
    """(line, header, whether it is in quotes)"""
    found = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if match:
            found.append((number, match[2], match[1] == '"'))
    return found


def code(path):
    """The text without comments and literals, line by line as it was."""
    def blank(match):
        return "\n" * match[0].count("\n") or " "
    pattern = r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
    return re.sub(pattern, blank, path.read_text(), flags=re.DOTALL)


def functions(path):
    """(line, what stands there, number of lines). A brace alone at the left margin begins a function, and nothing else:
    .clang-format sees to it."""
    lines, found, first = code(path).splitlines(), [], None
    for number, line in enumerate(lines, 1):
        if line == "{":
            first = number - 1
            while first > 1 and lines[first - 2].strip() and not lines[first - 2].startswith(("}", "#", "\t")):
                first -= 1
        elif line.startswith("}") and first:
            found.append((first, lines[first - 1], number - first + 1))
            first = None
    return found


def symbols(library, option, pattern):
    """(object, symbol) of a convenience library, as nm shows them."""
    archive = TOP_BUILD / "src" / f"lib{library}.a"
    check(archive.exists(), f"expected {archive}, which make builds")
    return re.findall(rf":(\w+)\.o:\s*[0-9a-f]*\s+{pattern} (\w+)$",
                      run("nm", "-A", option, archive).stdout, re.MULTILINE)


def none_of(wrong):
    check(not wrong, "\n".join(wrong))


@test
def every_room_is_known():
    found = {path.name for path in (TOP_SOURCE / "src").iterdir() if path.is_dir() and any(path.iterdir())}
    equal(found - set(ROOMS), set(), "rooms that nobody has said anything of")
    check(len(found) >= 8 and all(sources(room) for room in ("base", "ryuso", *PURE)), f"expected the rooms: {found}")


@test
def a_room_includes_only_those_below_it():
    wrong = []
    for room, below in ROOMS.items():
        for path in sources(room):
            for line, header, _ in includes(path):
                other = header.split("/")[0] if "/" in header else None
                if other in ROOMS and other != room and other not in below:
                    wrong.append(f"{name(path)}:{line}: {room} may include {', '.join(below) or 'nothing'}; "
                                 f"got {header}")
    none_of(wrong)


@test
def a_header_of_ours_is_named_with_its_room():
    wrong = []
    for room in ROOMS:
        for path in sources(room):
            wrong += [f"{name(path)}:{line}: expected \"ROOM/FILE.h\", got \"{header}\""
                      for line, header, quoted in includes(path)
                      if quoted and (room == "ryuso" or not (TOP_SOURCE / "src" / header).is_file())]
    none_of(wrong)


@test
def the_pure_rooms_include_nothing_that_acts():
    wrong = []
    for room in PURE:
        for path in sources(room):
            wrong += [f"{name(path)}:{line}: {room} does no I/O, reads no clock and knows no systemd; got {header}"
                      for line, header, _ in includes(path) if IMPURE_HEADERS.fullmatch(header) or
                      header.startswith("systemd/")]
    none_of(wrong)


@test
def the_pure_rooms_call_nothing_that_acts():
    pattern = re.compile(r"(?<![\w.>])(" + "|".join(IMPURE_CALLS) + r")\s*\(")
    wrong = []
    for room in PURE:
        for path in sources(room):
            wrong += [f"{name(path)}:{number}: {room} does no I/O, reads no clock and never logs; got {match[1]}()"
                      for number, line in enumerate(code(path).splitlines(), 1) for match in pattern.finditer(line)]
    none_of(wrong)


@test
def the_pure_rooms_are_linked_to_nothing_that_acts():
    acting = {symbol for file, symbol in symbols("base", "--defined-only", "[A-Z]") if file in ACTING and file != "ids"}
    check("log_entry" in acting and "read_file" in acting, f"expected what base/log and base/io define, got {acting}")
    forbidden = acting | {ID_RANDOM} | set(IMPURE_CALLS) | {"stdin", "stdout", "stderr"}
    wrong = []
    for room in PURE:
        used = symbols(room, "--undefined-only", "U")
        check(len(used) > 20, f"expected what {room} is linked to, got {used}")
        for file, symbol in used:
            plain = re.sub(r"^__(?:isoc\d+_)?(\w+?)(?:_chk)?$", r"\1", re.sub("64$", "", symbol))
            if forbidden & {symbol, plain} or symbol.startswith("sd_"):
                wrong.append(f"src/{room}/{file}.c: {room} does no I/O, reads no clock and never logs; "
                             f"got {symbol}")
    none_of(wrong)


@test
def in_base_only_what_acts_knows_systemd():
    paths = [path for path in sources("base") if path.stem not in ACTING]
    check(len(paths) > 10, f"expected the pure part of base, got {paths}")
    none_of([f"{name(path)}:{line}: only {', '.join(ACTING)} may; got {header}" for path in paths
             for line, header, _ in includes(path) if header.startswith("systemd/")])


@test
def the_daemon_loads_no_code_of_others():
    wrong = [f"{name(path)}: got {match[0]}" for path in sources("daemon")
             for match in re.finditer(r"\bdlm?open\b|dlfcn\.h", code(path))]
    none_of(wrong)


@test
def a_main_file_is_shorter_than_60_lines():
    found = {name(path): len(path.read_text().splitlines()) for path in files("src", "main.c")}
    check(len(found) >= 4, f"expected a main.c for each program, got {found}")
    equal({path: length for path, length in found.items() if length >= MAIN_LINES}, {}, "main files that are too long")


@test
def a_file_has_400_lines_at_most():
    lengths = {name(path): len(path.read_text().splitlines()) for path in c_files()}
    none_of([f"{path}:{FILE_LINES + 1}: expected {FILE_LINES} lines at most, got {length}"
             for path, length in lengths.items() if length > FILE_LINES])


@test
def a_function_has_60_lines_at_most():
    found = {path: functions(path) for path in c_files()}
    number = sum(map(len, found.values()))
    check(number > 500, f"expected the functions of the house, got {number}")
    none_of([f"{name(path)}:{line}: expected {FUNCTION_LINES} lines at most, got {length}: {text}"
             for path, all_of_it in found.items() for line, text, length in all_of_it if length > FUNCTION_LINES])


@test
def a_function_is_nested_three_deep_at_most():
    deeper = re.compile(r"\t{%d,}(if|for|while|do|switch)\b" % (NESTING + 1))
    none_of([f"{name(path)}:{number}: expected {NESTING} levels at most, got {line.strip()}" for path in c_files()
             for number, line in enumerate(code(path).splitlines(), 1) if deeper.match(line)])


@test
def main_is_in_main_files_only():
    wrong = [name(path) for path in files("src", "*.c")
             if (path.name == "main.c") != bool(re.search(r"^int main\(", code(path), re.MULTILINE))]
    equal(wrong, [], "files")


@test
def a_header_is_included_once():
    wrong = [name(path) for room in ROOMS for path in sources(room)
             if path.suffix == ".h" and
             not re.search(r"^#pragma once$|^#ifndef RYUSO_\w+_H$", path.read_text(), re.MULTILINE)]
    equal(wrong, [], "headers without a guard")


@test
def every_file_begins_with_its_license():
    paths = [path for path in all_files() if not BARE.search(name(path))]
    wrong = []
    for path in paths:
        first = path.read_text(errors="replace").splitlines()[:2]
        first = first[1:] if first and first[0].startswith(("#!", "#compdef ")) else first[:1]
        if "SPDX-License-Identifier: LGPL-2.1-or-later" not in "".join(first):
            wrong.append(f"{name(path)}: expected the SPDX line first, got {first}")
    none_of(wrong)


@test
def no_file_names_a_place_on_one_persons_machine():
    clones = [re.escape(str(path)) for path in (TOP_SOURCE, TOP_BUILD) if len(path.parts) > 2]
    pattern = re.compile(rf"(?<![\w./)}}$-])(?:{'|'.join([HOMES, *clones])})(?![\w-])")
    none_of([f"{name(path)}:{number}: got {match[0]}" for path in all_files()
             for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
             for match in pattern.finditer(line)])


main()
