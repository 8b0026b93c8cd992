"""A SQLite file that is overwritten, or turns read-only, under a running Weir."""

import shutil
import sqlite3
import subprocess

import pytest

from support.http import request
from support.loads import told, unwritten
from support.wait import until
from support.weir import Weir, binary

PAGE = 4096


def with_a_long_history(weir):
    """More than SQLite has in memory: pages that are read from the file when somebody asks for them."""
    with sqlite3.connect(weir.folder / "weir.db") as database:
        database.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000) "
            "INSERT INTO incidents (id, incident_key, title, severity, cause, labels, opened_at, resolved_at, search_text) "
            "SELECT 'old' || i, 'k' || i, 'An incident of long ago', 'info', '', '[]', i, i + 1, 'an incident of long ago' "
            "FROM n")
    database.close()


def ready_with_history(config, page, webhook, start_weir):
    page.loads = {"a": 1, "b": 1}
    weir = start_weir(config)
    until("they are told", lambda: told(webhook, "firing") == {"a": 1, "b": 1})
    weir.stop()
    with_a_long_history(weir)
    weir.start()
    return weir


def overwrite(weir, pages):
    file = weir.folder / "weir.db"
    size = file.stat().st_size // PAGE
    with open(file, "r+b") as database:
        for number in pages(size):
            database.seek((number - 1) * PAGE)
            database.write(b"\xa5" * PAGE)


def search(weir):
    """Reads the whole history."""
    return request(f"{weir.url}/api/weir/v1/incidents?state=resolved&q=nothing+of+the+kind", timeout=30)


def set_aside(weir):
    return [file for file in weir.folder.glob("weir.db.corrupt-*") if not file.name.endswith(("-wal", "-shm"))]


def goes_on_as_before(weir, page, webhook):
    """What fires was not told again, and its end is told once, also after a restart."""
    until("it is whole again", lambda: weir.sample("weir_storage_state", state="open") == 1 and not unwritten(weir))
    page.loads = {"a": 0, "b": 1, "c": 1}
    until("what changes is told", lambda: told(webhook, "resolved") == {"a": 1} and "c" in told(webhook, "firing"))
    weir.stop()
    weir.start()
    page.loads = {"a": 0, "b": 0, "c": 0}
    until("so it is after a restart", lambda: told(webhook, "resolved") == {"a": 1, "b": 1, "c": 1})
    assert told(webhook, "firing") == {"a": 1, "b": 1, "c": 1}
    checked = subprocess.run([weir.command()[0], "db", "check", "--config", weir.config_file], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("which", ["some pages", "every page but the first", "every page"])
def test_pages_that_are_overwritten_while_weir_runs(which, config, page, webhook, start_weir):
    weir = ready_with_history(config, page, webhook, start_weir)
    overwrite(weir, {"some pages": lambda size: range(size // 2, size // 2 + 40),
                     "every page but the first": lambda size: range(2, size + 1),
                     "every page": lambda size: range(1, size + 1)}[which])
    search(weir)
    until("it is set aside", lambda: weir.sample("weir_storage_set_aside_total") == 1)
    assert len(set_aside(weir)) == 1
    assert "the database is damaged" in weir.log()
    until("people hear of it", lambda: webhook.alerts("WeirStorageSetAside", "firing"))
    until("it can be searched again", lambda: search(weir).status == 200)
    if which == "some pages":
        with sqlite3.connect(weir.folder / "weir.db") as database:
            assert database.execute("SELECT count(*) FROM incidents").fetchone()[0] > 20_000, "the rest was saved"
        database.close()
    goes_on_as_before(weir, page, webhook)


def test_a_file_that_is_no_database_any_more_at_the_start(config, page, webhook, start_weir):
    weir = ready_with_history(config, page, webhook, start_weir)
    weir.stop()
    overwrite(weir, lambda size: range(1, size + 1))
    weir.start()
    assert len(set_aside(weir)) == 1
    until("it is an alert", lambda: weir.alerts("WeirStorageSetAside"))


READ_ONLY = r"""
// Preloaded into Weir: while the file that WEIR_READ_ONLY names is there, what is beside it is on a read-only disk.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int refused(int file) {
  const char* flag = getenv("WEIR_READ_ONLY");
  if (flag == NULL || access(flag, F_OK) != 0) return 0;
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  const ssize_t size = readlink(link, path, sizeof path - 1);
  if (size <= 0) return 0;
  path[size] = 0;
  if (strstr(path, "weir.db") == NULL) return 0;
  errno = EROFS;
  return 1;
}
#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
ssize_t pwrite64(int file, const void* data, size_t size, off64_t at) {
  return refused(file) ? -1 : NEXT(pwrite64)(file, data, size, at);
}
ssize_t pwrite(int file, const void* data, size_t size, off_t at) {
  return refused(file) ? -1 : NEXT(pwrite)(file, data, size, at);
}
ssize_t write(int file, const void* data, size_t size) { return refused(file) ? -1 : NEXT(write)(file, data, size); }
int ftruncate64(int file, off64_t size) { return refused(file) ? -1 : NEXT(ftruncate64)(file, size); }
int ftruncate(int file, off_t size) { return refused(file) ? -1 : NEXT(ftruncate)(file, size); }
"""


@pytest.fixture
def read_only_disk(tmp_path):
    """A library that makes writing fail with EROFS, as the kernel does once it has found errors on a disk; the real thing
    needs one that breaks."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("g++")
    (tmp_path / "read_only.c").write_text(READ_ONLY)
    library = tmp_path / "read_only.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-x", "c", "-o", library, tmp_path / "read_only.c", "-ldl"], check=True)
    return library, tmp_path / "read-only"


class OnReadOnlyDisk(Weir):
    def __init__(self, config, library, flag):
        super().__init__(config)
        self.library, self.flag = library, flag

    def environment(self):
        return {**super().environment(), "LD_PRELOAD": str(self.library), "WEIR_READ_ONLY": str(self.flag)}


def test_a_disk_that_turns_read_only(config, page, webhook, read_only_disk):
    library, flag = read_only_disk
    weir = OnReadOnlyDisk(config, library, flag).start()
    try:
        flag.touch()
        page.loads = {"a": 1}
        until("people hear of it", lambda: webhook.alerts("WeirStorageFailing", "firing"), 60)
        assert weir.alerts("Load") and not told(webhook, "firing")
        assert "could not be stored and are kept in memory" in weir.log()
        page.loads = {"a": 0}
        until("a ends meanwhile", lambda: not weir.alerts("Load"))
        flag.unlink()
        until("all is told", lambda: told(webhook, "resolved") == {"a": 1}, 60)
        assert told(webhook, "firing") == {"a": 1}
    finally:
        assert weir.stop() == 0


def test_a_disk_that_is_read_only_at_the_start(config, page, webhook, read_only_disk):
    library, flag = read_only_disk
    weir = OnReadOnlyDisk(config, library, flag)
    try:
        page.loads = {"a": 1}
        weir.start()
        until("a is told", lambda: told(webhook, "firing") == {"a": 1})
        weir.stop()
        flag.touch()
        weir.start()
        until("it is away", lambda: weir.sample("weir_storage_state", state="away") == 1)
        until("people hear of it", lambda: webhook.alerts("WeirStorageFailing", "firing"), 60)
        page.loads = {"a": 0}
        until("it judges all the same", lambda: weir.query("count(load == 0)"))
        flag.unlink()
        until("the end is told", lambda: told(webhook, "resolved") == {"a": 1}, 60)
        assert told(webhook, "firing") == {"a": 1}
    finally:
        assert weir.stop() == 0


def db(*arguments):
    done = subprocess.run([binary(), "db", *arguments], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def test_commands_say_what_is_wrong_and_what_to_do(config, page, webhook, start_weir, tmp_path):
    weir = ready_with_history(config, page, webhook, start_weir)
    weir.stop()
    file = weir.folder / "weir.db"
    status, out, _ = db("check", file)
    assert status == 0 and out.endswith("ok\n"), out
    status, _, error = db("backup", tmp_path / "sound.db", "--database", file)
    assert status == 0 and "written and sound" in error, error
    overwrite(weir, lambda size: range(size // 2, size // 2 + 40))
    status, out, _ = db("check", file)
    assert status == 1 and "not sound; a Weir that starts on it sets it aside" in out, out
    status, _, error = db("backup", tmp_path / "damaged.db", "--database", file)
    assert status == 1 and "written, and as damaged as" in error and (tmp_path / "damaged.db").exists(), error
    status, _, error = db("export", tmp_path / "all.jsonl", "--database", file)
    assert status == 1 and "a Weir that starts on it" in error and not (tmp_path / "all.jsonl").exists(), error
    with sqlite3.connect(tmp_path / "newer.db") as copy, sqlite3.connect(tmp_path / "sound.db") as sound:
        sound.backup(copy)
        copy.execute("PRAGMA user_version = 99")
    status, out, _ = db("check", tmp_path / "newer.db")
    assert status == 1 and "written by a newer Weir (schema 99" in out and "start it with that Weir" in out, out
    with sqlite3.connect(tmp_path / "foreign.db") as foreign:
        foreign.execute("CREATE TABLE theirs (x)")
    for command in (["check"], ["export", "-"], ["backup", tmp_path / "copy.db"]):
        status, _, error = db(*command, "--database", tmp_path / "none.db")
        assert status == 1 and "none.db: there is no such file" in error, error
        status, _, error = db(*command, "--database", tmp_path / "foreign.db")
        assert status == 1 and 'of something else (it has a table "theirs")' in error, error
        status, _, error = db(*command, "--database", tmp_path)
        assert status == 1 and "is no file but a folder" in error, error
    assert not (tmp_path / "copy.db").exists()
