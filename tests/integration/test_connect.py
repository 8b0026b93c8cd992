"""Kafka Connect in distributed mode with Debezium on a real PostgreSQL: what fails is seen, explained and linked."""

import pytest

from integration import shop
from support import kafka_clients
from support.connect import Connect
from support.postgres import Postgres
from support.wait import until

FILE_SINK = "org.apache.kafka.connect.file.FileStreamSinkConnector"
FAILED = "KafkaConnectTaskFailed"


@pytest.fixture(scope="module")
def database():
    with Postgres(settings={"wal_level": "logical"}) as database:
        database.execute("CREATE TABLE orders (id int PRIMARY KEY, customer text); INSERT INTO orders VALUES (1, 'ann')")
        yield database


@pytest.fixture(scope="module")
def connect(kafka):
    with Connect(kafka) as connect:
        yield connect


@pytest.fixture
def weir(connect, rules, webhook, start_weir):
    return start_weir({
        "http_json": [{"name": "connect", "url": connect.url, "preset": "kafka_connect", "interval": "1s",
                       "labels": {"cluster": "shop"}, "variables": {"source": "warehouse"}}],
        "rules": rules, **shop.notify_section(webhook)})


def debezium(database, **more):
    return {"connector.class": "io.debezium.connector.postgresql.PostgresConnector", "topic.prefix": "cdc",
            "database.hostname": "127.0.0.1", "database.port": str(database.port), "database.user": database.role,
            "database.password": database.password, "database.dbname": "postgres", "plugin.name": "pgoutput",
            "table.include.list": "public.orders", "slot.name": "weir_test", "publication.name": "weir_test",
            "errors.max.retries": "0", "snapshot.mode": "when_needed", **more}


def state(weir, metric, connector, state, **labels):
    return weir.sample(metric, cluster="shop", connector=connector, state=state, **labels)


def cause(weir, connector):
    return next((found["cause"] for found in weir.overview()["incidents"]
                 if found["labels"].get("connector") == connector), "")


def test_debezium_is_recognised_and_its_failed_task_explained_and_linked(connect, database, weir, webhook):
    connect.put("inventory", debezium(database))
    until("the connector runs", lambda: connect.states("inventory") == ["RUNNING", "RUNNING"], 60)
    until("its topic is known", lambda: weir.sample("kafka_connect_connector_topic", connector="inventory", type="source",
                                                    topic="cdc.public.orders") == 1, 60)
    assert weir.sample("kafka_connect_connector_info", connector="inventory", debezium="postgresql") == 1
    assert weir.sample("kafka_connect_connector_tasks", connector="inventory") == 1
    assert state(weir, "kafka_connect_task_state", "inventory", "RUNNING", task="0") == 1
    assert weir.sample("kafka_connect_task_restarts_total", connector="inventory", task="0") == 0

    # Without the publication and the right to make it anew the next change cannot be decoded.
    database.execute("DROP PUBLICATION weir_test; INSERT INTO orders VALUES (2, 'bob')")
    until("its task fails", lambda: connect.states("inventory") == ["RUNNING", "FAILED"], 60)
    until("Weir sees it", lambda: state(weir, "kafka_connect_task_state", "inventory", "FAILED", task="0") == 1)
    until("the alert fires", lambda: weir.alerts(FAILED, connector="inventory", task="0", cluster="shop"))
    told = until("the cause is told", lambda: "weir_test" in cause(weir, "inventory") and cause(weir, "inventory"))
    assert "Debezium (postgresql): Task 0 of connector inventory failed on 127.0.0.1:" in told
    assert 'publication "weir_test" does not exist' in told
    assert "Nothing new is written to topic cdc.public.orders until it is restarted." in told
    until("the receiver is told", lambda: webhook.alerts(FAILED, "firing"))

    database.execute("CREATE PUBLICATION weir_test FOR TABLE orders")
    database.execute("SELECT pg_drop_replication_slot('weir_test')")
    assert connect.restart("inventory").status in (200, 202)
    until("it runs again", lambda: connect.states("inventory") == ["RUNNING", "RUNNING"], 60)
    until("the restart is counted",
          lambda: weir.sample("kafka_connect_task_restarts_total", connector="inventory", task="0") == 1)
    until("the alert resolves", lambda: not weir.alerts(FAILED, connector="inventory"))
    connect.delete("inventory")
    until("what is deleted is gone", lambda: weir.sample("kafka_connect_connector_tasks", connector="inventory") is None)


def test_a_sink_with_a_bad_converter_is_explained_with_the_topics_it_was_to_read(kafka, connect, weir, tmp_path):
    kafka_clients.create_topic(kafka, "clicks", 1)
    kafka_clients.produce(kafka, "clicks", 1, b"no json for jane@example.com")
    connect.put("to-file", {"connector.class": FILE_SINK, "topics": "clicks", "file": str(tmp_path / "out")})
    until("its task fails", lambda: connect.states("to-file") == ["RUNNING", "FAILED"], 60)
    told = until("the cause is told", lambda: cause(weir, "to-file"), 60)
    assert "Task 0 of connector to-file failed on" in told
    assert "SerializationException" in told or "JsonParseException" in told
    assert "What is in topic clicks does not reach its sink until it is restarted." in told
    assert "jane@example.com" not in told
    assert weir.sample("kafka_connect_connector_info", connector="to-file", **{"class": FILE_SINK}) == 1
    connect.delete("to-file")


def test_a_worker_that_is_gone_is_a_red_collector_and_nothing_resolves(connect, weir):
    until("it is read", lambda: weir.collector("http_json/connect")["success"])
    connect.kill()
    try:
        until("Weir says so", lambda: "connect" in (weir.collector("http_json/connect")["error"] or "").lower())
    finally:
        connect.start()
    until("it is read again", lambda: weir.collector("http_json/connect")["success"], 60)
