"""`offsets: stream`: what is decoded of a real broker's __consumer_offsets is what its admin API says."""

import os
import time

import pytest
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, Producer, TopicPartition

from integration import shop
from integration.denying import deny, denying_properties
from support import kafka_clients
from support.kafka import Kafka
from support.wait import until
from support.weir import ROOT


@pytest.fixture(scope="module", params=["4.1.0", "3.9.1"])
def broker(request):
    # Of its own: the topic's records are counted.
    properties = {"group.coordinator.rebalance.protocols": "classic,consumer", "group.consumer.session.timeout.ms": 45000}
    with Kafka(request.param, properties=properties) as other:
        yield other


def stream_section(broker, **more):
    return shop.kafka_section(broker, offsets="stream", **more)


def live(weir):
    return weir.sample("kafka_offsets_stream_live") == 1


def records(weir, kind):
    return weir.sample("kafka_offsets_stream_records_total", kind=kind)


def offsets(weir, group, topic):
    return {int(labels["partition"]): value for labels, value in
            weir.metrics().get("kafka_consumergroup_current_offset", [])
            if labels["consumergroup"] == group and labels["topic"] == topic}


def consume_all(broker, topic, group, count, **settings):
    """One consumer that reads `count` messages and commits; gives what it committed."""
    consumer = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": group, "auto.offset.reset": "earliest",
                         "enable.auto.commit": False, **settings})
    consumer.subscribe([topic])
    read = 0
    deadline = time.monotonic() + 60
    while read < count and time.monotonic() < deadline:
        read += len([message for message in consumer.consume(500, 0.2) if not message.error()])
    committed = consumer.commit(asynchronous=False)
    consumer.close()
    assert read == count
    return {found.partition: found.offset for found in committed}


def test_commits_come_from_the_stream(broker, start_weir):
    topic, group = f"orders-{broker.version}", f"billing-{broker.version}"
    kafka_clients.create_topic(broker, topic, 4)
    for partition in range(4):
        kafka_clients.produce(broker, topic, 50, partition=partition)
    kafka_clients.commit(broker, group, topic, [10, 20, 30])  # before the stream
    weir = start_weir({"kafka": [stream_section(broker, topics={"allow": [f"^{topic}$"]})]})
    until("the stream is live", lambda: live(weir), 30)
    until("what was committed before is there", lambda: offsets(weir, group, topic) == {0: 10, 1: 20, 2: 30}, 20)

    for step in range(1, 6):
        kafka_clients.commit(broker, group, topic, [10 + step, 20, 30 + step, step])
        wanted = {0: 10 + step, 1: 20, 2: 30 + step, 3: step}
        until(f"commit {step} is there", lambda wanted=wanted: offsets(weir, group, topic) == wanted, 10)
    assert records(weir, "offset_commit") >= 20
    until("the group is not asked for its commits", lambda: weir.sample("kafka_offsets_stream_groups") >= 1, 10)
    assert weir.sample("kafka_consumergroup_lag_sum", consumergroup=group, topic=topic) == 200 - sum([15, 20, 35, 5])
    last = weir.sample("kafka_consumergroup_last_commit_timestamp_seconds", consumergroup=group)
    assert abs(time.time() - last) < 60
    assert weir.sample("kafka_consumergroup_commits_per_second", consumergroup=group) >= 0
    assert records(weir, "malformed") == records(weir, "unknown") == 0


def test_members_of_both_protocols_and_transactions_are_decoded(broker, start_weir):
    topic, sink = f"clicks-{broker.version}", f"sink-{broker.version}"
    kafka_clients.create_topic(broker, topic, 3)
    kafka_clients.create_topic(broker, sink, 1)
    kafka_clients.produce(broker, topic, 300)
    weir = start_weir({"kafka": [stream_section(broker, topics={"allow": [f"^{topic}$"]})]})
    until("the stream is live", lambda: live(weir), 30)

    classic = consume_all(broker, topic, "classic-readers", 300)
    until("the classic group's commits", lambda: offsets(weir, "classic-readers", topic) == classic, 20)
    assert records(weir, "group_metadata") > 0
    if broker.version.startswith("4"):
        newer = consume_all(broker, topic, "newer-readers", 300, **{"group.protocol": "consumer"})
        until("the newer group's commits", lambda: offsets(weir, "newer-readers", topic) == newer, 20)
        assert records(weir, "consumer_group") > 0

    producer = Producer({"bootstrap.servers": broker.bootstrap, "transactional.id": f"tx-{broker.version}"})
    member = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": "exactly-once"})
    producer.init_transactions(30)
    for number, commit in [(7, True), (99, False), (8, True)]:
        producer.begin_transaction()
        producer.produce(sink, b"x")
        producer.send_offsets_to_transaction([TopicPartition(topic, 0, number)], member.consumer_group_metadata(), 30)
        producer.commit_transaction(30) if commit else producer.abort_transaction(30)
        wanted = number if commit else 7
        until(f"{wanted} is committed", lambda wanted=wanted: offsets(weir, "exactly-once", topic).get(0) == wanted, 20)
        assert offsets(weir, "exactly-once", topic)[0] != 99
    assert records(weir, "malformed") == records(weir, "unknown") == 0


def test_a_deleted_group_leaves_and_comes_back(broker, start_weir):
    topic, group = f"short-{broker.version}", f"gone-{broker.version}"
    kafka_clients.create_topic(broker, topic, 1)
    kafka_clients.produce(broker, topic, 9)
    weir = start_weir({"kafka": [stream_section(broker, topics={"allow": [f"^{topic}$"]})]})
    until("the stream is live", lambda: live(weir), 30)
    kafka_clients.commit(broker, group, topic, [5])
    until("it is seen", lambda: offsets(weir, group, topic) == {0: 5}, 20)
    client = kafka_clients.admin(broker)  # kept until the answer
    client.delete_consumer_groups([group])[group].result(30)
    until("it is gone", lambda: offsets(weir, group, topic) == {}, 20)
    kafka_clients.commit(broker, group, topic, [3])
    until("it is seen again", lambda: offsets(weir, group, topic) == {0: 3}, 20)
    kafka_clients.commit(broker, group, topic, [6])
    until("and followed", lambda: offsets(weir, group, topic) == {0: 6}, 20)


def all_records(broker):
    """[(key, value)] of the whole topic of offsets, value None for a tombstone."""
    consumer = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": "none", "enable.auto.commit": False,
                         "enable.partition.eof": True, "isolation.level": "read_committed"})
    partitions = consumer.list_topics("__consumer_offsets", timeout=10).topics["__consumer_offsets"].partitions
    consumer.assign([TopicPartition("__consumer_offsets", number, 0) for number in partitions])
    found, ended = [], set()
    deadline = time.monotonic() + 60
    while len(ended) < len(partitions) and time.monotonic() < deadline:
        for message in consumer.consume(500, 0.5):
            if message.error():
                ended.add(message.partition())
            else:
                found.append((message.key(), message.value()))
    consumer.close()
    assert len(ended) == len(partitions)
    return found


def versions(found):
    """{(version of the key, version of the value)}"""
    return {(int.from_bytes(key[:2], "big"), int.from_bytes(value[:2], "big")) for key, value in found if value}


def test_the_decoders_examples_are_what_this_broker_writes(broker):
    """Of each record that the tests above had written; WEIR_UPDATE_GOLDEN=1 keeps them for the decoder's own tests."""
    found = all_records(broker)
    path = ROOT / f"tests/kafka/data/consumer_offsets_{broker.version}.txt"
    if os.environ.get("WEIR_UPDATE_GOLDEN"):
        client = kafka_clients.admin(broker)
        lines = [f"record {key.hex()} {value.hex() if value is not None else '-'}" for key, value in found]
        for group in [listed.group_id for listed in client.list_consumer_groups().result(10).valid]:
            request = client.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])[group]
            lines += [f"committed {group} {place.topic} {place.partition} {place.offset}"
                      for place in request.result(10).topic_partitions if place.offset >= 0]
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(line + "\n" for line in lines))
    kept = [line.split()[1:] for line in path.read_text().splitlines() if line.startswith("record ")]
    examples = versions([(bytes.fromhex(key), bytes.fromhex(value) if value != "-" else None) for key, value in kept])
    assert versions(found) <= examples


def test_a_topic_that_may_not_be_read_is_said_and_the_admin_api_serves(start_weir):
    with Kafka("4.1.0", properties=denying_properties()) as broker:
        topic, group = "orders", "billing"
        kafka_clients.create_topic(broker, topic, 1)
        kafka_clients.produce(broker, topic, 9)
        kafka_clients.commit(broker, group, topic, [4])  # creates the topic of offsets too
        deny(broker, "__consumer_offsets", "READ")
        weir = start_weir({"kafka": [stream_section(broker, topics={"allow": [f"^{topic}$"]})]})
        until("commits are there", lambda: offsets(weir, group, topic) == {0: 4}, 30)
        until("it is said", lambda: weir.sample("kafka_offsets_stream_live") == 0, 30)
        kafka_clients.commit(broker, group, topic, [5])
        until("commits are followed", lambda: offsets(weir, group, topic) == {0: 5}, 20)
        assert weir.collector("kafka/shop")["success"]
        assert weir.sample("kafka_consumergroup_commits_per_second", consumergroup=group) is None
