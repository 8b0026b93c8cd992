"""Apicurio Registry with its Confluent-compatible interface, schemas kept in memory."""

import json
import urllib.parse

from . import artifacts, http
from .process import Server, free_port


class Apicurio(Server):
    name = "apicurio"

    def __init__(self, version="2.6.13.Final"):
        super().__init__()
        self.version = version
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/apis/ccompat/v7"

    def command(self):
        jar = next(artifacts.apicurio_folder(self.version).glob("*-runner.jar"))
        return ["java", "-Xmx512m", "-Xms64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                f"-Dquarkus.http.port={self.port}", "-Dquarkus.http.host=127.0.0.1", "-jar", jar]

    def ready(self):
        return http.request(f"{self.url}/subjects").status == 200

    def register(self, subject, schema, kind=None, references=()):
        """Offers a version; the Answer is a 409 when the subject's compatibility level forbids it. `kind` is PROTOBUF (then
        the schema is its text) or JSON; `references` are (name, subject, version)."""
        body = {"schema": schema if isinstance(schema, str) else json.dumps(schema)}
        if kind:
            body["schemaType"] = kind
        if references:
            body["references"] = [{"name": name, "subject": other, "version": version}
                                  for name, other, version in references]
        return self._call("POST", f"/subjects/{self._quoted(subject)}/versions", body)

    def set_compatibility(self, subject, level):
        answer = self._call("PUT", f"/config/{self._quoted(subject)}", {"compatibility": level})
        assert answer.status == 200, answer
        return answer

    def delete(self, subject, for_good=False):
        answer = self._call("DELETE", f"/subjects/{self._quoted(subject)}")
        return self._call("DELETE", f"/subjects/{self._quoted(subject)}?permanent=true") if for_good else answer

    def delete_version(self, subject, version):
        return self._call("DELETE", f"/subjects/{self._quoted(subject)}/versions/{version}")

    def _call(self, method, path, body=None):
        return http.request(self.url + path, body, method,
                            {"Content-Type": "application/vnd.schemaregistry.v1+json"})

    @staticmethod
    def _quoted(subject):
        return urllib.parse.quote(subject, safe="")
