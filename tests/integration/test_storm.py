"""10,000 alerts at once: bounded notifications, soon, in bounded memory; and all of it over again."""

import os
import time
from pathlib import Path

import pytest

from support.http import Answer, HttpServer, WebhookReceiver
from support.wait import until

ALERTS = 10_000
RULES = """
groups:
  - name: storm
    interval: 1s
    rules:
      - {alert: Storm, expr: storm > 0, labels: {severity: critical}, annotations: {summary: "{{ $labels.consumergroup }} is behind"}}
"""


class Page(HttpServer):
    """A page of metrics whose values rise all at once."""

    def __init__(self):
        self.value = 0
        self.served = None  # when the value was first seen
        super().__init__()

    def handle(self, *_):
        if self.value and self.served is None:
            self.served = time.monotonic()
        lines = "".join(f'storm{{consumergroup="g{i}",topic="t{i % 100}"}} {self.value}\n' for i in range(ALERTS))
        return Answer(body=lines.encode(), headers={"Content-Type": "text/plain; version=0.0.4"})


class Timed(WebhookReceiver):
    def __init__(self):
        self.first = None
        self.last = None
        super().__init__()

    def handle(self, *request):
        answer = super().handle(*request)
        self.last = time.monotonic()
        self.first = self.first or self.last
        return answer

    def named(self, status):
        return sum(len(payload["alerts"]) + payload["truncatedAlerts"] for payload in self.payloads(status))


def resident(weir, what="VmHWM"):
    lines = Path(f"/proc/{weir.process.pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(what)).split()[1]) / 1024


@pytest.mark.parametrize("group_by", [["..."], ["alertname"], None])
def test_a_storm_becomes_few_notifications(tmp_path, start_weir, group_by):
    (tmp_path / "rules.yml").write_text(RULES)
    with Page() as page, Timed() as webhook:
        route = {"receiver": "team", "group_wait": "0s", "group_interval": "2s"}
        if group_by:
            route["group_by"] = group_by
        weir = start_weir({"scrape": [{"name": "storm", "url": f"{page.url}/metrics", "interval": "1s"}],
                           "rules": {"files": [str(tmp_path / "rules.yml")], "interval": "1s"},
                           "receivers": [{"name": "team", "webhook_configs": [{"url": webhook.url}]}],
                           "route": route})
        until("all is seen", lambda: len(weir.query("storm")) == ALERTS)
        page.value = 1
        until("all of it is told", lambda: webhook.named("firing") >= ALERTS, timeout=60)
        took = webhook.last - page.served
        count = len(webhook.requests)
        print(f"group_by {group_by}: told after {took:.1f} s in {count} messages, {resident(weir):.0f} MB at most")
        # The machine may have other work to do at the same time.
        assert took <= 5 * max(1, os.getloadavg()[0] / os.cpu_count())
        assert count <= 40
        assert resident(weir) <= 300
        page.value = 0
        until("its end is told", lambda: webhook.payloads("resolved"), timeout=60)
        until("nothing waits", lambda: weir.sample("weir_outbox_messages") == 0, timeout=60)
        assert len(webhook.requests) <= 120
