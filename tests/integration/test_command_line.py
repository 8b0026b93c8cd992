"""`weir query`, `backtest` and `explain` on a real Prometheus, and over files of samples."""

import json
import subprocess
import time

import pytest

from support.prometheus import Prometheus
from support.wait import until
from support.weir import binary

RULES = {"groups": [{"name": "g", "rules": [
    {"record": "half", "expr": "up / 2"},
    {"alert": "Up", "expr": "sum by (job) (up) > bool 0 == 1", "for": "2s", "labels": {"s": "page"}},
    {"alert": "Half", "expr": "half > 0.4"},
    {"alert": "Never", "expr": "up > 5 or up < 0"}]}]}
SAMPLES = {"interval": "1m", "input_series": [{"series": 'up{job="a"}', "values": "1 1 0 0 0 1 1 0 1"}]}


def weir(*arguments, stdin=None):
    return subprocess.run([binary(), *arguments], capture_output=True, text=True, timeout=60, input=stdin)


@pytest.fixture(scope="module")
def rule_file(tmp_path_factory):
    file = tmp_path_factory.mktemp("rules") / "rules.yml"
    file.write_text(json.dumps(RULES))
    return file


@pytest.fixture
def samples(tmp_path):
    file = tmp_path / "samples.json"
    file.write_text(json.dumps(SAMPLES))
    return file


@pytest.fixture(scope="module")
def prometheus(rule_file):
    server = Prometheus([], [rule_file])
    server.config["scrape_configs"][0]["static_configs"][0]["targets"] = [f"127.0.0.1:{server.port}"]
    with server:
        until("the alert fires", lambda: server.query('ALERTS{alertname="Up", alertstate="firing"}'))
        yield server


def test_an_instant_query_is_a_table_or_the_servers_json(prometheus):
    table = weir("query", "up * 3", "--url", prometheus.url)
    assert table.returncode == 0, table.stderr
    head, row = table.stdout.splitlines()
    assert head.split() == ["SERIES", "VALUE"] and 'job="weir"' in row and row.endswith(" 3")
    answer = json.loads(weir("query", "up", "--json", "--url", prometheus.url + "/").stdout)
    assert answer["status"] == "success" and answer["data"]["result"][0]["metric"]["job"] == "weir"


def test_a_range_query(prometheus):
    now = time.time()
    found = weir("query", "vector(7)", "--start", str(now - 60), "--end", str(now), "--step", "30", "--url", prometheus.url)
    assert found.returncode == 0, found.stderr
    assert [line.split()[-1] for line in found.stdout.splitlines()] == ["{}", "7", "7", "7"]


def test_a_mistake_is_the_servers_message_and_status_1(prometheus):
    done = weir("query", "sum(", "--url", prometheus.url)
    assert done.returncode == 1 and "parse error" in done.stderr and "bad_data" in done.stderr
    done = weir("query", "up", "--url", "http://127.0.0.1:1")
    assert done.returncode == 1 and "127.0.0.1:1" in done.stderr


@pytest.mark.parametrize("arguments", [
    ["query"], ["query", "up", "--start", "1"], ["query", "--samples", "x"], ["query", "up", "--nope"], ["backtest"],
    ["explain"], ["test"], ["test", "rules"], ["query", "--samples", "/none", "--batch", "-"],
    ["backtest", "--rule", "/none"]])
def test_a_wrong_command_line_is_status_2(arguments):
    done = weir(*arguments)
    assert done.returncode == 2 and done.stderr, done.stdout


def test_a_batch_is_answered_line_by_line(samples):
    queries = ['{"query": "sum(up)", "time": 60}', "nonsense", '{"query": "up", "start": 60, "end": 180, "step": 60}']
    done = weir("query", "--samples", samples, "--batch", "-", stdin="\n".join(queries))
    assert done.returncode == 0, done.stderr
    first, second, third = [json.loads(line) for line in done.stdout.splitlines()]
    assert first["data"] == {"resultType": "vector", "result": [{"metric": {}, "value": [60, "1"]}]}
    assert second["status"] == "error" and second["errorType"] == "bad_data"
    assert third["data"]["result"][0]["values"] == [[60, "1"], [120, "0"], [180, "0"]]


def test_a_backtest_over_prometheus(prometheus, rule_file):
    done = weir("backtest", "--rule", rule_file, "--since", "1m", "--step", "1s", "--url", prometheus.url, "--json")
    assert done.returncode == 0, done.stderr
    rules = {rule["alert"]: rule for rule in json.loads(done.stdout)["rules"]}
    assert rules["Up"]["fired"] == 1
    assert rules["Up"]["alerts"][0]["labels"] == {"alertname": "Up", "job": "weir", "s": "page"}
    assert rules["Up"]["alerts"][0]["spans"][0]["to"] is None
    assert rules["Half"]["fired"] == 1 and rules["Never"]["fired"] == 0


def test_a_backtest_over_samples_records_what_the_rules_record(samples, rule_file):
    done = weir("backtest", "--rule", rule_file, "--samples", samples, "--step", "1m", "--json")
    assert done.returncode == 0, done.stderr
    half = json.loads(done.stdout)["rules"][1]
    assert [(span["from"], span["to"]) for span in half["alerts"][0]["spans"]] == [(0, 120), (300, 420), (480, None)]
    table = weir("backtest", "--rule", rule_file, "--samples", samples, "--step", "1m")
    assert "Half (g): would have fired 3 times, for 4m in all" in table.stdout
    assert "Never (g): would not have fired" in table.stdout


def test_explain_shows_each_part_with_its_value(prometheus):
    done = weir("explain", "Half", "--url", prometheus.url)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("Half (group g, ") and lines[0].endswith(": firing")
    assert lines[1] == "half > 0.4  → 1 series"
    assert lines[3] == "  half  → 1 series" and lines[4].endswith(" 0.5") and lines[5] == "  0.4"
    tree = json.loads(weir("explain", "Never", "--json", "--url", prometheus.url).stdout)
    assert tree["value"]["result"] == [] and [part["expression"] for part in tree["parts"]] == ["up > 5", "up < 0"]


def test_explain_knows_similar_names(prometheus):
    done = weir("explain", "Nevr", "--url", prometheus.url)
    assert done.returncode == 1 and 'no alerting rule is named "Nevr" (did you mean "Never"?)' in done.stderr


def test_explain_takes_the_rule_from_a_configuration(prometheus, rule_file, tmp_path):
    config = tmp_path / "weir.yml"
    config.write_text(json.dumps({"kafka": [{"name": "k", "brokers": "127.0.0.1:1"}], "rules": {"files": [str(rule_file)]}}))
    done = weir("explain", "Never", "--config", config, "--url", prometheus.url)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1] == "up > 5 or up < 0  → nothing"
