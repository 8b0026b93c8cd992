"""The weir binary under test."""

import json
import os
import re
import subprocess
from pathlib import Path

from . import http, wait
from .process import Server, free_port
from .prometheus import instant_query

ROOT = Path(__file__).resolve().parents[2]
_SAMPLE = re.compile(r'^(?P<name>[a-zA-Z_:][\w:]*)(?:\{(?P<labels>.*)\})? (?P<value>\S+)(?: \d+)?$')
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"(?:,|$)')


def binary():
    path = Path(os.environ.get("WEIR_BINARY") or ROOT / "build/ci/bin/weir").absolute()
    if not path.exists():
        raise RuntimeError(f"{path} is not there: build it (./tests/run build), or set WEIR_BINARY")
    return path


def validate(config_file):
    """Runs `weir validate` and returns the finished process."""
    return subprocess.run([binary(), "validate", "--config", config_file], capture_output=True, text=True, timeout=30)


class Weir(Server):
    """`weir run` on a configuration: a dict (written as JSON, which YAML takes) without `listen`."""

    name = "weir"

    def __init__(self, config, folder=None):
        super().__init__(folder)
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.address}"
        self.config_file = self.folder / "weir.yml"
        self.configure(config)

    def configure(self, config):
        """Writes the configuration that the next start uses."""
        settings = {"listen": self.address, "storage": {"path": "weir.db"}, **config}
        self.config_file.write_text(json.dumps(settings, indent=1))

    def command(self):
        return [binary(), "run", "--config", self.config_file]

    def environment(self):
        return {name: value for name, value in os.environ.items() if not name.startswith("PG")}

    def ready(self):
        return http.request(f"{self.url}/-/ready").status == 200

    def until_answers(self):
        """Waits until HTTP is served, which is before every collector has ended its first cycle."""
        wait.until("weir answers", lambda: http.request(f"{self.url}/-/healthy").status == 200)

    def get(self, path):
        answer = http.request(self.url + path)
        assert answer.status == 200, f"{path}: {answer.status} {answer.text}"
        return answer

    def overview(self):
        return self.get("/api/weir/v1/overview").json()

    def incidents(self):
        answer = self.get("/api/weir/v1/incidents?limit=100").json()
        return answer if isinstance(answer, list) else answer["incidents"]

    def alerts(self, name, state="firing", **labels):
        """Active alerts of this name, state and labels."""
        return [alert for alert in self.overview()["alerts"]
                if alert["name"] == name and alert["state"] == state
                and labels.items() <= alert["labels"].items()]

    def collector(self, name):
        return next(found for found in self.overview()["collectors"] if found["name"] == name)

    def query(self, expression, time=None):
        return instant_query(self.url, expression, time)

    def metrics(self):
        return parse_metrics(self.get("/metrics").text)

    def sample(self, name, **labels):
        """The value on /metrics of the one series with these labels; None when there is none."""
        found = [value for series, value in self.metrics().get(name, [])
                 if labels.items() <= series.items()]
        assert len(found) <= 1, f"{name}{labels} is not one series: {found}"
        return found[0] if found else None


class Demo(Server):
    """`weir demo` from this source tree."""

    name = "weir-demo"

    def __init__(self):
        super().__init__()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def command(self):
        return [binary(), "demo", "--listen", f"127.0.0.1:{self.port}", "--root", ROOT, "--folder", self.folder]

    def ready(self):
        return http.request(f"{self.url}/-/ready").status == 200

def parse_metrics(text):
    """The exposition format, as {name: [(labels, value)]}; a line that is none fails."""
    found = {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        match = _SAMPLE.match(line)
        assert match, f"no sample: {line!r}"
        labels = {name: re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], value)
                  for name, value in _LABEL.findall(match["labels"] or "")}
        found.setdefault(match["name"], []).append((labels, float(match["value"])))
    return found
