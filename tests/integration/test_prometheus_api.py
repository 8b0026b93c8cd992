"""What Grafana asks a Prometheus data source, asked of Weir and of the real Prometheus: the same status, the same fields
with the same types, and where the data are the same, the same values.

The two differ on purpose in this: Prometheus is release 2.42, Weir follows release 3, which has `limit` on series and
labels, takes any UTF-8 as a label's name, and names the parameter in more of its errors. Formatted queries are those of release 2
but for `ignoring () group_left ()`; later releases of 3 also write numbers without an exponent, and durations as such.
"""

import gzip
import json
import sqlite3
import time
import urllib.parse

import pytest

from integration.promql.generator import Generator
from integration.test_promql import corpus
from support import http
from support.prometheus import Prometheus
from support.wait import until
from support.weir import Weir

ROWS = 7
RULES = """
groups:
  - name: tables
    interval: 1s
    limit: 20
    rules:
      - record: dataset:rows
        expr: sum   by (dataset) (weir_dataset_row_count)
        labels: {kind: "recorded"}
      - alert: TableIsSmall
        expr: weir_dataset_row_count < 100
        labels: {severity: page}
        annotations: {summary: '{{ $labels.dataset }} has {{ $value }} rows'}
      - alert: TableIsSmallForLong
        expr: weir_dataset_row_count{source="shop"} < 100 and on () vector(1)
        for: 1h
        keep_firing_for: 90s
      - alert: TableIsHuge
        expr: weir_dataset_row_count > 5000
  - name: broken
    interval: 1s
    rules:
      - alert: TwoOfAKind
        expr: weir_dataset_row_count * on () group_left () weir_check_status
"""
CHECKS = """
checks for orders:
  - row_count > 0
  - missing_count(customer) = 0
"""
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
ADDED = ("job", "instance")  # to every series that Prometheus scrapes


class Both:
    """A Weir that watches a table, and a Prometheus that scrapes it and has the same rules."""

    def __init__(self, folder):
        database = folder / "shop.db"
        with sqlite3.connect(database) as connection:
            connection.execute("CREATE TABLE orders (id INTEGER, customer INTEGER)")
            connection.executemany("INSERT INTO orders VALUES (?, ?)", [(n, n) for n in range(ROWS)])
        connection.close()
        (folder / "checks.yml").write_text(CHECKS)
        self.rules_file = folder / "rules.yml"
        self.rules_file.write_text(RULES)
        self.weir = Weir({
            "sources": [{"name": "shop", "type": "sqlite", "path": str(database)}],
            "checks": [{"source": "shop", "files": [str(folder / "checks.yml")], "interval": "1s"}],
            "rules": {"files": [str(self.rules_file)], "interval": "1s"}})
        self.prometheus = Prometheus([self.weir.address], [self.rules_file])

    def ask(self, method, path, parameters):
        """Both answers, Weir's first."""
        return [ask(server.url, method, path, parameters) for server in (self.weir, self.prometheus)]


def ask(url, method, path, parameters, headers=None):
    encoded = urllib.parse.urlencode(parameters)
    if method == "POST":
        return http.request(f"{url}/api/v1/{path}", encoded.encode(), "POST", {**FORM, **(headers or {})})
    return http.request(f"{url}/api/v1/{path}?{encoded}", method=method, headers=headers)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    both = Both(tmp_path_factory.mktemp("both"))
    with both.weir, both.prometheus:
        for server in (both.weir, both.prometheus):
            # A few seconds of samples, and every rule evaluated.
            until("there are samples", lambda server=server: [
                row for row in server.query("count_over_time(dataset:rows[1m])") if float(row["value"][1]) > 6], 40)
            until("the alert fires", lambda server=server: server.query('ALERTS{alertname="TableIsSmall",alertstate="firing"}'))
        yield both


def now():
    return f"{time.time():.3f}"


def recent():
    """A range in which both have had the same samples, as Grafana writes it."""
    end = int(time.time()) - 1
    return {"start": str(end - 3), "end": str(end), "step": "1"}


SELECTOR = 'weir_dataset_row_count{source="shop"}'

# (who asks, method, path, parameters, whether the data are the same in both)
GRAFANA = [
    ("health check", "POST", "query", lambda: {"query": "1+1", "time": "1700000000.5"}, True),
    ("health check of Grafana 9", "GET", "query", lambda: {"query": "1+1", "time": "4"}, True),
    ("features", "GET", "status/buildinfo", dict, False),
    ("panel", "POST", "query_range", lambda: {"query": SELECTOR, **recent()}, True),
    ("panel of a sum", "POST", "query_range", lambda: {"query": "sum by (dataset) (weir_dataset_row_count)", **recent()}, True),
    ("panel without data", "POST", "query_range", lambda: {"query": "no_such_metric", **recent()}, True),
    ("panel of a number", "POST", "query_range", lambda: {"query": "1e22 + 0.5", "start": "0", "end": "1", "step": "0.5"}, True),
    ("stat", "POST", "query", lambda: {"query": SELECTOR, "time": now()}, False),
    ("table", "GET", "query", lambda: {"query": "topk(3, weir_check_status)", "time": now()}, False),
    ("raw samples", "POST", "query", lambda: {"query": f"{SELECTOR}[5s]", "time": now()}, False),
    ("text", "POST", "query", lambda: {"query": '"a<b>ü"', "time": "1.780"}, True),
    ("special numbers", "POST", "query", lambda: {"query": "vector(1/0)", "time": "1.780"}, True),
    ("small numbers", "POST", "query", lambda: {"query": "vector(-0.0000001)", "time": "0"}, True),
    ("large numbers", "POST", "query", lambda: {"query": "vector(9223372036854775808)", "time": "0"}, True),
    ("scalars have no exponent", "POST", "query", lambda: {"query": "1e22", "time": "0"}, True),
    ("a time in RFC 3339", "GET", "query", lambda: {"query": "time()", "time": "2015-07-01T20:10:51.781+02:00"}, True),
    ("exemplars", "POST", "query_exemplars", lambda: {"query": SELECTOR, **recent()}, True),
    ("explore: metrics", "GET", "label/__name__/values", lambda: recent(), False),
    ("explore: label names", "POST", "labels", lambda: recent(), False),
    ("explore: label names of a metric", "GET", "labels", lambda: {"match[]": SELECTOR, **recent()}, True),
    ("explore: label names of nothing", "GET", "labels", lambda: {"match[]": "no_such_metric"}, True),
    ("explore: metadata", "GET", "metadata", dict, False),
    ("explore: metadata of a metric", "GET", "metadata", lambda: {"metric": "weir_dataset_row_count"}, True),
    ("explore: some metadata", "GET", "metadata", lambda: {"limit": "1"}, False),
    ("explore: metadata of nothing", "GET", "metadata", lambda: {"metric": "no_such_metric"}, True),
    ("explore: a formatted query", "GET", "format_query", lambda: {"query": "sum(rate(a{b=\"c\"}[5m]))by(job)>bool 1"}, True),
    ("variable: label_values(metric, label)", "GET", "label/dataset/values", lambda: {"match[]": "weir_check_status", **recent()}, True),
    ("variable: label_values(label)", "GET", "label/source/values", lambda: recent(), True),
    ("variable: values of no label", "GET", "label/nobody_has_this/values", lambda: recent(), True),
    ("variable: series", "GET", "series", lambda: {"match[]": SELECTOR, **recent()}, True),
    ("variable: series by form", "POST", "series", lambda: {"match[]": "weir_check_status", **recent()}, True),
    ("variable: query_result", "GET", "query", lambda: {"query": f"sum({SELECTOR})", "time": now()}, False),
    ("annotations", "POST", "query_range", lambda: {"query": 'ALERTS{alertstate="firing"}', **recent()}, True),
    ("alert list: rules", "GET", "rules", dict, True),
    ("alert list: alerting rules", "GET", "rules", lambda: {"type": "alert"}, True),
    ("alert list: recording rules", "GET", "rules", lambda: {"type": "record"}, True),
    ("alert list: alerts", "GET", "alerts", dict, True),
    ("status", "GET", "status/runtimeinfo", dict, False),
]

ERRORS = [
    ("GET", "query", {}),
    ("GET", "query", {"query": "up", "time": "foo"}),
    ("GET", "query", {"query": "up", "timeout": "foo"}),
    ("GET", "query", {"query": "up", "timeout": "1e300"}),
    ("GET", "query", {"query": "up{"}),
    ("POST", "query", {"query": "sum by (", "time": "1"}),
    ("GET", "query", {"query": "weir_check_status + on () weir_check_status"}),
    ("GET", "query_range", {"query": "up"}),
    ("GET", "query_range", {"query": "up", "start": "1"}),
    ("GET", "query_range", {"query": "up", "start": "x", "end": "1", "step": "1"}),
    ("GET", "query_range", {"query": "up", "start": "5", "end": "1", "step": "1"}),
    ("GET", "query_range", {"query": "up", "start": "5", "end": "10"}),
    ("GET", "query_range", {"query": "up", "start": "5", "end": "10", "step": "0"}),
    ("GET", "query_range", {"query": "up", "start": "5", "end": "10", "step": "-1"}),
    ("GET", "query_range", {"query": "up", "start": "5", "end": "10", "step": "-1m"}),
    ("GET", "query_range", {"query": "up", "start": "5", "end": "10", "step": "1e300"}),
    ("POST", "query_range", {"query": "up", "start": "0", "end": "1000000", "step": "1"}),
    ("GET", "query_range", {"query": "up[1m]", "start": "5", "end": "10", "step": "1"}),
    ("GET", "series", {}),
    ("GET", "series", {"match[]": "{}"}),
    ("GET", "series", {"match[]": '{a=~".*"}'}),
    ("GET", "series", {"match[]": "sum(up)"}),
    ("GET", "series", {"match[]": "up offset 5m"}),
    ("GET", "series", {"match[]": "up", "start": "x"}),
    ("GET", "labels", {"match[]": "{}"}),
    ("GET", "labels", {"end": "x"}),
    ("GET", "label/job/values", {"match[]": "{}"}),
    ("GET", "metadata", {"limit": "x"}),
    ("GET", "rules", {"type": "foo"}),
    ("GET", "format_query", {"query": "sum("}),
    ("GET", "query_exemplars", {"query": ""}),
    ("GET", "query_exemplars", {"query": "up", "start": "5", "end": "1"}),
]
# Parsers have their own words, and so have matching errors; release 3 names the parameter more often.
OWN_WORDS = ("parse error", "many-to-many", "found duplicate series", "invalid expression type", "1:")


def shape(value):
    """The types of a JSON value: of an object by field, of a list by its different items."""
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items()}
    if isinstance(value, list):
        return sorted({json.dumps(shape(item), sort_keys=True) for item in value})
    return "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__


def emptied(item):
    """A rule group of which a filter left nothing: release 2 shows it."""
    return isinstance(item, dict) and item.get("rules") == []


def comparable(value):
    """Without what Prometheus adds to scraped series, without what names moments, and in an order of its own."""
    if isinstance(value, dict):
        moments = ("activeAt", "lastEvaluation", "evaluationTime", "startTime", "lastError")
        return {name: comparable(item) for name, item in value.items() if name not in (*ADDED, *moments)}
    if isinstance(value, list):
        kept = [comparable(item) for item in value if item not in ADDED and not emptied(item)]
        return sorted(kept, key=lambda item: json.dumps(item, sort_keys=True))
    return value


def without_labels(value):
    """Labels are data: which there are is compared with the data, not with the shape."""
    if isinstance(value, dict):
        return {name: {} if name in ("metric", "labels") else without_labels(item)
                for name, item in value.items() if name not in ADDED}
    return [without_labels(item) for item in value if not emptied(item)] if isinstance(value, list) else value


@pytest.mark.parametrize("asker, method, path, parameters, same", GRAFANA, ids=[row[0] for row in GRAFANA])
def test_grafana_gets_what_prometheus_answers(both, asker, method, path, parameters, same):
    def answers():
        return both.ask(method, path, parameters())

    def agree():
        ours, theirs = answers()
        assert comparable(ours.json()) == comparable(theirs.json()), f"{ours.text}\n{theirs.text}"
        return ours, theirs

    # Scraped samples come a moment later.
    ours, theirs = until(f"{asker}: the same answer", agree, 10) if same else answers()
    assert ours.status == theirs.status == 200, ours.text
    assert ours.headers["Content-Type"] == theirs.headers["Content-Type"] == "application/json"
    if path == "metadata":
        assert {json.dumps(shape(item)) for item in ours.json()["data"].values()} == \
               {json.dumps(shape(item)) for item in theirs.json()["data"].values()}
    elif path == "status/runtimeinfo":
        missing = shape(theirs.json())["data"].items() - shape(ours.json())["data"].items()
        assert not missing, "release 3 only adds fields"
    else:
        assert shape(without_labels(ours.json())) == shape(without_labels(theirs.json()))


@pytest.mark.parametrize("method, path, parameters", ERRORS, ids=lambda value: str(value))
def test_what_is_wrong_is_refused_as_prometheus_does(both, method, path, parameters):
    ours, theirs = both.ask(method, path, parameters)
    assert ours.status == theirs.status, ours.text
    ours, theirs = ours.json(), theirs.json()
    assert shape(ours) == shape(theirs)
    assert ours["errorType"] == theirs["errorType"]
    if not any(words in theirs["error"] for words in OWN_WORDS):
        assert ours["error"] == theirs["error"]


def test_labels_of_metrics_on_the_page_are_all_known(both):
    answer = ask(both.weir.url, "GET", "label/__name__/values", {}).json()["data"]
    assert set(both.weir.metrics()) <= set(answer) and "ALERTS" in answer and "dataset:rows" in answer


def test_a_large_answer_is_compressed(both):
    plain = ask(both.weir.url, "GET", "metadata", {})
    packed = ask(both.weir.url, "GET", "metadata", {}, {"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip" and "Content-Encoding" not in plain.headers
    assert json.loads(gzip.decompress(packed.body)) == plain.json()
    assert len(packed.body) < len(plain.body) / 2
    assert "Content-Encoding" not in ask(both.weir.url, "GET", "query", {"query": "1"}, {"Accept-Encoding": "gzip"}).headers


def test_prometheus_scrapes_compressed_metrics(both):
    page = http.request(f"{both.weir.url}/metrics", headers={"Accept-Encoding": "gzip"})
    assert page.headers["Content-Encoding"] == "gzip"
    assert b"weir_dataset_row_count" in gzip.decompress(page.body)
    assert both.prometheus.api("targets")["activeTargets"][0]["health"] == "up"


LONG = "a" * 70
WRITTEN = [
    "1e9", "1000000", "999999", "0.0001", "0.00001", "123456789.125", "-0", "1e300", "-inf", "NaN", "0x1F",
    r"""'a"\\b'""", r'"\a\b\x00\x7f\u00a0\u200b\ue000\U000e0001"', r'"\xff\xed\xa0\x80"', '"東京 é €😀"', "`a\\n`",
    'a{d="1", b!="2",c=~"3",b!~"4",}', '{b="1",__name__="a",A="2"}', '{__name__="a"}', "a{}", "a:b:c",
    "a offset 90m @ 1", "a[1w] offset -7d @ end()", "max_over_time(a[36h:] offset 1500ms @ -0.5)", "a[400d] offset 2y",
    "sum(a)by(b,c)", "sum by()(a)", "sum without()(a)", "quantile(0.9,a)without(b)", 'count_values("x",a)by(b,)',
    "a+ignoring()b", "a+on()b", "a>bool on(x,y)group_left b", "a/ignoring(x)group_right(y,z)b", "a and on(x)b", "a>bool 1",
    "- (+ a)  ^((2))", "-1^2", "+1", "-(1)", "a atan2 b", "time ( )", "a # the first\n+b",
    f"{LONG}+{LONG}", f"({LONG}+{LONG})*(1+2)", f"-({LONG}+{LONG})", f"-{LONG} ^ {LONG}", f"{LONG}>bool on(x)group_left(y){LONG}",
    f"sum(rate({LONG}[5m]))by(aaaaaaaaaaaaaaaaaaaaaaaaaa)", f"topk(3,{LONG}+{LONG})without(b)", f"clamp({LONG}+{LONG},1,2)",
    f"max_over_time(sum({LONG}+{LONG})[5m:1m]offset 1m)", f"max_over_time(({LONG})[5m:1m]) + quantile_over_time(0.5,{LONG}[1h:])",
    f'quantile_over_time(0.5,a[1h:])/{LONG}{{b="{LONG}",a="{LONG}"}}', f'label_replace(a,"b","{LONG}","c","{LONG}")',
    f"quantile_over_time(scalar({LONG}+{LONG}),a[1h:5m])",
    f'{LONG}{{b="{LONG}",a="{LONG}"}}', f'sum({LONG}{{b="{LONG}",a="{LONG}"}}) or vector(1)',
]
# Release 2 leaves out ignoring () and with it group_left: what it answers is another expression. Release 3 does not.
LOST_BY_RELEASE_2 = "ignoring () group_"


def generated(count):
    generator, expressions = Generator(11), {}
    while len(expressions) < count:
        expressions[generator.expression()] = None
    return list(expressions)


@pytest.mark.parametrize("source, both_parse, split", [(lambda: WRITTEN, len(WRITTEN), 12), (corpus, 350, 0), (lambda: generated(300), 290, 20)],
                         ids=["written", "corpus", "generated"])
def test_queries_are_formatted_as_prometheus_does(both, source, both_parse, split):
    texts, wrong = [], []
    for query in source():
        ours, theirs = both.ask("POST", "format_query", {"query": query})
        if ours.status != 200 or theirs.status != 200:
            continue
        ours, theirs = ours.json()["data"], theirs.json()["data"]
        texts.append(ours)
        if ours != theirs and LOST_BY_RELEASE_2 not in ours:
            wrong.append(f"{query}\n{theirs}\n{ours}")
        again = ask(both.weir.url, "POST", "format_query", {"query": ours}).json()
        assert again["data"] == ours, query
    assert not wrong, f"{len(wrong)} of {len(texts)} differ:\n" + "\n\n".join(wrong[:40])
    assert len(texts) >= both_parse and sum("\n" in text for text in texts) >= split


def test_where_release_2_loses_something_weir_does_not(both):
    ours, theirs = both.ask("POST", "format_query", {"query": "a/ignoring()group_left(y)b"})
    assert ours.json()["data"] == "a / ignoring () group_left (y) b"
    assert theirs.json()["data"] == "a / b"
