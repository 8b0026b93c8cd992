"""A real Prometheus reads what Weir serves, loads the same rules, and agrees with it."""

import json
import re

import pytest

from integration import shop
from support import kafka_clients
from support.prometheus import Prometheus
from support.wait import until
from support.weir import ROOT, Weir, validate

DASHBOARD = ROOT / "dashboards/weir-overview.json"
# Grafana's variables, as they are with everything selected.
VARIABLES = {"$__rate_interval": "1m", "$__interval": "15s", "$__range": "5m"}


class Watched:
    """A shop in which something of everything has happened, watched by Weir and Prometheus."""

    def __init__(self, servers, rules, folder):
        self.kafka, self.registry, postgres = servers
        kafka_clients.create_topic(self.kafka, "invoices", 3)
        kafka_clients.create_topic(self.kafka, "invoices.dlt", 1)
        kafka_clients.produce(self.kafka, "invoices.dlt", 2)
        shop.fall_behind(self.kafka, "accounting", "invoices")
        kafka_clients.commit(self.kafka, "archive", "invoices.dlt", [2])
        self.registry.register("Invoice-value", {"type": "record", "name": "Invoice", "fields": []})
        self.registry.set_compatibility("Invoice-value", "BACKWARD")
        self.registry.register("Invoice-value", {"type": "record", "name": "Invoice", "fields": [
            {"name": "note", "type": "string", "default": ""}]})
        candidate = shop.write_schema(folder / "invoice.avsc", {"type": "record", "name": "Invoice", "fields": [
            {"name": "number", "type": "string"}]})
        warehouse = shop.Warehouse(postgres, "watched", folder)
        warehouse.load(100)
        self.weir = Weir({
            "kafka": [shop.kafka_section(self.kafka)],
            "schema_registries": [shop.registry_section(
                self.registry.url, candidates=[{"subject": "Invoice-value", "file": candidate}])],
            "sources": [warehouse.source()], "checks": [warehouse.checks()], "rules": rules,
            # Nobody listens there: deliveries are retried.
            "receivers": [{"name": "team", "webhook_configs": [{"url": "http://127.0.0.1:1/hook"}]}],
            "route": {"receiver": "team", "group_wait": "0s", "group_interval": "1s"},
        })
        self.prometheus = Prometheus([self.weir.address], [ROOT / "rules/*.yml"])


@pytest.fixture(scope="module")
def watched(servers, rules, tmp_path_factory):
    watched = Watched(servers, rules, tmp_path_factory.mktemp("watched"))
    with watched.weir, watched.prometheus:
        until("Prometheus has scraped Weir", lambda: watched.prometheus.query("up == 1"))
        yield watched


def test_weir_loads_the_shipped_rules_unchanged(watched, tmp_path):
    config = tmp_path / "weir.yml"
    config.write_text(json.dumps({"kafka": [shop.kafka_section(watched.kafka)],
                                  "rules": {"files": [str(ROOT / "rules/*.yml")]}}))
    done = validate(config)
    assert done.returncode == 0, done.stderr


def test_prometheus_loads_the_shipped_rules_unchanged_and_evaluates_them(watched):
    groups = until("every rule was evaluated", lambda: [
        group for group in [watched.prometheus.api("rules")["groups"]]
        if group and all(rule["health"] != "unknown" for item in group for rule in item["rules"])])[0]
    rules = [rule for group in groups for rule in group["rules"]]
    assert {group["file"].rsplit("/", 1)[1] for group in groups} == {path.name for path in ROOT.glob("rules/*.yml")}
    assert [rule for rule in rules if rule["health"] != "ok"] == []


def test_every_scrape_is_accepted(watched):
    target = watched.prometheus.api("targets")["activeTargets"][0]
    assert target["health"] == "up" and target["lastError"] == ""
    scraped = watched.prometheus.query("scrape_samples_scraped")[0]["value"][1]
    assert int(scraped) == sum(len(series) for series in watched.weir.metrics().values())


def test_the_total_lag_is_the_same(watched):
    def both():
        answers = [source.query("sum(kafka_consumergroup_lag)") for source in (watched.weir, watched.prometheus)]
        return [float(answer[0]["value"][1]) for answer in answers if answer]
    weir, prometheus = until("both answer", lambda: (found := both()) and len(found) == 2 and found)
    assert weir == prometheus == kafka_clients.total_lag(watched.kafka) >= 12_000


@pytest.mark.parametrize("expression", [
    "sum by (consumergroup) (kafka_consumergroup_lag)",
    "max by (cluster, topic) (kafka_topic_partition_current_offset)",
    "avg(kafka_consumergroup_group_lag > 10000)",
    "count by (topic) (kafka_topic_partition_oldest_offset)",
    "topk(1, kafka_consumergroup_lag_sum)",
    "kafka_consumergroup_lag_sum / on (cluster, topic) group_left kafka_topic_partitions",
    "kafka_topic_partition_current_offset - kafka_topic_partition_oldest_offset",
    'label_replace(kafka_brokers, "name", "$1", "cluster", "(.*)")',
    'schema_registry_subject_compatible{subject=~"Invoice.*"} == 1',
    "absent(no_such_metric)",
    "kafka_consumergroup_members == 0 unless on (consumergroup) kafka_consumergroup_group_lag == 0",
])
def test_both_answer_queries_alike(watched, expression):
    def answer(source):
        # What Prometheus adds to a scraped series is no difference.
        return sorted((sorted((name, value) for name, value in row["metric"].items() if name not in ("job", "instance")),
                       row["value"][1]) for row in source.query(expression))
    until(f"{expression}: the same answer",
          lambda: (ours := answer(watched.weir)) and ours == answer(watched.prometheus), 15)


def test_both_fire_the_same_alert(watched):
    ours = until("Weir's alert fires", lambda: watched.weir.alerts("KafkaDeadLetterMessages", topic="invoices.dlt"))[0]
    theirs = until("Prometheus's alert fires", lambda: [
        alert for alert in watched.prometheus.api("alerts")["alerts"]
        if alert["labels"].get("topic") == "invoices.dlt" and alert["state"] == "firing"])[0]
    assert theirs["annotations"]["summary"] == ours["summary"]
    dropped = ("job", "instance")
    assert {name: value for name, value in theirs["labels"].items() if name not in dropped} == ours["labels"]


def expressions(node):
    """Every query of a dashboard, in its panels and its variables."""
    if isinstance(node, dict):
        if isinstance(node.get("expr"), str):
            yield node["expr"]
        for value in node.values():
            yield from expressions(value)
    elif isinstance(node, list):
        for value in node:
            yield from expressions(value)


def dashboard_queries():
    dashboard = json.loads(DASHBOARD.read_text())
    variables = dict(VARIABLES)
    for variable in dashboard.get("templating", {}).get("list", []):
        if variable["type"] == "query":
            text = variable["query"] if isinstance(variable["query"], str) else variable["query"]["query"]
            if match := re.match(r"label_values\((.+),\s*\w+\)$", text):
                yield match[1], variables
        for form in (f"${{{variable['name']}:regex}}", f"${{{variable['name']}}}", f"${variable['name']}"):
            variables[form] = ".*"
    for expression in expressions(dashboard):
        yield expression, variables


def substituted(expression, variables):
    for name in sorted(variables, key=len, reverse=True):
        expression = expression.replace(name, variables[name])
    assert "$" not in expression, f"a variable that is not known: {expression}"
    return expression


@pytest.mark.parametrize("source", ["prometheus", "weir"])
def test_every_query_of_the_dashboard_returns_data(watched, source):
    queries = [substituted(*query) for query in dashboard_queries()]
    assert len(queries) >= 10
    # Rates and increases need some scrapes, and the alert rules theirs.
    def empty():
        return [query for query in queries if not getattr(watched, source).query(query)]
    try:
        until("every query returns data", lambda: not empty(), 60, every=1)
    except AssertionError:
        assert not (missing := empty()), "no data for:\n" + "\n".join(missing)
