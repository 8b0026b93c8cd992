"""Measures a release build of Weir on many consumer groups; no figure fails the run."""

import argparse
import os
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

from support import http, kafka_clients, process
from support.kafka import Kafka
from support.wait import until
from support.weir import ROOT, Weir

TOPIC = "orders"
TARGETS = {"cycle": "<= 0.35 s", "cpu": "<= 0.15 s", "resident": "<= 80 MB", "metrics": "<= 20 ms"}


def arguments():
    parser = argparse.ArgumentParser(prog="tests/bench/whole_process", description=__doc__)
    parser.add_argument("--groups", type=int, default=1000)
    parser.add_argument("--partitions", type=int, default=48)
    parser.add_argument("--cycles", type=int, default=15)
    parser.add_argument("--interval", type=float, default=2.0, help="seconds between two cycles")
    parser.add_argument("--rules", action="store_true", help="evaluate the shipped rules too")
    return parser.parse_args()


def fill(kafka, groups, partitions):
    """One topic, and `groups` groups with a commit on each of its partitions."""
    kafka_clients.create_topic(kafka, TOPIC, partitions)
    kafka_clients.produce(kafka, TOPIC, 100 * partitions)
    client = kafka_clients.admin(kafka)

    def commit(number):
        kafka_clients.commit(kafka, f"group-{number:05}", TOPIC, [number % 50] * partitions, client)
    commit(0)  # creates the offsets topic and waits for its coordinators
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(commit, range(groups)))


def value(weir, metric):
    """Of a series of the collector; asked for with a query, since the page's data and /metrics would cost more."""
    found = weir.query(f'{metric}{{collector="kafka/bench"}}')
    return float(found[0]["value"][1]) if found else None


def observe(weir, cycles, interval):
    """Medians over `cycles` cycles, the first two left out: they fill caches."""
    durations, costs, answers = [], [], []
    last_cycle, cpu = None, None
    while len(durations) < cycles + 2:
        def ended():
            now = value(weir, "weir_collector_last_success_timestamp_seconds")
            return now != last_cycle and now
        last_cycle = until("the next cycle ends", ended, timeout=60, every=min(0.5, interval / 4))
        durations.append(value(weir, "weir_collector_duration_seconds"))
        now = process.cpu_seconds(weir.pid)
        if cpu is not None:
            costs.append(now - cpu)
        cpu = now
    # On their own, so that they do not count as a cycle's cost.
    for _ in range(cycles):
        began = time.perf_counter()
        answer = http.request(f"{weir.url}/metrics")
        answers.append((time.perf_counter() - began, len(answer.body)))
    return (statistics.median(durations[2:]), statistics.median(costs[1:]),
            statistics.median(took for took, _ in answers), answers[-1][1])


def main():
    chosen = arguments()
    process.handle_signals()
    os.environ.setdefault("WEIR_BINARY", str(ROOT / "build/release/bin/weir"))
    print(f"starting Kafka 4.1.0 and committing {chosen.groups} groups x {chosen.partitions} partitions ...", flush=True)
    config = {"series": {"retention": "1h"}}
    if chosen.rules:
        config["rules"] = {"files": [str(ROOT / "rules/*.yml")], "interval": "15s"}
    with Kafka("4.1.0", java_options=("-Xmx1g", "-Xms512m")) as kafka:
        fill(kafka, chosen.groups, chosen.partitions)
        config["kafka"] = [{"name": "bench", "brokers": kafka.bootstrap, "interval": f"{int(chosen.interval * 1000)}ms"}]
        with Weir(config) as weir:
            cycle, cpu, metrics, size = observe(weir, chosen.cycles, chosen.interval)
            resident = process.resident_bytes(weir.pid) / 1e6
            series = sum(len(found) for found in weir.metrics().values())
            lags = len(weir.metrics()["kafka_consumergroup_lag"])
    assert lags == chosen.groups * chosen.partitions, f"{lags} lags were exported"
    print(f"groups x partitions     {chosen.groups} x {chosen.partitions}, {series} series, medians of {chosen.cycles}")
    print(f"cycle                   {cycle:.3f} s    (to reach: {TARGETS['cycle']})")
    print(f"CPU a cycle, all in     {cpu:.3f} s    (to reach: {TARGETS['cpu']})")
    print(f"resident                {resident:.0f} MB    (to reach: {TARGETS['resident']})")
    print(f"/metrics                {metrics * 1000:.1f} ms, {size / 1e6:.1f} MB    (to reach: {TARGETS['metrics']})")


if __name__ == "__main__":
    main()
