"""What the shop's producers and consumers do, with real clients."""

import threading

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import (AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic, OffsetSpec,
                                   ResourceType)

from . import wait


def _quiet(**settings):
    return {"log_level": 0, **settings}


def admin(kafka):
    return AdminClient(_quiet(**{"bootstrap.servers": kafka.bootstrap}), logger=None)


def brokers(kafka):
    """The ids in the metadata; none while no broker answers."""
    try:
        return list(admin(kafka).list_topics(timeout=1).brokers)
    except KafkaException as error:
        raise wait.NotYet(str(error)) from error


def create_topic(kafka, name, partitions=1, copies=1, **config):
    """Creates a topic and waits until every partition has a leader."""
    create_topics(kafka, [name], partitions, copies, **config)


def create_topics(kafka, names, partitions=1, copies=1, **config):
    """As create_topic, with one request."""
    client = admin(kafka)
    settings = {key.replace("_", "."): str(value) for key, value in config.items()}
    wanted = [NewTopic(name, partitions, copies, config=settings) for name in names]
    for created in client.create_topics(wanted, request_timeout=60).values():
        created.result(60)

    def led(name):
        found = client.list_topics(name, timeout=5).topics[name].partitions
        return len(found) == partitions and all(partition.leader >= 0 for partition in found.values())
    for name in names:
        wait.until(f"topic {name} has leaders", lambda name=name: led(name))


def alter_topic(kafka, name, **config):
    """Changes these settings of a topic."""
    entries = [ConfigEntry(key.replace("_", "."), str(value), incremental_operation=AlterConfigOpType.SET)
               for key, value in config.items()]
    resource = ConfigResource(ResourceType.TOPIC, name, incremental_configs=entries)
    client = admin(kafka)  # kept until the answer
    client.incremental_alter_configs([resource])[resource].result(30)


def topics(kafka):
    return set(admin(kafka).list_topics(timeout=10).topics)


def delete_topic(kafka, name):
    client = admin(kafka)
    client.delete_topics([name])[name].result(30)


def delete_records(kafka, topic, before):
    """Deletes what lies before an offset, as retention does: {partition: offset}."""
    client = admin(kafka)
    wanted = [TopicPartition(topic, partition, offset) for partition, offset in before.items()]
    for done in client.delete_records(wanted).values():
        done.result(30)


def ends(client, topic, partitions):
    """{partition: log end offset}."""
    def asked():
        wanted = client.list_offsets({TopicPartition(topic, partition): OffsetSpec.latest() for partition in partitions})
        try:
            return {where.partition: done.result(10).offset for where, done in wanted.items()}
        except KafkaException as error:  # partitions that have just been made
            raise wait.NotYet(str(error)) from error
    return wait.until(f"the ends of {topic}", asked)


def total_lag(kafka):
    """The sum over all groups and partitions with a commit, by the broker's own figures."""
    client = admin(kafka)
    groups = [group.group_id for group in client.list_consumer_groups().result(10).valid]
    commits = {}
    for group in groups:
        request = client.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])[group]
        commits[group] = [found for found in request.result(10).topic_partitions if found.offset >= 0]
    wanted = {(found.topic, found.partition) for found in sum(commits.values(), [])}
    ends = client.list_offsets({TopicPartition(*where): OffsetSpec.latest() for where in wanted})
    starts = client.list_offsets({TopicPartition(*where): OffsetSpec.earliest() for where in wanted})
    end = {(where.topic, where.partition): done.result(10).offset for where, done in ends.items()}
    start = {(where.topic, where.partition): done.result(10).offset for where, done in starts.items()}
    return sum(end[found.topic, found.partition] - max(found.offset, start[found.topic, found.partition])
               for found in sum(commits.values(), []))


def produce(kafka, topic, count, value=b'{"order_id": 1}', partition=-1, key=None):
    """Sends `count` messages, spread over the partitions unless one is given, and waits until the broker has them. Their
    keys are their numbers unless one is given."""
    failures = []
    producer = Producer(_quiet(**{"bootstrap.servers": kafka.bootstrap, "linger.ms": 5,
                                  "sticky.partitioning.linger.ms": 0}))
    for number in range(count):
        while True:
            try:
                producer.produce(topic, value, key=key or str(number).encode(), partition=partition,
                                 on_delivery=lambda error, _: failures.append(error) if error else None)
                break
            except BufferError:
                producer.poll(0.1)
    left = producer.flush(60)
    assert not left and not failures, f"{left} messages not sent, failures: {failures[:3]}"


def commit(kafka, group, topic, offsets, client=None):
    """Commits `offsets`, a list with one number a partition, for a group without members."""
    client = client or admin(kafka)  # kept until the answer: a client that is gone never answers
    wanted = [TopicPartition(topic, partition, offset) for partition, offset in enumerate(offsets)]

    def committed():
        request = ConsumerGroupTopicPartitions(group, wanted)
        try:
            answer = client.alter_consumer_group_offsets([request])[group].result(30)
        except KafkaException as error:
            raise wait.NotYet(str(error)) from error
        # A coordinator that is still loading refuses each partition on its own.
        return not any(partition.error for partition in answer.topic_partitions)
    wait.until(f"group {group} has committed", committed)


def join_and_leave(kafka, group, topic, offsets):
    """A consumer joins the group, commits `offsets` of the first partitions, and leaves: the group had members."""
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": group, "enable.auto.commit": False,
                         "auto.offset.reset": "earliest"})
    try:
        consumer.subscribe([topic])
        wait.until(f"{group} has members", lambda: consumer.poll(0.2) and consumer.assignment())
        consumer.commit(offsets=[TopicPartition(topic, partition, offset) for partition, offset in enumerate(offsets)],
                        asynchronous=False)
    finally:
        consumer.close()


def delete_group(kafka, group):
    client = admin(kafka)
    client.delete_consumer_groups([group])[group].result(30)


def assign_and_commit(kafka, group, topic, partition, offset):
    """What a consumer does that is assigned its partition and joins no group."""
    consumer = Consumer(_quiet(**{"bootstrap.servers": kafka.bootstrap, "group.id": group, "enable.auto.commit": False}))
    consumer.assign([TopicPartition(topic, partition, offset)])
    consumer.commit(offsets=[TopicPartition(topic, partition, offset)], asynchronous=False)
    consumer.close()


class Transaction:
    """An open transaction that wrote `count` messages to a partition."""

    def __init__(self, kafka, name, topic, partition, count, **settings):
        self._producer = Producer(_quiet(**{"bootstrap.servers": kafka.bootstrap, "transactional.id": name, **settings}))
        self._producer.init_transactions(30)
        self._producer.begin_transaction()
        for _ in range(count):
            self._producer.produce(topic, b"in doubt", partition=partition)
        assert not self._producer.flush(30)

    def abort(self):
        self._producer.abort_transaction(30)

    def commit(self):
        self._producer.commit_transaction(30)


class GroupMember:
    """A consumer of `group` in a thread: reads `topic` from the start and commits after every batch, `batch` messages at
    most, with `pause` seconds between."""

    def __init__(self, kafka, group, topic, batch=2000, pause=0.0, **settings):
        self.consumed = 0
        self._batch = batch
        self._pause = pause
        self._stop = threading.Event()
        self._assigned = threading.Event()
        self._failure = None
        if settings.get("group.protocol") != "consumer":  # the broker's to choose there
            settings = {"session.timeout.ms": 6000, **settings}
        self._consumer = Consumer(_quiet(**{
            "bootstrap.servers": kafka.bootstrap, "group.id": group, "auto.offset.reset": "earliest",
            "enable.auto.commit": False, **settings}))
        self._consumer.subscribe([topic], on_assign=lambda *_: self._assigned.set())
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def wait_for(self, count, timeout=60.0):
        """Waits until it has an assignment and has read `count` messages in all."""
        def reached():
            if self._failure:
                raise RuntimeError(f"the consumer failed: {self._failure}")
            return self._assigned.is_set() and self.consumed >= count
        wait.until(f"the consumer has read {count} messages", reached, timeout)
        return self

    def stop(self):
        """Leaves the group, as an orderly shutdown does."""
        self._stop.set()
        self._thread.join(30)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def _run(self):
        try:
            while not self._stop.is_set():
                messages = [message for message in self._consumer.consume(self._batch, 0.1) if not message.error()]
                if messages:
                    self._consumer.commit(asynchronous=False)
                    self.consumed += len(messages)
                self._stop.wait(self._pause)
        except KafkaException as error:
            self._failure = error
        finally:
            self._consumer.close()
