"""The Kafka part of the scenario on each supported broker, with figures the broker itself confirms."""

import pytest

from integration import shop
from support import kafka_clients
from support.kafka import Kafka
from support.wait import until


@pytest.fixture(scope="module", params=["4.1.0", "3.9.1"])
def broker(request, servers):
    if request.param == "4.1.0":
        yield servers[0]
    else:
        with Kafka(request.param) as other:
            yield other


def test_lag_fires_and_resolves(broker, rules, webhook, start_weir):
    topic, group = f"payments-{broker.version}", f"fraud-{broker.version}"
    kafka_clients.create_topic(broker, topic, 4)
    weir = start_weir({"kafka": [shop.kafka_section(broker, groups={"allow": [f"^{group}$"]})], "rules": rules,
                       **shop.notify_section(webhook)})
    shop.fall_behind(broker, group, topic)

    alert = until("the lag alert fires", lambda: weir.alerts("KafkaConsumerLagHigh", consumergroup=group), 60)[0]
    assert alert["value"] == 12_000 and group in alert["summary"]
    until("the webhook is told", lambda: webhook.alerts("KafkaConsumerLagHigh", "firing"))
    assert {found["group"] for found in weir.overview()["groups"]} == {group}

    with shop.catch_up(broker, group, topic):
        until("resolved", lambda: webhook.alerts("KafkaConsumerLagHigh", "resolved"))
        until("one member, no lag", lambda: weir.sample("kafka_consumergroup_members", consumergroup=group) == 1
              and weir.sample("kafka_consumergroup_group_lag", consumergroup=group) == 0)
        assert weir.sample("kafka_consumergroup_state", consumergroup=group, state="Stable") == 1


def test_lag_counts_from_what_retention_left_and_unknown_is_not_zero(broker, start_weir):
    topic, group = f"clicks-{broker.version}", f"stats-{broker.version}"
    kafka_clients.create_topic(broker, topic, 2)
    for partition in (0, 1):
        kafka_clients.produce(broker, topic, 100, partition=partition)
    kafka_clients.delete_records(broker, topic, {0: 40})
    kafka_clients.commit(broker, group, topic, [10])  # before the log's start; partition 1 has no commit
    weir = start_weir({"kafka": [shop.kafka_section(broker, groups={"allow": [f"^{group}$"]})]})

    labels = {"consumergroup": group, "topic": topic}
    until("the group is seen", lambda: weir.sample("kafka_consumergroup_lag", **labels, partition="0") is not None)
    assert weir.sample("kafka_consumergroup_current_offset", **labels, partition="0") == 10
    assert weir.sample("kafka_topic_partition_oldest_offset", topic=topic, partition="0") == 40
    assert weir.sample("kafka_topic_partition_current_offset", topic=topic, partition="0") == 100
    assert weir.sample("kafka_consumergroup_lag", **labels, partition="0") == 60
    assert weir.sample("kafka_consumergroup_messages_lost", **labels) == 30
    assert weir.sample("kafka_consumergroup_lag", **labels, partition="1") is None
    assert weir.sample("kafka_consumergroup_current_offset", **labels, partition="1") is None
    assert weir.sample("kafka_consumergroup_lag_sum", **labels) == 60
    assert weir.sample("kafka_consumergroup_uncommitted_partitions", **labels) == 1


def test_a_deleted_topic_leaves_the_output(broker, start_weir):
    topic = f"short-lived-{broker.version}"
    kafka_clients.create_topic(broker, topic, 1)
    kafka_clients.produce(broker, topic, 5)
    weir = start_weir({"kafka": [shop.kafka_section(broker)]})
    until("the topic is seen", lambda: weir.sample("kafka_topic_messages", topic=topic) == 5)
    kafka_clients.delete_topic(broker, topic)
    until("the topic is gone", lambda: weir.sample("kafka_topic_partitions", topic=topic) is None)
    assert weir.collector("kafka/shop")["success"]
    assert topic not in kafka_clients.topics(broker)  # looking at it did not create it again
