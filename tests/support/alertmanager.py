"""Debian's Alertmanager, which tells what it is told to one webhook."""

import json

from . import http
from .process import Server, free_port


class Alertmanager(Server):
    name = "alertmanager"

    def __init__(self, webhook_url):
        super().__init__()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.config = {
            "route": {"receiver": "hook", "group_by": ["..."], "group_wait": "0s", "group_interval": "1s"},
            "receivers": [{"name": "hook", "webhook_configs": [{"url": webhook_url}]}],
        }

    def prepare(self):
        (self.folder / "alertmanager.yml").write_text(json.dumps(self.config))  # YAML takes JSON

    def command(self):
        return ["prometheus-alertmanager", "--config.file=alertmanager.yml", f"--storage.path={self.folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{self.port}", "--cluster.listen-address=", "--log.level=warn"]

    def ready(self):
        return http.request(f"{self.url}/-/ready").status == 200

    def alerts(self, name):
        """The active alerts of this name, as its API shows them."""
        found = http.request(f"{self.url}/api/v2/alerts").json()
        return [alert for alert in found if alert["labels"]["alertname"] == name]
