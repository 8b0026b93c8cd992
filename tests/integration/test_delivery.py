"""Receivers that hang, throttle and come back; heartbeats; an Alertmanager's word in the timeline; restarts."""

import sqlite3
import time

import pytest

from support import http
from support.alertmanager import Alertmanager
from support.http import Answer, HttpServer, WebhookReceiver
from support.wait import until
from support.weir import ROOT

RULES = """
groups:
  - name: tables
    interval: 1s
    rules:
      - {alert: Empty, expr: weir_dataset_row_count == 0, labels: {severity: page}}
"""


class Hanging(HttpServer):
    """Takes a request and says nothing for a while."""

    def handle(self, *_):
        time.sleep(8)
        return Answer()


@pytest.fixture
def watch(tmp_path, start_weir):
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        connection.execute("CREATE TABLE orders (id INTEGER)")
        connection.execute("INSERT INTO orders VALUES (1)")
    connection.close()
    (tmp_path / "checks.yml").write_text("checks for orders:\n  - row_count >= 0\n")
    (tmp_path / "rules.yml").write_text(RULES)

    def start(receivers, **more):
        return start_weir({
            "sources": [{"name": "shop", "type": "sqlite", "path": str(tmp_path / "shop.db")}],
            "checks": [{"source": "shop", "files": [str(tmp_path / "checks.yml")], "interval": "1s"}],
            "rules": {"files": [str(tmp_path / "rules.yml")], "interval": "1s"},
            "receivers": [{"name": "team", "webhook_configs": receivers}],
            "route": {"receiver": "team", "group_by": ["alertname"], "group_wait": "0s", "group_interval": "1s"}, **more})

    def rows(statement):
        with sqlite3.connect(tmp_path / "shop.db") as connection:
            connection.execute(statement)
        connection.close()

    start.rows = rows
    return start


def empty(watch, weir):
    until("all is well", lambda: weir.sample("weir_dataset_row_count", dataset="orders") == 1)
    watch.rows("DELETE FROM orders")
    return time.monotonic()


def test_one_that_hangs_delays_no_other_and_a_breach_is_told_within_an_interval_and_a_second(watch, webhook):
    with Hanging() as hanging:
        weir = watch([{"url": hanging.url}, {"url": webhook.url}])
        since = empty(watch, weir)
        until("it is told", lambda: webhook.alerts("Empty", "firing"), every=0.02)
        took = time.monotonic() - since
        print(f"from the breach to the webhook: {took:.2f} s")
        assert took <= 2.5  # an interval of 1 s, a second, and a busy machine
        watch.rows("INSERT INTO orders VALUES (1)")
        until("its end is told", lambda: webhook.alerts("Empty", "resolved"), timeout=5)


def test_retry_after_is_a_floor_and_order_is_kept(watch):
    with WebhookReceiver([Answer(429, b"", {"Retry-After": "4"})]) as webhook:
        weir = watch([{"url": webhook.url}])
        empty(watch, weir)
        until("it was tried", lambda: webhook.requests)
        tried = time.monotonic()
        watch.rows("INSERT INTO orders VALUES (1)")
        until("all is told", lambda: len(webhook.requests) >= 3)
        assert time.monotonic() - tried >= 3.5
        keys = [headers["Idempotency-Key"] for _, headers, _ in webhook.requests]
        assert keys[0] == keys[1] != keys[2]
        assert [payload["status"] for payload in webhook.payloads()] == ["firing", "firing", "resolved"]


def test_a_kill_neither_loses_nor_repeats(watch, webhook):
    weir = watch([{"url": webhook.url}])
    empty(watch, weir)
    until("it is told", lambda: webhook.alerts("Empty", "firing"))
    until("and that is written", lambda: weir.sample("weir_outbox_messages") == 0)
    weir.kill()
    weir.start()
    until("it fires still", lambda: weir.alerts("Empty"))
    watch.rows("INSERT INTO orders VALUES (1)")
    until("its end is told", lambda: webhook.alerts("Empty", "resolved"))
    assert [payload["status"] for payload in webhook.payloads()] == ["firing", "resolved"]


def test_a_heartbeat_is_posted_while_weir_works(watch, webhook):
    with WebhookReceiver() as switch:
        weir = watch([{"url": webhook.url}], heartbeats=[{"name": "watch", "url": switch.url, "interval": "1s"}])
        until("three beats", lambda: len(switch.requests) >= 3)
        assert switch.requests[0][2]["status"] == "alive"
        until("they are counted", lambda: weir.sample("weir_heartbeats_total", heartbeat="watch", outcome="delivered") >= 3)
        weir.stop()
        beats = len(switch.requests)
        time.sleep(1.5)
        assert len(switch.requests) == beats


class Place(HttpServer):
    """A page of metrics that is reached or not."""

    def __init__(self):
        self.reached = True
        super().__init__()

    def handle(self, *_):
        return Answer(200, b"thing 1\n", {"Content-Type": "text/plain; version=0.0.4"}) if self.reached else Answer(503)


def test_while_weir_is_cut_off_nothing_else_is_told(tmp_path, webhook, start_weir):
    shipped = (ROOT / "rules/weir.yml").read_text()
    (tmp_path / "weir.yml").write_text(shipped.replace(" for: 30s", " for: 2s").replace("keep_firing_for: 90s", "keep_firing_for: 4s"))
    (tmp_path / "rules.yml").write_text(
        "groups: [{name: own, interval: 1s, rules: [{alert: Down, expr: up == 0, for: 4s}, {alert: Gone, expr: absent(thing), for: 4s}]}]")
    with Place() as a, Place() as b, Place() as c:
        weir = start_weir({
            "scrape": [{"name": name, "url": place.url, "interval": "1s"} for name, place in (("a", a), ("b", b), ("c", c))],
            "rules": {"files": [str(tmp_path / "weir.yml"), str(tmp_path / "rules.yml")], "interval": "1s"},
            "receivers": [{"name": "team", "webhook_configs": [{"url": webhook.url}]}],
            "route": {"receiver": "team", "group_by": ["alertname"], "group_wait": "0s", "group_interval": "1s"}})
        until("all is well", lambda: weir.sample("weir_collector_success", collector=f"scrape/c/127.0.0.1:{c.port}") == 1)
        a.reached = False
        until("one that is down is told", lambda: webhook.alerts("Down", "firing"))
        a.reached = True
        until("and its end", lambda: webhook.alerts("Down", "resolved"))
        told = len(webhook.requests)
        a.reached = b.reached = c.reached = False
        until("that Weir is cut off is told", lambda: webhook.alerts("WeirOffline", "firing"))
        until("all three fire", lambda: len(weir.alerts("Down")) == 3)
        until("which is shown", lambda: all(alert["suppressed"]["inhibited_by"] for alert in weir.overview()["alerts"]
                                            if alert["name"] == "Down"))
        a.reached = b.reached = c.reached = True
        until("its end is told", lambda: webhook.alerts("WeirOffline", "resolved"))
        assert not weir.alerts("Down"), "which the first collector that sees again does not end"
        names = {alert["labels"]["alertname"] for payload in webhook.payloads()[told:] for alert in payload["alerts"]}
        assert names == {"WeirOffline"}


def test_whom_an_alertmanager_told_enters_the_timeline(watch, webhook):
    with Alertmanager(webhook.url) as alertmanager:
        weir = watch([], alertmanagers=[{"url": alertmanager.url}])
        alertmanager.config["receivers"][0]["webhook_configs"].append({"url": f"{weir.url}/api/weir/v1/alertmanager-webhook"})
        alertmanager.prepare()
        assert http.request(f"{alertmanager.url}/-/reload", b"", "POST").status == 200
        empty(watch, weir)
        until("the timeline says so", lambda: any(
            entry["kind"] == "notified" and entry["text"] == "Alertmanager told hook (firing)"
            for incident in weir.incidents() for entry in incident["timeline"]))
    for body in (b"", b"[]", b'{"version": "4", "alerts": [1], "status": "firing"}', b'{"version": "3", "alerts": []}'):
        assert http.request(f"{weir.url}/api/weir/v1/alertmanager-webhook", body, "POST").status == 400


def test_whom_weir_told_is_in_the_timeline(watch):
    with WebhookReceiver([Answer(500)]) as webhook:
        weir = watch([{"url": webhook.url}])
        empty(watch, weir)
        until("it is told", lambda: len(webhook.requests) >= 2)

        def told():
            return [entry["text"] for incident in weir.incidents() for entry in incident["timeline"]
                    if entry["kind"] == "notified"]
        until("the timeline says so", lambda: told() == ["told team/webhook/0 (firing), at attempt 2"])
        watch.rows("INSERT INTO orders VALUES (1)")
        until("and that it is over", lambda: told()[1:] == ["told team/webhook/0 (resolved)"])
