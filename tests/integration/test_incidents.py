"""People work on incidents: by the command line, by the API, over a restart; what reopens, what is merged."""

import json
import os
import pwd
import subprocess
import time
from urllib.parse import quote

import pytest

from support import http
from support.http import Answer, HttpServer
from support.wait import until
from support.weir import ROOT, binary

RULES = """
groups:
  - name: app
    interval: 1s
    rules:
      - alert: QueueDeep
        expr: queue_depth > 10
        labels: {severity: warning}
        annotations: {summary: 'queue {{ $labels.topic }} has {{ $value }}'}
"""


class Page(HttpServer):
    """A page of metrics whose values the test sets."""

    def __init__(self):
        self.depths = {"orders": 1, "refunds": 1}
        super().__init__()

    def handle(self, _method, _path, _headers, _body):
        text = "".join(f'queue_depth{{cluster="c",topic="{topic}"}} {depth}\n' for topic, depth in self.depths.items())
        return Answer(200, text.encode(), {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})


@pytest.fixture
def page():
    with Page() as served:
        yield served


@pytest.fixture
def weir(tmp_path, webhook, start_weir, page):
    (tmp_path / "rules.yml").write_text(RULES)
    return start_weir({"scrape": [{"name": "app", "url": f"{page.url}/metrics", "interval": "1s"}],
                       "rules": {"files": [str(tmp_path / "rules.yml")], "interval": "1s"},
                       "incidents": {"reopen_within": "1h"},
                       "receivers": [{"name": "team", "webhook_configs": [{"url": f"{webhook.url}/team"}]}],
                       "route": {"receiver": "team", "group_wait": "0s", "group_interval": "1s",
                                 "repeat_interval": "3s"}})


def incidents(weir, *arguments):
    """Runs `weir incidents`."""
    return subprocess.run([binary(), "incidents", *arguments, "--url", weir.url], capture_output=True, text=True,
                          timeout=60)


def done(weir, *arguments):
    finished = incidents(weir, *arguments)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def test_the_configuration_tells_the_address_though_secrets_of_it_are_not_here(weir, page, tmp_path):
    page.depths.update(orders=50)
    orders = opened(weir, "orders")
    file = tmp_path / "secrets.yml"
    file.write_text(json.dumps({"listen": weir.address, "kafka": [{"name": "k", "brokers": "b:1", "properties": {
        "sasl.password": "${WEIR_TEST_NOT_SET}"}}], "storage": {"url": "${WEIR_TEST_NOT_SET}"}}))
    listed = subprocess.run([binary(), "incidents", "list", "-c", file], capture_output=True, text=True, timeout=60)
    assert listed.returncode == 0 and orders in listed.stdout, listed.stderr
    file.write_text(json.dumps({"listen": "${WEIR_TEST_NOT_SET}"}))
    refused = subprocess.run([binary(), "incidents", "list", "-c", file], capture_output=True, text=True, timeout=60)
    assert refused.returncode == 2 and "secrets.yml:1:12: environment variable" in refused.stderr, refused.stderr


def post(weir, identity, deed, **body):
    answer = http.request(f"{weir.url}/api/v1/incidents/{identity}/{deed}", json.dumps(body).encode(), "POST",
                          {"Content-Type": "application/json"})
    return answer.status, answer.json()


def search(weir, query):
    return [row["id"] for row in weir.get(f"/api/v1/incidents?{query}").json()["incidents"]]


def opened(weir, topic):
    """The open incident of the topic."""
    found = []

    def look():
        found[:] = [row for row in weir.incidents() if row["open"] and row["labels"].get("topic") == topic]
        return found
    until(f"an incident of {topic}", look)
    return found[0]["id"]


def one(weir, identity):
    return weir.get(f"/api/v1/incidents/{identity}").json()


def kinds(weir, identity):
    """Who was told comes in between, some time after."""
    return [entry["kind"] for entry in one(weir, identity)["timeline"] if entry["kind"] != "notified"]


def test_an_incident_is_worked_on_and_kept_over_a_restart(weir, page, webhook):
    page.depths["orders"] = 50
    identity = opened(weir, "orders")
    listed = done(weir, "list")
    assert identity in listed and "QueueDeep" in listed and "warning" in listed

    said = done(weir, "ack", identity, "--by", "ann").splitlines()
    assert len(said) == 2 and "acknowledged by ann" in said[0] and said[1].startswith(f"{identity} is acked: "), said
    assert "acknowledged by ann" in done(weir, "show", identity)
    assert post(weir, identity, "comment", by="bob", text="the | worker\nis stuck")[0] == 200
    done(weir, "assign", identity, "ann", "--by", "bob")
    weir.kill()
    weir.start()
    kept = one(weir, identity)
    assert (kept["acknowledged_by"], kept["owner"], kept["open"]) == ("ann", "ann", True)
    assert kept["time_to_detect_seconds"] is not None and kept["time_to_acknowledge_seconds"] >= 0
    assert [entry["text"] for entry in kept["timeline"] if entry["kind"] == "commented"] == ["bob: the | worker\nis stuck"]
    shown = next(row for row in weir.overview()["incidents"] if row["id"] == identity)
    assert shown["acknowledged_by"] == "ann"

    for query in ("q=worker+STUCK", "owner=ann&state=open", "severity=warning", "label=topic%3Dorders", "q=queuedeep"):
        assert search(weir, query) == [identity], query
    for query in ("q=nowhere", "owner=an", "label=topic%3Dorder", "state=resolved", "q=%25%25"):
        assert search(weir, query) == [], query

    status, refused = post(weir, identity, "comment", by="bob")
    assert status == 400 and refused["error"].startswith("text:")
    status, refused = post(weir, identity, "comment", by="", text="x")
    assert status == 400 and refused["error"].startswith("by:")
    other_site = http.request(f"{weir.url}/api/v1/incidents/{identity}/resolve", b'{"by": "eve"}', "POST",
                              {"Origin": "http://evil.example"})
    assert other_site.status == 403
    assert post(weir, "0000000000000000", "acknowledge", by="ann")[0] == 404

    # Resolved by hand while the alert fires: it stays so; what fires anew within the window reopens it.
    assert "1 alert fires still" in done(weir, "resolve", identity, "--by", "ann", "--reason", "restarted")
    time.sleep(2.5)  # two evaluations of the same alert
    assert one(weir, identity)["open"] is False
    page.depths["orders"] = 1
    until("the alert ends", lambda: not weir.alerts("QueueDeep"))
    page.depths["orders"] = 60
    until("it is reopened", lambda: one(weir, identity)["open"])
    again = one(weir, identity)
    assert again["acknowledged_by"] == "" and again["owner"] == "ann"
    assert kinds(weir, identity)[-1] == "reopened"
    assert search(weir, "state=all") == [identity], "it is the same incident"

    page.depths["orders"] = 1
    until("it ends by itself", lambda: not one(weir, identity)["open"])
    assert incidents(weir, "ack", identity, "--by", "ann").returncode == 1
    assert "reopen it first" in incidents(weir, "ack", identity, "--by", "ann").stderr
    assert "reopened by bob: not over" in done(weir, "reopen", identity, "--by", "bob", "--reason", "not over")
    until("its time is measured", lambda: weir.sample("weir_incident_time_to_resolve_seconds_count", severity="warning") >= 1)


def test_who_does_it_is_the_systems_user_where_the_environment_names_none(weir, page):
    page.depths["orders"] = 50
    identity = opened(weir, "orders")
    nobody = {name: value for name, value in os.environ.items() if name not in ("USER", "WEIR_USER")}
    command = [binary(), "incidents", "comment", identity, "looking", "--url", weir.url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=nobody)
    assert done.returncode == 0, done.stderr
    assert pwd.getpwuid(os.getuid()).pw_name + ": looking" in done.stdout


def test_an_acknowledged_incident_is_not_repeated_but_its_end_is_told(weir, page, webhook):
    page.depths["orders"] = 50
    identity = opened(weir, "orders")
    until("it is repeated", lambda: len(webhook.payloads("firing")) >= 2)
    done(weir, "ack", identity, "--by", "ann")
    told = len(webhook.payloads("firing"))
    time.sleep(5)  # more than a repeat_interval
    assert len(webhook.payloads("firing")) <= told + 1, "one may have been on its way"
    page.depths["orders"] = 1
    until("the end is told", lambda: webhook.payloads("resolved"))


def test_merged_alerts_go_on_in_the_other_and_a_silence_is_noted(weir, page, webhook, tmp_path):
    page.depths.update(orders=50, refunds=50)
    orders, refunds = opened(weir, "orders"), opened(weir, "refunds")
    assert "merged into" in done(weir, "merge", refunds, orders, "--by", "ann")
    assert one(weir, refunds)["merged_into"] == orders and not one(weir, refunds)["open"]
    assert len(one(weir, orders)["alert_details"]) == 2
    weir.kill()
    weir.start()
    page.depths["refunds"] = 1
    until("the end of the merged alert is in the other", lambda: "recovered" in kinds(weir, orders))
    ended = lambda payload: payload["status"] == "resolved" and refunds in payload["groupKey"]
    until("and was told where it began", lambda: any(map(ended, webhook.payloads())))
    assert [payload["incident_id"] for payload in webhook.payloads() if ended(payload)] == [orders], "as of the one that goes on"
    page.depths["refunds"] = 70
    until("its next one too", lambda: kinds(weir, orders)[-1] == "grew")

    done(weir, "silence", orders, "2h", "--by", "ann", "--comment", "known")
    silence, = http.request(f"{weir.url}/api/v2/silences").json()
    assert silence["createdBy"] == "ann" and silence["comment"] == "known"
    assert {matcher["name"] for matcher in silence["matchers"]} >= {"alertname", "cluster", "topic"}
    assert "silenced" in kinds(weir, orders)

    report = tmp_path / "report.md"
    done(weir, "postmortem", orders, "-o", str(report))
    text = report.read_text()
    again = incidents(weir, "postmortem", orders, "-o", str(report))
    assert again.returncode == 2 and "is there already" in again.stderr, "what was filled in is not lost"
    assert "written" in done(weir, "postmortem", orders, "-o", str(report), "--force")
    for part in ("# Post-mortem:", "## Timeline", "```csv", "queue\\_depth", "## Action items", "| merged |"):
        assert part in text, part
    told = text.partition("## Who was told")[2].partition("\n## ")[0]
    assert told.count("| firing") >= 2, "of itself and of what was merged into it"
    assert json.loads(done(weir, "show", orders, "--json"))["id"] == orders
    assert json.loads(done(weir, "show", orders[:10], "--json"))["id"] == orders, "how it begins is enough"
    until("one is open", lambda: weir.sample("weir_incidents_open", severity="warning") == 1)


def test_what_is_shown_and_told_follows_the_alerts_that_fire_now(weir, page, webhook):
    page.depths.update(orders=50, refunds=50)
    orders, refunds = opened(weir, "orders"), opened(weir, "refunds")
    first = one(weir, orders)["cause"]
    done(weir, "merge", refunds, orders, "--by", "ann")

    def is_about(topic):
        shown = one(weir, orders)
        return shown["title"] == f"Topic {topic} in c: QueueDeep" and shown["labels"].get("topic") == topic
    assert is_about("orders")
    page.depths["orders"] = 1
    until("the origin is over, the other goes on", lambda: is_about("refunds"))
    weir.kill()
    weir.start()
    assert is_about("refunds") and "refunds" in one(weir, orders)["cause"]
    page.depths["refunds"] = 1
    until("it is over", lambda: not one(weir, orders)["open"])
    weir.kill()
    weir.start()

    before = len(webhook.payloads())
    page.depths["refunds"] = 70
    until("it is reopened", lambda: one(weir, orders)["open"])
    assert is_about("refunds")
    told = until("and told", lambda: [each for each in webhook.payloads()[before:] if each["status"] == "firing"])[0]
    assert told["incident_id"] == orders and told["groupLabels"]["topic"] == "refunds", told
    assert "orders" not in json.dumps([told["groupLabels"], told["commonLabels"], told["cause"]]), told

    page.depths.update(orders=60, refunds=1)
    until("what began it is its subject again", lambda: is_about("orders"))
    report = done(weir, "postmortem", orders)
    causes = report.partition("Causes, one after the other:")[2].partition("\n## ")[0]
    assert causes.index("topic orders") < causes.index("topic refunds"), report
    assert first in [entry["text"] for entry in one(weir, orders)["timeline"] if entry["kind"] == "cause"]


def test_rules_that_cannot_be_evaluated_say_why(page, webhook, start_weir, tmp_path):
    page.depths.update(orders=50, refunds=50)
    (tmp_path / "rules.yml").write_text("""
groups:
  - name: broken
    interval: 1s
    rules:
      - alert: Odd
        expr: queue_depth * on (cluster) queue_depth > 0
""")
    weir = start_weir({"scrape": [{"name": "app", "url": f"{page.url}/metrics", "interval": "1s"}],
                       "rules": {"files": [str(tmp_path / "rules.yml"), str(ROOT / "rules/weir.yml")], "interval": "1s"},
                       "receivers": [{"name": "team", "webhook_configs": [{"url": f"{webhook.url}/team"}]}],
                       "route": {"receiver": "team", "group_wait": "0s"}})

    def told():
        return [each["cause"] for each in webhook.payloads("firing")
                if each["alerts"][0]["labels"]["alertname"] == "WeirRuleEvaluationFailing"]
    until("somebody is told", told, 60)
    assert told()[0].startswith("Rules of group broken could not be evaluated, and their alerts keep their last state: ")
    assert "rules.yml" in told()[0] and "many-to-many" in told()[0], told()


def test_the_command_line_says_what_is_wrong(weir):
    unreachable = subprocess.run([binary(), "incidents", "list", "--url", "http://127.0.0.1:1"], capture_output=True,
                                 text=True, timeout=60)
    assert unreachable.returncode == 1 and "does Weir run there?" in unreachable.stderr
    assert incidents(weir, "list", "--state", "odd").returncode == 2
    assert incidents(weir, "frobnicate").returncode == 2
    assert incidents(weir, "list", "--severity", "odd").returncode == 2
    assert incidents(weir, "show", quote("../../-/healthy")).returncode == 1
    unknown = incidents(weir, "show", "nope")
    assert unknown.returncode == 1 and 'no incident "nope"; weir incidents list' in unknown.stderr
    assert "give its ID" in incidents(weir, "show", "").stderr
    assert "--by NAME" in incidents(weir, "ack", "nope", "--by", "").stderr
    assert done(weir, "list", "--from", "24h") == "no incidents\n"
    assert done(weir, "list") == "no incidents\n"
    by_config = subprocess.run([binary(), "incidents", "list", "--config", weir.config_file], capture_output=True,
                               text=True, timeout=60)
    assert by_config.stdout == "no incidents\n"
    mistaken = subprocess.run([binary(), "incidents", "list", "--config", "/nowhere.yml"], capture_output=True,
                              text=True, timeout=60)
    assert mistaken.returncode == 2 and "/nowhere.yml: cannot be read" in mistaken.stderr, mistaken.stderr
