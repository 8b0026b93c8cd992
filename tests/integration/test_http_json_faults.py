"""What services may answer instead of JSON: that collector is red with a clear message, its series stay, the rest goes on."""

import email.utils
import json
import socket
import ssl
import threading
import time

import pytest

from support.http import Answer, HttpServer
from support.kafka_tls import Authority
from support.process import free_port
from support.wait import until

GOOD = {"jobs": [{"name": "a", "n": 1, "ended": "2026-01-01T00:00:00Z"}]}


class Service(HttpServer):
    def __init__(self):
        self.answer = Answer(200, json.dumps(GOOD).encode())
        self.asked = []
        super().__init__()

    def handle(self, method, path, _headers, _body):
        self.asked.append(f"{method} {path}")
        return self.answer(path) if callable(self.answer) else self.answer


class Raw:
    """Answers each connection with the same bytes and closes it."""

    def __init__(self, chunks):
        self.chunks = chunks
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.socket = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection:
                try:
                    connection.recv(65536)
                    for chunk in self.chunks():
                        connection.sendall(chunk)
                except OSError:
                    pass  # the client had enough

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def entry(name, url, **more):
    request = {"path": "/jobs", "items": "/jobs/*", "labels": {"job": "/name"},
               "metrics": [{"name": f"{name}_n", "value": "/n"}]}
    return {"name": name, "url": url, "interval": "1s", "request_timeout": "5s",
            "requests": [{**request, **more.pop("request", {})}], **more}


def red(weir, name, words):
    error = until(f"{name} is red with {words!r}", lambda: (lambda seen: words in (seen or "") and seen)(
        weir.collector(f"http_json/{name}")["error"]))
    assert weir.sample("weir_collector_success", collector=f"http_json/{name}") == 0
    return error


@pytest.fixture
def other():
    with Service() as service:
        yield service


def test_answers_that_are_none_are_named_and_keep_the_series(other, start_weir):
    with Service() as service:
        weir = start_weir({"http_json": [entry("svc", service.url, body_size_limit=1 << 20), entry("other", other.url)]})
        until("both are read", lambda: weir.sample("svc_n", job="a") == 1 and weir.sample("other_n", job="a") == 1)
        for answer, words in (
                (Answer(200, b"<!DOCTYPE html><title>Log in</title>", {"Content-Type": "text/html"}), "web page"),
                (Answer(200, json.dumps(GOOD).encode()[:-9]), "cut off"),
                (Answer(200, b"[" * 100_000), "deeper than 64 levels"),
                (Answer(200, b'{"jobs": "' + b"x" * (2 << 20) + b'"}'), "bytes"),
                (Answer(200, b'{"errors": "no such thing"}'), "has no /jobs"),
                (Answer(302, b"", {"Location": "http://127.0.0.1:1/"}), "redirected"),
                (Answer(401, b'{"message": "token expired"}'), "token expired"),
                (Answer(500, b"\xff\xfe"), "the service fails")):
            service.answer = answer
            red(weir, "svc", words)
            assert weir.query('svc_n{job="a"}')[0]["value"][1] == "1", words
        asked = len(other.asked)
        until("the other goes on", lambda: len(other.asked) > asked + 1)
        assert weir.collector("http_json/other")["success"]
        service.answer = Answer(200, json.dumps(GOOD).encode())
        until("it is read again", lambda: weir.collector("http_json/svc")["success"])


def test_a_body_that_breaks_off_and_one_of_100_mb(other, start_weir):
    def half():
        yield b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{\"jobs\": ["

    sent = [0]

    def endless():
        yield b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n{\"jobs\": [\""
        for _ in range(100):
            yield b"x" * (1 << 20)
            sent[0] += 1

    with Raw(half) as broken, Raw(endless) as large:
        weir = start_weir({"http_json": [entry("broken", broken.url), entry("large", large.url),
                                         entry("other", other.url)]})
        red(weir, "large", "8388608 bytes")
        assert 0 < sent[0] < 60, "it was read to its end"
        error = red(weir, "broken", "/jobs")
        assert "Timeout" not in error
        assert weir.collector("http_json/other")["success"]


def test_a_certificate_that_has_expired(other, start_weir, tmp_path):
    authority = Authority(tmp_path)
    certificate = authority.issue("service", days=-1)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    with Service() as service:
        service.server.socket = context.wrap_socket(service.server.socket, server_side=True)
        weir = start_weir({"http_json": [
            entry("tls", service.url.replace("http:", "https:"), tls={"ca_file": str(authority.certificate)}),
            entry("other", other.url)]})
        error = red(weir, "tls", "certificate")
        assert "expired" in error
        assert service.asked == []
        assert weir.collector("http_json/other")["success"]


def test_a_clock_that_is_wrong(start_weir):
    ahead = [0]

    def date(_handler, _timestamp=None):
        return email.utils.formatdate(time.time() + ahead[0], usegmt=True)

    with Service() as service:
        service.server.RequestHandlerClass.date_time_string = date
        request = {"metrics": [{"name": "svc_n", "value": "/n"},
                               {"name": "svc_age_seconds", "value": "/ended", "unit": "age"}]}
        weir = start_weir({"http_json": [entry("svc", service.url, request=request)]})
        until("the age is told", lambda: weir.sample("svc_age_seconds", job="a"))
        ahead[0] = 7200
        red(weir, "svc", "the service's clock is 2h")
        assert weir.sample("svc_n", job="a") == 1
        ahead[0] = -20
        until("it is told again", lambda: weir.collector("http_json/svc")["success"])


def test_pages_without_end_and_a_service_that_wants_to_be_left_alone(other, start_weir):
    pages = {"request": {"pages": {"cursor": "/next", "parameter": "after"}}}
    with Service() as circle, Service() as busy:
        circle.answer = lambda path: Answer(200, json.dumps({**GOOD, "next": "again"}).encode())
        weir = start_weir({"http_json": [entry("circle", circle.url, **pages), entry("busy", busy.url),
                                         entry("other", other.url)]})
        red(weir, "circle", "go round in a circle")
        until("the busy one is read", lambda: weir.sample("busy_n", job="a") == 1)
        busy.answer = Answer(429, b"{}", {"Retry-After": "3600"})
        red(weir, "busy", "too many requests")
        asked = len(busy.asked)
        red(weir, "busy", "asked to be left alone until")
        count = len(other.asked)
        until("the other goes on", lambda: len(other.asked) > count + 2)
        assert len(busy.asked) == asked
        assert weir.collector("http_json/other")["success"]
