"""Suites and results that the real dbt and the real Great Expectations made."""

import json
import os
import sqlite3
import subprocess
import time

import pytest

from support import artifacts
from support.dbt import dbt_project, run_dbt
from support.wait import until
from support.weir import binary

MODELS = {
    "models/orders.sql": "SELECT * FROM (VALUES (1, 'DE'), (2, 'FR'), (2, NULL)) AS t (id, country)",
    "models/schema.yml": """
models:
  - name: orders
    columns:
      - name: id
        data_tests:
          - not_null
          - unique
      - name: country
        data_tests:
          - not_null:
              config: {severity: warn, meta: {owner: sales}}
          - accepted_values:
              values: [DE, FR]
sources:
  - name: raw
    schema: public
    tables:
      - name: dbt_events
        config:
          loaded_at_field: at
          freshness: {warn_after: {count: 1, period: hour}, error_after: {count: 2, period: hour}}
""",
}


def weir(*arguments):
    return subprocess.run([binary(), *map(str, arguments)], capture_output=True, text=True, timeout=60)


def results(done):
    return {(each["dataset"], each["check"]): each for each in json.loads(done.stdout)["results"]}


@pytest.fixture(scope="module")
def dbt(tmp_path_factory, postgres):
    """The folder target/ of a project after `dbt build` and `dbt source freshness`."""
    postgres.execute("CREATE TABLE IF NOT EXISTS dbt_events AS SELECT now() - interval '3 hours' AS at")
    project = dbt_project(tmp_path_factory.mktemp("dbt"), MODELS, postgres, schema="dbt_shop")
    for command in (["build"], ["source", "freshness"]):
        run_dbt(project, *command)
    return project / "target"


def test_dbt_tests_are_checks(dbt):
    done = weir("check", "results", dbt / "run_results.json", "--manifest", dbt / "manifest.json", "--format", "json", "--source", "dbt")
    assert done.returncode == 1, done.stdout + done.stderr
    found = results(done)
    assert found["orders", "unique_orders_id"]["outcome"] == "fail"
    assert found["orders", "unique_orders_id"]["value"] == 1 and found["orders", "unique_orders_id"]["column"] == "id"
    assert found["orders", "unique_orders_id"]["file"] == "models/schema.yml"
    assert found["orders", "not_null_orders_id"]["outcome"] == "pass"
    assert found["orders", "not_null_orders_country"]["outcome"] == "warn"
    assert found["orders", "not_null_orders_country"]["attributes"] == {"owner": "sales", "severity": "warn"}
    assert found["orders", "model is built"]["outcome"] == "pass"
    assert len(found) == 5


def test_the_freshness_of_dbts_sources(dbt):
    done = weir("check", "results", dbt / "sources.json", "--format", "json")
    assert done.returncode == 1, done.stdout + done.stderr
    found = results(done)["raw.dbt_events", "freshness"]
    assert found["outcome"] == "fail" and 3 * 3600 <= found["value"] < 4 * 3600


def test_the_daemon_watches_dbts_results(dbt, start_weir):
    daemon = start_weir({"check_results": [{"name": "dbt", "format": "dbt", "files": [str(dbt / "run_results.json")],
                                            "manifest": str(dbt / "manifest.json"), "interval": "1s"}]})
    until("the results are there", lambda: daemon.sample("weir_check_status", source="dbt", dataset="orders", check="unique_orders_id") == 2)
    assert daemon.sample("weir_check_status", source="dbt", dataset="orders", check="not_null_orders_id") == 0
    assert 0 <= daemon.sample("weir_check_results_age_seconds", source="dbt") < 3600


MAKE = """
import json, sys
import great_expectations as gx
E = gx.expectations
context = gx.get_context(mode="ephemeral")
asset = context.data_sources.add_sqlite("shop", connection_string="sqlite:///" + sys.argv[1]).add_table_asset(name="orders", table_name="orders")
batch = asset.add_batch_definition_whole_table("all")
suite = context.suites.add(gx.ExpectationSuite(name="orders_suite", expectations=[
    E.ExpectTableRowCountToBeBetween(min_value=1, max_value=10),
    E.ExpectTableRowCountToEqual(value=5),
    E.ExpectColumnValuesToNotBeNull(column="id"),
    E.ExpectColumnValuesToNotBeNull(column="email"),
    E.ExpectColumnValuesToNotBeNull(column="email", mostly=0.5),
    E.ExpectColumnValuesToBeUnique(column="id"),
    E.ExpectCompoundColumnsToBeUnique(column_list=["id", "email"]),
    E.ExpectColumnValuesToBeInSet(column="country", value_set=["DE", "FR"]),
    E.ExpectColumnValuesToNotBeInSet(column="country", value_set=["XX"]),
    E.ExpectColumnValuesToBeBetween(column="amount", min_value=0, max_value=100),
    E.ExpectColumnValuesToBeBetween(column="amount", min_value=-1, strict_min=True, severity="warning"),
    E.ExpectColumnValueLengthsToEqual(column="country", value=2),
    E.ExpectColumnMinToBeBetween(column="amount", min_value=0),
    E.ExpectColumnMaxToBeBetween(column="amount", min_value=5, max_value=9),
    E.ExpectColumnMeanToBeBetween(column="amount", max_value=1),
    E.ExpectColumnSumToBeBetween(column="amount", min_value=18, max_value=18),
    E.ExpectColumnUniqueValueCountToBeBetween(column="country", min_value=3, max_value=3),
    E.ExpectColumnPairValuesAToBeGreaterThanB(column_A="amount", column_B="id"),
    E.ExpectColumnToExist(column="email"),
    E.UnexpectedRowsExpectation(unexpected_rows_query="SELECT * FROM {batch} WHERE amount < 0"),
]))
definition = context.validation_definitions.add(gx.ValidationDefinition(name="v", data=batch, suite=suite))
result = context.checkpoints.add(gx.Checkpoint(name="c", validation_definitions=[definition])).run()
folder = sys.argv[2]
json.dump(suite.to_json_dict(), open(folder + "/suite.json", "w"))
json.dump(next(iter(result.run_results.values())).to_json_dict(), open(folder + "/validation.json", "w"))
"""


@pytest.fixture(scope="module")
def gx(tmp_path_factory):
    """A database, the suite over it and what the suite found, of Great Expectations."""
    folder = tmp_path_factory.mktemp("gx")
    with sqlite3.connect(folder / "shop.db") as database:
        database.execute("CREATE TABLE orders (id INTEGER, email TEXT, country TEXT, amount REAL)")
        database.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)",
                             [(1, "a@b.de", "DE", 5), (2, None, "FR", 7), (2, "x", "XX", -1), (4, "y", "DE", 7)])
    python = artifacts.tool_environment("gx") / "bin/python"
    environment = {**os.environ, "GX_ANALYTICS_ENABLED": "false", "HOME": str(folder)}
    done = subprocess.run([python, "-c", MAKE, folder / "shop.db", folder], env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return folder


def test_gx_results_are_checks(gx):
    done = weir("check", "results", gx / "validation.json", "--format", "json")
    assert done.returncode == 1, done.stdout + done.stderr
    found = results(done)
    assert len(found) == 20
    assert found["orders", "expect_column_values_to_not_be_null(id)"]["outcome"] == "pass"
    unique = found["orders", "expect_column_values_to_be_unique(id)"]
    assert unique["outcome"] == "fail" and unique["value"] == 2


def test_an_imported_suite_finds_what_gx_finds(gx, tmp_path):
    done = weir("check", "import", "gx", gx / "suite.json", "--table", "orders", "-o", tmp_path / "checks.yml")
    assert done.returncode == 0, done.stderr
    done = weir("check", "run", tmp_path / "checks.yml", "--sqlite", gx / "shop.db", "--format", "json")
    ours = [each["outcome"] for each in json.loads(done.stdout)["results"]]
    # Great Expectations gives its results in another order: by the suite's ids.
    theirs = {each["expectation_config"]["id"]: each for each in json.loads((gx / "validation.json").read_text())["results"]}
    wanted = []
    for expectation in json.loads((gx / "suite.json").read_text())["expectations"]:
        success = theirs[expectation["id"]]["success"]
        wanted.append("pass" if success else "warn" if expectation["severity"] == "warning" else "fail")
    assert ours == wanted, (tmp_path / "checks.yml").read_text() + done.stdout


def test_the_daemon_watches_gx_results(gx, start_weir):
    daemon = start_weir({"check_results": [{"name": "gx", "format": "gx", "files": [str(gx / "valid*.json")], "interval": "1s"}]})
    until("the results are there", lambda: daemon.sample(
        "weir_check_status", source="gx", dataset="orders", check="expect_column_values_to_be_unique(id)") == 2)
    # Half a file: what it said before stands, and the collector says so.
    whole = (gx / "validation.json").read_text()
    (gx / "validation.json").write_text(whole[:len(whole) // 2])
    until("the collector is red", lambda: daemon.sample("weir_collector_success", collector="check_results/gx") == 0)
    assert daemon.sample("weir_check_status", source="gx", dataset="orders", check="expect_column_values_to_be_unique(id)") == 2
    (gx / "validation.json").write_text(whole)
    until("the collector is green", lambda: daemon.sample("weir_collector_success", collector="check_results/gx") == 1)
