"""Commits and messages at random: at every moment of quiet, each lag that Weir shows is what the broker's figures give, by
another client and, now and then, by Kafka's own kafka-consumer-groups tool.

Runs for a minute, ten of them with --long, or WEIR_MODEL_SECONDS; a failure prints the seed, which WEIR_MODEL_SEED takes.
"""

import os
import random
import time

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import OffsetSpec

from integration import shop
from support import kafka_clients, kafka_tools, wait
from support.kafka_cycles import Cycles, series

SECONDS = float(os.environ.get("WEIR_MODEL_SECONDS") or 60)
SEED = int(os.environ.get("WEIR_MODEL_SEED") or random.randrange(1 << 32))


class Model:
    """Random steps on a few topics and groups, and what the broker says of them."""

    def __init__(self, kafka, seed):
        self.random = random.Random(seed)
        self.kafka = kafka
        self.client = kafka_clients.admin(kafka)
        self.prefix = f"model-{seed}"
        self.topics = {}  # name: partitions
        self.groups = [f"{self.prefix}-group-{number}" for number in range(6)]
        self.made = 0
        for _ in range(4):
            self.create_topic()

    def step(self):
        weights = {self.produce: 40, self.commit: 40, self.delete_records: 8, self.delete_group: 4, self.delete_topic: 2,
                   self.create_topic: 2}
        self.random.choices(list(weights), list(weights.values()))[0]()

    def a_partition(self):
        topic = self.random.choice(sorted(self.topics))
        return topic, self.random.randrange(self.topics[topic])

    def produce(self):
        topic, partition = self.a_partition()
        kafka_clients.produce(self.kafka, topic, self.random.randrange(1, 60), partition=partition)

    def commit(self):
        topic, partition = self.a_partition()
        end = self.ends([(topic, partition)], OffsetSpec.latest())[topic, partition]
        offset = self.random.choice([0, end, self.random.randint(0, end)])
        group = self.random.choice(self.groups)
        request = ConsumerGroupTopicPartitions(group, [TopicPartition(topic, partition, offset)])
        self.client.alter_consumer_group_offsets([request])[group].result(10)

    def delete_records(self):
        topic, partition = self.a_partition()
        where = [(topic, partition)]
        start, end = (self.ends(where, spec)[where[0]] for spec in (OffsetSpec.earliest(), OffsetSpec.latest()))
        kafka_clients.delete_records(self.kafka, topic, {partition: self.random.randint(start, end)})

    def delete_group(self):
        group = self.random.choice(self.groups)
        try:
            kafka_clients.delete_group(self.kafka, group)
        except KafkaException:
            pass  # it has not committed yet

    def create_topic(self):
        if len(self.topics) >= 6:
            return
        self.made += 1
        name, partitions = f"{self.prefix}-topic-{self.made}", self.random.randrange(1, 5)
        kafka_clients.create_topic(self.kafka, name, partitions)
        self.topics[name] = partitions

    def delete_topic(self):
        if len(self.topics) <= 2:
            return
        name = self.random.choice(sorted(self.topics))
        kafka_clients.delete_topic(self.kafka, name)
        del self.topics[name]

    def ends(self, wanted, spec):
        def asked():
            answers = self.client.list_offsets({TopicPartition(*where): spec for where in wanted})
            try:
                return {(where.topic, where.partition): done.result(10).offset for where, done in answers.items()}
            except KafkaException as error:  # a topic that has just been made
                raise wait.NotYet(str(error)) from error
        return wait.until("the offsets", asked) if wanted else {}

    def expected_of_tool(self):
        """The same by Kafka's own tool, which does not know where a log starts."""
        told = {key: found for key, found in kafka_tools.describe_groups(self.kafka).items()
                if key[0] in self.groups and key[1] in self.topics}
        starts = self.ends({(topic, partition) for _, topic, partition in told}, OffsetSpec.earliest())
        return {key: max(0, end - max(committed, starts[key[1:]])) for key, (committed, end) in told.items()}

    def expected(self):
        """{(group, topic, partition): lag} by another client's figures and DESIGN.md's definition."""
        commits = {}
        for group in self.groups:
            try:
                answer = self.client.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])[group].result(10)
            except KafkaException:
                continue  # it does not exist
            for found in answer.topic_partitions:
                if found.offset >= 0 and found.topic in self.topics:
                    commits[group, found.topic, found.partition] = found.offset
        where = {(topic, partition) for _, topic, partition in commits}
        starts, ends = self.ends(where, OffsetSpec.earliest()), self.ends(where, OffsetSpec.latest())
        return {(group, topic, partition): max(0, ends[topic, partition] - max(offset, starts[topic, partition]))
                for (group, topic, partition), offset in commits.items()}


def seen(metrics, prefix):
    return {(labels["consumergroup"], labels["topic"], int(labels["partition"])): lag
            for labels, lag in series(metrics, "kafka_consumergroup_lag") if labels["consumergroup"].startswith(prefix)}


def test_every_lag_is_what_another_client_calculates(kafka, start_weir):
    print(f"WEIR_MODEL_SEED={SEED}")
    model = Model(kafka, SEED)
    weir = start_weir({"kafka": [shop.kafka_section(kafka)]})
    cycles = Cycles(weir)
    deadline = time.monotonic() + SECONDS
    compared = by_tool = 0
    next_by_tool = time.monotonic()
    while time.monotonic() < deadline:
        for _ in range(model.random.randrange(5, 40)):
            model.step()
        expected = model.expected()
        cycles.within(2, f"seed {SEED}: the lags are {expected}",
                      lambda metrics: seen(metrics, model.prefix) == expected)
        compared += len(expected)
        if time.monotonic() >= next_by_tool:
            told = model.expected_of_tool()
            assert seen(cycles.metrics(), model.prefix) == told, f"seed {SEED}: kafka-consumer-groups says otherwise"
            by_tool += len(told)
            next_by_tool = time.monotonic() + 15
    print(f"{compared} lags compared, {by_tool} of them by kafka-consumer-groups")
    assert compared > 0 and by_tool > 0
