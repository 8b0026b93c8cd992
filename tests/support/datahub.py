"""DataHub's metadata service, as far as it takes proposals, made of DataHub's own classes (datahub_gms.py)."""

import os
from pathlib import Path

from . import artifacts, http
from .process import Server, free_port


class DataHub(Server):
    name = "datahub"
    start_timeout = 60.0

    def __init__(self, token="gms-token", port=None):
        super().__init__()
        self.token = token
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def environment(self):
        return {**os.environ, "DATAHUB_TELEMETRY_ENABLED": "false"}

    def command(self):  # -P: the folder of this file has an http.py
        return [artifacts.tool_environment("datahub") / "bin/python", "-P", Path(__file__).with_name("datahub_gms.py"), self.port, self.token]

    def ready(self):
        return http.request(f"{self.url}/config").status == 200

    def propose(self, *proposals):
        return http.request(f"{self.url}/aspects?action=ingestProposalBatch", {"proposals": list(proposals), "async": "false"}, "POST",
                            {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}",
                             "X-RestLi-Protocol-Version": "2.0.0"})

    def taken(self, aspect, urn=None):
        """The values of an aspect that were taken, oldest first."""
        return [each["value"] | {"urn": each["urn"]} for each in http.request(f"{self.url}/taken").json()
                if each["aspect"] == aspect and urn in (None, each["urn"])]
