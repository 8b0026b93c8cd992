"""Answers that break, of a schema registry, a page of metrics and dbt's artifacts over HTTP: that collector is red with a clear
message, and nothing else. The same of events that are sent to the receiver of OpenLineage."""

import gzip
import json
import socket
import ssl
import time
from datetime import datetime, timedelta, timezone

import pytest

from integration.test_http_json_faults import GOOD, Raw, Service, entry
from support import http
from support.http import Answer
from support.kafka_tls import Authority
from support.wait import until

GZIP = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n"
PLAIN = GZIP.replace(b"Content-Encoding: gzip\r\n", b"")


def html():
    yield PLAIN.replace(b"application/json", b"text/html") + b"<!DOCTYPE html><html><title>Log in</title></html>"


def torn_gzip():
    yield GZIP + gzip.compress(json.dumps(list(range(100_000))).encode())[:-2000]


BOMB = gzip.compress(b"[" + b"1," * (60 << 20), compresslevel=1)


def bomb():
    yield GZIP + BOMB


def endless():
    yield PLAIN + b'["'
    for _ in range(120):
        yield b"x" * (1 << 20)


def slow():
    yield PLAIN
    for _ in range(100):
        yield b" "
        time.sleep(0.1)


def circle():
    yield b"HTTP/1.1 302 Found\r\nLocation: /subjects\r\nContent-Length: 0\r\n\r\n"


def half():
    yield PLAIN.replace(b"Connection: close", b"Content-Length: 5000") + b'["orders-value", '


@pytest.mark.parametrize("answer, registry, page, file", [
    (html, "web page", "", ""), (torn_gzip, "", "", ""), (bomb, "bytes", "", ""), (endless, "bytes", "", ""),
    (slow, "within 1s", "within 1s", ""), (circle, "redirected", "", ""), (half, "incomplete", "incomplete", "")],
    ids=lambda value: value.__name__ if callable(value) else None)
def test_an_answer_that_breaks_turns_that_collector_red_alone(start_weir, answer, registry, page, file):
    with Raw(answer) as broken, Service() as other:
        weir = start_weir({
            "schema_registries": [{"name": "r", "url": broken.url, "interval": "1s", "request_timeout": "1s"}],
            "scrape": [{"name": "s", "url": broken.url + "/metrics", "interval": "2s", "request_timeout": "1s"}],
            "check_results": [{"name": "d", "format": "dbt", "files": [broken.url + "/run_results.json"], "interval": "1s",
                               "request_timeout": "1s"}],
            "http_json": [entry("other", other.url)]})
        for name, words in (("schema_registry/r", registry), (f"scrape/s/127.0.0.1:{broken.port}", page), ("check_results/d", file)):
            error = until(f"{name} is red", lambda: weir.collector(name)["error"])
            assert words in error, (name, error)
            assert weir.sample("weir_collector_success", collector=name) == 0, error
        asked = len(other.asked)
        until("the other goes on", lambda: len(other.asked) > asked + 1)
        assert weir.collector("http_json/other")["success"]
        assert GOOD["jobs"][0]["n"] == weir.sample("other_n", job="a")


def test_a_certificate_that_has_expired_turns_that_collector_red_alone(start_weir, tmp_path):
    authority = Authority(tmp_path)
    certificate = authority.issue("service", days=-1)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    with Service() as old, Service() as other:
        old.server.socket = context.wrap_socket(old.server.socket, server_side=True)
        url = old.url.replace("http:", "https:")
        trust = {"ca_file": str(authority.certificate)}
        weir = start_weir({
            "schema_registries": [{"name": "r", "url": url, "interval": "1s", "tls": trust}],
            "scrape": [{"name": "s", "url": url + "/metrics", "interval": "1s", "tls": trust}],
            "check_results": [{"name": "d", "format": "dbt", "files": [url + "/run_results.json"], "interval": "1s", **trust}],
            "http_json": [entry("other", other.url)]})
        for name in ("schema_registry/r", f"scrape/s/127.0.0.1:{old.port}", "check_results/d"):
            error = until(f"{name} is red", lambda name=name: weir.collector(name)["error"])
            assert "TLS certificate has expired" in error and "renew it" in error, (name, error)
            assert weir.sample("weir_collector_success", collector=name) == 0
        assert old.asked == [], "nothing was sent to it"
        assert weir.collector("http_json/other")["success"]


def clock(**off):
    return datetime.now(timezone.utc) + timedelta(**off)


class Ahead(Service):
    """A registry, a page of metrics, dbt's results and jobs by a clock that is `hours` ahead."""

    def __init__(self, hours):
        super().__init__()
        self.hours = hours
        self.answer = self.page

    def page(self, path):
        now = clock(hours=self.hours)
        ms = int(now.timestamp() * 1000)
        version = {"subject": "a", "version": 1, "id": 1, "schema": '"string"', "ts": ms}
        return Answer(200, {
            "/metrics": f"stamped 1 {ms}\nplain 1\n".encode(),
            "/jobs": json.dumps({"jobs": [{"name": "a", "n": 1, "ended": now.isoformat()}]}).encode(),
            "/run_results.json": json.dumps({
                "metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/run-results/v6.json", "generated_at": now.isoformat()},
                "results": [{"status": "pass", "unique_id": "test.shop.unique_id.ab", "failures": 0}]}).encode(),
            "/subjects": b'["a"]', "/config": b'{"compatibilityLevel": "BACKWARD"}', "/subjects/a/versions": b"[1]",
            "/subjects/a/versions/1": json.dumps(version).encode(),
            "/config/a": b'{"compatibilityLevel": "BACKWARD"}'}[path.split("?")[0]], {"Content-Type": "text/plain"})


def test_what_is_dated_ahead_is_red_and_never_fresh(start_weir):
    age = {"metrics": [{"name": "job_n", "value": "/n"}, {"name": "job_age_seconds", "value": "/ended", "unit": "age"}]}
    with Ahead(1) as wrong, Service() as other:
        page = f"scrape/s/127.0.0.1:{wrong.port}"
        weir = start_weir({
            "schema_registries": [{"name": "r", "url": wrong.url, "interval": "1s"}],
            "scrape": [{"name": "s", "url": wrong.url + "/metrics", "interval": "1s"}],
            "check_results": [{"name": "d", "format": "dbt", "files": [wrong.url + "/run_results.json"], "interval": "1s"}],
            "openlineage": {"receive": True},
            "http_json": [entry("svc", wrong.url, request=age), entry("other", other.url)]})
        event = {"eventType": "COMPLETE", "eventTime": clock(hours=1).isoformat(), "producer": "urn:x", "schemaURL": "urn:y",
                 "run": {"runId": "0192f1f0-0000-7000-8000-000000000001"}, "job": {"namespace": "a", "name": "b"}}
        assert post(weir, json.dumps(event).encode(), "identity").status == 201
        for name in ("schema_registry/r", page, "check_results/d", "openlineage", "http_json/svc"):
            error = until(f"{name} is red", lambda name=name: weir.collector(name)["error"])
            assert "1h ahead of this machine's clock" in error, (name, error)
            assert "set the" in error, error
            assert weir.sample("weir_collector_success", collector=name) == 0
        assert weir.sample("stamped") is None
        assert weir.sample("plain") == 1 and weir.sample("up", job="s") == 1
        assert weir.sample("job_n", job="a") == 1 and weir.sample("job_age_seconds", job="a") is None
        assert weir.sample("weir_check_status", source="d") == 0
        assert weir.sample("weir_check_results_age_seconds", source="d") is None
        assert weir.sample("weir_openlineage_job_last_complete_timestamp_seconds", job_name="b") <= time.time()
        assert weir.sample("schema_registry_subject_last_change_timestamp_seconds", subject="a") is None
        assert weir.collector("http_json/other")["success"]
        wrong.hours = 0
        right = {**event, "eventTime": clock().isoformat(), "run": {"runId": "0192f1f0-0000-7000-8000-000000000002"}}
        assert post(weir, json.dumps(right).encode(), "identity").status == 201
        for name in (page, "check_results/d", "openlineage", "http_json/svc"):
            until(f"{name} is well again", lambda name=name: weir.collector(name)["success"])
        assert weir.sample("job_age_seconds", job="a") < 60
        assert weir.sample("weir_check_results_age_seconds", source="d") < 60


def test_a_page_of_long_ago_is_not_taken_as_new(start_weir):
    with Ahead(-1) as old:
        weir = start_weir({"scrape": [
            {"name": "s", "url": old.url + "/metrics", "interval": "1s"},
            {"name": "any", "url": old.url + "/metrics", "interval": "1s", "honor_timestamps": False}]})
        error = until("it is red", lambda: weir.collector(f"scrape/s/127.0.0.1:{old.port}")["error"])
        assert "1h behind this machine's clock" in error and "stamped" in error, error
        until("where times are passed over it is taken", lambda: weir.sample("stamped", job="any") == 1)
        assert weir.sample("stamped", job="s") is None


def post(weir, body, encoding):
    return http.request(weir.url + "/api/v1/lineage", body, "POST", {"Content-Type": "application/json", "Content-Encoding": encoding})


def test_packed_events_that_are_torn_too_large_or_not_packed_at_all(start_weir):
    weir = start_weir({"openlineage": {"receive": True}})
    event = json.dumps({"eventType": "START", "eventTime": datetime.now(timezone.utc).isoformat(), "producer": "urn:x", "schemaURL": "urn:y",
                        "run": {"runId": "0192f1f0-0000-7000-8000-000000000001"}, "job": {"namespace": "a", "name": "b"}}).encode()
    assert post(weir, gzip.compress(event)[:-9], "gzip").status == 400
    assert post(weir, event, "gzip").status == 400
    assert post(weir, gzip.compress(b" " * (100 << 20) + event), "gzip").status == 413
    assert post(weir, event, "br").status == 415
    assert post(weir, gzip.compress(event), "gzip").status == 201
    until("it is known", lambda: weir.sample("weir_openlineage_job_running", job_namespace="a", job_name="b") == 1)


def test_a_sender_that_dribbles_holds_up_nobody(start_weir):
    weir = start_weir({"openlineage": {"receive": True}})
    slow_ones = []
    for _ in range(20):
        connection = socket.create_connection(("127.0.0.1", int(weir.url.rsplit(":", 1)[1])), timeout=10)
        connection.sendall(b"POST /api/v1/lineage HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                           b"Content-Length: 1000\r\n\r\n{")
        slow_ones.append(connection)
    begun = time.monotonic()
    assert http.request(weir.url + "/-/healthy").status == 200
    assert post(weir, b"{}", "identity").status == 400
    assert time.monotonic() - begun < 5
    for connection in slow_ones:
        connection.close()
