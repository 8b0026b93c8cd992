"""The same SodaCL through the real soda-core 3.5.6 and through Weir, on the same PostgreSQL: equal values and outcomes."""

import json
import math
import subprocess
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from integration.soda import checks, tables
from support import artifacts, weir

DATABASE = "soda_checks"
VARIABLES = {"NOW_AT": "2026-01-28T12:00:00+00:00", "LEAST": "5", "SINCE": "2026-01-01 00:00:00"}
OUTCOMES = {None: "error", "pass": "pass", "warn": "warn", "fail": "fail"}

# Where Weir differs on purpose: the check and the table, and why. The test fails when they no longer differ.
DIFFERENCES = {
    ("invalid_count(size) = 0", "^M$", "clean"):
        "Soda 3 takes two checks for one metric that differ in their invalid settings alone (MissingAndValidCfg's identity "
        "leaves these out): here it reports what the check with the same valid values and nothing invalid measured",
    ("invalid_count(size) = 0", "^M$", "dirty"): "the same",
    ("freshness(created_at, NOW_AT) < 2h", "quantity < 3", "dirty"):
        "the newest is exactly 2h old: less than is less than in Weir, Soda fails only what is older",
}
PERCENT = 0.0051  # Soda rounds percentages to two decimals before it compares


def numbered():
    """Every check once, by table, with a name of its own."""
    return {table: [(f"{table.strip(chr(34))} {i:03}", line, settings) for i, (line, settings) in enumerate(listed)]
            for table, listed in checks.TABLES.items()}


def write_checks(folder):
    """The check files: JSON is YAML, too."""
    sections = {f"checks for {table}": [{line: {"name": name, **settings}} for name, line, settings in listed]
                for table, listed in numbered().items()}
    (folder / "all.yml").write_text(json.dumps(sections, indent=1, ensure_ascii=False))
    (folder / "configured.yml").write_text(checks.CONFIGURED)
    return [folder / "all.yml", folder / "configured.yml"]


@pytest.fixture(scope="module")
def database(postgres):
    postgres.execute(f"CREATE DATABASE {DATABASE}")
    with psycopg.connect(postgres.address_of(DATABASE), password=postgres.password, autocommit=True) as connection:
        for statement in tables.STATEMENTS:
            connection.execute(statement)
    yield postgres
    postgres.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write_checks(tmp_path_factory.mktemp("soda"))


@pytest.fixture(scope="module")
def soda(database, files):
    request = {"connection": {"host": "127.0.0.1", "port": str(database.port), "username": database.role,
                              "password": database.password, "database": DATABASE, "schema": "public"},
               "files": [str(file) for file in files], "variables": VARIABLES}
    done = subprocess.run([artifacts.python("soda-requirements.txt"), Path(__file__).parent / "soda/run_soda.py"],
                          input=json.dumps(request), capture_output=True, text=True, timeout=300)
    assert "\n@@" in done.stdout, done.stdout[-3000:] + done.stderr[-3000:]
    return json.loads(done.stdout.rsplit("\n@@", 1)[1])


@pytest.fixture(scope="module")
def ours(database, files, tmp_path_factory):
    url = database.address_of(DATABASE).replace("@", f":{quote(database.password)}@")
    variables = [word for name, value in VARIABLES.items() for word in ("-v", f"{name}={value}")]
    done = subprocess.run([weir.binary(), "check", "run", *files, "--url", url, "--format", "json", *variables],
                          capture_output=True, text=True, timeout=300, cwd=tmp_path_factory.mktemp("weir"))
    assert done.stdout.startswith("{"), done.stderr[-5000:]
    return json.loads(done.stdout)


def differs_on_purpose(name, line, settings):
    return any(line == of and detail in json.dumps(settings) and name.startswith(table)
               for of, detail, table in DIFFERENCES)


def equal(soda, weir_value, percent):
    if soda is None or weir_value is None:
        return soda is weir_value
    if math.isinf(soda) or math.isinf(weir_value):
        return soda == weir_value
    return math.isclose(soda, weir_value, rel_tol=1e-9, abs_tol=PERCENT if percent else 1e-12)


def test_gives_the_values_and_outcomes_of_soda(soda, ours):
    lines = {name: (line, settings) for listed in numbered().values() for name, line, settings in listed}
    theirs = {each["name"]: each for each in soda["results"]}
    mine = {each["check"]: each for each in ours["results"]}
    assert set(mine) == set(theirs)
    differing = []
    for name, expected in sorted(theirs.items()):
        got = mine[name]
        line, settings = lines.get(name, (name, {}))
        outcome = OUTCOMES[expected["outcome"]]
        same = got["outcome"] == outcome and equal(expected["value"], got["value"], "percent" in line or name == "part 5")
        if same == differs_on_purpose(name, line, settings):
            differing.append(f"{name}: {line} {settings}: Soda {outcome} {expected['value']}, "
                             f"Weir {got['outcome']} {got['value']} ({got['message']})")
    assert differing == [], "\n" + "\n".join(differing)
    assert len(theirs) >= 150
