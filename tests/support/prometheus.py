"""Debian's Prometheus, scraping what a test names."""

import json
import urllib.parse

from . import http
from .process import Server, free_port


class Prometheus(Server):
    """`scrape` lists the addresses (host:port), `rule_files` absolute paths or patterns; `arguments` are added."""

    name = "prometheus"

    def __init__(self, scrape, rule_files=(), interval="1s", arguments=()):
        super().__init__()
        self.arguments = list(arguments)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.config = {
            "global": {"scrape_interval": interval, "evaluation_interval": interval},
            "rule_files": [str(path) for path in rule_files],
            "scrape_configs": [{"job_name": "weir", "static_configs": [{"targets": list(scrape)}]}],
        }

    def prepare(self):
        (self.folder / "prometheus.yml").write_text(json.dumps(self.config))  # YAML takes JSON

    def command(self):
        return ["prometheus", "--config.file=prometheus.yml", f"--storage.tsdb.path={self.folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=warn", *self.arguments]

    def ready(self):
        return http.request(f"{self.url}/-/ready").status == 200

    def query(self, expression, time=None):
        """The result of an instant query, a list of {metric, value}."""
        return instant_query(self.url, expression, time)

    def api(self, path):
        return http.request(f"{self.url}/api/v1/{path}").json()["data"]


def instant_query(url, expression, time=None):
    """Asks Prometheus's HTTP API, which Weir speaks too; fails unless the answer is a success."""
    parameters = {"query": expression} | ({"time": f"{time:.3f}"} if time is not None else {})
    answer = http.request(f"{url}/api/v1/query?{urllib.parse.urlencode(parameters)}")
    decoded = answer.json()
    assert answer.status == 200 and decoded["status"] == "success", f"{expression}: {answer.text}"
    return decoded["data"]["result"]
