"""The README's own example of a service with events and a rule on them, on a real Weir."""

import json
import re
from pathlib import Path

import pytest
import yaml

from support.http import Answer, HttpServer
from support.wait import until

README = Path(__file__).parents[2] / "src/README.md"


class Jobs(HttpServer):
    def __init__(self):
        self.state = "RUNNING"
        super().__init__()

    def handle(self, _method, _path, _headers, _body):
        jobs = [{"name": "load", "run": 7, "state": self.state, "error": "disk full"}]
        return Answer(200, json.dumps({"jobs": jobs}).encode(), {"Content-Type": "application/json"})


@pytest.fixture
def jobs():
    with Jobs() as served:
        yield served


def block(word):
    return next(text for text in re.findall(r"```yaml\n(.*?)```", README.read_text(), re.DOTALL) if word in text)


def test_a_rule_on_the_metric_beside_an_event_opens_the_incident_that_tells_it(jobs, start_weir, tmp_path):
    config = yaml.safe_load(block("kind: job_failed, value: /state, to: [FAILED], key: /run"))
    config["http_json"][0].update(url=jobs.url, interval="1s")
    (tmp_path / "rules.yml").write_text(block("alert: JobFailed"))
    config["rules"] = {"files": [str(tmp_path / "rules.yml")], "interval": "1s"}
    weir = start_weir(config)
    until("the job runs", lambda: weir.sample("job_failed", pipeline="load", system="jobs") == 0)
    assert not weir.alerts("JobFailed")
    jobs.state = "FAILED"
    until("the rule fires", lambda: weir.alerts("JobFailed"))
    incident = until("its incident is there", lambda: next(iter(weir.overview()["incidents"]), None))
    until("it tells why", lambda: "Job load failed: disk full" in
          [entry["text"] for found in weir.overview()["incidents"] for entry in found["timeline"]])
    assert incident["labels"]["pipeline"] == "load"
