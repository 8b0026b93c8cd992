"""Kafka's own command line tools, with the Java client: the figures and the consumers that nothing of ours has touched."""

import subprocess

from . import artifacts
from .process import Server


def _java(kafka, program, *arguments, options=()):
    version = kafka.version
    return ["java", *options, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
            "-cp", f"{artifacts.kafka_tools_jar(version)}/*:{artifacts.kafka_jars(version)}/*",
            f"org.apache.kafka.tools.{program}", *arguments]


def describe_groups(kafka):
    """{(group, topic, partition): (committed offset, log end offset)} as kafka-consumer-groups.sh prints them."""
    done = subprocess.run(_java(kafka, "consumer.group.ConsumerGroupCommand", "--bootstrap-server", kafka.bootstrap,
                                "--describe", "--all-groups", "--timeout", "20000"),
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    found = {}
    for line in done.stdout.splitlines():
        words = line.split()
        if len(words) < 6 or not words[2].isdigit() or not words[3].isdigit() or not words[4].isdigit():
            continue  # a header, an empty line, a group that has committed nothing
        found[words[0], words[1], int(words[2])] = int(words[3]), int(words[4])
    return found


class JavaConsumer(Server):
    """kafka-console-consumer.sh: a member of `group` that reads `topic` from the start and commits every 200 ms. `options`
    are Java's."""

    name = "java-consumer"

    def __init__(self, kafka, group, topic, options=(), **settings):
        super().__init__()
        self._kafka, self._group, self._topic, self._options = kafka, group, topic, options
        self._settings = {"auto.commit.interval.ms": 200, **settings}

    def command(self):
        settings = [word for name, text in self._settings.items() for word in ("--consumer-property", f"{name}={text}")]
        return _java(self._kafka, "consumer.ConsoleConsumer", "--bootstrap-server", self._kafka.bootstrap, "--topic",
                     self._topic, "--group", self._group, "--from-beginning", *settings, options=self._options)

    def ready(self):
        return True


class JavaProducer(Server):
    """kafka-producer-perf-test.sh: sends 20 messages a second to `topic` until it is stopped."""

    name = "java-producer"

    def __init__(self, kafka, topic, options=()):
        super().__init__()
        self._kafka, self._topic, self._options = kafka, topic, options

    def command(self):
        return _java(self._kafka, "ProducerPerformance", "--topic", self._topic, "--num-records", "1000000",
                     "--throughput", "20", "--record-size", "100", "--producer-props",
                     f"bootstrap.servers={self._kafka.bootstrap}", options=self._options)

    def ready(self):
        return True
