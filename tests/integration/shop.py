"""The shop that the scenario watches: its configuration for Weir, its schemas, its warehouse loader."""

import json
import re
import secrets
import threading

from support import kafka_clients
from support.weir import ROOT

ORDER_FIELDS = [{"name": "order_id", "type": "string"}, {"name": "amount", "type": "double"}]
NEW_FIELD = {"name": "channel", "type": "string"}
SUBJECT = "OrderPlaced-value"

CHECKS = """
checks for fct_daily_revenue:
  - row_count > 0:
      name: revenue is present
  - freshness(loaded_at) < 5s:
      name: revenue is fresh
  - change avg last 3 percent for row_count > -30%:
      name: the load is complete
checks for fct_orders:
  - row_count > 0:
      name: orders are present
  - missing_count(customer_id) = 0:
      name: every order has a customer
"""


def order_schema(*more_fields):
    return {"type": "record", "name": "OrderPlaced", "fields": [*ORDER_FIELDS, *more_fields]}


def quick_rules(folder):
    """The shipped rule files with every `for` of a minute or two cut to 2 s; returns the pattern for `rules.files`."""
    target = folder / "rules"
    target.mkdir()
    for path in sorted((ROOT / "rules").glob("*.yml")):
        text, cut = re.subn(r"^( +for: )[12]m$", r"\g<1>2s", path.read_text(), flags=re.MULTILINE)
        assert cut or "for:" not in text or "for: 5m" in text or "for: 10m" in text, path
        (target / path.name).write_text(text)
    return str(target / "*.yml")


def kafka_section(kafka, name="shop", **more):
    return {"name": name, "brokers": kafka.bootstrap, "interval": "1s", "request_timeout": "3s", **more}


def registry_section(url, name="shop", **more):
    return {"name": name, "url": url, "interval": "1s", "request_timeout": "3s", **more}


def notify_section(receiver):
    """Everything to one webhook."""
    return {"receivers": [{"name": "team", "webhook_configs": [{"url": f"{receiver.url}/hook"}]}],
            "route": {"receiver": "team", "group_wait": "0s", "group_interval": "1s"}}


class Warehouse:
    """A database with the shop's tables, and a role that may only read it."""

    def __init__(self, postgres, name, folder):
        self.postgres = postgres
        self.name = name
        self.reader = f"{name}_reader"
        self.password = secrets.token_hex(16)
        postgres.execute(f"CREATE ROLE {self.reader} LOGIN PASSWORD '{self.password}' IN ROLE pg_read_all_data")
        postgres.execute(f"CREATE DATABASE {name}")
        self.execute("CREATE TABLE fct_daily_revenue (day int, revenue numeric, loaded_at timestamptz);"
                     "CREATE TABLE fct_orders (order_id int, customer_id int, amount numeric);"
                     "INSERT INTO fct_orders SELECT n, n % 10, n FROM generate_series(1, 100) n")
        self.checks_file = folder / "checks.yml"
        self.checks_file.write_text(CHECKS)

    def source(self, **more):
        return {"name": "warehouse", "type": "postgres", "connect_timeout": "3s", "statement_timeout": "3s",
                "url": self.postgres.address_of(self.name, self.reader), "password": self.password, **more}

    def checks(self):
        return {"source": "warehouse", "files": [str(self.checks_file)], "interval": "1s"}

    def execute(self, sql):
        return self.postgres.execute(sql, database=self.name)

    def lock_out(self):
        """Changes the reader's password and ends its sessions."""
        self.postgres.execute(f"ALTER ROLE {self.reader} PASSWORD 'another'")
        self.postgres.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{self.reader}'")

    def let_in(self):
        self.postgres.execute(f"ALTER ROLE {self.reader} PASSWORD '{self.password}'")

    def load(self, rows):
        """One load of fct_daily_revenue: rewrites it whole."""
        self.execute(f"BEGIN; DELETE FROM fct_daily_revenue; INSERT INTO fct_daily_revenue "
                     f"SELECT n, n * 10, now() FROM generate_series(1, {rows}) n; COMMIT")


class Loader:
    """Loads `rows` rows every half second until it is stopped."""

    def __init__(self, warehouse, rows=100):
        self.warehouse = warehouse
        self.rows = rows
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(10)

    def _run(self):
        while not self._stop.is_set():
            self.warehouse.load(self.rows)
            self._stop.wait(0.5)


def fall_behind(kafka, group, topic, messages=12_000):
    """A group that has read `topic` stops, and `messages` arrive."""
    with kafka_clients.GroupMember(kafka, group, topic) as member:
        kafka_clients.produce(kafka, topic, 100)
        member.wait_for(100)
    kafka_clients.produce(kafka, topic, messages)


def catch_up(kafka, group, topic, messages=12_000):
    return kafka_clients.GroupMember(kafka, group, topic).wait_for(messages)


def write_schema(path, schema):
    path.write_text(json.dumps(schema))
    return str(path)
