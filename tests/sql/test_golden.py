"""The SQL that each dialect writes (golden/*.sql) is SQL of that dialect, as sqlglot reads it."""

import re
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

GOLDEN = Path(__file__).with_name("golden")
NAMES = {"sqlserver": "tsql", "sqlite_odbc": "sqlite"}


def statements():
    for path in sorted(GOLDEN.glob("*.sql")):
        dialect = NAMES.get(path.stem, path.stem)
        for name, text in re.findall(r"^-- (.*)\n((?:.|\n)*?);\n(?=-- |\Z)", path.read_text(), re.MULTILINE):
            yield pytest.param(dialect, name, text, id=f"{path.stem}-{name.replace(' ', '_')}")


def parsed(dialect, text):
    # EXPLAIN is no dialect's grammar in sqlglot; what it explains is.
    text = re.sub(r"^EXPLAIN (?:\([^)]*\)|FORMAT=\w+|USING \w+|ESTIMATE|COST)? ?", "", text)
    if dialect == "sqlite":
        text = re.sub(r"\?\d+", "?", text)  # it knows no numbered parameters
    return sqlglot.parse(text, read=dialect, error_level=sqlglot.ErrorLevel.RAISE)


@pytest.mark.parametrize("dialect, name, text", list(statements()))
def test_is_one_select_of_its_dialect(dialect, name, text):
    trees = parsed(dialect, text)
    assert len(trees) == 1
    assert isinstance(trees[0], (exp.Select, exp.Union)), f"{name} is read as {type(trees[0]).__name__}"
    assert not list(trees[0].find_all(exp.Command, exp.Insert, exp.Update, exp.Delete, exp.Drop))


def texts_of(tree):
    kinds = (exp.Literal, exp.National, exp.ByteString, exp.HexString)
    return {node.this for node in tree.find_all(*kinds) if not isinstance(node, exp.Literal) or node.is_string}


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.sql")), ids=lambda path: path.stem)
def test_odd_texts_and_names_are_read_as_they_were_meant(path):
    dialect = NAMES.get(path.stem, path.stem)
    found = dict(re.findall(r"^-- (.*)\n((?:.|\n)*?);\n(?=-- |\Z)", path.read_text(), re.MULTILINE))
    [tree] = parsed(dialect, found["odd names"])
    assert "größe in € `a` [b] 'c' d" in {column.name for column in tree.find_all(exp.Column)}
    [tree] = parsed(dialect, found["lower"])
    meant = "it's \\ a 'text'\n"
    as_digits = meant.encode().hex().upper()
    assert texts_of(tree) & {meant, as_digits}


def test_every_dialect_has_a_file():
    assert {path.stem for path in GOLDEN.glob("*.sql")} >= {
        "bigquery", "clickhouse", "databricks", "mysql", "oracle", "postgres", "redshift", "snowflake", "sqlite",
        "sqlserver", "trino"}
