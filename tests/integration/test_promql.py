"""Weir's PromQL against the real Prometheus: the same samples, the same queries, the same answers.

Prometheus here is 2.42, Weir follows 3.x. What changed between them is in DIFFERENCES; the expressions made at
random keep away from it, from ties that topk may break either way, and from what only a processor decides.
"""

import json
import math
import pathlib
import subprocess
import urllib.parse

import pytest

from integration.promql import dataset
from integration.promql.generator import Generator
from support import http, remote_write
from support.prometheus import Prometheus
from support.weir import binary

HERE = pathlib.Path(__file__).parent
INSTANT = {"time": 5402.5}
RANGE = {"start": 1202.5, "end": 6902.5, "step": 95}
GENERATED = 1000

# Not compared: what Weir answers to these, as Prometheus 3 does, is in tests/promql/prometheus3_test.cpp.
DIFFERENCES = {
    "lag offset 5": "durations may be plain numbers",
    "predict_linear(lag[10m] @ 3602.5, 60)": "2.42 moves the window of a range query on in spite of @",
}


def corpus():
    lines = (HERE / "promql/corpus.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("# ")]


def generated():
    generator = Generator(5)
    expressions = {}
    while len(expressions) < GENERATED:
        expressions[generator.expression()] = None
    return list(expressions)


@pytest.fixture(scope="module")
def samples():
    return dataset.build()


@pytest.fixture(scope="module")
def prometheus(samples):
    with Prometheus([], interval="1m", arguments=["--web.enable-remote-write-receiver", "--storage.tsdb.retention.time=100y"]) as one:
        remote_write.write(one.url, samples)
        yield one


def ask_prometheus(server, query):
    path = "query" if "time" in query else "query_range"
    body = urllib.parse.urlencode(query).encode()
    answer = http.request(f"{server.url}/api/v1/{path}", body=body, timeout=60)
    return answer.json()


def ask_weir(samples, queries, folder):
    """Offline, all queries in one run."""
    (folder / "samples.json").write_text(json.dumps(dataset.as_unit_test_input(samples)))
    (folder / "queries.jsonl").write_text("".join(json.dumps(query) + "\n" for query in queries))
    done = subprocess.run([binary(), "query", "--samples", folder / "samples.json", "--batch", folder / "queries.jsonl"],
                          capture_output=True, text=True, timeout=300, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def close(a, b):
    a, b = float(a), float(b)
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    return a == b or math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)


def rows(data):
    """{labels: [(time, value)]} of any kind of result."""
    kind, result = data["resultType"], data["result"]
    if kind in ("scalar", "string"):
        return {"": [tuple(result)]}
    return {json.dumps(row["metric"], sort_keys=True): [tuple(p) for p in row.get("values") or [row["value"]]]
            for row in result}


def difference(theirs, ours):
    """What is different in two answers, or None."""
    if theirs["status"] != ours["status"]:
        return f"Prometheus: {theirs.get('error', 'success')}; Weir: {ours.get('error', 'success')}"
    if theirs["status"] == "error":
        same = theirs["errorType"] == ours["errorType"]
        return None if same else f"error types {theirs['errorType']} and {ours['errorType']}"
    if theirs["data"]["resultType"] != ours["data"]["resultType"]:
        return f"result types {theirs['data']['resultType']} and {ours['data']['resultType']}"
    their_rows, our_rows = rows(theirs["data"]), rows(ours["data"])
    if their_rows.keys() != our_rows.keys():
        return (f"only Prometheus: {sorted(their_rows.keys() - our_rows.keys())[:3]}; "
                f"only Weir: {sorted(our_rows.keys() - their_rows.keys())[:3]}")
    is_text = theirs["data"]["resultType"] == "string"
    for labels, points in their_rows.items():
        ours_here = our_rows[labels]
        if [t for t, _ in points] != [t for t, _ in ours_here]:
            return f"{labels}: times differ, {len(points)} and {len(ours_here)}"
        for (time, a), (_, b) in zip(points, ours_here):
            if not (a == b if is_text else close(a, b)):
                return f"{labels} at {time}: Prometheus {a}, Weir {b}"
    return None


@pytest.mark.parametrize("source", [corpus, generated])
def test_instant_and_range_queries_equal_those_of_prometheus(prometheus, samples, tmp_path, source):
    queries = [{"query": text} | times for text in source() for times in (INSTANT, RANGE)]
    answers = ask_weir(samples, queries, tmp_path)
    assert len(answers) == len(queries)
    wrong = []
    for query, ours in zip(queries, answers):
        if query["query"] in DIFFERENCES:
            continue
        found = difference(ask_prometheus(prometheus, query), ours)
        if found:
            wrong.append(f"{query}\n    {found}")
    assert not wrong, f"{len(wrong)} of {len(queries)} differ:\n" + "\n".join(wrong[:40])
