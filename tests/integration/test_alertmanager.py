"""Weir as an alert generator: a real Alertmanager takes its alerts, and they have the form of a real Prometheus's."""

import datetime
import sqlite3
import threading

import pytest

from support import http
from support.alertmanager import Alertmanager
from support.process import free_port
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


class Hanging(http.HttpServer):
    """An Alertmanager that takes what it is posted and says nothing for long."""

    def __init__(self):
        self.done = threading.Event()
        super().__init__()

    def handle(self, *_):
        self.done.wait(30)
        return http.Answer()


def test_one_that_hangs_delays_no_other(shop, webhook, start_weir):
    with Hanging() as hanging, Alertmanager(webhook.url) as up:
        settings = config(shop, hanging.url, up.url)
        settings["alertmanagers"][0]["timeout"] = "20s"
        start_weir(settings)
        until("the other has it", lambda: up.alerts("Empty"))
        fill(shop)
        until("and hears that it is over", lambda: webhook.alerts("Empty", "resolved"), timeout=10)
        hanging.done.set()


class Clustered(Alertmanager):
    """One of two that gossip."""

    def __init__(self, webhook_url, peer=None):
        super().__init__(webhook_url)
        self.gossip = f"127.0.0.1:{free_port()}"
        self.peer = peer
        self.config["route"]["group_wait"] = "1s"

    def command(self):
        peer = [f"--cluster.peer={self.peer.gossip}"] if self.peer else []
        alone = [word for word in super().command() if not word.startswith("--cluster.")]
        return [*alone, f"--cluster.listen-address={self.gossip}", "--cluster.peer-timeout=3s", "--cluster.gossip-interval=50ms", *peer]

    def members(self):
        return len(http.request(f"{self.url}/api/v2/status").json()["cluster"]["peers"])


def test_both_of_a_cluster_are_told_and_people_once(shop, webhook, start_weir):
    with Clustered(webhook.url) as first, Clustered(webhook.url, first) as second:
        until("they know each other", lambda: first.members() == second.members() == 2)
        start_weir(config(shop, first.url, second.url))
        until("both have it", lambda: first.alerts("Empty") and second.alerts("Empty"))
        until("people hear of it", lambda: webhook.alerts("Empty", "firing"))
        first.stop()
        fill(shop)
        until("the other tells of the end", lambda: webhook.alerts("Empty", "resolved"), timeout=20)
        assert len(webhook.alerts("Empty", "firing")) == 1


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
