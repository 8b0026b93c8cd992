"""Alertmanager's API and the real amtool against Weir."""

import json
import sqlite3

import pytest

from support import http
from support.amtool import Amtool
from support.wait import until

RULES = """
groups:
  - name: tables
    interval: 1s
    rules:
      - {alert: Empty, expr: weir_dataset_row_count == 0, labels: {severity: page}}
      - {alert: Few, expr: weir_dataset_row_count < 10, labels: {severity: info}}
"""


def config(folder, webhook):
    with sqlite3.connect(folder / "shop.db") as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS orders (id INTEGER)")
    connection.close()
    (folder / "checks.yml").write_text("checks for orders:\n  - row_count >= 0\n")
    (folder / "rules.yml").write_text(RULES)
    return {"sources": [{"name": "shop", "type": "sqlite", "path": str(folder / "shop.db")}],
            "checks": [{"source": "shop", "files": [str(folder / "checks.yml")], "interval": "1s"}],
            "rules": {"files": [str(folder / "rules.yml")], "interval": "1s"},
            "receivers": [{"name": "team", "webhook_configs": [{"url": f"{webhook.url}/team"}]}, {"name": "page"}],
            "route": {"receiver": "team", "group_by": ["alertname"], "group_wait": "0s", "group_interval": "1s",
                      "routes": [{"matchers": ["severity=page"], "receiver": "page", "continue": True},
                                 {"matchers": ["severity=~page|info"], "receiver": "team"}]},
            "inhibit_rules": [{"source_matchers": ["alertname=Empty"], "target_matchers": ["alertname=Few"],
                               "equal": ["dataset"]}]}


@pytest.fixture
def weir(tmp_path, webhook, start_weir):
    return start_weir(config(tmp_path, webhook))


@pytest.fixture
def amtool(weir):
    until("both fire", lambda: weir.alerts("Empty") and weir.alerts("Few"))
    return Amtool(weir.url)


def test_amtool_shows_alerts_and_what_inhibits_them(weir, amtool, webhook):
    alerts = {alert["labels"]["alertname"]: alert for alert in amtool.json("alert", "query", "--inhibited", "--silenced", "--active")}
    assert alerts["Empty"]["status"]["state"] == "active"
    assert alerts["Few"]["status"] == {"state": "suppressed", "inhibitedBy": [alerts["Empty"]["fingerprint"]], "silencedBy": []}
    assert {receiver["name"] for receiver in alerts["Empty"]["receivers"]} == {"team", "page"}
    assert [a["labels"]["alertname"] for a in amtool.json("alert", "query")] == ["Empty"], "only what is active, unless asked"
    assert amtool.json("alert", "query", "severity=info") == []
    until("one is told", lambda: webhook.alerts("Empty", "firing"))
    assert not webhook.alerts("Few", "firing")
    groups = http.request(f"{weir.url}/api/v2/alerts/groups").json()
    assert sorted((group["receiver"]["name"], group["labels"]["alertname"]) for group in groups) == [
        ("page", "Empty"), ("team", "Empty"), ("team", "Few")]


def test_amtool_silences_and_expires(weir, amtool, webhook):
    until("one is told", lambda: webhook.alerts("Empty", "firing"))
    identity = amtool.text("silence", "add", "alertname=~E.*", "dataset=orders", "--comment=mending", "--author=me",
                           "--duration=1h")
    silence, = amtool.json("silence", "query")
    assert silence["id"] == identity
    assert silence["status"] == {"state": "active"}
    assert silence["comment"] == "mending" and silence["createdBy"] == "me"
    assert amtool.json("silence", "query", "dataset=other") == []
    until("it counts", lambda: any(
        alert["status"]["silencedBy"] == [identity]
        for alert in amtool.json("alert", "query", "--silenced")))
    shown = next(alert for alert in weir.overview()["alerts"] if alert["name"] == "Empty")
    assert shown["suppressed"] == {"inhibited_by": [], "silenced_by": [identity]}
    amtool.run("silence", "update", identity, "--comment=still")
    assert [s["comment"] for s in amtool.json("silence", "query")] == ["still"]
    amtool.run("silence", "expire", amtool.text("silence", "query", "-q"))
    assert amtool.json("silence", "query") == []
    assert {s["status"]["state"] for s in amtool.json("silence", "query", "--expired")} == {"expired"}
    amtool.run("silence", "expire", identity)
    unknown = amtool.run("silence", "expire", "7c2c0e0e-0000-4000-8000-000000000000", check=False)
    assert unknown.returncode == 1 and "not found" in unknown.stderr
    until("it counts no more", lambda: [a["labels"]["alertname"] for a in amtool.json("alert", "query")] == ["Empty"])


def test_amtool_imports_what_it_exported(amtool, tmp_path):
    amtool.run("silence", "add", "alertname=A", "--comment=c", "--author=me", "--duration=1h")
    amtool.run("silence", "add", "team!~data|shop", "env!=prod", "--comment=c", "--author=me", "--duration=2h")
    (tmp_path / "silences.json").write_text(amtool.run("--output=json", "silence", "query").stdout)
    amtool.run("silence", "import", "--force", str(tmp_path / "silences.json"))
    assert len(amtool.json("silence", "query")) == 4
    twice, = {json.dumps(s["matchers"]) for s in amtool.json("silence", "query", "team!~data|shop")}
    assert json.loads(twice) == [{"name": "team", "value": "data|shop", "isRegex": True, "isEqual": False},
                                 {"name": "env", "value": "prod", "isRegex": False, "isEqual": False}]


def test_a_silence_outlives_a_restart_and_hides_all_but_the_end_of_what_was_told(tmp_path, webhook, start_weir):
    weir = start_weir(config(tmp_path, webhook))
    until("one is told", lambda: webhook.alerts("Empty", "firing"))
    identity = Amtool(weir.url).text("silence", "add", "alertname=Empty", "--comment=c", "--author=me", "--duration=1h")
    weir.stop()
    weir.start()
    until("it is there", lambda: [s["id"] for s in Amtool(weir.url).json("silence", "query")] == [identity])
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        connection.execute("INSERT INTO orders VALUES (1)")
    connection.close()
    until("its end is told", lambda: webhook.alerts("Empty", "resolved"))
    until("nothing inhibits the other", lambda: webhook.alerts("Few", "firing"))
    told = [len(webhook.alerts("Empty", status)) for status in ("firing", "resolved")]
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        connection.execute("DELETE FROM orders")
    connection.close()
    until("it fires again", lambda: weir.alerts("Empty"))
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        connection.executemany("INSERT INTO orders VALUES (?)", [(i,) for i in range(20)])
    connection.close()
    until("the end of the other is told", lambda: webhook.alerts("Few", "resolved"))
    assert [len(webhook.alerts("Empty", status)) for status in ("firing", "resolved")] == told, "it began silenced"


def test_amtool_reads_the_routes(amtool):
    assert amtool.text("config", "routes", "test", "severity=page").split(",") == ["page", "team"]
    assert amtool.text("config", "routes", "test", "severity=none") == "team"
    assert amtool.text("cluster", "show").split()[:3] == ["Cluster", "Status:", "disabled"]


@pytest.mark.parametrize("body, status, says", [
    (b"{", 400, "JSON"), (b"{}", 400, "required"),
    (b'{"matchers": [], "startsAt": "2099-01-01T00:00:00Z", "endsAt": "2099-01-02T00:00:00Z", "createdBy": "", "comment": ""}', 400, "matcher"),
    (b'{"matchers": [{"name": "a", "value": "(", "isRegex": true}], "startsAt": "2099-01-01T00:00:00Z", "endsAt": "2099-01-02T00:00:00Z", "createdBy": "", "comment": ""}', 400, "regex"),
    (b'{"id": "nope", "matchers": [{"name": "a", "value": "b", "isRegex": false}], "startsAt": "2099-01-01T00:00:00Z", "endsAt": "2099-01-02T00:00:00Z", "createdBy": "", "comment": ""}', 404, "not found"),
    (b'{"matchers": [{"name": "a", "value": "b", "isRegex": false}], "startsAt": "2001-01-01T00:00:00Z", "endsAt": "2002-01-02T00:00:00Z", "createdBy": "", "comment": ""}', 400, "end time"),
])
def test_what_is_no_silence_is_refused(weir, body, status, says):
    answer = http.request(f"{weir.url}/api/v2/silences", body, "POST", {"Content-Type": "application/json"})
    assert answer.status == status
    assert says in answer.text


def test_pages_of_other_sites_may_not_silence(weir):
    headers = {"Content-Type": "application/json", "Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert http.request(f"{weir.url}/api/v2/silences", b"{}", "POST", headers).status == 403
    assert http.request(f"{weir.url}/api/v2/silence/x", b"", "DELETE", headers).status == 403
    assert "not found" in http.request(f"{weir.url}/api/v2/silence/x", b"", "DELETE").text
    assert http.request(f"{weir.url}/api/v2/alerts", b"[]", "POST").status == 405
