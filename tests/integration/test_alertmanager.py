"""Weir as an alert generator: a real Alertmanager takes its alerts, and they have the form of a real Prometheus's."""

import datetime
import sqlite3

import pytest

from support import http
from support.alertmanager import Alertmanager
from support.prometheus import Prometheus
from support.wait import until

RULES = """
groups:
  - name: tables
    interval: 1s
    rules:
      - alert: Empty
        expr: weir_dataset_row_count == 0
        labels: {severity: page}
        annotations: {summary: "{{ $labels.dataset }} has {{ $value }} rows"}
      - {alert: Waiting, expr: weir_dataset_row_count == 0, for: 1h}
"""


@pytest.fixture
def shop(tmp_path):
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        connection.execute("CREATE TABLE orders (id INTEGER)")
    connection.close()
    (tmp_path / "checks.yml").write_text("checks for orders:\n  - row_count >= 0\n")
    (tmp_path / "rules.yml").write_text(RULES)
    return tmp_path


def config(shop, *alertmanagers):
    return {"sources": [{"name": "shop", "type": "sqlite", "path": str(shop / "shop.db")}],
            "checks": [{"source": "shop", "files": [str(shop / "checks.yml")], "interval": "1s"}],
            "rules": {"files": [str(shop / "rules.yml")], "interval": "1s"},
            "alertmanagers": [{"url": url} for url in alertmanagers]}


def fill(shop):
    with sqlite3.connect(shop / "shop.db") as connection:
        connection.execute("INSERT INTO orders VALUES (1)")
    connection.close()


def instant(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def test_an_alertmanager_is_told_what_fires_and_what_resolved(shop, webhook, start_weir):
    with Alertmanager(webhook.url) as alertmanager:
        weir = start_weir(config(shop, alertmanager.url))
        until("the alert is there", lambda: alertmanager.alerts("Empty"))
        alert = alertmanager.alerts("Empty")[0]
        assert alert["labels"] == {"alertname": "Empty", "severity": "page", "source": "shop", "dataset": "orders"}
        assert alert["annotations"]["summary"] == "orders has 0 rows"
        assert alert["generatorURL"].startswith(weir.url)
        fired = weir.alerts("Empty")[0]
        assert abs(instant(alert["startsAt"]).timestamp() - fired["active_since"]) < 0.01
        left = instant(alert["endsAt"]) - instant(alert["updatedAt"])
        assert abs(left.total_seconds() - 240) < 1
        until("its receiver hears of it", lambda: webhook.alerts("Empty", "firing"))
        assert alertmanager.alerts("Waiting") == []
        fill(shop)
        until("its receiver hears that it is over", lambda: webhook.alerts("Empty", "resolved"))
        until("it is counted",
              lambda: (weir.sample("weir_alertmanager_alerts_sent_total", alertmanager=alertmanager.url) or 0) >= 2)


def test_one_that_is_down_delays_no_other_and_is_told_when_it_is_back(shop, webhook, start_weir):
    with Alertmanager(webhook.url) as down, Alertmanager(webhook.url) as up:
        down.stop()
        weir = start_weir(config(shop, down.url, up.url))
        until("the one that is up has it", lambda: up.alerts("Empty"))
        until("the failure is counted", lambda: weir.sample("weir_alertmanager_send_failures_total", alertmanager=down.url))
        assert weir.log().count("was not told everything") == 1
        down.start()
        until("the other has it too", lambda: down.alerts("Empty"))
        until("the log says so", lambda: "alertmanager works again" in weir.log())


def test_a_rule_that_is_removed_ends_its_alert(shop, webhook, start_weir):
    with Alertmanager(webhook.url) as alertmanager:
        weir = start_weir(config(shop, alertmanager.url))
        until("the alert is there", lambda: webhook.alerts("Empty", "firing"))
        (shop / "rules.yml").write_text(RULES.replace("alert: Empty", "alert: Emptied"))
        assert http.request(f"{weir.url}/-/reload", b"", "POST").status == 200
        until("the new alert is there", lambda: alertmanager.alerts("Emptied"))
        until("the old one is over", lambda: webhook.alerts("Empty", "resolved"))


class Recorder(http.HttpServer):
    """What alert generators post, in the place of an Alertmanager."""

    def __init__(self):
        self.posts = []
        super().__init__()

    def handle(self, method, path, headers, body):
        self.posts.append((method, path, headers["Content-Type"], http.Answer(body=body).json()))
        return http.Answer()

    def first(self, name):
        return next((post, alert) for post in list(self.posts) for alert in post[3]
                    if alert["labels"]["alertname"] == name)

    def has(self, name):
        return any(alert["labels"]["alertname"] == name for post in list(self.posts) for alert in post[3])


def test_the_posts_have_the_form_of_prometheus(shop, tmp_path, start_weir):
    with Recorder() as of_weir, Recorder() as of_prometheus:
        weir = start_weir(config(shop, of_weir.url))
        prometheus = Prometheus([weir.address], [shop / "rules.yml"])
        prometheus.config["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{of_prometheus.port}"]}]}]}
        with prometheus:
            until("Weir posts", lambda: of_weir.has("Empty"))
            until("Prometheus posts", lambda: of_prometheus.has("Empty"))
    (*ours, _), our_alert = of_weir.first("Empty")
    (*theirs, _), their_alert = of_prometheus.first("Empty")
    assert ours == theirs == ["POST", "/api/v2/alerts", "application/json"]
    assert our_alert.keys() == their_alert.keys()
    scraped = {"instance", "job"}
    assert our_alert["labels"] == {name: value for name, value in their_alert["labels"].items() if name not in scraped}
    assert our_alert["annotations"] == their_alert["annotations"]
    for alert in (our_alert, their_alert):
        left = instant(alert["endsAt"]) - instant(alert["startsAt"])
        assert abs(left.total_seconds() - 240) < 2
