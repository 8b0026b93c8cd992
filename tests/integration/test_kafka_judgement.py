"""What Weir concludes of groups on a real broker, where what was done to them is known to the second."""

import time

from integration import shop
from support import http, kafka_clients
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


def test_a_group_that_stops_that_goes_back_and_that_is_beyond_the_end(kafka, start_weir):
    topic, other = "halting", "renewed"
    for name in (topic, other):
        kafka_clients.create_topic(kafka, name, 1)
        kafka_clients.produce(kafka, name, 100)
    for group in ("halted", "rewound"):
        kafka_clients.commit(kafka, group, topic, [50])
    kafka_clients.commit(kafka, "ahead", other, [100])
    weir = start_weir({"kafka": [shop.kafka_section(
        kafka, status=QUICK_STATUS, groups={"allow": ["^(halted|rewound|ahead)$"]},
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

    until("it stopped", lambda: status("halted", "STALL") == 1, 100)
    assert weir.sample("kafka_consumergroup_status_partitions", consumergroup="halted", topic=topic, status="STALL") == 1
    weir.stop()
    weir.start()
    until("it is seen", lambda: weir.sample("kafka_consumergroup_group_lag", consumergroup="halted"))
    assert status("halted", "STALL") == 1, "as before the restart"


def test_time_lag_goes_on_over_a_restart(kafka):
    topic, group = "outliving", "slower"
    labels = {"consumergroup": group}
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
        # What came while Weir was away came between its last look and its first.
        of_partition = weir.sample("kafka_consumergroup_lag_seconds", **labels, partition="1")
        assert 0 <= of_partition <= time.time() - meanwhile + 8
        assert "has no value" not in weir.log(), weir.log_tail()
    kafka_clients.commit(kafka, group, topic, [30, 30])
