"""Measures a release build of Weir on many consumer groups; no figure fails the run."""

import argparse
import multiprocessing
import os
import resource
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

from support import http, kafka_clients, process
from support.kafka import Kafka
from support.wait import until
from support.weir import ROOT, Weir

TOPIC = "orders"
AT_A_TIME = 2000  # partitions that one request creates
TARGETS = {"cycle": "<= 0.3 s", "cpu": "<= 0.12 s", "resident": "<= 60 MB", "metrics": "<= 20 ms"}  # 1,000 groups


def arguments():
    parser = argparse.ArgumentParser(prog="tests/bench/whole_process", description=__doc__)
    parser.add_argument("--groups", type=int, default=1000)
    parser.add_argument("--partitions", type=int, default=48)
    parser.add_argument("--topics", type=int, default=1,
                        help="over which the groups are spread; a broker needs a file and two maps of memory for each "
                             "partition (ulimit -n, vm.max_map_count)")
    parser.add_argument("--brokers", type=int, default=1, help="over which the partitions are spread")
    parser.add_argument("--cycles", type=int, default=15)
    parser.add_argument("--interval", type=float, default=2.0, help="seconds between two cycles")
    parser.add_argument("--rules", action="store_true", help="evaluate the shipped rules too")
    parser.add_argument("--offsets", choices=["admin", "stream", "both"], default="admin",
                        help="how commits are read; both: one after the other, of the same cluster")
    parser.add_argument("--commits", type=float, default=0, help="groups that commit all their partitions, per second")
    parser.add_argument("--retention", default="10m", help="of the series, 10m at least")
    parser.add_argument("--series", type=int, default=60_000, help="that the cluster may export; 0: all there are")
    return parser.parse_args()


class Committers:
    """Commits all partitions of one group after the other, `rate` groups a second, from a process of its own."""

    def __init__(self, kafka, groups, partitions, rate):
        self._arguments = (kafka.bootstrap, groups, partitions, rate)
        self._process = None

    def __enter__(self):
        if self._arguments[-1] > 0:
            self._process = multiprocessing.get_context("spawn").Process(target=commit_on, args=self._arguments, daemon=True)
            self._process.start()
        return self

    def __exit__(self, *_):
        if self._process:
            self._process.terminate()
            self._process.join()


class Address:
    def __init__(self, bootstrap):
        self.bootstrap = bootstrap


def commit_on(bootstrap, groups, partitions, rate):
    kafka = Address(bootstrap)
    client = kafka_clients.admin(kafka)
    began, number = time.monotonic(), 0
    with ThreadPoolExecutor(16) as pool:
        while True:
            wait = began + number / rate - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            pool.submit(kafka_clients.commit, kafka, f"group-{number % groups:05}", TOPIC,
                        [50 + number // groups % 50] * partitions, client)
            number += 1


def names(topics):
    return [TOPIC] + [f"{TOPIC}-{number}" for number in range(1, topics)]


def fill(kafka, groups, partitions, topics=1):
    """Topics, and `groups` groups spread over them, with a commit on each partition of the topics that they read."""
    client = kafka_clients.admin(kafka)
    wanted = names(topics)
    kafka_clients.create_topic(kafka, TOPIC, partitions)
    kafka_clients.produce(kafka, TOPIC, 100 * partitions)

    def commit(number):
        for topic in wanted[number % topics::max(groups, 1)]:
            kafka_clients.commit(kafka, f"group-{number:05}", topic, [number % 50] * partitions, client)
    kafka_clients.commit(kafka, "group-00000", TOPIC, [0] * partitions, client)  # waits for the coordinators
    at_once = max(1, AT_A_TIME // partitions)
    for start in range(1, topics, at_once):
        kafka_clients.create_topics(kafka, wanted[start:start + at_once], partitions)
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


def measure(kafka, chosen, offsets):
    """(seconds a cycle, CPU-seconds a cycle, seconds and bytes of /metrics, resident bytes, series) of one Weir."""
    config = {"series": {"retention": chosen.retention}}
    if chosen.rules:
        config["rules"] = {"files": [str(ROOT / "rules/*.yml")], "interval": "15s"}
    config["kafka"] = [{"name": "bench", "brokers": kafka.bootstrap, "interval": f"{int(chosen.interval * 1000)}ms",
                        "offsets": offsets, **({"metrics": {"max_series": chosen.series}} if chosen.series else {})}]
    with Weir(config) as weir:
        if offsets == "stream":
            def served():
                found = weir.sample("kafka_offsets_stream_groups")
                return found is not None and found >= chosen.groups * 0.8
            until("the stream serves the groups", served, timeout=120)
        try:
            cycle, cpu, metrics, size = observe(weir, chosen.cycles, chosen.interval)
        except AssertionError as error:
            raise AssertionError(f"{error}; status {weir.process.poll()}\n{weir.log_tail(30)}") from error
        resident = process.resident_bytes(weir.pid)
        shown = weir.metrics()
        lags = len(shown["kafka_consumergroup_lag"])
        committed = max(chosen.groups, chosen.topics) * chosen.partitions
        assert chosen.series or lags == committed, f"{lags} lags were exported"
        return cycle, cpu, metrics, size, resident, sum(len(found) for found in shown.values())


def main():
    chosen = arguments()
    process.handle_signals()
    os.environ.setdefault("WEIR_BINARY", str(ROOT / "build/release/bin/weir"))
    print(f"starting Kafka 4.1.0 and committing {chosen.groups} groups x {chosen.partitions} partitions "
          f"over {chosen.topics} topics ...", flush=True)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with Kafka("4.1.0", brokers=chosen.brokers, java_options=("-Xmx2g", "-Xms512m")) as kafka:
        fill(kafka, chosen.groups, chosen.partitions, chosen.topics)
        with Committers(kafka, chosen.groups, chosen.partitions, chosen.commits):
            for offsets in ["admin", "stream"] if chosen.offsets == "both" else [chosen.offsets]:
                cycle, cpu, metrics, size, resident, series = measure(kafka, chosen, offsets)
                print(f"groups x partitions     {chosen.groups} x {chosen.partitions}, {chosen.topics} topics with "
                      f"{chosen.topics * chosen.partitions} partitions, {series} series, medians of "
                      f"{chosen.cycles}; offsets: {offsets}, {chosen.commits * chosen.partitions:.0f} commits a second")
                print(f"cycle                   {cycle:.3f} s    (to reach: {TARGETS['cycle']})")
                print(f"CPU a cycle, all in     {cpu:.3f} s    (to reach: {TARGETS['cpu']})")
                print(f"resident                {resident / 1e6:.0f} MB    (to reach: {TARGETS['resident']})")
                print(f"/metrics                {metrics * 1000:.1f} ms, {size / 1e6:.1f} MB    (to reach: "
                      f"{TARGETS['metrics']})", flush=True)


if __name__ == "__main__":
    main()
