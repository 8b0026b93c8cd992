"""Series outlive the process: told to end, killed, and with a snapshot that was damaged meanwhile."""

import sqlite3
import time

import pytest

from support import http, wait
from support.prometheus import instant_query
from support.weir import Weir

_CHECKS = "checks for orders:\n  - row_count > 0\n"


@pytest.fixture
def weir():
    weir = Weir({"sources": [{"name": "local", "type": "sqlite", "path": "shop.db"}],
                 "checks": [{"source": "local", "files": ["checks.yml"], "interval": "1s"}],
                 "series": {"retention": "1h"}})
    with sqlite3.connect(weir.folder / "shop.db") as database:
        database.execute("CREATE TABLE orders (id INTEGER)")
        database.execute("INSERT INTO orders VALUES (1), (2)")
    (weir.folder / "checks.yml").write_text(_CHECKS)
    yield weir
    weir.kill()


def _value(weir, query, at=None):
    found = instant_query(weir.url, query, at)
    return float(found[0]["value"][1]) if found else None


def _count_before(weir, began):
    """Samples of the row count from before the restart."""
    seconds = int(time.time() - began) + 1
    return _value(weir, f"count_over_time(weir_dataset_row_count[1h] offset {seconds}s)")


def test_what_was_measured_before_a_stop_is_there_after_it(weir):
    with weir:
        wait.until("two cycles", lambda: (_value(weir, "count_over_time(weir_dataset_row_count[1h])") or 0) >= 2)
    assert (weir.folder / "weir.db.series").exists()
    began = time.time()
    with weir:
        wait.until("the old samples", lambda: (_count_before(weir, began) or 0) >= 2)
        assert _value(weir, 'weir_series_snapshot_failures_total{operation="load"}') in (None, 0.0)


def test_a_damaged_snapshot_is_set_aside_and_the_daemon_starts(weir):
    with weir:
        wait.until("a cycle", lambda: _value(weir, "weir_dataset_row_count") == 2)
    snapshot = weir.folder / "weir.db.series"
    torn = snapshot.read_bytes()[:-3]
    snapshot.write_bytes(torn)
    with weir:
        wait.until("it is counted", lambda: _value(weir, 'weir_series_snapshot_failures_total{operation="load"}') == 1)
        wait.until("a cycle", lambda: _value(weir, "weir_dataset_row_count") == 2)
        kept = list(weir.folder.glob("weir.db.series.corrupt-*"))
        assert [path.read_bytes() for path in kept] == [torn]
        assert "set aside" in weir.log()
