"""What the server itself counts: nothing is read while nothing is written, and freshness goes on ageing."""

import time

import psycopg
import pytest

from support.postgres import Postgres
from support.wait import always, until

CHECKS = """
checks for untouched:
  - row_count = 1000
  - max(n) = 1000
  - missing_count(n) = 0
  - freshness(at) < 1h
"""


@pytest.fixture(scope="module")
def own_postgres():
    """A server without other sessions: those that may hold counts back keep the gate shut."""
    with Postgres() as postgres:
        postgres.execute("CREATE TABLE untouched (n int PRIMARY KEY, at timestamptz)")
        postgres.execute("INSERT INTO untouched SELECT i, now() FROM generate_series(1, 1000) i")
        postgres.execute("CREATE ROLE watcher LOGIN PASSWORD 'watcher'")
        postgres.execute("GRANT SELECT ON untouched TO watcher; GRANT pg_read_all_stats TO watcher")
        yield postgres


def scans(postgres):
    """Scans of the table and of its index, and rows that these read."""
    return postgres.execute(
        "SELECT seq_scan + idx_scan, seq_tup_read FROM pg_stat_user_tables WHERE relname = 'untouched'")[0]


def reused(weir):
    return weir.sample("weir_dataset_scan_reused", dataset="untouched")


def test_an_untouched_table_is_not_read_again(own_postgres, start_weir, tmp_path):
    (tmp_path / "checks.yml").write_text(CHECKS)
    url = own_postgres.address_of("postgres", "watcher").replace("@", ":watcher@")
    weir = start_weir({"sources": [{"name": "wh", "type": "postgres", "url": url}],
                       "checks": [{"source": "wh", "files": [str(tmp_path / "checks.yml")], "interval": "1s"}]})
    until("the scan is reused", lambda: reused(weir) == 1, timeout=120)

    def settled():
        before = scans(own_postgres)
        time.sleep(2)  # a session's own counts come a second late
        return before == scans(own_postgres)
    until("the server's counts stand still", settled, timeout=60)

    before, age = scans(own_postgres), weir.sample("weir_dataset_freshness_seconds", dataset="untouched")
    cycle = weir.collector("checks/wh")["last_success"]
    until("more cycles", lambda: weir.collector("checks/wh")["last_success"] > cycle + 4)
    time.sleep(2)
    assert scans(own_postgres) == before
    assert reused(weir) == 1
    grown = weir.sample("weir_dataset_freshness_seconds", dataset="untouched") - age
    assert 4 <= grown < 60, "the newest value is kept, its age is not"
    assert weir.sample("weir_check_status", dataset="untouched", check="row_count = 1000") == 0

    own_postgres.execute("INSERT INTO untouched VALUES (1001, now())")
    until("the new row is seen", lambda: weir.sample("weir_dataset_row_count", dataset="untouched") == 1001)
    assert weir.sample("weir_check_status", dataset="untouched", check="row_count = 1000") == 2
    until("the scan is counted", lambda: scans(own_postgres)[0] > before[0])
    until("it settles again", lambda: reused(weir) == 1, timeout=120)

    # No counter of writes moves with the catalog.
    own_postgres.execute("ALTER TABLE untouched RENAME COLUMN n TO m")
    until("the column is missed",
          lambda: weir.sample("weir_check_status", dataset="untouched", check="missing_count(n) = 0") == 3)
    own_postgres.execute("ALTER TABLE untouched RENAME COLUMN m TO n")
    until("it is there again",
          lambda: weir.sample("weir_check_status", dataset="untouched", check="missing_count(n) = 0") == 0)


def test_a_role_that_may_not_see_other_sessions_reads_each_time(own_postgres, start_weir, tmp_path):
    (tmp_path / "checks.yml").write_text(CHECKS.replace("1000", "1001"))
    own_postgres.execute("CREATE ROLE blind LOGIN PASSWORD 'blind'; GRANT SELECT ON untouched TO blind")
    url = own_postgres.address_of("postgres", "blind").replace("@", ":blind@")
    weir = start_weir({"sources": [{"name": "wh", "type": "postgres", "url": url}],
                       "checks": [{"source": "wh", "files": [str(tmp_path / "checks.yml")], "interval": "1s"}]})
    with psycopg.connect(own_postgres.address_of("postgres"), password=own_postgres.password):
        until("a scan with the other session there", lambda: reused(weir) == 0)
        always("it is read", lambda: reused(weir) == 0, 5)
