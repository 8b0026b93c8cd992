"""A real Prefect server: runs that fail, come late and wait are seen, told and the cause of incidents."""

import datetime

import pytest

from integration import shop
from support.prefect import Prefect
from support.wait import until


@pytest.fixture(scope="module")
def prefect():
    with Prefect() as prefect:
        yield prefect


def ago(**span):
    return (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(**span)).isoformat()


def test_late_failed_and_queued_runs_are_seen_and_explained(prefect, rules, webhook, start_weir):
    nightly, hourly = prefect.flow("nightly"), prefect.flow("hourly")
    prefect.run(nightly, {"type": "COMPLETED"})
    weir = start_weir({"http_json": [{"name": "prefect", "url": prefect.url, "preset": "prefect", "interval": "1s"}],
                       "rules": rules, **shop.notify_section(webhook)})

    def sample(metric, pipeline="nightly", **labels):
        return weir.sample(metric, system="prefect", pipeline=pipeline, **labels)
    until("the run is seen", lambda: sample("pipeline_runs", state="success") == 1)
    assert sample("pipeline_last_run_failed") == 0
    assert 0 <= sample("pipeline_last_success_age_seconds") < 60

    prefect.run(nightly, {"type": "FAILED", "message": "Flow run encountered an exception: ValueError: no rows for "
                                                       "jane@example.com"})
    prefect.run(hourly, {"type": "SCHEDULED", "state_details": {"scheduled_time": ago(minutes=20)}})
    prefect.run(hourly, {"type": "SCHEDULED", "name": "AwaitingConcurrencySlot"})
    prefect.run(hourly, {"type": "RUNNING"})
    until("the failed run is seen", lambda: sample("pipeline_last_run_failed") == 1)
    until("the server calls the run late", lambda: sample("pipeline_late_seconds", "hourly"), 60)
    assert 1200 <= sample("pipeline_late_seconds", "hourly") < 1300
    assert sample("pipeline_runs", "hourly", state="late") == 1
    assert sample("pipeline_runs", "hourly", state="queued") == 1
    assert 0 <= sample("pipeline_queued_seconds", "hourly") < 60
    assert 0 <= sample("pipeline_running_seconds", "hourly") < 60

    until("the alerts fire", lambda: weir.alerts("PipelineRunFailed", pipeline="nightly")
          and weir.alerts("PipelineRunLate", pipeline="hourly"), 60)
    incident = until("the cause is told", lambda: next(
        (found for found in weir.overview()["incidents"]
         if found["labels"].get("pipeline") == "nightly" and "no rows" in found["cause"]), None))
    assert "A run of nightly (prefect) failed: " in incident["cause"] and "ValueError: no rows" in incident["cause"]
    assert "jane@example.com" not in incident["cause"] and "<email>" in incident["cause"]

    prefect.run(nightly, {"type": "COMPLETED"})
    until("the next good run resolves it", lambda: not weir.alerts("PipelineRunFailed"))
