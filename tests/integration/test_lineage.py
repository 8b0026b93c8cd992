"""Lineage: the real client of OpenLineage sends to Weir, Weir sends its outcomes to another Weir and to the client's own
classes, dbt's real artifacts are fetched over HTTP, and all of it is one graph."""

import json
import sqlite3
import subprocess
from datetime import datetime, timezone
from urllib.parse import urlencode

import pytest

from support import artifacts, http
from support.dbt import dbt_project, run_dbt
from support.http import Answer, HttpServer
from support.wait import until

SEND = """
import sys
from openlineage.client import OpenLineageClient, facet_v2 as facets
from openlineage.client.event_v2 import Dataset, DatasetEvent, InputDataset, Job, JobEvent, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import (column_lineage_dataset as columns, data_quality_assertions_dataset as assertions,
                                         data_quality_metrics_input_dataset as metrics, error_message_run as errors,
                                         output_statistics_output_dataset as statistics)
from openlineage.client.transport.http import ApiKeyTokenProvider, HttpConfig, HttpTransport
from openlineage.client.uuid import generate_new_uuid
from datetime import datetime, timezone

url, token = sys.argv[1:3]
client = OpenLineageClient(transport=HttpTransport(HttpConfig(url=url, auth=ApiKeyTokenProvider({"apiKey": token}))))
now = lambda: datetime.now(timezone.utc).isoformat()

def send(job, state, run, **more):
    client.emit(RunEvent(eventType=state, eventTime=now(), run=run, job=Job("airflow", job), producer="https://example.com/test", **more))

orders = lambda **facets: InputDataset("kafka://broker:9092", "orders", **facets)
load = Run(str(generate_new_uuid()))
send("load", RunState.START, load)
send("load", RunState.COMPLETE, load,
     inputs=[orders(inputFacets={
         "dataQualityMetrics": metrics.DataQualityMetricsInputDatasetFacet(
             rowCount=42, columnMetrics={"id": metrics.ColumnMetrics(nullCount=2, min=1.0, max=9.0)}),
         "dataQualityAssertions": assertions.DataQualityAssertionsDatasetFacet(assertions=[
             assertions.Assertion("not_null", False, "id"), assertions.Assertion("unique", True, "id")])})],
     outputs=[OutputDataset("postgres://db:5432", "shop.public.fct_orders",
         facets={"columnLineage": columns.ColumnLineageDatasetFacet(fields={"order_id": columns.Fields(
             inputFields=[columns.InputField("kafka://broker:9092", "orders", "id")])})},
         outputFacets={"outputStatistics": statistics.OutputStatisticsOutputDatasetFacet(rowCount=40, size=1000)})])
export = Run(str(generate_new_uuid()), facets={"errorMessage": errors.ErrorMessageRunFacet("disk full, ask bob@example.com", "python")})
send("export", RunState.START, Run(export.runId))
send("export", RunState.FAIL, export)
send("endless", RunState.START, Run(str(generate_new_uuid())))
client.emit(JobEvent(eventTime=now(), producer="https://example.com/test", job=Job("airflow", "planned"),
                     inputs=[InputDataset("postgres://db:5432", "shop.public.fct_orders")],
                     outputs=[OutputDataset("s3://lake", "report")]))
client.close()
"""

# Makes the client's own objects of an event: these check ids, times and addresses.
READ = """
import json, sys
from openlineage.client.event_v2 import InputDataset, Job, Run, RunEvent, RunState
from openlineage.client.facet_v2 import data_quality_assertions_dataset as assertions
from openlineage.client.serde import Serde
for line in sys.stdin:
    event = json.loads(line)
    assert set(event) == {"eventType", "eventTime", "producer", "schemaURL", "run", "job", "inputs", "outputs"}, event
    inputs = []
    for each in event["inputs"]:
        facet = each["inputFacets"]["dataQualityAssertions"]
        made = assertions.DataQualityAssertionsDatasetFacet(
            assertions=[assertions.Assertion(**one) for one in facet["assertions"]], producer=facet["_producer"])
        assert facet["_schemaURL"] == made._schemaURL, (facet["_schemaURL"], made._schemaURL)
        inputs.append(InputDataset(each["namespace"], each["name"], inputFacets={"dataQualityAssertions": made}))
    made = RunEvent(eventType=RunState[event["eventType"]], eventTime=event["eventTime"], producer=event["producer"],
                    run=Run(event["run"]["runId"]), job=Job(event["job"]["namespace"], event["job"]["name"]), inputs=inputs)
    assert event["schemaURL"] == made.schemaURL, (event["schemaURL"], made.schemaURL)
    Serde.to_json(made)
    print("ok")
"""


@pytest.fixture(scope="module")
def client():
    python = artifacts.tool_environment("openlineage") / "bin/python"

    def run(program, *arguments, text=None):
        done = subprocess.run([python, "-c", program, *arguments], input=text, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout
    return run


def graph(weir):
    page = weir.get("/api/lineage").json()
    names = {node["id"]: node["text"] for node in page["nodes"]}
    return page, {(names[edge["from"]], names[edge["to"]]): edge for edge in page["edges"]}


def node(weir, kind, place, name):
    return weir.get("/api/lineage/node?" + urlencode({"kind": kind, "place": place, "name": name})).json()


def shop(folder, rows):
    database = folder / "shop.db"
    with sqlite3.connect(database) as db:
        db.execute("CREATE TABLE IF NOT EXISTS orders (id INTEGER)")
        db.executemany("INSERT INTO orders VALUES (?)", [(i,) for i in range(rows)])
    checks = folder / "checks.yml"
    checks.write_text("checks for orders:\n  - row_count > 2\n  - missing_count(id) = 0\n")
    return {"sources": [{"name": "local", "type": "sqlite", "path": str(database)}],
            "checks": [{"source": "local", "files": [str(checks)], "interval": "1s"}]}


def test_the_real_client_of_openlineage_is_heard(client, start_weir, tmp_path):
    (tmp_path / "token").write_text("s3cret\n")
    rules = tmp_path / "rules.yml"
    rules.write_text("groups: [{name: g, rules: [{alert: JobRunFailed, expr: weir_openlineage_job_failed == 1, labels: {severity: critical}}]}]")
    weir = start_weir({
        "openlineage": {"receive": True, "token_file": str(tmp_path / "token"), "stuck_after": "1s",
                        "namespaces": {"kafka://broker:9092": "prod", "postgres://db:5432": "warehouse"}},
        "pipelines": [{"name": "orders", "owner": "shop-team", "criticality": "critical",
                       "flow": ["topic:prod/orders", "table:warehouse/fct_orders", "dashboard:revenue"]},
                      {"name": "export", "owner": "ops", "flow": ["job:airflow/export", "table:warehouse/fct_orders"]}],
        "catalogs": [{"type": "datahub", "url": "https://datahub", "platforms": {"warehouse": "postgres"}}],
        "rules": {"files": [str(rules)], "interval": "1s"}})
    assert http.request(weir.url + "/api/v1/lineage", {}, headers={"Content-Type": "application/json"}).status == 401
    client(SEND, weir.url, "s3cret")
    load = {"job_namespace": "airflow", "job_name": "load"}
    until("the run is known", lambda: weir.sample("weir_openlineage_job_runs_total", state="COMPLETE", **load) == 1)
    assert weir.sample("weir_openlineage_job_failed", **load) == 0
    assert 0 <= weir.sample("weir_openlineage_job_last_duration_seconds", **load) < 60
    assert weir.sample("weir_openlineage_job_failed", job_namespace="airflow", job_name="export") == 1
    topic = {"cluster": "prod", "topic": "orders"}
    assert weir.sample("weir_openlineage_dataset_rows", **topic) == 42
    assert weir.sample("weir_openlineage_column_nulls", column="id", **topic) == 2
    assert weir.sample("weir_check_status", check="not_null(id)", **topic) == 2
    assert weir.sample("weir_check_status", check="unique(id)", **topic) == 0
    assert weir.sample("weir_openlineage_dataset_written_rows", source="warehouse", dataset="shop.public.fct_orders") == 40
    until("the endless run is stuck",
          lambda: weir.sample("weir_openlineage_job_stuck_runs", job_namespace="airflow", job_name="endless") == 1)

    until("the graph has them", lambda: ("topic:prod/orders", "job:airflow/load") in graph(weir)[1])
    page, edges = graph(weir)
    table = next(each["text"] for each in page["nodes"] if each["text"].endswith("fct_orders"))
    assert edges["job:airflow/load", table]["seen_by"] == ["openlineage"]
    assert edges["topic:prod/orders", table]["columns"] == [["id", "order_id"]]
    assert edges["topic:prod/orders", table]["seen_by"] == ["declared", "openlineage"]
    assert (table, "job:airflow/planned") in edges and ("job:airflow/planned", "dataset:s3://lake/report") in edges
    details = node(weir, "table", "warehouse", "fct_orders")
    assert {each["text"] for each in details["upstream"]} >= {"topic:prod/orders", "job:airflow/load", "job:airflow/export"}
    assert details["nearest_unwell_upstream"]["depth"] == 1
    assert details["links"][0]["url"].startswith("https://datahub/dataset/urn%3Ali%3Adataset")

    incident = until("the failed run's incident", lambda: next(iter(weir.incidents()), None))
    assert incident["lineage"]["node"]["text"] == "job:airflow/export"
    assert [each["owner"] for each in incident["lineage"]["pipelines"]] == ["shop-team", "ops"]
    assert "dashboard:revenue" in [each["text"] for each in incident["lineage"]["downstream"]]
    texts = " ".join(entry["text"] for entry in incident["timeline"])
    assert "disk full, ask <email>" in texts and "bob@" not in texts

    weir.stop()
    weir.start()
    until("it is known again", lambda: weir.sample("weir_openlineage_job_failed", job_namespace="airflow", job_name="export") == 1)
    assert weir.incidents()[0]["open"] and weir.incidents()[0]["id"] == incident["id"]
    until("the graph too", lambda: ("topic:prod/orders", "job:airflow/load") in graph(weir)[1])


@pytest.mark.parametrize("body, status, word", [
    (b"", 400, "no JSON"), (b"<html>", 400, "no JSON"), (b'{"eventType": "START"', 400, "cut off"), (b"[]", 400, "JSON object"),
    (b'{"eventTime": "x", "producer": "p", "job": {"namespace": "a", "name": "b"}}', 400, "no time"),
    (b"[" * 100_000, 413, "nested deeper"), (b'{"a": "' + b"x" * 900_000 + b'"}', 400, "an event has")],
    ids=["empty", "html", "torn", "list", "time", "deep", "large"])
def test_what_is_no_event_is_refused_with_the_reason(start_weir, body, status, word):
    weir = start_weir({"openlineage": {"receive": True}})
    answer = http.request(weir.url + "/api/v1/lineage", body, "POST", {"Content-Type": "application/json"})
    assert answer.status == status and word in answer.text
    assert http.request(weir.url + "/-/healthy").status == 200


def test_outcomes_are_sent_to_another_weir(start_weir, tmp_path):
    receiver = start_weir({"openlineage": {"receive": True, "token": "t"}})
    sender = start_weir({**shop(tmp_path, rows=1), "openlineage": {"emit": {
        "url": receiver.url + "/api/v1/lineage", "bearer_token": "t", "namespace": "weir"}}})
    labels = {"source": "local", "dataset": "orders"}
    until("the outcome is there", lambda: receiver.sample("weir_check_status", check="row_count > 2", **labels) == 2)
    assert receiver.sample("weir_check_status", check="missing_count(id) = 0", **labels) == 0
    until("the graph has it", lambda: ("table:local/orders", "job:weir/checks/local.orders") in graph(receiver)[1])
    shop(tmp_path, rows=5)
    until("it recovered there too", lambda: receiver.sample("weir_check_status", check="row_count > 2", **labels) == 0)
    until("they are counted", lambda: (sender.sample("weir_openlineage_emitted_total", outcome="delivered") or 0) >= 2)
    assert sender.sample("weir_openlineage_emitted_total", outcome="refused") == 0


class Marquez(HttpServer):
    """Takes events, after it has been away for a while."""

    def __init__(self):
        self.events = []
        self.away = True
        super().__init__()

    def handle(self, method, path, headers, body):
        if self.away:
            return Answer(503)
        assert (method, path, headers["Content-Type"]) == ("POST", "/api/v1/lineage", "application/json")
        self.events.append(json.loads(body))
        return Answer(201)


def test_events_that_are_sent_are_ones_of_the_specification_and_wait_for_the_other_side(client, start_weir, tmp_path):
    rules = tmp_path / "rules.yml"
    rules.write_text("groups: [{name: g, rules: [{alert: TableCheckFailed, expr: weir_check_status == 2, labels: {severity: critical}}]}]")
    with Marquez() as marquez:
        weir = start_weir({**shop(tmp_path, rows=1), "rules": {"files": [str(rules)], "interval": "1s"}, "openlineage": {
            "namespaces": {"sqlite://shop": "local"}, "emit": {"url": marquez.url + "/api/v1/lineage"}}})
        until("they wait", lambda: (weir.sample("weir_openlineage_emit_waiting") or 0) >= 2)
        marquez.away = False
        until("they arrived", lambda: len(marquez.events) >= 2, timeout=90)
        checks, incident = marquez.events[:2]
        assert checks["inputs"][0]["namespace"] == "sqlite://shop" and checks["inputs"][0]["name"] == "orders"
        found = {each["assertion"]: each for each in checks["inputs"][0]["inputFacets"]["dataQualityAssertions"]["assertions"]}
        assert found["row_count > 2"] == {"assertion": "row_count > 2", "success": False, "severity": "error"}
        assert found["missing_count(id) = 0"]["success"] is True
        assert incident["job"]["name"] == "incidents.table.orders"
        assert incident["inputs"][0]["inputFacets"]["dataQualityAssertions"]["assertions"][0]["success"] is False
        shop(tmp_path, rows=5)
        until("the incident's end is told", lambda: any(
            event["job"]["name"] == "incidents.table.orders"
            and event["inputs"][0]["inputFacets"]["dataQualityAssertions"]["assertions"][0]["success"] for event in marquez.events))
        told = client(READ, text="".join(json.dumps(event) + "\n" for event in marquez.events))
        assert told.split() == ["ok"] * len(marquez.events)


def test_the_graph_is_checked_against_what_is_there(start_weir, tmp_path):
    weir = start_weir({**shop(tmp_path, rows=5), "pipelines": [
        {"name": "circle", "flow": ["table:local/orders", "job:x/copy", "table:local/ORDERS"]},
        {"name": "typo", "flow": ["table:local/orders", "table:local/ordres"], "edges": [
            {"from": "table:local/orders", "to": "table:local/ordres"}]}]})
    until("all were looked at", lambda: weir.sample("weir_lineage_findings", kind="unknown_node") == 1)
    assert weir.sample("weir_lineage_findings", kind="cycle") == 1
    assert weir.sample("weir_lineage_findings", kind="duplicate") == 1
    texts = {each["kind"]: each["text"] for each in graph(weir)[0]["findings"]}
    assert "table ordres in local" in texts["unknown_node"]
    assert texts["cycle"] == "job copy in x → table orders in local → job copy in x"


MODELS = {
    "models/stg_orders.sql": "SELECT at, 1 AS id FROM {{ source('raw', 'lineage_events') }}",
    "models/fct_orders.sql": "{{ config(materialized='table') }} SELECT * FROM {{ ref('stg_orders') }} JOIN {{ ref('tmp') }} USING (id)",
    "models/tmp.sql": "{{ config(materialized='ephemeral') }} SELECT 1 AS id",
    "models/schema.yml": """
models:
  - name: fct_orders
    columns: [{name: id, data_tests: [not_null]}]
sources:
  - name: raw
    schema: public
    tables: [{name: lineage_events}]
exposures:
  - {name: revenue, type: dashboard, owner: {name: finance}, depends_on: [ref('fct_orders')]}
""",
}


class Bucket(HttpServer):
    """Files behind a bearer token, with an ETag."""

    def __init__(self, folder):
        self.folder = folder
        self.unchanged = 0
        super().__init__()

    def handle(self, _method, path, headers, _body):
        if headers["Authorization"] != "Bearer files":
            return Answer(403)
        file = self.folder / path.split("?")[0].lstrip("/")
        if not file.exists():
            return Answer(404)
        body = file.read_bytes()
        tag = f'"{hash(body)}"'
        if headers["If-None-Match"] == tag:
            self.unchanged += 1
            return Answer(304)
        return Answer(200, body, {"ETag": tag})


def test_dbt_is_heard_by_its_artifacts_and_by_openlineage(start_weir, postgres, tmp_path):
    postgres.execute("CREATE TABLE IF NOT EXISTS lineage_events AS SELECT now() AS at")
    checks = tmp_path / "checks.yml"
    checks.write_text("checks for dbt_lineage.fct_orders:\n  - row_count > 0\n")
    project = dbt_project(tmp_path, MODELS, postgres, schema="dbt_lineage")
    (tmp_path / "target").mkdir()
    with Bucket(tmp_path / "target") as bucket:
        weir = start_weir({
            "sources": [{"name": "warehouse", "type": "postgres", "url": postgres.address_of("postgres"), "password": postgres.password}],
            "checks": [{"source": "warehouse", "files": [str(checks)], "interval": "1s"}],
            "check_results": [{"name": "dbt", "format": "dbt", "files": [bucket.url + "/run_results.json?signature=abc"],
                               "manifest": bucket.url + "/manifest.json", "warehouse": "warehouse", "bearer_token": "files",
                               "interval": "1s"}],
            "openlineage": {"receive": True, "token": "t", "namespaces": {f"postgres://127.0.0.1:{postgres.port}": "warehouse"}}})
        run_dbt(project, "build")
        run_dbt(project, "send-events", program="dbt-ol", OPENLINEAGE_URL=weir.url, OPENLINEAGE_API_KEY="t",
                OPENLINEAGE_NAMESPACE="dbt")
        test = {"source": "warehouse", "dataset": "dbt_lineage.fct_orders", "check": "not_null_fct_orders_id"}
        until("dbt's test is a check of the table", lambda: weir.sample("weir_check_status", **test) == 0)
        assert weir.sample("weir_check_status", source="warehouse", dataset="dbt_lineage.fct_orders", check="row_count > 0") == 0
        assert weir.sample("weir_dbt_node_execution_seconds", node="model.shop.fct_orders", dataset="dbt_lineage.fct_orders") > 0
        assert weir.sample("weir_dbt_run_seconds", source="dbt") > 0
        until("files that have not changed are not sent again", lambda: bucket.unchanged > 1)
    until("dbt-ol told of its runs", lambda: "weir_openlineage_job_runs_total" in weir.metrics())
    until("the graph has both", lambda: {"dbt", "openlineage"} <= {by for edge in graph(weir)[1].values() for by in edge["seen_by"]})
    _, edges = graph(weir)
    fact, staged, raw = (f"table:warehouse/{name}" for name in ("dbt_lineage.fct_orders", "dbt_lineage.stg_orders", "public.lineage_events"))
    assert {(raw, staged), (staged, fact), ("model:dbt/tmp", fact), (fact, "exposure:dbt/revenue")} <= set(edges)
    assert any(start.startswith("job:") and end == fact and edge["seen_by"] == ["openlineage"] for (start, end), edge in edges.items())
    assert not any(end.startswith("table:warehouse/postgres.") for _, end in edges), "the names of one table are one"
