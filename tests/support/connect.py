"""Kafka Connect in distributed mode: real workers on loopback ports, with the file connectors and Debezium's."""

import json
import urllib.parse

from . import artifacts, http
from .process import Server, free_port


class Connect(Server):
    """One worker; workers with the same `group` share the work."""

    name = "connect"
    start_timeout = 120.0

    def __init__(self, kafka, version="4.1.0", group="connect", debezium="3.2.0.Final"):
        super().__init__()
        self.kafka = kafka
        self.version = version
        self.group = group
        self.plugins = artifacts.debezium_plugins(debezium) if debezium else None
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def prepare(self):
        topics = {f"{kind}.storage.topic": f"{self.group}-{kind}s" for kind in ("config", "offset")}
        settings = {
            "bootstrap.servers": self.kafka.bootstrap, "group.id": self.group, **topics,
            "status.storage.topic": f"{self.group}-status",
            **{f"{kind}.storage.replication.factor": 1 for kind in ("config", "offset", "status")},
            "offset.storage.partitions": 1, "status.storage.partitions": 1, "offset.flush.interval.ms": 1000,
            "key.converter": "org.apache.kafka.connect.json.JsonConverter",
            "value.converter": "org.apache.kafka.connect.json.JsonConverter",
            "key.converter.schemas.enable": "false", "value.converter.schemas.enable": "false",
            "listeners": self.url, "rest.advertised.host.name": "127.0.0.1", "rest.advertised.port": self.port,
            "scheduled.rebalance.max.delay.ms": 0,
        }
        if self.plugins:
            # The file connectors are on the class path of the worker; a scan of its plugins by their service files is quick.
            settings |= {"plugin.path": self.plugins, "plugin.discovery": "hybrid_warn"}
        (self.folder / "worker.properties").write_text("".join(f"{key}={value}\n" for key, value in settings.items()))

    def command(self):
        return ["java", "-Xmx512m", "-Xms64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                "-cp", f"{artifacts.connect_jars(self.version)}/*", "org.apache.kafka.connect.cli.ConnectDistributed",
                "worker.properties"]

    def ready(self):
        return http.request(f"{self.url}/connectors").status == 200

    def put(self, connector, config):
        """Makes the connector, or gives it another configuration."""
        answer = self._call("PUT", connector, "/config", config)
        assert answer.status in (200, 201), answer

    def delete(self, connector):
        return self._call("DELETE", connector)

    def restart(self, connector):
        return self._call("POST", connector, "/restart?includeTasks=true&onlyFailed=true")

    def status(self, connector):
        return self._call("GET", connector, "/status").json()

    def states(self, connector):
        """Of the connector and its tasks: ["RUNNING", "FAILED"]"""
        answer = self._call("GET", connector, "/status")
        if answer.status != 200:
            return []
        status = answer.json()
        return [status["connector"]["state"], *(task["state"] for task in status["tasks"])]

    def topics(self, connector):
        return self._call("GET", connector, "/topics").json()[connector]["topics"]

    def _call(self, method, connector, path="", body=None):
        return http.request(f"{self.url}/connectors/{urllib.parse.quote(connector, safe='')}{path}",
                            None if body is None else json.dumps(body).encode(), method,
                            {"Content-Type": "application/json"}, timeout=60)
