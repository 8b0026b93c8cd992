"""Debian's node_exporter: what it says of this machine's disks, and the same page with disks that are as full as a test wants."""

import re

from . import http
from .process import Server, free_port

_SIZE = re.compile(r"^node_filesystem_size_bytes(\{.*\}) (\S+)$", re.MULTILINE)
_LEFT = re.compile(r"^node_filesystem_avail_bytes(\{.*\}) \S+$", re.MULTILINE)


class NodeExporter(Server):
    name = "node_exporter"

    def __init__(self):
        super().__init__()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/metrics"

    def command(self):
        return ["prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{self.port}", "--collector.disable-defaults",
                "--collector.filesystem", "--log.level=warn"]

    def ready(self):
        return http.request(self.url).status == 200


class Disks(http.HttpServer):
    """The exporter's page, where of every disk `left` is left: a share of its size, or nothing for what there is."""

    def __init__(self, exporter, left=0.8):
        self.exporter = exporter
        self.left = left
        super().__init__()

    def handle(self, method, path, headers, body):
        page = http.request(self.exporter.url)
        if self.left is None:
            return http.Answer(page.status, page.body)
        sizes = {labels: float(size) for labels, size in _SIZE.findall(page.text)}
        text = _LEFT.sub(lambda line: f"node_filesystem_avail_bytes{line[1]} {self.left * sizes[line[1]]}", page.text)
        return http.Answer(page.status, text.encode(), {"Content-Type": "text/plain; version=0.0.4"})
