"""A Prefect server on a loopback port, with its database in a folder of its own."""

import os

from . import artifacts, http
from .process import Server, free_port
from .wait import until


class Prefect(Server):
    name = "prefect"
    start_timeout = 180.0

    def __init__(self):
        super().__init__()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/api"

    def environment(self):
        return {**os.environ, "PREFECT_HOME": str(self.folder / "home"), "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
                "DO_NOT_TRACK": "1", "PREFECT_API_URL": self.url}

    def command(self):
        return [artifacts.tool_environment("prefect") / "bin/python", "-m", "prefect", "server", "start", "--host", "127.0.0.1",
                "--port", self.port, "--no-ui"]

    def ready(self):
        return http.request(f"{self.url}/health").status == 200

    def flow(self, name):
        """The id of a flow, which is made."""
        return self._post("/flows/", {"name": name})["id"]

    def run(self, flow, state):
        """A run of the flow that is in this state, as a worker would tell it."""
        return self._post("/flow_runs/", {"flow_id": flow, "state": state})

    def _post(self, path, body):
        """Again while its SQLite file is locked by the server's own services, as its workers do."""
        def answered():
            answer = http.request(self.url + path, body, "POST", {"Content-Type": "application/json"})
            return answer if answer.status != 503 else None
        answer = until("Prefect takes it", answered, 60)
        assert answer.status in (200, 201), answer
        return answer.json()
