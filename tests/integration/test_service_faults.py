"""Answers that break, of a schema registry, a page of metrics and dbt's artifacts over HTTP: that collector is red with a clear
message, and nothing else. The same of events that are sent to the receiver of OpenLineage."""

import gzip
import json
import socket
import time
from datetime import datetime, timezone

import pytest

from integration.test_http_json_faults import GOOD, Raw, Service, entry
from support import http
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
