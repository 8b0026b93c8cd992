"""Personal data, tables without checks and owner, and rows that should be gone: on real databases and a real Kafka."""

import json
import sqlite3

import pytest

from integration import shop
from support import kafka_clients
from support.mariadb import MariaDb
from support.wait import until

SCHEMA = """
CREATE TABLE users (id int PRIMARY KEY, email varchar(100), note varchar(200), created_at timestamp);
CREATE TABLE orders (id int PRIMARY KEY, comment_text varchar(200), amount double precision, account varchar(40));
CREATE TABLE stray (id int PRIMARY KEY, version varchar(20));
"""
SECRETS = ("jane@example.com", "DE89370400440532013000", "4111111111111111")

CHECKS = """
checks for users:
  - row_count > 0:
      attributes: {owner: crm}
  - retention:
      name: users are gone after a year
      column: created_at
      max_age: 365d
  - schema:
      fail:
        when required column missing: [id, email, note]
checks for orders:
  - missing_count(amount) = 0
"""


def statements(now, old):
    rows = [f"INSERT INTO users VALUES ({i}, 'u{i}@example.com', 'n', {now if i > 3 else old})" for i in range(1, 21)]
    rows += [f"INSERT INTO orders VALUES ({i}, 'call {SECRETS[0]}', 1.5, '{SECRETS[1]}')" if i < 3 else
             f"INSERT INTO orders VALUES ({i}, 'order {i}', 1.5, 'x{i}')" for i in range(1, 51)]
    return [*(part for part in SCHEMA.split(";") if part.strip()), *rows,
            *(f"INSERT INTO stray VALUES ({i}, '1.2.{i}')" for i in range(20))]


def postgres_source(postgres):
    postgres.execute("CREATE DATABASE governed")
    for statement in statements("now()", "now() - interval '400 days'"):
        postgres.execute(statement, "governed")
    return {"name": "warehouse", "type": "postgres", "url": postgres.address_of("governed"), "password": postgres.password}


def sqlite_source(folder):
    path = folder / "shop.db"
    with sqlite3.connect(path) as connection:
        for statement in statements("datetime('now')", "datetime('now', '-400 days')"):
            connection.execute(statement)
    return {"name": "warehouse", "type": "sqlite", "path": str(path)}


def mariadb_source(mariadb):
    mariadb.execute("CREATE DATABASE governed", None)
    for statement in statements("utc_timestamp()", "utc_timestamp() - interval 400 day"):
        mariadb.execute(statement, "governed")
    return {"name": "warehouse", "type": "mariadb", "host": "127.0.0.1", "port": mariadb.port, "user": mariadb.role,
            "password": mariadb.password, "database": "governed", "tls": "off"}


@pytest.fixture(params=["postgres", "sqlite", "mariadb"])
def source(request, tmp_path):
    if request.param == "postgres":
        yield postgres_source(request.getfixturevalue("postgres"))
    elif request.param == "sqlite":
        yield sqlite_source(tmp_path)
    else:
        with MariaDb() as mariadb:
            yield mariadb_source(mariadb)


def nowhere(weir):
    """No value is kept or shown."""
    shown = weir.log() + weir.get("/metrics").text + json.dumps(weir.overview()) + json.dumps(weir.incidents())
    for path in weir.folder.iterdir():
        if path.is_file() and path.suffix != ".yml":
            shown += path.read_bytes().decode("latin-1")
    for secret in SECRETS:
        assert secret not in shown, secret


def test_a_source_is_looked_through(source, rules, webhook, start_weir, tmp_path):
    (tmp_path / "checks.yml").write_text(CHECKS)
    weir = start_weir({
        "sources": [source],
        "checks": [{"source": "warehouse", "files": [str(tmp_path / "checks.yml")], "interval": "1s"}],
        "governance": [{"source": "warehouse", "interval": "1s", "pii": {"sample": 1000, "accepted": ["users.email"]},
                        "contracts": True, "owners": True}],
        "rules": rules, **shop.notify_section(webhook)})

    def pii(dataset, **labels):
        return weir.sample("weir_pii_columns", source="warehouse", dataset=dataset, **labels)

    def governed(metric, dataset):
        return weir.sample(f"weir_governance_{metric}", source="warehouse", dataset=dataset)
    until("the tables are looked at", lambda: weir.sample("weir_governance_tables_looked_at", source="warehouse") == 3)
    assert weir.sample("weir_governance_tables", source="warehouse") == 3
    assert pii("orders", kind="email", found_by="values") == 1
    assert pii("orders", kind="iban", found_by="values") == 1
    assert pii("users", kind="email", found_by="values") is None, "it is accepted"
    assert not [labels for labels, _ in weir.metrics()["weir_pii_columns"] if labels["dataset"] == "stray"]
    assert [governed("covered", name) for name in ("users", "orders", "stray")] == [1, 1, 0]
    assert [governed("owned", name) for name in ("users", "orders", "stray")] == [1, 0, 0]
    assert governed("uncovered_columns", "users") == 0
    assert governed("uncovered_columns", "orders") == 3
    assert governed("uncovered_columns", "stray") is None

    late = {"dataset": "users", "check": "users are gone after a year"}
    until("rows that should be gone are counted", lambda: weir.sample("weir_check_value", **late) == 3)
    assert weir.sample("weir_check_status", **late) == 2
    until("the alerts fire", lambda: weir.alerts("PersonalDataInTable", dataset="orders", kind="iban")
          and weir.alerts("TableWithoutContract", dataset="stray"))

    def incident(dataset):
        return next((found for found in weir.overview()["incidents"] if found["labels"].get("dataset") == dataset), None)
    told = until("the columns are named", lambda: incident("orders") and [
        entry["text"] for entry in incident("orders")["timeline"] if "account of orders" in entry["text"]])
    assert "seems to hold personal data (iban), in 2 of 50 values" in told[0]
    assert weir.collector("governance/warehouse")["success"]
    nowhere(weir)


def test_topics_are_looked_through(kafka, rules, webhook, start_weir):
    for topic in ("clicks", "plain", "private"):
        kafka_clients.create_topic(kafka, f"gov-{topic}", 2)
    kafka_clients.produce(kafka, "gov-clicks", 20, json.dumps(
        {"id": 7, "user": {"mail": SECRETS[0], "first_name": "x"}, "card": SECRETS[2]}).encode())
    kafka_clients.produce(kafka, "gov-clicks", 5, json.dumps({SECRETS[0]: 1}).encode(), key=SECRETS[1].encode())
    kafka_clients.produce(kafka, "gov-plain", 20, b'{"order_id": 1, "at": "2026-01-01T00:00:00Z"}')
    kafka_clients.produce(kafka, "gov-private", 20, SECRETS[0].encode())
    weir = start_weir({
        "kafka": [shop.kafka_section(kafka, topics={"allow": ["^gov-"]})],
        "governance": [{"kafka": "shop", "interval": "1s", "pii": {
            "sample": 10, "topics": {"deny": ["gov-private"]}, "accepted": ["gov-clicks.user.*name"]}}],
        "rules": rules, **shop.notify_section(webhook)})

    def pii(topic, **labels):
        return weir.sample("weir_pii_fields", cluster="shop", topic=topic, **labels)
    until("the topics are looked at", lambda: weir.sample("weir_governance_topics_looked_at", cluster="shop") == 2)
    assert pii("gov-clicks", kind="email", found_by="values") == 2, "of user.mail and of names"
    assert pii("gov-clicks", kind="iban", found_by="values") == 1, "of keys"
    assert pii("gov-clicks", kind="card", found_by="values") == 1
    assert pii("gov-clicks", kind="name", found_by="name") is None, "it is accepted"
    assert {labels["topic"] for labels, _ in weir.metrics()["weir_pii_fields"]} == {"gov-clicks"}
    until("the alert fires", lambda: weir.alerts("PersonalDataInTopic", topic="gov-clicks", kind="email"))
    until("the field is named", lambda: [
        entry for found in weir.overview()["incidents"] if found["labels"].get("topic") == "gov-clicks"
        for entry in found["timeline"] if "Field user.mail of topic gov-clicks" in entry["text"]])
    nowhere(weir)
