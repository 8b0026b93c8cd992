"""`weir notify test` against servers that take, refuse, throttle, hang and lie; mail with STARTTLS."""

import email
import email.policy
import json
import socket
import ssl
import subprocess

import pytest

from support.http import Answer, HttpServer, WebhookReceiver
from support.kafka_tls import Authority
from support.smtp import SmtpServer
from support.weir import binary


@pytest.fixture
def notify(tmp_path):
    (tmp_path / "checks.yml").write_text("checks for orders:\n  - row_count >= 0\n")

    def run(receiver, name="team", **more):
        config = {"external_url": "http://weir.internal",
                  "sources": [{"name": "shop", "type": "sqlite", "path": str(tmp_path / "shop.db")}],
                  "checks": [{"source": "shop", "files": [str(tmp_path / "checks.yml")]}],
                  "receivers": [{"name": "team", **receiver}], "route": {"receiver": "team"}, **more}
        (tmp_path / "weir.yml").write_text(json.dumps(config))
        return subprocess.run([binary(), "notify", "test", name, "--config", tmp_path / "weir.yml"],
                              capture_output=True, text=True, timeout=60)

    return run


def test_each_integration_is_told_and_its_outcome_named(notify):
    with WebhookReceiver() as works, WebhookReceiver([Answer(500, b"oh no")]) as fails:
        done = notify({"webhook_configs": [{"url": works.url}, {"url": fails.url + "/tokentokentoken"}]})
    assert done.returncode == 1
    assert "team/webhook/0, firing: delivered (200)" in done.stdout
    assert "team/webhook/0, resolved: delivered (200)" in done.stdout
    assert "team/webhook/1, firing: not delivered" in done.stdout
    assert "answered 500" in done.stdout and "would try again" in done.stdout
    assert "tokentokentoken" not in done.stdout + done.stderr
    first, second = works.payloads()
    assert "nothing has happened" in first["alerts"][0]["annotations"]["summary"]
    assert (first["status"], second["status"]) == ("firing", "resolved")
    assert first["groupKey"] == second["groupKey"]


@pytest.mark.parametrize("answer, says", [
    (Answer(429, b"", {"Retry-After": "7"}), "asks for patience"),
    (Answer(404), "give it up"),
    (Answer(200, b'{"ok": false, "error": "invalid_token"}'), "invalid_token"),
])
def test_what_slack_answers_is_explained(notify, answer, says):
    with WebhookReceiver([answer]) as slack:
        done = notify({"slack_configs": [{"api_url": slack.url + "/services/T/B/secretsecret"}]})
    assert done.returncode == 1
    assert says in done.stdout
    assert "secretsecret" not in done.stdout + done.stderr


def test_a_connection_that_is_reset_is_told(notify):
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
    done = notify({"pagerduty_configs": [{"routing_key": "k", "url": f"http://127.0.0.1:{port}/"}]})
    assert done.returncode == 1
    assert "not delivered" in done.stdout and "would try again" in done.stdout


def test_an_unknown_receiver_is_suggested(notify):
    done = notify({"webhook_configs": [{"url": "http://127.0.0.1:1"}]}, name="taem")
    assert done.returncode == 2
    assert 'did you mean "team"?' in done.stderr


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("tls"))


def mail_config(server, authority, **more):
    return {"email_configs": [{"to": "Ann <ann@example.com>, bob@example.com", "from": "Weir <weir@example.com>",
                               "smarthost": server.smarthost, "send_resolved": True,
                               "tls_config": {"ca_file": str(authority.certificate)}, **more}]}


def test_mail_goes_encrypted_and_keeps_a_thread(notify, authority):
    with SmtpServer(authority.issue("mail"), user=("weir", "pass")) as server:
        done = notify(mail_config(server, authority, auth_username="weir", auth_password="pass"))
        assert done.returncode == 0, done.stdout + done.stderr
    (sender, recipients, text, encrypted, user), (*_, second, _, _) = server.mails
    assert (sender, recipients, encrypted, user) == ("weir@example.com", ["ann@example.com", "bob@example.com"], True, "weir")
    first, reply = (email.message_from_string(each, policy=email.policy.default) for each in (text, second))
    assert first["Subject"] == reply["Subject"]
    assert "Likely cause: somebody wants to see" in first.get_content()
    assert reply["In-Reply-To"] == first["Message-ID"] and reply["References"] == first["Message-ID"]


def test_without_starttls_no_mail_goes_unless_allowed(notify, authority):
    with SmtpServer() as server:
        refused = notify(mail_config(server, authority))
        assert refused.returncode == 1 and "STARTTLS" in refused.stdout
        assert not server.mails
        assert notify(mail_config(server, authority, require_tls=False)).returncode == 0
        assert len(server.mails) == 2


@pytest.mark.parametrize("verb, answer, says", [
    ("MAIL", "450 later", "would try again"), ("RCPT", "550 no such user", "give it up"),
    ("DATA", "451 try again", "would try again"), (".", "554 spam", "give it up"), (".", "reset", "would try again"),
    ("AUTH", "535 wrong", "credentials")])
def test_what_a_mail_server_answers_is_taken_for_what_it_is(notify, authority, verb, answer, says):
    with SmtpServer(authority.issue("mail"), user=("weir", "pass"), script={verb: [answer] * 4}) as server:
        done = notify(mail_config(server, authority, auth_username="weir", auth_password="pass"))
    assert done.returncode == 1
    assert says in done.stdout, done.stdout
    assert "pass\n" not in done.stdout


def test_a_certificate_of_nobody_known_is_refused(notify, authority, tmp_path):
    with SmtpServer(authority.issue("mail")) as server:
        done = notify(mail_config(server, Authority(tmp_path)))
    assert done.returncode == 1 and "certificate" in done.stdout
    assert not server.mails


def test_a_mail_servers_certificate_may_be_of_another_name_that_is_given(notify, authority):
    with SmtpServer(authority.issue("mail-inside", hosts=("DNS:mail.inside",))) as server:
        ca = {"ca_file": str(authority.certificate)}
        assert notify(mail_config(server, authority)).returncode == 1 and not server.mails
        done = notify(mail_config(server, authority, tls_config={**ca, "server_name": "mail.inside"}))
        assert done.returncode == 0, done.stdout + done.stderr
        done = notify(mail_config(server, authority, tls_config=None),
                      **{"global": {"smtp_tls_config": {**ca, "server_name": "mail.inside"}}})
        assert done.returncode == 0, done.stdout + done.stderr
    assert len(server.mails) == 4


def test_with_a_shared_secret_no_password_is_sent(notify, authority):
    with SmtpServer(authority.issue("mail"), user=("weir", "shared"), mechanisms="PLAIN CRAM-MD5") as server:
        wrong = notify(mail_config(server, authority, auth_username="weir", auth_secret="other"))
        assert wrong.returncode == 1 and "refuses the user name or password" in wrong.stdout
        done = notify(mail_config(server, authority, auth_username="weir", auth_secret="shared"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert [user for *_, user in server.mails] == ["weir", "weir"]
    with SmtpServer(authority.issue("mail"), user=("weir", "shared"), mechanisms="PLAIN") as server:
        refused = notify(mail_config(server, authority, auth_username="weir", auth_secret="shared"))
    assert refused.returncode == 1 and not server.mails, "the secret is not for PLAIN"


def test_to_whom_a_mail_goes_may_be_a_template(notify, authority):
    with SmtpServer(authority.issue("mail")) as server:
        done = notify(mail_config(server, authority, to="{{ .CommonLabels.severity }}@example.com, b@example.com"))
        assert done.returncode == 0, done.stdout + done.stderr
        assert server.mails[0][1] == ["info@example.com", "b@example.com"]
        assert "\r\nTo: info@example.com, b@example.com\r\n" in server.mails[0][2]
        done = notify(mail_config(server, authority, to="{{ .CommonLabels.owner }}@example.com"))
    assert done.returncode == 1
    assert 'the template of "to" gives no recipient: "@example.com" is not an address' in done.stdout
    assert "give it up" in done.stdout


def test_a_mail_servers_certificate_that_has_expired_is_named(notify, authority):
    with SmtpServer(authority.issue("old", days=-1)) as server:
        done = notify(mail_config(server, authority))
    assert done.returncode == 1 and "certificate has expired" in done.stdout and "renew it" in done.stdout, done.stdout


class Tls(WebhookReceiver):
    """An https server, which notes the Host it was asked for."""

    def __init__(self, certificate):
        self.hosts = []
        super().__init__()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, certificate.with_suffix(".key"))
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = self.url.replace("http://", "https://")

    def handle(self, method, path, headers, body):
        self.hosts.append(headers["Host"])
        return super().handle(method, path, headers, body)


def test_a_certificate_may_be_of_another_name_that_is_given(notify, authority):
    with Tls(authority.issue("inside", hosts=("DNS:inside.example",))) as server:
        def tls(**more):
            return {"webhook_configs": [{"url": server.url + "/hook", "http_config": {
                "tls_config": {"ca_file": str(authority.certificate), **more}}}]}
        done = notify(tls())
        assert done.returncode == 1 and "certificate" in done.stdout, done.stdout
        done = notify(tls(server_name="other.example"))
        assert done.returncode == 1 and "certificate" in done.stdout, done.stdout
        assert not server.requests
        done = notify(tls(server_name="inside.example"))
        assert done.returncode == 0, done.stdout + done.stderr
    assert [request[0] for request in server.requests] == ["/hook", "/hook"]
    assert server.hosts[0] == f"127.0.0.1:{server.port}", "the request names the URL's host"


class TokenServer(HttpServer):
    def __init__(self):
        self.asked = []
        super().__init__()

    def handle(self, _method, _path, headers, body):
        self.asked.append((headers["Authorization"], body.decode()))
        return Answer(200, json.dumps({"access_token": f"token{len(self.asked)}", "expires_in": 3600}).encode())


def test_a_receiver_behind_oauth2_is_given_a_token(notify):
    with TokenServer() as login, WebhookReceiver([Answer(401)]) as server:
        done = notify({"webhook_configs": [{"url": server.url, "http_config": {"oauth2": {
            "token_url": login.url, "client_id": "weir", "client_secret": "s3cret", "scopes": ["alerts"]}}}]})
    assert done.returncode == 0, done.stdout + done.stderr
    assert [headers["Authorization"] for _, headers, _ in server.requests] == ["Bearer token1", "Bearer token2", "Bearer token2"], \
        "one that is refused is fetched anew, and then kept"
    assert login.asked[0] == ("Basic d2VpcjpzM2NyZXQ=", "grant_type=client_credentials&scope=alerts")


def test_a_template_that_fails_is_told_at_the_test(notify):
    with WebhookReceiver([Answer(200, b"ok"), Answer(200, b"ok")]) as slack:
        done = notify({"slack_configs": [{"api_url": slack.url, "title": "{{ index .Alerts 9 }}"}]})
    assert done.returncode == 0
    assert 'with Weir\'s own text: the template of "title" failed' in done.stdout
