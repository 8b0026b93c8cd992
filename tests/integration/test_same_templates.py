"""The same alertmanager.yml with templates in a real Alertmanager and in Weir, the same alerts: the same texts."""

import email
import email.policy
import sqlite3

import pytest

from support import http
from support.alertmanager import Alertmanager
from support.smtp import SmtpServer
from support.wait import until

RULES = """
groups:
  - name: tables
    interval: 1s
    rules:
      - alert: Rows
        expr: weir_dataset_row_count > 0
        labels: {severity: page, team: "a & b's"}
        annotations: {summary: 'table {{ $labels.dataset }} <has> rows', runbook: 'http://wiki/?q=a b'}
"""

DEFINITIONS = """
Text outside of definitions is not shown.
{{ define "team.title" -}}
[{{ .Status | toUpper }}{{ if eq .Status "firing" }}:{{ .Alerts.Firing | len }}{{ end }}] {{ .GroupLabels.SortedPairs.Values | join " " }}
{{- if gt (len .CommonLabels) (len .GroupLabels) }} ({{ with .CommonLabels.Remove .GroupLabels.Names }}{{ .Values | join " " }}{{ end }}){{ end }}
{{- end }}
{{ define "team.alerts" }}{{ range . }}
* {{ .Annotations.summary }} {{ range .Labels.SortedPairs }}{{ .Name }}={{ .Value | printf "%q" }} {{ end }}{{ .Status }}
{{- end }}{{ end }}
{{ define "team.text" }}{{ template "team.alerts" .Alerts.Firing }}{{ if .Alerts.Resolved }}
over:{{ template "team.alerts" .Alerts.Resolved }}{{ end }}{{ end }}
"""

# What may be compared of any text: the one has another URL than the other.
TEXTS = [
    '{{ template "team.title" . }}',
    "{{ .Receiver }} {{ .CommonLabels.severity | title }} {{ .CommonAnnotations.runbook }} {{ .CommonLabels.none }}",
    '{{ range $i, $alert := .Alerts }}{{ if $i }}, {{ end }}{{ $alert.Labels.dataset }}{{ end }}',
    '{{ match "^fir" .Status }} {{ reReplaceAll "(.)a" "<$1>" "banana" }} {{ stringSlice "x" "y" | join "+" }}',
    '{{ $n := len .Alerts }}{{ if and (ge $n 1) (lt $n 3) }}few{{ else }}many{{ end }} {{ (index .Alerts 0).Fingerprint | len }}',
    '{{ .CommonLabels }} {{ .CommonLabels.Names }} {{ (index .Alerts 0).EndsAt.IsZero }}',
    '{{- /* nothing */ -}} {{ with .CommonAnnotations.nothing }}{{ . }}{{ else }}none{{ end }}',
    '{{ range .Alerts }}{{ .StartsAt.Format "2006-01-02T15:04" | len }};{{ end }}',
    '{{ printf "%-8s|%5.1f|%03d" .Status 1.25 7 }} {{ .GroupLabels | len | printf "%d" }} {{ html "<&>" }}',
]


def receivers(url, smarthost):
    slack = [{"api_url": f"{url}/slack/{i}", "channel": '#{{ .CommonLabels.severity }}', "send_resolved": True,
              "title": text, "text": f'{text}\n{{{{ template "team.text" . }}}}', "fallback": text,
              "color": '{{ if eq .Status "firing" }}danger{{ else }}good{{ end }}'} for i, text in enumerate(TEXTS)]
    return [{
        "name": "team", "slack_configs": slack,
        "email_configs": [{
            "to": "team@example.com", "from": "weir@example.com", "smarthost": smarthost, "require_tls": False,
            "send_resolved": True, "headers": {"Subject": '{{ template "team.title" . }}'},
            "text": '{{ template "team.text" . }}',
            "html": '<p title="{{ .Status }}">{{ range .Alerts }}<b>{{ .Annotations.summary }}</b> {{ .Labels.team }} '
                    '{{ .Labels.dataset | safeHtml }}{{ "<hr>" | safeHtml }}{{ end }}</p>'}],
        "pagerduty_configs": [{"url": f"{url}/pagerduty", "routing_key": "key", "description": '{{ template "team.title" . }}',
                               "severity": '{{ if .CommonLabels.none }}info{{ else }}warning{{ end }}',
                               "class": "{{ .GroupLabels.alertname }}", "details": {"tables": TEXTS[2], "all": TEXTS[5]}}],
        "opsgenie_configs": [{"api_url": f"{url}/opsgenie/", "api_key": "key", "message": '{{ template "team.title" . }}',
                              "description": '{{ template "team.text" . }}', "tags": "weir,{{ .CommonLabels.severity }}",
                              "priority": 'P{{ len .Alerts }}', "details": {"tables": TEXTS[2]}}],
    }]


class Recorder(http.HttpServer):
    """The texts that were posted, by place."""

    def __init__(self):
        self.told = {}
        super().__init__()

    def handle(self, _method, path, _headers, body):
        payload = http.Answer(body=body).json()
        self.told.setdefault(path.split("?")[0].rstrip("/"), []).append(payload)
        return http.Answer(200, b'{"status": "success"}' if "pagerduty" in path else b"ok")


def slack_of_alertmanager(payload):
    attachment = payload["attachments"][0]
    return (payload["channel"], attachment["title"], attachment["text"], attachment["color"], attachment["fallback"])


def slack_of_weir(payload):
    attachment = payload["attachments"][0]
    return (payload["channel"], payload["text"].strip("*"), attachment["blocks"][0]["text"]["text"], attachment["color"],
            attachment["fallback"])


def pagerduty(payload):
    about = payload["payload"]
    details = {key: about["custom_details"][key] for key in ("tables", "all")}
    return payload["event_action"], about["summary"], about["severity"], about["class"], details


def opsgenie(payload):
    return payload["message"], payload["description"], sorted(payload["tags"]), payload["priority"], payload["details"]["tables"]


def texts_of(mail):
    parsed = email.message_from_string(mail, policy=email.policy.default)
    parts = {part.get_content_type(): part.get_content().replace("\r\n", "\n").rstrip("\n") for part in parsed.walk()
             if not part.is_multipart()}
    return parsed["Subject"], parts["text/plain"], parts["text/html"]


@pytest.fixture
def tables(tmp_path):
    (tmp_path / "checks.yml").write_text("".join(f"checks for {name}:\n  - row_count >= 0\n" for name in "ab"))
    (tmp_path / "rules.yml").write_text(RULES)
    (tmp_path / "texts.tmpl").write_text(DEFINITIONS)

    def run(*statements):
        with sqlite3.connect(tmp_path / "shop.db") as connection:
            for statement in statements:
                connection.execute(statement)
        connection.close()

    run("CREATE TABLE a (id INTEGER)", "CREATE TABLE b (id INTEGER)")
    return run


def test_both_render_the_same(tables, tmp_path, start_weir):
    sections = {"route": {"receiver": "team", "group_by": ["alertname"], "group_wait": "3s", "group_interval": "3s"},
                "templates": [str(tmp_path / "*.tmpl")]}
    with Recorder() as theirs, Recorder() as ours, SmtpServer() as their_mail, SmtpServer() as our_mail:
        alertmanager = Alertmanager(theirs.url)
        alertmanager.config = {**sections, "receivers": receivers(theirs.url, their_mail.smarthost)}
        with alertmanager:
            weir = start_weir({
                "sources": [{"name": "shop", "type": "sqlite", "path": str(tmp_path / "shop.db")}],
                "checks": [{"source": "shop", "files": [str(tmp_path / "checks.yml")], "interval": "1s"}],
                "rules": {"files": [str(tmp_path / "rules.yml")], "interval": "1s"},
                "alertmanagers": [{"url": alertmanager.url}], **sections,
                "receivers": receivers(ours.url, our_mail.smarthost)})
            for count, statements in enumerate([("INSERT INTO a VALUES (1)", "INSERT INTO b VALUES (1)"),
                                                ("DELETE FROM a", "DELETE FROM b")], 1):
                tables(*statements)
                for recorder, mail in ((theirs, their_mail), (ours, our_mail)):
                    until(f"message {count} is everywhere", lambda: len(mail.mails) >= count and len(recorder.told.get(
                        "/pagerduty", [])) >= count and all(len(recorder.told.get(f"/slack/{i}", [])) >= count
                                                            for i in range(len(TEXTS))), timeout=40)
    for i, text in enumerate(TEXTS):
        assert [slack_of_weir(sent) for sent in ours.told[f"/slack/{i}"]] == \
            [slack_of_alertmanager(sent) for sent in theirs.told[f"/slack/{i}"]], text
    assert [pagerduty(sent) for sent in ours.told["/pagerduty"][:1]] == [pagerduty(sent) for sent in theirs.told["/pagerduty"][:1]]
    assert opsgenie(ours.told["/opsgenie/v2/alerts"][0]) == opsgenie(theirs.told["/opsgenie/v2/alerts"][0])
    assert [texts_of(mail[2]) for mail in our_mail.mails] == [texts_of(mail[2]) for mail in their_mail.mails]
    assert weir.log().count("a template failed") == 0


def test_a_template_that_fails_is_told_with_weirs_own_text_and_counted(tables, tmp_path, start_weir):
    with Recorder() as told:
        weir = start_weir({
            "sources": [{"name": "shop", "type": "sqlite", "path": str(tmp_path / "shop.db")}],
            "checks": [{"source": "shop", "files": [str(tmp_path / "checks.yml")], "interval": "1s"}],
            "rules": {"files": [str(tmp_path / "rules.yml")], "interval": "1s"},
            "receivers": [{"name": "team", "slack_configs": [
                {"api_url": f"{told.url}/slack", "channel": "#c", "title": "{{ index .Alerts 99 }}"}]}],
            "route": {"receiver": "team", "group_wait": "0s", "group_interval": "1s"}})
        tables("INSERT INTO a VALUES (1)")
        until("it is told", lambda: told.told.get("/slack"))
        assert told.told["/slack"][0]["text"].startswith("*[FIRING:1]")
        assert 'the template of "title" failed' in str(told.told["/slack"][0]["attachments"])
        until("it is counted", lambda: weir.sample("weir_notification_template_failures_total", receiver="team/slack/0") >= 1)
        assert "a template failed: Weir's own text was told instead" in weir.log()
