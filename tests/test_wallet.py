#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The wallet, from its example to money that moves through a daemon (RYUSO_SOCKET and WALLET_DB: through one that runs
already)."""

import os
import sqlite3

from project import LIBRARY, compile_driver, example
from tap import Client, Daemon, check, contains, environment, equal, main, ok, program, run, scratch, skip, test

MODULE = example("wallet").build()


class Wallet:
    """A wallet of its own: accounts named for this test, and what the file says of them."""

    def __init__(self):
        self.prefix = os.urandom(4).hex() + "-"
        self.file = os.environ.get("WALLET_DB") if os.environ.get("RYUSO_SOCKET") else scratch() / "wallet.sqlite"
        self.daemon = None

    def __enter__(self):
        path = os.environ.get("RYUSO_SOCKET")
        if not path:
            self.daemon = Daemon(module=MODULE, env={"WALLET_DB": self.file})
            path = self.daemon.socket
        self.client = Client(path)
        return self

    def __exit__(self, kind, *_):
        self.client.close()
        if self.daemon and kind is None:
            self.daemon.stop()

    def run(self, name, **arguments):
        pool = {key.rstrip("_"): self.prefix + value if key in ("account", "from_", "to") else value
                for key, value in arguments.items()}
        return self.client.ask({"program": name, "data_pool": pool})

    def select(self, query, *parameters):
        database = sqlite3.connect(self.file)
        try:
            return database.execute(query, parameters).fetchall()
        finally:
            database.close()

    def balances(self):
        equal(self.select("SELECT sum(amount) FROM postings")[0][0] or 0, 0, "the sum of all postings")
        equal(self.select("SELECT token FROM postings GROUP BY token HAVING sum(amount) != 0"), [],
              "entries whose postings do not sum to zero")
        equal(self.select("SELECT name FROM accounts WHERE balance != (SELECT coalesce(sum(amount), 0) FROM postings"
                          " WHERE account = name)"), [], "accounts that do not say what their postings do")
        return {name[len(self.prefix):]: balance for name, balance in
                self.select("SELECT name, balance FROM accounts WHERE name LIKE ?", self.prefix + "%")}

    def fill(self, **accounts):
        for account, amount in accounts.items():
            equal(self.run("open_account", account=account)["status"], "succeeded", f"opening {account}")
            if amount:
                reply = self.run("deposit", account=account, amount=amount)
                equal(reply["data_pool"], {"balance": amount}, "a deposit")


def undone(reply):
    return [(step["step"], step["hook"]) for step in reply["rectified"]]


def failed(reply, name, reason, hooks):
    check(reply["status"] == "rectified" and not reply["success"], f"expected a rectified run, got {reply}")
    equal((reply["error"]["name"], reply["error"].get("reason")), (name, reason), f"the error of {reply}")
    equal([hook for _, hook in undone(reply)], hooks, f"what was rectified in {reply}")
    equal(reply["remaining"], [], "what remains")


@test
def a_transfer_moves_money_and_takes_a_fee():
    with Wallet() as wallet:
        wallet.fill(main=10000, rent=0)
        reply = wallet.run("transfer", from_="main", to="rent", amount=2500)
        check(reply["success"] and reply["status"] == "succeeded" and reply["error"] is None, reply)
        equal(reply["data_pool"], {"from_balance": 7499, "to_balance": 2500}, "the reply's data pool")
        equal(wallet.balances(), {"main": 7499, "rent": 2500}, "the balances in the file")


@test
def a_transfer_without_funds_moves_nothing():
    with Wallet() as wallet:
        wallet.fill(main=100, rent=0)
        reply = wallet.run("transfer", from_="main", to="rent", amount=101)
        failed(reply, "HookFailed", "InsufficientFunds", [])
        equal((reply["error"]["step"], reply["error"]["hook"]), (1, "withdraw"), "where it failed")
        equal(wallet.balances(), {"main": 100, "rent": 0}, "the balances")


@test
def a_transfer_to_an_unknown_account_gives_the_money_back():
    with Wallet() as wallet:
        wallet.fill(main=100)
        reply = wallet.run("transfer", from_="main", to="nowhere", amount=50)
        failed(reply, "HookFailed", "UnknownAccount", ["withdraw"])
        equal(wallet.balances(), {"main": 100}, "the balances")
        kinds = wallet.select("SELECT kind FROM postings JOIN entries USING (token) WHERE account = ? ORDER BY id",
                              wallet.prefix + "main")
        equal([kind for kind, in kinds], ["deposit", "withdrawal", "undo"], "the history of the account")


@test
def a_transfer_that_cannot_pay_the_fee_is_undone_newest_first():
    with Wallet() as wallet:
        wallet.fill(main=100, rent=0)
        reply = wallet.run("transfer", from_="main", to="rent", amount=100)
        failed(reply, "HookFailed", "InsufficientFunds", ["deposit", "withdraw"])
        equal(reply["data_pool"].get("from_balance"), 100, "the balance in the reply")
        equal(wallet.balances(), {"main": 100, "rent": 0}, "the balances")


@test
def a_crash_after_the_booking_is_undone():
    with Wallet() as wallet:
        wallet.fill(main=100, rent=0)
        reply = wallet.run("fire_drill", from_="main", to="rent", amount=40)
        check(reply["rectified"][0].get("in_doubt"), f"expected the crashed step in doubt, got {reply}")
        failed(reply, "HookUnknown", None, ["give_and_crash", "withdraw"])
        equal(wallet.balances(), {"main": 100, "rent": 0}, "the balances")
        equal(len(wallet.select("SELECT 1 FROM postings WHERE account = ?", wallet.prefix + "rent")), 2,
              "postings of the payee: the booking, and its undoing")


@test
def a_crash_before_the_booking_leaves_nothing_to_undo_and_is_barred():
    with Wallet() as wallet:
        wallet.fill(main=100, rent=0)
        before = wallet.select("SELECT count(*) FROM entries WHERE kind = 'void'")[0][0]
        failed(wallet.run("fire_drill", from_="main", to="rent", amount=40, booked=False), "HookUnknown", None,
               ["give_and_crash", "withdraw"])
        equal(wallet.balances(), {"main": 100, "rent": 0}, "the balances")
        equal(wallet.select("SELECT 1 FROM postings WHERE account = ?", wallet.prefix + "rent"), [],
              "postings of the payee")
        equal(wallet.select("SELECT count(*) FROM entries WHERE kind = 'void'")[0][0], before + 1,
              "bookings that are barred")


@test
def a_request_that_does_not_fit_is_refused_and_runs_nothing():
    with Wallet() as wallet:
        wallet.fill(main=100)
        before = wallet.select("SELECT count(*) FROM entries")
        for pool, name in (({"account": "main", "amount": "a lot"}, "WrongType"),
                           ({"account": "main"}, "MissingArgument"),
                           ({"account": "main", "amount": 1, "colour": "red"}, "UnknownArgument")):
            reply = wallet.run("deposit", **pool)
            equal((reply["status"], reply["error"]["name"]), ("refused", name), f"the answer to {pool}")
        equal(wallet.select("SELECT count(*) FROM entries"), before, "entries")


@test
def many_transfers_back_and_forth_leave_every_cent_accounted_for():
    with Wallet() as wallet:
        wallet.fill(a=500, b=500)
        for i in range(60):
            payer, payee = ("a", "b") if i % 3 else ("b", "a")
            payee = "nowhere" if i % 5 == 4 else payee
            wallet.run("transfer", from_=payer, to=payee, amount=1 + i * 7 % 90, fee=i % 3)
        statement = {name: wallet.run("statement", account=name, limit=1000)["data_pool"] for name in ("a", "b")}
        balances = wallet.balances()
        for name in ("a", "b"):
            equal(statement[name]["balance"], balances[name], f"the balance that the statement of {name} tells")
            equal(sum(posting["amount"] for posting in statement[name]["postings"]), balances[name],
                  f"the sum of the statement of {name}")


@test
def a_wallet_without_a_place_is_no_module():
    if os.environ.get("RYUSO_SOCKET"):
        skip("the daemon is another's")
    with Daemon(module=MODULE, env={"WALLET_DB": None, "STATE_DIRECTORY": None}) as daemon, daemon.client() as client:
        reply = client.ask({"program": "statement", "data_pool": {"account": "main"}})
        equal(reply["error"]["name"], "NoModule", f"the error of {reply}")
        contains(reply["error"]["message"], "WALLET_DB", "the message")


@test
def the_wallets_own_tests_pass():
    directory = MODULE.parent
    done = run("python3", directory / "tests/check", env=environment(RYUSOD=program("ryusod"), LD_LIBRARY_PATH=LIBRARY),
               status=None)
    check(done.returncode == 0, done.stdout + done.stderr)
    equal(done.stdout.count("ok - "), 7, "the tests that passed")


def call_by_call():
    """Each test of wallet_calls.c is one of ours."""
    driver = compile_driver("wallet_calls.c", scratch() / "calls", "-lcheck", "-lsubunit", "-lm", "-lrt", "-lpthread")
    done = run(driver, status=None,
               env=environment(CK_TAP_LOG_FILE_NAME="-", WALLET_MODULE=MODULE, WALLET_DB=scratch() / "calls.sqlite",
                               LD_LIBRARY_PATH=LIBRARY))
    lines = [line for line in done.stdout.splitlines() if line.startswith(("ok", "not ok"))]
    for line in lines:
        parts = line.split(":")
        ok(parts[-2].replace("_", " ") if line.startswith("ok") else line, line.startswith("ok"), done.stdout)
    ok("the wallet's hooks, called one by one, number nine", len(lines) == 9 and done.returncode == 0,
       done.stdout + done.stderr)


call_by_call()
main()
