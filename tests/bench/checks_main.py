"""Runs the same check file with Weir and Soda Core on one PostgreSQL, in turn; no figure fails the run.

Side by side it is the two command lines, `weir check run` and `soda scan`; the database time is what the server spends on
planning and running statements, and the processor time is the client's own, whatever else the machine does. Incremental
measuring needs a process that goes on, which is checks_run. Build both with the preset bench: weir, checks_run.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from support import process
from support.postgres import Postgres
from support.weir import ROOT

SODA = "soda-core-postgres==3.5.6"

CHECKS = """\
checks for fct_orders:
  - row_count > 0
  - missing_count(customer_id) = 0
  - missing_count(amount) = 0
  - missing_percent(note) < 50
  - duplicate_count(order_id) = 0
  - invalid_count(status) = 0:
      valid values: [new, paid, shipped, returned]
  - invalid_count(email) = 0:
      valid regex: '^[a-z0-9]+@example[.]com$'
  - invalid_count(amount) = 0:
      valid min: 0
  - min(amount) >= 0
  - max(amount) < 1000
  - avg(amount) between 1 and 999
  - sum(amount) > 0
  - stddev(amount) > 0
  - avg_length(status) between 1 and 20
{percentile}\
  - freshness(loaded_at) < 1d
  - schema:
      fail:
        when required column missing: [order_id, customer_id, amount, status, loaded_at]
"""
PERCENTILE = "  - percentile(amount, 0.95) < 1000\n"
INCREMENTAL = "configurations for fct_orders:\n  incremental: {column: loaded_at, lateness: 2h}\n"

ROWS = """
    SELECT i, i %% 100000, (i::bigint * 7919 %% 99991) / 100.0, (ARRAY['new', 'paid', 'shipped', 'returned'])[1 + i %% 4],
           'user' || i %% 5000 || '@example.com', CASE WHEN i %% 5 = 0 THEN NULL ELSE 'note ' || i END,
           now() - (%s) * interval '10 second' FROM generate_series(%s, %s) i
"""


class CountingPostgres(Postgres):
    """Counts the time of statements, and has the memory of a small server."""

    def command(self):
        settings = {"shared_preload_libraries": "pg_stat_statements", "pg_stat_statements.track_planning": "on",
                    "shared_buffers": "512MB", "work_mem": "64MB",
                    "max_wal_size": "4GB", "jit": "off"}
        return super().command() + [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]

    def counted(self):
        """Milliseconds in the database, statements, and scans of the whole table since the last call."""
        spent, calls = self.execute(
            "SELECT coalesce(sum(total_exec_time + total_plan_time), 0), coalesce(sum(calls), 0) FROM pg_stat_statements "
            "WHERE query NOT LIKE '%pg_stat_statements%'")[0]
        time.sleep(1.5)  # counts of a session that goes on come a second late
        scans = self.execute("SELECT pg_stat_clear_snapshot(), seq_scan FROM pg_stat_user_tables "
                             "WHERE relname = 'fct_orders'")[0][1]
        before, self.scans = getattr(self, "scans", 0), scans
        self.execute("SELECT pg_stat_statements_reset()")
        return spent, calls, scans - before


class Driver:
    """checks_run, one run for each call of `run`."""

    def __init__(self, url, file, runs):
        self.first = True
        self.began = time.perf_counter()
        self.process = subprocess.Popen([ROOT / "build/bench/bin/checks_run", url, file, str(runs)], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def run(self):
        if not self.first:
            self.process.stdin.write("\n")
            self.process.stdin.flush()
        self.first = False
        head = self.process.stdout.readline().split()
        statements = []
        while (line := self.process.stdout.readline()) not in ("done\n", ""):
            statements.append(line.rstrip())
        assert head and head[0] == "run" and head[3] == "0", f"checks of Weir did not pass: {head}"
        return float(head[1]), statements

    def end(self):
        self.process.stdin.close()
        assert self.process.wait() == 0
        return time.perf_counter() - self.began


def binary():
    return Path(os.environ.get("WEIR_BINARY") or ROOT / "build/bench/bin/weir")


def soda_program():
    folder = ROOT / "build/soda-3.5.6"
    program = folder / "bin/soda"
    if not program.exists():
        print("installing", SODA, "...", flush=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([folder / "bin/pip", "install", "--quiet", SODA, "setuptools"], check=True)
    return program


def soda_configuration(postgres):
    return (f"data_source bench:\n  type: postgres\n  host: 127.0.0.1\n  port: '{postgres.port}'\n"
            f"  username: {postgres.role}\n  password: {postgres.password}\n  database: postgres\n  schema: public\n")


def fill(postgres, rows):
    postgres.execute("CREATE EXTENSION pg_stat_statements")
    postgres.execute("CREATE TABLE fct_orders (order_id bigint PRIMARY KEY, customer_id int, amount numeric(10,2), "
                     "status varchar(20), email text, note text, loaded_at timestamptz)")
    postgres.execute(f"INSERT INTO fct_orders {ROWS % (f'{rows} - i', 1, rows)}")
    postgres.execute("CREATE INDEX ON fct_orders (loaded_at)")
    postgres.execute("VACUUM ANALYZE fct_orders")


def row(name, took, counted, processor=None):
    spent, calls, scans = counted
    own = "" if processor is None else f"{processor:12.3f} s"
    print(f"{name:38}{scans:7}{calls:12}{spent / 1000:14.3f} s{took:12.3f} s{own}", flush=True)
    return spent / 1000, took, processor


def timed(command):
    """What a command line prints, its seconds, and its seconds of the processor."""
    def used():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime
    before, began = used(), time.perf_counter()
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    return done, time.perf_counter() - began, used() - before


def side_by_side(postgres, folder, rounds):
    program = soda_program()
    (folder / "soda.yml").write_text(soda_configuration(postgres))
    (folder / "all.yml").write_text(CHECKS.format(percentile=PERCENTILE))
    ours, theirs = [], []
    for _ in range(rounds):  # in turn, so that both see the same machine
        postgres.counted()
        done, took, processor = timed([program, "scan", "-d", "bench", "-c", folder / "soda.yml", folder / "all.yml"])
        assert "17/17 checks PASSED" in done.stdout, done.stdout[-3000:]
        theirs.append(row("Soda 3.5.6, 17 checks", took, postgres.counted(), processor))
        done, took, processor = timed([binary(), "check", "run", folder / "all.yml", "--url", postgres.url,
                                       "--format", "json"])
        passed = json.loads(done.stdout)["summary"]["pass"]
        assert done.returncode == 0 and passed == 17, done.stdout[-3000:] + done.stderr
        ours.append(row("Weir, 17 checks", took, postgres.counted(), processor))
    (mine, process_mine, own_mine), (yours, process_yours, own_yours) = (
        [statistics.median(column) for column in zip(*side)] for side in (ours, theirs))
    print(f"\nmedian: database time {mine / yours:.2f} of Soda's; outside the database Weir {process_mine - mine:.3f} s, "
          f"Soda {process_yours - yours:.3f} s; of the processor Weir {own_mine:.3f} s, Soda {own_yours:.3f} s\n")


def incremental(postgres, folder, rows, percentile):
    name = "17 checks" if percentile else "16 checks, no percentile"
    file = folder / "incremental.yml"
    file.write_text(INCREMENTAL + CHECKS.format(percentile=percentile))
    postgres.counted()  # before the driver, whose first run begins at once
    driver = Driver(postgres.url, file, 3)
    full, _ = driver.run()
    full_time = row(f"Weir incremental, full, {name}", full, postgres.counted())
    top = postgres.execute("SELECT max(order_id) FROM fct_orders")[0][0]
    postgres.execute(f"INSERT INTO fct_orders {ROWS % ('0', top + 1, top + rows // 1000)}")
    time.sleep(2)
    postgres.counted()
    again, statements = driver.run()
    time_again = row(f"  after {rows // 1000} new rows", again, postgres.counted())
    idle, _ = driver.run()
    row("  nothing new", idle, postgres.counted())
    driver.end()
    print(f"  {100 * time_again[0] / full_time[0]:.1f} % of the full scan's database time, "
          f"{100 * again / full:.1f} % of its time\n")
    return statements


def main():
    parser = argparse.ArgumentParser(prog="tests/bench/checks", description=__doc__)
    parser.add_argument("--rows", type=int, default=3_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--statements", action="store_true", help="print what Weir asked after the new rows")
    chosen = parser.parse_args()
    process.handle_signals()
    with CountingPostgres() as postgres, tempfile.TemporaryDirectory() as temporary:
        print(f"filling fct_orders with {chosen.rows} rows ...", flush=True)
        fill(postgres, chosen.rows)
        print(f"{'':38}{'scans':>7}{'statements':>12}{'in database':>16}{'as process':>14}{'processor':>14}")
        side_by_side(postgres, Path(temporary), chosen.rounds)
        print("scans are pg_stat_user_tables.seq_scan, which counts each worker of a parallel scan\n")
        for percentile in ("", PERCENTILE):
            statements = incremental(postgres, Path(temporary), chosen.rows, percentile)
            if chosen.statements:
                print("\n".join(statements))


if __name__ == "__main__":
    main()
