"""A real Dagster: its runs and daemons, asked by GraphQL."""

import pytest

from support.dagster import Dagster
from support.wait import until


@pytest.fixture(scope="module")
def dagster():
    with Dagster() as dagster:
        yield dagster


def test_runs_and_daemons_are_seen(dagster, start_weir):
    weir = start_weir({"http_json": [{"name": "dagster", "url": dagster.url, "preset": "dagster", "interval": "1s",
                                      "request_timeout": "30s"}]})

    def sample(metric, **labels):
        return weir.sample(metric, system="dagster", pipeline="sales", **labels)
    until("its daemons are known not to run", lambda: weir.sample("dagster_daemon_healthy", daemon="SCHEDULER") == 0)
    assert dagster.run("execute") == 0
    until("the run is seen", lambda: sample("pipeline_runs", state="success") == 1)
    assert sample("pipeline_last_run_failed") == 0
    assert 0 <= sample("pipeline_last_success_age_seconds") < 120
    assert dagster.run("execute", '{"bad": "1"}') != 0
    until("the failed run is seen", lambda: sample("pipeline_last_run_failed") == 1)
    assert dagster.run("launch") == 0
    until("the queued run is seen", lambda: sample("pipeline_runs", state="queued") == 1)
    assert 0 <= sample("pipeline_queued_seconds") < 120
    assert weir.collector("http_json/dagster")["success"]
