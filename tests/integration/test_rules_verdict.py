"""`weir test rules` says of every file what the real `promtool test rules` says.

Weir follows Prometheus 3. Where that differs from the 2.42 of Debian the cases keep clear of the difference:
- ranges and the look-back leave out their left end, so no expression looks back exactly to a sample;
- a test without `interval` has the evaluation interval (2.42: all samples at time 0);
- `fuzzy_compare`, numbers as 1_000, quoted names of labels, group labels and query_offset are unknown to 2.42.
"""

import copy
import json
import subprocess

import pytest

from support.weir import ROOT, binary


def alert(name, expr, **rest):
    return {"alert": name, "expr": expr, **rest}


def record(name, expr, **rest):
    return {"record": name, "expr": expr, **rest}


def group(*rules, name="g", **rest):
    return {"name": name, "rules": list(rules), **rest}


def series(name, values):
    return {"series": name, "values": values}


def firing(name, at, *alerts):
    """An alert_rule_test; each alert is its labels, or (labels, annotations)."""
    expected = [{"exp_labels": item[0], "exp_annotations": item[1]} if isinstance(item, tuple) else {"exp_labels": item}
                for item in alerts]
    return {"eval_time": at, "alertname": name, **({"exp_alerts": expected} if expected else {})}


def gives(expr, at, samples):
    return {"expr": expr, "eval_time": at,
            "exp_samples": [{"labels": labels, "value": value} for labels, value in samples.items()]}


class Case:
    def __init__(self, groups, tests, files=None, **top):
        self.files = files or {"rules.yml": {"groups": groups}}
        self.test = {"rule_files": list(self.files), "evaluation_interval": "1m", "tests": tests, **top}


def one(groups, inputs, checks, **rest):
    """A case of one test."""
    top = {key: rest.pop(key) for key in ("group_eval_order", "evaluation_interval", "files") if key in rest}
    test = {"interval": "1m", "input_series": inputs, **rest}
    for check in checks:
        test.setdefault("promql_expr_test" if "expr" in check else "alert_rule_test", []).append(check)
    return Case(groups, [test], **top)


DOWN = alert("Down", "up == 0", **{"for": "2m"}, labels={"severity": "critical"},
             annotations={"summary": "{{ $labels.job }} is down, {{ $value | humanize }}"})
DOWN_ALERT = ({"job": "a", "severity": "critical"}, {"summary": "a is down, 0"})
UP = series('up{job="a"}', "1 0x5 1x5")

# What promtool makes of texts that ask.
QUERYING = {
    '{{ query "sum(m)" | first | value }}': "13",
    '{{ with query (printf "max(m{a=%q})" $labels.a) }}{{ . | first | value | humanize }}{{ end }}': "7",
    '{{ range query "m" | sortByLabel "b" }}{{ .Labels.a }}{{ label "b" . }}={{ value . }} {{ end }}': "x1=4 x2=7 y3=2 ",
    '{{ range $i, $s := query "sort_desc(m)" }}{{ $i }}:{{ $s.Value }}{{ $s.Labels.__name__ }},{{ end }}': "0:7m,1:4m,2:2m,",
    '{{ range query "none" }}x{{ else }}nothing{{ end }}': "nothing",
    '{{ if query "none" }}some{{ else }}none{{ end }} {{ len (query "m") }}': "none 3",
    '{{ query "1 + 1" | first | value }} {{ query "time()" | first | value }}': "2 60",
    '{{ (index (query "sort(r)") 0).Value }}': "20",
    '{{ (query "topk(1, m)" | first).Labels.b }} {{ query "m" | first | label "none" }}': "2 ",
    '{{ range $k, $v := $labels }}{{ $k }}={{ $v }}{{ end }}{{ range $externalLabels }}{{ . }}{{ end }}': "a=xeu",
    '{{ range query "sort(m)" }}{{ if gt .Value 3.0 }}{{ break }}{{ end }}{{ .Value }}{{ end }}': "2",
    '{{ range query "sort(m)" }}{{ if eq .Value 4.0 }}{{ continue }}{{ end }}{{ .Value }}{{ end }}': "27",
    '{{ $top := 0.0 }}{{ range query "m" }}{{ if gt .Value $top }}{{ $top = .Value }}{{ end }}{{ end }}{{ $top }}': "7",
    '{{ define "one" }}{{ .Labels.b }}!{{ end }}{{ range query "sort(m)" }}{{ template "one" . }}{{ end }}': "3!1!2!",
    '{{ block "b" $value }}{{ . }}{{ $ }}{{ end }}': "1111",
    '{{ graphLink "m > 1" }} {{ tableLink "m{a=\\"x\\"}" }}':
        "/graph?g0.expr=m+%3E+1&g0.tab=0 /graph?g0.expr=m%7Ba%3D%22x%22%7D&g0.tab=1",
    '{{ toTime 1500000000.5 }} {{ parseDuration "1h30m" }}': "2017-07-14 02:40:00.5 +0000 UTC 5400",
    '{{ $t := toTime 1500000000.5 }}{{ $t.Format "Mon 2 Jan 2006 15:04:05.000 MST" }}|{{ $t.Unix }}|{{ $t.Year }}-{{ $t.YearDay }}':
        "Fri 14 Jul 2017 02:40:00.500 UTC|1500000000|2017-195",
    '{{ (toTime 1500000000).Format "Monday, 02-January-06 3:4:5 PM Z07:00 -0700 _2 __2 002" }}':
        "Friday, 14-July-17 2:40:0 AM Z +0000 14 195 195",
    '{{ $t := toTime 1483228799.25 }}{{ $t.Format "2006-01-02T15:04:05.999Z07:00 .00 ,9 03pm Jans January1 1/2" }}':
        "2016-12-31T23:59:59.249Z .24 ,2 11pm Jans December12 12/31",
    '{{ "15h" | (toTime 7200).Format }} {{ (toTime 5).Weekday }} {{ (toTime 0).Month }} {{ (toTime 90).Minute }}{{ (toTime 90).Second }}':
        "02h Thursday January 130",
    '{{ (toTime 90).Sub (toTime 30) }} {{ (toTime 1).Before (toTime 2) }} {{ ((toTime 90).Sub (toTime 30)).Minutes }}':
        "1m0s true 1",
    '{{ with args 1 "x" }}{{ .arg0 }}{{ .arg1 }}{{ end }} {{ args 1 2 }}': "1x map[arg0:1 arg1:2]",
    '{{ query "m{b=\\"1\\"}" | first }}': "{map[__name__:m a:x b:1] 4}",
    '{{ html "<a href=\\"x\\">" }} {{ js "it\'s" }} {{ urlquery "a b&c" }} {{ slice "abcdef" 1 3 }}':
        "&lt;a href=&#34;x&#34;&gt; it\\'s a+b%26c bc",
    '{{ strvalue (query "m" | first) }}|{{ safeHtml "<b>" }} {{ stripPort "a:1" }} {{ stripDomain "a.b:1" }}': "|<b> a a:1",
    '{{ with $s := query "sort(m)" | first }}{{ $s.Value }}{{ .Labels.b }}{{ end }}': "23",
}

# Each passes; of each that expects something, variants that expect something else are made below.
PASSING = {
    "for": one([group(DOWN)], [UP], [firing("Down", "2m"), firing("Down", "3m", DOWN_ALERT), firing("Down", "7m")]),
    "for interrupted": one([group(DOWN)], [series('up{job="a"}', "0 0 1 0 0 0")],
                           [firing("Down", "2m"), firing("Down", "4m"), firing("Down", "5m", DOWN_ALERT)]),
    "no for": one([group(alert("A", "m > 1"))], [series("m", "0 2 0")],
                  [firing("A", "0"), firing("A", "1m", {}), firing("A", "2m")]),
    "keep_firing_for": one(
        [group(alert("A", "m > 1", keep_firing_for="3m"))], [series("m", "2 0x9")],
        [firing("A", "0m", {}), firing("A", "3m", {}), firing("A", "4m"), gives('ALERTS{alertname="A"}', "3m", {
            'ALERTS{alertname="A", alertstate="firing"}': 1})]),
    "keep_firing_for begins anew": one(
        [group(alert("A", "m > 1", keep_firing_for="2m"))], [series("m", "2 0 2 0 0 0")],
        [firing("A", "4m", {}), firing("A", "5m")]),
    "keep_firing_for and for": one(
        [group(alert("A", "m > 1", **{"for": "1m"}, keep_firing_for="1m"))], [series("m", "2 2 0 0 2")],
        [firing("A", "1m", {}), firing("A", "2m", {}), firing("A", "3m"), firing("A", "4m")]),
    "keep_firing_for without data": one(
        [group(alert("A", "m > 1", keep_firing_for="3m"))], [series("m", "2 stale")],
        [firing("A", "2m", {}), firing("A", "4m")]),
    "eval_time between evaluations": one([group(DOWN)], [UP], [firing("Down", "3m30s", DOWN_ALERT), firing("Down", "2m59s")]),
    "eval_time after the data": one([group(DOWN)], [series('up{job="a"}', "0x3")],
                                    [firing("Down", "7m", DOWN_ALERT), firing("Down", "9m")]),
    "data stop": one([group(alert("A", "m == 1"))], [series("m", "1 1 _x10")], [firing("A", "5m", {}), firing("A", "7m")]),
    "data come back": one([group(alert("A", "m == 1"))], [series("m", "1 _x8 1")], [firing("A", "7m"), firing("A", "9m", {})]),
    "stale marker": one([group(alert("A", "m == 1"))], [series("m", "1 1 stale _ 1")],
                        [firing("A", "1m", {}), firing("A", "2m"), firing("A", "3m"), firing("A", "4m", {})]),
    "recorded series ends with its input": one(
        [group(record("r", "m * 2"), alert("A", "r > 1"))], [series("m", "1 1 _x10")],
        [firing("A", "5m", {}), firing("A", "7m"), gives("r", "5m", {"r": 2})]),
    "absent": one([group(alert("Gone", 'absent(up{job="a"})', **{"for": "1m"}))], [series('up{job="a"}', "1 1 stale")],
                  [firing("Gone", "2m"), firing("Gone", "3m", {"job": "a"})]),
    "absent_over_time": one([group(alert("Gone", "absent_over_time(up[2m30s])"))], [series("up", "1")],
                            [firing("Gone", "2m"), firing("Gone", "3m", {})]),
    "templates": one(
        [group(alert("T", "sum by (a) (m) > 0", labels={"level": '{{ if gt $value 5.0 }}high{{ else }}low{{ end }}'},
                     annotations={"text": '{{ $labels.a | toUpper }} {{ $value | humanize1024 }} {{ printf "%.2f" $value }}',
                                  "url": "{{ $externalURL }}/{{ $externalLabels.region }}",
                                  "dur": "{{ humanizeDuration 3661.0 }} {{ humanizePercentage 0.1234 }}"}))],
        [series('m{a="x"}', "2048"), series('m{a="y"}', "1")],
        [firing("T", "0", ({"a": "x", "level": "high"}, {
            "text": "X 2ki 2048.00", "url": "http://weir/eu", "dur": "1h 1m 1s 12.34%"}), ({"a": "y", "level": "low"}, {
            "text": "Y 1 1.00", "url": "http://weir/eu", "dur": "1h 1m 1s 12.34%"}))],
        external_labels={"region": "eu"}, external_url="http://weir"),
    "an annotation that expands to nothing": one(
        [group(alert("A", "m", annotations={"none": "{{ $labels.nope }}"}))], [series("m", "1")],
        [firing("A", "0", ({}, {"none": ""}))]),
    "a label that expands to nothing": one(
        [group(alert("A", "m", labels={"b": "{{ $labels.nope }}"}))], [series('m{b="x"}', "1")], [firing("A", "0", {})]),
    "weir's own annotation is one like others": one(
        [group(alert("A", "m == 1", annotations={"weir_no_data": "alert"}))], [series("m", "1 _x9")],
        [firing("A", "1m", ({}, {"weir_no_data": "alert"})), firing("A", "6m")]),
    **{f"text {text}": one(
        [group(record("r", "m * 10"), alert("T", 'sum by (a) (m{a="x"}) > 0', annotations={"text": text}))],
        [series('m{a="x", b="1"}', "1 4"), series('m{a="x", b="2"}', "3 7"), series('m{a="y", b="3"}', "9 2")],
        [firing("T", "1m", ({"a": "x"}, {"text": expanded}))],
        external_labels={"region": "eu"}, external_url="http://weir/x") for text, expanded in QUERYING.items()},
    "a label that queries": one(
        [group(alert("T", "m > 0", labels={"level": '{{ with query "count(m)" }}{{ . | first | value }}{{ end }}'}))],
        [series('m{a="x"}', "1"), series('m{a="y"}', "1")],
        [firing("T", "0", {"a": "x", "level": "2"}, {"a": "y", "level": "2"})]),
    "limit reached": one([group(alert("A", "m"), limit=2)], [series('m{n="1"}', "1"), series('m{n="2"}', "1")],
                         [firing("A", "0", {"n": "1"}, {"n": "2"})]),
    "recording chain": one(
        [group(record("a", "sum by (j) (m)"), record("b", "a / 2", labels={"k": "v"}), alert("B", "b > 4"))],
        [series('m{j="x", p="1"}', "0+2x5"), series('m{j="x", p="2"}', "0+2x5")],
        [gives("a", "2m", {'a{j="x"}': 8}), gives("b", "2m", {'b{j="x", k="v"}': 4}), firing("B", "2m"),
         firing("B", "3m", {"j": "x", "k": "v"})]),
    "groups in the order of the file": one(
        [group(record("a", "m"), name="first"), group(record("b", "a"), name="second")],
        [series("m", "1 2")], [gives("b", "1m", {"b": 2})], group_eval_order=["first", "second"]),
    "groups in another order": one(
        [group(record("a", "m"), name="first"), group(record("b", "a"), name="second")],
        [series("m", "1 2")], [gives("b", "1m", {"b": 1})], group_eval_order=["second", "first"]),
    "alert and record in two files": one(
        None, [series("m", "5")], [firing("A", "0", {}), gives("r", "0", {"r": 5})], group_eval_order=["g", "h"],
        files={"a.yml": {"groups": [group(record("r", "m"))]},
               "b.yml": {"groups": [group(alert("A", "r"), name="h")]}}),
    "one alert in two rules": one(
        [group(alert("A", "m > 5", labels={"s": "c"}), alert("A", "m > 1", labels={"s": "w"}))], [series("m", "9")],
        [firing("A", "0", {"s": "c"}, {"s": "w"})]),
    "ALERTS and ALERTS_FOR_STATE": one(
        [group(DOWN)], [UP],
        [gives("ALERTS", "2m", {'ALERTS{alertname="Down", alertstate="pending", job="a", severity="critical"}': 1}),
         gives("ALERTS", "3m", {'ALERTS{alertname="Down", alertstate="firing", job="a", severity="critical"}': 1}),
         gives("ALERTS_FOR_STATE", "3m", {'ALERTS_FOR_STATE{alertname="Down", job="a", severity="critical"}': 60})]),
    "an alert on ALERTS": one(
        [group(DOWN, alert("Any", 'count(ALERTS{alertstate="firing", alertname!="Any"}) > 0'))], [UP],
        [firing("Any", "2m"), firing("Any", "3m", {})]),
    "series notation": one(
        [], [series('m{a="1"}', "1+1x3 5-1x2 -1 +2 .5 1e1 010 _ 0x2"), series('m{a="2"}', "NaN Inf -Inf stale 7"),
             series('{__name__="m", a="3",}', "1x2 _x2 3")],
        [gives('m{a="1"}', f"{minute}m", {'m{a="1"}': value}) for minute, value in enumerate(
            [1, 2, 3, 4, 5, 4, 3, -1, 2, .5, 10, 8, 8, 0, 0, 0])]
        + [gives('m{a="2"} == Inf', "1m", {'m{a="2"}': float("inf")}), gives('m{a="2"}', "3m", {}),
           gives('m{a="2"}', "4m", {'m{a="2"}': 7}), gives('m{a="3"}', "4m", {'m{a="3"}': 1}),
           gives('m{a="3"}', "5m", {'m{a="3"}': 3})]),
    "a series given twice counts as its last": one([], [series("m", "1"), series("m", "2")], [gives("m", "0", {"m": 2})]),
    "an empty line ends the series": one([], [series("m", "1\n"), series("n", "2")],
                                         [gives("m", "0", {"m": 1}), gives("n", "0", {})]),
    "scalar": one([], [], [gives("1 + 1", "5m", {"": 2}), gives("time()", "90s", {"{}": 90})]),
    "intervals": one(
        [group(record("r", "sum_over_time(m[1m])"))], [series("m", "1x40")],
        [gives("r", "45s", {"r": 5}), gives("m offset 20s", "1m", {"m": 1})], interval="10s", evaluation_interval="15s"),
    "samples after the last evaluation are not there": one(
        [], [series("m", "0+1x10")], [gives("m", "1m50s", {"m": 6})], interval="10s"),
    "rates": one([group(record("r", "rate(c[3m30s]) * 60"), alert("Slow", "r < 5"))], [series("c", "0+10x5 50x5")],
                 [gives("round(r, 0.001)", "5m", {"{}": 10}), firing("Slow", "5m"), firing("Slow", "9m", {})]),
    "a subquery without a step has that of the evaluations": one(
        [group(record("r", "count_over_time(m[1m10s:])"))], [series("m", "1x40")],
        [gives("r", "2m", {"r": 4}), gives("sum_over_time(m[1m10s:])", "2m", {"{}": 4})], interval="10s",
        evaluation_interval="20s"),
    "nothing to test": Case([group(DOWN)], []),
    "no checks": one([group(DOWN)], [UP], []),
    "no rule files": one([], [series("m", "1")], [gives("m", "0", {"m": 1})], files={}),
    "a pattern without files": Case([], [{"interval": "1m", "promql_expr_test": [gives("1", "0", {"": 1})]}],
                                    rule_files=["none*.yml"]),
    "a glob": Case([group(DOWN)], [{"interval": "1m", "input_series": [UP],
                                    "alert_rule_test": [firing("Down", "3m", DOWN_ALERT)]}], rule_files=["r?les.y*"]),
    "an alert that no rule has": one([group(DOWN)], [UP], [firing("Nope", "3m")]),
    "the same rule twice": one([group(record("r", "m"), record("r", "m"))], [series("m", "1")], [gives("r", "0", {"r": 1})]),
    "two tests": Case([group(DOWN)], [
        {"name": name, "interval": "1m", "input_series": [UP], "alert_rule_test": [firing("Down", "3m", DOWN_ALERT)]}
        for name in ("one", "two")]),
}

FAILING = {
    "pending is not firing": one([group(DOWN)], [UP], [firing("Down", "2m", DOWN_ALERT)]),
    "limit passed": one([group(alert("A", "m"), limit=1)], [series('m{n="1"}', "1"), series('m{n="2"}', "1")],
                        [firing("A", "0")]),
    "limit of a recording rule passed": one([group(record("r", "m"), limit=1)],
                                            [series('m{n="1"}', "1"), series('m{n="2"}', "1")], [gives("1", "0", {"": 1})]),
    "a rule fails": one([group(alert("A", "m * on () n"))],
                        [series('m{n="1"}', "1"), series('m{n="2"}', "1"), series("n", "1")], [firing("A", "0")]),
    "a rule fails only later": one(
        [group(record("r", "m / on () n"))], [series("m", "1 1 1"), series('n{a="1"}', "1 1 1"), series('n{a="2"}', "_ _ 1")],
        [gives("r", "1m", {"{}": 1}), gives("1", "2m", {"": 1})]),
    "two alerts with the same labels": one([group(alert("A", "m", labels={"n": "x"}))],
                                           [series('m{n="1"}', "1"), series('m{n="2"}', "1")], [firing("A", "0")]),
    "two recorded values of one series": one([group(record("r", "m"), record("r", "m + 1"))], [series("m", "1")], [
        gives("1", "0", {"": 1})]),
    "recorded over an input": one([group(record("m", "n"))], [series("m", "1"), series("n", "2")], [gives("1", "0", {"": 1})]),
    "NaN equals nothing": Case([], [{"interval": "1m", "input_series": [series("m", "NaN")], "promql_expr_test": [
        {"expr": "m", "eval_time": "0", "exp_samples": [{"labels": "m", "value": ".nan"}]}]}]),
    "an expected label without a value": one([], [series("m", "1")], [gives("sum(m)", "0", {'{a=""}': 1})]),
    "an expected alert label without a value": one([group(alert("A", "m"))], [series("m", "1")], [firing("A", "0", {"a": ""})]),
    "a missing annotation that expands to nothing": one(
        [group(alert("A", "m", annotations={"none": "{{ $labels.nope }}"}))], [series("m", "1")], [firing("A", "0", {})]),
    "no alertname": one([group(DOWN)], [UP], [{"eval_time": "1m"}]),
    "a matrix": one([], [series("m", "1")], [gives("m[5m]", "0", {"m": 1})]),
    "an expression that is none": one([], [], [gives("1 +", "0", {})]),
    "expected labels that are none": one([], [series("m", "1")], [gives("m", "0", {"m{a=1}": 1})]),
    "group ordered twice": one([group(DOWN)], [UP], [], group_eval_order=["g", "g"]),
    "a rule file that is none": one([{"name": "g", "rules": [{"alert": "A", "expr": "("}]}], [], [gives("1", "0", {"": 1})]),
    "an unknown key": Case([], [], rule_file="x"),
    "an unknown key in a test": one([], [], [], input_serie=[]),
    "a bad duration": one([], [], [gives("1", "five minutes", {"": 1})]),
    "a number in quotes": one([], [series("m", "1")], [gives("m", "0", {"m": "1"})]),
    "rule_files is no list": Case([], [], rule_files="rules.yml"),
    "one of two tests": Case([group(DOWN)], [
        {"interval": "1m", "input_series": [UP], "alert_rule_test": [firing("Down", at, DOWN_ALERT)]} for at in ("3m", "1m")]),
    **{f"notation {text}": one([], [series(*text.split("|"))], [gives("1", "0", {"": 1})]) for text in (
        "m|1 + 2", "m|1 2 x3", "m|1-2", "m|1e", "m|1 two", "m|Stale", "m|NaNx3", "m|-stale", "m|1x-3", "m|1x3.0", "m|__",
        "m|1e999", "m|1x3x4", 'm {a="b"}|1', "m{a=b}|1", 'm{a="b"|1', 'm{a!="b"}|1', "on|1", "|1 2", "1|1", "{}|1", 'm{a="b" c="d"}|1')},
}


def changed(case, change):
    """The case with its expectations changed; None when there is nothing of that kind to change."""
    copied = copy.deepcopy(case)
    return copied if any(change(test) for test in copied.test["tests"]) else None


def wrong_label(test):
    for check in test.get("alert_rule_test", []):
        for expected in check.get("exp_alerts", []):
            expected["exp_labels"]["wrong"] = "label"
            return True


def wrong_annotation(test):
    for check in test.get("alert_rule_test", []):
        for expected in check.get("exp_alerts", []):
            expected.setdefault("exp_annotations", {})["summary"] = "something else"
            return True


def missing_alert(test):
    for check in test.get("alert_rule_test", []):
        if check.get("exp_alerts"):
            del check["exp_alerts"][0]
            return True


def extra_alert(test):
    for check in test.get("alert_rule_test", []):
        check.setdefault("exp_alerts", []).append({"exp_labels": {"one": "more"}})
        return True


def wrong_value(test):
    for check in test.get("promql_expr_test", []):
        for expected in check["exp_samples"]:
            expected["value"] = 4711
            return True


def wrong_series(test):
    for check in test.get("promql_expr_test", []):
        check["exp_samples"].append({"labels": 'one{more="x"}', "value": 1})
        return True


CHANGES = [wrong_label, wrong_annotation, missing_alert, extra_alert, wrong_value, wrong_series]
CASES = [pytest.param(case, True, id=name) for name, case in PASSING.items()]
CASES += [pytest.param(case, False, id=name) for name, case in FAILING.items()]
CASES += [pytest.param(made, False, id=f"{name}, {change.__name__}") for name, case in PASSING.items()
          for change in CHANGES if (made := changed(case, change))]


def write(folder, case):
    for name, content in case.files.items():
        (folder / name).write_text(json.dumps(content, indent=1))
    text = json.dumps(case.test, indent=1)
    # What JSON cannot write, YAML can.
    (folder / "test.yml").write_text(text.replace("Infinity", ".inf").replace('".nan"', ".nan"))
    return folder / "test.yml"


def run(program, file):
    return subprocess.run([program, "test", "rules", file], capture_output=True, text=True, timeout=60)


def verdicts(file):
    """(Weir's exit code, promtool's)"""
    weir, promtool = run(binary(), file), run("promtool", file)
    assert weir.returncode in (0, 1, 2), weir.stderr
    assert (weir.returncode == 0) == (promtool.returncode == 0), \
        f"weir:\n{weir.stdout}{weir.stderr}\npromtool:\n{promtool.stdout}{promtool.stderr}"
    return weir, promtool


@pytest.mark.parametrize(("case", "passes"), CASES)
def test_both_say_the_same(case, passes, tmp_path):
    weir, _ = verdicts(write(tmp_path, case))
    assert (weir.returncode == 0) == passes, weir.stdout + weir.stderr


@pytest.mark.parametrize("file", sorted(ROOT.glob("rules/tests/*.yml")), ids=lambda path: path.name)
def test_both_pass_the_shipped_rules(file):
    weir, _ = verdicts(file)
    assert weir.returncode == 0, weir.stdout + weir.stderr


def test_a_failure_names_its_place_and_shows_the_difference(tmp_path):
    case = one([group(DOWN)], [UP], [firing("Down", "3m", ({"job": "a", "severity": "critical"}, {"summary": "b"}))],
               name="outage")
    file = write(tmp_path, case)
    done = run(binary(), file)
    line = 1 + file.read_text()[:file.read_text().index('"alert_rule_test"')].count("\n") + 1
    assert done.returncode == 1
    assert 'FAILED "outage"' in done.stdout
    assert f"{file}:{line}:5: alert Down at 3m" in done.stdout
    assert '-     summary: "b"' in done.stdout and '+     summary: "a is down, 0"' in done.stdout


def test_a_file_that_cannot_be_read_is_status_2_and_the_others_are_tested(tmp_path):
    good = write(tmp_path, PASSING["for"])
    done = subprocess.run([binary(), "test", "rules", tmp_path / "none.yml", good], capture_output=True, text=True)
    assert done.returncode == 2
    assert "none.yml: cannot be read: No such file" in done.stderr and "none.yml" not in done.stdout
    assert f"{good}: ok" in done.stdout
