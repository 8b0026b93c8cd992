"""Where Weir keeps what it must not forget: PostgreSQL that is killed, a disk that is full, a file that is damaged."""

import json
import os
import resource
import shutil
import sqlite3
import subprocess
import threading
import time

import pytest

from support.loads import kept_transitions, kill_server, start_server, told, unwritten
from support.postgres import Postgres
from support.wait import until
from support.weir import binary


@pytest.fixture(scope="module")
def server():
    """One that tests may kill."""
    with Postgres() as postgres:
        yield postgres


@pytest.fixture
def database(server, request):
    name = request.node.name.removeprefix("test_")[:60]
    server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    server.execute(f"CREATE DATABASE {name}")
    return name


@pytest.fixture
def on_server(config, server, database, tmp_path):
    (tmp_path / "password").write_text(server.password)
    return {**config, "storage": {"url": server.address_of(database), "password_file": str(tmp_path / "password"),
                                  "connect_timeout": "2s", "statement_timeout": "3s"}}


def test_weir_on_postgresql_goes_on_where_it_was(on_server, server, database, page, webhook, start_weir):
    page.loads = {"a": 1}
    weir = start_weir(on_server)
    until("a is told", lambda: told(webhook, "firing") == {"a": 1})
    weir.stop()
    assert not list(weir.folder.glob("weir.db")), "nothing but the series is kept in files"
    weir.start()
    page.loads = {"a": 0}
    until("its end is told", lambda: told(webhook, "resolved") == {"a": 1})
    assert told(webhook, "firing") == {"a": 1}
    assert kept_transitions(server, database)[-1] == ("a", "inactive")
    assert server.password not in weir.log()


def test_killed_postgresql_loses_and_doubles_nothing(on_server, server, database, page, webhook, start_weir):
    """The server is killed again and again while alerts begin and end."""
    weir = start_weir(on_server)
    hosts = 0
    stop = threading.Event()

    def churn():
        nonlocal hosts
        while not stop.is_set():
            page.loads = {**{host: 0 for host in page.loads}, f"h{hosts}": 1}
            hosts += 1
            time.sleep(1.3)  # longer than a scrape's interval: each value is seen

    worker = threading.Thread(target=churn)
    worker.start()
    try:
        for _ in range(5):
            before = len(webhook.requests)
            until("notifications go out", lambda before=before: len(webhook.requests) > before, 60)
            kill_server(server)
            until("Weir says so", lambda: unwritten(weir) > 0, 60)
            start_server(server)
            until("all is written", lambda: unwritten(weir) == 0, 60)
    finally:
        stop.set()
        worker.join()
    page.loads = {host: 0 for host in page.loads}
    everyone = {f"h{i}" for i in range(hosts)}
    until("each end is told", lambda: set(told(webhook, "resolved")) == everyone, 60)
    assert told(webhook, "firing") == {host: 1 for host in everyone}
    assert told(webhook, "resolved") == {host: 1 for host in everyone}
    kept = kept_transitions(server, database)
    for host in everyone:
        assert [to for of, to in kept if of == host] == ["firing", "inactive"], host
    keys = [headers.get("Idempotency-Key") for _, headers, _ in webhook.requests]
    assert len(keys) == len(set(keys))


def test_while_postgresql_is_away_that_is_told(on_server, server, page, webhook, start_weir):
    weir = start_weir(on_server)
    kill_server(server)
    try:
        page.loads = {"a": 1}
        until("the alert fires", lambda: weir.alerts("Load"))
        until("it is on the page", lambda: weir.alerts("WeirStorageFailing"))
        until("people hear of the storage", lambda: webhook.alerts("WeirStorageFailing", "firing"))
        assert weir.sample("weir_storage_failures_total") > 0
        assert not webhook.alerts("Load", "firing"), "what is not stored is not sent"
    finally:
        start_server(server)
    until("a is told", lambda: told(webhook, "firing") == {"a": 1}, 60)
    assert len(webhook.alerts("WeirStorageFailing", "firing")) == 1


def test_commands_work_beside_a_weir_on_postgresql(on_server, server, database, page, webhook, start_weir, tmp_path):
    page.loads = {"a": 1}
    weir = start_weir(on_server)
    until("a is told", lambda: told(webhook, "firing") == {"a": 1})
    checked = db(weir, "check")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "transitions" in checked.stdout and checked.stdout.endswith("ok\n")
    exported = db(weir, "export", tmp_path / "all.jsonl")
    assert exported.returncode == 0, exported.stderr
    types = [json.loads(line)["type"] for line in (tmp_path / "all.jsonl").read_text().splitlines()]
    assert types[0] == "weir_export" and {"alert", "incident", "transition", "message"} <= set(types)
    refused = db(weir, "backup", tmp_path / "copy.db")
    assert refused.returncode == 2 and "pg_dump" in refused.stderr and server.password not in refused.stderr
    done = subprocess.run([binary(), "measurements", "export", "--config", weir.config_file], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith("check,time"), done.stderr


def measurements(weir, *arguments):
    return subprocess.run([binary(), "measurements", "export", "--config", weir.config_file, *arguments],
                          capture_output=True, text=True, timeout=60)


def db(weir, *arguments):
    command = [binary(), "db", arguments[0], "--config", weir.config_file, *arguments[1:]]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_commands_work_beside_a_weir_on_a_file(config, page, webhook, start_weir, tmp_path):
    page.loads = {"a": 1}
    weir = start_weir(config)
    until("a is told", lambda: told(webhook, "firing") == {"a": 1})
    assert db(weir, "check").stdout.endswith("ok\n")
    assert db(weir, "backup", tmp_path / "copy.db").returncode == 0
    assert db(weir, "check", "--database", tmp_path / "copy.db").stdout.endswith("ok\n")
    assert [file.name for file in tmp_path.glob("copy.db*")] == ["copy.db"], "one file"
    none = measurements(weir, "--check", "nope")
    assert none.returncode == 1 and 'no check is named "nope"' in none.stderr and not none.stdout
    again = db(weir, "backup", tmp_path / "copy.db")
    assert again.returncode == 1 and "is there already" in again.stderr
    (tmp_path / "empty.db").touch()
    for command in ("check", "backup"):
        refused = subprocess.run([binary(), "db", command, "--database", tmp_path / "empty.db",
                                  *([tmp_path / "of_empty.db"] if command == "backup" else [])], capture_output=True, text=True)
        assert refused.returncode == 1 and "empty.db: is empty: no Weir has written to it" in refused.stderr, refused
    assert not (tmp_path / "of_empty.db").exists()
    with sqlite3.connect(tmp_path / "copy.db") as copy:
        assert copy.execute("SELECT count(*) FROM transitions").fetchone()[0] > 0
    assert json.loads(db(weir, "export", "-").stdout.splitlines()[0])["type"] == "weir_export"


def test_a_damaged_file_is_set_aside_and_what_can_be_read_is_saved(config, page, webhook, start_weir):
    page.loads = {"a": 1}
    weir = start_weir(config)
    until("a is told", lambda: told(webhook, "firing") == {"a": 1})
    weir.stop()
    file = weir.folder / "weir.db"
    with sqlite3.connect(file) as database:
        index = database.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'transitions_at'").fetchone()[0]
    with open(file, "r+b") as pages:
        pages.seek((index - 1) * 4096)
        pages.write(b"\xa5" * 4096)
    weir.start()
    assert list(weir.folder.glob("weir.db.corrupt-*"))
    assert "was damaged and is set aside" in weir.log()
    until("it is an alert", lambda: weir.alerts("WeirStorageSetAside"))
    kept, = weir.folder.glob("weir.db.corrupt-*")
    until("its cause says where the file is", lambda: any(str(kept) in each["cause"] for each in weir.incidents()))
    assert weir.sample("weir_storage_set_aside_total") == 1
    page.loads = {"a": 0}
    until("the end of what was saved is told", lambda: told(webhook, "resolved") == {"a": 1})
    assert told(webhook, "firing") == {"a": 1}


class SmallDisk:
    """A file system of 16 MB; where none can be mounted, files that may not grow."""

    def __init__(self, folder):
        self.folder = folder
        mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "weir-test", folder]
        self.mounted = subprocess.run(mount, capture_output=True).returncode == 0

    def fill(self, weir):
        if not self.mounted:
            size = max(file.stat().st_size for file in self.folder.iterdir())
            return resource.prlimit(weir.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        with open(self.folder / "filler", "wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(b"x" * 4096)
            except OSError:
                pass

    def heal(self, weir):
        if self.mounted:
            os.truncate(self.folder / "filler", 0)
        else:
            resource.prlimit(weir.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    def remove(self):
        if self.mounted:
            subprocess.run(["umount", "--lazy", self.folder], check=True)


@pytest.fixture
def small_disk(tmp_path):
    (tmp_path / "disk").mkdir()
    disk = SmallDisk(tmp_path / "disk")
    yield disk
    disk.remove()


def test_a_full_disk_is_told_and_heals(config, small_disk, page, webhook, start_weir):
    weir = start_weir({**config, "storage": {"path": str(small_disk.folder / "weir.db")}})
    small_disk.fill(weir)
    page.loads = {f"h{i}": 1 for i in range(30)}
    until("people hear of the storage", lambda: webhook.alerts("WeirStorageFailing", "firing"), 60)
    until("the metric says how much waits", lambda: unwritten(weir) > 0)
    small_disk.heal(weir)
    until("all is told", lambda: len(told(webhook, "firing")) == 30, 60)
    until("nothing waits any more", lambda: unwritten(weir) == 0)
    assert set(told(webhook, "firing").values()) == {1}


class ServerDisk:
    """Of a database of PostgreSQL: a table space on a small disk; where none can be mounted, what a full one answers."""

    def __init__(self, server, database):
        (server.folder / "disk").mkdir()
        self.disk, self.server, self.database = SmallDisk(server.folder / "disk"), server, database
        if self.disk.mounted:
            shutil.chown(self.disk.folder, server.user)
            server.execute(f"CREATE TABLESPACE small LOCATION '{self.disk.folder}'")
            server.execute(f"ALTER DATABASE {database} SET TABLESPACE small")

    def fill(self, weir):
        if self.disk.mounted:
            return self.disk.fill(weir)
        self.server.execute("CREATE FUNCTION weir.full() RETURNS trigger LANGUAGE plpgsql AS "
                            "$$ BEGIN RAISE 'could not extend file' USING ERRCODE = '53100'; END $$", self.database)
        self.server.execute("CREATE TRIGGER full_disk BEFORE INSERT ON weir.transitions EXECUTE FUNCTION weir.full()", self.database)

    def heal(self, weir):
        if self.disk.mounted:
            return self.disk.heal(weir)
        self.server.execute("DROP FUNCTION weir.full CASCADE", self.database)

    def remove(self):
        self.server.execute(f"DROP DATABASE {self.database} WITH (FORCE)")
        self.server.execute("DROP TABLESPACE IF EXISTS small")
        self.disk.remove()


@pytest.fixture
def server_disk(server, database):
    disk = ServerDisk(server, database)
    yield disk
    disk.remove()


def test_a_servers_full_disk_is_told_and_heals(on_server, server_disk, server, database, page, webhook, start_weir):
    weir = start_weir(on_server)
    server_disk.fill(weir)
    hosts = [f"h{i}" for i in range(60)]
    page.loads = {host: 1 for host in hosts}
    until("people hear of the storage", lambda: webhook.alerts("WeirStorageFailing", "firing"), 60)
    assert any("the server's disk is full" in payload["cause"] for payload in webhook.payloads("firing"))
    until("the metric says how much waits", lambda: unwritten(weir) > 0)
    page.loads = {host: 0 for host in hosts}
    until("they end meanwhile", lambda: not weir.alerts("Load"))
    server_disk.heal(weir)
    until("all is told", lambda: len(told(webhook, "resolved")) == 60, 60)
    until("nothing waits any more", lambda: unwritten(weir) == 0)
    assert set(told(webhook, "firing").values()) == set(told(webhook, "resolved").values()) == {1}
    kept = kept_transitions(server, database)
    for host in hosts:
        assert [to for of, to in kept if of == host] == ["firing", "inactive"]


def test_a_file_that_another_program_locks_is_waited_for(config, page, webhook, start_weir):
    weir = start_weir(config)
    other = sqlite3.connect(weir.folder / "weir.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    page.loads = {"a": 1}
    until("Weir says who holds it", lambda: "another process holds the database" in weir.log(), 60)
    assert weir.alerts("Load")
    other.execute("ROLLBACK")
    other.close()
    until("a is told", lambda: told(webhook, "firing") == {"a": 1}, 60)
