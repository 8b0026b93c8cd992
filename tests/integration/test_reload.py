"""SIGHUP and /-/reload: new rules and receivers come into force at once, wrong ones not at all."""

import signal
import sqlite3

import pytest

from support import http
from support.wait import always, until

FIRST = """
groups:
  - name: tables
    interval: 1s
    rules:
      - {alert: Small, expr: weir_dataset_row_count < 100, labels: {severity: page}}
      - {alert: SmallToo, expr: weir_dataset_row_count < 50}
"""
SECOND = """
groups:
  - name: tables
    interval: 1s
    rules:
      - {alert: Small, expr: weir_dataset_row_count < 90, labels: {severity: page}}
      - {alert: New, expr: weir_dataset_row_count < 80}
"""
WRONG = """
groups:
  - name: tables
    rules:
      - {alert: Small, expr: weir_dataset_row_count <}
      - {alert: Small, exprs: up}
"""


class Watched:
    """A Weir that watches a table of one row, sending to `webhook`."""

    def __init__(self, folder, webhook, start_weir):
        self.folder = folder
        with sqlite3.connect(folder / "shop.db") as connection:
            connection.execute("CREATE TABLE orders (id INTEGER)")
            connection.execute("INSERT INTO orders VALUES (1)")
        connection.close()
        (folder / "checks.yml").write_text("checks for orders:\n  - row_count > 0\n")
        self.rules = folder / "rules.yml"
        self.rules.write_text(FIRST)
        self.weir = start_weir(self.config("first", webhook))
        until("both alerts fire", lambda: self.weir.alerts("Small") and self.weir.alerts("SmallToo"))

    def config(self, receiver, webhook, **more):
        return {"sources": [{"name": "shop", "type": "sqlite", "path": str(self.folder / "shop.db")}],
                "checks": [{"source": "shop", "files": [str(self.folder / "checks.yml")], "interval": "1s"}],
                "rules": {"files": [str(self.rules)], "interval": "1s"},
                "receivers": [{"name": receiver, "webhook_configs": [{"url": f"{webhook.url}/{receiver}"}]}],
                "route": {"receiver": receiver, "group_wait": "0s", "group_interval": "1s"}, **more}

    def post(self, method="POST"):
        return http.request(f"{self.weir.url}/-/reload", b"", method)

    def rule_names(self):
        groups = self.weir.get("/api/v1/rules").json()["data"]["groups"]
        return [rule["name"] for group in groups for rule in group["rules"]]


@pytest.fixture
def watched(tmp_path, webhook, start_weir):
    return Watched(tmp_path, webhook, start_weir)


@pytest.mark.parametrize("how", ["SIGHUP", "POST", "PUT"])
def test_new_rules_come_into_force_and_the_same_ones_keep_their_alerts(watched, webhook, how):
    since = watched.weir.alerts("Small")[0]["active_since"]
    watched.rules.write_text(SECOND)
    if how == "SIGHUP":
        watched.weir.process.send_signal(signal.SIGHUP)
    else:
        answer = watched.post(how)
        assert (answer.status, answer.body) == (200, b"")
    until("the rules are the new ones", lambda: watched.rule_names() == ["Small", "New"])
    until("the new rule fires", lambda: watched.weir.alerts("New"))
    until("the alert of the rule that is gone ends", lambda: webhook.alerts("SmallToo", "resolved"))
    assert watched.weir.alerts("Small")[0]["active_since"] == since
    assert webhook.alerts("Small", "resolved") == []
    assert watched.weir.sample("weir_config_last_reload_successful") == 1


def test_a_wrong_file_changes_nothing_and_every_mistake_is_named(watched):
    before = watched.weir.sample("weir_config_last_reload_success_timestamp_seconds")
    watched.rules.write_text(WRONG)
    answer = watched.post()
    assert answer.status == 500
    assert f"{watched.rules}:5:" in answer.text and f"{watched.rules}:6:" in answer.text
    always("the old rules stay", lambda: watched.rule_names() == ["Small", "SmallToo"] and watched.weir.alerts("Small"), 2)
    until("/metrics says so", lambda: watched.weir.sample("weir_config_last_reload_successful") == 0)
    runtime = watched.weir.get("/api/v1/status/runtimeinfo").json()["data"]
    assert runtime["reloadConfigSuccess"] is False
    assert watched.weir.sample("weir_config_last_reload_success_timestamp_seconds") == before
    watched.rules.write_text(SECOND)
    assert watched.post().status == 200
    until("/metrics says so", lambda: watched.weir.sample("weir_config_last_reload_successful") == 1)


def test_a_new_receiver_is_told(watched, webhook):
    watched.weir.configure(watched.config("second", webhook))
    assert watched.post().status == 200
    watched.rules.write_text(SECOND)
    assert watched.post().status == 200
    until("the new receiver hears of the new alert", lambda: [
        path for path, _, payload in list(webhook.requests)
        if path == "/second" and any(alert["labels"]["alertname"] == "New" for alert in payload["alerts"])])


def test_what_needs_a_restart_is_said(watched, webhook):
    watched.weir.configure(watched.config("first", webhook, series={"retention": "1h"}))
    answer = watched.post()
    assert (answer.status, answer.text) == (200, "changes that need a restart were not applied: series\n")
    until("the log names the section", lambda: "need a restart" in watched.weir.log() and "series" in watched.weir.log())
    (watched.folder / "checks.yml").write_text("checks for orders:\n  - row_count > 1\n")
    assert watched.post().text == "changes that need a restart were not applied: checks, series\n"


def test_a_get_does_not_reload(watched):
    assert http.request(f"{watched.weir.url}/-/reload").status == 405
