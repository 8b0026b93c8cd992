"""The platform that the fault matrix breaks: Kafka, a second cluster of two brokers, Kafka Connect with Debezium, a schema
registry, PostgreSQL and node_exporter, with topics, readers, connectors and tables that faults happen to."""

import os
import random
import subprocess
import threading

from confluent_kafka import Producer

from integration import shop
from support import kafka_clients, process
from support.connect import Connect
from support.kafka import Kafka
from support.node_exporter import Disks, NodeExporter
from support.postgres import Postgres
from support.registry import Apicurio
from support.tcp_proxy import Line
from support.traffic import Reader, Traffic
from support.wait import until

CHECKS = """
checks for fm_stale:
  - freshness(loaded_at) < 20s
checks for fm_half:
  - freshness(loaded_at) < 10m
  - change avg last 3 percent for row_count > -30%
checks for fm_twice:
  - duplicate_count(id) = 0
checks for fm_column:
  - missing_count(customer) = 0
checks for fm_nulls:
  - missing_percent(customer) < 5%
checks for fm_mean:
  - avg(amount) between 90 and 110
checks for fm_empty:
  - row_count > 0
checks for fm_upstream_raw:
  - freshness(loaded_at) < 20s
checks for fm_upstream_model:
  - freshness(loaded_at) < 22s
checks for fm_loader:
  - freshness(loaded_at) < 30s
"""
LINK_CHECKS = """
checks for fct_orders:
  - row_count > 0
checks for fct_daily_revenue:
  - row_count > 0
"""


def schema(*more):
    return {"type": "record", "name": "Order", "fields": [{"name": "id", "type": "long"}, *more]}


class Tables(threading.Thread):
    """Loads every table once a second. `loads` is {table: statement}; without a statement it is not loaded."""

    def __init__(self, warehouse):
        super().__init__(daemon=True)
        self.loads = {}
        self.stopped = threading.Event()
        # A process of its own: its driver and Kafka's do not meet in this one's threads.
        postgres = warehouse.postgres
        self.session = subprocess.Popen(
            ["psql", "-q", "-X", postgres.address_of(warehouse.name)], stdin=subprocess.PIPE, text=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "PGPASSWORD": postgres.password})

    def fill(self, table, rows="100", customer="n % 10", amount="100", source=None):
        source = source or f"SELECT n, {customer}, {amount}, now() FROM generate_series(1, {rows}) n"
        self.loads[table] = f"BEGIN; DELETE FROM {table}; INSERT INTO {table} {source}; COMMIT"

    def run(self):
        while not self.stopped.wait(0.7):
            for statement in list(self.loads.values()):
                self.session.stdin.write(f"{statement};\n")
            self.session.stdin.flush()


class Platform:
    """All that is watched."""

    def __init__(self, folder, line):
        self.line = line
        # A broker that stays where it is, however busy the machine.
        self.kafka = Kafka("4.1.0", listeners={"LINE": "PLAINTEXT"}, properties={"broker.session.timeout.ms": 60_000})
        line.target = self.kafka.brokers[0].ports["LINE"]
        self.kafka.brokers[0].advertised["LINE"] = line.port
        # Its brokers copy from each other by ways of their own, which can be cut.
        self.pair = Kafka("4.1.0", brokers=2, listeners={"COPY": "PLAINTEXT"},
                          properties={"inter.broker.listener.name": "COPY", "replica.lag.time.max.ms": 5000})
        self.copying = [Line() for _ in self.pair.brokers]
        for way, broker in zip(self.copying, self.pair.brokers):
            way.target, broker.advertised["COPY"] = broker.ports["COPY"], way.port
            way.__enter__()
        self.registry = Apicurio()
        self.postgres = Postgres(settings={"wal_level": "logical"})
        self.exporter = NodeExporter()
        process.start_all(self.kafka, self.pair, self.registry, self.postgres, self.exporter)
        self.disks = Disks(self.exporter)
        self.connect = Connect(self.kafka).start()
        (folder / "link").mkdir()
        self.warehouse = shop.Warehouse(self.postgres, "matrix", folder)
        self.warehouse.checks_file.write_text(CHECKS)
        self.behind = shop.Warehouse(self.postgres, "behind", folder / "link")
        self.behind.checks_file.write_text(LINK_CHECKS)
        self.behind.load(10)
        self.folder = folder
        self.tables = Tables(self.warehouse)
        self.traffic = Traffic(self.kafka, noise=lambda: random.uniform(0.7, 1.3))
        self.readers = {}

    def topic(self, name, partitions=1, rate=0, reader=True, **more):
        kafka_clients.create_topic(self.kafka, f"fm-{name}", partitions)
        if rate:
            self.traffic.rates[f"fm-{name}"] = rate
        if reader:
            self.readers[name] = Reader(self.kafka, f"fm-{name}-readers", f"fm-{name}", **more)

    def burst(self, name, count=13_000):
        kafka_clients.produce(self.kafka, f"fm-{name}", count)

    def table(self, name, **more):
        self.warehouse.execute(f"CREATE TABLE {name} (id int, customer int, amount numeric, loaded_at timestamptz)")
        self.tables.fill(name, **more)

    def subject(self, name):
        assert self.registry.register(f"fm-{name}-value", schema()).status == 200
        self.registry.set_compatibility(f"fm-{name}-value", "BACKWARD")

    def commit(self, name, *offsets):
        kafka_clients.commit(self.kafka, f"fm-{name}-readers", f"fm-{name}", list(offsets))

    def bury(self, name, exception, count=5):
        """Dead letters as a listener of Spring writes them."""
        producer = Producer({"bootstrap.servers": self.kafka.bootstrap, "log_level": 0})
        headers = {"kafka_dlt-original-topic": f"fm-{name}".encode(), "kafka_dlt-exception-fqcn": exception.encode(),
                   "kafka_dlt-original-consumer-group": f"fm-{name}-readers".encode(),
                   "kafka_dlt-exception-message": b"cannot be read"}
        for _ in range(count):
            producer.produce(f"fm-{name}.dlt", b'{"order_id": 1}', headers=list(headers.items()))
        assert not producer.flush(30)

    def unbury(self, name, count=5):
        kafka_clients.delete_records(self.kafka, f"fm-{name}.dlt", {0: count})

    def sink(self, name, converter):
        kafka_clients.create_topic(self.kafka, f"fm-{name}", 1)
        self.connect.put(f"fm-{name}", {
            "connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector", "topics": f"fm-{name}",
            "file": str(self.folder / name), "value.converter": converter, "value.converter.schemas.enable": "false"})
        until(f"sink {name} runs", lambda: self.connect.states(f"fm-{name}") == ["RUNNING", "RUNNING"], 90)

    def capture(self, name):
        """Debezium, of a table that changes all the time."""
        table = f"fm_{name}_orders"
        self.warehouse.execute(f"CREATE TABLE {table} (id int PRIMARY KEY, changed timestamptz)")
        self.tables.loads[table] = (f"INSERT INTO {table} VALUES (1, now()) "
                                    "ON CONFLICT (id) DO UPDATE SET changed = excluded.changed")
        self.connect.put(f"fm-{name}", {
            "connector.class": "io.debezium.connector.postgresql.PostgresConnector", "topic.prefix": f"fm-{name}",
            "database.hostname": "127.0.0.1", "database.port": str(self.postgres.port),
            "database.user": self.postgres.role, "database.password": self.postgres.password,
            "database.dbname": self.warehouse.name, "plugin.name": "pgoutput", "table.include.list": f"public.{table}",
            "slot.name": f"fm_{name}", "publication.name": f"fm_{name}",
            "publication.autocreate.mode": "filtered"})  # of all tables it would forbid others to be emptied
        until(f"{name} is captured", lambda: self.connect.states(f"fm-{name}") == ["RUNNING", "RUNNING"], 90)

    def stop(self):
        self.tables.stopped.set()
        self.tables.session.kill()
        self.disks.stop()
        self.traffic.stop()
        for reader in self.readers.values():
            reader._stop.set()
        for server in (self.connect, self.kafka, self.pair, self.registry, self.postgres, self.exporter):
            server.kill()
        for way in self.copying:
            way.__exit__()
