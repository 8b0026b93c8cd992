"""Outcomes of checks and incidents told to DataHub: each proposal is read and checked by DataHub's own classes."""

import json
import sqlite3

import pytest

from support.datahub import DataHub
from support.process import free_port
from support.wait import until

ORDERS = "urn:li:dataset:(urn:li:dataPlatform:sqlite,shop.orders,PROD)"


def shop(folder, rows):
    database = folder / "shop.db"
    with sqlite3.connect(database) as db:
        db.execute("CREATE TABLE IF NOT EXISTS orders (id INTEGER, note TEXT)")
        db.executemany("INSERT INTO orders VALUES (?, 'x')", [(i,) for i in range(rows)])
    checks = folder / "checks.yml"
    checks.write_text("checks for orders:\n  - row_count > 2:\n      attributes: {owner: finance, severity: critical}\n"
                      "  - missing_count(id) = 0\n  - max(gone) < 7\n")
    rules = folder / "rules.yml"
    rules.write_text("groups: [{name: g, rules: [{alert: TableCheckFailed, expr: weir_check_status == 2, labels: {severity: critical}}]}]")
    return {"sources": [{"name": "local", "type": "sqlite", "path": str(database)}],
            "checks": [{"source": "local", "files": [str(checks)], "interval": "1s"}],
            "rules": {"files": [str(rules)], "interval": "1s"}}


def catalogs(url, token, **emit):
    return {"catalogs": [{"type": "datahub", "url": "https://datahub.internal", "platforms": {"local": {"platform": "sqlite", "prefix": "shop"}},
                          "emit": {"url": url, "bearer_token_file": str(token), **emit}}]}


@pytest.fixture
def token(tmp_path):
    path = tmp_path / "token"
    path.write_text("gms-token\n")
    return path


def test_checks_and_incidents_become_datahubs_own(start_weir, token, tmp_path):
    port = free_port()  # nobody is there yet
    weir = start_weir({**shop(tmp_path, rows=1), **catalogs(f"http://127.0.0.1:{port}", token)})
    until("they wait", lambda: (weir.sample("weir_catalog_emit_waiting", catalog="DataHub") or 0) >= 2)
    with DataHub(port=port) as datahub:
        until("the incident arrived", lambda: datahub.taken("incidentInfo"), timeout=90)
        infos = {each["description"]: each for each in datahub.taken("assertionInfo")}
        assert set(infos) == {"row_count > 2", "missing_count(id) = 0", "max(gone) < 7"}
        rows = infos["row_count > 2"]
        assert rows["type"] == "CUSTOM" and rows["source"]["type"] == "EXTERNAL"
        assert rows["customAssertion"] == {"type": "weir", "entity": ORDERS, "logic": "row_count > 2"}
        assert rows["customProperties"]["owner"] == "finance"
        runs = datahub.taken("assertionRunEvent", rows["urn"])
        assert runs[0]["result"]["type"] == "FAILURE" and runs[0]["result"]["actualAggValue"] == 1
        assert runs[0]["asserteeUrn"] == ORDERS and runs[0]["result"]["nativeResults"] == {"outcome": "fail", "value": "1"}
        assert datahub.taken("dataPlatformInstance", rows["urn"]) == [{"platform": "urn:li:dataPlatform:weir", "urn": rows["urn"]}]
        column = infos["missing_count(id) = 0"]["urn"]
        assert datahub.taken("assertionRunEvent", column)[0]["result"]["type"] == "SUCCESS"
        broken = infos["max(gone) < 7"]["urn"]
        assert datahub.taken("assertionRunEvent", broken)[0]["result"]["type"] == "ERROR"
        incident = datahub.taken("incidentInfo")[0]
        assert incident["entities"] == [ORDERS] and incident["status"]["state"] == "ACTIVE" and incident["priority"] == 0
        assert incident["title"] == weir.incidents()[0]["title"]

        shop(tmp_path, rows=5)
        until("it recovered there", lambda: datahub.taken("assertionRunEvent", rows["urn"])[-1]["result"]["type"] == "SUCCESS")
        until("its incident is over there", lambda: datahub.taken("incidentInfo", incident["urn"])[-1]["status"]["state"] == "RESOLVED")
        assert len(datahub.taken("assertionRunEvent", column)) == 1, "what has not changed is not told again"
        assert weir.sample("weir_catalog_emitted_total", catalog="DataHub", outcome="refused") == 0
        until("all are counted", lambda: weir.sample("weir_catalog_emit_waiting", catalog="DataHub") == 0)
        before = len(datahub.taken("assertionInfo"))
        weir.stop()
        weir.start()
        until("after a restart they are told again", lambda: len(datahub.taken("assertionInfo")) == before + 3)
        assert {each["urn"] for each in datahub.taken("assertionInfo")} == {each["urn"] for each in infos.values()}, "under the same names"


def test_a_token_that_is_refused_is_said_and_nothing_is_lost(start_weir, token, tmp_path):
    with DataHub(token="another") as datahub:
        weir = start_weir({**shop(tmp_path, rows=5), **catalogs(datahub.url, token)})
        until("it is in the log", lambda: "the server answers 401: Unauthorized to perform this action." in weir.log())
        until("it waits", lambda: (weir.sample("weir_catalog_emit_waiting", catalog="DataHub") or 0) >= 1)
        assert weir.sample("weir_catalog_emitted_total", catalog="DataHub", outcome="refused") == 0
        assert datahub.taken("assertionInfo") == []


@pytest.mark.parametrize("change, word", [
    ({"aspect": {"value": json.dumps({"type": "CUSTOM", "unheard": 1}), "contentType": "application/json"}}, "unheard"),
    ({"aspect": {"value": json.dumps({"type": "NONE"}), "contentType": "application/json"}}, ""),
    ({"aspect": {"value": json.dumps({"customAssertion": {"type": "x", "entity": ORDERS}}), "contentType": "application/json"}}, ""),
    ({"aspectName": "status", "entityType": "incident", "entityUrn": "urn:li:incident:1",
      "aspect": {"value": json.dumps({"removed": False}), "contentType": "application/json"}}, "Unknown aspect status"),
    ({"entityUrn": "urn:li:dataset:(x"}, ""), ({"aspectName": "nothing"}, "")],
    ids=["field", "enum", "missing", "entity", "urn", "aspect"])
def test_the_classes_refuse_what_is_wrong(change, word):
    """Else the tests above would show nothing."""
    good = {"entityType": "assertion", "entityUrn": "urn:li:assertion:1", "changeType": "UPSERT", "aspectName": "assertionInfo",
            "aspect": {"value": json.dumps({"type": "CUSTOM", "customAssertion": {"type": "x", "entity": ORDERS}}),
                       "contentType": "application/json"}}
    with DataHub() as datahub:
        assert datahub.propose(good).status == 200
        refusal = datahub.propose({**good, **change})
        assert refusal.status in (400, 422) and word in refusal.text, refusal
