"""A page of loads by host with an alert for each, and a PostgreSQL server that tests may kill."""

import json
import os
import signal
import subprocess

from .http import Answer, HttpServer

RULES = """
groups:
  - name: load
    interval: 1s
    rules:
      - {alert: Load, expr: load > 0, labels: {severity: critical}, annotations: {summary: "{{ $labels.host }}"}}
  - name: weir
    interval: 1s
    rules:
      - {alert: WeirStorageFailing, expr: 'increase(weir_storage_failures_total[2m]) > 0', labels: {severity: critical}}
      - {alert: WeirStorageSetAside, expr: weir_storage_set_aside_total > 0, labels: {severity: warning}}
"""


class Page(HttpServer):
    """A page of metrics with a value for each host, which a test sets."""

    def __init__(self):
        self.loads = {}
        super().__init__()

    def handle(self, *_):
        lines = "".join(f'load{{host="{host}"}} {value}\n' for host, value in list(self.loads.items()))
        return Answer(body=("# TYPE load gauge\n" + lines).encode(), headers={"Content-Type": "text/plain; version=0.0.4"})


def configuration(folder, page, webhook):
    """One alert a host, each of them its own group, so that each beginning and each end is one notification."""
    (folder / "rules.yml").write_text(RULES)
    return {
        "scrape": [{"name": "hosts", "url": f"{page.url}/metrics", "interval": "1s"}],
        "rules": {"files": [str(folder / "rules.yml")]},
        "notifications": {"start_delay": "0s"},
        "receivers": [{"name": "team", "webhook_configs": [{"url": webhook.url}]}],
        "route": {"receiver": "team", "group_by": ["alertname", "host"], "group_wait": "0s", "group_interval": "1s",
                  "repeat_interval": "1h"},
    }


def told(webhook, status):
    """{host: how often} of the notifications about Load."""
    counts = {}
    for alert in webhook.alerts("Load", status):
        counts[alert["labels"]["host"]] = counts.get(alert["labels"]["host"], 0) + 1
    return counts


def told_by_key(webhook, status):
    """The same, where what came again under its key counts once: a kill may repeat what was on its way."""
    keys = {}
    for _, headers, body in list(webhook.requests):
        for alert in body["alerts"]:
            if alert["labels"]["alertname"] == "Load" and alert["status"] == status:
                keys.setdefault(alert["labels"]["host"], set()).add(headers["Idempotency-Key"])
    return {host: len(of_host) for host, of_host in keys.items()}


def kept_transitions(server, database):
    rows = server.execute("SELECT alert, to_state FROM weir.transitions ORDER BY id", database)
    return [(json.loads(alert)["labels"]["host"], to) for alert, to in rows if json.loads(alert)["rule"] == "Load"]


def unwritten(weir):
    return weir.sample("weir_storage_unwritten") or 0


def kill_server(server):
    """SIGKILL to all of its processes at once, as when the machine goes."""
    children = subprocess.run(["pgrep", "-P", str(postmaster(server))], capture_output=True, text=True).stdout.split()
    for pid in [postmaster(server), *map(int, children)]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    server.kill()


def postmaster(server):
    return int((server.folder / "data/postmaster.pid").read_text().splitlines()[0])


def start_server(server):
    server.launch()
    server.wait_ready()
