"""A pipeline of 5 million events an hour, watched live: rate, lag and latency as they are."""

import statistics
import time

import pytest

from integration import shop
from support import kafka_clients, pipeline
from support.wait import until

RATE = 5_000_000 / 3600  # events a second
GROUP, TOPIC, CANARY = "loader", "events", "pipeline-canary"
ROUND_TRIP = "histogram_quantile(0.95, sum by (le) (kafka_canary_round_trip_latency_seconds_bucket))"


@pytest.fixture(name="warehouse")
def make_warehouse(postgres, tmp_path):
    warehouse = shop.Warehouse(postgres, "pipeline", tmp_path)
    warehouse.execute(pipeline.TABLE)
    warehouse.checks_file.write_text(pipeline.CHECKS)
    return warehouse


def samples(seconds, look):
    """What `look` gives, several times a second; what is not known yet is left out."""
    found = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        seen = look()
        if seen is not None:
            found.append(seen)
        time.sleep(0.25)
    return found


def test_rate_lag_and_latency_of_five_million_events_an_hour(kafka, postgres, warehouse, start_weir):
    kafka_clients.create_topic(kafka, TOPIC, 6)
    kafka_clients.create_topic(kafka, CANARY, 2)
    weir = start_weir({"kafka": [shop.kafka_section(kafka, groups={"allow": [f"^{GROUP}$"]},
                                                    canary={"topic": CANARY, "interval": "1s"})],
                       "sources": [warehouse.source()], "checks": [warehouse.checks()]})

    def lag():
        return weir.sample("kafka_consumergroup_group_lag", consumergroup=GROUP)

    def latency():
        return weir.sample("weir_check_value", check="events are loaded within 3 s")

    with pipeline.Sink(kafka, TOPIC, GROUP, postgres, warehouse.name) as sink:
        with pipeline.Source(kafka, TOPIC, RATE) as source:
            until("the pipeline flows", lambda: sink.loaded > 5 * RATE, 60)
            began, sent = time.monotonic(), source.sent
            rates = samples(10, lambda: weir.sample("kafka_topic_records_per_second", topic=TOPIC))
            truth = (source.sent - sent) / (time.monotonic() - began)
            assert truth == pytest.approx(RATE, rel=0.1), "the producer itself does not keep the rate"
            assert statistics.median(rates) == pytest.approx(truth, rel=0.1)
            assert lag() < 3 * RATE
            assert latency() < 3
            assert weir.sample("weir_check_status", check="events are loaded within 3 s") == 0
            assert float(weir.query(ROUND_TRIP)[0]["value"][1]) < 3
            assert weir.sample("kafka_canary_lost_total", topic=CANARY) == 0

            sink.hold()
            behind = source.sent - sink.loaded
            until("the lag is five seconds of events", lambda: lag() > behind + 5 * RATE)
            before = source.sent - sink.loaded
            seen = lag()
            after = source.sent - sink.loaded
            # Seen is the lag of the last cycle, which ended within the last two intervals.
            assert before - 3 * RATE < seen <= after
            sink.go_on()
            until("it has caught up", lambda: lag() < RATE)
            until("its latency is seen to have been worse", lambda: latency() > 1)
        until("nothing is left", lambda: lag() == 0)
        assert sink.failure is None
    assert weir.sample("kafka_topic_messages", topic=TOPIC) == source.sent
    assert warehouse.execute("SELECT count(*), count(DISTINCT id) FROM fct_events") == [(source.sent, source.sent)]
