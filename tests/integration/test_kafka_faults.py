"""Three brokers, of which one dies, freezes, is slow or leaves a partition without a leader: what the others have is seen
on."""

import pytest

from integration import shop
from support import kafka_clients
from support.kafka import Kafka
from support.kafka_cycles import Cycles, series, value
from support.kafka_proxy import CountingProxy
from support.wait import until
from support.weir import Weir

PARTITIONS = 6


on_4 = pytest.mark.parametrize("kafka", ["4.1.0"], indirect=True)
on_both = pytest.mark.parametrize("kafka", ["4.1.0", "3.9.1"], indirect=True)


@pytest.fixture(scope="module")
def kafka(request):
    with CountingProxy() as proxy:
        cluster = Kafka(request.param, brokers=3, listeners={"CLIENT": "PLAINTEXT"})
        # The third broker's answers to Weir can be delayed; the other brokers and these tests reach it directly.
        proxy.target = cluster.brokers[2].ports["CLIENT"]
        cluster.brokers[2].advertised["CLIENT"] = proxy.port
        cluster.proxy = proxy
        with cluster:
            fill(cluster)
            yield cluster


def fill(cluster):
    kafka_clients.create_topic(cluster, "wide", PARTITIONS, copies=3)
    kafka_clients.create_topic(cluster, "narrow", PARTITIONS, copies=1)
    kafka_clients.create_topic(cluster, "strict", PARTITIONS, copies=3, min_insync_replicas=3)
    for topic in ("wide", "narrow"):
        for partition in range(PARTITIONS):
            kafka_clients.produce(cluster, topic, 10, partition=partition)
    for number in range(12):  # with coordinators everywhere
        kafka_clients.commit(cluster, f"group-{number}", "wide", [4] * PARTITIONS)


@pytest.fixture(scope="module")
def weir(kafka):
    ports = [broker.ports["CLIENT"] for broker in kafka.brokers[:2]]
    section = shop.kafka_section(kafka, brokers=",".join(f"127.0.0.1:{port}" for port in ports))
    running = Weir({"kafka": [section]}).start()
    yield running
    assert running.stop() in (0, None), running.log_tail()


@pytest.fixture
def cycles(weir, kafka):
    counted = Cycles(weir)
    until("all is well", lambda: (found := counted.metrics()) and succeeds(found) and lags(found) == expected(kafka), 60)
    return counted


def succeeds(metrics):
    return value(metrics, "weir_collector_success", collector="kafka/shop") == 1


def skipped(metrics):
    return value(metrics, "weir_collector_skipped_ticks_total", collector="kafka/shop") or 0


def lags(metrics):
    """{(group, partition): lag} of what is seen."""
    return {(labels["consumergroup"], int(labels["partition"])): lag
            for labels, lag in series(metrics, "kafka_consumergroup_lag", topic="wide")}


def expected(kafka):
    """The same by the brokers' own figures."""
    client = kafka_clients.admin(kafka)
    ends = kafka_clients.ends(client, "wide", range(PARTITIONS))
    return {(f"group-{number}", partition): ends[partition] - 4 for number in range(12) for partition in range(PARTITIONS)}


def leaders(metrics, topic):
    return {int(labels["partition"]): int(broker)
            for labels, broker in series(metrics, "kafka_topic_partition_leader", topic=topic)}


def end(metrics, topic, partition):
    return value(metrics, "kafka_topic_partition_current_offset", topic=topic, partition=str(partition))


def replicas(metrics, topic):
    """What is amiss with the replicas of a topic, and how many brokers there are."""
    names = ["under_replicated", "under_min_isr", "offline", "leader_not_preferred"]
    return {**{name: value(metrics, f"kafka_topic_{name}_partitions", topic=topic) for name in names},
            "brokers": value(metrics, "kafka_brokers")}


def partition_led_by(metrics, topic, brokers):
    return next(partition for partition, leader in leaders(metrics, topic).items() if leader in brokers)


@on_both
def test_a_broker_that_dies_and_comes_back(kafka, cycles):
    broker = kafka.brokers[2]
    lost = partition_led_by(cycles.metrics(), "narrow", {3})
    alive = partition_led_by(cycles.metrics(), "narrow", {1, 2})
    well = {"under_replicated": 0, "under_min_isr": 0, "offline": 0, "leader_not_preferred": 0, "brokers": 3}
    cycles.within(2, "all replicas are well", lambda found: replicas(found, "strict") == well)
    led = {topic: list(leaders(cycles.metrics(), topic).values()).count(3) for topic in ("strict", "narrow")}
    assert led["strict"] > 0
    before = end(cycles.metrics(), "narrow", alive)
    broker.kill()
    kafka_clients.produce(kafka, "narrow", 5, partition=alive)
    cycles.within(2, "what a living broker leads", lambda found: end(found, "narrow", alive) == before + 5)
    cycles.within(60, "the partition has no leader", lambda found: leaders(found, "narrow").get(lost) == -1)
    cycles.within(60, "what misses its copies", lambda found: replicas(found, "strict") == {
        "under_replicated": PARTITIONS, "under_min_isr": PARTITIONS, "offline": 0,
        "leader_not_preferred": led["strict"], "brokers": 2})
    assert replicas(cycles.metrics(), "narrow")["offline"] == led["narrow"]
    assert value(cycles.metrics(), "kafka_broker_leader_partitions", broker="3") == 0
    # Nothing is taken for deleted, and the collector says that it does not see all.
    assert not succeeds(cycles.next())
    assert "partition" in cycles.weir.collector("kafka/shop")["error"]
    for partition in range(PARTITIONS):
        kafka_clients.produce(kafka, "wide", 1, partition=partition)
    # Its groups have other coordinators now, and its partitions other leaders.
    cycles.within(2, "all lags of the topic with copies", lambda found: lags(found) == expected(kafka))
    # A partition without a leader stalls nothing.
    ticks = skipped(cycles.metrics())
    found = cycles.next(4)
    assert skipped(found) == ticks and not succeeds(found)
    assert value(found, "weir_collector_duration_seconds", collector="kafka/shop") < 1
    broker.start()
    until("the leader is back", lambda: leaders(cycles.metrics(), "narrow")[lost] == 3, 60)
    cycles.within(2, "all is seen again", succeeds)


@on_4
@pytest.mark.parametrize("number", [2, 3])
def test_a_broker_that_freezes_is_waited_for_once(kafka, cycles, number):
    broker = kafka.brokers[number - 1]
    others = {1, 2, 3} - {number}
    found = cycles.metrics()
    alive = partition_led_by(found, "narrow", others)
    frozen = partition_led_by(found, "narrow", {number})
    before = end(found, "narrow", alive)
    groups = {labels["consumergroup"] for labels, _ in series(found, "kafka_consumergroup_state")}
    broker.freeze()
    try:
        kafka_clients.produce(kafka, "narrow", 5, partition=alive)
        cycles.within(2, "what other brokers lead", lambda found: end(found, "narrow", alive) == before + 5)
        found = cycles.next(2)
        assert not succeeds(found)
        # What the frozen broker has keeps its last state: it is not deleted, only not seen.
        assert {labels["consumergroup"] for labels, _ in series(found, "kafka_consumergroup_state")} == groups
        assert leaders(found, "narrow")[frozen] in (number, -1)
        ticks = skipped(found)
        kafka_clients.produce(kafka, "narrow", 5, partition=alive)
        cycles.within(2, "and on", lambda found: end(found, "narrow", alive) == before + 10)
        found = cycles.next(4)
        # Were it waited for each time, each of these six cycles would skip a tick; a busy machine skips one or two.
        assert skipped(found) <= ticks + 3, "the cycle keeps its interval"
    finally:
        broker.thaw()
    until("all is seen again", lambda: succeeds(cycles.metrics()), 60)


@on_4
@pytest.mark.parametrize("delay", [1.2, 2.0])  # all of a cycle's requests to it one after the other take more than a cycle
def test_a_broker_that_is_slow_delays_only_what_it_has(kafka, cycles, delay):
    found = cycles.metrics()
    quick = partition_led_by(found, "narrow", {1, 2})
    slow = partition_led_by(found, "narrow", {3})
    before = end(found, "narrow", quick)
    before_slow = end(found, "narrow", slow)
    groups = {labels["consumergroup"] for labels, _ in series(found, "kafka_consumergroup_state")}
    kafka.proxy.delay = delay
    try:
        cycles.within(4, "it is seen that the broker is slow", lambda found: not succeeds(found))
        ticks = skipped(cycles.metrics())
        kafka_clients.produce(kafka, "narrow", 5, partition=slow)
        for number in range(1, 4):
            kafka_clients.produce(kafka, "narrow", 5, partition=quick)
            cycles.within(2, "what other brokers lead", lambda found: end(found, "narrow", quick) == before + 5 * number)
        found = cycles.next(6)
        # One broker alone would make each of these nine cycles or more last several intervals.
        assert skipped(found) <= ticks + 5, "the cycle keeps its interval"
        assert not succeeds(found)
        assert end(found, "narrow", slow) in (None, before_slow), "stale, or not shown"
        assert {labels["consumergroup"] for labels, _ in series(found, "kafka_consumergroup_state")} == groups
    finally:
        kafka.proxy.delay = 0.0
    until("all is seen again", lambda: succeeds(cycles.metrics()), 60)
    assert end(cycles.metrics(), "narrow", slow) == before_slow + 5
