"""kill -9 at every step from a change to its acknowledged delivery: nothing is lost, repeated only with the same key.

Several Weirs side by side each follow a script: at each of its steps some things break or mend; then Weir is started and
killed at named places (WEIR_FAILPOINTS), at random moments, and while it waits for the receiver's answer, until a run tells
of the step. 500 kills; WEIR_KILLS says how many, WEIR_KILLS_SEED which.
"""

import collections
import json
import os
import random
import sqlite3
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.http import Answer, HttpServer
from support.postgres import Postgres
from support.weir import Weir, binary

THINGS = ("a", "b", "c")
LANES = 4
PATIENCE = 20.0  # with one step of the script
RULES = """
groups:
  - name: things
    interval: 1s
    rules:
      - {alert: Broken, expr: thing_broken == 1, labels: {severity: page}}
"""
# As in core/fail_points.cpp, in the order in which they are passed.
PLACES = ("restore.before", "restore.after", "evaluate.before", "evaluate.after", "resolve", "commit.before",
          "commit.alerts", "commit.removed", "commit.transitions", "commit.incidents", "commit.groups", "commit.outbox",
          "commit.after", "publish.after", "outbox.before", "request.before", "request.sent", "request.answered",
          "delivered.before", "delivered.after")
NEEDS_BROKEN, NEEDS_MENDED = {"commit.alerts"}, {"resolve", "commit.removed"}


class Server(HttpServer):
    """Its clients die in the middle of an exchange, which is no news."""

    def __init__(self):
        super().__init__()
        self.server.handle_error = lambda *_: None


class Source(Server):
    """A page of metrics that says what is broken."""

    def __init__(self):
        self.broken = frozenset()
        self.scraped = 0
        super().__init__()

    def handle(self, *_):
        broken = self.broken
        self.scraped += 1
        return Answer(body="".join(f'thing_broken{{topic="{thing}"}} {int(thing in broken)}\n' for thing in THINGS).encode(),
                      headers={"Content-Type": "text/plain; version=0.0.4"})


class Receiver(Server):
    """Keeps every request on disk before it answers: (run, key, thing, status, incident)."""

    def __init__(self, folder):
        self.file = open(folder / "received.jsonl", "a", encoding="utf-8")
        self.received = []
        self.kill_before_answer = None
        self.lock = threading.Lock()
        super().__init__()

    def handle(self, _method, path, headers, body):
        payload, run = json.loads(body), int(path.strip("/"))
        with self.lock:
            for alert in payload["alerts"]:
                entry = (run, headers["Idempotency-Key"], alert["labels"]["topic"], alert["status"],
                         payload["incident_id"])
                self.file.write(json.dumps(entry) + "\n")
                self.received.append(entry)
            self.file.flush()
            os.fsync(self.file.fileno())
            if self.kill_before_answer:
                self.kill_before_answer()
        return Answer()

    def newest(self):
        with self.lock:
            return self.newest_now()

    def newest_now(self):
        """With the lock held."""
        return {thing: status for _, _, thing, status, _ in self.received}


class Sqlite:
    """Where Weir keeps what it must not forget."""

    def __init__(self, folder):
        self.path = folder / "weir.db"
        self.section = {"path": "weir.db"}

    def transitions(self):
        with sqlite3.connect(self.path) as database:
            rows = database.execute("SELECT alert, from_state, to_state FROM transitions ORDER BY id").fetchall()
        database.close()
        return [(json.loads(alert)["labels"]["topic"], before, after) for alert, before, after in rows]

    def waiting(self):
        with sqlite3.connect(self.path) as database:
            (count,) = database.execute(
                "SELECT count(*) FROM outbox WHERE delivered_at IS NULL AND dead_at IS NULL").fetchone()
        database.close()
        return count


class OnServer:
    """The same in a schema of PostgreSQL."""

    def __init__(self, server, folder):
        self.server = server
        self.schema = "kills_" + folder.name.rsplit("-", 1)[-1].lower()
        (folder / "password").write_text(server.password)
        os.chmod(folder / "password", 0o644)
        self.section = {"url": server.address_of("postgres"), "password_file": str(folder / "password"), "schema": self.schema}

    def transitions(self):
        rows = self.server.execute(f"SELECT alert, from_state, to_state FROM {self.schema}.transitions ORDER BY id")
        return [(json.loads(alert)["labels"]["topic"], before, after) for alert, before, after in rows]

    def waiting(self):
        ((count,),) = self.server.execute(
            f"SELECT count(*) FROM {self.schema}.outbox WHERE delivered_at IS NULL AND dead_at IS NULL")
        return count


class Process:
    """One run of Weir, which is meant to be killed."""

    def __init__(self, weir, run, failpoints=""):
        environment = {**weir.environment(), "WEIR_FAILPOINTS": failpoints, "WEIR_RUN": str(run)}
        with open(weir.log_file, "ab") as log:
            self.process = subprocess.Popen(weir.as_user(weir.command()), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            cwd=weir.folder, env=environment, process_group=0)
        self.killed_by_us = False

    def kill(self):
        self.killed_by_us = True
        self.process.kill()

    def died(self, timeout):
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        return True

    def end(self):
        """After kill(): that nothing but the signal has ended it."""
        status = self.process.wait(10)
        assert status == -9, f"Weir ended with status {status}"


class Lane:
    """One Weir, its source, its receiver and its script."""

    def __init__(self, number, seed, kills, storage):
        self.random = random.Random(seed * 1000 + number)
        self.kills_wanted = kills
        self.weir = Weir({})
        self.storage = storage(self.weir.folder)
        self.source, self.receiver = Source(), Receiver(self.weir.folder)
        (self.weir.folder / "rules.yml").write_text(RULES)
        self.weir.configure({
            "storage": self.storage.section,
            "scrape": [{"name": "things", "url": f"{self.source.url}/metrics", "interval": "1s"}],
            "rules": {"files": ["rules.yml"], "interval": "1s"},
            "receivers": [{"name": "team", "webhook_configs": [{"url": self.receiver.url + "/${WEIR_RUN}"}]}],
            "route": {"receiver": "team", "group_wait": "0s", "group_interval": "1ms"},
            "notifications": {"start_delay": "0s", "flap_changes": 0, "burst": 100000, "per_minute": 100000}})
        self.runs = self.kills = 0
        self.at_place = collections.Counter()
        self.not_reached = collections.Counter()
        self.expected = {thing: [] for thing in THINGS}  # statuses, by the script

    def follow(self):
        """The whole script; every run of Weir ends by SIGKILL, but the last."""
        try:
            while self.kills < self.kills_wanted:
                self.step()
            self.last_run()
        finally:
            self.source.stop()
            self.receiver.stop()
        return self

    def step(self):
        changed = [thing for thing in THINGS if self.random.random() < 0.5] or [self.random.choice(THINGS)]
        before = self.source.broken
        self.source.broken = before.symmetric_difference(changed)
        for thing in changed:
            self.expected[thing].append("firing" if thing in self.source.broken else "resolved")
        for place in self.places(breaks=bool(self.source.broken - before), mends=bool(before - self.source.broken)):
            self.run_to(place)
        if self.random.random() < 0.3:
            self.run_for(self.random.uniform(0, 0.25))
        self.run_until_told()

    def places(self, breaks, mends):
        """Some, in the order in which they are passed: what one leaves undone the next begins with."""
        possible = [place for place in PLACES
                    if (breaks or place not in NEEDS_BROKEN) and (mends or place not in NEEDS_MENDED)]
        rarest = sorted(possible, key=lambda place: (self.at_place[place], self.random.random()))
        chosen = rarest[:self.random.choice((1, 2, 2, 3))]
        return sorted(chosen, key=PLACES.index)

    def start(self, failpoints=""):
        self.runs += 1
        return Process(self.weir, self.runs, failpoints)

    def ended(self, process):
        process.end()
        self.kills += 1

    def run_to(self, place):
        process = self.start(f"{place}=kill")
        if process.died(1.5):
            self.at_place[place] += 1
        else:  # it was not passed: what it is about was done in the run before
            self.not_reached[place] += 1
            process.kill()
        self.ended(process)

    def run_for(self, seconds):
        process = self.start()
        time.sleep(seconds)  # the random moment of the kill is the point
        process.kill()
        self.ended(process)

    def told(self):
        return self.is_told(self.receiver.newest())

    def is_told(self, newest):
        return all(newest.get(thing) == statuses[-1] for thing, statuses in self.expected.items() if statuses)

    def run_until_told(self):
        """A run that is killed when all was told: as the last message comes in, or a moment later."""
        process = self.start()
        if self.random.random() < 0.5:
            self.receiver.kill_before_answer = lambda: self.is_told(self.receiver.newest_now()) and process.kill()
        deadline = time.monotonic() + PATIENCE
        while not (self.told() or process.killed_by_us):
            assert process.process.poll() is None, f"Weir ended:\n{self.weir.log_tail()}"
            if time.monotonic() > deadline:
                process.kill()
                raise AssertionError(f"lost: {self.expected} is the script, told was {self.receiver.received[-9:]}\n"
                                     f"{self.weir.log_tail()}")
            time.sleep(0.005)
        if not process.killed_by_us:
            time.sleep(self.random.choice((0, 0, 0.002, 0.01, 0.03)))
            process.kill()
        self.receiver.kill_before_answer = None
        self.ended(process)

    def last_run(self):
        process = self.start()
        deadline = time.monotonic() + PATIENCE
        scraped = self.source.scraped
        while self.source.scraped < scraped + 2 or self.storage.waiting() > 0:
            assert time.monotonic() < deadline, f"messages wait for ever:\n{self.weir.log_tail()}"
            time.sleep(0.05)
        process.process.terminate()
        assert process.process.wait(20) == 0, self.weir.log_tail()

    def check(self):
        """Against the script: transitions, notifications, duplicates and order."""
        history = {thing: [] for thing in THINGS}
        for thing, before, after in self.storage.transitions():
            if "firing" in (before, after):
                history[thing].append("firing" if after == "firing" else "resolved")
        assert history == self.expected, "the history is not the script"
        told = {thing: [] for thing in THINGS}
        told_of_key = collections.defaultdict(set)
        runs_of_key = collections.defaultdict(list)
        newest_of_incident = {}
        for run, key, thing, status, incident in self.receiver.received:
            if (thing, status) not in told_of_key[key]:
                told_of_key[key].add((thing, status))
                told[thing].append(status)
                newest_of_incident[incident] = key
            assert newest_of_incident[incident] == key, f"{key} came again after a later message of its incident"
            runs_of_key[key].append(run)
        assert told == self.expected, "what was told is not the script, in its order"
        duplicates = 0
        for key, runs in runs_of_key.items():
            assert len(told_of_key[key]) == 1, f"{key} said different things: {told_of_key[key]}"
            assert len(set(runs)) == len(runs), f"{key} came twice without a kill between"
            duplicates += len(runs) - 1
        assert duplicates <= self.kills
        return duplicates


def kills_wanted():
    return int(os.environ.get("WEIR_KILLS", 500))


def test_no_kill_loses_or_reorders_anything():
    kill_and_check(Sqlite, kills_wanted())


def test_no_kill_loses_or_reorders_anything_on_postgresql():
    with Postgres() as server:
        kill_and_check(lambda folder: OnServer(server, folder), kills_wanted() // 2)


def kill_and_check(storage, wanted):
    assert binary()
    seed = int(os.environ.get("WEIR_KILLS_SEED") or random.randrange(1_000_000))
    print(f"WEIR_KILLS_SEED={seed}")
    lanes = [Lane(number, seed, wanted // LANES, storage) for number in range(LANES)]
    began = time.monotonic()
    # A thread a lane until the end: Weir dies with the thread that has started it.
    with ThreadPoolExecutor(LANES) as pool:
        for lane in [pool.submit(lane.follow) for lane in lanes]:
            lane.result()
    kills = sum(lane.kills for lane in lanes)
    duplicates = sum(lane.check() for lane in lanes)
    at_place, not_reached = collections.Counter(), collections.Counter()
    for lane in lanes:
        at_place.update(lane.at_place)
        not_reached.update(lane.not_reached)
    changes = sum(len(statuses) for lane in lanes for statuses in lane.expected.values())
    print(f"{kills} kills in {time.monotonic() - began:.0f} s, {sum(at_place.values())} of them at named places "
          f"({sum(not_reached.values())} were not passed: {dict(not_reached)}), {changes} changes, {duplicates} duplicates")
    print(", ".join(f"{place}: {at_place[place]}" for place in PLACES))
    assert kills >= wanted - LANES
    never = [place for place in PLACES if at_place[place] == 0]
    assert not never or wanted < 100, f"never passed: {never}"


def test_the_places_are_those_of_the_program(tmp_path):
    (tmp_path / "weir.yml").write_text(json.dumps({"kafka": [{"name": "none", "brokers": "127.0.0.1:1"}]}))
    done = subprocess.run([binary(), "run", "--config", tmp_path / "weir.yml"], capture_output=True, text=True, timeout=20,
                          env={**os.environ, "WEIR_FAILPOINTS": "nowhere=kill"})
    assert done.returncode == 2
    assert "there are " + ", ".join(PLACES) in done.stderr, done.stderr
