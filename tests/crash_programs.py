# SPDX-License-Identifier: LGPL-2.1-or-later
"""The module of the tests of crashes (crash_wallet/), its programs step by step, the book that its hooks keep, and the
judge: whether what a reply says of a run is what the book shows."""

import collections
import sqlite3

from project import LIBRARY, Project, spec
from tap import TOP_SOURCE

ARGS = {"tag": {"type": "string", "required": True}, "total": {"type": "int", "required": True},
        "usec": {"type": "int", "required": False, "default": 0}}
PROGRAM_ARGS = {"tag": ARGS["tag"], "total": {"type": "int", "required": False, "default": 0},
                "usec": {"type": "int", "required": False}}
TOTAL = {"total": {"type": "int", "required": True}}


def hook(*rectifiers, **more):
    return {"reference": "acts.act", "args": ARGS,
            **({"rectifiers": [f"hooks.{name}" if "." not in name else name for name in rectifiers]} if rectifiers
               else {}), **more}


def retry(attempts):
    return {"retry": {"attempts": attempts, "backoff": 0.001, "max_backoff": 0.001}}


HOOKS = {
    "debit": hook("undo"), "reserve": hook("undo"), "book": hook("undo"), "fee": hook("undo"),
    "look": hook(), "mark": hook(), "doom": hook(),
    "credit": hook("undo", dependencies=["hooks.look", "hooks.reserve"]),
    "inner": {**hook("undo_inner"), "reference": "programs.move"},
    "twofold": hook("undo", "programs.sweeping"),
    "noted": hook("undo_noted"), "loose": hook("undo_late"), "glued": hook("undo_glued"),
    "launch": hook(irreversible=True), "launch_blind": hook(irreversible=True),
    "retried": hook("undo", **retry(2)),
    "repeated": hook("undo", idempotent=True, **retry(4)),
    "undo": hook(**retry(3)), "undo_inner": hook(**retry(3)), "sweep": hook(**retry(3)),
    "undo_noted": hook(**retry(3)), "undo_late": hook(**retry(3)), "undo_glued": hook(**retry(2)),
}


def program(*hooks, **more):
    return {"args": PROGRAM_ARGS, "outputs": TOTAL, "hooks": [f"hooks.{name}" for name in hooks], **more}


PROGRAMS = {
    "pay": program("debit", "credit", "fee"),
    "outer": program("debit", "inner", "fee"),
    "move": program("reserve", "book"),
    "sweeping": program("sweep", outputs={}),
    "doomed": program("noted", "inner", "twofold", "credit", "doom"),
    "late": program("debit", "loose", "doom"),
    "ship": program("debit", "book", "launch"),
    "lost": program("debit", "launch_blind"),
    "flaky": program("debit", "retried", "repeated", "fee"),
    "noted": program("noted", "fee"),
    "plain": program("mark", "mark", "mark", "mark", "mark"),
    "stuck": program("debit", "glued", "doom"),
    "quick": program("debit", "fee", durability="process"),
}

# What each program expands to, from step 1 on.
STEPS = {
    "pay": ["debit", "look", "reserve", "credit", "fee"],
    "outer": ["debit", "reserve", "book", "inner", "fee"],
    "doomed": ["noted", "reserve", "book", "inner", "twofold", "look", "reserve", "credit", "doom"],
    "late": ["debit", "loose", "doom"],
    "ship": ["debit", "book", "launch"],
    "lost": ["debit", "launch_blind"],
    "flaky": ["debit", "retried", "repeated", "fee"],
    "noted": ["noted", "fee"],
    "plain": ["mark"] * 5,
    "stuck": ["debit", "glued", "doom"],
    "quick": ["debit", "fee"],
}
# How each ends where nobody dies.
ENDS = {name: "succeeded" for name in STEPS} | {"doomed": "rectified", "late": "rectified", "lost": "parked",
                                                "stuck": "parked"}
SILENT = ("look", "inner", "doom")  # these enter nothing
UNREVERSED = ("mark", "look", "doom")  # nothing reverses these

SCHEMA = """
    PRAGMA journal_mode = WAL;
    CREATE TABLE calls (id INTEGER PRIMARY KEY, token TEXT, attempt INTEGER, tag TEXT, run TEXT, step INTEGER,
                        hook TEXT, rectifying INTEGER, doubt INTEGER);
    CREATE UNIQUE INDEX once ON calls (token, attempt) WHERE NOT rectifying;
    CREATE TABLE entries (token TEXT PRIMARY KEY, tag TEXT, run TEXT, step INTEGER, hook TEXT, kind TEXT,
                          amount INTEGER, undoes TEXT UNIQUE, note INTEGER);
    CREATE INDEX entries_of_run ON entries (run, step);
    CREATE INDEX entries_of_tag ON entries (tag);
    CREATE INDEX calls_of_tag ON calls (tag);
    CREATE TABLE postings (token TEXT, account TEXT, amount INTEGER, UNIQUE (token, account));
    CREATE TABLE freed (tag TEXT PRIMARY KEY);
    CREATE TABLE mistakes (tag TEXT, run TEXT, step INTEGER, hook TEXT, attempt INTEGER, what TEXT);
"""

STANDING = """SELECT token FROM entries AS e WHERE tag = ? AND step = ? AND kind = 'do'
              AND NOT EXISTS (SELECT 1 FROM entries WHERE undoes = e.token)"""

_module = []


def module():
    """Its path; built once."""
    if not _module:
        _module.append(project().build("LDLIBS=-lsqlite3"))
    return _module[0]


def project():
    made = Project(spec(HOOKS, PROGRAMS, name="crash"))
    (made / "hooks").mkdir()
    for path in (TOP_SOURCE / "tests/crash_wallet/hooks").iterdir():
        (made / "hooks" / path.name).write_bytes(path.read_bytes())
    made.generate()
    return made


def environment_of(book):
    return {"CRASH_DB": book.path, "LD_LIBRARY_PATH": LIBRARY}


def request(name, tag, **members):
    return {"program": name, "data_pool": {"tag": tag, **members.pop("pool", {})}, **members}


class Lie(Exception):
    """The book shows something else than what was said."""


def insist(condition, what):
    if not condition:
        raise Lie(what)


Seen = collections.namedtuple("Seen", "calls entries mistakes")


class Book:
    """The file that the hooks write, read by the test."""

    def __init__(self, path, template=None):
        self.path = path
        if template:
            path.write_bytes(template)
        else:
            database = sqlite3.connect(path)
            database.executescript(SCHEMA)
            database.close()

    def select(self, query, *parameters):
        database = sqlite3.connect(self.path, timeout=60)
        try:
            return database.execute(query, parameters).fetchall()
        finally:
            database.close()

    def free(self, tag):
        """What is glued can be undone from now on."""
        database = sqlite3.connect(self.path, timeout=60)
        try:
            with database:
                database.execute("INSERT OR IGNORE INTO freed VALUES (?)", (tag,))
        finally:
            database.close()

    def undo(self, tag, step):
        """By hand: what rectifiers of that step would do."""
        database = sqlite3.connect(self.path, timeout=60)
        try:
            with database:
                database.execute("BEGIN IMMEDIATE")
                for token, in database.execute(STANDING, (tag, step)).fetchall():
                    database.execute("INSERT INTO entries (token, tag, run, step, hook, kind, amount, undoes) SELECT"
                                     " 'hand-' || token, tag, run, step, 'hand', 'undo', amount, token FROM entries"
                                     " WHERE token = ?", (token,))
                    database.execute("INSERT INTO postings SELECT 'hand-' || token, account, -amount FROM postings"
                                     " WHERE token = ?", (token,))
        finally:
            database.close()

    def read(self, tag):
        """All that is there about a request."""
        database = sqlite3.connect(self.path, timeout=60)
        database.row_factory = sqlite3.Row
        try:
            database.execute("BEGIN")
            return Seen(database.execute("SELECT * FROM calls WHERE tag = ? ORDER BY id", (tag,)).fetchall(),
                        database.execute("SELECT * FROM entries WHERE tag = ?", (tag,)).fetchall(),
                        database.execute("SELECT * FROM mistakes WHERE tag = ?", (tag,)).fetchall())
        finally:
            database.close()

    def balance(self):
        """What must hold whatever happened."""
        [(total,)] = self.select("SELECT coalesce(sum(amount), 0) FROM postings")
        insist(total == 0, f"the postings sum to {total}")
        found = self.select("SELECT token FROM postings GROUP BY token HAVING sum(amount) != 0")
        insist(not found, f"entries that do not sum to zero: {found}")

    def tell(self, tag):
        """For people: what it has about a request."""
        seen = self.read(tag)
        lines = [f"call {row['id']}: step {row['step']} {row['hook']} attempt {row['attempt']}"
                 f"{' back' if row['rectifying'] else ''}{' in doubt' if row['doubt'] else ''} {row['token'][:8]}"
                 f" run {row['run'][:8]}" for row in seen.calls]
        lines += [f"entry: step {row['step']} {row['kind']} by {row['hook']} {row['token'][:8]}"
                  f"{' undoes ' + row['undoes'][:8] if row['undoes'] else ''}" for row in seen.entries]
        return "\n".join(lines + [f"mistake: {dict(row)}" for row in seen.mistakes])


# ---- the judge ----

def effects(seen):
    """Steps whose entries stand: step → how many times."""
    undone = {row["undoes"] for row in seen.entries if row["undoes"]}
    return collections.Counter(row["step"] for row in seen.entries
                               if row["kind"] == "do" and row["token"] not in undone)


def entering(name):
    return [step for step, hook_name in enumerate(STEPS[name], 1) if hook_name not in SILENT]


def reversible(name, step):
    return STEPS[name][step - 1] not in UNREVERSED and not irreversible(name, step)


def irreversible(name, step):
    return STEPS[name][step - 1].startswith("launch")


def judge_calls(name, seen):
    """Calls in an order that the rules allow: forward step by step, back newest first, each step once."""
    forward = [row for row in seen.calls if not row["rectifying"]]
    back = [row for row in seen.calls if row["rectifying"]]
    steps = [row["step"] for row in forward]
    insist(steps == sorted(steps), f"steps were called in the order {steps}")
    tokens = collections.defaultdict(set)
    for row in forward:
        tokens[row["step"]].add(row["token"])
        insist(row["hook"] == STEPS[name][row["step"] - 1], f"step {row['step']} was {row['hook']}")
    insist(all(len(found) == 1 for found in tokens.values()), f"a step had several tokens: {dict(tokens)}")
    steps = [row["step"] for row in back]
    insist(steps == sorted(steps, reverse=True), f"rectifiers ran in the order {steps}")
    if back:
        first = min(row["id"] for row in back)
        insist(all(row["id"] < first for row in forward), "a step was begun on the way back")
    insist(all(reversible(name, step) for step in steps), f"what cannot be reversed was: {steps}")


def listed(reply, key):
    return [entry["step"] for entry in reply.get(key, [])]


def judge_succeeded(name, seen, reply):
    expected = entering(name)
    insist(effects(seen) == collections.Counter(expected), f"succeeded, but what stands is {dict(effects(seen))}")
    insist(not any(row["rectifying"] for row in seen.calls), "succeeded, but rectifiers ran")
    insist(reply["data_pool"] == {"total": sum(1 << step for step in expected)}, f"another pool: {reply['data_pool']}")
    insist(reply["error"] is None and reply["success"] is True, "succeeded with an error, or without success")


def judge_rectified(name, seen, reply):
    for step, count in effects(seen).items():
        insist(STEPS[name][step - 1] == "mark" and count == 1, f"rectified, but step {step} stands {count} times")
    insist(reply["data_pool"] == {"total": 0}, f"another pool: {reply['data_pool']}")
    insist(not reply["success"] and reply["error"], "rectified without an error")
    insist(not reply.get("remaining"), f"rectified, but {reply['remaining']} remain")
    rectified = listed(reply, "rectified")
    insist(rectified == sorted(set(rectified), reverse=True), f"rectified in the order {rectified}")
    called = {row["step"] for row in seen.calls if row["rectifying"]}
    insist(called == set(rectified), f"rectifiers of {sorted(called)} ran, and {rectified} are said to be rectified")
    entered = {row["step"] for row in seen.entries if row["kind"] == "do" and reversible(name, row["step"])}
    insist(entered <= called, f"{sorted(entered)} had effects, and {sorted(called)} were rectified")


def judge_remaining(name, seen, reply):
    stands = effects(seen)
    remaining = {entry["step"]: entry for entry in reply["remaining"]}
    insist(all(count == 1 for count in stands.values()), f"effects that were had twice: {dict(stands)}")
    for step in stands:
        insist(step in remaining or STEPS[name][step - 1] == "mark", f"step {step} stands and is not said to remain")
    for step, entry in remaining.items():
        hook_name = STEPS[name][step - 1]
        insist(entry["hook"] == hook_name, f"step {step} is {hook_name}, and said to be {entry['hook']}")
        sure = hook_name not in SILENT and not entry.get("in_doubt") and hook_name != "twofold"
        tried = any(row["rectifying"] and row["step"] == step for row in seen.calls)
        insist(not sure or step in stands or tried, f"step {step} is said to remain, and does not stand")


def judge_parked(name, seen, reply):
    insist(reply["parked"]["name"] in ("Irreversible", "RectifierFailed"), f"parked: {reply['parked']}")
    if reply["parked"]["name"] == "Irreversible":
        insist(any(irreversible(name, step) for step in listed(reply, "remaining")), "nothing of it is irreversible")
        insist(not any(row["rectifying"] for row in seen.calls), "rectifiers ran before an irreversible step was met")
    judge_remaining(name, seen, reply)


def judge_settled(name, seen, reply):
    if reply["error"]:
        judge_remaining(name, seen, reply)
    else:  # what could not be reversed was confirmed, and the run went on
        insist(effects(seen) == collections.Counter(entering(name)), f"what stands is {dict(effects(seen))}")
        insist(not reply["remaining"] and not reply["rectified"], "it went forwards, and something was reversed")


JUDGES = {"succeeded": judge_succeeded, "rectified": judge_rectified, "parked": judge_parked,
          "settled": judge_settled}


def of_run(seen, run):
    """The part of it that is one run's."""
    return Seen(*([row for row in rows if row["run"] == run] for rows in seen))


def judge(book, tag, reply, alone=True):
    """Raises Lie where the book does not show what the reply says. `alone`: there must not be another run."""
    seen = book.read(tag) if alone else of_run(book.read(tag), reply["run"])
    name = reply["program"]
    insist(not seen.mistakes, f"a hook found mistakes: {[dict(row) for row in seen.mistakes]}")
    runs = {row["run"] for row in seen.calls} | {row["run"] for row in seen.entries}
    insist(runs <= {reply["run"]}, f"the reply is of run {reply['run']}; in the book are {sorted(runs)}")
    insist(reply["status"] in JUDGES, f"status {reply['status']}")
    judge_calls(name, seen)
    JUDGES[reply["status"]](name, seen, reply)


def judge_unbegun(book, tag):
    """For a request that was refused."""
    seen = book.read(tag)
    insist(not seen.calls and not seen.entries, f"refused, but it ran: {[dict(row) for row in seen.calls]}")
