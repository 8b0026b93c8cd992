"""Apache Kafka in KRaft mode: real brokers on loopback ports."""

import base64
import os
import signal
import subprocess

from . import artifacts
from .process import Server, free_port, start_all, temporary_folder


class Broker(Server):
    """One node; node 1 is also the controller."""

    def __init__(self, cluster, node_id):
        super().__init__(cluster.folder / f"broker-{node_id}")
        self.name = f"kafka-{cluster.version}-broker-{node_id}"
        self.cluster = cluster
        self.node_id = node_id
        self.port = free_port()
        self.ports = {name: free_port() for name in cluster.listeners}
        self.advertised = {}  # {listener: port} of those that clients reach by another port
        self.folder.mkdir()
        self.log_file = self.folder / "kafka.log"

    def prepare(self):
        (self.folder / "server.properties").write_text(
            "".join(f"{key}={value}\n" for key, value in self._properties().items()))
        subprocess.run(self._java("kafka.tools.StorageTool", "format", "-t", self.cluster.cluster_id, "-c",
                                  "server.properties"), cwd=self.folder, check=True, capture_output=True)

    def command(self):
        return self._java("kafka.Kafka", "server.properties")

    def ready(self):
        return any(self.node_id == node for node in self.cluster.nodes_in_metadata())

    def freeze(self):
        """Stops answering, with its connections still open."""
        os.killpg(self.pid, signal.SIGSTOP)

    def thaw(self):
        os.killpg(self.pid, signal.SIGCONT)

    def _java(self, *arguments):
        return ["java", *self.cluster.java_options, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                "-cp", f"{artifacts.kafka_jars(self.cluster.version)}/*", *arguments]

    def _properties(self):
        cluster = self.cluster
        controller = self.node_id == 1
        def written(ports):
            return ",".join([f"BROKER://127.0.0.1:{self.port}",
                             *(f"{name}://127.0.0.1:{port}" for name, port in ports.items())])
        listeners = written(self.ports)
        protocols = {"BROKER": "PLAINTEXT", "CONTROLLER": "PLAINTEXT", **cluster.listeners}
        copies = min(3, cluster.size)
        return {
            "process.roles": "broker,controller" if controller else "broker",
            "node.id": self.node_id,
            "listeners": listeners + (f",CONTROLLER://127.0.0.1:{cluster.controller_port}" if controller else ""),
            "advertised.listeners": written({**self.ports, **self.advertised}),
            "listener.security.protocol.map": ",".join(f"{name}:{how}" for name, how in protocols.items()),
            "inter.broker.listener.name": "BROKER",
            "controller.listener.names": "CONTROLLER",
            "controller.quorum.voters": f"1@127.0.0.1:{cluster.controller_port}",
            "log.dirs": self.folder / "data",
            "offsets.topic.replication.factor": copies,
            "transaction.state.log.replication.factor": copies,
            "transaction.state.log.min.isr": 1,
            "offsets.topic.num.partitions": 8,
            "group.initial.rebalance.delay.ms": 0,
            "broker.session.timeout.ms": 6000,
            "log.index.size.max.bytes": 1 << 20,
            **cluster.properties,
        }


class Kafka:
    """A cluster of `brokers` nodes. `properties` are added to each server.properties. `listeners` are others than the plain
    one, {name: security protocol}; their ports are in Broker.ports."""

    # Compiling with C1 only halves the start; a benchmark wants the ordinary JVM.
    QUICK = ("-Xmx512m", "-Xms64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")

    def __init__(self, version="4.1.0", brokers=1, properties=None, java_options=QUICK, listeners=None):
        self.version = version
        self.folder = temporary_folder(f"kafka-{version}")
        # The first byte is no 0xf8 or above, which would make a "-" that the tools take for an option.
        self.cluster_id = base64.urlsafe_b64encode(b"w" + os.urandom(15)).decode().rstrip("=")
        self.java_options = java_options
        self.properties = properties or {}
        self.listeners = listeners or {}
        self.controller_port = free_port()
        self.size = brokers
        self.brokers = [Broker(self, number + 1) for number in range(brokers)]

    @property
    def bootstrap(self):
        return ",".join(f"127.0.0.1:{broker.port}" for broker in self.brokers)

    def launch(self):
        for broker in self.brokers:
            broker.launch()
        return self

    def wait_ready(self):
        for broker in self.brokers:
            broker.wait_ready()
        return self

    def start(self):
        start_all(*self.brokers)
        return self

    def stop(self):
        for broker in reversed(self.brokers):
            broker.stop()

    def kill(self):
        for broker in self.brokers:
            broker.kill()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.kill()

    def nodes_in_metadata(self):
        from .kafka_clients import brokers  # of the virtual environment
        return brokers(self)
