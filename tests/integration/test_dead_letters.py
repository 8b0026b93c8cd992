"""Why messages are dead letters, as Weir tells it of a real broker's topics."""

import struct

import pytest
from confluent_kafka import Producer

from integration import shop
from support import kafka_clients
from support.kafka import Kafka
from support.wait import until

CONNECT = "__connect.errors."
SERIALIZATION = "org.apache.kafka.common.errors.SerializationException"


@pytest.fixture(scope="module", params=["4.1.0", "3.9.1"])
def broker(request, servers):
    if request.param == "4.1.0":
        yield servers[0]
    else:
        with Kafka(request.param) as other:
            yield other


def bury(broker, topic, count, headers, value=b'{"order_id": 1}', partition=-1):
    """Produces dead letters with these headers."""
    producer = Producer({"bootstrap.servers": broker.bootstrap, "linger.ms": 5})
    for _ in range(count):
        producer.produce(topic, value, headers=headers, partition=partition)
    assert producer.flush(30) == 0


def connect_headers(topic, connector, exception, message):
    return [(CONNECT + "topic", topic.encode()), (CONNECT + "partition", b"0"), (CONNECT + "offset", b"17"),
            (CONNECT + "connector.name", connector.encode()), (CONNECT + "task.id", b"0"),
            (CONNECT + "stage", b"VALUE_CONVERTER"), (CONNECT + "exception.class.name", exception.encode()),
            (CONNECT + "exception.message", message.encode()),
            (CONNECT + "exception.stacktrace", b"\tat x\n" * 2000)]


def spring_headers(topic, group, exception):
    return [("kafka_dlt-original-topic", topic.encode()), ("kafka_dlt-original-partition", struct.pack(">i", 3)),
            ("kafka_dlt-original-offset", struct.pack(">q", 99)),
            ("kafka_dlt-original-consumer-group", group.encode()),
            ("kafka_dlt-exception-fqcn",
             b"org.springframework.kafka.listener.ListenerExecutionFailedException"),
            ("kafka_dlt-exception-cause-fqcn", exception.encode()),
            ("kafka_dlt-exception-message", b"customer jane@example.com is unknown")]


def sampled(weir, topic, **labels):
    return weir.sample("kafka_dead_letter_sampled_messages", topic=topic, **labels)


def test_reasons_are_counted_told_and_the_cause_of_the_incident(broker, rules, webhook, start_weir):
    topic = f"orders-{broker.version}.dlt"
    kafka_clients.create_topic(broker, topic, 3)
    weir = start_weir({"kafka": [shop.kafka_section(broker, topics={"allow": [f"^{topic}$"]})], "rules": rules,
                       **shop.notify_section(webhook)})
    until("the topic is seen", lambda: weir.sample("kafka_dead_letter_messages", topic=topic) == 0)

    bury(broker, topic, 37, connect_headers("orders", "sink-pg", SERIALIZATION, "Unknown magic byte!"))
    bury(broker, topic, 5, spring_headers("payments", "billing", "java.lang.IllegalStateException"))
    connect = {"origin": "orders", "exception": SERIALIZATION, "component": "connector sink-pg"}
    until("the connector's letters are counted", lambda: sampled(weir, topic, **connect) == 37, 15)
    until("the listener's letters are counted",
          lambda: sampled(weir, topic, origin="payments", exception="java.lang.IllegalStateException",
                          component="consumer group billing") == 5, 15)
    oldest = weir.sample("kafka_dead_letter_oldest_message_age_seconds", topic=topic)
    assert 0 <= weir.sample("kafka_dead_letter_newest_message_age_seconds", topic=topic) <= oldest < 60

    def cause():
        return next((found["cause"] for found in weir.overview()["incidents"]
                     if found["labels"].get("topic") == topic), "")
    until("the incident's cause names the reason",
          lambda: "of the last 42 come from topic orders: SerializationException in connector sink-pg: Unknown magic byte!"
          in cause(), 60)
    incident = next(found for found in weir.overview()["incidents"] if found["labels"].get("topic") == topic)
    texts = [entry["text"] for entry in incident["timeline"]]
    assert any("come from topic payments: IllegalStateException in consumer group billing: customer <email> is unknown"
               in text for text in texts), texts
    assert not any("order_id" in text for text in texts), "a preview that nobody asked for"


def test_headers_of_ones_own_and_a_masked_preview(broker, rules, webhook, start_weir):
    topic = f"flink-{broker.version}-dlq"
    kafka_clients.create_topic(broker, topic, 1)
    bury(broker, topic, 60, [("x-origin", b"clicks"), ("x-error", b"com.shop.Late"), ("x-app", b"job-7")],
         value=b'{"card": "4111 1111 1111 1111", "note": "' + b"x" * 20_000 + b'"}')
    section = shop.kafka_section(broker, topics={"allow": [f"^{topic}$"]}, dead_letter={
        "headers": {"topic": "x-origin", "exception": "x-error", "component": "x-app"}, "preview": True})
    weir = start_weir({"kafka": [section], "rules": rules, **shop.notify_section(webhook)})

    until("fifty letters are looked at", lambda: sampled(weir, topic, origin="clicks", exception="com.shop.Late",
                                                         component="job-7") == 50, 30)

    def timeline():
        return [entry["text"] for found in weir.overview()["incidents"] if found["labels"].get("topic") == topic
                for entry in found["timeline"]]
    until("the preview is told", lambda: any('begins {"card": "<card>", "note": "xxx' in text for text in timeline()), 60)
    assert not any("4111" in text for text in timeline())


def test_emptied_topics_have_no_reasons(broker, start_weir):
    topic = f"emptied-{broker.version}.dlt"
    kafka_clients.create_topic(broker, topic, 1)
    bury(broker, topic, 3, connect_headers("orders", "sink", SERIALIZATION, "x"), partition=0)
    weir = start_weir({"kafka": [shop.kafka_section(broker, topics={"allow": [f"^{topic}$"]})]})
    until("they are counted", lambda: sampled(weir, topic, origin="orders") == 3, 15)
    kafka_clients.delete_records(broker, topic, {0: 2})
    until("one is left", lambda: sampled(weir, topic, origin="orders") == 1, 15)
    kafka_clients.delete_records(broker, topic, {0: 3})
    until("none is left", lambda: sampled(weir, topic, origin="orders") is None, 15)
    assert weir.sample("kafka_dead_letter_oldest_message_age_seconds", topic=topic) is None
    assert weir.collector("kafka/shop")["success"]
