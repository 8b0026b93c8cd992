"""The end-to-end probe against real brokers, one of them frozen."""

import pytest

from integration import shop
from integration.denying import deny, denying_properties
from support import kafka_clients
from support.kafka import Kafka
from support.wait import until

NAMES = ["produce", "round_trip", "commit"]


@pytest.fixture(scope="module")
def own_broker():
    with Kafka("4.1.0") as broker:
        yield broker


def canary_section(broker, topic, **more):
    return shop.kafka_section(broker, topics={"allow": [f"^{topic}$"]},
                              canary={"topic": topic, "interval": "500ms", **more})


def counter(weir, name, topic):
    return weir.sample(f"kafka_canary_{name}", topic=topic)


@pytest.mark.parametrize("version", ["4.1.0", "3.9.1"])
def test_every_partition_is_probed(servers, version, start_weir):
    topic = f"probe-{version}"
    if version == "4.1.0":
        probe(servers[0], topic, start_weir)
    else:
        with Kafka(version) as broker:
            probe(broker, topic, start_weir)


def probe(broker, topic, start_weir):
    kafka_clients.create_topic(broker, topic, 3)
    weir = start_weir({"kafka": [canary_section(broker, topic)]})
    until("canaries arrive", lambda: (counter(weir, "received_total", topic) or 0) >= 12, 30)
    page = weir.get("/metrics").text
    for name in NAMES:
        metric = f"kafka_canary_{name}_latency_seconds"
        assert page.count(f"# TYPE {metric} histogram\n") == 1
        assert weir.sample(f"{metric}_bucket", topic=topic, le="+Inf") == weir.sample(f"{metric}_count", topic=topic)
        assert 0 < weir.sample(f"{metric}_sum", topic=topic) < 60
    assert counter(weir, "lost_total", topic) == counter(weir, "duplicated_total", topic) == 0
    assert counter(weir, "sent_total", topic) % 3 == 0

    def ends():
        return sum(value for labels, value in weir.metrics()["kafka_topic_partition_current_offset"]
                   if labels["topic"] == topic)
    until("the topic holds them", lambda: ends() >= 12)
    quantile = weir.query(f'histogram_quantile(0.95, kafka_canary_round_trip_latency_seconds_bucket{{topic="{topic}"}})')
    assert 0 < float(quantile[0]["value"][1]) < 3
    until("the group's commits are seen",
          lambda: weir.sample("kafka_consumergroup_lag_sum", consumergroup="weir-canary", topic=topic) is not None, 20)


def test_a_topic_is_created_only_when_told(servers, start_weir):
    broker = servers[0]
    weir = start_weir({"kafka": [canary_section(broker, "probe-absent")]})
    error = until("it is said", lambda: weir.collector("canary/shop")["error"])
    assert 'topic "probe-absent" does not exist' in error and "create: true" in error
    assert "probe-absent" not in kafka_clients.topics(broker)

    told = start_weir({"kafka": [canary_section(broker, "probe-created", create=True)]})
    said = set()

    def arrived():
        said.add(told.collector("canary/shop")["error"] or "")
        return (counter(told, "received_total", "probe-created") or 0) >= 2

    until("canaries arrive", arrived, 30)
    assert not [error for error in said if "create: true" in error]
    found = kafka_clients.admin(broker).list_topics("probe-created", timeout=10).topics["probe-created"]
    assert len(found.partitions) == 1  # one broker


def test_a_frozen_broker_makes_canaries_late_and_they_are_not_lost_for_good(own_broker, start_weir):
    topic = "probe-frozen"
    kafka_clients.create_topic(own_broker, topic, 2)
    weir = start_weir({"kafka": [canary_section(own_broker, topic, late_after="1s", lost_after="4s")]})
    until("canaries arrive", lambda: (counter(weir, "received_total", topic) or 0) >= 4, 30)
    own_broker.brokers[0].freeze()
    try:
        until("canaries are late", lambda: counter(weir, "late_total", topic) >= 2, 20)
        until("the producer gives up", lambda: counter(weir, "produce_failures_total", topic) >= 2, 30)
        until("both partitions fail", lambda: counter(weir, "failing_partitions", topic) == 2, 20)
    finally:
        own_broker.brokers[0].thaw()
    before = counter(weir, "received_total", topic)
    until("canaries arrive again", lambda: counter(weir, "received_total", topic) >= before + 6, 40)
    until("none is left behind", lambda: counter(weir, "pending", topic) <= 2, 20)
    until("no partition fails any more", lambda: counter(weir, "failing_partitions", topic) == 0, 20)


def test_what_is_forbidden_is_named_with_the_right_that_is_missing(start_weir):
    with Kafka("4.1.0", properties=denying_properties()) as broker:
        for topic, operation in [("probe-unwritable", "WRITE"), ("probe-unreadable", "READ")]:
            kafka_clients.create_topic(broker, topic, 1)
            deny(broker, topic, operation)
            weir = start_weir({"kafka": [canary_section(broker, topic)]})
            until(f"{operation} is named", lambda operation=operation, weir=weir:
                  f"grant this user {operation} on the topic" in (weir.collector("canary/shop")["error"] or ""), 30)
            assert weir.collector("kafka/shop")["success"]
        kafka_clients.create_topic(broker, "plain", 1)
        deny(broker, "plain", "DESCRIBE_CONFIGS")
        weir = start_weir({"kafka": [shop.kafka_section(broker, topics={"allow": ["^plain$"]})]})
        until("denied settings are counted", lambda: weir.sample("kafka_topic_configs_denied") == 1, 20)
        assert weir.collector("kafka/shop")["success"]
