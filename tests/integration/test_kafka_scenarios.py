"""What happens to groups and topics, on each supported broker: seen in /metrics within two cycles, with the broker's own
figures."""

import time

import pytest
from confluent_kafka import Consumer, TopicPartition

from integration import shop
from support import kafka_clients
from support.kafka import Kafka
from support.kafka_raw import RawMember
from support.kafka_cycles import Cycles, series, value
from support.kafka_tools import JavaConsumer
from support.wait import until
from support.weir import Weir, parse_metrics

# The cleaner looks at once, and offsets of groups that were deleted go at once.
PROPERTIES = {"log.cleaner.backoff.ms": 100, "log.cleaner.min.cleanable.ratio": 0.01,
              "log.retention.check.interval.ms": 1000, "log.initial.task.delay.ms": 100}


@pytest.fixture(scope="module", params=["4.1.0", "3.9.1"])
def broker(request):
    with Kafka(request.param, properties=PROPERTIES) as kafka:
        yield kafka


@pytest.fixture(scope="module")
def weir(broker):
    running = Weir({"kafka": [shop.kafka_section(broker, interval="500ms", transactions=True,
                                                 groups={"read_committed": ["^exact-"]}, metrics={"members": True})]})
    running.start()
    yield running
    assert running.stop() in (0, None), running.log_tail()


@pytest.fixture
def cycles(weir):
    counted = Cycles(weir)
    yield counted
    assert value(counted.next(2), "weir_collector_success", collector="kafka/shop") == 1, weir.collector("kafka/shop")


class Case:
    """A topic and a group of one test's own."""

    def __init__(self, broker, name, partitions=1, **config):
        self.broker, self.topic, self.group = broker, f"{name}-topic", f"{name}-group"
        kafka_clients.create_topic(broker, self.topic, partitions, **config)

    def produce(self, count, partition=0, **more):
        kafka_clients.produce(self.broker, self.topic, count, partition=partition, **more)

    def commit(self, *offsets):
        kafka_clients.commit(self.broker, self.group, self.topic, list(offsets))

    def lag(self, metrics, partition=0):
        return value(metrics, "kafka_consumergroup_lag", consumergroup=self.group, topic=self.topic,
                     partition=str(partition))

    def committed(self, metrics, partition=0):
        return value(metrics, "kafka_consumergroup_current_offset", consumergroup=self.group, topic=self.topic,
                     partition=str(partition))

    def end(self, metrics, partition=0):
        return value(metrics, "kafka_topic_partition_current_offset", topic=self.topic, partition=str(partition))

    def state(self, metrics):
        return [labels["state"] for labels, _ in series(metrics, "kafka_consumergroup_state", consumergroup=self.group)]

    def kind(self, metrics):
        return [labels["kind"] for labels, _ in series(metrics, "kafka_consumergroup_info", consumergroup=self.group)]

    def members(self, metrics):
        return value(metrics, "kafka_consumergroup_members", consumergroup=self.group)

    def of_group(self, metrics, name, **labels):
        return value(metrics, f"kafka_consumergroup_{name}", consumergroup=self.group, **labels)

    def of_topic(self, metrics, name, **labels):
        return value(metrics, f"kafka_topic_{name}", topic=self.topic, **labels)


def test_a_consumer_that_stops(broker, cycles):
    case = Case(broker, "stop")
    case.produce(50)
    with kafka_clients.GroupMember(broker, case.group, case.topic).wait_for(50):
        cycles.within(2, "read to the end, by one member", lambda found: case.lag(found) == 0
                      and case.state(found) == ["Stable"] and case.members(found) == 1
                      and case.kind(found) == ["classic"]
                      and case.of_group(found, "member_partitions", client_id="rdkafka", host="127.0.0.1") == 1)
    case.produce(70)
    cycles.within(2, "lag and no members", lambda found: case.lag(found) == 70 and case.committed(found) == 50
                  and case.state(found) == ["Empty"] and case.members(found) == 0
                  and not series(found, "kafka_consumergroup_member_partitions", consumergroup=case.group))


def test_a_consumer_that_is_slow(broker, cycles):
    case = Case(broker, "slow")
    case.produce(2000)
    with kafka_clients.GroupMember(broker, case.group, case.topic, batch=10, pause=0.2).wait_for(10):
        lags = []
        for _ in range(4):
            case.produce(500)
            found = cycles.next(2)
            assert case.lag(found) == case.end(found) - case.committed(found)
            lags.append(case.lag(found))
        assert lags == sorted(lags) and lags[-1] > lags[0] > 0 and case.state(found) == ["Stable"]


def test_a_group_that_is_rewound(broker, cycles):
    case = Case(broker, "rewind")
    case.produce(100)
    case.commit(90)
    cycles.within(2, "lag of 10", lambda found: case.lag(found) == 10)
    case.commit(20)
    cycles.within(2, "lag of 80", lambda found: case.lag(found) == 80 and case.committed(found) == 20
                  and case.of_group(found, "rewinds_total") == 1 and case.of_group(found, "status", status="REWIND") == 1)


def test_a_topic_that_is_recreated(broker, cycles):
    case = Case(broker, "recreate")
    case.produce(100)
    case.commit(40)
    cycles.within(2, "lag of 60", lambda found: case.lag(found) == 60)
    kafka_clients.delete_topic(broker, case.topic)
    until("the topic is gone from the broker", lambda: case.topic not in kafka_clients.topics(broker))
    kafka_clients.create_topic(broker, case.topic)
    case.produce(7)
    cycles.within(2, "the new topic", lambda found: case.end(found) == 7)
    case.commit(40)  # as a consumer does that was not told
    cycles.within(2, "no lag, and why", lambda found: case.lag(found) == 0
                  and case.of_group(found, "beyond_end_partitions") == 1 and case.of_group(found, "lag_seconds") is None)
    case.commit(3)
    cycles.within(2, "lag of the new topic", lambda found: case.lag(found) == 4
                  and case.of_group(found, "beyond_end_partitions") == 0 and case.of_group(found, "rewinds_total") == 0)


def test_a_group_that_is_deleted(broker, cycles):
    case = Case(broker, "delete-group")
    case.produce(10)
    case.commit(1)
    cycles.within(2, "the group", lambda found: case.lag(found) == 9)
    kafka_clients.delete_group(broker, case.group)
    cycles.within(2, "nothing of the group", lambda found: not any(
        labels.get("consumergroup") == case.group for name in found for labels, _ in found[name]))
    assert case.end(cycles.metrics()) == 10


def test_a_topic_that_is_deleted_under_a_group(broker, cycles):
    case = Case(broker, "delete-topic")
    other = Case(broker, "delete-topic-other")
    for each in (case, other):
        each.produce(10)
        kafka_clients.commit(broker, case.group, each.topic, [4])
    lag = lambda found: value(found, "kafka_consumergroup_group_lag", consumergroup=case.group)  # noqa: E731
    cycles.within(2, "lag of both", lambda found: lag(found) == 12)
    kafka_clients.delete_topic(broker, case.topic)
    cycles.within(2, "lag of the topic that is left", lambda found: lag(found) == 6
                  and case.lag(found) is None and case.end(found) is None)
    cycles.within(3, "it is told", lambda found: case.of_group(found, "deleted_topic_seconds", topic=case.topic))


def test_records_are_deleted_before_a_consumer_reads_them(broker, cycles):
    case = Case(broker, "deleted-records")
    case.produce(100)
    case.commit(10)
    cycles.within(2, "nothing lost", lambda found: case.lag(found) == 90 and case.of_group(found, "messages_lost") == 0
                  and case.of_group(found, "retention_margin_messages") == 10)
    kafka_clients.delete_records(broker, case.topic, {0: 40})
    cycles.within(2, "30 lost", lambda found: case.of_group(found, "messages_lost") == 30 and case.lag(found) == 60)


def test_retention_passes_a_consumer_when_it_was_predicted(broker, cycles):
    case = Case(broker, "retention", retention_ms=8000)
    case.produce(10)
    case.commit(10)
    cycles.within(2, "read to the end", lambda found: case.lag(found) == 0)
    produced = time.time()
    case.produce(90)
    margin = cycles.within(2, "the time that is left", lambda found: case.lag(found) == 90
                           and case.of_group(found, "retention_margin_seconds"))
    predicted = time.time() + margin
    assert abs(predicted - (produced + 8)) <= 2.5, (predicted, produced)
    assert case.of_group(cycles.metrics(), "messages_lost") == 0
    until("retention deletes", lambda: case.of_group(cycles.metrics(), "messages_lost") == 90)
    assert -2.5 <= time.time() - predicted <= 5  # the broker looks once a second
    assert case.lag(cycles.metrics()) == 0


def test_figures_and_settings_of_a_topic(broker, cycles):
    empty = value(cycles.metrics(), "kafka_empty_topics")
    case = Case(broker, "figures", partitions=2, retention_ms=3_600_000, retention_bytes=1_000_000, cleanup_policy="delete",
                min_insync_replicas=1)
    known = {"partitions": 2, "messages": 0, "replication_factor": 1, "retention_seconds": 3600, "retention_bytes": 1e6,
             "min_insync_replicas": 1, "under_min_isr_partitions": 0, "under_replicated_partitions": 0,
             "offline_partitions": 0, "leader_not_preferred_partitions": 0, "config_changes_total": 0,
             "newest_record_age_seconds": None}
    cycles.within(2, "all of it", lambda found: {name: case.of_topic(found, name) for name in known} == known
                  and case.of_topic(found, "cleanup_policy", policy="delete") == 1
                  and value(found, "kafka_empty_topics") == empty + 1)
    case.produce(30)
    cycles.within(2, "records", lambda found: case.of_topic(found, "messages") == 30
                  and case.of_topic(found, "newest_record_age_seconds") <= 2
                  and value(found, "kafka_empty_topics") == empty)
    kafka_clients.alter_topic(broker, case.topic, retention_ms=60_000, cleanup_policy="delete,compact")
    cycles.within(21, "the drift", lambda found: case.of_topic(found, "config_changes_total") == 2
                  and case.of_topic(found, "retention_seconds") == 60
                  and case.of_topic(found, "cleanup_policy") == 1
                  and case.of_topic(found, "cleanup_policy", policy="compact,delete") == 1)


def test_compaction_leaves_gaps_that_lag_does_not_know(broker, cycles):
    case = Case(broker, "compact", cleanup_policy="compact", segment_ms=100, min_cleanable_dirty_ratio=0.01,
                delete_retention_ms=100, max_compaction_lag_ms=500)
    case.commit(0)
    for _ in range(4):  # the same keys each time; the last segment is never compacted
        case.produce(100)
        time.sleep(0.2)  # for a new segment
    first = until("compaction", lambda: (offset := first_offset(broker, case.topic)) and offset >= 100 and offset, 60)
    found = cycles.within(2, "the group", lambda found: found if case.lag(found) else None)
    # Kafka's definition counts offsets: the log's start does not move by compaction.
    assert case.end(found) == 400 and case.lag(found) == 400 and first >= 100
    case.commit(first)
    cycles.within(2, "lag from the first that is left", lambda found: case.lag(found) == 400 - first)


def first_offset(broker, topic):
    """Of the first message that is still there."""
    consumer = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": "unused", "log_level": 0})
    consumer.assign([TopicPartition(topic, 0, 0)])
    message = consumer.poll(10)
    consumer.close()
    return message.offset() if message and not message.error() else None


def test_transactions_that_abort_hang_and_end(broker, cycles):
    case = Case(broker, "transactions")
    case.produce(10)
    exact = f"exact-{case.group}"  # by configuration it reads what is committed
    for group in (case.group, exact):
        kafka_clients.commit(broker, group, case.topic, [10])
    doubt = lambda found: value(found, "kafka_topic_partition_open_transaction_messages", topic=case.topic)  # noqa: E731
    exact_lag = lambda found: value(found, "kafka_consumergroup_lag", consumergroup=exact, topic=case.topic)  # noqa: E731
    aborted = kafka_clients.Transaction(broker, "aborts", case.topic, 0, 5)
    cycles.within(2, "messages in doubt count for the end", lambda found: case.end(found) == 15
                  and case.lag(found) == 5 and exact_lag(found) == 0 and doubt(found) == 5)
    aborted.abort()
    # With the marker that ends it.
    cycles.within(2, "messages that were aborted count as well", lambda found: case.end(found) == 16
                  and case.lag(found) == 6 and exact_lag(found) == 6 and doubt(found) == 0)
    hanging = kafka_clients.Transaction(broker, "hangs", case.topic, 0, 3)
    case.produce(4)
    cycles.within(2, "what is behind it", lambda found: case.end(found) == 23 and case.lag(found) == 13
                  and exact_lag(found) == 6 and doubt(found) == 7)
    cycles.within(2, "its age", lambda found: case.of_topic(found, "open_transaction_seconds") > 0)
    hanging.commit()
    cycles.within(2, "its marker", lambda found: case.end(found) == 24 and exact_lag(found) == 14
                  and doubt(found) == 0 and case.of_topic(found, "open_transaction_seconds") == 0)


# KIP-848 is for production since Kafka 4.0; 3.9's format tool cannot turn it on.
@pytest.mark.parametrize("broker", ["4.1.0"], indirect=True)
def test_a_consumer_of_the_new_protocol(broker, cycles):
    case = Case(broker, "kip-848", partitions=2)
    case.produce(20)
    case.produce(30, partition=1)
    with kafka_clients.GroupMember(broker, case.group, case.topic, **{"group.protocol": "consumer"}).wait_for(50):
        cycles.within(2, "read to the end", lambda found: case.lag(found, 0) == 0 and case.lag(found, 1) == 0
                      and case.state(found) == ["Stable"] and case.kind(found) == ["consumer"])
        found = cycles.next(2)
        assert case.members(found) is None  # librdkafka 2.0 cannot ask; no members would be wrong
    case.produce(5)
    cycles.within(2, "lag, and no members", lambda found: case.lag(found) == 5 and case.state(found) == ["Empty"]
                  and case.members(found) == 0 and case.kind(found) == ["consumer"])


@pytest.mark.parametrize("broker", ["4.1.0"], indirect=True)
def test_a_java_consumer_of_the_new_protocol(broker, cycles):
    case = Case(broker, "java-kip-848", partitions=2)
    case.produce(20)
    case.produce(30, partition=1)
    with JavaConsumer(broker, case.group, case.topic, **{"group.protocol": "consumer"}):
        until("it has read all", lambda: (found := cycles.metrics()) and case.lag(found, 0) == case.lag(found, 1) == 0, 60)
        found = cycles.next()
        assert case.state(found) == ["Stable"] and case.kind(found) == ["consumer"]
        case.produce(15)
        end = 35
        cycles.within(2, "what arrives", lambda found: case.end(found) == end)
        until("it reads on", lambda: case.committed(cycles.metrics()) == end)
    until("it has left, or was given up", lambda: case.state(cycles.metrics()) == ["Empty"], 60)
    case.produce(5)
    cycles.within(2, "its lag", lambda found: case.lag(found) == 5 and case.kind(found) == ["consumer"])


def test_a_consumer_that_is_assigned_its_partitions(broker, cycles):
    case = Case(broker, "assigned")
    case.produce(20)
    kafka_clients.assign_and_commit(broker, case.group, case.topic, 0, 12)
    cycles.within(2, "its lag, while it has no members", lambda found: case.lag(found) == 8
                  and case.state(found) == ["Empty"] and case.members(found) == 0 and case.kind(found) == ["simple"])


def test_a_sink_of_connect(broker, cycles):
    case = Case(broker, "sink")
    case.produce(20)
    with kafka_clients.GroupMember(broker, case.group, case.topic,
                                   **{"client.id": "connector-consumer-orders-0"}).wait_for(20):
        cycles.within(2, "its kind", lambda found: case.kind(found) == ["connect"] and case.lag(found) == 0)
    cycles.within(2, "its kind without members", lambda found: case.kind(found) == ["connect"]
                  and case.state(found) == ["Empty"])


def test_groups_over_the_cap_are_counted_and_the_known_ones_kept(broker, start_weir):
    case = Case(broker, "cap")
    case.produce(9)
    for name in ("cap-m", "cap-n"):
        kafka_clients.commit(broker, name, case.topic, [1])
    weir = start_weir({"kafka": [shop.kafka_section(broker, groups={"allow": ["^cap-"], "max": 2})]})
    cycles = Cycles(weir)

    def seen(found):
        return sorted(labels["consumergroup"] for labels, _ in series(found, "kafka_consumergroup_state"))

    cycles.within(2, "both", lambda found: seen(found) == ["cap-m", "cap-n"])
    for number in range(5):
        kafka_clients.commit(broker, f"cap-a{number}", case.topic, [1])
    cycles.within(2, "5 over the cap", lambda found: seen(found) == ["cap-m", "cap-n"]
                  and value(found, "kafka_consumergroups_listed") == 7
                  and value(found, "kafka_consumergroups_over_cap") == 5)
    kafka_clients.delete_group(broker, "cap-m")
    cycles.within(3, "one moves up", lambda found: seen(found) == ["cap-a0", "cap-n"])


def test_a_budget_of_series_keeps_the_largest_lags_and_whole_sums(broker, start_weir):
    case = Case(broker, "budget", partitions=60)
    case.produce(1200, partition=-1)
    ends = kafka_clients.ends(kafka_clients.admin(broker), case.topic, range(60))
    late = {7, 41}
    case.commit(*[0 if partition in late else ends[partition] - 1 for partition in range(60)])
    weir = start_weir({"kafka": [shop.kafka_section(
        broker, topics={"allow": [f"^{case.topic}$"]}, groups={"allow": [f"^{case.group}$"]}, metrics={"max_series": 100})]})

    def shown(found):
        return {int(labels["partition"]) for labels, _ in series(found, "kafka_consumergroup_lag")}

    found = Cycles(weir).within(2, "what is left out", lambda found: found if late <= shown(found)
                                and (value(found, "weir_kafka_series_truncated") or 0) > 100 else None)
    assert case.of_group(found, "group_lag") == 58 + sum(ends[partition] for partition in late)
    of_cluster = [name for name in found for labels, _ in found[name]
                  if labels.get("cluster") == "shop" and name.startswith(("kafka_", "weir_kafka_"))]
    assert 80 < len(of_cluster) <= 100


def test_names_of_other_programs_and_series_by_partition_where_a_rule_wants_them(broker, start_weir):
    case, other = Case(broker, "compat", partitions=2), Case(broker, "compat-sums", partitions=2)
    for each in (case, other):
        each.produce(10)
        each.produce(5, partition=1)
        each.commit(7, 1)
    weir = start_weir({"kafka": [shop.kafka_section(
        broker, topics={"allow": ["^compat-"]}, groups={"allow": ["^compat-"]},
        metrics={"compat": ["kminion", "kafka_lag_exporter", "burrow", "kafka_exporter"],
                 "per_partition": {"topics": {"deny": ["^compat-sums"]}}})]})
    Cycles(weir).within(2, "both", lambda found: case.of_group(found, "lag_sum") == other.of_group(found, "lag_sum") == 7)
    found = parse_metrics(weir.get("/metrics/shop").text)
    assert value(found, "kminion_kafka_consumer_group_topic_lag", group_id=case.group, topic_name=case.topic) == 7
    assert value(found, "kafka_consumergroup_group_topic_sum_lag", group=case.group, topic=case.topic) == 7
    assert value(found, "kafka_partition_latest_offset", topic=case.topic, partition="0") == 10
    assert value(found, "burrow_kafka_consumer_lag_total", consumer_group=case.group) == 7
    assert value(found, "kafka_topic_partition_replicas", topic=case.topic, partition="1") == 1
    by_partition = {labels["topic"] for each in found.values() for labels, _ in each
                    if {"topic", "partition"} <= labels.keys()}
    assert by_partition == {case.topic}


def test_an_application_of_streams(broker, cycles):
    case = Case(broker, "streams")
    case.produce(3)
    case.commit(1)
    with RawMember(broker, case.group, "consumer", "stream", [case.topic]):
        cycles.within(2, "its kind", lambda found: case.kind(found) == ["streams"] and case.members(found) == 1)
    cycles.within(2, "its kind without members", lambda found: case.kind(found) == ["streams"]
                  and case.state(found) == ["Empty"] and case.lag(found) == 2)


def test_workers_of_connect_are_told_where_they_are_named(broker, start_weir):
    with RawMember(broker, "workers", "connect", "sessioned"):
        weir = start_weir({"kafka": [shop.kafka_section(broker, groups={"names": ["workers"]})]})
        until("their kind", lambda: weir.sample("kafka_consumergroup_info", consumergroup="workers", kind="connect") == 1)
        assert weir.collector("kafka/shop")["success"]


def test_a_group_that_rebalances_without_end_is_still_read(broker, cycles):
    case = Case(broker, "churn", partitions=4)
    for partition in range(4):
        case.produce(10, partition=partition)
    kafka_clients.commit(broker, case.group, case.topic, [5, 5, 5, 5])
    for _ in range(3):
        with kafka_clients.GroupMember(broker, case.group, case.topic).wait_for(0):
            pass
        found = cycles.next(2)
        assert None not in [case.lag(found, partition) for partition in range(4)]
