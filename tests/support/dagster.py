"""A Dagster web server on a loopback port, without its daemon: what is queued stays so."""

import os
import subprocess

from . import artifacts, http
from .process import Server, free_port

JOBS = """
import dagster


@dagster.op
def work(context):
    if context.run.tags.get("bad"):
        raise ValueError("no rows")


@dagster.job
def sales():
    work()


definitions = dagster.Definitions(jobs=[sales])
"""


class Dagster(Server):
    name = "dagster"
    start_timeout = 180.0

    def __init__(self):
        super().__init__()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.python = artifacts.tool_environment("dagster") / "bin/python"

    def prepare(self):
        (self.folder / "jobs.py").write_text(JOBS)
        (self.folder / "home").mkdir()
        (self.folder / "home/dagster.yaml").write_text("telemetry: {enabled: false}\n")

    def environment(self):
        return {**os.environ, "DAGSTER_HOME": str(self.folder / "home")}

    def command(self):
        return [self.python, "-m", "dagster_webserver", "-f", "jobs.py", "-h", "127.0.0.1", "-p", self.port]

    def ready(self):
        return http.request(f"{self.url}/server_info").status == 200

    def run(self, how, tags="{}"):
        """`execute` runs the job here and now, `launch` queues a run. Returns the exit status."""
        return subprocess.run([self.python, "-m", "dagster", "job", how, "-f", "jobs.py", "-j", "sales", "--tags", tags],
                              cwd=self.folder, env=self.environment(), capture_output=True).returncode
