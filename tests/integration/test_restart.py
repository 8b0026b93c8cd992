"""What a restart must not change, and what a change of the configuration must end."""

import json
import re
import sqlite3
import subprocess

import pytest

from integration import shop
from support import kafka_clients
from support.wait import always, until
from support.weir import Weir, binary

ERROR, FAILED, DEAD = "TableCheckError", "TableCheckFailed", "KafkaDeadLetterMessages"
CHECKS = """
checks for fct_daily_revenue:
  - freshness(loaded_at) < 1h
  - row_count > 0
checks for fct_orders:
  - max(amount) < 1000
"""
FRESH = {"dataset": "fct_daily_revenue", "check": "freshness(loaded_at) < 1h"}
LARGEST = {"dataset": "fct_orders", "check": "max(amount) < 1000"}
_NOBODY = [{"name": "nobody", "brokers": "127.0.0.1:1"}]
FULL = {"dataset": "fct_daily_revenue", "check": "row_count > 0"}


@pytest.fixture
def warehouse(postgres, tmp_path, request):
    name = re.sub(r"\W", "_", request.node.name.removeprefix("test_"))[:60]
    warehouse = shop.Warehouse(postgres, name, tmp_path)
    warehouse.checks_file.write_text(CHECKS)
    warehouse.load(100)
    return warehouse


@pytest.fixture
def weir(warehouse, rules, webhook, request):
    weir = Weir({"sources": [warehouse.source()], "checks": [warehouse.checks()], "rules": rules,
                 **shop.notify_section(webhook)})
    yield weir
    weir.kill()
    if any(report.failed for report in getattr(request.node, "reports", [])):
        request.node.add_report_section("teardown", "log of weir", weir.log_tail(60))


def events(weir):
    return [entry["text"] for incident in weir.incidents() for entry in incident["timeline"] if entry["kind"] == "event"]


def ended(weir, alert):
    return [entry["text"] for incident in weir.incidents() for entry in incident["timeline"]
            if entry["kind"] == "recovered" and entry["text"].startswith(alert)]


def test_an_empty_table_means_the_same_before_and_after_a_restart(weir, warehouse, webhook):
    with weir:
        until("all is well", lambda: weir.sample("weir_check_status", **FRESH) == 0)
        warehouse.execute("DELETE FROM fct_daily_revenue; DELETE FROM fct_orders")
        until("the checks' own alert", lambda: weir.alerts(ERROR, **LARGEST))
        for labels in (FRESH, FULL):
            until("the empty table's", lambda: weir.alerts(FAILED, **labels))
        until("its story", lambda: len(events(weir)) == 3)
        told = events(weir)
        assert weir.collector("checks/warehouse")["success"], "it has looked"
        assert weir.log().count("has no value") == 2, weir.log_tail()
    with weir:
        until("a cycle", lambda: weir.sample("weir_check_status", **FRESH) == 2)
        always("nothing has changed", lambda: weir.alerts(FAILED, **FRESH) and weir.alerts(ERROR, **LARGEST)
               and weir.alerts(FAILED, **FULL) and weir.collector("checks/warehouse")["success"], 4)
        assert webhook.alerts(ERROR, "resolved") == webhook.alerts(FAILED, "resolved") == []
        assert not weir.alerts("WeirCollectorFailing")
        assert events(weir) == told, "the same story is not told twice"
        warehouse.load(100)
        until("resolved", lambda: len(webhook.alerts(FAILED, "resolved")) == 2)
        until("it says what recovered", lambda: len(ended(weir, FAILED)) == 2)
        assert sorted(ended(weir, FAILED)) == [
            f'TableCheckFailed of check "{labels["check"]}", table fct_daily_revenue in warehouse recovered'
            for labels in (FRESH, FULL)]
        assert weir.alerts(ERROR, **LARGEST), "the other table is still empty"
        assert weir.log().count("alert resolved") == len(webhook.alerts(ERROR, "resolved")) + \
            len(webhook.alerts(FAILED, "resolved"))


def test_a_permission_that_was_revoked_is_the_cause(weir, warehouse, webhook):
    with weir:
        until("all is well", lambda: weir.sample("weir_check_status", **FRESH) == 0)
        warehouse.execute(f"REVOKE pg_read_all_data FROM {warehouse.reader}")
        try:
            until("the receiver is told", lambda: webhook.alerts("WeirCollectorFailing", "firing"))
            causes = [payload["cause"] for payload in webhook.payloads("firing")]
            assert all("permission denied for table" in cause for cause in causes), causes
            until("the checks' alerts fire", lambda: weir.alerts(ERROR))
            assert not webhook.alerts(ERROR, "firing"), "what follows from it is not told by itself"
            assert not weir.collector("checks/warehouse")["success"], "it could not look"
        finally:
            warehouse.execute(f"GRANT pg_read_all_data TO {warehouse.reader}")
        until("the receiver is told that it was", lambda: webhook.payloads("resolved"))
        assert all(payload["cause"].startswith("was: ") for payload in webhook.payloads("resolved"))


def test_what_was_taken_out_of_the_configuration_is_over(weir, warehouse, rules, webhook, kafka):
    kafka_clients.create_topic(kafka, "removed.dlt", 1)
    section = shop.kafka_section(kafka, topics={"allow": ["^removed"]}, groups={"allow": ["^none$"]})
    common = {"sources": [warehouse.source()], "checks": [warehouse.checks()], "rules": rules,
              **shop.notify_section(webhook)}
    weir.configure({**common, "kafka": [section]})
    with weir:
        kafka_clients.produce(kafka, "removed.dlt", 1)
        warehouse.execute("DELETE FROM fct_daily_revenue")
        until("all fire", lambda: weir.alerts(FAILED, **FULL) and weir.alerts(DEAD) and weir.alerts(FAILED, **FRESH))
        until("the receiver is told", lambda: len(webhook.alerts(FAILED, "firing")) > 1 and webhook.alerts(DEAD, "firing"))
    warehouse.checks_file.write_text(CHECKS.replace("  - row_count > 0\n", ""))
    weir.configure(common)
    with weir:
        until("both are over", lambda: not weir.alerts(FAILED, **FULL) and not weir.alerts(DEAD))
        assert ended(weir, FAILED) == ['TableCheckFailed of check "row_count > 0", table fct_daily_revenue in warehouse '
                                       'ended: deleted']
        assert ended(weir, DEAD) == ["KafkaDeadLetterMessages of topic removed.dlt in shop ended: deleted"]
        until("the receiver is told", lambda: webhook.alerts(FAILED, "resolved") and webhook.alerts(DEAD, "resolved"))
        assert weir.alerts(FAILED, **FRESH), "what is still configured and wrong goes on"


def test_without_its_series_what_is_gone_is_no_longer_observed(weir, warehouse, webhook):
    with weir:
        warehouse.execute("DELETE FROM fct_daily_revenue")
        until("it fires", lambda: weir.alerts(FAILED, **FULL) and weir.alerts(FAILED, **FRESH))
    (weir.folder / "weir.db.series").unlink()
    warehouse.checks_file.write_text(CHECKS.replace("  - row_count > 0\n", ""))
    warehouse.lock_out()
    with weir:
        always("nothing is known", lambda: weir.alerts(FAILED, **FULL) and weir.alerts(FAILED, **FRESH), 4)
        warehouse.let_in()
        until("it is over", lambda: not weir.alerts(FAILED, **FULL))
        assert ended(weir, FAILED) == ['TableCheckFailed of check "row_count > 0", table fct_daily_revenue in warehouse '
                                       'ended: no longer observed']
        assert weir.alerts(FAILED, **FRESH)


def test_a_topic_that_was_deleted_ends_its_groups_alert_as_deleted(start_weir, rules, webhook, kafka, tmp_path):
    folder = tmp_path / "rules"
    folder.mkdir()
    for path in (shop.ROOT / "rules").glob("kafka.yml"):
        (folder / path.name).write_text(re.sub(r"for: \d+m", "for: 1s", path.read_text()))
    kafka_clients.create_topic(kafka, "short-lived", 2)
    kafka_clients.produce(kafka, "short-lived", 10, partition=0)
    kafka_clients.produce(kafka, "short-lived", 4, partition=1)
    kafka_clients.join_and_leave(kafka, "deserted", "short-lived", [2])
    weir = start_weir({"kafka": [shop.kafka_section(kafka, groups={"allow": ["^deserted$"]},
                                                    topics={"allow": ["^short-lived$"]})],
                       "rules": {"files": [str(folder / "*.yml")], "interval": "1s"}, **shop.notify_section(webhook)})
    group = {"consumergroup": "deserted"}
    until("the group is down", lambda: weir.alerts("KafkaConsumerGroupDown", **group))
    until("a partition has no commit", lambda: weir.alerts("KafkaPartitionsUncommitted", **group, topic="short-lived"))
    assert next(row for row in weir.overview()["groups"] if row["group"] == "deserted")["uncommitted_partitions"] == 1
    kafka_clients.delete_topic(kafka, "short-lived")
    until("it is over", lambda: ended(weir, "KafkaConsumerGroupDown"), 60)
    assert ended(weir, "KafkaConsumerGroupDown") == [
        "KafkaConsumerGroupDown of consumer group deserted in shop ended: deleted"]


def test_the_log_tells_of_alerts_incidents_and_notifications(weir, warehouse, webhook):
    with weir:
        warehouse.execute("DELETE FROM fct_daily_revenue")
        until("it fires", lambda: webhook.alerts(FAILED, "firing"))
        until("it is logged", lambda: "notification sent" in weir.log())
        for line in (r' info msg="alert fires" alert=TableCheckFailed severity=critical labels=',
                     r' info msg="incident opened" incident=[0-9a-f]{16} title="Table fct_daily_revenue in warehouse',
                     r' info msg="notification sent" receiver=team/webhook/0 status=firing incident=[0-9a-f]{16}'):
            assert re.search(line, weir.log()), line
        before = weir.log().count("alert fires")
        always("once", lambda: weir.log().count("alert fires") <= before + 1, 3)


def test_a_second_weir_on_the_same_database_is_refused(weir):
    with weir:
        other = weir.folder / "other.yml"
        other.write_text(json.dumps({"listen": "127.0.0.1:0", "storage": {"path": "weir.db"}, "kafka": _NOBODY}))
        command = [binary(), "run", "--config", other]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
        assert done.returncode == 1 and "weir.db: is in use by another Weir" in done.stderr, done.stderr
        weir.kill()
    with weir:
        assert weir.get("/-/healthy").status == 200, "a kill -9 leaves no lock behind"


def test_a_database_of_something_else_is_refused(tmp_path):
    with sqlite3.connect(tmp_path / "weir.db") as database:
        database.execute("CREATE TABLE t (a)")
    before = (tmp_path / "weir.db").read_bytes()
    (tmp_path / "weir.yml").write_text(json.dumps({"listen": "127.0.0.1:0", "storage": {"path": "weir.db"}, "kafka": _NOBODY}))
    done = subprocess.run([binary(), "run", "--config", tmp_path / "weir.yml"], capture_output=True, text=True, timeout=20)
    assert done.returncode == 1 and "database of something else" in done.stderr, done.stderr
    assert (tmp_path / "weir.db").read_bytes() == before
