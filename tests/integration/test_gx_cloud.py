"""Great Expectations Cloud: what the real client writes there is seen through the preset, under the address that the client itself
reads. The service is one that keeps what it is given and answers in the shape of the client's contract with it."""

import json
import os
import subprocess
import uuid

from support import artifacts
from support.http import Answer, HttpServer
from support.wait import until

ORGANIZATION, WORKSPACE = "0ccac18e-7631-4bdd-8a42-3c35cce574c6", "1ccac18e-7631-4bdd-8a42-3c35cce574c6"

WRITE = """
import sys
from datetime import datetime, timedelta, timezone
from great_expectations.core.expectation_validation_result import ExpectationSuiteValidationResult
from great_expectations.data_context.cloud_constants import GXCloudRESTResource
from great_expectations.data_context.store.gx_cloud_store_backend import GXCloudStoreBackend

url, organization, workspace = sys.argv[1:4]
store = GXCloudStoreBackend({"access_token": "s3cret", "organization_id": organization, "workspace_id": workspace},
                            ge_cloud_base_url=url + "/", ge_cloud_resource_type=GXCloudRESTResource.VALIDATION_RESULT)
for ago, success in ((120, True), (60, False)):
    at = (datetime.now(timezone.utc) - timedelta(seconds=ago)).isoformat()
    result = ExpectationSuiteValidationResult(
        success=success, results=[], suite_name="orders_suite", suite_parameters={},
        statistics={"evaluated_expectations": 4, "successful_expectations": 4 if success else 3,
                    "unsuccessful_expectations": 0 if success else 1, "success_percent": 100.0 if success else 75.0},
        meta={"run_id": {"run_name": None, "run_time": at},
              "active_batch_definition": {"datasource_name": "warehouse", "data_asset_name": "orders", "batch_identifiers": {}}})
    store.set((GXCloudRESTResource.VALIDATION_RESULT, None, None), result.to_json_dict())
assert len(store._get_all()["data"]) == 2
"""


class Cloud(HttpServer):
    def __init__(self):
        self.results = []
        self.asked = []
        super().__init__()

    def handle(self, method, path, headers, body):
        self.asked.append((method, path, headers["Authorization"]))
        if method == "GET":
            return Answer(200, json.dumps({"data": self.results}).encode(), {"Content-Type": "application/json"})
        given = json.loads(body)["data"]
        given["meta"]["run_time"] = given["meta"]["run_id"]["run_time"]
        self.results.append({**given, "id": str(uuid.uuid4()), "organization_id": ORGANIZATION, "result_url": None})
        return Answer(201, json.dumps({"data": self.results[-1]}).encode(), {"Content-Type": "application/json"})


def test_what_the_real_client_writes_is_seen(start_weir, tmp_path):
    with Cloud() as cloud:
        done = subprocess.run([artifacts.tool_environment("gx") / "bin/python", "-c", WRITE, cloud.url, ORGANIZATION, WORKSPACE],
                              env={**os.environ, "GX_ANALYTICS_ENABLED": "false", "HOME": str(tmp_path)},
                              capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        of_client = cloud.asked[-1]
        weir = start_weir({"http_json": [{"name": "gx", "url": cloud.url, "preset": "gx_cloud", "bearer_token": "s3cret", "interval": "1s",
                                          "variables": {"organization": ORGANIZATION, "workspace": WORKSPACE}}]})
        of = {"system": "gx_cloud", "pipeline": "orders_suite", "asset": "orders"}
        until("the failure is seen", lambda: weir.sample("pipeline_last_failure_age_seconds", **of) is not None)
        assert 60 <= weir.sample("pipeline_last_failure_age_seconds", **of) < weir.sample("pipeline_last_success_age_seconds", **of)
        assert weir.sample("gx_validation_results", success="false", **of) == 1
        assert cloud.asked[-1] == of_client, "Weir asks what the client asks"
