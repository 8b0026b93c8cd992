"""The token endpoint of an OpenID provider that knows one client, for OAUTHBEARER."""

import base64
import json
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def _encoded(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class Provider:
    """Gives tokens by the client-credentials grant. The keys that a broker checks them with are in `key_set`, a file."""

    def __init__(self, folder, client, secret):
        self._key = folder / "provider.key"
        subprocess.run(["openssl", "genrsa", "-out", self._key, "2048"], check=True, capture_output=True)
        modulus = subprocess.run(["openssl", "rsa", "-in", self._key, "-noout", "-modulus"], check=True,
                                 capture_output=True, text=True).stdout.strip().removeprefix("Modulus=")
        self.key_set = folder / "keys.json"
        self.key_set.write_text(json.dumps({"keys": [{
            "kty": "RSA", "alg": "RS256", "use": "sig", "kid": "test", "n": _encoded(bytes.fromhex(modulus)), "e": "AQAB"}]}))
        expected = "Basic " + base64.b64encode(f"{client}:{secret}".encode()).decode()
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                allowed = self.headers.get("Authorization") == expected
                body = json.dumps({"access_token": provider._token(client), "token_type": "Bearer", "expires_in": 300}
                                  if allowed else {"error": "invalid_client"}).encode()
                self.send_response(200 if allowed else 401)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/token"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _token(self, client):
        now = int(time.time())
        parts = [{"alg": "RS256", "typ": "JWT", "kid": "test"},
                 {"sub": client, "iss": "weir-test", "aud": "kafka", "iat": now, "exp": now + 300, "scope": "kafka"}]
        text = ".".join(_encoded(json.dumps(part).encode()) for part in parts)
        signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self._key], input=text.encode(), check=True,
                                   capture_output=True).stdout
        return f"{text}.{_encoded(signature)}"

    def close(self):
        self._server.shutdown()
        self._server.server_close()
