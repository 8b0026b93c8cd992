"""What Weir concludes of groups on a real broker, where what was done to them is known to the second."""

import time

import pytest

from integration import shop
from support import http, kafka_clients
from support.kafka_cycles import value
from support.traffic import Reader, Traffic
from support.wait import until
from support.weir import Weir

QUICK_STATUS = {"window": "1m"}


def test_time_lag_is_the_age_of_the_first_unread_message(kafka, start_weir):
    topic, group = "aging", "slow"
    kafka_clients.create_topic(kafka, topic, 1)
    kafka_clients.produce(kafka, topic, 10)
    kafka_clients.commit(kafka, group, topic, [10])
    weir = start_weir({"kafka": [shop.kafka_section(kafka, groups={"allow": [f"^{group}$"]})]})
    labels = {"consumergroup": group}
    until("no lag", lambda: weir.sample("kafka_consumergroup_group_lag_seconds", **labels) == 0)
    time.sleep(5)  # an idle time that must not count
    produced = time.time()
    kafka_clients.produce(kafka, topic, 100)
    until("the lag is seen", lambda: weir.sample("kafka_consumergroup_group_lag", **labels) == 100)
    time.sleep(10)
    asked = time.time()
    lag = weir.sample("kafka_consumergroup_group_lag_seconds", **labels)
    error = weir.sample("kafka_consumergroup_group_lag_seconds_error", **labels, method="interpolated")
    # A cycle of a second, and what the page is old at most.
    assert error is not None and error <= 3
    assert abs(lag - (asked - produced)) <= error + 3, (lag, asked - produced)
    assert weir.sample("kafka_consumergroup_lag_seconds", **labels, topic=topic, partition="0") is not None


class Readers:
    """A group that is slower than what arrives, and one that works off a backlog while nothing does."""

    def __init__(self, kafka):
        for topic in ("flood", "backlog"):
            kafka_clients.create_topic(kafka, topic, 1)
        kafka_clients.produce(kafka, "backlog", 12_000)
        self._members = [Reader(kafka, "drowning", "flood", per_second=20),
                         Reader(kafka, "gaining", "backlog", per_second=200)]
        self._traffic = Traffic(kafka)
        self._traffic.rates["flood"] = 60

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._traffic.stop()
        for member in self._members:
            member.stop()

    @staticmethod
    def will_have_caught_up(weir):
        """When one of them does, and what Weir says before."""
        def of_group(metrics, name):
            return value(metrics, f"kafka_consumergroup_{name}", consumergroup="gaining")

        found = until("its pace is known", lambda: (metrics := weir.metrics()) and of_group(metrics, "catch_up_seconds")
                      and of_group(metrics, "group_lag") < 8000 and metrics, 60)
        rate, lag, left = (of_group(found, name) for name in ("records_per_second", "group_lag", "catch_up_seconds"))
        predicted = time.time() + left
        assert 100 <= rate <= 220 and left == pytest.approx(lag / rate, rel=0.01)
        until("it has caught up", lambda: of_group(weir.metrics(), "group_lag") == 0, 100)
        assert abs(time.time() - predicted) <= 0.2 * left + 3
        assert of_group(weir.metrics(), "catch_up_seconds") == 0

    @staticmethod
    def falls_behind(weir):
        until("it falls behind", lambda: weir.sample("kafka_consumergroup_status", consumergroup="drowning",
                                                     status="WARN") == 1, 60)
        assert weir.sample("kafka_consumergroup_partition_status", consumergroup="drowning", topic="flood", partition="0",
                           status="WARN") == 1
        assert weir.sample("kafka_consumergroup_catch_up_seconds", consumergroup="drowning") is None, "never"


def test_groups_that_stop_go_back_catch_up_fall_behind_or_are_beyond_the_end(kafka, start_weir):
    topic, other = "halting", "renewed"
    for name in (topic, other):
        kafka_clients.create_topic(kafka, name, 1)
        kafka_clients.produce(kafka, name, 100)
    for group in ("halted", "rewound"):
        kafka_clients.commit(kafka, group, topic, [50])
    kafka_clients.commit(kafka, "ahead", other, [100])
    kafka_clients.join_and_leave(kafka, "left", topic, [50])
    with Readers(kafka) as readers:
        weir = start_weir({"kafka": [shop.kafka_section(
            kafka, status=QUICK_STATUS, groups={"allow": ["^(halted|rewound|ahead|left|gaining|drowning)$"]},
            metrics={"compat": ["kminion"]})]})

        def status(group, name):
            return weir.sample("kafka_consumergroup_status", consumergroup=group, status=name)

        until("it is not known yet", lambda: status("halted", "UNKNOWN") == 1)
        until("caught up", lambda: status("ahead", "OK") == 1)
        kafka_clients.commit(kafka, "rewound", topic, [20])
        until("the rewind is seen", lambda: status("rewound", "REWIND") == 1)
        assert weir.sample("kafka_consumergroup_rewinds_total", consumergroup="rewound", topic=topic) == 1

        kafka_clients.delete_topic(kafka, other)
        kafka_clients.create_topic(kafka, other, 1)
        kafka_clients.produce(kafka, other, 5)
        kafka_clients.commit(kafka, "ahead", other, [90])
        until("beyond the end", lambda: weir.sample(
            "kafka_consumergroup_beyond_end_partitions", consumergroup="ahead", topic=other) == 1)
        kafka_clients.commit(kafka, "ahead", other, [5])  # other tests ask this broker for the sum of all lags
        until("no longer", lambda: weir.sample(
            "kafka_consumergroup_beyond_end_partitions", consumergroup="ahead", topic=other) == 0)

        page = http.request(weir.url + "/metrics/shop")
        assert page.status == 200
        assert 'kminion_kafka_consumer_group_topic_lag{group_id="halted",topic_name="halting"} 50' in page.text
        assert 'cluster="shop"' not in page.text
        assert http.request(weir.url + "/metrics/other").status == 404

        readers.will_have_caught_up(weir)
        until("it stopped", lambda: status("halted", "STALL") == 1, 100)
        until("nobody reads", lambda: status("left", "STOP") == 1, 20)
        assert weir.sample("kafka_consumergroup_info", consumergroup="left", kind="classic") == 1
        assert weir.sample("kafka_consumergroup_status_partitions", consumergroup="halted", topic=topic, status="STALL") == 1
        readers.falls_behind(weir)
    weir.stop()
    weir.start()
    until("it is seen", lambda: weir.sample("kafka_consumergroup_group_lag", consumergroup="halted"))
    assert status("halted", "STALL") == 1, "as before the restart"


def test_time_lag_goes_on_over_a_restart(kafka):
    topic, group = "outliving", "slower"
    labels = {"consumergroup": group}
    kafka_clients.create_topic(kafka, "idle-since", 1)
    kafka_clients.create_topic(kafka, topic, 2)
    for partition in (0, 1):
        kafka_clients.produce(kafka, topic, 10, partition=partition)
    kafka_clients.commit(kafka, group, topic, [10, 10])
    weir = Weir({"kafka": [shop.kafka_section(kafka, groups={"allow": [f"^{group}$"]})]})

    def lag():
        """Now, and how near that is where it is known from both sides."""
        found = weir.sample("kafka_consumergroup_group_lag_seconds", **labels)
        return found, weir.sample("kafka_consumergroup_group_lag_seconds_error", **labels, method="interpolated")

    with weir:
        until("no lag", lambda: lag()[0] == 0)
        produced = time.time()
        kafka_clients.produce(kafka, "idle-since", 5)
        kafka_clients.produce(kafka, topic, 20, partition=0)
        until("the lag is seen", lambda: weir.sample("kafka_consumergroup_group_lag", **labels) == 20)
        until("it ages", lambda: lag()[0] > 4)
    meanwhile = time.time()
    kafka_clients.produce(kafka, topic, 20, partition=1)
    with weir:
        until("the lag", lambda: weir.sample("kafka_consumergroup_group_lag", **labels) == 40)
        (seconds, error), asked = lag(), time.time()
        assert error is not None and error <= 3
        assert abs(seconds - (asked - produced)) <= error + 3, (seconds, asked - produced)
        age = weir.sample("kafka_topic_newest_record_age_seconds", topic="idle-since")
        assert abs(age - (time.time() - produced)) <= 3, "nothing has come since"
        # What came while Weir was away came between its last look and its first.
        of_partition = weir.sample("kafka_consumergroup_lag_seconds", **labels, partition="1")
        assert 0 <= of_partition <= time.time() - meanwhile + 8
        assert "has no value" not in weir.log(), weir.log_tail()
    kafka_clients.commit(kafka, group, topic, [30, 30])
