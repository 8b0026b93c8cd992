"""The reference scenario: one Weir watches the whole shop while one thing after another breaks and heals."""

import sqlite3
from contextlib import closing

import pytest

from integration import shop
from support import http, kafka_clients
from support.wait import always, until
from support.weir import Weir

LAG = "KafkaConsumerLagHigh"
DEAD_LETTERS = "KafkaDeadLetterMessages"
CHECK_FAILED = "TableCheckFailed"


class Scenario:
    """Weir with its configuration, its receiver, and the shop's warehouse."""

    def __init__(self, servers, rules, folder):
        self.kafka, self.registry, postgres = servers
        for topic, partitions in {"orders": 3, "user.clicks": 1, "user.clicks.dlt": 1}.items():
            kafka_clients.create_topic(self.kafka, topic, partitions)
        self.registry.set_compatibility(shop.SUBJECT, "BACKWARD") if shop.SUBJECT in self.subjects() else None
        assert self.registry.register(shop.SUBJECT, shop.order_schema()).status == 200
        self.registry.set_compatibility(shop.SUBJECT, "BACKWARD")
        self.warehouse = shop.Warehouse(postgres, "shop", folder)
        self.warehouse.load(100)
        self.candidate = folder / "order_placed.avsc"
        shop.write_schema(self.candidate, shop.order_schema())
        self.receiver = http.WebhookReceiver()
        self.weir = Weir({
            "kafka": [shop.kafka_section(self.kafka)],
            "schema_registries": [shop.registry_section(
                self.registry.url, candidates=[{"subject": shop.SUBJECT, "file": str(self.candidate)}])],
            "sources": [self.warehouse.source()],
            "checks": [self.warehouse.checks()],
            "rules": rules,
            **shop.notify_section(self.receiver),
        })

    def subjects(self):
        return http.request(f"{self.registry.url}/subjects").json()

    def told(self, alert, status, **labels):
        """The webhook's alerts of this name, status and labels."""
        return [found for found in self.receiver.alerts(alert, status) if labels.items() <= found["labels"].items()]

    def incidents_about(self, **labels):
        return [incident for incident in self.weir.incidents() if labels.items() <= incident["labels"].items()]


@pytest.fixture(scope="module")
def scenario(servers, rules, tmp_path_factory):
    scenario = Scenario(servers, rules, tmp_path_factory.mktemp("shop"))
    with scenario.receiver, scenario.weir:
        yield scenario


def test_everything_is_watched_and_green(scenario):
    until("every collector has succeeded",
          lambda: all(collector["success"] for collector in scenario.weir.overview()["collectors"]))
    names = {collector["name"] for collector in scenario.weir.overview()["collectors"]}
    assert names == {"kafka/shop", "schema_registry/shop", "checks/warehouse"}
    for name in names:
        assert scenario.weir.sample("weir_collector_success", collector=name) == 1
    health = http.request(f"{scenario.weir.url}/-/healthy")
    assert health.status == 200
    page = http.request(f"{scenario.weir.url}/")
    assert page.status == 200 and page.headers["Content-Type"].startswith("text/html")
    metrics = http.request(f"{scenario.weir.url}/metrics")
    assert metrics.headers["Content-Type"].startswith("text/plain; version=0.0.4")


def test_a_stopped_consumer_group_fires_notifies_and_resolves_as_one_incident(scenario):
    weir, kafka = scenario.weir, scenario.kafka
    shop.fall_behind(kafka, "billing", "orders")

    alert = until("the lag alert fires", lambda: weir.alerts(LAG, consumergroup="billing"), 60)[0]
    assert alert["severity"] == "critical"
    assert "billing" in alert["summary"] and "12000" in alert["summary"] and "orders" in alert["summary"]
    assert alert["value"] == 12_000
    group = next(group for group in weir.overview()["groups"] if group["group"] == "billing")
    assert group["lag"] == 12_000 and group["alert"] == "firing" and group["members"] == 0

    sent = until("the webhook is told", lambda: scenario.told(LAG, "firing", consumergroup="billing"))[0]
    assert sent["labels"]["severity"] == "critical"
    assert sent["annotations"]["summary"] == alert["summary"]
    payload = next(payload for payload in scenario.receiver.payloads("firing") if sent in payload["alerts"])
    assert payload["version"] == "4" and payload["receiver"] == "team"

    with shop.catch_up(kafka, "billing", "orders"):
        until("the lag alert is gone", lambda: not weir.alerts(LAG, consumergroup="billing"))
        resolved = until("the webhook is told that it resolved",
                         lambda: scenario.told(LAG, "resolved", consumergroup="billing"))[0]
    assert resolved["fingerprint"] == sent["fingerprint"]
    assert resolved["startsAt"] == sent["startsAt"] and resolved["endsAt"] > resolved["startsAt"]

    incident = until("the incident is closed", lambda: [
        incident for incident in scenario.incidents_about(consumergroup="billing") if not incident["open"]])
    assert len(scenario.incidents_about(consumergroup="billing")) == 1
    assert incident[0]["severity"] == "critical" and LAG in incident[0]["alerts"]
    assert incident[0]["resolved_at"] > incident[0]["opened_at"]
    assert {"opened", "resolved"} <= {entry["kind"] for entry in incident[0]["timeline"]}
    assert incident[0]["cause"]


def test_the_history_survives_kill_9(scenario):
    if not scenario.incidents_about(consumergroup="shipping"):
        kafka_clients.create_topic(scenario.kafka, "parcels", 1)
        shop.fall_behind(scenario.kafka, "shipping", "parcels")
    firing = until("the lag alert fires", lambda: scenario.weir.alerts(LAG, consumergroup="shipping"), 60)[0]
    until("the webhook is told", lambda: scenario.told(LAG, "firing", consumergroup="shipping"))
    before = scenario.weir.incidents()

    scenario.weir.kill()
    with closing(sqlite3.connect(scenario.weir.folder / "weir.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    scenario.weir.start()

    known = {incident["id"]: incident for incident in scenario.weir.incidents()}
    for incident in before:
        assert known[incident["id"]]["opened_at"] == incident["opened_at"]
        if not incident["open"]:
            assert known[incident["id"]]["resolved_at"] == incident["resolved_at"]
    again = until("the alert still fires", lambda: scenario.weir.alerts(LAG, consumergroup="shipping"))[0]
    assert again["active_since"] == firing["active_since"] and again["fingerprint"] == firing["fingerprint"]
    assert scenario.told(LAG, "resolved", consumergroup="shipping") == []

    with shop.catch_up(scenario.kafka, "shipping", "parcels"):
        until("the webhook is told that it resolved",
              lambda: scenario.told(LAG, "resolved", consumergroup="shipping"), 60)
    assert len(scenario.incidents_about(consumergroup="shipping")) == 1
    # At least once: the kill may have come between delivery and its record, so a message may come twice, but never a
    # second alert.
    assert len({alert["startsAt"] for alert in scenario.told(LAG, "firing", consumergroup="shipping")}) == 1


def test_one_dead_letter_is_alerted_with_its_topic(scenario):
    kafka_clients.produce(scenario.kafka, "user.clicks.dlt", 1, b"not json")
    alert = until("the dead-letter alert fires",
                  lambda: scenario.weir.alerts(DEAD_LETTERS, topic="user.clicks.dlt"))[0]
    assert "user.clicks.dlt" in alert["summary"] and alert["value"] == 1
    until("the webhook is told", lambda: scenario.told(DEAD_LETTERS, "firing", topic="user.clicks.dlt"))
    letters = next(found for found in scenario.weir.overview()["dead_letters"] if found["topic"] == "user.clicks.dlt")
    assert letters["messages"] == 1 and letters["alert"] == "firing" and 0 <= letters["newest_age_seconds"] < 60


def test_an_incompatible_schema_is_refused_counted_and_alerted(scenario):
    weir = scenario.weir
    def incompatible():
        return weir.sample("schema_registry_compatibility_checks_total", subject=shop.SUBJECT, result="incompatible")
    until("the subject is watched", lambda: weir.sample(
        "schema_registry_subject_compatibility_level", subject=shop.SUBJECT, level="BACKWARD") == 1)
    until("the candidate is compatible", lambda: weir.sample(
        "schema_registry_candidate_compatible", subject=shop.SUBJECT) == 1)
    before = incompatible()

    without_default = shop.order_schema(shop.NEW_FIELD)
    assert scenario.registry.register(shop.SUBJECT, without_default).status == 409
    shop.write_schema(scenario.candidate, without_default)

    alert = until("the schema alert fires", lambda: weir.alerts("SchemaCandidateIncompatible", subject=shop.SUBJECT))[0]
    assert shop.SUBJECT in alert["summary"]
    assert incompatible() == before + 1
    until("the webhook is told", lambda: scenario.told("SchemaCandidateIncompatible", "firing", subject=shop.SUBJECT))

    with_default = shop.order_schema({**shop.NEW_FIELD, "default": "web"})
    shop.write_schema(scenario.candidate, with_default)
    until("resolved", lambda: scenario.told("SchemaCandidateIncompatible", "resolved", subject=shop.SUBJECT))
    assert scenario.registry.register(shop.SUBJECT, with_default).status == 200
    until("the new version is compatible with the first", lambda: weir.sample(
        "schema_registry_subject_compatible", subject=shop.SUBJECT) == 1)
    assert weir.sample("schema_registry_subject_latest_version", subject=shop.SUBJECT) == 2


def test_a_table_that_is_no_longer_loaded_fires_the_freshness_alert(scenario):
    weir, labels = scenario.weir, {"dataset": "fct_daily_revenue", "check": "revenue is fresh"}
    with shop.Loader(scenario.warehouse):
        until("revenue is fresh", lambda: weir.sample("weir_check_status", **labels) == 0)
        until("no alert", lambda: not weir.alerts(CHECK_FAILED, **labels))
    stopped = until("the freshness alert fires", lambda: weir.alerts(CHECK_FAILED, **labels))[0]
    assert "fct_daily_revenue" in stopped["summary"] and "revenue is fresh" in stopped["summary"]
    until("the webhook is told", lambda: scenario.told(CHECK_FAILED, "firing", **labels))
    with shop.Loader(scenario.warehouse):
        until("resolved", lambda: scenario.told(CHECK_FAILED, "resolved", **labels))


def test_half_a_load_fires_the_volume_alert(scenario):
    weir, labels = scenario.weir, {"dataset": "fct_daily_revenue", "check": "the load is complete"}
    with shop.Loader(scenario.warehouse) as loader:
        until("there are loads to compare with", lambda: weir.sample("weir_check_value", **labels) is not None)
        assert weir.sample("weir_check_status", **labels) == 0
        loader.rows = 50
        until("the volume alert fires", lambda: weir.alerts(CHECK_FAILED, **labels))
        assert weir.sample("weir_check_value", **labels) == pytest.approx(-50)
        assert weir.sample("weir_dataset_row_count", dataset="fct_daily_revenue") == 50
        always("half loads are no yardstick", lambda: weir.alerts(CHECK_FAILED, **labels), 3)
        loader.rows = 100
        until("resolved", lambda: scenario.told(CHECK_FAILED, "resolved", **labels))
    # A partial load is the table's incident too, whichever of its checks found it.
    assert scenario.incidents_about(dataset="fct_daily_revenue")
