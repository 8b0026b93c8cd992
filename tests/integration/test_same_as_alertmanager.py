"""The same sections and alerts in a real Alertmanager and in Weir: the same groups, statuses, receivers and order."""

import sqlite3

import pytest

from support import http
from support.alertmanager import Alertmanager
from support.wait import until

RULES = """
groups:
  - name: tables
    interval: 1s
    rules:
      - {alert: Rows, expr: weir_dataset_row_count > 0, labels: {severity: info}}
      - {alert: Many, expr: weir_dataset_row_count > 1, labels: {severity: page}}
      - {alert: Down, expr: weir_dataset_row_count > 2, labels: {severity: page}}
      - {alert: Muted, expr: weir_dataset_row_count > 0, labels: {severity: muted}}
      - {alert: Office, expr: weir_dataset_row_count > 0, labels: {severity: office}}
"""

SECTIONS = {
    "route": {
        "receiver": "team", "group_by": ["alertname"], "group_wait": "2s", "group_interval": "4s",
        "repeat_interval": "1h",
        "routes": [
            {"matchers": ['severity="page"'], "receiver": "page", "continue": True, "group_by": ["..."]},
            {"match_re": {"alertname": "Rows|Many"}, "receiver": "rows", "group_by": ["dataset", "absent"]},
            {"matchers": ["severity=muted"], "receiver": "team", "mute_time_intervals": ["always"]},
            {"matchers": ["severity=office"], "receiver": "team", "active_time_intervals": ["never"]},
        ]},
    "inhibit_rules": [{"source_matchers": ["alertname=Down"], "target_matchers": ["severity=info"], "equal": ["dataset"]}],
    "time_intervals": [
        {"name": "always", "time_intervals": [{"years": ["2000:2200"], "location": "Europe/Berlin"}]},
        {"name": "never", "time_intervals": [{"years": ["1999"]}]}],
}


class Recorder(http.HttpServer):
    """What is told, in order: where, of which group, status, alerts, labels, and the keys of the payload."""

    def __init__(self):
        self.told = []
        super().__init__()

    def handle(self, method, path, headers, body):
        payload = http.Answer(body=body).json()
        alerts = sorted((alert["labels"]["alertname"], alert["labels"]["dataset"], alert["status"])
                        for alert in payload["alerts"])
        self.told.append((payload["receiver"] + path, payload["groupKey"], payload["status"], tuple(alerts),
                          tuple(sorted(payload["groupLabels"].items())), tuple(sorted(payload["commonLabels"].items())),
                          tuple(sorted(set(payload) - {"incident_id", "incident_state", "cause"})),
                          tuple(sorted({key for alert in payload["alerts"] for key in alert}))))
        return http.Answer()

    def by_group(self):
        found = {}
        for receiver, key, *rest in list(self.told):
            found.setdefault((receiver, key), []).append(tuple(rest))
        return found


def receivers(url):
    return [{"name": "team", "webhook_configs": [{"url": f"{url}/team"}]},
            {"name": "page", "webhook_configs": [{"url": f"{url}/page", "send_resolved": False}]},
            {"name": "rows", "webhook_configs": [{"url": f"{url}/rows"}, {"url": f"{url}/rows2", "max_alerts": 0}]}]


class Tables:
    def __init__(self, path, *names):
        self.path = path
        for name in names:
            self.run(f"CREATE TABLE {name} (id INTEGER)")

    def run(self, statement):
        with sqlite3.connect(self.path) as connection:
            connection.execute(statement)
        connection.close()

    def rows(self, name, count):
        with sqlite3.connect(self.path) as connection:
            connection.execute(f"DELETE FROM {name}")
            connection.executemany(f"INSERT INTO {name} VALUES (?)", [(i,) for i in range(count)])
        connection.close()


@pytest.fixture
def tables(tmp_path):
    (tmp_path / "checks.yml").write_text("".join(f"checks for {name}:\n  - row_count >= 0\n" for name in "ab"))
    (tmp_path / "rules.yml").write_text(RULES)
    return Tables(tmp_path / "shop.db", "a", "b")


# Of each step the rows of the two tables.
STEPS = [(1, 0), (1, 1), (2, 1), (3, 1), (0, 2), (0, 0), (1, 0), (0, 0)]


def test_both_tell_the_same(tables, tmp_path, start_weir):
    with Recorder() as of_alertmanager, Recorder() as of_weir:
        alertmanager = Alertmanager(of_alertmanager.url)
        alertmanager.config = {**SECTIONS, "receivers": receivers(of_alertmanager.url)}
        with alertmanager:
            weir = start_weir({
                "sources": [{"name": "shop", "type": "sqlite", "path": str(tables.path)}],
                "checks": [{"source": "shop", "files": [str(tmp_path / "checks.yml")], "interval": "1s"}],
                "rules": {"files": [str(tmp_path / "rules.yml")], "interval": "1s"},
                "alertmanagers": [{"url": alertmanager.url}],
                **SECTIONS, "receivers": receivers(of_weir.url)})
            for step in STEPS:
                before = len(of_alertmanager.told)
                tables.rows("a", step[0])
                tables.rows("b", step[1])
                expected = {(name, table) for table, rows in zip("ab", step) for name, least in
                            (("Rows", 1), ("Many", 2), ("Down", 3), ("Muted", 1), ("Office", 1)) if rows >= least}
                until("Weir sees it", lambda: {(a["name"], a["labels"]["dataset"]) for a in weir.overview()["alerts"]
                                               if a["state"] == "firing"} == expected)
                until(f"Alertmanager tells of {step}", lambda: len(of_alertmanager.told) > before, timeout=20)
                quiet(of_alertmanager)
                try:
                    until(f"Weir tells the same of {step}", lambda: of_weir.by_group() == of_alertmanager.by_group(), timeout=8)
                except AssertionError:
                    theirs, ours = of_alertmanager.by_group(), of_weir.by_group()
                    differing = [key for key in {*theirs, *ours} if theirs.get(key) != ours.get(key)]
                    raise AssertionError("\n".join(
                        f"{step} {key}:\n their {[t[:2] for t in theirs.get(key, [])]}\n our   {[t[:2] for t in ours.get(key, [])]}"
                        for key in differing)) from None
    assert of_weir.by_group() == of_alertmanager.by_group()
    assert len(of_weir.told) > 15


def quiet(recorder):
    """Until nothing was told for longer than a group waits."""
    import time
    seen, since = len(recorder.told), time.monotonic()
    while time.monotonic() - since < 5.5:
        time.sleep(0.2)
        if len(recorder.told) != seen:
            seen, since = len(recorder.told), time.monotonic()
