"""Counts the requests of one cycle on the wire; no figure fails the run."""

import argparse
import collections
import os
import time

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, TopicPartition

from bench import whole_process_main
from support import kafka_clients, process
from support.kafka import Kafka
from support.kafka_proxy import CountingProxy
from support.weir import ROOT, Weir


def arguments():
    parser = argparse.ArgumentParser(prog="tests/bench/kafka_requests", description=__doc__)
    parser.add_argument("--groups", type=int, default=1000)
    parser.add_argument("--partitions", type=int, default=48)
    parser.add_argument("--cycles", type=int, default=20)
    return parser.parse_args()


def wait_for_cycles(weir, count):
    seen = set()
    while len(seen) < count:
        seen.add(whole_process_main.value(weir, "weir_collector_last_success_timestamp_seconds"))
        time.sleep(0.1)


def of_weir(kafka, proxy, cycles, **cluster):
    """Requests a cycle, the mean of `cycles`, once everything is known."""
    config = {"kafka": [{"name": "bench", "brokers": kafka.bootstrap, "interval": "2s", **cluster}]}
    with Weir(config) as weir:
        wait_for_cycles(weir, 14)  # a thousand groups are described by turns, a hundred a cycle
        before = proxy.counted.copy()
        began = weir.query('weir_collector_last_success_timestamp_seconds')[0]["value"][1]
        wait_for_cycles(weir, cycles)
        ended = weir.query('weir_collector_last_success_timestamp_seconds')[0]["value"][1]
        ran = round((float(ended) - float(began)) / 2)
        return {kind: count / ran for kind, count in proxy.since(before).items()}


def of_plain_client(kafka, proxy, groups, partitions):
    """One cycle of a client without batches: each group's commits, then each partition's two watermarks."""
    admin = kafka_clients.admin(kafka)
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": "plain", "log_level": 0})
    consumer.list_topics(timeout=10)
    before = proxy.counted.copy()
    began = time.monotonic()
    for group in [found.group_id for found in admin.list_consumer_groups().result(30).valid][:groups]:
        admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])[group].result(30)
    for partition in range(partitions):
        consumer.get_watermark_offsets(TopicPartition(whole_process_main.TOPIC, partition), timeout=10)
    took = time.monotonic() - began
    consumer.close()
    return dict(proxy.since(before)), took


def main():
    chosen = arguments()
    process.handle_signals()
    os.environ.setdefault("WEIR_BINARY", str(ROOT / "build/release/bin/weir"))
    print(f"starting Kafka 4.1.0 and committing {chosen.groups} groups x {chosen.partitions} partitions ...", flush=True)
    with CountingProxy() as proxy:
        kafka = Kafka("4.1.0", properties={"advertised.listeners": f"BROKER://127.0.0.1:{proxy.port}"},
                      java_options=("-Xmx2g", "-Xms512m"))
        proxy.target = kafka.brokers[0].port
        with kafka:
            whole_process_main.fill(kafka, chosen.groups, chosen.partitions)
            plain, took = of_plain_client(kafka, proxy, chosen.groups, chosen.partitions)
            admin = of_weir(kafka, proxy, chosen.cycles)
            stream = of_weir(kafka, proxy, chosen.cycles, offsets="stream")
    print(f"requests a cycle for {chosen.groups} groups and {chosen.partitions} partitions (the plain client took {took:.1f} s)")
    print(f"{'':20}{'Weir':>10}{'stream':>10}{'plain':>10}")
    for kind in sorted(collections.ChainMap(admin, stream, plain)):
        print(f"{kind:20}{admin.get(kind, 0):10.1f}{stream.get(kind, 0):10.1f}{plain.get(kind, 0):10.0f}")
    print(f"{'all':20}{sum(admin.values()):10.1f}{sum(stream.values()):10.1f}{sum(plain.values()):10.0f}")


if __name__ == "__main__":
    main()
