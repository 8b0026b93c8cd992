"""HTTP for tests: a small client, a receiver that records what it is sent, and a proxy that can be broken."""

import json
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .process import free_port

# Proxies of the environment have no business with loopback servers.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass
class Answer:
    status: int = 200
    body: bytes = b""
    headers: dict = field(default_factory=dict)

    @property
    def text(self):
        return self.body.decode()

    def json(self):
        return json.loads(self.body)


def request(url, body=None, method=None, headers=None, timeout=10.0):
    """One request; an answer of any status is an Answer, no answer an OSError."""
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
    wanted = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    try:
        with _opener.open(wanted, timeout=timeout) as answer:
            return Answer(answer.status, answer.read(), dict(answer.headers))
    except urllib.error.HTTPError as refusal:
        with refusal:
            return Answer(refusal.code, refusal.read(), dict(refusal.headers))


class HttpServer:
    """Answers each request with `handle(method, path, headers, body) -> Answer`, a thread a request."""

    def __init__(self):
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                answer = owner.handle(self.command, self.path, self.headers, body)
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            do_GET = do_POST = do_PUT = do_DELETE = answer

            def log_message(self, *_):
                pass

        self.port = free_port()
        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def handle(self, method, path, headers, body):
        raise NotImplementedError

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class WebhookReceiver(HttpServer):
    """Records every request. `script` holds the answers to the next ones; after the last it answers 200."""

    def __init__(self, script=()):
        self.requests = []  # (path, headers, decoded JSON)
        self.script = list(script)
        super().__init__()

    def handle(self, _method, path, headers, body):
        self.requests.append((path, dict(headers), json.loads(body)))
        return self.script.pop(0) if self.script else Answer()

    def payloads(self, status=None):
        return [payload for _, _, payload in list(self.requests) if status in (None, payload.get("status"))]

    def alerts(self, name, status):
        """All alerts of this name and status ("firing", "resolved") it was ever sent."""
        return [alert for payload in self.payloads() for alert in payload["alerts"]
                if alert["labels"].get("alertname") == name and alert["status"] == status]


class BreakableProxy(HttpServer):
    """Forwards to `target` until `broken` is an Answer, which then answers everything."""

    def __init__(self, target):
        self.target = target
        self.broken = None
        super().__init__()

    def handle(self, method, path, headers, body):
        if self.broken:
            return self.broken
        kept = {name: headers[name] for name in ("Content-Type", "Accept", "Authorization") if name in headers}
        answer = request(self.target + path, body or None, method, kept)
        return Answer(answer.status, answer.body, {"Content-Type": answer.headers.get("Content-Type", "")})
