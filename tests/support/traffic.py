"""Producers and consumers of a running platform: steady traffic whose rate, and consumers whose manners, can be changed."""

import threading
import time

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

_TICK = 0.2


class Traffic:
    """Sends to many topics from one thread: `rates` is {topic: messages a second} or {(topic, partition): …}."""

    def __init__(self, kafka, value=b'{"order_id": 1}', noise=None):
        self.rates = {}
        self._value = value
        self._noise = noise or (lambda: 1.0)
        self._owed = {}
        self._producer = Producer({"bootstrap.servers": kafka.bootstrap, "log_level": 0, "linger.ms": 20,
                                   "sticky.partitioning.linger.ms": 0})
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self):
        self._stop.set()
        self._thread.join(10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def _run(self):
        while not self._stop.wait(_TICK):
            for where, rate in list(self.rates.items()):
                owed = self._owed.get(where, 0.0) + rate * _TICK * self._noise()
                topic, partition = where if isinstance(where, tuple) else (where, -1)
                for number in range(int(owed)):
                    try:
                        self._producer.produce(topic, self._value, key=str(number).encode(), partition=partition)
                    except BufferError:
                        break
                self._owed[where] = owed - int(owed)
            self._producer.poll(0)


class Reader:
    """A member of `group`. May be changed at any time: `per_second`, how much it can read; `commits`, whether it does;
    `hung`, partitions on which it commits nothing."""

    def __init__(self, kafka, group, topic, per_second=100_000, commits=True):
        self.per_second = per_second
        self.commits = commits
        self.hung = set()
        self.failure = None
        self._topic = topic
        self._kafka = kafka
        self._group = group
        self._thread = None
        self.start()

    def start(self):
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self):
        """Leaves the group; may be started again."""
        self._stop.set()
        self._thread.join(30)

    def _run(self):
        consumer = Consumer({"bootstrap.servers": self._kafka.bootstrap, "log_level": 0, "group.id": self._group,
                             "auto.offset.reset": "earliest", "enable.auto.commit": False, "session.timeout.ms": 6000})
        consumer.subscribe([self._topic])
        try:
            while not self._stop.is_set():
                began = time.monotonic()
                try:
                    self._read(consumer)
                except KafkaException as error:  # a commit during a rebalance: read again
                    # Its traceback would keep the consumer, for the garbage collector to end in any other thread.
                    self.failure = error.with_traceback(None)
                self._stop.wait(max(0.0, _TICK - (time.monotonic() - began)))
        finally:
            consumer.close()

    def _read(self, consumer):
        most = max(1, min(5000, int(self.per_second * _TICK)))
        offsets = {}
        for message in consumer.consume(most, _TICK):
            if not message.error() and message.partition() not in self.hung:
                offsets[message.partition()] = message.offset() + 1
        if offsets and self.commits:
            consumer.commit(offsets=[TopicPartition(self._topic, partition, offset)
                                     for partition, offset in offsets.items()], asynchronous=False)
