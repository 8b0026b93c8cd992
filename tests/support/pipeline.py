"""A pipeline as data teams have it: a producer of events at a steady rate, a topic, a consumer that loads a table."""

import json
import threading
import time

import psycopg
from confluent_kafka import Consumer, Producer, TopicPartition

TABLE = """CREATE TABLE fct_events (id bigint, event_time timestamptz NOT NULL, amount double precision,
           loaded_at timestamptz NOT NULL DEFAULT clock_timestamp());
           CREATE INDEX ON fct_events (loaded_at)"""


class Source:
    """Produces `rate` events a second until it is stopped; `sent` counts them."""

    def __init__(self, kafka, topic, rate):
        self.sent = 0
        self._topic, self._rate = topic, rate
        self._producer = Producer({"bootstrap.servers": kafka.bootstrap, "linger.ms": 20, "log_level": 0,
                                   "sticky.partitioning.linger.ms": 0})
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(10)
        self._producer.flush(10)

    def _run(self):
        began = time.monotonic()
        while not self._stop.is_set():
            due = int((time.monotonic() - began) * self._rate)
            while self.sent < due:
                event = {"id": self.sent, "event_time": time.time(), "amount": self.sent % 100}
                self._producer.produce(self._topic, json.dumps(event), key=str(self.sent % 1000))
                self.sent += 1
            self._producer.poll(0)
            self._stop.wait(0.02)


class Sink:
    """A consumer of `group` that loads batches into fct_events and commits what is loaded. hold() makes it stop reading
    with its membership kept, as one that waits for something else does."""

    def __init__(self, kafka, topic, group, postgres, database):
        self.loaded = 0
        self._postgres, self._database = postgres, database
        self._consumer = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": group, "log_level": 0,
                                   "auto.offset.reset": "earliest", "enable.auto.commit": False})
        self._consumer.subscribe([topic])
        self._stop, self._held = threading.Event(), threading.Event()
        self.failure = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(20)

    def hold(self):
        self._held.set()

    def go_on(self):
        self._held.clear()

    def _run(self):
        try:
            with psycopg.connect(self._postgres.address_of(self._database), password=self._postgres.password) as database:
                while not self._stop.is_set():
                    if self._held.is_set():
                        self._stop.wait(0.05)
                        continue
                    self._load(database, [found for found in self._consumer.consume(5000, 0.2) if not found.error()])
        except Exception as error:  # pylint: disable=broad-except
            self.failure = error
            raise
        finally:
            self._consumer.close()

    def _load(self, database, messages):
        if not messages:
            return
        with database.cursor() as cursor, cursor.copy("COPY fct_events (id, event_time, amount) FROM STDIN") as copy:
            for message in messages:
                event = json.loads(message.value())
                stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(event["event_time"]))
                copy.write_row((event["id"], f"{stamp}.{int(event['event_time'] % 1 * 1e6):06d}+00", event["amount"]))
        database.commit()
        ends = {}
        for message in messages:
            ends[message.partition()] = message.offset() + 1
        self._consumer.commit(offsets=[TopicPartition(messages[0].topic(), partition, end) for partition, end in ends.items()],
                              asynchronous=False)
        self.loaded += len(messages)


CHECKS = """
checks for fct_events:
  - percentile(loaded_at - event_time, 0.95) < 3s:
      name: events are loaded within 3 s
      filter: loaded_at > now() - interval '15 seconds'
  - freshness(loaded_at) < 5s:
      name: events arrive
"""
