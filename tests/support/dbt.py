"""Projects of the real dbt."""

import json
import os
import subprocess

from . import artifacts


def dbt_project(folder, files, postgres, schema):
    """Writes a project of these models, whose tables go into `schema` of the server; returns its folder."""
    (folder / "models").mkdir()
    (folder / "dbt_project.yml").write_text("name: shop\nversion: '1.0'\nprofile: shop\nmodel-paths: [models]\n")
    for name, text in files.items():
        (folder / name).write_text(text)
    (folder / "profiles.yml").write_text(json.dumps({"shop": {"target": "test", "outputs": {"test": {
        "type": "postgres", "host": "127.0.0.1", "port": postgres.port, "user": postgres.role, "password": postgres.password,
        "dbname": "postgres", "schema": schema, "threads": 1}}}}))
    return folder


def run_dbt(project, *command, program="dbt", **environment):
    """Runs `dbt` or `dbt-ol` in the project; tests that fail are no failure of it."""
    tools = artifacts.tool_environment("dbt") / "bin"
    start = {"dbt": "from dbt.cli.main import cli; cli()",
             "dbt-ol": "import sys; from openlineage.dbt import main; sys.exit(main())"}[program]
    done = subprocess.run(
        [tools / "python", "-c", start, *command, "--project-dir", project, "--profiles-dir", project], cwd=project,
        env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
             "DO_NOT_TRACK": "1", **environment},
        capture_output=True, text=True, timeout=300)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done
