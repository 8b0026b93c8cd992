"""Runs a check file through Soda; its own process, in the virtual environment with soda-core.

Reads a JSON object with `connection`, `files` and `variables`, writes one with the results and what went wrong."""

import json
import sys
from datetime import timedelta

from soda.execution.check.freshness_check import FreshnessCheck
from soda.scan import Scan


def value_of(check):
    if isinstance(check, FreshnessCheck):
        age = (check.freshness_values or {}).get("freshness")
        return age.total_seconds() if isinstance(age, timedelta) else None
    value = getattr(check, "check_value", None)
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def main():
    request = json.load(sys.stdin)
    scan = Scan()
    scan.disable_telemetry()
    scan.set_data_source_name("wh")
    properties = "".join(f"  {key}: {json.dumps(value)}\n" for key, value in request["connection"].items())
    scan.add_configuration_yaml_str(f"data_source wh:\n  type: postgres\n{properties}")
    scan.add_variables(request["variables"])
    for file in request["files"]:
        scan.add_sodacl_yaml_file(file)
    scan.execute()
    results = [{"name": check.name, "table": check.partition.table.table_name if check.partition else None,
                "outcome": check.outcome.value if check.outcome else None, "value": value_of(check)}
               for check in scan._checks]
    sys.stdout = sys.__stdout__
    print("\n@@" + json.dumps({"results": results, "errors": [log.message for log in scan.get_error_logs()]}))


if __name__ == "__main__":
    main()
